//! The entry criterion that most namespace stages share: is the namespace there?

use super::{Grade, Observation, Value, View, namespace};
use crate::objects::{Inventory, Listing};
use crate::unknown::UnknownReason;

/// Whether the namespace exists and is not going away, as namespace-ready sees it.
///
/// A namespace object that nobody read is bridged by what lives in it: a pod proves its namespace. That conclusion is
/// graded `inferred`. A read that failed is never bridged.
#[must_use]
pub fn namespace_exists(view: &View) -> Observation {
    let read = namespace::observe(view).observations.remove("namespace_exists");
    let read = read.unwrap_or_else(|| Observation::unknown(UnknownReason::NotCollected));
    if read.value == Value::Unknown(UnknownReason::NotCollected) && holds_something(view.inventory) {
        return Observation {
            grade: Grade::Inferred,
            ..Observation::known(true)
        };
    }
    read
}

/// Whether any object of the namespace was read.
fn holds_something(inventory: &Inventory) -> bool {
    const fn some<T>(listing: &Listing<T>) -> bool {
        !listing.items.is_empty()
    }
    some(&inventory.pods)
        || some(&inventory.deployments)
        || some(&inventory.stateful_sets)
        || some(&inventory.daemon_sets)
        || some(&inventory.deployment_configs)
        || some(&inventory.jobs)
        || some(&inventory.services)
        || some(&inventory.routes)
        || some(&inventory.vms)
        || some(&inventory.vmis)
        || some(&inventory.data_volumes)
        || some(&inventory.claims)
        || some(&inventory.inference_services)
}
