//! Binary mode: attributes in headers, for the SDK to read and write through its message traits.
//!
//! The SDK's own reader and writer for HTTP leave values as they are; the binding wants them percent-encoded.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::SecondsFormat;
use cloudevents::event::SpecVersion;
use cloudevents::message::{BinaryDeserializer, BinarySerializer, MessageAttributeValue, Result};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{WireError, check_version, is_attribute};

/// What the HTTP binding wants encoded in header values, besides everything that is not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// A request in binary mode: its decoded attributes, each there once, and its body.
#[derive(Debug)]
pub(super) struct BinaryMessage {
    attributes: BTreeMap<String, String>,
    body: Bytes,
}

impl BinaryMessage {
    /// Decodes the headers that are attributes.
    pub(super) fn new(headers: &HeaderMap, body: &Bytes) -> std::result::Result<Self, WireError> {
        let mut attributes = BTreeMap::new();
        for (header, value) in headers {
            let Some(name) = header.as_str().strip_prefix("ce-") else {
                continue;
            };
            if attributes.insert(name.to_owned(), decode(name, value)?).is_some() {
                return Err(WireError::Twice(name.to_owned()));
            }
        }
        if let Some(value) = headers.get(CONTENT_TYPE) {
            attributes.insert("datacontenttype".into(), decode("datacontenttype", value)?);
        }
        check_version(&attributes.remove("specversion").unwrap_or_default())?;
        // An attribute that is empty is not set; the SDK then misses the required ones.
        attributes.retain(|name, value| !(value.is_empty() && is_attribute(name)));
        Ok(Self {
            attributes,
            body: body.clone(),
        })
    }
}

impl BinaryDeserializer for BinaryMessage {
    fn deserialize_binary<R: Sized, V: BinarySerializer<R>>(self, visitor: V) -> Result<R> {
        let mut visitor = visitor.set_spec_version(SpecVersion::V10)?;
        for (name, value) in self.attributes {
            let value = MessageAttributeValue::String(value);
            visitor = if is_attribute(&name) {
                visitor.set_attribute(&name, value)?
            } else {
                visitor.set_extension(&name, value)?
            };
        }
        if self.body.is_empty() {
            visitor.end()
        } else {
            visitor.end_with_data(self.body.into())
        }
    }
}

/// Writes an event as headers and body. Refuses nothing.
#[derive(Debug, Default)]
pub(super) struct HeaderWriter(HeaderMap);

impl HeaderWriter {
    fn set(mut self, name: &str, value: &str) -> Self {
        let header = match name {
            "datacontenttype" => Ok(CONTENT_TYPE),
            name => HeaderName::try_from(format!("ce-{name}")),
        };
        // An extension that is no header name came in structured mode past a sender that does not check; it has no place here.
        if let (Ok(header), Ok(value)) = (header, HeaderValue::try_from(utf8_percent_encode(value, ENCODED).to_string())) {
            self.0.insert(header, value);
        }
        self
    }
}

impl BinarySerializer<(HeaderMap, Bytes)> for HeaderWriter {
    fn set_spec_version(self, version: SpecVersion) -> Result<Self> {
        Ok(self.set("specversion", version.as_str()))
    }

    fn set_attribute(self, name: &str, value: MessageAttributeValue) -> Result<Self> {
        let text = match value {
            MessageAttributeValue::DateTime(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            other => other.to_string(),
        };
        Ok(self.set(name, &text))
    }

    fn set_extension(self, name: &str, value: MessageAttributeValue) -> Result<Self> {
        self.set_attribute(name, value)
    }

    fn end_with_data(self, bytes: Vec<u8>) -> Result<(HeaderMap, Bytes)> {
        Ok((self.0, bytes.into()))
    }

    fn end(self) -> Result<(HeaderMap, Bytes)> {
        Ok((self.0, Bytes::new()))
    }
}

fn decode(name: &str, value: &HeaderValue) -> std::result::Result<String, WireError> {
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
