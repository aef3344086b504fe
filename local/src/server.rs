//! Serves a router over HTTP/1.1 and HTTP/2 until told to stop.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How many calls one connection may carry at once. `axum::serve` stops at 200, and `chat` has one connection to the steps.
const STREAMS_PER_CONNECTION: u32 = 100_000;

/// How long a client may take to send a request's head: one that never does holds nothing for longer.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How many connections may wait to be taken (the system's limit is usually the same). tokio's own 1,024 overflow where a thousand
/// come at once, and a client that met that tries again only after a second.
const BACKLOG: u32 = 4_096;

/// Opens a port of the loopback; 0 is any that is free.
///
/// # Errors
/// The port is taken.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A restart need not wait until the connections before it are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG)
}

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    stop: watch::Sender<Duration>,
    serving: JoinHandle<bool>,
}

impl Server {
    pub fn start(listener: TcpListener, router: Router) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(Duration::ZERO);
        Ok(Self { address, stop, serving: tokio::spawn(serve(listener, router, stopped)) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no new connections and waits for the requests under way; false where they did not finish within `grace`.
    pub async fn stop(self, grace: Duration) -> bool {
        self.stop.send_replace(grace);
        self.serving.await.unwrap_or(false)
    }
}

async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<Duration>) -> bool {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS_PER_CONNECTION);
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: give some the time to close.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Without this, each small answer waits for the client's acknowledgement of the one before.
        drop(stream.set_nodelay(true));
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    let grace = *stopped.borrow();
    tokio::time::timeout(grace, connections.shutdown()).await.is_ok()
}
