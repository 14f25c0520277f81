use super::*;
use crate::evidence::testing::{World, condition, event, hours, minutes, model, pod, probe, told};
use crate::objects::Listing;

fn value(world: &World, name: &str) -> Value {
    observe(&world.view())
        .observations
        .remove(name)
        .expect("a name of this stage")
        .value
}

const TRUE: Value = Value::Bool(true);
const FALSE: Value = Value::Bool(false);

const fn unknown(reason: UnknownReason) -> Value {
    Value::Unknown(reason)
}

fn lab(model: InferenceService) -> World {
    World::new().inference_services([model])
}

fn granite() -> InferenceService {
    model("granite")
}

#[test]
fn says_every_name_and_nothing_else() {
    let said: Vec<&str> = observe(&lab(granite()).view()).observations.into_keys().collect();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(said, names);
}

#[test]
fn a_model_that_answers_is_true_everywhere() {
    let world = lab(granite()).probes([probe(ProbeKind::Inference, "granite")]);
    for (name, observation) in observe(&world.view()).observations {
        assert_eq!(observation.value, TRUE, "{name}");
    }
}

#[test]
fn loaded_is_not_answering() {
    let world = lab(granite());
    assert_eq!(value(&world, "model_loaded"), TRUE);
    assert_eq!(value(&world, "test_inference_succeeded"), unknown(UnknownReason::NotProbed));
    assert_eq!(value(&world, "inference_latency_acceptable"), unknown(UnknownReason::NotProbed));
}

#[test]
fn readiness() {
    let not_ready = |age| granite().age(age).with(condition("Ready", "False", "PredictorNotReady"));
    let silent = |age| {
        let mut model = granite().age(age);
        model.status.conditions.clear();
        model
    };
    let progressing = unknown(UnknownReason::Progressing);
    let broken_pod = pod("granite-predictor-1")
        .label("serving.kserve.io/inferenceservice", "granite")
        .age(minutes(5));
    let cases = [
        ("ready", lab(granite()), TRUE),
        ("not ready, old", lab(not_ready(hours(1))), FALSE),
        ("not ready, loading", lab(not_ready(minutes(5))), progressing.clone()),
        ("silent, young", lab(silent(minutes(5))), progressing.clone()),
        ("silent, old", lab(silent(minutes(16))), FALSE),
        ("failed to load", lab(not_ready(minutes(5)).states("", "FailedToLoad")), FALSE),
        (
            "image",
            lab(not_ready(minutes(5))).pods([broken_pod.clone().waits("ImagePullBackOff", "not found")]),
            FALSE,
        ),
        ("pod starting", lab(not_ready(minutes(5))).pods([broken_pod.unready()]), progressing),
        (
            "meant to be stopped",
            lab(not_ready(hours(1))).intent(Intent::Stopped, hours(1)),
            unknown(UnknownReason::IntentionallyStopped),
        ),
        (
            "stopped",
            lab(not_ready(hours(1)).annotated(STOP, "true")),
            unknown(UnknownReason::IntentionallyStopped),
        ),
        (
            "another one is stopped",
            lab(granite()).inference_services([model("spare").annotated(STOP, "true").with(condition("Ready", "False", "Stopped"))]),
            TRUE,
        ),
        (
            "another one is broken",
            lab(granite()).inference_services([model("spare").with(condition("Ready", "False", "RevisionFailed"))]),
            FALSE,
        ),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "inferenceservice_ready"), expected, "{case}");
    }
}

#[test]
fn what_exists() {
    assert_eq!(value(&World::new(), "inferenceservice_exists"), FALSE);
    let mut world = World::new();
    world.inventory.inference_services = Listing::unknown(UnknownReason::ApiAbsent);
    assert_eq!(value(&world, "inferenceservice_exists"), unknown(UnknownReason::ApiAbsent));
    let mut declared = lab(granite());
    declared.declared.models = vec!["granite".to_owned(), "llama".to_owned()];
    assert_eq!(value(&declared, "inferenceservice_exists"), FALSE);
}

#[test]
fn answers_of_a_model() {
    let answering = |status, content, ms| {
        let mut probe = probe(ProbeKind::Inference, "granite");
        probe.status = Some(status);
        probe.content = content;
        probe.duration_ms = Some(ms);
        lab(granite()).probes([probe])
    };
    assert_eq!(value(&answering(200, None, 900), "test_inference_succeeded"), TRUE);
    assert_eq!(
        value(&answering(200, Some(Content::Missing), 900), "test_inference_succeeded"),
        FALSE
    );
    assert_eq!(value(&answering(500, None, 900), "test_inference_succeeded"), FALSE);
    assert_eq!(value(&answering(200, None, 5000), "inference_latency_acceptable"), FALSE);
}

#[test]
fn states_of_a_model() {
    let of = |active: &str, target: &str| lab(granite().states(active, target));
    let cases = [
        ("Loaded", TRUE),
        ("", unknown(UnknownReason::NotCollected)),
        ("FailedToLoad", FALSE),
        ("Loading", unknown(UnknownReason::Progressing)),
        ("Dreaming", unknown(UnknownReason::UnrecognizedState)),
    ];
    for (state, expected) in cases {
        assert_eq!(value(&of(state, "Loaded"), "model_loaded"), expected, "{state}");
    }
    let old_revision = of("Loaded", "FailedToLoad");
    assert_eq!(value(&old_revision, "model_loaded"), TRUE);
    assert_eq!(value(&old_revision, "no_failed_revisions"), FALSE);
}

#[test]
fn signals_tell_the_predictor() {
    let world = lab(granite().with(condition("Ready", "False", "RevisionFailed"))).events([event(
        "InferenceService",
        "granite",
        "InternalError",
        "fails to reconcile predictor",
        minutes(3),
    )]);
    assert_eq!(
        told(&observe(&world.view())),
        [
            "InferenceService granite: RevisionFailed",
            "InternalError fails to reconcile predictor"
        ]
    );
}
