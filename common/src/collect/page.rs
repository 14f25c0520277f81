//! One page of a LIST: parsed by projection, item by item where one of them is broken; folded into the assembler.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::objects::Assembler;
use crate::objects::assemble::Projection;
use crate::objects::meta::null_is_default;

/// What a page held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Objects in it, also those that are not kept.
    pub items: u64,
    /// Where the next page starts.
    pub more: Option<String>,
    /// What is wrong with objects that could not be understood.
    pub refused: Vec<String>,
}

/// Parses pages of one kind.
pub(super) type Parse = fn(&[u8]) -> Result<(Page, Fold), serde_json::Error>;

/// Puts what was parsed into an assembler. Apart from parsing, so that pages are parsed in parallel.
pub(super) type Fold = Box<dyn FnOnce(&mut Assembler) + Send>;

#[derive(Deserialize)]
struct Wire<T> {
    metadata: ListMeta,
    // `null` is an empty list, but a body without items is no list.
    #[serde(deserialize_with = "null_is_default", bound(deserialize = "T: Deserialize<'de>"))]
    items: Vec<T>,
}

#[derive(Deserialize)]
struct ListMeta {
    #[serde(rename = "continue")]
    more: Option<String>,
}

/// Parses a page of `T`s for an assembler.
pub(super) fn parse<T: Projection>(body: &[u8]) -> Result<(Page, Fold), serde_json::Error> {
    let Items {
        items,
        count,
        more,
        refused,
    } = items::<T>(body)?;
    let page = Page {
        items: count,
        more,
        refused: refused
            .into_iter()
            .map(|(name, detail)| format!("{name} cannot be understood: {detail}"))
            .collect(),
    };
    let fold: Fold = Box::new(|assembler| {
        for item in items {
            assembler.add(item);
        }
    });
    Ok((page, fold))
}

/// What a page holds.
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
    /// Objects in it, also those that are not understood.
    pub(crate) count: u64,
    /// Where the next page starts.
    pub(crate) more: Option<String>,
    /// Objects that are not understood: name, and what is wrong.
    pub(crate) refused: Vec<(String, String)>,
}

/// Parses a page of `T`s. The whole page at once is the fast way; only if some object in it is broken, each is tried alone.
pub(crate) fn items<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Items<T>, serde_json::Error> {
    let (metadata, items, count, refused) = match serde_json::from_slice::<Wire<T>>(body) {
        Ok(Wire { metadata, items }) => {
            let count = items.len();
            (metadata, items, count, Vec::new())
        }
        Err(_) => {
            let Wire { metadata, items: raw } = serde_json::from_slice::<Wire<&RawValue>>(body)?;
            let mut items = Vec::with_capacity(raw.len());
            let mut refused = Vec::new();
            for object in &raw {
                match serde_json::from_str::<T>(object.get()) {
                    Ok(item) => items.push(item),
                    Err(error) => refused.push((name(object), error.to_string())),
                }
            }
            (metadata, items, raw.len(), refused)
        }
    };
    Ok(Items {
        items,
        count: count as u64,
        more: metadata.more.filter(|more| !more.is_empty()),
        refused,
    })
}

/// `namespace/name` of an object that cannot be understood otherwise.
pub(crate) fn name(object: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Named {
        metadata: Name,
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
        namespace: Option<String>,
    }
    match serde_json::from_str(object.get()) {
        Ok(Named {
            metadata: Name {
                name,
                namespace: Some(namespace),
            },
        }) => format!("{namespace}/{name}"),
        Ok(Named {
            metadata: Name { name, namespace: None },
        }) => name,
        Err(_) => "an object without a name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{NamespaceSelection, Node, Pod};
    use chrono::DateTime;

    #[test]
    fn one_broken_object_costs_only_itself() {
        let body = br#"{"kind":"PodList","metadata":{"continue":"next"},"items":[
            {"metadata":{"name":"a","namespace":"lab"}},
            {"metadata":{"name":"b","namespace":"lab"},"status":{"phase":[]}},
            {"metadata":{"name":"c","namespace":"lab"}}]}"#;
        let (page, fold) = parse::<Pod>(body).unwrap();
        assert_eq!((page.items, page.more.as_deref()), (3, Some("next")));
        assert_eq!(page.refused.len(), 1);
        assert!(
            page.refused[0].starts_with("lab/b cannot be understood: invalid type"),
            "{:?}",
            page.refused
        );
        let mut assembler = Assembler::new("east", NamespaceSelection::Recorded);
        fold(&mut assembler);
        let snapshot = assembler.finish(DateTime::UNIX_EPOCH);
        assert_eq!(snapshot.namespaces["lab"].pods.items.len(), 2);
    }

    #[test]
    fn a_null_list_is_empty_and_no_list_is_an_error() {
        let (page, _) = parse::<Node>(br#"{"metadata":{},"items":null}"#).unwrap();
        assert_eq!(page, Page::default());
        assert!(parse::<Node>(br#"{"metadata":{}}"#).is_err());
        assert!(parse::<Node>(b"<html>").is_err());
        assert!(parse::<Node>(br#"{"metadata":{},"items":[{"metadata":"#).is_err());
    }
}
