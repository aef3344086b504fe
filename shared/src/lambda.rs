//! What every function's binary does: logs on, router built, requests served.

use std::future::Future;

use axum::Router;
pub use lambda_http::Error;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, StreamAdapter};
use lambda_runtime::{FunctionResponse, LambdaEvent, Service, service_fn};

use crate::api::STREAMED;
use crate::telemetry;

/// Serves the router that `build` makes, behind API Gateway, until the environment is shut down. Paths in
/// [`STREAMED`] answer as they write; all others at once. Where Lambda gives one environment several requests at a time,
/// they are served side by side.
///
/// # Errors
/// What `build` fails with, or a runtime API that is away.
pub async fn run(build: impl Future<Output = anyhow::Result<Router>>) -> Result<(), Error> {
    telemetry::init();
    let router = build.await.map_err(|error| {
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

fn is_streamed(request: &LambdaRequest) -> bool {
    let path = match request {
        LambdaRequest::ApiGatewayV1(request) => request.path.as_deref(),
        LambdaRequest::ApiGatewayV2(request) => request.raw_path.as_deref(),
        _ => None,
    };
    path.is_some_and(|path| STREAMED.contains(&path))
}
