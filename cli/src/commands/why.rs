//! `stargate why NAMESPACE`: the whole chain for one instance.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, sources, wide};

/// Why an instance is as it is: what was ordered, how it was provisioned, what fails, who waits for it, and what is not known.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  stargate why sandbox-q7f2k-webshop
  stargate why q7f2k                         by the guid of the order
  stargate why 9f0f4a3e-6f4e-4c57-9a34-2f1d0f0a9d10 -o json")]
pub struct Args {
    /// The instance: namespace, guid or id
    instance: String,
    /// Only on this cluster, where a namespace of that name is on several
    #[arg(long)]
    cluster: Vec<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    server: Server,
}

const CHAIN: &[Column] = &[
    column("KIND", |row| at(row, "/kind")),
    column("NAME", |row| at(row, "/name")),
    column("STATE", |row| at(row, "/state")),
    column("JOINED BY", |row| at(row, "/method")),
    column("HOW SURELY", |row| at(row, "/strength")),
    wide("KEY", |row| at(row, "/key")),
    wide("SINCE", |row| age(row, "/since")),
];

/// Runs the command.
///
/// # Errors
/// When the API says no, there is no such instance, or several.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let id = find(args)?;
    let mut answer = args.server.get(&format!("instances/{id}/why"), &[])?;
    sources(&answer["meta"]);
    let why = answer["data"].take();
    match args.output {
        Format::Table | Format::Wide => output::text(&text(&why, args.output == Format::Wide))?,
        format => output::rows(
            format,
            &[why],
            &[],
            |row| format!("instance/{}", at(row, "/instance/namespace")),
            "",
        )?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The id of the instance that was meant.
fn find(args: &Args) -> anyhow::Result<String> {
    let wanted = args.instance.as_str();
    if uuid::Uuid::try_parse(wanted).is_ok() {
        return Ok(wanted.to_owned());
    }
    let mut query: Vec<(&str, String)> = vec![("q", wanted.to_owned())];
    query.extend(args.cluster.iter().map(|cluster| ("cluster", cluster.clone())));
    choose(wanted, &args.server.list("instances", &query, Some(50))?)
}

/// Of the instances that begin like `wanted` the one that is meant: that of the name, else of the guid, else the only one.
fn choose(wanted: &str, rows: &[Value]) -> anyhow::Result<String> {
    let named: Vec<&Value> = rows.iter().filter(|row| at(row, "/namespace") == wanted).collect();
    let of_guid: Vec<&Value> = rows.iter().filter(|row| at(row, "/guid") == wanted).collect();
    let found = if !named.is_empty() {
        named
    } else if !of_guid.is_empty() {
        of_guid
    } else {
        rows.iter().collect()
    };
    match found.as_slice() {
        [one] => Ok(at(one, "/id")),
        [] => {
            let begin: String = wanted.chars().take(8).collect();
            bail!(
                "no instance {wanted}: give a namespace, a guid or an id; `stargate instances -q {begin}` lists names that begin alike, and one that is gone is found by its id"
            )
        }
        many => {
            let mut lines: BTreeMap<String, String> = BTreeMap::new();
            for row in many.iter().take(10) {
                let line = format!("  {:<16} {:<40} {}", at(row, "/cluster"), at(row, "/namespace"), at(row, "/id"));
                lines.insert(line.clone(), line);
            }
            let lines: Vec<String> = lines.into_values().collect();
            let more = if many.len() > 10 { "\n  …" } else { "" };
            bail!(
                "{wanted} may be one of {}; give --cluster, the whole namespace or the id:\n{}{more}",
                many.len(),
                lines.join("\n")
            )
        }
    }
}

/// The answer in lines: the sentence first, then the chain, then what fails, then what is not known.
fn text(why: &Value, is_wide: bool) -> String {
    let list = |field: &str| why[field].as_array().cloned().unwrap_or_default();
    let mut out = format!("{}\n", at(why, "/sentence"));
    out.push_str(&format!(
        "\n{}/{}  {}  lab {}\n",
        at(why, "/instance/cluster"),
        at(why, "/instance/namespace"),
        at(why, "/instance/state"),
        at(why, "/instance/lab")
    ));
    let chain = list("chain");
    if !chain.is_empty() {
        let columns: Vec<&Column> = CHAIN.iter().filter(|column| is_wide || !column.wide).collect();
        let titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
        let lines: Vec<Vec<String>> = chain
            .iter()
            .map(|row| columns.iter().map(|column| (column.cell)(row)).collect())
            .collect();
        out.push_str(&format!("\n{}", output::table(&titles, &lines)));
    }
    for subject in list("subjects").iter().filter(|subject| !subject["stuck"].is_null()) {
        out.push_str(&format!(
            "\nStuck: {} ({}, for {})\n",
            at(subject, "/stuck/detail"),
            at(subject, "/stuck/kind"),
            age(subject, "/stuck/since")
        ));
    }
    if !why["pool"].is_null() {
        out.push_str(&format!(
            "\nPool: {} is {}: {}\n",
            at(why, "/pool/name"),
            at(why, "/pool/state"),
            at(why, "/pool/reason")
        ));
    }
    let section = |title: &str, lines: Vec<String>| {
        if lines.is_empty() {
            String::new()
        } else {
            format!("\n{title}\n{}", lines.iter().map(|line| format!("  {line}\n")).collect::<String>())
        }
    };
    let bad = |job: &&Value| matches!(at(job, "/outcome").as_str(), "failed" | "error" | "canceled");
    let jobs = list("jobs");
    let jobs = jobs.iter().filter(bad).map(|job| {
        let task = at(job, "/failure/task");
        let class = at(job, "/failure/class");
        let said = [at(job, "/failure/message"), at(job, "/explanation")]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default();
        let parts: Vec<String> = [task, class, said].into_iter().filter(|text| !text.is_empty()).collect();
        format!(
            "{} {} {} ago: {}",
            at(job, "/key"),
            at(job, "/outcome"),
            age(job, "/finished_at"),
            parts.join("; ")
        )
    });
    out.push_str(&section("Jobs that ended badly", jobs.collect()));
    let stages = list("stages");
    let failing = stages.iter().filter(|stage| at(stage, "/outcome") != "indeterminate");
    let failing = failing.flat_map(|stage| {
        let first = format!(
            "{} {} {}: {}",
            at(stage, "/stage"),
            at(stage, "/outcome"),
            at(stage, "/class"),
            at(stage, "/message")
        );
        std::iter::once(first).chain(objects(stage))
    });
    out.push_str(&section("Stages", failing.collect()));
    let row = |row: &Value| format!("{} ({}): {}", at(row, "/kind"), at(row, "/severity"), at(row, "/detail"));
    out.push_str(&section(
        "Differs from its definition",
        list("violations").iter().map(row).collect(),
    ));
    let row = |row: &Value| {
        format!(
            "{} {} for {}: {}",
            at(row, "/severity"),
            at(row, "/class"),
            age(row, "/onset_at"),
            at(row, "/id")
        )
    };
    out.push_str(&section("Open incidents", list("incidents").iter().map(row).collect()));
    if !why["next_session"].is_null() {
        out.push_str(&format!(
            "\nSession {}: {}\n",
            at(why, "/next_session/lab_code"),
            at(why, "/next_session/sentence")
        ));
    }
    let row = |row: &Value| format!("{}: {}", at(row, "/what"), at(row, "/why"));
    out.push_str(&section("Not known", list("not_known").iter().map(row).collect()));
    out
}

/// The objects that make a stage fail, a line each.
fn objects(stage: &Value) -> Vec<String> {
    let criteria = stage["criteria"].as_array().into_iter().flatten();
    let failing = criteria.filter(|criterion| criterion["value"] == Value::Bool(false));
    failing
        .flat_map(|criterion| criterion["failing"].as_array().into_iter().flatten())
        .map(|member| format!("  {}/{} {}", at(member, "/kind"), at(member, "/name"), at(member, "/reason")))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(namespace: &str, guid: &str, id: &str) -> Value {
        json!({ "namespace": namespace, "guid": guid, "id": id, "cluster": "cnv-01" })
    }

    #[test]
    fn the_name_decides_then_the_guid_then_being_the_only_one() {
        let rows = [
            row("sandbox-ab", "ab", "1"),
            row("sandbox-ab-webshop", "ab", "2"),
            row("sandbox-abc", "abc", "3"),
        ];
        assert_eq!(choose("sandbox-ab", &rows).unwrap(), "1");
        assert_eq!(choose("abc", &rows).unwrap(), "3");
        assert_eq!(choose("sandbox-abc", &rows[2..]).unwrap(), "3");
        let several = choose("ab", &rows).unwrap_err().to_string();
        assert!(
            several.starts_with("ab may be one of 2; give --cluster, the whole namespace or the id:\n  cnv-01 "),
            "{several}"
        );
        assert!(several.contains("sandbox-ab-webshop"), "{several}");
        let nothing = choose("sandbox-ünknown", &[]).unwrap_err().to_string();
        assert!(nothing.contains("`stargate instances -q sandbox-`"), "{nothing}");
    }

    #[test]
    fn the_sentence_comes_first_and_what_is_not_known_last() {
        let why = json!({
            "sentence": "Not ready: provisioning failed 40 min ago in task \"Wait\".",
            "instance": { "cluster": "cnv-01", "namespace": "sandbox-ab", "state": "failing", "lab": "LB0042" },
            "chain": [{ "kind": "subject", "name": "acme.webshop-ab", "state": "provision-failed", "method": "service_uuid", "strength": "exact" }],
            "subjects": [{ "stuck": null }], "pool": null,
            "jobs": [{ "key": "aap-1/7", "outcome": "failed", "finished_at": null, "failure": { "task": "Wait", "class": "operator_not_ready", "message": "timed out" } },
                     { "key": "aap-1/6", "outcome": "successful" }],
            "stages": [{ "stage": "deployment-ready", "outcome": "fail", "class": "pods_pending", "message": "one pod waits",
                         "criteria": [{ "value": false, "failing": [{ "kind": "Pod", "name": "web-1", "reason": "Pending" }] }] },
                       { "stage": "showroom-healthy", "outcome": "indeterminate", "class": null, "message": "" }],
            "violations": [], "incidents": [], "next_session": { "lab_code": "LB0042", "sentence": "3 of 40 ready; begins in 25 min." },
            "not_known": [{ "what": "how its jobs ended", "why": "aap was never read" }],
        });
        assert_eq!(
            text(&why, false),
            "Not ready: provisioning failed 40 min ago in task \"Wait\".

cnv-01/sandbox-ab  failing  lab LB0042

KIND     NAME             STATE             JOINED BY     HOW SURELY
subject  acme.webshop-ab  provision-failed  service_uuid  exact

Jobs that ended badly
  aap-1/7 failed  ago: Wait; operator_not_ready; timed out

Stages
  deployment-ready fail pods_pending: one pod waits
    Pod/web-1 Pending

Session LB0042: 3 of 40 ready; begins in 25 min.

Not known
  how its jobs ended: aap was never read
"
        );
    }
}
