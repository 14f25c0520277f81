//! The demo fleet: eight clusters with about four hundred labs.

use chrono::TimeDelta;

use super::{
    labs::{self, Lab, LabKind},
    operators, platform,
};
use crate::{clock::SimClock, cluster::Cluster, fleet::Fleet, seed::Seed};

/// Names of the demo clusters, and how many labs each has.
const CLUSTERS: [(&str, usize); 8] = [
    ("cnv-east-1", 78),
    ("cnv-east-2", 64),
    ("cnv-west-1", 71),
    ("cnv-west-2", 45),
    ("cnv-emea-1", 52),
    ("cnv-apac-1", 33),
    ("ocp-shared-1", 46),
    ("ai-gpu-1", 17),
];

/// How many in a hundred labs are of which kind.
fn kind_of(cluster: &str, seed: &mut Seed) -> LabKind {
    let draw = seed.below(100);
    if cluster.starts_with("ai-") {
        return if draw < 70 { LabKind::Model } else { LabKind::Container };
    }
    if cluster.starts_with("ocp-") {
        return if draw < 75 { LabKind::Container } else { LabKind::Showroom };
    }
    match draw {
        0..26 => LabKind::Container,
        26..48 => LabKind::Machine,
        48..74 => LabKind::ContainerAndMachine,
        74..78 => LabKind::Model,
        78..88 => LabKind::Showroom,
        _ => LabKind::NestedCluster,
    }
}

/// Builds the demo fleet, everything healthy. Clusters are independent of each other, so they are built side by side.
pub(crate) fn fleet(seed: u64, clock: &SimClock) -> Fleet {
    let root = Seed::new(seed);
    let (mut clusters, mut labs) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let building: Vec<_> = CLUSTERS
            .iter()
            .map(|(name, count)| scope.spawn(|| build(name, *count, &root, clock)))
            .collect();
        for handle in building {
            // A panic in there is a bug of the generator and stays one.
            let (cluster, its_labs) = handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            clusters.push(cluster);
            labs.extend(its_labs);
        }
    });
    clusters.sort_by(|left, right| left.name().cmp(right.name()));
    labs.sort_by(|left, right| (&left.cluster, &left.namespace).cmp(&(&right.cluster, &right.namespace)));
    Fleet {
        clock: clock.clone(),
        clusters,
        labs,
    }
}

fn build(name: &str, count: usize, root: &Seed, clock: &SimClock) -> (Cluster, Vec<Lab>) {
    let now = clock.now();
    let cluster = Cluster::new(name, clock.clone(), root);
    let mut seed = root.for_name(name).for_name("labs");
    if name.starts_with("ocp-") {
        for group in ["kubevirt.io", "cdi.kubevirt.io", "serving.kserve.io"] {
            cluster.drop_api_group(group);
        }
    }
    let mut labs = Vec::new();
    cluster.with(|state, _| {
        platform::build(state, name, 6 + count / 3, now, &mut seed);
        operators::subscribe(state, name, now);
        for number in 0..count {
            let kind = kind_of(name, &mut seed);
            let created = now - TimeDelta::minutes(seed.between(40, 4 * 24 * 60));
            let lab = labs::invent(name, kind, created, &mut seed);
            labs::build(state, &lab, &mut seed);
            // Every twentieth lab is stopped until its owner comes back.
            if number % 20 == 7 {
                labs::stop(state, &lab.namespace, created + TimeDelta::minutes(30));
            }
            labs.push(lab);
        }
        state.store.forget();
    });
    (cluster, labs)
}

/// Kinds of labs, for a new lab on a cluster.
pub(crate) fn invent_on(cluster: &str, now: chrono::DateTime<chrono::Utc>, seed: &mut Seed) -> Lab {
    let kind = kind_of(cluster, seed);
    labs::invent(cluster, kind, now, seed)
}

/// A new lab of a catalog base, on a cluster that can have it: machines need one with virtualization.
pub(crate) fn invent_of(cluster: &str, base: &str, now: chrono::DateTime<chrono::Utc>, seed: &mut Seed) -> Lab {
    let kind = LabKind::ALL
        .into_iter()
        .find(|kind| kind.bases().contains(&base))
        .unwrap_or(LabKind::Container);
    let fits = match kind {
        LabKind::Container | LabKind::Showroom => true,
        LabKind::Model => !cluster.starts_with("ocp-"),
        LabKind::Machine | LabKind::ContainerAndMachine | LabKind::NestedCluster => cluster.starts_with("cnv-"),
    };
    if !fits {
        return invent_on(cluster, now, seed);
    }
    labs::invent_of(cluster, kind, base, now, seed)
}
