//! The shipped classes mean what they say, hostile texts and patterns harm nobody, and every mistake in a file is found.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use super::*;
use crate::evaluate::embedded;
use crate::evaluate::lint::Finding;
use crate::evaluate::rubric::RubricSet;

static SHIPPED: LazyLock<Patterns> = LazyLock::new(|| RubricSet::embedded().unwrap_or_else(|error| panic!("{error}")).patterns);

fn class(source: Source, text: &str) -> &'static str {
    SHIPPED.classify(source, text).map_or("none", |class| class.name.as_str())
}

#[test]
fn every_source_has_its_classes() {
    let counts = Source::ALL.map(|source| SHIPPED.classes().filter(|class| class.source == source).count());
    assert_eq!(counts, [28, 15, 11, 12, 10, 9, 8]);
}

/// What operators have learnt to tell apart: text and class, `none` where nothing is wrong.
const EXPECTED: [(&str, &str); 44] = [
    // A word that stands for many things says nothing.
    ("Unhealthy", "none"),
    ("Unhealthy the endpoint list is empty", "none"),
    (
        "Unhealthy Readiness probe failed: dial tcp 10.1.2.3:8080: connect: connection refused",
        "readiness_probe_failed",
    ),
    ("Unhealthy Liveness probe failed: process was OOM killed", "readiness_probe_failed"),
    ("Unhealthy Startup probe errored: rpc error", "readiness_probe_failed"),
    // Out of memory is a word, not a part of one.
    ("OOMKilled", "oom_killed"),
    ("Killed container hit OOM", "oom_killed"),
    ("Created Created container bloom", "none"),
    ("Started zoomroom started", "none"),
    (
        "BackOff Back-off restarting failed container web in pod oompah-5c9d8_sandbox-q7f2k(1)",
        "pods_crashlooping",
    ),
    // Pending is said of many things that are not pods.
    ("Pending install plan install-x7 is pending approval", "none"),
    ("Pending certificate web-tls is pending", "none"),
    ("Pending build tool-3 is pending", "none"),
    ("Warning pod web-0 is still pending", "pod_pending"),
    ("Warning pod db-0 is waiting for its claim data-db-0", "pod_pending"),
    // What went well in the end did not fail.
    (
        "Warning failed to reconcile pool labs, reconciliation succeeded at the next attempt",
        "none",
    ),
    ("Warning error syncing lab-content, successfully synced after 2s", "none"),
    ("ReconcileError failed to reconcile pool labs", "sync_failed"),
    ("OperationCompleted Sync operation failed", "sync_failed"),
    // Other things are resolved, too.
    ("ResolutionFailed constraints not satisfiable", "resolution_failed"),
    ("Warning hostname resolution of git.example.com failed", "dns_resolution_failed"),
    ("Warning image resolution failed: tag latest does not exist", "none"),
    (
        "Failed to resolve reference \"registry.example.com/acme/tool:9\": not found",
        "none",
    ),
    // Secrets that are there.
    ("Created pull secret lab-registry created", "none"),
    ("Linked image pull secret lab-registry to service account default", "none"),
    (
        "FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets (lab-registry); attempting to pull the image may not succeed.",
        "image_pull_secret_missing",
    ),
    // A claim that waits for its first pod is as it should be.
    (
        "WaitForFirstConsumer waiting for first consumer to be created before binding",
        "none",
    ),
    ("FailedBinding waiting for first consumer to be created before binding", "none"),
    (
        "FailedBinding no persistent volumes available for this claim and no storage class is set",
        "pvc_binding_failed",
    ),
    // Operators come before the pods they are made of.
    (
        "BackOff Back-off restarting failed container manager in pod gitops-operator-7f9c6d5b8-qx2lm_platform-gitops(1)",
        "operator_unhealthy",
    ),
    (
        "BackOff Back-off restarting failed container web in pod webshop-5c9d8b7f6-2xk4p_sandbox-m4x8d(1)",
        "pods_crashlooping",
    ),
    ("OperatorStatusChanged operator is Degraded", "operator_degraded"),
    // The pull that failed, and why.
    (
        "Failed Failed to pull image \"registry.example.com/a:1\": pull access denied",
        "image_pull_backoff",
    ),
    ("BackOff Back-off pulling image \"registry.example.com/a:1\"", "image_pull_backoff"),
    // Nodes, and what only sounds like them.
    ("NodeNotReady Node is not ready", "node_pressure"),
    ("NodeHasNoDiskPressure Node worker-1 status is now: NodeHasNoDiskPressure", "none"),
    (
        "FailedScheduling 0/9 nodes are available: 9 Insufficient memory.",
        "scheduling_failed",
    ),
    (
        "FailedMount MountVolume.SetUp failed for volume \"kube-api-access\": object not registered",
        "volume_mount_failed",
    ),
    ("FailedAttachVolume Multi-Attach error for volume \"pvc-1\"", "volume_attach_failed"),
    (
        "FailedCreate pods \"web-1\" is forbidden: exceeded quota: sandbox",
        "quota_exceeded",
    ),
    (
        "BackoffLimitExceeded Job has reached the specified backoff limit",
        "backoff_limit_exceeded",
    ),
    (
        "ClaimMisbound Two claims are bound to the same volume, this one is bound incorrectly",
        "claim_misbound",
    ),
    (
        "UnrecognizedDataSourceKind The datasource for this PVC does not match any registered VolumePopulator",
        "datasource_unrecognized",
    ),
    ("", "none"),
];

#[test]
fn texts_are_told_apart_as_operators_do() {
    let mut wrong = String::new();
    for (text, expected) in EXPECTED {
        let is = class(Source::K8sEvents, text);
        if is != expected {
            let _ = writeln!(wrong, "{text:?} is {is}, expected {expected}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_source_takes_the_texts_of_another() {
    assert_eq!(class(Source::Summit, "showroom of LB1205 answers 503"), "showroom_not_reachable");
    assert_eq!(class(Source::Infrastructure, "showroom of LB1205 answers 503"), "none");
    let pull = "Failed to pull image \"registry.example.com/a:1\": unauthorized";
    assert_eq!(class(Source::K8sEvents, pull), "image_pull_backoff");
    assert_eq!(class(Source::TopologyHosts, pull), "none");
}

#[test]
fn a_name_may_mean_something_in_two_sources() {
    let sources: Vec<Source> = SHIPPED.named("operator_degraded").map(|class| class.source).collect();
    assert_eq!(sources, [Source::K8sEvents, Source::Infrastructure]);
    let of = |source| &SHIPPED.class(source, "operator_degraded").unwrap().patterns;
    assert_ne!(of(Source::K8sEvents), of(Source::Infrastructure), "neither replaces the other");
}

#[test]
fn severities_are_one_vocabulary() {
    let severity = |source, name| SHIPPED.class(source, name).unwrap().severity;
    assert_eq!(severity(Source::Alertmanager, "watchdog"), Severity::Info);
    assert_eq!(severity(Source::Alertmanager, "pdb_at_limit"), Severity::Medium);
    assert_eq!(severity(Source::K8sEvents, "node_pressure"), Severity::Critical);
    let tens = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical].map(Severity::of_ten);
    assert!(tens.is_sorted() && tens[0] >= 1 && tens[4] <= 10);
}

#[test]
fn a_text_is_searched_to_its_limit_and_no_further() {
    let after = |filler: usize| format!("{} OOMKilled", "x ".repeat(filler));
    assert_eq!(class(Source::K8sEvents, &after(MAX_TEXT / 2 - 10)), "oom_killed");
    assert_eq!(class(Source::K8sEvents, &after(MAX_TEXT)), "none");
    let megabyte = "back-off restarting failed ".repeat(40_000);
    assert_eq!(class(Source::K8sEvents, &megabyte), "none");
    let wide = "ä".repeat(1_000_000);
    assert_eq!(class(Source::K8sEvents, &wide), "none");
}

fn signal(source: SignalSource, reason: &str, text: &str) -> Signal {
    Signal {
        source,
        reason: reason.to_owned(),
        text: text.to_owned(),
        ..Signal::about("Pod", "oomkilled-failedscheduling-1")
    }
}

#[test]
fn what_is_decides_before_what_was_and_names_decide_nothing() {
    let of = |signals: &[Signal]| SHIPPED.of_signals(signals).map(|class| class.name.as_str());
    let crashes = signal(
        SignalSource::Waiting,
        "CrashLoopBackOff",
        "back-off 5m0s restarting failed container=web",
    );
    let probe = signal(SignalSource::Event, "Unhealthy", "Readiness probe failed: 503");
    let killed = signal(SignalSource::Event, "OOMKilling", "Memory cgroup out of memory");
    assert_eq!(of(&[killed.clone(), probe.clone(), crashes]), Some("pods_crashlooping"));
    assert_eq!(of(&[probe, killed]), Some("oom_killed"));
    assert_eq!(of(&[Signal::about("Pod", "oomkilled-failedscheduling-1")]), None);
    assert_eq!(of(&[]), None);
}

/// What is wrong with a file, as `line:column message; help`.
fn findings(text: &str) -> Vec<String> {
    findings_of(Source::Aap, text)
}

fn findings_of(source: Source, text: &str) -> Vec<String> {
    let raw = crate::yaml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let mut found: Vec<Finding> = Vec::new();
    let mut report = Report::new(&Arc::from("patterns/aap.yaml"), &mut found);
    let mut patterns = Patterns::default();
    patterns.add(&raw, source, &mut report);
    found
        .iter()
        .map(|finding| format!("{}:{} {}; {}", finding.line, finding.column, finding.message, finding.help))
        .collect()
}

const SMALL: &str = "\
source: aap
classes:
  gone:
    title: Gone
    description: It is gone.
    severity: low
    area: workload
    patterns:
      - regex: '\\bgone\\b'
        matches: [the host is gone]
        near_misses: [the host is undergone, gone and back again]
    unless: ['\\bback again\\b']
  lost:
    title: Lost
    description: It is lost.
    severity: low
    area: workload
    patterns:
      - regex: '\\blost\\b'
        matches: [the host is lost]
        near_misses: [the host glosted]
";

fn mistake(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    findings(&SMALL.replacen(from, to, 1)).join("\n")
}

#[test]
fn every_mistake_is_found_with_its_place() {
    assert_eq!(findings(SMALL), Vec::<String>::new());
    let found = [
        mistake("source: aap", "source: summit"),
        mistake("'\\bgone\\b'", "'(gone'"),
        mistake("'\\bgone\\b'", "'gone(?= away)'"),
        mistake("'\\bgone\\b'", "'(gone{1000}){1000}'"),
        mistake("'\\bgone\\b'", &format!("'{}'", "gone|".repeat(120))),
        mistake("'\\bgone\\b'", "'(gone)*'"),
        mistake("        matches: [the host is gone]\n", ""),
        mistake("        near_misses: [the host glosted]\n", ""),
        mistake("[the host is gone]", "[the host is away]"),
        mistake("[the host is gone]", "[the host is gone and back again]"),
        mistake("[the host glosted]", "[is lost here]"),
        mistake("[the host is lost]", "[the lost host is gone]"),
        mistake(", gone and back again", ""),
        mistake("  lost:\n", "  Lost:\n"),
        mistake("title: Lost", "title: ' '"),
        mistake("    severity: low\n", "    severity: low\n    query: up\n"),
    ];
    insta::assert_snapshot!(found.join("\n"), @r"
    1:9 source `summit` stands in the file of `aap`; name the file like the source
    9:16 `(gone` is not a regular expression that can be used: unclosed group; correct it; there is no look-around, use `unless`
    9:16 `gone(?= away)` is not a regular expression that can be used: look-around, including look-ahead and look-behind, is not supported; correct it; there is no look-around, use `unless`
    9:16 `(gone{1000}){1000}` is not a regular expression that can be used: it would take more than 131072 bytes of memory; correct it; there is no look-around, use `unless`
    9:16 the expression has 600 bytes, 500 at most; make several of it
    9:16 `(gone)*` is found in every text, even an empty one; ask for at least one word
    9:16 `\bgone\b` has no matches; add a text that it should find
    19:16 `\blost\b` has no near_misses; add a text that looks alike and is something else
    10:19 `\bgone\b` does not match this text; correct one of them
    10:19 an `unless` of class `gone` excludes this text; tighten it, or choose another text
    21:23 this near miss is of class `lost`; tighten the patterns, add to `unless`, or choose another text
    20:19 class `gone` above `lost` takes this text; move the class up, or tighten the one above
    12:14 no near miss shows what this is for: none would be of the class without it; add one to `near_misses`, or remove it
    13:3 class `Lost` is not a snake-case name; rename it
    14:12 the title is empty; say what an operator should know of the class
    7:12 a class of `aap` has no query; remove it: queries belong to `prometheus`
    ");
}

#[test]
fn a_metric_is_looked_at_over_a_span_of_time() {
    for class in SHIPPED.classes() {
        assert_eq!(class.query.is_some(), class.source == Source::Prometheus, "{}", class.name);
    }
    let of = |query: &str| {
        let text = SMALL.replace("source: aap", "source: prometheus");
        findings_of(Source::Prometheus, &text.replace("    area:", &format!("{query}    area:")))
    };
    assert_eq!(of("    query: 'increase(restarts_total[1h]) > 10'\n"), Vec::<String>::new());
    let total = of("    query: 'restarts_total{reason=~\"[A-Z].*\"} > 10'\n");
    assert!(total[0].contains("the query looks at no span of time"), "{total:?}");
    assert!(of("")[0].contains("class `gone` has no query"));
}

#[test]
fn severities_of_other_vocabularies_are_refused() {
    let raw: Result<raw::RawPatterns, _> = crate::yaml::from_str(&SMALL.replacen("severity: low", "severity: warning", 1));
    let error = raw.expect_err("not of the vocabulary").to_string();
    assert!(error.contains("warning"), "{error}");
}

/// Texts as they occur: examples of any source, parts of them, and noise.
fn any_text() -> impl Strategy<Value = String> {
    let files = embedded::FILES.iter().filter(|file| file.path.starts_with("patterns/"));
    let classes = files.flat_map(|file| {
        let raw: raw::RawPatterns = crate::yaml::from_str(file.text).unwrap_or_else(|error| panic!("{error}"));
        raw.classes.0
    });
    let examples: Vec<String> = classes
        .flat_map(|(_, class)| class.patterns)
        .flat_map(|pattern| pattern.matches.into_iter().chain(pattern.near_misses))
        .map(|example| example.value)
        .collect();
    prop_oneof![
        4 => select(examples.clone()),
        1 => (select(examples.clone()), select(examples)).prop_map(|(a, b)| format!("{a} {b}")),
        1 => ".{0,200}",
        1 => Just(String::new()),
    ]
}

proptest! {
    #[test]
    fn a_source_alone_says_the_same(source in select(Source::ALL.to_vec()), text in any_text()) {
        let mut alone = Patterns::default();
        alone.tables.extend(SHIPPED.tables.get_key_value(&source).map(|(source, table)| (*source, Arc::clone(table))));
        prop_assert_eq!(alone.classify(source, &text), SHIPPED.classify(source, &text));
        for other in Source::ALL.into_iter().filter(|other| *other != source) {
            prop_assert_eq!(alone.classify(other, &text), None);
        }
    }

    #[test]
    fn the_order_of_texts_makes_no_difference(texts in proptest::collection::vec(any_text(), 0..8), turn in 0..8_usize) {
        let there = SHIPPED.classify_all(Source::K8sEvents, &texts);
        let mut turned = texts.clone();
        turned.rotate_left(turn.min(texts.len()));
        turned.reverse();
        prop_assert_eq!(there, SHIPPED.classify_all(Source::K8sEvents, &turned));
        let one_by_one: Vec<_> = texts.iter().filter_map(|text| SHIPPED.classify(Source::K8sEvents, text)).collect();
        prop_assert_eq!(there.is_some(), !one_by_one.is_empty());
        prop_assert_eq!(there.is_none_or(|class| one_by_one.contains(&class)), true);
    }

    #[test]
    fn letters_of_any_case_are_the_same(text in any_text()) {
        let upper = text.to_ascii_uppercase();
        prop_assert_eq!(SHIPPED.classify(Source::K8sEvents, &text), SHIPPED.classify(Source::K8sEvents, &upper));
    }
}
