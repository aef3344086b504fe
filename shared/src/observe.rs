//! What is seen of every request: its trace.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tracing::{Instrument, Span};

use crate::queue::Message;
use crate::trace::{TRACE_ID, Trace};

/// Lets the requests of a function's routes be seen: each goes on with the trace of its caller, and its answer names it.
pub fn observed(function: &'static str, router: Router) -> Router {
    router.layer(middleware::from_fn(move |request: Request, next: Next| observe(function, request, next)))
}

async fn observe(function: &'static str, request: Request, next: Next) -> Response {
    let trace = Trace::of(request.headers());
    let span = trace.span(function);
    let mut response = trace.around(next.run(request)).instrument(span.clone()).await;
    response.headers_mut().insert(TRACE_ID, trace.header());
    response.map(|body| Body::new(Observed { body, trace, span }))
}

/// The same for a batch of messages. What is done for several of them at once belongs to the trace of the first.
pub fn observed_batch<F: Future>(
    function: &'static str,
    messages: &[Message],
    work: F,
) -> impl Future<Output = F::Output> + use<F> {
    let first = messages.iter().find_map(|message| message.trace);
    first.map_or_else(Trace::begin, Trace::child).instrument(function, work)
}

/// The body of an answer. A stream does its work while it is read, so that belongs to the request still.
struct Observed {
    body: Body,
    trace: Trace,
    span: Span,
}

impl HttpBody for Observed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, trace, span } = &mut *self;
        let _entered = span.enter();
        trace.around_now(|| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
