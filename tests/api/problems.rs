//! Every mistake gets a problem that says what is wrong and what is allowed.

use serde_json::{Value, json};
use tests::{Answer, App};

fn assert_problem(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["type"], format!("urn:colloquy:problem:{kind}"));
    assert!(!answer.body["title"].as_str().unwrap().is_empty());
    assert!(!answer.body["detail"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named() {
    let app = App::start().await;
    let cases = [
        (json!({"assistant": "travel"}), "message"),
        (json!({"message": "hi"}), "assistant"),
        (json!({"assistant": "travel", "message": 5}), "message"),
        (json!({"assistant": "travel", "message": ""}), "message"),
        (json!({"assistant": "travel", "message": " \n\t "}), "message"),
        (json!({"assistant": "travel", "message": "x".repeat(4_001)}), "message"),
        (json!({"assistant": "travel", "message": "hi", "mesage": "hi"}), "mesage"),
        (json!({"assistant": "travel", "message": "hi", "session_id": "mine"}), "session_id"),
        (json!({"assistant": "travel", "message": "hi", "client_time": "tomorrow"}), "client_time"),
        (json!({"assistant": "travel", "message": "hi", "client_time": "2026-11-20T09:00:00"}), "client_time"),
        (
            json!({"assistant": "travel", "message": "hi", "client_time": "2026-11-20T09:00:00+05:00[Mars/Base]"}),
            "client_time",
        ),
        (json!({"assistant": "travel", "message": "hi", "client_time": "0001-01-01T00:00:00Z"}), "client_time"),
        (json!({"assistant": "travel", "message": "hi", "trace": "yes"}), "trace"),
        (json!(["travel", "hi"]), "(body)"),
        (json!("hi"), "(body)"),
    ];
    for (body, field) in cases {
        let answer = app.post_chat(&body).await;
        assert_problem(&answer, 422, "invalid-field");
        assert_eq!(answer.body["errors"][0]["field"], field, "{body}");
    }
}

#[tokio::test]
async fn a_message_of_four_thousand_characters_is_answered_in_any_script() {
    let app = App::start().await;
    let answer = app.post_chat(&json!({"assistant": "travel", "message": "ا".repeat(4_000)})).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn both_forms_of_the_clients_time_are_taken() {
    let app = App::start().await;
    for time in ["2026-11-20T09:00:00+05:00[Asia/Karachi]", "2026-11-20T09:00:00+05:00", "2026-11-20T04:00:00Z"] {
        let body = json!({"assistant": "travel", "message": "Oslo to Rome tomorrow", "client_time": time});
        assert_eq!(app.post_chat(&body).await.body["slots"]["departure_date"], "2026-11-21", "{time}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused() {
    let app = App::start().await;
    let post = |body: Vec<u8>| app.request("POST", "/v1/chat").header("content-type", "application/json").body(body);
    for body in
        [&b"{\"assistant\": "[..], b"", b"{\"assistant\": \"travel\", \"message\": \"hi\"} {}", b"\xff\xfe", b"[[[["]
    {
        assert_problem(&app.send(post(body.to_vec())).await, 400, "malformed-body");
    }
    let deep = format!("{{\"assistant\": \"travel\", \"message\": {}", "[".repeat(10_000));
    assert!([400, 422].contains(&app.send(post(deep.into_bytes())).await.status));
    let large = format!("{{\"assistant\": \"travel\", \"message\": \"{}\"}}", "x".repeat(64 * 1024));
    assert_problem(&app.send(post(large.into_bytes())).await, 413, "body-too-large");
    let form = app.request("POST", "/v1/chat").header("content-type", "text/plain").body("{}");
    assert_problem(&app.send(form).await, 415, "unsupported-media-type");
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let app = App::start().await;
    assert_problem(&app.get("/v1/nothing").await, 404, "unknown-path");
    assert_problem(&app.post_chat(&json!({"assistant": "butler", "message": "hi"})).await, 404, "unknown-assistant");
    assert_problem(&app.get("/v1/sessions/not-an-id").await, 404, "unknown-session");
    assert_problem(&app.get("/v1/sessions/%FF").await, 400, "bad-request");
    let id = "0".repeat(32);
    assert_problem(&app.get(&format!("/v1/sessions/{id}")).await, 404, "unknown-session");
    let body = json!({"assistant": "travel", "message": "hi", "session_id": id});
    assert_problem(&app.post_chat(&body).await, 404, "unknown-session");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let app = App::start().await;
    let cases = [
        ("GET", "/v1/chat", "POST"),
        ("PUT", "/v1/sessions/0", "GET, HEAD, DELETE"),
        ("POST", "/v1/assistants", "GET, HEAD"),
        ("DELETE", "/v1/health", "GET, HEAD"),
        ("POST", "/v1/openapi.json", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
    ];
    for (method, path, allowed) in cases {
        let answer = app.send(app.request(method, path)).await;
        assert_problem(&answer, 405, "wrong-method");
        assert_eq!(answer.headers["allow"], allowed, "{path}");
    }
}

#[tokio::test]
async fn the_description_lists_every_public_path() {
    let app = App::start().await;
    let paths = app.get("/v1/openapi.json").await.body["paths"].clone();
    let listed: Vec<&String> = paths.as_object().unwrap().keys().collect();
    for path in ["/v1/chat", "/v1/session", "/v1/turns/{id}", "/v1/assistants", "/v1/health", "/v1/openapi.json"] {
        assert!(listed.iter().any(|listed| *listed == path), "{path} is missing in {listed:?}");
    }
    assert_ne!(paths["/v1/chat"]["post"], Value::Null);
}
