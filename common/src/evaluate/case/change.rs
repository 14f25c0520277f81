//! What an object of a case could also be: with nothing to say, broken in the way its kind breaks, healthy.

use serde_json::{Value, json};

use super::given::{Item, List, patch};
use crate::objects::Kind;

/// The same item as it could also be.
pub(super) fn otherwise(item: &Item) -> Vec<Value> {
    let with = |change: Value| {
        let mut value = item.value.clone();
        patch(&mut value, change);
        value
    };
    match item.list {
        List::Resources => {
            let api_version = item.value["apiVersion"].as_str().unwrap_or_default();
            let kind = item.value["kind"].as_str().and_then(|kind| Kind::recognise(api_version, kind));
            let changes = kind.map(|kind| [broken(kind), healthy(kind)]).into_iter().flatten().flatten();
            [json!({"status": null})].into_iter().chain(changes).map(with).collect()
        }
        List::Subjects => vec![
            with(json!({"current_state": "provision-failed", "desired_state": "started"})),
            with(json!({"current_state": "started", "desired_state": "started"})),
        ],
        List::Probes => vec![
            with(json!({"status": 503, "failure": null, "content": null})),
            with(json!({"status": 200, "failure": null})),
        ],
        List::SmokeRuns => vec![
            with(json!({"total": 9, "failed": 9, "completed": 0, "assertions_passed": false})),
            with(json!({"total": 9, "failed": 0, "completed": 9})),
        ],
    }
}

/// How an object of that kind looks when it is broken.
fn broken(kind: Kind) -> Option<Value> {
    let condition = |kind: &str, status: &str| json!([{"type": kind, "status": status, "lastTransitionTime": "-2h"}]);
    Some(match kind {
        Kind::Node => json!({"status": {"conditions": condition("Ready", "False")}}),
        Kind::NodeMetrics => json!({"usage": {"cpu": "9000", "memory": "9000Gi"}}),
        Kind::ClusterOperator => json!({"status": {"conditions": condition("Degraded", "True")}}),
        Kind::ClusterVersion => json!({"status": {"conditions": condition("Failing", "True")}}),
        Kind::Namespace => json!({"metadata": {"deletionTimestamp": "-2h"}, "status": {"phase": "Terminating"}}),
        Kind::Pod => json!({"metadata": {"deletionTimestamp": null}, "status": {
            "phase": "Running", "reason": null, "conditions": condition("Ready", "False"),
            "containerStatuses": [{"name": "x", "restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}),
        Kind::Deployment | Kind::StatefulSet | Kind::DeploymentConfig => {
            json!({"spec": {"replicas": 3}, "status": {"replicas": 0, "readyReplicas": 0, "conditions": null}})
        }
        Kind::DaemonSet => json!({"status": {"desiredNumberScheduled": 3, "numberReady": 0}}),
        Kind::Job => json!({"status": {"succeeded": 0, "completionTime": null, "conditions": [
            {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": "-1h"}]}}),
        Kind::Service => json!({"spec": {"type": "ExternalName", "selector": null}}),
        Kind::EndpointSlice => json!({"endpoints": []}),
        Kind::Endpoints => json!({"subsets": []}),
        Kind::Route => json!({"status": {"ingress": [{"routerName": "default", "conditions": condition("Admitted", "False")}]}}),
        Kind::Ingress => json!({"spec": {"rules": []}}),
        Kind::VirtualMachine => {
            json!({"spec": {"running": null, "runStrategy": "Always"}, "status": {"printableStatus": "ErrorUnschedulable"}})
        }
        Kind::VirtualMachineInstance | Kind::DataVolume => json!({"status": {"phase": "Failed"}}),
        Kind::PersistentVolumeClaim => json!({"status": {"phase": "Lost"}}),
        Kind::ResourceQuota => json!({"status": {"hard": {"pods": "1"}, "used": {"pods": "9"}}}),
        Kind::InferenceService => json!({"status": {"conditions": condition("Ready", "False")}}),
        Kind::JobBacklog | Kind::Event | Kind::Subscription | Kind::Probe | Kind::Subject | Kind::SmokeRun => return None,
    })
}

/// How an object of that kind looks when it is well, if that is seen in a few fields.
fn healthy(kind: Kind) -> Option<Value> {
    let ready = json!([{"type": "Ready", "status": "True", "lastTransitionTime": "-2h"}]);
    Some(match kind {
        Kind::Node | Kind::InferenceService => json!({"status": {"conditions": ready}}),
        Kind::Pod => json!({"metadata": {"deletionTimestamp": null}, "status": {
            "phase": "Running", "reason": null, "conditions": ready, "containerStatuses": null}}),
        Kind::Deployment | Kind::StatefulSet | Kind::DeploymentConfig => {
            json!({"spec": {"replicas": 1}, "status": {"replicas": 1, "readyReplicas": 1, "conditions": null}})
        }
        Kind::EndpointSlice => json!({"endpoints": [{"conditions": {"ready": true}}]}),
        Kind::Endpoints => json!({"subsets": [{"addresses": [{}]}]}),
        Kind::VirtualMachineInstance => json!({"status": {"phase": "Running", "conditions": ready}}),
        Kind::DataVolume => json!({"status": {"phase": "Succeeded"}}),
        Kind::PersistentVolumeClaim => json!({"status": {"phase": "Bound"}}),
        _ => return None,
    })
}
