//! Pools, handles, claims and providers. Source: rhdp-contracts 2 and 3.2.
//!
//! The copy of the subject in `status.resources[].state`, `provision_data`, parameter values and requesters are never read.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::lenient::{Flag, Int, Or, Span, Text, Time};
use super::wire::{Condition, Labels, Meta, Nothing, Ref, Resource, Unfit, Wire, object, providers};
use crate::provisioning::pool::{CLAIM_LABELS, HandleCondition, ResourceClaim, ResourceHandle, ResourcePool, ResourceProvider};
use crate::sources::redact;

/// Annotations of claims that are kept, by their full name.
const PURPOSE: &str = "demo.redhat.com/purpose";
const PURPOSE_ACTIVITY: &str = "demo.redhat.com/purpose-activity";
/// Longest purpose that is kept, in characters.
const SHORT: usize = 120;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pool {
    metadata: Meta<Nothing, Nothing>,
    spec: Or<PoolSpec>,
    status: Or<PoolStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PoolSpec {
    min_available: Int,
    max_unready: Int,
    delete_unhealthy_resource_handles: Flag,
    lifespan: Or<PoolLifespan>,
    provider: Or<Ref>,
    resources: Or<Vec<Resource>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolLifespan {
    unclaimed: Span,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PoolStatus {
    resource_handle_count: Or<Count>,
    resource_handles: Or<Vec<Condition>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Count {
    available: Int,
    ready: Int,
}

impl Wire for Pool {
    type Kept = ResourcePool;

    fn keep(self) -> Result<ResourcePool, Unfit> {
        let Self { metadata, spec, status } = self;
        metadata.check()?;
        let (spec, status) = (spec.0, status.0);
        let condition = |Condition { name, healthy, ready }: Condition| HandleCondition {
            name: name.0,
            healthy: healthy.0,
            ready: ready.0,
        };
        Ok(ResourcePool {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            created_at: metadata.creation_timestamp,
            deleting_since: metadata.deletion_timestamp,
            min_available: spec.min_available.0.unwrap_or_default(),
            max_unready: spec.max_unready.0,
            deletes_unhealthy: spec.delete_unhealthy_resource_handles.is_set(),
            unclaimed_lifespan_s: spec.lifespan.unclaimed.0,
            providers: providers(&spec.provider, &spec.resources),
            available: status.resource_handle_count.available.0,
            ready: status.resource_handle_count.ready.0,
            unclaimed: status.resource_handles.0.into_iter().map(condition).collect(),
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Handle {
    metadata: Meta<HandleLabels, Nothing>,
    spec: Or<HandleSpec>,
    status: Or<HandleStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HandleLabels {
    #[serde(rename = "poolboy.gpte.redhat.com/resource-pool-name")]
    pool: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-pool-namespace")]
    pool_namespace: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct HandleSpec {
    resource_claim: Or<Ref>,
    resource_pool: Or<Ref>,
    lifespan: Or<Lifespan>,
    provider: Or<Ref>,
    resources: Or<Vec<Resource>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Lifespan {
    start: Time,
    end: Time,
    first_ready: Time,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HandleStatus {
    healthy: Flag,
    ready: Flag,
    resources: Or<Vec<HandleResource>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct HandleResource {
    reference: Or<Ref>,
    waiting_for: Text,
}

impl Wire for Handle {
    type Kept = ResourceHandle;

    fn keep(self) -> Result<ResourceHandle, Unfit> {
        let Self { metadata, spec, status } = self;
        metadata.check()?;
        let (labels, spec, status) = (metadata.labels.0, spec.0, status.0);
        let providers = providers(&spec.provider, &spec.resources);
        let mut subjects = Vec::new();
        let mut waiting_for = Vec::new();
        let mut references = Vec::new();
        for HandleResource {
            reference,
            waiting_for: reason,
        } in status.resources.0
        {
            references.push(reference.0);
            if !reason.0.is_empty() && !waiting_for.contains(&reason.0) {
                waiting_for.push(reason.0);
            }
        }
        references.extend(spec.resources.0.into_iter().map(|resource| resource.reference.0));
        for reference in references {
            if !matches!(reference.kind.0.as_str(), "" | "AnarchySubject") {
                continue;
            }
            if let Some(subject) = reference.named().filter(|subject| !subjects.contains(subject)) {
                subjects.push(subject);
            }
        }
        Ok(ResourceHandle {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            created_at: metadata.creation_timestamp,
            deleting_since: metadata.deletion_timestamp,
            claim: spec.resource_claim.0.named(),
            pool: spec.resource_pool.0.named().or_else(|| object(labels.pool_namespace, labels.pool)),
            providers,
            ends_at: spec.lifespan.end.0,
            healthy: status.healthy.0,
            ready: status.ready.0,
            subjects,
            waiting_for,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claim {
    metadata: Meta<Labels, ClaimAnnotations>,
    spec: Or<ClaimSpec>,
    status: Or<ClaimStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClaimAnnotations {
    #[serde(rename = "demo.redhat.com/purpose")]
    purpose: Text,
    #[serde(rename = "demo.redhat.com/purpose-activity")]
    activity: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClaimSpec {
    lifespan: Or<Lifespan>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimStatus {
    resource_handle: Or<Bound>,
    healthy: Flag,
    ready: Flag,
    resources: Or<Vec<ClaimResource>>,
    lifespan: Or<Lifespan>,
    approval: Or<Approval>,
    provider: Or<ClaimProvider>,
    summary: Or<Summary>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bound {
    name: Text,
    namespace: Text,
    detached: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimResource {
    validation_error: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Approval {
    state: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimProvider {
    validation_errors: Or<Vec<IgnoredAny>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Summary {
    state: Text,
}

impl Wire for Claim {
    type Kept = ResourceClaim;

    fn keep(self) -> Result<ResourceClaim, Unfit> {
        let Self { metadata, spec, status } = self;
        metadata.check()?;
        let (mut labels, annotations, status) = (metadata.labels.0, metadata.annotations.0, status.0);
        let invalid = status
            .resources
            .iter()
            .filter(|resource| resource.validation_error.is_some())
            .count();
        let Bound { name, namespace, detached } = status.resource_handle.0;
        let (item, item_namespace, asset) = catalog_item(&mut labels);
        let notes = [(PURPOSE, annotations.purpose), (PURPOSE_ACTIVITY, annotations.activity)];
        let notes = notes.into_iter().filter(|(_, text)| !text.0.is_empty());
        Ok(ResourceClaim {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            created_at: metadata.creation_timestamp,
            deleting_since: metadata.deletion_timestamp,
            handle: object(namespace, name),
            detached: detached.is_set(),
            healthy: status.healthy.0,
            ready: status.ready.0,
            state: status.summary.0.state.0,
            approval: status.approval.0.state.0,
            validation_errors: invalid + status.provider.validation_errors.len(),
            starts_at: spec.lifespan.start.0,
            ends_at: status.lifespan.end.0,
            first_ready_at: status.lifespan.first_ready.0,
            catalog_item: object(item_namespace, item),
            asset_uuid: asset.0,
            labels: CLAIM_LABELS
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), labels.remove(*name)?.0)))
                .collect(),
            annotations: notes.map(|(name, text)| (name.to_owned(), redact::text(&text.0, SHORT))).collect(),
        })
    }
}

/// Name and namespace of the catalog item, and the id of the AgnosticV item, from labels.
fn catalog_item(labels: &mut Labels) -> (Text, Text, Text) {
    let mut take = |name: &str| labels.remove(name).unwrap_or_default();
    (
        take("babylon.gpte.redhat.com/catalogItemName"),
        take("babylon.gpte.redhat.com/catalogItemNamespace"),
        take("gpte.redhat.com/asset-uuid"),
    )
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Provider {
    metadata: Meta<Labels, Nothing>,
    spec: Or<ProviderSpec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ProviderSpec {
    disable_creation: Flag,
    approval: Or<NeedsApproval>,
    linked_resource_providers: Or<Vec<Ref>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NeedsApproval {
    required: Flag,
}

impl Wire for Provider {
    type Kept = ResourceProvider;

    fn keep(self) -> Result<ResourceProvider, Unfit> {
        let Self { metadata, spec } = self;
        metadata.check()?;
        let mut labels = metadata.labels.0;
        let spec = spec.0;
        let (item, item_namespace, _) = catalog_item(&mut labels);
        Ok(ResourceProvider {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            disabled: spec.disable_creation.is_set(),
            needs_approval: spec.approval.required.is_set(),
            catalog_item: object(item_namespace, item),
            linked: spec.linked_resource_providers.0.into_iter().map(|linked| linked.name.0).collect(),
        })
    }
}
