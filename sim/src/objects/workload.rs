//! Workloads: deployments and their relatives, without status; [`crate::control::derive`] writes that from the pods.

use serde_json::{Value, json};

use super::{Site, owner_of};
use crate::kinds::Kind;

/// A deployment of a pod template whose labels are also its selector.
pub(crate) fn deployment(site: &mut Site<'_>, name: &str, template: &Value, replicas: i64) -> Value {
    let labels = &template["metadata"]["labels"];
    let spec = json!({"replicas": replicas, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "selector": {"matchLabels": labels},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}, "template": template});
    let mut object = site.object(Kind::Deployment, name, labels, json!({"spec": spec}));
    object["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
    object
}

/// The replica set of a deployment's present template, named by a hash.
pub(crate) fn replica_set(site: &mut Site<'_>, deployment: &Value, hash: &str) -> Value {
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    let labels = template["metadata"]["labels"].clone();
    let name = format!("{}-{hash}", super::name(deployment));
    let spec = json!({"replicas": deployment["spec"]["replicas"], "selector": {"matchLabels": labels}, "template": template});
    let mut object = site.object(Kind::ReplicaSet, &name, &labels, json!({"spec": spec}));
    object["metadata"]["ownerReferences"] = owner_of(deployment);
    object["metadata"]["annotations"] = json!({"deployment.kubernetes.io/desired-replicas": deployment["spec"]["replicas"].to_string(),
        "deployment.kubernetes.io/revision": deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"]});
    object
}

/// A stateful set.
pub(crate) fn stateful_set(site: &mut Site<'_>, name: &str, template: &Value, replicas: i64) -> Value {
    let labels = &template["metadata"]["labels"];
    let spec = json!({"replicas": replicas, "serviceName": name, "podManagementPolicy": "OrderedReady", "selector": {"matchLabels": labels},
        "template": template, "updateStrategy": {"type": "RollingUpdate"}, "revisionHistoryLimit": 10});
    site.object(Kind::StatefulSet, name, labels, json!({"spec": spec}))
}

/// The template of one pod of a stateful set, with its own claim.
pub(crate) fn ordinal_template(set_name: &str, template: &Value, ordinal: i64) -> Value {
    let mut template = template.clone();
    template["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = json!(format!("{set_name}-{ordinal}"));
    if let Some(volumes) = template.pointer_mut("/spec/volumes").and_then(Value::as_array_mut) {
        volumes.push(json!({"name": "data", "persistentVolumeClaim": {"claimName": format!("data-{set_name}-{ordinal}")}}));
    }
    template
}

/// A daemon set that runs on `nodes` nodes.
pub(crate) fn daemon_set(site: &mut Site<'_>, name: &str, template: &Value, nodes: usize) -> Value {
    let labels = &template["metadata"]["labels"];
    let spec = json!({"selector": {"matchLabels": labels}, "template": template, "updateStrategy": {"type": "RollingUpdate"}});
    let status = json!({"currentNumberScheduled": nodes, "desiredNumberScheduled": nodes, "numberReady": nodes, "numberAvailable": nodes,
        "updatedNumberScheduled": nodes, "numberMisscheduled": 0, "observedGeneration": 1});
    site.object(Kind::DaemonSet, name, labels, json!({"spec": spec, "status": status}))
}

/// An OpenShift deployment config.
pub(crate) fn deployment_config(site: &mut Site<'_>, name: &str, template: &Value, replicas: i64) -> Value {
    let mut template = template.clone();
    template["metadata"]["labels"]["deploymentconfig"] = json!(name);
    let labels = template["metadata"]["labels"].clone();
    let spec = json!({"replicas": replicas, "selector": {"deploymentconfig": name}, "template": template, "strategy": {"type": "Rolling"},
        "triggers": [{"type": "ConfigChange"}], "test": false});
    site.object(Kind::DeploymentConfig, name, &labels, json!({"spec": spec}))
}

/// A job that runs its template once.
pub(crate) fn job(site: &mut Site<'_>, name: &str, template: &Value, backoff_limit: i64) -> Value {
    let mut template = template.clone();
    template["spec"]["restartPolicy"] = json!("Never");
    template["metadata"]["labels"]["batch.kubernetes.io/job-name"] = json!(name);
    let labels = template["metadata"]["labels"].clone();
    let mut object = site.object(
        Kind::Job,
        name,
        &labels,
        json!({"spec": {"parallelism": 1, "completions": 1, "backoffLimit": backoff_limit,
        "completionMode": "NonIndexed", "suspend": false, "template": template}}),
    );
    let uid = object["metadata"]["uid"].clone();
    object["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
    object["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] = uid;
    object
}

/// A cron job; its jobs are made apart.
pub(crate) fn cron_job(site: &mut Site<'_>, name: &str, schedule: &str, template: &Value) -> Value {
    let spec = json!({"schedule": schedule, "concurrencyPolicy": "Forbid", "suspend": false, "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1, "jobTemplate": {"metadata": {"creationTimestamp": null}, "spec": {"template": template}}});
    site.object(Kind::CronJob, name, &Value::Null, json!({"spec": spec, "status": {}}))
}
