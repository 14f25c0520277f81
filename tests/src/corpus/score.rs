//! Compares verdicts with what is true, and counts.
//!
//! A *finding* is a stage that fails or warns. It is right when it is a root cause of that namespace, allowed when the truth
//! lists it beside one, and false otherwise. Precision of a class = right ÷ (right + false); recall = found ÷ all root causes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::evaluate::{FleetVerdict, Outcome, Verdict};
use stargate_common::objects::ClusterInventory;
use stargate_common::stage::Stage;
use stargate_common::unknown::UnknownReason;

use super::truth::{Cause, is_meant};
use super::{Case, World};

/// How well a corpus was judged.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Score {
    /// Namespaces.
    pub cases: usize,
    /// Those without any fault.
    pub healthy: usize,
    /// Those that are neither: stopped, being built or unread.
    pub undecided: usize,
    /// Those with a root cause.
    pub faulty: usize,
    /// Root causes in all.
    pub causes: usize,
    /// Root causes that were found, with every member named.
    pub found: usize,
    /// Findings on namespaces without a fault.
    pub false_alarms: usize,
    /// Stages that had to be indeterminate, and how many were.
    pub unknown: Share,
    /// Stages that had to pass, and how many did.
    pub passes: Share,
    /// Per class.
    pub classes: BTreeMap<String, Counts>,
    /// Everything that came out otherwise than it is, one line each.
    pub deviations: Vec<String>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// As expected.
    pub right: usize,
    /// In all.
    pub of: usize,
}

/// What was counted of a class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Counts {
    /// Root causes of that class.
    pub causes: usize,
    /// Of these, found.
    pub found: usize,
    /// Findings of that class that are not true.
    pub false_findings: usize,
}

impl Counts {
    /// Share of the findings that is true; 1 when there are none.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(self.found, self.found + self.false_findings)
    }

    /// Share of the root causes that was found; 1 when there are none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.found, self.causes)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few hundred")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Judges every case and counts.
#[must_use]
pub fn score(rubrics: &RubricSet, cases: &[Case]) -> Score {
    let mut score = Score::default();
    for case in cases {
        let fleet = super::judge(rubrics, &case.world, &case.truth);
        score.add(case, &verdicts(&fleet, &case.world, &case.truth.namespace));
    }
    score
}

/// The verdicts that are about a namespace: its own, and that of its cluster if anything of the cluster was read.
#[must_use]
pub fn verdicts<'a>(fleet: &'a FleetVerdict, world: &World, namespace: &str) -> Vec<&'a Verdict> {
    let instance = fleet.instances.iter().find(|(_, instance)| instance.namespace == namespace);
    let Some((cluster, instance)) = instance else { return Vec::new() };
    let snapshot = world.snapshots.iter().find(|snapshot| snapshot.cluster.name == *cluster);
    let about_cluster = snapshot.is_some_and(|snapshot| was_read(&snapshot.cluster));
    let cluster = about_cluster.then(|| fleet.clusters.get(cluster)).flatten();
    cluster.into_iter().chain(&instance.stages).collect()
}

fn was_read(cluster: &ClusterInventory) -> bool {
    let missing = [
        cluster.nodes.missing,
        cluster.node_metrics.missing,
        cluster.operators.missing,
        cluster.versions.missing,
    ];
    cluster.reachable.is_some() || missing.iter().any(|missing| *missing != Some(UnknownReason::NotCollected))
}

/// Everybody that a verdict blames, `Kind/name`.
fn blamed(verdict: &Verdict) -> BTreeSet<String> {
    let wrong = verdict
        .criteria
        .iter()
        .filter(|criterion| criterion.value == serde_json::Value::Bool(false));
    wrong
        .flat_map(|criterion| &criterion.failing)
        .map(|member| format!("{}/{}", member.kind, member.name))
        .collect()
}

impl Score {
    fn add(&mut self, case: &Case, verdicts: &[&Verdict]) {
        self.cases += 1;
        if verdicts.is_empty() {
            self.deviate(case, None, "there is no verdict at all".to_owned());
        }
        match (case.truth.root_cause.is_empty(), case.truth.healthy) {
            (true, true) => self.healthy += 1,
            (true, false) => self.undecided += 1,
            (false, _) => self.faulty += 1,
        }
        for cause in &case.truth.root_cause {
            self.look_for(case, cause, verdicts);
        }
        for verdict in verdicts {
            self.look_at(case, verdict);
        }
    }

    fn look_for(&mut self, case: &Case, cause: &Cause, verdicts: &[&Verdict]) {
        self.causes += 1;
        self.classes.entry(cause.class.clone()).or_default().causes += 1;
        let verdict = verdicts.iter().find(|verdict| verdict.stage == cause.stage);
        let found = verdict.filter(|verdict| is_finding(verdict) && verdict.failure_class.as_deref() == Some(&cause.class));
        let Some(verdict) = found else {
            let is = verdict.map_or_else(|| "not judged".to_owned(), |verdict| said(verdict));
            return self.deviate(case, Some(cause.stage), format!("{} is missed: it is {is}", cause.class));
        };
        let blamed = blamed(verdict);
        let unnamed = cause
            .members
            .iter()
            .filter(|member| !blamed.iter().any(|blamed| is_meant(member, blamed)));
        let unnamed: Vec<&str> = unnamed.map(String::as_str).collect();
        let mut right = true;
        if !unnamed.is_empty() {
            right = false;
            self.deviate(
                case,
                Some(cause.stage),
                format!("{} does not name {}; it names {blamed:?}", cause.class, unnamed.join(", ")),
            );
        }
        // A pod, claim or route of a culprit may be named with it; anybody else is blamed wrongly.
        let causes = case.truth.root_cause.iter().filter(|other| other.stage == cause.stage);
        let members: Vec<&String> = causes.flat_map(|cause| &cause.members).collect();
        let strangers: Vec<&String> = blamed
            .iter()
            .filter(|it| !members.is_empty() && !members.iter().any(|member| belongs(member, it)))
            .collect();
        if !strangers.is_empty() {
            self.deviate(case, Some(cause.stage), format!("{} blames {strangers:?} as well", cause.class));
        }
        if cause.sub_class.is_some() && cause.sub_class != verdict.sub_class {
            let is = verdict.sub_class.as_deref().unwrap_or("none");
            self.deviate(
                case,
                Some(cause.stage),
                format!("the sub-class is {is}, not {}", cause.sub_class.as_deref().unwrap_or_default()),
            );
        }
        if right {
            self.found += 1;
            self.classes.entry(cause.class.clone()).or_default().found += 1;
        }
    }

    fn look_at(&mut self, case: &Case, verdict: &Verdict) {
        let truth = &case.truth;
        let stage = verdict.stage;
        let class = verdict.failure_class.as_deref().unwrap_or("unclassified");
        if is_finding(verdict) {
            let true_here = truth.root_cause.iter().any(|cause| cause.stage == stage && cause.class == class);
            let allowed = truth.beside.iter().any(|beside| is_meant(beside, &format!("{stage}/{class}")));
            if !true_here && !allowed {
                self.classes.entry(class.to_owned()).or_default().false_findings += 1;
                self.false_alarms += usize::from(truth.root_cause.is_empty());
                self.deviate(case, Some(stage), format!("{} is not true [{}]", said(verdict), verdict.message));
            }
        }
        if let Some(reason) = truth.unknown.get(&stage) {
            self.unknown.of += 1;
            let is = verdict.reason.map(|reason| reason.to_string());
            if verdict.outcome == Outcome::Indeterminate && (reason.is_none() || *reason == is) {
                self.unknown.right += 1;
            } else {
                let reason = reason.as_deref().unwrap_or("for any reason");
                self.deviate(
                    case,
                    Some(stage),
                    format!("it must be indeterminate ({reason}) and is {} [{}]", said(verdict), verdict.message),
                );
            }
        } else if truth.passes.contains(&stage) {
            self.passes.of += 1;
            if verdict.outcome == Outcome::Pass {
                self.passes.right += 1;
            } else {
                self.deviate(
                    case,
                    Some(stage),
                    format!("it must pass and is {} [{}]", said(verdict), verdict.message),
                );
            }
        } else if truth.skipped.contains(&stage) {
            if verdict.outcome != Outcome::Skipped {
                self.deviate(
                    case,
                    Some(stage),
                    format!("it must be skipped and is {} [{}]", said(verdict), verdict.message),
                );
            }
        } else if truth.healthy && verdict.outcome == Outcome::Indeterminate {
            self.deviate(
                case,
                Some(stage),
                format!("it is healthy and is {} [{}]", said(verdict), verdict.message),
            );
        }
    }

    fn deviate(&mut self, case: &Case, stage: Option<Stage>, what: String) {
        let stage = stage.map_or_else(String::new, |stage| format!("{stage}: "));
        self.deviations.push(format!("{}: {stage}{what}", case.name));
    }

    /// Whether every root cause was found and named, and nothing else was said.
    #[must_use]
    pub fn is_perfect(&self) -> bool {
        self.deviations.is_empty()
    }

    /// Counts over all classes.
    #[must_use]
    pub fn all(&self) -> Counts {
        Counts {
            causes: self.causes,
            found: self.found,
            false_findings: self.classes.values().map(|class| class.false_findings).sum(),
        }
    }

    /// The score as people read it.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, counts: &Counts| {
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "{name:<28} {:>6} {:>6} {:>6} {:>10.3} {:>7.3}",
                counts.causes,
                counts.found,
                counts.false_findings,
                counts.precision(),
                counts.recall()
            );
        };
        for (class, counts) in &self.classes {
            line(class, counts);
        }
        line("all", &self.all());
        let head = format!(
            "{:<28} {:>6} {:>6} {:>6} {:>10} {:>7}\n",
            "CLASS", "CAUSES", "FOUND", "FALSE", "PRECISION", "RECALL"
        );
        let _ = writeln!(
            out,
            "\n{} namespaces: {} faulty with {} root causes of {} classes, {} healthy, {} undecided\n{} of {} root causes found and named; {} findings \
             where nothing is wrong\n{} of {} stages indeterminate that nobody can know; {} of {} pass that work",
            self.cases,
            self.faulty,
            self.causes,
            self.classes.values().filter(|counts| counts.causes > 0).count(),
            self.healthy,
            self.undecided,
            self.found,
            self.causes,
            self.false_alarms,
            self.unknown.right,
            self.unknown.of,
            self.passes.right,
            self.passes.of
        );
        for deviation in &self.deviations {
            let _ = writeln!(out, "deviation  {deviation}");
        }
        head + &out
    }
}

fn is_finding(verdict: &Verdict) -> bool {
    matches!(verdict.outcome, Outcome::Fail | Outcome::Warn)
}

/// An outcome with its class or reason.
fn said(verdict: &Verdict) -> String {
    let why = verdict
        .failure_class
        .clone()
        .or_else(|| verdict.reason.map(|reason| reason.to_string()));
    why.map_or_else(|| verdict.outcome.to_string(), |why| format!("{} {why}", verdict.outcome))
}

/// Whether somebody may be named together with a culprit: it is the same, or is called after it.
fn belongs(culprit: &str, member: &str) -> bool {
    let name = |text: &str| text.split_once('/').map_or_else(String::new, |(_, name)| name.to_owned());
    let (own, other) = (name(culprit), name(member));
    is_meant(culprit, member) || other == own || other.starts_with(&format!("{own}-")) || is_meant(&own, &other)
}
