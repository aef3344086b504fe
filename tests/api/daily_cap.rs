//! Models cost as much as they may in a day, and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::post;
use contracts::knowledge::Retrieval;
use http::StatusCode;
use local::Options;
use record::Prices;
use runtime::flags::FlagSource;
use serde_json::{Value, json};
use tests::{App, serve};

use crate::asking::{app_changed, frame};

async fn post_to(app: &App, path: &str, body: Value) -> Value {
    let answer = app.send(app.request("POST", path).json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test(flavor = "multi_thread")]
async fn once_models_have_cost_as_much_as_they_may_answers_are_quoted_and_say_why() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let complete = async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let usage = "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 70, \"completion_tokens\": 9}}\n\n";
        let text = frame(&json!({"content": "IVF is a treatment [1]."})) + usage + "data: [DONE]\n\n";
        ([("content-type", "text/event-stream")], text).into_response()
    };
    let embed = async || StatusCode::FORBIDDEN;
    let router = Router::new().route("/chat/completions", post(complete)).route("/embeddings", post(embed));
    let flags = std::env::temp_dir().join(format!("colloquy-flags-{}.json", ulid::Ulid::generate()));
    std::fs::write(&flags, "{}").unwrap();
    // An answer costs 79 millionths of 1,000 dollars.
    let app = app_changed(&serve(router).await, Retrieval::Words, |options| Options {
        prices: Prices::with(Some("stand-in=1000/1000")).unwrap(),
        max_daily_cost: Some("0.1".parse().unwrap()),
        flags: FlagSource::file(&flags, Duration::from_millis(20)),
        ..options
    })
    .await;
    let question = || json!({"assistant": "fertility", "question": "What is IVF?"});

    let first = post_to(&app, "/v1/ask", question()).await;
    assert_eq!(first["written_by"], "model", "{first}");
    let second = post_to(&app, "/v1/ask", question()).await;
    assert_eq!(second["written_by"], "model", "0.079 of 0.1 dollars are spent: {second}");
    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    for _ in 0..400 {
        if app.colloquy.totals().cost(today).await.unwrap() >= "0.158".parse().unwrap() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    // The first turn after the value's time is over reads it, and the next knows it.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = asked.load(Ordering::SeqCst);
    let degraded = json!({"part": "model", "reason": "daily_cap"});
    for (path, body) in
        [("/v1/ask", question()), ("/v1/chat", json!({"assistant": "fertility", "message": "What is IVF?"}))]
    {
        let answer = post_to(&app, path, body).await;
        assert_eq!((&answer["written_by"], &answer["degraded"][1]), (&json!("extract"), &degraded), "{answer}");
    }
    assert_eq!((before, asked.load(Ordering::SeqCst)), (2, 2));
    std::fs::remove_file(flags).unwrap();
}
