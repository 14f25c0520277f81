//! What a service is supposed to do: readiness is judged against it.
//!
//! ```text
//! AnarchySubject states ─┐
//! namespace deletion    ─┼─> intent (started, stopped, unknown) and phase
//! stop annotations      ─┘   the last one only when nobody else tells
//! ```

use chrono::{DateTime, Utc};

use crate::evidence::provision::is_destroying;
use crate::evidence::vm::ORIGINAL_RUN_STRATEGY;
use crate::evidence::{Intent, Lifecycle, Phase, controllers};
use crate::objects::{Inventory, Subject, VirtualMachine};

/// Derives the lifecycle of one instance.
#[must_use]
pub fn derive(inventory: &Inventory) -> Lifecycle {
    let leaving = inventory
        .namespace
        .items
        .first()
        .and_then(|namespace| namespace.metadata.deletion_timestamp);
    let mut lifecycle = of_subjects(&inventory.subjects.items);
    if let Some(since) = leaving {
        lifecycle.phase = Phase::Destroying;
        lifecycle.since = Some(since);
    } else if inventory.subjects.items.is_empty() && stopped_by_platform(inventory) {
        lifecycle.phase = Phase::Stopped;
    }
    lifecycle
}

/// What one subject's states mean. `None` for a state that we do not know.
#[must_use]
pub fn phase_of(subject: &Subject) -> Option<Phase> {
    let wants_stop = subject.desired_state == "stopped";
    Some(match subject.current_state.as_str() {
        "" => Phase::Requested,
        "provision-queued" | "provision-pending" | "provisioning" => Phase::Provisioning,
        "provision-failed" | "provision-error" | "provision-canceled" => Phase::Failed,
        "started" if wants_stop => Phase::Stopping,
        "started" => Phase::Started,
        "start-pending" | "starting" | "update-pending" | "updating" => Phase::Starting,
        "start-failed" | "start-error" | "start-canceled" | "update-failed" | "update-error" | "update-canceled" => Phase::Failed,
        "stopped" if subject.desired_state == "started" => Phase::Starting,
        "stopped" => Phase::Stopped,
        "stop-pending" | "stopping" => Phase::Stopping,
        "stop-failed" | "stop-error" | "stop-canceled" => Phase::Failed,
        state if is_destroying(state) => Phase::Destroying,
        _ => return None,
    })
}

/// The components of a service act together: the one that is furthest from running names the phase.
fn of_subjects(subjects: &[Subject]) -> Lifecycle {
    if !subjects.is_empty() && subjects.iter().all(|subject| subject.deleting) {
        return Lifecycle {
            phase: Phase::Destroying,
            since: newest(subjects.iter()),
            intent: Intent::Unknown,
        };
    }
    let counted = || subjects.iter().filter(|subject| !subject.deleting);
    let phase = counted()
        .filter_map(phase_of)
        .max_by_key(|phase| weight(*phase))
        .unwrap_or_default();
    let wanted = |state: &str| counted().any(|subject| subject.desired_state == state);
    let intent = match (wanted("started"), wanted("stopped")) {
        (true, _) => Intent::Started,
        (false, true) => Intent::Stopped,
        (false, false) => Intent::Unknown,
    };
    Lifecycle {
        intent,
        phase,
        since: newest(counted().filter(|subject| phase_of(subject) == Some(phase))),
    }
}

fn newest<'a>(subjects: impl Iterator<Item = &'a Subject>) -> Option<DateTime<Utc>> {
    subjects.filter_map(|subject| subject.state_since).max()
}

const fn weight(phase: Phase) -> u8 {
    match phase {
        Phase::Unknown => 0,
        Phase::Started => 1,
        Phase::Stopped => 2,
        Phase::Stopping => 3,
        Phase::Starting => 4,
        Phase::Requested => 5,
        Phase::Provisioning => 6,
        Phase::Failed => 7,
        Phase::Destroying => 8,
    }
}

/// Whether everything that could run carries the platform's stop mark. VMs with the older `spec.running` never do.
fn stopped_by_platform(inventory: &Inventory) -> bool {
    let controllers = controllers::of(inventory);
    let marked = |vm: &VirtualMachine| vm.metadata.annotations.contains_key(ORIGINAL_RUN_STRATEGY);
    let halted = |vm: &VirtualMachine| match vm.spec.run_strategy.as_deref() {
        Some(strategy) => strategy == "Halted" && marked(vm),
        None => vm.spec.running == Some(false),
    };
    let vms = &inventory.vms.items;
    let any_mark = controllers.any_stopped_by_platform() || vms.iter().any(marked);
    any_mark && (controllers.counted.is_empty() || controllers.all_at_zero()) && vms.iter().all(halted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Listing;

    fn subject(current: &str, desired: &str) -> Subject {
        Subject {
            current_state: current.into(),
            desired_state: desired.into(),
            ..Subject::default()
        }
    }

    fn of(subjects: Vec<Subject>) -> (Intent, Phase) {
        let inventory = Inventory {
            subjects: Listing::complete(subjects),
            ..Inventory::default()
        };
        let Lifecycle { intent, phase, .. } = derive(&inventory);
        (intent, phase)
    }

    #[test]
    fn reads_every_state_of_the_governor() {
        for (current, desired, phase) in [
            ("", "started", Phase::Requested),
            ("provision-queued", "started", Phase::Provisioning),
            ("provision-canceled", "started", Phase::Failed),
            ("started", "started", Phase::Started),
            ("started", "stopped", Phase::Stopping),
            ("updating", "started", Phase::Starting),
            ("update-error", "started", Phase::Failed),
            ("stopped", "stopped", Phase::Stopped),
            ("stopped", "started", Phase::Starting),
            ("stopping", "stopped", Phase::Stopping),
            ("stop-failed", "stopped", Phase::Failed),
            ("destroy-error", "started", Phase::Destroying),
        ] {
            assert_eq!(phase_of(&subject(current, desired)), Some(phase), "{current} wanted {desired}");
        }
        assert_eq!(phase_of(&subject("levitating", "started")), None);
    }

    #[test]
    fn the_slowest_component_names_the_phase() {
        let pair = vec![subject("started", "started"), subject("provisioning", "started")];
        assert_eq!(of(pair), (Intent::Started, Phase::Provisioning));
        assert_eq!(of(vec![subject("stopped", "stopped")]), (Intent::Stopped, Phase::Stopped));
        assert_eq!(of(Vec::new()), (Intent::Unknown, Phase::Unknown));
    }

    #[test]
    fn a_deleted_subject_does_not_speak_for_the_service() {
        let gone = Subject {
            deleting: true,
            ..subject("provision-failed", "started")
        };
        assert_eq!(
            of(vec![gone.clone(), subject("started", "started")]),
            (Intent::Started, Phase::Started)
        );
        assert_eq!(of(vec![gone]).1, Phase::Destroying);
    }
}
