//! The commands: `POST /<command>` with JSON, one at a time, answered when everything that follows from it is done.
//!
//! | Command | Body | Does |
//! |---|---|---|
//! | `break` | `class`, `namespace`? | breaks a lab, reads and judges its cluster; answers what it broke |
//! | `heal` | | heals what was broken by command |
//! | `scan` | `clusters`? | reads and judges |
//! | `round` | | reads and judges everything, also the systems around |
//! | `advance` | `minutes` | lets time pass |
//! | `cut`, `restore` | | the connection to the function |
//! | `expire` | | nobody is signed in any more |
//! | `sign-in` | `user`, `groups`? | somebody is; the operator without a body |
//! | `rows` | `instances` | another function on a database with so many instances; answers its `url` |
//! | `reset` | | heals, restores, signs the operator in |
//!
//! Every command answers with `now`, the time on the stage, and the `url` of the dashboard.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::house::House;
use super::play::Play;
use super::proxy::{Person, Proxy};
use crate::TestDb;
use crate::seed::{self, FleetSize};

/// Everything that commands move.
#[derive(Debug)]
pub struct Stage {
    /// The fleet and its programs.
    pub play: Play,
    /// Who is signed in.
    pub proxy: Proxy,
    /// Where the dashboard is.
    pub house: House,
    /// Flags of the query function.
    pub flags: Vec<OsString>,
    /// Another function with many rows, and its database, once it was asked for.
    pub large: Option<(House, TestDb, i32)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Break {
    class: String,
    namespace: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Clusters {
    clusters: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Minutes {
    minutes: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    instances: i32,
}

impl Stage {
    /// Does one command.
    ///
    /// # Errors
    /// When it is not known, its body is not understood, or what it does fails.
    pub async fn command(&mut self, command: &str, body: &[u8]) -> anyhow::Result<Value> {
        match command {
            "break" => {
                let Break { class, namespace } = read(body)?;
                let broken = self.play.break_lab(&class, namespace.as_deref()).await?;
                return Ok(serde_json::to_value(broken)?);
            }
            "heal" => self.play.heal().await?,
            "scan" => {
                let Clusters { clusters } = read_or_default(body)?;
                self.play.scan(&clusters).await?;
            }
            "round" => self.play.round().await?,
            "advance" => {
                let Minutes { minutes } = read(body)?;
                self.play.advance(TimeDelta::minutes(minutes));
            }
            "cut" => self.house.gate.cut().await,
            "restore" => self.house.gate.restore().await?,
            "expire" => self.proxy.sign_in(None),
            "sign-in" if body.is_empty() => self.proxy.sign_in(Some(Person::operator())),
            "sign-in" => self.proxy.sign_in(Some(read(body)?)),
            "rows" => {
                let Rows { instances } = read(body)?;
                return Ok(json!({ "url": self.rows(instances).await? }));
            }
            "reset" => {
                self.proxy.sign_in(Some(Person::operator()));
                self.house.gate.restore().await?;
                self.play.heal().await?;
            }
            other => anyhow::bail!("there is no command {other}"),
        }
        Ok(json!({}))
    }

    /// A function on a database with so many instances: made once, kept for the next time.
    async fn rows(&mut self, instances: i32) -> anyhow::Result<String> {
        if let Some((house, _, kept)) = &self.large
            && *kept == instances
        {
            return Ok(house.gate.url());
        }
        let db = TestDb::new().await;
        let size = FleetSize {
            clusters: 8,
            instances,
            labs: 120,
            days: 2,
            transitions_per_day: 200,
        };
        seed::fleet(&db.pool, size, self.play.clock().now()).await;
        let house = House::open(&db, self.play.clock(), &self.proxy, &self.flags, 0).await?;
        let url = house.gate.url();
        self.large = Some((house, db, instances));
        Ok(url)
    }

    fn told(&self, mut answer: Value) -> Value {
        answer["now"] = json!(self.play.clock().now());
        if answer.get("url").is_none() {
            answer["url"] = json!(self.house.gate.url());
        }
        answer
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(body).context("reading the command's body")
}

fn read_or_default<T: DeserializeOwned + Default>(body: &[u8]) -> anyhow::Result<T> {
    if body.is_empty() { Ok(T::default()) } else { read(body) }
}

type Shared = Arc<Mutex<Stage>>;

async fn obey(State(stage): State<Shared>, Path(command): Path<String>, body: Bytes) -> (StatusCode, Json<Value>) {
    let mut stage = stage.lock().await;
    match stage.command(&command, &body).await {
        Ok(answer) => (StatusCode::OK, Json(stage.told(answer))),
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": format!("{error:#}") }))),
    }
}

/// Takes commands on `port` until told to stop, and gives the stage back. `ready` is told the address when it listens.
///
/// # Errors
/// When the port cannot be had.
pub async fn serve(stage: Stage, port: u16, shutdown: CancellationToken, ready: impl FnOnce(&Stage, &str)) -> anyhow::Result<Stage> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .context("binding the control port")?;
    ready(&stage, &format!("http://{}", listener.local_addr()?));
    let stage = Arc::new(Mutex::new(stage));
    let routes = Router::new().route("/{command}", post(obey)).with_state(Arc::clone(&stage));
    axum::serve(listener, routes)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .context("taking commands")?;
    Arc::into_inner(stage).map(Mutex::into_inner).context("a command is still at work")
}
