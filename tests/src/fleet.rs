//! A made-up cluster in a few words: labs with a condition, and what a scan of them would have read.
//!
//! Everything is built as values, without a server: flows about state do not need the wire. Flows about the wire use `stargate-sim`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::PgPool;
use stargate_common::db::evidence::{self, EvidenceError, Persisted, Reading};
use stargate_common::db::kinds::KindRead;
use stargate_common::db::scans::{Tier, Trigger};
use stargate_common::objects::{Assembler, Kind, NamespaceSelection, Reachability, Snapshot};
use stargate_common::unknown::UnknownReason;
use uuid::Uuid;

/// How a lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Everything it needs is up.
    Healthy,
    /// Its only pod crashes.
    CrashLooping,
    /// Its only pod cannot pull its image.
    ImagePull,
    /// Its deployment is gone.
    NoDeployment,
    /// Its route is gone.
    NoRoute,
}

/// One lab namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lab {
    /// Namespace uid.
    pub uid: String,
    /// How it is.
    pub condition: Condition,
    /// Raised when its pods are replaced.
    pub generation: u32,
    /// The namespace is being deleted since then.
    pub deleting: Option<DateTime<Utc>>,
}

/// A made-up cluster.
#[derive(Debug, Clone)]
pub struct TestCluster {
    /// Its name.
    pub name: String,
    /// Its labs by namespace.
    pub labs: BTreeMap<String, Lab>,
    /// Kinds that cannot be read, and why.
    pub unreadable: BTreeMap<Kind, UnknownReason>,
    /// Objects besides those of the labs.
    pub besides: Vec<(Kind, Value)>,
    /// Whether the API answers.
    pub reachable: bool,
    /// When everything was created.
    pub created_at: DateTime<Utc>,
}

/// What one scan read, ready to be stored.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Follows from cluster, tier and time.
    pub scan_id: Uuid,
    /// Which tier.
    pub tier: Tier,
    /// What was read.
    pub snapshot: Snapshot,
    /// How each kind went.
    pub kinds: Vec<KindRead>,
}

const CLUSTER_KINDS: [Kind; 4] = [Kind::Node, Kind::NodeMetrics, Kind::ClusterOperator, Kind::ClusterVersion];
const WORKLOAD_KINDS: [Kind; 8] = [
    Kind::Namespace,
    Kind::Pod,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::DeploymentConfig,
    Kind::VirtualMachine,
    Kind::VirtualMachineInstance,
];
const OTHER_KINDS: [Kind; 11] = [
    Kind::Job,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::Endpoints,
    Kind::Route,
    Kind::Ingress,
    Kind::DataVolume,
    Kind::PersistentVolumeClaim,
    Kind::ResourceQuota,
    Kind::InferenceService,
    Kind::Event,
];

impl TestCluster {
    /// A cluster with `labs` healthy labs, a day old at `now`.
    #[must_use]
    pub fn new(name: &str, labs: usize, now: DateTime<Utc>) -> Self {
        let lab = |number: usize| {
            let lab = Lab {
                uid: format!("uid-{name}-{number}"),
                condition: Condition::Healthy,
                generation: 1,
                deleting: None,
            };
            (format!("sandbox-q{number:04}-netbasics"), lab)
        };
        Self {
            name: name.to_owned(),
            labs: (0..labs).map(lab).collect(),
            unreadable: BTreeMap::new(),
            besides: Vec::new(),
            reachable: true,
            created_at: now - TimeDelta::days(1),
        }
    }

    /// The namespace of a lab by its number.
    #[must_use]
    pub fn namespace(number: usize) -> String {
        format!("sandbox-q{number:04}-netbasics")
    }

    /// Puts a lab into that condition.
    ///
    /// # Panics
    /// When there is no such lab.
    pub fn set(&mut self, number: usize, condition: Condition) {
        self.labs.get_mut(&Self::namespace(number)).expect("no such lab").condition = condition;
    }

    /// What a scan that begins at `observed_at` reads.
    #[must_use]
    pub fn take(&self, tier: Tier, observed_at: DateTime<Utc>) -> Taken {
        let mut kinds = CLUSTER_KINDS.to_vec();
        if tier >= Tier::Workloads {
            kinds.extend(WORKLOAD_KINDS);
        }
        if tier == Tier::Everything {
            kinds.extend(OTHER_KINDS);
        }
        let mut assembler = Assembler::new(self.name.clone(), NamespaceSelection::default());
        let mut reads = Vec::new();
        assembler.reachable(Reachability {
            answered: self.reachable,
            authorized: self.reachable,
            detail: if self.reachable {
                String::new()
            } else {
                "connection refused".to_owned()
            },
        });
        for kind in kinds {
            let missing = if self.reachable {
                self.unreadable.get(&kind).copied()
            } else {
                Some(UnknownReason::Unreachable)
            };
            let objects = if missing.is_none() { self.objects(kind) } else { Vec::new() };
            for object in &objects {
                assembler.add_json(object).expect("a made-up object");
            }
            match missing {
                None => assembler.read(kind),
                Some(reason) => assembler.missing(kind, reason),
            }
            reads.push(KindRead {
                kind,
                missing,
                detail: String::new(),
                items: objects.len(),
                interval_s: interval_of(kind),
            });
        }
        // Counted while the pods are read, as complete as they are.
        let counted = reads.iter().find(|read| read.kind == Kind::Pod).map(|pods| KindRead {
            kind: Kind::JobBacklog,
            items: 0,
            ..pods.clone()
        });
        reads.extend(counted);
        let id = format!("{}/{tier}/{}", self.name, observed_at.timestamp_micros());
        Taken {
            scan_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()),
            tier,
            snapshot: assembler.finish(observed_at),
            kinds: reads,
        }
    }

    fn objects(&self, kind: Kind) -> Vec<Value> {
        let of_labs =
            |object: fn(&Self, &str, &Lab) -> Option<Value>| self.labs.iter().filter_map(|(name, lab)| object(self, name, lab)).collect();
        let mut objects: Vec<Value> = match kind {
            Kind::Node => (1..=3).map(|number| self.node(number)).collect(),
            Kind::NodeMetrics => (1..=3).map(|number| self.node_metrics(number)).collect(),
            Kind::ClusterVersion => vec![self.version()],
            Kind::Namespace => of_labs(Self::namespace_object),
            Kind::Pod => of_labs(Self::pod),
            Kind::Deployment => of_labs(Self::deployment),
            Kind::Service => of_labs(Self::service),
            Kind::EndpointSlice => of_labs(Self::endpoint_slice),
            Kind::Route => of_labs(Self::route),
            _ => Vec::new(),
        };
        objects.extend(self.besides.iter().filter(|(of, _)| *of == kind).map(|(_, object)| object.clone()));
        objects
    }

    fn node(&self, number: u32) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": format!("worker-{number}"), "uid": format!("node-{number}"), "creationTimestamp": self.created_at,
                          "labels": { "node-role.kubernetes.io/worker": "" } },
            "spec": {},
            "status": { "conditions": [{ "type": "Ready", "status": "True" }], "allocatable": { "cpu": "16", "memory": "64Gi" },
                        "nodeInfo": { "kubeletVersion": "v1.32.0" } }
        })
    }

    fn node_metrics(&self, number: u32) -> Value {
        json!({
            "apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics",
            "metadata": { "name": format!("worker-{number}"), "creationTimestamp": self.created_at },
            "usage": { "cpu": "4", "memory": "16Gi" }
        })
    }

    fn version(&self) -> Value {
        json!({
            "apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion",
            "metadata": { "name": "version", "uid": "version", "creationTimestamp": self.created_at },
            "status": { "desired": { "version": "4.19.3" }, "conditions": [{ "type": "Available", "status": "True" }] }
        })
    }

    fn namespace_object(&self, name: &str, lab: &Lab) -> Option<Value> {
        let phase = if lab.deleting.is_some() { "Terminating" } else { "Active" };
        let mut object = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": name, "uid": lab.uid, "creationTimestamp": self.created_at,
                          "labels": { "created-by": "sandbox-api", "guid": &name[8..13] } },
            "status": { "phase": phase }
        });
        if let (Some(at), Some(metadata)) = (lab.deleting, object.get_mut("metadata")) {
            metadata["deletionTimestamp"] = json!(at);
        }
        Some(object)
    }

    fn pod(&self, name: &str, lab: &Lab) -> Option<Value> {
        if lab.condition == Condition::NoDeployment {
            return None;
        }
        let up = matches!(lab.condition, Condition::Healthy | Condition::NoRoute);
        let state = match lab.condition {
            Condition::CrashLooping => {
                json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container" } })
            }
            Condition::ImagePull => json!({ "waiting": { "reason": "ImagePullBackOff", "message": "Back-off pulling image" } }),
            Condition::Healthy | Condition::NoDeployment | Condition::NoRoute => json!({ "running": { "startedAt": self.created_at } }),
        };
        let truth = if up { "True" } else { "False" };
        let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status, "lastTransitionTime": self.created_at });
        Some(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": format!("web-{}", lab.generation), "namespace": name, "uid": format!("{}-pod-{}", lab.uid, lab.generation),
                          "creationTimestamp": self.created_at, "labels": { "app": "web" },
                          "ownerReferences": [{ "kind": "ReplicaSet", "name": "web-7f", "controller": true }] },
            "spec": { "nodeName": "worker-1" },
            "status": {
                "phase": "Running",
                "conditions": [condition("PodScheduled", "True"), condition("Ready", truth), condition("ContainersReady", truth)],
                "containerStatuses": [{ "name": "web", "ready": up, "restartCount": if up { 0 } else { 12 }, "state": state }]
            }
        }))
    }

    fn deployment(&self, name: &str, lab: &Lab) -> Option<Value> {
        if lab.condition == Condition::NoDeployment {
            return None;
        }
        let up = matches!(lab.condition, Condition::Healthy | Condition::NoRoute);
        let truth = if up { "True" } else { "False" };
        Some(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "web", "namespace": name, "uid": format!("{}-web", lab.uid), "generation": lab.generation,
                          "creationTimestamp": self.created_at },
            "spec": { "replicas": 1 },
            "status": { "replicas": 1, "readyReplicas": i64::from(up), "observedGeneration": lab.generation,
                        "conditions": [{ "type": "Available", "status": truth, "lastTransitionTime": self.created_at }] }
        }))
    }

    fn service(&self, name: &str, lab: &Lab) -> Option<Value> {
        Some(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": { "name": "web", "namespace": name, "uid": format!("{}-svc", lab.uid), "creationTimestamp": self.created_at },
            "spec": { "type": "ClusterIP", "clusterIP": "172.30.0.10", "selector": { "app": "web" } }
        }))
    }

    fn endpoint_slice(&self, name: &str, lab: &Lab) -> Option<Value> {
        Some(json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": { "name": "web-abcde", "namespace": name, "uid": format!("{}-eps", lab.uid), "creationTimestamp": self.created_at,
                          "labels": { "kubernetes.io/service-name": "web" } },
            "endpoints": [{ "conditions": { "ready": true }, "targetRef": { "kind": "Pod", "name": format!("web-{}", lab.generation) } }]
        }))
    }

    fn route(&self, name: &str, lab: &Lab) -> Option<Value> {
        if lab.condition == Condition::NoRoute {
            return None;
        }
        let admitted = json!([{ "type": "Admitted", "status": "True", "lastTransitionTime": self.created_at }]);
        Some(json!({
            "apiVersion": "route.openshift.io/v1", "kind": "Route",
            "metadata": { "name": "web", "namespace": name, "uid": format!("{}-route", lab.uid), "creationTimestamp": self.created_at },
            "spec": { "host": format!("web-{name}.apps.example.com"), "to": { "kind": "Service", "name": "web", "weight": 100 } },
            "status": { "ingress": [{ "routerName": "default", "conditions": admitted }] }
        }))
    }
}

impl Taken {
    /// Stores it in one transaction, as `scan` does.
    ///
    /// # Errors
    /// A statement failed.
    pub async fn store(&self, pool: &PgPool, now: DateTime<Utc>) -> Result<Persisted, EvidenceError> {
        let failed = |doing| move |source| EvidenceError::Db(stargate_common::db::DbError { doing, source });
        let mut tx = pool.begin().await.map_err(failed("beginning"))?;
        let reading = Reading {
            scan_id: self.scan_id,
            tier: self.tier,
            trigger: Trigger::Schedule,
            started_at: self.snapshot.observed_at,
            snapshot: &self.snapshot,
            kinds: &self.kinds,
            requests: 1,
            bytes: 1,
            simulated: true,
        };
        let persisted = evidence::persist(&mut tx, &reading, now).await?;
        tx.commit().await.map_err(failed("committing"))?;
        Ok(persisted)
    }
}

/// How often a kind is read: by its fastest tier.
fn interval_of(kind: Kind) -> i32 {
    if CLUSTER_KINDS.contains(&kind) {
        Tier::Cluster.interval_s()
    } else if WORKLOAD_KINDS.contains(&kind) {
        Tier::Workloads.interval_s()
    } else {
        Tier::Everything.interval_s()
    }
}
