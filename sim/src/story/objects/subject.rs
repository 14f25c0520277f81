//! AnarchySubjects, their actions and runs. Source: rhdp-contracts 1.2 and 1.3.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{Meta, maybe, object, without_nulls};
use crate::{
    clock::stamp,
    kinds::Kind,
    seed::Seed,
    story::{
        cast,
        job::{CONTROLLERS, Job},
        life::{ACTIONS_KEPT, RUNS_KEPT},
        order::{Action, Deed, Life, Order, Part, Place},
        plot::Plot,
        program::{self, LINKED},
    },
};

/// Annotations that tie a subject to its order.
fn annotations(plot: &Plot, order: &Order, part: &Part, index: usize) -> Value {
    let pool = order.pool.and_then(|pool| plot.pools.get(pool));
    let mut annotations = json!({
        "anarchy.gpte.redhat.com/spec-sha256": format!("{:064x}", Seed::new(1).for_name(&part.uid).bits()),
        "poolboy.gpte.redhat.com/resource-handle-name": order.handle(),
        "poolboy.gpte.redhat.com/resource-handle-namespace": "poolboy",
        "poolboy.gpte.redhat.com/resource-handle-uid": order.handle_uid,
        "poolboy.gpte.redhat.com/resource-index": index.to_string(),
        "poolboy.gpte.redhat.com/resource-provider-name": part.governor,
        "poolboy.gpte.redhat.com/resource-provider-namespace": "poolboy",
    });
    if let Some(pool) = pool {
        annotations["poolboy.gpte.redhat.com/resource-pool-name"] = json!(pool.name);
        annotations["poolboy.gpte.redhat.com/resource-pool-namespace"] = json!("poolboy");
    }
    if let Some(claim) = &order.claim {
        let person = &claim.person;
        for (key, value) in [
            ("resource-claim-name", &claim.name),
            ("resource-claim-namespace", &claim.namespace),
            ("resource-requester-user", &person.mail),
            ("resource-requester-email", &person.mail),
            ("resource-requester-name", &person.name),
            ("resource-requester-preferred-username", &person.user),
        ] {
            annotations[format!("poolboy.gpte.redhat.com/{key}")] = json!(value);
        }
    }
    annotations
}

/// What the governor hands to the deployer, with what it got from the Sandbox API: keys and passwords among it.
fn job_vars(order: &Order, part: &Part) -> Value {
    let mut vars = json!({
        "guid": part.guid, "uuid": part.uuid, "cloud_provider": part.cloud, "platform": "RHPDS",
        "sandbox_api_login_token": cast::secret("token", &part.guid),
    });
    if order.claim.is_some() && part.life.failed_to_provision() {
        vars["agnosticd_collect_forensics"] = json!(true);
    }
    match &part.place {
        Place::Namespace { cluster, namespace, .. } => {
            for (key, value) in [
                ("sandbox_openshift_name", format!("{}-{}", part.guid, part.uuid)),
                ("sandbox_openshift_namespace", namespace.clone()),
                ("sandbox_openshift_cluster", cluster.clone()),
                ("sandbox_openshift_api_url", format!("https://api.{cluster}.example.test:6443")),
                ("sandbox_openshift_apps_domain", format!("apps.{cluster}.example.test")),
                (
                    "sandbox_openshift_console_url",
                    format!("https://console-openshift-console.apps.{cluster}.example.test"),
                ),
                ("sandbox_openshift_api_key", cast::secret("token", &part.uuid)),
            ] {
                vars[key] = json!(value);
            }
        }
        Place::Account(account) => {
            for (key, value) in [
                ("sandbox_name", account.clone()),
                (
                    "sandbox_account_id",
                    format!("{:012}", Seed::new(2).for_name(account).bits() % 1_000_000_000_000),
                ),
                ("sandbox_zone", format!("{account}.example.test")),
                ("sandbox_aws_access_key_id", cast::secret("key", account)),
                ("sandbox_aws_secret_access_key", cast::secret("secret-key", account)),
            ] {
                vars[key] = json!(value);
            }
        }
        Place::Nowhere | Place::OnTop => {}
    }
    vars
}

/// What the deployer reported for the user: mostly credentials.
pub(crate) fn provision_data(part: &Part) -> Value {
    let mut data = json!({
        "bastion_ssh_password": cast::secret("password", &part.guid),
        "openshift_cluster_admin_token": cast::secret("token", &part.guid),
        "users": {"user1": {"password": cast::secret("password", "user1"), "login_command": format!("oc login --token={}", cast::secret("token", "user1"))}},
    });
    if let Some((cluster, namespace)) = part.lab() {
        data["lab_ui_url"] = json!(format!("https://showroom-{namespace}.apps.{cluster}.example.test"));
        data["openshift_kubeconfig"] = json!(format!(
            "apiVersion: v1\nkind: Config\nusers: [{{user: {{token: {}}}}}]",
            cast::secret("kubeconfig", &part.guid)
        ));
    }
    data
}

fn actions_and_jobs(plot: &Plot, part: &Part) -> (Map<String, Value>, Map<String, Value>) {
    let (mut actions, mut jobs) = (Map::new(), Map::new());
    for deed in part.deeds.iter().filter(|deed| deed.after.is_none()) {
        let (ended, state) = deed.ended.map_or((None, Value::Null), |(at, state)| (Some(at), json!(state)));
        let name = deed.action.as_str().to_owned();
        let action = json!({"startTimestamp": stamp(deed.asked), "completeTimestamp": maybe(ended), "state": state});
        actions.insert(name.clone(), without_nulls(action));
        let job = deed.job.and_then(|key| plot.jobs.get(&key));
        if let Some(Job {
            controller, id, created, ..
        }) = job
        {
            let host = CONTROLLERS.get(*controller).map_or("", |controller| controller.host);
            let job = json!({"deployerJob": id, "towerHost": host, "towerJobURL": format!("{host}#/jobs/{id}/"),
                "startTimestamp": stamp(*created), "completeTimestamp": maybe(ended), "jobStatus": state});
            jobs.insert(name, without_nulls(job));
        }
    }
    (actions, jobs)
}

/// One AnarchySubject.
pub(crate) fn subject(plot: &Plot, order: &Order, part: &Part, index: usize) -> Value {
    let item = order.item();
    let mut labels = json!({"anarchy.gpte.redhat.com/governor": part.governor});
    // The label lags behind when a deletion begins.
    let labelled = if part.life == Life::DestroyPending {
        Life::Started
    } else {
        part.life
    };
    if labelled != Life::New {
        labels["state"] = json!(labelled.as_str());
    }
    match &part.place {
        Place::Namespace { .. } => labels["OcpSandbox"] = json!(format!("{}-{}", part.guid, part.uuid)),
        Place::Account(account) => labels["AwsSandbox"] = json!(account),
        Place::Nowhere | Place::OnTop => {}
    }
    let provisioned = matches!(
        part.life,
        Life::Started
            | Life::StopPending
            | Life::Stopping
            | Life::Stopped
            | Life::StartPending
            | Life::Starting
            | Life::DestroyPending
            | Life::Destroying
            | Life::DestroyFailed
    );
    let window = json!({"start": stamp(order.created), "stop": stamp(order.created + TimeDelta::days(5)),
        "default_runtime": "8h", "maximum_runtime": "5d"});
    let mut vars = json!({
        "desired_state": part.life.desired(), "action_schedule": window, "job_vars": job_vars(order, part), "check_status_state": null,
    });
    if part.life != Life::New {
        vars["current_state"] = json!(part.life.as_str());
    }
    if provisioned {
        vars["healthy"] = json!(true);
        vars["provision_data"] = provision_data(part);
        vars["provision_messages"] = json!([format!("Your password is {}", cast::secret("password", &part.guid))]);
        vars["provision_message_body"] = json!([format!(
            "Sent to {}",
            order.claim.as_ref().map_or("nobody", |claim| &claim.person.mail)
        )]);
    } else if part.life.failed_to_provision() {
        vars["healthy"] = json!(false);
    }
    let (actions, jobs) = actions_and_jobs(plot, part);
    let mut status = json!({
        "runs": {"active": []}, "diffBase": "{}", "kopf": {"progress": {}},
        "supportedActions": {"start": {"description": "Start", "timeEstimate": "10m"}, "stop": {"description": "Stop", "timeEstimate": "5m"},
            "destroy": {}, "status": {}},
        "actions": actions, "towerJobs": jobs,
    });
    if item.cloud != "none" || index > 0 {
        status["runStatus"] = json!("successful");
        status["runStatusMessage"] = json!("");
    }
    if let Some(trouble) = &part.trouble {
        status["runStatus"] = json!(trouble.runner);
        status["runStatusMessage"] = json!(trouble.message);
    }
    if let Some(deed) = active(part) {
        status["activeAction"] = without_nulls(
            json!({"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchyAction", "name": deed.name,
            "namespace": part.namespace, "uid": deed.uid, "after": maybe(deed.after)}),
        );
    }
    let finalizers: &[&str] = if part.only_foreign_finalizer {
        &["demo.redhat.com/reporting"]
    } else {
        &[
            "anarchy.gpte.redhat.com",
            "anarchy.gpte.redhat.com/subject",
            "demo.redhat.com/reporting",
        ]
    };
    let meta = Meta {
        kind: Kind::AnarchySubject,
        namespace: &part.namespace,
        name: &part.name(),
        uid: &part.uid,
        created: order.created,
        deleted: order.leaving,
        labels,
        annotations: annotations(plot, order, part, index),
        finalizers,
    };
    object(
        meta,
        json!({"spec": {"governor": part.governor, "vars": vars, "varSecrets": [{"name": "sandbox-api", "namespace": part.namespace}]}, "status": status}),
    )
}

/// The action that holds the slot: asked for, not ended. One whose governor run is in trouble after a deletion holds none.
fn active(part: &Part) -> Option<&Deed> {
    part.last().filter(|deed| deed.ended.is_none())
}

/// The AnarchyActions and AnarchyRuns of a part that have not expired.
pub(crate) fn actions_and_runs(part: &Part, now: DateTime<Utc>) -> Vec<Value> {
    let mut objects = Vec::new();
    for deed in &part.deeds {
        let ended = deed.ended.map(|(at, _)| at);
        if ended.is_none_or(|at| now - at < ACTIONS_KEPT) {
            objects.push(action(part, deed));
        }
        let in_trouble = part.trouble.is_some() && ended.is_none();
        if in_trouble || now - ended.unwrap_or(now) < RUNS_KEPT && deed.after.is_none() {
            objects.push(run(part, deed, in_trouble));
        }
    }
    // A run of a subject event, not of an action.
    if part.trouble.is_some() && part.deeds.iter().all(|deed| deed.ended.is_some()) {
        objects.push(event_run(part));
    }
    objects
}

fn action(part: &Part, deed: &Deed) -> Value {
    let mut labels = json!({"anarchy.gpte.redhat.com/action": deed.action.as_str(), "anarchy.gpte.redhat.com/subject": part.name(),
        "anarchy.gpte.redhat.com/governor": part.governor});
    let mut status = json!({"runScheduled": stamp(deed.asked)});
    match deed.ended {
        Some((at, state)) => {
            labels["anarchy.gpte.redhat.com/finished"] = json!(state);
            status["state"] = json!(state);
            status["finishedTimestamp"] = json!(stamp(at));
        }
        None if deed.job.is_some() => status["state"] = json!("scheduled"),
        None if part.trouble.is_some() => status["state"] = json!("run failed"),
        None if deed.after.is_none() => status["state"] = json!("run pending"),
        None => {}
    }
    let mut spec = json!({"action": deed.action.as_str(), "callbackToken": cast::secret("callback-token", &deed.uid),
        "governorRef": {"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchyGovernor", "name": part.governor, "namespace": part.namespace},
        "subjectRef": {"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchySubject", "name": part.name(), "namespace": part.namespace, "uid": part.uid}});
    if let Some(after) = deed.after {
        spec["after"] = json!(stamp(after));
        spec["vars"] = json!({"action_retry_count": 1});
    }
    let meta = Meta {
        kind: Kind::AnarchyAction,
        namespace: &part.namespace,
        name: &deed.name,
        uid: &deed.uid,
        created: deed.asked,
        deleted: None,
        labels,
        annotations: Value::Null,
        finalizers: &["anarchy.gpte.redhat.com"],
    };
    object(meta, json!({"spec": spec, "status": status}))
}

fn run(part: &Part, deed: &Deed, in_trouble: bool) -> Value {
    let handler = json!({"type": "action", "name": deed.action.as_str(), "vars": {}});
    let reference = json!({"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchyAction", "name": deed.name, "namespace": part.namespace, "uid": deed.uid});
    make_run(part, &format!("{}-run", deed.uid), deed.asked, in_trouble, handler, reference)
}

fn event_run(part: &Part) -> Value {
    let since = part.trouble.as_ref().map_or(part.since, |trouble| trouble.since);
    let handler = json!({"type": "subjectEvent", "name": "delete", "vars": {}});
    make_run(part, &format!("{}-event", part.uid), since, true, handler, Value::Null)
}

fn make_run(part: &Part, key: &str, created: DateTime<Utc>, in_trouble: bool, handler: Value, action: Value) -> Value {
    let mut seed = Seed::new(3).for_name(key);
    let (uid, suffix) = (seed.uuid(), seed.suffix(5));
    let trouble = part.trouble.as_ref().filter(|_| in_trouble);
    let runner = trouble.map_or("successful", |trouble| trouble.runner);
    let result = match trouble {
        Some(trouble) => json!({"status": "failed", "statusMessage": trouble.message, "rc": 2,
            "ansibleRun": {"plays": [{"name": "Run", "tasks": [{"name": "Book", "result": {"invocation": {"token": cast::secret("token", key)}}}]}]}}),
        None => json!({"status": "successful", "rc": 0, "continueAction": {"after": stamp(created + TimeDelta::minutes(5)), "vars": {}}}),
    };
    let status = json!({"failures": trouble.map_or(0, |trouble| trouble.failures), "runner": "default", "runnerPod": {"name": format!("anarchy-runner-default-{suffix}")},
        "runPostTimestamp": stamp(created + TimeDelta::seconds(12)), "retryAfter": maybe(trouble.map(|trouble| trouble.since + TimeDelta::minutes(10))), "result": result});
    // The snapshot of the subject carries all its variables, secrets too.
    let subject = json!({"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchySubject", "name": part.name(), "namespace": part.namespace, "uid": part.uid,
        "vars": {"current_state": part.life.as_str(), "provision_data": provision_data(part)}});
    let governor =
        json!({"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchyGovernor", "name": part.governor, "namespace": part.namespace});
    let name = format!("{}-{suffix}", part.name());
    let meta = Meta {
        kind: Kind::AnarchyRun,
        namespace: &part.namespace,
        name: &name,
        uid: &uid,
        created,
        deleted: None,
        labels: json!({"anarchy.gpte.redhat.com/runner": runner, "anarchy.gpte.redhat.com/subject": part.name(), "anarchy.gpte.redhat.com/governor": part.governor}),
        annotations: Value::Null,
        finalizers: &[],
    };
    let spec = without_nulls(json!({"subject": subject, "governor": governor, "handler": handler, "action": action}));
    object(meta, json!({"spec": spec, "status": without_nulls(status)}))
}

/// The AnarchyGovernors: one for each component in every Anarchy namespace that has subjects of it.
pub(crate) fn governor(name: &str, namespace: &str, at: DateTime<Utc>) -> Value {
    let actions: Map<String, Value> = [Action::Provision, Action::Start, Action::Stop, Action::Destroy]
        .into_iter()
        .map(|action| {
            (
                action.as_str().to_owned(),
                json!({"callbackHandlers": [{"name": "complete", "tasks": []}], "roles": [{"role": "babylon_anarchy_governor"}]}),
            )
        })
        .collect();
    let item = program::ITEMS.iter().find(|item| item.name() == name);
    let cloud = item
        .map(|item| item.cloud)
        .or_else(|| LINKED.iter().find(|(linked, _)| *linked == name).map(|(_, cloud)| *cloud));
    let spec = json!({"actions": actions, "removeFinishedActions": {"after": "12h"}, "removeSuccessfulRuns": {"after": "3h"},
        "subjectEventHandlers": {"create": {"tasks": []}, "update": {"tasks": []}, "delete": {"tasks": []}},
        "varSecrets": [{"name": "babylon-platform"}],
        "vars": {"job_vars": {"cloud_provider": cloud, "__meta__": {"asset_uuid": asset_uuid(name), "deployer": {"type": "agnosticd"}}}}});
    let uid = Seed::new(4).for_name(namespace).for_name(name).uuid();
    let meta = Meta {
        kind: Kind::AnarchyGovernor,
        namespace,
        name,
        uid: &uid,
        created: at,
        deleted: None,
        labels: json!({"gpte.redhat.com/asset-uuid": asset_uuid(name)}),
        annotations: json!({"gpte.redhat.com/last-update": "{}"}),
        finalizers: &[],
    };
    object(meta, json!({"spec": spec}))
}

/// The id of a component that survives renames.
pub(crate) fn asset_uuid(component: &str) -> String {
    Seed::new(5).for_name(component).uuid()
}
