//! JSON files: single objects, lists of any size item by item, several documents one after the other, arrays of them.

use std::fmt;
use std::io;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::files::{Bytes, Content};
use super::{Broken, Ended, ListEnd, Object, Sink};
use crate::objects::assemble::TypeMeta;

/// Fields of an object that a projection or the clock may read; the rest of a single object is not kept while it is read.
const KEPT: [&str; 17] = [
    "apiVersion",
    "code",
    "deprecatedLastTimestamp",
    "details",
    "endpoints",
    "eventTime",
    "involvedObject",
    "lastTimestamp",
    "message",
    "note",
    "reason",
    "regarding",
    "series",
    "subsets",
    "timestamp",
    "type",
    "usage",
];

/// Reads every document of a JSON file.
pub(super) fn read(content: &mut Content, sink: &mut dyn Sink) -> io::Result<()> {
    let mut reader = Reader {
        sink,
        kinds: None,
        document: 0,
        wants_kinds: false,
    };
    let mut outcome = reader.pass(content)?;
    if reader.wants_kinds {
        // `oc` writes a list's kind after its items, and items of a typed list have none of their own.
        reader.kinds = Some(outline(content)?);
        reader.wants_kinds = false;
        reader.document = 0;
        outcome = reader.pass(content)?;
    }
    if let Err(error) = outcome {
        let place = format!(" at line {} column {}", error.line(), error.column());
        reader.sink.broken(Broken {
            line: error.line() as u64,
            column: error.column() as u64,
            detail: error.to_string().replace(&place, ""),
        });
        reader.sink.end(Ended { list: None });
    }
    Ok(())
}

/// What each document says of its kind, without reading its items.
fn outline(content: &mut Content) -> io::Result<Vec<TypeMeta>> {
    fn collect<'de, R: serde_json::de::Read<'de>>(mut json: serde_json::Deserializer<R>) -> Vec<TypeMeta> {
        let mut kinds = Vec::new();
        // Where it breaks off, the pass before has told already.
        while json.end().is_err() {
            match Outline.deserialize(&mut json) {
                Ok(kind) => kinds.push(kind),
                Err(_) => break,
            }
        }
        kinds
    }
    Ok(match content.bytes()? {
        Bytes::Slice(bytes) => collect(serde_json::Deserializer::from_slice(bytes)),
        Bytes::Stream(stream) => collect(serde_json::Deserializer::from_reader(stream)),
    })
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    /// Kinds of the documents in their order, once somebody needed them.
    kinds: Option<Vec<TypeMeta>>,
    document: usize,
    wants_kinds: bool,
}

impl Reader<'_> {
    fn pass(&mut self, content: &mut Content) -> io::Result<Result<(), serde_json::Error>> {
        Ok(match content.bytes()? {
            Bytes::Slice(bytes) => self.documents(serde_json::Deserializer::from_slice(bytes)),
            Bytes::Stream(stream) => self.documents(serde_json::Deserializer::from_reader(stream)),
        })
    }

    fn documents<'de, R: serde_json::de::Read<'de>>(&mut self, mut json: serde_json::Deserializer<R>) -> Result<(), serde_json::Error> {
        while json.end().is_err() {
            Document(self).deserialize(&mut json)?;
            self.document += 1;
        }
        Ok(())
    }

    /// The kind of the items of this document's list, if the list is known to say it.
    fn list(&self, seen: &TypeMeta) -> Option<TypeMeta> {
        if !seen.kind.is_empty() {
            return Some(super::item_type(seen));
        }
        let known = self.kinds.as_ref()?;
        Some(super::item_type(known.get(self.document)?))
    }
}

/// One top-level document.
struct Document<'r, 's>(&'r mut Reader<'s>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object or list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(reader) = self;
        let mut seen = TypeMeta::default();
        let mut object = String::from("{");
        let mut more = false;
        let mut is_list = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                let list = reader.list(&seen);
                is_list |= map.next_value_seed(Items { reader, list })?;
                continue;
            }
            if !KEPT.contains(&key.as_str()) && !["kind", "metadata", "spec", "status"].contains(&key.as_str()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: Box<RawValue> = map.next_value()?;
            match key.as_str() {
                "apiVersion" => seen.api_version = text(&value),
                "kind" => seen.kind = text(&value),
                "metadata" => more = has_more(&value),
                _ => {}
            }
            if object.len() > 1 {
                object.push(',');
            }
            object.push_str(&format!("\"{key}\":{value}"));
        }
        object.push('}');
        let list = is_list.then_some(ListEnd { list: seen, more });
        if list.is_none() {
            reader.sink.object(Object::Text(object.as_bytes()), &TypeMeta::default());
        }
        reader.sink.end(Ended { list });
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<Box<RawValue>>()? {
            let mut content = Content::Memory(element.get().as_bytes().to_vec());
            read(&mut content, self.0.sink).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// The items of a list; yields whether it was an array at all. `null` is how an empty list is sometimes written.
struct Items<'r, 's> {
    reader: &'r mut Reader<'s>,
    list: Option<TypeMeta>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut list = self.list;
        while let Some(item) = seq.next_element::<Box<RawValue>>()? {
            let list = match &mut list {
                Some(list) => list,
                unknown @ None => {
                    let own: TypeMeta = serde_json::from_str(item.get()).unwrap_or_default();
                    if own.kind.is_empty() && self.reader.kinds.is_none() {
                        self.reader.wants_kinds = true;
                        return Err(A::Error::custom("the kind of the items is not known yet"));
                    }
                    unknown.insert(TypeMeta::default())
                }
            };
            self.reader.sink.object(Object::Text(item.get().as_bytes()), list);
        }
        Ok(true)
    }
}

/// Reads `apiVersion` and `kind` of a document and skips the rest.
struct Outline;

impl<'de> DeserializeSeed<'de> for Outline {
    type Value = TypeMeta;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TypeMeta, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Outline {
    type Value = TypeMeta;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object or list")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TypeMeta, A::Error> {
        TypeMeta::deserialize(serde::de::value::MapAccessDeserializer::new(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TypeMeta, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(TypeMeta::default())
    }
}

fn text(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_default()
}

/// Whether a list's metadata says that the server had more to give.
fn has_more(metadata: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct ListMeta {
        #[serde(rename = "continue")]
        more: Option<String>,
    }
    serde_json::from_str::<ListMeta>(metadata.get()).is_ok_and(|meta| meta.more.is_some_and(|more| !more.is_empty()))
}
