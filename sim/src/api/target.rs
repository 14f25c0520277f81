//! Reading a request: which resource its path means, which verb its method, and what the query asks for.

use http::Method;

use crate::kinds::Kind;

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A collection, an object or a sub-resource of a known kind.
    Resource(Resource),
    /// `/version`, `/readyz`, discovery and other paths without objects.
    Other(String),
    /// Something under an API group that has no such resource.
    UnknownResource { group: String, version: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) kind: Kind,
    /// Empty for cluster-scoped kinds and for lists over all namespaces.
    pub(crate) namespace: String,
    pub(crate) name: Option<String>,
    pub(crate) sub: Option<String>,
}

impl Target {
    /// Reads a path.
    pub(crate) fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => return Self::Other(path.to_owned()),
        };
        let found = match rest {
            // `namespaces/x/status` is a sub-resource of the namespace, every other third part a collection in it.
            ["namespaces", namespace, plural, rest @ ..] if !matches!(*plural, "status" | "finalize") => {
                let kind = Kind::of_path(group, version, plural).filter(|kind| kind.info().namespaced);
                kind.map(|kind| (kind, *namespace, rest))
            }
            [plural, rest @ ..] => Kind::of_path(group, version, plural).map(|kind| (kind, "", rest)),
            [] => None,
        };
        match found {
            Some((kind, namespace, rest)) if rest.len() <= 2 && !(kind.info().namespaced && namespace.is_empty() && !rest.is_empty()) => {
                let part = |index: usize| rest.get(index).map(|part| (*part).to_owned());
                Self::Resource(Resource {
                    kind,
                    namespace: namespace.to_owned(),
                    name: part(0),
                    sub: part(1),
                })
            }
            _ => Self::UnknownResource {
                group: group.to_owned(),
                version: version.to_owned(),
            },
        }
    }
}

/// The verb that RBAC and the request log know a request by.
pub(crate) fn verb(method: &Method, target: &Target, query: &Query) -> &'static str {
    let collection = matches!(target, Target::Resource(Resource { name: None, .. }));
    match *method {
        Method::GET | Method::HEAD if query.watch => "watch",
        Method::GET | Method::HEAD if collection => "list",
        Method::GET | Method::HEAD => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if collection => "deletecollection",
        Method::DELETE => "delete",
        _ => "other",
    }
}

/// Query parameters that mean something to the simulation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) watch: bool,
    pub(crate) limit: usize,
    pub(crate) cont: String,
    pub(crate) version: String,
    pub(crate) version_match: String,
    pub(crate) labels: String,
    pub(crate) fields: String,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) bookmarks: bool,
    pub(crate) initial_events: bool,
    pub(crate) dry_run: bool,
    pub(crate) grace_seconds: Option<i64>,
    pub(crate) propagation: String,
    pub(crate) container: String,
}

impl Query {
    /// Reads a query string; what does not parse is as if it were not there, as in the API server.
    pub(crate) fn of(query: &str) -> Self {
        let mut found = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value);
            let yes = matches!(value.as_str(), "true" | "1" | "");
            match decode(name).as_str() {
                "watch" => found.watch = yes && !pair.is_empty(),
                "limit" => found.limit = value.parse().unwrap_or(0),
                "continue" => found.cont = value,
                "resourceVersion" => found.version = value,
                "resourceVersionMatch" => found.version_match = value,
                "labelSelector" => found.labels = value,
                "fieldSelector" => found.fields = value,
                "timeoutSeconds" => found.timeout_seconds = value.parse().ok(),
                "allowWatchBookmarks" => found.bookmarks = yes,
                "sendInitialEvents" => found.initial_events = yes,
                "dryRun" => found.dry_run = value == "All",
                "gracePeriodSeconds" => found.grace_seconds = value.parse().ok(),
                "propagationPolicy" => found.propagation = value,
                "container" => found.container = value,
                _ => {}
            }
        }
        found
    }
}

/// Undoes percent encoding and `+` for a blank.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{Query, Resource, Target, verb};
    use crate::kinds::Kind;

    fn resource(kind: Kind, namespace: &str, name: Option<&str>, sub: Option<&str>) -> Target {
        let owned = |part: Option<&str>| part.map(str::to_owned);
        Target::Resource(Resource {
            kind,
            namespace: namespace.to_owned(),
            name: owned(name),
            sub: owned(sub),
        })
    }

    #[test]
    fn paths_name_resources() {
        assert_eq!(Target::of("/api/v1/pods"), resource(Kind::Pod, "", None, None));
        assert_eq!(
            Target::of("/api/v1/namespaces/a/pods/b/eviction"),
            resource(Kind::Pod, "a", Some("b"), Some("eviction"))
        );
        assert_eq!(Target::of("/api/v1/namespaces/a"), resource(Kind::Namespace, "", Some("a"), None));
        assert_eq!(
            Target::of("/api/v1/namespaces/a/finalize"),
            resource(Kind::Namespace, "", Some("a"), Some("finalize"))
        );
        assert_eq!(
            Target::of("/apis/metrics.k8s.io/v1beta1/nodes"),
            resource(Kind::NodeMetrics, "", None, None)
        );
        assert_eq!(Target::of("/apis/apps/v1"), Target::Other("/apis/apps/v1".to_owned()));
        let unknown = Target::UnknownResource {
            group: "apps".to_owned(),
            version: "v1".to_owned(),
        };
        assert_eq!(Target::of("/apis/apps/v1/widgets"), unknown);
        assert_eq!(Target::of("/apis/apps/v1/deployments/no-namespace"), unknown);
    }

    #[test]
    fn methods_are_verbs() {
        let pods = Target::of("/api/v1/pods");
        assert_eq!(verb(&Method::GET, &pods, &Query::default()), "list");
        assert_eq!(verb(&Method::GET, &pods, &Query::of("watch=1")), "watch");
        assert_eq!(verb(&Method::DELETE, &pods, &Query::default()), "deletecollection");
        assert_eq!(verb(&Method::GET, &Target::of("/version"), &Query::default()), "get");
    }

    #[test]
    fn queries_are_decoded() {
        let query = Query::of("limit=500&continue=a%2Fb%3D&labelSelector=app+in+%28a%2Cb%29&watch=0");
        assert_eq!(
            (query.limit, query.cont.as_str(), query.labels.as_str(), query.watch),
            (500, "a/b=", "app in (a,b)", false)
        );
    }
}
