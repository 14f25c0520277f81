//! The algorithm, case by case, on evidence written by hand.

use std::sync::LazyLock;

use chrono::DateTime;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_assume, prop_oneof, proptest};
use proptest::sample::Index;

use super::*;
use crate::evaluate::lint::raw::RawSet;
use crate::evidence::Member;
use crate::evidence::document::EvidenceDocument;
use crate::evidence::signals::{Signal, SignalSource};

static RUBRICS: LazyLock<RubricSet> = LazyLock::new(|| RubricSet::embedded().unwrap_or_else(|error| panic!("{error}")));

/// Judged by what the stage observed alone; what the document adds is in `facts/tests.rs`.
fn judge(rubrics: &RubricSet, stage: Stage, evidence: &StageEvidence, upstream: Upstream) -> Verdict {
    super::judge(rubrics, stage, evidence, &EvidenceDocument::unread(DateTime::UNIX_EPOCH), upstream)
}

fn evidence(values: &[(&'static str, Value)]) -> StageEvidence {
    StageEvidence {
        observations: values.iter().map(|(name, value)| (*name, Observation::of(value.clone()))).collect(),
        signals: Vec::new(),
    }
}

const YES: Value = Value::Bool(true);
const NO: Value = Value::Bool(false);
const FORBIDDEN: Value = Value::Unknown(UnknownReason::Forbidden);

fn deployment(changes: &[(&'static str, Value)]) -> StageEvidence {
    let mut all = evidence(&[
        ("namespace_exists", YES),
        ("deployment_exists", YES),
        ("desired_replicas_ready", YES),
        ("no_crashloop_pods", YES),
        ("no_failed_jobs", YES),
        ("no_stuck_terminations", YES),
        ("no_oom_kills", YES),
        ("no_image_pull_failures", YES),
        ("no_unschedulable_pods", YES),
        ("no_config_errors", YES),
    ]);
    all.observations.extend(evidence(changes).observations);
    all
}

fn judged(changes: &[(&'static str, Value)]) -> Verdict {
    judge(&RUBRICS, Stage::DeploymentReady, &deployment(changes), Upstream::default())
}

/// Outcome, reason and class, as one word.
fn short(verdict: &Verdict) -> String {
    let reason = verdict.reason.map(|reason| format!(" {reason}")).unwrap_or_default();
    let class = verdict.failure_class.as_ref().map(|class| format!(" {class}")).unwrap_or_default();
    format!("{}{reason}{class}", verdict.outcome)
}

#[test]
fn all_true_passes() {
    let verdict = judged(&[]);
    assert_eq!(short(&verdict), "pass");
    assert_eq!(verdict.message, "all required criteria hold");
    assert_eq!(verdict.criteria.len(), 6, "facts are not criteria");
}

#[test]
fn a_definite_failure_outweighs_what_is_unknown() {
    let verdict = judged(&[
        ("deployment_exists", FORBIDDEN),
        ("desired_replicas_ready", FORBIDDEN),
        ("no_crashloop_pods", NO),
    ]);
    assert_eq!(short(&verdict), "fail pods_crashlooping");
    assert_eq!(verdict.class_match, Some(ClassMatch::Partial));
}

#[test]
fn unknown_required_is_indeterminate_with_the_first_reason() {
    let stale = Value::Unknown(UnknownReason::Stale);
    let verdict = judged(&[("no_crashloop_pods", stale), ("desired_replicas_ready", FORBIDDEN)]);
    assert_eq!(short(&verdict), "indeterminate forbidden");
    assert_eq!(
        verdict.message,
        "not known: desired_replicas_ready forbidden; no_crashloop_pods stale"
    );
}

#[test]
fn what_was_not_observed_is_unknown() {
    let verdict = judge(
        &RUBRICS,
        Stage::DeploymentReady,
        &evidence(&[("namespace_exists", YES)]),
        Upstream::default(),
    );
    assert_eq!(short(&verdict), "indeterminate not_collected");
}

#[test]
fn optional_false_warns_with_its_class_and_optional_unknown_changes_nothing() {
    assert_eq!(short(&judged(&[("no_failed_jobs", NO)])), "warn backoff_limit_exceeded");
    assert_eq!(short(&judged(&[("no_failed_jobs", FORBIDDEN)])), "pass");
}

#[test]
fn a_warning_never_gets_the_class_of_a_stray_pod() {
    let verdict = judged(&[("no_failed_jobs", NO), ("no_image_pull_failures", NO)]);
    assert_eq!(short(&verdict), "warn backoff_limit_exceeded");
}

#[test]
fn a_boolean_is_never_made_of_something_else() {
    let verdict = judged(&[("deployment_exists", Value::Number(1.0))]);
    assert_eq!(short(&verdict), "indeterminate parse_error");
    let criterion = verdict.criteria.iter().find(|c| c.name == "deployment_exists").unwrap();
    assert_eq!(
        (&criterion.value, criterion.unknown_reason),
        (&serde_json::Value::Null, Some(UnknownReason::ParseError))
    );
}

#[test]
fn precedence_is_the_order_of_the_rubric() {
    let down = ("desired_replicas_ready", NO);
    assert_eq!(short(&judged(std::slice::from_ref(&down))), "fail pods_not_ready");
    assert_eq!(
        short(&judged(&[down.clone(), ("no_unschedulable_pods", NO)])),
        "fail scheduling_failed"
    );
    assert_eq!(
        short(&judged(&[down.clone(), ("no_crashloop_pods", NO), ("no_oom_kills", NO)])),
        "fail oom_killed"
    );
}

#[test]
fn entry_false_alone_fails_with_its_class_and_ends_there() {
    let verdict = judged(&[("namespace_exists", NO), ("deployment_exists", NO)]);
    assert_eq!(short(&verdict), "fail namespace_missing");
    assert_eq!(verdict.recommended_action.as_deref(), Some("reclaim_sandbox_placement"));
    assert_eq!(verdict.criteria.len(), 1);
}

#[test]
fn entry_false_behind_a_failed_owner_is_blocked() {
    let mut upstream = Upstream::default();
    let storage = evidence(&[
        ("namespace_exists", YES),
        ("datavolume_exists", NO),
        ("datavolume_succeeded", NO),
        ("pvc_bound", NO),
    ]);
    let storage = judge(&RUBRICS, Stage::StorageCloneReady, &storage, upstream);
    assert_eq!(short(&storage), "fail datavolume_missing");
    upstream.record(&storage);
    let vm = judge(
        &RUBRICS,
        Stage::VmRuntimeReady,
        &evidence(&[("datavolume_succeeded", NO)]),
        upstream,
    );
    assert_eq!(short(&vm), "indeterminate blocked_by:storage-clone-ready");
    assert_eq!(vm.criteria, Vec::new());
    let alone = judge(
        &RUBRICS,
        Stage::VmRuntimeReady,
        &evidence(&[("datavolume_succeeded", NO)]),
        Upstream::default(),
    );
    assert_eq!(short(&alone), "fail datavolume_not_ready");
}

#[test]
fn entry_unknown_is_indeterminate() {
    assert_eq!(short(&judged(&[("namespace_exists", FORBIDDEN)])), "indeterminate forbidden");
}

#[test]
fn a_failure_without_class_is_unclassified() {
    let verdict = judge(
        &RUBRICS,
        Stage::ModelEndpointReady,
        &evidence(&[
            ("namespace_exists", YES),
            ("inferenceservice_exists", FORBIDDEN),
            ("inferenceservice_ready", NO),
        ]),
        Upstream::default(),
    );
    assert_eq!(
        (short(&verdict).as_str(), verdict.class_match),
        ("fail inferenceservice_not_ready", Some(ClassMatch::Partial))
    );
    let unhealthy = evidence(&[
        ("cluster_reachable", YES),
        ("cpu_usage_acceptable", YES),
        ("memory_usage_acceptable", FORBIDDEN),
        ("no_critical_alerts", YES),
    ]);
    let verdict = judge(&RUBRICS, Stage::ClusterHealth, &unhealthy, Upstream::default());
    assert_eq!(short(&verdict), "indeterminate forbidden");
}

#[test]
fn a_failure_is_never_called_by_a_warning_while_a_failure_class_fits() {
    // The list of volumes was cut: one that is known is not filled, another was slow, which would be informational.
    let verdict = judge(
        &RUBRICS,
        Stage::StorageCloneReady,
        &evidence(&[
            ("namespace_exists", YES),
            ("datavolume_exists", Value::Unknown(UnknownReason::Truncated)),
            ("datavolume_succeeded", NO),
            ("pvc_bound", YES),
            ("clone_duration_acceptable", NO),
        ]),
        Upstream::default(),
    );
    assert_eq!(
        (short(&verdict).as_str(), verdict.class_match),
        ("fail datavolume_not_ready", Some(ClassMatch::Partial))
    );
}

#[test]
fn sub_class_comes_from_the_signals_not_from_the_message() {
    let set = &*RUBRICS;
    let mut evidence = deployment(&[("desired_replicas_ready", NO), ("no_image_pull_failures", NO)]);
    evidence.signals = vec!["ImagePullBackOff: 401 Unauthorized".into()];
    let verdict = judge(set, Stage::DeploymentReady, &evidence, Upstream::default());
    assert_eq!(verdict.sub_class.as_deref(), Some("image_auth_failed"));
    evidence.signals.clear();
    let verdict = judge(set, Stage::DeploymentReady, &evidence, Upstream::default());
    assert_eq!(verdict.sub_class, None, "no signal, and the class has no default");
    let verdict = judged(&[("no_crashloop_pods", NO)]);
    assert_eq!(verdict.sub_class.as_deref(), Some("crashloop_app_pod"));
}

/// What a pod says that cannot mount a volume.
fn mount_fails() -> Signal {
    Signal {
        source: SignalSource::Event,
        reason: "FailedMount".to_owned(),
        text: "MountVolume.SetUp failed for volume \"settings\" : configmap \"lab-settings\" not found".to_owned(),
        ..Signal::about("Pod", "web-5c9d8-2xk4p")
    }
}

#[test]
fn what_the_members_say_stands_beside_the_class() {
    let mut evidence = deployment(&[("desired_replicas_ready", NO)]);
    evidence.signals = vec![mount_fails()];
    let verdict = judge(&RUBRICS, Stage::DeploymentReady, &evidence, Upstream::default());
    assert_eq!(short(&verdict), "fail pods_not_ready");
    assert_eq!(verdict.class_match, Some(ClassMatch::Strict));
    assert_eq!(verdict.pattern_class.as_deref(), Some("volume_mount_failed"));
    assert_eq!(
        verdict.sub_class.as_deref(),
        Some("volume_mount_not_found"),
        "pods_not_ready has no sub-classes"
    );
    evidence.signals.clear();
    let verdict = judge(&RUBRICS, Stage::DeploymentReady, &evidence, Upstream::default());
    assert_eq!((verdict.pattern_class, verdict.sub_class), (None, None));
}

#[test]
fn nobody_is_asked_where_nothing_failed() {
    for changes in [vec![], vec![("desired_replicas_ready", FORBIDDEN)]] {
        let mut evidence = deployment(&changes);
        evidence.signals = vec![mount_fails()];
        let verdict = judge(&RUBRICS, Stage::DeploymentReady, &evidence, Upstream::default());
        assert_eq!((verdict.pattern_class, verdict.failure_class), (None, None), "{}", verdict.outcome);
    }
}

#[test]
fn what_no_rubric_class_describes_is_called_by_what_the_members_say() {
    let mut raw = RawSet::embedded().unwrap();
    let rubric = raw.rubrics.get_mut(&Stage::DeploymentReady).unwrap();
    rubric.content.failure_classes.0.retain(|(name, _)| name.value != "pods_not_ready");
    let set = RubricSet::from_raw(&raw).unwrap_or_else(|error| panic!("{error}"));
    let mut evidence = deployment(&[("desired_replicas_ready", NO)]);
    evidence.signals = vec![mount_fails()];
    let verdict = judge(&set, Stage::DeploymentReady, &evidence, Upstream::default());
    assert_eq!(short(&verdict), "fail volume_mount_failed");
    assert_eq!(verdict.class_match, Some(ClassMatch::Pattern));
    assert_eq!(verdict.sub_class.as_deref(), Some("volume_mount_not_found"));
    assert_eq!(verdict.recommended_action, None);
    assert!(verdict.message.starts_with("failed, volume_mount_failed: "), "{}", verdict.message);
    assert_eq!(set.severity("volume_mount_failed"), Some(7));
    evidence.signals.clear();
    let verdict = judge(&set, Stage::DeploymentReady, &evidence, Upstream::default());
    assert_eq!((short(&verdict).as_str(), verdict.class_match), ("fail", None));
}

#[test]
fn the_message_names_the_first_culprit_of_each_criterion() {
    let member = |name: &str, reason: &str| Member {
        kind: "Deployment".to_owned(),
        name: name.to_owned(),
        reason: reason.to_owned(),
    };
    let mut evidence = deployment(&[]);
    evidence.observations.insert(
        "desired_replicas_ready",
        Observation {
            failing: vec![member("api", "0 of 1 ready"), member("web", "1 of 2 ready")],
            failing_count: 2,
            ..Observation::known(false)
        },
    );
    let verdict = judge(&RUBRICS, Stage::DeploymentReady, &evidence, Upstream::default());
    assert_eq!(
        verdict.message,
        "failed, pods_not_ready: desired_replicas_ready: Deployment api (0 of 1 ready) and 1 more"
    );
}

#[test]
fn a_condition_on_a_number_needs_the_number() {
    let route = |count: Value| {
        evidence(&[
            ("service_exists", YES),
            ("route_exists", YES),
            ("route_admitted", YES),
            ("service_has_ready_endpoints", NO),
            ("ready_endpoint_count", count),
        ])
    };
    let judged = |count| judge(&RUBRICS, Stage::RouteReady, &route(count), Upstream::default());
    assert_eq!(short(&judged(Value::Number(0.0))), "fail service_has_no_endpoints");
    assert_eq!(short(&judged(FORBIDDEN)), "fail service_has_no_endpoints");
    assert_eq!(judged(FORBIDDEN).class_match, Some(ClassMatch::Partial));
}

/// Any value that a criterion or fact may have.
fn any_value() -> impl Strategy<Value = Option<Value>> {
    proptest::option::weighted(
        0.9,
        prop_oneof![
            Just(YES),
            Just(NO),
            Just(FORBIDDEN),
            Just(Value::Unknown(UnknownReason::Progressing)),
            Just(Value::Number(0.0)),
            Just(Value::Text("x".to_owned())),
        ],
    )
}

/// A stage and anything that may have been observed for it.
fn any_evidence() -> impl Strategy<Value = (Stage, StageEvidence)> {
    proptest::sample::select(Stage::ALL.to_vec()).prop_flat_map(|stage| {
        let names = crate::evidence::names(stage);
        proptest::collection::vec(any_value(), names.len()).prop_map(move |values| {
            let observed = names
                .iter()
                .zip(values)
                .filter_map(|(name, value)| Some((*name, Observation::of(value?))));
            let evidence = StageEvidence {
                observations: observed.collect(),
                signals: Vec::new(),
            };
            (stage, evidence)
        })
    })
}

proptest! {
    #[test]
    fn no_outcome_without_its_reason((stage, evidence) in any_evidence()) {
        let verdict = judge(&RUBRICS, stage, &evidence, Upstream::default());
        let required = || verdict.criteria.iter().filter(|criterion| criterion.required);
        let any_false = required().any(|criterion| criterion.value == serde_json::Value::Bool(false));
        let any_unknown = required().any(|criterion| criterion.unknown_reason.is_some());
        match verdict.outcome {
            Outcome::Pass | Outcome::Warn => prop_assert!(!any_false && !any_unknown),
            Outcome::Fail => prop_assert!(any_false),
            Outcome::Indeterminate => prop_assert!(!any_false && any_unknown && verdict.reason.is_some()),
            Outcome::Skipped => prop_assert!(false, "judging never skips"),
        }
        prop_assert_eq!(verdict.failure_class.is_some(), verdict.class_match.is_some());
        prop_assert!(verdict.failure_class.is_none() || matches!(verdict.outcome, Outcome::Fail | Outcome::Warn));
    }

    #[test]
    fn forgetting_a_value_never_makes_a_pass_of_a_failure((stage, evidence) in any_evidence(), which in any::<Index>()) {
        let before = judge(&RUBRICS, stage, &evidence, Upstream::default());
        prop_assume!(matches!(before.outcome, Outcome::Fail | Outcome::Indeterminate));
        let mut less = evidence;
        let names = crate::evidence::names(stage);
        less.observations.insert(names[which.index(names.len())], Observation::unknown(UnknownReason::Timeout));
        let after = judge(&RUBRICS, stage, &less, Upstream::default());
        prop_assert!(matches!(after.outcome, Outcome::Fail | Outcome::Indeterminate), "{} became {}", before.outcome, after.outcome);
    }
}
