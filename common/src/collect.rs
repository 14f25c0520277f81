//! Reading the world into values: live clusters, recordings, probes.
//!
//! | Module | What it reads |
//! |---|---|
//! | [`live`](cluster) | one cluster: reach, discover, LIST each kind of a tier |
//! | [`probe`] | routes and showrooms, from outside |
//! | [`recorded`] | files that people recorded |
//!
//! [`record`] writes such files.
//!
//! Every way in ends in an [`Assembler`](crate::objects::Assembler) and yields [`Snapshot`](crate::objects::Snapshot)s.

mod discover;
mod list;
mod live;
pub(crate) mod page;
pub(crate) mod pager;
pub mod probe;
pub mod record;
pub mod recorded;

pub use crate::tier::Tier;
pub use live::{Collected, KindReport, Report, cluster, unconnected};
