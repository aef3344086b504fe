//! What every router ends with: an answer where no route has one, and what every answer carries.

use std::any::Any;

use axum::Router;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use contracts::problem::{PROBLEM_JSON, Problem};
use http::{HeaderValue, header};
use tower_http::catch_panic::CatchPanicLayer;

/// The longest explanation that is taken over from axum, in bytes.
const EXPLANATION_LIMIT: usize = 1024;

/// Gives a problem where no route gives an answer: a path that is not there is a 404, what axum refuses by itself keeps its
/// status, and a panic is a 500 that takes no other turn along. Answers hold what people wrote: none is kept by what it comes
/// through, unless it says so itself, nor taken for another type than it has.
pub fn close(router: Router) -> Router {
    let panicked = |_: Box<dyn Any + Send>| Problem::internal(anyhow::anyhow!("a handler panicked")).into_response();
    let router = router.fallback(unknown_path).layer(map_response(explained));
    router.layer(CatchPanicLayer::custom(panicked)).layer(map_response(guarded))
}

async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // axum gives a stream of events the weaker `no-cache`.
    let is_stream =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if is_stream || !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// An error as a problem, also where it comes from axum, as for an address that is not UTF-8.
async fn explained(response: Response) -> Response {
    let (status, content_type) = (response.status(), response.headers().get(header::CONTENT_TYPE));
    let is_ours = content_type.is_some_and(|content_type| *content_type == PROBLEM_JSON);
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let title = status.canonical_reason().unwrap_or("Refused");
    let kind = title.to_lowercase().replace(' ', "-");
    let said = axum::body::to_bytes(response.into_body(), EXPLANATION_LIMIT).await.unwrap_or_default();
    Problem::new(status, &kind, title, String::from_utf8_lossy(&said)).into_response()
}

async fn unknown_path() -> Problem {
    Problem::not_found("unknown-path", "There is nothing at this path. GET /v1/openapi.json lists what there is.")
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn what_people_wrote_is_kept_nowhere_on_its_way() {
        use axum::response::sse::{Event, Sse};
        let stream =
            || Sse::new(futures::stream::iter([Ok::<_, std::convert::Infallible>(Event::default().data("x"))]));
        let page = ([(header::CACHE_CONTROL, "no-cache")], "a page");
        let router = Router::new().route("/json", get(async || Json("x"))).route("/page", get(page));
        let router = close(router.route("/stream", get(async move || stream())));
        for (path, expected) in
            [("/json", "no-store"), ("/stream", "no-store"), ("/page", "no-cache"), ("/nowhere", "no-store")]
        {
            let response = router.clone().oneshot(http::Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.headers()["cache-control"], expected, "{path}");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        }
    }

    #[tokio::test]
    async fn what_no_route_answers_is_a_problem_still() {
        async fn panics() {
            panic!("a bug");
        }
        let router = close(Router::new().route("/bug", get(panics)));
        for (path, status) in [("/bug", 500), ("/nowhere", 404)] {
            let response = router.clone().oneshot(http::Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["content-type"], "application/problem+json");
        }
    }
}
