//! Model serving: inference services.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Condition, Site, name, set_condition, text};
use crate::kinds::Kind;

/// An inference service that serves its model at `host`.
pub(crate) fn inference_service(site: &mut Site<'_>, service_name: &str, host: &str) -> Value {
    let model = json!({"modelFormat": {"name": "vLLM"}, "runtime": "vllm-cuda", "storageUri": "oci://registry.example.test/models/granite-3-2-8b-instruct:1",
        "resources": {"requests": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "1"}}});
    let mut object = site.object(
        Kind::InferenceService,
        service_name,
        &json!({"opendatahub.io/dashboard": "true"}),
        json!({"spec": {"predictor": {"model": model}}}),
    );
    object["metadata"]["annotations"] = json!({"serving.kserve.io/deploymentMode": "RawDeployment"});
    object["metadata"]["finalizers"] = json!(["inferenceservice.finalizers"]);
    object["status"]["url"] = json!(format!("https://{host}"));
    set_ready(&mut object, None, site.at);
    object
}

/// Marks an inference service as ready, or as failed for a reason.
pub(crate) fn set_ready(service: &mut Value, failure: Option<(&str, &str)>, at: DateTime<Utc>) {
    let (reason, message) = failure.unwrap_or_default();
    for sort in ["IngressReady", "PredictorReady", "Ready"] {
        let status = failure.is_none() || sort == "IngressReady";
        set_condition(
            service,
            Condition {
                sort,
                status,
                reason: if status { "" } else { reason },
                message: if status { "" } else { message },
            },
            at,
        );
    }
    let state = if failure.is_none() { "Loaded" } else { "FailedToLoad" };
    service["status"]["modelStatus"] = json!({"copies": {"failedCopies": i64::from(failure.is_some()), "totalCopies": 1},
        "states": {"activeModelState": if failure.is_none() { "Loaded" } else { "" }, "targetModelState": state},
        "transitionStatus": if failure.is_none() { "UpToDate" } else { "BlockedByFailedLoad" }});
    if let Some((reason, message)) = failure {
        service["status"]["modelStatus"]["lastFailureInfo"] =
            json!({"reason": "ModelLoadFailed", "message": format!("{reason}: {message}"), "exitCode": 1});
    }
    let url = text(service, "/status/url").to_owned();
    service["status"]["components"] = json!({"predictor": {"url": url, "latestCreatedRevision": format!("{}-predictor", name(service))}});
}
