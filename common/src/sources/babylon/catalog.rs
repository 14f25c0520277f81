//! Catalog items, workshops and their provisions. Source: rhdp-contracts 3.
//!
//! Access passwords, assignments of users, owners and order forms are never read.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::lenient::{Flag, Int, Or, Span, Text, Time};
use super::wire::{Meta, Nothing, Ref, Schedule, Unfit, Wire, says_yes};
use crate::provisioning::Window;
use crate::provisioning::catalog::{CatalogItem, Workshop, WorkshopProvision};
use crate::sources::redact;

/// Longest name for people and longest address that are kept, in characters.
const LONG: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item {
    metadata: Meta<ItemLabels, ItemAnnotations>,
    spec: Or<ItemSpec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ItemLabels {
    #[serde(rename = "babylon.gpte.redhat.com/stage")]
    stage: Text,
    #[serde(rename = "babylon.gpte.redhat.com/disabled")]
    disabled: Option<Text>,
    #[serde(rename = "gpte.redhat.com/asset-uuid")]
    asset_uuid: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ItemAnnotations {
    #[serde(rename = "babylon.gpte.redhat.com/ops")]
    ops: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ItemSpec {
    display_name: Text,
    category: Text,
    provision_time_estimate: Span,
    multiuser: Flag,
    workshop_user_mode: Text,
    external_url: Option<IgnoredAny>,
    last_update: Or<LastUpdate>,
    linked_components: Or<Vec<Ref>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LastUpdate {
    git: Or<Git>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Git {
    hash: Text,
}

/// What the annotation of operations holds, as JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ops {
    status: Or<OpsStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpsStatus {
    id: Text,
}

impl Wire for Item {
    type Kept = CatalogItem;

    fn keep(self) -> Result<CatalogItem, Unfit> {
        let Self { metadata, spec } = self;
        metadata.check()?;
        let (labels, spec) = (metadata.labels.0, spec.0);
        let ops = metadata.annotations.0.ops.0;
        // One that cannot be read says that there is something: an item under maintenance must not look like any other.
        let ops_status = match serde_json::from_str::<Ops>(&ops) {
            Ok(ops) => ops.status.0.id.0,
            Err(_) if ops.trim().is_empty() => String::new(),
            Err(_) => "unreadable".to_owned(),
        };
        Ok(CatalogItem {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            display_name: redact::text(&spec.display_name.0, LONG),
            category: spec.category.0,
            stage: labels.stage.0,
            disabled: says_yes(labels.disabled),
            asset_uuid: labels.asset_uuid.0,
            ops_status,
            provision_estimate_s: spec.provision_time_estimate.0,
            multiuser: spec.multiuser.is_set(),
            workshop_user_mode: spec.workshop_user_mode.0,
            external: spec.external_url.is_some(),
            git_revision: spec.last_update.0.git.0.hash.0,
            linked: spec.linked_components.0.into_iter().map(|linked| linked.name.0).collect(),
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shop {
    metadata: Meta<ShopLabels, Nothing>,
    spec: Or<ShopSpec>,
    status: Or<ShopStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ShopLabels {
    #[serde(rename = "babylon.gpte.redhat.com/workshop-id")]
    workshop_id: Text,
    #[serde(rename = "babylon.gpte.redhat.com/multiworkshop")]
    multi_workshop: Text,
    #[serde(rename = "demo.redhat.com/lock-enabled")]
    locked: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ShopSpec {
    display_name: Text,
    provision_disabled: Flag,
    action_schedule: Or<Schedule>,
    lifespan: Or<Lifespan>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Lifespan {
    start: Time,
    end: Time,
    ready_by: Time,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ShopStatus {
    provision_count: Or<ProvisionCount>,
    user_count: Or<UserCount>,
    #[serde(rename = "workshopURL")]
    url: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProvisionCount {
    ordered: Int,
    active: Int,
    failed: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UserCount {
    total: Int,
    assigned: Int,
}

impl Wire for Shop {
    type Kept = Workshop;

    fn keep(self) -> Result<Workshop, Unfit> {
        let Self { metadata, spec, status } = self;
        metadata.check()?;
        let (labels, spec, status) = (metadata.labels.0, spec.0, status.0);
        Ok(Workshop {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            deleting_since: metadata.deletion_timestamp,
            display_name: redact::text(&spec.display_name.0, LONG),
            workshop_id: labels.workshop_id.0,
            multi_workshop: labels.multi_workshop.0,
            locked: says_yes(labels.locked),
            provision_disabled: spec.provision_disabled.is_set(),
            schedule: spec.action_schedule.window(),
            lifespan: Window {
                start: spec.lifespan.start.0,
                stop: spec.lifespan.end.0,
            },
            ready_by: spec.lifespan.ready_by.0,
            ordered: status.provision_count.ordered.0,
            active: status.provision_count.active.0,
            failed: status.provision_count.failed.0,
            seats: status.user_count.total.0,
            seats_assigned: status.user_count.assigned.0,
            url: redact::url(&status.url.0, LONG),
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Provision {
    metadata: Meta<Nothing, Nothing>,
    spec: Or<ProvisionSpec>,
    status: Or<ProvisionStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ProvisionSpec {
    workshop_name: Text,
    catalog_item: Or<Ref>,
    count: Int,
    concurrency: Int,
    resource_pool: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ProvisionStatus {
    resource_claim_count: Int,
    active_count: Int,
    failed_count: Int,
    provisioning_count: Int,
}

impl Wire for Provision {
    type Kept = WorkshopProvision;

    fn keep(self) -> Result<WorkshopProvision, Unfit> {
        let Self { metadata, spec, status } = self;
        metadata.check()?;
        let (spec, status) = (spec.0, status.0);
        Ok(WorkshopProvision {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            workshop: spec.workshop_name.0,
            catalog_item: spec.catalog_item.0.named(),
            count: spec.count.0,
            concurrency: spec.concurrency.0,
            pool: spec.resource_pool.0,
            claims: status.resource_claim_count.0,
            active: status.active_count.0,
            failed: status.failed_count.0,
            provisioning: status.provisioning_count.0,
        })
    }
}
