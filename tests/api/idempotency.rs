//! The same request, sent again, is the same turn.

use std::time::Duration;

use contracts::api::{BeginTurn, SESSION_BEGIN};
use futures::future::join_all;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::{Answer, App, session_of};

const KEY: &str = "5f0c1f0e-6a6b-4c39-9a3e-0d1d8a6a7b11";

async fn post(app: &App, key: &str, body: &Value) -> Answer {
    app.send(app.request("POST", "/v1/chat").header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn the_same_key_and_body_get_the_same_turn() {
    let app = App::start().await;
    let body = json!({"assistant": "travel", "message": "from Oslo to Rome"});

    let first = post(&app, KEY, &body).await;
    let second = post(&app, KEY, &body).await;

    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.body, second.body);
    let kept = app.get(&format!("/v1/sessions/{}", session_of(&first.body))).await;
    assert_eq!(kept.body["version"], 1);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let app = App::start().await;
    post(&app, KEY, &json!({"assistant": "travel", "message": "from Oslo to Rome"})).await;

    let answer = post(&app, KEY, &json!({"assistant": "travel", "message": "from Rome to Oslo"})).await;

    assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!("Idempotency-Key")));
}

#[tokio::test]
async fn requests_with_one_key_at_once_make_one_turn() {
    let app = App::start().await;
    let body = json!({"assistant": "travel", "message": "from Oslo to Rome tomorrow"});

    let answers = join_all((0..8).map(|_| post(&app, KEY, &body))).await;

    let mut turns: Vec<&str> = Vec::new();
    for answer in &answers {
        match answer.status {
            200 => turns.push(answer.body["turn_id"].as_str().unwrap()),
            409 => assert!(answer.headers.contains_key("retry-after")),
            other => panic!("{other}: {}", answer.body),
        }
    }
    turns.sort_unstable();
    turns.dedup();
    assert_eq!(turns.len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_talk() {
    let app = App::start().await;
    let (one, two) = (app.say(None, "hello").await, app.say(None, "hello").await);
    let body = |talk: &Value| json!({"assistant": "travel", "message": "Oslo", "session_id": session_of(talk)});

    let first = post(&app, "1", &body(&one)).await;
    let second = post(&app, "1", &body(&two)).await;

    assert_eq!((first.status, second.status), (200, 200));
    assert_ne!(first.body["turn_id"], second.body["turn_id"]);
}

#[tokio::test]
async fn a_key_that_could_be_guessed_is_refused_for_a_guests_first_message() {
    let app = App::start().await;
    let body = json!({"assistant": "travel", "message": "hello"});
    for key in ["1", "short", ""] {
        assert_eq!(post(&app, key, &body).await.status, 422, "{key:?}");
    }
}

/// As where a client of the tables, or of the steps, did not get the answer to a call that was done.
#[tokio::test]
async fn a_turn_that_claims_its_key_twice_has_it() {
    let app = App::start().await;
    let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
    let begin = json!({
        "turn_id": "01JCZV5W9GQ2N5X7K3T8R4M6PA", "assistant": "travel", "kind": "travel",
        "client_time": "2026-11-20T09:00:00Z", "understanding": {}, "idempotency": {"key": KEY, "body_hash": "0"},
    });
    let begin: BeginTurn = serde_json::from_value(begin).unwrap();
    let other = BeginTurn { turn_id: "01JCZV5W9GQ2N5X7K3T8R4M6PB".to_owned(), ..begin.clone() };
    for (turn, status) in [(&begin, None), (&begin, None), (&other, Some(409))] {
        let begun = pipeline.call(&SESSION_BEGIN, turn, Deadline::after(Duration::from_secs(5))).await;
        assert_eq!(begun.err().map(|problem| problem.status().as_u16()), status);
    }
}
