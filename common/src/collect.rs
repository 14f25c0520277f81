//! Reading the world into values: live clusters, recordings, probes.
//!
//! Every way in ends in an [`Assembler`](crate::objects::Assembler) and yields [`Snapshot`](crate::objects::Snapshot)s.

pub mod recorded;
