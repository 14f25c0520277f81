//! How an incident begins, goes on and ends.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Context, DETAIL_EVERY, IDS, Key};
use crate::evaluate::Verdict;
use crate::track::{ClassSince, Incident, IncidentChange, Resolution, Update};

pub(super) fn opened(key: Key, verdict: &Verdict, onset: DateTime<Utc>, context: &Context<'_>, flapping: bool) -> Incident {
    let id = format!("incident/{}/{}/{}", key.subject, key.stage, onset.timestamp_micros());
    Incident {
        id: Uuid::new_v5(&IDS, id.as_bytes()),
        class: verdict.failure_class.clone(),
        pattern_class: verdict.pattern_class.clone(),
        sub_class: verdict.sub_class.clone(),
        class_history: vec![ClassSince {
            class: verdict.failure_class.clone(),
            since: context.as_of,
        }],
        muted: context.provisioning,
        flapping,
        message: verdict.message.clone(),
        onset_at: onset,
        opened_at: context.as_of,
        updated_at: context.as_of,
        revision: 1,
    }
}

/// The incident after another failing verdict, and what is worth telling about it.
pub(super) fn continued(mut incident: Incident, verdict: &Verdict, context: &Context<'_>) -> (Incident, Vec<Update>) {
    let mut updates = Vec::new();
    if incident.class != verdict.failure_class {
        updates.push(Update::ClassChanged);
        incident.class_history.push(ClassSince {
            class: verdict.failure_class.clone(),
            since: context.as_of,
        });
    }
    if incident.muted && !context.provisioning {
        updates.push(Update::Unmuted);
        incident.muted = false;
    }
    let before = (&incident.message, &incident.pattern_class, &incident.sub_class);
    let detail = before != (&verdict.message, &verdict.pattern_class, &verdict.sub_class);
    if detail && updates.is_empty() && context.as_of - incident.updated_at >= DETAIL_EVERY {
        updates.push(Update::Detail);
    }
    if !updates.is_empty() {
        incident.class.clone_from(&verdict.failure_class);
        incident.pattern_class.clone_from(&verdict.pattern_class);
        incident.sub_class.clone_from(&verdict.sub_class);
        incident.message.clone_from(&verdict.message);
        touch(&mut incident, context.as_of);
    }
    (incident, updates)
}

pub(super) fn mark_flapping(incident: &mut Incident, flapping: bool, at: DateTime<Utc>, change: &mut Option<IncidentChange>) {
    let update = if flapping { Update::Flapping } else { Update::Settled };
    incident.flapping = flapping;
    match change {
        // It opened in this very step: it opens with the mark.
        Some(IncidentChange::Opened(opened)) => opened.flapping = flapping,
        Some(IncidentChange::Updated(updated, updates)) => {
            updated.flapping = flapping;
            updates.push(update);
        }
        Some(IncidentChange::Resolved(..)) => {}
        None => {
            touch(incident, at);
            *change = Some(IncidentChange::Updated(incident.clone(), vec![update]));
        }
    }
}

pub(super) fn resolved(mut incident: Incident, at: DateTime<Utc>, resolution: Resolution) -> IncidentChange {
    touch(&mut incident, at);
    IncidentChange::Resolved(incident, resolution)
}

fn touch(incident: &mut Incident, at: DateTime<Utc>) {
    incident.updated_at = at;
    incident.revision += 1;
}
