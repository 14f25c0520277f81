//! The manifests hold together: with each other, with the programs they start, and with what Knative and Kubernetes refuse or ignore.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use stargate_common::boot::{Function, Job, Server, check_function, check_job, check_server};
use stargate_common::events::broker::manifest::{self, Manifests};
use stargate_common::events::{EventType, relay};
use stargate_common::settings::{ServeSettings, SettingsError};
use stargate_common::sources::SourceName;
use stargate_common::yaml;

/// The label that the SinkBindings look for.
const EMITS: &str = "stargate.io/emits-events";

/// Says whether a program would start with these arguments and variables.
type Check = fn(&[String], &[(String, String)]) -> Result<(), SettingsError>;

/// One program: what its manifest must agree with.
struct Program {
    name: &'static str,
    emits: &'static [EventType],
    check: Check,
}

fn function<F: Function>() -> Program {
    Program {
        name: F::NAME,
        emits: F::EMITS,
        check: check_function::<F>,
    }
}

fn server<S: Server>() -> Program {
    Program {
        name: S::NAME,
        emits: S::EMITS,
        check: check_server::<S>,
    }
}

fn job<J: Job>() -> Program {
    Program {
        name: J::NAME,
        emits: J::EMITS,
        check: check_job::<J>,
    }
}

/// Every program; a new one is added here.
fn programs() -> Vec<Program> {
    vec![
        function::<stargate_deadletter::Deadletter>(),
        function::<stargate_evaluate::Evaluate>(),
        job::<stargate_collect::Collect>(),
        function::<stargate_recommend::Recommend>(),
        job::<stargate_scan::Scan>(),
        job::<stargate_sweep::Sweep>(),
        job::<stargate_retain::Retain>(),
        server::<stargate_query::Query>(),
        function::<stargate_collect::CollectRequested>(),
        server::<stargate_agnosticv_hook::Hook>(),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::from_multiple_with_options(&text, yaml::options()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn knative_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("knative"))
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    files
}

fn cron_jobs() -> Vec<Value> {
    let folders = fs::read_dir(root().join("jobs"))
        .expect("a folder")
        .map(|entry| entry.expect("readable").path());
    folders.flat_map(|folder| documents(&folder.join("cronjob.yaml"))).collect()
}

fn knative(kind: &str) -> Vec<Value> {
    knative_files()
        .iter()
        .flat_map(|file| documents(file))
        .filter(|document| document["kind"] == kind)
        .collect()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().expect("a name")
}

fn triggers() -> Manifests {
    manifest::embedded().expect("valid manifests")
}

/// Services and CronJobs, each with its pod template.
fn workloads() -> Vec<(Value, Value)> {
    let services = knative("Service")
        .into_iter()
        .map(|service| (service["spec"]["template"].clone(), service));
    let jobs = cron_jobs()
        .into_iter()
        .map(|job| (job["spec"]["jobTemplate"]["spec"]["template"].clone(), job));
    services.chain(jobs).map(|(template, object)| (object, template)).collect()
}

#[test]
fn the_program_holds_every_manifest() {
    let folder: Vec<String> = knative_files()
        .iter()
        .map(|path| path.strip_prefix(root()).expect("below").to_string_lossy().into_owned())
        .collect();
    let embedded: Vec<&str> = manifest::FILES.iter().map(|(file, _)| *file).collect();
    assert_eq!(folder, embedded, "add the new file to events/broker/manifest.rs");
}

#[test]
fn every_event_type_is_declared_and_has_a_trigger_or_is_terminal() {
    let declared = knative("EventType");
    let types: BTreeSet<&str> = declared.iter().filter_map(|object| object["spec"]["type"].as_str()).collect();
    assert_eq!(types, EventType::ALL.iter().map(|event_type| event_type.as_str()).collect());
    let triggers = triggers().triggers;
    for object in &declared {
        let event_type = object["spec"]["type"].as_str().expect("a type");
        let wanted = format!("{:?}", event_type);
        let taken = triggers.iter().any(|trigger| format!("{:?}", trigger.filters).contains(&wanted));
        let terminal = object["metadata"]["annotations"]["stargate.io/terminal"].is_string();
        assert_ne!(
            taken, terminal,
            "{event_type}: either a Trigger takes it or stargate.io/terminal says that none does yet"
        );
    }
}

#[test]
fn triggers_and_dead_letters_reach_services_that_exist() {
    let manifests = triggers();
    let services: Vec<Value> = knative("Service");
    let exists = |service: &str| services.iter().any(|object| name(object) == service);
    assert!(!manifests.triggers.is_empty());
    for trigger in &manifests.triggers {
        assert!(exists(&trigger.subscriber), "{}: no service {}", trigger.name, trigger.subscriber);
        let sink = trigger
            .delivery
            .dead_letter_sink
            .as_ref()
            .unwrap_or_else(|| panic!("{}: an event would be lost", trigger.name));
        assert!(exists(&sink.reference.name), "{}: no service {}", trigger.name, sink.reference.name);
        assert_ne!(sink.reference.name, trigger.subscriber);
        assert!(trigger.delivery.retry.is_some_and(|retry| retry >= 3), "{}", trigger.name);
        for attribute in trigger.filters.iter().flat_map(|filter| filter.attributes()) {
            assert!(
                attribute.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
                "{}: {attribute}",
                trigger.name
            );
        }
    }
}

#[test]
fn services_hold_what_knative_takes() {
    let keys = [
        "min-scale",
        "max-scale",
        "initial-scale",
        "scale-down-delay",
        "window",
        "target",
        "metric",
        "target-burst-capacity",
        "activation-scale",
    ];
    for service in knative("Service") {
        let (service_name, template) = (name(&service), &service["spec"]["template"]);
        let labels = &service["metadata"]["labels"];
        // The repository's webhook comes from outside; nothing else does.
        let visibility = (service_name != "agnosticv-hook").then_some("cluster-local");
        assert_eq!(
            labels["networking.knative.dev/visibility"].as_str(),
            visibility,
            "{service_name} would get a public route, or none"
        );
        assert!(
            service["metadata"]["annotations"].is_null(),
            "{service_name}: autoscaling belongs to the template"
        );
        let annotations = template["metadata"]["annotations"].as_object().expect("autoscaling annotations");
        for key in annotations.keys() {
            let key = key
                .strip_prefix("autoscaling.knative.dev/")
                .unwrap_or_else(|| panic!("{service_name}: {key}"));
            assert!(keys.contains(&key), "{service_name}: Knative would ignore {key}");
        }
        assert!(
            annotations.contains_key("autoscaling.knative.dev/max-scale"),
            "{service_name}: PostgreSQL has no connections without end"
        );
        let spec = template["spec"].as_object().expect("a pod");
        for refused in [
            "securityContext",
            "initContainers",
            "nodeSelector",
            "tolerations",
            "affinity",
            "priorityClassName",
            "dnsPolicy",
        ] {
            assert!(!spec.contains_key(refused), "{service_name}: Knative refuses {refused}");
        }
        assert!(
            spec["timeoutSeconds"].as_u64().is_some_and(|seconds| seconds <= 600),
            "{service_name}"
        );
        let container = &spec["containers"][0];
        assert!(
            !container.to_string().contains("fieldRef"),
            "{service_name}: Knative refuses the downward API"
        );
        assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/health/ready", "{service_name}");
        assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/health/live", "{service_name}");
    }
}

#[test]
fn functions_answer_before_anybody_hangs_up() {
    #[derive(Debug, clap::Parser)]
    struct Defaults {
        #[command(flatten)]
        serve: ServeSettings,
    }
    let defaults: Defaults = clap::Parser::parse_from(["test"]);
    let longest = defaults.serve.deadline() + relay::FUNCTION_BUDGET;
    for trigger in triggers().triggers {
        let service = knative("Service")
            .into_iter()
            .find(|service| name(service) == trigger.subscriber)
            .expect("exists");
        let timeout = Duration::from_secs(service["spec"]["template"]["spec"]["timeoutSeconds"].as_u64().expect("seconds"));
        assert!(
            longest < timeout,
            "{}: Knative answers 504 while the function works on",
            trigger.subscriber
        );
        assert!(
            trigger.delivery.timeout.is_some_and(|broker| broker > timeout),
            "{}: the broker hangs up first",
            trigger.name
        );
    }
}

#[test]
fn every_container_is_restricted() {
    for (object, template) in workloads() {
        let owner = name(&object);
        let spec = &template["spec"];
        assert_eq!(spec["automountServiceAccountToken"], false, "{owner}");
        for container in spec["containers"].as_array().expect("containers") {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{owner}");
            assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]), "{owner}");
            assert_eq!(security["readOnlyRootFilesystem"], true, "{owner}");
            assert_eq!(security["runAsNonRoot"], true, "{owner}");
            assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{owner}");
            assert!(security["runAsUser"].is_null(), "{owner}: OpenShift assigns the uid");
            assert!(
                container["resources"]["requests"]["memory"].is_string() && container["resources"]["limits"]["memory"].is_string(),
                "{owner}"
            );
        }
    }
}

/// A request may name any source, and one that is not configured where it is taken would be shown as disabled.
#[test]
fn requested_collections_reach_every_source_as_the_schedules_do() {
    let service = workloads()
        .into_iter()
        .find(|(object, _)| name(object) == "collect-requested")
        .expect("it")
        .1;
    let own = |template: &Value, field: &str| -> Vec<Value> {
        let container = &template["spec"]["containers"][0];
        container[field].as_array().expect("a list").clone()
    };
    let mut sources = 0;
    for (job, template) in workloads() {
        if !name(&job).starts_with("stargate-collect-") {
            continue;
        }
        sources += 1;
        for variable in own(&template, "env") {
            assert!(
                variable["name"] == "STARGATE_COLLECT_BUDGET_S" || own(&service, "env").contains(&variable),
                "{}: {variable}",
                name(&job)
            );
        }
        for mount in own(&template, "volumeMounts").iter().filter(|mount| mount["name"] != "tmp") {
            assert!(own(&service, "volumeMounts").contains(mount), "{}: {mount}", name(&job));
        }
        for volume in template["spec"]["volumes"]
            .as_array()
            .expect("volumes")
            .iter()
            .filter(|volume| volume["name"] != "tmp")
        {
            let volumes = service["spec"]["volumes"].as_array().expect("volumes");
            assert!(volumes.contains(volume), "{}: {volume}", name(&job));
        }
    }
    assert_eq!(sources, SourceName::ALL.len());
    let trigger = knative("Trigger")
        .into_iter()
        .find(|trigger| name(trigger) == "collect-requested")
        .expect("it");
    let attributes = trigger["spec"]["filter"]["attributes"].as_object().expect("attributes").clone();
    assert_eq!(
        serde_json::Value::Object(attributes),
        serde_json::json!({ "type": EventType::CollectionRequested.as_str() }),
        "requests for any source"
    );
}

#[test]
fn cron_jobs_neither_overlap_nor_hang_nor_pile_up() {
    let (mut minutes, mut light) = (BTreeSet::new(), BTreeSet::new());
    for job in cron_jobs() {
        let (job_name, spec) = (name(&job), &job["spec"]);
        // Sixty minutes are not enough for all: what asks a small system may meet one other job.
        let is_light = ["sandbox-api", "demolition", "labagator", "agnosticv"]
            .iter()
            .any(|source| job_name.ends_with(source));
        let taken = if is_light { &mut light } else { &mut minutes };
        assert!(job_name.len() <= 52, "{job_name}: a Job's name gets 11 characters more");
        assert_eq!(
            (spec["timeZone"].as_str(), spec["concurrencyPolicy"].as_str()),
            (Some("Etc/UTC"), Some("Forbid")),
            "{job_name}"
        );
        assert!(
            spec["startingDeadlineSeconds"].as_u64().is_some_and(|seconds| seconds >= 10),
            "{job_name}"
        );
        let run = &spec["jobTemplate"]["spec"];
        assert_eq!(run["template"]["spec"]["restartPolicy"], "Never", "{job_name}");
        assert!(
            run["backoffLimit"].as_u64().is_some_and(|tries| tries <= 1),
            "{job_name}: the next schedule is the retry"
        );
        let minute = spec["schedule"]
            .as_str()
            .and_then(|schedule| schedule.split(' ').next())
            .expect("a schedule");
        let period = match minute.split_once('/') {
            Some((_, minutes)) => minutes.parse::<u64>().expect("minutes") * 60,
            None => 3600,
        };
        let deadline = run["activeDeadlineSeconds"].as_u64().expect("a deadline");
        assert!(deadline < period, "{job_name}: a run that hangs would block the next");
        assert!(relay::JOB_BUDGET.as_secs() < deadline, "{job_name}: no time to send what was found");
        for minute in expand(minute) {
            assert!(
                !spec["schedule"].as_str().is_some_and(|schedule| schedule.ends_with("* * * *")) || taken.insert(minute),
                "{job_name}: minute {minute} is taken"
            );
        }
    }
}

#[test]
fn scans_of_a_fleet_end_before_their_deadline() {
    // Eight today; twice that must not need another manifest.
    const CLUSTERS: u64 = 16;
    for job in cron_jobs().iter().filter(|job| name(job).starts_with("stargate-scan-")) {
        let run = &job["spec"]["jobTemplate"]["spec"];
        let env = run["template"]["spec"]["containers"][0]["env"].as_array().expect("variables");
        let number = |wanted: &str| -> u64 {
            let variable = env
                .iter()
                .find(|variable| variable["name"] == wanted)
                .unwrap_or_else(|| panic!("{}: {wanted}", name(job)));
            variable["value"].as_str().and_then(|value| value.parse().ok()).expect("a number")
        };
        let turns = CLUSTERS.div_ceil(number("STARGATE_SCAN_CONCURRENCY"));
        let longest = turns * number("STARGATE_SCAN_BUDGET_S") + relay::JOB_BUDGET.as_secs();
        assert!(
            longest < run["activeDeadlineSeconds"].as_u64().expect("a deadline"),
            "{}: {longest} s",
            name(job)
        );
    }
}

/// The minutes of a cron field of the forms `m` and `from-to/step`.
fn expand(field: &str) -> Vec<usize> {
    let Some((range, step)) = field.split_once('/') else {
        return vec![field.parse().expect("a minute")];
    };
    let (from, to) = range.split_once('-').expect("a range");
    (from.parse().expect("a minute")..=to.parse().expect("a minute"))
        .step_by(step.parse().expect("a step"))
        .collect()
}

#[test]
fn sink_bindings_reach_exactly_what_emits() {
    let bindings = knative("SinkBinding");
    for kind in ["Job", "Service"] {
        let binding = bindings
            .iter()
            .find(|binding| binding["spec"]["subject"]["kind"] == kind)
            .unwrap_or_else(|| panic!("no SinkBinding for {kind}s"));
        assert_eq!(
            binding["spec"]["subject"]["selector"]["matchLabels"],
            serde_json::json!({ EMITS: "true" }),
            "{kind}"
        );
        assert_eq!(binding["spec"]["sink"]["ref"]["name"], name(&knative("Broker")[0]), "{kind}");
    }
    assert!(
        bindings.iter().all(|binding| binding["spec"]["subject"]["kind"] != "CronJob"),
        "it would inject nothing"
    );
    for (object, template) in workloads() {
        let labels = match object["kind"].as_str() {
            Some("CronJob") => &object["spec"]["jobTemplate"]["metadata"]["labels"],
            _ => &object["metadata"]["labels"],
        };
        let args = args(&template);
        let Some(program) = programs()
            .into_iter()
            .find(|program| args.get(1).is_some_and(|name| name == program.name))
        else {
            continue;
        };
        assert_eq!(
            labels[EMITS] == "true",
            !program.emits.is_empty(),
            "{}: label {EMITS} against what {} emits",
            name(&object),
            program.name
        );
        assert_eq!(labels["bindings.knative.dev/include"], labels[EMITS], "{}", name(&object));
    }
}

#[test]
fn every_program_takes_its_arguments_and_variables() {
    for (object, template) in workloads() {
        let args = args(&template);
        assert_eq!(args[0], "run", "{}: the image holds one program", name(&object));
        let Some(program) = programs().into_iter().find(|program| program.name == args[1]) else {
            continue;
        };
        let container = &template["spec"]["containers"][0];
        let env: Vec<(String, String)> = container["env"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|variable| {
                // What a secret or a ConfigMap holds is not known here.
                let unknown = match variable["valueFrom"]["configMapKeyRef"]["key"].as_str() {
                    Some("event-timezone") => "Europe/Berlin",
                    _ => "postgres://from-a-secret/stargate",
                };
                let value = variable["value"].as_str().unwrap_or(unknown);
                (name_of(variable), value.to_owned())
            })
            .collect();
        let checked = (program.check)(&args[2..], &env);
        assert!(checked.is_ok(), "{}: {}", name(&object), checked.expect_err("not ok"));
    }
}

fn name_of(variable: &Value) -> String {
    variable["name"].as_str().expect("a name").to_owned()
}

fn args(template: &Value) -> Vec<String> {
    let args = template["spec"]["containers"][0]["args"].as_array().expect("arguments");
    args.iter().map(|arg| arg.as_str().expect("text").to_owned()).collect()
}
