//! Test harness and flows across crates.
