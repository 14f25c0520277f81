//! Keeps what no function could handle.
//!
//! In: any event, from the broker, after the last retry. Writes: `dead_letters`. Emits: nothing.
//!
//! The broker forgets the event when this function fails, so it does one INSERT and accepts whatever can be kept: unknown types,
//! data that is not JSON, text that PostgreSQL would refuse.

pub mod replay;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use stargate_common::boot::{Accepts, Context, Function};
use stargate_common::db::dead_letters::{self, DeadLetter};
use stargate_common::events::EventType;
use stargate_common::events::wire::CloudEvent;
use stargate_common::failure::Failure;
use stargate_common::settings::NoSettings;
use uuid::Uuid;

/// What brokers add to a dead letter; taken off before it is kept, because the event is sent again without them.
const ADDED: [&str; 5] = [
    "knativeerrordest",
    "knativeerrorcode",
    "knativeerrordata",
    "knativebrokerttl",
    "knativearrivaltime",
];

/// The function.
#[derive(Debug)]
pub struct Deadletter;

impl Function for Deadletter {
    const NAME: &'static str = "deadletter";
    const ACCEPTS: Accepts = Accepts::Anything;
    const EMITS: &'static [EventType] = &[];
    type Settings = NoSettings;

    async fn start(_: &Context<NoSettings>) -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn handle(&self, context: &Context<NoSettings>, event: &CloudEvent) -> Result<(), Failure> {
        let letter = letter(event.clone(), context.clock.now());
        // PostgreSQL refuses a letter only for what `keepable` has not thought of; that is worth every retry there is.
        dead_letters::keep(&context.db, &letter)
            .await
            .map_err(|error| Failure::retry("keeping the event", error))?;
        metrics::counter!("stargate_dead_letters_total").increment(1);
        tracing::error!(
            event.id = letter.event_id,
            event.r#type = letter.event_type,
            consumer = letter.consumer,
            error.code = letter.error_code,
            "{} could not handle event {} of type {}; `stargate deadletters` shows it",
            letter.consumer,
            letter.event_id,
            letter.event_type
        );
        Ok(())
    }
}

fn letter(mut event: CloudEvent, now: chrono::DateTime<chrono::Utc>) -> DeadLetter {
    let mut added: BTreeMap<&str, String> = BTreeMap::new();
    for name in ADDED {
        if let Some(value) = event.extensions.remove(name) {
            added.insert(name, keepable(&value));
        }
    }
    let consumer = added
        .get("knativeerrordest")
        .map_or_else(|| "unknown".to_owned(), |destination| consumer(destination));
    let error = added.get("knativeerrordata").map(|data| match STANDARD.decode(data) {
        Ok(bytes) => keepable(String::from_utf8_lossy(&bytes).trim()),
        Err(_) => data.clone(),
    });
    let (event_source, event_id) = (keepable(&event.source), keepable(&event.id));
    let key = [consumer.as_str(), &event_source, &event_id].join("\n");
    DeadLetter {
        dead_letter_id: Uuid::new_v5(&Uuid::NAMESPACE_URL, key.as_bytes()),
        event_type: keepable(&event.event_type),
        payload: keepable_json(event.to_json()),
        error_code: added.get("knativeerrorcode").and_then(|code| code.parse().ok()),
        error,
        received_at: now,
        replayed_at: None,
        consumer,
        event_source,
        event_id,
    }
}

/// The service behind an address: `http://evaluate.stargate.svc.cluster.local/` is `evaluate`.
fn consumer(destination: &str) -> String {
    let host = destination.split_once("://").map_or(destination, |(_, rest)| rest);
    let host = host.split(['/', ':', '?']).next().unwrap_or_default();
    let name = if host.parse::<std::net::IpAddr>().is_ok() {
        host
    } else {
        host.split('.').next().unwrap_or_default()
    };
    if name.is_empty() { "unknown".into() } else { name.to_owned() }
}

/// PostgreSQL keeps every character but NUL.
fn keepable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

fn keepable_json(value: Value) -> Value {
    match value {
        Value::String(text) => keepable(&text).into(),
        Value::Array(items) => items.into_iter().map(keepable_json).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (keepable(&name), keepable_json(value)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    fn event(more: &Value) -> CloudEvent {
        let mut members = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}});
        for (name, value) in more.as_object().expect("an object") {
            members[name] = value.clone();
        }
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, "application/cloudevents+json".parse().expect("legal"))]);
        CloudEvent::read(&headers, &members.to_string().into()).expect("an event")
    }

    #[test]
    fn what_the_broker_added_becomes_columns() {
        let added = json!({"knativeerrordest": "http://evaluate.stargate.svc.cluster.local/", "knativeerrorcode": "422",
            "knativeerrordata": STANDARD.encode("no such scan\n"), "sgcluster": "demo-1"});
        let letter = letter(event(&added), DateTime::UNIX_EPOCH);
        assert_eq!(
            (letter.consumer.as_str(), letter.error_code, letter.error.as_deref()),
            ("evaluate", Some(422), Some("no such scan"))
        );
        assert_eq!(
            letter.payload,
            json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "sgcluster": "demo-1", "data": {"a": 1}})
        );
    }

    #[test]
    fn a_letter_without_a_reason_is_kept_too() {
        let letter = letter(event(&json!({"knativeerrordata": "not base64!"})), DateTime::UNIX_EPOCH);
        assert_eq!(
            (letter.consumer.as_str(), letter.error_code, letter.error.as_deref()),
            ("unknown", None, Some("not base64!"))
        );
    }

    #[test]
    fn text_that_postgresql_refuses_is_made_keepable() {
        let letter = letter(
            event(&json!({"id": "a\u{0}b", "data": {"k\u{0}": ["\u{0}"]}})),
            DateTime::UNIX_EPOCH,
        );
        assert_eq!(letter.event_id, "a\u{FFFD}b");
        assert!(!letter.payload.to_string().contains("\\u0000"), "{}", letter.payload);
    }

    #[test]
    fn consumers_are_named_by_their_host() {
        assert_eq!(consumer("http://evaluate.stargate.svc.cluster.local"), "evaluate");
        assert_eq!(consumer("http://10.0.0.7:8080/x"), "10.0.0.7");
        assert_eq!(consumer("local://evaluate"), "evaluate");
        assert_eq!(consumer(""), "unknown");
    }
}
