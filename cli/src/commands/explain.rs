//! `stargate explain WORD`: what a word in an answer means.

use std::process::ExitCode;

use anyhow::bail;
use stargate_common::evaluate::catalog::{Action, Mode, READS, Risk, Scope};
use stargate_common::evaluate::pattern::PatternClass;
use stargate_common::evaluate::rubric::{FailureClass, RubricSet};
use stargate_common::evaluate::subclass::SubClass;
use stargate_common::stage::Stage;
use stargate_common::unknown::UnknownReason;

use super::evaluate::rubrics;
use crate::output;

/// Explain a failure class, sub-class, criterion, stage, action, or the reason of an unknown value.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate explain pods_crashlooping\n  stargate explain volume_mount_failed\n  stargate explain service_has_ready_endpoints\n  stargate explain route-ready\n  stargate explain inspect_pod_logs\n  stargate explain not_collected"
)]
pub struct Args {
    /// The word; without it, all words are listed
    word: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When nothing is known by that word; words like it are named.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    word(args.word.as_deref())
}

/// Explains a word; without one, all words are listed.
///
/// # Errors
/// When nothing is known by that word; words like it are named.
pub fn word(word: Option<&str>) -> anyhow::Result<ExitCode> {
    let rubrics = rubrics(None)?;
    let Some(word) = word else {
        output::text(&words(&rubrics).into_iter().map(|word| word + "\n").collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut said = Vec::new();
    said.extend(rubrics.class(word).map(|found| class(found) + &sub_classes(&rubrics, word)));
    // A class that a rubric defines too has its sub-classes there.
    let below = if said.is_empty() {
        sub_classes(&rubrics, word)
    } else {
        String::new()
    };
    said.extend(rubrics.patterns.named(word).map(|found| pattern_class(found) + &below));
    said.extend(sub_class(&rubrics, word));
    said.extend(rubrics.catalog.get(word).map(|found| action(&rubrics, found)));
    said.extend(Stage::parse(word).map(|stage| stage_text(&rubrics, stage)));
    said.extend(criterion(&rubrics, word));
    said.extend(UnknownReason::ALL.into_iter().find(|reason| reason.as_str() == word).map(reason));
    if said.is_empty() {
        let near: Vec<String> = words(&rubrics).into_iter().filter(|known| near(known, word)).take(5).collect();
        let hint = if near.is_empty() {
            "`stargate explain` lists all words".to_owned()
        } else {
            format!("did you mean {}?", near.join(", "))
        };
        bail!("nothing is known about {word}; {hint}");
    }
    output::text(&(said.join("\n\n") + "\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn class(class: &FailureClass) -> String {
    let when: Vec<String> = class.when.iter().map(|when| when.expr.to_string()).collect();
    let mut text = format!(
        "{}: {}\n\n{}\n\nstage     {}\nseverity  {} of 10",
        class.name,
        class.title,
        class.description.trim(),
        class.stage,
        class.severity
    );
    if !when.is_empty() {
        text += &format!("\nwhen      {}", when.join(" and "));
    }
    if let Some(action) = &class.recommended_action {
        text += &format!("\nlook at   {action}");
    }
    text
}

fn action(rubrics: &RubricSet, action: &Action) -> String {
    let mut text = format!("action {}: {}\n\n{}\n", action.id, action.title, action.description);
    for (mode, name, meaning) in Mode::ALL {
        if mode == action.mode {
            text += &format!("\nmode      {name}: {meaning}");
        }
    }
    for (risk, name, meaning) in Risk::ALL {
        if risk == action.risk {
            text += &format!("\nrisk      {name}: {meaning}");
        }
    }
    for (scope, name, meaning) in Scope::ALL {
        if scope == action.scope {
            text += &format!("\nscope     {name}: {meaning}");
        }
    }
    for (name, meaning) in READS.into_iter().filter(|(name, _)| action.reads.contains(name)) {
        text += &format!("\nreads     {name}: {meaning}");
    }
    let recommended = rubrics
        .classes()
        .filter(|class| class.recommended_action.as_ref() == Some(&action.id));
    let classes: Vec<&str> = recommended.map(|class| class.name.as_str()).collect();
    if !classes.is_empty() {
        text += &format!("\nfor       {}", classes.join(", "));
    }
    text
}

fn pattern_class(class: &PatternClass) -> String {
    let mut text = format!(
        "{}: {}\n\n{}\n\nsource    {}, found in texts\nseverity  {}",
        class.name, class.title, class.description, class.source, class.severity
    );
    if let Some(team) = &class.team {
        text += &format!("\nteam      {team}");
    }
    if let Some(query) = &class.query {
        text += &format!("\nquery     {query}");
    }
    for (at, pattern) in class.patterns.iter().enumerate() {
        text += &format!("\n{:<9} /{pattern}/", if at == 0 { "finds" } else { "or" });
    }
    for unless in &class.unless {
        text += &format!("\nunless    /{unless}/");
    }
    text
}

/// The sub-classes of a class, a line each.
fn sub_classes(rubrics: &RubricSet, class: &str) -> String {
    let rules = rubrics
        .sub_classes
        .iter()
        .filter(|(of, _)| *of == class)
        .flat_map(|(_, rules)| rules);
    let lines: Vec<String> = rules.map(|rule| format!("\n  {:<34} {}", rule.name, rule.description)).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("\n\nsub-classes:{}", lines.concat())
}

fn sub_class(rubrics: &RubricSet, word: &str) -> Option<String> {
    let (class, rule) = rubrics
        .sub_classes
        .iter()
        .find_map(|(class, rules)| Some((class, rules.iter().find(|rule| rule.name == word)?)))?;
    let SubClass {
        name,
        description,
        facts,
        pattern,
        workload,
        auto_fix_confidence,
    } = rule;
    let confidence = format!("{auto_fix_confidence:?}").to_lowercase();
    let mut text = format!("{name}: {description}\n\nclass     {class}\nworkload  {workload}\nauto-fix  {confidence} confidence");
    for facts in facts {
        text += &format!("\nwhen      {facts}");
    }
    if let Some(pattern) = pattern {
        text += &format!("\nfinds     /{pattern}/");
    }
    if rule.is_default() {
        text += "\nwhen      none of the others fits";
    }
    Some(text)
}

fn stage_text(rubrics: &RubricSet, stage: Stage) -> String {
    let rubric = rubrics.rubric(stage);
    let mut text = format!("stage {stage}\n\n{}\n", rubric.summary.trim());
    for (role, criteria) in [("entry", &rubric.entry), ("exit", &rubric.exit)] {
        for criterion in criteria {
            let required = if criterion.required { "required" } else { "optional" };
            text += &format!("\n{role:<6} {required:<9} {:<30} {}", criterion.name, criterion.description);
        }
    }
    let classes: Vec<&str> = rubric.classes.iter().map(|class| class.name.as_str()).collect();
    text + &format!("\n\nfailure classes, in order of precedence: {}", classes.join(", "))
}

fn criterion(rubrics: &RubricSet, word: &str) -> Option<String> {
    let lines: Vec<String> = rubrics
        .criteria(word)
        .map(|(stage, _, criterion)| {
            let required = if criterion.required { "required" } else { "optional" };
            format!("criterion {word} of {stage}, {required}: {}", criterion.description)
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn reason(reason: UnknownReason) -> String {
    format!(
        "{reason}: {}\n\nAn unknown value is neither a pass nor a failure: a stage that requires it is indeterminate.",
        reason.describe()
    )
}

fn words(rubrics: &RubricSet) -> Vec<String> {
    let mut words: Vec<String> = Stage::ALL.iter().map(ToString::to_string).collect();
    words.extend(rubrics.classes().map(|class| class.name.clone()));
    words.extend(rubrics.patterns.classes().map(|class| class.name.clone()));
    words.extend(
        rubrics
            .sub_classes
            .iter()
            .flat_map(|(_, rules)| rules)
            .map(|rule| rule.name.clone()),
    );
    words.extend(
        rubrics
            .rubrics()
            .iter()
            .flat_map(|rubric| rubric.entry.iter().chain(&rubric.exit))
            .map(|criterion| criterion.name.clone().into_owned()),
    );
    words.extend(rubrics.catalog.iter().map(|action| action.id.clone()));
    words.extend(UnknownReason::ALL.iter().map(ToString::to_string));
    words.sort();
    words.dedup();
    words
}

/// Whether a known word shares a part with what was asked, as people half remember names.
fn near(known: &str, word: &str) -> bool {
    let asked = word.to_lowercase().replace('-', "_");
    let known = known.replace('-', "_");
    known.contains(&asked) || asked.split('_').filter(|part| part.len() > 3).any(|part| known.contains(part))
}
