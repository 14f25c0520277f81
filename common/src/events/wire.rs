//! CloudEvents 1.0 over HTTP: binary and structured mode, both ways.
//!
//! The official SDK is not used: it reads a body without limit, leaves percent-encoded headers as they are, and takes a binary event
//! without Content-Type for bytes where Knative means JSON (docs/decisions/0002).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

/// The content type of structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// What the HTTP binding wants encoded in header values, besides everything that is not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// One event, whoever sent it.
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
    pub data_schema: Option<String>,
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
    #[error("data_base64 is not base64: {0}")]
    Base64(String),
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
            Self::read_structured(body)
        } else if headers.contains_key("ce-specversion") {
            Self::read_binary(headers, body)
        } else {
            Err(WireError::NotAnEvent)
        }
    }

    fn read_binary(headers: &HeaderMap, body: &Bytes) -> Result<Self, WireError> {
        let mut attributes = BTreeMap::new();
        for (header, value) in headers {
            let Some(name) = header.as_str().strip_prefix("ce-") else {
                continue;
            };
            if attributes.insert(name.to_owned(), decode_header(name, value)?).is_some() {
                return Err(WireError::Twice(name.to_owned()));
            }
        }
        if let Some(value) = headers.get(CONTENT_TYPE) {
            attributes.insert("datacontenttype".into(), decode_header("datacontenttype", value)?);
        }
        let mut event = Self::from_attributes(attributes)?;
        event.data = match (body.is_empty(), event.is_json()) {
            (true, _) => Data::Empty,
            // Data that is not the JSON it says is the handler's to refuse: the dead letter sink has to keep it.
            (false, true) => serde_json::from_slice(body).map_or_else(|_| Data::Bytes(body.clone()), Data::Json),
            (false, false) => Data::Bytes(body.clone()),
        };
        Ok(event)
    }

    fn read_structured(body: &[u8]) -> Result<Self, WireError> {
        let mut members: Map<String, Value> = serde_json::from_slice(body).map_err(|error| WireError::Json(error.to_string()))?;
        let data = members.remove("data");
        let encoded = members.remove("data_base64");
        let mut attributes = BTreeMap::new();
        for (name, value) in members {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Bool(flag) => flag.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(WireError::Attribute {
                        name,
                        detail: "must be text, a number or a boolean".into(),
                    });
                }
            };
            attributes.insert(name, text);
        }
        let mut event = Self::from_attributes(attributes)?;
        event.data = match (data, encoded) {
            (Some(_), Some(_)) => return Err(WireError::Twice("data".into())),
            (None | Some(Value::Null), None) => Data::Empty,
            (Some(Value::String(text)), None) if !event.is_json() => Data::Bytes(text.into()),
            (Some(value), None) => Data::Json(value),
            (None, Some(encoded)) => {
                let encoded = encoded.as_str().ok_or_else(|| WireError::Base64("not a string".into()))?;
                let bytes = STANDARD.decode(encoded).map_err(|error| WireError::Base64(error.to_string()))?;
                match event.content_type {
                    Some(_) if event.is_json() => serde_json::from_slice(&bytes).map_or_else(|_| Data::Bytes(bytes.into()), Data::Json),
                    _ => Data::Bytes(bytes.into()),
                }
            }
        };
        Ok(event)
    }

    fn from_attributes(mut attributes: BTreeMap<String, String>) -> Result<Self, WireError> {
        let mut required = |name| {
            attributes
                .remove(name)
                .filter(|value| !value.is_empty())
                .ok_or(WireError::Missing(name))
        };
        let version = required("specversion")?;
        if version != "1.0" {
            return Err(WireError::Version(version));
        }
        let (id, source, event_type) = (required("id")?, required("source")?, required("type")?);
        let mut optional = |name| attributes.remove(name).filter(|value| !value.is_empty());
        let time = optional("time")
            .map(|text| DateTime::parse_from_rfc3339(&text).map(|time| time.to_utc()))
            .transpose()
            .map_err(|error| WireError::Attribute {
                name: "time".into(),
                detail: error.to_string(),
            })?;
        Ok(Self {
            id,
            source,
            event_type,
            subject: optional("subject"),
            time,
            content_type: optional("datacontenttype"),
            data_schema: optional("dataschema"),
            extensions: attributes,
            data: Data::Empty,
        })
    }

    /// Whether the payload is JSON by its content type. None at all means JSON: a broker that turns a structured event into a
    /// binary one sends no Content-Type.
    #[must_use]
    pub fn is_json(&self) -> bool {
        let Some(content_type) = &self.content_type else { return true };
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence.ends_with("/json") || essence.ends_with("+json")
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
    pub fn to_binary(&self) -> (HeaderMap, Bytes) {
        let mut headers = HeaderMap::new();
        for (name, value) in self.attributes() {
            let header = match name.as_str() {
                "datacontenttype" => Ok(CONTENT_TYPE),
                name => HeaderName::try_from(format!("ce-{name}")),
            };
            // An extension that is no header name came in structured mode past a sender that does not check; it has no place here.
            if let (Ok(header), Ok(value)) = (header, HeaderValue::try_from(utf8_percent_encode(&value, ENCODED).to_string())) {
                headers.insert(header, value);
            }
        }
        let body = match &self.data {
            Data::Empty => Bytes::new(),
            Data::Json(value) => value.to_string().into(),
            Data::Bytes(bytes) => bytes.clone(),
        };
        (headers, body)
    }

    /// The body in structured mode, as the JSON format has it.
    #[must_use]
    pub fn to_structured(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// The event as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members: Map<String, Value> = self.attributes().map(|(name, value)| (name, Value::String(value))).collect();
        match &self.data {
            Data::Empty => {}
            Data::Json(value) => {
                members.insert("data".into(), value.clone());
            }
            Data::Bytes(bytes) => {
                members.insert("data_base64".into(), STANDARD.encode(bytes).into());
            }
        }
        Value::Object(members)
    }

    fn attributes(&self) -> impl Iterator<Item = (String, String)> {
        let own = [
            ("specversion", Some("1.0".to_owned())),
            ("id", Some(self.id.clone())),
            ("source", Some(self.source.clone())),
            ("type", Some(self.event_type.clone())),
            ("subject", self.subject.clone()),
            ("time", self.time.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))),
            ("datacontenttype", self.content_type.clone()),
            ("dataschema", self.data_schema.clone()),
        ];
        let extensions = self.extensions.iter().map(|(name, value)| (name.clone(), value.clone()));
        own.into_iter()
            .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)))
            .chain(extensions)
    }
}

fn decode_header(name: &str, value: &HeaderValue) -> Result<String, WireError> {
    let fail = |detail: &str| WireError::Attribute {
        name: name.to_owned(),
        detail: detail.to_owned(),
    };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| fail("is not UTF-8"))?;
    let decoded = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| fail("is not UTF-8 after percent-decoding"))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests;
