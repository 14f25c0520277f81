//! Sending dead letters again: back into the outbox, from where the relay takes them to the broker.
//!
//! Every subscriber gets the event once more, with its old id and source; those that had handled it find it in their inbox. The mark and
//! the outbox row are one transaction, so a letter is never marked without being sent, and one that fails again is open again.

use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use sqlx::PgPool;
use stargate_common::db::DbError;
use stargate_common::db::dead_letters::{self, DeadLetter};
use stargate_common::db::outbox::{self, Outgoing};
use stargate_common::events::wire::{CloudEvent, Data, STRUCTURED};
use uuid::Uuid;

/// Why a letter was not sent again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Nothing to send.
    #[error("there is no open dead letter {0}: it was sent again already, or never existed")]
    NotOpen(Uuid),
    /// Not an event of ours.
    #[error("dead letter {id} cannot be sent again: {detail}")]
    NotOurs {
        /// Which letter.
        id: Uuid,
        /// What is wrong with it.
        detail: String,
    },
    /// The database is away.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The transaction did not begin or commit.
    #[error("sending a dead letter again")]
    Transaction(#[from] sqlx::Error),
}

/// Puts one letter back into the outbox.
///
/// # Errors
/// When it is not open, not an event that StarGate could have sent, or the database is away; then it stays open.
pub async fn replay(db: &PgPool, dead_letter_id: Uuid, now: DateTime<Utc>) -> Result<DeadLetter, ReplayError> {
    let mut transaction = db.begin().await?;
    let letter = dead_letters::take_for_replay(&mut transaction, dead_letter_id, now)
        .await?
        .ok_or(ReplayError::NotOpen(dead_letter_id))?;
    let event = outgoing(&letter, now).map_err(|detail| ReplayError::NotOurs {
        id: dead_letter_id,
        detail,
    })?;
    outbox::append(&mut transaction, &[event], now).await?;
    transaction.commit().await?;
    Ok(letter)
}

fn outgoing(letter: &DeadLetter, now: DateTime<Utc>) -> Result<Outgoing, String> {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(STRUCTURED))]);
    let mut event = CloudEvent::read(&headers, &letter.payload.to_string().into()).map_err(|error| error.to_string())?;
    let data = match event.data {
        Data::Json(value) => value,
        Data::Empty => serde_json::Value::Null,
        Data::Bytes(_) => return Err("its data is not JSON".into()),
    };
    Ok(Outgoing {
        event_id: event.id.parse().map_err(|_| format!("its id {:?} is not a UUID", event.id))?,
        kind: event.event_type,
        source: event.source,
        subject: event.subject.unwrap_or_default(),
        time: event.time.unwrap_or(now),
        partition_key: event.extensions.remove("partitionkey").unwrap_or_default(),
        extensions: event.extensions,
        data,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn letter(payload: serde_json::Value) -> DeadLetter {
        DeadLetter {
            dead_letter_id: Uuid::nil(),
            consumer: "evaluate".into(),
            event_source: String::new(),
            event_id: String::new(),
            event_type: String::new(),
            payload,
            error_code: None,
            error: None,
            received_at: DateTime::UNIX_EPOCH,
            replayed_at: None,
        }
    }

    #[test]
    fn the_event_is_what_it_was() {
        let payload = json!({"specversion": "1.0", "id": Uuid::from_u128(7).to_string(), "source": "/stargate/scan", "type": "t", "subject": "demo-1",
            "time": "2026-11-23T10:00:00Z", "datacontenttype": "application/json", "partitionkey": "demo-1", "sgcluster": "demo-1", "data": {"a": 1}});
        let event = outgoing(&letter(payload.clone()), DateTime::UNIX_EPOCH).expect("ours");
        assert_eq!(CloudEvent::from(&event).to_json(), payload);
    }

    #[test]
    fn what_is_not_ours_says_why() {
        let payload = json!({"specversion": "1.0", "id": "7", "source": "/s", "type": "t"});
        assert_eq!(
            outgoing(&letter(payload), DateTime::UNIX_EPOCH).expect_err("no UUID"),
            "its id \"7\" is not a UUID"
        );
    }
}
