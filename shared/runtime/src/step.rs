//! How a step is served: a typed async function behind one URL.
//!
//! A contract is a constant (see [`contracts::api`]); the function crate serves it, [`crate::pipeline`] calls it:
//!
//! ```text
//! pub const FLIGHTS: Step<FlightQuery, FlightResults> = Step::new("/steps/flights");
//! FLIGHTS.serve(deps, search)                      // a router, where it runs
//! pipeline.call(&FLIGHTS, &query, deadline).await  // the answer, where it is needed
//! ```

use std::future::Future;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use contracts::problem::{Problem, wrong_method};
use contracts::step::{Step, StreamStep};
use futures::{Stream, StreamExt};
use http::{StatusCode, header};
use http_body_util::LengthLimitError;
use serde::{Serialize, de::DeserializeOwned};

use crate::deadline::Deadline;
use crate::flags::{Handed, in_turn};

/// The largest body between two steps, in bytes.
pub const STEP_BODY_LIMIT: usize = 1024 * 1024;

/// Serving a step that answers with one value.
pub trait Serve<In, Out> {
    /// Serves the step with `run`. Where the deadline passes before `run` is done, the answer is a 504.
    fn serve<D, F, Fut>(&self, deps: Arc<D>, run: F) -> Router
    where
        D: Send + Sync + 'static,
        F: Fn(Arc<D>, In, Deadline) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Out, Problem>> + Send,
        In: DeserializeOwned + Send + 'static,
        Out: Serialize + 'static;
}

impl<In, Out> Serve<In, Out> for Step<In, Out> {
    fn serve<D, F, Fut>(&self, deps: Arc<D>, run: F) -> Router
    where
        D: Send + Sync + 'static,
        F: Fn(Arc<D>, In, Deadline) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Out, Problem>> + Send,
        In: DeserializeOwned + Send + 'static,
        Out: Serialize + 'static,
    {
        let handler = async move |deadline: Deadline, request: Request| -> Result<Response, Problem> {
            let handed = Handed::read(request.headers());
            let input = read_json(request, STEP_BODY_LIMIT).await?;
            let work = in_turn(handed, run(deps, input, deadline));
            let answer = tokio::time::timeout_at(deadline.instant(), work).await;
            Ok(Json(answer.map_err(|_| Problem::deadline())??).into_response())
        };
        Router::new().route(self.path, post(handler).fallback(async || wrong_method("POST")))
    }
}

/// Serving a step that answers bit by bit, as server-sent events with JSON in their `data`.
pub trait ServeStream<In, Item> {
    /// Serves the step with `run`, whose problem is answered as such as long as the stream has not begun.
    fn serve<D, F, Fut, Items>(&self, deps: Arc<D>, run: F) -> Router
    where
        D: Send + Sync + 'static,
        F: Fn(Arc<D>, In, Deadline) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Items, Problem>> + Send,
        Items: Stream<Item = Item> + Send + 'static,
        In: DeserializeOwned + Send + 'static,
        Item: Serialize + 'static;
}

impl<In, Item> ServeStream<In, Item> for StreamStep<In, Item> {
    fn serve<D, F, Fut, Items>(&self, deps: Arc<D>, run: F) -> Router
    where
        D: Send + Sync + 'static,
        F: Fn(Arc<D>, In, Deadline) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Items, Problem>> + Send,
        Items: Stream<Item = Item> + Send + 'static,
        In: DeserializeOwned + Send + 'static,
        Item: Serialize + 'static,
    {
        let handler = async move |deadline: Deadline, request: Request| -> Result<Response, Problem> {
            let handed = Handed::read(request.headers());
            let input = read_json(request, STEP_BODY_LIMIT).await?;
            let work = in_turn(handed, run(deps, input, deadline));
            let items = tokio::time::timeout_at(deadline.instant(), work).await;
            let items = items.map_err(|_| Problem::deadline())??;
            let events = items.map(|item| Event::default().json_data(item));
            Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
        };
        Router::new().route(self.path, post(handler).fallback(async || wrong_method("POST")))
    }
}

/// Reads a JSON body of at most `limit` bytes.
///
/// # Errors
/// 415 for another content type, 413 for a larger body, 400 for what is not JSON, and 422 naming the field for JSON that
/// is not the type asked for.
pub async fn read_json<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T, Problem> {
    if !is_json(&request) {
        let detail = "The body must be JSON, sent as application/json.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "unsupported-media-type", "Unsupported media type", detail));
    }
    let bytes = read_body(request.into_body(), limit).await?;
    // serde would take an array for an object, field by field in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        let readable = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
        readable.map_err(|error| Problem::malformed(format!("The body is not JSON: {error}")))?;
        return Err(Problem::field("(body)", "it must be a JSON object"));
    }
    serde_json::from_slice(&bytes).map_err(|error| fault::<T>(&bytes, &error))
}

/// What is wrong with a body. It is read once more to learn where, for keeping the path while reading costs a string a key.
fn fault<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Problem {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Err(error) => unreadable(&error),
        // There is more after the value.
        Ok(_) => Problem::malformed(format!("The body is not JSON: {error}")),
    }
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

async fn read_body(body: Body, limit: usize) -> Result<axum::body::Bytes, Problem> {
    let too_large = || {
        let detail = format!("The body may have at most {} KiB.", limit / 1024);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail)
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        let cut = std::error::Error::source(&error).is_some_and(|source| source.is::<LengthLimitError>());
        if cut { too_large() } else { incomplete() }
    })
}

/// Where the connection broke, nobody listens; where the body took too long, somebody may.
fn incomplete() -> Problem {
    let detail = "The body did not come in full, or not in time.";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body-incomplete", "The body is not complete", detail)
}

fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    if !error.inner().is_data() {
        return Problem::malformed(format!("The body is not JSON: {}", error.inner()));
    }
    let path = error.path().to_string();
    let text = error.inner().to_string();
    let reason = text.rsplit_once(" at line").map_or(text.as_str(), |(reason, _)| reason);
    Problem::field(named_field(&path, reason), reason)
}

/// The field at fault: the path, or, where serde reports the enclosing object, the name it quotes.
fn named_field(path: &str, reason: &str) -> String {
    let quoted = ["missing field `", "unknown field `"].iter().find_map(|start| reason.strip_prefix(start));
    let quoted = quoted.and_then(|rest| rest.split('`').next());
    match (path, quoted) {
        (".", None) => "(body)".to_owned(),
        (".", Some(name)) => name.to_owned(),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    }
}
