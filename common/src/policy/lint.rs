//! From the texts of rules to rules that can be trusted, or everything that is wrong with them, with file, line and column.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_yaml::Spanned;
use sha2::{Digest, Sha256};

use super::input::{self, Basis, Group};
use super::raw::{RawRow, RawRule, RawStep};
use super::rule::{DEFAULT_CONFIDENCE, DEFAULT_URGENCY, Ladder, Number, PolicyError, Row, Rule, RuleSet, Step, Threshold};
use super::text::{Slot, Template, TextError};
use super::{Scope, Urgency};
use crate::evaluate::files::File;
use crate::evaluate::lint::{Finding, Level, Report, condition, read, text_place};
use crate::evaluate::rubric::hex;
use crate::expr::analyse::{self, Answer};
use crate::expr::{self, Expr, Schema, Type};
use crate::stage::Stage;
use crate::suggest::suggest;

pub(super) fn load(files: &[File<'_>]) -> Result<RuleSet, PolicyError> {
    let mut findings = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut texts: Vec<(&str, &str)> = Vec::new();
    for file in files {
        texts.push((folder_of(file.path), file.text));
        let path: Arc<str> = Arc::from(file.path);
        let mut report = Report::new(&path, &mut findings);
        let Some(raw) = read::<RawRule>(file, &path, &mut report) else {
            continue;
        };
        let raw = raw.content;
        if let Some(other) = rules.iter().find(|rule| rule.id == raw.id.value) {
            let message = format!("there are two rules `{}`, the other is in {}", raw.id.value, other.place.file);
            report.error(raw.id.referenced, &message, "rename one of them");
            continue;
        }
        if let Some(rule) = (Check { report: &mut report }).rule(&raw, folder_of(file.path)) {
            rules.push(rule);
        }
    }
    if files.is_empty() {
        Report::new(&Arc::from("policies"), &mut findings).whole_file("there is no rule", "add a folder with a rule.yaml");
    }
    findings.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    let (errors, warnings): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(|finding| finding.level == Level::Error);
    if !errors.is_empty() {
        return Err(PolicyError::Invalid(errors));
    }
    rules.sort_by(|a, b| (a.scope, &a.id).cmp(&(b.scope, &b.id)));
    texts.sort_unstable();
    let mut all = Sha256::new();
    for (_, text) in texts {
        all.update(Sha256::digest(text.as_bytes()));
    }
    Ok(RuleSet {
        rules,
        version: hex(&all.finalize()[..8]),
        warnings,
    })
}

/// The folder that a rule's file lies in.
fn folder_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).nth(1).unwrap_or_default()
}

struct Check<'r, 'a> {
    report: &'r mut Report<'a>,
}

impl Check<'_, '_> {
    fn rule(&mut self, raw: &RawRule, folder: &str) -> Option<Rule> {
        let before = self.report.errors();
        let scope = self.word(&raw.scope, "scope", Scope::parse, Scope::ALL.map(Scope::as_str).as_slice());
        self.head(raw, folder);
        let sources = self.words(&raw.sources.value, "source", Basis::parse, &Basis::ALL.map(Basis::as_str));
        if raw.sources.value.is_empty() {
            let help = "name what its facts come from";
            self.report.error(raw.sources.referenced, "the rule rests on no source", help);
        }
        let stages = self.words(&raw.stages, "stage", Stage::parse, &Stage::ALL.map(Stage::as_str));
        // Without a scope nothing else can be told.
        let scope = scope?;
        let evidence = self.evidence(raw, scope);
        let thresholds = self.thresholds(raw, scope);
        let schema = Rule::schema(scope, &thresholds);
        let checked = Checked {
            schema: &schema,
            thresholds: &thresholds,
        };
        let needs = self.needs(raw, scope);
        let when = self.condition(&checked, &raw.when);
        let table = self.table(&checked, &raw.table);
        let columns: Vec<&str> = raw
            .table
            .first()
            .map_or(Vec::new(), |row| row.values.0.iter().map(|(name, _)| name.value.as_str()).collect());
        let urgency = self.urgency(&checked, raw);
        let confidence = self.confidence(&checked, raw);
        let decision = self.decision(&checked, raw, &columns);
        let key_facts = raw
            .key_facts
            .iter()
            .filter_map(|fact| self.slot(&checked, fact, &columns))
            .collect();
        let rule = Rule {
            id: raw.id.value.clone(),
            scope,
            title: raw.title.value.clone(),
            summary: raw.summary.value.clone(),
            sources,
            evidence,
            stages,
            thresholds,
            needs,
            when: when?,
            table,
            urgency: urgency?,
            confidence: confidence?,
            decision: decision?,
            key_facts,
            place: self.report.place(raw.id.referenced),
        };
        if self.report.errors() > before {
            return None;
        }
        self.sources(raw, &rule);
        self.unused(raw, &rule);
        Some(rule)
    }

    fn head(&mut self, raw: &RawRule, folder: &str) {
        let id = &raw.id;
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !id.value.starts_with(|c: char| c.is_ascii_lowercase()) || !id.value.bytes().all(is_name) {
            self.report
                .error(id.referenced, &format!("`{}` is not a snake-case name", id.value), "rename it");
        } else if id.value != folder {
            let message = format!("folder `{folder}` and id `{}` should be the same word", id.value);
            self.report.error(id.referenced, &message, "name the folder like the rule");
        }
        for (text, what) in [(&raw.title, "title"), (&raw.summary, "summary")] {
            if text.value.trim().is_empty() {
                self.report
                    .error(text.referenced, &format!("the {what} is empty"), "say it in words");
            }
        }
    }

    fn word<T>(&mut self, word: &Spanned<String>, what: &str, parse: impl Fn(&str) -> Option<T>, known: &[&str]) -> Option<T> {
        let found = parse(&word.value);
        if found.is_none() {
            let message = format!("there is no {what} `{}`", word.value);
            self.report
                .error(word.referenced, &message, &suggest(&word.value, known.iter().copied()));
        }
        found
    }

    fn words<T: PartialEq>(&mut self, words: &[Spanned<String>], what: &str, parse: impl Fn(&str) -> Option<T>, known: &[&str]) -> Vec<T> {
        let mut found = Vec::new();
        for word in words {
            match self.word(word, what, &parse, known) {
                Some(one) if found.contains(&one) => {
                    self.report
                        .error(word.referenced, &format!("`{}` stands here twice", word.value), "remove one");
                }
                one => found.extend(one),
            }
        }
        found
    }

    fn evidence(&mut self, raw: &RawRule, scope: Scope) -> Vec<Group> {
        let known: Vec<&str> = Group::ALL
            .into_iter()
            .filter(|group| group.scopes().contains(&scope))
            .map(Group::as_str)
            .collect();
        let parse = |name: &str| Group::parse(name).filter(|group| group.scopes().contains(&scope));
        self.words(&raw.evidence, "evidence of this scope", parse, &known)
    }

    fn thresholds(&mut self, raw: &RawRule, scope: Scope) -> Vec<Threshold> {
        let mut thresholds: Vec<Threshold> = Vec::new();
        for (name, number) in raw.thresholds.iter().flat_map(|all| &all.0) {
            if input::inputs(scope).iter().any(|input| input.name == name.value) || name.value == "key" {
                let message = format!("`{}` is already a fact of this scope", name.value);
                self.report.error(name.referenced, &message, "give the threshold another name");
                continue;
            }
            let number = match (number.value.as_i64(), number.value.as_f64()) {
                (Some(whole), _) => Number::Whole(whole),
                (None, Some(fraction)) => Number::Fraction(fraction),
                (None, None) => {
                    self.report
                        .error(number.referenced, "the number is too large", "give a number that can be counted to");
                    continue;
                }
            };
            thresholds.push(Threshold {
                name: name.value.clone(),
                number,
            });
        }
        thresholds
    }

    fn needs(&mut self, raw: &RawRule, scope: Scope) -> Vec<usize> {
        let inputs = input::inputs(scope);
        let names: Vec<&str> = inputs.iter().map(|input| input.name).collect();
        let parse = |name: &str| names.iter().position(|other| *other == name);
        self.words(&raw.needs, "fact of this scope", parse, &names)
    }

    fn condition(&mut self, checked: &Checked<'_>, text: &Spanned<String>) -> Option<Expr> {
        let expr = condition(checked.schema, text, self.report)?;
        // With numbers in place of names the analysis can tell more.
        let bare = expr::compile(checked.schema, &checked.with_numbers(&text.value)).unwrap_or_else(|_| expr.clone());
        let (message, help) = if analyse::never_true(&[&bare]) == Answer::Yes {
            ("the condition can never be true", "correct it, or remove what depends on it")
        } else if analyse::always_true(&[&bare]) == Answer::Yes {
            ("the condition is always true", "ask something that can be otherwise")
        } else {
            return Some(expr);
        };
        self.report.error(text.referenced, message, help);
        None
    }

    /// Conditions of which the first that holds counts: one that earlier ones cover is never reached.
    fn ladder<'x>(&mut self, checked: &Checked<'_>, conditions: impl Iterator<Item = &'x Spanned<String>>) -> Vec<Option<Expr>> {
        let mut done: Vec<Option<Expr>> = Vec::new();
        let mut bare: Vec<Vec<Expr>> = Vec::new();
        for text in conditions {
            let expr = self.condition(checked, text);
            if expr.is_some()
                && let Ok(this) = expr::compile(checked.schema, &checked.with_numbers(&text.value))
            {
                let earlier: Vec<Vec<&Expr>> = bare.iter().map(|one| one.iter().collect()).collect();
                if !earlier.is_empty() && analyse::covered_by(&[&this], &earlier) == Answer::Yes {
                    let message = "this is never reached: what comes before always holds then";
                    self.report.error(text.referenced, message, "move it up, or remove it");
                }
                bare.push(vec![this]);
            }
            done.push(expr);
        }
        done
    }

    fn steps<T, U>(
        &mut self,
        checked: &Checked<'_>,
        raw: &[RawStep<T>],
        mut value: impl FnMut(&mut Self, &Spanned<T>) -> Option<U>,
    ) -> Option<Vec<Step<U>>> {
        let conditions = self.ladder(checked, raw.iter().map(|step| &step.when));
        let mut steps = Vec::new();
        let mut complete = true;
        for (step, when) in raw.iter().zip(conditions) {
            match (when, value(self, &step.value)) {
                (Some(when), Some(value)) => steps.push(Step {
                    when,
                    value,
                    place: self.report.place(step.when.referenced),
                }),
                _ => complete = false,
            }
        }
        complete.then_some(steps)
    }

    fn table(&mut self, checked: &Checked<'_>, raw: &[RawRow]) -> Vec<Row> {
        let Some((last, before)) = raw.split_last() else {
            return Vec::new();
        };
        if let Some(when) = &last.when {
            self.report.error(
                when.referenced,
                "the last row has a condition",
                "the last row is what is right otherwise: leave out `when`",
            );
        }
        for row in before.iter().filter(|row| row.when.is_none()) {
            self.report
                .error(row.name.referenced, "a row without a condition hides those below it", "say when");
        }
        if raw.iter().all(|row| row.recommend) || raw.iter().all(|row| !row.recommend) {
            let message = "all rows recommend, or none does";
            self.report
                .error(last.name.referenced, message, "a table says when there is advice and when not");
        }
        let columns: Vec<&str> = last.values.0.iter().map(|(name, _)| name.value.as_str()).collect();
        let conditions = self.ladder(checked, raw.iter().filter_map(|row| row.when.as_ref()));
        let mut conditions = conditions.into_iter();
        let mut names = Vec::new();
        let mut rows = Vec::new();
        for row in raw {
            if names.contains(&&row.name.value) {
                let message = format!("there are two rows `{}` of the same name and advice", row.name.value);
                self.report
                    .warning(row.name.referenced, &message, "tell them apart if they mean different things");
            }
            names.push(&row.name.value);
            let own: Vec<&str> = row.values.0.iter().map(|(name, _)| name.value.as_str()).collect();
            if own != columns {
                let message = format!("this row has the columns {own:?}, the last one {columns:?}");
                self.report
                    .error(row.name.referenced, &message, "give every row the same columns in the same order");
            }
            rows.push(Row {
                name: row.name.value.clone(),
                when: row.when.as_ref().and_then(|_| conditions.next().flatten()),
                recommend: row.recommend,
                values: row
                    .values
                    .0
                    .iter()
                    .map(|(name, value)| (name.value.clone(), value.value.clone()))
                    .collect(),
                place: self.report.place(row.name.referenced),
            });
        }
        rows
    }

    fn urgency(&mut self, checked: &Checked<'_>, raw: &RawRule) -> Option<Ladder<Urgency>> {
        let known = Urgency::ALL.map(Urgency::as_str);
        let steps = self.steps(checked, &raw.urgency_rules, |check, value| {
            check.word(value, "urgency", Urgency::parse, &known)
        });
        let otherwise = match &raw.urgency {
            None => Some(DEFAULT_URGENCY),
            Some(value) => self.word(value, "urgency", Urgency::parse, &known),
        };
        Some(Ladder {
            steps: steps?,
            otherwise: otherwise?,
        })
    }

    fn confidence(&mut self, checked: &Checked<'_>, raw: &RawRule) -> Option<Ladder<f64>> {
        let share = |check: &mut Self, value: &Spanned<f64>| {
            if (0.0..=1.0).contains(&value.value) {
                return Some(value.value);
            }
            check.report.error(
                value.referenced,
                "a confidence is between 0 and 1",
                "0.9 says nine times out of ten",
            );
            None
        };
        let steps = self.steps(checked, &raw.confidence_rules, share);
        let otherwise = match &raw.confidence {
            None => Some(DEFAULT_CONFIDENCE),
            Some(value) => share(self, value),
        };
        Some(Ladder {
            steps: steps?,
            otherwise: otherwise?,
        })
    }

    fn decision(&mut self, checked: &Checked<'_>, raw: &RawRule, columns: &[&str]) -> Option<Ladder<Template>> {
        let steps = self.steps(checked, &raw.decision_rules, |check, text| check.template(checked, text, columns));
        let otherwise = self.template(checked, &raw.decision, columns);
        Some(Ladder {
            steps: steps?,
            otherwise: otherwise?,
        })
    }

    fn template(&mut self, checked: &Checked<'_>, text: &Spanned<String>, columns: &[&str]) -> Option<Template> {
        let template = match Template::parse(&text.value) {
            Ok(template) => template,
            Err(error) => return self.text_error(text, &error),
        };
        let fits = template.slots().all(|slot| self.fits(checked, text, slot, columns));
        if text.value.trim().is_empty() {
            self.report.error(text.referenced, "the decision is empty", "say it in words");
        }
        fits.then_some(template)
    }

    fn slot(&mut self, checked: &Checked<'_>, text: &Spanned<String>, columns: &[&str]) -> Option<Slot> {
        match Slot::parse(&text.value, 0) {
            Ok(slot) => self.fits(checked, text, &slot, columns).then_some(slot),
            Err(error) => self.text_error(text, &error),
        }
    }

    fn fits(&mut self, checked: &Checked<'_>, text: &Spanned<String>, slot: &Slot, columns: &[&str]) -> bool {
        let own = ["key", "decision"];
        let ty = match checked.schema.variable(&slot.name) {
            Some((_, variable)) => Some(variable.ty),
            None if slot.name == "key" || columns.contains(&slot.name.as_str()) => Some(Type::Text),
            None if slot.name == "decision" && !columns.is_empty() => Some(Type::Text),
            None => None,
        };
        let error = match ty {
            Some(ty) if slot.format.fits(ty) => return true,
            Some(ty) => TextError {
                offset: slot.offset,
                message: format!("`{}` is {ty}, which is not written so", slot.name),
                help: "this format is for numbers: leave it out".to_owned(),
            },
            None => {
                let names = checked.schema.variables.iter().map(|variable| variable.name.as_ref());
                TextError {
                    offset: slot.offset,
                    message: format!("the text names `{}`, which is not known here", slot.name),
                    help: suggest(&slot.name, names.chain(own).chain(columns.iter().copied())),
                }
            }
        };
        self.text_error::<()>(text, &error);
        false
    }

    fn text_error<T>(&mut self, text: &Spanned<String>, error: &TextError) -> Option<T> {
        self.report
            .error_inside(text_place(text, error.offset), &error.message, &error.help);
        None
    }

    /// What decides must come from a source that the rule names, and every source that it names must decide or tell something.
    fn sources(&mut self, raw: &RawRule, rule: &Rule) {
        let mut used: BTreeMap<Basis, &str> = BTreeMap::new();
        for (index, input) in input::inputs(rule.scope).iter().enumerate() {
            if rule.asks_for(index) {
                for source in input.sources {
                    used.entry(*source).or_insert(input.name);
                }
            }
        }
        for (source, input) in &used {
            if !rule.sources.contains(source) {
                let message = format!("`{input}` comes from {source}, which is not among the sources");
                self.report.error(raw.sources.referenced, &message, &format!("add {source}"));
            }
        }
        for (source, written) in rule.sources.iter().zip(&raw.sources.value) {
            if !used.contains_key(source) {
                let message = format!("nothing in the rule comes from {source}");
                self.report
                    .error(written.referenced, &message, "remove it, or ask for something that it knows");
            }
        }
    }

    fn unused(&mut self, raw: &RawRule, rule: &Rule) {
        for (at, (name, _)) in raw.thresholds.iter().flat_map(|all| &all.0).enumerate() {
            let variable = rule.first_threshold() + at;
            let in_texts = rule.texts().flat_map(Template::slots).any(|slot| slot.name == name.value);
            if !in_texts && !rule.expressions().any(|expr| expr.mentions(variable)) {
                let message = format!("no expression and no text uses `{}`", name.value);
                self.report.error(name.referenced, &message, "use it, or remove it");
            }
        }
    }
}

/// What expressions are checked against.
struct Checked<'a> {
    schema: &'a Schema,
    thresholds: &'a [Threshold],
}

impl Checked<'_> {
    /// An expression with the numbers of thresholds in place of their names.
    fn with_numbers(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut quote = None;
        let mut rest = text.char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if quote.is_some() || !(c.is_ascii_alphabetic() || c == '_') {
                quote = match quote {
                    Some(open) if open == c => None,
                    None if c == '"' || c == '\'' => Some(c),
                    other => other,
                };
                out.push(c);
                continue;
            }
            let mut end = at + c.len_utf8();
            while let Some((_, c)) = rest.next_if(|(_, c)| is_word(*c)) {
                end += c.len_utf8();
            }
            let word = &text[at..end];
            let number = self.thresholds.iter().find(|threshold| threshold.name == word);
            match number.filter(|_| !out.ends_with('.')) {
                Some(threshold) => out.push_str(&threshold.number.to_string()),
                None => out.push_str(word),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests;
