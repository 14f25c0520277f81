//! What a controller answers, as far as it is read. Everything may be missing; variables, results and output of jobs hold secrets, so
//! nothing is kept that is not named here. Source: rhdp-contracts 5.1 to 5.3.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// A job, of a list or alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawJob {
    pub(super) id: Option<i64>,
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    pub(super) created: Option<DateTime<Utc>>,
    pub(super) started: Option<DateTime<Utc>>,
    pub(super) finished: Option<DateTime<Utc>>,
    pub(super) elapsed: Option<f64>,
    pub(super) job_explanation: Option<String>,
    pub(super) scm_revision: Option<String>,
    pub(super) execution_node: Option<String>,
    pub(super) playbook: Option<String>,
    /// Alone only.
    pub(super) result_traceback: Option<String>,
    /// Alone only: false while events are still being stored.
    pub(super) event_processing_finished: Option<bool>,
}

/// An event of a job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawEvent {
    pub(super) event: Option<String>,
    pub(super) failed: Option<bool>,
    pub(super) counter: Option<i64>,
    pub(super) host_name: Option<String>,
    pub(super) task: Option<String>,
    pub(super) role: Option<String>,
    pub(super) stdout: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) event_data: Option<RawEventData>,
}

/// What Ansible itself said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawEventData {
    #[serde(deserialize_with = "lenient")]
    pub(super) task_action: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) ignore_errors: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub(super) res: Option<RawResult>,
    /// Of the statistics at the end: hosts with failures that nothing rescued, and how many.
    #[serde(deserialize_with = "lenient")]
    pub(super) failures: Option<BTreeMap<String, i64>>,
    /// Of the statistics at the end: hosts that could not be reached.
    #[serde(deserialize_with = "lenient")]
    pub(super) dark: Option<BTreeMap<String, i64>>,
}

/// Result of a module, or of one item of a loop.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawResult {
    pub(super) msg: Text,
    pub(super) stderr: Text,
    pub(super) module_stderr: Text,
    pub(super) stdout: Text,
    #[serde(deserialize_with = "lenient")]
    pub(super) failed: Option<bool>,
    /// Present when `no_log` hid the result.
    pub(super) censored: Option<IgnoredAny>,
    #[serde(deserialize_with = "lenient")]
    pub(super) results: Option<Vec<RawResult>>,
}

/// A text; a list of texts counts as its lines. Of anything else nothing is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Shape {
            Text(String),
            Lines(Vec<String>),
            Other(IgnoredAny),
        }
        Ok(Self(match Shape::deserialize(from)? {
            Shape::Text(text) => text,
            Shape::Lines(lines) => lines.join("\n"),
            Shape::Other(IgnoredAny) => String::new(),
        }))
    }
}

/// A value of another shape than expected is none: modules may put anything anywhere.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, bound = "T: DeserializeOwned")]
    enum Shape<T> {
        Expected(T),
        Other(IgnoredAny),
    }
    Ok(match Shape::deserialize(from)? {
        Shape::Expected(value) => Some(value),
        Shape::Other(IgnoredAny) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_may_have_any_shape() {
        let odd = r#"{"event": "runner_on_failed", "counter": 7, "event_data": {"task_action": ["x"], "ignore_errors": null,
            "res": {"msg": ["a", "b"], "stderr": {"k": "v"}, "stdout": null, "censored": "hidden", "results": "none"}, "dark": []}}"#;
        let event: RawEvent = serde_json::from_str(odd).unwrap();
        let data = event.event_data.unwrap();
        assert_eq!(
            (data.task_action.is_none(), data.ignore_errors, data.dark.is_none()),
            (true, None, true)
        );
        let result = data.res.unwrap();
        assert_eq!(
            (result.msg.0.as_str(), result.stderr.0.as_str(), result.stdout.0.as_str()),
            ("a\nb", "", "")
        );
        assert!(result.censored.is_some() && result.results.is_none());
        let bare: RawEvent = serde_json::from_str(r#"{"event_data": "text"}"#).unwrap();
        assert!(bare.event_data.is_none());
        let result: RawEvent = serde_json::from_str(r#"{"event_data": {"res": "no object"}}"#).unwrap();
        assert!(result.event_data.unwrap().res.is_none());
    }
}
