//! Operators that labs run on, as their Subscriptions say: the same on every cluster, but for what drifted.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{cluster::State, kinds::Kind, objects::Site, yard::Yard};

/// One operator.
struct Operator {
    /// Its package, which is also the name of its Subscription.
    package: &'static str,
    /// Where the Subscription is.
    namespace: &'static str,
    channel: &'static str,
    /// The version that is installed.
    version: &'static str,
}

const fn operator(package: &'static str, namespace: &'static str, channel: &'static str, version: &'static str) -> Operator {
    Operator {
        package,
        namespace,
        channel,
        version,
    }
}

const OPERATORS: [Operator; 8] = [
    operator("kubevirt-hyperconverged", "openshift-cnv", "stable", "4.20.3"),
    operator("odf-operator", "openshift-storage", "stable-4.20", "4.20.2"),
    operator("openshift-gitops-operator", "openshift-gitops-operator", "gitops-1.18", "1.18.1"),
    operator("openshift-pipelines-operator-rh", "openshift-operators", "pipelines-1.20", "1.20.1"),
    operator("serverless-operator", "openshift-serverless", "stable", "1.37.0"),
    operator("devspaces", "openshift-operators", "stable", "3.24.0"),
    operator("gitea-operator", "openshift-operators", "stable", "2.0.8"),
    operator("rhods-operator", "redhat-ods-operator", "stable-2.25", "2.25.1"),
];

/// What is not as everywhere: cluster, package, and the channel that it follows; none: nobody installed it.
const DRIFTED: [(&str, &str, Option<&str>); 3] = [
    ("ocp-shared-1", "openshift-gitops-operator", Some("latest")),
    ("cnv-west-2", "openshift-pipelines-operator-rh", Some("pipelines-1.19")),
    ("cnv-emea-1", "gitea-operator", None),
];

/// Subscribes a cluster to its operators.
pub(crate) fn subscribe(state: &mut State, cluster: &str, now: DateTime<Utc>) {
    let at = now - TimeDelta::days(100);
    for operator in &OPERATORS {
        let drifted = DRIFTED
            .iter()
            .find(|(name, package, _)| (*name, *package) == (cluster, operator.package));
        let Some(channel) = drifted.map_or(Some(operator.channel), |(_, _, channel)| *channel) else {
            continue;
        };
        Yard {
            state,
            namespace: operator.namespace,
            at,
        }
        .open(&json!({}));
        let mut site = Site {
            draw: &mut state.draw,
            namespace: operator.namespace,
            at,
        };
        let csv = format!("{}.v{}", operator.package, operator.version);
        let spec = json!({"name": operator.package, "channel": channel, "source": "redhat-operators", "sourceNamespace": "openshift-marketplace",
            "installPlanApproval": "Automatic", "startingCSV": csv});
        let status = json!({"state": "AtLatestKnown", "currentCSV": csv, "installedCSV": csv, "installPlanGeneration": 1});
        let subscription = site.object(
            Kind::Subscription,
            operator.package,
            &Value::Null,
            json!({"spec": spec, "status": status}),
        );
        state.store.put(Kind::Subscription, subscription, at);
    }
}
