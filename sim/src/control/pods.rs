//! The kubelet: pods start, crash and are restarted, end, and go away.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::Step;
use crate::{
    cluster::State,
    kinds::Kind,
    objects::{
        Report, Site, is_leaving, number,
        pod::{self, PodState},
        text,
    },
};

/// How long events are kept.
const EVENTS_KEPT: TimeDelta = TimeDelta::hours(3);
/// Pause between two attempts of a container that crashes again and again.
const BACKOFF: TimeDelta = TimeDelta::minutes(5);

/// Sets the timers of pods that are new or leaving.
pub(crate) fn reconcile(state: &mut State, pods: &[Value], now: DateTime<Utc>) {
    for pod in pods {
        if is_leaving(pod) {
            state.later(pod, Step::PodGone, now + TimeDelta::seconds(3));
        } else if text(pod, "/status/phase").is_empty() {
            let mut pod = pod.clone();
            let created = now;
            pod::set_state(&mut pod, &PodState::Creating, created, &mut state.draw);
            let takes = 5 + i64::try_from(state.draw.seed.below(12)).unwrap_or(0);
            report(
                state,
                &pod,
                created,
                "Normal",
                "Scheduled",
                "Successfully assigned the pod to its node",
                "default-scheduler",
            );
            state.later(&pod, Step::PodStarted, created + TimeDelta::seconds(takes));
            state.store.put(Kind::Pod, pod, now);
        }
    }
}

/// Writes an event about an object.
pub(crate) fn report(state: &mut State, about: &Value, at: DateTime<Utc>, sort: &str, reason: &str, message: &str, from: &str) {
    report_since(
        state,
        about,
        at,
        at,
        Report {
            sort,
            reason,
            message,
            from,
            count: 1,
        },
    );
}

/// Writes an event that was seen again and again.
pub(crate) fn report_since(state: &mut State, about: &Value, first: DateTime<Utc>, last: DateTime<Utc>, report: Report<'_>) {
    let namespace = text(about, "/metadata/namespace").to_owned();
    let event = Site {
        draw: &mut state.draw,
        namespace: &namespace,
        at: last,
    }
    .event(about, first, report);
    state.later(&event, Step::EventForgotten, last + EVENTS_KEPT);
    state.store.put_quietly(Kind::Event, event, last);
}

/// Takes a step in the life of a pod.
pub(crate) fn step(state: &mut State, mut pod: Value, step: Step, at: DateTime<Utc>) {
    let namespace = text(&pod, "/metadata/namespace").to_owned();
    let of_job = text(&pod, "/spec/restartPolicy") == "Never";
    let affliction = affliction(state, &namespace, &pod);
    let restarts =
        number(&pod, "/status/containerStatuses/0/restartCount", 0).max(number(&pod, "/status/initContainerStatuses/0/restartCount", 0));
    let (next, again) = match (step, affliction) {
        (Step::PodEnded, _) => (PodState::Succeeded, None),
        (
            _,
            Some(PodState::CrashLoop {
                container,
                exit_code,
                reason,
                ..
            }),
        ) => {
            let message = format!(
                "Back-off restarting failed container {container} in pod {}",
                text(&pod, "/metadata/name")
            );
            report(state, &pod, at, "Warning", "BackOff", &message, "kubelet");
            (
                PodState::CrashLoop {
                    container,
                    restarts: restarts + 1,
                    exit_code,
                    reason,
                },
                Some((Step::PodRestarted, at + BACKOFF)),
            )
        }
        (_, Some(other)) => (other, None),
        (_, None) => (PodState::Ready, of_job.then(|| (Step::PodEnded, at + TimeDelta::seconds(25)))),
    };
    pod::set_state(&mut pod, &next, at, &mut state.draw);
    if let Some((step, at)) = again {
        state.later(&pod, step, at);
    }
    state.store.put(Kind::Pod, pod, at);
}

/// What a pod that starts now suffers from.
fn affliction(state: &mut State, namespace: &str, pod: &Value) -> Option<PodState> {
    let key = (namespace.to_owned(), text(pod, "/metadata/labels/app").to_owned());
    let affliction = state.control.afflictions.get(&key)?;
    let created: DateTime<Utc> = text(pod, "/metadata/creationTimestamp").parse().unwrap_or(affliction.since);
    if affliction.cured_by_restart && created > affliction.since {
        state.control.afflictions.remove(&key);
        return None;
    }
    Some(affliction.state.clone())
}
