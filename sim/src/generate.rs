//! Fleets out of a seed: [`demo`] for people and flows, [`mod@bench`] for measurements.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod labs;
pub(crate) mod platform;
