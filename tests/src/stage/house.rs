//! The query function on one database, behind the proxy and a port that can be cut.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use axum::{Router, middleware};
use stargate_common::boot::{Context, Server};
use stargate_common::clock::Clock;
use stargate_common::db::{self, PoolSettings};
use stargate_common::events::sink::Sink;
use stargate_common::settings;
use stargate_query::Query;
use stargate_query::access::proxy::ProxyKind;
use stargate_query::access::settings::AccessSettings;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::gate::Gate;
use super::proxy::{self, Proxy};
use crate::TestDb;

/// The function, served. Dropping it stops it.
#[derive(Debug)]
pub struct House {
    /// The port that browsers use.
    pub gate: Gate,
    _serving: JoinSet<()>,
}

impl House {
    /// Opens it on `port` (0: any), with these flags of the function.
    ///
    /// # Errors
    /// When the function does not start or the port cannot be had.
    pub async fn open(db: &TestDb, clock: &Clock, proxy: &Proxy, flags: &[OsString], port: u16) -> anyhow::Result<Self> {
        let args = std::iter::once(OsString::from(Query::NAME)).chain(flags.iter().cloned());
        let mut settings = settings::read::<<Query as Server>::Settings>(Query::NAME, args)?;
        settings.access = AccessSettings {
            proxy_secret: Some(proxy.secret().into()),
            proxy_kind: ProxyKind::Oauth2Proxy,
            access_file: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/src/stage/access.yaml").into()),
            // Browsers of tests do in a second what people do in minutes.
            rate_limit: 1_000,
            ..settings.access
        };
        let context = Context {
            name: Query::NAME,
            settings,
            db: db::connect(&db.url, &PoolSettings::read_only("stargate-query")).await?,
            clock: clock.clone(),
            sink: Sink::Nowhere,
            shutdown: CancellationToken::new(),
        };
        let router: Router = Query::start(&context).await?;
        let router = router.layer(middleware::from_fn_with_state(proxy.clone(), proxy::forward));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("binding a port")?;
        let inside: SocketAddr = listener.local_addr()?;
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(error = &error as &dyn std::error::Error, "serving ended: {error}");
            }
        });
        Ok(Self {
            gate: Gate::open(port, inside).await?,
            _serving: serving,
        })
    }
}
