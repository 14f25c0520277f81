use super::*;
use crate::policy::Scope;
use crate::policy::evaluate::{Subject, Verdict, judge};
use crate::policy::input::Facts;
use crate::policy::rule::RuleSet;

fn advised(rule: &str, confidence_of: impl Fn(&mut Context)) -> Advice {
    let mut subject = Subject::unknown(Scope::Lab, "WEB-1");
    if let Facts::Lab(facts) = &mut subject.facts {
        facts.showroom_failing = Ok(2);
        facts.instances = Ok(3);
        facts.route_missing = Ok(1);
        facts.sessions = Ok(1);
    }
    let context = &mut subject.context;
    context.failing.push(FailingStage {
        stage: Stage::ShowroomHealthy,
        instances: 2,
        outcome: "fail".to_owned(),
        class: Some("showroom_content_missing".to_owned()),
        failed: vec!["content_loaded".to_owned()],
        passed: 3,
        since: None,
    });
    let violation = |violation: &str, stage| Violation {
        violation: violation.to_owned(),
        expected: "v2".to_owned(),
        actual: "main".to_owned(),
        severity: "warning".to_owned(),
        stage,
        class: None,
        instances: 2,
    };
    context.violations.push(violation("showroom_wrong_ref", Stage::ShowroomHealthy));
    context.violations.push(violation("workload_not_deployed", Stage::DeploymentReady));
    confidence_of(context);
    let rules = RuleSet::embedded().unwrap();
    match judge(rules.rule(rule).unwrap(), &subject, chrono::DateTime::UNIX_EPOCH) {
        Verdict::Fires(advice) => *advice,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_violation_that_explains_the_stage_makes_advice_surer_and_is_named() {
    let advice = advised("showroom_unreachable", |_| {});
    assert_eq!(advice.confidence, 95);
    assert!(
        advice.decision.ends_with("; the definition demands otherwise: showroom_wrong_ref"),
        "{}",
        advice.decision
    );
    let classes: Vec<Option<&str>> = advice
        .context
        .violations
        .iter()
        .map(|violation| violation.class.as_deref())
        .collect();
    assert_eq!(classes, [Some("showroom_content_missing"), None]);
    // The session's time is unknown: it may be more urgent than it says.
    assert_eq!(
        advice.context.doubts,
        ["perhaps critical: next_session_in_seconds not known (not_collected)"]
    );
}

#[test]
fn a_violation_of_another_stage_or_of_one_that_passes_changes_nothing() {
    assert_eq!(advised("showroom_unreachable", |context| context.failing.clear()).confidence, 90);
    assert_eq!(
        advised("showroom_unreachable", |context| context.violations.truncate(0)).confidence,
        90
    );
    let of_route = advised("route_not_created", |_| {});
    assert_eq!(of_route.confidence, 85);
    assert!(!of_route.decision.contains("demands"), "{}", of_route.decision);
}
