//! What the dashboard is tested on, see [`stargate_tests::stage`]: `stage` prints `ready URL CONTROL-URL` and takes commands until its
//! standard input ends or Ctrl-C.

use std::ffi::OsString;
use std::io::Write as _;

use anyhow::Context as _;
use clap::Parser;
use stargate_common::boot;
use stargate_common::settings::LogFormat;
use stargate_tests::TestDb;
use stargate_tests::stage::control::{self, Stage};
use stargate_tests::stage::house::House;
use stargate_tests::stage::play::Play;
use stargate_tests::stage::proxy::Proxy;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Parser)]
struct Args {
    /// Port of the dashboard; any by default
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port for commands; any by default
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// Which simulated fleet
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// What to log
    #[arg(long, default_value = "warn")]
    log: String,
    /// Goes on when standard input ends: for people
    #[arg(long)]
    stay: bool,
    /// Flags of the query function, after `--`
    #[arg(last = true, value_name = "FLAG")]
    query: Vec<OsString>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    boot::init_logs(&args.log, LogFormat::Text);
    boot::init_metrics();
    rustls::crypto::ring::default_provider().install_default().ok();
    let shutdown = CancellationToken::new();
    boot::on_signal(&shutdown);

    let play = Play::start(TestDb::new().await, args.seed).await?;
    let proxy = Proxy::default();
    let house = House::open(play.db(), play.clock(), &proxy, &args.query, args.port).await?;
    let stage = Stage {
        play,
        proxy,
        house,
        flags: args.query,
        large: None,
    };
    let ready = |stage: &Stage, control: &str| {
        let line = format!("ready {} {control}\n", stage.house.gate.url());
        let mut out = std::io::stdout();
        // Whoever does not read it does not need it.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    };
    // Whoever started it holds its standard input, so that it does not outlive them. The thread ends with the process.
    if !args.stay {
        let shutdown = shutdown.clone();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            shutdown.cancel();
        });
    }
    let stage = control::serve(stage, args.control_port, shutdown, ready).await?;
    stage.play.stop().await.context("stopping")
}
