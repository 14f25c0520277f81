//! Which verdicts change from one rubric set to another, and which of these changes somebody has agreed to. Pure.

mod allow;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

pub use allow::{Allow, AllowError};

use super::Outcome;
use super::report::{Report, StageReport, xml};
use crate::stage::Stage;

/// One verdict that is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The recording it is in.
    pub recording: String,
    /// The cluster.
    pub cluster: String,
    /// The namespace; none for the cluster's own stage.
    pub namespace: Option<String>,
    /// The stage.
    pub stage: Stage,
    /// What it was; none when the old set judged no such thing.
    pub old: Option<Said>,
    /// What it is; none when the new set judges no such thing.
    pub new: Option<Said>,
    /// Why it is allowed, if it is.
    pub allowed: Option<String>,
}

/// What a verdict says, as far as a change of it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// How the stage came out.
    pub outcome: Outcome,
    /// Why it is indeterminate or skipped.
    pub reason: Option<String>,
    /// Class of the failure.
    pub class: Option<String>,
    /// What the members' own texts say.
    pub pattern_class: Option<String>,
    /// Finer label.
    pub sub_class: Option<String>,
    /// What is recommended.
    pub action: Option<String>,
    /// The line for people, when it is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Whether the lines for people are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// They are.
    Compared,
    /// They may differ.
    Ignored,
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.outcome)?;
        let words = [
            &self.reason,
            &self.class,
            &self.pattern_class,
            &self.sub_class,
            &self.action,
            &self.message,
        ];
        words.into_iter().flatten().try_for_each(|word| write!(f, " {word}"))
    }
}

impl Change {
    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{}/{namespace}", self.cluster),
            None => self.cluster.clone(),
        }
    }
}

/// What a verdict or its absence is called.
#[must_use]
pub fn shown(said: Option<&Said>) -> String {
    said.map_or_else(|| "not judged".to_owned(), ToString::to_string)
}

/// Every verdict on one recording that differs, in the order of the reports.
#[must_use]
pub fn changes(recording: &str, old: &Report, new: &Report, messages: Messages) -> Vec<Change> {
    let (mut before, after) = (verdicts(old, messages), verdicts(new, messages));
    let mut found = Vec::new();
    let mut tell = |(cluster, namespace, stage): Key, old: Option<Said>, new: Option<Said>| {
        if old != new {
            let recording = recording.to_owned();
            found.push(Change {
                recording,
                cluster,
                namespace,
                stage,
                old,
                new,
                allowed: None,
            });
        }
    };
    for (key, said) in after {
        let was = before.remove(&key);
        tell(key, was, Some(said));
    }
    for (key, said) in before {
        tell(key, Some(said), None);
    }
    found.sort_by(|a, b| (&a.cluster, &a.namespace, a.stage).cmp(&(&b.cluster, &b.namespace, b.stage)));
    found
}

type Key = (String, Option<String>, Stage);

fn verdicts(report: &Report, messages: Messages) -> BTreeMap<Key, Said> {
    let said = |stage: &StageReport| Said {
        outcome: stage.outcome,
        reason: stage.reason.clone(),
        class: stage.failure_class.clone(),
        pattern_class: stage.pattern_class.clone(),
        sub_class: stage.sub_class.clone(),
        action: stage.recommended_action.clone(),
        message: (messages == Messages::Compared).then(|| stage.message.clone()),
    };
    let mut all = BTreeMap::new();
    for cluster in &report.clusters {
        for stage in &cluster.stages {
            all.insert((cluster.name.clone(), None, stage.stage), said(stage));
        }
    }
    for instance in &report.namespaces {
        for stage in &instance.stages {
            let key = (instance.cluster.clone(), Some(instance.namespace.clone()), stage.stage);
            all.insert(key, said(stage));
        }
    }
    all
}

/// The changes as JUnit XML: one case each, a failure unless it is allowed; and one for the comparison itself.
#[must_use]
pub fn junit(changes: &[Change], compared: usize) -> String {
    let failures = changes.iter().filter(|change| change.allowed.is_none()).count();
    let tests = changes.len() + 1;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(out, "<testsuites name=\"stargate rubric diff\">");
    let _ = writeln!(
        out,
        "  <testsuite name=\"diff\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">"
    );
    let _ = writeln!(
        out,
        "    <testcase classname=\"diff\" name=\"{compared} namespaces compared\"></testcase>"
    );
    for change in changes {
        let text = format!("{} -> {}", shown(change.old.as_ref()), shown(change.new.as_ref()));
        let inner = match &change.allowed {
            Some(reason) => format!("<system-out>{}</system-out>", xml(&format!("{text}: allowed, {reason}"))),
            None => format!("<failure message=\"{}\"/>", xml(&text)),
        };
        let place = xml(&format!("{}: {}", change.recording, change.place()));
        let _ = writeln!(
            out,
            "    <testcase classname=\"{place}\" name=\"{}\">{inner}</testcase>",
            change.stage
        );
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

#[cfg(test)]
mod tests;
