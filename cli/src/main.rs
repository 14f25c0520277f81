//! The `stargate` command line.

fn main() {}
