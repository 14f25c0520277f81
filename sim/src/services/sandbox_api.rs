//! The Sandbox API: login, accounts, placements, shared clusters, metrics. Source: rhdp-contracts 4.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Ask, Reply, Role};
use crate::{
    clock::stamp,
    seed::Seed,
    story::{
        Story,
        order::{Life, Order, Part, Place},
        person, secret,
    },
};

/// How long an access token is good.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(1);
/// Placements a minute that a cluster takes.
const RATE_LIMIT: usize = 10;
const ACCESS: &str = "sim-access-planted-";

fn error(code: u16, message: &str) -> Reply {
    Reply::json(code, json!({"http_code": code, "message": message}))
}

pub(super) fn answer(story: &Story, ask: &Ask, login: &str, expired: bool) -> Reply {
    let parts = ask.parts();
    match parts.as_slice() {
        ["ping"] => return text("."),
        ["metrics"] => return text(&metrics(story, ask.now)),
        ["api", "v1", "login"] if ask.bearer == login && !expired => {
            let until = ask.now + TOKEN_LIFE;
            return Reply::ok(json!({"access_token": format!("{ACCESS}{}", until.timestamp()), "access_token_exp": stamp(until)}));
        }
        ["api", "v1", "login"] => return error(401, "Invalid login token"),
        _ => {}
    }
    let until = ask.bearer.strip_prefix(ACCESS).and_then(|until| until.parse::<i64>().ok());
    if expired || until.is_none_or(|until| until <= ask.now.timestamp()) {
        return error(401, "Unauthorized");
    }
    let allowed = |roles: &[Role]| ask.role == Role::Admin || roles.contains(&ask.role);
    match parts.as_slice() {
        ["api", "v1", "version"] => Reply::ok(json!({"version": "1.1.4", "build_commit": "0a1b2c3", "build_time": "2026-09-01T00:00:00Z"})),
        ["api", "v1", "health"] if ask.healthy => Reply::ok(json!({"http_code": 200, "message": "OK"})),
        ["api", "v1", "health"] => error(500, "Failed to connect to DynamoDB"),
        ["api", "v1", "accounts", kind] if allowed(&[Role::App]) => accounts(story, ask, kind),
        ["api", "v1", "placements"] if allowed(&[]) => placements(story, ask),
        ["api", "v1", "placements", uuid] if allowed(&[Role::App]) => placement(story, uuid),
        ["api", "v1", "ocp-shared-cluster-configurations"] if allowed(&[Role::SharedClusterManager]) => {
            Reply::ok(configurations(story, ask.now))
        }
        ["api", "v1", "ocp-shared-cluster-configurations", name] if allowed(&[Role::SharedClusterManager]) => {
            match configurations(story, ask.now)
                .as_array()
                .and_then(|all| all.iter().find(|one| one["name"] == *name))
            {
                Some(one) => Reply::ok(one.clone()),
                None => error(404, "Not found"),
            }
        }
        ["api", "v1", "accounts" | "placements" | "ocp-shared-cluster-configurations", ..] => error(403, "Forbidden"),
        _ => error(404, "Not found"),
    }
}

fn text(body: &str) -> Reply {
    Reply {
        text: Some((body.to_owned(), "text/plain; version=0.0.4; charset=utf-8")),
        ..Reply::ok(Value::Null)
    }
}

/// Every placed part: its order, and where it is.
fn placed(orders: &[Order]) -> impl Iterator<Item = (&Order, &Part)> {
    orders
        .iter()
        .flat_map(|order| order.parts.iter().map(move |part| (order, part)))
        .filter(|(_, part)| !part.only_foreign_finalizer)
}

fn resource(order: &Order, part: &Part, cluster: &str, namespace: &str) -> Value {
    let going = matches!(part.life, Life::Destroying);
    resource_of(
        &part.guid,
        &part.uuid,
        cluster,
        namespace,
        going,
        order.created + TimeDelta::seconds(45),
    )
}

fn resource_of(guid: &str, uuid: &str, cluster: &str, namespace: &str, going: bool, at: DateTime<Utc>) -> Value {
    let token = secret("token", uuid);
    json!({"name": format!("{guid}-{uuid}"), "kind": "OcpSandbox", "service_uuid": uuid, "ocp_cluster": cluster, "namespace": namespace,
        "status": if going { "deleting" } else { "success" }, "error_message": "", "api_url": format!("https://api.{cluster}.example.test:6443"),
        "console_url": format!("https://console-openshift-console.apps.{cluster}.example.test"), "ingress_domain": format!("apps.{cluster}.example.test"),
        "annotations": {"guid": guid, "env_type": namespace.rsplit('-').next()}, "alias": "cluster", "no_namespace": false, "cleanup_count": 0, "to_cleanup": going,
        "quota": {"pods": "60"}, "created_at": stamp(at), "updated_at": stamp(at + TimeDelta::seconds(30)),
        "credentials": [{"kind": "ServiceAccount", "name": "sandbox", "token": token}, {"kind": "KeycloakUser", "username": format!("sandbox-{guid}"), "password": secret("password", guid)}]})
}

fn resources(story: &Story) -> Vec<(Value, String)> {
    let orders = story.orders();
    let mut all: Vec<(Value, String)> = placed(&orders)
        .filter_map(|(order, part)| match &part.place {
            Place::Namespace {
                cluster,
                namespace,
                booked: true,
            } => Some((resource(order, part, cluster, namespace), part.uuid.clone())),
            _ => None,
        })
        .collect();
    for (guid, uuid, cluster, namespace) in story.lost_placements() {
        all.push((
            resource_of(&guid, &uuid, &cluster, &namespace, false, story.began() - TimeDelta::days(2)),
            uuid,
        ));
    }
    all
}

fn accounts(story: &Story, ask: &Ask, kind: &str) -> Reply {
    let rows: Vec<Value> = match kind {
        "OcpSandbox" | "ocp" => resources(story)
            .into_iter()
            .filter(|(_, uuid)| ask.first("service_uuid").is_none_or(|wanted| wanted == uuid))
            .map(|(resource, _)| resource)
            .collect(),
        "AwsSandbox" | "aws" => {
            let orders = story.orders();
            placed(&orders)
                .filter_map(|(_, part)| match &part.place {
                    Place::Account(account) => Some(json!({"name": account, "kind": "AwsSandbox", "available": false, "to_cleanup": false, "service_uuid": part.uuid,
                        "account_id": format!("{:012}", Seed::new(2).for_name(account).bits() % 1_000_000_000_000), "zone": format!("{account}.example.test"), "hosted_zone_id": "Z0",
                        "conan_status": "cleanup successful", "conan_timestamp": stamp(story.began()), "annotations": {"guid": part.guid},
                        "credentials": [{"kind": "aws_iam_key", "name": "admin-key", "access_key_id": secret("key", account), "secret_access_key": secret("secret-key", account)}]})),
                    _ => None,
                })
                .filter(|row| ask.first("service_uuid").is_none_or(|wanted| row["service_uuid"] == wanted))
                .collect()
        }
        _ => return error(400, "Invalid account type"),
    };
    // An empty list is a 404 there.
    let status = if rows.is_empty() { 404 } else { 200 };
    Reply::json(status, rows.into())
}

fn placement_of(index: usize, resource: &Value, with_resources: bool) -> Value {
    let uuid = resource["service_uuid"].as_str().unwrap_or_default();
    let person = person(&mut Seed::new(22).for_name(uuid));
    let mut placement = json!({"id": 5000 + index, "service_uuid": uuid, "status": resource["status"], "to_cleanup": resource["to_cleanup"],
        "annotations": {"guid": resource["annotations"]["guid"], "env_type": resource["annotations"]["env_type"], "owner": person.0, "owner_email": person.1, "comment": "sandbox-api"},
        "request": {"resources": [{"kind": "OcpSandbox", "count": 1}]}, "created_at": resource["created_at"], "updated_at": resource["updated_at"]});
    if with_resources {
        placement["resources"] = json!([resource]);
    }
    placement
}

fn placements(story: &Story, ask: &Ask) -> Reply {
    let rows: Vec<Value> = resources(story)
        .iter()
        .enumerate()
        .map(|(index, (resource, _))| placement_of(index, resource, false))
        .filter(|row| ask.first("service_uuid").is_none_or(|wanted| row["service_uuid"] == wanted))
        .filter(|row| ask.first("status").is_none_or(|wanted| row["status"] == wanted))
        .filter(|row| {
            ask.first("annotations[guid]")
                .is_none_or(|wanted| row["annotations"]["guid"] == wanted)
        })
        .skip(ask.number("offset", 0))
        .take(ask.number("limit", 1000).min(1000))
        .collect();
    Reply::ok(rows.into())
}

fn placement(story: &Story, uuid: &str) -> Reply {
    let found = resources(story).into_iter().enumerate().find(|(_, (_, own))| own == uuid);
    found.map_or_else(
        || error(404, "Placement not found"),
        |(index, (resource, _))| Reply::ok(placement_of(index, &resource, true)),
    )
}

/// Placements of each cluster: all, and those of the last minute.
fn load(story: &Story, now: DateTime<Utc>) -> BTreeMap<String, (usize, usize)> {
    let mut load: BTreeMap<String, (usize, usize)> = story.clusters().iter().map(|cluster| (cluster.name().to_owned(), (0, 0))).collect();
    let orders = story.orders();
    for (order, part) in placed(&orders) {
        if let Some(cluster) = part.lab().and_then(|(cluster, _)| load.get_mut(cluster)) {
            cluster.0 += 1;
            cluster.1 += usize::from(now - order.created < TimeDelta::minutes(1));
        }
    }
    load
}

fn configurations(story: &Story, now: DateTime<Utc>) -> Value {
    let rows = load(story, now).into_iter().map(|(name, (count, _))| {
        let max = if name.starts_with("ai-") { Some(20_usize) } else { None };
        json!({"name": name, "valid": true, "annotations": {"cloud": if name.starts_with("cnv-") { "cnv-shared" } else { "shared" }, "purpose": "events", "virt": if name.starts_with("cnv-") { "yes" } else { "no" }},
            "ingress_domain": format!("apps.{name}.example.test"), "api_url": format!("https://api.{name}.example.test:6443"), "token": secret("token", &name), "kubeconfig": secret("kubeconfig", &name),
            "deployer_admin_sa_token": secret("sa-token", &name), "max_placements": max, "max_cpu_usage_percentage": 100, "max_memory_usage_percentage": 90,
            "usage_node_selector": "node-role.kubernetes.io/worker=", "settings": {"provision_rate_limit": RATE_LIMIT, "provision_rate_window": "1m", "locked": false},
            "data": {"current_placement_count": count, "available_slots": max.map(|max| max.saturating_sub(count)), "connection_status": "ok", "connection_status_at": stamp(now),
                "connection_error_count": 0, "connection_last_success_at": stamp(now)}})
    });
    rows.collect()
}

/// The metrics of the API. Source: rhdp-contracts 4.5.
fn metrics(story: &Story, now: DateTime<Utc>) -> String {
    let mut out = String::new();
    let mut head = |name: &str, sort: &str, help: &str, lines: &[(String, String)]| {
        out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {sort}\n"));
        for (labels, value) in lines {
            out.push_str(&format!("{name}{labels} {value}\n"));
        }
    };
    let load = load(story, now);
    let by_cluster = |value: &dyn Fn(usize) -> usize| -> Vec<(String, String)> {
        load.iter()
            .map(|(name, (_, recent))| (format!("{{cluster=\"{name}\"}}"), value(*recent).to_string()))
            .collect()
    };
    let alone = |value: &str| vec![(String::new(), value.to_owned())];
    head(
        "sandbox_ratelimit_provision_count",
        "gauge",
        "Provisions in the window",
        &by_cluster(&|recent| recent),
    );
    head(
        "sandbox_ratelimit_max",
        "gauge",
        "Provisions allowed in the window",
        &by_cluster(&|_| RATE_LIMIT),
    );
    head(
        "sandbox_ratelimit_available_slots",
        "gauge",
        "Slots left in the window",
        &by_cluster(&|recent| RATE_LIMIT.saturating_sub(recent)),
    );
    let queued = story
        .orders()
        .iter()
        .filter(|order| order.life() == Life::ProvisionQueued)
        .count()
        .to_string();
    head("sandbox_queued_resources_total", "gauge", "Resources that wait", &alone(&queued));
    head("sandbox_queued_placements_total", "gauge", "Placements that wait", &alone(&queued));
    head(
        "sandbox_queue_dequeue_total",
        "counter",
        "Placements taken out of the queue",
        &alone("17"),
    );
    head(
        "sandbox_queue_rescuer_processed_total",
        "counter",
        "Placements rescued",
        &alone("0"),
    );
    head(
        "sandbox_ratelimit_precheck_total",
        "counter",
        "Checks before",
        &[
            ("{result=\"has_capacity\"}".to_owned(), "412".to_owned()),
            ("{result=\"all_limited\"}".to_owned(), "3".to_owned()),
        ],
    );
    head("sandbox_pg_pool_total_conns", "gauge", "Connections", &alone("6"));
    head("sandbox_pg_pool_max_conns", "gauge", "Connections allowed", &alone("40"));
    head(
        "sandbox_pg_longest_lock_wait_seconds",
        "gauge",
        "Longest wait for a lock",
        &alone("0.002"),
    );
    let mut waits: Vec<(String, String)> = [("0.001", 380), ("0.01", 409), ("+Inf", 412)]
        .into_iter()
        .map(|(le, count)| {
            (
                format!("_bucket{{cluster=\"cnv-east-1\",operation=\"check\",le=\"{le}\"}}"),
                count.to_string(),
            )
        })
        .collect();
    waits.push(("_sum{cluster=\"cnv-east-1\",operation=\"check\"}".to_owned(), "0.61".to_owned()));
    waits.push(("_count{cluster=\"cnv-east-1\",operation=\"check\"}".to_owned(), "412".to_owned()));
    head("sandbox_ratelimit_lock_wait_seconds", "histogram", "Waits for the lock", &waits);
    out
}
