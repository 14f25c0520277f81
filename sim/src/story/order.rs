//! Orders: a claim or a pooled handle, with the subjects that make it up and what was done to them.

use chrono::{DateTime, Utc};

use super::{
    cast::Person,
    program::{ITEMS, Item},
};

/// Where a subject is in its life: the values of `current_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the state of that name")]
pub enum Life {
    New,
    ProvisionPending,
    ProvisionQueued,
    Provisioning,
    Started,
    ProvisionFailed,
    ProvisionError,
    ProvisionCanceled,
    StopPending,
    Stopping,
    Stopped,
    StartPending,
    Starting,
    DestroyPending,
    Destroying,
    DestroyFailed,
}

impl Life {
    /// The value of `current_state`; empty for one whose create event is not handled.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "",
            Self::ProvisionPending => "provision-pending",
            Self::ProvisionQueued => "provision-queued",
            Self::Provisioning => "provisioning",
            Self::Started => "started",
            Self::ProvisionFailed => "provision-failed",
            Self::ProvisionError => "provision-error",
            Self::ProvisionCanceled => "provision-canceled",
            Self::StopPending => "stop-pending",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::StartPending => "start-pending",
            Self::Starting => "starting",
            Self::DestroyPending => "destroy-pending",
            Self::Destroying => "destroying",
            Self::DestroyFailed => "destroy-failed",
        }
    }

    /// What the owner wants in this state.
    pub(crate) const fn desired(self) -> &'static str {
        match self {
            Self::StopPending | Self::Stopping | Self::Stopped => "stopped",
            Self::DestroyPending | Self::Destroying | Self::DestroyFailed => "destroyed",
            _ => "started",
        }
    }

    pub(crate) const fn failed_to_provision(self) -> bool {
        matches!(self, Self::ProvisionFailed | Self::ProvisionError | Self::ProvisionCanceled)
    }

    /// `status.healthy` as Poolboy derives it; none: not yet known.
    pub(crate) const fn healthy(self) -> Option<bool> {
        match self {
            Self::New | Self::ProvisionPending | Self::ProvisionQueued | Self::Provisioning => None,
            Self::ProvisionFailed | Self::ProvisionError | Self::ProvisionCanceled => Some(false),
            _ => Some(true),
        }
    }

    /// `status.ready` as Poolboy derives it.
    pub(crate) const fn ready(self) -> Option<bool> {
        match self {
            Self::New => None,
            Self::Started | Self::Stopped => Some(true),
            _ => Some(false),
        }
    }
}

/// What is asked of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the action of that name")]
pub enum Action {
    Provision,
    Start,
    Stop,
    Destroy,
}

impl Action {
    /// The name of the action.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Destroy => "destroy",
        }
    }
}

/// An action that was asked for, and how far it got.
#[derive(Clone, Debug)]
pub struct Deed {
    /// What.
    pub action: Action,
    /// Name of the AnarchyAction.
    pub name: String,
    /// Uid of the AnarchyAction.
    pub uid: String,
    /// When it was asked for.
    pub asked: DateTime<Utc>,
    /// Not before: a retry that waits.
    pub after: Option<DateTime<Utc>>,
    /// Position of the controller in [`super::job::CONTROLLERS`] and id there, once a job was launched.
    pub job: Option<(usize, i64)>,
    /// When it ended, and as what: `successful`, `failed`, `error`, `canceled`.
    pub ended: Option<(DateTime<Utc>, &'static str)>,
}

/// Where a subject's things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing was booked yet.
    Nowhere,
    /// A namespace of a lab cluster.
    Namespace {
        /// The cluster.
        cluster: String,
        /// The namespace.
        namespace: String,
        /// Whether the Sandbox API booked it; other namespaces carry none of its labels.
        booked: bool,
    },
    /// An AWS account.
    Account(String),
    /// On top of what another part made.
    OnTop,
}

/// A governor run that went wrong.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Since when.
    pub since: DateTime<Utc>,
    /// What it said.
    pub message: String,
    /// How often it was tried.
    pub failures: i64,
    /// `failed` or `lost`.
    pub runner: &'static str,
}

/// One subject.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its component.
    pub governor: String,
    /// Its Anarchy namespace.
    pub namespace: String,
    /// Its guid, with its index from the second on.
    pub guid: String,
    /// Its service uuid.
    pub uuid: String,
    /// Uid of the AnarchySubject.
    pub uid: String,
    /// Its cloud.
    pub cloud: &'static str,
    /// Where its things are.
    pub place: Place,
    /// Where it is in its life.
    pub life: Life,
    /// Since when.
    pub since: DateTime<Utc>,
    /// What was asked of it, oldest first.
    pub deeds: Vec<Deed>,
    /// A governor run that went wrong.
    pub trouble: Option<Trouble>,
    /// Only a foreign finalizer holds it.
    pub only_foreign_finalizer: bool,
}

impl Part {
    /// Name of the AnarchySubject.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.governor, self.guid)
    }

    /// The last thing asked of it.
    pub(crate) fn last(&self) -> Option<&Deed> {
        self.deeds.last()
    }

    /// The namespace that it has on a lab cluster.
    #[must_use]
    pub fn lab(&self) -> Option<(&str, &str)> {
        match &self.place {
            Place::Namespace { cluster, namespace, .. } => Some((cluster, namespace)),
            _ => None,
        }
    }
}

/// Why a claim waits for its handle, or will wait for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Somebody has to approve it.
    Approval,
    /// It begins later.
    Start(DateTime<Utc>),
    /// Its parameters are wrong.
    Invalid,
}

/// A ResourceClaim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// The namespace of whoever ordered it.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Position of its workshop, if it is a seat of one.
    pub workshop: Option<usize>,
    /// Its handle is gone; it stays as a record.
    pub detached: bool,
    /// Why it has no handle.
    pub waiting: Option<Waiting>,
    pub(crate) person: Person,
}

/// An order, or what waits in a pool for one.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its guid.
    pub guid: String,
    /// Position of what was ordered in [`ITEMS`].
    pub item: usize,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Uid of the ResourceHandle.
    pub handle_uid: String,
    /// The claim; none: it waits in its pool.
    pub claim: Option<Claim>,
    /// Position of the pool that it came from.
    pub pool: Option<usize>,
    /// Its subjects; none while nothing was made.
    pub parts: Vec<Part>,
    /// When it was first ready.
    pub first_ready: Option<DateTime<Utc>>,
    /// Since when it is being deleted.
    pub leaving: Option<DateTime<Utc>>,
}

impl Order {
    /// What was ordered.
    #[must_use]
    pub fn item(&self) -> &'static Item {
        // Positions come from the table itself.
        ITEMS.get(self.item).unwrap_or(&ITEMS[0])
    }

    /// Name of the ResourceHandle.
    #[must_use]
    pub fn handle(&self) -> String {
        format!("guid-{}", self.guid)
    }

    /// Whether there is a ResourceHandle.
    #[must_use]
    pub fn has_handle(&self) -> bool {
        !self.parts.is_empty() && !self.claim.as_ref().is_some_and(|claim| claim.detached || claim.waiting.is_some())
    }

    /// The worst of its parts: who is not there yet comes before who is.
    #[must_use]
    pub fn life(&self) -> Life {
        let rank = |life: &Life| match life {
            Life::ProvisionCanceled => 0,
            Life::ProvisionError => 1,
            Life::ProvisionFailed => 2,
            Life::DestroyFailed => 3,
            Life::ProvisionQueued => 4,
            Life::Provisioning => 5,
            Life::ProvisionPending => 6,
            Life::Stopping => 7,
            Life::Starting => 8,
            Life::StopPending => 9,
            Life::StartPending => 10,
            Life::New => 11,
            Life::DestroyPending => 12,
            Life::Destroying => 13,
            Life::Stopped => 14,
            Life::Started => 15,
        };
        self.parts.iter().map(|part| part.life).min_by_key(rank).unwrap_or(Life::New)
    }

    /// The first namespace on a lab cluster.
    #[must_use]
    pub fn lab(&self) -> Option<(&str, &str)> {
        self.parts.iter().find_map(Part::lab)
    }
}
