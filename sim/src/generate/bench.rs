//! Fleets for measurements: one cluster with thousands of labs, whose objects weigh on the wire what real ones weigh.
//!
//! A dozen prototype labs are built as usual in a scratch cluster while every drawn name is recorded. Their objects become
//! templates with slots where something was drawn, and each lab is those templates with a [`Stamp`] of its own.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{
    labs::{self, LabKind},
    platform,
};
use crate::{
    clock::SimClock,
    cluster::{Cluster, State},
    draw::Draw,
    fleet::Fleet,
    kinds::Kind,
    managed,
    seed::Seed,
    store::Store,
    template::{Slot, Stamp, Template},
    yard::{Container, Yard},
};

/// Namespace, guid and service of the prototypes; replaced by slots.
const NAMESPACE: &str = "sandbox-prototype-namespace";
const GUID: &str = "prototype-guid";
const SERVICE_UUID: &str = "prototype-service-uuid";

/// A lab as templates.
struct Prototype {
    kind: LabKind,
    templates: Vec<Arc<Template>>,
    pods: usize,
}

/// Builds one cluster with as many labs and pods.
pub(crate) fn fleet(seed: u64, namespaces: usize, pods: usize, clock: &SimClock) -> Fleet {
    let name = "bench-1";
    let root = Seed::new(seed);
    let cluster = Cluster::new(name, clock.clone(), &root);
    let now = clock.now();
    let mut labs = Vec::new();
    cluster.with(|state, _| {
        platform::build(state, name, 36, now, &mut root.for_name("platform"));
        let nodes: Arc<[String]> = state.draw.nodes.clone().into();
        let mut seed = root.for_name("labs");
        let wanted = pods / namespaces.max(1);
        // Two sizes of each kind, so that a remainder of pods can be spread.
        let prototypes: Vec<Prototype> = LabKind::ALL
            .iter()
            .flat_map(|kind| [wanted, wanted + 1].map(|pods| prototype(*kind, pods, &state.domain, &nodes, &root)))
            .collect();
        let mut left = pods;
        for number in 0..namespaces {
            let kind = number % LabKind::ALL.len();
            let larger = left > wanted * (namespaces - number);
            let Some(prototype) = prototypes.get(2 * kind + usize::from(larger)) else {
                continue;
            };
            left = left.saturating_sub(prototype.pods);
            let created = now - TimeDelta::minutes(seed.between(60, 4 * 24 * 60));
            let lab = labs::invent(name, prototype.kind, created, &mut seed);
            let stamp = Arc::new(Stamp {
                namespace: lab.namespace.as_str().into(),
                guid: lab.guid.as_str().into(),
                service_uuid: seed.uuid().into(),
                seed: seed.for_index(number as u64),
                created,
                nodes: Arc::clone(&nodes),
            });
            for template in &prototype.templates {
                state.store.put_stamped(template, &stamp);
            }
            labs.push(lab);
        }
        state.store.forget();
    });
    labs.sort_by(|left, right| left.namespace.cmp(&right.namespace));
    Fleet {
        clock: clock.clone(),
        clusters: vec![cluster],
        labs,
    }
}

/// Builds a lab with as many pods and makes templates of it.
fn prototype(kind: LabKind, pods: usize, domain: &str, nodes: &[String], root: &Seed) -> Prototype {
    let mut seed = root.for_name("prototype").for_index(u64::from(kind as u8));
    let created = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let mut state = State::new(
        Store::new(1),
        Draw::recording(seed.for_name("draws"), nodes.to_vec()),
        domain.to_owned(),
    );
    let mut yard = Yard {
        state: &mut state,
        namespace: NAMESPACE,
        at: created,
    };
    yard.open(&serde_json::json!({}));
    if kind != LabKind::Showroom {
        yard.sandbox_labels(GUID, SERVICE_UUID);
    }
    labs::fill(&mut yard, kind, &mut seed);
    let mut number = 0;
    while yard.state.store.count(Kind::Pod) < pods {
        let missing = pods - yard.state.store.count(Kind::Pod);
        number += 1;
        let name = format!("worker-{number}");
        let containers = [
            Container {
                variables: 14,
                ..Container::new("app", "app:3.2", Some(8080))
            },
            Container::new("proxy", "envoy:1.31", Some(8443)),
        ];
        yard.deployment_of(&name, i64::try_from(missing.min(3)).unwrap_or(3), &[], &containers, &[])
            .service(&name, 8080);
    }
    yard.close();

    let mut templates = Vec::new();
    for kind in Kind::ALL {
        let objects: Vec<Value> = state.store.objects(*kind, "").map(|object| object.value(created)).collect();
        templates.extend(objects.into_iter().map(|object| (*kind, object)));
    }
    let pods = state.store.count(Kind::Pod);
    let mut replacements = vec![
        (NAMESPACE.to_owned(), Slot::Namespace),
        (SERVICE_UUID.to_owned(), Slot::ServiceUuid),
        (GUID.to_owned(), Slot::Guid),
    ];
    replacements.extend(state.draw.into_recorded());
    let templates = templates.into_iter().map(|(kind, mut object)| {
        managed::add(&mut object);
        object["metadata"]["resourceVersion"] = Slot::Version.mark().into();
        mark(&mut object, &replacements, created);
        Arc::new(Template::compile(kind, object))
    });
    Prototype {
        kind,
        templates: templates.collect(),
        pods,
    }
}

/// Replaces what was drawn, and times, by the marks of their slots, in all strings and field names of a value.
pub(super) fn mark(value: &mut Value, replacements: &[(String, Slot)], created: DateTime<Utc>) {
    match value {
        Value::String(text) => {
            let after = DateTime::parse_from_rfc3339(text)
                .ok()
                .filter(|_| text.len() == 20)
                .map(|at| (at.to_utc() - created).num_seconds());
            if let Some(seconds) = after.and_then(|seconds| u16::try_from(seconds).ok()) {
                *text = Slot::After(seconds).mark();
                return;
            }
            replace(text, replacements);
        }
        Value::Array(members) => members.iter_mut().for_each(|member| mark(member, replacements, created)),
        Value::Object(fields) => {
            let names: Vec<String> = fields
                .keys()
                .filter(|name| replacements.iter().any(|(drawn, _)| name.contains(drawn.as_str())))
                .cloned()
                .collect();
            for name in names {
                if let Some(field) = fields.remove(&name) {
                    let mut marked = name;
                    replace(&mut marked, replacements);
                    fields.insert(marked, field);
                }
            }
            fields.values_mut().for_each(|field| mark(field, replacements, created));
        }
        _ => {}
    }
}

fn replace(text: &mut String, replacements: &[(String, Slot)]) {
    for (drawn, slot) in replacements {
        if text.contains(drawn.as_str()) {
            *text = text.replace(drawn.as_str(), &slot.mark());
        }
    }
}
