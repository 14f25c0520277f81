use super::*;
use crate::evidence::controllers::ORIGINAL_REPLICAS;
use crate::evidence::testing::{
    World, ago, condition, daemon_set, deployment, deployment_config, ended, event, hours, job, minutes, now, pod, pod_of, stateful_set,
    told, waiting,
};
use crate::evidence::{Grade, Member};
use crate::objects::{Condition, Listing};

fn said(world: &World, name: &str) -> Observation {
    observe(&world.view()).observations.remove(name).expect("a name of this stage")
}

fn value(world: &World, name: &str) -> Value {
    said(world, name).value
}

const TRUE: Value = Value::Bool(true);
const FALSE: Value = Value::Bool(false);

const fn unknown(reason: UnknownReason) -> Value {
    Value::Unknown(reason)
}

fn first(observation: &Observation) -> &Member {
    observation.failing.first().expect("a failing member")
}

fn web() -> World {
    World::new().deployments([deployment("web")]).pods([pod_of("web", "5c7b97cbd")])
}

fn down(name: &str) -> crate::objects::Deployment {
    deployment(name)
        .ready(0)
        .with(condition("Available", "False", "MinimumReplicasUnavailable"))
}

#[test]
fn says_every_name_and_nothing_else() {
    let said: Vec<&str> = observe(&web().view()).observations.into_keys().collect();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(said, names);
}

#[test]
fn a_healthy_deployment_is_true_everywhere() {
    for (name, observation) in observe(&web().view()).observations {
        assert_eq!(observation.value, TRUE, "{name}");
        assert!(observation.failing.is_empty(), "{name}");
    }
}

#[test]
fn one_of_two_deployments_is_down_whatever_the_order() {
    let broken = down("worker").age(minutes(40));
    let pods = [
        pod_of("web", "5c7b97cbd"),
        pod_of("worker", "66b8c4d7f").age(minutes(40)).crash_loops(6, "Error", 1),
    ];
    for deployments in [[deployment("web"), broken.clone()], [broken, deployment("web")]] {
        let world = World::new().deployments(deployments).pods(pods.clone());
        let replicas = said(&world, "desired_replicas_ready");
        assert_eq!(replicas.value, FALSE);
        assert_eq!(replicas.failing_count, 1);
        assert_eq!(first(&replicas).name, "worker");
        assert_eq!(
            first(&replicas).reason,
            "0/1 ready, container app in CrashLoopBackOff, 6 restarts, last exit 1 (Error)"
        );
        assert_eq!(value(&world, "no_crashloop_pods"), FALSE);
        assert_eq!(value(&world, "deployment_exists"), TRUE);
    }
}

#[test]
fn existence_needs_a_complete_list_to_be_false() {
    let none = World::new();
    assert_eq!(value(&none, "deployment_exists"), FALSE);
    assert_eq!(value(&none, "desired_replicas_ready"), FALSE);
    assert_eq!(value(&none, "no_crashloop_pods"), TRUE);

    let mut unread = World::new();
    unread.inventory.stateful_sets = Listing::unknown(UnknownReason::Forbidden);
    assert_eq!(value(&unread, "deployment_exists"), unknown(UnknownReason::Forbidden));
    unread.inventory.deployments = Listing::complete(vec![deployment("web")]);
    assert_eq!(value(&unread, "deployment_exists"), TRUE);
    assert_eq!(value(&unread, "desired_replicas_ready"), unknown(UnknownReason::Forbidden));
}

#[test]
fn every_kind_of_controller_counts() {
    let kinds = [
        World::new().stateful_sets([stateful_set("db")]),
        World::new().deployment_configs([deployment_config("legacy")]),
        World::new().daemon_sets([daemon_set("agent", 3, 3)]),
    ];
    for world in kinds {
        assert_eq!(value(&world, "deployment_exists"), TRUE);
        assert_eq!(value(&world, "desired_replicas_ready"), TRUE);
    }
    let broken = [
        World::new().stateful_sets([stateful_set("db").ready(0)]),
        World::new().deployment_configs([deployment_config("legacy").replicas(2).ready(1)]),
        World::new().daemon_sets([daemon_set("agent", 2, 3)]),
    ];
    for world in broken {
        assert_eq!(value(&world, "desired_replicas_ready"), FALSE);
    }
}

#[test]
fn a_cluster_without_deployment_configs_has_none() {
    let mut world = web();
    world.inventory.deployment_configs = Listing::unknown(UnknownReason::ApiAbsent);
    assert_eq!(value(&world, "desired_replicas_ready"), TRUE);
}

#[test]
fn kinds_missing_from_a_recording_are_concluded_from_the_owners_of_pods() {
    let mut world = web();
    world.inventory.stateful_sets = Listing::default();
    world.inventory.daemon_sets = Listing::default();
    world.inventory.deployment_configs = Listing::default();
    let replicas = said(&world, "desired_replicas_ready");
    assert_eq!((replicas.value, replicas.grade), (TRUE, Grade::Inferred));
    assert_eq!(said(&world, "no_crashloop_pods").grade, Grade::Direct);

    let with_owner = world.clone().pods([pod("db-0").owned_by("StatefulSet", "db")]);
    assert_eq!(value(&with_owner, "desired_replicas_ready"), unknown(UnknownReason::NotCollected));

    let mut without_pods = world.clone();
    without_pods.inventory.pods = Listing::default();
    assert_eq!(value(&without_pods, "desired_replicas_ready"), unknown(UnknownReason::NotCollected));

    let mut without_deployments = world;
    without_deployments.inventory.deployments = Listing::default();
    assert_eq!(
        value(&without_deployments, "desired_replicas_ready"),
        unknown(UnknownReason::NotCollected)
    );
    assert_eq!(
        value(&without_deployments, "deployment_exists"),
        unknown(UnknownReason::NotCollected)
    );
}

#[test]
fn controllers_of_other_stages_do_not_count() {
    let world = web().deployments([
        down("granite-predictor").label("serving.kserve.io/inferenceservice", "granite"),
        down("llama").owned_by("InferenceService", "llama"),
        down("old").deleted(minutes(1)),
    ]);
    let replicas = said(&world, "desired_replicas_ready");
    assert_eq!(replicas.value, TRUE);
    let left_out: Vec<&str> = replicas.excluded.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(left_out, ["granite-predictor", "llama", "old"]);
}

#[test]
fn a_deployment_made_by_an_operator_is_the_labs_service() {
    let world = World::new().deployments([down("gitea").owned_by("Gitea", "repository")]);
    assert_eq!(value(&world, "desired_replicas_ready"), FALSE);
}

#[test]
fn one_controller_at_zero_is_design() {
    let world = web().deployments([deployment("nightly").replicas(0)]);
    let replicas = said(&world, "desired_replicas_ready");
    assert_eq!(replicas.value, TRUE);
    assert_eq!(replicas.excluded.len(), 1);
    assert_eq!(replicas.excluded[0].name, "nightly");
}

#[test]
fn every_controller_at_zero() {
    let zero = || deployment("web").replicas(0);
    let marked = || zero().annotated(ORIGINAL_REPLICAS, "1");
    let of = |deployment| {
        World::new()
            .deployments([deployment])
            .stateful_sets([stateful_set("db").replicas(0)])
    };
    let stopped = unknown(UnknownReason::IntentionallyStopped);
    let cases = [
        ("nobody said why", of(zero()), FALSE),
        ("should run", of(zero()).intent(Intent::Started, hours(1)), FALSE),
        ("should be stopped", of(zero()).intent(Intent::Stopped, hours(1)), stopped.clone()),
        ("marked, intent unknown", of(marked()), stopped.clone()),
        ("marked, should be stopped", of(marked()).intent(Intent::Stopped, hours(1)), stopped),
        (
            "marked, started just now",
            of(marked()).intent(Intent::Started, minutes(5)),
            unknown(UnknownReason::Progressing),
        ),
        ("marked, started long ago", of(marked()).intent(Intent::Started, minutes(20)), FALSE),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "desired_replicas_ready"), expected, "{case}");
        assert_eq!(value(&world, "deployment_exists"), TRUE, "{case}");
    }
}

#[test]
fn a_stuck_start_counts_beside_running_controllers() {
    let stuck = deployment("api").replicas(0).annotated(ORIGINAL_REPLICAS, "2");
    let world = web().deployments([stuck]).intent(Intent::Started, minutes(20));
    let replicas = said(&world, "desired_replicas_ready");
    assert_eq!(replicas.value, FALSE);
    assert_eq!(first(&replicas).name, "api");
}

#[test]
fn not_every_controller_is_known_to_be_at_zero() {
    let mut world = World::new().deployments([deployment("web").replicas(0)]);
    world.inventory.stateful_sets = Listing::unknown(UnknownReason::Timeout);
    assert_eq!(value(&world, "desired_replicas_ready"), unknown(UnknownReason::Timeout));
}

#[test]
fn scaled_to_zero_until_there_is_demand() {
    let revision = deployment("hello-00001-deployment").replicas(0).owned_by("Revision", "hello-00001");
    let world = World::new().deployments([revision.clone()]);
    assert_eq!(value(&world, "desired_replicas_ready"), TRUE);
    let beside_zero = World::new().deployments([revision, deployment("nightly").replicas(0)]);
    assert_eq!(value(&beside_zero, "desired_replicas_ready"), TRUE);
}

#[test]
fn missing_replicas_have_a_budget() {
    let progressing = unknown(UnknownReason::Progressing);
    let at = |age| Condition {
        last_transition_time: Some(ago(age)),
        ..condition("Available", "False", "MinimumReplicasUnavailable")
    };
    let too_slow = condition("Progressing", "False", "ProgressDeadlineExceeded");
    let cases = [
        (
            "new",
            deployment("web").ready(0).age(minutes(2)).with(recent_progress(minutes(2))),
            progressing.clone(),
        ),
        (
            "past the budget",
            deployment("web").ready(0).age(minutes(6)).with(recent_progress(minutes(6))),
            FALSE,
        ),
        (
            "rolling out",
            deployment("web").ready(0).with(recent_progress(minutes(2))),
            progressing.clone(),
        ),
        ("just lost", deployment("web").ready(0).with(at(minutes(1))), progressing.clone()),
        ("long down", deployment("web").ready(0).with(at(minutes(40))), FALSE),
        (
            "deadline exceeded",
            deployment("web").ready(0).age(minutes(2)).with(too_slow),
            FALSE,
        ),
        (
            "nothing acted upon yet",
            deployment("web").age(minutes(1)).generation(2, 1),
            progressing,
        ),
        ("never acted upon", deployment("web").generation(2, 1), FALSE),
        ("surging", deployment("web").ready(2), TRUE),
    ];
    for (case, deployment, expected) in cases {
        let world = World::new().deployments([deployment]);
        assert_eq!(value(&world, "desired_replicas_ready"), expected, "{case}");
    }
}

fn recent_progress(age: chrono::TimeDelta) -> Condition {
    Condition {
        last_transition_time: Some(ago(age)),
        ..condition("Progressing", "True", "ReplicaSetUpdated")
    }
}

#[test]
fn the_budget_ends_when_it_says() {
    let world = World::new().deployments([deployment("web").ready(0).age(minutes(2)).with(recent_progress(minutes(2)))]);
    let replicas = said(&world, "desired_replicas_ready");
    assert_eq!(replicas.until, Some(now() + minutes(3)));
    let mut later = world;
    later.now = now() + minutes(3);
    assert_eq!(value(&later, "desired_replicas_ready"), FALSE);
}

#[test]
fn a_shorter_deadline_shortens_the_budget() {
    let mut short = deployment("web").ready(0).age(minutes(2)).with(recent_progress(minutes(2)));
    short.spec.progress_deadline_seconds = Some(60);
    assert_eq!(value(&World::new().deployments([short]), "desired_replicas_ready"), FALSE);
}

#[test]
fn a_paused_rollout_is_judged_by_its_replicas() {
    let mut paused = deployment("web").generation(5, 4);
    paused.spec.paused = true;
    assert_eq!(value(&World::new().deployments([paused.clone()]), "desired_replicas_ready"), TRUE);
    assert_eq!(value(&World::new().deployments([paused.ready(0)]), "desired_replicas_ready"), FALSE);
}

#[test]
fn what_cannot_get_better_cuts_the_budget() {
    let young = deployment("web").ready(0).age(minutes(3)).with(recent_progress(minutes(3)));
    let pod = || pod_of("web", "5c7b97cbd").age(minutes(3));
    let progressing = unknown(UnknownReason::Progressing);
    let cases = [
        ("starting", pod().unready(), progressing.clone()),
        ("crash loop", pod().crash_loops(4, "Error", 1), FALSE),
        ("image", pod().waits("ImagePullBackOff", "denied"), FALSE),
        (
            "image, first minute",
            pod().age(minutes(1)).waits("ErrImagePull", "timeout"),
            progressing.clone(),
        ),
        (
            "configuration",
            pod().waits("CreateContainerConfigError", "secret not found"),
            FALSE,
        ),
        ("unschedulable", pod().unschedulable("0/3 nodes are available"), progressing),
    ];
    for (case, pod, expected) in cases {
        let world = World::new().deployments([young.clone()]).pods([pod]);
        assert_eq!(value(&world, "desired_replicas_ready"), expected, "{case}");
    }
}

#[test]
fn a_service_that_is_meant_to_be_stopped_never_fails() {
    let world = World::new()
        .deployments([down("web")])
        .pods([pod_of("web", "5c7b97cbd").crash_loops(9, "Error", 1)])
        .intent(Intent::Stopped, hours(1));
    let stopped = unknown(UnknownReason::IntentionallyStopped);
    assert_eq!(value(&world, "desired_replicas_ready"), stopped);
    assert_eq!(value(&world, "no_crashloop_pods"), stopped);
}

#[test]
fn crash_loops_are_seen_between_crashes_and_in_init_containers() {
    let backing_off = pod("a").crash_loops(1, "Error", 1);
    let mut between = pod("b").unready();
    between.status.container_statuses[0].restart_count = 4;
    between.status.container_statuses[0].last_state = ended("Error", 2);
    let mut running_again = pod("c");
    running_again.status.container_statuses[0].restart_count = 40;
    running_again.status.container_statuses[0].last_state = ended("Error", 2);
    let mut long_ago = between.clone();
    long_ago.status.container_statuses[0]
        .last_state
        .terminated
        .as_mut()
        .expect("set")
        .finished_at = Some(ago(minutes(11)));
    let mut init = pod("d").unready();
    init.status.init_container_statuses = pod("x").crash_loops(9, "Error", 128).status.container_statuses;
    init.status.container_statuses[0].state = waiting("PodInitializing", "");

    let cases = [
        ("back-off", backing_off, true),
        ("between two crashes", between, true),
        ("ready after many restarts", running_again, false),
        ("restarts long ago", long_ago, false),
        ("init container", init, true),
    ];
    for (case, pod, loops) in cases {
        assert_eq!(pods::crash_loop(&pod, now()).is_some(), loops, "{case}");
    }
}

#[test]
fn only_live_pods_of_the_workload_can_loop() {
    let broken = |name: &str| pod(name).crash_loops(9, "Error", 1);
    let world = web().pods([
        broken("virt-launcher-rhel-26kzq").label("kubevirt.io", "virt-launcher"),
        broken("importer-disk").label("app", "containerized-data-importer"),
        broken("granite-predictor-1").label("serving.kserve.io/inferenceservice", "granite"),
        broken("seed-data-x").owned_by("Job", "seed-data"),
        broken("web-1-build").owned_by("Build", "web-1"),
        broken("going").owned_by("ReplicaSet", "web-1").deleted(minutes(1)),
        broken("evicted").owned_by("ReplicaSet", "web-1").phase("Failed", "Evicted"),
        broken("debug"),
    ]);
    let loops = said(&world, "no_crashloop_pods");
    assert_eq!(loops.value, TRUE);
    assert_eq!(loops.excluded.len(), 8);
}

#[test]
fn a_looping_pod_of_an_old_replica_set_counts_while_replicas_are_satisfied() {
    let world = web().pods([pod_of("web", "77777777").crash_loops(5, "Error", 1)]);
    assert_eq!(value(&world, "desired_replicas_ready"), TRUE);
    assert_eq!(value(&world, "no_crashloop_pods"), FALSE);
}

#[test]
fn a_stray_pod_beside_controllers_is_not_the_lab() {
    let stray = pod("op-which").waits("ImagePullBackOff", "not found");
    let world = web().pods([stray.clone()]);
    for (name, observation) in observe(&world.view()).observations {
        assert_eq!(observation.value, TRUE, "{name}");
    }
    let mut declared = world;
    declared.declared.bare_pods = true;
    assert_eq!(value(&declared, "desired_replicas_ready"), FALSE);
    assert_eq!(value(&declared, "no_image_pull_failures"), FALSE);

    let alone = World::new().pods([stray]);
    assert_eq!(value(&alone, "deployment_exists"), TRUE);
    assert_eq!(value(&alone, "desired_replicas_ready"), FALSE);
}

#[test]
fn bare_pods_are_the_workload_where_there_is_nothing_else() {
    assert_eq!(value(&World::new().pods([pod("shell")]), "desired_replicas_ready"), TRUE);
    assert_eq!(
        value(
            &World::new().pods([pod("shell").phase("Failed", "Evicted")]),
            "desired_replicas_ready"
        ),
        FALSE
    );
    assert_eq!(
        value(&World::new().pods([pod("shell").phase("Succeeded", "")]), "deployment_exists"),
        FALSE
    );
    let starting = World::new().pods([pod("shell").age(minutes(1)).unready()]);
    assert_eq!(value(&starting, "desired_replicas_ready"), unknown(UnknownReason::Progressing));
    let mut unread = World::new().pods([pod("shell").crash_loops(3, "Error", 1)]);
    unread.inventory.deployments = Listing::unknown(UnknownReason::Timeout);
    assert_eq!(value(&unread, "no_crashloop_pods"), unknown(UnknownReason::Timeout));
}

#[test]
fn evicted_pods_with_a_ready_replacement_are_history() {
    let world = web().pods([pod_of("web", "5c7b97cbd").phase("Failed", "Evicted")]);
    assert_eq!(value(&world, "desired_replicas_ready"), TRUE);
    assert_eq!(value(&world, "no_crashloop_pods"), TRUE);
    let unreplaced = World::new()
        .deployments([down("web")])
        .pods([pod_of("web", "5c7b97cbd").phase("Failed", "Evicted")]);
    let replicas = said(&unreplaced, "desired_replicas_ready");
    assert_eq!(first(&replicas).reason, "0/1 ready, a pod was lost: Evicted");
}

#[test]
fn a_failure_that_was_seen_outweighs_what_was_not_read() {
    let mut world = web().pods([pod_of("worker", "66b8c4d7f").crash_loops(6, "Error", 1)]);
    world.inventory.deployments = Listing::unknown(UnknownReason::Timeout);
    assert_eq!(value(&world, "deployment_exists"), unknown(UnknownReason::Timeout));
    assert_eq!(value(&world, "no_crashloop_pods"), FALSE);

    let mut partial = web();
    partial.inventory.pods.missing = Some(UnknownReason::Truncated);
    assert_eq!(value(&partial, "no_crashloop_pods"), unknown(UnknownReason::Truncated));
    assert_eq!(
        value(&partial.pods([pod_of("web", "1").crash_loops(6, "Error", 1)]), "no_crashloop_pods"),
        FALSE
    );
}

#[test]
fn facts_name_the_cause() {
    let of = |pod| World::new().deployments([down("web")]).pods([pod]);
    let web_pod = || pod_of("web", "5c7b97cbd");
    let cases = [
        ("no_oom_kills", of(web_pod().crash_loops(5, "OOMKilled", 137))),
        ("no_image_pull_failures", of(web_pod().waits("InvalidImageName", ""))),
        (
            "no_config_errors",
            of(web_pod().waits("CreateContainerConfigError", "secret not found")),
        ),
        (
            "no_unschedulable_pods",
            of(web_pod().unschedulable("0/3 nodes are available: 3 Insufficient memory.")),
        ),
    ];
    for (fact, world) in &cases {
        for (other, _) in &cases {
            assert_eq!(value(world, other) == FALSE, fact == other, "{fact} against {other}");
        }
    }
    let young = World::new()
        .deployments([deployment("web").ready(0).age(minutes(2))])
        .pods([web_pod().age(minutes(2)).unschedulable("")]);
    assert_eq!(value(&young, "no_unschedulable_pods"), unknown(UnknownReason::Progressing));
}

#[test]
fn an_old_out_of_memory_kill_is_no_cause() {
    let killed = |pod: Pod, age| {
        let mut pod = pod;
        let mut end = ended("OOMKilled", 137);
        end.terminated.as_mut().expect("set").finished_at = Some(ago(age));
        pod.status.container_statuses[0].last_state = end;
        pod
    };
    let web_pod = || pod_of("web", "5c7b97cbd");
    let cases = [
        ("recovered", killed(web_pod(), minutes(1)), TRUE),
        ("running again, not ready", killed(web_pod().unready(), minutes(1)), FALSE),
        ("not ready for another reason", killed(web_pod().unready(), hours(2)), TRUE),
        (
            "waits for an image",
            killed(web_pod().waits("ImagePullBackOff", ""), hours(2)),
            TRUE,
        ),
        ("backs off", killed(web_pod().waits("CrashLoopBackOff", ""), hours(2)), FALSE),
    ];
    for (case, pod, expected) in cases {
        let world = World::new().deployments([down("web")]).pods([pod]);
        assert_eq!(value(&world, "no_oom_kills"), expected, "{case}");
    }
}

#[test]
fn failed_jobs_are_a_matter_of_a_day() {
    let failed = |age| job("seed-data").failed(age);
    let nightly = |name: &str| job(name).owned_by("CronJob", "nightly");
    let later = Job {
        status: crate::objects::workload::JobStatus {
            completion_time: Some(ago(minutes(10))),
            ..job("x").status
        },
        ..nightly("nightly-2")
    };
    let cases = [
        ("none", web(), TRUE),
        ("completed", web().jobs([job("seed-data")]), TRUE),
        ("failed", web().jobs([failed(minutes(5))]), FALSE),
        ("failed long ago", web().jobs([failed(hours(25))]), TRUE),
        ("going", web().jobs([failed(minutes(5)).deleted(minutes(1))]), TRUE),
        (
            "succeeded later",
            web().jobs([nightly("nightly-1").failed(minutes(30)), later.clone()]),
            TRUE,
        ),
        ("failed later", web().jobs([nightly("nightly-1").failed(minutes(5)), later]), FALSE),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "no_failed_jobs"), expected, "{case}");
        assert_eq!(value(&world, "desired_replicas_ready"), TRUE, "{case}");
    }
    let mut unread = web();
    unread.inventory.jobs = Listing::default();
    assert_eq!(value(&unread, "no_failed_jobs"), unknown(UnknownReason::NotCollected));
}

#[test]
fn a_pod_that_outlives_its_deletion_is_stuck() {
    let stuck = |age| web().pods([pod_of("web", "1").deleted(age)]);
    assert_eq!(value(&stuck(minutes(5)), "no_stuck_terminations"), TRUE);
    assert_eq!(value(&stuck(minutes(15)), "no_stuck_terminations"), FALSE);
}

#[test]
fn signals_tell_owner_state_end_and_newest_events() {
    let world = World::new()
        .deployments([down("api")])
        .pods([pod_of("api", "66b8c4d7f").crash_loops(5, "OOMKilled", 137)])
        .events([
            event("Pod", "api-66b8c4d7f-x2x4z", "BackOff", "older", minutes(9)),
            event("Pod", "api-66b8c4d7f-x2x4z", "BackOff", "newer", minutes(2)),
            event("Pod", "other", "BackOff", "somebody else", minutes(1)),
            event("ReplicaSet", "api-66b8c4d7f", "FailedCreate", "exceeded quota", minutes(3)),
        ]);
    assert_eq!(
        told(&observe(&world.view())),
        [
            "Pod api-66b8c4d7f-x2x4z of ReplicaSet api-66b8c4d7f",
            "container app waiting: CrashLoopBackOff back-off restarting failed container",
            "container app ended with exit code 137 OOMKilled",
            "BackOff newer",
            "BackOff older",
            "FailedCreate exceeded quota",
        ]
    );
    assert!(observe(&web().view()).signals.is_empty());
}

#[test]
fn signals_are_clipped_between_characters() {
    assert_eq!(crate::evidence::signals::clip("äöü", 2), "äö");
    assert_eq!(crate::evidence::signals::clip("ab", 2), "ab");
}

#[test]
fn the_namespace_is_there_when_something_in_it_was_read() {
    let mut world = web();
    assert_eq!(said(&world, "namespace_exists").grade, Grade::Direct);
    world.inventory.namespace = Listing::default();
    let inferred = said(&world, "namespace_exists");
    assert_eq!((inferred.value, inferred.grade), (TRUE, Grade::Inferred));
    world.inventory.namespace = Listing::unknown(UnknownReason::Forbidden);
    assert_eq!(value(&world, "namespace_exists"), unknown(UnknownReason::Forbidden));
    world.inventory.namespace = Listing::complete(Vec::new());
    assert_eq!(value(&world, "namespace_exists"), FALSE);
    let mut empty = World::new();
    empty.inventory.namespace = Listing::default();
    assert_eq!(value(&empty, "namespace_exists"), unknown(UnknownReason::NotCollected));
}
