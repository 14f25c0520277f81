//! Faults of whole clusters and of namespaces.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Repair, Wound};
use crate::{
    clock::stamp,
    cluster::State,
    control::derive::values,
    generate::platform::set_usage,
    kinds::Kind,
    objects::{Condition, name, platform, set_condition},
};

impl Wound<'_> {
    /// Lets all workers use as much of their CPU and memory, give or take a little.
    pub(super) fn load_nodes(&mut self, cpu_percent: i64, memory_percent: i64) -> bool {
        let nodes = self.state.draw.nodes.clone();
        for node in &nodes {
            let (cpu, memory) = (
                cpu_percent + self.state.draw.seed.between(-4, 4),
                memory_percent + self.state.draw.seed.between(-2, 2),
            );
            set_usage(self.state, node, cpu, memory, self.now);
        }
        let any = !nodes.is_empty();
        self.repairs.push(Repair::Nodes(nodes));
        any
    }

    pub(super) fn lose_node(&mut self) -> bool {
        let Some(lost) = self.state.draw.nodes.get(self.state.draw.nodes.len() / 2).cloned() else {
            return false;
        };
        let Some(mut node) = self.state.store.value(Kind::Node, "", &lost, self.now) else {
            return false;
        };
        platform::set_node_ready(&mut node, false, self.since);
        self.state.store.put(Kind::Node, node, self.now);
        self.repairs.push(Repair::Nodes(vec![lost]));
        true
    }

    pub(super) fn lose_namespace(&mut self) -> bool {
        let Some(namespace) = self.state.store.value(Kind::Namespace, "", self.namespace, self.now) else {
            return false;
        };
        self.repairs.push(Repair::Restore(Kind::Namespace, Box::new(namespace)));
        for kind in Kind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.info().namespaced && *kind != Kind::Event)
        {
            for object in self.values(kind) {
                self.repairs.push(Repair::Restore(kind, Box::new(object)));
            }
        }
        crate::control::remove_namespace(self.state, self.namespace, self.now);
        true
    }

    /// The namespace waits for a finalizer that nobody removes: for at least two hours and ten minutes, or it would not be
    /// stuck yet.
    pub(super) fn stick_teardown(&mut self) -> bool {
        let Some(mut namespace) = self.state.store.value(Kind::Namespace, "", self.namespace, self.now) else {
            return false;
        };
        let since = self.since.min(self.now - TimeDelta::minutes(130));
        self.state.control.stuck.insert(self.namespace.to_owned());
        for kind in Kind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.info().namespaced && *kind != Kind::DataVolume)
        {
            for object in self.values(kind) {
                self.drop_object(kind, name(&object));
            }
        }
        self.state.store.take_removed_uids(self.namespace);
        namespace["metadata"]["deletionTimestamp"] = json!(stamp(since));
        namespace["status"]["phase"] = json!("Terminating");
        for (sort, reason, message) in [
            (
                "NamespaceDeletionDiscoveryFailure",
                "ResourcesDiscovered",
                "All resources successfully discovered",
            ),
            (
                "NamespaceDeletionContentFailure",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
        ] {
            set_condition(
                &mut namespace,
                Condition {
                    sort,
                    status: false,
                    reason,
                    message,
                },
                since,
            );
        }
        for (sort, reason, message) in [
            (
                "NamespaceContentRemaining",
                "SomeResourcesRemain",
                "Some resources are remaining: virtualmachineinstances.kubevirt.io has 1 resource instances",
            ),
            (
                "NamespaceFinalizersRemaining",
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: foregroundDeleteVirtualMachine in 1 resource instances",
            ),
        ] {
            set_condition(
                &mut namespace,
                Condition {
                    sort,
                    status: true,
                    reason,
                    message,
                },
                since,
            );
        }
        self.state.store.put(Kind::Namespace, namespace, self.now);
        self.repairs.push(Repair::LetGo);
        true
    }
}

/// Brings nodes back to normal use and reporting.
pub(super) fn restore(state: &mut State, nodes: &[String], now: DateTime<Utc>) {
    for mut node in values(state, Kind::Node, "", now)
        .into_iter()
        .filter(|node| nodes.iter().any(|one| one == name(node)))
    {
        let (cpu, memory) = (state.draw.seed.between(28, 58), state.draw.seed.between(40, 68));
        set_usage(state, name(&node), cpu, memory, now);
        platform::set_node_ready(&mut node, true, now);
        state.store.put(Kind::Node, node, now);
    }
}
