//! Catalog items, and AgnosticV components with their merged definitions. Source: rhdp-contracts 3.1, 3.6 and 7.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Meta, object, subject};
use crate::{
    clock::stamp,
    kinds::Kind,
    seed::Seed,
    story::{
        cast,
        program::{self, Item, Seats},
    },
};

/// Namespace of the configuration.
pub(crate) const CONFIG_NAMESPACE: &str = "babylon-config";
/// Name of the AgnosticV repository that all components come from.
const REPO: &str = "labs";

fn category(item: &Item) -> &'static str {
    if item.code.is_some() { "Workshops" } else { "Demos" }
}

/// A CatalogItem.
pub(crate) fn item(item: &Item, at: DateTime<Utc>) -> Value {
    let name = item.name();
    let mut seed = Seed::new(7).for_name(&name);
    let person = cast::person(&mut seed);
    let users = match item.seats {
        Seats::Shared(users) => users,
        Seats::Single => 1,
    };
    let mut spec = json!({
        "displayName": item.title, "category": category(item), "description": {"content": format!("<p>{}</p>", item.title), "format": "html"},
        "keywords": ["lab", item.base], "provisionTimeEstimate": format!("{}m", item.minutes),
        "lifespan": {"default": "5d", "maximum": "14d"}, "runtime": {"default": "8h", "maximum": "5d"},
        "parameters": [{"name": "purpose", "required": true, "openAPIV3Schema": {"type": "string", "default": "Practice"}}],
        "supportedActions": {"start": {}, "stop": {}, "destroy": {}, "status": {}},
        "multiuser": users > 1, "workshopUserMode": if users > 1 { "multi" } else { "single" }, "workshopUiMaxInstances": 60,
        "agnosticvRepo": {"name": REPO, "git": {"ref": "main", "url": "https://git.example.test/labs/agnosticv.git"}},
        "lastUpdate": {"git": {"hash": format!("{:016x}{:016x}{:08x}", seed.bits(), seed.bits(), seed.bits() >> 32), "author": person.mail, "when_committer": stamp(at)}},
        "owners": {"maintainer": [{"name": person.name, "email": person.mail}]}, "accessControl": {"allowGroups": ["labs-users"]},
        "linkedComponents": item.linked.iter().map(|linked| json!({"name": linked, "displayName": linked})).collect::<Vec<_>>(),
    });
    if users > 1 {
        spec["numUsersParameter"] = json!("num_users");
        spec["parameters"] =
            json!([{"name": "num_users", "required": true, "openAPIV3Schema": {"type": "integer", "default": users, "maximum": 60}}]);
    }
    let ops = (item.short == "cloud-showroom")
        .then(|| json!({"babylon.gpte.redhat.com/ops": "{\"status\":{\"id\":\"under-maintenance\",\"updated\":{\"author\":\"nobody\"}}}"}));
    let meta = Meta {
        kind: Kind::CatalogItem,
        namespace: &item.catalog(),
        name: &name,
        uid: &Seed::new(8).for_name(&name).uuid(),
        created: at,
        deleted: None,
        labels: json!({"babylon.gpte.redhat.com/category": category(item), "babylon.gpte.redhat.com/stage": item.stage,
            "babylon.gpte.redhat.com/Product": "OpenShift", "babylon.gpte.redhat.com/Product_Family": "Platforms", "babylon.gpte.redhat.com/Provider": "RHDP",
            "gpte.redhat.com/asset-uuid": subject::asset_uuid(&name), "babylon.gpte.redhat.com/disabled": (item.short == "serving-next").then_some("true")}),
        annotations: ops.unwrap_or_default(),
        finalizers: &["babylon.gpte.redhat.com/catalog-item-manager"],
    };
    object(meta, json!({"spec": spec}))
}

/// The AgnosticVComponent of an item.
pub(crate) fn component(item: &Item, at: DateTime<Utc>) -> Value {
    make_component(&item.name(), &item.path(), Some(item), item.cloud, at)
}

/// The AgnosticVComponents that nobody orders.
pub(crate) fn linked_components(at: DateTime<Utc>) -> impl Iterator<Item = Value> {
    program::LINKED
        .iter()
        .map(move |(name, cloud)| make_component(name, "BASE_INFRA/SNO_BASE/event.yaml", None, cloud, at))
}

fn make_component(name: &str, path: &str, item: Option<&Item>, cloud: &str, at: DateTime<Utc>) -> Value {
    let uid = |number, of: &str| Seed::new(number).for_name(of).uuid();
    let anarchy = item.map_or("babylon-anarchy-1".to_owned(), |item| item.anarchy_namespace(""));
    let mut status = json!({
        "anarchyGovernor": {"name": name, "namespace": anarchy, "uid": Seed::new(4).for_name(&anarchy).for_name(name).uuid()},
        "resourceProvider": {"name": name, "namespace": "poolboy", "uid": uid(6, name)}, "deprecatedAnarchyGovernors": [],
    });
    if let Some(item) = item {
        status["catalogItem"] = json!({"name": name, "namespace": item.catalog(), "uid": uid(8, name)});
    }
    let spec = json!({"agnosticvRepo": REPO, "path": path, "definition": definition(name, item, cloud)});
    let meta = Meta {
        kind: Kind::AgnosticVComponent,
        namespace: CONFIG_NAMESPACE,
        name,
        uid: &uid(9, name),
        created: at,
        deleted: None,
        labels: json!({"gpte.redhat.com/agnosticv-repo": REPO}),
        annotations: Value::Null,
        finalizers: &["gpte.redhat.com/agnosticv"],
    };
    object(meta, json!({"spec": spec, "status": status}))
}

/// The merged variables of a component: what it demands, templates that only the deployer can evaluate, and secrets.
fn definition(name: &str, item: Option<&Item>, cloud: &str) -> Value {
    let base = item.map_or("ocp4-sno", |item| item.base);
    let (content, reference) = program::content(item.map_or("sno-base", |item| item.short));
    let person = cast::person(&mut Seed::new(10).for_name(name));
    let minutes = item.map_or(40, |item| item.minutes);
    let mut meta = json!({
        "asset_uuid": subject::asset_uuid(name), "anarchy": {"namespace": item.map(|item| item.anarchy_namespace(""))},
        "deployer": {"type": "agnosticd", "scm_url": format!("https://deploy:{}@git.example.test/labs/agnosticd.git", cast::secret("token", "git")), "scm_ref": "main",
            "execution_environment": {"image": "registry.example.test/ee/multicloud:v2"}, "actions": {"start": {"time_estimate": "10m"}, "destroy": {"disable": false}}},
        "tower": {"organization": "babylon", "timeout": (minutes * 60 * 4).max(3600)}, "owners": {"maintainer": [{"name": person.name, "email": person.mail}]},
        "secrets": [{"name": "labs-secrets", "namespace": "babylon-config"}], "lifespan": {"default": "5d", "maximum": "14d", "relativeMaximum": "7d"},
        "runtime": {"default": "8h", "maximum": "5d"}, "aws_sandboxed": cloud == "ec2",
    });
    if cloud != "ec2" {
        meta["sandboxes"] = json!([{"kind": "OcpSandbox", "namespace_suffix": base, "cloud_selector": {"purpose": "events", "virt": if cloud == "openshift_cnv" { "yes" } else { "no" }},
            "quota": {"pods": "60"}}]);
    }
    if let Some(item) = item {
        meta["catalog"] = json!({"namespace": item.catalog(), "display_name": item.title, "category": category(item), "keywords": ["lab", item.base],
            "multiuser": matches!(item.seats, Seats::Shared(_)), "workshop_user_mode": if matches!(item.seats, Seats::Shared(_)) { "multi" } else { "single" }});
        if let Some(linked) = item.linked {
            meta["components"] = json!([{"name": "base", "item": linked, "display_name": "Base", "propagate_provision_data": [{"name": "openshift_api_url", "var": "api_url"}]}]);
        }
    }
    let mut definition = json!({
        "__meta__": meta, "cloud_provider": cloud, "env_type": base, "config": base, "platform": "RHPDS", "purpose": "production",
        "workloads": program::workloads(base), "requirements_content": {"collections": [{"name": "https://git.example.test/labs/core_workloads.git", "type": "git", "version": "main"},
            {"name": "kubernetes.core", "version": "5.0.0"}]},
        "ocp4_workload_showroom_content_git_repo": content, "ocp4_workload_showroom_content_git_repo_ref": reference, "ocp4_workload_showroom_namespace": "{{ sandbox_openshift_namespace }}",
        "common_password": "{{ lookup('community.general.random_string', length=16) }}", "ocp4_pull_secret": cast::secret("pull-secret", name),
        "satellite_activationkey": cast::secret("key", name), "student_name": "lab-user",
    });
    if cloud == "openshift_cnv" {
        definition["worker_instance_count"] = json!(if base.starts_with("ocp4-") { 1 } else { 0 });
        definition["host_ocp4_installer_version"] = json!("4.20");
    }
    if let Some(Item {
        seats: Seats::Shared(users),
        ..
    }) = item
    {
        definition["num_users"] = json!(users);
    }
    for (channel, value) in channels(base) {
        definition[*channel] = json!(value);
    }
    definition
}

/// Operator channels that items of a base demand. Every demo cluster subscribes to these, but for the two that
/// `generate::operators` lets drift. Nobody can compare the one that is a template, nor the one of OpenShift AI, whose package has another name.
fn channels(base: &str) -> &'static [(&'static str, &'static str)] {
    match base {
        "gitops-basics" => &[("ocp4_workload_openshift_gitops_channel", "gitops-1.18")],
        "pipelines" => &[("ocp4_workload_pipelines_channel", "pipelines-1.20")],
        "serverless" => &[("ocp4_workload_serverless_channel", "{{ serverless_channel_default }}")],
        "llm-serving" | "rag-workshop" => &[("ocp4_workload_openshift_ai_channel", "stable-2.25")],
        _ => &[],
    }
}

/// The AgnosticVRepos: one that works, one whose content cannot be merged.
pub(crate) fn repos(now: DateTime<Utc>, at: DateTime<Utc>) -> [Value; 2] {
    let make = |name: &str, status: Value| {
        let meta = Meta {
            kind: Kind::AgnosticVRepo,
            namespace: CONFIG_NAMESPACE,
            name,
            uid: &Seed::new(11).for_name(name).uuid(),
            created: at,
            deleted: None,
            labels: Value::Null,
            annotations: Value::Null,
            finalizers: &["gpte.redhat.com/agnosticv"],
        };
        let spec = json!({"url": format!("ssh://git@git.example.test/labs/{name}.git"), "ref": "main", "contextDir": "", "pollingInterval": "3m", "sshKey": "labs-ssh-key"});
        object(meta, json!({"spec": spec, "status": status}))
    };
    [
        make(REPO, json!({"git": {"commit": format!("{:016x}", Seed::new(12).bits())}})),
        make(
            "labs-next",
            json!({"error": {"message": "Failed to merge NEXT_LABS/TRYOUT/dev.yaml: could not find expected ':'", "timestamp": stamp(now - TimeDelta::hours(2))}}),
        ),
    ]
}
