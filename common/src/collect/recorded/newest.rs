//! The newest moment that objects speak of: a recording's own clock.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Fields that say when something happened. Not among them: what is planned or expires (certificates, deletion with
/// grace, schedules), which may lie in the future.
const MOMENTS: [&str; 22] = [
    "acquireTime",
    "completionTime",
    "creationTimestamp",
    "deprecatedFirstTimestamp",
    "deprecatedLastTimestamp",
    "eventTime",
    "finishedAt",
    "firstTimestamp",
    "lastHeartbeatTime",
    "lastObservedTime",
    "lastProbeTime",
    "lastScheduleTime",
    "lastSuccessfulTime",
    "lastTimestamp",
    "lastTransitionTime",
    "lastUpdateTime",
    "phaseTransitionTimestamp",
    "renewTime",
    "startTime",
    "startedAt",
    "time",
    "timestamp",
];

/// Parts of an object that hold other people's text.
const FOREIGN: [&str; 5] = ["annotations", "labels", "fieldsV1", "data", "stringData"];

/// The newest moment in an object, whatever its kind; `None` if it speaks of none.
pub(super) fn newest<'de, D: Deserializer<'de>>(object: D) -> Option<DateTime<Utc>> {
    let mut newest = None;
    let walk = Walk {
        newest: &mut newest,
        moment: false,
    };
    // An object that breaks off has been told about already; its moments up to there still count.
    let _ = walk.deserialize(object);
    newest
}

struct Walk<'a> {
    newest: &'a mut Option<DateTime<Utc>>,
    moment: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.moment
            && let Ok(at) = DateTime::parse_from_rfc3339(text)
        {
            *self.newest = (*self.newest).max(Some(at.to_utc()));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key {
                Key::Foreign => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Moment | Key::Other => map.next_value_seed(Walk {
                    newest: self.newest,
                    moment: matches!(key, Key::Moment),
                })?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(()) = seq.next_element_seed(Walk {
            newest: self.newest,
            moment: false,
        })? {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

enum Key {
    Moment,
    Foreign,
    Other,
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(if MOMENTS.contains(&key) {
            Key::Moment
        } else if FOREIGN.contains(&key) {
            Key::Foreign
        } else {
            Key::Other
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_moment_counts_wherever_it_is_and_plans_do_not() {
        let object = json!({
            "metadata": {"creationTimestamp": "2026-03-01T08:00:00Z", "deletionTimestamp": "2030-01-01T00:00:00Z",
                         "annotations": {"time": "2031-01-01T00:00:00Z"},
                         "managedFields": [{"time": "2026-03-02T08:00:00+02:00"}]},
            "spec": {"notAfter": "2029-01-01T00:00:00Z"},
            "status": {"conditions": [{"lastTransitionTime": "2026-03-01T09:00:00Z", "lastHeartbeatTime": null}], "replicas": 3}
        });
        let expected = DateTime::parse_from_rfc3339("2026-03-02T06:00:00Z").unwrap().to_utc();
        assert_eq!(newest(&object), Some(expected));
        assert_eq!(newest(&mut serde_json::Deserializer::from_str(&object.to_string())), Some(expected));
        assert_eq!(newest(json!({"kind": "Pod"})), None);
    }
}
