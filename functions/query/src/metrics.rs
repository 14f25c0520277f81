//! The fleet's gauges for Prometheus: read from the tables at each scrape, so that they are the same from every copy and after every
//! restart, and a series that is gone is gone.
//!
//! Labels come from small closed sets: cluster, stage, state, class. Never a namespace, a lab or a guid.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::QueryState;
use crate::api::clusters;
use crate::basis::Basis;
use crate::counts::Counts;
use crate::fleet::Fleet;
use crate::problem::ApiError;

/// More classes than this are counted together as `other`.
const CLASSES: usize = 60;

/// Text in Prometheus' exposition format.
#[derive(Debug, Default)]
struct Exposition(String);

impl Exposition {
    fn gauge(&mut self, name: &str, help: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (i, (label, text)) in labels.iter().enumerate() {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{escaped}\"", if i == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

/// Counts are shown as floats in this format.
#[expect(clippy::cast_precision_loss, reason = "counts and seconds are far below 2^52")]
fn number(n: i64) -> f64 {
    n as f64
}

/// What is neither in the fleet's rollups nor about sources.
#[derive(Debug, Default)]
struct Plumbing {
    incidents: Vec<(String, String, i64)>,
    scans: Vec<(String, String, String, i64)>,
    dead_letters: Vec<(String, i64)>,
    unsent: i64,
    oldest_unsent: Option<DateTime<Utc>>,
}

/// All of the fleet's gauges.
///
/// # Errors
/// A statement failed.
pub async fn fleet(app: &QueryState) -> Result<String, ApiError> {
    let mut db = app.read_for_itself().await?;
    let basis = Basis::read(&mut db, app.clock.now()).await?;
    let fleet = app.fleet.get(&mut db, &basis).await?;
    let plumbing = plumbing(&mut db, &basis).await?;
    let mut text = Exposition::default();
    instances(&mut text, &fleet, &basis);
    sources(&mut text, &basis);
    events(&mut text, &plumbing, basis.now);
    Ok(text.0)
}

async fn plumbing(db: &mut PgConnection, basis: &Basis) -> Result<Plumbing, ApiError> {
    let incidents = sqlx::query!(
        r#"-- metrics::incidents
        select level, scope, count(*) as "incidents!" from incidents where state = 'open' group by level, scope order by level, scope"#
    )
    .fetch_all(&mut *db)
    .await?;
    let scans = sqlx::query!(
        r#"-- metrics::scans
        select cluster_id, tier, state, count(*) as "scans!" from scans where started_at > $1
        group by cluster_id, tier, state order by cluster_id, tier, state"#,
        basis.now - TimeDelta::hours(1)
    )
    .fetch_all(&mut *db)
    .await?;
    let dead_letters = sqlx::query!(
        r#"-- metrics::dead_letters
        select consumer, count(*) as "letters!" from dead_letters where replayed_at is null group by consumer order by consumer"#
    )
    .fetch_all(&mut *db)
    .await?;
    let backlog = stargate_common::db::outbox::backlog(db)
        .await
        .map_err(|error| ApiError::from(error.source))?;
    Ok(Plumbing {
        incidents: incidents.into_iter().map(|row| (row.level, row.scope, row.incidents)).collect(),
        scans: scans
            .into_iter()
            .map(|row| (basis.cluster_name(row.cluster_id), row.tier, row.state, row.scans))
            .collect(),
        dead_letters: dead_letters.into_iter().map(|row| (row.consumer, row.letters)).collect(),
        unsent: backlog.events,
        oldest_unsent: backlog.oldest,
    })
}

fn instances(text: &mut Exposition, fleet: &Fleet, basis: &Basis) {
    let rows = clusters::rows(fleet, basis);
    text.gauge("stargate_instances", "Live lab instances.");
    for row in &rows {
        let Counts {
            total: _,
            ready,
            warning,
            failing,
            provisioning,
            stopped,
            terminating,
            unknown,
        } = row.instances;
        for (state, n) in [
            ("ready", ready),
            ("warning", warning),
            ("failing", failing),
            ("provisioning", provisioning),
            ("stopped", stopped),
            ("terminating", terminating),
            ("unknown", unknown),
        ] {
            text.sample("stargate_instances", &[("cluster", &row.name), ("state", state)], number(n));
        }
    }
    text.gauge(
        "stargate_stage_failing_instances",
        "Instances whose newest result of the stage is a failure.",
    );
    for row in &rows {
        for stage in clusters::stage_outcomes(fleet, basis, |id| id == row.id) {
            let labels = [("cluster", row.name.as_str()), ("stage", stage.stage.as_str())];
            text.sample("stargate_stage_failing_instances", &labels, number(stage.outcomes.fail));
        }
    }
    text.gauge("stargate_failure_class_instances", "Instances that fail with the class.");
    let classes = clusters::class_counts(fleet, basis, |_| true);
    for class in classes.iter().take(CLASSES) {
        let labels = [("failure_class", class.class.as_str())];
        text.sample("stargate_failure_class_instances", &labels, number(class.instances));
    }
    let other: i64 = classes.iter().skip(CLASSES).map(|class| class.instances).sum();
    text.sample("stargate_failure_class_instances", &[("failure_class", "other")], number(other));
    text.gauge("stargate_cluster_vms_per_node", "Running virtual machines per ready node.");
    for (row, density) in rows.iter().filter_map(|row| Some((row, row.vms_per_node?))) {
        text.sample("stargate_cluster_vms_per_node", &[("cluster", &row.name)], density);
    }
    text.gauge("stargate_cluster_utilization_ratio", "Share of the compute nodes' resource in use.");
    for row in &rows {
        for (resource, percent) in [("cpu", row.cpu_pct), ("memory", row.mem_pct)] {
            if let Some(percent) = percent {
                let labels = [("cluster", row.name.as_str()), ("resource", resource)];
                text.sample("stargate_cluster_utilization_ratio", &labels, f64::from(percent) / 100.0);
            }
        }
    }
}

fn sources(text: &mut Exposition, basis: &Basis) {
    let headings: Vec<_> = basis.clusters.iter().map(|cluster| cluster.heading(basis.now)).collect();
    text.gauge(
        "stargate_source_last_success_timestamp_seconds",
        "When the source was last read completely.",
    );
    for (heading, at) in headings.iter().filter_map(|heading| Some((heading, heading.observed_at?))) {
        let labels = [("source", heading.source.as_str())];
        text.sample("stargate_source_last_success_timestamp_seconds", &labels, number(at.timestamp()));
    }
    text.gauge(
        "stargate_source_up",
        "1 when the source is fresh or late, 0 when its newest reading failed or is stale.",
    );
    for heading in &headings {
        let up = if heading.state.is_partial() { 0.0 } else { 1.0 };
        text.sample("stargate_source_up", &[("source", &heading.source)], up);
    }
    text.gauge("stargate_source_coverage_ratio", "Share of the source's parts that was read.");
    for heading in headings.iter().filter(|heading| heading.coverage.expected > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a source has a few dozen parts")]
        let ratio = heading.coverage.reporting as f64 / heading.coverage.expected as f64;
        text.sample("stargate_source_coverage_ratio", &[("source", &heading.source)], ratio);
    }
}

fn events(text: &mut Exposition, plumbing: &Plumbing, now: DateTime<Utc>) {
    text.gauge("stargate_incidents_open", "Open incidents.");
    for (level, scope, n) in &plumbing.incidents {
        text.sample("stargate_incidents_open", &[("severity", level), ("scope", scope)], number(*n));
    }
    text.gauge("stargate_scans_last_hour", "Scans that started in the last hour.");
    for (cluster, tier, state, n) in &plumbing.scans {
        let labels = [("cluster", cluster.as_str()), ("tier", tier.as_str()), ("state", state.as_str())];
        text.sample("stargate_scans_last_hour", &labels, number(*n));
    }
    text.gauge("stargate_outbox_unpublished", "Events that wait to be sent.");
    text.sample("stargate_outbox_unpublished", &[], number(plumbing.unsent));
    text.gauge("stargate_outbox_lag_seconds", "Age of the oldest event that waits to be sent.");
    let lag = plumbing.oldest_unsent.map_or(0, |oldest| (now - oldest).num_seconds().max(0));
    text.sample("stargate_outbox_lag_seconds", &[], number(lag));
    text.gauge(
        "stargate_dead_letters",
        "Events that no function could handle and nobody has replayed.",
    );
    for (consumer, n) in &plumbing.dead_letters {
        text.sample("stargate_dead_letters", &[("consumer", consumer)], number(*n));
    }
    text.gauge("stargate_build_info", "1; the labels say which build this is.");
    text.sample("stargate_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped() {
        let mut text = Exposition::default();
        text.sample("a", &[("b", "c\"d\\e\nf"), ("g", "h")], 2.5);
        text.sample("i", &[], 1.0);
        assert_eq!(text.0, "a{b=\"c\\\"d\\\\e\\nf\",g=\"h\"} 2.5\ni 1\n");
    }
}
