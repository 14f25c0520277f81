//! Status that follows from other objects: replica counts from pods, endpoints from services and pods, the state of a
//! machine from its instance. Runs after every change in a namespace; writes only what differs.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::{
    clock::stamp,
    cluster::State,
    kinds::Kind,
    objects::{
        Condition, Site, array, condition_status, is_leaving, is_owned_by, model, name, network, number,
        pod::{is_finished, is_ready},
        selects, set_condition, text, uid,
    },
};

/// Brings all derived status in a namespace up to date.
pub(crate) fn namespace(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    let pods = values(state, Kind::Pod, namespace, now);
    workloads(state, namespace, &pods, now);
    jobs(state, namespace, &pods, now);
    services(state, namespace, &pods, now);
    machines(state, namespace, now);
    models(state, namespace, now);
    quotas(state, namespace, &pods, now);
}

/// The objects of a kind in a namespace, parsed.
pub(crate) fn values(state: &State, kind: Kind, namespace: &str, now: DateTime<Utc>) -> Vec<Value> {
    let objects: Vec<Arc<_>> = state.store.objects(kind, namespace).cloned().collect();
    objects.iter().map(|object| object.value(now)).collect()
}

fn labels(object: &Value) -> Option<&Map<String, Value>> {
    object.pointer("/metadata/labels").and_then(Value::as_object)
}

/// Pods that count for a workload: not on their way out, not finished.
fn counted<'a>(pods: &'a [Value], belongs: impl Fn(&Value) -> bool + 'a) -> impl Iterator<Item = &'a Value> {
    pods.iter().filter(move |pod| belongs(pod) && !is_leaving(pod) && !is_finished(pod))
}

fn workloads(state: &mut State, namespace: &str, pods: &[Value], now: DateTime<Utc>) {
    let mut sets = values(state, Kind::ReplicaSet, namespace, now);
    for set in &mut sets {
        let owner = uid(set).to_owned();
        let (total, ready) = count(pods, |pod| is_owned_by(pod, &owner));
        let mut status = json!({"replicas": total, "fullyLabeledReplicas": total, "observedGeneration": set["metadata"]["generation"]});
        if ready > 0 {
            status["readyReplicas"] = json!(ready);
            status["availableReplicas"] = json!(ready);
        }
        if let Some(conditions) = set.pointer("/status/conditions") {
            status["conditions"] = conditions.clone();
        }
        set["status"] = status;
        state.store.put(Kind::ReplicaSet, set.clone(), now);
    }
    for mut deployment in values(state, Kind::Deployment, namespace, now) {
        let owned: Vec<&Value> = sets.iter().filter(|set| is_owned_by(set, uid(&deployment))).collect();
        derive_deployment(&mut deployment, &owned, now);
        state.store.put(Kind::Deployment, deployment, now);
    }
    for mut set in values(state, Kind::StatefulSet, namespace, now) {
        let owner = uid(&set).to_owned();
        let (total, ready) = count(pods, |pod| is_owned_by(pod, &owner));
        let revision = format!("{}-5d8f7c9b6b", name(&set));
        set["status"] = json!({"replicas": total, "readyReplicas": ready, "currentReplicas": total, "updatedReplicas": total, "availableReplicas": ready,
            "currentRevision": revision, "updateRevision": revision, "collisionCount": 0, "observedGeneration": set["metadata"]["generation"]});
        state.store.put(Kind::StatefulSet, set, now);
    }
    for mut config in values(state, Kind::DeploymentConfig, namespace, now) {
        let config_name = name(&config).to_owned();
        let belongs = |pod: &Value| {
            labels(pod)
                .and_then(|labels| labels.get("deploymentconfig"))
                .is_some_and(|label| *label == config_name)
        };
        let (total, ready) = count(pods, belongs);
        let conditions = config.pointer("/status/conditions").cloned().unwrap_or_else(|| json!([]));
        config["status"] = json!({"replicas": total, "readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": total - ready,
            "updatedReplicas": total, "latestVersion": 1, "observedGeneration": config["metadata"]["generation"], "conditions": conditions});
        let available = ready >= number(&config, "/spec/replicas", 1);
        let message = if available {
            "Deployment config has minimum availability."
        } else {
            "Deployment config does not have minimum availability."
        };
        set_condition(
            &mut config,
            Condition {
                sort: "Available",
                status: available,
                reason: "",
                message,
            },
            now,
        );
        state.store.put(Kind::DeploymentConfig, config, now);
    }
}

fn count(pods: &[Value], belongs: impl Fn(&Value) -> bool) -> (i64, i64) {
    counted(pods, belongs).fold((0, 0), |(total, ready), pod| (total + 1, ready + i64::from(is_ready(pod))))
}

fn derive_deployment(deployment: &mut Value, sets: &[&Value], now: DateTime<Utc>) {
    let revision = text(deployment, "/metadata/annotations/deployment.kubernetes.io~1revision").to_owned();
    let current = sets
        .iter()
        .find(|set| text(set, "/metadata/annotations/deployment.kubernetes.io~1revision") == revision);
    let sum = |pointer: &str| sets.iter().map(|set| number(set, pointer, 0)).sum::<i64>();
    let wanted = number(deployment, "/spec/replicas", 1);
    let (total, ready) = (sum("/status/replicas"), sum("/status/readyReplicas"));
    let updated = current.map_or(0, |set| number(set, "/status/replicas", 0));
    let updated_ready = current.map_or(0, |set| number(set, "/status/readyReplicas", 0));
    let conditions = deployment.pointer("/status/conditions").cloned().unwrap_or_else(|| json!([]));
    let mut status = json!({"observedGeneration": deployment["metadata"]["generation"], "conditions": conditions});
    for (field, value) in [
        ("replicas", total),
        ("readyReplicas", ready),
        ("availableReplicas", ready),
        ("updatedReplicas", updated),
        ("unavailableReplicas", wanted.max(total) - ready),
    ] {
        if value > 0 {
            status[field] = json!(value);
        }
    }
    deployment["status"] = status;

    // A quarter may be missing, rounded down: of three replicas or fewer, none.
    let available = ready >= wanted - wanted / 4;
    let (reason, message) = if available {
        ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    set_condition(
        deployment,
        Condition {
            sort: "Available",
            status: available,
            reason,
            message,
        },
        now,
    );

    let set_name = current.map_or("", |set| name(set));
    let progress = array(deployment, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == "Progressing")
        .cloned()
        .unwrap_or_default();
    let (was, about) = (text(&progress, "/reason").to_owned(), text(&progress, "/message").to_owned());
    let same_rollout = about.contains(&format!("\"{set_name}\""));
    let complete = updated_ready >= wanted && updated >= wanted && total == updated;
    // A finished rollout stays finished when its pods fail later; the deadline is for rollouts under way.
    let (status, reason) = if complete || (same_rollout && was == "NewReplicaSetAvailable") {
        (true, "NewReplicaSetAvailable")
    } else if same_rollout
        && (was == "ProgressDeadlineExceeded"
            || since(&progress, now) > TimeDelta::seconds(number(deployment, "/spec/progressDeadlineSeconds", 600)))
    {
        (false, "ProgressDeadlineExceeded")
    } else {
        (true, "ReplicaSetUpdated")
    };
    let message = match reason {
        "NewReplicaSetAvailable" => format!("ReplicaSet \"{set_name}\" has successfully progressed."),
        "ProgressDeadlineExceeded" => format!("ReplicaSet \"{set_name}\" has timed out progressing."),
        _ => format!("ReplicaSet \"{set_name}\" is progressing."),
    };
    let updated_at = if was == reason && same_rollout {
        progress["lastUpdateTime"].clone()
    } else {
        json!(stamp(now))
    };
    set_condition(
        deployment,
        Condition {
            sort: "Progressing",
            status,
            reason,
            message: &message,
        },
        now,
    );
    for condition in deployment
        .pointer_mut("/status/conditions")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let update_time = if condition["type"] == "Progressing" {
            updated_at.clone()
        } else {
            condition["lastTransitionTime"].clone()
        };
        condition["lastUpdateTime"] = update_time;
    }
}

/// How long ago a condition was last updated.
fn since(condition: &Value, now: DateTime<Utc>) -> TimeDelta {
    DateTime::parse_from_rfc3339(text(condition, "/lastUpdateTime")).map_or(TimeDelta::zero(), |at| now - at.to_utc())
}

fn jobs(state: &mut State, namespace: &str, pods: &[Value], now: DateTime<Utc>) {
    for mut job in values(state, Kind::Job, namespace, now) {
        if condition_status(&job, "Complete").is_some() || condition_status(&job, "Failed").is_some() {
            continue;
        }
        let owner = uid(&job).to_owned();
        let phase_count = |phase: &str| {
            pods.iter()
                .filter(|pod| is_owned_by(pod, &owner) && text(pod, "/status/phase") == phase)
                .count()
        };
        let (succeeded, failed) = (phase_count("Succeeded"), phase_count("Failed"));
        let active = pods.iter().filter(|pod| is_owned_by(pod, &owner) && !is_finished(pod)).count();
        let (started, mut conditions) = (job["metadata"]["creationTimestamp"].clone(), json!([]));
        std::mem::swap(&mut conditions, &mut job["status"]["conditions"]);
        job["status"] = json!({"startTime": started, "ready": 0, "active": active, "succeeded": succeeded, "failed": failed});
        if succeeded > 0 {
            job["status"]["completionTime"] = json!(stamp(now));
            set_condition(
                &mut job,
                Condition {
                    sort: "Complete",
                    status: true,
                    reason: "CompletionsReached",
                    message: "Reached expected number of succeeded pods",
                },
                now,
            );
        } else if i64::try_from(failed).unwrap_or(i64::MAX) > number(&job, "/spec/backoffLimit", 6) {
            set_condition(
                &mut job,
                Condition {
                    sort: "Failed",
                    status: true,
                    reason: "BackoffLimitExceeded",
                    message: "Job has reached the specified backoff limit",
                },
                now,
            );
        }
        state.store.put(Kind::Job, job, now);
    }
}

fn services(state: &mut State, namespace: &str, pods: &[Value], now: DateTime<Utc>) {
    let all = values(state, Kind::Service, namespace, now);
    let mut slices = values(state, Kind::EndpointSlice, namespace, now);
    for service in &all {
        let selector = service.pointer("/spec/selector").and_then(Value::as_object);
        if selector.is_none_or(Map::is_empty) {
            continue;
        }
        let selected: Vec<&Value> = pods.iter().filter(|pod| selects(selector, labels(pod))).collect();
        let found = slices
            .iter()
            .position(|slice| text(slice, "/metadata/labels/kubernetes.io~1service-name") == name(service));
        let slice = match found {
            Some(index) => {
                let mut slice = slices.swap_remove(index);
                network::fill_slice(&mut slice, service, &selected);
                slice
            }
            None => network::endpoint_slice(
                &mut Site {
                    draw: &mut state.draw,
                    namespace,
                    at: now,
                },
                service,
                &selected,
            ),
        };
        state.store.put(Kind::EndpointSlice, slice, now);
        let endpoints = state.store.value(Kind::Endpoints, namespace, name(service), now);
        let mut endpoints = endpoints.unwrap_or_else(|| {
            network::endpoints(
                &mut Site {
                    draw: &mut state.draw,
                    namespace,
                    at: now,
                },
                service,
            )
        });
        network::fill_endpoints(&mut endpoints, service, &selected);
        state.store.put(Kind::Endpoints, endpoints, now);
    }
    // What is left belongs to services that are gone, or was written by hand for services without a selector.
    for slice in slices {
        let managed = text(&slice, "/metadata/labels/endpointslice.kubernetes.io~1managed-by") == "endpointslice-controller.k8s.io";
        let service = text(&slice, "/metadata/labels/kubernetes.io~1service-name");
        if managed && !all.iter().any(|one| name(one) == service) {
            state.store.remove(Kind::EndpointSlice, namespace, name(&slice), now);
            state.store.remove(Kind::Endpoints, namespace, service, now);
        }
    }
}

fn machines(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    for mut machine in values(state, Kind::VirtualMachine, namespace, now) {
        let instance = state.store.value(Kind::VirtualMachineInstance, namespace, name(&machine), now);
        let printable = printable_status(state, namespace, &machine, instance.as_ref(), now);
        let ready = printable == "Running";
        let strategy = machine
            .pointer("/spec/runStrategy")
            .and_then(Value::as_str)
            .unwrap_or(if should_run(&machine) { "Always" } else { "Halted" });
        let mut status = json!({"printableStatus": printable, "created": instance.is_some(), "ready": ready, "runStrategy": strategy,
            "desiredGeneration": machine["metadata"]["generation"], "observedGeneration": machine["metadata"]["generation"]});
        status["conditions"] = match &instance {
            Some(instance) => instance["status"].get("conditions").cloned().unwrap_or_else(|| json!([])),
            None => machine.pointer("/status/conditions").cloned().unwrap_or_else(|| json!([])),
        };
        machine["status"] = status;
        if instance.is_none() {
            let message = "VMI does not exist";
            set_condition(
                &mut machine,
                Condition {
                    sort: "Ready",
                    status: false,
                    reason: "VMINotExists",
                    message,
                },
                now,
            );
            crate::objects::drop_condition(&mut machine, "AgentConnected");
            crate::objects::drop_condition(&mut machine, "Paused");
        }
        state.store.put(Kind::VirtualMachine, machine, now);
    }
}

/// Whether a machine is meant to have an instance.
pub(crate) fn should_run(machine: &Value) -> bool {
    match machine.pointer("/spec/runStrategy").and_then(Value::as_str) {
        Some(strategy) => matches!(strategy, "Always" | "RerunOnFailure" | "Once"),
        None => machine.pointer("/spec/running") == Some(&json!(true)),
    }
}

/// What `oc get vm` prints as the status of a machine.
fn printable_status(state: &State, namespace: &str, machine: &Value, instance: Option<&Value>, now: DateTime<Utc>) -> &'static str {
    if is_leaving(machine) {
        return "Terminating";
    }
    if let Some(instance) = instance {
        let unschedulable = array(instance, "/status/conditions")
            .iter()
            .any(|condition| condition["type"] == "PodScheduled" && condition["reason"] == "Unschedulable");
        return match text(instance, "/status/phase") {
            _ if is_leaving(instance) => "Stopping",
            "Running" if condition_status(instance, "Paused") == Some("True") => "Paused",
            "Running" => "Running",
            "Failed" => "CrashLoopBackOff",
            "Succeeded" => "Stopped",
            _ if unschedulable => "ErrorUnschedulable",
            _ => "Starting",
        };
    }
    if !should_run(machine) {
        return "Stopped";
    }
    for volume in volumes(machine) {
        let data_volume = state.store.value(Kind::DataVolume, namespace, &volume, now);
        let claim = state.store.value(Kind::PersistentVolumeClaim, namespace, &volume, now);
        match (data_volume.as_ref().map(|volume| text(volume, "/status/phase")), claim.is_some()) {
            (None, false) => return "ErrorDataVolumeNotFound",
            (Some("Failed"), _) => return "DataVolumeError",
            (Some("Succeeded"), false) => return "ErrorPvcNotFound",
            (Some("Succeeded") | None, true) => {}
            (Some("WaitForFirstConsumer" | "PendingPopulation"), _) => return "WaitingForVolumeBinding",
            _ => return "Provisioning",
        }
    }
    "Starting"
}

/// Names of the data volumes that a machine needs.
pub(crate) fn volumes(machine: &Value) -> Vec<String> {
    let volumes = array(machine, "/spec/template/spec/volumes").iter();
    volumes
        .map(|volume| text(volume, "/dataVolume/name").to_owned())
        .filter(|volume| !volume.is_empty())
        .collect()
}

/// A model that has not been ready yet becomes so with its predictor.
fn models(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    for mut service in values(state, Kind::InferenceService, namespace, now) {
        if condition_status(&service, "Ready").is_some_and(|status| status != "Unknown") {
            continue;
        }
        let predictor = state
            .store
            .value(Kind::Deployment, namespace, &format!("{}-predictor", name(&service)), now);
        if predictor.is_some_and(|predictor| number(&predictor, "/status/readyReplicas", 0) > 0) {
            model::set_ready(&mut service, None, now);
        } else {
            let waiting = json!({"type": "Ready", "status": "Unknown", "reason": "PredictorNotReady", "lastTransitionTime": service["metadata"]["creationTimestamp"]});
            service["status"]["conditions"] = json!([waiting]);
            service["status"]["modelStatus"] =
                json!({"states": {"activeModelState": "", "targetModelState": "Pending"}, "transitionStatus": "InProgress"});
        }
        state.store.put(Kind::InferenceService, service, now);
    }
}

fn quotas(state: &mut State, namespace: &str, pods: &[Value], now: DateTime<Utc>) {
    let claims = state.store.objects(Kind::PersistentVolumeClaim, namespace).count();
    for mut quota in values(state, Kind::ResourceQuota, namespace, now) {
        let alive = pods.iter().filter(|pod| !is_finished(pod)).count();
        for (resource, used) in [("pods", alive), ("persistentvolumeclaims", claims)] {
            if quota.pointer(&format!("/status/used/{resource}")).is_some() {
                quota["status"]["used"][resource] = json!(used.to_string());
            }
        }
        state.store.put(Kind::ResourceQuota, quota, now);
    }
}

/// Whether every disk of a machine is filled.
pub(crate) fn disks_ready(state: &State, namespace: &str, machine: &Value, now: DateTime<Utc>) -> bool {
    volumes(machine).iter().all(|volume| {
        let data_volume = state.store.value(Kind::DataVolume, namespace, volume, now);
        let claim = state.store.value(Kind::PersistentVolumeClaim, namespace, volume, now);
        data_volume.is_none_or(|volume| text(&volume, "/status/phase") == "Succeeded")
            && claim.is_some_and(|claim| text(&claim, "/status/phase") == "Bound")
    })
}
