//! A turn belongs to nobody's connection: who leaves finds it whole, who comes back follows it, and its owner stops it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::post;
use contracts::knowledge::Retrieval;
use futures::{StreamExt, future, stream};
use http::StatusCode;
use lambda_http::RequestExt;
use local::State;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::{Answer, App, session_of};
use tokio::sync::watch;
use tower::ServiceExt;
use ulid::Ulid;

use crate::asking::{app_in, endless, frame};

const WHOLE: &str = "IVF is a treatment [1].";

/// A model that writes its first words at once, and the rest when it is told to.
struct Model {
    url: String,
    go_on: watch::Sender<bool>,
    asked: Arc<AtomicUsize>,
}

impl Model {
    async fn start() -> Self {
        let (go_on, wait) = watch::channel(false);
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let complete = async move || {
            counter.fetch_add(1, Ordering::SeqCst);
            let usage = "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 70, \"completion_tokens\": 9}}\n\n";
            let rest = frame(&json!({"content": "a treatment [1]."})) + usage + "data: [DONE]\n\n";
            let mut wait = wait.clone();
            let rest = stream::once(async move {
                drop(wait.wait_for(|go_on| *go_on).await);
                rest
            });
            let words = stream::iter([frame(&json!({"content": "IVF is "}))]).chain(rest);
            ([("content-type", "text/event-stream")], Body::from_stream(words.map(Ok::<_, Infallible>))).into_response()
        };
        let embed = async || StatusCode::INTERNAL_SERVER_ERROR;
        let router = Router::new().route("/chat/completions", post(complete)).route("/embeddings", post(embed));
        Self { url: tests::serve(router).await, go_on, asked }
    }

    async fn app(&self, state: State) -> App {
        app_in(state, &self.url, Retrieval::Words).await
    }
}

fn message() -> Value {
    json!({"assistant": "fertility", "message": "What is IVF?"})
}

/// A stream as far as it was read.
struct Reading {
    bytes: futures::stream::BoxStream<'static, reqwest::Result<axum::body::Bytes>>,
    text: String,
}

impl Reading {
    async fn start(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { bytes: response.bytes_stream().boxed(), text: String::new() }
    }

    /// Reads until there is an event of that name, and that far.
    async fn until(&mut self, name: &str) -> Vec<(String, Value, usize)> {
        while !events(&self.text).iter().any(|(is, ..)| is == name) {
            let more =
                tokio::time::timeout(Duration::from_secs(10), self.bytes.next()).await.expect("an event in time");
            self.text += std::str::from_utf8(&more.expect("more of the stream").unwrap()).unwrap();
        }
        events(&self.text)
    }

    async fn rest(mut self) -> Vec<(String, Value, usize)> {
        while let Some(more) = self.bytes.next().await {
            self.text += std::str::from_utf8(&more.unwrap()).unwrap();
        }
        events(&self.text)
    }
}

/// The whole events of a stream: name, data and id.
fn events(text: &str) -> Vec<(String, Value, usize)> {
    let whole = text.rsplit_once("\n\n").map(|(whole, _)| whole).unwrap_or_default();
    let event = |frame: &str| {
        let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        (field("event: "), serde_json::from_str(&field("data: ")).unwrap(), field("id: ").parse().unwrap())
    };
    whole.split("\n\n").filter(|frame| !frame.is_empty() && !frame.starts_with(':')).map(event).collect()
}

fn words(events: &[(String, Value, usize)]) -> String {
    events.iter().filter(|(name, ..)| name == "delta").map(|(_, data, _)| data["text"].as_str().unwrap()).collect()
}

fn streamed(app: &App) -> reqwest::RequestBuilder {
    app.request("POST", "/v1/chat/stream").json(&message())
}

/// The path and the session of the turn that a stream began.
fn turn_of(events: &[(String, Value, usize)]) -> (String, String) {
    let (_, turn, _) = &events[0];
    (format!("/v1/turns/{}", turn["turn_id"].as_str().unwrap()), session_of(turn).to_owned())
}

/// The turn, once it is finished.
async fn finished(app: &App, path: &str, session: &str) -> Value {
    for _ in 0..100 {
        let answer = app.of_session("GET", path, session).await;
        if answer.status == 200 {
            return answer.body;
        }
        assert_eq!((answer.status, &answer.headers["retry-after"]), (202, &"1".parse().unwrap()), "{}", answer.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the turn does not end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_after_the_first_words_finds_the_whole_turn_and_it_is_counted() {
    let model = Model::start().await;
    let app = model.app(State::Memory).await;
    let mut reading = Reading::start(streamed(&app)).await;
    let (path, session) = turn_of(&reading.until("delta").await);
    drop(reading);
    assert_eq!(app.of_session("GET", &path, &session).await.status, 202);

    model.go_on.send_replace(true);

    let turn = finished(&app, &path, &session).await;
    assert_eq!((&turn["reply"], &turn["incomplete"]), (&json!(WHOLE), &Value::Null), "{turn}");
    assert_eq!(turn["usage"]["prompt_tokens"], 70);
    for _ in 0..100 {
        let kept = app.of_session("GET", "/v1/session/turns", &session).await.body["turns"][0].clone();
        if kept["recorded"] == true {
            assert_eq!((&kept["reply"], &kept["usage"]["completion_tokens"]), (&json!(WHOLE), &json!(9)));
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the turn is not counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_waiting_finds_its_turn_in_the_session() {
    let model = Model::start().await;
    let app = model.app(State::Memory).await;
    let hello = app.post_chat(&json!({"assistant": "fertility", "message": "hello"})).await.body;
    let session = session_of(&hello);
    let question = json!({"assistant": "fertility", "message": "What is IVF?", "session_id": session});
    let hurried = tokio::spawn(app.request("POST", "/v1/chat").json(&question).send());
    while model.asked.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hurried.abort();
    assert!(hurried.await.unwrap_err().is_cancelled(), "it went before its answer came");
    tokio::time::sleep(Duration::from_millis(200)).await;

    model.go_on.send_replace(true);

    for _ in 0..100 {
        let turns = app.of_session("GET", "/v1/session/turns", session).await.body["turns"].clone();
        if turns.as_array().unwrap().len() == 2 {
            assert_eq!(turns[0]["reply"], WHOLE);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the turn is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_tab_follows_from_the_start_or_from_where_it_was() {
    let model = Model::start().await;
    let app = model.app(State::Memory).await;
    let mut first = Reading::start(streamed(&app)).await;
    let so_far = first.until("delta").await;
    let (path, session) = turn_of(&so_far);
    let events = format!("{path}/events");
    let follow = || app.request("GET", &events).header("colloquy-session", &session);

    let mut second = Reading::start(follow()).await;
    assert_eq!(second.until("delta").await, so_far, "what was told before");
    let third = Reading::start(follow().header("last-event-id", so_far.len())).await;
    model.go_on.send_replace(true);

    let all = first.rest().await;
    assert_eq!((words(&all).as_str(), all.last().unwrap().0.as_str()), (WHOLE, "done"));
    assert_eq!(all.iter().map(|(.., id)| *id).collect::<Vec<_>>(), (1..=all.len()).collect::<Vec<_>>());
    assert_eq!(second.rest().await, all);
    assert_eq!(third.rest().await, all[so_far.len()..]);
    assert_eq!(Reading::start(follow()).await.rest().await, all, "after its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_for_its_session_alone() {
    let model = Model::start().await;
    let app = model.app(State::Memory).await;
    let mut reading = Reading::start(streamed(&app)).await;
    let (path, session) = turn_of(&reading.until("delta").await);
    let other = "0".repeat(32);
    for path in [path.clone(), format!("{path}/events")] {
        assert_eq!(app.of_session("GET", &path, &other).await.status, 202, "as one that nobody knows");
        assert_eq!(app.get(&path).await.status, 202);
        assert_eq!(app.of_session("GET", &path, "mine").await.status, 404);
    }
    assert_eq!(app.of_session("DELETE", &path, &other).await.status, 204);
    assert_eq!(app.send(app.request("DELETE", &path)).await.status, 204);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert_eq!(app.of_session("GET", &path, &session).await.status, 202, "nobody else stops it");

    model.go_on.send_replace(true);
    assert_eq!(finished(&app, &path, &session).await["reply"], WHOLE);
}

#[tokio::test]
async fn an_unknown_turn_may_be_running_somewhere_only_while_its_id_is_young() {
    let app = App::start().await;
    let aged = |seconds: i64| {
        let moment = SystemTime::now().checked_sub(Duration::from_secs(seconds.max(0).unsigned_abs())).unwrap();
        let moment = moment + Duration::from_secs((-seconds).max(0).unsigned_abs());
        Ulid::from_parts(moment.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64, 7).to_string()
    };
    let session = session_of(&app.say(None, "hello").await).to_owned();
    for (id, read, stopped) in [
        (aged(1), 202, 204),
        (aged(140), 202, 204),
        (aged(151), 404, 404),
        (aged(-160), 404, 404),
        ("mine".to_owned(), 404, 404),
    ] {
        let path = format!("/v1/turns/{id}");
        for (method, path, expected) in
            [("GET", path.clone(), read), ("GET", format!("{path}/events"), read), ("DELETE", path.clone(), stopped)]
        {
            assert_eq!(app.of_session(method, &path, &session).await.status, expected, "{method} {path}");
            assert_eq!(app.send(app.request(method, &path)).await.status, expected, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_stops_a_turn_and_shows_what_was_kept() {
    let model = Model::start().await;
    let tables = State::Endpoint(local::serve_tables().await.unwrap());
    let (here, there) = (model.app(tables.clone()).await, model.app(tables).await);
    let mut reading = Reading::start(streamed(&here)).await;
    let (path, session) = turn_of(&reading.until("delta").await);
    assert_eq!(there.of_session("GET", &path, &session).await.status, 202);
    let started = Instant::now();

    assert_eq!(there.of_session("DELETE", &path, &session).await.status, 204);

    let told = reading.rest().await;
    assert!(started.elapsed() < Duration::from_millis(2_500), "{:?}", started.elapsed());
    let (last, done, _) = told.last().unwrap();
    assert_eq!((last.as_str(), &done["reply"]["incomplete"]), ("done", &json!(true)), "{done}");
    let stopped = json!([{"part": "embedder", "reason": "unavailable"}, {"part": "reply", "reason": "stopped"}]);
    assert_eq!((&done["reply"]["degraded"], &done["reply"]["reply"]), (&stopped, &json!("IVF is")), "{done}");
    let usage = &done["reply"]["usage"];
    assert_eq!((&usage["estimated"], &usage["completion_tokens"]), (&json!(true), &json!(2)), "it is paid: {usage}");
    assert!(usage["prompt_tokens"].as_u64().is_some_and(|read| read > 100) && usage["model"].is_string(), "{usage}");
    let kept = finished(&there, &path, &session).await;
    assert_eq!((&kept["reply"], &kept["degraded"]), (&done["reply"]["reply"], &stopped));
    assert_eq!(&kept["usage"], usage);
    let again = there.request("GET", &format!("{path}/events")).header("colloquy-session", &session);
    let again = Reading::start(again.header("last-event-id", "7")).await.rest().await;
    assert_eq!((again[0].0.as_str(), words(&again), again.last().unwrap().0.as_str()), ("turn", words(&told), "done"));
    assert_eq!(there.of_session("DELETE", &path, &session).await.status, 204, "it had ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_still_searches_is_stopped_at_once() {
    let hang = Router::new().route("/air/offer_requests", post(async || future::pending::<String>().await));
    let url = tests::serve(hang).await;
    let app = App::with_flights(tests::duffel_flights([&url])).await;
    let body = json!({"assistant": "travel", "message": "fly me from Lahore to Dubai tomorrow"});
    let mut reading = Reading::start(app.request("POST", "/v1/chat/stream").json(&body)).await;
    let (path, session) = turn_of(&reading.until("turn").await);
    let started = Instant::now();

    assert_eq!(app.of_session("DELETE", &path, &session).await.status, 204);

    let told = reading.rest().await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let reply = &told.last().unwrap().1["reply"];
    assert_eq!((&reply["incomplete"], &reply["degraded"][0]["reason"]), (&json!(true), &json!("stopped")), "{reply}");
    assert_eq!(words(&told), reply["reply"].as_str().unwrap());
    let next = json!({"assistant": "travel", "message": "hello", "session_id": session});
    assert_eq!(app.post_chat(&next).await.status, 200, "the session continues");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_first_finishes_the_turns_whose_clients_left() {
    let model = Model::start().await;
    let tables = State::Endpoint(local::serve_tables().await.unwrap());
    let (ending, staying) = (model.app(tables.clone()).await, model.app(tables).await);
    let mut reading = Reading::start(streamed(&ending)).await;
    let (path, session) = turn_of(&reading.until("delta").await);
    drop(reading);
    let later = model.go_on.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        later.send_replace(true);
    });

    ending.colloquy.stop().await;

    let turn = staying.of_session("GET", &path, &session).await;
    assert_eq!((turn.status, &turn.body["reply"]), (200, &json!(WHOLE)), "{}", turn.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_before_lambda_ends_the_call_and_what_came_is_kept() {
    let complete = async || {
        ([("content-type", "text/event-stream")], Body::from_stream(endless(Default::default()))).into_response()
    };
    let embed = async || StatusCode::INTERNAL_SERVER_ERROR;
    let router = Router::new().route("/chat/completions", post(complete)).route("/embeddings", post(embed));
    let app = app_in(State::Memory, &tests::serve(router).await, Retrieval::Words).await;
    let steps = Pipeline::new(app.colloquy.steps_url()).unwrap();
    let chat = chat::router(chat::Deps::new(steps, app.colloquy.turn_queues().0, tests::options().assistants));
    let mut context = lambda_http::Context::default();
    let end = SystemTime::now() + Duration::from_secs(3);
    context.deadline = end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    let request = Request::post("/v1/chat/stream").header("content-type", "application/json");
    let request = request.body(Body::from(message().to_string())).unwrap().with_lambda_context(context);

    let answer = chat.oneshot(request).await.unwrap();
    let text = to_bytes(answer.into_body(), usize::MAX).await.unwrap();

    assert!(SystemTime::now() < end, "Lambda would have ended it");
    let told = events(std::str::from_utf8(&text).unwrap());
    assert_eq!(told.last().unwrap().0, "error");
    assert!(words(&told).starts_with("more more"));
    let (_, session) = turn_of(&told);
    let kept = app.of_session("GET", "/v1/session/turns", &session).await.body["turns"][0].clone();
    assert_eq!((&kept["incomplete"], kept["reply"].as_str()), (&json!(true), Some(words(&told).as_str())), "{kept}");
    let wrote = words(&told).len().div_ceil(4);
    assert_eq!((&kept["usage"]["estimated"], &kept["usage"]["completion_tokens"]), (&json!(true), &json!(wrote)));
}

const KEY: &str = "5f0c1f0e-6a6b-4c39-9a3e-0d1d8a6a7b11";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_turn_still_runs_is_neither_understood_nor_written_again() {
    let model = Model::start().await;
    let app = model.app(State::Memory).await;
    let first = streamed(&app).header("idempotency-key", KEY);
    let mut reading = Reading::start(first).await;
    reading.until("delta").await;
    drop(reading);

    let again: Answer = app.send(app.request("POST", "/v1/chat").json(&message()).header("idempotency-key", KEY)).await;
    assert_eq!((again.status, model.asked.load(Ordering::SeqCst)), (409, 1));
    model.go_on.send_replace(true);
    for _ in 0..100 {
        let again = app.send(app.request("POST", "/v1/chat").json(&message()).header("idempotency-key", KEY)).await;
        if again.status == 200 {
            assert_eq!((&again.body["reply"], model.asked.load(Ordering::SeqCst)), (&json!(WHOLE), 1));
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the key stays taken");
}
