//! The answer as it is made.

use serde_json::{Value, json};
use tests::{App, session_of};

/// The events of a stream: name and data.
async fn events(app: &App, body: &Value, key: Option<&str>) -> Vec<(String, Value)> {
    let mut request = app.request("POST", "/v1/chat/stream").json(body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let event = |frame: &str| {
        let (name, rest) = frame.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let (data, _) = rest.split_once("\nid: ").unwrap();
        (name.to_owned(), serde_json::from_str(data).unwrap())
    };
    text.split("\n\n").filter(|frame| !frame.is_empty() && !frame.starts_with(':')).map(event).collect()
}

fn words(events: &[(String, Value)]) -> String {
    events.iter().filter(|(name, _)| name == "delta").map(|(_, data)| data["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_streamed_answer_tells_what_happens_and_ends_with_the_whole() {
    let app = App::start().await;
    let body = json!({"assistant": "travel", "message": "fly me from Lahore to Dubai tomorrow"});

    let events = events(&app, &body, None).await;

    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["turn", "step", "offers"]);
    let (last, done) = events.last().unwrap();
    assert_eq!(last, "done");
    assert_eq!(done["reply"]["reply"], words(&events));
    assert_eq!(done["reply"]["turn_id"], events[0].1["turn_id"]);
    assert_eq!(done["reply"]["offers"], events[2].1["offers"]);
    let timings: Vec<&String> = done["reply"]["timings_ms"].as_object().unwrap().keys().collect();
    assert_eq!(timings, ["begin", "commit", "flights", "respond", "understand"]);
    let kept = app.of_session("GET", "/v1/session", session_of(&done["reply"])).await;
    assert_eq!(kept.body["version"], 1, "the turn is kept before the stream says done");
}

#[tokio::test]
async fn a_repeated_stream_plays_the_same_turn_again() {
    let app = App::start().await;
    let body = json!({"assistant": "travel", "message": "fly me from Lahore to Dubai tomorrow"});
    let key = "0123456789abcdef0123456789abcdef";

    let first = events(&app, &body, Some(key)).await;
    let again = events(&app, &body, Some(key)).await;

    assert_eq!(words(&first), words(&again));
    // What ran again is only what finds the turn.
    let whole = |events: &[(String, Value)]| {
        let (name, mut done) = events.last().unwrap().clone();
        done["reply"].as_object_mut().unwrap().remove("timings_ms");
        (name, done)
    };
    assert_eq!(whole(&first), whole(&again));
    assert_eq!(again.iter().filter(|(name, _)| name == "delta").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_streamed_like_a_message() {
    let app = App::start().await;
    let body = json!({"assistant": "fertility", "question": "What is IVF?"});
    let response = app.request("POST", "/v1/ask/stream").json(&body).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert!(text.starts_with("event: turn\n"), "{text}");
    assert!(text.contains("event: done\n"), "{text}");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_a_problem_and_no_stream() {
    let app = App::start().await;
    let unknown = json!({"assistant": "travel", "message": "hi", "session_id": "0".repeat(32)});
    for (body, status) in [(json!({"assistant": "travel"}), 422), (unknown, 404)] {
        let answer = app.send(app.request("POST", "/v1/chat/stream").json(&body)).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}
