//! From files to entries. Nothing is skipped in silence, and every mistake is told at once, with its file, line and field.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_yaml::{Location, Spanned};
use sha2::{Digest, Sha256};

use super::raw::{RawDiagnosis, RawEntry, RawParameter};
use super::{Allowed, Catalog, CatalogError, Diagnosis, Entry, Mode, PLATFORM_READS, SIGNALS, Scope, TargetRule, Verify};
use crate::evaluate::catalog::{self as advice, READS};
use crate::evaluate::files::File;
use crate::evaluate::lint::raw::RawFile;
use crate::evaluate::lint::{Finding, Report, read};
use crate::evaluate::rubric::{RubricSet, hex};
use crate::policy::rule::RuleSet;
use crate::remediation::operation::{Domain, Method, Operation, Precondition, Risk, Tier};
use crate::stage::Stage;
use crate::suggest::suggest;

/// What a text may not hold: there is nothing in this catalog that is filled in or run.
const MARKS: [&str; 6] = ["${", "$(", "{{", "}}", "`", "&&"];

/// What entries may name.
struct Known<'a> {
    classes: BTreeSet<&'a str>,
    policies: BTreeSet<&'a str>,
}

pub(super) fn load(files: &[File<'_>], rubrics: &RubricSet, rules: &RuleSet) -> Result<Catalog, CatalogError> {
    let known = Known {
        classes: rubrics
            .classes()
            .map(|class| class.name.as_str())
            .chain(rubrics.patterns.classes().map(|class| class.name.as_str()))
            .collect(),
        policies: rules.rules.iter().map(|rule| rule.id.as_str()).collect(),
    };
    let mut findings = Vec::new();
    let mut catalog = Catalog::default();
    let mut all = Sha256::new();
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    for file in files {
        all.update(Sha256::digest(file.text.as_bytes()));
        let path: Arc<str> = Arc::from(file.path);
        let mut report = Report::new(&path, &mut findings);
        let mut ends = file.path.rsplit(['/', '\\']);
        let (name, folder) = (ends.next().unwrap_or_default(), ends.next().unwrap_or_default());
        if let Some(other) = places.insert(folder.to_owned(), file.path.to_owned()) {
            report.whole_file(
                &format!("there is already an entry `{folder}` in {other}"),
                "an id means one thing: rename one",
            );
        } else if rubrics.catalog.get(folder).is_some() {
            report.whole_file(
                &format!("`{folder}` is already advice of the rubrics"),
                "an id means one thing: rename it",
            );
        }
        if name == "operation.yaml" {
            if let Some(entry) = read::<RawEntry>(file, &path, &mut report).and_then(|raw| compile(folder, &raw, &known, &mut report)) {
                catalog.entries.insert(entry.id.clone(), entry);
            }
        } else if let Some(diagnosis) =
            read::<RawDiagnosis>(file, &path, &mut report).and_then(|raw| diagnosis(folder, &raw.content, &known, &mut report))
        {
            catalog.diagnoses.insert(diagnosis.id.clone(), diagnosis);
        }
    }
    if !findings.is_empty() {
        findings.sort_by(|a: &Finding, b: &Finding| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        return Err(CatalogError::Invalid(findings));
    }
    advised(&mut catalog, rubrics);
    catalog.version = hex(&all.finalize()[..8]);
    Ok(catalog)
}

/// Advice of the rubrics that reads something is a diagnosis of the classes that recommend it.
fn advised(catalog: &mut Catalog, rubrics: &RubricSet) {
    for action in rubrics.catalog.iter().filter(|action| action.mode == advice::Mode::RecommendOnly) {
        let of_action = rubrics
            .classes()
            .filter(|class| class.recommended_action.as_deref() == Some(action.id.as_str()));
        catalog.diagnoses.insert(
            action.id.clone(),
            Diagnosis {
                id: action.id.clone(),
                title: action.title.clone(),
                description: action.description.clone(),
                scope: match action.scope {
                    advice::Scope::Namespace => Scope::Namespace,
                    advice::Scope::Cluster => Scope::Cluster,
                },
                failure_classes: of_action.map(|class| class.name.clone()).collect(),
                reads: action.reads.clone(),
            },
        );
    }
}

fn compile(folder: &str, raw: &RawFile<RawEntry>, known: &Known<'_>, report: &mut Report<'_>) -> Option<Entry> {
    let errors = report.errors();
    let content = &raw.content;
    head(
        folder,
        &content.id,
        [&content.title, &content.description, &content.cannot_undo, &content.verify.expect],
        report,
    );
    let operation = word(&content.operation, "operation", Operation::ALL, Operation::as_str, report)?;
    let method = word(&content.method, "method", Method::ALL, Method::as_str, report);
    let risk = word(&content.risk, "risk", Risk::ALL, Risk::as_str, report);
    let mode = word(&content.mode, "mode", Mode::ALL, Mode::as_str, report);
    let scope = word(&content.scope, "scope", Scope::ALL, Scope::as_str, report);
    let target = word(&content.target.rule, "target rule", TargetRule::ALL, TargetRule::as_str, report);
    if let Some(method) = method.filter(|method| *method != operation.method()) {
        let right = operation.method();
        report.error(
            content.method.referenced,
            &format!("`method: {method}` contradicts the operation"),
            &format!("`{operation}` goes through `{right}`"),
        );
    }
    let tier = operation.tier();
    if content.tier.value != (if tier == Tier::One { 1 } else { 2 }) {
        report.error(
            content.tier.referenced,
            "`tier` contradicts the operation",
            "1 is for `kubernetes`, 2 for everything else",
        );
    }
    if let Some(risk) = risk {
        bounds(content, operation, risk, mode, report);
    }
    if content.version.value == 0 {
        report.error(
            content.version.referenced,
            "`version` is 0",
            "begin with 1, and raise it with every change of what is done",
        );
    }
    let reasons = content.failure_classes.len() + content.policies.len() + content.signals.len();
    if reasons == 0 {
        report.error(
            content.id.referenced,
            "the entry is for nothing",
            "name `failure_classes`, `policies` or `signals`",
        );
    }
    let failure_classes = names(&content.failure_classes, "failure class", &known.classes, report);
    let policies = names(&content.policies, "policy rule", &known.policies, report);
    let signals = names(&content.signals, "signal", &SIGNALS.iter().map(|(name, _)| *name).collect(), report);
    let kinds = names(
        &content.target.kinds.value,
        "kind for this operation",
        &operation.kinds().iter().copied().collect(),
        report,
    );
    if kinds.is_empty() {
        report.error(
            content.target.kinds.referenced,
            "`target.kinds` is empty",
            "an empty list can never mean all",
        );
    }
    let entry = Entry {
        id: content.id.value.clone(),
        version: content.version.value,
        title: content.title.value.trim().to_owned(),
        description: content.description.value.trim().to_owned(),
        operation,
        method: method?,
        tier,
        risk: risk?,
        mode: mode?,
        requires_approval: content.requires_approval.value,
        scope: scope?,
        failure_classes,
        policies,
        signals,
        kinds,
        target: target?,
        parameters: parameters(content, operation, report),
        preconditions: preconditions(content, operation, report),
        verify: verify(content, report),
        cannot_undo: content.cannot_undo.value.trim().to_owned(),
        undo: undo(content, operation, report),
        cooldown_minutes: content.cooldown_minutes.value,
        max_attempts: content.max_attempts.value,
        owner: team(&content.owner, "owner", report),
        reviewed_by: content.reviewed_by.as_ref().map(|name| team(name, "reviewed_by", report)),
        hash: raw.hash.clone(),
        place: report.place(content.id.referenced),
    };
    (report.errors() == errors).then_some(entry)
}

/// What an entry may not claim of its operation.
fn bounds(content: &RawEntry, operation: Operation, risk: Risk, mode: Option<Mode>, report: &mut Report<'_>) {
    if risk < operation.least_risk() {
        report.error(
            content.risk.referenced,
            &format!("`risk: {risk}` is less than the operation has"),
            &format!("`{operation}` is at least {}", operation.least_risk()),
        );
    }
    if mode == Some(Mode::AutoExecute) && risk >= Risk::High {
        report.error(
            content.mode.referenced,
            &format!("`mode: auto_execute` with `risk: {risk}`"),
            "a person decides about what nobody can bring back",
        );
    }
    if mode == Some(Mode::AutoExecute) && content.requires_approval.value {
        report.error(
            content.requires_approval.referenced,
            "`requires_approval` contradicts `mode: auto_execute`",
            "choose `manual_approval`, or leave the approval to labs",
        );
    }
    let most = if mode == Some(Mode::AutoExecute) { 2 } else { 3 };
    if !(1..=most).contains(&content.max_attempts.value) {
        report.error(
            content.max_attempts.referenced,
            "`max_attempts` is out of range",
            &format!("give 1 to {most}: what did not help twice does not help"),
        );
    }
    if !(10..=240).contains(&content.cooldown_minutes.value) {
        report.error(
            content.cooldown_minutes.referenced,
            "`cooldown_minutes` is out of range",
            "give 10 to 240",
        );
    }
}

fn parameters(content: &RawEntry, operation: Operation, report: &mut Report<'_>) -> BTreeMap<String, Allowed> {
    let mut found = BTreeMap::new();
    let given: &[(Spanned<String>, RawParameter)] = content.parameters.as_ref().map_or(&[], |given| &given.0);
    for (name, raw) in given {
        let Some(parameter) = operation.parameters().iter().find(|known| known.name == name.value) else {
            let known = suggest(&name.value, operation.parameters().iter().map(|known| known.name));
            report.error(name.referenced, &format!("`{operation}` has no parameter `{}`", name.value), &known);
            continue;
        };
        if let Some(allowed) = narrowed(name, raw, parameter.domain, report) {
            found.insert(name.value.clone(), allowed);
        }
    }
    for parameter in operation.parameters() {
        if !given.iter().any(|(name, _)| name.value == parameter.name) {
            report.error(
                content.operation.referenced,
                &format!("`parameters.{}` is missing", parameter.name),
                "say what it may be: there are no defaults",
            );
        }
    }
    found
}

fn narrowed(name: &Spanned<String>, raw: &RawParameter, domain: Domain, report: &mut Report<'_>) -> Option<Allowed> {
    let RawParameter { min, max, one_of, uuid } = raw;
    match (domain, min, max, one_of, uuid) {
        (Domain::Integer { min: least, max: most }, Some(min), Some(max), None, None) => {
            if min.value < least || max.value > most || min.value > max.value {
                report.error(
                    min.referenced,
                    &format!("`{}` may be {} to {}", name.value, min.value, max.value),
                    &format!("the operation allows {least} to {most}"),
                );
            }
            Some(Allowed::Integer {
                min: min.value,
                max: max.value,
            })
        }
        (Domain::Word(words), None, None, Some(given), None) => {
            let chosen = names(&given.value, &format!("`{}`", name.value), &words.iter().copied().collect(), report);
            if chosen.is_empty() {
                report.error(
                    given.referenced,
                    &format!("`{}` can be nothing", name.value),
                    "name at least one word",
                );
            }
            Some(Allowed::OneOf(chosen))
        }
        (Domain::Uuid, None, None, None, Some(uuid)) if uuid.value => Some(Allowed::Uuid),
        (domain, ..) => {
            let right = match domain {
                Domain::Integer { .. } => "`{min: …, max: …}`",
                Domain::Word(_) => "`{one_of: […]}`",
                Domain::Uuid => "`{uuid: true}`",
            };
            report.error(
                name.referenced,
                &format!("`{}` is of another type", name.value),
                &format!("write {right}"),
            );
            None
        }
    }
}

fn preconditions(content: &RawEntry, operation: Operation, report: &mut Report<'_>) -> Vec<Precondition> {
    let known: BTreeSet<&str> = Precondition::ALL.into_iter().map(|(_, name, _)| name).collect();
    let named = names(&content.preconditions.value, "precondition", &known, report);
    let found: Vec<Precondition> = named.iter().filter_map(|name| Precondition::parse(name)).collect();
    for need in operation.needs().iter().filter(|need| !found.contains(need)) {
        report.error(
            content.preconditions.referenced,
            &format!("precondition `{}` is missing", need.as_str()),
            &format!("`{operation}` is only done when {}", need.question()),
        );
    }
    found
}

fn verify(content: &RawEntry, report: &mut Report<'_>) -> Verify {
    let raw = &content.verify;
    let known: BTreeSet<&str> = Stage::ALL.into_iter().map(Stage::as_str).collect();
    let stages = names(&raw.stages, "stage", &known, report);
    if stages.is_empty() && !content.failure_classes.is_empty() {
        report.error(
            raw.expect.referenced,
            "`verify.stages` is empty",
            "name the stages that must pass again: what cannot be verified did not work",
        );
    }
    if raw.settle_seconds.value == 0 || raw.deadline_seconds.value <= raw.settle_seconds.value {
        report.error(
            raw.deadline_seconds.referenced,
            "`deadline_seconds` leaves no time to look",
            "give more than `settle_seconds`, and that more than 0",
        );
    }
    Verify {
        expect: raw.expect.value.trim().to_owned(),
        stages: stages.iter().filter_map(|stage| Stage::parse(stage)).collect(),
        settle_seconds: raw.settle_seconds.value,
        deadline_seconds: raw.deadline_seconds.value,
    }
}

fn undo(content: &RawEntry, operation: Operation, report: &mut Report<'_>) -> Option<Operation> {
    let named = content.undo.as_ref()?;
    let undo = word(named, "operation", Operation::ALL, Operation::as_str, report)?;
    if operation.undo() != Some(undo) {
        report.error(
            named.referenced,
            &format!("`{undo}` does not undo `{operation}`"),
            "leave `undo` out: a restart or a deletion cannot be taken back",
        );
    }
    Some(undo)
}

fn diagnosis(folder: &str, raw: &RawDiagnosis, known: &Known<'_>, report: &mut Report<'_>) -> Option<Diagnosis> {
    let errors = report.errors();
    head(folder, &raw.id, [&raw.title, &raw.description], report);
    let scope = word(&raw.scope, "scope", Scope::ALL, Scope::as_str, report)?;
    let failure_classes = names(&raw.failure_classes.value, "failure class", &known.classes, report);
    let all: Vec<&'static str> = READS.iter().chain(&PLATFORM_READS).map(|(name, _)| *name).collect();
    let named = names(&raw.reads.value, "read", &all.iter().copied().collect(), report);
    for (list, what) in [(failure_classes.is_empty(), "failure_classes"), (named.is_empty(), "reads")] {
        if list {
            report.error(
                raw.id.referenced,
                &format!("`{what}` is empty"),
                "a diagnosis is bound to a question and to what can answer it",
            );
        }
    }
    let reads = all.into_iter().filter(|name| named.iter().any(|chosen| chosen == name)).collect();
    (report.errors() == errors).then(|| Diagnosis {
        id: raw.id.value.clone(),
        title: raw.title.value.trim().to_owned(),
        description: raw.description.value.trim().to_owned(),
        scope,
        failure_classes,
        reads,
    })
}

/// What every file says first: its id and texts for people.
fn head<const N: usize>(folder: &str, id: &Spanned<String>, texts: [&Spanned<String>; N], report: &mut Report<'_>) {
    let snake = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if id.value != folder || !id.value.bytes().all(snake) || !id.value.starts_with(|c: char| c.is_ascii_lowercase()) || id.value.len() > 64
    {
        report.error(
            id.referenced,
            &format!("`id: {}` in the folder `{folder}`", id.value),
            "give both the same snake-case name of at most 64 letters",
        );
    }
    for text in texts {
        if text.value.trim().is_empty() {
            report.error(text.referenced, "the text is empty", "people decide by it: say it in a sentence");
        }
        if let Some(mark) = MARKS.into_iter().find(|mark| text.value.contains(mark)) {
            report.error(
                text.referenced,
                &format!("the text holds `{mark}`"),
                "nothing here is filled in or run: write a sentence",
            );
        }
    }
}

fn team(name: &Spanned<String>, field: &str, report: &mut Report<'_>) -> String {
    if name.value.trim().is_empty() {
        report.error(name.referenced, &format!("`{field}` is empty"), "name the team");
    }
    name.value.trim().to_owned()
}

/// One word of a closed list.
fn word<T: Copy, const N: usize>(
    named: &Spanned<String>,
    what: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
    report: &mut Report<'_>,
) -> Option<T> {
    let found = all.into_iter().find(|known| name(*known) == named.value);
    if found.is_none() {
        unknown(named.referenced, what, &named.value, all.into_iter().map(name), report);
    }
    found
}

/// Words of a closed list, each once.
fn names(given: &[Spanned<String>], what: &str, known: &BTreeSet<&str>, report: &mut Report<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in given {
        if !known.contains(name.value.as_str()) {
            unknown(name.referenced, what, &name.value, known.iter().copied(), report);
        } else if found.contains(&name.value) {
            report.error(name.referenced, &format!("`{}` is named twice", name.value), "name it once");
        } else {
            found.push(name.value.clone());
        }
    }
    found
}

fn unknown<'a>(at: Location, what: &str, name: &str, known: impl Iterator<Item = &'a str>, report: &mut Report<'_>) {
    report.error(at, &format!("there is no {what} `{name}`"), &suggest(name, known));
}
