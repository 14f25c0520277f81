//! The story around the demo's labs: that everything in it joins, that it goes on, and that a seed decides all of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use kube::{
    Api,
    api::{DynamicObject, ListParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::Value;
use stargate_sim::{
    Fault, Fleet, Kind, Scenario, SimClock, Story,
    story::{
        order::{Life, Place},
        program::{ITEMS, PoolFate},
    },
};

fn clock() -> SimClock {
    SimClock::starting_at(DateTime::from_timestamp(1_790_000_000, 0).unwrap())
}

fn told(seed: u64) -> (Fleet, Story) {
    let fleet = Fleet::demo(seed, clock());
    let story = Story::of(&fleet, seed);
    (fleet, story)
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn uuids(story: &Story) -> BTreeMap<String, Value> {
    let subjects = story.control_plane().list(Kind::AnarchySubject, "");
    subjects
        .into_iter()
        .map(|subject| (text(&subject, "/spec/vars/job_vars/uuid").to_owned(), subject))
        .collect()
}

#[test]
fn every_namespace_of_the_sandbox_api_has_its_subject_handle_and_item() {
    let (fleet, story) = told(42);
    let subjects = uuids(&story);
    assert_eq!(
        subjects.len(),
        story.control_plane().count(Kind::AnarchySubject),
        "a uuid is that of one subject"
    );
    let unexplained: BTreeSet<_> = story.unexplained().into_iter().collect();
    assert!((2..8).contains(&unexplained.len()), "{unexplained:?}");
    let babylon = story.control_plane();
    let (mut joined, mut claimed) = (0, 0);
    for lab in &fleet.labs {
        let namespace = fleet
            .cluster(&lab.cluster)
            .unwrap()
            .get(Kind::Namespace, "", &lab.namespace)
            .unwrap();
        let uuid = text(&namespace, "/metadata/labels/serviceUuid");
        if uuid.is_empty() {
            continue;
        }
        let Some(subject) = subjects.get(uuid) else {
            assert!(
                unexplained.contains(&(lab.cluster.clone(), lab.namespace.clone())),
                "{} has no subject",
                lab.namespace
            );
            continue;
        };
        joined += 1;
        assert_eq!(text(subject, "/spec/vars/job_vars/sandbox_openshift_namespace"), lab.namespace);
        assert_eq!(text(subject, "/spec/vars/job_vars/sandbox_openshift_cluster"), lab.cluster);
        assert_eq!(text(subject, "/spec/vars/job_vars/guid"), lab.guid);
        let annotation = |name: &str| text(subject, &format!("/metadata/annotations/poolboy.gpte.redhat.com~1{name}")).to_owned();
        let handle = babylon
            .get(Kind::ResourceHandle, "poolboy", &annotation("resource-handle-name"))
            .unwrap();
        assert_eq!(text(&handle, "/metadata/name"), format!("guid-{}", lab.guid));
        let references = handle["status"]["resources"].as_array().unwrap();
        assert!(references.iter().any(|one| one["reference"]["name"] == subject["metadata"]["name"]));
        let claim = annotation("resource-claim-name");
        if claim.is_empty() {
            assert!(!annotation("resource-pool-name").is_empty(), "{} waits in no pool", lab.namespace);
            continue;
        }
        claimed += 1;
        let claim = babylon
            .get(Kind::ResourceClaim, &annotation("resource-claim-namespace"), &claim)
            .unwrap();
        assert_eq!(claim["status"]["resourceHandle"]["name"], handle["metadata"]["name"]);
        let label = |name: &str| text(&claim, &format!("/metadata/labels/babylon.gpte.redhat.com~1{name}")).to_owned();
        let item = babylon
            .get(Kind::CatalogItem, &label("catalogItemNamespace"), &label("catalogItemName"))
            .unwrap();
        assert!(
            babylon
                .get(
                    Kind::AnarchyGovernor,
                    text(subject, "/metadata/namespace"),
                    text(subject, "/spec/governor")
                )
                .is_some()
        );
        assert!(
            babylon
                .get(Kind::AgnosticVComponent, "babylon-config", text(&item, "/metadata/name"))
                .is_some()
        );
        if !label("workshop").is_empty() {
            let workshop = babylon
                .get(Kind::Workshop, text(&claim, "/metadata/namespace"), &label("workshop"))
                .unwrap();
            assert_eq!(
                text(&workshop, "/metadata/labels/babylon.gpte.redhat.com~1workshop-id"),
                label("workshop-id")
            );
        }
    }
    assert!(joined > 330 && claimed > 280, "{joined} joined, {claimed} claimed");
}

#[tokio::test]
async fn a_client_reads_the_control_plane_page_by_page() {
    let (fleet, story) = told(42);
    let subjects = ApiResource::from_gvk(&GroupVersionKind::gvk("anarchy.gpte.redhat.com", "v1", "AnarchySubject"));
    let client = kube::Client::new(story.control_plane().service(), "default");
    let api: Api<DynamicObject> = Api::all_with(client, &subjects);
    let (mut names, mut token) = (BTreeSet::new(), None);
    loop {
        let params = ListParams {
            limit: Some(150),
            continue_token: token,
            ..ListParams::default()
        };
        let page = api.list(&params).await.unwrap();
        for subject in page.items {
            // What a client wrote back would be the same object.
            let namespace = subject.metadata.namespace.clone().unwrap();
            let name = subject.metadata.name.clone().unwrap();
            let stored = story.control_plane().get(Kind::AnarchySubject, &namespace, &name).unwrap();
            assert_eq!(serde_json::to_value(&subject).unwrap()["spec"], stored["spec"]);
            assert!(!subject.metadata.managed_fields.unwrap().is_empty() && !subject.metadata.finalizers.unwrap().is_empty());
            names.insert((namespace, name));
        }
        token = page.metadata.continue_.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    assert_eq!(names.len(), story.control_plane().count(Kind::AnarchySubject));
    let anarchy: BTreeSet<&str> = names.iter().map(|(namespace, _)| namespace.as_str()).collect();
    assert!(anarchy.len() >= 5, "several Anarchy namespaces: {anarchy:?}");

    // Clusters with labs know nothing of it, and the control plane nothing of machines.
    let lab: Api<DynamicObject> = Api::all_with(kube::Client::new(fleet.clusters[0].service(), "default"), &subjects);
    assert!(matches!(lab.list(&ListParams::default()).await, Err(kube::Error::Api(status)) if status.code == 404));
    assert!(fleet.clusters.iter().all(|cluster| cluster.name() != story.control_plane().name()));
}

#[test]
fn stopped_labs_are_stopped_subjects() {
    let (fleet, story) = told(42);
    let stopped: BTreeSet<String> = story
        .orders()
        .iter()
        .filter(|order| order.life() == Life::Stopped)
        .filter_map(|order| order.lab().map(|(_, namespace)| namespace.to_owned()))
        .collect();
    let marked = |lab: &&stargate_sim::Lab| {
        let cluster = fleet.cluster(&lab.cluster).unwrap();
        [Kind::Deployment, Kind::VirtualMachine].iter().any(|kind| {
            cluster
                .list(*kind, &lab.namespace)
                .iter()
                .any(|object| object["metadata"]["annotations"].to_string().contains("original-"))
        })
    };
    let labs: BTreeSet<String> = fleet.labs.iter().filter(marked).map(|lab| lab.namespace.clone()).collect();
    let explained: BTreeSet<String> = story
        .orders()
        .iter()
        .filter_map(|order| order.lab().map(|(_, namespace)| namespace.to_owned()))
        .collect();
    assert!(stopped.len() > 10);
    assert_eq!(stopped, labs.intersection(&explained).cloned().collect());
}

#[test]
fn sessions_are_ready_at_risk_and_short() {
    let (fleet, story) = told(42);
    let orders = story.orders();
    let now = fleet.clock.now();
    let usable = |code: &str| {
        orders
            .iter()
            .filter(|order| {
                order.item().code == Some(code) && order.claim.is_some() && order.life() == Life::Started && order.lab().is_some()
            })
            .count()
    };
    let rooms = story.rooms();
    let missing: Vec<i64> = rooms
        .iter()
        .filter(|room| ITEMS.iter().any(|item| item.code == Some(&room.code)) && room.code != "LB1701" && room.code != "LB1502")
        .map(|room| room.attendees - i64::try_from(usable(&room.code)).unwrap())
        .collect();
    assert!(missing.iter().filter(|missing| **missing <= 0).count() >= 20, "{missing:?}");
    assert!(
        missing.iter().filter(|missing| (1..=3).contains(*missing)).count() >= 5,
        "{missing:?}"
    );
    assert!(missing.iter().any(|missing| *missing > 10), "{missing:?}");
    assert!(rooms.iter().any(|room| room.starts < now), "one runs now");
    assert!(
        rooms
            .iter()
            .filter(|room| room.starts > now && room.starts < now + TimeDelta::hours(2))
            .count()
            >= 3
    );
    assert!(rooms.iter().any(|room| room.starts > now + TimeDelta::hours(20)));
}

#[test]
fn what_goes_on_is_told_on_both_sides() {
    let (fleet, story) = told(42);
    let mut scenario = Scenario::new(&fleet, 42).with_story(story.clone());
    let mut seen: BTreeSet<Life> = BTreeSet::new();
    let mut handles: BTreeSet<String> = BTreeSet::new();
    let at_first: BTreeSet<String> = story.orders().iter().map(|order| order.guid.clone()).collect();
    for _ in 0..120 {
        fleet.clock.advance(TimeDelta::seconds(15));
        scenario.step();
        for order in story.orders() {
            seen.extend(order.parts.iter().map(|part| part.life));
            if order.claim.is_none()
                && order.pool.and_then(|pool| story.pools().get(pool).map(|pool| pool.fate)) == Some(PoolFate::Churning)
            {
                assert_ne!(order.life(), Life::Started);
                handles.insert(order.guid);
            }
        }
    }
    for life in [
        Life::ProvisionPending,
        Life::Provisioning,
        Life::Started,
        Life::Stopping,
        Life::Stopped,
        Life::Starting,
        Life::DestroyPending,
        Life::Destroying,
        Life::ProvisionFailed,
    ] {
        assert!(seen.contains(&life), "never {life:?}: {seen:?}");
    }
    assert!(handles.len() >= 4, "the churning pool replaces what fails: {handles:?}");

    // Every lab that is there has an order that is not on its way out, and every started order its namespace (but for the ghost).
    let orders = story.orders();
    let unexplained: BTreeSet<_> = story.unexplained().into_iter().collect();
    for lab in scenario.labs() {
        let cluster = fleet.cluster(&lab.cluster).unwrap();
        let labelled = cluster
            .get(Kind::Namespace, "", &lab.namespace)
            .is_some_and(|namespace| namespace.pointer("/metadata/labels/serviceUuid").is_some());
        let known = orders.iter().any(|order| order.lab() == Some((&lab.cluster, &lab.namespace)));
        assert!(
            !labelled || known || unexplained.contains(&(lab.cluster.clone(), lab.namespace.clone())),
            "{}",
            lab.namespace
        );
    }
    let ghosts: Vec<&str> = orders
        .iter()
        .flat_map(|order| &order.parts)
        .filter(|part| part.life == Life::Started)
        .filter_map(|part| match &part.place {
            Place::Namespace { cluster, namespace, .. } => {
                let there = fleet.cluster(cluster).unwrap().get(Kind::Namespace, "", namespace).is_some();
                (!there).then_some(namespace.as_str())
            }
            _ => None,
        })
        .collect();
    let lost: BTreeSet<&str> = scenario
        .active()
        .filter(|(_, _, fault)| *fault == Fault::NamespaceMissing)
        .map(|(_, namespace, _)| namespace)
        .collect();
    let ghosts: Vec<&&str> = ghosts.iter().filter(|namespace| !lost.contains(**namespace)).collect();
    assert_eq!(ghosts.len(), 1, "{ghosts:?}");

    // What is gone left nothing behind on the control plane.
    let now: BTreeSet<String> = orders.iter().map(|order| order.guid.clone()).collect();
    let gone: Vec<&String> = at_first.difference(&now).collect();
    assert!(gone.len() > 3, "{gone:?}");
    for kind in [Kind::AnarchySubject, Kind::ResourceHandle] {
        for object in story.control_plane().list(kind, "") {
            let name = text(&object, "/metadata/name");
            assert!(!gone.iter().any(|guid| name.ends_with(guid.as_str())), "{name}");
        }
    }
    assert_eq!(
        story.control_plane().count(Kind::AnarchySubject),
        orders.iter().map(|order| order.parts.len()).sum::<usize>()
    );
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = |seed| {
        let (fleet, story) = told(seed);
        let mut scenario = Scenario::new(&fleet, seed).with_story(story.clone());
        for _ in 0..12 {
            fleet.clock.advance(TimeDelta::seconds(30));
            scenario.step();
        }
        [Kind::AnarchySubject, Kind::ResourceClaim, Kind::ResourcePool, Kind::Workshop].map(|kind| {
            story
                .control_plane()
                .list(kind, "")
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        })
    };
    let first = story(5);
    assert!(first == story(5), "two stories of one seed differ");
    assert!(first != story(6), "two seeds told one story");
}

#[test]
fn every_lab_is_tried_again_and_again() {
    let (fleet, story) = told(42);
    let mut scenario = Scenario::new(&fleet, 42).with_story(story.clone());
    let labs: Vec<String> = ITEMS.iter().filter_map(|item| Some(item.code?.to_owned())).collect();
    let newest = |code: &str| {
        let runs = story.smoke().into_iter().filter(|run| run.name.starts_with(code));
        runs.max_by_key(|run| run.id).unwrap()
    };
    for code in &labs {
        let runs = story.smoke().into_iter().filter(|run| run.name.starts_with(code.as_str())).count();
        assert_eq!(runs, 2, "{code}: one that is over and one that is on its way");
        assert_eq!((newest(code).status, newest(code).result), ("running", None), "{code}");
    }
    let passed = |code: &str| matches!(newest(code).result, Some((total, completed, 0)) if total == completed);
    let mut ended: BTreeMap<i64, (i64, i64, i64)> = BTreeMap::new();
    let mut ids: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    let (mut looks, mut unfinished) = (0, 0);
    for step in 0..360 {
        fleet.clock.advance(TimeDelta::seconds(5));
        scenario.step();
        for run in story.smoke() {
            assert_eq!(run.result.is_none(), run.status == "running");
            if let Some(result) = run.result {
                assert_eq!(*ended.entry(run.id).or_insert(result), result, "a result never changes");
            }
        }
        for code in &labs {
            ids.entry(code.clone()).or_default().insert(newest(code).id);
        }
        if step == 24 {
            // After two minutes nearly all have a result, and learners fail in one lab only.
            let open: Vec<&String> = labs.iter().filter(|code| newest(code).result.is_none()).collect();
            assert!(open.len() <= 3, "{open:?}");
            let whole = labs.iter().filter(|code| passed(code)).count();
            assert_eq!(whole + open.iter().filter(|code| **code != "LB1501").count() + 1, labs.len());
        }
        if step > 24 {
            looks += labs.len();
            unfinished += labs.iter().filter(|code| newest(code).result.is_none()).count();
        }
    }
    for (code, ids) in &ids {
        assert!((3..=6).contains(&ids.len()), "{code} was tried {} times in half an hour", ids.len());
    }
    assert!(unfinished * 10 < looks, "{unfinished} of {looks} looks found a run on its way");
    assert!(!passed("LB1501"), "nobody mends that one");
    assert!(story.smoke().len() <= labs.len() * 3 + 1, "old runs go");
}

#[test]
fn labs_are_made_as_their_items_demand_but_for_a_few() {
    let (fleet, story) = told(42);
    let demanded = |item: &str, variable: &str| {
        let component = story.control_plane().get(Kind::AgnosticVComponent, "babylon-config", item).unwrap();
        text(&component, &format!("/spec/definition/{variable}")).to_owned()
    };
    let cloned = |object: &Value, template: &str, variable: &str| -> Option<String> {
        let containers = object.pointer(&format!("{template}/initContainers"))?.as_array()?;
        let cloner = containers.iter().find(|container| container["name"] == "git-cloner")?;
        let variables = cloner["env"].as_array()?.iter().filter(|one| one["name"] == variable);
        let values: Vec<&str> = variables.map(|one| one["value"].as_str().unwrap()).collect();
        assert_eq!(values.len(), 1, "{variable} is written once");
        Some(values[0].to_owned())
    };
    let (mut showrooms, mut elsewhere, mut unreleased) = (0, 0, 0);
    for order in story.orders() {
        let Some((name, namespace)) = order.lab() else { continue };
        let cluster = fleet.cluster(name).unwrap();
        let Some(deployment) = cluster.get(Kind::Deployment, namespace, "showroom") else {
            continue;
        };
        showrooms += 1;
        let item = order.item().name();
        let content = "ocp4_workload_showroom_content_git_repo";
        let repo = cloned(&deployment, "/spec/template/spec", "GIT_REPO_URL").unwrap();
        let reference = cloned(&deployment, "/spec/template/spec", "GIT_REPO_REF").unwrap();
        let path = |address: &str| address.rsplit('@').next().unwrap().trim_start_matches("https://").to_owned();
        elsewhere += usize::from(path(&repo) != path(&demanded(&item, content)));
        unreleased += usize::from(reference != demanded(&item, &format!("{content}_ref")));
        for pod in cluster
            .list(Kind::Pod, namespace)
            .iter()
            .filter(|pod| pod["metadata"]["labels"]["app"] == "showroom")
        {
            assert_eq!(cloned(pod, "/spec", "GIT_REPO_REF"), Some(reference.clone()));
        }
    }
    assert!(showrooms > 200, "{showrooms}");
    assert!(
        (2..=9).contains(&elsewhere) && (3..=16).contains(&unreleased),
        "{elsewhere}, {unreleased}"
    );

    // Clusters follow the channels that are demanded, but for what drifted.
    let channel = |cluster: &str, package: &str| {
        let found = fleet.cluster(cluster).unwrap().list(Kind::Subscription, "");
        let one = found.iter().find(|one| one["spec"]["name"] == package)?;
        Some(text(one, "/spec/channel").to_owned())
    };
    for (item, package, variable) in [
        (
            "techfest-2026.lb1203-gitops.event",
            "openshift-gitops-operator",
            "ocp4_workload_openshift_gitops_channel",
        ),
        (
            "techfest-2026.lb1205-pipelines.event",
            "openshift-pipelines-operator-rh",
            "ocp4_workload_pipelines_channel",
        ),
    ] {
        let wanted = demanded(item, variable);
        let drifted: Vec<&str> = fleet
            .clusters
            .iter()
            .map(stargate_sim::Cluster::name)
            .filter(|cluster| channel(cluster, package).as_deref() != Some(&wanted))
            .collect();
        assert_eq!(drifted.len(), 1, "{package}: {drifted:?}");
    }
    assert_eq!(channel("cnv-emea-1", "gitea-operator"), None);

    // Nothing rolls out for it.
    fleet.clock.advance(TimeDelta::minutes(10));
    for lab in &fleet.labs {
        let sets = fleet.cluster(&lab.cluster).unwrap().list(Kind::ReplicaSet, &lab.namespace);
        let of_showroom = sets.iter().filter(|set| text(set, "/metadata/name").starts_with("showroom-"));
        assert!(of_showroom.count() <= 1, "{}", lab.namespace);
    }
}
