//! What hangs or fails outside costs the answers that find it out, and none of those after them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contracts::knowledge::Retrieval;
use http::StatusCode;
use serde_json::{Value, json};
use tests::{App, serve};

use crate::asking::{app_at, frame};

/// Asks, and says how long the answer took.
async fn ask(app: &App) -> (Value, Duration) {
    let started = Instant::now();
    let question = json!({"assistant": "fertility", "question": "What is IVF?"});
    let answer = app.send(app.request("POST", "/v1/ask").json(&question)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (answer.body, started.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn models_that_hang_cost_one_answer_six_seconds_and_the_next_ones_nothing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let hang = async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<StatusCode>().await
    };
    let app = app_at(&serve(Router::new().fallback(hang)).await, Retrieval::Words).await;
    let degraded = json!([{"part": "embedder", "reason": "timeout"}, {"part": "model", "reason": "timeout"}]);

    let (answer, took) = ask(&app).await;
    assert_eq!((&answer["degraded"], &answer["written_by"]), (&degraded, &json!("extract")), "{answer}");
    assert!((Duration::from_millis(5_500)..Duration::from_millis(7_500)).contains(&took), "{took:?}");

    let before = asked.load(Ordering::SeqCst);
    for _ in 0..5 {
        let (answer, took) = ask(&app).await;
        assert_eq!((&answer["degraded"], &answer["written_by"]), (&degraded, &json!("extract")), "{answer}");
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
    let health = app.get("/v1/health").await.body;
    for name in ["model", "embedder"] {
        let check = &health["checks"][name];
        assert_eq!((&check["status"], &check["circuit"]), (&json!("degraded"), &json!("open")), "{check}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), before, "neither is asked, not even by the report on health");
    let metrics = app.request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    for (function, upstream) in [("respond", "model"), ("retrieve", "embedder")] {
        let series = format!(r#"circuit_state{{function="{function}",upstream="{upstream}"}}"#);
        assert!(metrics.contains(&series), "{series}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_asks_for_a_pause_is_asked_again_after_it_and_not_before() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let complete = async move || -> Response {
        if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "2")], "{}").into_response();
        }
        let text = frame(&json!({"content": "IVF is a treatment [1]."})) + "data: [DONE]\n\n";
        ([("content-type", "text/event-stream")], text).into_response()
    };
    let embed = async || StatusCode::FORBIDDEN;
    let router = Router::new().route("/chat/completions", post(complete)).route("/embeddings", post(embed));
    let app = app_at(&serve(router).await, Retrieval::Words).await;

    for _ in 0..3 {
        let (answer, took) = ask(&app).await;
        assert_eq!(answer["degraded"][1], json!({"part": "model", "reason": "rate_limited"}), "{answer}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (answer, _) = ask(&app).await;
    assert_eq!((&answer["written_by"], asked.load(Ordering::SeqCst)), (&json!("model"), 2), "{answer}");
    assert_eq!(app.get("/v1/health").await.body["checks"]["model"]["circuit"], "closed");
}
