//! Who asks, and what he may see and do.
//!
//! ```text
//! request ──> guard (forwarded headers with proof, or a key, or the one local user) ──> Identity {roles, labs}
//!                └── nobody: 401      └── no role, or not the one the operation wants: 403      └── too often: 429
//! Identity ──> reading (a snapshot that shows his labs and no others)
//! ```
//!
//! | File | What it holds |
//! |---|---|
//! | [`role`], [`identity`] | what somebody may do; who he is |
//! | [`scope`] | which labs somebody sees |
//! | [`people`] | the access file: which group or user has which role |
//! | [`keys`] | API keys, known by their hashes |
//! | [`proxy`] | identities from forwarded headers, and the proof that a proxy wrote them |
//! | [`settings`], [`guard`] | the settings; what lets a request in |
//! | [`limits`] | how often, and how many streams |
//! | [`writes`] | what a request that changes something must show besides |
//! | [`reading`] | the only way to the tables: a snapshot that shows these labs and no others |
//! | [`kept`] | values kept in memory, apart for each scope |

pub mod guard;
pub mod identity;
pub mod kept;
pub mod keys;
pub mod limits;
pub mod people;
pub mod proxy;
pub mod reading;
pub mod role;
pub mod scope;
pub mod settings;
pub mod writes;

pub use guard::Guard;
pub use identity::Identity;
pub use role::Role;
pub use scope::LabScope;
