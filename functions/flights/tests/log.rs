//! What a failed provider leaves in the log. A test of its own: a log is seen by every test of a process.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::post;
use flights::Deps;
use flights::amadeus::Amadeus;
use flights::duffel::Duffel;
use flights::provider::Provider;
use http::StatusCode;
use runtime::config::Secret;
use runtime::upstream::client;
use tower::ServiceExt;

const SECRET: &str = "kept-to-ourselves";

#[tokio::test]
async fn a_failure_is_logged_once_with_its_kind_and_nothing_else() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let rejected = (StatusCode::BAD_REQUEST, r#"{"errors": [{"message": "told by Duffel"}]}"#);
    let refused = (StatusCode::UNAUTHORIZED, r#"{"error_description": "told by Amadeus", "code": 38187}"#);
    let router =
        Router::new().route("/air/offer_requests", post(rejected)).route("/v1/security/oauth2/token", post(refused));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let secret = |name| Secret::new(name, SECRET.into());
    let duffel = Duffel::new(client().unwrap(), &url, secret("DUFFEL_API_TOKEN"));
    let (id, key) = (secret("AMADEUS_CLIENT_ID"), secret("AMADEUS_CLIENT_SECRET"));
    let amadeus = Amadeus::new(client().unwrap(), &url, id, key, None);
    let deps = Deps::new([Provider::Duffel(duffel), Provider::Amadeus(amadeus)], Duration::from_secs(5));
    let query = r#"{"origin": {"name": "Lahore", "iata": "LHE"}, "destination": {"name": "Dubai", "iata": "DXB"},
        "departure_date": "2026-11-27", "passengers": {"adults": 2}}"#;
    let request = Request::post("/steps/flights").header("content-type", "application/json");

    let response = flights::router(deps).oneshot(request.body(Body::from(query)).unwrap()).await.unwrap();

    assert_eq!(response.status(), StatusCode::OK);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failures =
        lines.iter().map(|line| &line["fields"]).filter(|fields| fields["message"] == "flight provider failed");
    let mut failures: Vec<_> =
        failures.map(|fields| format!("{} {} {}", fields["provider"], fields["reason"], fields["status"])).collect();
    failures.sort();
    assert_eq!(failures, [r#""amadeus" "unauthorized" 401"#, r#""duffel" "rejected" 400"#]);
    for kept in [SECRET, "told by", "Lahore", "LHE"] {
        assert!(!log.contains(kept), "{kept}: {log}");
    }
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
