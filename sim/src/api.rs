//! The Kubernetes API of one simulated cluster: every request comes through [`router`] and is read, struck by faults,
//! authorized, answered and logged here.

mod discovery;
mod error;
mod list;
mod target;
mod watch;
mod wiring;
mod write;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, header};
use serde_json::{Value, json};

pub(crate) use self::wiring::{Abort, Effects, abort, shape};
use self::{
    error::{ApiError, json_response},
    list::Form,
    target::{Query, Resource, Target},
    write::PatchForm,
};
use crate::{cluster::Cluster, kinds::Kind, wire::Line};

/// Largest body a client may send, as in the API server.
const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody in this process.
    Trusted,
    /// Who shows the cluster's token.
    Token,
}

#[derive(Clone)]
struct Server {
    cluster: Cluster,
    access: Access,
}

/// The API of a cluster as a router.
pub(crate) fn router(cluster: &Cluster, access: Access) -> Router {
    Router::new().fallback(handle).with_state(Server {
        cluster: cluster.clone(),
        access,
    })
}

async fn handle(State(Server { cluster, access }): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = Query::of(parts.uri.query().unwrap_or_default());
    let target = Target::of(&path);
    let verb = target::verb(&parts.method, &target, &query);
    let resource = log_name(&target);
    let header_text = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };

    let (down, effects) = cluster.wire(|wire| (wire.down, wire.strike(verb, &path)));
    let struck = wiring::Effects::of(effects);
    let line = |status| Line {
        verb,
        resource: resource.clone(),
        path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        status,
        agent: header_text(header::USER_AGENT),
    };
    if down || struck.no_answer {
        cluster.log(|log| log.record(line(0)));
        return wiring::abort();
    }
    if let Some(delay) = struck.delay {
        tokio::time::sleep(delay).await;
    }

    let answered = if let Some((code, retry_after)) = struck.status {
        let refusal = ApiError::of_status(code, &path);
        let retry_after = retry_after.map(|wait| wait.as_secs()).or(refusal.retry_after);
        Err(ApiError { retry_after, ..refusal })
    } else {
        let call = Call {
            cluster: &cluster,
            method: &parts.method,
            path: &path,
            target: &target,
            verb,
            query: &query,
            accept: &header_text(header::ACCEPT),
            content_type: &header_text(header::CONTENT_TYPE),
        };
        match call.authorize(access, &header_text(header::AUTHORIZATION)) {
            Ok(()) => call.answer(body).await,
            Err(refusal) => Err(refusal),
        }
    };
    let response = answered.unwrap_or_else(IntoResponse::into_response);
    cluster.log(|log| log.record(line(response.status().as_u16())));
    wiring::send(&cluster, verb, resource, response, &struck)
}

/// What the request log calls a target.
fn log_name(target: &Target) -> String {
    match target {
        Target::Resource(Resource { kind, sub, .. }) => {
            let qualified = kind.info().qualified();
            sub.as_ref().map_or_else(|| qualified.clone(), |sub| format!("{qualified}/{sub}"))
        }
        Target::UnknownResource { group, .. } => format!("unknown.{group}"),
        Target::Other(path) => path.clone(),
    }
}

/// A request that has been read.
struct Call<'a> {
    cluster: &'a Cluster,
    method: &'a Method,
    path: &'a str,
    target: &'a Target,
    verb: &'static str,
    query: &'a Query,
    accept: &'a str,
    content_type: &'a str,
}

impl Call<'_> {
    fn authorize(&self, access: Access, authorization: &str) -> Result<(), ApiError> {
        let public = matches!(self.path, "/version" | "/healthz" | "/livez" | "/readyz");
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        let expired = self.cluster.wire(|wire| wire.token_expired);
        if (expired && !(public && token.is_empty())) || (access == Access::Token && !token.is_empty() && token != self.cluster.token()) {
            return Err(ApiError::unauthorized());
        }
        let anonymous = access == Access::Token && token.is_empty();
        if anonymous && !public {
            let message = format!("forbidden: User \"system:anonymous\" cannot {} path \"{}\"", self.verb, self.path);
            return Err(ApiError::new(403, "Forbidden", message));
        }
        if let Target::Resource(resource) = self.target {
            let info = resource.kind.info();
            let name = resource
                .sub
                .as_ref()
                .map_or_else(|| info.qualified(), |sub| format!("{}/{sub}", info.qualified()));
            if self.cluster.wire(|wire| wire.forbids(self.verb, &name)) {
                return Err(forbidden(resource, self.verb));
            }
        }
        Ok(())
    }

    async fn answer(&self, body: Body) -> Result<Response, ApiError> {
        match self.target {
            Target::Other(path) => self.answer_other(path),
            Target::UnknownResource { group, version } => {
                let review = group == "authorization.k8s.io" && version == "v1" && self.path.ends_with("/selfsubjectaccessreviews");
                if review && *self.method == Method::POST {
                    let review = write::parse_body(&read_body(body).await?, false)?;
                    return Ok(json_response(201, self.review(review).to_string()));
                }
                match discovery::resource_list(self.cluster, group, version) {
                    Some(_) => Err(ApiError::no_such_resource()),
                    None => Ok(not_served()),
                }
            }
            Target::Resource(resource) if !self.cluster.serves(resource.kind.info().group) => {
                tracing::debug!(cluster.name = self.cluster.name(), "no {} here", resource.kind.info().group);
                Ok(not_served())
            }
            Target::Resource(resource) => self.answer_resource(resource, body).await,
        }
    }

    fn answer_other(&self, path: &str) -> Result<Response, ApiError> {
        if *self.method != Method::GET {
            return Err(ApiError::method_not_allowed());
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let aggregated = self.accept.contains("as=APIGroupDiscoveryList") && self.accept.contains("v=v2");
        let found = match parts.as_slice() {
            ["healthz" | "livez" | "readyz", ..] => return Ok("ok".into_response()),
            ["version"] => Some(discovery::version()),
            ["api"] if aggregated => return Ok(discovery_response(&discovery::aggregated(self.cluster, true))),
            ["apis"] if aggregated => return Ok(discovery_response(&discovery::aggregated(self.cluster, false))),
            ["api"] => Some(discovery::core_versions()),
            ["apis"] => Some(discovery::group_list(self.cluster)),
            ["api", version] => discovery::resource_list(self.cluster, "", version),
            ["apis", group] => discovery::group(self.cluster, group),
            ["apis", group, version] => discovery::resource_list(self.cluster, group, version),
            _ => None,
        };
        Ok(found.map_or_else(not_served, |body| json_response(200, body.to_string())))
    }

    async fn answer_resource(&self, resource: &Resource, body: Body) -> Result<Response, ApiError> {
        let (cluster, query) = (self.cluster, self.query);
        let form = self.form(resource.kind)?;
        if resource.kind == Kind::NodeMetrics && !matches!(self.verb, "get" | "list") {
            return Err(ApiError::method_not_allowed());
        }
        match (self.verb, resource.sub.as_deref()) {
            ("list", None) => return list::list(cluster, resource, query, form),
            ("watch", None) => return watch::watch(cluster, resource, query, form),
            ("get", None | Some("status")) => return self.get(resource, form),
            ("get", Some("log")) => return self.log(resource),
            ("get", Some("scale")) if resource.kind.info().scale => {
                return cluster
                    .with(|state, now| write::scale(state, resource, now))
                    .map(|scale| json_response(200, scale.to_string()));
            }
            ("create" | "update" | "patch" | "delete" | "deletecollection", _) => {}
            _ => return Err(ApiError::no_such_resource()),
        }
        let bytes = read_body(body).await?;
        let patch_form = PatchForm::of(self.content_type);
        if self.verb == "patch" && patch_form.is_none() {
            let message = format!(
                "the body of the request was in an unknown format ({}) - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
                self.content_type
            );
            return Err(ApiError::new(415, "UnsupportedMediaType", message));
        }
        let patch_form = patch_form.unwrap_or(PatchForm::Merge);
        let object = write::parse_body(&bytes, patch_form == PatchForm::Apply || self.content_type.contains("yaml"))?;
        let selectors = list::selectors(resource.kind, query)?;
        let written = cluster.with(|state, now| match (self.verb, resource.sub.as_deref()) {
            ("create", None) if resource.name.is_none() => write::create(state, resource, object, query, now),
            ("create", Some("eviction")) if resource.kind == Kind::Pod => write::evict(state, resource, &object, query, now),
            ("update", Some("scale")) if resource.kind.info().scale => write::rescale(state, resource, |_| Ok(object), query, now),
            ("patch", Some("scale")) if resource.kind.info().scale => {
                let merge = |mut scale| {
                    json_patch::merge(&mut scale, &object);
                    Ok(scale)
                };
                write::rescale(state, resource, merge, query, now)
            }
            ("update", None | Some("status")) => write::update(state, resource, object, query, now),
            ("patch", None | Some("status")) => write::patch(state, resource, &object, patch_form, query, now),
            ("delete", None) => write::delete(state, resource, &object, query, now),
            ("deletecollection", None) => write::delete_collection(state, resource, &object, query, &selectors, now),
            _ => Err(ApiError::method_not_allowed()),
        })?;
        Ok(json_response(if self.verb == "create" { 201 } else { 200 }, written.to_string()))
    }

    fn get(&self, resource: &Resource, form: Form) -> Result<Response, ApiError> {
        let name = resource.name.as_deref().unwrap_or_default();
        let found = self
            .cluster
            .with(|state, _| state.store.object(resource.kind, &resource.namespace, name));
        let object = found.ok_or_else(|| ApiError::not_found(&resource.kind.info().qualified(), name))?;
        let (mut out, now) = (Vec::new(), self.cluster.now());
        match form {
            Form::Full => object.write_json(&mut out, true, now),
            Form::Metadata => object.write_metadata(&mut out, now),
        }
        Ok(json_response(200, out))
    }

    /// The log of a container, as far as its status tells what it would have written.
    fn log(&self, resource: &Resource) -> Result<Response, ApiError> {
        let name = resource.name.as_deref().unwrap_or_default();
        let pod = self
            .cluster
            .get(Kind::Pod, &resource.namespace, name)
            .ok_or_else(|| ApiError::not_found("pods", name))?;
        let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"]
            .into_iter()
            .filter_map(|pointer| pod.pointer(pointer)?.as_array());
        let wanted = |status: &&Value| self.query.container.is_empty() || status["name"] == self.query.container.as_str();
        let last = statuses.flatten().filter(wanted).find_map(|status| {
            ["/state/terminated", "/lastState/terminated"]
                .iter()
                .find_map(|pointer| status.pointer(pointer))
        });
        let line = last.map_or("started".to_owned(), |ended| {
            format!(
                "{} with exit code {}: {}",
                ended["reason"].as_str().unwrap_or("ended"),
                ended["exitCode"],
                ended["message"].as_str().unwrap_or("no message")
            )
        });
        Ok(format!("{line}\n").into_response())
    }

    /// How the client wants objects: the first form in `Accept` that the server has.
    fn form(&self, kind: Kind) -> Result<Form, ApiError> {
        if self.accept.is_empty() {
            return Ok(Form::Full);
        }
        for media in self.accept.split(',').map(str::trim) {
            let json = media.starts_with("application/json") || media.starts_with("*/*") || media.starts_with("application/*");
            if media.contains("as=PartialObjectMetadata") && json {
                return Ok(Form::Metadata);
            }
            // Tables are not printed here; clients that ask for one take plain JSON as well.
            if json && !media.contains("as=") {
                return Ok(Form::Full);
            }
        }
        if self.verb == "watch" && self.accept.contains("json") || self.accept.contains("as=Table") {
            return Ok(Form::Full);
        }
        let message = format!(
            "only the following media types are accepted: application/json (for {})",
            kind.info().qualified()
        );
        Err(ApiError::new(406, "NotAcceptable", message))
    }

    /// Answers a SelfSubjectAccessReview from what the cluster forbids.
    fn review(&self, mut review: Value) -> Value {
        let attributes = &review["spec"]["resourceAttributes"];
        let text = |field: &str| attributes[field].as_str().unwrap_or_default();
        let (group, resource, sub) = (text("group"), text("resource"), text("subresource"));
        let mut name = if group.is_empty() {
            resource.to_owned()
        } else {
            format!("{resource}.{group}")
        };
        if !sub.is_empty() {
            name = format!("{name}/{sub}");
        }
        let allowed = !self.cluster.wire(|wire| wire.forbids(text("verb"), &name));
        review["kind"] = json!("SelfSubjectAccessReview");
        review["apiVersion"] = json!("authorization.k8s.io/v1");
        review["status"] = if allowed {
            json!({"allowed": true, "reason": "RBAC: allowed by ClusterRoleBinding \"stargate\""})
        } else {
            json!({"allowed": false})
        };
        review
    }
}

fn forbidden(resource: &Resource, verb: &str) -> ApiError {
    let info = resource.kind.info();
    let place = if resource.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", resource.namespace)
    };
    let subject = resource
        .name
        .as_ref()
        .map_or_else(|| info.qualified(), |name| format!("{} \"{name}\"", info.qualified()));
    let message = format!(
        "{subject} is forbidden: User \"system:serviceaccount:stargate:reader\" cannot {verb} resource \"{}\" in API group \"{}\" {place}",
        info.plural, info.group
    );
    let details = json!({"group": info.group, "kind": info.plural});
    ApiError {
        details,
        ..ApiError::new(403, "Forbidden", message)
    }
}

async fn read_body(body: Body) -> Result<bytes::Bytes, ApiError> {
    let too_large = |error| ApiError::new(413, "RequestEntityTooLarge", format!("the body could not be read: {error}"));
    to_bytes(body, BODY_LIMIT).await.map_err(too_large)
}

/// What the API server says of paths under groups that it does not serve.
fn not_served() -> Response {
    (http::StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

fn discovery_response(body: &Value) -> Response {
    let mut response = json_response(200, body.to_string());
    let media = http::HeaderValue::from_static("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}
