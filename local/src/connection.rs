//! What one connection may hold: how long it may be silent, and how long a body may be on its way.
//!
//! One rule ends them all: where no request is under way, a connection has [`Limits::first`] to send its first one and
//! [`Limits::idle`] for another; where one is, something must move within [`Limits::stalled`].

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use axum::{BoxError, Router};
use bytes::Bytes;
use http::Request;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tower::ServiceExt;

/// What a server grants those who connect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How many requests one connection may carry at once.
    pub streams: u32,
    /// How many connections there may be; others wait to be taken.
    pub connections: usize,
    /// How long the head of the first request may take.
    pub first: Duration,
    /// How long a connection may wait for its next one.
    pub idle: Duration,
    /// How long nothing of an answer may be taken.
    pub stalled: Duration,
    /// How long a body may take to come, all of it.
    pub body: Duration,
    /// Those who connect belong to this process.
    pub is_trusted: bool,
}

/// Whoever may connect, a browser or an SDK. A stream of words says something every 15 seconds.
pub(crate) const PUBLIC: Limits = Limits {
    streams: 200,
    connections: 4_096,
    first: Duration::from_secs(10),
    idle: Duration::from_secs(30),
    stalled: Duration::from_secs(60),
    body: Duration::from_secs(20),
    is_trusted: false,
};

/// The process itself, whose pools keep connections for 90 seconds. `chat` has a connection to the steps for some hundred
/// turns each.
pub(crate) const OWN: Limits = Limits {
    streams: 100_000,
    idle: Duration::from_secs(120),
    stalled: Duration::from_secs(300),
    is_trusted: true,
    ..PUBLIC
};

/// What happens on a connection.
#[derive(Debug)]
pub(crate) struct Activity {
    limits: Limits,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    under_way: usize,
    begun: bool,
    moved: Instant,
}

impl Activity {
    pub fn new(limits: Limits) -> Arc<Self> {
        let now = Now { under_way: 0, begun: false, moved: Instant::now() };
        Arc::new(Self { limits, now: Mutex::new(now) })
    }

    /// Waits until the connection was silent for too long.
    pub async fn ceases(&self) {
        loop {
            let due = self.due();
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn due(&self) -> Instant {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let silence = match *now {
            Now { under_way: 1.., .. } => self.limits.stalled,
            Now { begun: false, .. } => self.limits.first,
            _ => self.limits.idle,
        };
        now.moved + silence
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut now);
        now.moved = Instant::now();
    }

    fn begin(self: &Arc<Self>) -> UnderWay {
        self.change(|now| {
            now.begun = true;
            now.under_way += 1;
        });
        UnderWay(self.clone())
    }

    /// Has the router answer a request of this connection.
    pub async fn answer(self: Arc<Self>, router: Router, request: Request<Incoming>) -> Result<Response, BoxError> {
        let under_way = self.begin();
        let end = Box::pin(sleep(self.limits.body));
        let request = request.map(|body| Body::new(Arriving { body, end }));
        let response = router.oneshot(request).await?;
        Ok(response.map(|body| Body::new(Leaving { body, under_way })))
    }
}

/// A request that is not answered in full.
struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.change(|now| now.under_way -= 1);
    }
}

/// The body of a request, which must be whole by its end.
struct Arriving {
    body: Incoming,
    end: Pin<Box<Sleep>>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.end.as_mut().poll(cx));
        Poll::Ready(Some(Err("the body took too long".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer. Each part of it that is taken is a move.
struct Leaving {
    body: Body,
    under_way: UnderWay,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.under_way.0.change(|_| {});
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
