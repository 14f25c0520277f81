//! Handles, claims, pools and providers. Source: rhdp-contracts 2.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Meta, object, subject, without_nulls};
use crate::{
    clock::stamp,
    kinds::Kind,
    seed::Seed,
    story::{
        cast,
        order::{Claim, Life, Order, Part, Waiting},
        plot::{Plot, Pool},
        program::{Item, LINKED, PoolFate},
    },
};

/// The namespace of Poolboy.
pub(crate) const NAMESPACE: &str = "poolboy";

fn reference(part: &Part) -> Value {
    json!({"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchySubject", "name": part.name(), "namespace": part.namespace})
}

fn provider_reference(name: &str) -> Value {
    json!({"apiVersion": "poolboy.gpte.redhat.com/v1", "kind": "ResourceProvider", "name": name, "namespace": NAMESPACE})
}

/// Both values over all parts: false when any is, unknown when any is unknown.
fn all(values: impl Iterator<Item = Option<bool>> + Clone) -> Option<bool> {
    let known = values.clone().all(|value| value.is_some());
    if values.into_iter().any(|value| value == Some(false)) {
        return Some(false);
    }
    known.then_some(true)
}

/// The ResourceHandle of an order.
pub(crate) fn handle(plot: &Plot, order: &Order) -> Value {
    let pool = order.pool.and_then(|pool| plot.pools.get(pool));
    let mut labels = json!({"poolboy.gpte.redhat.com/resource-handler-idx": "0"});
    if let Some(pool) = pool {
        labels["poolboy.gpte.redhat.com/resource-pool-name"] = json!(pool.name);
        labels["poolboy.gpte.redhat.com/resource-pool-namespace"] = json!(NAMESPACE);
    }
    let claim = order.claim.as_ref().map(|claim| {
        json!({"apiVersion": "poolboy.gpte.redhat.com/v1", "kind": "ResourceClaim", "name": claim.name, "namespace": claim.namespace})
    });
    if let Some(claim) = &order.claim {
        labels["poolboy.gpte.redhat.com/resource-claim-name"] = json!(claim.name);
        labels["poolboy.gpte.redhat.com/resource-claim-namespace"] = json!(claim.namespace);
    }
    let pool = pool
        .map(|pool| json!({"apiVersion": "poolboy.gpte.redhat.com/v1", "kind": "ResourcePool", "name": pool.name, "namespace": NAMESPACE}));
    let resources: Vec<Value> = order
        .parts
        .iter()
        .map(|part| {
            json!({"name": part.governor, "provider": provider_reference(&part.governor), "reference": reference(part),
            "template": {"spec": {"vars": {"job_vars": {"guid": part.guid, "admin_password": cast::secret("password", &part.guid)}}}}})
        })
        .collect();
    let standing: Vec<Value> = order
        .parts
        .iter()
        .map(|part| {
            without_nulls(
                json!({"name": part.governor, "reference": reference(part), "healthy": part.life.healthy(), "ready": part.life.ready()}),
            )
        })
        .collect();
    let spec = without_nulls(json!({"resourceClaim": claim, "resourcePool": pool, "resources": resources,
        "provider": {"name": order.item().name(), "parameterValues": {"purpose": "event"}}, "vars": {"note": cast::secret("note", &order.guid)},
        "lifespan": {"default": "5d", "end": stamp(order.created + TimeDelta::days(5)), "maximum": "14d", "relativeMaximum": "7d"}}));
    let status = without_nulls(json!({"resources": standing,
        "healthy": all(order.parts.iter().map(|part| part.life.healthy())), "ready": all(order.parts.iter().map(|part| part.life.ready()))}));
    let meta = Meta {
        kind: Kind::ResourceHandle,
        namespace: NAMESPACE,
        name: &order.handle(),
        uid: &order.handle_uid,
        created: order.created,
        deleted: order.leaving,
        labels,
        annotations: Value::Null,
        finalizers: &["poolboy.gpte.redhat.com/handler"],
    };
    object(meta, json!({"spec": spec, "status": status}))
}

/// The ResourceClaim of an order.
pub(crate) fn claim(plot: &Plot, order: &Order, claim: &Claim) -> Value {
    let item = order.item();
    let meta = Meta {
        kind: Kind::ResourceClaim,
        namespace: &claim.namespace,
        name: &claim.name,
        uid: &claim.uid,
        created: claim.created,
        deleted: order.leaving,
        labels: claim_labels(plot, item, claim),
        annotations: json!({
            "babylon.gpte.redhat.com/catalogDisplayName": "Labs", "babylon.gpte.redhat.com/catalogItemDisplayName": item.title,
            "babylon.gpte.redhat.com/category": "Workshops", "babylon.gpte.redhat.com/url": "https://catalog.example.test",
            "demo.redhat.com/purpose": if item.code.is_some() { "Customer Facing" } else { "Practice / Enablement" },
            "demo.redhat.com/purpose-activity": if item.code.is_some() { "Event" } else { "Learning about the product" },
            "demo.redhat.com/requester": claim.person.mail, "demo.redhat.com/orderedBy": claim.person.mail,
            "demo.redhat.com/salesforce-id": "006000000000000", "poolboy.gpte.redhat.com/resource-claim-init-timestamp": stamp(claim.created),
        }),
        finalizers: &["poolboy.gpte.redhat.com/handler"],
    };
    let start = match claim.waiting {
        Some(Waiting::Start(at)) => json!({"start": stamp(at), "end": stamp(at + TimeDelta::days(2))}),
        _ => Value::Null,
    };
    let spec = without_nulls(
        json!({"provider": {"name": item.name(), "parameterValues": {"purpose": "event", "password": cast::secret("password", &claim.name)}},
        "lifespan": start, "autoDelete": {"when": "false"}}),
    );
    object(meta, json!({"spec": spec, "status": claim_status(plot, order, claim)}))
}

fn claim_labels(plot: &Plot, item: &Item, claim: &Claim) -> Value {
    let mut labels = json!({"babylon.gpte.redhat.com/catalogItemName": item.name(), "babylon.gpte.redhat.com/catalogItemNamespace": item.catalog(),
        "gpte.redhat.com/asset-uuid": subject::asset_uuid(&item.name())});
    if let Some(workshop) = claim.workshop.and_then(|position| plot.workshops.get(position)) {
        labels["babylon.gpte.redhat.com/workshop"] = json!(workshop.name);
        labels["babylon.gpte.redhat.com/workshop-id"] = json!(workshop.id);
        labels["babylon.gpte.redhat.com/workshop-uid"] = json!(workshop.uid);
        labels["babylon.gpte.redhat.com/workshop-provision"] = json!(workshop.name);
    } else if claim.uid.starts_with('7') {
        labels["demo.redhat.com/white-glove"] = json!("true");
    }
    labels
}

fn claim_status(plot: &Plot, order: &Order, claim: &Claim) -> Value {
    let item = order.item();
    let (account, short, stage) = (item.account, item.short, item.stage);
    let state = match claim.waiting {
        Some(Waiting::Approval) => "requested",
        Some(Waiting::Start(_)) => "start-scheduled",
        Some(Waiting::Invalid) => "validation-failed",
        None if order.parts.is_empty() => "requested",
        None if order.life() == Life::New => "initializing",
        None => order.life().as_str(),
    };
    let mut summary = json!({"state": state, "catalog_item_name": item.name(), "catalog_item_namespace": item.catalog(),
        "runtime_default": "8h", "runtime_maximum": "5d", "supportedActions": {"start": {}, "stop": {}},
        "agnosticv": {"account": account, "short_name": short, "stage": stage, "asset_uuid": subject::asset_uuid(&item.name()), "path": item.path(), "repo": "labs"}});
    if let Some(part) = order.parts.first().filter(|part| part.life == Life::Started) {
        summary["provision_data"] = subject::provision_data(part);
    }
    let resources: Vec<Value> = order
        .parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            without_nulls(
                json!({"name": part.governor, "provider": provider_reference(&part.governor), "reference": reference(part),
                "healthy": part.life.healthy(), "ready": part.life.ready(), "state": subject::subject(plot, order, part, index)}),
            )
        })
        .collect();
    let mut status = json!({"resources": resources, "summary": summary, "provider": {"name": item.name(), "parameterValues": {}},
        "lifespan": without_nulls(json!({"start": stamp(claim.created), "end": stamp(claim.created + TimeDelta::days(5)), "maximum": "14d",
            "relativeMaximum": "7d", "firstReady": super::maybe(order.first_ready)}))});
    if !order.parts.is_empty() || claim.detached {
        status["resourceHandle"] =
            json!({"apiVersion": "poolboy.gpte.redhat.com/v1", "kind": "ResourceHandle", "name": order.handle(), "namespace": NAMESPACE});
    }
    if claim.detached {
        status["resourceHandle"]["detached"] = json!(true);
    }
    match claim.waiting {
        Some(Waiting::Approval) => status["approval"] = json!({"state": "pending", "message": format!("waits for {}", claim.person.name)}),
        Some(Waiting::Invalid) => status["provider"]["validationErrors"] = json!(["num_users: 400 is greater than the maximum of 60"]),
        _ => {}
    }
    if !order.parts.is_empty() {
        let healthy = all(order.parts.iter().map(|part| part.life.healthy()));
        let ready = all(order.parts.iter().map(|part| part.life.ready()));
        status["healthy"] = json!(healthy);
        status["ready"] = json!(ready);
    }
    without_nulls(status)
}

/// A ResourcePool.
pub(crate) fn pool(plot: &Plot, position: usize, pool: &Pool, at: DateTime<Utc>) -> Value {
    let unbound: Vec<&Order> = plot.waiting_in(position).collect();
    let ready = unbound.iter().filter(|order| order.life().ready() == Some(true)).count();
    let handles: Vec<Value> = unbound
        .iter()
        .map(|order| without_nulls(json!({"name": order.handle(), "healthy": order.life().healthy(), "ready": order.life().ready()})))
        .collect();
    let item = crate::story::program::ITEMS.get(pool.item).map(Item::name).unwrap_or_default();
    let spec = without_nulls(
        json!({"minAvailable": pool.min, "maxUnready": pool.max_unready, "deleteUnhealthyResourceHandles": true,
        "lifespan": {"default": "5d", "maximum": "14d", "relativeMaximum": "7d", "unclaimed": "10d"},
        "provider": {"name": item, "parameterValues": {"purpose": "event"}}, "vars": {"note": cast::secret("note", &pool.name)}}),
    );
    let meta = Meta {
        kind: Kind::ResourcePool,
        namespace: NAMESPACE,
        name: &pool.name,
        uid: &pool.uid,
        created: at,
        deleted: None,
        labels: json!({format!("resource-provider.demo.redhat.com/{item}"): "", "cloud-provider.demo.redhat.com/openshift_cnv": ""}),
        annotations: json!({"argocd.argoproj.io/tracking-id": format!("pools:poolboy.gpte.redhat.com/ResourcePool:poolboy/{}", pool.name)}),
        finalizers: &["poolboy.gpte.redhat.com/handler"],
    };
    object(
        meta,
        json!({"spec": spec, "status": {"resourceHandleCount": {"available": unbound.len(), "ready": ready}, "resourceHandles": handles}}),
    )
}

/// The ResourceProvider of an item.
pub(crate) fn provider(item: &Item, at: DateTime<Utc>) -> Value {
    let linked: Vec<Value> = item
        .linked
        .iter()
        .map(|name| json!({"name": name, "resourceName": name, "waitFor": "linked_resource_state.spec.vars.current_state == 'started'", "parameterValues": {}}))
        .collect();
    make_provider(
        &item.name(),
        json!({"babylon.gpte.redhat.com/catalogItemName": item.name(), "babylon.gpte.redhat.com/catalogItemNamespace": item.catalog(),
            "gpte.redhat.com/asset-uuid": subject::asset_uuid(&item.name())}),
        item.pool == Some(PoolFate::ProviderDisabled),
        &linked,
        &item.anarchy_namespace(""),
        at,
    )
}

/// The ResourceProviders of components that nobody orders.
pub(crate) fn linked_providers(at: DateTime<Utc>) -> impl Iterator<Item = Value> {
    LINKED.iter().map(move |(name, _)| {
        make_provider(
            name,
            json!({"gpte.redhat.com/asset-uuid": subject::asset_uuid(name)}),
            false,
            &[],
            "babylon-anarchy-1",
            at,
        )
    })
}

fn make_provider(name: &str, labels: Value, disabled: bool, linked: &[Value], anarchy: &str, at: DateTime<Utc>) -> Value {
    let mut spec = json!({
        "approval": {"required": false}, "linkedResourceProviders": linked, "lifespan": {"default": "5d", "maximum": "14d", "relativeMaximum": "7d"},
        "healthCheck": "spec.vars.current_state in ['started', 'stopped']", "readinessCheck": "spec.vars.current_state == spec.vars.desired_state",
        "parameters": [{"name": "purpose", "required": true, "allowUpdate": false, "validation": {"openAPIV3Schema": {"type": "string"}}},
            {"name": "start_timestamp", "required": false, "allowUpdate": true}, {"name": "stop_timestamp", "required": false, "allowUpdate": true}],
        "override": {"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchySubject", "metadata": {"namespace": anarchy},
            "spec": {"governor": name, "vars": {"job_vars": {"admin_password": cast::secret("password", name)}}}},
        "updateFilters": [{"pathMatch": "/spec/vars/action_schedule/.*", "allowedOps": ["add", "replace"]}, {"pathMatch": "/spec/vars/desired_state", "allowedOps": ["add", "replace"]},
            {"pathMatch": "/spec/vars/check_status_request_timestamp", "allowedOps": ["add", "replace"]}],
    });
    if disabled {
        spec["disableCreation"] = json!(true);
    }
    let uid = Seed::new(6).for_name(name).uuid();
    let meta = Meta {
        kind: Kind::ResourceProvider,
        namespace: NAMESPACE,
        name,
        uid: &uid,
        created: at,
        deleted: None,
        labels,
        annotations: Value::Null,
        finalizers: &[],
    };
    object(meta, json!({"spec": spec}))
}
