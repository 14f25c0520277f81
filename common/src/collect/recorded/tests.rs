//! What people really record, well and badly.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use super::*;
use crate::objects::{Inventory, Listing};

/// A folder that goes away with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("stargate-recorded-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn read(&self) -> Recording {
        read(&self.0, None).unwrap()
    }

    /// The only namespace of the only cluster, and the problems as text.
    fn only(&self) -> (Inventory, Vec<String>) {
        let recording = self.read();
        let [cluster] = recording.clusters.as_slice() else {
            panic!("{} clusters", recording.clusters.len())
        };
        assert_eq!(cluster.namespaces.len(), 1, "{:?}", cluster.namespaces.keys());
        let inventory = cluster.namespaces.values().next().unwrap().clone();
        (inventory, texts(&recording.problems))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn texts(problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|Problem { subject, detail }| format!("{subject}: {detail}"))
        .collect()
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind,
           "metadata": {"name": name, "namespace": namespace, "creationTimestamp": "2026-03-01T08:00:00Z"}})
}

fn pod(namespace: &str, name: &str) -> Value {
    object("v1", "Pod", namespace, name)
}

fn list(items: &[Value]) -> String {
    serde_json::to_string_pretty(&json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})).unwrap()
}

fn names<T: crate::objects::assemble::Projection>(listing: &Listing<T>) -> Vec<&str> {
    listing.items.iter().map(|item| item.metadata().name.as_str()).collect()
}

const UNREAD: Option<UnknownReason> = Some(UnknownReason::NotCollected);

#[test]
fn every_form_that_oc_writes_is_read() {
    let stream = format!(
        "{}\n{}",
        object("v1", "Service", "lab", "one"),
        object("v1", "Service", "lab", "two")
    );
    let yaml = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: disk
  namespace: lab
status: {phase: Bound}
---
# nothing here
---
apiVersion: route.openshift.io/v1
kind: RouteList
items:
- metadata:
    name: web
    namespace: lab
    annotations:
      note: |
        items:
        - not an item

        kind: Nothing
  spec:
    host: web.example
- metadata: {name: api, namespace: lab}
metadata: {}
";
    // A typed list as the API server writes it in YAML, its kind after the items.
    let typed = "\
apiVersion: apps/v1
items:
  - metadata:
      name: web
      namespace: lab
    spec: {replicas: 2}
kind: DeploymentList
";
    let typed_json = r#"{"apiVersion":"batch/v1","items":[{"metadata":{"name":"seed","namespace":"lab"}}],"kind":"JobList"}"#;
    let dir = Dir::new("forms")
        .file("a/list.json", list(&[pod("lab", "first")]))
        .file("b/typed.json", typed_json)
        .file("c/stream.json", stream)
        .file("d/documents.yaml", yaml)
        .file("e/typed.yml", typed)
        .file(
            "f/array.json",
            json!([object("apps/v1", "StatefulSet", "lab", "db"), list_value(&[])]).to_string(),
        )
        .file(
            "namespace.json",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}}).to_string(),
        )
        .file("must-gather.log", "not an object");
    let (lab, problems) = dir.only();
    assert_eq!(names(&lab.pods), ["first"]);
    assert_eq!(names(&lab.jobs), ["seed"]);
    assert_eq!(names(&lab.services), ["one", "two"]);
    assert_eq!(names(&lab.claims), ["disk"]);
    assert_eq!(names(&lab.routes), ["api", "web"]);
    assert_eq!(lab.routes.items[1].spec.host, "web.example");
    assert_eq!(names(&lab.deployments), ["web"]);
    assert_eq!(names(&lab.stateful_sets), ["db"]);
    assert_eq!(names(&lab.namespace), ["lab"]);
    assert_eq!(lab.pods.missing, None);
    assert_eq!(lab.vms.missing, UNREAD);
    assert_eq!(
        problems,
        ["f/array.json: an empty list that does not say of what; name the file for its kind, as in pods.json"]
    );
    let recording = dir.read();
    assert_eq!((recording.files, recording.skipped), (7, 1));
}

fn list_value(items: &[Value]) -> Value {
    serde_json::from_str(&list(items)).unwrap()
}

#[test]
fn an_empty_list_is_read_and_a_missing_file_is_not() {
    let dir = Dir::new("empty")
        .file("pods.json", list(&[pod("lab", "main")]))
        .file("vm.json", list(&[]))
        .file("dv.yaml", "apiVersion: v1\nitems: []\nkind: List\n")
        .file(
            "x.json",
            r#"{"kind":"RouteList","apiVersion":"route.openshift.io/v1","metadata":{},"items":null}"#,
        );
    let (lab, problems) = dir.only();
    assert_eq!(lab.vms, Listing::complete(vec![]));
    assert_eq!(lab.data_volumes, Listing::complete(vec![]));
    assert_eq!(lab.routes, Listing::complete(vec![]));
    assert_eq!(lab.services.missing, UNREAD);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn what_one_namespace_lacks_is_not_read_because_another_has_it() {
    let dir = Dir::new("two")
        .file("one/pods.json", list(&[pod("one", "main")]))
        .file("one/vm.json", list(&[]))
        .file("two/pods.json", list(&[pod("two", "main")]));
    let recording = dir.read();
    let namespaces = &recording.clusters[0].namespaces;
    assert_eq!(namespaces["one"].vms.missing, None);
    assert_eq!(namespaces["two"].vms.missing, UNREAD);
}

#[test]
fn a_list_of_all_namespaces_is_complete_for_each() {
    let pods = [pod("openshift-dns", "dns"), pod("one", "main")];
    let dir = Dir::new("wide")
        .file("pods.json", list(&pods))
        .file("vm.json", list(&[]))
        .file("services.json", list(&[object("v1", "Service", "two", "web")]));
    let recording = dir.read();
    let namespaces = &recording.clusters[0].namespaces;
    assert_eq!(namespaces.keys().collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(namespaces["two"].pods, Listing::complete(vec![]));
    assert_eq!(namespaces["two"].vms, Listing::complete(vec![]));
    assert_eq!(namespaces["one"].services.missing, UNREAD);
}

#[test]
fn an_empty_list_that_could_be_about_several_namespaces_is_told() {
    let dir = Dir::new("ambiguous")
        .file("one-pods.json", list(&[pod("one", "main")]))
        .file("two-pods.json", list(&[pod("two", "main")]))
        .file("two-vm.json", list(&[]))
        .file("dv.json", list(&[]));
    let recording = dir.read();
    assert_eq!(recording.clusters[0].namespaces["two"].vms.missing, None);
    assert_eq!(recording.clusters[0].namespaces["one"].vms.missing, UNREAD);
    let problems = texts(&recording.problems);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("dv.json: an empty list of data-volume"), "{problems:?}");
}

#[test]
fn must_gather_is_read_from_an_archive_too() {
    let top = "must-gather.local.1/quay-io-release-sha256-1";
    let pods = "---\napiVersion: v1\nitems:\n- metadata:\n    name: web-1\n    namespace: lab\n    creationTimestamp: \"2026-03-01T08:00:00Z\"\n  status:\n    phase: Running\nkind: PodList\nmetadata:\n  resourceVersion: \"7\"\n";
    let node = |name: &str| format!("---\napiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n  uid: {name}-uid\n");
    let infrastructure =
        "apiVersion: config.openshift.io/v1\nkind: Infrastructure\nmetadata: {name: cluster}\nstatus: {infrastructureName: ocp-7}\n";
    let files = [
        ("cluster-scoped-resources/core/nodes/worker-1.yaml", node("worker-1")),
        ("cluster-scoped-resources/core/nodes/worker-2.yaml", node("worker-2")),
        (
            "cluster-scoped-resources/config.openshift.io/infrastructures.yaml",
            infrastructure.to_owned(),
        ),
        (
            "namespaces/lab/lab.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: lab}\nstatus: {phase: Active}\n".to_owned(),
        ),
        ("namespaces/lab/core/pods.yaml", pods.to_owned()),
        (
            "namespaces/lab/core/configmaps.yaml",
            "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: c, namespace: lab}\n".to_owned(),
        ),
        (
            "namespaces/lab/apps/deployments.yaml",
            "apiVersion: apps/v1\nitems: []\nkind: DeploymentList\n".to_owned(),
        ),
        ("namespaces/lab/pods/web-1/main/main/logs/current.log", "a log".to_owned()),
    ];
    let mut dir = Dir::new("must-gather");
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, content) in &files {
        dir = dir.file(&format!("{top}/{path}"), content);
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, format!("{top}/{path}"), content.as_bytes())
            .unwrap();
    }
    let packed = archive.into_inner().unwrap().finish().unwrap();
    let other = Dir::new("must-gather-packed").file("all.tar.gz", &packed);
    for recording in [dir.read(), read(&other.0.join("all.tar.gz"), None).unwrap()] {
        let [cluster] = recording.clusters.as_slice() else { panic!() };
        assert_eq!(cluster.cluster.name, "ocp-7");
        assert_eq!(cluster.cluster.nodes.items.len(), 2);
        assert_eq!(cluster.cluster.nodes.missing, None);
        assert_eq!(cluster.cluster.operators.missing, UNREAD);
        let lab = &cluster.namespaces["lab"];
        assert_eq!(names(&lab.pods), ["web-1"]);
        assert_eq!(lab.deployments, Listing::complete(vec![]));
        assert_eq!(lab.services.missing, UNREAD);
        assert_eq!(recording.skipped, 1);
        assert_eq!(recording.at.to_rfc3339(), "2026-03-01T08:00:00+00:00");
        let problems = texts(&recording.problems);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems[1].ends_with("configmaps.yaml: holds 1 object of v1 ConfigMap, which StarGate does not judge by"),
            "{problems:?}"
        );
    }

    let cut = Dir::new("must-gather-cut").file("all.tar.gz", &packed[..packed.len() / 2]);
    match read(&cut.0.join("all.tar.gz"), None) {
        Ok(recording) => assert!(
            texts(&recording.problems)
                .iter()
                .any(|problem| problem.contains("ends early or is damaged"))
        ),
        Err(error) => assert!(error.to_string().contains("ends early or is damaged"), "{error}"),
    }
}

#[test]
fn broken_json_is_named_by_line_and_the_rest_goes_on() {
    let whole = list(&[pod("lab", "first"), pod("lab", "second")]);
    let cut = &whole[..whole.find("second").unwrap()];
    let dir = Dir::new("broken-json")
        .file("pods.json", cut)
        .file("services.json", "{\"kind\": \"List\",\n \"items\": [oops]}")
        .file("deployments.json", list(&[object("apps/v1", "Deployment", "lab", "web")]));
    let (lab, problems) = dir.only();
    assert_eq!(names(&lab.pods), ["first"]);
    assert_eq!(lab.pods.missing, Some(UnknownReason::ParseError));
    assert_eq!(lab.services.missing, Some(UnknownReason::ParseError));
    assert_eq!(lab.deployments.missing, None);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("pods.json: line 18 column "), "{problems:?}");
    assert!(problems[0].ends_with("EOF while parsing a string"), "{problems:?}");
    assert_eq!(problems[1], "services.json: line 2 column 12: expected value");
}

#[test]
fn a_broken_item_of_a_yaml_list_costs_only_itself_and_completeness() {
    let pods = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: first\n    namespace: lab\n    creationTimestamp: \"2026-03-01T08:00:00Z\"\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: [second\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: third, namespace: lab}\nkind: List\n";
    let dir = Dir::new("broken-yaml")
        .file("pods.yaml", pods)
        .file("vm.yaml", "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\n  metadata: oops\n");
    let (lab, problems) = dir.only();
    assert_eq!(names(&lab.pods), ["first", "third"]);
    assert_eq!(lab.pods.missing, Some(UnknownReason::ParseError));
    assert_eq!(lab.vms.missing, Some(UnknownReason::ParseError));
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].starts_with("pods.yaml: line 12 column 11: unclosed bracket"),
        "{problems:?}"
    );
    assert!(problems[1].starts_with("vm.yaml: line 3 column "), "{problems:?}");
}

#[test]
fn a_field_of_the_wrong_type_is_named() {
    let mut wrong = pod("lab", "second");
    wrong["status"] = json!({"phase": 7});
    let dir = Dir::new("field").file("pods.json", list(&[pod("lab", "first"), wrong]));
    let (lab, problems) = dir.only();
    assert_eq!(lab.pods.missing, Some(UnknownReason::ParseError));
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("pods.json: pod lab/second cannot be understood: invalid type: integer `7`, expected a string"),
        "{problems:?}"
    );
}

#[test]
fn a_cut_list_is_truncated() {
    let cut = json!({"apiVersion": "v1", "items": [pod("lab", "main")], "kind": "PodList", "metadata": {"continue": "abc"}});
    let (lab, problems) = Dir::new("cut").file("pods.json", cut.to_string()).only();
    assert_eq!(lab.pods.missing, Some(UnknownReason::Truncated));
    assert!(problems[0].starts_with("pods.json: the list was cut by a limit"), "{problems:?}");
}

#[test]
fn what_is_not_an_object_to_judge_by_is_told() {
    let status = json!({"apiVersion": "v1", "kind": "Status", "code": 403, "reason": "Forbidden", "message": "you may not list"});
    let dir = Dir::new("others")
        .file("pods.json", list(&[pod("lab", "main")]))
        .file("vm.json", status.to_string())
        .file("routes.json", r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","rows":[]}"#)
        .file(
            "secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: lab}\ndata: {p: c2VjcmV0}\n",
        )
        .file("notes.yaml", "just some words\n")
        .file("config.json", r#"{"a": 1}"#)
        .file("nothing.json", "");
    let (lab, mut problems) = dir.only();
    problems.sort();
    assert_eq!(lab.vms.missing, Some(UnknownReason::Forbidden));
    assert_eq!(lab.routes.missing, Some(UnknownReason::ParseError));
    assert_eq!(
        problems,
        [
            "config.json: not a Kubernetes object: it has no `kind`",
            "notes.yaml: not a Kubernetes object: invalid type: string \"just some words\", expected a mapping with `apiVersion`, `kind` and `metadata`",
            "nothing.json: is empty: nothing was recorded",
            "routes.json: is a printed table; record it with -o json or -o yaml",
            "secret.yaml: holds 1 Secret object, which StarGate never reads; take them out before you pass the recording on",
            "vm.json: holds the API server's refusal (403 Forbidden: you may not list), so this kind counts as forbidden",
        ]
    );
}

fn node(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}})
}

#[test]
fn folders_with_different_nodes_are_clusters_of_their_own() {
    let dir = Dir::new("clusters")
        .file("east/nodes.json", list(&[node("e1"), node("e2")]))
        .file("east/lab/pods.json", list(&[pod("lab", "main")]))
        .file("west/nodes.json", list(&[node("w1")]))
        .file("west/lab/pods.json", list(&[pod("lab", "main")]));
    let recording = dir.read();
    let seen = recording
        .clusters
        .iter()
        .map(|cluster| {
            (
                cluster.cluster.name.as_str(),
                cluster.cluster.nodes.items.len(),
                cluster.namespaces.len(),
            )
        })
        .collect::<Vec<_>>();
    assert_eq!(seen, [("east", 2, 1), ("west", 1, 1)]);
}

#[test]
fn folders_with_the_same_or_other_cluster_objects_are_one_cluster() {
    let operator = json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator", "metadata": {"name": "dns", "uid": "o"}});
    let dir = Dir::new("one-cluster")
        .file("a/nodes.json", list(&[node("n1")]))
        .file("b/nodes.json", list(&[node("n1")]))
        .file("c/operators.json", list(&[operator]))
        .file("lab/pods.json", list(&[pod("lab", "main")]));
    let recording = dir.read();
    let [cluster] = recording.clusters.as_slice() else { panic!() };
    assert_eq!(cluster.cluster.nodes.items.len(), 1);
    assert_eq!(cluster.cluster.operators.items.len(), 1);
    assert_eq!(cluster.namespaces.len(), 1);
}

#[test]
fn the_clock_is_the_newest_moment_that_can_be_true() {
    let mut late = pod("lab", "main");
    late["status"] = json!({"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-01T09:30:00Z"}]});
    let mut wrong = pod("lab", "second");
    wrong["metadata"]["creationTimestamp"] = json!("2099-01-01T00:00:00Z");
    let dir = Dir::new("clock").file("pods.json", list(&[late, wrong]));
    let recording = dir.read();
    assert_eq!(recording.at.to_rfc3339(), "2026-03-01T09:30:00+00:00");
    assert!(texts(&recording.problems)[0].contains("2099-01-01"), "{:?}", recording.problems);
    let at = DateTime::UNIX_EPOCH;
    let given = read(&dir.0, Some(at)).unwrap();
    assert_eq!((given.at, given.clusters[0].observed_at), (at, at));
}

#[test]
fn files_from_windows_and_packed_files_are_read() {
    let text = list(&[pod("lab", "main")]);
    let utf16 = [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect::<Vec<u8>>();
    let marked = [
        b"\xEF\xBB\xBF".as_slice(),
        list(&[object("v1", "Service", "lab", "web")]).as_bytes(),
    ]
    .concat();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed
        .write_all(list(&[object("apps/v1", "Deployment", "lab", "web")]).as_bytes())
        .unwrap();
    let dir = Dir::new("encodings")
        .file("pods.json", utf16)
        .file("svc.json", marked)
        .file("deploy.json.gz", packed.finish().unwrap());
    let (lab, problems) = dir.only();
    assert_eq!(
        (names(&lab.pods), names(&lab.services), names(&lab.deployments)),
        (vec!["main"], vec!["web"], vec!["web"])
    );
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn a_file_that_does_not_fit_in_memory_is_read_as_a_stream() {
    let typed = json!({"apiVersion": "v1", "items": [{"metadata": {"name": "a", "namespace": "lab"}}], "kind": "PodList"});
    let yaml = "apiVersion: v1\nitems:\n- metadata: {name: b, namespace: lab}\nkind: ServiceList\n";
    let dir = Dir::new("stream").file("pods.json", typed.to_string()).file("services.yaml", yaml);
    let mut reading = Reading::default();
    for name in ["pods.json", "services.yaml"] {
        reading.file(Found::File(Entry {
            path: name.to_owned(),
            modified: None,
            content: Content::Disk(fs::File::open(dir.0.join(name)).unwrap()),
        }));
    }
    let recording = reading.finish(&dir.0, Some(DateTime::UNIX_EPOCH)).unwrap();
    let lab = &recording.clusters[0].namespaces["lab"];
    assert_eq!((names(&lab.pods), names(&lab.services)), (vec!["a"], vec!["b"]));
    assert_eq!((lab.pods.missing, lab.services.missing), (None, None));
}

#[test]
fn nothing_to_read_is_an_error_that_says_so() {
    let missing = read(Path::new("/nowhere/at/all"), None).unwrap_err();
    assert_eq!(missing.to_string(), "opening /nowhere/at/all");
    let dir = Dir::new("nothing").file("readme.txt", "hello").file("pods.zip", "PK");
    let error = read(&dir.0, None).unwrap_err().to_string();
    assert!(error.contains("(0 files read, 2 skipped); record with `oc get -o json`"), "{error}");
    let error = read(&dir.0.join("pods.zip"), None).unwrap_err().to_string();
    assert!(error.ends_with("unpack it first"), "{error}");
}
