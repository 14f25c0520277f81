//! Faults of containers and of the models that run in them.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Repair, Wound};
use crate::{
    kinds::Kind,
    objects::{array, model, name, number, pod::PodState, text},
    yard::Yard,
};

impl Wound<'_> {
    /// A workload to break: the first that runs, the lab's own applications before its showroom.
    fn workload(&self) -> Option<(String, Value)> {
        let mut deployments = self.values(Kind::Deployment);
        deployments.retain(|deployment| number(deployment, "/spec/replicas", 1) > 0 && deployment["metadata"]["ownerReferences"].is_null());
        deployments.sort_by_key(|deployment| name(deployment) == "showroom");
        deployments
            .into_iter()
            .next()
            .map(|deployment| (name(&deployment).to_owned(), deployment))
    }

    fn afflict_workload(&mut self, state: impl FnOnce(&Value, String, i64) -> PodState) -> bool {
        let Some((app, deployment)) = self.workload() else {
            return false;
        };
        let container = text(&deployment, "/spec/template/spec/containers/0/name").to_owned();
        let restarts = 4 + (self.now - self.since).num_minutes().max(0) / 5;
        self.afflict(&app, state(&deployment, container, restarts));
        true
    }

    pub(super) fn crash_loop(&mut self) -> bool {
        self.afflict_workload(|_, container, restarts| PodState::CrashLoop {
            container,
            restarts,
            exit_code: 1,
            reason: "Error".to_owned(),
        })
    }

    pub(super) fn kill_for_memory(&mut self) -> bool {
        self.afflict_workload(|_, container, restarts| PodState::CrashLoop {
            container,
            restarts,
            exit_code: 137,
            reason: "OOMKilled".to_owned(),
        })
    }

    pub(super) fn crash_init(&mut self) -> bool {
        let deployments = self.values(Kind::Deployment);
        let with_init = deployments.iter().find(|deployment| {
            !array(deployment, "/spec/template/spec/initContainers").is_empty() && number(deployment, "/spec/replicas", 1) > 0
        });
        let Some(deployment) = with_init else {
            return false;
        };
        let container = text(deployment, "/spec/template/spec/initContainers/0/name").to_owned();
        let restarts = 4 + (self.now - self.since).num_minutes().max(0) / 5;
        self.afflict(
            name(deployment),
            PodState::CrashLoop {
                container,
                restarts,
                exit_code: 128,
                reason: "Error".to_owned(),
            },
        );
        true
    }

    pub(super) fn refuse_image(&mut self, why: &str) -> bool {
        self.afflict_workload(|deployment, container, _| {
            let image = text(deployment, "/spec/template/spec/containers/0/image");
            let message =
                format!("Back-off pulling image \"{image}\": ErrImagePull: initializing source docker://{image}: reading manifest: {why}");
            PodState::Waiting {
                container,
                reason: "ImagePullBackOff".to_owned(),
                message,
            }
        })
    }

    pub(super) fn lack_secret(&mut self) -> bool {
        let reason = "CreateContainerConfigError".to_owned();
        self.afflict_workload(|_, container, _| PodState::Waiting {
            container,
            reason: reason.clone(),
            message: "secret \"database-credentials\" not found".to_owned(),
        })
    }

    pub(super) fn find_no_node(&mut self) -> bool {
        let message = "0/42 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/master: }, 39 Insufficient memory. preemption: 0/42 nodes are available: 42 Preemption is not helpful for scheduling.";
        self.afflict_workload(|_, _, _| PodState::Unschedulable(message.to_owned()))
    }

    pub(super) fn fail_readiness(&mut self) -> bool {
        self.afflict_workload(|_, container, _| PodState::Unready { container })
    }

    pub(super) fn down_showroom(&mut self) -> bool {
        let exists = self.state.store.object(Kind::Deployment, self.namespace, "showroom").is_some();
        if exists {
            self.afflict(
                "showroom",
                PodState::Unready {
                    container: "content".to_owned(),
                },
            );
        }
        exists
    }

    pub(super) fn scale_to_zero(&mut self) -> bool {
        let mut any = false;
        for kind in [Kind::Deployment, Kind::StatefulSet, Kind::DeploymentConfig] {
            for workload in self.values(kind) {
                if number(&workload, "/spec/replicas", 1) > 0 && workload["metadata"]["ownerReferences"].is_null() {
                    let generation = number(&workload, "/metadata/generation", 1);
                    self.change(kind, workload, |workload| {
                        workload["spec"]["replicas"] = json!(0);
                        workload["metadata"]["generation"] = json!(generation + 1);
                    });
                    any = true;
                }
            }
        }
        any
    }

    pub(super) fn delete_workloads(&mut self) -> bool {
        let mut any = false;
        for kind in [Kind::Deployment, Kind::StatefulSet, Kind::DeploymentConfig] {
            for workload in self
                .values(kind)
                .into_iter()
                .filter(|workload| workload["metadata"]["ownerReferences"].is_null())
            {
                if kind == Kind::DeploymentConfig {
                    // Its pods belong to a replication controller, which goes with it.
                    for pod in self
                        .values(Kind::Pod)
                        .iter()
                        .filter(|pod| text(pod, "/metadata/labels/deploymentconfig") == name(&workload))
                    {
                        self.drop_object(Kind::Pod, name(pod));
                    }
                }
                self.take(kind, workload);
                any = true;
            }
        }
        any
    }

    pub(super) fn fail_job(&mut self) -> bool {
        let job = "load-data";
        Yard {
            state: self.state,
            namespace: self.namespace,
            at: self.since - TimeDelta::minutes(3),
        }
        .job(job, false)
        .close();
        self.repairs.push(Repair::Remove(Kind::Job, job.to_owned()));
        if let Some(job) = self.state.store.value(Kind::Job, self.namespace, job, self.now) {
            self.report(
                &job,
                "Warning",
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
                "job-controller",
                1,
            );
        }
        true
    }

    pub(super) fn use_up_quota(&mut self) -> bool {
        let Some((app, _)) = self.workload() else {
            return false;
        };
        let Some(quota) = self.values(Kind::ResourceQuota).into_iter().next() else {
            return false;
        };
        self.change(Kind::ResourceQuota, quota, |quota| {
            for resource in ["limits.cpu", "requests.cpu"] {
                quota["status"]["used"][resource] = quota["status"]["hard"][resource].clone();
            }
        });
        for pod in self.values(Kind::Pod).iter().filter(|pod| text(pod, "/metadata/labels/app") == app) {
            self.drop_object(Kind::Pod, name(pod));
        }
        true
    }

    pub(super) fn delete_model(&mut self) -> bool {
        let Some(service) = self.values(Kind::InferenceService).into_iter().next() else {
            return false;
        };
        let predictor = format!("{}-predictor", name(&service));
        if let Some(deployment) = self.state.store.value(Kind::Deployment, self.namespace, &predictor, self.now) {
            self.take(Kind::Deployment, deployment);
        }
        self.take(Kind::InferenceService, service);
        true
    }

    pub(super) fn fail_model(&mut self) -> bool {
        let Some(service) = self.values(Kind::InferenceService).into_iter().next() else {
            return false;
        };
        let app = format!("isvc.{}-predictor", name(&service));
        let since = self.since;
        self.change(Kind::InferenceService, service, |service| {
            model::set_ready(
                service,
                Some(("RevisionFailed", "the image of the model could not be fetched")),
                since,
            );
        });
        let message = "Back-off pulling image \"registry.example.test/labs/vllm:0.9\": unexpected EOF".to_owned();
        self.afflict(
            &app,
            PodState::Waiting {
                container: "kserve-container".to_owned(),
                reason: "ImagePullBackOff".to_owned(),
                message,
            },
        );
        true
    }
}
