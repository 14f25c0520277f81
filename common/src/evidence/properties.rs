//! What must hold of every stage, whatever the world looks like.
//!
//! Worlds are drawn from a small set of names, so that objects meet: pods are selected, disks are mounted, Routes point to
//! Services. Most of them are sick in several ways at once.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::controllers::ORIGINAL_REPLICAS;
use super::testing::{
    World, ago, claim, condition, data_volume, deployment, event, hours, ingress, job, minutes, model, pod, pod_of, probe, route, service,
    slice, smoke_run, stateful_set, vm, vmi,
};
use super::vm::ORIGINAL_RUN_STRATEGY;
use super::{Grade, Intent, Observation, StageEvidence, Value, View, deployment as workload, model as serving};
use super::{route as routing, showroom, smoke, storage, vm as machines};
use crate::objects::network::Content;
use crate::objects::{
    DataVolume, Deployment, InferenceService, Inventory, Job, Listing, PersistentVolumeClaim, Pod, Probe, ProbeKind, Route, Service,
    StatefulSet, VirtualMachine, VirtualMachineInstance,
};
use crate::unknown::UnknownReason;

type Observe = fn(&View) -> StageEvidence;

const STAGES: [(&str, Observe, &[&str]); 7] = [
    ("deployment-ready", workload::observe, workload::NAMES),
    ("storage-clone-ready", storage::observe, storage::NAMES),
    ("route-ready", routing::observe, routing::NAMES),
    ("vm-runtime-ready", machines::observe, machines::NAMES),
    ("smoke-test-ready", smoke::observe, smoke::NAMES),
    ("showroom-healthy", showroom::observe, showroom::NAMES),
    ("model-endpoint-ready", serving::observe, serving::NAMES),
];

const NAMES: [&str; 4] = ["showroom", "portal", "db", "lab"];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..])
}

fn age() -> impl Strategy<Value = chrono::TimeDelta> {
    prop::sample::select(vec![minutes(1), minutes(4), minutes(8), minutes(30), hours(40)])
}

fn deployments() -> impl Strategy<Value = Deployment> {
    let one = (name(), 0..3_i64, 0..3_i64, age(), any::<(bool, bool, bool)>());
    one.prop_map(|(name, desired, ready, age, (marked, leaving, lost))| {
        let mut it = deployment(name).replicas(desired).ready(ready).age(age);
        if marked && desired == 0 {
            it = it.annotated(ORIGINAL_REPLICAS, "1");
        }
        if leaving && ready == 2 {
            it = it.deleted(minutes(1));
        }
        if lost && ready < desired {
            let mut available = condition("Available", "False", "");
            available.last_transition_time = Some(ago(minutes(2)));
            it = it.with(available);
        }
        it
    })
}

fn stateful_sets() -> impl Strategy<Value = StatefulSet> {
    (name(), 0..2_i64, 0..2_i64, age()).prop_map(|(name, desired, ready, age)| stateful_set(name).replicas(desired).ready(ready).age(age))
}

fn pods() -> impl Strategy<Value = Pod> {
    let owners = prop::sample::select(vec!["ReplicaSet", "StatefulSet", "Job", "", "virt-launcher", "importer", "model"]);
    (name(), owners, 0..10_u8, age(), any::<bool>(), 0..1000_u32).prop_map(|(name, owner, state, age, mounts, id)| {
        let mut it = match owner {
            "ReplicaSet" => pod_of(name, "5c7b97cbd"),
            "StatefulSet" | "Job" => pod(name).owned_by(owner, name),
            "virt-launcher" => pod(name)
                .label("kubevirt.io", "virt-launcher")
                .owned_by("VirtualMachineInstance", name),
            "importer" => pod(name).label("app", "containerized-data-importer"),
            "model" => pod(name).label("serving.kserve.io/inferenceservice", name),
            _ => pod(name),
        };
        it.metadata.name = format!("{name}-{owner}-{id}");
        if owner != "importer" {
            it = it.label("app", name);
        }
        if mounts {
            it = it.mounts(name);
        }
        it = it.age(age);
        match state {
            0 => it.unready(),
            1 => it.crash_loops(5, "OOMKilled", 137),
            2 => it.waits("ImagePullBackOff", "denied"),
            3 => it.waits("CreateContainerConfigError", "no secret"),
            4 => it.unschedulable("no nodes"),
            5 => it.phase("Failed", "Evicted"),
            6 => it.phase("Succeeded", ""),
            7 => it.deleted(minutes(20)),
            _ => it,
        }
    })
}

fn jobs() -> impl Strategy<Value = Job> {
    (name(), age(), any::<(bool, bool)>()).prop_map(|(name, age, (failed, cron))| {
        let it = if failed { job(name).failed(age) } else { job(name) };
        if cron { it.owned_by("CronJob", "nightly") } else { it }
    })
}

fn services() -> impl Strategy<Value = Service> {
    (name(), 0..6_u8).prop_map(|(name, kind)| match kind {
        0 => service(name).headless(),
        1 => service(name).without_selector(),
        2 => service(name).external_name(),
        3 => service(name).publishing_not_ready(),
        4 => service(name).selecting("kubevirt.io", "virt-launcher"),
        _ => service(name),
    })
}

fn routes() -> impl Strategy<Value = Route> {
    (name(), name(), name(), 0..6_u8, age()).prop_map(|(name, to, other, kind, age)| {
        let it = route(name).to(to).age(age);
        match kind {
            0 => it.or_to(other, 50),
            1 => it.weight(0),
            2 => it.admitted("default", "False", "HostAlreadyClaimed"),
            3 => it.unanswered(),
            4 => it.owned_by("Ingress", other),
            _ => it,
        }
    })
}

fn vms() -> impl Strategy<Value = VirtualMachine> {
    let strategies = prop::sample::select(vec!["Always", "Halted", "Manual", "Once", "RerunOnFailure", "Sometimes"]);
    let prints = prop::sample::select(vec!["Running", "Starting", "ErrorUnschedulable", "Stopped"]);
    (name(), strategies, prints, age(), any::<(bool, bool)>()).prop_map(|(name, strategy, prints, age, (marked, plain))| {
        let mut it = vm(name).strategy(strategy).prints(prints).age(age);
        if marked && strategy == "Halted" {
            it = it.annotated(ORIGINAL_RUN_STRATEGY, "Always");
        }
        if plain { it.on_claim("db") } else { it }
    })
}

fn vmis() -> impl Strategy<Value = VirtualMachineInstance> {
    let phases = prop::sample::select(vec![
        "Running",
        "Running",
        "Running",
        "Scheduling",
        "Failed",
        "Succeeded",
        "Unknown",
    ]);
    (name(), phases, age(), 0..5_u8).prop_map(|(name, phase, age, kind)| {
        let it = vmi(name).age(age).phase(phase, age);
        match kind {
            0 => it.with_agent(),
            1 => it.with(condition("Paused", "True", "PausedByUser")),
            2 => it.with(condition("Paused", "True", "PausedIOError")),
            _ => it,
        }
    })
}

fn data_volumes() -> impl Strategy<Value = DataVolume> {
    let phases = prop::sample::select(vec!["Succeeded", "Failed", "CloneInProgress", "WaitForFirstConsumer", "Levitating"]);
    (name(), phases, age()).prop_map(|(name, phase, age)| match phase {
        "Succeeded" => data_volume(name),
        phase => data_volume(name).phase(phase).age(age),
    })
}

fn claims() -> impl Strategy<Value = PersistentVolumeClaim> {
    let phases = prop::sample::select(vec!["Bound", "Bound", "Pending", "Lost"]);
    (name(), phases, age()).prop_map(|(name, phase, age)| claim(name).phase(phase).age(age))
}

fn models() -> impl Strategy<Value = InferenceService> {
    let states = prop::sample::select(vec!["Loaded", "Loading", "FailedToLoad", ""]);
    (name(), states, age(), any::<(bool, bool)>()).prop_map(|(name, state, age, (ready, stopped))| {
        let it = model(name).states(state, state).age(age);
        let it = it.with(condition("Ready", if ready { "True" } else { "False" }, "PredictorNotReady"));
        if stopped { it.annotated(serving::STOP, "true") } else { it }
    })
}

fn probes() -> impl Strategy<Value = Probe> {
    let kinds = prop::sample::select(vec![
        ProbeKind::Route,
        ProbeKind::ShowroomReadiness,
        ProbeKind::ShowroomContent,
        ProbeKind::Inference,
    ]);
    let statuses = prop::sample::select(vec![200_u16, 302, 401, 404, 503]);
    let contents = prop::sample::select(vec![Content::Page, Content::Login, Content::Missing]);
    (name(), kinds, statuses, contents, 0..9000_u32).prop_map(|(name, kind, status, content, duration)| {
        let mut it = probe(kind, name);
        it.status = Some(status);
        it.duration_ms = Some(duration);
        if it.content.is_some() {
            it.content = Some(content);
        }
        it
    })
}

fn intents() -> impl Strategy<Value = Intent> {
    prop::sample::select(vec![Intent::Started, Intent::Stopped, Intent::Unknown])
}

/// Objects of one kind have unique names within a namespace.
fn unique<T>(items: Vec<T>, name: impl Fn(&T) -> String) -> Vec<T> {
    let by_name: BTreeMap<String, T> = items.into_iter().map(|it| (name(&it), it)).collect();
    by_name.into_values().collect()
}

fn several<T: std::fmt::Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(one, 0..4)
}

fn worlds() -> impl Strategy<Value = World> {
    let containers = (
        several(deployments()),
        several(stateful_sets()),
        prop::collection::vec(pods(), 0..7),
        several(jobs()),
    );
    let network = (
        several(services()),
        several(routes()),
        several((name(), 0..3_usize)),
        prop::option::of((name(), name())),
        prop::collection::vec(probes(), 0..6),
    );
    let virtualization = (several(vms()), several(vmis()), several(data_volumes()), several(claims()));
    let rest = (several(models()), intents(), age(), any::<bool>());
    (containers, network, virtualization, rest).prop_map(
        |((deployments, stateful_sets, pods, jobs), (services, routes, slices, ingresses, probes), (vms, vmis, sources, claims), rest)| {
            let (models, intent, since, bare_pods) = rest;
            let ids = 0..i64::from(bare_pods);
            let mut world = World::new()
                .deployments(unique(deployments, |it| it.metadata.name.clone()))
                .stateful_sets(unique(stateful_sets, |it| it.metadata.name.clone()))
                .pods(unique(pods, |it| it.metadata.name.clone()))
                .jobs(unique(jobs, |it| it.metadata.name.clone()))
                .services(unique(services, |it| it.metadata.name.clone()))
                .routes(unique(routes, |it| it.metadata.name.clone()))
                .endpoint_slices(slices.into_iter().map(|(name, ready)| slice(name, ready)))
                .ingresses(ingresses.map(|(name, service)| ingress(name, service)))
                .vms(unique(vms, |it| it.metadata.name.clone()))
                .vmis(unique(vmis, |it| it.metadata.name.clone()))
                .data_volumes(unique(sources, |it| it.metadata.name.clone()))
                .claims(unique(claims, |it| it.metadata.name.clone()))
                .inference_services(unique(models, |it| it.metadata.name.clone()))
                .events([
                    event("Pod", "portal", "BackOff", "back-off", minutes(1)),
                    event("Pod", "portal", "Failed", "x", minutes(1)),
                ])
                .smoke_runs(ids.map(smoke_run))
                .intent(intent, since);
            world.inventory.probes = Listing::complete(probes);
            world.declared.bare_pods = bare_pods;
            world
        },
    )
}

/// Makes one list unread.
type Remove = fn(&mut Inventory, UnknownReason);

/// Everything that a stage reads, one list at a time.
const LISTS: [(&str, Remove); 18] = [
    ("namespace", |it, reason| it.namespace = Listing::unknown(reason)),
    ("pods", |it, reason| it.pods = Listing::unknown(reason)),
    ("deployments", |it, reason| it.deployments = Listing::unknown(reason)),
    ("stateful sets", |it, reason| it.stateful_sets = Listing::unknown(reason)),
    ("daemon sets", |it, reason| it.daemon_sets = Listing::unknown(reason)),
    ("deployment configs", |it, reason| it.deployment_configs = Listing::unknown(reason)),
    ("jobs", |it, reason| it.jobs = Listing::unknown(reason)),
    ("services", |it, reason| it.services = Listing::unknown(reason)),
    ("slices", |it, reason| it.endpoint_slices = Listing::unknown(reason)),
    ("routes", |it, reason| it.routes = Listing::unknown(reason)),
    ("ingresses", |it, reason| it.ingresses = Listing::unknown(reason)),
    ("vms", |it, reason| it.vms = Listing::unknown(reason)),
    ("vmis", |it, reason| it.vmis = Listing::unknown(reason)),
    ("data volumes", |it, reason| it.data_volumes = Listing::unknown(reason)),
    ("claims", |it, reason| it.claims = Listing::unknown(reason)),
    ("inference services", |it, reason| it.inference_services = Listing::unknown(reason)),
    ("probes", |it, reason| it.probes = Listing::unknown(reason)),
    ("smoke runs", |it, reason| it.smoke_runs = Listing::unknown(reason)),
];

fn is_unknown(observation: &Observation) -> bool {
    matches!(observation.value, Value::Unknown(_))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Removing evidence never turns yes into no or no into yes: what is not known becomes unknown, and what is concluded
    /// instead (only where nobody asked, never where a read failed) says so.
    #[test]
    fn removed_evidence_only_leads_to_unknown(world in worlds(), list in 0..LISTS.len(), asked in any::<bool>()) {
        let (list, remove) = LISTS[list];
        let mut less = world.clone();
        remove(&mut less.inventory, if asked { UnknownReason::Forbidden } else { UnknownReason::NotCollected });
        for (stage, observe, _) in STAGES {
            let before = observe(&world.view()).observations;
            let after = observe(&less.view()).observations;
            for (name, before) in before {
                let Some(after) = after.get(name) else { continue };
                let concluded = !asked && after.grade == Grade::Inferred;
                prop_assert!(
                    is_unknown(after) || after.value == before.value || concluded,
                    "{stage}: {name} went from {:?} to {:?} without {list}",
                    before,
                    after
                );
            }
        }
    }

    /// A list that was cut never says more than the whole list, beyond the failures that were seen.
    #[test]
    fn a_cut_list_is_not_the_whole_truth(world in worlds()) {
        let mut cut = world.clone();
        cut.inventory.pods.missing = Some(UnknownReason::Truncated);
        cut.inventory.deployments.missing = Some(UnknownReason::Truncated);
        cut.inventory.routes.missing = Some(UnknownReason::Truncated);
        cut.inventory.vms.missing = Some(UnknownReason::Truncated);
        for (stage, observe, _) in STAGES {
            let whole = observe(&world.view()).observations;
            for (name, after) in observe(&cut.view()).observations {
                let Some(whole) = whole.get(name) else { continue };
                prop_assert!(is_unknown(&after) || after.value == whole.value, "{stage}: {name} is {:?}, was {:?}", after, whole);
            }
        }
    }

    /// The order in which the API lists objects means nothing.
    #[test]
    fn order_never_matters(world in worlds()) {
        let mut turned = world.clone();
        let inventory = &mut turned.inventory;
        inventory.pods.items.reverse();
        inventory.deployments.items.reverse();
        inventory.stateful_sets.items.reverse();
        inventory.jobs.items.reverse();
        inventory.services.items.reverse();
        inventory.endpoint_slices.items.reverse();
        inventory.routes.items.reverse();
        inventory.vms.items.reverse();
        inventory.vmis.items.reverse();
        inventory.data_volumes.items.reverse();
        inventory.claims.items.reverse();
        inventory.inference_services.items.reverse();
        inventory.events.items.reverse();
        for (stage, observe, _) in STAGES {
            let (before, after) = (observe(&world.view()), observe(&turned.view()));
            prop_assert_eq!(before.signals, after.signals, "{}", stage);
            for (name, before) in before.observations {
                prop_assert_eq!(Some(&before), after.observations.get(name), "{}: {}", stage, name);
            }
        }
    }

    /// Each stage says all its names, or nothing at all where it does not apply.
    #[test]
    fn stages_say_their_names(world in worlds()) {
        for (stage, observe, names) in STAGES {
            let said: Vec<&str> = observe(&world.view()).observations.into_keys().collect();
            let mut names = names.to_vec();
            names.sort_unstable();
            prop_assert!(said.is_empty() || said == names, "{stage} says {said:?}");
        }
    }

    /// What is false names a member or is about an empty list; what is known has no deadline.
    #[test]
    fn every_no_names_a_culprit(world in worlds()) {
        for (stage, observe, _) in STAGES {
            for (name, it) in observe(&world.view()).observations {
                prop_assert!(it.until.is_none() || is_unknown(&it), "{stage}: {name}");
                prop_assert!(it.failing.len() <= it.failing_count, "{stage}: {name}");
                prop_assert!(it.value != Value::Bool(true) || it.failing.is_empty() || name == "datavolume_phase_failed" || name == "vmi_paused_on_error", "{stage}: {name}");
            }
        }
    }

    /// A service that is meant to be stopped fails only by what is broken, never by what does not run.
    #[test]
    fn what_is_stopped_does_not_fail(world in worlds()) {
        let world = world.intent(Intent::Stopped, hours(1));
        for (observe, names) in [
            (workload::observe as Observe, &["no_crashloop_pods"][..]),
            (machines::observe, &["vmi_running"]),
            (serving::observe, &["inferenceservice_ready"]),
        ] {
            let said = observe(&world.view()).observations;
            for name in names {
                prop_assert!(said[name].failing.is_empty() || said[name].value != Value::Bool(false), "{name}: {:?}", said[name]);
            }
        }
        let replicas = &workload::observe(&world.view()).observations["desired_replicas_ready"];
        prop_assert!(replicas.failing.is_empty() || replicas.value != Value::Bool(false), "{:?}", replicas);
    }
}
