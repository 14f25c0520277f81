//! The events that follow from an evaluation. They carry ids; readers look the facts up.

use sha2::{Digest, Sha256};
use stargate_common::boot::Function as _;
use stargate_common::db::outbox::Outgoing;
use stargate_common::evaluate::Verdict;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::events::{
    self, FailureUnclassified, IncidentOpened, IncidentRef, IncidentResolved, IncidentUpdated, OutgoingError, ReadinessChanged,
};
use stargate_common::track::triage::{self, Session, Spread};
use stargate_common::track::{IncidentChange, Update};

use crate::Evaluate;
use crate::diff::{self, Affected, Changes, Subject};

/// What is told about the changes; the rubrics say how bad each failure class is.
pub fn outgoing(cluster: &str, changes: &Changes<'_>, rubrics: &RubricSet) -> Result<Vec<Outgoing>, OutgoingError> {
    let mut outgoing = Vec::new();
    let producer = Evaluate::NAME;
    for diff::Confirmed {
        subject,
        stage,
        transition,
    } in &changes.transitions
    {
        let changed = ReadinessChanged {
            transition_id: transition.id,
            subject_id: subject.id,
            cluster: cluster.to_owned(),
            namespace: namespace_of(*subject),
            stage: *stage,
            outcome: transition.to.outcome().as_str().to_owned(),
            failure_class: transition.to_class.clone(),
        };
        outgoing.push(events::outgoing(producer, &changed, transition.at)?);
    }
    for affected in &changes.incidents {
        let Affected {
            subject,
            stage,
            change,
            verdict,
        } = affected;
        let incident = change.incident();
        let severity = incident.class.as_deref().and_then(|class| rubrics.severity(class));
        let (_, level) = triage::priority(severity, Spread::Single, Session::None);
        let told = IncidentRef {
            incident_id: incident.id,
            revision: incident.revision,
            cluster: Some(cluster.to_owned()),
            namespace: namespace_of(*subject),
            stage: *stage,
            level: level.as_str().to_owned(),
            failure_class: incident.class.clone(),
        };
        let at = incident.updated_at;
        outgoing.push(match change {
            IncidentChange::Opened(_) => events::outgoing(producer, &IncidentOpened(told), at)?,
            IncidentChange::Updated(..) => events::outgoing(producer, &IncidentUpdated(told), at)?,
            IncidentChange::Resolved(..) => events::outgoing(producer, &IncidentResolved(told), at)?,
        });
        let new_class = match change {
            IncidentChange::Opened(_) => true,
            IncidentChange::Updated(_, updates) => updates.contains(&Update::ClassChanged),
            IncidentChange::Resolved(..) => false,
        };
        if let (true, None, Some(verdict)) = (new_class, &incident.class, verdict) {
            let unclassified = FailureUnclassified {
                subject_id: subject.id,
                cluster: cluster.to_owned(),
                namespace: namespace_of(*subject),
                stage: *stage,
                signature: signature(verdict),
            };
            outgoing.push(events::outgoing(producer, &unclassified, at)?);
        }
    }
    Ok(outgoing)
}

fn namespace_of(subject: Subject<'_>) -> Option<String> {
    subject.instance.map(|(_, namespace, _)| namespace.to_owned())
}

/// The same criteria failing for the same reasons have the same signature, whichever members it is this time.
fn signature(verdict: &Verdict) -> String {
    let mut digest = Sha256::new();
    for criterion in verdict
        .criteria
        .iter()
        .filter(|criterion| criterion.value == serde_json::Value::Bool(false))
    {
        digest.update(criterion.name.as_bytes());
        for member in &criterion.failing {
            digest.update([0]);
            digest.update(member.kind.as_bytes());
            digest.update(member.reason.as_bytes());
        }
        digest.update([1]);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
