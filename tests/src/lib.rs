//! Test harness: a real database for every test, time that stands still.
//!
//! Flows across crates are in `tests/`, one file per story.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot do its part fails the test that asked"
)]

pub mod corpus;
pub mod db;
pub mod fleet;
pub mod kill;
pub mod plane;
pub mod postgres;
pub mod seed;
pub mod stage;
pub mod story;
pub mod system;
pub mod world;

pub use db::TestDb;
pub use world::TestWorld;
