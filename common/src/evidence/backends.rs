//! What stands behind Routes: the Routes that count, their Services, and the ready endpoints of these.
//!
//! EndpointSlices are preferred; core endpoints stand in where slices were not read (recordings hold only these).

use chrono::{DateTime, TimeDelta, Utc};

use super::quantify::Known;
use super::vm::{Wanted, wanted};
use super::{Intent, View, controllers, pods, storage, thresholds};
use crate::objects::network::{EndpointSlice, RouteBackend};
use crate::objects::{Ingress, Meta, Pod, Route, Service, VirtualMachine};
use crate::unknown::UnknownReason;

/// A Route, or an Ingress for which the cluster has generated none.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// `Route` or `Ingress`.
    pub kind: &'static str,
    /// Identity, labels, age.
    pub meta: &'a Meta,
    /// Names of the Services that get a share of its traffic, sorted.
    pub services: Vec<&'a str>,
    /// The Route itself, for admission and TLS; none for an Ingress.
    pub route: Option<&'a Route>,
}

/// The Routes and Ingresses of a namespace.
#[derive(Debug, Clone)]
pub struct Targets<'a> {
    /// Those that are meant to carry traffic.
    pub live: Vec<Target<'a>>,
    /// Those that are being deleted.
    pub leaving: Vec<(&'static str, &'a str)>,
    /// Why there may be more.
    pub missing: Option<UnknownReason>,
    /// Whether Ingresses that nobody read were concluded to be among the Routes.
    pub inferred: bool,
}

/// The Routes and Ingresses of the namespace.
///
/// OpenShift makes Routes for each Ingress, so Ingresses that nobody read are covered by the Routes that were. A read that
/// failed is never bridged.
#[must_use]
pub fn targets<'a>(view: &View<'a>) -> Targets<'a> {
    let (routes, ingresses) = (&view.inventory.routes, &view.inventory.ingresses);
    let generated = |ingress: &Ingress| {
        let mut owners = routes.items.iter().flat_map(|route| &route.metadata.owner_references);
        owners.any(|owner| owner.kind == "Ingress" && owner.name == ingress.metadata.name)
    };
    let mut found = Targets {
        live: Vec::new(),
        leaving: Vec::new(),
        missing: None,
        inferred: false,
    };
    for route in &routes.items {
        if route.metadata.deletion_timestamp.is_some() {
            found.leaving.push(("Route", &route.metadata.name));
            continue;
        }
        let backends = std::iter::once(&route.spec.to).chain(&route.spec.alternate_backends);
        found.live.push(Target {
            kind: "Route",
            meta: &route.metadata,
            services: names(
                backends
                    .filter(|backend| carries_traffic(backend))
                    .map(|backend| backend.name.as_str()),
            ),
            route: Some(route),
        });
    }
    // Which Ingresses stand for themselves is not known before all Routes are.
    let routes_known = matches!(routes.missing, None | Some(UnknownReason::ApiAbsent));
    for ingress in ingresses.items.iter().filter(|ingress| routes_known && !generated(ingress)) {
        if ingress.metadata.deletion_timestamp.is_some() {
            found.leaving.push(("Ingress", &ingress.metadata.name));
            continue;
        }
        let paths = ingress.spec.rules.iter().flat_map(|rule| &rule.http.paths);
        found.live.push(Target {
            kind: "Ingress",
            meta: &ingress.metadata,
            services: names(
                paths
                    .filter_map(|path| path.backend.service.as_ref())
                    .map(|service| service.name.as_str()),
            ),
            route: None,
        });
    }
    found.live.sort_by_key(|target| (target.kind, &target.meta.name));
    let missing_routes = match routes.missing {
        Some(UnknownReason::ApiAbsent) if !ingresses.items.is_empty() => None,
        other => other,
    };
    let missing_ingresses = match ingresses.missing {
        Some(UnknownReason::NotCollected) if routes.missing.is_none() => {
            found.inferred = true;
            None
        }
        Some(UnknownReason::ApiAbsent) => None,
        other => other,
    };
    found.missing = missing_routes.or(missing_ingresses);
    found
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A backend with weight 0 is switched off.
fn carries_traffic(backend: &RouteBackend) -> bool {
    matches!(backend.kind.as_str(), "Service" | "") && backend.weight.is_none_or(|weight| weight > 0)
}

/// The Service of that name, or why there is none: `None` when it does not exist.
///
/// # Errors
/// Why Services were not read.
pub fn service<'a>(view: &View<'a>, name: &str) -> Result<Option<&'a Service>, UnknownReason> {
    let services = &view.inventory.services;
    match (
        services.items.iter().find(|service| service.metadata.name == name),
        services.missing,
    ) {
        (Some(service), _) => Ok(Some(service)),
        (None, None) => Ok(None),
        (None, Some(reason)) => Err(reason),
    }
}

/// Pods that a Service selects and that count. Selector-less Services select none.
pub fn selected<'a>(view: &View<'a>, service: &'a Service) -> impl Iterator<Item = &'a Pod> {
    let pods = view.inventory.pods.items.iter();
    pods.filter(move |pod| matches(service, pod) && pods::life(pod) == pods::Life::Alive)
}

/// Whether a Service's selector is about a pod.
fn matches(service: &Service, pod: &Pod) -> bool {
    let mut selector = service.spec.selector.iter();
    !service.spec.selector.is_empty() && selector.all(|(key, value)| pod.metadata.labels.get(key) == Some(value))
}

/// What stands behind a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// That many ready endpoints, at least one. Whether they were read from core endpoints.
    Ready(usize, Source),
    /// None, and why.
    Nothing(String, Source),
    /// Not known.
    Unknown(UnknownReason, String),
}

/// Where readiness was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Slices, or the pods themselves.
    Direct,
    /// Core endpoints.
    Endpoints,
}

/// What stands behind the Service of that name.
#[must_use]
pub fn behind(view: &View, name: &str) -> Behind {
    let service = match service(view, name) {
        Ok(Some(service)) => service,
        Ok(None) => return Behind::Nothing(format!("Service {name} does not exist"), Source::Direct),
        Err(reason) => return Behind::Unknown(reason, format!("Service {name} was not read")),
    };
    if service.spec.kind == "ExternalName" {
        return Behind::Unknown(
            UnknownReason::NotProbed,
            format!("Service {name} points outside, it has no endpoints"),
        );
    }
    let none = || format!("Service {name} has no ready endpoint");
    let unread = |reason| Behind::Unknown(reason, format!("endpoints of Service {name} were not read"));
    if service.spec.publish_not_ready_addresses && !service.spec.selector.is_empty() {
        // Its endpoints look ready always: the pods decide.
        let ready = selected(view, service).filter(|pod| pods::is_ready(pod)).count();
        return match (ready, view.inventory.pods.missing) {
            (0, None) => Behind::Nothing(none(), Source::Direct),
            (0, Some(reason)) => unread(reason),
            (ready, _) => Behind::Ready(ready, Source::Direct),
        };
    }
    let (slices, endpoints) = (&view.inventory.endpoint_slices, &view.inventory.endpoints);
    let in_slices = ready_in_slices(&slices.items, name);
    if in_slices > 0 {
        return Behind::Ready(in_slices, Source::Direct);
    }
    let Some(reason) = slices.missing else {
        return Behind::Nothing(none(), Source::Direct);
    };
    let of_service = endpoints.items.iter().filter(|it| it.metadata.name == name);
    let ready = of_service.flat_map(|it| &it.subsets).map(|subset| subset.addresses.len()).sum();
    match (ready, endpoints.missing) {
        (0, None) => Behind::Nothing(none(), Source::Endpoints),
        (0, Some(UnknownReason::NotCollected)) => unread(reason),
        (0, Some(other)) => unread(other),
        (ready, _) => Behind::Ready(ready, Source::Endpoints),
    }
}

/// Ready endpoints of a Service. A dual-stack Service tells each pod twice: named targets count once.
fn ready_in_slices(slices: &[EndpointSlice], service: &str) -> usize {
    let of_service = slices.iter().filter(|slice| {
        slice
            .metadata
            .labels
            .get("kubernetes.io/service-name")
            .is_some_and(|name| name == service)
    });
    let ready = of_service.flat_map(|slice| &slice.endpoints).filter(|endpoint| {
        let conditions = &endpoint.conditions;
        conditions.ready.unwrap_or(true) && !conditions.terminating.unwrap_or(false)
    });
    let (named, unnamed): (Vec<_>, Vec<_>) = ready.map(|endpoint| endpoint.target_ref.as_ref()).partition(Option::is_some);
    let mut named: Vec<(&str, &str)> = named
        .into_iter()
        .flatten()
        .map(|target| (target.kind.as_str(), target.name.as_str()))
        .collect();
    named.sort_unstable();
    named.dedup();
    named.len() + unnamed.len()
}

/// Why a Service without ready endpoints may be no failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Excuse {
    /// There is none. `true` when that rests on VMs that nobody read and nothing shows.
    None(bool),
    /// The service is meant to be stopped, or the platform stopped it.
    Stopped,
    /// The VMs behind it are stopped on purpose.
    VmStopped,
    /// A pod behind it is starting, until then.
    Starting(Option<DateTime<Utc>>),
    /// Whether there is an excuse is not known.
    Unread(UnknownReason),
}

impl Excuse {
    /// The state of a member behind which nothing stands, because of `why`.
    #[must_use]
    pub fn state(self, why: String) -> Known {
        match self {
            Self::None(_) => Known::False(why),
            Self::Stopped => Known::Unknown(UnknownReason::IntentionallyStopped, why, None),
            Self::VmStopped => Known::Excluded("its VM is stopped on purpose".to_owned()),
            Self::Starting(until) => Known::Unknown(UnknownReason::Progressing, why, until),
            Self::Unread(reason) => Known::Unknown(reason, why, None),
        }
    }
}

/// Why nothing stands behind the Services of a Route. `budget`: how long their pods may take to be ready.
#[must_use]
pub fn excuse(view: &View, services: &[&str], budget: TimeDelta) -> Excuse {
    let inventory = view.inventory;
    let started_until = view.lifecycle.since.map(|since| since + thresholds::START_GRACE);
    let controllers = controllers::of(inventory);
    let stopped = controllers.all_at_zero() && controllers.any_stopped_by_platform();
    // Marks of a stop matter until the start that should remove them is over.
    let marks_matter = match view.lifecycle.intent {
        Intent::Stopped => return Excuse::Stopped,
        Intent::Unknown if stopped => return Excuse::Stopped,
        Intent::Started if started_until.is_some_and(|until| view.now >= until) => false,
        Intent::Started if stopped => return Excuse::Starting(started_until),
        Intent::Started | Intent::Unknown => true,
    };
    let services: Vec<&Service> = services.iter().filter_map(|name| service(view, name).ok().flatten()).collect();
    let selecting = || services.iter().filter(|service| !service.spec.selector.is_empty());
    let mut undecided = None;
    let mut vms = selecting()
        .flat_map(|service| inventory.vms.items.iter().filter(|vm| selects(service, vm)))
        .map(|vm| wanted(view, vm))
        .peekable();
    if vms.peek().is_some() {
        let mut all_stopped = true;
        for wanted in vms {
            match wanted {
                Wanted::Stopped(_) => {}
                Wanted::Running | Wanted::Restarted => all_stopped = false,
                Wanted::Unknown(reason, _) => {
                    all_stopped = false;
                    undecided = undecided.max(Some(reason));
                }
            }
        }
        if all_stopped {
            return Excuse::VmStopped;
        }
    }
    let starting = selecting()
        .flat_map(|service| selected(view, service))
        .filter_map(|pod| match pods::standing(pod, view.now, budget) {
            pods::Standing::Starting(_, until) => Some(until),
            pods::Standing::Ready | pods::Standing::NotReady(_) => None,
        });
    if let Some(until) = starting.min() {
        return Excuse::Starting(until);
    }
    // What was not read may hold an excuse. Only VMs may go unread: recordings of container labs hold no file of them.
    let no_vms = inventory.vms.missing == Some(UnknownReason::NotCollected) && storage::shows_no_vms(view);
    let unread_marks = controllers.missing.filter(|_| marks_matter);
    let unread_backends = if selecting().next().is_some() {
        [undecided, inventory.vms.missing.filter(|_| !no_vms), inventory.pods.missing]
    } else {
        [None; 3]
    };
    let unread = unread_backends.into_iter().chain([unread_marks]).flatten();
    let unread = unread.filter(|reason| *reason != UnknownReason::ApiAbsent);
    // A namespace on its way out excuses everything, and its pods leave with it.
    let leaving = || {
        let pods = inventory.pods.items.iter().filter(|pod| pod.metadata.deletion_timestamp.is_some());
        pods.into_iter().any(|pod| selecting().any(|service| matches(service, pod)))
    };
    let unread_namespace = inventory
        .namespace
        .missing
        .filter(|reason| *reason != UnknownReason::NotCollected || leaving());
    let unread = unread.chain(unread_namespace);
    // A refusal says more than that nobody asked.
    match unread.min_by_key(|reason| *reason == UnknownReason::NotCollected) {
        Some(reason) => Excuse::Unread(reason),
        None => Excuse::None(no_vms),
    }
}

/// Whether a Service would select the VM's launcher pod: the labels of its template, and those KubeVirt adds.
fn selects(service: &Service, vm: &VirtualMachine) -> bool {
    let name = vm.metadata.name.as_str();
    service.spec.selector.iter().all(|(key, value)| match key.as_str() {
        "kubevirt.io" if value == "virt-launcher" => true,
        "vm.kubevirt.io/name" | "kubevirt.io/domain" if value == name => true,
        _ => vm.spec.template.metadata.labels.get(key) == Some(value),
    })
}
