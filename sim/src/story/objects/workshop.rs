//! Workshops, their provisions, and the event that groups them. Source: rhdp-contracts 3.3 to 3.5.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{Meta, object};
use crate::{
    clock::stamp,
    kinds::Kind,
    seed::Seed,
    story::{
        cast,
        order::{Life, Order},
        plot::{Plot, Workshop},
        program::{EVENT, ITEMS},
    },
};

fn seats_of(plot: &Plot, position: usize) -> Vec<&Order> {
    let belongs = |order: &&Order| order.claim.as_ref().is_some_and(|claim| claim.workshop == Some(position));
    plot.orders.iter().filter(belongs).collect()
}

struct Count {
    claims: usize,
    failed: usize,
    active: usize,
    provisioning: usize,
}

/// How the workshop manager counts: a canceled provision is not failed, and may even count as active.
fn count(seats: &[&Order]) -> Count {
    let live: Vec<&&Order> = seats
        .iter()
        .filter(|order| !order.parts.is_empty() && order.leaving.is_none())
        .collect();
    let is = |wanted: fn(Life) -> bool| live.iter().filter(|order| wanted(order.life())).count();
    Count {
        claims: seats.len(),
        failed: is(|life| matches!(life, Life::ProvisionFailed | Life::ProvisionError)),
        active: is(|life| matches!(life, Life::Started | Life::Stopped | Life::ProvisionCanceled)),
        provisioning: is(|life| matches!(life, Life::ProvisionPending | Life::ProvisionQueued | Life::Provisioning)),
    }
}

/// A Workshop and its WorkshopProvision.
pub(crate) fn workshop(plot: &Plot, position: usize, workshop: &Workshop) -> [Value; 2] {
    let Some(item) = ITEMS.get(workshop.item) else {
        return [Value::Null, Value::Null];
    };
    let seats = seats_of(plot, position);
    let count = count(&seats);
    let mut seed = Seed::new(13).for_name(&workshop.name);
    let assigned = workshop.count / 2;
    let assignments: Vec<Value> = (0..assigned.min(6))
        .map(|number| {
            let person = cast::person(&mut seed);
            json!({"email": person.mail, "name": person.name, "userName": format!("user{number}"), "resourceClaimName": "any",
                "data": {"password": cast::secret("password", &format!("{}-{number}", workshop.id))}})
        })
        .collect();
    let claims: Map<String, Value> = seats
        .iter()
        .filter_map(|order| order.claim.as_ref())
        .map(|claim| (claim.name.clone(), json!({"workshopProvision": workshop.name})))
        .collect();
    let mut labels = json!({"babylon.gpte.redhat.com/workshop-id": workshop.id, "babylon.gpte.redhat.com/multiworkshop": EVENT, "babylon.gpte.redhat.com/asset-key": item.code,
        "babylon.gpte.redhat.com/catalogItemName": item.name(), "babylon.gpte.redhat.com/catalogItemNamespace": item.catalog()});
    if workshop.locked {
        labels["demo.redhat.com/lock-enabled"] = json!("true");
    }
    let window = json!({"start": stamp(workshop.created), "stop": stamp(workshop.created + TimeDelta::days(9))});
    let lifespan = json!({"start": stamp(workshop.created), "end": stamp(workshop.created + TimeDelta::days(10)), "readyBy": stamp(workshop.created + TimeDelta::days(5)),
        "maximum": "14d", "relativeMaximum": "14d"});
    let first = Meta {
        kind: Kind::Workshop,
        namespace: &workshop.namespace,
        name: &workshop.name,
        uid: &workshop.uid,
        created: workshop.created,
        deleted: None,
        labels,
        annotations: json!({"demo.redhat.com/orderedBy": workshop.person.mail, "demo.redhat.com/requester": workshop.person.mail, "demo.redhat.com/purpose": "Customer Facing"}),
        finalizers: &["babylon.gpte.redhat.com"],
    };
    let one = object(
        first,
        json!({"spec": {"displayName": item.title, "description": "Event", "multiuserServices": false, "openRegistration": true, "provisionDisabled": false,
                "accessPassword": cast::secret("password", &workshop.id), "actionSchedule": window, "lifespan": lifespan},
            "status": {"provisionCount": {"ordered": count.claims, "failed": count.failed, "active": count.active, "retries": count.failed},
                "userCount": {"total": workshop.count, "assigned": assigned, "available": workshop.count.saturating_sub(assigned)},
                "resourceClaims": claims, "workshopProvisions": {&workshop.name: {}}, "userAssignments": assignments, "workshopURL": workshop.url()}}),
    );
    let second = Meta {
        kind: Kind::WorkshopProvision,
        namespace: &workshop.namespace,
        name: &workshop.name,
        uid: &workshop.provision_uid,
        created: workshop.created,
        deleted: None,
        labels: json!({"babylon.gpte.redhat.com/workshop": workshop.name, "babylon.gpte.redhat.com/workshop-id": workshop.id}),
        annotations: Value::Null,
        finalizers: &["babylon.gpte.redhat.com"],
    };
    let two = object(
        second,
        json!({"spec": {"catalogItem": {"name": item.name(), "namespace": item.catalog()}, "workshopName": workshop.name, "count": workshop.count, "concurrency": 10, "startDelay": 10,
                "parameters": {"purpose": "event", "password": cast::secret("password", &workshop.name)}, "actionSchedule": window,
                "resourcePool": if item.short.starts_with("lb12") { "disabled".to_owned() } else { plot.pools.iter().find(|pool| pool.item == workshop.item).map(|pool| pool.name.clone()).unwrap_or_default() }},
            "status": {"resourceClaimCount": count.claims, "failedCount": count.failed, "retryCount": count.failed, "activeCount": count.active, "provisioningCount": count.provisioning}}),
    );
    [one, two]
}

/// The MultiWorkshop: the event.
pub(crate) fn multi_workshop(plot: &Plot, at: DateTime<Utc>) -> Value {
    let assets: Vec<Value> = plot
        .workshops
        .iter()
        .filter_map(|workshop| {
            let item = ITEMS.get(workshop.item)?;
            Some(json!({"key": item.code, "type": "Workshop", "name": workshop.name, "namespace": workshop.namespace, "workshopId": workshop.id, "displayName": item.title}))
        })
        .collect();
    let seats: usize = plot.workshops.iter().map(|workshop| workshop.count).sum();
    let meta = Meta {
        kind: Kind::MultiWorkshop,
        namespace: "babylon-multi-workshops",
        name: EVENT,
        uid: &Seed::new(14).for_name(EVENT).uuid(),
        created: at,
        deleted: None,
        labels: Value::Null,
        annotations: Value::Null,
        finalizers: &[],
    };
    let spec = json!({"name": EVENT, "displayName": "TechFest 2026", "startDate": stamp(plot.began - TimeDelta::days(1)), "endDate": stamp(plot.began + TimeDelta::days(3)),
        "numberSeats": seats, "purpose": "Customer Facing", "purpose-activity": "Event", "assets": assets, "salesforceItems": []});
    object(meta, json!({"spec": spec}))
}
