//! What the dashboard is tested on: a real database, a simulated fleet with everything around it, the real programs, and somebody who breaks
//! things when told to. Time stands still until a command moves it, so every run shows the same.
//!
//! ```text
//! browser ──> gate ──> proxy ──> query ──> PostgreSQL <── evaluate, recommend <── scan, collect ──> simulated clusters and systems
//!              cut      sign-in                                                       play
//!                        └────────────────── control <── tests ──────────────────────┘
//! ```
//!
//! | File | What it holds |
//! |---|---|
//! | [`play`] | the fleet, and the programs that read and judge it |
//! | [`systems`] | files that tell the collectors how to get in |
//! | [`proxy`] | who is signed in, as an OAuth proxy would say it |
//! | [`gate`] | a port that can be cut |
//! | [`house`] | the query function on a database, behind proxy and gate |
//! | [`control`] | the commands |

pub mod control;
pub mod gate;
pub mod house;
pub mod play;
pub mod proxy;
pub mod systems;
