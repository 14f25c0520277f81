//! Sets up the namespace in a simulated cluster, and takes every object of it out.
//!
//! Commands of `build`, each on its own line; what follows `ago` is younger than the namespace:
//!
//! ```text
//! sandbox                          labels of the Sandbox API and a quota      ago -40m
//! deployment NAME REPLICAS         stateful-set NAME REPLICAS    daemon-set NAME NODES    deployment-config NAME REPLICAS
//! containers NAME REPLICAS A+B [INIT+INIT]    a Deployment of several containers
//! service NAME [APP]  headless NAME [APP]     route NAME SERVICE [reencrypt|passthrough]  ingress NAME SERVICE
//! claim NAME SIZE   machine NAME OS   halted-machine NAME   showroom   model NAME
//! job NAME done|failed   cron-job NAME   builds NAME NUMBER   stray-pod NAME
//! ```
//!
//! States of pods: `ready`, `unready C`, `creating`, `unschedulable`, `waiting C REASON`, `crashing C RESTARTS EXIT REASON`,
//! `succeeded`, `failed EXIT`, `evicted`; `C` is a container, `-` the first.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use stargate_sim::yard::{Container, Termination};
use stargate_sim::{Cluster, Fault, Kind, PodState, Seed, SimClock, Yard};

use crate::recipe::{PodEdit, Recipe};

/// The objects of a namespace, by kind, and what they were made with.
pub struct World {
    pub at: DateTime<Utc>,
    pub namespace: String,
    /// Kind to its objects, in the order in which the API lists them.
    pub objects: BTreeMap<String, Vec<Value>>,
    /// Chance, for what is added later.
    pub seed: Seed,
}

/// A moment: `-40m`, `+1h30m`, or RFC 3339.
pub fn moment(text: &str, at: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    if let Some(offset) = offset(text) {
        return Ok(at + offset);
    }
    Ok(DateTime::parse_from_rfc3339(text)
        .with_context(|| format!("`{text}` is no time"))?
        .to_utc())
}

/// A sign, then numbers with units.
pub fn offset(text: &str) -> Option<TimeDelta> {
    let (sign, mut rest) = match text.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => return None,
    };
    let mut seconds = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).filter(|&digits| digits > 0)?;
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        seconds += number
            * match rest.as_bytes().get(digits)? {
                b'd' => 86_400,
                b'h' => 3_600,
                b'm' => 60,
                b's' => 1,
                _ => return None,
            };
        rest = rest.get(digits + 1..)?;
    }
    (text.len() > 1).then(|| TimeDelta::seconds(sign * seconds))
}

/// A moment as Kubernetes writes it.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Builds what a recipe says.
pub fn set(name: &str, recipe: &Recipe) -> anyhow::Result<World> {
    let seed = Seed::new(3).for_name(name);
    let cluster = Cluster::new("cluster-a", SimClock::starting_at(recipe.at), &seed);
    cluster.furnish(recipe.nodes.as_ref().map_or(6, |nodes| nodes.cpu.len()));
    build(&cluster, recipe)?;
    for fault in &recipe.faults {
        for (fault, since) in fault {
            let known = Fault::ALL.iter().find(|known| format!("{known:?}") == *fault);
            let known = *known.with_context(|| format!("there is no fault {fault}"))?;
            let since = moment(since, recipe.at)?;
            if !cluster.inject_since(&recipe.namespace, known, since) {
                bail!("{fault} finds nothing to break");
            }
        }
    }
    cluster.set_controllers(false);
    let mut pods: Vec<(DateTime<Utc>, &PodEdit)> = Vec::new();
    for pod in &recipe.pods {
        pods.push((moment(pod.missed.as_ref().unwrap_or(&pod.since), recipe.at)?, pod));
    }
    pods.sort_by_key(|(missed, _)| *missed);
    for (missed, pod) in pods {
        put(&cluster, recipe, pod)?;
        cluster.derive_status(&recipe.namespace, missed);
    }
    Ok(take(&cluster, recipe, seed))
}

fn build(cluster: &Cluster, recipe: &Recipe) -> anyhow::Result<()> {
    let mut made = moment(&recipe.age, recipe.at)?;
    let mut commands = recipe.build.as_slice();
    loop {
        let group = commands
            .iter()
            .position(|command| command.starts_with("ago "))
            .unwrap_or(commands.len());
        let (now, later) = commands.split_at(group);
        let mut problem = None;
        cluster.build(&recipe.namespace, made, |yard| {
            for command in now {
                let words: Vec<&str> = command.split_whitespace().collect();
                if let Err(error) = obey(yard, &words, &recipe.namespace) {
                    problem = problem.take().or(Some(error.context(format!("`{command}`"))));
                }
            }
        });
        if let Some(problem) = problem {
            return Err(problem);
        }
        let Some((ago, rest)) = later.split_first() else { return Ok(()) };
        made = moment(ago.trim_start_matches("ago "), recipe.at)?;
        commands = rest;
    }
}

/// The guid in the name of a namespace, or one made of the name.
pub fn guid(namespace: &str) -> String {
    namespace
        .strip_prefix("sandbox-")
        .and_then(|rest| rest.split('-').next())
        .unwrap_or("x7x7x")
        .to_owned()
}

/// The uuid of the service that a namespace belongs to.
pub fn service_uuid(namespace: &str) -> String {
    Seed::new(9).for_name(namespace).uuid()
}

fn obey(yard: &mut Yard<'_>, words: &[&str], namespace: &str) -> anyhow::Result<()> {
    let number = |text: &str| text.parse::<i64>().with_context(|| format!("`{text}` is no number"));
    match *words {
        ["sandbox"] => yard.sandbox_labels(&guid(namespace), &service_uuid(namespace)),
        ["deployment", name, replicas] => yard.deployment(name, number(replicas)?),
        ["containers", name, replicas, containers] => several(yard, name, number(replicas)?, containers, ""),
        ["containers", name, replicas, containers, init] => several(yard, name, number(replicas)?, containers, init),
        ["stateful-set", name, replicas] => yard.stateful_set(name, number(replicas)?),
        ["daemon-set", name, nodes] => yard.daemon_set(name, nodes.parse()?),
        ["deployment-config", name, replicas] => yard.deployment_config(name, number(replicas)?),
        ["service", name] => yard.service(name, 8080),
        ["service", name, app] => yard.service_for(name, &json!({"app": app}), 8080, false),
        ["headless", name] => yard.service_for(name, &json!({"app": name}), 8080, true),
        ["headless", name, app] => yard.service_for(name, &json!({"app": app}), 8080, true),
        ["route", name, service] => yard.route(name, service),
        ["route", name, service, "reencrypt"] => yard.route_with(name, service, Termination::Reencrypt),
        ["route", name, service, "passthrough"] => yard.route_with(name, service, Termination::Passthrough),
        ["ingress", name, service] => yard.ingress(name, service, 8080),
        ["claim", name, size] => yard.claim(name, size),
        ["machine", name, os] => yard.machine(name, os),
        ["halted-machine", name] => yard.halted_machine(name),
        ["showroom"] => yard.showroom(),
        ["model", name] => yard.inference_service(name),
        ["job", name, how @ ("done" | "failed")] => yard.job(name, how == "done"),
        ["cron-job", name] => yard.cron_job(name),
        ["builds", name, number] => yard.build(name, number.parse()?),
        ["stray-pod", name] => yard.stray_pod(name),
        _ => bail!("there is no such command"),
    };
    Ok(())
}

fn several<'a, 'b>(yard: &'a mut Yard<'b>, name: &str, replicas: i64, containers: &str, init: &str) -> &'a mut Yard<'b> {
    let make = |(index, name): (usize, &str)| Container::new(name, &format!("{name}:1.0"), (index == 0).then_some(8080));
    let containers: Vec<Container> = containers.split('+').enumerate().map(make).collect();
    let init: Vec<Container> = init
        .split('+')
        .filter(|name| !name.is_empty())
        .map(|name| make((1, name)))
        .collect();
    yard.deployment_of(name, replicas, &init, &containers, &[])
}

fn put(cluster: &Cluster, recipe: &Recipe, edit: &PodEdit) -> anyhow::Result<()> {
    let pods = cluster.list(Kind::Pod, &recipe.namespace);
    let (pattern, index) = edit.pod.split_once('#').unwrap_or((&edit.pod, ""));
    let mut found: Vec<&Value> = pods.iter().filter(|pod| matches(pattern, name_of(pod))).collect();
    if !index.is_empty() {
        found = found.get(index.parse::<usize>()?).copied().into_iter().collect();
    }
    if found.is_empty() {
        bail!("there is no pod {}", edit.pod);
    }
    let since = moment(&edit.since, recipe.at)?;
    for pod in found {
        if let Some(created) = &edit.created {
            let created = stamp(moment(created, recipe.at)?);
            cluster.edit(Kind::Pod, &recipe.namespace, name_of(pod), |pod| {
                pod["metadata"]["creationTimestamp"] = json!(created)
            });
        }
        cluster.set_pod(&recipe.namespace, name_of(pod), &state(pod, edit)?, since);
    }
    Ok(())
}

fn state(pod: &Value, edit: &PodEdit) -> anyhow::Result<PodState> {
    let first = pod.pointer("/spec/containers/0/name").and_then(Value::as_str).unwrap_or_default();
    let container = |name: &str| if name == "-" { first } else { name }.to_owned();
    let words: Vec<&str> = edit.state.split_whitespace().collect();
    Ok(match *words.as_slice() {
        ["ready"] => PodState::Ready,
        ["unready", name] => PodState::Unready {
            container: container(name),
        },
        ["creating"] => PodState::Creating,
        ["unschedulable"] => PodState::Unschedulable(edit.message.clone()),
        ["waiting", name, reason] => PodState::Waiting {
            container: container(name),
            reason: reason.to_owned(),
            message: edit.message.clone(),
        },
        ["crashing", name, restarts, exit, reason] => PodState::CrashLoop {
            container: container(name),
            restarts: restarts.parse()?,
            exit_code: exit.parse()?,
            reason: reason.to_owned(),
        },
        ["succeeded"] => PodState::Succeeded,
        ["failed", exit] => PodState::Failed { exit_code: exit.parse()? },
        ["evicted"] => PodState::Evicted,
        _ => bail!("there is no state `{}`", edit.state),
    })
}

/// The name of an object.
pub fn name_of(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a name is like a pattern with at most one `*`.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
    }
}

fn take(cluster: &Cluster, recipe: &Recipe, seed: Seed) -> World {
    let mut objects: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for kind in Kind::ALL
        .iter()
        .copied()
        .filter(|kind| kind.info().namespaced && *kind != Kind::Secret)
    {
        objects.insert(kind.info().kind.to_owned(), cluster.list(kind, &recipe.namespace));
    }
    let namespace = cluster.get(Kind::Namespace, "", &recipe.namespace);
    objects.insert("Namespace".to_owned(), namespace.into_iter().collect());
    if let Some(usage) = &recipe.nodes {
        let workers = cluster.list(Kind::Node, "");
        let workers = workers.iter().map(name_of).filter(|name| name.starts_with("worker-"));
        for (node, (cpu, memory)) in workers.zip(usage.cpu.iter().zip(&usage.memory)) {
            cluster.set_usage(node, *cpu, *memory);
        }
        for kind in [Kind::Node, Kind::NodeMetrics] {
            objects.insert(kind.info().kind.to_owned(), cluster.list(kind, ""));
        }
    }
    World {
        at: recipe.at,
        namespace: recipe.namespace.clone(),
        objects,
        seed: seed.for_name("edits"),
    }
}
