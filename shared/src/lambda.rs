//! What every function's binary does: logs on, router built, requests served; or, for a worker, messages taken from SQS.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use axum::Router;
use axum::response::Response;
use http::{HeaderValue, header};
pub use lambda_http::Error;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, StreamAdapter};
use lambda_runtime::{Context, FunctionResponse, LambdaEvent, Service, service_fn};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tower::util::MapResponseLayer;

use crate::api::STREAMED;
use crate::deadline::{Deadline, left_of};
use crate::observe::{observed, observed_batch, observed_call};
use crate::problem::close;
use crate::queue::{Message, waited};
use crate::trace::{TRACEPARENT, Trace};
use crate::{config, meter, telemetry};

/// Serves the router that `build` makes for `function`, behind API Gateway, until the environment is shut down. Paths in
/// [`STREAMED`] answer as they write; all others at once. Where Lambda gives one environment several requests at a time,
/// they are served side by side. `ALLOWED_ORIGIN` lets the pages of another web origin (or `*`, of any) read the answers.
///
/// # Errors
/// What `build` fails with, or a runtime API that is away.
pub async fn run(function: &'static str, build: impl Future<Output = anyhow::Result<Router>>) -> Result<(), Error> {
    begin()?;
    let readable = |router| match config::optional("ALLOWED_ORIGIN") {
        Some(origin) => allow_origin(router, &origin),
        None => Ok(router),
    };
    let router = build.await.map(|router| observed(function, close(router))).and_then(readable).map_err(|error| {
        tracing::error!(cause = format!("{error:#}"), "the function cannot start");
        Error::from(error)
    })?;
    lambda_runtime::run_concurrent(service_fn(move |event: LambdaEvent<LambdaRequest>| {
        let router = router.clone();
        async move {
            // Each future in a block of its own: the adapters are not Send.
            if is_streamed(&event.payload) {
                let response = { StreamAdapter::from(router).call(event) };
                response.await.map(FunctionResponse::StreamingResponse)
            } else {
                let response = { Adapter::from(router).call(event) };
                response.await.map(FunctionResponse::BufferedResponse)
            }
        }
    }))
    .await
}

/// Log and metrics on.
fn begin() -> anyhow::Result<()> {
    telemetry::init("info");
    meter::start_in_lambda()
}

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
    let deps = build.await.map(Arc::new).map_err(|error| {
        tracing::error!(cause = format!("{error:#}"), "the function cannot start");
        Error::from(error)
    })?;
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
    let deps = build.await.map(Arc::new).map_err(|error| {
        tracing::error!(cause = format!("{error:#}"), "the function cannot start");
        Error::from(error)
    })?;
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

/// Adds the header by which a browser lets pages of another origin read an answer. The gateway answers preflights.
fn allow_origin(router: Router, origin: &str) -> anyhow::Result<Router> {
    let origin = HeaderValue::from_str(origin).context("the environment variable ALLOWED_ORIGIN")?;
    Ok(router.layer(MapResponseLayer::new(move |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After, X-Trace-Id"));
        response
    })))
}

fn is_streamed(request: &LambdaRequest) -> bool {
    let path = match request {
        LambdaRequest::ApiGatewayV1(request) => request.path.as_deref(),
        LambdaRequest::ApiGatewayV2(request) => request.raw_path.as_deref(),
        _ => None,
    };
    path.is_some_and(|path| STREAMED.contains(&path))
}

#[cfg(test)]
mod tests {
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

    #[tokio::test]
    async fn pages_of_the_allowed_origin_may_read_answers_and_errors() {
        let router = Router::new().route("/", get(async || "hello"));
        let router = allow_origin(router, "https://example.org").unwrap();
        for path in ["/", "/nowhere"] {
            let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.headers()["access-control-allow-origin"], "https://example.org", "{path}");
        }
    }
}
