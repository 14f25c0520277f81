//! Where each kind lives in the Kubernetes API, and which objects are which kind.

use super::Kind;

/// A resource type of the Kubernetes API that is projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// Our kind.
    pub kind: Kind,
    /// API group; empty for core.
    pub group: &'static str,
    /// The version whose fields the projection knows.
    pub version: &'static str,
    /// Plural name, as in the URL.
    pub plural: &'static str,
    /// `kind` of the objects.
    pub object: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
}

impl Resource {
    /// `apiVersion` of the objects.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The path of the cluster-wide collection.
    #[must_use]
    pub fn path(&self) -> String {
        let Self {
            group, version, plural, ..
        } = self;
        if group.is_empty() {
            format!("/api/{version}/{plural}")
        } else {
            format!("/apis/{group}/{version}/{plural}")
        }
    }

    /// The path of the collection in one namespace.
    #[must_use]
    pub fn path_in(&self, namespace: &str) -> String {
        let Self {
            group, version, plural, ..
        } = self;
        if group.is_empty() {
            format!("/api/{version}/namespaces/{namespace}/{plural}")
        } else {
            format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}")
        }
    }
}

const fn resource(
    kind: Kind,
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    object: &'static str,
    namespaced: bool,
) -> Resource {
    Resource {
        kind,
        group,
        version,
        plural,
        object,
        namespaced,
    }
}

/// Every resource type that is read from a cluster, in the order in which it is read: the namespaces come first because
/// they decide which of the other objects are kept.
pub const RESOURCES: [Resource; 24] = [
    resource(
        Kind::ClusterVersion,
        "config.openshift.io",
        "v1",
        "clusterversions",
        "ClusterVersion",
        false,
    ),
    resource(Kind::Node, "", "v1", "nodes", "Node", false),
    resource(Kind::NodeMetrics, "metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", false),
    resource(
        Kind::ClusterOperator,
        "config.openshift.io",
        "v1",
        "clusteroperators",
        "ClusterOperator",
        false,
    ),
    resource(Kind::Namespace, "", "v1", "namespaces", "Namespace", false),
    resource(Kind::Pod, "", "v1", "pods", "Pod", true),
    resource(Kind::Deployment, "apps", "v1", "deployments", "Deployment", true),
    resource(Kind::StatefulSet, "apps", "v1", "statefulsets", "StatefulSet", true),
    resource(Kind::DaemonSet, "apps", "v1", "daemonsets", "DaemonSet", true),
    resource(
        Kind::DeploymentConfig,
        "apps.openshift.io",
        "v1",
        "deploymentconfigs",
        "DeploymentConfig",
        true,
    ),
    resource(Kind::Job, "batch", "v1", "jobs", "Job", true),
    resource(Kind::Service, "", "v1", "services", "Service", true),
    resource(
        Kind::EndpointSlice,
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "EndpointSlice",
        true,
    ),
    resource(Kind::Endpoints, "", "v1", "endpoints", "Endpoints", true),
    resource(Kind::Route, "route.openshift.io", "v1", "routes", "Route", true),
    resource(Kind::Ingress, "networking.k8s.io", "v1", "ingresses", "Ingress", true),
    resource(Kind::VirtualMachine, "kubevirt.io", "v1", "virtualmachines", "VirtualMachine", true),
    resource(
        Kind::VirtualMachineInstance,
        "kubevirt.io",
        "v1",
        "virtualmachineinstances",
        "VirtualMachineInstance",
        true,
    ),
    resource(Kind::DataVolume, "cdi.kubevirt.io", "v1beta1", "datavolumes", "DataVolume", true),
    resource(
        Kind::PersistentVolumeClaim,
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        true,
    ),
    resource(Kind::ResourceQuota, "", "v1", "resourcequotas", "ResourceQuota", true),
    resource(
        Kind::InferenceService,
        "serving.kserve.io",
        "v1beta1",
        "inferenceservices",
        "InferenceService",
        true,
    ),
    resource(Kind::Event, "", "v1", "events", "Event", true),
    resource(
        Kind::Subscription,
        "operators.coreos.com",
        "v1alpha1",
        "subscriptions",
        "Subscription",
        true,
    ),
];

impl Kind {
    /// Where the kind lives in the Kubernetes API; `None` for what other systems or StarGate itself tell.
    #[must_use]
    pub fn resource(self) -> Option<&'static Resource> {
        RESOURCES.iter().find(|resource| resource.kind == self)
    }

    /// The kind of an object with that `apiVersion` and `kind`, whatever the version within its group.
    ///
    /// A Project is a view of its Namespace; events live in two groups; very old ingresses lived in `extensions`.
    #[must_use]
    pub fn recognise(api_version: &str, object: &str) -> Option<Self> {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        match (group, object) {
            ("project.openshift.io", "Project") => Some(Self::Namespace),
            ("events.k8s.io", "Event") => Some(Self::Event),
            ("extensions", "Ingress") => Some(Self::Ingress),
            _ => RESOURCES
                .iter()
                .find(|resource| resource.object == object && resource.group == group)
                .map(|resource| resource.kind),
        }
    }

    /// The kind that people mean by a resource name or one of its short names, as in `oc get` or a file name.
    #[must_use]
    pub fn from_resource_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if let Some(resource) = RESOURCES
            .iter()
            .find(|resource| name == resource.plural && resource.kind != Self::NodeMetrics)
            .or_else(|| RESOURCES.iter().find(|resource| name == resource.object.to_ascii_lowercase()))
        {
            return Some(resource.kind);
        }
        Some(match name.as_str() {
            "po" => Self::Pod,
            "no" => Self::Node,
            "ns" | "project" | "projects" => Self::Namespace,
            "deploy" => Self::Deployment,
            "sts" => Self::StatefulSet,
            "ds" => Self::DaemonSet,
            "dc" => Self::DeploymentConfig,
            "svc" => Self::Service,
            "ep" | "endpoint" => Self::Endpoints,
            "slices" => Self::EndpointSlice,
            "ing" => Self::Ingress,
            "vm" | "vms" => Self::VirtualMachine,
            "vmi" | "vmis" => Self::VirtualMachineInstance,
            "dv" | "dvs" => Self::DataVolume,
            "pvc" | "pvcs" => Self::PersistentVolumeClaim,
            "quota" | "quotas" => Self::ResourceQuota,
            "isvc" => Self::InferenceService,
            "ev" => Self::Event,
            "co" => Self::ClusterOperator,
            "sub" | "subs" => Self::Subscription,
            _ => return None,
        })
    }
}

/// Runs `$body` with `$T` standing for the projection of a kind that is read from the Kubernetes API, else `$other`.
macro_rules! with_projection {
    ($kind:expr, $T:ident => $body:expr, else $other:expr) => {
        with_projection!(@match $kind, $T, $body, $other,
            Node, NodeMetrics, ClusterOperator, ClusterVersion, Namespace, Pod, Deployment, StatefulSet, DaemonSet,
            DeploymentConfig, Job, Service, EndpointSlice, Endpoints, Route, Ingress, VirtualMachine,
            VirtualMachineInstance, DataVolume, PersistentVolumeClaim, ResourceQuota, InferenceService, Subscription)
    };
    (@match $kind:expr, $T:ident, $body:expr, $other:expr, $($name:ident),*) => {
        match $kind {
            $($crate::objects::Kind::$name => {
                type $T = $crate::objects::$name;
                $body
            })*
            $crate::objects::Kind::Event => {
                type $T = $crate::objects::WarningEvent;
                $body
            }
            $crate::objects::Kind::Probe
            | $crate::objects::Kind::Subject
            | $crate::objects::Kind::SmokeRun
            | $crate::objects::Kind::JobBacklog => $other,
        }
    };
}
pub(crate) use with_projection;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_recognised_by_group_and_kind() {
        for (api_version, object, kind) in [
            ("v1", "Pod", Some(Kind::Pod)),
            ("apps/v1", "Deployment", Some(Kind::Deployment)),
            ("apps/v1beta1", "Deployment", Some(Kind::Deployment)),
            ("events.k8s.io/v1", "Event", Some(Kind::Event)),
            ("project.openshift.io/v1", "Project", Some(Kind::Namespace)),
            ("metrics.k8s.io/v1beta1", "NodeMetrics", Some(Kind::NodeMetrics)),
            ("serving.knative.dev/v1", "Service", None),
            ("serving.knative.dev/v1", "Route", None),
            ("operators.coreos.com/v1alpha1", "Subscription", Some(Kind::Subscription)),
            ("messaging.knative.dev/v1", "Subscription", None),
            ("v1", "Secret", None),
        ] {
            assert_eq!(Kind::recognise(api_version, object), kind, "{api_version} {object}");
        }
    }

    #[test]
    fn resource_names_people_use_are_known() {
        for (name, kind) in [
            ("pods", Kind::Pod),
            ("Pod", Kind::Pod),
            ("pvc", Kind::PersistentVolumeClaim),
            ("vmi", Kind::VirtualMachineInstance),
            ("nodes", Kind::Node),
            ("nodemetrics", Kind::NodeMetrics),
            ("endpoints", Kind::Endpoints),
        ] {
            assert_eq!(Kind::from_resource_name(name), Some(kind), "{name}");
        }
        assert_eq!(Kind::from_resource_name("secrets"), None);
    }

    #[test]
    fn every_kubernetes_kind_has_a_path() {
        assert_eq!(
            Kind::NodeMetrics.resource().map(Resource::path).as_deref(),
            Some("/apis/metrics.k8s.io/v1beta1/nodes")
        );
        assert_eq!(Kind::Pod.resource().map(Resource::path).as_deref(), Some("/api/v1/pods"));
        let elsewhere = Kind::ALL.into_iter().filter(|kind| kind.resource().is_none()).collect::<Vec<_>>();
        assert_eq!(elsewhere, [Kind::Probe, Kind::Subject, Kind::SmokeRun, Kind::JobBacklog]);
    }
}
