//! StarGate job: sweep.
