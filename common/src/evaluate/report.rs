//! Verdicts as people and scripts read them: the JSON of `stargate evaluate`, a table, JUnit.
//!
//! The JSON is an interface: fields may be added, never renamed or removed.

use std::fmt::Write as _;

use serde::Serialize;

use super::{ClassMatch, CriterionResult, FleetVerdict, LabKind, Outcome, Verdict};
use crate::evidence::Phase;
use crate::objects::Problem;
use crate::stage::Stage;

/// Everything one evaluation has to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// One entry per cluster that was read.
    pub clusters: Vec<ClusterReport>,
    /// One entry per lab namespace, by cluster and name.
    pub namespaces: Vec<NamespaceReport>,
    /// What could not be read or understood.
    pub problems: Vec<ProblemReport>,
}

/// A cluster and its own stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "named as printed")]
pub struct ClusterReport {
    pub name: String,
    pub stages: Vec<StageReport>,
}

/// A lab namespace and its stages. Skipped stages are listed as `skipped`, so that every stage is accounted for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "named as printed")]
pub struct NamespaceReport {
    pub cluster: String,
    pub namespace: String,
    pub uid: String,
    pub kind: LabKind,
    pub phase: Phase,
    pub stages: Vec<StageReport>,
}

/// One stage's verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "named as printed")]
pub struct StageReport {
    pub stage: Stage,
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub failure_class: Option<String>,
    pub class_match: Option<ClassMatch>,
    pub pattern_class: Option<String>,
    pub sub_class: Option<String>,
    pub recommended_action: Option<String>,
    pub message: String,
    pub criteria: Vec<CriterionResult>,
}

/// A file, or a kind of a cluster, that could not be read or understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as printed")]
pub struct ProblemReport {
    pub file: String,
    pub detail: String,
}

/// The worst outcome that is still acceptable: what `--fail-on` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailOn {
    /// Only a known failure counts.
    Fail,
    /// A warning counts too.
    Warn,
    /// What is not known counts too.
    Indeterminate,
}

impl Report {
    /// The report on these verdicts.
    #[must_use]
    pub fn new(verdict: &FleetVerdict, problems: &[Problem]) -> Self {
        Self {
            clusters: verdict
                .clusters
                .iter()
                .map(|(name, verdict)| ClusterReport {
                    name: name.clone(),
                    stages: vec![StageReport::new(verdict)],
                })
                .collect(),
            namespaces: verdict
                .instances
                .iter()
                .map(|(cluster, instance)| NamespaceReport {
                    cluster: cluster.clone(),
                    namespace: instance.namespace.clone(),
                    uid: instance.uid.clone(),
                    kind: instance.kind,
                    phase: instance.lifecycle.phase,
                    stages: instance.stages.iter().map(StageReport::new).collect(),
                })
                .collect(),
            problems: problems
                .iter()
                .map(|problem| ProblemReport {
                    file: problem.subject.clone(),
                    detail: problem.detail.clone(),
                })
                .collect(),
        }
    }

    /// Whether some stage came out as `fail_on` or worse. Skipped stages never count.
    #[must_use]
    pub fn matches(&self, fail_on: FailOn) -> bool {
        self.stages().any(|(_, stage)| match stage.outcome {
            Outcome::Fail => true,
            Outcome::Warn => fail_on >= FailOn::Warn,
            Outcome::Indeterminate => fail_on >= FailOn::Indeterminate,
            Outcome::Pass | Outcome::Skipped => false,
        })
    }

    /// A table with one line per stage that says something; `wide` adds every stage and, below each, its criteria.
    #[must_use]
    pub fn table(&self, wide: bool) -> String {
        let mut out = String::new();
        for (place, stages) in self.places() {
            let worst = stages
                .iter()
                .map(|stage| stage.outcome)
                .max_by_key(|outcome| weight(*outcome))
                .unwrap_or(Outcome::Skipped);
            line(&mut out, &format!("{place}  {worst}"));
            for stage in stages {
                if !wide && matches!(stage.outcome, Outcome::Pass | Outcome::Skipped) {
                    continue;
                }
                let class = stage.failure_class.as_deref().or(stage.reason.as_deref()).unwrap_or_default();
                line(
                    &mut out,
                    &format!("  {:<21} {:<13} {:<28} {}", stage.stage, stage.outcome, class, stage.message),
                );
                if wide {
                    labels(&mut out, stage);
                    criteria(&mut out, &stage.criteria);
                }
            }
        }
        for problem in &self.problems {
            line(&mut out, &format!("problem  {}: {}", problem.file, problem.detail));
        }
        out
    }

    /// JUnit XML: one suite per cluster or namespace, one case per stage. A failure is a failure, an indeterminate stage is an
    /// error (it could not be judged), a skipped stage is skipped.
    #[must_use]
    pub fn junit(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"stargate\">\n");
        for (place, stages) in self.places() {
            let count = |outcome| stages.iter().filter(|stage| stage.outcome == outcome).count();
            line(
                &mut out,
                &format!(
                    "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
                    xml(&place),
                    stages.len(),
                    count(Outcome::Fail),
                    count(Outcome::Indeterminate),
                    count(Outcome::Skipped)
                ),
            );
            for stage in stages {
                let class = stage.failure_class.as_deref().or(stage.reason.as_deref()).unwrap_or("unclassified");
                let detail = |tag: &str| format!("<{tag} type=\"{}\" message=\"{}\"/>", xml(class), xml(&stage.message));
                let inner = match stage.outcome {
                    Outcome::Pass => String::new(),
                    Outcome::Warn => format!("<system-out>{}</system-out>", xml(&format!("warn {class}: {}", stage.message))),
                    Outcome::Fail => detail("failure"),
                    Outcome::Indeterminate => detail("error"),
                    Outcome::Skipped => format!("<skipped message=\"{}\"/>", xml(class)),
                };
                line(
                    &mut out,
                    &format!(
                        "    <testcase classname=\"{}\" name=\"{}\">{inner}</testcase>",
                        xml(&place),
                        stage.stage
                    ),
                );
            }
            out.push_str("  </testsuite>\n");
        }
        if !self.problems.is_empty() {
            line(
                &mut out,
                &format!(
                    "  <testsuite name=\"input\" tests=\"{0}\" failures=\"0\" errors=\"{0}\" skipped=\"0\">",
                    self.problems.len()
                ),
            );
            for problem in &self.problems {
                line(
                    &mut out,
                    &format!(
                        "    <testcase classname=\"input\" name=\"{}\"><error type=\"unreadable\" message=\"{}\"/></testcase>",
                        xml(&problem.file),
                        xml(&problem.detail)
                    ),
                );
            }
            out.push_str("  </testsuite>\n");
        }
        out.push_str("</testsuites>\n");
        out
    }

    /// Clusters, then namespaces, each with the name a person would use.
    fn places(&self) -> impl Iterator<Item = (String, &[StageReport])> {
        let clusters = self
            .clusters
            .iter()
            .map(|cluster| (cluster.name.clone(), cluster.stages.as_slice()));
        let namespaces = self
            .namespaces
            .iter()
            .map(|instance| (format!("{}/{}", instance.cluster, instance.namespace), instance.stages.as_slice()));
        clusters.chain(namespaces)
    }

    fn stages(&self) -> impl Iterator<Item = (String, &StageReport)> {
        self.places()
            .flat_map(|(place, stages)| stages.iter().map(move |stage| (place.clone(), stage)))
    }
}

impl StageReport {
    fn new(verdict: &Verdict) -> Self {
        Self {
            stage: verdict.stage,
            outcome: verdict.outcome,
            reason: verdict.reason.map(|reason| reason.to_string()),
            failure_class: verdict.failure_class.clone(),
            class_match: verdict.class_match,
            pattern_class: verdict.pattern_class.clone(),
            sub_class: verdict.sub_class.clone(),
            recommended_action: verdict.recommended_action.clone(),
            message: verdict.message.clone(),
            criteria: verdict.criteria.clone(),
        }
    }
}

/// What else the failure is called: by its members' own texts, and more finely.
fn labels(out: &mut String, stage: &StageReport) {
    for (what, label) in [("says itself", &stage.pattern_class), ("sub-class", &stage.sub_class)] {
        if let Some(label) = label {
            line(out, &format!("      {what:<32} {label}"));
        }
    }
}

fn criteria(out: &mut String, criteria: &[CriterionResult]) {
    for criterion in criteria {
        let value = criterion
            .unknown_reason
            .map_or_else(|| criterion.value.to_string(), |reason| format!("unknown ({reason})"));
        let required = if criterion.required { "required" } else { "optional" };
        line(out, &format!("      {:<32} {:<9} {value}", criterion.name, required));
        for member in &criterion.failing {
            line(out, &format!("        {} {}: {}", member.kind, member.name, member.reason));
        }
        for member in &criterion.excluded {
            line(
                out,
                &format!("        left out: {} {}: {}", member.kind, member.name, member.reason),
            );
        }
    }
}

/// How bad an outcome is for the line that sums a place up.
const fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Skipped => 0,
        Outcome::Pass => 1,
        Outcome::Warn => 2,
        Outcome::Indeterminate => 3,
        Outcome::Fail => 4,
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    writeln!(out, "{}", text.trim_end()).ok();
}

/// Text as XML 1.0 may hold it: the five marks escaped, control characters replaced.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(outcome: Outcome, class: Option<&str>, message: &str) -> StageReport {
        StageReport {
            stage: Stage::DeploymentReady,
            outcome,
            reason: None,
            failure_class: class.map(str::to_owned),
            class_match: None,
            pattern_class: None,
            sub_class: None,
            recommended_action: None,
            message: message.to_owned(),
            criteria: Vec::new(),
        }
    }

    fn report(stages: Vec<StageReport>) -> Report {
        let namespace = NamespaceReport {
            cluster: "east".into(),
            namespace: "sandbox-m4x8d-webshop".into(),
            uid: String::new(),
            kind: LabKind::Container,
            phase: Phase::Started,
            stages,
        };
        Report {
            clusters: Vec::new(),
            namespaces: vec![namespace],
            problems: Vec::new(),
        }
    }

    #[test]
    fn fail_on_counts_what_is_as_bad_or_worse() {
        let judged =
            |outcome| [FailOn::Fail, FailOn::Warn, FailOn::Indeterminate].map(|on| report(vec![stage(outcome, None, "")]).matches(on));
        assert_eq!(judged(Outcome::Pass), [false, false, false]);
        assert_eq!(judged(Outcome::Skipped), [false, false, false]);
        assert_eq!(judged(Outcome::Indeterminate), [false, false, true]);
        assert_eq!(judged(Outcome::Warn), [false, true, true]);
        assert_eq!(judged(Outcome::Fail), [true, true, true]);
    }

    #[test]
    fn the_table_names_the_class_and_the_culprit() {
        let table = report(vec![stage(
            Outcome::Fail,
            Some("pods_crashlooping"),
            "no_crashloop_pods is false: Pod worker-1",
        )])
        .table(false);
        assert_eq!(
            table,
            "east/sandbox-m4x8d-webshop  fail\n  deployment-ready      fail          pods_crashlooping            no_crashloop_pods is false: Pod worker-1\n"
        );
    }

    #[test]
    fn junit_escapes_what_a_cluster_may_say() {
        let junit = report(vec![stage(Outcome::Fail, Some("a&b"), "\"<boom>\"\u{1}")]).junit();
        assert!(
            junit.contains("<failure type=\"a&amp;b\" message=\"&quot;&lt;boom&gt;&quot;\u{FFFD}\"/>"),
            "{junit}"
        );
        assert!(junit.contains("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{junit}");
    }
}
