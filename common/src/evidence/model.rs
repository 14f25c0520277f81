//! Stage 11, model-endpoint-ready: does the model answer?
//!
//! "Loaded" is not "answers": inference counts only when a real request was made. The weaker statement has its own name,
//! `model_loaded`.

use super::quantify::{Judged, Known, all, any};
use super::signals::{Signal, Signals, clip};
use super::{Intent, MAX_MEMBERS, Observation, StageEvidence, Value, View, entry, pods, probes, thresholds};
use crate::objects::meta::condition;
use crate::objects::network::Content;
use crate::objects::{InferenceService, Pod, ProbeKind};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// What this stage can say.
pub const NAMES: &[&str] = &[
    "namespace_exists",
    "inferenceservice_exists",
    "inferenceservice_ready",
    "test_inference_succeeded",
    "model_loaded",
    "no_failed_revisions",
    "inference_latency_acceptable",
];

/// Set to `true` by somebody who stopped the model.
pub const STOP: &str = "serving.kserve.io/stop";

/// Observes the models of one namespace.
#[must_use]
pub fn observe(view: &View) -> StageEvidence {
    let ready = over(view, Value::Bool(false), ready);
    let signals = signals(view, &ready);
    let observations = [
        ("namespace_exists", entry::namespace_exists(view)),
        ("inferenceservice_exists", exists(view)),
        ("inferenceservice_ready", ready),
        ("test_inference_succeeded", over(view, Value::Bool(false), inference)),
        ("model_loaded", over(view, Value::Bool(false), |_, model| loaded(model))),
        ("no_failed_revisions", over(view, Value::Bool(true), |_, model| revision(model))),
        (
            "inference_latency_acceptable",
            over(view, Value::Unknown(UnknownReason::NotProbed), latency),
        ),
    ];
    StageEvidence {
        observations: observations.into_iter().collect(),
        signals,
    }
}

fn exists(view: &View) -> Observation {
    let models = &view.inventory.inference_services;
    if view.declared.models.is_empty() {
        let there = models.items.iter().map(|model| member(&model.metadata.name, Known::True));
        return any(there.collect(), models.missing, Value::Bool(false));
    }
    let declared = view.declared.models.iter().map(|name| {
        let state = match models.missing {
            _ if models.items.iter().any(|model| model.metadata.name == *name) => Known::True,
            Some(reason) => Known::Unknown(reason, "declared; InferenceServices were not read".to_owned(), None),
            None => Known::False("declared, does not exist".to_owned()),
        };
        member(name, state)
    });
    all(declared.collect(), None, Value::Bool(false))
}

/// `judge` over every model that somebody wants to run. `empty` answers where there is none at all.
fn over(view: &View, empty: Value, judge: impl Fn(&View, &InferenceService) -> Known) -> Observation {
    let models = &view.inventory.inference_services;
    let mut any_stopped = false;
    let members: Vec<Judged> = models
        .items
        .iter()
        .map(|model| {
            let state = if model.metadata.deletion_timestamp.is_some() {
                Known::Excluded("being deleted".to_owned())
            } else if is_stopped(model) {
                any_stopped = true;
                Known::Excluded("stopped on purpose".to_owned())
            } else {
                unless_stopped(view, judge(view, model))
            };
            member(&model.metadata.name, state)
        })
        .collect();
    let empty = if any_stopped {
        Value::Unknown(UnknownReason::IntentionallyStopped)
    } else {
        empty
    };
    all(members, models.missing, empty)
}

fn is_stopped(model: &InferenceService) -> bool {
    model.metadata.annotations.get(STOP).is_some_and(|value| value == "true")
}

fn unless_stopped(view: &View, state: Known) -> Known {
    match state {
        Known::False(detail) | Known::Unknown(UnknownReason::Progressing, detail, _) if view.lifecycle.intent == Intent::Stopped => {
            Known::Unknown(UnknownReason::IntentionallyStopped, detail, None)
        }
        state => state,
    }
}

/// Ready, or on the way: a model that is being loaded is not ready either, so a young one gets its budget unless its
/// pods or its state say that waiting cannot help.
fn ready(view: &View, model: &InferenceService) -> Known {
    let ready = condition(&model.status.conditions, "Ready");
    if ready.is_some_and(crate::objects::Condition::is_true) {
        return Known::True;
    }
    let detail = ready.map_or_else(
        || "not ready yet".to_owned(),
        |ready| format!("{} {}", ready.reason, clip(&ready.message, 160)).trim().to_owned(),
    );
    let detail = if detail.is_empty() { "not ready".to_owned() } else { detail };
    let states = &model.status.model_status.states;
    let hopeless = states.target_model_state == "FailedToLoad" || states.active_model_state == "FailedToLoad";
    let trouble = predictor_pods(view, model).find_map(|pod| {
        let trouble = pods::trouble(pod, view.now)?;
        pods::cuts_budget(pod, &trouble, view.now).then(|| trouble.detail().to_owned())
    });
    if let Some(trouble) = trouble {
        return Known::False(format!("{detail}, {trouble}"));
    }
    match model
        .metadata
        .creation_timestamp
        .map(|created| created + view.settle.of(Stage::ModelEndpointReady))
    {
        Some(until) if view.now < until && !hopeless => Known::Unknown(UnknownReason::Progressing, detail, Some(until)),
        _ => Known::False(detail),
    }
}

/// Live pods of the model, by name.
fn predictor_pods<'a>(view: &View<'a>, model: &InferenceService) -> impl Iterator<Item = &'a Pod> {
    let pods = view.inventory.pods.items.iter();
    let mut own: Vec<&Pod> = pods
        .filter(|pod| pod.metadata.labels.get("serving.kserve.io/inferenceservice") == Some(&model.metadata.name))
        .filter(|pod| pods::life(pod) == pods::Life::Alive)
        .collect();
    own.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    own.into_iter()
}

fn inference(view: &View, model: &InferenceService) -> Known {
    let probe = match probes::newest(view, ProbeKind::Inference, &model.metadata.name) {
        Ok(probe) => probe,
        Err(reason) => return probes::unasked(reason),
    };
    match (probes::answer(probe), probe.content) {
        (probes::Answer::Status(200), Some(Content::Missing)) => Known::False("answers 200 without a prediction".to_owned()),
        (probes::Answer::Status(200), _) => Known::True,
        (probes::Answer::Status(status), _) => Known::False(format!("answers {status}")),
        (probes::Answer::NotHttp, _) => Known::False("does not speak HTTP".to_owned()),
        (probes::Answer::Down(why), _) => Known::False(format!("does not answer: {why}")),
        (probes::Answer::NotAsked(reason), _) => probes::unasked(reason),
    }
}

fn latency(view: &View, model: &InferenceService) -> Known {
    let probe = probes::newest(view, ProbeKind::Inference, &model.metadata.name);
    match probes::is_fast(probe, thresholds::INFERENCE_MS).value {
        Value::Bool(true) => Known::True,
        Value::Bool(false) => Known::False(format!("took {} ms or more", thresholds::INFERENCE_MS)),
        Value::Unknown(reason) => probes::unasked(reason),
        Value::Number(_) | Value::Text(_) => probes::unasked(UnknownReason::ParseError),
    }
}

/// The model that is served now is in memory.
fn loaded(model: &InferenceService) -> Known {
    match model.status.model_status.states.active_model_state.as_str() {
        "Loaded" => Known::True,
        "" => Known::Unknown(UnknownReason::NotCollected, "its state is not told".to_owned(), None),
        "FailedToLoad" => Known::False("failed to load".to_owned()),
        state @ ("Pending" | "Standby" | "Loading") => Known::Unknown(UnknownReason::Progressing, state.to_owned(), None),
        _ => Known::Unknown(UnknownReason::UnrecognizedState, "state not known".to_owned(), None),
    }
}

/// A new revision that failed to load while an old one goes on serving: worth a warning.
fn revision(model: &InferenceService) -> Known {
    if model.status.model_status.states.target_model_state == "FailedToLoad" {
        return Known::False("its new revision failed to load".to_owned());
    }
    Known::True
}

fn member(name: &str, state: Known) -> Judged {
    Judged {
        kind: "InferenceService",
        name: name.to_owned(),
        state,
    }
}

fn signals(view: &View, ready: &Observation) -> Vec<Signal> {
    let mut signals = Signals::default();
    for member in ready.failing.iter().take(MAX_MEMBERS) {
        signals.member(member);
        let model = view
            .inventory
            .inference_services
            .items
            .iter()
            .find(|model| model.metadata.name == member.name);
        for pod in model
            .into_iter()
            .flat_map(|model| predictor_pods(view, model))
            .filter(|pod| !pods::is_ready(pod))
        {
            signals.pod(view, pod);
        }
        signals.events(view, "InferenceService", &member.name);
    }
    signals.finish()
}

#[cfg(test)]
mod tests;
