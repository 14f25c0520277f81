//! StarGate job: scan.
