//! CloudEvents 1.0 over HTTP: binary and structured mode, both ways.
//!
//! `cloudevents-sdk` is the model and the codec: everything read or written passes through its [`Event`]. Ours are the headers, the
//! guards in front of it, and [`CloudEvent`], the view the rest of StarGate works with (docs/decisions/0003).

mod headers;

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use cloudevents::event::{EventBuilderError, SpecVersion};
use cloudevents::message::{BinaryDeserializer, Error as SdkError};
use cloudevents::{AttributesReader as _, AttributesWriter as _, Data as SdkData, Event};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use reqwest::Url;
use serde_json::{Map, Value};

use headers::{BinaryMessage, HeaderWriter};

/// The content type of structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// One event, whoever sent it: the SDK's [`Event`] with public fields, always of version 1.0, with text for extensions in a fixed order
/// and with JSON data parsed. Made from an [`Event`] on the way in, turned back into one on the way out.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudEvent {
    /// Unique within `source`.
    pub id: String,
    /// Who says it; a URI reference.
    pub source: String,
    /// `type`, in reverse-DNS form.
    pub event_type: String,
    /// What it is about.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<DateTime<Utc>>,
    /// `datacontenttype`; `None` means JSON.
    pub content_type: Option<String>,
    /// `dataschema`.
    pub data_schema: Option<Url>,
    /// Everything else, as text: binary mode knows no other type.
    pub extensions: BTreeMap<String, String>,
    /// The payload.
    pub data: Data,
}

/// A payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// There is none.
    Empty,
    /// JSON, parsed.
    Json(Value),
    /// Anything else.
    Bytes(Bytes),
}

/// Why a request holds no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each says it")]
pub enum WireError {
    #[error("batches of events are not supported, send them one by one")]
    Batch,
    #[error("neither a ce-specversion header nor content type {STRUCTURED}")]
    NotAnEvent,
    #[error("specversion {0:?} is not supported, only 1.0")]
    Version(String),
    #[error("attribute {0} is missing or empty")]
    Missing(&'static str),
    #[error("attribute {0} appears twice")]
    Twice(String),
    #[error("attribute {name}: {detail}")]
    Attribute { name: String, detail: String },
    #[error("attribute name {0:?} is not made of the letters a-z and digits")]
    Name(String),
    #[error("the event is not a JSON object: {0}")]
    Json(String),
    #[error("the event is malformed: {0}")]
    Malformed(String),
}

impl CloudEvent {
    /// Reads an event in the mode that the headers say.
    ///
    /// # Errors
    /// What is missing or malformed, by name.
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, WireError> {
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if content_type.starts_with("application/cloudevents-batch") {
            Err(WireError::Batch)
        } else if content_type.starts_with(STRUCTURED) {
            read_structured(body)?.try_into()
        } else if headers.contains_key("ce-specversion") {
            BinaryMessage::new(headers, body)?.into_event()?.try_into()
        } else {
            Err(WireError::NotAnEvent)
        }
    }

    /// Whether the payload is JSON by its content type. None at all means JSON: a broker that turns a structured event into a
    /// binary one sends no Content-Type.
    #[must_use]
    pub fn is_json(&self) -> bool {
        is_json(self.content_type.as_deref())
    }

    /// What a broker checks before it takes an event.
    ///
    /// # Errors
    /// The first extension whose name breaks the rules. Reading is more tolerant than this, so that no dead letter is refused.
    pub fn check(&self) -> Result<(), WireError> {
        let legal = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        match self.extensions.keys().find(|name| !legal(name)) {
            Some(name) => Err(WireError::Name(name.clone())),
            None => Ok(()),
        }
    }

    /// Headers and body in binary mode: what a broker delivers.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the writer refuses nothing, and data is bytes or parsed JSON")]
    pub fn to_binary(&self) -> (HeaderMap, Bytes) {
        Event::from(self)
            .deserialize_binary(HeaderWriter::default())
            .expect("an event has headers")
    }

    /// The body in structured mode, as the JSON format has it.
    #[must_use]
    pub fn to_structured(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// The event as one JSON object.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an event is a map from text to text and parsed JSON")]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(Event::from(self)).expect("an event is JSON")
    }
}

impl TryFrom<Event> for CloudEvent {
    type Error = WireError;

    /// Refuses another version than 1.0, and required attributes that are empty.
    fn try_from(mut event: Event) -> Result<Self, WireError> {
        if event.specversion() != SpecVersion::V10 {
            return Err(WireError::Version(event.specversion().to_string()));
        }
        let required = |name, value: &str| {
            if value.is_empty() {
                Err(WireError::Missing(name))
            } else {
                Ok(value.to_owned())
            }
        };
        let (id, source, event_type) = (
            required("id", event.id())?,
            required("source", event.source())?,
            required("type", event.ty())?,
        );
        let (subject, time) = (event.subject().map(str::to_owned), event.time().copied());
        let extensions = event
            .iter_extensions()
            .map(|(name, value)| (name.to_owned(), value.to_string()))
            .collect();
        let (content_type, data_schema, data) = event.take_data();
        let data = match data {
            None => Data::Empty,
            Some(SdkData::Json(value)) => Data::Json(value),
            Some(SdkData::String(text)) => Data::Bytes(text.into()),
            // Data that is not the JSON it says is the handler's to refuse: the dead letter sink has to keep it.
            Some(SdkData::Binary(bytes)) if is_json(content_type.as_deref()) => {
                serde_json::from_slice(&bytes).map_or_else(|_| Data::Bytes(bytes.into()), Data::Json)
            }
            Some(SdkData::Binary(bytes)) => Data::Bytes(bytes.into()),
        };
        Ok(Self {
            id,
            source,
            event_type,
            subject,
            time,
            content_type,
            data_schema,
            extensions,
            data,
        })
    }
}

impl From<&CloudEvent> for Event {
    fn from(view: &CloudEvent) -> Self {
        // The SDK's builder can fail, its setters cannot. They replace all that the default makes up.
        let mut event = Self::default();
        event.set_id(&view.id);
        event.set_source(&view.source);
        event.set_type(&view.event_type);
        event.set_subject(view.subject.as_ref());
        event.set_time(view.time);
        event.set_datacontenttype(view.content_type.as_ref());
        event.set_dataschema(view.data_schema.clone());
        for (name, value) in &view.extensions {
            event.set_extension(name, value.as_str());
        }
        match &view.data {
            Data::Empty => {}
            Data::Json(value) => {
                event.set_data_unchecked(value.clone());
            }
            Data::Bytes(bytes) => {
                event.set_data_unchecked(bytes.to_vec());
            }
        }
        event
    }
}

impl From<SdkError> for WireError {
    fn from(error: SdkError) -> Self {
        // The SDK does not say which attribute it parsed; only one has each of these types.
        let attribute = |name: &str, detail: String| Self::Attribute { name: name.into(), detail };
        match error {
            SdkError::ParseTimeError { source } => attribute("time", source.to_string()),
            SdkError::ParseUrlError { source } => attribute("dataschema", source.to_string()),
            SdkError::EventBuilderError {
                source: EventBuilderError::MissingRequiredAttribute { attribute_name },
            } => Self::Missing(attribute_name),
            other => Self::Malformed(other.to_string()),
        }
    }
}

/// Reads the JSON format with the SDK, after the checks whose failures it would not name.
fn read_structured(body: &[u8]) -> Result<Event, WireError> {
    let mut members: Map<String, Value> = serde_json::from_slice(body).map_err(|error| WireError::Json(error.to_string()))?;
    members.retain(|name, value| !(value.is_null() || (value == "" && is_attribute(name))));
    for (name, value) in &members {
        if let Some(detail) = fault(name, value) {
            return Err(WireError::Attribute {
                name: name.clone(),
                detail,
            });
        }
    }
    if let Some(name) = ["specversion", "id", "source", "type"]
        .into_iter()
        .find(|name| !members.contains_key(*name))
    {
        return Err(WireError::Missing(name));
    }
    check_version(members.get("specversion").and_then(Value::as_str).unwrap_or_default())?;
    serde_json::from_value(Value::Object(members)).map_err(|error| WireError::Malformed(error.to_string()))
}

/// What is wrong with the value of one attribute in the JSON format.
fn fault(name: &str, value: &Value) -> Option<String> {
    match (name, value) {
        ("data" | "data_base64", _) => None,
        ("time", Value::String(text)) => DateTime::parse_from_rfc3339(text).err().map(|error| error.to_string()),
        ("dataschema", Value::String(text)) => Url::parse(text).err().map(|error| error.to_string()),
        (_, Value::String(_)) => None,
        _ if is_attribute(name) => Some("must be text".into()),
        (_, Value::Bool(_)) => None,
        (_, Value::Number(number)) if number.is_i64() => None,
        _ => Some("must be text, a whole number or a boolean".into()),
    }
}

fn is_attribute(name: &str) -> bool {
    SpecVersion::V10.attribute_names().contains(&name)
}

/// The SDK would also take 0.3, which is another format.
fn check_version(version: &str) -> Result<(), WireError> {
    if version == "1.0" {
        Ok(())
    } else {
        Err(WireError::Version(version.to_owned()))
    }
}

fn is_json(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else { return true };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

#[cfg(test)]
mod tests;
