//! Fleets out of a seed: [`demo`] for people and flows, [`mod@bench`] for measurements, [`mod@storm`] for a bad morning.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod labs;
pub(crate) mod operators;
pub(crate) mod platform;
pub(crate) mod storm;
