//! Where the showroom's content should come from.

use super::{Compared, ViolationKind, unread};
use crate::objects::{Inventory, repository};
use crate::provisioning::catalog::{Constraints, Wanted};

const TEMPLATE: &str = "the definition has a template there, which only the deployer can evaluate";

/// Whether every showroom of the instance clones the declared repository and reference.
pub(super) fn compare(wanted: &Constraints, inventory: &Inventory, compared: &mut Compared) {
    let found: Vec<_> = inventory
        .deployments
        .items
        .iter()
        .filter(|deployment| deployment.metadata.is_showroom() && deployment.metadata.deletion_timestamp.is_none())
        .filter_map(|deployment| Some((deployment.metadata.name.as_str(), deployment.spec.template.content_source()?)))
        .collect();
    let none = || {
        unread("Deployments", &inventory.deployments)
            .unwrap_or_else(|| "no Deployment of a showroom that clones its content is in this namespace".to_owned())
    };
    let content = ViolationKind::ShowroomWrongContent;
    let mut wrong_content = false;
    match &wanted.showroom_repo {
        Wanted::Nothing => {}
        Wanted::Dynamic => compared.unknown(content, "a template", TEMPLATE),
        Wanted::Exactly(repo) => {
            let mut known = found.iter().filter_map(|(name, source)| Some((name, source.repo?))).peekable();
            if known.peek().is_none() {
                compared.unknown(content, repo, none());
            }
            if let Some((name, other)) = known.find(|(_, actual)| !repository::is_same(repo, actual)) {
                wrong_content = true;
                compared.broken(content, repo, other, format!("Deployment {name} clones it"));
            }
        }
    }
    let reference = ViolationKind::ShowroomWrongRef;
    match &wanted.showroom_ref {
        Wanted::Nothing => {}
        Wanted::Dynamic => compared.unknown(reference, "a template", TEMPLATE),
        // A reference of another repository is no answer.
        Wanted::Exactly(wanted) if wrong_content => compared.unknown(reference, wanted, "the showroom clones another repository"),
        Wanted::Exactly(wanted) => {
            let mut known = found.iter().filter_map(|(name, source)| Some((name, source.reference?))).peekable();
            if known.peek().is_none() {
                compared.unknown(reference, wanted, none());
            }
            if let Some((name, other)) = known.find(|(_, actual)| actual != wanted) {
                compared.broken(reference, wanted, other, format!("Deployment {name} clones it"));
            }
        }
    }
}
