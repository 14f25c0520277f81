//! Objects that differ in a few values share one template: literal JSON with slots, filled when an object is read.
//!
//! A prototype object is written with [`Slot`] marks inside its strings (private-use characters, which no real object
//! has). [`Template::compile`] serializes it once and cuts it at the marks; rendering copies the pieces and computes the
//! values from the [`Stamp`] of the namespace that the object belongs to.

use std::{io::Write as _, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::{clock::stamp, kinds::Kind, object::Probe, seed::Seed};

/// A value that differs between objects made from the same template. The number tells apart several of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Name of the namespace.
    Namespace,
    /// Guid of the lab.
    Guid,
    /// Uuid of the lab's service.
    ServiceUuid,
    /// Uid of an object.
    Uid(u16),
    /// Five random letters, as at the end of a pod's name.
    Suffix(u16),
    /// Ten letters, as a replica set's template hash.
    Hash(u16),
    /// Address in the pod network.
    Address(u16),
    /// Name of one of the cluster's worker nodes.
    Node(u16),
    /// Time of creation of the namespace plus as many seconds.
    After(u16),
    /// The object's resource version.
    Version,
    /// The present, half a minute coarse: when a usage sample was taken.
    Sampled,
}

/// Starts a mark; one character for the sort and one for the number follow.
const MARK: char = '\u{e000}';
/// First of the characters that stand for numbers, outside of the private use area of the mark: plane 15.
const NUMBERS: u32 = 0xf_0000;

impl Slot {
    /// The mark to write into a string of a prototype.
    pub(crate) fn mark(self) -> String {
        let (sort, number) = match self {
            Self::Namespace => ('a', 0),
            Self::Guid => ('b', 0),
            Self::ServiceUuid => ('c', 0),
            Self::Uid(number) => ('d', number),
            Self::Suffix(number) => ('e', number),
            Self::Hash(number) => ('f', number),
            Self::Address(number) => ('g', number),
            Self::Node(number) => ('h', number),
            Self::After(number) => ('i', number),
            Self::Version => ('j', 0),
            Self::Sampled => ('k', 0),
        };
        let number = char::from_u32(NUMBERS + u32::from(number)).unwrap_or(MARK);
        [MARK, sort, number].iter().collect()
    }

    fn read(sort: char, number: char) -> Option<Self> {
        let number = u16::try_from(u32::from(number).checked_sub(NUMBERS)?).ok()?;
        Some(match sort {
            'a' => Self::Namespace,
            'b' => Self::Guid,
            'c' => Self::ServiceUuid,
            'd' => Self::Uid(number),
            'e' => Self::Suffix(number),
            'f' => Self::Hash(number),
            'g' => Self::Address(number),
            'h' => Self::Node(number),
            'i' => Self::After(number),
            'j' => Self::Version,
            'k' => Self::Sampled,
            _ => return None,
        })
    }
}

/// What fills the slots of all objects of one namespace.
#[derive(Debug)]
pub(crate) struct Stamp {
    pub(crate) namespace: Box<str>,
    pub(crate) guid: Box<str>,
    pub(crate) service_uuid: Box<str>,
    pub(crate) seed: Seed,
    pub(crate) created: DateTime<Utc>,
    /// Names of the nodes that pods run on.
    pub(crate) nodes: Arc<[String]>,
}

impl Stamp {
    fn write(&self, out: &mut Vec<u8>, slot: Slot) {
        let drawn = |sort: u64, number: u16| self.seed.for_index(sort << 16 | u64::from(number));
        match slot {
            Slot::Namespace => out.extend_from_slice(self.namespace.as_bytes()),
            Slot::Guid => out.extend_from_slice(self.guid.as_bytes()),
            Slot::ServiceUuid => out.extend_from_slice(self.service_uuid.as_bytes()),
            Slot::Uid(number) => out.extend_from_slice(drawn(1, number).uuid().as_bytes()),
            Slot::Suffix(number) => out.extend_from_slice(drawn(2, number).suffix(5).as_bytes()),
            Slot::Hash(number) => out.extend_from_slice(drawn(3, number).suffix(10).as_bytes()),
            Slot::Address(number) => {
                let bits = drawn(4, number).bits();
                // Writing to memory cannot fail.
                let _ = write!(out, "10.{}.{}.{}", 128 + (bits & 3), (bits >> 8) & 255, 2 + (bits >> 16) % 250);
            }
            Slot::Node(number) => {
                let node = self.nodes.get(drawn(5, number).below(self.nodes.len()));
                out.extend_from_slice(node.map_or(b"".as_slice(), |node| node.as_bytes()));
            }
            Slot::After(seconds) => out.extend_from_slice(stamp(self.created + TimeDelta::seconds(i64::from(seconds))).as_bytes()),
            Slot::Version | Slot::Sampled => {}
        }
    }
}

/// Text with slots in it.
#[derive(Clone, Debug)]
pub(crate) struct Spliced(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(Box<str>),
    Slot(Slot),
}

impl Spliced {
    /// Text without slots.
    pub(crate) fn plain(text: &str) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    /// Cuts text at its marks.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(MARK) {
            let (before, marked) = rest.split_at(at);
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            let mut letters = marked.chars();
            let slot = (letters.next(), letters.next(), letters.next());
            if let (_, Some(sort), Some(number)) = slot {
                pieces.extend(Slot::read(sort, number).map(Piece::Slot));
            }
            rest = letters.as_str();
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Self(pieces)
    }

    fn write(&self, out: &mut Vec<u8>, stamp: Option<&Stamp>, version: u64, now: DateTime<Utc>) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Slot(Slot::Version) => {
                    let _ = write!(out, "{version}");
                }
                Piece::Slot(Slot::Sampled) => {
                    let sampled = now - TimeDelta::seconds(now.timestamp().rem_euclid(30));
                    out.extend_from_slice(crate::clock::stamp(sampled).as_bytes());
                }
                Piece::Slot(slot) => {
                    if let Some(stamp) = stamp {
                        stamp.write(out, *slot);
                    }
                }
            }
        }
    }

    /// The text with its slots filled.
    pub(crate) fn to_string_with(&self, stamp: Option<&Stamp>, version: u64) -> String {
        if let ([Piece::Text(text)], _) = (self.0.as_slice(), stamp) {
            return text.to_string();
        }
        let mut out = Vec::new();
        self.write(&mut out, stamp, version, DateTime::UNIX_EPOCH);
        String::from_utf8(out).unwrap_or_default()
    }
}

/// A prototype object, serialized and cut at its slots.
#[derive(Debug)]
pub(crate) struct Template {
    body: Spliced,
    pub(crate) probe: Probe,
    /// `namespace/name` with slots.
    pub(crate) key: Spliced,
    pub(crate) kind: Kind,
}

impl Template {
    /// Makes a template of an object whose strings carry marks.
    pub(crate) fn compile(kind: Kind, mut prototype: Value) -> Self {
        if let Some(fields) = prototype.as_object_mut() {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
        let text = |pointer| prototype.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let key = crate::object::key_of(text("/metadata/namespace"), text("/metadata/name"));
        Self {
            body: Spliced::parse(&prototype.to_string()),
            probe: Probe::of(kind, &prototype, Spliced::parse),
            key: Spliced::parse(&key),
            kind,
        }
    }

    /// Appends the object as JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>, stamp: &Stamp, version: u64, now: DateTime<Utc>) {
        self.body.write(out, Some(stamp), version, now);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use serde_json::{Value, json};

    use super::{Slot, Stamp, Template};
    use crate::{kinds::Kind, seed::Seed};

    #[test]
    fn slots_are_filled_and_the_rest_is_literal() {
        let name = format!("web-{}", Slot::Suffix(3).mark());
        let prototype = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": Slot::Namespace.mark(),
            "labels": {"guid": Slot::Guid.mark()}, "resourceVersion": Slot::Version.mark(), "creationTimestamp": Slot::After(90).mark()}});
        let template = Template::compile(Kind::Pod, prototype);
        let created = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let stamp = Stamp {
            namespace: "lab".into(),
            guid: "q7f2k".into(),
            service_uuid: "".into(),
            seed: Seed::new(4),
            created,
            nodes: Arc::new([]),
        };
        let mut out = Vec::new();
        template.write(&mut out, &stamp, 77, created);
        let pod: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(pod["metadata"]["namespace"], "lab");
        assert_eq!(pod["metadata"]["labels"]["guid"], "q7f2k");
        assert_eq!(pod["metadata"]["resourceVersion"], "77");
        assert_eq!(pod["metadata"]["creationTimestamp"], "1970-01-12T13:48:10Z");
        let name = pod["metadata"]["name"].as_str().unwrap();
        assert_eq!((name.len(), &name[..4]), (9, "web-"));
        assert_eq!(template.key.to_string_with(Some(&stamp), 0), format!("lab/{name}"));
    }
}
