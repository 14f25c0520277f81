//! Rotten cases: each would let somebody believe in something that nobody checked. The runner refuses every one of them, and
//! says where and why.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::runner::{Run, run_suite};
use super::suite;
use crate::evaluate::rubric::RubricSet;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("stargate-rotten-{}-{name}", std::process::id()));
        std::fs::remove_dir_all(&path).ok();
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file, with the folders that it is in.
    fn with(&self, path: &str, text: &str) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

static RUBRICS: LazyLock<RubricSet> = LazyLock::new(|| RubricSet::embedded().unwrap());

fn run(path: &Path) -> Run {
    run_suite(&RUBRICS, &suite::find(&[path.to_owned()]).unwrap(), &|_| true)
}

/// Everything that is said against a run.
fn said(run: &Run) -> String {
    let mut lines: Vec<String> = run.flaws.iter().map(ToString::to_string).collect();
    lines.extend(run.tested.iter().flat_map(|tested| &tested.mismatches).map(ToString::to_string));
    lines.join("\n")
}

const DEPLOYMENT: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, status: {readyReplicas: 1}}";

/// A case of deployment-ready that is sound, with some of its lines replaced.
fn case(replaced: &str, by: &str) -> String {
    let sound = format!(
        "title: A Deployment is up\nnamespace: sandbox-q7f2k-lab\nresources:\n  - {DEPLOYMENT}\nexpect:\n  deployment-ready: {{outcome: pass}}\n"
    );
    assert!(sound.contains(replaced), "{replaced}");
    sound.replacen(replaced, by, 1)
}

#[test]
fn the_case_that_the_others_are_made_of_is_sound() {
    let folder = Folder::new("sound");
    folder.with("deployment-ready/rubric.yaml", "");
    folder.with("deployment-ready/cases/a.yaml", &case("", ""));
    let run = run(&folder.0);
    assert!(run.is_good(), "{}", said(&run));
    assert_eq!((run.passed(), run.failed()), (1, 0));
}

/// What is put in place of what, where the runner points to, and a part of what it says.
const ROTTEN: &[(&str, &str, &str, &str)] = &[
    // Nothing is expected.
    ("expect:\n  deployment-ready: {outcome: pass}", "", "1:8", "nothing is expected"),
    (
        "expect:\n  deployment-ready: {outcome: pass}",
        "expect: {}",
        "5:9",
        "list at least one stage",
    ),
    ("expect:\n  deployment-ready: {outcome: pass}", "expect:", "5:7", "expected mapping"),
    (
        "expect:\n  deployment-ready: {outcome: pass}",
        "expect: {others: pass_or_skipped}",
        "5:9",
        "list at least one stage",
    ),
    (
        "expect:\n  deployment-ready: {outcome: pass}",
        "expect: {kind: container}",
        "5:9",
        "list at least one stage",
    ),
    ("{outcome: pass}", "{}", "6:21", "outcome"),
    ("{outcome: pass}", "", "6:", ""),
    (
        "{outcome: pass}",
        "{criteria: {deployment_exists: true}}",
        "6:2",
        "missing field `outcome`",
    ),
    ("{outcome: pass}", "{outcome: pass, criteria: {}}", "6:47", "`criteria` is empty"),
    ("{outcome: pass}", "{outcome: pass, excluded: []}", "6:47", "`excluded` is empty"),
    ("{outcome: pass}", "{outcome: pass, message: ''}", "6:46", "every message holds"),
    ("{outcome: pass}", "{outcome: pass, message: }", "6:", ""),
    ("{outcome: pass}", "{outcome: pass, class: }", "6:", ""),
    ("{outcome: pass}", "{outcome: fail}", "6:21", "say which `class`"),
    ("{outcome: pass}", "{outcome: indeterminate}", "6:21", "say the `reason`"),
    // Names that do not exist.
    ("deployment-ready:", "deployment-redy:", "6:3", "did you mean `deployment-ready`?"),
    ("outcome: pass}", "outcome: passes}", "6:", "pass"),
    (
        "{outcome: pass}",
        "{outcome: pass, critera: {deployment_exists: true}}",
        "6:",
        "did you mean `criteria`?",
    ),
    (
        "{outcome: pass}",
        "{outcome: pass, criteria: {deployment_exist: true}}",
        "6:48",
        "did you mean `deployment_exists`?",
    ),
    (
        "{outcome: pass}",
        "{outcome: pass, criteria: {deployment_exists: yes}}",
        "6:",
        "true, false, or unknown",
    ),
    (
        "{outcome: pass}",
        "{outcome: fail, class: pods_crashloping}",
        "6:44",
        "did you mean `pods_crashlooping`?",
    ),
    (
        "{outcome: pass}",
        "{outcome: fail, class: route_missing}",
        "6:44",
        "a class of route-ready",
    ),
    (
        "{outcome: pass}",
        "{outcome: fail, class: oom_killed, sub_class: oom_container_limt}",
        "6:67",
        "did you mean `oom_container_limit`?",
    ),
    (
        "{outcome: pass}",
        "{outcome: fail, class: oom_killed, recommended_action: inspect_oom_kiled}",
        "6:76",
        "did you mean `inspect_oom_killed`?",
    ),
    (
        "{outcome: pass}",
        "{outcome: indeterminate, reason: forbiden}",
        "6:",
        "did you mean `forbidden`?",
    ),
    (
        "{outcome: pass}",
        "{outcome: indeterminate, reason: 'blocked_by:namespace-redy'}",
        "6:",
        "there is no reason",
    ),
    ("expect:", "expct:", "5:1", "did you mean `expect`?"),
    ("expect:\n", "expect:\n  kind: containr\n", "6:", "did you mean `container`?"),
    ("resources:", "resource:", "3:1", "did you mean `resources`?"),
    ("expect:", "not_read: {podz: forbidden}\nexpect:", "5:12", "did you mean `pod`?"),
    ("expect:", "not_read: {pod: forbiden}\nexpect:", "5:", "did you mean `forbidden`?"),
    ("expect:", "read: [podz]\nexpect:", "5:", "did you mean `pod`?"),
    ("expect:", "declared: {rutes: [a]}\nexpect:", "5:", "did you mean `routes`?"),
    // Objects that are not what they seem.
    (
        "readyReplicas: 1",
        "readyReplica: 1",
        "4:5",
        "nothing reads the field `status.readyReplica`",
    ),
    ("kind: Deployment", "kind: Deploymnt", "4:5", "not a kind that StarGate judges by"),
    ("apps/v1", "app/v1", "4:5", "not a kind that StarGate judges by"),
    ("apiVersion: apps/v1, ", "", "4:5", "not a kind that StarGate judges by"),
    (
        "{name: web}",
        "{name: web, namespace: elsewhere}",
        "4:5",
        "is in namespace elsewhere",
    ),
    ("{name: web}", "{name: ''}", "4:5", "an object needs `kind` and `metadata.name`"),
    (
        "{name: web}",
        "{name: web, creationTimestamp: 40m}",
        "4:5",
        "neither RFC 3339 nor an offset",
    ),
    (
        "{name: web}",
        "{name: web, creationTimestamp: yesterday}",
        "4:5",
        "neither RFC 3339 nor an offset",
    ),
    (
        "{name: web}",
        "{name: web, creationTimestamp: +40m}",
        "4:5",
        "created after the evaluation",
    ),
    (
        "{name: web}",
        "{name: web, annotations: {sandbox.redhat.com/orignal-replicas: '1'}}",
        "4:5",
        "nothing reads the annotation",
    ),
    ("readyReplicas: 1", "readyReplicas: one", "4:5", "deployment"),
    ("resources:", "at: 2026-03-02\nresources:", "3:5", "neither RFC 3339 nor an offset"),
    ("resources:", "at: -5m\nresources:", "3:5", "only a variant's `at`"),
    (
        "resources:\n",
        "resources:\n  - {apiVersion: v1, kind: Pod, metadata: {name: web-0}, status: {phase: Runing}}\n",
        "4:5",
        "did you mean `Running`?",
    ),
    (
        "resources:\n",
        "resources:\n  - {apiVersion: v1, kind: Pod, metadata: {name: w}, status: {conditions: [{type: Ready, status: 'true'}]}}\n",
        "4:5",
        "did you mean `True`?",
    ),
    (
        "resources:\n",
        "resources:\n  - {apiVersion: v1, kind: Event, metadata: {name: e}, type: Normal, reason: Pulled}\n",
        "4:5",
        "an event of type `Normal` is never read",
    ),
    (
        "resources:\n",
        "resources:\n  - {apiVersion: v1, kind: Namespace, metadata: {name: other}, status: {phase: Active}}\n",
        "4:5",
        "is in namespace other",
    ),
    // Fixtures that nobody uses.
    (
        "resources:\n",
        "resources:\n  - {apiVersion: v1, kind: Event, metadata: {name: e}, reason: BackOff, involvedObject: {kind: Pod, name: x}}\n",
        "4:5",
        "`Event/e` has no effect",
    ),
    (
        "expect:",
        "probes: [{kind: route, target: wbe, status: 200}]\nexpect:",
        "5:10",
        "`probe/route/wbe` has no effect",
    ),
    (
        "expect:",
        "not_read: {event: forbidden}\nexpect:",
        "5:12",
        "`not_read: event` has no effect",
    ),
    (
        "expect:",
        "read: [deployment]\nnot_read: {deployment: forbidden}\nexpect:",
        "6:12",
        "both `read` and `not_read`",
    ),
    (
        "expect:",
        "namespace_gone: false\nexpect:",
        "5:17",
        "`namespace_gone` has no effect",
    ),
    ("expect:", "declared: {}\nexpect:", "5:11", "has no effect"),
    ("expect:", "declared: {vms: []}\nexpect:", "5:11", "has no effect"),
    (
        "expect:",
        "without: [Deployment/wbe]\nexpect:",
        "5:11",
        "there is no `Deployment/wbe` to leave out",
    ),
    ("expect:", "no_effect: [Deployment/web]\nexpect:", "5:13", "has an effect"),
    (
        "expect:",
        "no_effect: [Deployment/wbe]\nexpect:",
        "5:13",
        "did you mean `Deployment/web`?",
    ),
    (
        "expect:\n",
        "variants:\n  - title: fewer\n    resources: [{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, status: {readyReplicas: 1}}]\n    expect: {deployment-ready: pass}\nexpect:\n",
        "7:17",
        "the patch changes nothing",
    ),
    (
        "expect:\n",
        "variants:\n  - title: later\n    expect: {deployment-ready: pass}\nexpect:\n",
        "6:12",
        "nothing differs from line 1",
    ),
    (
        "expect:\n",
        "variants:\n  - title: later\n    at: +1h\n    expect: {deployment-ready: pass}\n  - title: later\n    at: +2h\n    expect: {deployment-ready: pass}\nexpect:\n",
        "9:12",
        "the title is the same",
    ),
    (
        "expect:\n",
        "variants:\n  - title: later\n    at: +1h\nexpect:\n",
        "6:12",
        "nothing is expected",
    ),
    (
        "expect:\n",
        "variants:\n  - title: later\n    variants: [{title: x}]\n    expect: {deployment-ready: pass}\nexpect:\n",
        "6:12",
        "a variant has no variants",
    ),
    // YAML that says less than it seems to.
    ("expect:\n", "expect: {deployment-ready: pass}\nexpect:\n", "6:1", "expect"),
    (
        "  deployment-ready: {outcome: pass}\n",
        "  deployment-ready: {outcome: pass}\n---\ntitle: Another\n",
        "",
        "",
    ),
    ("{outcome: pass}", "{outcome: pass}\n  route-ready:", "7:", ""),
    ("title: A Deployment is up", "title: ''", "1:8", "the title is empty"),
    // The case is about something else.
    (
        "deployment-ready: {outcome: pass}",
        "namespace-ready: pass",
        "6:3",
        "nothing is expected of deployment-ready",
    ),
    (
        "deployment-ready: {outcome: pass}",
        "storage-clone-ready: {outcome: pass}\n  deployment-ready: pass",
        "6:24",
        "expected pass, is skipped",
    ),
    (
        "deployment-ready: {outcome: pass}",
        "deployment-ready: pass\n  storage-clone-ready: {outcome: skipped, reason: destroying}",
        "7:24",
        "expected reason destroying",
    ),
    (
        "deployment-ready: {outcome: pass}",
        "cluster-health: pass\n  deployment-ready: pass",
        "6:19",
        "expected pass, is indeterminate",
    ),
];

#[test]
fn no_rotten_case_passes() {
    let folder = Folder::new("table");
    folder.with("deployment-ready/rubric.yaml", "");
    let mut wrong = Vec::new();
    for (index, (replaced, by, place, message)) in ROTTEN.iter().enumerate() {
        let path = folder.with(&format!("deployment-ready/cases/{index}.yaml"), &case(replaced, by));
        let run = run(&path);
        let said = said(&run);
        let at = format!("{index}.yaml:{place}");
        let named = said.lines().any(|line| line.contains(&at) && line.contains(message));
        if run.is_good() || !named {
            wrong.push(format!("{by}\n  should say {at} … {message}\n  says {said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ROTTEN.len(), wrong.join("\n"));
}

/// Files and folders that hold a sound case and something more, or not even that: what is written, where the runner points to, and a
/// part of what it says.
const FOLDERS: &[(&[&str], &str, &str)] = &[
    (&["deployment-ready/rubric.yaml"], "deployment-ready", "has no folder `cases`"),
    (
        &["deployment-ready/rubric.yaml", "deployment-ready/cases/README.md"],
        "deployment-ready/cases",
        "is empty",
    ),
    (
        &["deployment-ready/rubric.yaml", "deployment-ready/case/a.yaml"],
        "deployment-ready/case",
        "is read by nobody",
    ),
    (
        &[
            "deployment-ready/rubric.yaml",
            "deployment-ready/cases/a.yaml",
            "deployment-ready/b.yaml",
        ],
        "deployment-ready/b.yaml",
        "is read by nobody",
    ),
    (
        &["deployment-ready/rubric.yaml", "deployment-ready/cases/a.yml"],
        "cases/a.yml",
        "must end in `.yaml`",
    ),
    (
        &[
            "deployment-ready/rubric.yaml",
            "deployment-ready/cases/a.yaml",
            "deployment-ready/cases/b.YAML",
        ],
        "cases/b.YAML",
        "must end in `.yaml`",
    ),
    (
        &[
            "deployment-ready/rubric.yaml",
            "deployment-ready/cases/a.yaml",
            "deployment-ready/cases/pods.json",
        ],
        "cases/pods.json",
        "must end in `.yaml`",
    ),
    (
        &[
            "deployment-ready/rubric.yaml",
            "deployment-ready/cases/a.yaml",
            "deployment-ready/cases/.b.yaml",
        ],
        "cases/.b.yaml",
        "not begin with a dot",
    ),
    (
        &["deployment-ready/rubric.yaml", "deployment-ready/cases/more/a.yml"],
        "more/a.yml",
        "must end in `.yaml`",
    ),
    (
        &[
            "deployment-ready/rubric.yaml",
            "deployment-ready/cases/a.yaml",
            "deployment-redy/cases/b.yaml",
        ],
        "deployment-redy",
        "has no rubric.yaml",
    ),
    (
        &[
            "deployment-ready/rubric.yaml",
            "deployment-ready/cases/a.yaml",
            "route-ready/cases/b.yaml",
        ],
        "route-ready",
        "has no rubric.yaml",
    ),
    (
        &[
            "deployment-ready/rubric.yaml",
            "deployment-ready/cases/a.yaml",
            "labs/x/cases/b.yaml",
        ],
        "labs/x",
        "is no lab's rubric",
    ),
    (
        &[
            "deployment-ready/rubric.yaml",
            "deployment-ready/cases/a.yaml",
            "deployment-ready/cases/b.yaml",
        ],
        "cases/b.yaml",
        "has the same title as",
    ),
    (
        &["deployment-ready/rubric.yaml", "deployment-ready/cases/oom_killed.yaml"],
        "oom_killed.yaml",
        "never expects",
    ),
    (
        &["route-ready/rubric.yaml", "route-ready/cases/a.yaml"],
        "cases/a.yaml:6:3",
        "nothing is expected of route-ready",
    ),
    (&["x/README.md"], "", "holds no cases"),
    (&[], "", "holds no cases"),
];

#[test]
fn no_file_is_passed_over() {
    let mut wrong = Vec::new();
    for (index, (files, place, message)) in FOLDERS.iter().enumerate() {
        let folder = Folder::new(&format!("folder-{index}"));
        for file in *files {
            folder.with(file, &case("", ""));
        }
        let run = run(&folder.0);
        let said = said(&run);
        let named = said.lines().any(|line| line.contains(place) && line.contains(message));
        if run.is_good() || !named {
            wrong.push(format!("{files:?}\n  should say {place} … {message}\n  says {said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), FOLDERS.len(), wrong.join("\n"));
}

#[test]
fn a_choice_that_chooses_nothing_is_no_success() {
    let folder = Folder::new("choice");
    let path = folder.with("a.yaml", &case("", ""));
    let run = run_suite(&RUBRICS, &suite::find(&[path]).unwrap(), &|name| name.contains("another"));
    assert!(!run.is_good());
    assert!(said(&run).contains("no case was chosen"), "{}", said(&run));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let folder = Folder::new("unreadable");
    assert!(suite::find(&[folder.0.join("nowhere")]).is_err());
    let path = folder.0.join("a.yaml");
    std::fs::write(&path, [b't', 0xff, 0xfe]).unwrap();
    let run = run(&path);
    assert!(!run.is_good() && said(&run).contains("a.yaml: cannot be read"), "{}", said(&run));
}

const EVIDENCE: &str = "title: Out of memory
evidence:
  deployment-ready: {desired_replicas_ready: false, no_oom_kills: false, rest: true}
expect:
  deployment-ready: {outcome: fail, class: oom_killed}
";

/// As [`ROTTEN`], over a case that gives evidence.
const ROTTEN_EVIDENCE: &[(&str, &str, &str, &str)] = &[
    ("no_oom_kills", "no_oom_kill", "3:53", "did you mean `no_oom_kills`?"),
    ("rest: true", "rest: maybe", "3:74", "`rest` is true, false"),
    ("rest: true", "rest: forbidden", "3:74", "{unknown: forbidden}"),
    (
        "no_oom_kills: false",
        "no_oom_kills: {unknown: forbiden}",
        "3:",
        "did you mean `forbidden`?",
    ),
    ("no_oom_kills: false", "no_oom_kills: ", "3:", "nothing is said"),
    (
        "no_oom_kills: false",
        "no_oom_kills: {value: false, failing: [web]}",
        "3:53",
        "name the member as Kind/name",
    ),
    (
        "no_oom_kills: false",
        "no_oom_kills: {value: false, unknown: forbidden}",
        "3:53",
        "either `value` or `unknown`",
    ),
    ("rest: true", "rest: true, signals: []", "3:86", "`signals` is empty"),
    (
        "rest: true",
        "rest: true, signals: [nothing of that sort]",
        "3:86",
        "`signals` of the evidence for deployment-ready has no effect",
    ),
    (
        "evidence:
",
        "evidence:
  route-ready: {rest: true}
",
        "3:17",
        "`rest` of the evidence for route-ready has no effect",
    ),
    (
        "  deployment-ready: {outcome",
        "  route-ready: pass
  deployment-ready: {outcome",
        "5:16",
        "there is no `evidence` for route-ready",
    ),
    (
        "expect:
",
        "expect:
  kind: container
",
        "5:3",
        "evidence says nothing about kind",
    ),
    (
        "evidence:
",
        "namespace_gone: true
evidence:
",
        "2:17",
        "is judged by that alone",
    ),
    (
        "evidence:
",
        "evidence: {}
expct:
",
        "",
        "did you mean `expect`?",
    ),
    (
        "evidence:
  deployment-ready: {desired_replicas_ready: false, no_oom_kills: false, rest: true}",
        "evidence: {deployment-ready: {}}",
        "2:12",
        "no evidence is given",
    ),
];

#[test]
fn no_rotten_evidence_passes() {
    let folder = Folder::new("evidence");
    let sound = folder.with("sound.yaml", EVIDENCE);
    assert!(run(&sound).is_good(), "{}", said(&run(&sound)));
    let mut wrong = Vec::new();
    for (index, (replaced, by, place, message)) in ROTTEN_EVIDENCE.iter().enumerate() {
        let path = folder.with(&format!("{index}.yaml"), &EVIDENCE.replacen(replaced, by, 1));
        let run = run(&path);
        let said = said(&run);
        let named = said
            .lines()
            .any(|line| line.contains(&format!("{index}.yaml:{place}")) && line.contains(message));
        if run.is_good() || !named {
            wrong.push(format!("{by}\n  should say {index}.yaml:{place} … {message}\n  says {said}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        ROTTEN_EVIDENCE.len(),
        wrong.join("\n")
    );
}
