//! What a browser and a client's author ask for first: the chat page and the description of the API.
//!
//! Both are made once, when the function starts, and never depend on who asks. The page talks to the other functions by
//! addresses relative to its own, so it needs no configuration and works below a stage.

mod document;
mod openapi;
mod page;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use contracts::problem::wrong_method;
use http::HeaderMap;

use document::Document;

/// The routes.
pub fn router() -> Router {
    Router::new().merge(serve("/", page::document())).merge(serve("/v1/openapi.json", openapi::document()))
}

fn serve(path: &str, document: Document) -> Router {
    let document = Arc::new(document);
    let answer = async move |headers: HeaderMap| document.answer(&headers);
    Router::new().route(path, get(answer).fallback(async || wrong_method("GET, HEAD")))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::Response;
    use http::{Request, StatusCode, header};
    use tower::ServiceExt;

    async fn ask(method: &str, path: &str) -> (StatusCode, http::HeaderMap, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response: Response = super::router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_page_comes_whole_and_lets_only_its_own_script_run() {
        let (status, headers, page) = ask("GET", "/").await;

        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        for (open, close) in [("<style>", "</style>"), ("<script type=\"module\">", "</script>")] {
            let inline = page.split_once(open).unwrap().1.split_once(close).unwrap().0;
            assert!(inline.len() > 1_000, "{open} is filled in");
            assert!(policy.contains(&crate::document::csp_hash(inline)), "{open} is let through");
        }
        assert!(!policy.contains("unsafe"));
        for forbidden in ["innerHTML", "style=", "href=\"/", "src=\"/", "\"/v1"] {
            assert!(!page.contains(forbidden), "{forbidden} in the page");
        }
    }

    #[tokio::test]
    async fn the_description_is_json() {
        let (status, headers, body) = ask("GET", "/v1/openapi.json").await;

        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        let description: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(description["openapi"], "3.1.0");
    }

    #[tokio::test]
    async fn another_method_is_a_problem_that_names_the_right_ones() {
        for path in ["/", "/v1/openapi.json"] {
            let (status, headers, _) = ask("POST", path).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(headers[header::ALLOW], "GET, HEAD");
            assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        }
    }

    #[tokio::test]
    async fn the_sample_event_is_answered_with_the_page() {
        let event = include_str!("../../../events/web.json");
        let (parts, _) = lambda_http::request::from_str(event).unwrap().into_parts();

        let response = super::router().oneshot(Request::from_parts(parts, Body::empty())).await.unwrap();

        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }
}
