//! Puts projected objects together into a [`Snapshot`], one at a time and in any order.
//!
//! ```text
//! page of a LIST, file of a recording ──> Assembler::add ──> Assembler::finish ──> Snapshot
//!                                         Assembler::read / missing (coverage)
//! ```
//!
//! Who feeds it says which kinds were read: a kind that nobody marked stays unknown, never empty. Objects of namespaces
//! that are not looked at are dropped on the way in, so memory follows the labs and not the cluster.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::api::with_projection;
use super::backlog::Tally;
use super::select::{NamespaceSelection, Selected};
use super::{
    ClusterInventory, ClusterOperator, ClusterVersion, DaemonSet, DataVolume, Deployment, DeploymentConfig, EndpointSlice, Endpoints,
    InferenceService, Ingress, Inventory, Job, Kind, Listing, Meta, Namespace, Node, NodeMetrics, PersistentVolumeClaim, Pod, Problem,
    Reachability, ResourceQuota, Route, Service, Snapshot, StatefulSet, Subscription, VirtualMachine, VirtualMachineInstance, WarningEvent,
};
use crate::unknown::UnknownReason;

/// Collects objects and coverage of one cluster.
#[derive(Debug)]
pub struct Assembler {
    name: String,
    selection: NamespaceSelection,
    cluster: ClusterBucket,
    buckets: BTreeMap<String, Bucket>,
    /// Of the pods that are not kept, what must not be lost.
    tally: Tally,
    coverage: Coverage,
    reachable: Option<Reachability>,
    namespaces_closed: bool,
    problems: Vec<Problem>,
}

/// A projection that an [`Assembler`] takes.
pub trait Projection: DeserializeOwned + Send + 'static {
    /// Its kind.
    const KIND: Kind;

    /// Its metadata.
    fn metadata(&self) -> &Meta;

    /// Whether it is worth keeping at all.
    fn matters(&self) -> bool {
        true
    }

    /// Drops what no criterion reads, to keep memory small.
    fn slim(&mut self) {}

    /// It is in a namespace that is not looked at, and will be dropped.
    fn pass_by(&self, _assembler: &mut Assembler) {}

    /// Puts it where it belongs. `version` orders copies of one object: the newer one is kept.
    fn place(self, version: u64, assembler: &mut Assembler);

    /// Removes all of its kind.
    fn forget(assembler: &mut Assembler);
}

/// Why an object was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Not a Kubernetes object.
    #[error("not a Kubernetes object: {0}")]
    NotAnObject(String),
    /// A kind that nobody judges by.
    #[error("{api_version} {object} is not a kind that StarGate judges by")]
    Unrecognised {
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        object: String,
    },
    /// A field does not have the type it must have.
    #[error("{kind} {name} cannot be understood: {detail}")]
    Invalid {
        /// Its kind.
        kind: Kind,
        /// `namespace/name`, as far as known.
        name: String,
        /// Which field and why.
        detail: String,
    },
}

/// An object that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its kind.
    pub kind: Kind,
    /// The namespace it is in (of a Namespace: its own name); `None` for cluster-level objects.
    pub namespace: Option<String>,
}

/// `apiVersion` and `kind`, which items of a typed list leave out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TypeMeta {
    /// Group and version.
    pub api_version: String,
    /// Kind of the object.
    pub kind: String,
}

impl Assembler {
    /// Starts with nothing known about that cluster.
    #[must_use]
    pub fn new(cluster: impl Into<String>, selection: NamespaceSelection) -> Self {
        Self {
            name: cluster.into(),
            selection,
            cluster: ClusterBucket::default(),
            buckets: BTreeMap::new(),
            tally: Tally::default(),
            coverage: Coverage::default(),
            reachable: None,
            namespaces_closed: false,
            problems: Vec::new(),
        }
    }

    /// Takes one object.
    pub fn add<T: Projection>(&mut self, item: T) {
        self.add_version(item, 0);
    }

    /// Takes one object of which another copy may come; of several copies the newest is kept.
    pub fn add_version<T: Projection>(&mut self, mut item: T, version: u64) {
        if item.matters() {
            item.slim();
            item.place(version, self);
        }
    }

    /// Takes one object of any kind, given as a JSON value.
    ///
    /// # Errors
    /// It is not an object, not a kind that is read, or one of its fields has the wrong type.
    pub fn add_json(&mut self, object: &serde_json::Value) -> Result<Added, AddError> {
        self.add_document(object, &TypeMeta::default())
    }

    /// Takes one object of any kind, given as JSON text.
    ///
    /// # Errors
    /// As for [`Assembler::add_json`].
    pub fn add_raw(&mut self, object: &[u8]) -> Result<Added, AddError> {
        self.add_document(object, &TypeMeta::default())
    }

    /// Takes one object of any kind. `list` is what the list it came from says of its items.
    ///
    /// # Errors
    /// As for [`Assembler::add_json`].
    pub fn add_document<D: Document + ?Sized>(&mut self, object: &D, list: &TypeMeta) -> Result<Added, AddError> {
        let envelope: Envelope = object.parse().map_err(|error| AddError::NotAnObject(error.to_string()))?;
        let Envelope {
            api_version,
            kind: object_kind,
            metadata,
        } = envelope;
        let api_version = api_version.unwrap_or_else(|| list.api_version.clone());
        let object_kind = object_kind.unwrap_or_else(|| list.kind.clone());
        if object_kind.is_empty() {
            return Err(AddError::NotAnObject("it has no `kind`".to_owned()));
        }
        let Some(kind) = Kind::recognise(&api_version, &object_kind) else {
            return Err(AddError::Unrecognised {
                api_version,
                object: object_kind,
            });
        };
        let Some(metadata) = metadata.filter(|metadata| !metadata.name.is_empty()) else {
            return Err(AddError::NotAnObject(format!("this {object_kind} has no `metadata.name`")));
        };
        let version = metadata.resource_version.parse().unwrap_or(0);
        let namespace = if kind == Kind::Namespace {
            Some(metadata.name.clone())
        } else {
            metadata.namespace.clone()
        };
        if namespace.is_none() && kind.resource().is_some_and(|resource| resource.namespaced) {
            return Err(AddError::NotAnObject(format!(
                "{object_kind} {} has no `metadata.namespace`",
                metadata.name
            )));
        }
        with_projection!(kind, T => match object.parse::<T>() {
            Ok(item) => self.add_version(item, version),
            Err(error) => return Err(AddError::Invalid {
                kind,
                name: metadata.display(),
                detail: error.to_string(),
            }),
        }, else return Err(AddError::Unrecognised { api_version, object: object_kind }));
        Ok(Added { kind, namespace })
    }

    /// The kind was read to its end, cluster-wide.
    pub fn read(&mut self, kind: Kind) {
        self.coverage.read(kind);
    }

    /// The kind was not read, or not to its end, cluster-wide. What was read to its end elsewhere stays read.
    pub fn missing(&mut self, kind: Kind, reason: UnknownReason) {
        self.coverage.missing(kind, reason);
    }

    /// The kind was read to its end in one namespace.
    pub fn read_in(&mut self, kind: Kind, namespace: &str) {
        if let Some(bucket) = self.bucket(namespace) {
            bucket.coverage.read(kind);
        }
    }

    /// The kind was not read, or not to its end, in one namespace.
    pub fn missing_in(&mut self, kind: Kind, namespace: &str, reason: UnknownReason) {
        if let Some(bucket) = self.bucket(namespace) {
            bucket.coverage.missing(kind, reason);
        }
    }

    /// Drops all objects of a kind, for a LIST that starts over.
    pub fn forget<T: Projection>(&mut self) {
        T::forget(self);
        if T::KIND == Kind::Pod {
            self.tally = Tally::default();
        }
    }

    /// All namespaces have been seen: objects of others are dropped from now on.
    pub fn close_namespaces(&mut self) {
        self.namespaces_closed = true;
    }

    /// What the API server said when it was asked for its version.
    pub fn reachable(&mut self, reachability: Reachability) {
        self.reachable = Some(reachability);
    }

    /// Something that could not be read or understood.
    pub fn problem(&mut self, subject: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(Problem {
            subject: subject.into(),
            detail: detail.into(),
        });
    }

    /// Whether a namespace of that name may be looked at, as far as is known now.
    #[must_use]
    pub fn wants(&self, namespace: &str) -> bool {
        self.buckets.contains_key(namespace) || (!self.namespaces_closed && self.selection.decide(namespace, None) != Selected::No)
    }

    /// Takes in what another assembler holds, for parts of one cluster that were read apart.
    pub fn absorb(&mut self, other: Self) {
        let Self {
            name: _,
            selection: _,
            cluster,
            buckets,
            tally,
            coverage,
            reachable,
            namespaces_closed: _,
            problems,
        } = other;
        self.cluster.absorb(cluster);
        for (name, bucket) in buckets {
            self.buckets.entry(name).or_default().absorb(bucket);
        }
        self.tally.absorb(tally);
        self.coverage.absorb(&coverage);
        self.reachable = self.reachable.take().or(reachable);
        self.problems.extend(problems);
    }

    /// Yields what was put together. `observed_at` is when the reading began.
    #[must_use]
    pub fn finish(self, observed_at: DateTime<Utc>) -> Snapshot {
        let Self {
            name,
            selection,
            cluster,
            buckets,
            tally,
            coverage,
            reachable,
            namespaces_closed: _,
            problems,
        } = self;
        let namespaces = buckets
            .into_iter()
            .filter(|(name, bucket)| bucket.is_selected(name, &selection))
            .map(|(name, bucket)| (name.clone(), bucket.finish(name, &coverage)))
            .collect();
        let job_backlogs = tally.finish(coverage.of(Kind::Pod, None));
        Snapshot {
            cluster: ClusterInventory {
                job_backlogs,
                ..cluster.finish(name, reachable, &coverage)
            },
            namespaces,
            observed_at,
            problems,
        }
    }

    fn bucket(&mut self, namespace: &str) -> Option<&mut Bucket> {
        if !self.wants(namespace) {
            return None;
        }
        // Two look-ups for a new namespace, one allocation of its name only then.
        if !self.buckets.contains_key(namespace) {
            self.buckets.insert(namespace.to_owned(), Bucket::default());
        }
        self.buckets.get_mut(namespace)
    }
}

/// A form of JSON from which projections are read.
pub trait Document {
    /// Reads one projection of it.
    ///
    /// # Errors
    /// A field has the wrong type, or the text is broken.
    fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error>;
}

impl Document for serde_json::Value {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(self)
    }
}

impl Document for [u8] {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self)
    }
}

/// What every object says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a mapping with `apiVersion`, `kind` and `metadata`")]
struct Envelope {
    api_version: Option<String>,
    kind: Option<String>,
    metadata: Option<EnvelopeMeta>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EnvelopeMeta {
    name: String,
    namespace: Option<String>,
    resource_version: String,
}

impl EnvelopeMeta {
    fn display(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Which kinds were read within one scope. A kind that was read somewhere to its end is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Coverage(BTreeMap<Kind, Option<UnknownReason>>);

impl Coverage {
    fn read(&mut self, kind: Kind) {
        self.0.insert(kind, None);
    }

    fn missing(&mut self, kind: Kind, reason: UnknownReason) {
        self.0.entry(kind).or_insert(Some(reason));
    }

    fn absorb(&mut self, other: &Self) {
        for (&kind, &missing) in &other.0 {
            match missing {
                None => self.read(kind),
                Some(reason) => self.missing(kind, reason),
            }
        }
    }

    /// Why the kind may have more, here or else in the wider scope.
    fn of(&self, kind: Kind, wider: Option<&Self>) -> Option<UnknownReason> {
        let here = self.0.get(&kind);
        let there = wider.and_then(|wider| wider.0.get(&kind));
        match (here, there) {
            (Some(None), _) | (_, Some(None)) => None,
            (Some(Some(reason)), _) | (None, Some(Some(reason))) => Some(*reason),
            (None, None) => Some(UnknownReason::NotCollected),
        }
    }
}

/// An object and which copy of it this is.
#[derive(Debug)]
struct Copied<T> {
    version: u64,
    item: T,
}

/// One copy of each object, sorted by name: of several the one that was created last, then the newest version, then the
/// one that was read last.
fn newest<T: Projection>(mut copies: Vec<Copied<T>>) -> Vec<T> {
    copies.sort_by(|a, b| {
        let key = |copy: &Copied<T>| (copy.item.metadata().creation_timestamp, copy.version);
        named(&a.item).cmp(&named(&b.item)).then_with(|| key(a).cmp(&key(b)))
    });
    let mut items: Vec<T> = Vec::with_capacity(copies.len());
    for Copied { item, .. } in copies {
        match items.last_mut() {
            Some(last) if named(last) == named(&item) => *last = item,
            _ => items.push(item),
        }
    }
    items.shrink_to_fit();
    items
}

/// Which object it is among those of its kind.
fn named<T: Projection>(item: &T) -> (&str, Option<&str>) {
    let Meta { name, namespace, .. } = item.metadata();
    (name, namespace.as_deref())
}

fn listing<T: Projection>(copies: Vec<Copied<T>>, coverage: &Coverage, wider: Option<&Coverage>) -> Listing<T> {
    Listing {
        items: newest(copies),
        missing: coverage.of(T::KIND, wider),
    }
}

macro_rules! namespaced {
    ($($field:ident: $type:ident as $kind:ident),* $(,)?) => {
        /// What was read about one namespace.
        #[derive(Debug, Default)]
        struct Bucket {
            coverage: Coverage,
            namespace: Vec<Copied<Namespace>>,
            $($field: Vec<Copied<$type>>,)*
        }

        impl Bucket {
            fn absorb(&mut self, other: Self) {
                self.coverage.absorb(&other.coverage);
                self.namespace.extend(other.namespace);
                $(self.$field.extend(other.$field);)*
            }

            fn finish(self, name: String, wider: &Coverage) -> Inventory {
                let Self { coverage, namespace, $($field),* } = self;
                Inventory {
                    name,
                    namespace: listing(namespace, &coverage, Some(wider)),
                    $($field: listing($field, &coverage, Some(wider)),)*
                    ..Inventory::default()
                }
            }
        }

        $(impl Projection for $type {
            const KIND: Kind = Kind::$kind;

            fn metadata(&self) -> &Meta {
                &self.metadata
            }

            namespaced!(@extra $type);

            fn place(self, version: u64, assembler: &mut Assembler) {
                let Some(namespace) = self.metadata.namespace.as_deref() else { return };
                if let Some(bucket) = assembler.bucket(namespace) {
                    bucket.$field.push(Copied { version, item: self });
                } else {
                    self.pass_by(assembler);
                }
            }

            fn forget(assembler: &mut Assembler) {
                assembler.buckets.values_mut().for_each(|bucket| bucket.$field.clear());
            }
        })*
    };
    (@extra Pod) => {
        fn slim(&mut self) {
            self.slim_down();
        }

        fn pass_by(&self, assembler: &mut Assembler) {
            assembler.tally.see(self);
        }
    };
    (@extra WarningEvent) => {
        fn matters(&self) -> bool {
            self.kind == "Warning"
        }
    };
    (@extra $other:ident) => {};
}

namespaced! {
    pods: Pod as Pod,
    deployments: Deployment as Deployment,
    stateful_sets: StatefulSet as StatefulSet,
    daemon_sets: DaemonSet as DaemonSet,
    deployment_configs: DeploymentConfig as DeploymentConfig,
    jobs: Job as Job,
    services: Service as Service,
    endpoint_slices: EndpointSlice as EndpointSlice,
    endpoints: Endpoints as Endpoints,
    routes: Route as Route,
    ingresses: Ingress as Ingress,
    vms: VirtualMachine as VirtualMachine,
    vmis: VirtualMachineInstance as VirtualMachineInstance,
    data_volumes: DataVolume as DataVolume,
    claims: PersistentVolumeClaim as PersistentVolumeClaim,
    quotas: ResourceQuota as ResourceQuota,
    inference_services: InferenceService as InferenceService,
    events: WarningEvent as Event,
}

macro_rules! cluster_level {
    ($($field:ident: $type:ident as $kind:ident),* $(,)?) => {
        /// What was read about the cluster itself.
        #[derive(Debug, Default)]
        struct ClusterBucket {
            $($field: Vec<Copied<$type>>,)*
        }

        impl ClusterBucket {
            fn absorb(&mut self, other: Self) {
                $(self.$field.extend(other.$field);)*
            }

            fn finish(self, name: String, reachable: Option<Reachability>, coverage: &Coverage) -> ClusterInventory {
                ClusterInventory {
                    name,
                    reachable,
                    $($field: listing(self.$field, coverage, None),)*
                    critical_alerts: Listing::default(),
                    job_backlogs: Listing::default(),
                }
            }
        }

        $(impl Projection for $type {
            const KIND: Kind = Kind::$kind;

            fn metadata(&self) -> &Meta {
                &self.metadata
            }

            fn place(self, version: u64, assembler: &mut Assembler) {
                assembler.cluster.$field.push(Copied { version, item: self });
            }

            fn forget(assembler: &mut Assembler) {
                assembler.cluster.$field.clear();
            }
        })*
    };
}

cluster_level! {
    nodes: Node as Node,
    node_metrics: NodeMetrics as NodeMetrics,
    operators: ClusterOperator as ClusterOperator,
    versions: ClusterVersion as ClusterVersion,
    subscriptions: Subscription as Subscription,
}

impl Projection for Namespace {
    const KIND: Kind = Kind::Namespace;

    fn metadata(&self) -> &Meta {
        &self.metadata
    }

    fn place(self, version: u64, assembler: &mut Assembler) {
        if assembler.selection.decide(&self.metadata.name, Some(&self.metadata.labels)) != Selected::No {
            let bucket = assembler.buckets.entry(self.metadata.name.clone()).or_default();
            bucket.namespace.push(Copied { version, item: self });
        }
    }

    fn forget(assembler: &mut Assembler) {
        assembler.buckets.values_mut().for_each(|bucket| bucket.namespace.clear());
    }
}

impl Bucket {
    fn is_selected(&self, name: &str, selection: &NamespaceSelection) -> bool {
        let labels = self.namespace.last().map(|copy| &copy.item.metadata.labels);
        match selection.decide(name, labels) {
            Selected::Yes => true,
            Selected::IfShowroom => self.has_showroom(),
            Selected::No => false,
        }
    }

    /// Whether anything here is named or labelled as a showroom. The deployer names Deployment, Service and Route alike,
    /// so the answer is the same whichever of them was read.
    fn has_showroom(&self) -> bool {
        self.services.iter().any(|copy| copy.item.metadata.is_showroom())
            || self.deployments.iter().any(|copy| copy.item.metadata.is_showroom())
            || self.routes.iter().any(|copy| copy.item.metadata.is_showroom())
            || self.pods.iter().any(|copy| copy.item.metadata.is_showroom())
    }
}

#[cfg(test)]
mod tests;
