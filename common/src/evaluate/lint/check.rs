//! The set as a whole: every stage has its rubric, every name that one file takes from another exists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::raw::RawSet;
use super::{Finding, Level, Report, lab, stage};
use crate::evaluate::catalog::Catalog;
use crate::evaluate::files::{BUILT_IN, PATTERNS, file_name};
use crate::evaluate::kind::KindTable;
use crate::evaluate::lab::LabRubric;
use crate::evaluate::pattern::Source;
use crate::evaluate::rubric::Rubric;
use crate::evaluate::subclass::SubClasses;
use crate::stage::Stage;
use crate::suggest::suggest;

/// What a check yields: whatever could be understood, and what is wrong.
#[derive(Debug, Default)]
pub(in crate::evaluate) struct Checked {
    /// One rubric per stage in pipeline order, when there are no errors.
    pub(in crate::evaluate) rubrics: Vec<Rubric>,
    /// Lab rubrics, by name.
    pub(in crate::evaluate) labs: Vec<LabRubric>,
    /// Sub-classes, when their file is right.
    pub(in crate::evaluate) sub_classes: Option<SubClasses>,
    /// Kinds of labs, when their file is right.
    pub(in crate::evaluate) kinds: Option<KindTable>,
    /// Actions that rubrics may name.
    pub(in crate::evaluate) catalog: Catalog,
    /// Everything wrong, by file and line.
    pub(in crate::evaluate) findings: Vec<Finding>,
}

/// Checks a raw set, each file and all together. `earlier` are the findings of reading it: what they tell of is not told again.
pub(in crate::evaluate) fn check(set: &RawSet, earlier: Vec<Finding>) -> Checked {
    let mut checked = Checked {
        findings: earlier,
        ..Checked::default()
    };
    let class_names: BTreeSet<&str> = set
        .rubrics
        .values()
        .flat_map(|rubric| rubric.content.failure_classes.0.iter().map(|(name, _)| name.value.as_str()))
        .collect();
    for finding in &checked.findings {
        if let Some((folder, "action.yaml")) = file_name(&finding.file).split_once('/') {
            checked.catalog.insert_unread(folder);
        }
    }
    for (folder, raw) in &set.actions {
        let mut report = Report::new(&raw.path, &mut checked.findings);
        checked.catalog.insert(folder, raw, &mut report);
    }
    let mut defined: BTreeMap<String, Stage> = BTreeMap::new();
    for (stage, rubric) in &set.rubrics {
        let mut report = Report::new(&rubric.path, &mut checked.findings);
        checked.rubrics.push(stage::compile(
            *stage,
            rubric,
            &class_names,
            &checked.catalog,
            &mut defined,
            &mut report,
        ));
    }
    link_entry_classes(&mut checked.rubrics);
    for (folder, file) in &set.labs {
        let mut report = Report::new(&file.path, &mut checked.findings);
        let lab = lab::compile(folder, file, &checked.rubrics, &checked.catalog, &mut defined, &mut report);
        checked.labs.extend(lab);
    }
    if let Some(raw) = &set.sub_classes {
        let mut report = Report::new(&raw.path, &mut checked.findings);
        let sub_classes = SubClasses::compile(&raw.content, &mut report);
        for (class, location) in sub_classes.rubric_classes() {
            if !class_names.contains(class) {
                report.error(
                    location,
                    &format!("no rubric has a class `{class}`"),
                    &suggest(class, class_names.iter().copied()),
                );
            }
        }
        let of_pattern = || set.patterns.classes().filter(|class| class.source == Source::K8sEvents);
        for (class, location) in sub_classes.pattern_classes() {
            let known = of_pattern().any(|known| known.name == class);
            // When the file of the source is wrong, that is told; what it would define is not known then.
            if !known && set.patterns.has(Source::K8sEvents) {
                report.error(
                    location,
                    &format!("`k8s_events` has no class `{class}`"),
                    &suggest(class, of_pattern().map(|known| known.name.as_str())),
                );
            }
        }
        checked.sub_classes = Some(sub_classes);
    }
    if let Some(raw) = &set.kinds {
        let mut report = Report::new(&raw.path, &mut checked.findings);
        checked.kinds = Some(KindTable::compile(&raw.content, &mut report));
    }
    unused_actions(set, &checked.catalog, &mut checked.findings);
    missing_files(set, &mut checked.findings);
    checked
        .findings
        .sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    checked
}

/// Warns of actions that nobody names. Built-in ones are not the business of who writes a set of their own.
fn unused_actions(set: &RawSet, catalog: &Catalog, findings: &mut Vec<Finding>) {
    let rubrics = || set.rubrics.values().map(|file| &file.content);
    let recommended = rubrics().flat_map(|rubric| {
        rubric
            .failure_classes
            .0
            .iter()
            .filter_map(|(_, class)| class.recommended_action.as_ref())
    });
    let forbidden = rubrics().flat_map(|rubric| &rubric.forbidden_remediations);
    let by_labs = set.labs.values().flat_map(|lab| {
        let classes = &lab.content.failure_classes.0;
        classes.iter().filter_map(|(_, class)| class.recommended_action.as_ref())
    });
    let named: BTreeSet<&str> = recommended
        .chain(by_labs)
        .chain(forbidden)
        .map(|action| action.value.as_str())
        .collect();
    for action in catalog.iter().filter(|action| !action.place.file.starts_with(BUILT_IN)) {
        if !named.contains(action.id.as_str()) {
            findings.push(Finding {
                file: action.place.file.to_string(),
                line: action.place.line,
                column: action.place.column,
                level: Level::Warning,
                message: format!("no rubric names the action `{}`", action.id),
                help: "recommend it for a failure class, or remove it".to_owned(),
            });
        }
    }
}

/// Tells of files that are not there, unless a finding already says why.
fn missing_files(set: &RawSet, findings: &mut Vec<Finding>) {
    for stage in Stage::ALL {
        if !set.rubrics.contains_key(&stage) && !findings.iter().any(|f| f.file.contains(stage.as_str())) {
            Report::new(&Arc::from(format!("{stage}/rubric.yaml")), findings).whole_file(
                "the rubric is missing",
                "add it: a set has one rubric for each of the eleven stages",
            );
        }
    }
    let mut files = vec![
        (set.sub_classes.is_some(), "sub-classes.yaml".to_owned()),
        (set.kinds.is_some(), "kinds.yaml".to_owned()),
    ];
    files.extend(Source::ALL.map(|source| (set.patterns.has(source), format!("{PATTERNS}{source}.yaml"))));
    for (present, name) in files {
        if !present && !findings.iter().any(|f| f.file.ends_with(&name)) {
            Report::new(&Arc::from(name), findings).whole_file("the file is missing", "add it to the rubrics' directory");
        }
    }
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
