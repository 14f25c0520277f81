//! The sentence, and what is not known. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::provisioning::session_readiness::span;
use stargate_common::sources::SourceName;

use super::{ChainRow, Gap};
use crate::api::instances::InstanceRow;
use crate::api::instances::stages::StageRow;
use crate::api::jobs::JobRow;
use crate::api::sessions::SessionRow;
use crate::api::subjects::SubjectRow;

/// Everything that was found about an instance.
#[derive(Debug)]
pub(super) struct Facts {
    pub now: DateTime<Utc>,
    pub instance: InstanceRow,
    pub chain: Vec<ChainRow>,
    pub subjects: Vec<SubjectRow>,
    pub jobs: Vec<JobRow>,
    /// Those that do not pass.
    pub stages: Vec<StageRow>,
    pub session: Option<SessionRow>,
    /// What it should have been joined to, and why it was not.
    pub unmatched: Vec<(String, String)>,
    /// Why its cluster tells nothing now.
    pub cluster_trouble: Option<String>,
    /// Sources that tell nothing now, and why.
    pub troubles: Vec<(SourceName, String)>,
}

/// The answer: how the instance stands, why, and who waits for it.
pub(super) fn sentence(facts: &Facts) -> String {
    format!("{}{}.", standing(facts), session(facts))
}

fn standing(facts: &Facts) -> String {
    let it = &facts.instance;
    let since = |at: Option<DateTime<Utc>>| at.map(|at| format!(" for {}", span(facts.now - at))).unwrap_or_default();
    match it.state.as_str() {
        "gone" => "Gone: the namespace is no longer there".to_owned(),
        "unknown" => {
            let last = it.last_known_state.as_ref();
            let last = last.map_or_else(String::new, |state| format!(", last seen {state}"));
            let why = facts.cluster_trouble.clone().unwrap_or_else(|| "it was not judged yet".to_owned());
            format!(
                "Not known: {why}{last}{}",
                order(facts).map(|why| format!("; {why}")).unwrap_or_default()
            )
        }
        "ready" => format!("Ready{}", since(Some(it.changed_at))),
        "warning" => format!(
            "Ready{}, with something to look at{}",
            since(Some(it.changed_at)),
            first_stage(facts)
        ),
        "stopped" => "Stopped on purpose".to_owned(),
        state => {
            // What was ordered comes first: what failed there explains everything after it.
            let why = order(facts).unwrap_or_else(|| match state {
                "failing" => {
                    let stage = it.failing_stage.as_deref().unwrap_or("a stage");
                    let class = it.class.as_ref().map_or_else(String::new, |class| format!(" with {class}"));
                    format!("{stage} fails{class}{}{}", since(it.onset_at), first_stage(facts))
                }
                "provisioning" => format!("being provisioned{}", since(Some(it.created_at))),
                "terminating" => "being deleted".to_owned(),
                other => other.to_owned(),
            });
            format!("Not ready: {why}")
        }
    }
}

/// What the first stage that fails says.
fn first_stage(facts: &Facts) -> String {
    let failing = facts.stages.iter().find(|stage| matches!(stage.outcome.as_str(), "fail" | "warn"));
    let message = failing
        .map(|stage| stage.message.trim_end_matches('.'))
        .filter(|message| !message.is_empty());
    message.map_or_else(String::new, |message| format!(" ({message})"))
}

/// What is wrong with what was ordered; none when nothing is known to be.
fn order(facts: &Facts) -> Option<String> {
    let failed = facts.subjects.iter().find(|subject| subject.class.starts_with("failed"));
    if let Some(subject) = failed {
        let state = subject.state.as_deref().unwrap_or_default();
        let (action, ending) = state.split_once('-').unwrap_or((state, "failed"));
        let action = match action {
            "provision" => "provisioning",
            "start" => "starting",
            "stop" => "stopping",
            "destroy" => "destroying",
            "update" => "updating",
            other => other,
        };
        let how = match ending {
            "canceled" => "was canceled",
            "error" => "could not run",
            _ => "failed",
        };
        let job = failed_job(facts, action);
        let at = job.and_then(|job| job.finished_at).or(subject.state_since);
        let ago = at.map_or_else(String::new, |at| format!(" {} ago", span(facts.now - at)));
        return Some(format!("{action} {how}{ago}{}", job.map(task).unwrap_or_default()));
    }
    let stuck = facts.subjects.iter().find_map(|subject| subject.stuck.as_ref())?;
    Some(format!(
        "stuck for {}: {}",
        span(TimeDelta::seconds(stuck.age_s)),
        stuck.detail.trim_end_matches('.')
    ))
}

/// The newest job of that action that ended badly.
fn failed_job<'a>(facts: &'a Facts, action: &str) -> Option<&'a JobRow> {
    let phase = match action {
        "provisioning" => "provision",
        "starting" => "start",
        "stopping" => "stop",
        "destroying" => "destroy",
        _ => return None,
    };
    let ended = facts
        .jobs
        .iter()
        .filter(|job| job.phase == phase && matches!(job.outcome.as_str(), "failed" | "error" | "canceled"));
    ended.max_by_key(|job| job.finished_at)
}

fn task(job: &JobRow) -> String {
    let Some(failure) = &job.failure else {
        return job
            .explanation
            .as_ref()
            .map_or_else(String::new, |why| format!(": {}", why.trim_end_matches('.')));
    };
    let class = failure.class.as_ref().map_or_else(String::new, |class| format!(" ({class})"));
    failure
        .task
        .as_ref()
        .map_or(class.clone(), |task| format!(" in task {task:?}{class}"))
}

fn session(facts: &Facts) -> String {
    let Some(session) = &facts.session else {
        return String::new();
    };
    let people = match session.attendees {
        Some(1) => " for 1 attendee".to_owned(),
        Some(n) => format!(" for {n} attendees"),
        None => String::new(),
    };
    let when = match (session.phase.as_str(), session.starts_at) {
        ("running", Some(start)) => format!("runs since {}", span(facts.now - start)),
        (_, Some(start)) => format!("begins in {}", span(start - facts.now)),
        (_, None) => format!("has no time yet on {}", session.date),
    };
    format!("; session {} {when}{people}", session.lab_code)
}

/// What is not known about the instance, and why.
pub(super) fn gaps(facts: &Facts) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut gap = |what: &str, why: String| {
        gaps.push(Gap {
            what: what.to_owned(),
            why,
        });
    };
    if let Some(why) = &facts.cluster_trouble {
        gap("how it runs", why.clone());
    }
    for (source, why) in &facts.troubles {
        let what = match source {
            SourceName::Babylon => "what was ordered and how that goes",
            SourceName::SandboxApi => "where it is placed",
            SourceName::Aap => "how its jobs ended",
            SourceName::Demolition => "whether a smoke run passes",
            SourceName::Labagator => "who comes when",
            SourceName::Agnosticv => "what its definition demands",
        };
        gap(what, why.clone());
    }
    for (wanted, reason) in &facts.unmatched {
        gap(&format!("its {wanted}"), reason.clone());
    }
    let told = |kind: &str| facts.chain.iter().any(|row| row.kind == kind) || facts.unmatched.iter().any(|(wanted, _)| wanted == kind);
    let babylon = facts.troubles.iter().any(|(source, _)| *source == SourceName::Babylon);
    if !babylon && !told("subject") {
        gap("its subject", "nothing joins it to one".to_owned());
    }
    if !babylon && !told("lab") {
        gap("its lab", "no catalog item or lab is joined to it".to_owned());
    }
    for subject in &facts.subjects {
        if let Some(job) = &subject.last_job
            && let Some(id) = job.id
            && !facts.jobs.iter().any(|known| known.id == id && known.controller == job.controller)
        {
            gap(
                &format!("how job {id} went"),
                format!("{} was not read, or not that far back", job.controller),
            );
        }
    }
    for job in &facts.jobs {
        if let Some(unread) = job.failure.as_ref().and_then(|failure| failure.unread.as_ref()) {
            gap(&format!("why job {} failed", job.id), unread.clone());
        }
    }
    for stage in facts.stages.iter().filter(|stage| stage.outcome == "indeterminate") {
        let why = stage.reason.clone().unwrap_or_else(|| "not evaluated".to_owned());
        let why = if stage.message.is_empty() {
            why
        } else {
            format!("{why}: {}", stage.message)
        };
        gap(&format!("stage {}", stage.stage), why);
    }
    gaps
}

#[cfg(test)]
mod tests;
