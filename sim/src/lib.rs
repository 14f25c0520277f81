//! A fleet in a box: simulated clusters for tests, demos and benchmarks.
