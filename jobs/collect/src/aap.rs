//! What a reading of the AAP controllers needs from the database and the rubrics.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;
use stargate_common::boot::Context;
use stargate_common::db::aap_jobs;
use stargate_common::evaluate::pattern::Source;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::sources::aap::Ask;

use crate::Settings;

/// What is stored of each controller, and the built-in classes of what jobs say.
pub(crate) async fn ask(context: &Context<Settings>) -> anyhow::Result<Ask> {
    let known = aap_jobs::known(&context.db, context.clock.now()).await?;
    let prefix = context.settings.systems.event_prefix.as_str();
    let orders = if prefix.is_empty() {
        BTreeSet::new()
    } else {
        aap_jobs::orders_of_event(&context.db, prefix).await?
    };
    let patterns = RubricSet::embedded().context("the built-in rubrics")?.patterns;
    Ok(Ask {
        known,
        orders: Arc::new(orders),
        class_of: Arc::new(move |text: &str| patterns.classify(Source::Aap, text).map(|class| class.name.clone())),
    })
}
