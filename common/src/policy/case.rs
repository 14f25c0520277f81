//! Situations in YAML, and what a rule must make of them: `policies/<rule>/cases/*.yaml`.
//!
//! ```yaml
//! title: An hour to go and nothing is there
//! given: {sessions: 1, next_session_in_seconds: 3600, needed: 30, started: 0, ready_handles: 0}
//! expect: {outcome: fires, urgency: critical, confidence: 0.95, decision: needed 30}
//! variants:
//!   - title: Babylon was not read for long
//!     given: {started: {unknown: stale}}
//!     expect: {outcome: indeterminate, reason: stale}
//! ```
//!
//! A fact that is not given is unknown (`not_collected`). A variant is the case with other facts. `decision` is a part of the text. What would
//! let a case pass without proving anything is refused: facts that the rule does not ask for, expectations that assert nothing, files that
//! nobody reads, rules without cases.

mod coverage;
mod suite;

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_yaml::Spanned;

pub use self::coverage::{Coverage, Point};
pub use self::suite::{CaseFile, Suite, find};
use super::Urgency;
use super::evaluate::{Subject, Verdict, told};
use super::input;
use super::rule::{Rule, RuleSet};
use crate::evaluate::case::Flaw;
use crate::evaluate::lint::Ordered;
use crate::suggest::suggest;
use crate::unknown::UnknownReason;
use crate::yaml;

/// When cases happen: a fixed moment, so that texts with times can be compared.
pub const NOW: &str = "2026-11-23T08:00:00Z";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    title: Spanned<String>,
    #[serde(default)]
    given: Option<Ordered<Spanned<Json>>>,
    expect: Spanned<Expect>,
    #[serde(default)]
    variants: Vec<RawVariant>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariant {
    title: Spanned<String>,
    given: Ordered<Spanned<Json>>,
    expect: Spanned<Expect>,
}

/// What must come out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    outcome: Outcome,
    urgency: Option<Urgency>,
    confidence: Option<f64>,
    decision: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Fires,
    Quiet,
    Indeterminate,
}

/// One case or variant that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The file.
    pub file: String,
    /// Line of its title.
    pub line: u64,
    /// The rule.
    pub rule: String,
    /// Its title; of a variant, both titles.
    pub title: String,
    /// What came out otherwise than expected.
    pub mismatches: Vec<String>,
}

/// What running cases came to.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Every case and variant.
    pub tested: Vec<Tested>,
    /// Cases that are wrong themselves.
    pub flaws: Vec<Flaw>,
    /// What they show of the rules.
    pub coverage: Coverage,
}

impl Run {
    /// Whether all is as expected and nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.flaws.is_empty() && !self.tested.is_empty() && self.tested.iter().all(|tested| tested.mismatches.is_empty())
    }

    /// How many came out otherwise than expected.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.tested.iter().filter(|tested| !tested.mismatches.is_empty()).count()
    }
}

/// Runs the cases of a suite.
#[must_use]
pub fn run(rules: &RuleSet, suite: &Suite) -> Run {
    let named = suite.files.iter().map(|file| file.rule.as_str());
    let mut run = Run {
        flaws: suite.flaws.clone(),
        coverage: Coverage::of(rules, named),
        tested: Vec::new(),
    };
    for file in &suite.files {
        let flaw = |detail: String| Flaw {
            file: file.path.display().to_string(),
            line: 0,
            column: 0,
            detail,
        };
        let Some(rule) = rules.rule(&file.rule) else {
            let known = rules.rules.iter().map(|rule| rule.id.as_str());
            run.flaws
                .push(flaw(format!("there is no rule `{}`; {}", file.rule, suggest(&file.rule, known))));
            continue;
        };
        match std::fs::read_to_string(&file.path) {
            Ok(text) => run_text(&mut run, rule, &file.path, &text),
            Err(error) => run.flaws.push(flaw(format!("cannot be read: {error}"))),
        }
    }
    run
}

/// Runs the case in a text, as if it stood in that file.
fn run_text(run: &mut Run, rule: &Rule, path: &Path, text: &str) {
    let mut case = Case {
        run,
        rule,
        file: path.display().to_string(),
    };
    let raw: RawCase = match yaml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let at = error.location();
            let what = error.without_snippet().to_string();
            let (line, column) = at.map_or((0, 0), |at| (at.line(), at.column()));
            return case.flaw((line, column), what.lines().next().unwrap_or("not understood"));
        }
    };
    let base: &[Given] = raw.given.as_ref().map_or(&[], |given| &given.0);
    case.one(&raw.title, &raw.title.value, &[base], &raw.expect);
    let mut titles = vec![raw.title.value.as_str()];
    for variant in &raw.variants {
        if titles.contains(&variant.title.value.as_str()) {
            case.flaw(
                place(&variant.title),
                &format!("there are two cases `{}`; tell them apart", variant.title.value),
            );
        }
        titles.push(&variant.title.value);
        let title = format!("{}: {}", raw.title.value, variant.title.value);
        for (name, value) in &variant.given.0 {
            if base
                .iter()
                .any(|(other, same)| other.value == name.value && same.value == value.value)
            {
                case.flaw(place(name), &format!("`{}` is so already; remove it", name.value));
            }
        }
        case.one(&variant.title, &title, &[base, &variant.given.0], &variant.expect);
    }
}

type Given = (Spanned<String>, Spanned<Json>);

fn place<T>(of: &Spanned<T>) -> (u64, u64) {
    (of.referenced.line(), of.referenced.column())
}

struct Case<'r, 'a> {
    run: &'r mut Run,
    rule: &'a Rule,
    file: String,
}

impl Case<'_, '_> {
    fn flaw(&mut self, (line, column): (u64, u64), detail: &str) {
        self.run.flaws.push(Flaw {
            file: self.file.clone(),
            line,
            column,
            detail: detail.to_owned(),
        });
    }

    fn one(&mut self, at: &Spanned<String>, title: &str, given: &[&[Given]], expect: &Spanned<Expect>) {
        let before = self.run.flaws.len();
        let mut subject = Subject::unknown(self.rule.scope, "example");
        for (name, value) in given.iter().copied().flatten() {
            self.give(&mut subject, name, value);
        }
        self.check(expect);
        if at.value.trim().is_empty() {
            self.flaw(place(at), "the title is empty; say what the case shows");
        }
        if self.run.flaws.len() > before {
            return;
        }
        let now: DateTime<Utc> = NOW.parse().unwrap_or_default();
        let (verdict, trace) = told(self.rule, &subject, now);
        self.run.coverage.saw(self.rule, &verdict, &trace);
        self.run.tested.push(Tested {
            file: self.file.clone(),
            line: at.referenced.line(),
            rule: self.rule.id.clone(),
            title: title.to_owned(),
            mismatches: mismatches(&expect.value, &verdict),
        });
    }

    fn give(&mut self, subject: &mut Subject, name: &Spanned<String>, value: &Spanned<Json>) {
        let inputs = input::inputs(self.rule.scope);
        let Some(index) = inputs.iter().position(|input| input.name == name.value) else {
            let known = suggest(&name.value, inputs.iter().map(|input| input.name));
            return self.flaw(
                place(name),
                &format!("there is no fact `{}` of a {}; {known}", name.value, self.rule.scope),
            );
        };
        if !self.rule.asks_for(index) {
            let detail = format!("the rule does not ask for `{}`: it proves nothing; remove it", name.value);
            return self.flaw(place(name), &detail);
        }
        let reason = value.value.as_object().and_then(|object| object.get("unknown"));
        let given = match reason.map(|reason| (reason, reason.as_str().and_then(UnknownReason::parse))) {
            None => Ok(&value.value),
            Some((_, Some(reason))) => Err(reason),
            Some((written, None)) => {
                let known = UnknownReason::ALL.into_iter().map(UnknownReason::as_str);
                let known = suggest(written.as_str().unwrap_or_default(), known);
                return self.flaw(place(value), &format!("{written} is no reason; {known}"));
            }
        };
        if let Err(ty) = subject.facts.set(index, given) {
            self.flaw(place(value), &format!("`{}` is {ty}, and {} is not", name.value, value.value));
        }
    }

    fn check(&mut self, expect: &Spanned<Expect>) {
        let Expect {
            outcome,
            urgency,
            confidence,
            decision,
            reason,
        } = &expect.value;
        let of_advice = urgency.is_some() || confidence.is_some() || decision.is_some();
        let detail = match outcome {
            Outcome::Fires if urgency.is_none() || confidence.is_none() || decision.is_none() => {
                "a case that fires says urgency, confidence and a part of the decision"
            }
            Outcome::Fires if decision.as_ref().is_some_and(|text| text.trim().is_empty()) => "an empty decision asserts nothing",
            Outcome::Fires if reason.is_some() => "`reason` is for what is indeterminate",
            Outcome::Quiet if of_advice || reason.is_some() => "what does not fire has nothing more to expect",
            Outcome::Indeterminate if of_advice => "what is indeterminate has no advice to expect",
            Outcome::Indeterminate if reason.as_deref().and_then(UnknownReason::parse).is_none() => {
                "a case that is indeterminate says the `reason`, as `stargate explain` lists them"
            }
            _ => return,
        };
        self.flaw(place(expect), detail);
    }
}

fn mismatches(expect: &Expect, verdict: &Verdict) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut differ = |what: &str, expected: String, got: String| {
        if expected != got {
            wrong.push(format!("{what} is {got}, not {expected}"));
        }
    };
    match (expect.outcome, verdict) {
        (Outcome::Fires, Verdict::Fires(advice)) => {
            differ(
                "urgency",
                expect.urgency.map(|it| it.to_string()).unwrap_or_default(),
                advice.urgency.to_string(),
            );
            let expected = expect.confidence.unwrap_or_default();
            differ(
                "confidence",
                format!("{expected:.2}"),
                format!("{:.2}", f64::from(advice.confidence) / 100.0),
            );
            let part = expect.decision.as_deref().unwrap_or_default();
            if !advice.decision.contains(part) {
                differ("decision", format!("{part:?}"), format!("{:?}", advice.decision));
            }
        }
        (Outcome::Quiet, Verdict::Quiet) => {}
        (Outcome::Indeterminate, Verdict::Unknown(doubt)) => {
            differ("reason", expect.reason.clone().unwrap_or_default(), doubt.reason.to_string());
        }
        (expected, got) => {
            let got = match got {
                Verdict::Fires(advice) => format!("fires ({}: {})", advice.urgency, advice.decision),
                Verdict::Quiet => "quiet".to_owned(),
                Verdict::Unknown(doubt) => format!("indeterminate ({}: {})", doubt.reason, doubt.facts.join(", ")),
            };
            differ("outcome", format!("{expected:?}").to_lowercase(), got);
        }
    }
    wrong
}

#[cfg(test)]
mod tests;
