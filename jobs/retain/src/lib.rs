//! StarGate job: retain.
