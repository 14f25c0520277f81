//! Deployments, replica sets, stateful sets, deployment configs and jobs make their pods and remove those too many.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Step, delete, derive::values};
use crate::{
    cluster::State,
    kinds::Kind,
    objects::{
        Condition, Site, array, drop_condition, is_leaving, is_owned_by, name, number,
        pod::{self, is_finished},
        set_condition, text, uid, workload,
    },
};

const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";

pub(crate) fn reconcile(state: &mut State, namespace: &str, pods: &[Value], now: DateTime<Utc>) {
    for deployment in values(state, Kind::Deployment, namespace, now)
        .into_iter()
        .filter(|deployment| !is_leaving(deployment))
    {
        roll_out(state, namespace, deployment, now);
    }
    for set in values(state, Kind::ReplicaSet, namespace, now)
        .into_iter()
        .filter(|set| !is_leaving(set))
    {
        let wanted = number(&set, "/spec/replicas", 1);
        let prefix = format!("{}-", name(&set));
        keep_pods(
            state,
            &Keeper {
                kind: Kind::ReplicaSet,
                workload: &set,
                owner: &set,
                wanted,
                prefix: &prefix,
            },
            pods,
            now,
        );
    }
    for config in values(state, Kind::DeploymentConfig, namespace, now)
        .into_iter()
        .filter(|config| !is_leaving(config))
    {
        let label = name(&config).to_owned();
        let known = pods
            .iter()
            .find(|pod| text(pod, "/metadata/labels/deploymentconfig") == label)
            .and_then(|pod| array(pod, "/metadata/ownerReferences").first());
        let controller_uid = known.map_or_else(|| state.draw.uid(), |owner| text(owner, "/uid").to_owned());
        let controller = json!({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": format!("{label}-1"), "namespace": namespace, "uid": controller_uid}});
        let wanted = number(&config, "/spec/replicas", 1);
        let prefix = format!("{label}-1-");
        keep_pods(
            state,
            &Keeper {
                kind: Kind::DeploymentConfig,
                workload: &config,
                owner: &controller,
                wanted,
                prefix: &prefix,
            },
            pods,
            now,
        );
    }
    for set in values(state, Kind::StatefulSet, namespace, now)
        .into_iter()
        .filter(|set| !is_leaving(set))
    {
        keep_ordinals(state, namespace, &set, pods, now);
    }
    for job in values(state, Kind::Job, namespace, now).into_iter().filter(|job| !is_leaving(job)) {
        let owned = pods.iter().any(|pod| is_owned_by(pod, uid(&job)));
        let suspended = job.pointer("/spec/suspend") == Some(&json!(true));
        let ended = array(&job, "/status/conditions")
            .iter()
            .any(|condition| condition["status"] == "True");
        if !owned && !suspended && !ended {
            let pod_name = format!("{}-{}", name(&job), state.draw.suffix());
            let pod = pod::from_template(
                &mut Site {
                    draw: &mut state.draw,
                    namespace,
                    at: now,
                },
                &job["spec"]["template"],
                &pod_name,
                Some(&job),
            );
            state.store.put(Kind::Pod, pod, now);
        }
    }
}

/// Gives a deployment's present template a replica set and its replicas, and takes them from older sets once it is ready.
fn roll_out(state: &mut State, namespace: &str, mut deployment: Value, now: DateTime<Utc>) {
    let sets: Vec<Value> = values(state, Kind::ReplicaSet, namespace, now)
        .into_iter()
        .filter(|set| is_owned_by(set, uid(&deployment)))
        .collect();
    let wanted = number(&deployment, "/spec/replicas", 1);
    let current = sets.iter().find(|set| same_template(set, &deployment)).cloned();
    let mut current = if let Some(set) = current {
        set
    } else {
        let last = sets
            .iter()
            .filter_map(|set| text(set, REVISION).parse::<u64>().ok())
            .max()
            .unwrap_or(0);
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!((last + 1).to_string());
        let hash = state.draw.hash();
        let set = workload::replica_set(
            &mut Site {
                draw: &mut state.draw,
                namespace,
                at: now,
            },
            &deployment,
            &hash,
        );
        super::pods::report(
            state,
            &deployment,
            now,
            "Normal",
            "ScalingReplicaSet",
            &format!("Scaled up replica set {} to {wanted}", name(&set)),
            "deployment-controller",
        );
        state.later(
            &deployment,
            Step::RolloutDeadline,
            now + TimeDelta::seconds(number(&deployment, "/spec/progressDeadlineSeconds", 600) + 1),
        );
        state.store.put(Kind::Deployment, deployment.clone(), now);
        set
    };
    if text(&current, REVISION) != text(&deployment, REVISION) {
        // An older template came back: its set becomes the newest revision.
        current["metadata"]["annotations"]["deployment.kubernetes.io/revision"] =
            deployment.pointer(REVISION).cloned().unwrap_or_else(|| json!("1"));
    }
    let ready = number(&current, "/status/readyReplicas", 0);
    let recreate = text(&deployment, "/spec/strategy/type") == "Recreate";
    scale(&mut current, wanted);
    mark_failure(state, &mut deployment, &current, now);
    let current_uid = uid(&current).to_owned();
    state.store.put(Kind::ReplicaSet, current, now);
    for mut set in sets.into_iter().filter(|set| uid(set) != current_uid) {
        if ready >= wanted || recreate {
            scale(&mut set, 0);
            state.store.put(Kind::ReplicaSet, set, now);
        }
    }
}

/// Copies a replica set's failure to make pods to its deployment.
fn mark_failure(state: &mut State, deployment: &mut Value, set: &Value, now: DateTime<Utc>) {
    let failure = array(set, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == "ReplicaFailure");
    match failure {
        Some(failure) => {
            let condition = Condition {
                sort: "ReplicaFailure",
                status: true,
                reason: text(failure, "/reason"),
                message: text(failure, "/message"),
            };
            set_condition(deployment, condition, now);
        }
        None => drop_condition(deployment, "ReplicaFailure"),
    }
    state.store.put(Kind::Deployment, deployment.clone(), now);
}

fn scale(set: &mut Value, replicas: i64) {
    if number(set, "/spec/replicas", 1) != replicas {
        set["spec"]["replicas"] = json!(replicas);
        set["metadata"]["generation"] = json!(number(set, "/metadata/generation", 1) + 1);
    }
}

fn same_template(set: &Value, deployment: &Value) -> bool {
    let mut template = set["spec"]["template"].clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    template == deployment["spec"]["template"]
}

/// The reason why a namespace admits no more pods, from a quota that is used up.
fn quota_refusal(state: &State, namespace: &str, now: DateTime<Utc>) -> Option<String> {
    let quota = values(state, Kind::ResourceQuota, namespace, now).into_iter().find(|quota| {
        let spent = |resource: &str| {
            let at = |part: &str| text(quota, &format!("/status/{part}/{resource}")).to_owned();
            !at("hard").is_empty() && at("hard") == at("used")
        };
        spent("limits.cpu") || spent("requests.cpu") || spent("limits.memory")
    })?;
    let hard = text(&quota, "/status/hard/limits.cpu");
    Some(format!(
        "exceeded quota: {}, requested: limits.cpu=1, used: limits.cpu={hard}, limited: limits.cpu={hard}",
        name(&quota)
    ))
}

/// Whose pods are to be kept, and how many.
struct Keeper<'a> {
    kind: Kind,
    workload: &'a Value,
    /// Controller of the pods: the workload itself, or the replication controller in between.
    owner: &'a Value,
    wanted: i64,
    prefix: &'a str,
}

/// Makes and removes pods until the owner has as many as it wants.
fn keep_pods(state: &mut State, keeper: &Keeper<'_>, pods: &[Value], now: DateTime<Utc>) {
    let Keeper {
        kind,
        workload,
        owner,
        wanted,
        prefix,
    } = *keeper;
    let namespace = text(workload, "/metadata/namespace").to_owned();
    let mut pods: Vec<&Value> = pods
        .iter()
        .filter(|pod| is_owned_by(pod, uid(owner)) && !is_leaving(pod) && !is_finished(pod))
        .collect();
    let have = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    // Those that are not ready go first.
    pods.sort_by_key(|pod| pod::is_ready(pod));
    for pod in pods.iter().take(usize::try_from(have - wanted).unwrap_or(0)) {
        delete(state, Kind::Pod, pod, now);
    }
    if wanted <= have {
        return;
    }
    if let Some(refusal) = quota_refusal(state, &namespace, now) {
        let message = format!("pods \"{prefix}\" is forbidden: {refusal}");
        let mut workload = workload.clone();
        let known = array(&workload, "/status/conditions")
            .iter()
            .any(|condition| condition["type"] == "ReplicaFailure");
        set_condition(
            &mut workload,
            Condition {
                sort: "ReplicaFailure",
                status: true,
                reason: "FailedCreate",
                message: &message,
            },
            now,
        );
        if !known {
            super::pods::report(
                state,
                &workload,
                now,
                "Warning",
                "FailedCreate",
                &format!("Error creating: {message}"),
                "replicaset-controller",
            );
        }
        state.store.put(kind, workload, now);
        return;
    }
    for _ in have..wanted {
        let pod_name = format!("{prefix}{}", state.draw.suffix());
        let mut pod = pod::from_template(
            &mut Site {
                draw: &mut state.draw,
                namespace: &namespace,
                at: now,
            },
            &workload["spec"]["template"],
            &pod_name,
            Some(owner),
        );
        pod["metadata"]["generateName"] = json!(prefix);
        state.store.put(Kind::Pod, pod, now);
    }
    let mut workload = workload.clone();
    drop_condition(&mut workload, "ReplicaFailure");
    super::pods::report(
        state,
        &workload,
        now,
        "Normal",
        "SuccessfulCreate",
        &format!("Created pods {prefix}*"),
        "replicaset-controller",
    );
    state.store.put(kind, workload, now);
}

/// Keeps the pods of a stateful set, which have numbers instead of random names.
fn keep_ordinals(state: &mut State, namespace: &str, set: &Value, pods: &[Value], now: DateTime<Utc>) {
    let wanted = number(set, "/spec/replicas", 1);
    for ordinal in 0..wanted {
        let pod_name = format!("{}-{ordinal}", name(set));
        match pods.iter().find(|pod| name(pod) == pod_name) {
            Some(pod) if is_finished(pod) => delete(state, Kind::Pod, pod, now),
            Some(_) => {}
            None => {
                let template = workload::ordinal_template(name(set), &set["spec"]["template"], ordinal);
                let pod = pod::from_template(
                    &mut Site {
                        draw: &mut state.draw,
                        namespace,
                        at: now,
                    },
                    &template,
                    &pod_name,
                    Some(set),
                );
                state.store.put(Kind::Pod, pod, now);
            }
        }
    }
    for pod in pods.iter().filter(|pod| is_owned_by(pod, uid(set))) {
        let ordinal = name(pod).rsplit_once('-').and_then(|(_, ordinal)| ordinal.parse::<i64>().ok());
        if ordinal.is_some_and(|ordinal| ordinal >= wanted) {
            delete(state, Kind::Pod, pod, now);
        }
    }
}
