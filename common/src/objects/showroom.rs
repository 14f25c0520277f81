//! Where a showroom takes its content from: two environment values of the init container that clones it, and nothing else of any container.
//!
//! The shape is the API's own, so that what is stored reads back like what was listed.

use serde::{Deserialize, Deserializer, Serialize};

use super::meta::null_is_default;
use super::repository;

/// The init container that clones the content, in all showroom charts.
const CLONER: &str = "git-cloner";
/// Its environment value with the repository.
const REPO: &str = "GIT_REPO_URL";
/// Its environment value with the branch, tag or commit.
const REF: &str = "GIT_REPO_REF";

/// `spec.template` of a controller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodTemplate {
    #[serde(deserialize_with = "null_is_default")]
    spec: TemplateSpec,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TemplateSpec {
    #[serde(deserialize_with = "cloners")]
    init_containers: Vec<Cloner>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Cloner {
    name: String,
    #[serde(deserialize_with = "sources")]
    env: Vec<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Value {
    name: String,
    /// Absent when it comes from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// What a showroom clones. A value that is not written in the Deployment is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentSource<'a> {
    /// The repository's address, without credentials.
    pub repo: Option<&'a str>,
    /// Branch, tag or commit.
    pub reference: Option<&'a str>,
}

impl PodTemplate {
    pub(super) fn is_empty(&self) -> bool {
        self.spec.init_containers.is_empty()
    }

    /// What is cloned into the pods, if they clone anything.
    #[must_use]
    pub fn content_source(&self) -> Option<ContentSource<'_>> {
        let cloner = self.spec.init_containers.first()?;
        let value = |name: &str| cloner.env.iter().find(|env| env.name == name)?.value.as_deref();
        Some(ContentSource {
            repo: value(REPO),
            reference: value(REF),
        })
    }

    /// The template of a showroom that clones this.
    #[must_use]
    pub fn cloning(repo: &str, reference: &str) -> Self {
        let env = |name: &str, value: &str| Value {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        };
        let cloner = Cloner {
            name: CLONER.to_owned(),
            env: vec![env(REPO, repo), env(REF, reference)],
        };
        Self {
            spec: TemplateSpec {
                init_containers: vec![cloner],
            },
        }
    }
}

fn cloners<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cloner>, D::Error> {
    let mut all: Vec<Cloner> = null_is_default(deserializer)?;
    all.retain(|container| container.name == CLONER);
    all.shrink_to_fit();
    Ok(all)
}

fn sources<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    let mut all: Vec<Value> = null_is_default(deserializer)?;
    all.retain_mut(|env| {
        let clean = match env.name.as_str() {
            REPO => repository::without_credentials,
            REF => repository::reference,
            _ => return false,
        };
        env.value = env.value.as_deref().and_then(clean);
        true
    });
    all.shrink_to_fit();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Deployment;
    use serde_json::json;

    #[test]
    fn only_the_source_of_the_content_is_kept() {
        let deployment = json!({
            "metadata": {"name": "showroom"},
            "spec": {"template": {"spec": {
                "initContainers": [
                    {"name": "git-cloner", "args": ["planted"], "env": [
                        {"name": "GIT_REPO_URL", "value": "https://bot:planted@git.example.org/acme/content.git"},
                        {"name": "GIT_REPO_REF", "value": "main"}, {"name": "TOKEN", "value": "planted"}]},
                    {"name": "setup", "env": [{"name": "GIT_REPO_URL", "value": "planted"}, {"name": "BASTION_PASSWORD", "value": "planted"}]}],
                "containers": [{"name": "content", "env": [{"name": "GIT_REPO_URL", "value": "planted"}]}]}}},
        });
        let read: Deployment = serde_json::from_value(deployment).unwrap();
        let source = read.spec.template.content_source().unwrap();
        assert_eq!(
            (source.repo, source.reference),
            (Some("https://git.example.org/acme/content.git"), Some("main"))
        );
        let stored = serde_json::to_string(&read).unwrap();
        assert!(!stored.contains("planted"), "{stored}");
        assert_eq!(serde_json::from_str::<Deployment>(&stored).unwrap(), read);
    }

    #[test]
    fn values_from_elsewhere_are_not_known_and_no_cloner_is_nothing() {
        let from_elsewhere = json!({"spec": {"initContainers": [{"name": "git-cloner", "env": [
            {"name": "GIT_REPO_URL", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}, {"name": "GIT_REPO_REF", "value": "{{ ref }}"}]}]}});
        let read: PodTemplate = serde_json::from_value(from_elsewhere).unwrap();
        let unknown = ContentSource {
            repo: None,
            reference: None,
        };
        assert_eq!(read.content_source(), Some(unknown));
        let none: PodTemplate = serde_json::from_value(json!({"spec": {"initContainers": null}})).unwrap();
        assert_eq!((none.content_source(), none.is_empty()), (None, true));
        assert_eq!(serde_json::to_value(Deployment::default()).unwrap()["spec"], json!({}));
    }
}
