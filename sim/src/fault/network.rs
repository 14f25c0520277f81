//! Faults of services, routes and the applications behind them.

use serde_json::{Value, json};

use super::{Backend, Repair, Wound};
use crate::{
    kinds::Kind,
    objects::{name, network, text},
    web::Manner,
};

impl Wound<'_> {
    /// A route of the lab's own applications, or else of its showroom.
    fn route(&self) -> Option<Value> {
        let mut routes = self.values(Kind::Route);
        routes.sort_by_key(|route| text(route, "/spec/to/name") == "showroom");
        routes.into_iter().next()
    }

    fn routed_service(&self) -> Option<Value> {
        let route = self.route()?;
        self.state
            .store
            .value(Kind::Service, self.namespace, text(&route, "/spec/to/name"), self.now)
    }

    pub(super) fn delete_service(&mut self) -> bool {
        let service = self.routed_service();
        let any = service.is_some();
        if let Some(service) = service {
            self.take(Kind::Service, service);
        }
        any
    }

    pub(super) fn mislabel_service(&mut self) -> bool {
        let service = self.routed_service();
        let any = service.is_some();
        if let Some(service) = service {
            self.change(Kind::Service, service, |service| {
                service["spec"]["selector"] = json!({"app": "renamed-in-the-last-release"})
            });
        }
        any
    }

    pub(super) fn delete_routes(&mut self) -> bool {
        let routes = self.values(Kind::Route);
        let any = !routes.is_empty();
        for route in routes {
            self.take(Kind::Route, route);
        }
        any
    }

    pub(super) fn refuse_route(&mut self) -> bool {
        let Some(route) = self.route() else {
            return false;
        };
        let (since, service) = (self.since, name(&route).to_owned());
        let message = format!("route {service} already exposes this host and is older");
        self.change(Kind::Route, route, |route| {
            network::admit(route, Some(("HostAlreadyClaimed", &message)), since)
        });
        true
    }

    /// Has the first application of a sort behind a route misbehave.
    pub(super) fn misbehave(&mut self, wanted: Backend, manner: Manner) -> bool {
        let routes = self.values(Kind::Route);
        let route = routes.iter().find(|route| {
            let service = text(route, "/spec/to/name");
            let found = match service {
                "showroom" => Backend::Showroom,
                _ if service.ends_with("-predictor") => Backend::Model,
                _ => Backend::Application,
            };
            found == wanted
        });
        let Some(host) = route.map(|route| text(route, "/spec/host").to_owned()) else {
            return false;
        };
        self.state.set_manner(&host, Some(manner));
        self.repairs.push(Repair::Behave(host));
        true
    }
}
