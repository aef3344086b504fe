//! The same request, sent again, is the same turn.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use contracts::api::{BeginTurn, SESSION_BEGIN, SESSION_COMMIT, UNDERSTAND};
use futures::future::join_all;
use http::StatusCode;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::{Answer, App, session_of};
use tower::ServiceExt;

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
    let kept = app.of_session("GET", "/v1/session", session_of(&first.body)).await;
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
async fn a_key_belongs_to_its_session() {
    let app = App::start().await;
    let (one, two) = (app.say(None, "hello").await, app.say(None, "hello").await);
    let body = |reply: &Value| json!({"assistant": "travel", "message": "Oslo", "session_id": session_of(reply)});

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

/// The steps of a set behind a server that counts their calls, and fails commits while it is told to; and `chat`.
pub(crate) struct Watched {
    chat: Router,
    calls: Arc<Mutex<BTreeMap<String, usize>>>,
    fails: Arc<AtomicBool>,
}

impl Watched {
    pub(crate) async fn start(app: &App) -> Self {
        let (calls, fails) = (Arc::<Mutex<BTreeMap<String, usize>>>::default(), Arc::new(AtomicBool::new(false)));
        let (counted, failing) = (calls.clone(), fails.clone());
        let steps = app.colloquy.steps_url();
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let forward = async move |request: Request| -> Response {
            let path = request.uri().path().to_owned();
            if path == SESSION_COMMIT.path && failing.load(Ordering::SeqCst) {
                return StatusCode::BAD_GATEWAY.into_response();
            }
            *counted.lock().unwrap().entry(path.clone()).or_default() += 1;
            let asked = to_bytes(request.into_body(), usize::MAX).await.unwrap();
            let call = client.post(format!("{steps}{path}")).header("content-type", "application/json").body(asked);
            let answer = call.send().await.unwrap();
            let kind = answer.headers()["content-type"].clone();
            (answer.status(), [("content-type", kind)], answer.text().await.unwrap()).into_response()
        };
        let pipeline = Pipeline::new(tests::serve(Router::new().fallback(forward)).await).unwrap();
        let chat = chat::Deps::new(pipeline, app.colloquy.turn_queues().0, tests::options().assistants);
        Self { chat: chat::router(chat), calls, fails }
    }

    /// How often a step was called.
    pub(crate) fn called(&self, step: &str) -> usize {
        self.calls.lock().unwrap().get(step).copied().unwrap_or_default()
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> (StatusCode, String) {
        let request = Request::post(path).header("content-type", "application/json").header("idempotency-key", key);
        let answer = self.chat.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
        let status = answer.status();
        let text = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(text.to_vec()).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_turn_that_failed_is_free_again_at_once() {
    let app = App::start().await;
    let watched = Watched::start(&app).await;
    let body = json!({"assistant": "travel", "message": "from Oslo to Rome"});
    for (path, key) in [("/v1/chat", KEY), ("/v1/chat/stream", "another-key-that-nobody-guesses")] {
        watched.fails.store(true, Ordering::SeqCst);
        let (status, text) = watched.post(path, key, &body).await;
        assert!(status == StatusCode::BAD_GATEWAY || text.contains("event: error"), "{path}: {status} {text}");
        watched.fails.store(false, Ordering::SeqCst);

        let (status, text) = watched.post(path, key, &body).await;

        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        assert!(path == "/v1/chat" || text.contains("event: done"), "{path}: {text}");
    }
    let unknown = json!({"assistant": "travel", "message": "hello", "session_id": "0".repeat(32)});
    for _ in 0..2 {
        assert_eq!(watched.post("/v1/chat", "1", &unknown).await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_answered_by_its_key_is_not_understood_again() {
    let app = App::start().await;
    let watched = Watched::start(&app).await;
    let body = json!({"assistant": "travel", "message": "from Oslo to Rome"});
    let (_, first) = watched.post("/v1/chat", KEY, &body).await;
    assert_eq!(watched.called(UNDERSTAND.path), 1);

    let (status, again) = watched.post("/v1/chat", KEY, &body).await;
    assert_eq!((status, again), (StatusCode::OK, first));
    let other = json!({"assistant": "travel", "message": "from Rome to Oslo"});
    assert_eq!(watched.post("/v1/chat", KEY, &other).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(watched.post("/v1/chat", "short", &body).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(watched.called(UNDERSTAND.path), 1, "neither replays nor refusals are");
}
