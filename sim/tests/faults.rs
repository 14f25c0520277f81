//! Every fault shows what a real cluster would show, and can be healed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use chrono::{DateTime, TimeDelta};
use http::Request;
use serde_json::Value;
use stargate_sim::{Cluster, Fault, Fleet, Kind, Scenario, SimClock, Story};
use tower::ServiceExt;

fn fleet() -> Fleet {
    Fleet::demo(11, SimClock::starting_at(DateTime::from_timestamp(1_790_000_000, 0).unwrap()))
}

/// Some object of a kind in a namespace for which this holds.
fn any(cluster: &Cluster, kind: Kind, namespace: &str, holds: impl Fn(&Value) -> bool) -> bool {
    cluster.list(kind, namespace).iter().any(holds)
}

fn waits(pod: &Value, list: &str, reason: &str) -> bool {
    pod["status"][list]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["state"]["waiting"]["reason"] == reason))
}

fn condition(object: &Value, sort: &str, status: &str, reason: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == sort && one["status"] == status && (reason.is_empty() || one["reason"] == reason))
    })
}

fn ready_endpoints(cluster: &Cluster, namespace: &str, service: &str) -> usize {
    let slices = cluster.list(Kind::EndpointSlice, namespace);
    let of_service = slices
        .iter()
        .filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == service);
    of_service
        .flat_map(|slice| slice["endpoints"].as_array().unwrap())
        .filter(|endpoint| endpoint["conditions"]["ready"] == true)
        .count()
}

/// Whether the objects show the fault. Faults of the wire and of applications are looked at elsewhere.
fn shows(cluster: &Cluster, namespace: &str, fault: Fault) -> bool {
    let pod = |holds: &dyn Fn(&Value) -> bool| any(cluster, Kind::Pod, namespace, holds);
    let warning = |reason: &str| {
        any(cluster, Kind::Event, namespace, |event| {
            event["type"] == "Warning" && event["reason"] == reason
        })
    };
    let machine = |status: &str| {
        any(cluster, Kind::VirtualMachine, namespace, |machine| {
            machine["status"]["printableStatus"] == status
        })
    };
    let instance = |sort: &str, reason: &str| {
        any(cluster, Kind::VirtualMachineInstance, namespace, |instance| {
            condition(instance, sort, "True", reason)
        })
    };
    let short = || {
        any(cluster, Kind::Deployment, namespace, |one| {
            one["status"]["readyReplicas"].as_i64().unwrap_or(0) < one["spec"]["replicas"].as_i64().unwrap()
        })
    };
    match fault {
        Fault::ClusterUnreachable => cluster.is_down(),
        Fault::ClusterOverloaded | Fault::ClusterMemoryPressure => cluster.count(Kind::NodeMetrics) == cluster.count(Kind::Node),
        Fault::NodeNotReady => any(cluster, Kind::Node, "", |node| {
            condition(node, "Ready", "Unknown", "NodeStatusUnknown")
        }),
        Fault::NamespaceMissing => cluster.get(Kind::Namespace, "", namespace).is_none(),
        Fault::TeardownStuck => any(cluster, Kind::Namespace, "", |one| {
            one["metadata"]["name"] == namespace && condition(one, "NamespaceFinalizersRemaining", "True", "")
        }),
        Fault::OomKilled => {
            short() && pod(&|pod| pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] == "OOMKilled")
        }
        Fault::PodsCrashlooping => short() && warning("BackOff") && pod(&|pod| waits(pod, "containerStatuses", "CrashLoopBackOff")),
        Fault::InitCrashlooping => {
            short() && pod(&|pod| waits(pod, "initContainerStatuses", "CrashLoopBackOff") && pod["status"]["phase"] == "Pending")
        }
        Fault::ImagePullUnauthorized | Fault::ImagePullNotFound => {
            short() && pod(&|pod| waits(pod, "containerStatuses", "ImagePullBackOff"))
        }
        Fault::InvalidConfiguration => short() && pod(&|pod| waits(pod, "containerStatuses", "CreateContainerConfigError")),
        Fault::SchedulingFailed => {
            short() && warning("FailedScheduling") && pod(&|pod| condition(pod, "PodScheduled", "False", "Unschedulable"))
        }
        Fault::PodsNotReady => short() && warning("Unhealthy"),
        Fault::ScaledToZero => cluster
            .list(Kind::Deployment, namespace)
            .iter()
            .all(|one| one["spec"]["replicas"] == 0 || !one["metadata"]["ownerReferences"].is_null()),
        Fault::DeploymentMissing => cluster
            .list(Kind::Deployment, namespace)
            .iter()
            .all(|one| !one["metadata"]["ownerReferences"].is_null()),
        Fault::BackoffLimitExceeded => any(cluster, Kind::Job, namespace, |job| {
            condition(job, "Failed", "True", "BackoffLimitExceeded")
        }),
        Fault::QuotaExceeded => {
            short()
                && any(cluster, Kind::Deployment, namespace, |one| {
                    condition(one, "ReplicaFailure", "True", "FailedCreate")
                })
        }
        Fault::DatavolumeMissing => machine("ErrorDataVolumeNotFound"),
        Fault::DatavolumeFailed => {
            machine("DataVolumeError") && any(cluster, Kind::DataVolume, namespace, |volume| volume["status"]["phase"] == "Failed")
        }
        Fault::DatavolumeNotReady => {
            machine("Provisioning")
                && any(cluster, Kind::DataVolume, namespace, |volume| {
                    volume["status"]["progress"] == "37.0%"
                })
        }
        Fault::PvcNotBound => any(cluster, Kind::PersistentVolumeClaim, namespace, |claim| {
            claim["status"]["phase"] == "Lost"
        }),
        Fault::ServiceMissing => any(cluster, Kind::Route, namespace, |route| {
            cluster
                .get(Kind::Service, namespace, route["spec"]["to"]["name"].as_str().unwrap())
                .is_none()
        }),
        Fault::ServiceHasNoEndpoints => any(cluster, Kind::Route, namespace, |route| {
            ready_endpoints(cluster, namespace, route["spec"]["to"]["name"].as_str().unwrap()) == 0
        }),
        Fault::RouteMissing => cluster.list(Kind::Route, namespace).is_empty(),
        Fault::RouteNotAdmitted => any(cluster, Kind::Route, namespace, |route| {
            route["status"]["ingress"][0]["conditions"][0]["reason"] == "HostAlreadyClaimed"
        }),
        Fault::VmMissing => {
            cluster.list(Kind::VirtualMachine, namespace).is_empty() && !cluster.list(Kind::DataVolume, namespace).is_empty()
        }
        Fault::VmiPausedError => machine("Paused") && instance("Paused", "PausedIOError"),
        Fault::VmiPaused => machine("Paused") && instance("Paused", "PausedByUser"),
        Fault::VmiUnschedulable => {
            machine("ErrorUnschedulable")
                && any(cluster, Kind::VirtualMachineInstance, namespace, |one| {
                    one["status"]["phase"] == "Scheduling"
                })
        }
        Fault::VmiFailed => machine("CrashLoopBackOff"),
        Fault::GuestAgentNotConnected => any(cluster, Kind::VirtualMachineInstance, namespace, |one| {
            !condition(one, "AgentConnected", "True", "")
        }),
        Fault::ShowroomPodDown => ready_endpoints(cluster, namespace, "showroom") == 0,
        Fault::InferenceserviceMissing => cluster.list(Kind::InferenceService, namespace).is_empty(),
        Fault::InferenceserviceNotReady => any(cluster, Kind::InferenceService, namespace, |service| {
            condition(service, "Ready", "False", "RevisionFailed")
        }),
        Fault::HealthCheckFailed
        | Fault::ShowroomNotReady
        | Fault::ShowroomNotReachable
        | Fault::ShowroomContentMissing
        | Fault::InferenceFailed => true,
    }
}

/// What is not as it should be in a fleet, apart from its noise.
fn complaints(fleet: &Fleet) -> Vec<String> {
    let mut complaints = Vec::new();
    for cluster in &fleet.clusters {
        let mut complain = |object: &Value| {
            complaints.push(format!(
                "{} {} {}/{}",
                cluster.name(),
                object["kind"],
                object["metadata"]["namespace"],
                object["metadata"]["name"]
            ))
        };
        for pod in cluster.list(Kind::Pod, "") {
            let noise = pod["metadata"]["name"].as_str().unwrap().starts_with("debug-")
                || matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
            if !noise && !condition(&pod, "Ready", "True", "") {
                complain(&pod);
            }
        }
        for deployment in cluster.list(Kind::Deployment, "") {
            if deployment["status"]["readyReplicas"].as_i64().unwrap_or(0) != deployment["spec"]["replicas"].as_i64().unwrap()
                || condition(&deployment, "ReplicaFailure", "True", "")
            {
                complain(&deployment);
            }
        }
        for machine in cluster.list(Kind::VirtualMachine, "") {
            if machine["spec"]["runStrategy"] != "Halted" && machine["status"]["printableStatus"] != "Running" {
                complain(&machine);
            }
        }
        for route in cluster.list(Kind::Route, "") {
            let namespace = route["metadata"]["namespace"].as_str().unwrap();
            let stopped = cluster
                .list(Kind::Pod, namespace)
                .iter()
                .all(|pod| pod["status"]["phase"] != "Running");
            if !stopped && ready_endpoints(cluster, namespace, route["spec"]["to"]["name"].as_str().unwrap()) == 0 {
                complain(&route);
            }
        }
        for claim in cluster.list(Kind::PersistentVolumeClaim, "") {
            if claim["status"]["phase"] != "Bound" {
                complain(&claim);
            }
        }
        for node in cluster.list(Kind::Node, "") {
            if !condition(&node, "Ready", "True", "") {
                complain(&node);
            }
        }
    }
    complaints
}

#[test]
fn every_fault_shows_lasts_and_heals() {
    let fleet = fleet();
    let before = complaints(&fleet);
    let mut struck: Vec<(Cluster, String, Fault)> = Vec::new();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for fault in Fault::ALL.iter().copied() {
        let place = if fault.strikes_cluster() {
            // A cluster for each, as they would hide each other.
            let cluster = &fleet.clusters[struck.len()];
            cluster.inject("", fault).then(|| (cluster.clone(), String::new()))
        } else {
            fleet.labs.iter().find_map(|lab| {
                let cluster = fleet.cluster(&lab.cluster).unwrap();
                let free = !used.contains(&lab.namespace);
                (free && cluster.inject(&lab.namespace, fault)).then(|| (cluster.clone(), lab.namespace.clone()))
            })
        };
        let (cluster, namespace) = place.unwrap_or_else(|| panic!("nothing to inject {fault:?} into"));
        assert!(!cluster.inject(&namespace, fault), "it is in force already");
        used.insert(namespace.clone());
        struck.push((cluster, namespace, fault));
    }
    for minutes in [1, 4, 12] {
        fleet.clock.advance(TimeDelta::minutes(minutes));
        for (cluster, namespace, fault) in &struck {
            assert!(
                shows(cluster, namespace, *fault),
                "{fault:?} in {namespace} after {minutes} more minutes"
            );
        }
    }
    assert_eq!(
        fleet.clusters.iter().map(|cluster| cluster.ailments().len()).sum::<usize>(),
        struck.len()
    );
    for (cluster, namespace, fault) in &struck {
        assert!(cluster.heal(namespace, *fault), "{fault:?}");
        assert!(!cluster.heal(namespace, *fault));
    }
    fleet.clock.advance(TimeDelta::minutes(5));
    assert_eq!(complaints(&fleet), before);
    assert!(fleet.clusters.iter().all(|cluster| cluster.restless().is_empty()));
    let classes: BTreeSet<&str> = Fault::ALL.iter().map(|fault| fault.class()).collect();
    assert!(classes.len() >= 33, "{}", classes.len());
}

#[test]
fn a_restart_cures_what_is_curable_and_nothing_else() {
    let fleet = fleet();
    let lab = fleet.labs.iter().find(|lab| lab.namespace.ends_with("webshop")).unwrap();
    let cluster = fleet.cluster(&lab.cluster).unwrap();
    let restart = || {
        for pod in cluster.list(Kind::Pod, &lab.namespace) {
            if pod["metadata"]["labels"]["app"] == "api" || pod["metadata"]["labels"]["app"] == "web" {
                cluster.remove(Kind::Pod, &lab.namespace, pod["metadata"]["name"].as_str().unwrap());
            }
        }
        fleet.clock.advance(TimeDelta::minutes(1));
    };
    assert!(cluster.inject(&lab.namespace, Fault::PodsCrashlooping));
    fleet.clock.advance(TimeDelta::minutes(1));
    restart();
    assert!(shows(cluster, &lab.namespace, Fault::PodsCrashlooping));
    cluster.heal(&lab.namespace, Fault::PodsCrashlooping);
    assert!(cluster.inject_curable(&lab.namespace, Fault::PodsCrashlooping));
    fleet.clock.advance(TimeDelta::minutes(1));
    assert!(shows(cluster, &lab.namespace, Fault::PodsCrashlooping));
    restart();
    assert!(!shows(cluster, &lab.namespace, Fault::PodsCrashlooping));
}

#[tokio::test]
async fn overload_shows_in_the_usage() {
    let fleet = fleet();
    let cluster = &fleet.clusters[2];
    let usage = async || {
        let response = cluster
            .router()
            .oneshot(Request::get("/apis/metrics.k8s.io/v1beta1/nodes").body(Body::empty()).unwrap())
            .await
            .unwrap();
        let list: Value = serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap();
        let workers = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["metadata"]["name"].as_str().unwrap().starts_with("worker"));
        let cores: Vec<f64> = workers
            .map(|item| item["usage"]["cpu"].as_str().unwrap().trim_end_matches('n').parse::<f64>().unwrap() / 63.5e9)
            .collect();
        cores.iter().sum::<f64>() / f64::from(u32::try_from(cores.len()).unwrap())
    };
    assert!(usage().await < 0.6);
    cluster.inject("", Fault::ClusterOverloaded);
    assert!(usage().await > 0.85);
    cluster.heal("", Fault::ClusterOverloaded);
    assert!(usage().await < 0.6);
}

#[test]
fn a_fault_is_injected_by_name_and_nobody_else_touches_the_lab() {
    let fleet = fleet();
    for fault in Fault::ALL {
        assert_eq!(format!("{fault:?}").parse(), Ok(*fault));
    }
    let fault: Fault = "image-pull-unauthorized".parse().unwrap();
    assert_eq!(fault, Fault::ImagePullUnauthorized);
    assert!("image-pull".parse::<Fault>().is_err());

    let story = Story::of(&fleet, 11);
    let mut scenario = Scenario::new(&fleet, 11).with_story(story.clone());
    let whole = |lab: &&stargate_sim::Lab| {
        let hit = scenario.active().any(|(_, namespace, _)| namespace == lab.namespace);
        !hit && lab.namespace.ends_with("webshop") && !story.is_at_rest(&lab.cluster, &lab.namespace)
    };
    let lab = fleet.labs.iter().find(whole).unwrap().clone();
    assert!(!fleet.inject("no-such-cluster", &lab.namespace, fault));
    assert!(!fleet.inject(&lab.cluster, "no-such-namespace", fault));
    assert!(fleet.inject(&lab.cluster, &lab.namespace, fault));
    assert!(!fleet.inject(&lab.cluster, &lab.namespace, fault), "it is in force already");
    let cluster = fleet.cluster(&lab.cluster).unwrap();
    for _ in 0..240 {
        fleet.clock.advance(TimeDelta::seconds(15));
        scenario.step();
    }
    assert!(shows(cluster, &lab.namespace, fault), "an hour later it is still there");
    let ailing = cluster.ailments().into_iter().filter(|(namespace, ..)| *namespace == lab.namespace);
    assert_eq!(
        ailing.map(|(_, fault, _)| fault).collect::<Vec<_>>(),
        [fault],
        "and nothing besides"
    );
    assert!(!story.is_at_rest(&lab.cluster, &lab.namespace), "nobody stopped it");
    assert!(fleet.heal(&lab.cluster, &lab.namespace, fault));
    assert!(!fleet.heal(&lab.cluster, &lab.namespace, fault));
    fleet.clock.advance(TimeDelta::minutes(2));
    assert!(!shows(cluster, &lab.namespace, fault));
}
