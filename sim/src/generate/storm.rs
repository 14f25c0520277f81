//! A bad morning: ten clusters with 27,929 unhealthy pods, of which 27,298 are the fault of one clean-up job and 49 labs are
//! really broken. The rest is noise that must not be reported.
//!
//! ```text
//! storage-maintenance/volume-clean-up   a CronJob, hourly, keeps its failed Jobs: 390 Jobs of 7 pods on each cluster
//! 360 labs                              49 broken in nine ways; many others with evicted pods and old failed jobs
//! team-*                                other people's applications, some of them in pieces
//! ```
//!
//! The failed pods are made from templates as those of [`super::bench`], so they weigh little until they are read.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    bench,
    labs::{self, Lab, LabKind},
    platform,
};
use crate::{
    clock::SimClock,
    cluster::{Cluster, State},
    control::derive::values,
    draw::Draw,
    fault::Fault,
    fleet::Fleet,
    kinds::Kind,
    managed,
    objects::{
        Site, name, number, owner_of,
        pod::{self, PodState},
        text, workload,
    },
    seed::Seed,
    store::Store,
    template::{Slot, Stamp, Template},
    yard::{Container, Yard},
};

/// Clusters of the storm.
const CLUSTERS: usize = 10;
/// Labs on each.
const LABS: usize = 36;
/// Pods that are neither ready nor completed, on all clusters.
const UNHEALTHY: usize = 27_929;
/// Of these, pods that the clean-up job left behind.
const LEFT_BEHIND: usize = 27_298;
/// Pods of one failed Job: the first and six retries.
const PODS_OF_A_JOB: usize = 7;
/// Stands for the number of a Job in its prototype; no drawn text is like it.
const NUMBER: &str = "29999999";
/// Where the clean-up job runs.
const NAMESPACE: &str = "storage-maintenance";
/// What it is called.
const JOB: &str = "volume-clean-up";
/// Attempts to find a lab for a fault before the fault is given up, which no seed in use needs.
const ATTEMPTS: usize = 500;

/// What is really broken: how, how many labs, and only on the cluster with this index.
const BROKEN: [(Fault, usize, Option<usize>); 9] = [
    (Fault::VmiUnschedulable, 8, Some(2)),
    (Fault::ShowroomPodDown, 17, None),
    (Fault::ImagePullUnauthorized, 9, None),
    (Fault::PodsCrashlooping, 5, None),
    (Fault::DatavolumeFailed, 3, None),
    (Fault::RouteNotAdmitted, 3, None),
    (Fault::OomKilled, 2, None),
    (Fault::PvcNotBound, 1, None),
    (Fault::InferenceserviceNotReady, 1, None),
];

/// A fleet in a storm, and what an operator should learn about it.
#[derive(Clone, Debug)]
pub struct Storm {
    /// The clusters and all their labs.
    pub fleet: Fleet,
    /// The labs that are really broken, and how.
    pub broken: Vec<(Lab, Fault)>,
    /// Namespace and name of the CronJob that left most of the unhealthy pods behind.
    pub clean_up: (&'static str, &'static str),
    /// Pods that are neither ready nor completed.
    pub unhealthy: usize,
    /// Of these, pods of the clean-up job.
    pub left_behind: usize,
}

/// Builds the storm as it is now.
pub(crate) fn storm(seed: u64, clock: &SimClock) -> Storm {
    let root = Seed::new(seed).for_name("storm");
    let now = clock.now();
    let mut fleet = Fleet {
        clock: clock.clone(),
        clusters: Vec::new(),
        labs: Vec::new(),
    };
    for index in 0..CLUSTERS {
        let cluster = Cluster::new(&format!("cnv-{:02}", index + 1), clock.clone(), &root);
        let mut seed = root.for_name(cluster.name());
        let pods = LEFT_BEHIND / CLUSTERS + usize::from(index < LEFT_BEHIND % CLUSTERS);
        cluster.with(|state, _| {
            platform::build(state, cluster.name(), 14, now, &mut seed);
            leave_behind(state, pods, now, &seed);
            for number in 0..LABS {
                let kind = LabKind::ALL[number % LabKind::ALL.len()];
                let created = now - TimeDelta::minutes(seed.between(3 * 24 * 60, 6 * 24 * 60));
                let lab = labs::invent(cluster.name(), kind, created, &mut seed);
                labs::build(state, &lab, &mut seed);
                fleet.labs.push(lab);
            }
            state.store.forget();
        });
        fleet.clusters.push(cluster);
    }
    let mut seed = root.for_name("what-is-broken");
    let broken = break_labs(&fleet, now, &mut seed);
    add_noise(&fleet, &broken, now);
    Storm {
        fleet,
        broken,
        clean_up: (NAMESPACE, JOB),
        unhealthy: UNHEALTHY,
        left_behind: LEFT_BEHIND,
    }
}

/// The clean-up job's namespace: its CronJob, the Jobs that failed hour after hour, and their pods.
fn leave_behind(state: &mut State, pods: usize, now: DateTime<Utc>, root: &Seed) {
    let installed = now - TimeDelta::days(90);
    Yard {
        state,
        namespace: NAMESPACE,
        at: installed,
    }
    .open(&json!({}));
    let container = Container {
        variables: 6,
        ..Container::new(JOB, "storage-tools:2.8", None)
    };
    let template = pod::template(&json!({"app": JOB}), &[], &[container], &[]);
    let mut site = Site {
        draw: &mut state.draw,
        namespace: NAMESPACE,
        at: installed,
    };
    let mut cron_job = workload::cron_job(&mut site, JOB, "27 * * * *", &template);
    // Somebody wanted to see why it fails.
    cron_job["spec"]["failedJobsHistoryLimit"] = json!(1000);
    state.store.put(Kind::CronJob, cron_job.clone(), installed);

    let nodes: Arc<[String]> = state.draw.nodes.clone().into();
    let prototype = prototype(&cron_job, &template, &nodes, root);
    let jobs = pods.div_ceil(PODS_OF_A_JOB);
    let mut left = pods;
    for run in 0..jobs {
        let at = now - TimeDelta::hours(i64::try_from(jobs - run).unwrap_or(1));
        let stamp = Arc::new(Stamp {
            namespace: NAMESPACE.into(),
            guid: format!("{:08}", at.timestamp() / 60).into(),
            service_uuid: "".into(),
            seed: root.for_name("runs").for_index(run as u64),
            created: at,
            nodes: Arc::clone(&nodes),
        });
        for template in &prototype {
            if template.kind == Kind::Pod {
                if left == 0 {
                    continue;
                }
                left -= 1;
            }
            state.store.put_stamped(template, &stamp);
        }
    }
}

/// A Job that used up its retries, and its pods, as templates.
fn prototype(cron_job: &Value, template: &Value, nodes: &Arc<[String]>, root: &Seed) -> Vec<Arc<Template>> {
    let created = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let draw = Draw::recording(root.for_name("prototype"), nodes.to_vec());
    let mut state = State::new(Store::new(1), draw, String::new());
    let job_name = format!("{JOB}-{NUMBER}");
    let mut site = Site {
        draw: &mut state.draw,
        namespace: NAMESPACE,
        at: created,
    };
    let mut job = workload::job(&mut site, &job_name, template, 6);
    job["metadata"]["ownerReferences"] = owner_of(cron_job);
    for attempt in 0..PODS_OF_A_JOB {
        // Retries come after 10 s, 20 s, 40 s and so on.
        let at = created + TimeDelta::seconds(10 * ((1 << attempt) - 1));
        let pod_name = format!("{job_name}-{}", state.draw.suffix());
        Yard {
            state: &mut state,
            namespace: NAMESPACE,
            at,
        }
        .pod(&job["spec"]["template"], &pod_name, Some(&job), &PodState::Failed { exit_code: 1 });
    }
    let mut yard = Yard {
        state: &mut state,
        namespace: NAMESPACE,
        at: created,
    };
    yard.put(Kind::Job, job);
    yard.close();
    let mut objects: Vec<(Kind, Value)> = Vec::new();
    for kind in [Kind::Job, Kind::Pod] {
        objects.extend(values(&state, kind, NAMESPACE, created).into_iter().map(|object| (kind, object)));
    }
    let mut replacements = vec![(NUMBER.to_owned(), Slot::Guid)];
    replacements.extend(state.draw.into_recorded());
    let templates = objects.into_iter().map(|(kind, mut object)| {
        managed::add(&mut object);
        object["metadata"]["resourceVersion"] = Slot::Version.mark().into();
        bench::mark(&mut object, &replacements, created);
        Arc::new(Template::compile(kind, object))
    });
    templates.collect()
}

/// Breaks the labs that are to be broken, some time during the last hours.
fn break_labs(fleet: &Fleet, now: DateTime<Utc>, seed: &mut Seed) -> Vec<(Lab, Fault)> {
    let mut broken: Vec<(Lab, Fault)> = Vec::new();
    for (fault, count, only_on) in BROKEN {
        let mut left = count;
        for _ in 0..ATTEMPTS {
            let lab = fleet.labs.get(seed.below(fleet.labs.len()));
            let Some(lab) = lab.filter(|_| left > 0) else { break };
            let Some(index) = fleet.clusters.iter().position(|cluster| cluster.name() == lab.cluster) else {
                continue;
            };
            let taken = broken.iter().any(|(other, _)| other.namespace == lab.namespace);
            let since = now - TimeDelta::minutes(seed.between(25, 180));
            if !taken && only_on.is_none_or(|only| only == index) && fleet.clusters[index].inject_since(&lab.namespace, fault, since) {
                broken.push((lab.clone(), fault));
                left -= 1;
            }
        }
    }
    broken.sort_by(|left, right| (&left.0.cluster, &left.0.namespace).cmp(&(&right.0.cluster, &right.0.namespace)));
    broken
}

/// Pods that are unhealthy and mean nothing: evicted ones with a replacement and old jobs in labs, and other people's trouble.
fn add_noise(fleet: &Fleet, broken: &[(Lab, Fault)], now: DateTime<Utc>) {
    for (index, lab) in fleet.labs.iter().enumerate() {
        let is_broken = broken.iter().any(|(other, _)| other.namespace == lab.namespace);
        let Some(cluster) = fleet.cluster(&lab.cluster).filter(|_| !is_broken) else {
            continue;
        };
        cluster.with(|state, _| match index % 5 {
            0 => evict(state, &lab.namespace, now - TimeDelta::hours(7)),
            1 if lab.kind == LabKind::Container => {
                let mut yard = Yard {
                    state,
                    namespace: &lab.namespace,
                    at: now - TimeDelta::hours(40),
                };
                yard.job("load-fixtures", false).close();
            }
            _ => {}
        });
    }
    let so_far: usize = fleet.clusters.iter().map(|cluster| unhealthy(cluster, &fleet.labs)).sum();
    let missing = (UNHEALTHY - LEFT_BEHIND).saturating_sub(so_far);
    for (index, cluster) in fleet.clusters.iter().enumerate() {
        let pods = missing / CLUSTERS + usize::from(index < missing % CLUSTERS);
        cluster.with(|state, _| {
            let mut yard = Yard {
                state,
                namespace: "team-sandbox",
                at: now - TimeDelta::days(12),
            };
            yard.open(&json!({}));
            for number in 0..pods {
                yard.stray_pod(&format!("try-{number:02}"));
            }
            yard.close();
        });
    }
}

/// A pod of the lab was thrown off its node a while ago and has long been replaced.
fn evict(state: &mut State, namespace: &str, at: DateTime<Utc>) {
    let sets = values(state, Kind::ReplicaSet, namespace, at);
    if let Some(set) = sets.iter().find(|set| number(set, "/spec/replicas", 0) > 0) {
        let pod_name = format!("{}-{}", name(set), state.draw.suffix());
        let mut yard = Yard { state, namespace, at };
        yard.pod(&set["spec"]["template"], &pod_name, Some(set), &PodState::Evicted);
    }
}

/// Pods of a cluster that are neither ready nor completed, without those of the clean-up job.
fn unhealthy(cluster: &Cluster, labs: &[Lab]) -> usize {
    let of_labs = labs
        .iter()
        .filter(|lab| lab.cluster == cluster.name())
        .map(|lab| lab.namespace.as_str());
    let pods = of_labs
        .chain(["web-portal"])
        .flat_map(|namespace| cluster.list(Kind::Pod, namespace));
    pods.filter(is_unhealthy).count()
}

/// Whether a pod is neither ready nor completed: what a count of unhealthy pods counts.
#[must_use]
pub fn is_unhealthy(pod: &Value) -> bool {
    text(pod, "/status/phase") != "Succeeded" && !pod::is_ready(pod)
}
