//! `GET /v1/health`: what is tried, what it comes to, and what it costs those who are tried.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::{Credentials, Region};
use axum::Router;
use flights::amadeus::Amadeus;
use flights::provider::Provider;
use http::StatusCode;
use local::Options;
use models::llm::ChatModel;
use models::openai::Server;
use runtime::assistants::Assistants;
use runtime::config::Secret;
use runtime::pipeline::Pipeline;
use serde_json::Value;
use tests::{Answer, App};

use crate::outside::Outside;

const ALWAYS: [&str; 12] = [
    "queue:chunks",
    "queue:turns",
    "step:flights",
    "step:respond",
    "step:retrieve",
    "step:session",
    "step:understand",
    "table:idempotency",
    "table:knowledge",
    "table:sessions",
    "table:totals",
    "table:turns",
];

/// Each check's status, with what is wrong.
fn told(answer: &Answer) -> BTreeMap<String, String> {
    let checks = answer.body["checks"].as_object().unwrap().iter();
    let one = |check: &Value| {
        [check["status"].as_str(), check["detail"].as_str()].into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    checks.map(|(name, check)| (name.clone(), one(check))).collect()
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn everything_that_is_there_is_tried_and_well() {
    let app = App::start().await;
    let answer = app.get("/v1/health").await;
    assert_eq!((answer.status, answer.body["status"].as_str()), (200, Some("ok")), "{}", answer.body);
    let mut expected: Vec<&str> = ALWAYS.to_vec();
    expected.extend(["flags", "provider:sample"]);
    expected.sort_unstable();
    assert_eq!(
        told(&answer).into_iter().collect::<Vec<_>>(),
        expected.iter().map(|name| ((*name).to_owned(), "ok".to_owned())).collect::<Vec<_>>()
    );
    assert!(answer.body["timestamp"].as_str().is_some_and(|moment| moment.parse::<jiff::Timestamp>().is_ok()));
    assert_eq!(answer.body["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn what_is_optional_and_fails_is_degraded_and_named_without_a_secret() {
    let (_outside, options) = Outside::start().await;
    let refused = serve(Router::new().fallback(async || StatusCode::UNAUTHORIZED)).await;
    let hangs = serve(Router::new().fallback(async || std::future::pending::<StatusCode>().await)).await;
    let key = |name: &str| Secret::new(name, "kept-to-ourselves".to_owned());
    let client = runtime::upstream::client().unwrap();
    let amadeus = Amadeus::new(client, &hangs, key("AMADEUS_CLIENT_ID"), key("AMADEUS_CLIENT_SECRET"), None);
    let model = ChatModel::new(Server::new(&refused, Some(key("OPENAI_API_KEY"))).unwrap(), "m", 100);
    let providers = [Provider::Amadeus(amadeus), tests::sample_provider()];
    let app = App::with_options(Options {
        flights: flights::Deps::new(providers, Duration::from_secs(8)),
        respond: respond::Deps::new(Assistants::embedded().unwrap(), Some(model)),
        ..options
    })
    .await;
    let started = Instant::now();
    let answer = app.get("/v1/health").await;
    assert!(started.elapsed() < Duration::from_secs(4), "each has its own limit");
    assert_eq!((answer.status, answer.body["status"].as_str()), (200, Some("degraded")), "{}", answer.body);
    let told = told(&answer);
    let of = |name: &str| told.get(name).map(String::as_str);
    assert_eq!(of("provider:amadeus"), Some("degraded timeout"));
    assert_eq!(of("provider:sample"), Some("ok"));
    assert_eq!(of("model"), Some("degraded unauthorized (401)"));
    assert_eq!(of("embedder"), Some("degraded unauthorized (403)"));
    assert!(ALWAYS.iter().all(|name| of(name) == Some("ok")), "{told:?}");
    for kept in ["kept-to-ourselves", "127.0.0.1"] {
        assert!(!answer.body.to_string().contains(kept), "{kept}");
    }
}

#[tokio::test]
async fn an_upstream_that_hangs_is_named_by_its_step_which_is_well() {
    let hangs = serve(Router::new().fallback(async || std::future::pending::<StatusCode>().await)).await;
    let model = ChatModel::new(Server::new(&hangs, None).unwrap(), "m", 100);
    let respond = respond::Deps::new(Assistants::embedded().unwrap(), Some(model));
    let app = App::with_options(Options { respond, ..tests::options() }).await;
    let answer = app.get("/v1/health").await;
    assert_eq!((answer.status, answer.body["status"].as_str()), (200, Some("degraded")), "{}", answer.body);
    let told = told(&answer);
    assert_eq!((told["model"].as_str(), told["step:respond"].as_str()), ("degraded timeout", "ok"));
    let took = answer.body["checks"]["step:respond"]["latency_ms"].as_f64().unwrap();
    assert!(took < 1_600.0, "the answer has time to come: {took} ms");
}

#[tokio::test]
async fn without_tables_or_steps_it_is_down_and_says_so_in_time() {
    let app = App::start().await;
    let nobody = "http://127.0.0.1:9";
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version_latest()
        .endpoint_url(nobody)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        .build();
    let (_, names) = app.colloquy.tables();
    let (chunks, turns) = (app.colloquy.chunk_queues().0, app.colloquy.turn_queues().0);
    let tables = aws_sdk_dynamodb::Client::from_conf(config);
    let deps = health::Deps::new(Pipeline::new(nobody).unwrap(), tables, local::health_tables(&names), chunks, turns);
    let url = serve(health::router(deps)).await;
    let response = reqwest::get(format!("{url}/v1/health")).await.unwrap();
    assert_eq!(response.status(), 503);
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["status"], "down");
    for (name, status) in [
        ("table:sessions", "down"),
        ("table:knowledge", "degraded"),
        ("step:respond", "down"),
        ("step:flights", "degraded"),
        ("queue:turns", "ok"),
    ] {
        assert_eq!(body["checks"][name]["status"], status, "{name}");
    }
}

#[tokio::test]
async fn many_who_ask_are_given_one_report() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = asked.clone();
    let url = serve(Router::new().fallback(async move || {
        counting.fetch_add(1, Ordering::Relaxed);
        StatusCode::OK
    }))
    .await;
    let model = ChatModel::new(Server::new(&url, None).unwrap(), "m", 100);
    let respond = respond::Deps::new(Assistants::embedded().unwrap(), Some(model));
    let app = App::with_options(Options { respond, ..tests::options() }).await;
    let answers = futures::future::join_all((0..20).map(|_| app.get("/v1/health"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
