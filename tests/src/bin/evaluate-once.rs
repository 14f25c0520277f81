//! A process that evaluates what waits on a cluster, to be killed by tests: `evaluate-once URL CLUSTER NOW`.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use stargate_common::clock::Clock;
use stargate_common::db::{self, PoolSettings};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_evaluate::Evaluator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &'static str| arguments.next().context(name);
    let (url, cluster, now) = (next("URL")?, next("CLUSTER")?, next("NOW")?);
    let settings = PoolSettings::read_write("stargate-evaluate-once");
    let evaluator = Evaluator {
        db: db::connect(&url, &settings).await?,
        clock: Clock::manual(now.parse()?),
        rubrics: Arc::new(RubricSet::embedded()?),
    };
    let mut stdout = std::io::stdout();
    stdout.write_all(b"begun\n")?;
    stdout.flush()?;
    stargate_evaluate::evaluate_cluster(&evaluator, &cluster).await?;
    Ok(())
}
