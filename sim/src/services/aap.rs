//! An AAP controller: jobs and their events, with filters, pages and relative links. Source: rhdp-contracts 5.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Ask, Reply};
use crate::{
    seed::Seed,
    story::{
        Story,
        job::{CONTROLLERS, Job},
        order::Action,
        person, secret,
    },
};

/// Rows of a page when nobody says how many, and at most.
const PAGE: usize = 25;
const LARGEST_PAGE: usize = 200;
/// Bytes of output that an event of a list carries.
const STDOUT: usize = 1024;

pub(super) fn answer(story: &Story, position: usize, ask: &Ask, repeat: bool) -> Reply {
    let Some(controller) = CONTROLLERS.get(position) else {
        return not_found();
    };
    let Some(rest) = ask.path.strip_prefix(controller.prefix) else {
        return not_found();
    };
    if ask.method != http::Method::GET {
        return Reply::json(403, json!({"detail": "You do not have permission to perform this action."}));
    }
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    if !ask.path.ends_with('/') {
        return Reply {
            location: Some(format!("{}/", ask.path)),
            ..Reply::json(301, Value::Null)
        };
    }
    let find = |id: &str| {
        let id = id.parse::<i64>().ok()?;
        story.jobs().into_iter().find(|job| job.controller == position && job.id == id)
    };
    match parts.as_slice() {
        ["ping"] => Reply::ok(json!({"ha": false, "version": "4.6.0", "active_node": format!("{}-node-1", controller.host)})),
        ["jobs"] => {
            let jobs = story.jobs().into_iter().filter(|job| job.controller == position);
            let rows: Vec<Value> = jobs.map(|job| job_row(&job, controller.prefix, false)).collect();
            list(rows, ask, "Job", repeat)
        }
        ["jobs", id] => find(id).map_or_else(not_found, |job| Reply::ok(job_row(&job, controller.prefix, true))),
        ["jobs", id, "job_events"] => find(id).map_or_else(not_found, |job| list(events(&job), ask, "JobEvent", repeat)),
        ["jobs", id, "stdout"] => find(id).map_or_else(not_found, |job| Reply {
            text: Some((stdout(&job), "text/plain")),
            ..Reply::ok(Value::Null)
        }),
        _ => not_found(),
    }
}

fn not_found() -> Reply {
    Reply::json(404, json!({"detail": "The requested resource could not be found."}))
}

/// A time as controllers write it: with microseconds.
fn time(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| json!(at.to_rfc3339_opts(SecondsFormat::Micros, true)))
}

fn job_row(job: &Job, prefix: &str, alone: bool) -> Value {
    let failed = matches!(job.status, "failed" | "error" | "canceled");
    let explanation = job.failure.map_or("", |failure| failure.explanation);
    let elapsed = match (job.started, job.finished) {
        (Some(started), Some(finished)) => (finished - started).num_milliseconds(),
        _ => 0,
    };
    let person = person(&mut Seed::new(23).for_name(&job.uuid));
    // A string that holds JSON, and everything that the deployer was told.
    let vars = json!({"guid": job.guid, "uuid": job.uuid, "ACTION": job.action.as_str(), "requester_email": person.1, "aws_secret_access_key": secret("key", &job.guid),
        "ocp4_pull_secret": "$encrypted$", "sandbox_openshift_api_key": secret("token", &job.uuid), "common_password": secret("password", &job.guid)});
    let playbook = match job.action {
        Action::Provision => "ansible/main.yml",
        Action::Destroy => "ansible/destroy.yml",
        Action::Start | Action::Stop => "ansible/lifecycle_entry_point.yml",
    };
    let revision = format!(
        "{:016x}{:016x}",
        Seed::new(24)
            .for_name(&job.started.map_or_else(String::new, |at| at.format("%Y-%m-%d").to_string()))
            .bits(),
        0x5eed
    );
    let mut row = json!({
        "id": job.id, "type": "job", "url": format!("{prefix}/jobs/{}/", job.id), "name": job.name(), "status": job.status, "failed": failed,
        "created": time(Some(job.created)), "modified": time(job.finished.or(job.started)), "started": time(job.started), "finished": time(job.finished),
        "elapsed": f64::from(i32::try_from(elapsed).unwrap_or(i32::MAX)) / 1000.0, "job_explanation": explanation, "extra_vars": vars.to_string(), "playbook": playbook,
        "scm_revision": revision, "launch_type": "relaunch", "execution_node": format!("exec-{}.example.test", 1 + job.id % 4), "controller_node": "ctrl-1.example.test",
        "instance_group": 2, "timeout": 10800,
        "summary_fields": {"organization": {"id": 2, "name": "babylon"}, "job_template": {"id": job.id, "name": job.name()},
            "project": {"name": "babylon https://git.example.test/labs/agnosticd.git (main)"}, "instance_group": {"name": "default"}, "created_by": {"username": person.1}},
    });
    if alone {
        row["result_traceback"] = json!("");
        row["event_processing_finished"] = json!(job.finished.is_some());
        row["job_args"] = json!(format!("[\"ansible-playbook\", \"-e\", \"token={}\"]", secret("token", &job.uuid)));
        row["host_status_counts"] = if job.failure.is_some_and(|failure| !failure.task.is_empty()) {
            json!({"ok": 1, "failures": 1})
        } else {
            json!({"ok": 2})
        };
    }
    row
}

/// The events of a job, in order: among those of one that failed are a failure that was ignored, one that was retried and one that was rescued.
fn events(job: &Job) -> Vec<Value> {
    let mut events = Vec::new();
    let mut add = |event: &str, failed: bool, host: &str, task: &str, role: &str, data: Value, stdout: &str| {
        let counter = events.len() + 1;
        let mut short: String = stdout.chars().take(STDOUT).collect();
        if short.len() < stdout.len() {
            short.push('…');
        }
        events.push(json!({"id": job.id * 1000 + i64::try_from(counter).unwrap_or(0), "type": "job_event", "job": job.id, "event": event, "counter": counter, "failed": failed,
            "changed": false, "host": null, "host_name": host, "play": "Step 004 Environment workloads", "task": task, "role": role, "playbook": "ansible/main.yml",
            "stdout": short, "event_data": data, "created": time(Some(job.created + TimeDelta::seconds(i64::try_from(counter).unwrap_or(0) * 9)))}));
    };
    let bastion = format!("bastion.{}.internal", job.guid);
    add("playbook_on_start", false, "", "", "", json!({}), "");
    add(
        "runner_on_ok",
        false,
        "localhost",
        "Set facts",
        "common",
        json!({"task_action": "ansible.builtin.set_fact", "res": {"ansible_facts": {"password": secret("password", &job.guid)}}}),
        "ok: [localhost]",
    );
    let Some(failure) = job.failure.filter(|failure| !failure.task.is_empty()) else {
        add(
            "playbook_on_stats",
            false,
            "",
            "",
            "",
            json!({"ok": {"localhost": 2}, "failures": {}, "dark": {}}),
            "",
        );
        return events;
    };
    add(
        "runner_on_failed",
        false,
        "localhost",
        "Look for a left-over project",
        "ocp4_workload_showroom",
        json!({"task_action": "kubernetes.core.k8s_info", "ignore_errors": true, "res": {"msg": "Namespace not found", "failed": true}}),
        "fatal: [localhost]: FAILED! => {\"msg\": \"Namespace not found\"}\n...ignoring",
    );
    add(
        "runner_on_failed",
        true,
        &bastion,
        "Use the mirror",
        "host_common_repos",
        json!({"task_action": "ansible.builtin.get_url", "res": {"msg": "Request failed: <urlopen error timed out>", "failed": true}}),
        "fatal: FAILED! => mirror",
    );
    add(
        "runner_on_ok",
        false,
        &bastion,
        "Use the origin instead",
        "host_common_repos",
        json!({"task_action": "ansible.builtin.get_url", "res": {}}),
        "ok",
    );
    add(
        "runner_retry",
        false,
        "localhost",
        failure.task,
        failure.role,
        json!({"task_action": failure.module, "res": {"attempts": 1, "msg": failure.message}}),
        "FAILED - RETRYING",
    );
    let result = if failure.censored {
        json!({"censored": "the output has been hidden due to the fact that 'no_log: true' was specified for this result", "failed": true, "changed": true})
    } else {
        json!({"msg": failure.message, "failed": true, "invocation": {"module_args": {"api_key": secret("token", &job.uuid)}}})
    };
    let said = if failure.censored {
        "\u{1b}[0;31mfatal: [localhost]: FAILED! => {\"censored\": \"hidden\"}\u{1b}[0m".to_owned()
    } else {
        format!(
            "\u{1b}[0;31mfatal: [localhost]: FAILED! => {{\"msg\": \"{}\"}}\u{1b}[0m",
            failure.message
        )
    };
    add(
        "runner_on_failed",
        true,
        "localhost",
        failure.task,
        failure.role,
        json!({"task_action": failure.module, "res": result}),
        &said,
    );
    add("playbook_on_task_start", true, "", failure.task, failure.role, json!({}), "");
    add(
        "playbook_on_stats",
        true,
        "",
        "",
        "",
        json!({"ok": {"localhost": 2, (bastion.as_str()): 1}, "failures": {"localhost": 1}, "dark": {}}),
        "",
    );
    events
}

fn stdout(job: &Job) -> String {
    events(job)
        .iter()
        .filter_map(|event| event["stdout"].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Filters, sorts and cuts rows as the controller does.
fn list(mut rows: Vec<Value>, ask: &Ask, kind: &str, repeat: bool) -> Reply {
    let mut order = "id".to_owned();
    let mut any: Vec<(String, String)> = Vec::new();
    for (key, value) in &ask.query {
        match key.as_str() {
            "page" | "page_size" | "format" | "include" | "no_truncate" => {}
            "order_by" => order.clone_from(value),
            key => {
                let bare = key.trim_start_matches("or__").trim_start_matches("not__");
                let field = bare.split("__").next().unwrap_or_default();
                let known = rows.first().is_none_or(|row| row.get(field).is_some());
                if !known {
                    return Reply::json(400, json!({"detail": format!("{kind} has no field named '{field}'")}));
                }
                if let Some(one) = key.strip_prefix("or__") {
                    any.push((one.to_owned(), value.clone()));
                } else if let Some(one) = key.strip_prefix("not__") {
                    rows.retain(|row| !holds(row, one, value));
                } else {
                    rows.retain(|row| holds(row, key, value));
                }
            }
        }
    }
    if !any.is_empty() {
        rows.retain(|row| any.iter().any(|(key, value)| holds(row, key, value)));
    }
    for field in order.split(',').rev() {
        let (name, down) = field.strip_prefix('-').map_or((field, false), |name| (name, true));
        if rows.first().is_some_and(|row| row.get(name).is_none()) {
            return Reply::json(400, json!({"detail": format!("{kind} has no field named '{name}'")}));
        }
        rows.sort_by(|left, right| {
            let ordering = compare(&left[name], &right[name]);
            if down { ordering.reverse() } else { ordering }
        });
    }
    let size = ask.number("page_size", PAGE).clamp(1, LARGEST_PAGE);
    let page = ask.number("page", 1).max(1);
    let count = rows.len();
    if page > 1 && (page - 1) * size >= count {
        return Reply::json(404, json!({"detail": "Invalid page."}));
    }
    let link = |number: usize| {
        let others = ask.query.iter().filter(|(key, _)| key != "page");
        let mut query: Vec<String> = others.map(|(key, value)| format!("{key}={}", encode(value))).collect();
        query.push(format!("page={number}"));
        json!(format!("{}?{}", ask.path, query.join("&")))
    };
    let from = if repeat { 0 } else { (page - 1) * size };
    let results: Vec<Value> = rows.into_iter().skip(from).take(size).collect();
    let next = if repeat {
        link(page)
    } else if page * size < count {
        link(page + 1)
    } else {
        Value::Null
    };
    let previous = if page > 1 { link(page - 1) } else { Value::Null };
    Reply::ok(json!({"count": count, "next": next, "previous": previous, "results": results}))
}

/// Nothing comes last, as in the controller's database.
fn compare(left: &Value, right: &Value) -> std::cmp::Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => std::cmp::Ordering::Equal,
        (Value::Null, _) => std::cmp::Ordering::Greater,
        (_, Value::Null) => std::cmp::Ordering::Less,
        (Value::Number(left), Value::Number(right)) => left.as_f64().unwrap_or(0.0).total_cmp(&right.as_f64().unwrap_or(0.0)),
        (left, right) => plain(left).cmp(&plain(right)),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a row passes one filter.
fn holds(row: &Value, key: &str, wanted: &str) -> bool {
    let (field, operator) = key.split_once("__").unwrap_or((key, "exact"));
    let value = &row[field];
    if operator == "isnull" {
        return value.is_null() == matches!(wanted.to_lowercase().as_str(), "true" | "1");
    }
    if value.is_null() {
        return false;
    }
    let own = plain(value);
    let at = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    let order = match (at(&own), at(wanted)) {
        (Some(own), Some(wanted)) => own.cmp(&wanted),
        _ => match (own.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(own), Ok(wanted)) => own.total_cmp(&wanted),
            _ => own.as_str().cmp(wanted),
        },
    };
    match operator {
        "exact" => own == wanted || (value.is_boolean() && own.eq_ignore_ascii_case(wanted)),
        "in" => wanted.split(',').any(|one| one == own),
        "gt" => order.is_gt(),
        "gte" => order.is_ge(),
        "lt" => order.is_lt(),
        "lte" => order.is_le(),
        "startswith" => own.starts_with(wanted),
        "endswith" => own.ends_with(wanted),
        "contains" => own.contains(wanted),
        "icontains" => own.to_lowercase().contains(&wanted.to_lowercase()),
        _ => false,
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
