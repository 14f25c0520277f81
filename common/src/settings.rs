//! Settings shared by all binaries: flags and `STARGATE_*` variables.
