//! From the text of rubrics to rubrics that can be trusted: everything that can be wrong, with its place and the way out.
//!
//! Nothing is skipped in silence: a rubric that would never match, or that names what its stage does not observe, fails
//! the load. All findings are collected before anybody is told, in the order of file and line.

mod raw;
mod suggest;

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_yaml::{Location, Spanned};
use sha2::{Digest, Sha256};

pub(super) use self::raw::Ordered;
use self::raw::{RawClass, RawCriterion, RawRubric};
use self::suggest::suggest;
use super::condition::{self, Clause, Condition, Literal};
use super::kind::KindTable;
use super::rubric::{Criterion, EntryClass, FailureClass, File, Rubric, file_name, hex};
use super::subclass::SubClasses;
use crate::evidence;
use crate::stage::Stage;
use crate::yaml;

/// Whether a finding stops the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It does.
    Error,
    /// It does not, but somebody should look.
    Warning,
}

/// Something wrong with a rubric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File, as the caller named it.
    pub file: String,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: u64,
    /// Column, from 1; 0 when the whole line is meant.
    pub column: u64,
    /// How bad.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, ": {level}: {}; {}", self.message, self.help)
    }
}

/// Findings as one text, a line each.
#[must_use]
pub fn render(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    format!("{} problem(s) in the rubrics:\n{}", findings.len(), lines.join("\n"))
}

/// What a check yields: whatever could be understood, and what is wrong.
#[derive(Debug, Default)]
pub struct Checked {
    /// One rubric per stage in pipeline order, when there are no errors.
    pub rubrics: Vec<Rubric>,
    /// Sub-classes, when their file is right.
    pub sub_classes: Option<SubClasses>,
    /// Kinds of labs, when their file is right.
    pub kinds: Option<KindTable>,
    /// Everything wrong, by file and line.
    pub findings: Vec<Finding>,
}

/// Checks the files of a set, alone and together.
#[must_use]
pub fn check(files: &[File<'_>]) -> Checked {
    let mut checked = Checked::default();
    let mut raw = BTreeMap::new();
    for file in files {
        let mut report = Report::new(file.path, &mut checked.findings);
        match file_name(file.path) {
            "sub-classes.yaml" => checked.sub_classes = read(file, &mut report).and_then(|raw| SubClasses::compile(raw, &mut report)),
            "kinds.yaml" => checked.kinds = read(file, &mut report).and_then(|raw| KindTable::compile(raw, &mut report)),
            name => {
                let folder = name.split('/').next().unwrap_or_default();
                let Some(rubric) = read::<RawRubric>(file, &mut report) else {
                    continue;
                };
                let Some(stage) = stage_of(&rubric, folder, &mut report) else {
                    continue;
                };
                if raw.insert(stage, (file, rubric)).is_some() {
                    report.whole_file(&format!("the set has two rubrics for `{stage}`"), "keep one of them");
                }
            }
        }
    }
    let class_names: BTreeSet<&str> = raw
        .values()
        .flat_map(|(_, rubric)| rubric.failure_classes.0.iter().map(|(name, _)| name.value.as_str()))
        .collect();
    let mut defined: BTreeMap<String, Stage> = BTreeMap::new();
    for (stage, (file, rubric)) in &raw {
        let mut report = Report::new(file.path, &mut checked.findings);
        checked
            .rubrics
            .push(compile(*stage, file, rubric, &class_names, &mut defined, &mut report));
    }
    link_entry_classes(&mut checked.rubrics);
    for stage in Stage::ALL {
        if !raw.contains_key(&stage) && !checked.findings.iter().any(|f| f.file.contains(stage.as_str())) {
            Report::new(&format!("{stage}/rubric.yaml"), &mut checked.findings).whole_file(
                "the rubric is missing",
                "add it: a set has one rubric for each of the eleven stages",
            );
        }
    }
    for (present, name) in [
        (checked.sub_classes.is_some(), "sub-classes.yaml"),
        (checked.kinds.is_some(), "kinds.yaml"),
    ] {
        if !present && !checked.findings.iter().any(|f| f.file.ends_with(name)) {
            Report::new(name, &mut checked.findings).whole_file("the file is missing", "add it to the rubrics' directory");
        }
    }
    if let Some(sub_classes) = &checked.sub_classes {
        let path = files.iter().map(|file| file.path).find(|path| path.ends_with("sub-classes.yaml"));
        let mut report = Report::new(path.unwrap_or("sub-classes.yaml"), &mut checked.findings);
        for (class, location) in sub_classes.rubric_classes() {
            if !class_names.contains(class) {
                report.error(
                    *location,
                    &format!("no rubric has a class `{class}`"),
                    &suggest(class, class_names.iter().copied()),
                );
            }
        }
    }
    checked
        .findings
        .sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    checked
}

/// Where findings about one file go.
pub(super) struct Report<'a> {
    file: String,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Report<'a> {
    fn new(file: &str, findings: &'a mut Vec<Finding>) -> Self {
        Self {
            file: file.to_owned(),
            findings,
        }
    }

    pub(super) fn error(&mut self, at: Location, message: &str, help: &str) {
        self.push(at, Level::Error, message, help);
    }

    fn warning(&mut self, at: Location, message: &str, help: &str) {
        self.push(at, Level::Warning, message, help);
    }

    fn whole_file(&mut self, message: &str, help: &str) {
        self.push(Location::UNKNOWN, Level::Error, message, help);
    }

    fn push(&mut self, at: Location, level: Level, message: &str, help: &str) {
        self.findings.push(Finding {
            file: self.file.clone(),
            line: at.line(),
            column: at.column(),
            level,
            message: message.to_owned(),
            help: help.to_owned(),
        });
    }
}

fn read<T: DeserializeOwned>(file: &File<'_>, report: &mut Report<'_>) -> Option<T> {
    match yaml::from_str(file.text) {
        Ok(value) => Some(value),
        Err(error) => {
            let at = error.location().unwrap_or(Location::UNKNOWN);
            let what = error.without_snippet().to_string();
            let first = what.lines().next().unwrap_or("not understood").trim_start_matches("error: ");
            // The parser adds the place, which we print ourselves, and its own options.
            let message = first.rsplit_once(" at line ").map_or(first, |(message, _)| message);
            let message = message
                .split_once(", set DuplicateKeyPolicy")
                .map_or(message, |(message, _)| message);
            report.error(at, message, "correct the field; unknown and doubled fields are refused");
            None
        }
    }
}

fn stage_of(rubric: &RawRubric, folder: &str, report: &mut Report<'_>) -> Option<Stage> {
    let named = &rubric.stage;
    let Some(stage) = Stage::parse(&named.value) else {
        let stages = Stage::ALL.into_iter().map(Stage::as_str);
        report.error(
            named.referenced,
            &format!("there is no stage `{}`", named.value),
            &suggest(&named.value, stages),
        );
        return None;
    };
    if rubric.id.value != stage.as_str() || folder != stage.as_str() {
        report.error(
            rubric.id.referenced,
            &format!(
                "folder `{folder}`, id `{}` and stage `{stage}` should be the same word",
                rubric.id.value
            ),
            "name folder and id like the stage",
        );
    }
    Some(stage)
}

fn compile(
    stage: Stage,
    file: &File<'_>,
    raw: &RawRubric,
    class_names: &BTreeSet<&str>,
    defined: &mut BTreeMap<String, Stage>,
    report: &mut Report<'_>,
) -> Rubric {
    head(raw, report);
    let (entry, exit) = criteria(stage, raw, class_names, report);
    let mut classes: Vec<FailureClass> = Vec::new();
    for (name, class) in &raw.failure_classes.0 {
        if !name
            .value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            report.error(
                name.referenced,
                &format!("class `{}` is not a snake-case name", name.value),
                "rename it",
            );
        }
        if let Some(other) = defined.insert(name.value.clone(), stage) {
            report.error(
                name.referenced,
                &format!("class `{}` is also defined by `{other}`", name.value),
                "a class has one meaning: rename one of the two, or name it as the `class` of an entry criterion",
            );
        }
        let compiled = compile_class(stage, name, class, raw, report);
        if compiled.when.is_empty() && class.when.is_empty() && !entry.iter().any(|c| leads_to(c, &name.value)) {
            report.error(
                name.referenced,
                &format!(
                    "class `{}` can never match: it has no conditions and no entry criterion names it",
                    name.value
                ),
                "add `when`, or name it as the `class` of an entry criterion",
            );
        }
        let shadow = classes.iter().find(|earlier| shadows(earlier, &compiled));
        if let Some(earlier) = shadow {
            report.error(
                name.referenced,
                &format!(
                    "class `{}` can never match: `{}` above it matches whenever it would",
                    name.value, earlier.name
                ),
                "move it up, or add a condition to the class above",
            );
        }
        classes.push(compiled);
    }
    for (criterion, raw) in exit.iter().zip(&raw.exit_criteria.value) {
        let mentioned = classes
            .iter()
            .any(|class| class.when.iter().any(|clause| clause.mentions(criterion.name)));
        if criterion.required && !mentioned {
            report.warning(
                raw.name.referenced,
                &format!("no class mentions the required criterion `{}`", criterion.name),
                "its failures will be unclassified: add a class",
            );
        }
    }
    Rubric {
        stage,
        version: raw.version.value.clone(),
        summary: raw.summary.value.trim().to_owned(),
        timeout_seconds: raw.timeout_seconds.as_ref().map(|seconds| seconds.value),
        entry,
        exit,
        classes,
        allowed_remediations: raw.allowed_remediations.iter().map(|action| action.value.clone()).collect(),
        forbidden_remediations: raw.forbidden_remediations.iter().map(|action| action.value.clone()).collect(),
        hash: hex(&Sha256::digest(file.text.as_bytes())),
    }
}

fn head(raw: &RawRubric, report: &mut Report<'_>) {
    let parts: Vec<&str> = raw.version.value.split('.').collect();
    if parts.len() != 3 || parts.iter().any(|part| part.parse::<u32>().is_err()) {
        report.error(
            raw.version.referenced,
            &format!("version `{}` is not major.minor.patch", raw.version.value),
            "write for example 1.0.0",
        );
    }
    if raw.summary.value.trim().is_empty() {
        report.error(
            raw.summary.referenced,
            "the summary is empty",
            "say what the rubric looks for and why",
        );
    }
    if let Some(seconds) = raw.timeout_seconds.as_ref().filter(|seconds| seconds.value == 0) {
        report.error(
            seconds.referenced,
            "timeout_seconds is 0",
            "give a positive number, or leave it out",
        );
    }
    if raw.exit_criteria.value.is_empty() {
        report.error(
            raw.exit_criteria.referenced,
            "exit_criteria is empty",
            "a rubric checks at least one criterion",
        );
    }
    for action in &raw.allowed_remediations {
        if raw.forbidden_remediations.iter().any(|other| other.value == action.value) {
            report.error(
                action.referenced,
                &format!("action `{}` is both allowed and forbidden", action.value),
                "remove it from one of the lists",
            );
        }
    }
}

fn criteria(stage: Stage, raw: &RawRubric, class_names: &BTreeSet<&str>, report: &mut Report<'_>) -> (Vec<Criterion>, Vec<Criterion>) {
    let mut seen = BTreeSet::new();
    let mut compile = |criterion: &RawCriterion, is_entry: bool, report: &mut Report<'_>| {
        let at = criterion.name.referenced;
        let name = known_name(stage, &criterion.name.value, at, report);
        if !seen.insert(criterion.name.value.clone()) {
            report.error(at, &format!("criterion `{}` is listed twice", criterion.name.value), "remove one");
        }
        if criterion.description.value.trim().is_empty() {
            report.error(
                criterion.description.referenced,
                "the description is empty",
                "say what the criterion states",
            );
        }
        if let Some(class) = &criterion.class
            && !class_names.contains(class.value.as_str())
        {
            report.error(
                class.referenced,
                &format!("no rubric has a class `{}`", class.value),
                &suggest(&class.value, class_names.iter().copied()),
            );
        }
        match (is_entry, criterion.required, &criterion.class) {
            (true, true, None) => report.error(
                at,
                &format!("entry criterion `{}` names no class", criterion.name.value),
                "add `class`: what this failure is called",
            ),
            (false, _, Some(class)) => report.error(
                class.referenced,
                "an exit criterion has no class of its own",
                "remove it: exit failures are classified by `failure_classes`",
            ),
            _ => {}
        }
        if criterion.optional_until_read && (is_entry || !criterion.required) {
            report.error(
                at,
                &format!(
                    "`optional_until_read` on `{}`, which is not a required exit criterion",
                    criterion.name.value
                ),
                "remove it: it only says what a required exit criterion does while its source is not read",
            );
        }
        let owner = criterion.owner.as_ref().and_then(|owner| {
            let found = Stage::parse(&owner.value).filter(|earlier| *earlier < stage && is_entry);
            if found.is_none() {
                report.error(
                    owner.referenced,
                    &format!("`{}` is not an earlier stage, or this is not an entry criterion", owner.value),
                    "name the earlier stage that states this, or remove `owner`",
                );
            }
            found
        });
        name.map(|name| Criterion {
            name,
            description: criterion.description.value.trim().to_owned(),
            required: criterion.required,
            optional_until_read: criterion.optional_until_read,
            class: criterion.class.as_ref().map(|class| EntryClass {
                name: class.value.clone(),
                recommended_action: None,
            }),
            owner,
        })
    };
    let entry = raw.entry_criteria.iter().filter_map(|c| compile(c, true, report)).collect();
    let exit = raw.exit_criteria.value.iter().filter_map(|c| compile(c, false, report)).collect();
    (entry, exit)
}

fn compile_class(stage: Stage, name: &Spanned<String>, class: &RawClass, raw: &RawRubric, report: &mut Report<'_>) -> FailureClass {
    for text in [&class.title, &class.description] {
        if text.value.trim().is_empty() {
            report.error(
                text.referenced,
                "the text is empty",
                "operators read it: say what happened and what to look at",
            );
        }
    }
    if !(1..=10).contains(&class.severity.value) {
        report.error(
            class.severity.referenced,
            "severity is out of range",
            "give 1 (cosmetic) to 10 (nothing works)",
        );
    }
    if let Some(action) = &class.recommended_action {
        let in_list = |list: &[Spanned<String>]| list.iter().any(|other| other.value == action.value);
        if in_list(&raw.forbidden_remediations) || !in_list(&raw.allowed_remediations) {
            report.error(
                action.referenced,
                &format!("recommended action `{}` is not among the allowed ones", action.value),
                "add it to allowed_remediations, or recommend another",
            );
        }
    }
    let mut when: Vec<Clause> = Vec::new();
    for text in &class.when {
        let Some(clause) = clause(stage, text, report) else {
            continue;
        };
        if let Some(condition) = clause.0.iter().find(|condition| is_no_answer(condition, raw)) {
            report.error(
                text.referenced,
                &format!("`{condition}` never holds: the criterion is true or false"),
                "compare it with true or false, or name a fact that is a number or a word",
            );
        }
        if let Some(other) = when.iter().find(|other| other.contradicts(&clause)) {
            report.error(
                text.referenced,
                &format!("class `{}` can never match: `{clause}` contradicts `{other}`", name.value),
                "remove one of the conditions",
            );
        }
        when.push(clause);
    }
    if when.len() < class.when.len() {
        // What was not understood must not make the rest look too broad.
        when.clear();
    }
    FailureClass {
        name: name.value.clone(),
        stage,
        title: class.title.value.trim().to_owned(),
        description: class.description.value.trim().to_owned(),
        when,
        recommended_action: class.recommended_action.as_ref().map(|action| action.value.clone()),
        severity: class.severity.value,
        grade: class.grade,
        area: class.area,
    }
}

fn clause(stage: Stage, text: &Spanned<String>, report: &mut Report<'_>) -> Option<Clause> {
    let at = text.referenced;
    let parsed = match condition::parse_clause(&text.value) {
        Ok(parsed) => parsed,
        Err(error) => {
            report.error(at, &error.to_string(), error.help());
            return None;
        }
    };
    let known = parsed.into_iter().map(|parsed| {
        Some(Condition {
            name: known_name(stage, parsed.name, at, report)?,
            op: parsed.op,
            literal: parsed.literal,
        })
    });
    known.collect::<Option<Vec<_>>>().map(Clause)
}

/// Whether a criterion, which is yes or no, is compared with something else.
fn is_no_answer(condition: &Condition, raw: &RawRubric) -> bool {
    let criteria = raw.entry_criteria.iter().chain(&raw.exit_criteria.value);
    !matches!(condition.literal, Literal::Bool(_)) && criteria.into_iter().any(|criterion| criterion.name.value == condition.name)
}

/// Whether `earlier` matches whenever `later` does: its conditions are a subset.
fn shadows(earlier: &FailureClass, later: &FailureClass) -> bool {
    !earlier.when.is_empty() && !later.when.is_empty() && earlier.when.iter().all(|a| later.when.iter().any(|b| a.covers(b)))
}

fn leads_to(criterion: &Criterion, class: &str) -> bool {
    criterion.class.as_ref().is_some_and(|entry| entry.name == class)
}

/// The stage's own spelling of a name, or a finding.
fn known_name(stage: Stage, name: &str, at: Location, report: &mut Report<'_>) -> Option<&'static str> {
    let names = evidence::names(stage);
    let known = names.iter().copied().find(|known| *known == name);
    if known.is_none() {
        report.error(
            at,
            &format!("`{stage}` observes no criterion or fact `{name}`"),
            &suggest(name, names.iter().copied()),
        );
    }
    known
}

/// Gives entry classes the action that their definition recommends, wherever it stands.
fn link_entry_classes(rubrics: &mut [Rubric]) {
    let actions: BTreeMap<String, Option<String>> = rubrics
        .iter()
        .flat_map(|rubric| &rubric.classes)
        .map(|class| (class.name.clone(), class.recommended_action.clone()))
        .collect();
    for class in rubrics.iter_mut().flat_map(|r| &mut r.entry).filter_map(|c| c.class.as_mut()) {
        class.recommended_action = actions.get(&class.name).cloned().flatten();
    }
}
