//! A small world with everything that a document can have: absent fields, maps, lists of records in records.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::super::schema::record;
use super::super::*;
use crate::unknown::UnknownReason;

#[derive(Debug, Clone)]
pub struct Container {
    pub name: String,
    pub size: f64,
    pub ports: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Pod {
    pub name: String,
    pub ready: bool,
    pub restarts: i64,
    pub node: Option<String>,
    pub containers: Vec<Container>,
}

record! {
    static CONTAINER for Container as "Container", called |it| ("Container", &it.name), "A container.";
    "name": Type::Text, "Its name." => |it, _| Value::text(&it.name);
    "size": Type::Double, "Its size." => |it, _| Value::Double(it.size);
    "ports": Type::List(Element::Text), "Its ports." => |it, _| Value::list(&it.ports);
}

record! {
    static POD for Pod as "Pod", called |it| ("Pod", &it.name), "A pod.";
    "name": Type::Text, "Its name." => |it, _| Value::text(&it.name);
    "ready": Type::Bool, "Whether it is ready." => |it, _| Value::Bool(it.ready);
    "restarts": Type::Int, "How often it began anew." => |it, _| Value::Int(it.restarts);
    "node": Type::Text, "Where it runs; absent before it does." => |it, _| Value::or_absent(it.node.as_deref(), Value::text);
    "containers": Type::List(Element::Record(&CONTAINER)), "What runs in it." => |it, _| Value::list(&it.containers);
}

#[derive(Debug, Clone)]
pub struct World {
    pub healthy: bool,
    pub replicas: i64,
    pub load: f64,
    pub phase: String,
    pub labels: BTreeMap<String, String>,
    pub tags: Vec<String>,
    pub pods: Vec<Pod>,
}

pub fn schema() -> Schema {
    [
        Variable::fixed("healthy", Type::Bool, "Whether all is well."),
        Variable::fixed("replicas", Type::Int, "How many."),
        Variable::fixed("load", Type::Double, "How busy."),
        Variable::fixed("phase", Type::Text, "How far."),
        Variable::fixed("labels", Type::Map, "What it is called."),
        Variable::fixed("tags", Type::List(Element::Text), "What it is for."),
        Variable::fixed("pods", Type::List(Element::Record(&POD)), "What runs."),
    ]
    .into_iter()
    .collect()
}

pub const PODS: usize = 6;

fn pod(name: &str, ready: bool, restarts: i64, node: Option<&str>) -> Pod {
    Pod {
        name: name.to_owned(),
        ready,
        restarts,
        node: node.map(str::to_owned),
        containers: vec![Container {
            name: "app".to_owned(),
            size: 1.5,
            ports: Vec::new(),
        }],
    }
}

impl Default for World {
    fn default() -> Self {
        Self {
            healthy: true,
            replicas: 2,
            load: 0.75,
            phase: "started".to_owned(),
            labels: [("tier".to_owned(), "gold".to_owned())].into(),
            tags: vec!["a".to_owned(), "b".to_owned()],
            pods: vec![pod("web-1", true, 0, Some("worker-1")), pod("web-2", false, 7, None)],
        }
    }
}

impl World {
    pub fn with_pods(count: usize) -> Self {
        Self {
            pods: (0..count)
                .map(|at| pod(&format!("web-{at}"), at % 2 == 0, 0, Some("worker-1")))
                .collect(),
            ..Self::default()
        }
    }
}

impl Document for World {
    fn variable(&self, index: usize) -> Value<'_> {
        match index {
            0 => Value::Bool(self.healthy),
            1 => Value::Int(self.replicas),
            2 => Value::Double(self.load),
            3 => Value::text(&self.phase),
            4 => Value::Map(&self.labels),
            5 => Value::list(&self.tags),
            _ => Value::list(&self.pods),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

/// A world of which some was not read.
pub struct Masked<'a> {
    world: &'a World,
    unknown: BTreeMap<usize, UnknownReason>,
    pods: Option<(Vec<Pod>, UnknownReason)>,
}

impl<'a> Masked<'a> {
    pub fn unknown(world: &'a World, name: &str, reason: UnknownReason) -> Self {
        let (index, _) = schema()
            .variable(name)
            .map(|(index, variable)| (index, variable.ty))
            .expect("a variable");
        Self::all_of(world, [index], reason)
    }

    pub fn all_of(world: &'a World, indices: impl IntoIterator<Item = usize>, reason: UnknownReason) -> Self {
        Self {
            world,
            unknown: indices.into_iter().map(|index| (index, reason)).collect(),
            pods: None,
        }
    }

    /// Only the first pods were read.
    pub fn partly(world: &'a World, pods: usize, reason: UnknownReason) -> Self {
        Self {
            world,
            unknown: BTreeMap::new(),
            pods: Some((world.pods.iter().take(pods).cloned().collect(), reason)),
        }
    }
}

impl Document for Masked<'_> {
    fn variable(&self, index: usize) -> Value<'_> {
        match (self.unknown.get(&index), &self.pods) {
            (Some(reason), _) => Value::Unknown(*reason),
            (None, Some((pods, reason))) if index == PODS => Value::List(List::of(pods, Some(*reason))),
            _ => self.world.variable(index),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.now()
    }
}
