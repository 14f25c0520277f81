//! Pods: what runs in them, and every state a scan can find them in.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Site, array, owner_of, text};
use crate::{clock::stamp, draw::Draw, kinds::Kind};

/// A container of a pod template.
#[derive(Clone, Debug)]
pub struct Container {
    /// Name of the container.
    pub name: String,
    /// Image with its tag.
    pub image: String,
    /// Port it listens on.
    pub port: Option<u16>,
    /// CPU and memory asked for: `100m`, `128Mi`. Both empty for best effort.
    pub requests: (&'static str, &'static str),
    /// Environment variables it has, beside the common ones; only their number matters.
    pub variables: usize,
}

impl Container {
    /// A container of usual size.
    #[must_use]
    pub fn new(name: &str, image: &str, port: Option<u16>) -> Self {
        let image = if image.contains('/') {
            image.to_owned()
        } else {
            format!("registry.example.test/labs/{image}")
        };
        Self {
            name: name.to_owned(),
            image,
            port,
            requests: ("100m", "128Mi"),
            variables: 6,
        }
    }

    fn spec(&self, mounts: &[Value]) -> Value {
        let mut env: Vec<Value> = vec![
            json!({"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}),
            json!({"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}}),
        ];
        env.extend(
            (0..self.variables).map(|number| json!({"name": format!("SETTING_{number}"), "value": format!("value-of-setting-{number}")})),
        );
        let mut spec = json!({
            "name": self.name, "image": self.image, "imagePullPolicy": "IfNotPresent", "env": env, "volumeMounts": mounts,
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true, "runAsUser": 1_003_290_000},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "resources": {},
        });
        if !self.requests.0.is_empty() {
            let (cpu, memory) = self.requests;
            spec["resources"] = json!({"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": "1", "memory": "1Gi"}});
        }
        if let Some(port) = self.port {
            spec["ports"] = json!([{"containerPort": port, "name": self.name.get(..15).unwrap_or(&self.name), "protocol": "TCP"}]);
            let probe = |delay| {
                json!({"httpGet": {"path": "/", "port": port, "scheme": "HTTP"}, "initialDelaySeconds": delay, "periodSeconds": 10,
                "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3})
            };
            spec["readinessProbe"] = probe(5);
            spec["livenessProbe"] = probe(15);
        }
        spec
    }
}

/// A pod template: labels, init containers, containers, and claims to mount.
pub(crate) fn template(labels: &Value, init: &[Container], containers: &[Container], claims: &[&str]) -> Value {
    let mut volumes = vec![
        json!({"name": "scratch", "emptyDir": {}}),
        json!({"name": "settings", "configMap": {"name": "settings", "defaultMode": 420}}),
    ];
    let mut mounts = vec![
        json!({"name": "scratch", "mountPath": "/scratch"}),
        json!({"name": "settings", "mountPath": "/etc/settings", "readOnly": true}),
    ];
    for claim in claims {
        volumes.push(json!({"name": claim, "persistentVolumeClaim": {"claimName": claim}}));
        mounts.push(json!({"name": claim, "mountPath": format!("/data/{claim}")}));
    }
    let specs = |containers: &[Container]| containers.iter().map(|container| container.spec(&mounts)).collect::<Vec<_>>();
    let mut spec = json!({"containers": specs(containers), "volumes": volumes, "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "securityContext": {}});
    if !init.is_empty() {
        spec["initContainers"] = json!(specs(init));
    }
    json!({"metadata": {"creationTimestamp": null, "labels": labels}, "spec": spec})
}

/// A pod of a template, bound to a node but without status; see [`set_state`].
pub(crate) fn from_template(site: &mut Site<'_>, template: &Value, pod_name: &str, owner: Option<&Value>) -> Value {
    let mut spec = template["spec"].clone();
    let token = format!("kube-api-access-{}", site.draw.suffix());
    let token_volume = json!({"name": token, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        {"configMap": {"name": "openshift-service-ca.crt", "items": [{"key": "service-ca.crt", "path": "service-ca.crt"}]}}]}});
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        volumes.push(token_volume);
    }
    for list in ["initContainers", "containers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(mounts) = container.get_mut("volumeMounts").and_then(Value::as_array_mut) {
                mounts.push(json!({"name": token, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true}));
            }
        }
    }
    let tolerate = |key: &str| json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    spec["tolerations"] = json!([tolerate("not-ready"), tolerate("unreachable"),
        {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"}]);
    spec["nodeName"] = json!(site.draw.node());
    for (field, value) in [
        ("priority", json!(0)),
        ("enableServiceLinks", json!(true)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
        ("serviceAccount", json!("default")),
        ("serviceAccountName", json!("default")),
    ] {
        spec[field] = value;
    }
    let mut pod = site.object(Kind::Pod, pod_name, &template["metadata"]["labels"], json!({"spec": spec}));
    pod["metadata"]["annotations"] = network_annotations(site.draw);
    if let Some(owner) = owner {
        pod["metadata"]["ownerReferences"] = owner_of(owner);
    }
    pod
}

fn network_annotations(draw: &mut Draw) -> Value {
    let address = draw.address();
    let pods = json!({"default": {"ip_addresses": [format!("{address}/23")], "mac_address": "0a:58:0a:80:02:1a", "gateway_ips": ["10.128.2.1"],
        "routes": [{"dest": "10.128.0.0/14", "nextHop": "10.128.2.1"}, {"dest": "172.30.0.0/16", "nextHop": "10.128.2.1"}],
        "ip_address": format!("{address}/23"), "gateway_ip": "10.128.2.1", "role": "primary"}});
    let status =
        json!([{"name": "ovn-kubernetes", "interface": "eth0", "ips": [address], "mac": "0a:58:0a:80:02:1a", "default": true, "dns": {}}]);
    json!({"k8s.ovn.org/pod-networks": pods.to_string(), "k8s.v1.cni.cncf.io/network-status": status.to_string(),
        "openshift.io/scc": "restricted-v2", "seccomp.security.alpha.kubernetes.io/pod": "runtime/default"})
}

/// The address that the network gave a pod.
pub(crate) fn address_of(pod: &Value) -> Option<String> {
    let status: Value = serde_json::from_str(text(pod, "/metadata/annotations/k8s.v1.cni.cncf.io~1network-status")).ok()?;
    status.pointer("/0/ips/0").and_then(Value::as_str).map(str::to_owned)
}

/// What a scan finds a pod in.
#[derive(Clone, Debug, PartialEq)]
pub enum PodState {
    /// No node takes it; the scheduler's message.
    Unschedulable(String),
    /// Bound to a node, containers not yet started.
    Creating,
    /// Everything runs and is ready.
    Ready,
    /// Runs, but this container fails its readiness probe.
    Unready {
        /// Its name.
        container: String,
    },
    /// A container never starts: the waiting reason and message.
    Waiting {
        /// Its name.
        container: String,
        /// Such as `ImagePullBackOff`.
        reason: String,
        /// What the kubelet says; may be empty.
        message: String,
    },
    /// A container, or an init container, ends again and again.
    CrashLoop {
        /// Its name.
        container: String,
        /// How often it was started again.
        restarts: i64,
        /// How it ended last.
        exit_code: i64,
        /// Such as `Error` or `OOMKilled`.
        reason: String,
    },
    /// All containers ended with 0.
    Succeeded,
    /// The first container ended otherwise and is not restarted.
    Failed {
        /// How it ended.
        exit_code: i64,
    },
    /// Thrown off its node.
    Evicted,
}

/// Writes the status of a pod that has been in `state` since `since`.
pub(crate) fn set_state(pod: &mut Value, state: &PodState, since: DateTime<Utc>, draw: &mut Draw) {
    let created = DateTime::parse_from_rfc3339(text(pod, "/metadata/creationTimestamp")).map_or(since, |created| created.to_utc());
    let started = (created + TimeDelta::seconds(8)).max(since.min(created + TimeDelta::seconds(30)));
    let culprit = match state {
        PodState::Unready { container } | PodState::Waiting { container, .. } | PodState::CrashLoop { container, .. } => container.as_str(),
        _ => "",
    };
    let is_init = array(pod, "/spec/initContainers")
        .iter()
        .any(|container| container["name"] == culprit);
    let address = address_of(pod).unwrap_or_else(|| draw.address());

    if let PodState::Unschedulable(message) = state {
        if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
            spec.remove("nodeName");
        }
        pod["status"] = json!({"phase": "Pending", "qosClass": "Burstable", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message, "lastProbeTime": null, "lastTransitionTime": stamp(since)}]});
        return;
    }
    if *state == PodState::Evicted {
        pod["status"] = json!({"phase": "Failed", "reason": "Evicted", "startTime": stamp(created), "qosClass": "Burstable",
            "message": "The node was low on resource: memory. Threshold quantity: 100Mi, available: 56Mi."});
        return;
    }

    let mut unready: Vec<String> = Vec::new();
    let mut statuses = |list: &str, draw: &mut Draw| -> Vec<Value> {
        let inits = list == "initContainers";
        let mut past_culprit = false;
        let containers = array(pod, &format!("/spec/{list}")).iter().map(|container| {
            let container_name = name_of(container);
            let state = if container_name == culprit {
                past_culprit = true;
                culprit_state(state, since)
            } else if *state == PodState::Creating || (inits && past_culprit) || (is_init && !inits) {
                let reason = if is_init || pod.pointer("/spec/initContainers").is_some() {
                    "PodInitializing"
                } else {
                    "ContainerCreating"
                };
                ContainerState::waiting(reason, "")
            } else if inits {
                ContainerState::ended("Completed", 0, created, started, true)
            } else {
                match state {
                    PodState::Succeeded => ContainerState::ended("Completed", 0, started, since, false),
                    PodState::Failed { exit_code } => ContainerState::ended("Error", *exit_code, started, since, false),
                    _ => ContainerState::running(started),
                }
            };
            if !state.ready && !inits {
                unready.push(container_name.to_owned());
            }
            state.status(container, draw)
        });
        containers.collect()
    };
    let init_statuses = statuses("initContainers", draw);
    let container_statuses = statuses("containers", draw);

    let phase = match state {
        PodState::Succeeded => "Succeeded",
        PodState::Failed { .. } => "Failed",
        PodState::Creating | PodState::Waiting { .. } => "Pending",
        _ if is_init => "Pending",
        _ => "Running",
    };
    let initialized = !is_init && *state != PodState::Creating;
    let ended = matches!(state, PodState::Succeeded | PodState::Failed { .. });
    let ready = unready.is_empty() && !ended;
    let condition = |sort: &str, status: bool, at: DateTime<Utc>, reason: &str, message: &str| {
        let mut condition =
            json!({"type": sort, "status": if status { "True" } else { "False" }, "lastProbeTime": null, "lastTransitionTime": stamp(at)});
        if !reason.is_empty() && !status {
            condition["reason"] = json!(reason);
            condition["message"] = json!(message);
        }
        condition
    };
    let (reason, message) = match state {
        PodState::Succeeded => ("PodCompleted", String::new()),
        PodState::Failed { .. } => ("PodFailed", String::new()),
        _ => (
            "ContainersNotReady",
            format!("containers with unready status: [{}]", unready.join(" ")),
        ),
    };
    let initialized_message = format!("containers with incomplete status: [{culprit}]");
    let mut status = json!({
        "phase": phase, "hostIP": "192.0.2.10", "hostIPs": [{"ip": "192.0.2.10"}], "podIP": address, "podIPs": [{"ip": address}],
        "qosClass": "Burstable", "startTime": stamp(created), "containerStatuses": container_statuses,
        "conditions": [
            condition("PodReadyToStartContainers", *state != PodState::Creating && !ended, created + TimeDelta::seconds(2), "", ""),
            condition("Initialized", initialized, created + TimeDelta::seconds(4), "ContainersNotInitialized", &initialized_message),
            condition("Ready", ready, if ready { started } else { since }, reason, &message),
            condition("ContainersReady", ready, if ready { started } else { since }, reason, &message),
            condition("PodScheduled", true, created, "", ""),
        ],
    });
    if !init_statuses.is_empty() {
        status["initContainerStatuses"] = json!(init_statuses);
    }
    pod["status"] = status;
}

fn name_of(container: &Value) -> &str {
    text(container, "/name")
}

/// How one container stands.
struct ContainerState {
    ready: bool,
    started: bool,
    restarts: i64,
    state: Value,
    last: Value,
}

impl ContainerState {
    fn waiting(reason: &str, message: &str) -> Self {
        let mut waiting = json!({"reason": reason});
        if !message.is_empty() {
            waiting["message"] = json!(message);
        }
        Self {
            ready: false,
            started: false,
            restarts: 0,
            state: json!({"waiting": waiting}),
            last: json!({}),
        }
    }

    fn running(since: DateTime<Utc>) -> Self {
        Self {
            ready: true,
            started: true,
            restarts: 0,
            state: json!({"running": {"startedAt": stamp(since)}}),
            last: json!({}),
        }
    }

    fn ended(reason: &str, exit_code: i64, started: DateTime<Utc>, finished: DateTime<Utc>, ready: bool) -> Self {
        let ended = json!({"reason": reason, "exitCode": exit_code, "startedAt": stamp(started), "finishedAt": stamp(finished)});
        Self {
            ready,
            started: false,
            restarts: 0,
            state: json!({"terminated": ended}),
            last: json!({}),
        }
    }

    fn status(self, container: &Value, draw: &mut Draw) -> Value {
        let image = text(container, "/image");
        let waits_for_image = text(&self.state, "/waiting/reason").contains("Image");
        let mut status = json!({"name": container["name"], "image": image, "ready": self.ready, "started": self.started,
            "restartCount": self.restarts, "state": self.state, "lastState": self.last, "imageID": "",
            "volumeMounts": array(container, "/volumeMounts").iter().map(|mount| json!({"name": mount["name"], "mountPath": mount["mountPath"],
                "readOnly": mount.get("readOnly").is_some()})).collect::<Vec<_>>()});
        if !waits_for_image && (self.started || self.state.get("terminated").is_some() || self.restarts > 0) {
            status["imageID"] = json!(format!(
                "{}@sha256:4f9d1c0b7e6a4d2b8c3e5f60718293a4b5c6d7e8f90123456789abcdef012345",
                image.split(':').next().unwrap_or_default()
            ));
            status["containerID"] = json!(draw.container_id());
        }
        if let Some(requests) = container.pointer("/resources/requests") {
            status["allocatedResources"] = requests.clone();
            status["resources"] = container["resources"].clone();
        }
        status
    }
}

/// How the container stands that makes its pod what it is.
fn culprit_state(state: &PodState, since: DateTime<Utc>) -> ContainerState {
    match state {
        PodState::Unready { .. } => ContainerState {
            ready: false,
            ..ContainerState::running(since - TimeDelta::seconds(20))
        },
        PodState::Waiting { reason, message, .. } => ContainerState::waiting(reason, message),
        PodState::CrashLoop {
            container,
            restarts,
            exit_code,
            reason,
        } => {
            let message = format!("back-off 5m0s restarting failed container={container}");
            let mut state = ContainerState::waiting("CrashLoopBackOff", &message);
            let ended = ContainerState::ended(reason, *exit_code, since - TimeDelta::seconds(7), since, false);
            state.last = ended.state;
            state.restarts = *restarts;
            state
        }
        _ => ContainerState::running(since),
    }
}

/// Whether a pod's Ready condition is true.
pub(crate) fn is_ready(pod: &Value) -> bool {
    super::condition_status(pod, "Ready") == Some("True")
}

/// Whether a pod ended for good.
pub(crate) fn is_finished(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use serde_json::json;

    use super::{Container, PodState, from_template, is_ready, set_state, template};
    use crate::{draw::Draw, objects::Site, seed::Seed};

    #[test]
    fn states_look_as_the_kubelet_writes_them() {
        let mut draw = Draw::new(Seed::new(1));
        let created = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let now = created + TimeDelta::minutes(40);
        let template = template(
            &json!({"app": "web"}),
            &[Container::new("clone", "git:1", None)],
            &[Container::new("web", "web:1", Some(8080))],
            &[],
        );
        let mut pod = from_template(
            &mut Site {
                draw: &mut draw,
                namespace: "lab",
                at: created,
            },
            &template,
            "web-1",
            None,
        );
        let mut state_of = |state: &PodState| {
            set_state(&mut pod, state, now, &mut draw);
            pod.clone()
        };

        let ready = state_of(&PodState::Ready);
        assert!(is_ready(&ready));
        assert_eq!(ready["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"], 0);

        let looping = |container: &str| PodState::CrashLoop {
            container: container.to_owned(),
            restarts: 6,
            exit_code: 1,
            reason: "Error".to_owned(),
        };
        let app = state_of(&looping("web"));
        assert_eq!(app["status"]["phase"], "Running");
        assert_eq!(
            app["status"]["containerStatuses"][0]["state"]["waiting"]["reason"],
            "CrashLoopBackOff"
        );
        assert_eq!(app["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 1);
        let init = state_of(&looping("clone"));
        assert_eq!(init["status"]["phase"], "Pending");
        assert_eq!(init["status"]["initContainerStatuses"][0]["restartCount"], 6);
        assert_eq!(
            init["status"]["containerStatuses"][0]["state"]["waiting"]["reason"],
            "PodInitializing"
        );

        let unschedulable = state_of(&PodState::Unschedulable(
            "0/9 nodes are available: 9 Insufficient memory.".to_owned(),
        ));
        assert!(unschedulable["spec"].get("nodeName").is_none());
        assert_eq!(unschedulable["status"]["conditions"][0]["reason"], "Unschedulable");
        assert!(!is_ready(&unschedulable));
    }
}
