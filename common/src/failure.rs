//! What went wrong in a handler, and which HTTP status the broker reads from it.
