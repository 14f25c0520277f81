//! Whether a pipeline may go on: the verdicts of one namespace against what the pipeline asks for. Pure.
//!
//! ```text
//! asked stages ── one failed, or is worse than required ──> no     (exit 1)
//!              ├─ one is not known ──────────────────────> not yet (wait; at the deadline exit 2)
//!              ├─ none of them applies ──────────────────> not yet: nothing was judged
//!              └─ else ──────────────────────────────────> yes    (exit 0)
//! ```
//!
//! The gate fails closed: only stages that were judged and are good enough let it pass.

use super::Outcome;
use super::report::StageReport;
use crate::stage::Stage;

/// Longest message of a result, in bytes. All results of a Tekton Task share 4096 bytes with Tekton's own; ours stay below 1 KB.
const LONGEST_MESSAGE: usize = 600;
/// Longest of the other results, in bytes.
const LONGEST_WORD: usize = 90;

/// The worst outcome that lets the gate pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Require {
    /// Nothing but a pass.
    Pass,
    /// A warning is good enough.
    Warn,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Every asked stage that applies was judged and is good enough.
    Open,
    /// An asked stage is known not to be good enough.
    Closed,
    /// Not known yet.
    Undecided,
}

/// A decision and the stage that it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate<'a> {
    /// The decision.
    pub decision: Decision,
    /// The worst outcome of the asked stages.
    pub verdict: Outcome,
    /// The first stage of the pipeline with that outcome; none when no stage was judged.
    pub stage: Option<&'a StageReport>,
    /// Asked stages that were not judged at all.
    pub absent: Vec<Stage>,
}

/// Decides. `asked` empty: all stages of the namespace, but those whose source is another system only where that is connected.
#[must_use]
pub fn gate<'a>(stages: &'a [StageReport], asked: &[Stage], require: Require) -> Gate<'a> {
    let counts = |stage: &&StageReport| {
        if asked.is_empty() {
            let unconnected = stage.outcome == Outcome::Indeterminate && stage.reason.as_deref() == Some("not_collected");
            // Who may read one namespace may seldom read its cluster.
            stage.stage != Stage::ClusterHealth && !(stage.stage.is_from_elsewhere() && unconnected)
        } else {
            asked.contains(&stage.stage)
        }
    };
    let counted: Vec<&StageReport> = stages.iter().filter(counts).collect();
    let absent: Vec<Stage> = asked
        .iter()
        .copied()
        .filter(|asked| !counted.iter().any(|stage| stage.stage == *asked))
        .collect();
    // Of equals the first one in the pipeline, which is the likeliest cause.
    let worst = counted.iter().rev().max_by_key(|stage| weight(stage.outcome)).copied();
    let verdict = match worst.map(|stage| stage.outcome) {
        Some(Outcome::Fail) => Outcome::Fail,
        // A stage that nobody judged is worse than one that passed.
        Some(outcome @ (Outcome::Pass | Outcome::Warn)) if absent.is_empty() && !counted.iter().any(|stage| is_leaving(stage)) => outcome,
        _ => Outcome::Indeterminate,
    };
    let decision = match (verdict, require) {
        (Outcome::Fail, _) | (Outcome::Warn, Require::Pass) => Decision::Closed,
        (Outcome::Pass, _) | (Outcome::Warn, Require::Warn) => Decision::Open,
        (Outcome::Indeterminate | Outcome::Skipped, _) => Decision::Undecided,
    };
    let stage = match verdict {
        Outcome::Indeterminate => counted
            .iter()
            .find(|stage| stage.outcome == Outcome::Indeterminate || is_leaving(stage))
            .copied()
            .or(worst),
        _ => worst,
    };
    Gate {
        decision,
        verdict,
        stage,
        absent,
    }
}

/// A stage that is skipped for another reason than that it does not apply: the lab is going away, or nobody knows what it is.
fn is_leaving(stage: &StageReport) -> bool {
    stage.outcome == Outcome::Skipped && stage.reason.as_deref() != Some("not_applicable")
}

const fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Skipped => 0,
        Outcome::Pass => 1,
        Outcome::Warn => 2,
        Outcome::Indeterminate => 3,
        Outcome::Fail => 4,
    }
}

/// What a Tekton Task tells the next ones: small texts without line breaks.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Results {
    /// `pass`, `warn`, `fail` or `indeterminate`.
    pub verdict: String,
    /// The stage that decided.
    pub stage: String,
    /// Its failure class, or why it is not known.
    pub class: String,
    /// One line for people.
    pub message: String,
    /// What was judged, and as of when: `<id>@<time>`.
    pub evaluation: String,
}

impl Results {
    /// The results of a decision. `evaluation` names what was judged.
    #[must_use]
    pub fn of(gate: &Gate<'_>, evaluation: &str) -> Self {
        let absent: Vec<&str> = gate.absent.iter().map(|stage| stage.as_str()).collect();
        let (stage, class, message) = match gate.stage {
            _ if !absent.is_empty() && gate.verdict == Outcome::Indeterminate => {
                (absent.join(","), "not_judged", format!("{} was not judged here", absent.join(", ")))
            }
            None => (String::new(), "nothing_judged", "no stage was judged".to_owned()),
            Some(stage) => {
                let class = stage.failure_class.as_deref().or(stage.reason.as_deref()).unwrap_or_default();
                (stage.stage.to_string(), class, stage.message.clone())
            }
        };
        Self::new(gate.verdict, &stage, class, &message, evaluation)
    }

    /// The results when nothing could be judged, with the reason.
    #[must_use]
    pub fn not_evaluated(why: &str) -> Self {
        Self::new(Outcome::Indeterminate, "", "not_evaluated", why, "")
    }

    fn new(verdict: Outcome, stage: &str, class: &str, message: &str, evaluation: &str) -> Self {
        Self {
            verdict: verdict.as_str().to_owned(),
            stage: short(stage, LONGEST_WORD),
            class: short(class, LONGEST_WORD),
            message: short(message, LONGEST_MESSAGE),
            evaluation: short(evaluation, LONGEST_WORD),
        }
    }

    /// Each result with its name.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, &String); 5] {
        let Self {
            verdict,
            stage,
            class,
            message,
            evaluation,
        } = self;
        [
            ("verdict", verdict),
            ("stage", stage),
            ("class", class),
            ("message", message),
            ("evaluation", evaluation),
        ]
    }
}

/// One line of at most that many bytes.
fn short(text: &str, longest: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.len() <= longest {
        return line;
    }
    let mut end = longest - '…'.len_utf8();
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", line.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(stage: Stage, outcome: Outcome, reason: &str) -> StageReport {
        StageReport {
            stage,
            outcome,
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
            failure_class: (outcome == Outcome::Fail).then(|| "pods_crashlooping".to_owned()),
            class_match: None,
            pattern_class: None,
            sub_class: None,
            recommended_action: None,
            message: "what is wrong".to_owned(),
            criteria: Vec::new(),
        }
    }

    fn decide(stages: &[StageReport], asked: &[Stage], require: Require) -> (Decision, Outcome, Option<Stage>) {
        let gate = gate(stages, asked, require);
        (gate.decision, gate.verdict, gate.stage.map(|stage| stage.stage))
    }

    #[test]
    fn only_what_was_judged_and_is_good_enough_passes() {
        use Decision::{Closed, Open, Undecided};
        use Outcome::{Fail, Indeterminate, Pass, Skipped, Warn};
        use Stage::{DeploymentReady as Pods, NamespaceReady as Namespace, RouteReady as Route, SmokeTestReady as Smoke};
        let (passes, warns) = (stage(Namespace, Pass, ""), stage(Pods, Warn, ""));
        let (fails, unknown) = (stage(Pods, Fail, ""), stage(Route, Indeterminate, "progressing"));
        let (does_not_apply, leaving) = (stage(Pods, Skipped, "not_applicable"), stage(Pods, Skipped, "terminating"));
        let not_connected = stage(Smoke, Indeterminate, "not_collected");
        for (stages, asked, require, expected) in [
            (vec![passes.clone()], vec![], Require::Pass, (Open, Pass, Some(Namespace))),
            (
                vec![passes.clone(), does_not_apply.clone()],
                vec![],
                Require::Pass,
                (Open, Pass, Some(Namespace)),
            ),
            (
                vec![passes.clone(), warns.clone()],
                vec![],
                Require::Pass,
                (Closed, Warn, Some(Pods)),
            ),
            (vec![passes.clone(), warns.clone()], vec![], Require::Warn, (Open, Warn, Some(Pods))),
            (
                vec![passes.clone(), warns],
                vec![Namespace],
                Require::Pass,
                (Open, Pass, Some(Namespace)),
            ),
            (
                vec![passes.clone(), unknown.clone()],
                vec![],
                Require::Warn,
                (Undecided, Indeterminate, Some(Route)),
            ),
            // A failure is a failure, whatever else is unknown.
            (vec![fails.clone(), unknown], vec![], Require::Warn, (Closed, Fail, Some(Pods))),
            (
                vec![passes.clone(), fails],
                vec![Route],
                Require::Warn,
                (Undecided, Indeterminate, None),
            ),
            // Nothing judged, not all judged, or a lab on its way out: never a pass.
            (vec![], vec![], Require::Warn, (Undecided, Indeterminate, None)),
            (vec![does_not_apply], vec![], Require::Warn, (Undecided, Indeterminate, Some(Pods))),
            (
                vec![passes.clone(), leaving],
                vec![],
                Require::Warn,
                (Undecided, Indeterminate, Some(Pods)),
            ),
            (
                vec![passes.clone()],
                vec![Namespace, Pods],
                Require::Warn,
                (Undecided, Indeterminate, Some(Namespace)),
            ),
            // Another system that is not connected says nothing, unless somebody asks for it.
            (
                vec![passes.clone(), not_connected.clone()],
                vec![],
                Require::Pass,
                (Open, Pass, Some(Namespace)),
            ),
            (
                vec![passes, not_connected],
                vec![Smoke],
                Require::Warn,
                (Undecided, Indeterminate, Some(Smoke)),
            ),
        ] {
            assert_eq!(decide(&stages, &asked, require), expected, "{asked:?} {require:?} of {stages:#?}");
        }
    }

    #[test]
    fn results_fit_into_a_kilobyte_and_are_one_line_each() {
        let mut judged = stage(Stage::DeploymentReady, Outcome::Fail, "");
        judged.message = "Pod ä\n".repeat(1000);
        judged.failure_class = Some("c".repeat(500));
        let all = [judged];
        let results = Results::of(&gate(&all, &[], Require::Pass), &"e".repeat(500));
        let bytes: usize = results.named().iter().map(|(_, text)| text.len()).sum();
        assert!(bytes < 1024, "{bytes}");
        assert!(results.named().iter().all(|(_, text)| !text.contains('\n')));
        assert_eq!(results.verdict, "fail");
        assert_eq!(Results::not_evaluated("no such file").verdict, "indeterminate");

        let passed = [stage(Stage::NamespaceReady, Outcome::Pass, "")];
        let absent = Results::of(&gate(&passed, &[Stage::RouteReady], Require::Pass), "id@now");
        assert_eq!(
            (absent.stage.as_str(), absent.class.as_str(), absent.message.as_str()),
            ("route-ready", "not_judged", "route-ready was not judged here")
        );
    }
}
