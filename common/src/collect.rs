//! Reading the world into values: live clusters, recordings, probes.
