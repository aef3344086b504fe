//! More come at once than can be held: who is refused is so at once, and nothing was done for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use futures::future::join_all;
use local::{Capacity, Options};
use serde_json::json;
use tests::{App, DUFFEL_ANSWER, FRIDAY, duffel_flights, serve};

const SEARCH: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn whoever_there_is_no_room_for_is_told_at_once_and_costs_nothing() {
    let searches = Arc::new(AtomicUsize::new(0));
    let counter = searches.clone();
    let search = async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(SEARCH).await;
        ([("content-type", "application/json")], DUFFEL_ANSWER)
    };
    let url = serve(Router::new().route("/air/offer_requests", post(search))).await;
    let options = Options { capacity: Capacity::for_turns(3), flights: duffel_flights([&url]), ..tests::options() };
    let app = App::with_options(options).await;
    let flight = json!({
        "assistant": "travel", "client_time": FRIDAY,
        "message": "fly me from Lahore to Dubai next Friday, back a week later",
    });
    let chat = async || {
        let started = Instant::now();
        let answer = app.post_chat(&flight).await;
        (answer, started.elapsed())
    };
    let during = async {
        while searches.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let question = json!({"assistant": "defi", "question": "What is staking?"});
        let asked = app.send(app.request("POST", "/v1/ask").json(&question)).await;
        let stream = app.request("POST", "/v1/chat/stream").json(&flight);
        let streamed = app.send(stream).await;
        let cry = json!({"assistant": "travel", "message": "I want to kill myself"});
        (asked, streamed, app.post_chat(&cry).await)
    };
    let (answers, (asked, streamed, cry)) = tokio::join!(join_all((0..12).map(|_| chat())), during);

    let (held, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(answer, _)| answer.status == 200);
    assert_eq!((held.len(), refused.len(), searches.load(Ordering::SeqCst)), (3, 9, 3));
    for (answer, _) in &held {
        assert!(!answer.body["offers"].as_array().unwrap().is_empty(), "what was begun is whole: {}", answer.body);
    }
    for (answer, after) in &refused {
        assert_eq!((answer.status, &answer.body["type"]), (503, &json!("urn:colloquy:problem:busy")));
        assert_eq!(answer.headers["retry-after"], "2");
        assert!(*after < SEARCH, "at once: {after:?}");
    }
    assert_eq!((asked.status, streamed.status), (503, 503));
    assert_eq!((cry.status, &cry.body["action"]), (200, &json!("crisis")), "a cry for help finds room");
    assert_eq!(chat().await.0.status, 200, "there is room again");
}
