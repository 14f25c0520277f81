//! Which namespaces are labs. Never by their pods: a lab with no pods at all is the worst failure, not an absent one.

use std::collections::BTreeSet;

use super::labels::Labels;

/// Which namespaces of a cluster or recording are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamespaceSelection {
    /// Lab namespaces of a live cluster.
    Labs(LabRule),
    /// Exactly these, whatever they are.
    Named(BTreeSet<String>),
    /// Every namespace that is not the system's: whoever recorded a namespace asks about it.
    Recorded,
}

impl Default for NamespaceSelection {
    fn default() -> Self {
        Self::Labs(LabRule::default())
    }
}

/// How a lab namespace is recognised: by the Sandbox API's labels, else by the prefix of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabRule {
    /// Names that start so are labs.
    pub prefixes: Vec<String>,
    /// Names that start so are labs if they hold a showroom.
    pub showroom_prefixes: Vec<String>,
    /// Names that start so never are, whatever their labels.
    pub excluded: Vec<String>,
}

impl Default for LabRule {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            prefixes: texts(&["sandbox-", "showroom-"]),
            showroom_prefixes: texts(&["user-"]),
            excluded: texts(&["openshift-", "kube-"]),
        }
    }
}

/// How far a name and labels decide whether a namespace is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selected {
    /// It is.
    Yes,
    /// It is if it holds a showroom.
    IfShowroom,
    /// It is not.
    No,
}

impl NamespaceSelection {
    /// Decides by name and, where the namespace object was read, by its labels.
    #[must_use]
    pub fn decide(&self, name: &str, labels: Option<&Labels>) -> Selected {
        match self {
            Self::Named(names) if names.contains(name) => Selected::Yes,
            Self::Named(_) => Selected::No,
            Self::Recorded if is_system(name) => Selected::No,
            Self::Recorded => Selected::Yes,
            Self::Labs(rule) => rule.decide(name, labels),
        }
    }
}

impl LabRule {
    fn decide(&self, name: &str, labels: Option<&Labels>) -> Selected {
        let starts = |prefixes: &[String]| prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()));
        if starts(&self.excluded) {
            Selected::No
        } else if labels.is_some_and(is_sandbox) || starts(&self.prefixes) {
            Selected::Yes
        } else if starts(&self.showroom_prefixes) {
            Selected::IfShowroom
        } else {
            Selected::No
        }
    }
}

/// The Sandbox API also labels helper namespaces as its own; only those with a guid are labs.
fn is_sandbox(labels: &Labels) -> bool {
    labels.get("created-by").is_some_and(|by| by == "sandbox-api") && labels.contains_key("guid")
}

/// Namespaces of the platform itself.
fn is_system(name: &str) -> bool {
    name.starts_with("openshift-") || name.starts_with("kube-") || name == "openshift" || name == "default"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn labs_are_recognised_by_label_or_prefix() {
        let selection = NamespaceSelection::default();
        let sandbox = labels(&[("created-by", "sandbox-api"), ("guid", "k7m2q")]);
        let helper = labels(&[("created-by", "sandbox-api")]);
        for (name, labels, expected) in [
            ("anything", Some(&sandbox), Selected::Yes),
            ("service-accounts", Some(&helper), Selected::No),
            ("sandbox-k7m2q-ocp4-cluster", None, Selected::Yes),
            ("user-7", None, Selected::IfShowroom),
            ("openshift-dns", Some(&sandbox), Selected::No),
            ("team-tools", None, Selected::No),
        ] {
            assert_eq!(selection.decide(name, labels), expected, "{name}");
        }
    }

    #[test]
    fn a_recording_is_about_every_namespace_but_the_systems() {
        for (name, expected) in [
            ("web-portal", Selected::Yes),
            ("kube-system", Selected::No),
            ("openshift-dns", Selected::No),
            ("default", Selected::No),
        ] {
            assert_eq!(NamespaceSelection::Recorded.decide(name, None), expected, "{name}");
        }
    }
}
