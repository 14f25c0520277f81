//! What may be done about a failure, and whether it may be done now. Nothing in this module talks to anything: values in, values out.
//!
//! ```text
//! remediations/*.yaml ──catalog──> entry ─┐
//! proposal, facts ────────────────────────┴──decision──> Cleared, or a refusal with a name
//! Cleared, target, facts ──call──> one exact HTTP request, with its preconditions
//! ```
//!
//! | Module | What it holds |
//! |---|---|
//! | [`operation`] | the closed list of changes StarGate can make, and what is true of each by itself |
//! | [`catalog`] | entries: for which failure class which operation, how far automation may go, what must be seen afterwards |

pub mod catalog;
pub mod operation;
