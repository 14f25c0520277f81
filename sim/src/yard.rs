//! Builds the contents of one namespace: workloads that run, with everything that Kubernetes would have made of them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

pub use crate::objects::{network::Termination, pod::Container};
use crate::{
    cluster::{Cluster, State},
    control::derive,
    kinds::Kind,
    objects::{
        Site, machine, model, network, owner_of, platform,
        pod::{self, PodState},
        storage, workload,
    },
};

/// A namespace under construction. Everything in it is healthy and was made at one time.
pub struct Yard<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) namespace: &'a str,
    pub(crate) at: DateTime<Utc>,
}

impl Cluster {
    /// Builds in a namespace that came into being at `at`; makes the namespace if it is not there.
    ///
    /// ```
    /// # use stargate_sim::{Cluster, Kind, Seed, SimClock};
    /// # let clock = SimClock::starting_at(chrono::DateTime::UNIX_EPOCH);
    /// let cluster = Cluster::new("test", clock.clone(), &Seed::new(1));
    /// cluster.build("sandbox-q7f2k-netbasics", clock.now(), |yard| {
    ///     yard.deployment("web", 2).service("web", 8080).route("web", "web");
    /// });
    /// assert_eq!(cluster.count(Kind::Pod), 2);
    /// ```
    pub fn build(&self, namespace: &str, at: DateTime<Utc>, work: impl FnOnce(&mut Yard<'_>)) {
        self.with(|state, _| {
            let mut yard = Yard { state, namespace, at };
            yard.open(&json!({}));
            work(&mut yard);
            yard.close();
        });
    }
}

impl Yard<'_> {
    fn site(&mut self) -> Site<'_> {
        Site {
            draw: &mut self.state.draw,
            namespace: self.namespace,
            at: self.at,
        }
    }

    pub(crate) fn put(&mut self, kind: Kind, object: Value) {
        self.state.store.put(kind, object, self.at);
    }

    /// Makes the namespace, unless it is there.
    pub(crate) fn open(&mut self, labels: &Value) {
        if self.state.store.object(Kind::Namespace, "", self.namespace).is_none() {
            let name = self.namespace;
            let namespace = platform::namespace(
                &mut Site {
                    namespace: "",
                    ..self.site()
                },
                name,
                labels,
            );
            self.put(Kind::Namespace, namespace);
        }
    }

    /// Writes what follows from what was built.
    pub(crate) fn close(&mut self) {
        derive::namespace(self.state, self.namespace, self.at + TimeDelta::seconds(90));
    }

    /// The labels of a Sandbox API namespace; call it first.
    pub fn sandbox_labels(&mut self, guid: &str, service_uuid: &str) -> &mut Self {
        if let Some(mut namespace) = self.state.store.value(Kind::Namespace, "", self.namespace, self.at) {
            for (label, value) in [
                ("created-by", "sandbox-api"),
                ("guid", guid),
                ("serviceUuid", service_uuid),
                ("cost_management_optimizations", "true"),
                ("mutatepods.kubemacpool.io", "ignore"),
                ("mutatevirtualmachines.kubemacpool.io", "ignore"),
            ] {
                namespace["metadata"]["labels"][label] = json!(value);
            }
            self.put(Kind::Namespace, namespace);
        }
        let quota = platform::quota(&mut self.site());
        self.put(Kind::ResourceQuota, quota);
        self
    }

    /// A deployment of one container that listens on 8080, with its replica set and ready pods.
    pub fn deployment(&mut self, name: &str, replicas: i64) -> &mut Self {
        let container = Container::new(name, &format!("{name}:1.4"), Some(8080));
        self.deployment_of(name, replicas, &[], &[container], &[])
    }

    /// A deployment of these containers, with claims (made apart) to mount.
    pub fn deployment_of(&mut self, name: &str, replicas: i64, init: &[Container], containers: &[Container], claims: &[&str]) -> &mut Self {
        let labels = json!({"app": name, "app.kubernetes.io/name": name});
        let template = pod::template(&labels, init, containers, claims);
        let deployment = workload::deployment(&mut self.site(), name, &template, replicas);
        let hash = self.state.draw.hash();
        let set = workload::replica_set(&mut self.site(), &deployment, &hash);
        for _ in 0..replicas {
            let pod_name = format!("{}-{}", crate::objects::name(&set), self.state.draw.suffix());
            self.pod(&set["spec"]["template"], &pod_name, Some(&set), &PodState::Ready);
        }
        self.put(Kind::Deployment, deployment);
        self.put(Kind::ReplicaSet, set);
        self
    }

    /// A pod of a template, in a state since shortly after its creation.
    pub(crate) fn pod(&mut self, template: &Value, name: &str, owner: Option<&Value>, state: &PodState) {
        let mut pod = pod::from_template(&mut self.site(), template, name, owner);
        if owner.is_some()
            && let Some((prefix, _)) = name.rsplit_once('-')
        {
            pod["metadata"]["generateName"] = json!(format!("{prefix}-"));
        }
        pod::set_state(&mut pod, state, self.at + TimeDelta::seconds(20), &mut self.state.draw);
        self.put(Kind::Pod, pod);
    }

    /// A stateful set of one container with a claim for each pod.
    pub fn stateful_set(&mut self, name: &str, replicas: i64) -> &mut Self {
        let labels = json!({"app": name, "app.kubernetes.io/name": name});
        let template = pod::template(&labels, &[], &[Container::new(name, &format!("{name}:16"), Some(5432))], &[]);
        let set = workload::stateful_set(&mut self.site(), name, &template, replicas);
        for ordinal in 0..replicas {
            let claim_name = format!("data-{name}-{ordinal}");
            self.claim(&claim_name, "10Gi");
            let own = workload::ordinal_template(name, &template, ordinal);
            self.pod(&own, &format!("{name}-{ordinal}"), Some(&set), &PodState::Ready);
        }
        self.put(Kind::StatefulSet, set);
        self
    }

    /// An OpenShift deployment config with ready pods.
    pub fn deployment_config(&mut self, name: &str, replicas: i64) -> &mut Self {
        let template = pod::template(
            &json!({"app": name}),
            &[],
            &[Container::new(name, &format!("{name}:2"), Some(8080))],
            &[],
        );
        let config = workload::deployment_config(&mut self.site(), name, &template, replicas);
        let uid = self.state.draw.uid();
        let controller =
            json!({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": format!("{name}-1"), "uid": uid}});
        for _ in 0..replicas {
            let pod_name = format!("{name}-1-{}", self.state.draw.suffix());
            self.pod(&config["spec"]["template"], &pod_name, Some(&controller), &PodState::Ready);
        }
        self.put(Kind::DeploymentConfig, config);
        self
    }

    /// A service for the pods labelled `app=<name>`.
    pub fn service(&mut self, name: &str, port: u16) -> &mut Self {
        self.service_for(name, &json!({"app": name}), port, false)
    }

    /// A service for the pods with these labels.
    pub fn service_for(&mut self, name: &str, selector: &Value, port: u16, headless: bool) -> &mut Self {
        let service = network::service(&mut self.site(), name, selector, port, headless);
        self.put(Kind::Service, service);
        self
    }

    /// An admitted edge route to a service, at `<name>-<namespace>.<domain>`.
    pub fn route(&mut self, name: &str, service: &str) -> &mut Self {
        self.route_with(name, service, Termination::Edge)
    }

    /// An admitted route to a service.
    pub fn route_with(&mut self, name: &str, service: &str, termination: Termination) -> &mut Self {
        let host = self.host(name);
        let route = network::route(&mut self.site(), name, &host, service, termination);
        self.put(Kind::Route, route);
        self
    }

    fn host(&self, name: &str) -> String {
        // A DNS label ends at 63 letters, as the router's own default does.
        let label: String = format!("{name}-{}", self.namespace).chars().take(63).collect();
        format!("{}.{}", label.trim_end_matches('-'), self.state.domain)
    }

    /// An ingress to a service.
    pub fn ingress(&mut self, name: &str, service: &str, port: u16) -> &mut Self {
        let host = self.host(name);
        let ingress = network::ingress(&mut self.site(), name, &host, service, port);
        self.put(Kind::Ingress, ingress);
        self
    }

    /// A bound claim.
    pub fn claim(&mut self, name: &str, size: &str) -> &mut Self {
        let claim = storage::claim(&mut self.site(), name, size);
        self.put(Kind::PersistentVolumeClaim, claim);
        self
    }

    /// A running machine with its disk, instance and launcher pod. `os` is `rhel` for a guest with an agent; `windows` and
    /// `appliance` have none.
    pub fn machine(&mut self, name: &str, os: &str) -> &mut Self {
        let volume_name = format!("{name}-root");
        let machine = machine::machine(&mut self.site(), name, &volume_name, os, "4Gi");
        self.disk(&volume_name, Some(&machine));
        let (instance, launcher) = machine::running(
            &mut Site {
                at: self.at + TimeDelta::seconds(20),
                ..self.site()
            },
            &machine,
        );
        self.put(Kind::VirtualMachine, machine);
        self.put(Kind::VirtualMachineInstance, instance);
        self.put(Kind::Pod, launcher);
        self
    }

    fn disk(&mut self, volume_name: &str, machine: Option<&Value>) {
        let volume = storage::data_volume(&mut self.site(), volume_name, "40Gi", machine);
        let claim = storage::claim_of_volume(&mut self.site(), &volume);
        self.put(Kind::DataVolume, volume);
        self.put(Kind::PersistentVolumeClaim, claim);
    }

    /// A machine that its author halted.
    pub fn halted_machine(&mut self, name: &str) -> &mut Self {
        let volume_name = format!("{name}-root");
        let mut machine = machine::machine(&mut self.site(), name, &volume_name, "rhel", "4Gi");
        machine["spec"]["runStrategy"] = json!("Halted");
        self.disk(&volume_name, Some(&machine));
        self.put(Kind::VirtualMachine, machine);
        self
    }

    /// An inference service with its predictor and a route.
    pub fn inference_service(&mut self, name: &str) -> &mut Self {
        let predictor = format!("{name}-predictor");
        let host = self.host(name);
        let service = model::inference_service(&mut self.site(), name, &host);
        let labels = json!({"app": format!("isvc.{predictor}"), "component": "predictor", "serving.kserve.io/inferenceservice": name});
        let template = pod::template(
            &labels,
            &[],
            &[Container {
                requests: ("4", "16Gi"),
                ..Container::new("kserve-container", "vllm:0.9", Some(8080))
            }],
            &[],
        );
        let mut deployment = workload::deployment(&mut self.site(), &predictor, &template, 1);
        deployment["metadata"]["ownerReferences"] = owner_of(&service);
        let hash = self.state.draw.hash();
        let set = workload::replica_set(&mut self.site(), &deployment, &hash);
        let pod_name = format!("{}-{}", crate::objects::name(&set), self.state.draw.suffix());
        self.pod(&set["spec"]["template"], &pod_name, Some(&set), &PodState::Ready);
        for (kind, object) in [
            (Kind::InferenceService, service),
            (Kind::Deployment, deployment),
            (Kind::ReplicaSet, set),
        ] {
            self.put(kind, object);
        }
        self.service_for(&predictor, &labels, 8080, false);
        let route = network::route(&mut self.site(), name, &host, &predictor, Termination::Edge);
        self.put(Kind::Route, route);
        self
    }

    /// A showroom as the single-pod chart makes it: the instructions of a lab behind a route.
    pub fn showroom(&mut self) -> &mut Self {
        let image = |name: &str| format!("registry.example.test/showroom/{name}:1.3");
        let container = |name: &str, port| Container::new(name, &image(name), port);
        let init = [container("git-cloner", None), container("antora-builder", None)];
        let containers = [
            container("nginx", Some(8080)),
            container("content", Some(8000)),
            container("terminal", Some(7681)),
            container("wetty", Some(8001)),
            container("runner", Some(8501)),
        ];
        self.claim("showroom-terminal-lab-user-home", "5Gi");
        self.deployment_of("showroom", 1, &init, &containers, &["showroom-terminal-lab-user-home"]);
        self.service("showroom", 8080).route("showroom", "showroom")
    }

    /// A job that ended well, or used up its retries, with what is left of its pods.
    pub fn job(&mut self, name: &str, succeeded: bool) -> &mut Self {
        let template = pod::template(&json!({"app": name}), &[], &[Container::new(name, "tools:1", None)], &[]);
        let job = workload::job(&mut self.site(), name, &template, 1);
        let states = if succeeded {
            vec![PodState::Succeeded]
        } else {
            vec![PodState::Failed { exit_code: 1 }; 2]
        };
        for state in states {
            let pod_name = format!("{name}-{}", self.state.draw.suffix());
            self.pod(&job["spec"]["template"], &pod_name, Some(&job), &state);
        }
        self.put(Kind::Job, job);
        self
    }

    /// A cron job whose last run ended well.
    pub fn cron_job(&mut self, name: &str) -> &mut Self {
        let template = pod::template(&json!({"app": name}), &[], &[Container::new(name, "tools:1", None)], &[]);
        let cron_job = workload::cron_job(&mut self.site(), name, "15 3 * * *", &template);
        let mut job = workload::job(&mut self.site(), &format!("{name}-29300115"), &template, 6);
        job["metadata"]["ownerReferences"] = owner_of(&cron_job);
        let pod_name = format!("{}-{}", crate::objects::name(&job), self.state.draw.suffix());
        self.pod(&job["spec"]["template"], &pod_name, Some(&job), &PodState::Succeeded);
        self.put(Kind::CronJob, cron_job);
        self.put(Kind::Job, job);
        self
    }

    /// A daemon set with a pod on as many nodes.
    pub fn daemon_set(&mut self, name: &str, nodes: usize) -> &mut Self {
        let template = pod::template(
            &json!({"app": name}),
            &[],
            &[Container::new(name, &format!("{name}:4.20"), None)],
            &[],
        );
        let set = workload::daemon_set(&mut self.site(), name, &template, nodes);
        for _ in 0..nodes {
            let pod_name = format!("{name}-{}", self.state.draw.suffix());
            self.pod(&set["spec"]["template"], &pod_name, Some(&set), &PodState::Ready);
        }
        self.put(Kind::DaemonSet, set);
        self
    }

    /// What a build leaves behind: its finished pod.
    pub fn build(&mut self, name: &str, number: u32) -> &mut Self {
        let build_name = format!("{name}-{number}");
        let build = self.site().object(
            Kind::Build,
            &build_name,
            &json!({"buildconfig": name}),
            json!({"spec": {}, "status": {"phase": "Complete"}}),
        );
        let template = pod::template(
            &json!({"openshift.io/build.name": build_name}),
            &[Container::new("git-clone", "builder:4.20", None)],
            &[Container::new("docker-build", "builder:4.20", None)],
            &[],
        );
        self.pod(&template, &format!("{build_name}-build"), Some(&build), &PodState::Succeeded);
        self.put(Kind::Build, build);
        self
    }

    /// A pod that somebody started by hand, whose image cannot be pulled.
    pub fn stray_pod(&mut self, name: &str) -> &mut Self {
        let image = "registry.example.test/tools/debug:latest";
        let template = pod::template(
            &json!({"run": name}),
            &[],
            &[Container {
                requests: ("", ""),
                ..Container::new(name, image, None)
            }],
            &[],
        );
        let message = format!("Back-off pulling image \"{image}\"");
        self.pod(
            &template,
            name,
            None,
            &PodState::Waiting {
                container: name.to_owned(),
                reason: "ImagePullBackOff".to_owned(),
                message,
            },
        );
        self
    }
}
