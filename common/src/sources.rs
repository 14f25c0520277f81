//! Clients of the provisioning systems: each asks one system and yields [`Readings`]. They read; nothing here judges or stores.
//!
//! | Module | System |
//! |---|---|
//! | [`babylon`], [`agnosticv`] | the control plane, over the Kubernetes API |
//! | [`labagator`], [`demolition`], [`aap`], [`sandbox_api`] | over HTTP |
//! | [`http`] | what all HTTP clients share: deadlines, retries, pages of the same host only |
//! | [`redact`] | free text, made fit to keep |
//!
//! A reading that did not reach its end says so and changes nothing that is stored; an object that could not be understood costs only itself.

pub mod aap;
pub mod agnosticv;
pub mod babylon;
pub mod demolition;
pub mod http;
pub mod labagator;
pub mod redact;
pub mod sandbox_api;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use tokio::time::Instant;

use crate::clock::Clock;
use crate::objects::Problem;
use crate::provisioning::catalog::{CatalogItem, Component, Workshop, WorkshopProvision};
use crate::provisioning::event::{Lab, Session, SmokeSession};
use crate::provisioning::job::AapJob;
use crate::provisioning::placement::{Placement, SandboxCluster};
use crate::provisioning::pool::{ResourceClaim, ResourceHandle, ResourcePool, ResourceProvider};
use crate::provisioning::subject::{AnarchyRun, AnarchySubject};
use crate::unknown::UnknownReason;

/// A system that is collected from. The kebab-case name is that of its CronJob, its row in `sources`, and its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SourceName {
    /// Anarchy, Poolboy and the catalog on the control plane; every 5 minutes.
    Babylon,
    /// Placements and limits; every 5 minutes.
    SandboxApi,
    /// Jobs of all controllers; every 15 minutes.
    Aap,
    /// Smoke runs; every 15 minutes.
    Demolition,
    /// Labs and sessions; every 15 minutes.
    Labagator,
    /// Components and their constraints; every hour, and on request.
    Agnosticv,
}

impl SourceName {
    /// Every source.
    pub const ALL: [Self; 6] = [
        Self::Babylon,
        Self::SandboxApi,
        Self::Aap,
        Self::Demolition,
        Self::Labagator,
        Self::Agnosticv,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Babylon => "babylon",
            Self::SandboxApi => "sandbox-api",
            Self::Aap => "aap",
            Self::Demolition => "demolition",
            Self::Labagator => "labagator",
            Self::Agnosticv => "agnosticv",
        }
    }

    /// The source of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }

    /// How often it is collected, in seconds. Source: design.md section 2; a test compares the CronJob manifests.
    #[must_use]
    pub const fn interval_s(self) -> i32 {
        match self {
            Self::Babylon | Self::SandboxApi => 300,
            Self::Aap | Self::Demolition | Self::Labagator => 900,
            Self::Agnosticv => 3600,
        }
    }
}

impl std::fmt::Display for SourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much of what there is a reading was meant to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// All of it: what is not in a complete reading is gone.
    Whole,
    /// All of what was asked for, for example of one event: what is neither in it nor among the others is gone.
    Within {
        /// Keys of what is there, too, and was not asked for: it stays as it is stored.
        others: BTreeSet<String>,
    },
    /// What is new since a watermark: nothing goes.
    Part,
}

/// Why a list is not the whole truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The reason.
    pub reason: UnknownReason,
    /// For people: what was asked and what came back, without secrets, and what to do.
    pub detail: String,
}

/// What one list told.
#[derive(Debug, Clone)]
pub struct Reading<R> {
    /// What was read and understood.
    pub items: Vec<R>,
    /// Objects that were there and could not be understood: by name, with what is wrong. Their stored rows stay.
    pub refused: Vec<Problem>,
    /// Why there may be more. Then nothing of it is stored.
    pub missing: Option<Missing>,
    /// What it was meant to reach.
    pub extent: Extent,
}

impl<R> Reading<R> {
    /// A list that was read to its end.
    #[must_use]
    pub const fn complete(items: Vec<R>) -> Self {
        Self {
            items,
            refused: Vec::new(),
            missing: None,
            extent: Extent::Whole,
        }
    }

    /// A list that was not read to its end.
    #[must_use]
    pub fn failed(reason: UnknownReason, detail: impl Into<String>) -> Self {
        Self {
            items: Vec::new(),
            refused: Vec::new(),
            missing: Some(Missing {
                reason,
                detail: detail.into(),
            }),
            extent: Extent::Whole,
        }
    }
}

/// Everything that one collection read. A kind that it does not read is none.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each field is the reading of the record of that name")]
pub struct Readings {
    pub subjects: Option<Reading<AnarchySubject>>,
    pub runs: Option<Reading<AnarchyRun>>,
    pub claims: Option<Reading<ResourceClaim>>,
    pub handles: Option<Reading<ResourceHandle>>,
    pub pools: Option<Reading<ResourcePool>>,
    pub providers: Option<Reading<ResourceProvider>>,
    pub catalog_items: Option<Reading<CatalogItem>>,
    pub workshops: Option<Reading<Workshop>>,
    pub workshop_provisions: Option<Reading<WorkshopProvision>>,
    pub components: Option<Reading<Component>>,
    pub labs: Option<Reading<Lab>>,
    pub sessions: Option<Reading<Session>>,
    pub smoke_sessions: Option<Reading<SmokeSession>>,
    pub jobs: Option<Reading<AapJob>>,
    pub placements: Option<Reading<Placement>>,
    pub sandbox_clusters: Option<Reading<SandboxCluster>>,
    /// Parts that were read and are no longer brought up to date where they come from: in words.
    pub late: Vec<String>,
}

/// What one run of a collector came to.
#[derive(Debug)]
pub struct Collected {
    /// Row in `sources`: the source, or `aap/<controller>` where there are several.
    pub source: String,
    /// What was read.
    pub readings: Readings,
    /// When the reading began: observations are no older.
    pub observed_at: DateTime<Utc>,
    /// Requests made.
    pub requests: u32,
    /// Bytes received.
    pub bytes: u64,
    /// What could not be read or understood, besides what the readings say.
    pub problems: Vec<Problem>,
    /// The source asked to be left alone until then.
    pub retry_at: Option<DateTime<Utc>>,
}

/// What one run of a collector works with.
#[derive(Debug, Clone)]
pub struct Run {
    /// What time it is.
    pub clock: Clock,
    /// When it ends, finished or not.
    pub deadline: Instant,
    /// Only what belongs to one event: a prefix of pools and catalog items. Empty: everything.
    pub event_prefix: String,
    /// Rows in `sources` of systems that asked to be left alone and still are: they are not asked, and nothing is collected for them.
    pub resting: Vec<String>,
}

impl Run {
    /// A collection that came to nothing before anything was asked: the readings say why.
    #[must_use]
    pub fn nothing(&self, source: impl Into<String>, readings: Readings) -> Collected {
        Collected {
            source: source.into(),
            readings,
            observed_at: self.clock.now(),
            requests: 0,
            bytes: 0,
            problems: Vec::new(),
            retry_at: None,
        }
    }
}
