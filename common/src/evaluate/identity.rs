//! How an instance is called, from labels first and the namespace's name second.

use serde::{Deserialize, Serialize};

use crate::evidence::Declared;
use crate::objects::Inventory;

/// What one instance is called elsewhere, as far as anybody told.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// Random id of the order, with the component's number: `q7f2k-1`.
    pub guid: Option<String>,
    /// UUID of the placement: the join with the provisioning record.
    pub service_uuid: Option<String>,
    /// What follows the guid in the name, when it says something: not a UUID. May be cut at the 63rd character of the name.
    pub suffix: Option<String>,
    /// Catalog item, `account.item.stage`.
    pub catalog_item: Option<String>,
}

/// The identity of an instance. The catalog item is what is declared, else what the name of its provisioning record says.
#[must_use]
pub fn of(inventory: &Inventory, declared: &Declared) -> Identity {
    let labels = inventory.namespace.items.first().map(|namespace| &namespace.metadata.labels);
    let label = |name: &str| {
        labels
            .and_then(|labels| labels.get(name))
            .filter(|value| !value.is_empty())
            .cloned()
    };
    let parts = split(&inventory.name);
    let guid = label("guid").or_else(|| parts.map(|(guid, _)| guid.to_owned()));
    Identity {
        service_uuid: label("serviceUuid"),
        suffix: suffix(&inventory.name, guid.as_deref()),
        catalog_item: declared.catalog_item.clone().or_else(|| governor(inventory, guid.as_deref())),
        guid,
    }
}

/// The guid that a namespace's name says, with its number: `q7f2k-1`. A guess.
#[must_use]
pub fn guid_in_name(namespace: &str) -> Option<&str> {
    split(namespace).map(|(guid, _)| guid)
}

/// `sandbox-<guid>[-<component>]-<suffix>` as guid (with its component) and suffix.
fn split(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix("sandbox-")?;
    let (guid, suffix) = rest.split_once('-')?;
    let is_guid = (4..=8).contains(&guid.len()) && guid.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !is_guid || suffix.is_empty() {
        return None;
    }
    match suffix.split_once('-') {
        Some((component, suffix)) if is_component(component) && !suffix.is_empty() => {
            Some((&rest[..guid.len() + 1 + component.len()], suffix))
        }
        _ => Some((guid, suffix)),
    }
}

fn is_component(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// What follows the guid; nothing when it is the service's UUID.
fn suffix(name: &str, guid: Option<&str>) -> Option<String> {
    let after_guid = guid
        .and_then(|guid| name.strip_prefix("sandbox-")?.strip_prefix(guid)?.strip_prefix('-'))
        .or_else(|| split(name).map(|(_, suffix)| suffix))?;
    // A placement may have several namespaces: `sandbox-<guid>-2-<suffix>` carries the guid without the number.
    let suffix = match after_guid.split_once('-') {
        Some((component, rest)) if is_component(component) && !rest.is_empty() => rest,
        _ => after_guid,
    };
    (!is_uuid_like(suffix)).then(|| suffix.to_owned())
}

/// Eight hexadecimal digits, a dash, four more: a UUID, also when the name was cut.
fn is_uuid_like(text: &str) -> bool {
    let mut parts = text.split('-');
    let hex = |part: Option<&str>, len: usize| part.is_some_and(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_hexdigit()));
    hex(parts.next(), 8) && hex(parts.next(), 4)
}

/// The catalog item in the name of an AnarchySubject, `<account>.<item>.<stage>-<guid>…`. Of several components the first
/// one names the order: it is the one without a number.
fn governor(inventory: &Inventory, guid: Option<&str>) -> Option<String> {
    let marker = format!("-{}", guid?);
    let named = inventory.subjects.items.iter().filter_map(|subject| {
        let (item, rest) = subject.name.split_once(&marker)?;
        let number = rest.strip_prefix('-').and_then(|rest| rest.split('-').next());
        let later = number.is_some_and(is_component);
        (item.split('.').count() == 3).then_some((later, &subject.name, item))
    });
    named.min().map(|(_, _, item)| item.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{Listing, Namespace, Subject};

    fn inventory(name: &str, labels: &[(&str, &str)]) -> Inventory {
        let mut namespace = Namespace::default();
        namespace.metadata.labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Inventory {
            name: name.to_owned(),
            namespace: Listing::complete(vec![namespace]),
            ..Inventory::default()
        }
    }

    fn names(name: &str, labels: &[(&str, &str)]) -> (Option<String>, Option<String>) {
        let identity = of(&inventory(name, labels), &Declared::default());
        (identity.guid, identity.suffix)
    }

    #[test]
    fn keeps_the_component_of_a_guid() {
        let some = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
        assert_eq!(names("sandbox-q7f2k-netbasics", &[]), some("q7f2k", "netbasics"));
        assert_eq!(names("sandbox-q7f2k-1-netbasics", &[]), some("q7f2k-1", "netbasics"));
        assert_eq!(names("sandbox-q7f2k-1-netbasics", &[("guid", "q7f2k")]), some("q7f2k", "netbasics"));
        assert_eq!(names("sandbox-q7f2k-zt-rhelbu", &[]), some("q7f2k", "zt-rhelbu"));
        assert_eq!(names("web-portal", &[]), (None, None));
        assert_eq!(names("sandbox-Q7F2K-x", &[]), (None, None));
    }

    #[test]
    fn a_uuid_says_nothing_about_the_lab() {
        let (guid, suffix) = names("sandbox-q7f2k-b16afa37-ce7f-5f46-a86d-325e3a797db3", &[]);
        assert_eq!((guid.as_deref(), suffix), (Some("q7f2k"), None));
    }

    #[test]
    fn finds_the_catalog_item_in_the_subject() {
        let mut inventory = inventory("sandbox-q7f2k-netbasics", &[("serviceUuid", "u")]);
        inventory.subjects = Listing::complete(vec![Subject {
            name: "acme-labs.netbasics-cnv.prod-q7f2k-abc".into(),
            ..Subject::default()
        }]);
        let identity = of(&inventory, &Declared::default());
        assert_eq!(identity.catalog_item.as_deref(), Some("acme-labs.netbasics-cnv.prod"));
        assert_eq!(identity.service_uuid.as_deref(), Some("u"));
    }

    #[test]
    fn the_first_component_names_the_order_whichever_is_read_first() {
        let subject = |name: &str| Subject {
            name: name.into(),
            ..Subject::default()
        };
        let (first, later) = (subject("acme.web.prod-q7f2k"), subject("acme.base.prod-q7f2k-1"));
        for subjects in [[first.clone(), later.clone()], [later, first]] {
            let mut inventory = inventory("sandbox-q7f2k-web", &[]);
            inventory.subjects = Listing::complete(subjects.into());
            assert_eq!(of(&inventory, &Declared::default()).catalog_item.as_deref(), Some("acme.web.prod"));
        }
    }
}
