//! What every StarGate binary shares, in the order data flows.
//!
//! | Module | What it holds | Kind |
//! |---|---|---|
//! | [`stage`], [`tier`], [`unknown`], [`objects`] | the vocabulary: stages, tiers, reasons, projections of Kubernetes objects | pure |
//! | [`expr`], [`suggest`] | expressions: CEL, typed, tri-state, bounded; what a misspelt word may have meant | pure |
//! | [`cluster`], [`collect`] | reading clusters, recordings and probes into a [`objects::Snapshot`] | I/O |
//! | [`provisioning`] | what was ordered, what exists, who is coming: records of the provisioning systems, joins, states | pure |
//! | [`sources`] | clients of the provisioning systems | I/O |
//! | [`evidence`] | objects → tri-state observations, one file per stage | pure |
//! | [`evaluate`] | observations × rubrics → verdicts | pure |
//! | [`track`] | verdicts over time → transitions, incidents, correlation | pure |
//! | [`policy`] | joined facts × rules → recommendations | pure |
//! | [`remediation`] | what may be done about a failure, and whether it may be done now | pure |
//! | [`db`] | one table per file; the handler owns the transaction | SQL |
//! | [`events`] | every CloudEvent, the outbox relay, the wire | I/O |
//! | [`boot`], [`settings`], [`clock`], [`failure`] | how a function, a job or a server starts, fails and stops | I/O |

pub mod boot;
pub mod clock;
pub mod cluster;
pub mod collect;
pub mod db;
pub mod evaluate;
pub mod events;
pub mod evidence;
pub mod expr;
pub mod failure;
pub mod objects;
pub mod policy;
pub mod provisioning;
pub mod remediation;
pub mod settings;
pub mod sources;
pub mod stage;
pub mod suggest;
pub mod tier;
pub mod track;
pub mod unknown;
pub mod yaml;
