//! Who asks, and what he may see.
//!
//! | File | What it holds |
//! |---|---|
//! | [`scope`] | which labs somebody sees |
//! | [`reading`] | the only way to the tables: a snapshot that shows these labs and no others |
//! | [`kept`] | values kept in memory, apart for each scope |

pub mod kept;
pub mod reading;
pub mod scope;
