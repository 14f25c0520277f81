//! StarGate function: query.
