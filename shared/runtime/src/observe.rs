//! What is seen of every request, batch and scheduled call: its trace, how long it takes, and how it ends.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use tracing::{Instrument, Span};

use crate::message::Message;
use crate::meter;
use crate::trace::{TRACE_ID, Trace};

/// Lets the requests of a function's routes be seen: each goes on with the trace of its caller, its answer names it, and it is
/// measured to its last byte.
pub fn observed(function: &'static str, router: Router) -> Router {
    meter::cold_start(function);
    router.layer(middleware::from_fn(move |request: Request, next: Next| observe(function, request, next)))
}

async fn observe(function: &'static str, request: Request, next: Next) -> Response {
    let trace = Trace::of(request.headers());
    let span = trace.span(function);
    let mut watch = Watch::start(function, Route::Path(request.extensions().get().cloned()), span.clone());
    let mut response = trace.around(function, next.run(request)).instrument(span.clone()).await;
    watch.end = class(response.status());
    response.headers_mut().insert(TRACE_ID, trace.header());
    response.map(|body| Body::new(Observed { body, trace, span, watch: Some(watch) }))
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        500.. => "5xx",
        400.. => "4xx",
        300.. => "3xx",
        _ => "2xx",
    }
}

/// The same for a batch of messages, whose `work` answers those that failed. What is done for several of them at once belongs
/// to the trace of the first.
pub fn observed_batch<F: Future<Output = Vec<String>>>(
    function: &'static str,
    messages: &[Message],
    work: F,
) -> impl Future<Output = Vec<String>> + use<F> {
    let first = messages.iter().find_map(|message| message.trace);
    let trace = first.map_or_else(Trace::begin, Trace::child);
    let age = messages.iter().map(|message| message.waited).max();
    async move {
        meter::queue_age(function, age.unwrap_or_default());
        let mut watch = Watch::start(function, Route::Name("batch"), trace.span(function));
        let failed = trace.instrument(function, work).await;
        watch.end = if failed.is_empty() { "ok" } else { "failed" };
        failed
    }
}

/// The same for what a schedule asked for, of whose output `went_well` says whether all of it was done.
pub async fn observed_call<F: Future>(
    function: &'static str,
    trace: Trace,
    work: F,
    went_well: impl FnOnce(&F::Output) -> bool,
) -> F::Output {
    let mut watch = Watch::start(function, Route::Name("schedule"), trace.span(function));
    let output = trace.instrument(function, work).await;
    watch.end = if went_well(&output) { "ok" } else { "failed" };
    output
}

enum Route {
    /// As the router has it, with `{id}` for what differs; none where no route matched.
    Path(Option<MatchedPath>),
    Name(&'static str),
}

/// Measures from its start until it is dropped.
struct Watch {
    function: &'static str,
    route: Route,
    span: Span,
    started: Instant,
    end: &'static str,
    in_flight: metrics::Gauge,
}

impl Watch {
    fn start(function: &'static str, route: Route, span: Span) -> Self {
        let in_flight = meter::in_flight(function);
        in_flight.increment(1.0);
        Self { function, route, span, started: Instant::now(), end: "canceled", in_flight }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let end = if std::thread::panicking() { "5xx" } else { self.end };
        let route = match &self.route {
            Route::Path(path) => path.as_ref().map_or("none", MatchedPath::as_str),
            Route::Name(name) => name,
        };
        let took = self.started.elapsed();
        meter::request(self.function, route, end, took);
        // Off by default: a turn would be seven lines.
        self.span.in_scope(|| tracing::debug!(route, status = end, duration_ms = took.as_millis() as u64, "finished"));
        // While this one counts: at rest there is nobody to write.
        meter::flush();
        self.in_flight.decrement(1.0);
    }
}

/// The body of an answer. The stream of a step does its work while it is read, so that belongs to the request still.
struct Observed {
    body: Body,
    trace: Trace,
    span: Span,
    watch: Option<Watch>,
}

impl HttpBody for Observed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, trace, span, watch } = &mut *self;
        let Some(function) = watch.as_ref().map(|watch| watch.function) else { return Poll::Ready(None) };
        let _entered = span.enter();
        let polled = trace.around_now(function, || Pin::new(body).poll_frame(cx));
        if let Poll::Ready(None) = polled {
            // Before the end is told: then Lambda freezes the process.
            *watch = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
