//! How large it should be, and which OpenShift version it should run on.

use super::{Compared, Place, ViolationKind, joined, unread, words};
use crate::evidence::quantity;
use crate::objects::{ClusterInventory, Inventory, VirtualMachine};
use crate::provisioning::catalog::{Constraints, Wanted};

const KIND: ViolationKind = ViolationKind::ResourceBelowSpec;
const GIB: f64 = 1_073_741_824.0;

/// Compares version, number of workers, their cores and memory.
pub(super) fn compare(wanted: &Constraints, at: Place, inventory: &Inventory, cluster: &ClusterInventory, compared: &mut Compared) {
    version(wanted, at, cluster, compared);
    let demands = [
        wanted.worker_count.map(|count| format!("{count} workers")),
        wanted.worker_cores.map(|cores| format!("{cores} cores a worker")),
        wanted.worker_memory_gib.map(|memory| format!("{memory} GiB a worker")),
    ];
    let workers: Vec<&VirtualMachine> = inventory.vms.items.iter().filter(|vm| is_worker(vm)).collect();
    let reason = match (at, unread("VirtualMachines", &inventory.vms)) {
        (Place::Here | Place::Elsewhere, _) => Some("its workers are no virtual machines of this namespace".to_owned()),
        (Place::Machines, Some(unread)) => Some(unread),
        (Place::Machines, None) => workers.is_empty().then(|| "no VirtualMachine here is named as a worker".to_owned()),
    };
    if let Some(reason) = reason {
        for demand in demands.into_iter().flatten() {
            compared.unknown(KIND, demand, &reason);
        }
        return;
    }
    let [count, cores, memory] = demands;
    if let (Some(expected), Some(wanted)) = (count, wanted.worker_count)
        && usize::try_from(wanted).is_ok_and(|wanted| workers.len() < wanted)
    {
        let names = joined(workers.iter().map(|vm| vm.metadata.name.as_str()));
        compared.broken(KIND, expected, workers.len().to_string(), format!("VirtualMachines {names}"));
    }
    if let (Some(expected), Some(wanted)) = (cores, wanted.worker_cores) {
        let of = |vm: &VirtualMachine| vm.spec.template.spec.domain.cores();
        smallest(&workers, of, wanted, "cores", expected, compared);
    }
    if let (Some(expected), Some(wanted)) = (memory, wanted.worker_memory_gib) {
        smallest(&workers, memory_gib, wanted, "GiB of memory", expected, compared);
    }
}

/// Tells of the worker that has least, if that is too little. A worker that does not say is not known.
fn smallest(
    workers: &[&VirtualMachine],
    of: impl Fn(&VirtualMachine) -> Option<i64>,
    wanted: i64,
    what: &str,
    expected: String,
    compared: &mut Compared,
) {
    let known = workers.iter().filter_map(|vm| Some((of(vm)?, vm.metadata.name.as_str())));
    match known.min() {
        Some((least, name)) if least < wanted => {
            compared.broken(
                KIND,
                expected,
                least.to_string(),
                format!("VirtualMachine {name} has {least} {what}"),
            );
        }
        Some(_) if workers.iter().all(|vm| of(vm).is_some()) => {}
        _ => compared.unknown(KIND, expected, "not every worker says how large it is: it follows an instance type"),
    }
}

fn memory_gib(vm: &VirtualMachine) -> Option<i64> {
    let guest = vm.spec.template.spec.domain.memory.as_ref()?.guest.as_deref()?;
    let bytes = quantity::parse(guest)?;
    // Decimal units are meant as binary ones by those who write them: 64G is not below 64 GiB.
    let unit = if guest.ends_with('G') { 1e9 } else { GIB };
    #[expect(clippy::cast_possible_truncation, reason = "machines have less than 9e18 GiB")]
    Some((bytes / unit).round() as i64)
}

/// A machine is a worker by a whole word of its name: `worker-cluster-x-1`, never `coworker`.
fn is_worker(vm: &VirtualMachine) -> bool {
    vm.metadata.deletion_timestamp.is_none() && words(&vm.metadata.name).iter().any(|word| word == "worker" || word == "workers")
}

/// `4.16` is kept by 4.16.8, not by 4.17.1 nor by 4.1.6.
fn version(wanted: &Constraints, at: Place, cluster: &ClusterInventory, compared: &mut Compared) {
    let wanted = match &wanted.openshift_version {
        Wanted::Nothing => return,
        Wanted::Dynamic => return compared.unknown(KIND, "OpenShift of a template", "the version is a template"),
        Wanted::Exactly(version) => version,
    };
    let expected = format!("OpenShift {wanted}");
    let actual = cluster
        .versions
        .items
        .first()
        .map(|version| version.status.desired.version.as_str());
    match actual.filter(|version| !version.is_empty()) {
        _ if at != Place::Here => compared.unknown(KIND, expected, at.why_not()),
        None => {
            let reason =
                unread("the cluster's version", &cluster.versions).unwrap_or_else(|| "the cluster does not say its version".to_owned());
            compared.unknown(KIND, expected, reason);
        }
        Some(actual)
            if actual == wanted
                || actual
                    .strip_prefix(wanted.as_str())
                    .is_some_and(|rest| rest.starts_with(['.', '-'])) => {}
        Some(actual) => compared.broken(KIND, expected, actual, format!("cluster {} runs {actual}", cluster.name)),
    }
}
