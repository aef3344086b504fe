//! What every function's binary does: logs on, router built, requests served; or, for a worker, messages taken from SQS.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use axum::Router;
use bytes::Bytes;
use futures::Stream;
use http::{HeaderName, HeaderValue, Method, header};
pub use lambda_http::Error;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, StreamAdapter};
use lambda_runtime::{Context, FunctionResponse, LambdaEvent, Service, service_fn};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::close::close;
use crate::deadline::{DEADLINE_HEADER, Deadline, left_of};
use crate::message::{Message, waited};
use crate::observe::{observed, observed_batch, observed_call};
use crate::release::RequestOrRelease;
use crate::trace::{TRACEPARENT, Trace};
use crate::{config, meter, telemetry};
use contracts::api::{SESSION_HEADER, STREAMED};

/// Serves the router that `build` makes for `function`, behind API Gateway, until the environment is shut down. Paths in
/// [`STREAMED`] answer as they write; all others at once. Where Lambda gives one environment several requests at a time,
/// they are served side by side. `ALLOWED_ORIGINS` lets the pages of other web origins (or `*`, of any) call it.
///
/// # Errors
/// What `build` fails with, or a runtime API that is away.
pub async fn run(function: &'static str, build: impl Future<Output = anyhow::Result<Router>>) -> Result<(), Error> {
    begin()?;
    let router = started(build.await.and_then(|router| public(function, router)))?;
    lambda_runtime::run_concurrent(service_fn(move |event| answer(router.clone(), event))).await
}

/// The same for a function that a custom resource of CloudFormation calls with each release too, for `release` to do what belongs
/// to it and say whether it was done.
///
/// # Errors
/// As [`run`].
pub async fn run_with_release<D, F, Fut>(
    function: &'static str,
    build: impl Future<Output = anyhow::Result<Arc<D>>>,
    router: fn(Arc<D>) -> Router,
    release: F,
) -> Result<(), Error>
where
    D: Send + Sync + 'static,
    F: Fn(Arc<D>, Deadline) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = bool> + Send,
{
    begin()?;
    let deps = started(build.await)?;
    let router = started(public(function, router(deps.clone())))?;
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<RequestOrRelease>| {
        let (router, deps, release) = (router.clone(), deps.clone(), release.clone());
        async move {
            match event.payload {
                RequestOrRelease::Request(request) => {
                    answer(router, LambdaEvent { payload: *request, context: event.context }).await
                }
                RequestOrRelease::Release(change) => {
                    let deadline = Deadline::after(left_of(&event.context).saturating_sub(RESERVE));
                    let work = async { change.is_delete() || release(deps, deadline).await };
                    let done = observed_call(function, trace(&event.context), work, |done| *done).await;
                    change.tell(done).await?;
                    Ok(FunctionResponse::BufferedResponse(None))
                }
            }
        }
    }))
    .await
}

/// The router as the public reaches it: seen, closed, and open to the pages of the allowed origins.
fn public(function: &'static str, router: Router) -> anyhow::Result<Router> {
    let router = observed(function, close(router));
    match config::optional("ALLOWED_ORIGINS") {
        Some(origins) => allow_origins(router, &origins),
        None => Ok(router),
    }
}

fn started<T>(built: anyhow::Result<T>) -> Result<T, Error> {
    built.map_err(|error| {
        tracing::error!(cause = format!("{error:#}"), "the function cannot start");
        Error::from(error)
    })
}

/// `None` is the answer to what is no request.
async fn answer(
    router: Router,
    event: LambdaEvent<LambdaRequest>,
) -> Result<FunctionResponse<Option<impl Serialize>, impl Stream<Item = Result<Bytes, axum::Error>> + Unpin>, Error> {
    // Each future in a block of its own: the adapters are not Send.
    if is_streamed(&event.payload) {
        let response = { StreamAdapter::from(router).call(event) };
        Ok(FunctionResponse::StreamingResponse(response.await?))
    } else {
        let response = { Adapter::from(router).call(event) };
        Ok(FunctionResponse::BufferedResponse(Some(response.await?)))
    }
}

/// Log and metrics on.
fn begin() -> anyhow::Result<()> {
    telemetry::init("info");
    meter::start_in_lambda()
}

/// For how long a browser need not ask again what a page may send.
const PREFLIGHT_HOLDS: Duration = Duration::from_secs(7200);

/// What a worker must leave of Lambda's own limit.
const RESERVE: Duration = Duration::from_secs(2);

/// What a worker is invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Invocation {
    /// Messages, by SQS.
    Batch(SqsEvent),
    /// `{"sweep": true}`, by a schedule.
    Sweep {
        #[expect(dead_code, reason = "it is there or not")]
        sweep: bool,
    },
}

/// Works on the batches of messages that SQS hands over to `function`, with what `build` makes. `work` answers the ids of
/// the messages that failed: only these are delivered again, and after the queue's number of tries end in its dead-letter
/// queue. When a schedule asks for it, `sweep` looks for work of which no message tells, and says whether all went well.
///
/// # Errors
/// What `build` fails with, or a runtime API that is away.
pub async fn run_worker<D, F, Fut, S, SweepFut>(
    function: &'static str,
    build: impl Future<Output = anyhow::Result<D>>,
    work: F,
    sweep: S,
) -> Result<(), Error>
where
    D: Send + Sync + 'static,
    F: Fn(Arc<D>, Vec<Message>, Deadline) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Vec<String>> + Send,
    S: Fn(Arc<D>, Deadline) -> SweepFut + Clone + Send + Sync + 'static,
    SweepFut: Future<Output = bool> + Send,
{
    begin()?;
    meter::cold_start(function);
    let deps = started(build.await.map(Arc::new))?;
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<Invocation>| {
        let (deps, work, sweep) = (deps.clone(), work.clone(), sweep.clone());
        async move {
            let left = left_of(&event.context);
            let deadline = Deadline::after(left.saturating_sub(RESERVE));
            let failed = match event.payload {
                Invocation::Batch(batch) => {
                    let messages: Vec<Message> = batch.records.into_iter().map(message).collect();
                    observed_batch(function, &messages, work(deps, messages.clone(), deadline)).await
                }
                Invocation::Sweep { .. } => {
                    observed_call(function, trace(&event.context), sweep(deps, deadline), |well| *well).await;
                    Vec::new()
                }
            };
            Ok::<_, Error>(batch_response(failed))
        }
    }))
    .await
}

/// Does `work` each time a schedule asks for it, with what `build` makes; `went_well` says of its output whether all of it was
/// done. What the event says is not read.
///
/// # Errors
/// What `build` fails with, or a runtime API that is away.
pub async fn run_scheduled<D, F, Fut>(
    function: &'static str,
    build: impl Future<Output = anyhow::Result<D>>,
    work: F,
    went_well: fn(&Fut::Output) -> bool,
) -> Result<(), Error>
where
    D: Send + Sync + 'static,
    F: Fn(Arc<D>, Deadline) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output: Serialize + Send + Sync + 'static> + Send,
{
    begin()?;
    meter::cold_start(function);
    let deps = started(build.await.map(Arc::new))?;
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<IgnoredAny>| {
        let (deps, work) = (deps.clone(), work.clone());
        async move {
            let left = left_of(&event.context);
            let work = work(deps, Deadline::after(left.saturating_sub(RESERVE)));
            Ok::<_, Error>(observed_call(function, trace(&event.context), work, went_well).await)
        }
    }))
    .await
}

/// The trace that X-Ray has begun for an invocation that nobody's request set off.
fn trace(context: &Context) -> Trace {
    context.xray_trace_id.as_deref().and_then(Trace::from_x_ray).map_or_else(Trace::begin, Trace::child)
}

/// A record of the event that SQS hands to a function.
pub fn message(record: SqsMessage) -> Message {
    let tries = record.attributes.get("ApproximateReceiveCount").and_then(|tries| tries.parse().ok());
    let trace = record.message_attributes.get(TRACEPARENT).and_then(|value| value.string_value.as_deref());
    Message {
        waited: waited(record.attributes.get("SentTimestamp").map(String::as_str)),
        trace: trace.and_then(Trace::from_traceparent),
        id: record.message_id.unwrap_or_default(),
        receipt: record.receipt_handle.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        tries: tries.unwrap_or(1),
    }
}

fn batch_response(failed: Vec<String>) -> SqsBatchResponse {
    let failure = |id| {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        failure
    };
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.into_iter().map(failure).collect();
    response
}

/// Lets pages of other origins call the API: a browser asks first what they may send, and hides an answer from them that does
/// not name their origin.
fn allow_origins(router: Router, origins: &str) -> anyhow::Result<Router> {
    let headers = ["authorization", "content-type", "idempotency-key", "last-event-id", "traceparent"];
    let headers = headers.into_iter().chain([DEADLINE_HEADER, SESSION_HEADER]).map(HeaderName::from_static);
    let origins = match origins {
        "*" => AllowOrigin::any(),
        list => {
            let origins = list.split(',').map(|origin| HeaderValue::from_str(origin.trim()));
            AllowOrigin::list(
                origins.collect::<Result<Vec<_>, _>>().context("the environment variable ALLOWED_ORIGINS")?,
            )
        }
    };
    let cors = CorsLayer::new().allow_origin(origins).max_age(PREFLIGHT_HOLDS);
    let cors = cors.allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE]);
    let cors = cors.allow_headers(headers.collect::<Vec<_>>());
    Ok(router.layer(cors.expose_headers([header::RETRY_AFTER, HeaderName::from_static("x-trace-id")])))
}

fn is_streamed(request: &LambdaRequest) -> bool {
    let path = match request {
        LambdaRequest::ApiGatewayV1(request) => request.path.as_deref(),
        LambdaRequest::ApiGatewayV2(request) => request.raw_path.as_deref(),
        _ => None,
    };
    path.is_some_and(|path| STREAMED.iter().any(|route| is_of_route(path, route)))
}

/// Whether a path is one of a route's, in which a part in braces stands for any.
fn is_of_route(path: &str, route: &str) -> bool {
    let is_any = |part: &str| part.starts_with('{');
    let (mut parts, mut expected) = (path.split('/'), route.split('/'));
    expected.by_ref().all(|expected| parts.next().is_some_and(|part| is_any(expected) || part == expected))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use axum::response::Response;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn only_the_messages_that_failed_are_named() {
        let response = batch_response(vec!["2".to_owned()]);
        let json = serde_json::to_value(&response).unwrap();
        assert_eq!(json, serde_json::json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    }

    #[test]
    fn a_worker_is_invoked_with_messages_or_to_sweep() {
        let batch =
            r#"{"Records": [{"messageId": "1", "body": "{}", "attributes": {"ApproximateReceiveCount": "3"}}]}"#;
        let Invocation::Batch(batch) = serde_json::from_str(batch).unwrap() else { panic!("a batch") };
        let message = message(batch.records.into_iter().next().unwrap());
        assert_eq!((message.id.as_str(), message.body.as_str(), message.tries), ("1", "{}", 3));
        let sweep = serde_json::from_str(r#"{"sweep": true}"#).unwrap();
        assert!(matches!(sweep, Invocation::Sweep { .. }));
        assert!(serde_json::from_str::<Invocation>("{}").is_err());
    }

    #[test]
    fn paths_are_streamed_by_their_routes() {
        for (path, expected) in [
            ("/v1/chat/stream", true),
            ("/v1/turns/01M7Y5QRE1TRSWEGN6CG59HSD5/events", true),
            ("/v1/turns/01M7Y5QRE1TRSWEGN6CG59HSD5", false),
            ("/v1/turns/01M7Y5QRE1TRSWEGN6CG59HSD5/events/more", false),
            ("/v1/turns/01M7Y5QRE1TRSWEGN6CG59HSD5/feedback", false),
            ("/v1/chat", false),
        ] {
            assert_eq!(STREAMED.iter().any(|route| is_of_route(path, route)), expected, "{path}");
        }
    }

    async fn ask(router: &Router, method: &str, path: &str, origin: &str) -> Response {
        let request = http::Request::builder().method(method).uri(path).header("origin", origin);
        let request = request.header("access-control-request-method", "PATCH");
        router.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn pages_of_the_allowed_origins_may_read_answers_and_errors_and_no_others() {
        let router = Router::new().route("/", get(async || "hello"));
        let two = allow_origins(router.clone(), "https://example.org, https://example.com").unwrap();
        for path in ["/", "/nowhere"] {
            for origin in ["https://example.org", "https://example.com"] {
                let response = ask(&two, "GET", path, origin).await;
                assert_eq!(response.headers()["access-control-allow-origin"], origin, "{path}");
            }
            let response = ask(&two, "GET", path, "https://example.net").await;
            assert!(!response.headers().contains_key("access-control-allow-origin"), "{path}");
        }
        let any = ask(&allow_origins(router, "*").unwrap(), "GET", "/", "https://example.net").await;
        assert_eq!(any.headers()["access-control-allow-origin"], "*");
    }

    #[tokio::test]
    async fn a_browser_that_asks_first_is_told_what_a_page_may_send() {
        let router = Router::new().route("/v1/turns/{id}", get(async || "a turn"));
        let router = allow_origins(router, "https://example.org").unwrap();
        let response = ask(&router, "OPTIONS", "/v1/turns/1", "https://example.org").await;
        assert_eq!(response.status(), 200);
        let told = |name: &str| response.headers()[name].to_str().unwrap().to_lowercase();
        assert_eq!(told("access-control-allow-methods"), "get,post,patch,delete");
        let headers = told("access-control-allow-headers");
        for name in ["authorization", "colloquy-deadline-ms", "colloquy-session", "idempotency-key", "last-event-id"] {
            assert!(headers.split(',').any(|allowed| allowed == name), "{name}");
        }
        let response = ask(&router, "OPTIONS", "/v1/turns/1", "https://example.net").await;
        assert!(!response.headers().contains_key("access-control-allow-origin"));
    }
}
