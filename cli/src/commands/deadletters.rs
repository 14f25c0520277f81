//! `stargate deadletters`: events that no function could handle.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use stargate_common::clock::Clock;
use stargate_common::db::dead_letters;
use stargate_deadletter::replay::replay;
use uuid::Uuid;

use crate::api::runtime;
use crate::output::{self, Column, Format, age, at, column, wide};
use crate::store::Store;

/// Events that no function could handle: why, and sending them again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate deadletters\n  stargate deadletters -o json\n  stargate deadletters --replay 0199c1f0-5b7e-7d3a-9c55-1f2e3d4c5b6a\n  stargate deadletters --replay-all --consumer evaluate"
)]
pub struct Args {
    /// Send this one again; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "replay_all")]
    replay: Vec<Uuid>,
    /// Send all that are listed again
    #[arg(long)]
    replay_all: bool,
    /// Only those that this function could not handle
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 100)]
    limit: i64,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    store: Store,
}

const COLUMNS: &[Column] = &[
    column("ID", |row| at(row, "/id")),
    column("CONSUMER", |row| at(row, "/consumer")),
    column("TYPE", |row| at(row, "/type")),
    column("CODE", |row| at(row, "/code")),
    column("AGE", |row| age(row, "/received_at")),
    column("ERROR", |row| at(row, "/error")),
    wide("EVENT", |row| at(row, "/event_id")),
    wide("SOURCE", |row| at(row, "/source")),
];

/// Runs the command.
///
/// # Errors
/// When the database is away, or a letter cannot be sent again.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let db = args.store.open().await?;
        let letters = if args.replay.is_empty() {
            dead_letters::open(&db, args.consumer.as_deref(), args.limit)
                .await
                .context("listing dead letters")?
        } else {
            Vec::new()
        };
        let again: Vec<Uuid> = if args.replay_all {
            letters.iter().map(|letter| letter.dead_letter_id).collect()
        } else {
            args.replay.clone()
        };
        if args.replay_all || !again.is_empty() {
            for id in &again {
                replay(&db, *id, Clock::System.now()).await?;
            }
            output::note(&format!("{} sent again; the next sweep at the latest delivers them", again.len()));
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<serde_json::Value> = letters
            .iter()
            .map(|letter| {
                json!({
                    "id": letter.dead_letter_id, "consumer": letter.consumer, "type": letter.event_type, "code": letter.error_code,
                    "error": letter.error, "received_at": letter.received_at, "event_id": letter.event_id, "source": letter.event_source,
                })
            })
            .collect();
        output::rows(
            args.output,
            &rows,
            COLUMNS,
            |row| format!("deadletter/{}", at(row, "/id")),
            "No dead letters.",
        )?;
        Ok(ExitCode::SUCCESS)
    })
}
