//! StarGate function: evaluate.
