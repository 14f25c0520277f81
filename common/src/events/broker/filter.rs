//! Which events a Trigger wants: the filter dialects of Knative Eventing, but CESQL.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::events::wire::CloudEvent;

/// One filter. A list element with two dialects is refused, as Knative refuses it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// The older `filter.attributes`: exact, and an empty value means any. No name in YAML: it stands elsewhere.
    #[serde(skip)]
    Attributes(BTreeMap<String, String>),
    /// Every attribute has this value.
    Exact(BTreeMap<String, String>),
    /// Every attribute begins so.
    Prefix(BTreeMap<String, String>),
    /// Every attribute ends so.
    Suffix(BTreeMap<String, String>),
    /// All of these match.
    All(Vec<Filter>),
    /// One of these matches.
    Any(Vec<Filter>),
    /// This does not match.
    Not(Box<Filter>),
}

impl Filter {
    /// Whether the event passes.
    #[must_use]
    pub fn matches(&self, event: &CloudEvent) -> bool {
        let every = |wanted: &BTreeMap<String, String>, fits: fn(&str, &str) -> bool| {
            wanted
                .iter()
                .all(|(name, wanted)| attribute(event, name).is_some_and(|value| fits(&value, wanted)))
        };
        match self {
            Self::Attributes(wanted) => every(wanted, |value, wanted| wanted.is_empty() || value == wanted),
            Self::Exact(wanted) => every(wanted, |value, wanted| value == wanted),
            Self::Prefix(wanted) => every(wanted, |value, wanted| value.starts_with(wanted)),
            Self::Suffix(wanted) => every(wanted, |value, wanted| value.ends_with(wanted)),
            Self::All(filters) => filters.iter().all(|filter| filter.matches(event)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(event)),
            Self::Not(filter) => !filter.matches(event),
        }
    }

    /// Names of the attributes it looks at.
    #[must_use]
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            Self::Attributes(wanted) | Self::Exact(wanted) | Self::Prefix(wanted) | Self::Suffix(wanted) => {
                wanted.keys().map(String::as_str).collect()
            }
            Self::All(filters) | Self::Any(filters) => filters.iter().flat_map(Self::attributes).collect(),
            Self::Not(filter) => filter.attributes(),
        }
    }
}

fn attribute(event: &CloudEvent, name: &str) -> Option<String> {
    match name {
        "specversion" => Some("1.0".into()),
        "id" => Some(event.id.clone()),
        "source" => Some(event.source.clone()),
        "type" => Some(event.event_type.clone()),
        "subject" => event.subject.clone(),
        "time" => event.time.map(|time| time.to_rfc3339()),
        "datacontenttype" => event.content_type.clone(),
        "dataschema" => event.data_schema.as_ref().map(ToString::to_string),
        extension => event.extensions.get(extension).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::wire::Data;

    fn matches(yaml: &str) -> bool {
        let event = CloudEvent {
            id: "1".into(),
            source: "/stargate/scan".into(),
            event_type: "io.stargate.scan.completed.v1".into(),
            subject: None,
            time: None,
            content_type: None,
            data_schema: None,
            extensions: BTreeMap::from([("sgtier".into(), "workloads".into())]),
            data: Data::Empty,
        };
        crate::yaml::from_str::<Filter>(yaml).expect("a filter").matches(&event)
    }

    #[test]
    fn every_dialect() {
        assert!(matches("exact: {type: io.stargate.scan.completed.v1, sgtier: workloads}"));
        assert!(!matches("exact: {type: io.stargate.scan.completed.v1, sgtier: cluster}"));
        assert!(!matches("exact: {subject: x}"));
        assert!(matches("prefix: {type: io.stargate.scan.}"));
        assert!(matches("suffix: {source: /scan}"));
        assert!(matches("all: [{prefix: {type: io}}, {suffix: {type: v1}}]"));
        assert!(matches("any: [{exact: {sgtier: cluster}}, {exact: {sgtier: workloads}}]"));
        assert!(!matches("any: []"));
        assert!(matches("not: {exact: {sgtier: cluster}}"));
    }

    #[test]
    fn an_empty_value_of_the_older_filter_means_any() {
        let present = Filter::Attributes(BTreeMap::from([("sgtier".into(), String::new())]));
        let absent = Filter::Attributes(BTreeMap::from([("sgstage".into(), String::new())]));
        let event = CloudEvent {
            id: "1".into(),
            source: "/s".into(),
            event_type: "t".into(),
            subject: None,
            time: None,
            content_type: None,
            data_schema: None,
            extensions: BTreeMap::from([("sgtier".into(), "x".into())]),
            data: Data::Empty,
        };
        assert!(present.matches(&event) && !absent.matches(&event));
    }

    #[test]
    fn two_dialects_in_one_element_are_refused() {
        assert!(crate::yaml::from_str::<Filter>("{exact: {type: a}, suffix: {type: b}}").is_err());
        assert!(crate::yaml::from_str::<Filter>("cesql: type = 'a'").is_err());
    }
}
