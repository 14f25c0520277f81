//! Statements that have no effect. An object that nothing judges, a kind that was not read and that nobody asks for: whoever
//! wrote them believes that the case shows something which it does not.
//!
//! Each statement is taken back, or turned into its opposite, and everything is judged again. If no verdict of any situation
//! changes in the least, the statement is unused. What must not matter is listed in `no_effect`, which is checked likewise.

use std::collections::BTreeMap;

use serde_yaml::Location;

use super::change;
use super::given::Given;
use super::raw::{ClusterFacts, KindOrAll};
use super::{Case, Flaw, Flaws, Situation, judge};
use crate::evaluate::FleetVerdict;
use crate::evaluate::rubric::RubricSet;
use crate::evidence::Declared;

/// What is wrong with statements of a case because nothing depends on them, or something does.
pub(super) fn flaws(rubrics: &RubricSet, case: &Case) -> Vec<Flaw> {
    let mut flaws = Flaws {
        file: &case.file,
        found: Vec::new(),
    };
    for ((line, column), what) in idle(rubrics, case) {
        flaws.at_line(line, column, format!("{what} has no effect on any verdict: remove it"));
    }
    for situation in &case.situations {
        let verdict = judge(rubrics, situation);
        no_effect(rubrics, situation, &verdict, &mut flaws);
    }
    flaws.found
}

/// Statements without effect: where they are, and what they are called.
pub(super) fn idle(rubrics: &RubricSet, case: &Case) -> Vec<((u64, u64), String)> {
    let mut matters: BTreeMap<((u64, u64), String), bool> = BTreeMap::new();
    let key = |at: Location, what: String| ((at.line(), at.column()), what);
    for statement in statements(&case.said) {
        matters.insert(key(statement.at, statement.what), false);
    }
    for situation in &case.situations {
        let verdict = expected_of_evidence(judge(rubrics, situation), situation);
        for statement in statements(&situation.given) {
            let key = key(statement.at, statement.what);
            if matters.get(&key) != Some(&true) {
                let again = |given| judge_again(rubrics, situation, given);
                let changes = statement.otherwise.into_iter().any(|given| again(given) != verdict);
                let alone = || statement.alone.is_some_and(|(with, without)| again(with) != again(without));
                *matters.entry(key).or_default() |= changes || alone();
            }
        }
    }
    matters.into_iter().filter(|(_, matters)| !matters).map(|(key, _)| key).collect()
}

/// What is said to have no effect has none.
fn no_effect(rubrics: &RubricSet, situation: &Situation, verdict: &FleetVerdict, flaws: &mut Flaws<'_>) {
    for name in &situation.given.no_effect {
        let mut without = situation.given.clone();
        without.items.retain(|item| item.name != name.value);
        if let Ok(kind) = KindOrAll::parse(&name.value) {
            without.not_read.remove(&kind);
        }
        let other = judge_again(rubrics, situation, without);
        if other != *verdict {
            let what = format!(
                "`{}` has an effect in `{}`{}: remove it from `no_effect`",
                name.value,
                situation.title,
                difference(verdict, &other)
            );
            flaws.add(name.at, what);
        }
    }
}

/// Which stage differs first, for people.
fn difference(verdict: &FleetVerdict, other: &FleetVerdict) -> String {
    let stages = |fleet: &FleetVerdict| -> Vec<crate::evaluate::Verdict> {
        let instances = fleet.instances.iter().flat_map(|(_, instance)| instance.stages.iter().cloned());
        fleet.clusters.values().cloned().chain(instances).collect()
    };
    let pairs = stages(verdict).into_iter().zip(stages(other));
    pairs
        .filter(|(is, other)| is != other)
        .map(|(is, _)| format!(" on {}", is.stage))
        .next()
        .unwrap_or_default()
}

fn judge_again(rubrics: &RubricSet, situation: &Situation, given: Given) -> FleetVerdict {
    let mut ignored = Flaws {
        file: "",
        found: Vec::new(),
    };
    let situation = Situation {
        snapshot: given.snapshot(&mut ignored),
        declared: given.declared.as_ref().map(|declared| declared.value.clone()).unwrap_or_default(),
        given,
        ..situation.clone()
    };
    expected_of_evidence(judge(rubrics, &situation), &situation)
}

/// Objects are about all stages, whatever is expected. Evidence is given stage by stage: for stages of which nothing is expected it
/// is idle.
fn expected_of_evidence(mut fleet: FleetVerdict, situation: &Situation) -> FleetVerdict {
    if situation.given.observed.is_some() {
        let expects = |stage| situation.expect.stages.iter().any(|expected| expected.stage == stage);
        fleet.clusters.retain(|_, verdict| expects(verdict.stage));
        for (_, instance) in &mut fleet.instances {
            instance.stages.retain(|verdict| expects(verdict.stage));
        }
    }
    fleet
}

/// Something that is said, and what else could have been said.
struct Statement {
    at: Location,
    what: String,
    otherwise: Vec<Given>,
    /// The same with only this of its group, and with none: two statements may each make the other one needless.
    alone: Option<(Given, Given)>,
}

fn statements(given: &Given) -> Vec<Statement> {
    let mut all = Vec::new();
    let mut say = |at: Location, what: String, otherwise: Vec<Given>, alone: Option<(Given, Given)>| {
        all.push(Statement {
            at,
            what,
            otherwise,
            alone,
        });
    };
    let with = |change: &dyn Fn(&mut Given)| {
        let mut other = given.clone();
        change(&mut other);
        other
    };
    for (index, item) in given.items.iter().enumerate() {
        if given.no_effect.iter().any(|name| name.value == item.name) {
            continue;
        }
        let mut otherwise = vec![with(&|given| drop(given.items.remove(index)))];
        otherwise.extend(change::otherwise(item).into_iter().map(|value| {
            with(&|given| {
                if let Some(item) = given.items.get_mut(index) {
                    item.value.clone_from(&value);
                }
            })
        }));
        let what = format!("`{}`", item.name);
        if item.at != item.listed {
            say(item.at, what.clone(), otherwise.clone(), None);
        }
        say(item.listed, what, otherwise, None);
    }
    for (kind, said) in &given.not_read {
        let name = match kind {
            KindOrAll::All => "all",
            KindOrAll::One(kind) => kind.as_str(),
        };
        if given.no_effect.iter().any(|said| said.value == name) {
            continue;
        }
        let alone = (
            with(&|given| given.not_read.retain(|other, _| other == kind)),
            with(&|given| given.not_read.clear()),
        );
        let without = with(&|given| given.not_read.retain(|other, _| other != kind));
        let mut otherwise = vec![without];
        if given.not_read.len() > 2 {
            // Of three that were not read, any two may be enough.
            otherwise.push(with(&|given| given.not_read.clear()));
        }
        say(said.at, format!("`not_read: {name}`"), otherwise, Some(alone));
    }
    if let Some(said) = &given.read {
        say(said.at, "`read`".to_owned(), vec![with(&|given| given.read = None)], None);
    }
    if let Some(said) = &given.namespace_gone {
        say(
            said.at,
            "`namespace_gone`".to_owned(),
            vec![with(&|given| given.namespace_gone = None)],
            None,
        );
    }
    if let Some(said) = &given.declared {
        let instead = |declared: &Declared| {
            with(&|given| {
                if let Some(said) = &mut given.declared {
                    said.value.clone_from(declared);
                }
            })
        };
        for (name, without, only) in declared(&said.value) {
            let alone = (instead(&only), instead(&Declared::default()));
            let other = another(&said.value, name);
            let otherwise = [Some(&without), Some(&other), said.before.as_ref()]
                .into_iter()
                .flatten()
                .map(instead);
            say(said.at, format!("`declared: {name}`"), otherwise.collect(), Some(alone));
        }
    }
    if let Some(said) = &given.cluster_facts {
        let instead = |facts: &ClusterFacts| {
            with(&|given| {
                if let Some(said) = &mut given.cluster_facts {
                    said.value.clone_from(facts);
                }
            })
        };
        for (name, without) in facts(&said.value) {
            let otherwise = [Some(&without), said.before.as_ref()].into_iter().flatten().map(instead);
            say(said.at, format!("`cluster_facts{name}`"), otherwise.collect(), None);
        }
    }
    if let Some(observed) = &given.observed {
        for (statement, at) in observed.statements() {
            let otherwise = observed.otherwise(&statement).into_iter();
            let otherwise = otherwise.map(|observed| with(&|given| given.observed = Some(observed.clone())));
            say(at, statement.to_string(), otherwise.collect(), None);
        }
    }
    all
}

/// The fields that are declared, each with the declaration that lacks it and the one that has nothing else.
fn declared(all: &Declared) -> Vec<(&'static str, Declared, Declared)> {
    let Declared {
        catalog_item,
        kind,
        routes,
        vms,
        models,
        bare_pods,
    } = all;
    let mut fields = Vec::new();
    let mut field = |said: bool, name: &'static str, copy: fn(&Declared, &mut Declared)| {
        if said {
            let (mut without, mut only) = (all.clone(), Declared::default());
            copy(&Declared::default(), &mut without);
            copy(all, &mut only);
            fields.push((name, without, only));
        }
    };
    field(catalog_item.is_some(), "catalog_item", |from, to| {
        to.catalog_item.clone_from(&from.catalog_item)
    });
    field(kind.is_some(), "kind", |from, to| to.kind.clone_from(&from.kind));
    field(!routes.is_empty(), "routes", |from, to| to.routes.clone_from(&from.routes));
    field(!vms.is_empty(), "vms", |from, to| to.vms.clone_from(&from.vms));
    field(!models.is_empty(), "models", |from, to| to.models.clone_from(&from.models));
    field(*bare_pods, "bare_pods", |from, to| to.bare_pods = from.bare_pods);
    if fields.is_empty() {
        fields.push(("{}", Declared::default(), Declared::default()));
    }
    fields
}

/// The same, had other things been declared in that field: what is declared and there has an effect, too.
fn another(all: &Declared, field: &str) -> Declared {
    let nobody = || vec!["nobody-has-this-name".to_owned()];
    let mut other = all.clone();
    match field {
        "kind" => other.kind = Some(if all.kind.as_deref() == Some("model") { "vm" } else { "model" }.to_owned()),
        "routes" => other.routes = nobody(),
        "vms" => other.vms = nobody(),
        "models" => other.models = nobody(),
        _ => {}
    }
    other
}

/// The facts about the cluster that are given, each with the facts that lack it.
fn facts(all: &ClusterFacts) -> Vec<(&'static str, ClusterFacts)> {
    let usual = ClusterFacts::default();
    let mut fields = Vec::new();
    if all.reachability() != usual.reachability() {
        let mut without = usual.clone();
        without.critical_alerts.clone_from(&all.critical_alerts);
        without.job_backlogs.clone_from(&all.job_backlogs);
        fields.push((": reachable", without));
    }
    if all.critical_alerts.is_some() {
        let mut without = all.clone();
        without.critical_alerts = None;
        fields.push((": critical_alerts", without));
    }
    if all.job_backlogs.is_some() {
        let mut without = all.clone();
        without.job_backlogs = None;
        fields.push((": job_backlogs", without));
    }
    if fields.is_empty() {
        fields.push(("", usual));
    }
    fields
}
