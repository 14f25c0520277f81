//! Pods, what keeps them, and events.

use super::{condition, object};
use crate::evidence::pods;
use crate::expr::schema::record;
use crate::expr::{Element, List, Type, Value};
use crate::objects::meta;
use crate::objects::workload::{ContainerStatus, DaemonSetStatus, ReplicasStatus};
use crate::objects::{DaemonSet, Deployment, DeploymentConfig, Job, Pod, StatefulSet, WarningEvent};

object! {
    pub(super) static POD for Pod as "Pod", "A pod.";
    "phase": Type::Text, "Pending, Running, Succeeded, Failed or Unknown." => |it, _| Value::text_if_set(&it.status.phase);
    "reason": Type::Text, "Why it is in that phase, for example Evicted; often absent." => |it, _| Value::text_if_set(&it.status.reason);
    "ready": Type::Bool, "Whether its condition Ready is true." => |it, _| Value::Bool(pods::is_ready(it));
    "node": Type::Text, "Node that it runs on; absent before it is scheduled." => |it, _| Value::or_absent(it.spec.node_name.as_deref(), Value::text);
    "owner_kind": Type::Text, "Kind of what keeps it, for example ReplicaSet; absent for a bare pod."
        => |it, _| Value::or_absent(pods::owner(it), |owner| Value::text(&owner.kind));
    "owner_name": Type::Text, "Name of what keeps it." => |it, _| Value::or_absent(pods::owner(it), |owner| Value::text(&owner.name));
    "restarts": Type::Int, "Restarts of all its containers together, init containers too." => |it, _| restarts(it);
    "waiting_reason": Type::Text, "Why a container of it waits, for example ImagePullBackOff; absent when none does."
        => |it, _| Value::or_absent(containers(it).find_map(waiting), Value::text);
    "troubled_containers": Type::List(Element::Record(&CONTAINER)),
        "Containers, init containers too, that are not up and ready, or began anew. Others are not kept."
        => |it, _| Value::List(List::made(containers(it).filter(|status| status.is_troubled()).map(|status| Value::Record(status)), None));
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses)
}

fn restarts(pod: &Pod) -> Value<'_> {
    Value::Int(containers(pod).map(|status| status.restart_count).fold(0, i64::saturating_add))
}

fn waiting(status: &ContainerStatus) -> Option<&str> {
    status.state.waiting.as_ref().map(|waiting| waiting.reason.as_str())
}

record! {
    pub(super) static CONTAINER for ContainerStatus as "Container", called |it| ("Container", &it.name), "A container of a pod.";
    "name": Type::Text, "Its name." => |it, _| Value::text(&it.name);
    "ready": Type::Bool, "Whether it is ready." => |it, _| Value::Bool(it.ready);
    "restarts": Type::Int, "How often it began anew." => |it, _| Value::Int(it.restart_count);
    "waiting_reason": Type::Text, "Why it waits; absent when it does not." => |it, _| Value::or_absent(waiting(it), Value::text_if_set);
    "exit_code": Type::Int, "Exit code of its end, else of its last one; absent when it never ended."
        => |it, _| Value::or_absent(it.state.terminated.as_ref().or(it.last_state.terminated.as_ref()), |end| Value::Int(end.exit_code));
    "exit_reason": Type::Text, "Reason of its end, else of its last one, for example OOMKilled."
        => |it, _| Value::or_absent(it.state.terminated.as_ref().or(it.last_state.terminated.as_ref()), |end| Value::text_if_set(&end.reason));
}

fn wanted(replicas: Option<i64>) -> i64 {
    replicas.unwrap_or(1)
}

fn is_ready(replicas: Option<i64>, status: &ReplicasStatus) -> Value<'_> {
    Value::Bool(status.ready_replicas >= wanted(replicas))
}

object! {
    pub(super) static DEPLOYMENT for Deployment as "Deployment", "A Deployment.";
    "replicas": Type::Int, "Replicas that are wanted." => |it, _| Value::Int(wanted(it.spec.replicas));
    "ready_replicas": Type::Int, "Replicas that are ready." => |it, _| Value::Int(it.status.ready_replicas);
    "ready": Type::Bool, "Whether as many are ready as are wanted." => |it, _| is_ready(it.spec.replicas, &it.status);
    "paused": Type::Bool, "Whether its rollout is paused." => |it, _| Value::Bool(it.spec.paused);
    "available": Type::Bool, "Condition Available." => |it, _| condition(&it.status.conditions, "Available");
    "progressing_reason": Type::Text, "Reason of its condition Progressing, for example ProgressDeadlineExceeded."
        => |it, _| Value::or_absent(meta::condition(&it.status.conditions, "Progressing"), |found| Value::text_if_set(&found.reason));
}

object! {
    pub(super) static STATEFUL_SET for StatefulSet as "StatefulSet", "A StatefulSet.";
    "replicas": Type::Int, "Replicas that are wanted." => |it, _| Value::Int(wanted(it.spec.replicas));
    "ready_replicas": Type::Int, "Replicas that are ready." => |it, _| Value::Int(it.status.ready_replicas);
    "ready": Type::Bool, "Whether as many are ready as are wanted." => |it, _| is_ready(it.spec.replicas, &it.status);
}

object! {
    pub(super) static DEPLOYMENT_CONFIG for DeploymentConfig as "DeploymentConfig", "An OpenShift DeploymentConfig.";
    "replicas": Type::Int, "Replicas that are wanted." => |it, _| Value::Int(wanted(it.spec.replicas));
    "ready_replicas": Type::Int, "Replicas that are ready." => |it, _| Value::Int(it.status.ready_replicas);
    "ready": Type::Bool, "Whether as many are ready as are wanted." => |it, _| is_ready(it.spec.replicas, &it.status);
}

object! {
    pub(super) static DAEMON_SET for DaemonSet as "DaemonSet", "A DaemonSet.";
    "desired": Type::Int, "Nodes that should run a pod of it." => |it, _| Value::Int(it.status.desired_number_scheduled);
    "ready_pods": Type::Int, "Pods of it that are ready." => |it, _| Value::Int(it.status.number_ready);
    "ready": Type::Bool, "Whether as many are ready as should run." => |it, _| all_ready(&it.status);
}

const fn all_ready(status: &DaemonSetStatus) -> Value<'_> {
    Value::Bool(status.number_ready >= status.desired_number_scheduled)
}

object! {
    pub(super) static JOB for Job as "Job", "A Job.";
    "complete": Type::Bool, "Whether it ended well." => |it, _| Value::Bool(says(it, "Complete"));
    "failed": Type::Bool, "Whether it gave up." => |it, _| Value::Bool(says(it, "Failed"));
    "succeeded": Type::Int, "Pods of it that ended well." => |it, _| Value::Int(it.status.succeeded);
    "failed_reason": Type::Text, "Why it gave up, for example BackoffLimitExceeded."
        => |it, _| Value::or_absent(meta::condition(&it.status.conditions, "Failed"), |found| Value::text_if_set(&found.reason));
    "completed_seconds_ago": Type::Int, "Seconds since it ended well; absent until then." => |it, now| Value::seconds_since(it.status.completion_time, now);
}

fn says(job: &Job, kind: &str) -> bool {
    meta::condition(&job.status.conditions, kind).is_some_and(meta::Condition::is_true)
}

record! {
    pub(super) static EVENT for WarningEvent as "Event", called |it| (&it.involved_object.kind, &it.involved_object.name), "A warning about an object.";
    "reason": Type::Text, "Its reason, for example FailedScheduling." => |it, _| Value::text_if_set(&it.reason);
    "message": Type::Text, "What it says." => |it, _| Value::text(&it.message);
    "kind": Type::Text, "Kind of the object that it is about." => |it, _| Value::text_if_set(&it.involved_object.kind);
    "object": Type::Text, "Name of the object that it is about." => |it, _| Value::text_if_set(&it.involved_object.name);
    "age_seconds": Type::Int, "Seconds since it was last seen." => |it, now| Value::seconds_since(it.last_seen(), now);
}
