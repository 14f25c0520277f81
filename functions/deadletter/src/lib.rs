//! StarGate function: deadletter.
