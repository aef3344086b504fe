//! What every function's binary does: logs on, router built, requests served.

use std::future::Future;

use anyhow::Context;
use axum::Router;
use axum::response::Response;
use http::{HeaderValue, header};
pub use lambda_http::Error;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, StreamAdapter};
use lambda_runtime::{FunctionResponse, LambdaEvent, Service, service_fn};
use tower::util::MapResponseLayer;

use crate::api::STREAMED;
use crate::problem::close;
use crate::{config, telemetry};

/// Serves the router that `build` makes, behind API Gateway, until the environment is shut down. Paths in
/// [`STREAMED`] answer as they write; all others at once. Where Lambda gives one environment several requests at a time,
/// they are served side by side. `ALLOWED_ORIGIN` lets the pages of another web origin (or `*`, of any) read the answers.
///
/// # Errors
/// What `build` fails with, or a runtime API that is away.
pub async fn run(build: impl Future<Output = anyhow::Result<Router>>) -> Result<(), Error> {
    telemetry::init();
    let readable = |router| match config::optional("ALLOWED_ORIGIN") {
        Some(origin) => allow_origin(router, &origin),
        None => Ok(router),
    };
    let router = build.await.map(close).and_then(readable).map_err(|error| {
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

/// Adds the header by which a browser lets pages of another origin read an answer. The gateway answers preflights.
fn allow_origin(router: Router, origin: &str) -> anyhow::Result<Router> {
    let origin = HeaderValue::from_str(origin).context("the environment variable ALLOWED_ORIGIN")?;
    Ok(router.layer(MapResponseLayer::new(move |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
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
