//! The merged definition of a component, read by an allow-list straight from the page: everything else in it is skipped unread.
//!
//! Definitions hold passwords, tokens, vault texts and names of people. Only the variables that [`Constraints`] names are ever looked at,
//! of these only plain values, and each goes through the filter of its meaning.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::objects::repository;
use crate::provisioning::catalog::{Constraints, Wanted};

/// The longest plain value that is kept, in bytes.
const LONGEST: usize = 200;
/// How many workloads, collections, channels or components are kept: ten times what the largest items have.
const MOST: usize = 500;
/// Variables that say where a showroom's content comes from.
const SHOWROOM_REPO: &str = "ocp4_workload_showroom_content_git_repo";
const SHOWROOM_REF: &str = "ocp4_workload_showroom_content_git_repo_ref";

/// What a definition told.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Definition {
    /// `__meta__.asset_uuid`.
    pub asset_uuid: String,
    /// What it demands.
    pub constraints: Constraints,
}

/// A variable's name and its unread text, borrowed from the page.
type Variables<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// Reads a definition. `None` when it is no mapping.
pub(super) fn read(definition: &RawValue) -> Option<Definition> {
    let variables: Variables<'_> = serde_json::from_str(definition.get()).ok()?;
    let value = |name: &str| variables.get(name).map_or(Value::Null, |raw| parsed(raw));
    let first = |names: [&str; 2]| {
        let mut values = names.into_iter().map(value);
        values.find(|value| !value.is_null()).unwrap_or_default()
    };
    let meta = |name: &str| mapping(&variables, "__meta__", name).or_else(|| mapping(&variables, "agnosticv_meta", name));
    let meta_value = |name: &str| meta(name).map_or(Value::Null, parsed);
    let of_meta = |section: &str, name: &str| {
        let section = meta(section).and_then(|raw| serde_json::from_str::<Variables<'_>>(raw.get()).ok());
        section
            .and_then(|section| section.get(name).map(|raw| parsed(raw)))
            .unwrap_or_default()
    };
    let mut workloads = Vec::new();
    for list in ["workloads", "infra_workloads"] {
        roles(&value(list), &mut workloads);
    }
    let channels = variables
        .keys()
        .filter(|name| name.ends_with("_channel") && is_variable(name))
        .take(MOST);
    let channels = channels.filter_map(|name| Some((name.clone().into_owned(), named(&value(name))?)));
    let constraints = Constraints {
        cloud_provider: wanted(&value("cloud_provider"), name),
        config: wanted(&first(["config", "env_type"]), name),
        channels: channels.collect(),
        workloads,
        collections: collections(&value("requirements_content")),
        worker_count: count(&value("worker_instance_count")),
        worker_cores: count(&value("ai_workers_cores")),
        worker_memory_gib: gib(&value("ai_workers_memory")),
        openshift_version: wanted(&first(["host_ocp4_installer_version", "ocp4_installer_version"]), name),
        num_users: count(&value("num_users")),
        showroom_repo: wanted(&value(SHOWROOM_REPO), repository::without_credentials),
        showroom_ref: wanted(&value(SHOWROOM_REF), repository::reference),
        deployer_url: wanted(&of_meta("deployer", "scm_url"), repository::without_credentials),
        deployer_ref: wanted(&of_meta("deployer", "scm_ref"), repository::reference),
        job_timeout_s: count(&of_meta("tower", "timeout")),
        components: items(&meta_value("components")),
    };
    Some(Definition {
        asset_uuid: named(&meta_value("asset_uuid")).unwrap_or_default(),
        constraints,
    })
}

/// One variable, which the caller has named.
fn parsed(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// One entry of a mapping among the variables; the others stay unread.
fn mapping<'a>(variables: &Variables<'a>, name: &str, entry: &str) -> Option<&'a RawValue> {
    let entries: Variables<'a> = serde_json::from_str(variables.get(name)?.get()).ok()?;
    entries.get(entry).copied()
}

/// Text that only the deployer can evaluate.
fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Text that is encrypted, or the tag that says so.
fn is_vault(text: &str) -> bool {
    text.contains("$ANSIBLE_VAULT") || text.trim_start().starts_with("!vault")
}

fn is_variable(name: &str) -> bool {
    name.len() <= LONGEST && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The plain text of a value, if it is some: neither a template nor encrypted, of one line and not too long.
fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let fits = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
            (fits && !is_template(text) && !is_vault(text)).then_some(Cow::Borrowed(text))
        }
        Value::Number(number) => {
            let text = number.to_string();
            // `4.20` without quotes has become 4.2 long before it comes here: a number with one decimal may have lost a zero.
            let may_have_lost = text.split_once('.').is_some_and(|(_, decimals)| decimals.len() < 2);
            (!may_have_lost).then_some(Cow::Owned(text))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a value demands, as far as `filter` understands its plain text.
fn wanted(value: &Value, filter: impl Fn(&str) -> Option<String>) -> Wanted {
    if value.as_str().is_some_and(|text| is_template(text) && !is_vault(text)) {
        return Wanted::Dynamic;
    }
    plain(value).and_then(|text| filter(&text)).map_or(Wanted::Nothing, Wanted::Exactly)
}

/// A name of a role, an item, a collection, a channel, a version. What cannot be one is none.
fn name(text: &str) -> Option<String> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-/+:<>=*".contains(letter);
    text.chars().all(allowed).then(|| text.to_owned())
}

fn named(value: &Value) -> Option<String> {
    plain(value).and_then(|text| name(&text))
}

fn count(value: &Value) -> Option<i64> {
    plain(value)?.parse().ok().filter(|count: &i64| *count >= 0)
}

/// GiB of a quantity such as `128Gi`; a bare number is GiB already.
fn gib(value: &Value) -> Option<i64> {
    let text = plain(value)?;
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let number = digits.parse().ok().filter(|number: &i64| *number >= 0)?;
    match text.get(digits.len()..)?.trim() {
        "" | "G" | "GB" | "Gi" | "GiB" => Some(number),
        "M" | "MB" | "Mi" | "MiB" => Some(number / 1024),
        "T" | "TB" | "Ti" | "TiB" => number.checked_mul(1024),
        _ => None,
    }
}

/// Names of roles: of a list whose elements are names, or maps with a `name`, `role` or `workload`. One name alone is a list of one.
fn roles(value: &Value, into: &mut Vec<String>) {
    let alone = std::slice::from_ref(value);
    for element in value.as_array().map_or(alone, Vec::as_slice) {
        let role = match element {
            Value::Object(entries) => ["name", "role", "workload"].iter().find_map(|key| named(entries.get(*key)?)),
            Value::String(_) => named(element),
            _ => None,
        };
        into.extend(role.filter(|role| into.len() < MOST && !into.contains(role)));
    }
}

/// `collections[]` of the requirements: name to version. The name of one that comes from git is its address.
fn collections(value: &Value) -> BTreeMap<String, String> {
    let all = value.get("collections").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let read = all.iter().take(MOST).filter_map(|collection| {
        let name = plain(collection.get("name")?)?;
        let is_address = name.contains("://") || name.contains('@');
        let name = if is_address {
            repository::without_credentials(&name)?
        } else {
            self::name(&name)?
        };
        let version = collection.get("version").and_then(named).unwrap_or_default();
        Some((name, version))
    });
    read.collect()
}

/// `components[].item`.
fn items(value: &Value) -> Vec<String> {
    let all = value.as_array().map_or(&[][..], Vec::as_slice);
    all.iter()
        .take(MOST)
        .filter_map(|component| named(component.get("item")?))
        .collect()
}

#[cfg(test)]
mod tests;
