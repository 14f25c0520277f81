//! The kinds a simulated cluster can hold: their API groups, names and sub-resources, in one table.

use serde_json::Value;

/// What the API server needs to know of a kind.
#[derive(Debug)]
pub struct Info {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Served version.
    pub version: &'static str,
    /// Collection name in paths.
    pub plural: &'static str,
    /// Kind name in objects.
    pub kind: &'static str,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether `status` is a sub-resource, so that ordinary writes leave it alone.
    pub status: bool,
    /// Whether `scale` is served.
    pub scale: bool,
    /// Whether list items carry `apiVersion` and `kind`: custom resources do, built-in types do not.
    pub items_carry_kind: bool,
    /// Fields that field selectors may name, beside `metadata.name` and `metadata.namespace`.
    pub selectable: &'static [&'static str],
}

impl Info {
    /// `group/version`, or the bare version for the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `plural.group`, as error messages name a resource.
    #[must_use]
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $group:literal $version:literal $plural:literal $kind:literal $scope:ident [$($trait:ident)*] [$($field:literal)*];)*) => {
        /// A kind of object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The kind's row in the table.
            #[must_use]
            pub fn info(self) -> &'static Info {
                match self {
                    $(Kind::$name => {
                        const TRAITS: &[&str] = &[$(stringify!($trait)),*];
                        static INFO: Info = Info {
                            group: $group, version: $version, plural: $plural, kind: $kind,
                            namespaced: kinds!(@scope $scope),
                            status: has(TRAITS, "status"), scale: has(TRAITS, "scale"), items_carry_kind: has(TRAITS, "custom"),
                            selectable: &[$($field),*],
                        };
                        &INFO
                    })*
                }
            }
        }
    };
    (@scope Namespaced) => { true };
    (@scope Cluster) => { false };
}

/// Whether `list` has `wanted`, at compile time.
const fn has(list: &[&str], wanted: &str) -> bool {
    let mut index = 0;
    while index < list.len() {
        if same(list[index].as_bytes(), wanted.as_bytes()) {
            return true;
        }
        index += 1;
    }
    false
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

kinds! {
    /// Core node.
    Node: "" "v1" "nodes" "Node" Cluster [status] ["spec.unschedulable"];
    /// Core namespace.
    Namespace: "" "v1" "namespaces" "Namespace" Cluster [status] ["status.phase"];
    /// Core pod.
    Pod: "" "v1" "pods" "Pod" Namespaced [status]
        ["spec.nodeName" "spec.restartPolicy" "spec.schedulerName" "spec.serviceAccountName" "status.phase" "status.podIP"];
    /// Core service.
    Service: "" "v1" "services" "Service" Namespaced [status] ["spec.clusterIP" "spec.type"];
    /// Core endpoints, deprecated in favour of slices.
    Endpoints: "" "v1" "endpoints" "Endpoints" Namespaced [] [];
    /// Core event.
    Event: "" "v1" "events" "Event" Namespaced []
        ["involvedObject.kind" "involvedObject.namespace" "involvedObject.name" "involvedObject.uid" "involvedObject.apiVersion"
         "involvedObject.fieldPath" "reason" "type" "reportingComponent" "source"];
    /// Core claim of a volume.
    PersistentVolumeClaim: "" "v1" "persistentvolumeclaims" "PersistentVolumeClaim" Namespaced [status] [];
    /// Core resource quota.
    ResourceQuota: "" "v1" "resourcequotas" "ResourceQuota" Namespaced [status] [];
    /// Core configuration map.
    ConfigMap: "" "v1" "configmaps" "ConfigMap" Namespaced [] [];
    /// Core secret.
    Secret: "" "v1" "secrets" "Secret" Namespaced [] ["type"];
    /// Core service account.
    ServiceAccount: "" "v1" "serviceaccounts" "ServiceAccount" Namespaced [] [];
    /// Deployment.
    Deployment: "apps" "v1" "deployments" "Deployment" Namespaced [status scale] [];
    /// Replica set.
    ReplicaSet: "apps" "v1" "replicasets" "ReplicaSet" Namespaced [status scale] ["status.replicas"];
    /// Stateful set.
    StatefulSet: "apps" "v1" "statefulsets" "StatefulSet" Namespaced [status scale] [];
    /// Daemon set.
    DaemonSet: "apps" "v1" "daemonsets" "DaemonSet" Namespaced [status] [];
    /// Job.
    Job: "batch" "v1" "jobs" "Job" Namespaced [status] ["status.successful"];
    /// Cron job.
    CronJob: "batch" "v1" "cronjobs" "CronJob" Namespaced [status] [];
    /// Endpoint slice.
    EndpointSlice: "discovery.k8s.io" "v1" "endpointslices" "EndpointSlice" Namespaced [] [];
    /// Ingress.
    Ingress: "networking.k8s.io" "v1" "ingresses" "Ingress" Namespaced [status] [];
    /// Pod disruption budget, honoured by evictions.
    PodDisruptionBudget: "policy" "v1" "poddisruptionbudgets" "PodDisruptionBudget" Namespaced [status] [];
    /// Horizontal pod autoscaler.
    HorizontalPodAutoscaler: "autoscaling" "v2" "horizontalpodautoscalers" "HorizontalPodAutoscaler" Namespaced [status] [];
    /// Storage class.
    StorageClass: "storage.k8s.io" "v1" "storageclasses" "StorageClass" Cluster [] [];
    /// Usage sample of a node, rendered with a fresh timestamp at every read.
    NodeMetrics: "metrics.k8s.io" "v1beta1" "nodes" "NodeMetrics" Cluster [] [];
    /// OpenShift deployment config.
    DeploymentConfig: "apps.openshift.io" "v1" "deploymentconfigs" "DeploymentConfig" Namespaced [status scale] [];
    /// OpenShift build.
    Build: "build.openshift.io" "v1" "builds" "Build" Namespaced [] ["status"];
    /// OpenShift route.
    Route: "route.openshift.io" "v1" "routes" "Route" Namespaced [status] ["spec.host" "spec.path" "spec.to.name"];
    /// OpenShift cluster version; there is one, called `version`.
    ClusterVersion: "config.openshift.io" "v1" "clusterversions" "ClusterVersion" Cluster [status custom] [];
    /// OpenShift cluster operator.
    ClusterOperator: "config.openshift.io" "v1" "clusteroperators" "ClusterOperator" Cluster [status custom] [];
    /// KubeVirt virtual machine.
    VirtualMachine: "kubevirt.io" "v1" "virtualmachines" "VirtualMachine" Namespaced [status custom] [];
    /// KubeVirt running instance of a virtual machine.
    VirtualMachineInstance: "kubevirt.io" "v1" "virtualmachineinstances" "VirtualMachineInstance" Namespaced [custom] [];
    /// CDI data volume.
    DataVolume: "cdi.kubevirt.io" "v1beta1" "datavolumes" "DataVolume" Namespaced [custom] [];
    /// KServe inference service.
    InferenceService: "serving.kserve.io" "v1beta1" "inferenceservices" "InferenceService" Namespaced [status custom] [];
    /// OLM subscription to an operator channel.
    Subscription: "operators.coreos.com" "v1alpha1" "subscriptions" "Subscription" Namespaced [status custom] [];
    /// Anarchy governor: what can be done with the subjects of one component.
    AnarchyGovernor: "anarchy.gpte.redhat.com" "v1" "anarchygovernors" "AnarchyGovernor" Namespaced [custom] [];
    /// Anarchy subject: one deployed component of an order.
    AnarchySubject: "anarchy.gpte.redhat.com" "v1" "anarchysubjects" "AnarchySubject" Namespaced [status custom] [];
    /// Anarchy action: one thing asked of a subject.
    AnarchyAction: "anarchy.gpte.redhat.com" "v1" "anarchyactions" "AnarchyAction" Namespaced [status custom] [];
    /// Anarchy run: one run of a governor's handler.
    AnarchyRun: "anarchy.gpte.redhat.com" "v1" "anarchyruns" "AnarchyRun" Namespaced [status custom] [];
    /// Poolboy provider of one component.
    ResourceProvider: "poolboy.gpte.redhat.com" "v1" "resourceproviders" "ResourceProvider" Namespaced [custom] [];
    /// Poolboy pool of handles.
    ResourcePool: "poolboy.gpte.redhat.com" "v1" "resourcepools" "ResourcePool" Namespaced [status custom] [];
    /// Poolboy handle: one provisioned thing.
    ResourceHandle: "poolboy.gpte.redhat.com" "v1" "resourcehandles" "ResourceHandle" Namespaced [status custom] [];
    /// Poolboy claim: an order.
    ResourceClaim: "poolboy.gpte.redhat.com" "v1" "resourceclaims" "ResourceClaim" Namespaced [status custom] [];
    /// Babylon catalog item.
    CatalogItem: "babylon.gpte.redhat.com" "v1" "catalogitems" "CatalogItem" Namespaced [status custom] [];
    /// Babylon workshop.
    Workshop: "babylon.gpte.redhat.com" "v1" "workshops" "Workshop" Namespaced [status custom] [];
    /// Babylon order of a workshop's seats.
    WorkshopProvision: "babylon.gpte.redhat.com" "v1" "workshopprovisions" "WorkshopProvision" Namespaced [status custom] [];
    /// Babylon group of workshops: an event.
    MultiWorkshop: "babylon.gpte.redhat.com" "v1" "multiworkshops" "MultiWorkshop" Namespaced [status custom] [];
    /// AgnosticV component with its merged definition.
    AgnosticVComponent: "gpte.redhat.com" "v1" "agnosticvcomponents" "AgnosticVComponent" Namespaced [status custom] [];
    /// AgnosticV repository.
    AgnosticVRepo: "gpte.redhat.com" "v1" "agnosticvrepos" "AgnosticVRepo" Namespaced [status custom] [];
}

/// API groups that only a control plane serves.
pub(crate) const CONTROL_PLANE_GROUPS: [&str; 4] = [
    "anarchy.gpte.redhat.com",
    "poolboy.gpte.redhat.com",
    "babylon.gpte.redhat.com",
    "gpte.redhat.com",
];
/// API groups that only clusters with labs serve.
pub(crate) const LAB_GROUPS: [&str; 3] = ["kubevirt.io", "cdi.kubevirt.io", "serving.kserve.io"];

impl Kind {
    /// The kind whose collection is `plural` in this group and version.
    #[must_use]
    pub fn of_path(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| {
            let info = kind.info();
            info.group == group && info.version == version && info.plural == plural
        })
    }

    /// The kind an object says it is.
    #[must_use]
    pub fn of_object(object: &Value) -> Option<Self> {
        let (api_version, name) = (object.get("apiVersion")?.as_str()?, object.get("kind")?.as_str()?);
        Self::of_names(api_version, name)
    }

    /// The kind with this `apiVersion` and `kind`.
    #[must_use]
    pub fn of_names(api_version: &str, name: &str) -> Option<Self> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self::ALL.iter().copied().find(|kind| {
            let info = kind.info();
            info.group == group && info.version == version && info.kind == name
        })
    }

    /// Position in [`Kind::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn nodes_of_two_groups_are_two_kinds() {
        assert_eq!(Kind::of_path("", "v1", "nodes"), Some(Kind::Node));
        assert_eq!(Kind::of_path("metrics.k8s.io", "v1beta1", "nodes"), Some(Kind::NodeMetrics));
        assert_eq!(Kind::of_path("", "v2", "nodes"), None);
    }

    #[test]
    fn the_table_is_read_right() {
        assert!(Kind::Deployment.info().scale);
        assert!(!Kind::Endpoints.info().status);
        assert!(Kind::VirtualMachine.info().items_carry_kind);
        assert_eq!(Kind::Route.info().api_version(), "route.openshift.io/v1");
        assert!(Kind::ALL.iter().enumerate().all(|(position, kind)| kind.index() == position));
    }
}
