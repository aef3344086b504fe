//! Serves a router over HTTP/1.1 and HTTP/2 until told to stop.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tower::service_fn;

use crate::clients::Peer;
use crate::connection::{Activity, Limits};

/// How long a connection that was silent for too long has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

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
    pub fn start(listener: TcpListener, router: Router, limits: Limits) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(Duration::ZERO);
        Ok(Self { address, stop, serving: tokio::spawn(serve(listener, router, limits, stopped)) })
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

async fn serve(listener: TcpListener, router: Router, limits: Limits, mut stopped: watch::Receiver<Duration>) -> bool {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.idle);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(limits.streams);
    if limits.is_trusted {
        // Calls that are given up in numbers, as where many turns run out of time together, are no attack: the default would
        // end the connection and take along the calls that are well. (Of the first, `None` would be the default, 20.)
        builder.http2().max_pending_accept_reset_streams(usize::MAX).max_local_error_reset_streams(None);
    }
    let builder = Arc::new(builder);
    let connections = Arc::new(Semaphore::new(limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            _ = stopped.changed() => break,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: give some the time to close.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = hold(builder.clone(), stream, router.clone(), limits, stopped.clone());
        tokio::spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let grace = *stopped.borrow();
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    tokio::time::timeout(grace, connections.acquire_many(all)).await.is_ok()
}

/// A connection, once there may be another one.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Without this, each small answer waits for the client's acknowledgement of the one before.
    drop(stream.set_nodelay(true));
    Ok((stream, permit))
}

/// Serves one connection until it ends, is silent for too long, or the server stops and its requests are answered.
async fn hold(
    builder: Arc<Builder<TokioExecutor>>,
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<Duration>,
) {
    let activity = Activity::new(limits);
    let of_requests = activity.clone();
    let peer = stream.peer_addr().ok().map(Peer);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        of_requests.clone().answer(router.clone(), request)
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = activity.ceases() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GOODBYE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests;
