//! A port in front of another one, which can be cut as a network is: open connections end, new ones are refused.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The port. Dropping it cuts it.
#[derive(Debug)]
pub struct Gate {
    outside: SocketAddr,
    inside: SocketAddr,
    /// Empty while it is cut.
    open: JoinSet<()>,
}

impl Gate {
    /// Opens `port` (0: any) and leads every connection to `inside`.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn open(port: u16, inside: SocketAddr) -> anyhow::Result<Self> {
        let mut gate = Self {
            outside: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            inside,
            open: JoinSet::new(),
        };
        gate.restore().await?;
        Ok(gate)
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.outside)
    }

    /// Ends every connection and accepts no more.
    pub async fn cut(&mut self) {
        self.open.shutdown().await;
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// When somebody else has taken the port meanwhile.
    pub async fn restore(&mut self) -> anyhow::Result<()> {
        if !self.open.is_empty() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.outside)
            .await
            .with_context(|| format!("listening on {}", self.outside))?;
        self.outside = listener.local_addr()?;
        self.open.spawn(lead(listener, self.inside));
        Ok(())
    }
}

/// Leads connections until it is aborted, and they end with it.
async fn lead(listener: TcpListener, inside: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((outer, _)) = accepted {
                    connections.spawn(pass(outer, inside));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn pass(mut outer: TcpStream, inside: SocketAddr) {
    let Ok(mut inner) = TcpStream::connect(inside).await else {
        return;
    };
    // Either side may hang up at any time: that is no error here.
    let _ = copy_bidirectional(&mut outer, &mut inner).await;
}
