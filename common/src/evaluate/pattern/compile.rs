//! From a file of pattern classes to a table that can be trusted.
//!
//! Every expression must show a text that leads to its class and one that almost does. The examples are run against the whole
//! source, so a class that an earlier one hides cannot be loaded.

use std::collections::BTreeSet;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder, SetMatches};
use serde_yaml::Spanned;

use super::raw::{RawPattern, RawPatternClass, RawPatterns};
use super::{PatternClass, Role, Source, Table};
use crate::evaluate::lint::raw::RawFile;
use crate::evaluate::lint::{Finding, Report};

/// Most memory one compiled expression may take, in bytes. Source: the largest that is shipped takes 35 KiB.
const REGEX_SIZE: usize = 128 << 10;

/// Most memory the expressions of one source may take together, in bytes. Source: those of `k8s_events` take half of it.
const SET_SIZE: usize = 1 << 20;

/// Most memory a search may take for its automaton, in bytes. With the default of 2 MiB the one of `k8s_events` is thrown away
/// and built again all the time, a hundred times slower; it needs 4 MiB.
const AUTOMATON_SIZE: usize = 8 << 20;

/// Longest expression, in bytes: longer ones are lists that should be several.
const REGEX_LENGTH: usize = 500;

/// One class, and which expressions of its source are its own.
struct Placed<'a> {
    name: &'a Spanned<String>,
    raw: &'a RawPatternClass,
    vetoes: Range<usize>,
    matches: Range<usize>,
}

impl Placed<'_> {
    /// Whether the class would take a text with these hits if it were alone.
    fn takes(&self, hits: &SetMatches) -> bool {
        self.matches.clone().any(|at| hits.matched(at)) && !self.vetoes.clone().any(|at| hits.matched(at))
    }
}

/// The table of one source; none when an expression cannot be used.
pub(super) fn compile(raw: &RawPatterns, source: Source, report: &mut Report<'_>) -> Option<Table> {
    let (table, placed) = build(raw, source, report)?;
    for (at, placed) in placed.iter().enumerate() {
        examples(at, placed, &table, report);
    }
    Some(table)
}

/// What the examples of a file say against it.
///
/// # Errors
/// What keeps it from being a table at all, whatever its examples say.
pub(in crate::evaluate) fn against(file: &RawFile<RawPatterns>, source: Source) -> Result<Vec<Finding>, Vec<Finding>> {
    let mut refused = Vec::new();
    let built = build(&file.content, source, &mut Report::new(&file.path, &mut refused));
    let Some((table, placed)) = built.filter(|_| refused.is_empty()) else {
        return Err(refused);
    };
    let mut said = Vec::new();
    for (at, placed) in placed.iter().enumerate() {
        examples(at, placed, &table, &mut Report::new(&file.path, &mut said));
    }
    Ok(said)
}

/// The table, and which expressions of it belong to which class.
fn build<'a>(raw: &'a RawPatterns, source: Source, report: &mut Report<'_>) -> Option<(Table, Vec<Placed<'a>>)> {
    if raw.source.value != source.as_str() {
        report.error(
            raw.source.referenced,
            &format!("source `{}` stands in the file of `{source}`", raw.source.value),
            "name the file like the source",
        );
    }
    let mut names = BTreeSet::new();
    let mut expressions = Vec::new();
    let mut roles = Vec::new();
    let mut placed = Vec::with_capacity(raw.classes.0.len());
    for (at, (name, class)) in raw.classes.0.iter().enumerate() {
        if !names.insert(name.value.as_str()) {
            report.error(
                name.referenced,
                &format!("class `{}` is defined twice in `{source}`", name.value),
                "rename one of the two, or make one of them",
            );
        }
        head(name, class, source, report);
        // Vetoes first: one pass over the hits, in order, then decides.
        let start = expressions.len();
        expressions.extend(&class.unless);
        let middle = expressions.len();
        expressions.extend(class.patterns.iter().map(|pattern| &pattern.regex));
        let end = expressions.len();
        roles.extend((start..end).map(|index| (at, if index < middle { Role::Veto } else { Role::Match })));
        placed.push(Placed {
            name,
            raw: class,
            vetoes: start..middle,
            matches: middle..end,
        });
    }
    let set = search_for_all(&expressions, source, report)?;
    let classes = placed.iter().map(|placed| class(placed, source)).collect();
    Some((Table { classes, set, roles }, placed))
}

/// What every class must say, and how.
fn head(name: &Spanned<String>, class: &RawPatternClass, source: Source, report: &mut Report<'_>) {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !name.value.bytes().all(plain) {
        report.error(
            name.referenced,
            &format!("class `{}` is not a snake-case name", name.value),
            "rename it",
        );
    }
    for (text, what) in [(&class.title, "title"), (&class.description, "description")] {
        if text.value.trim().is_empty() {
            report.error(
                text.referenced,
                &format!("the {what} is empty"),
                "say what an operator should know of the class",
            );
        }
    }
    if class.patterns.is_empty() {
        report.error(
            name.referenced,
            &format!("class `{}` can never match: it has no patterns", name.value),
            "add one, with examples",
        );
    }
    match (&class.query, source) {
        (None, Source::Prometheus) => report.error(
            name.referenced,
            &format!("class `{}` has no query", name.value),
            "add `query`: what asks the metrics for it",
        ),
        (Some(query), Source::Prometheus) if !has_window(&query.value) => report.error(
            query.referenced,
            "the query looks at no span of time: a total since the start says nothing about now",
            "use a range such as `[30m]`",
        ),
        (Some(query), other) if other != Source::Prometheus => {
            report.error(
                query.referenced,
                &format!("a class of `{other}` has no query"),
                "remove it: queries belong to `prometheus`",
            );
        }
        _ => {}
    }
}

/// Whether a query has a range such as `[30m]`.
fn has_window(query: &str) -> bool {
    query
        .split('[')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains(']'))
}

/// All expressions of a source as one; when that cannot be, what is wrong with which.
fn search_for_all(expressions: &[&Spanned<String>], source: Source, report: &mut Report<'_>) -> Option<RegexSet> {
    let lengths: Vec<_> = expressions.iter().filter(|expression| too_long(expression, report)).collect();
    if !lengths.is_empty() {
        return None;
    }
    let built = RegexSetBuilder::new(expressions.iter().map(|expression| expression.value.as_str()))
        .case_insensitive(true)
        .unicode(false)
        .size_limit(SET_SIZE)
        .dfa_size_limit(AUTOMATON_SIZE)
        .build();
    let Ok(set) = built else {
        let singly = expressions.iter().filter(|expression| search_for(expression, report).is_some());
        if singly.count() == expressions.len() {
            report.whole_file(
                &format!("the expressions of `{source}` take more than {SET_SIZE} bytes of memory together"),
                "remove repetitions such as `{0,500}`",
            );
        }
        return None;
    };
    let empty = set.matches(b"");
    for at in &empty {
        found_everywhere(expressions[at], report);
    }
    (!empty.matched_any()).then_some(set)
}

/// An expression as every part of a rubric set has them: letters of any case, ASCII classes, linear time, bounded memory.
pub(in crate::evaluate) fn search_for(pattern: &Spanned<String>, report: &mut Report<'_>) -> Option<Regex> {
    if too_long(pattern, report) {
        return None;
    }
    let built = RegexBuilder::new(&pattern.value)
        .case_insensitive(true)
        .unicode(false)
        .size_limit(REGEX_SIZE)
        .build();
    match built {
        Ok(regex) if regex.is_match(b"") => {
            found_everywhere(pattern, report);
            None
        }
        Ok(regex) => Some(regex),
        Err(error) => {
            let why = match &error {
                regex::Error::CompiledTooBig(limit) => format!("it would take more than {limit} bytes of memory"),
                other => {
                    let what = other.to_string();
                    what.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
                }
            };
            report.error(
                pattern.referenced,
                &format!("`{}` is not a regular expression that can be used: {why}", pattern.value),
                "correct it; there is no look-around, use `unless`",
            );
            None
        }
    }
}

fn too_long(pattern: &Spanned<String>, report: &mut Report<'_>) -> bool {
    let length = pattern.value.len();
    if length > REGEX_LENGTH {
        report.error(
            pattern.referenced,
            &format!("the expression has {length} bytes, {REGEX_LENGTH} at most"),
            "make several of it",
        );
    }
    length > REGEX_LENGTH
}

fn found_everywhere(pattern: &Spanned<String>, report: &mut Report<'_>) {
    report.error(
        pattern.referenced,
        &format!("`{}` is found in every text, even an empty one", pattern.value),
        "ask for at least one word",
    );
}

fn class(placed: &Placed<'_>, source: Source) -> PatternClass {
    let RawPatternClass {
        title,
        description,
        severity,
        team,
        area,
        query,
        patterns,
        unless,
    } = placed.raw;
    PatternClass {
        source,
        name: placed.name.value.clone(),
        title: title.value.trim().to_owned(),
        description: description.value.trim().to_owned(),
        severity: *severity,
        team: team.clone(),
        area: *area,
        query: query.as_ref().map(|query| query.value.trim().to_owned()),
        patterns: patterns.iter().map(|pattern| pattern.regex.value.clone()).collect(),
        unless: unless.iter().map(|unless| unless.value.clone()).collect(),
    }
}

/// Runs the examples of one class.
fn examples(at: usize, placed: &Placed<'_>, table: &Table, report: &mut Report<'_>) {
    for (raw, index) in placed.raw.patterns.iter().zip(placed.matches.clone()) {
        wants_examples(raw, report);
        for example in &raw.matches {
            matching(at, placed, table, (raw, index), example, report);
        }
        for example in &raw.near_misses {
            if placed.takes(&table.set.matches(example.value.as_bytes())) {
                report.error(
                    example.referenced,
                    &format!("this near miss is of class `{}`", placed.name.value),
                    "tighten the patterns, add to `unless`, or choose another text",
                );
            }
        }
    }
    let misses: Vec<SetMatches> = placed
        .raw
        .patterns
        .iter()
        .flat_map(|pattern| &pattern.near_misses)
        .map(|miss| table.set.matches(miss.value.as_bytes()))
        .collect();
    for (raw, index) in placed.raw.unless.iter().zip(placed.vetoes.clone()) {
        // A text that only this veto keeps out.
        let saved = |hits: &SetMatches| {
            let mut vetoes = placed.vetoes.clone().filter(|at| hits.matched(*at));
            placed.matches.clone().any(|at| hits.matched(at)) && vetoes.next() == Some(index) && vetoes.next().is_none()
        };
        if !misses.iter().any(saved) {
            report.error(
                raw.referenced,
                "no near miss shows what this is for: none would be of the class without it",
                "add one to `near_misses`, or remove it",
            );
        }
    }
}

fn wants_examples(raw: &RawPattern, report: &mut Report<'_>) {
    for (list, field, what) in [
        (&raw.matches, "matches", "a text that it should find"),
        (&raw.near_misses, "near_misses", "a text that looks alike and is something else"),
    ] {
        if list.is_empty() {
            report.error(
                raw.regex.referenced,
                &format!("`{}` has no {field}", raw.regex.value),
                &format!("add {what}"),
            );
        }
    }
}

/// Whether an example leads from its expression to its class, in spite of every class above.
fn matching(
    at: usize,
    placed: &Placed<'_>,
    table: &Table,
    (raw, index): (&RawPattern, usize),
    example: &Spanned<String>,
    report: &mut Report<'_>,
) {
    let name = &placed.name.value;
    let hits = table.set.matches(example.value.as_bytes());
    if !hits.matched(index) {
        return report.error(
            example.referenced,
            &format!("`{}` does not match this text", raw.regex.value),
            "correct one of them",
        );
    }
    if !placed.takes(&hits) {
        return report.error(
            example.referenced,
            &format!("an `unless` of class `{name}` excludes this text"),
            "tighten it, or choose another text",
        );
    }
    let taken = table.rank(&example.value);
    if taken != Some(at) {
        let by = taken
            .and_then(|rank| table.classes.get(rank))
            .map_or("none", |class| class.name.as_str());
        report.error(
            example.referenced,
            &format!("class `{by}` above `{name}` takes this text"),
            "move the class up, or tighten the one above",
        );
    }
}
