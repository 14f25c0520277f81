//! What a cluster has before the first lab: nodes, operators, platform namespaces, and tenants that are not labs.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    cluster::State,
    kinds::Kind,
    objects::{Site, platform as build, platform::Role},
    seed::Seed,
    template::{Stamp, Template},
    yard::Yard,
};

const OPERATORS: &[&str] = &[
    "authentication",
    "baremetal",
    "cloud-credential",
    "cluster-autoscaler",
    "config-operator",
    "console",
    "control-plane-machine-set",
    "csi-snapshot-controller",
    "dns",
    "etcd",
    "image-registry",
    "ingress",
    "insights",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-storage-version-migrator",
    "machine-api",
    "machine-approver",
    "machine-config",
    "marketplace",
    "monitoring",
    "network",
    "node-tuning",
    "olm",
    "openshift-apiserver",
    "openshift-controller-manager",
    "operator-lifecycle-manager",
    "service-ca",
    "storage",
];

/// Platform namespaces and their deployments.
const NAMESPACES: &[(&str, &[(&str, i64)])] = &[
    ("default", &[]),
    ("kube-system", &[]),
    ("kube-public", &[]),
    ("openshift-apiserver", &[("apiserver", 3)]),
    ("openshift-authentication", &[("oauth-openshift", 3)]),
    ("openshift-cluster-version", &[("cluster-version-operator", 1)]),
    (
        "openshift-cnv",
        &[("virt-api", 2), ("virt-controller", 2), ("cdi-deployment", 1), ("hco-operator", 1)],
    ),
    ("openshift-console", &[("console", 2), ("downloads", 2)]),
    ("openshift-dns", &[]),
    ("openshift-gitops", &[("openshift-gitops-server", 1), ("cluster", 1)]),
    ("openshift-image-registry", &[("image-registry", 2)]),
    ("openshift-ingress", &[("router-default", 2)]),
    (
        "openshift-monitoring",
        &[("prometheus-adapter", 2), ("thanos-querier", 2), ("kube-state-metrics", 1)],
    ),
    ("openshift-operators", &[("kserve-controller-manager", 1)]),
    ("openshift-pipelines", &[("tekton-pipelines-controller", 1)]),
    (
        "openshift-storage",
        &[("ocs-operator", 1), ("rook-ceph-operator", 1), ("csi-rbdplugin-provisioner", 2)],
    ),
    ("openshift-user-workload-monitoring", &[("prometheus-operator", 1)]),
    ("stargate", &[]),
];

/// OpenShift version of the simulated clusters.
const VERSION: &str = "4.20.11";

/// Builds the cluster itself, with `workers` nodes for labs.
pub(crate) fn build(state: &mut State, cluster: &str, workers: usize, now: DateTime<Utc>, seed: &mut Seed) {
    let installed = now - TimeDelta::days(120);
    let mut nodes: Vec<(String, Role)> = Vec::new();
    let mut add = |role: Role, word: &str, count: usize| {
        nodes.extend((1..=count).map(|number| (format!("{word}-{number:02}.{cluster}.example.test"), role)))
    };
    add(Role::ControlPlane, "control-plane", 3);
    add(Role::Infra, "infra", 3);
    add(Role::Storage, "storage", 3);
    add(Role::Worker, "worker", workers);
    for (name, role) in &nodes {
        let node = build::node(
            &mut Site {
                draw: &mut state.draw,
                namespace: "",
                at: installed,
            },
            name,
            *role,
        );
        state.store.put(Kind::Node, node, now);
        set_usage(state, name, seed.between(28, 58), seed.between(40, 68), now);
    }
    state.draw.nodes = nodes
        .into_iter()
        .filter(|(_, role)| *role == Role::Worker)
        .map(|(name, _)| name)
        .collect();

    let mut site = Site {
        draw: &mut state.draw,
        namespace: "",
        at: installed,
    };
    let mut objects: Vec<(Kind, Value)> = vec![(Kind::ClusterVersion, build::cluster_version(&mut site, VERSION))];
    objects.extend(
        OPERATORS
            .iter()
            .map(|operator| (Kind::ClusterOperator, build::cluster_operator(&mut site, operator, VERSION))),
    );
    let class = json!({"provisioner": "openshift-storage.rbd.csi.ceph.com", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", "allowVolumeExpansion": true});
    objects.push((
        Kind::StorageClass,
        site.object(Kind::StorageClass, "ocs-storagecluster-ceph-rbd", &Value::Null, class),
    ));
    for (kind, object) in objects {
        state.store.put(kind, object, now);
    }

    for (namespace, deployments) in NAMESPACES {
        let mut yard = Yard {
            state,
            namespace,
            at: installed,
        };
        yard.open(&json!({"openshift.io/cluster-monitoring": "true"}));
        for (deployment, replicas) in *deployments {
            yard.deployment(deployment, *replicas).service(deployment, 8080);
        }
        if *namespace == "openshift-monitoring" {
            yard.stateful_set("prometheus-k8s", 2);
        }
        if *namespace == "openshift-dns" {
            yard.daemon_set("dns-default", 9 + workers);
        }
        if *namespace == "openshift-console" {
            yard.route("console", "console");
        }
        yard.close();
    }
    tenant(state, now - TimeDelta::days(40));
}

/// An application of somebody else, healthy but noisy: finished builds, a failed job, a stray pod, services without routes.
fn tenant(state: &mut State, at: DateTime<Utc>) {
    let mut yard = Yard {
        state,
        namespace: "web-portal",
        at,
    };
    yard.open(&json!({}));
    yard.deployment("portal", 2).service("portal", 8080).route("dashboard", "portal");
    yard.build("portal", 1)
        .build("portal", 2)
        .job("nightly-report", false)
        .stray_pod("debug-which");
    yard.service_for("metrics", &json!({"app": "none"}), 9100, false).close();
}

/// Writes a node's usage in percent of what it has.
pub(crate) fn set_usage(state: &mut State, node: &str, cpu_percent: i64, memory_percent: i64, now: DateTime<Utc>) {
    let template = Arc::new(Template::compile(
        Kind::NodeMetrics,
        build::node_metrics(node, cpu_percent, memory_percent),
    ));
    let stamp = Stamp {
        namespace: "".into(),
        guid: "".into(),
        service_uuid: "".into(),
        seed: Seed::new(0),
        created: now,
        nodes: Arc::new([]),
    };
    state.store.put_stamped(&template, &Arc::new(stamp));
}
