//! One document per subject and kind: the JSON of the projected objects, and a hash that ignores what changes without meaning.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::objects::{ClusterInventory, Inventory, Kind, Listing, Probe, WarningEvent};
use crate::unknown::UnknownReason;

/// Times in warning events are compared by the hour: an event that repeats every few seconds is one fact.
const EVENT_GRAIN: TimeDelta = TimeDelta::hours(1);

/// The hash of a document's meaning.
pub type Hash = [u8; 32];

/// A document that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the stored {kind} document of {subject} is not what this version writes")]
pub struct DocumentError {
    /// Which kind.
    pub kind: Kind,
    /// Namespace, or the cluster.
    pub subject: String,
    /// What serde said.
    #[source]
    pub source: serde_json::Error,
}

/// The canonical bytes of a document, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// JSON of the list of objects.
    pub json: String,
    /// SHA-256 over the meaning.
    pub hash: Hash,
}

macro_rules! with_namespaced {
    ($action:ident) => {
        $action! {
            Namespace => namespace, Pod => pods, Deployment => deployments, StatefulSet => stateful_sets, DaemonSet => daemon_sets,
            DeploymentConfig => deployment_configs, Job => jobs, Service => services, EndpointSlice => endpoint_slices,
            Endpoints => endpoints, Route => routes, Ingress => ingresses, VirtualMachine => vms, VirtualMachineInstance => vmis,
            DataVolume => data_volumes, PersistentVolumeClaim => claims, ResourceQuota => quotas,
            InferenceService => inference_services, Event => events, Probe => probes, Subject => subjects, SmokeRun => smoke_runs
        }
    };
}

macro_rules! namespaced {
    ($($kind:ident => $field:ident),*) => {
        /// Kinds whose objects belong to an instance.
        pub const NAMESPACED: &[Kind] = &[$(Kind::$kind),*];

        /// The document of one kind of an instance; `None` when there is nothing of that kind.
        ///
        /// # Errors
        /// An object does not become JSON.
        pub fn of_instance(inventory: &Inventory, kind: Kind) -> Result<Option<Document>, DocumentError> {
            match kind {
                $(Kind::$kind => document(&inventory.$field.items),)*
                Kind::Node | Kind::NodeMetrics | Kind::ClusterOperator | Kind::ClusterVersion | Kind::Subscription | Kind::JobBacklog => Ok(None),
            }
            .map_err(|source| DocumentError { kind, subject: inventory.name.clone(), source })
        }

        /// Why the list of that kind is not the whole truth in this instance.
        #[must_use]
        pub fn missing_in_instance(inventory: &Inventory, kind: Kind) -> Option<UnknownReason> {
            match kind {
                $(Kind::$kind => inventory.$field.missing,)*
                Kind::Node | Kind::NodeMetrics | Kind::ClusterOperator | Kind::ClusterVersion | Kind::Subscription | Kind::JobBacklog => None,
            }
        }

        /// Puts the objects of a stored document back.
        ///
        /// # Errors
        /// The document is not a list of that kind.
        pub fn into_instance(inventory: &mut Inventory, kind: Kind, json: &str, read_at: DateTime<Utc>) -> Result<(), DocumentError> {
            match kind {
                $(Kind::$kind => objects(json, read_at).map(|items| inventory.$field.items = items),)*
                Kind::Node | Kind::NodeMetrics | Kind::ClusterOperator | Kind::ClusterVersion | Kind::Subscription | Kind::JobBacklog => Ok(()),
            }
            .map_err(|source| DocumentError { kind, subject: inventory.name.clone(), source })
        }

        /// An inventory in which every kind is complete and empty, or unknown for the reason that `missing` gives.
        #[must_use]
        pub fn empty_instance(name: String, missing: impl Fn(Kind) -> Option<UnknownReason>) -> Inventory {
            Inventory { name, $($field: Listing { items: Vec::new(), missing: missing(Kind::$kind) },)* }
        }
    };
}
with_namespaced!(namespaced);

macro_rules! cluster_level {
    ($($kind:ident => $field:ident),*) => {
        /// Kinds whose objects belong to the cluster.
        pub const CLUSTER_LEVEL: &[Kind] = &[$(Kind::$kind),*];

        /// The document of one kind of a cluster; `None` when there is nothing of that kind.
        ///
        /// # Errors
        /// An object does not become JSON.
        pub fn of_cluster(inventory: &ClusterInventory, kind: Kind) -> Result<Option<Document>, DocumentError> {
            match kind {
                $(Kind::$kind => document(&inventory.$field.items),)*
                _ => Ok(None),
            }
            .map_err(|source| DocumentError { kind, subject: inventory.name.clone(), source })
        }

        /// Puts the objects of a stored document back.
        ///
        /// # Errors
        /// The document is not a list of that kind.
        pub fn into_cluster(inventory: &mut ClusterInventory, kind: Kind, json: &str, read_at: DateTime<Utc>) -> Result<(), DocumentError> {
            match kind {
                $(Kind::$kind => objects(json, read_at).map(|items| inventory.$field.items = items),)*
                _ => Ok(()),
            }
            .map_err(|source| DocumentError { kind, subject: inventory.name.clone(), source })
        }

        /// As [`empty_instance`], for the cluster itself.
        #[must_use]
        pub fn empty_cluster(name: String, missing: impl Fn(Kind) -> Option<UnknownReason>) -> ClusterInventory {
            ClusterInventory {
                name,
                $($field: Listing { items: Vec::new(), missing: missing(Kind::$kind) },)*
                ..ClusterInventory::default()
            }
        }
    };
}
cluster_level!(Node => nodes, NodeMetrics => node_metrics, ClusterOperator => operators, ClusterVersion => versions, Subscription => subscriptions,
    JobBacklog => job_backlogs);

fn document<T: Stored>(items: &[T]) -> Result<Option<Document>, serde_json::Error> {
    if items.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_string(items)?;
    let hash = match T::meaning(items)? {
        Some(meaning) => Sha256::digest(meaning),
        None => Sha256::digest(&json),
    };
    Ok(Some(Document { json, hash: hash.into() }))
}

fn objects<T: Stored>(json: &str, read_at: DateTime<Utc>) -> Result<Vec<T>, serde_json::Error> {
    let mut items: Vec<T> = serde_json::from_str(json)?;
    items.iter_mut().for_each(|item| item.refresh(read_at));
    Ok(items)
}

/// An object that is kept as evidence.
trait Stored: Serialize + DeserializeOwned + Sized {
    /// What the hash is over, when that is not the document itself.
    fn meaning(_items: &[Self]) -> Result<Option<Vec<u8>>, serde_json::Error> {
        Ok(None)
    }

    /// Puts back what the hash ignores and the last reading proves.
    fn refresh(&mut self, _read_at: DateTime<Utc>) {}
}

impl Stored for Probe {
    /// A probe that sees the same as before is the same evidence: neither its time nor its duration counts.
    fn meaning(items: &[Self]) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let still: Vec<Self> = items
            .iter()
            .map(|probe| Self {
                at: DateTime::UNIX_EPOCH,
                duration_ms: probe.duration_ms.map(|duration| duration / SLOW_STEP_MS),
                ..probe.clone()
            })
            .collect();
        serde_json::to_vec(&still).map(Some)
    }

    fn refresh(&mut self, read_at: DateTime<Utc>) {
        self.at = self.at.max(read_at);
    }
}

/// Durations of probes are compared in steps of 5 s: the limit that criteria know, so that crossing it counts.
const SLOW_STEP_MS: u32 = 5000;

impl Stored for WarningEvent {
    fn meaning(items: &[Self]) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let coarse = |time: Option<DateTime<Utc>>| time.map(|time| time.duration_trunc(EVENT_GRAIN).unwrap_or(time));
        let still: Vec<Self> = items
            .iter()
            .map(|event| {
                let mut event = event.clone();
                event.last_timestamp = coarse(event.last_timestamp);
                event.event_time = coarse(event.event_time);
                if let Some(series) = &mut event.series {
                    series.last_observed_time = coarse(series.last_observed_time);
                }
                event
            })
            .collect();
        serde_json::to_vec(&still).map(Some)
    }
}

macro_rules! stored_as_they_are {
    ($($type:ident),*) => { $(impl Stored for crate::objects::$type {})* };
}
stored_as_they_are!(
    ClusterOperator,
    ClusterVersion,
    DaemonSet,
    DataVolume,
    Deployment,
    DeploymentConfig,
    EndpointSlice,
    Endpoints,
    InferenceService,
    Ingress,
    Job,
    JobBacklog,
    Namespace,
    Node,
    NodeMetrics,
    PersistentVolumeClaim,
    Pod,
    ResourceQuota,
    Route,
    Service,
    SmokeRun,
    StatefulSet,
    Subject,
    Subscription,
    VirtualMachine,
    VirtualMachineInstance
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::workload::EventSeries;
    use crate::objects::{Meta, Pod, ProbeKind};

    fn noon() -> DateTime<Utc> {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn inventory() -> Inventory {
        empty_instance("sandbox-a".to_owned(), |_| None)
    }

    fn probe(at: DateTime<Utc>, duration_ms: u32, status: u16) -> Probe {
        Probe {
            kind: ProbeKind::Route,
            target: "web".to_owned(),
            at,
            status: Some(status),
            duration_ms: Some(duration_ms),
            failure: None,
            fallback: false,
            content: None,
            certificate: None,
        }
    }

    fn hash(kind: Kind, change: impl FnOnce(&mut Inventory)) -> Hash {
        let mut inventory = inventory();
        change(&mut inventory);
        of_instance(&inventory, kind).unwrap().unwrap().hash
    }

    #[test]
    fn every_kind_belongs_to_an_instance_or_to_the_cluster() {
        let mut all: Vec<Kind> = NAMESPACED.iter().chain(CLUSTER_LEVEL).copied().collect();
        all.sort_unstable();
        assert_eq!(all, Kind::ALL);
    }

    #[test]
    fn documents_can_be_read_back_and_nothing_is_no_document() {
        let mut before = inventory();
        let metadata = Meta {
            name: "web-1".to_owned(),
            uid: "u1".to_owned(),
            ..Meta::default()
        };
        before.pods.items.push(Pod {
            metadata,
            ..Pod::default()
        });
        let document = of_instance(&before, Kind::Pod).unwrap().unwrap();
        let mut after = inventory();
        into_instance(&mut after, Kind::Pod, &document.json, noon()).unwrap();
        assert_eq!(after, before);
        assert_eq!(of_instance(&before, Kind::Route).unwrap(), None);

        let error = into_instance(&mut after, Kind::Pod, "{}", noon()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the stored pod document of sandbox-a is not what this version writes"
        );
    }

    #[test]
    fn what_changes_without_meaning_does_not_change_the_hash() {
        let later = noon() + TimeDelta::minutes(59);
        let of = |probe: Probe| hash(Kind::Probe, |i| i.probes.items.push(probe));
        assert_eq!(of(probe(noon(), 100, 200)), of(probe(later, 4000, 200)));
        assert_ne!(of(probe(noon(), 100, 200)), of(probe(noon(), 100, 503)));
        assert_ne!(of(probe(noon(), 100, 200)), of(probe(noon(), 6000, 200)), "slow is another fact");

        let event = |seen: DateTime<Utc>, message: &str| WarningEvent {
            message: message.to_owned(),
            last_timestamp: Some(seen),
            series: Some(EventSeries {
                last_observed_time: Some(seen),
            }),
            ..WarningEvent::default()
        };
        let of = |event: WarningEvent| hash(Kind::Event, |i| i.events.items.push(event));
        assert_eq!(of(event(noon(), "no nodes")), of(event(later, "no nodes")));
        assert_ne!(of(event(noon(), "no nodes")), of(event(noon() + EVENT_GRAIN, "no nodes")));
        assert_ne!(of(event(noon(), "no nodes")), of(event(noon(), "no memory")));
    }

    #[test]
    fn a_probe_is_as_old_as_its_last_reading() {
        let mut stored = inventory();
        stored.probes.items.push(probe(noon(), 100, 200));
        let document = of_instance(&stored, Kind::Probe).unwrap().unwrap();
        let mut loaded = inventory();
        let read_at = noon() + TimeDelta::hours(3);
        into_instance(&mut loaded, Kind::Probe, &document.json, read_at).unwrap();
        assert_eq!(loaded.probes.items, [probe(read_at, 100, 200)]);
    }
}
