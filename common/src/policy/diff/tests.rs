use super::*;
use crate::policy::augment::Context;
use crate::policy::evaluate::Subject;
use crate::policy::input::Facts;
use crate::policy::{evaluate, recommendation_id};

fn pool(key: &str, usable: i64, available: i64) -> Subject {
    let mut subject = Subject::unknown(Scope::Pool, key);
    if let Facts::Pool(facts) = &mut subject.facts {
        facts.minimum = Ok(10);
        facts.usable = Ok(usable);
        facts.available = Ok(available);
        facts.unusable_seconds = Ok(0);
        facts.creation_disabled = Ok(false);
        facts.sessions = Ok(0);
        facts.velocity_per_hour = Ok(0.0);
    }
    subject
}

fn hash(advice: &Advice) -> Vec<u8> {
    advice.decision.clone().into_bytes()
}

fn stored(advice: &Advice, revision: i32) -> Stored {
    Stored {
        id: advice.id,
        rule: advice.rule.clone(),
        scope: advice.scope,
        key: advice.key.clone(),
        issued: true,
        revision,
        urgency: advice.urgency,
        confidence: advice.confidence,
        key_facts: advice.key_facts.clone(),
        escalated: advice.context.escalated,
        content_hash: hash(advice),
        unknown_reason: None,
    }
}

fn evaluated(rules: &RuleSet, subjects: &[Subject]) -> Evaluated {
    evaluate::evaluate(rules, subjects, chrono::DateTime::UNIX_EPOCH)
}

/// What becomes of advice on one pool when the pool is as given.
fn told(before: &Subject, after: &[Subject], change: impl Fn(&mut Stored)) -> Vec<String> {
    let rules = RuleSet::embedded().unwrap();
    let first = evaluated(&rules, std::slice::from_ref(before));
    let mut known = stored(&first.advice[0], 3);
    change(&mut known);
    let stored = [known];
    let now = evaluated(&rules, after);
    let changes = diff(&rules, &stored, &now, hash);
    let text = changes.iter().map(|change| match change {
        Change::Issue(advice, revision) => format!("issue {} {revision}", advice.key),
        Change::Update(advice, revision) => format!("update {} {revision}", advice.key),
        Change::Refresh(advice) => format!("refresh {}", advice.key),
        Change::Withdraw(stored, why, revision) => format!("withdraw {} {} {revision}", stored.key, why.as_str()),
        Change::Doubt(stored, doubt) => format!("doubt {} {}", stored.key, doubt.reason),
    });
    text.collect()
}

#[test]
fn only_what_matters_is_told_again() {
    let before = pool("a/b", 0, 4);
    let same = |_: &mut Stored| {};
    assert_eq!(told(&before, &[pool("a/b", 0, 4)], same), [""; 0]);
    // One more handle exists: the same decision.
    assert_eq!(told(&before, &[pool("a/b", 0, 5)], same), ["refresh a/b"]);
    // One can be handed out: less sure, by more than a step.
    assert_eq!(told(&before, &[pool("a/b", 1, 4)], same), ["update a/b 4"]);
    assert_eq!(told(&before, &[pool("a/b", 9, 9)], same), ["withdraw a/b no_longer 4"]);
    assert_eq!(told(&before, &[pool("c/d", 9, 9)], same), ["withdraw a/b subject_gone 4"]);
    assert_eq!(told(&before, &[pool("c/d", 0, 4), before.clone()], same), ["issue c/d 1"]);
    assert_eq!(told(&before, &[pool("a/b", 0, 4)], |stored| stored.issued = false), ["issue a/b 4"]);
    assert_eq!(told(&before, &[pool("a/b", 9, 9)], |stored| stored.issued = false), [""; 0]);
    assert_eq!(told(&before, &[pool("a/b", 0, 4)], |stored| stored.confidence -= 4), [""; 0]);
    assert_eq!(
        told(&before, &[pool("a/b", 0, 4)], |stored| stored.confidence -= 5),
        ["update a/b 4"]
    );
    assert_eq!(
        told(&before, &[pool("a/b", 0, 4)], |stored| stored.escalated = true),
        ["update a/b 4"]
    );
    assert_eq!(
        told(&before, &[pool("a/b", 0, 4)], |stored| stored.rule = "old".to_owned()),
        [""; 0]
    );
    let of_old_rule = |stored: &mut Stored| {
        stored.rule = "old".to_owned();
        stored.id = recommendation_id("old", Scope::Pool, "a/b");
    };
    assert_eq!(told(&before, &[pool("a/b", 9, 9)], of_old_rule), ["withdraw a/b rule_gone 4"]);
}

#[test]
fn what_cannot_be_told_neither_advises_nor_takes_back() {
    let before = pool("a/b", 0, 4);
    let unknown = Subject::unknown(Scope::Pool, "a/b");
    assert_eq!(
        told(&before, &[unknown.clone(), Subject::unknown(Scope::Pool, "c/d")], |_| {}),
        ["doubt a/b not_collected"]
    );
    let marked = |stored: &mut Stored| stored.unknown_reason = Some(UnknownReason::NotCollected);
    assert_eq!(told(&before, &[unknown], marked), [""; 0]);
    // Known again, and the same: the mark goes.
    assert_eq!(told(&before, std::slice::from_ref(&before), marked), ["refresh a/b"]);
}

#[test]
fn the_most_urgent_and_surest_comes_first_whatever_the_order() {
    let rules = RuleSet::embedded().unwrap();
    let mut urgent = pool("z/z", 0, 1);
    if let Facts::Pool(facts) = &mut urgent.facts {
        facts.sessions = Ok(1);
        facts.next_session_in_seconds = Ok(60);
    }
    let mut subjects = vec![pool("b/b", 1, 1), pool("c/c", 0, 1), pool("a/a", 0, 1), urgent];
    let keys = |subjects: &[Subject]| -> Vec<String> { evaluated(&rules, subjects).advice.into_iter().map(|advice| advice.key).collect() };
    assert_eq!(keys(&subjects), ["z/z", "a/a", "c/c", "b/b"]);
    subjects.reverse();
    assert_eq!(keys(&subjects), ["z/z", "a/a", "c/c", "b/b"]);
    assert_eq!(Context::default(), subjects[0].context);
}
