//! Somebody in danger is answered first, in every assistant and on every way in, whatever else is down.

use std::collections::HashSet;
use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use http::StatusCode;
use runtime::pipeline::Pipeline;
use serde::Deserialize;
use serde_json::{Value, json};
use tests::{App, serve, session_of};
use tower::ServiceExt;

const WORDS: &str = "i want to kill myself";

/// A conversation of `tests/dialogues/crisis`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    about: String,
    assistant: String,
    /// The person's clock: its time zone says whose numbers are named.
    at: String,
    turn: Vec<Turn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    you: String,
    /// The action of the answer.
    then: String,
    /// The class of the danger; none where there is none.
    danger: Option<String>,
    /// What the reply must hold, and what it must not.
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
}

async fn app() -> App {
    let own_texts = local::knowledge::own_texts(None).unwrap();
    let app = App::with_options(local::Options { own_texts, ..tests::options() }).await;
    // The texts are taken in while the set runs already.
    for _ in 0..300 {
        let known =
            app.send(app.request("POST", "/v1/ask").json(&json!({"assistant": "therapy", "question": "What is CBT?"})));
        if !known.await.body["citations"].as_array().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_with_people_in_danger_go_as_written() {
    let app = app().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialogues/crisis");
    let (mut played, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let conversation: Conversation = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(!conversation.about.is_empty());
        let mut session: Option<String> = None;
        let mut replies = HashSet::new();
        for turn in &conversation.turn {
            let mut body =
                json!({"assistant": conversation.assistant, "message": turn.you, "client_time": conversation.at});
            if let Some(id) = &session {
                body["session_id"] = json!(id);
            }
            let answer = app.post_chat(&body).await;
            let (reply, place) =
                (answer.body["reply"].as_str().unwrap_or_default(), format!("{}: {}", path.display(), turn.you));
            assert_eq!(answer.status, 200, "{place}: {}", answer.body);
            let class = answer.body["help"]["class"].as_str();
            if answer.body["action"] != turn.then.as_str() || class != turn.danger.as_deref() {
                wrong.push(format!("{place}: {} {class:?}: {reply}", answer.body["action"]));
            }
            let missing = turn.says.iter().filter(|said| !reply.contains(said.as_str()));
            wrong.extend(missing.map(|said| format!("{place}: no {said:?} in {reply}")));
            let said = turn.never.iter().filter(|never| reply.contains(never.as_str()));
            wrong.extend(said.map(|never| format!("{place}: {never:?} in {reply}")));
            if !replies.insert(reply.to_owned()) {
                wrong.push(format!("{place}: said twice: {reply}"));
            }
            session = Some(session_of(&answer.body).to_owned());
        }
        played += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(played >= 12, "{played}");
}

#[tokio::test]
async fn every_assistant_and_every_way_in_has_the_guard() {
    let app = App::start().await;
    let time = "2026-11-20T21:00:00+00:00[Europe/London]";
    for assistant in ["travel", "fertility", "therapy", "defi"] {
        let chat = json!({"assistant": assistant, "message": WORDS, "client_time": time});
        let ask = json!({"assistant": assistant, "question": WORDS, "client_time": time});
        for (path, body) in [("/v1/chat", &chat), ("/v1/ask", &ask)] {
            let answer = app.send(app.request("POST", path).json(body)).await;
            assert_eq!((answer.status, &answer.body["action"]), (200, &json!("crisis")), "{assistant} {path}");
            assert_eq!(answer.body["help"]["region"], "GB", "{assistant} {path}");
            let streamed = app.request("POST", &format!("{path}/stream")).json(body).send().await.unwrap();
            let events = streamed.text().await.unwrap();
            let names: Vec<&str> = events.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
            assert_eq!(names, ["turn", "delta", "done"], "{assistant} {path}");
            assert!(events.contains("116 123") && events.contains("\"action\":\"crisis\""), "{events}");
        }
    }
}

/// `chat` alone, with steps and a queue that answer every call with an error.
async fn chat_without_anything() -> Router {
    let broken = serve(Router::new().fallback(async || StatusCode::INTERNAL_SERVER_ERROR)).await;
    let pipeline = Pipeline::new(broken).unwrap();
    let queue = crate::recording::queue_at("http://127.0.0.1:9").await;
    chat::router(chat::Deps::new(pipeline, queue, tests::options().assistants))
}

async fn post(chat: Router, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::post(path).header("content-type", "application/json").body(Body::from(body.to_string()));
    let answer = chat.oneshot(request.unwrap()).await.unwrap();
    let status = answer.status();
    (status, serde_json::from_slice(&to_bytes(answer.into_body(), usize::MAX).await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reply_comes_with_every_step_and_queue_down_and_twice_alike() {
    let chat = chat_without_anything().await;
    let body =
        json!({"assistant": "therapy", "message": WORDS, "client_time": "2026-11-20T21:00:00-06:00[America/Chicago]"});
    let started = std::time::Instant::now();

    let (status, first) = post(chat.clone(), "/v1/chat", &body).await;
    let (_, second) = post(chat.clone(), "/v1/chat", &body).await;
    let question = json!({"assistant": "therapy", "question": WORDS});
    let (asked, answer) = post(chat, "/v1/ask", &question).await;

    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!((status, &first["action"]), (StatusCode::OK, &json!("crisis")), "{first}");
    assert!(first["reply"].as_str().unwrap().contains("988"));
    assert_eq!(first["reply"], second["reply"]);
    assert_eq!(first["degraded"][0]["part"], "session");
    assert_eq!((asked, &answer["action"]), (StatusCode::OK, &json!("crisis")));
}

#[tokio::test]
async fn a_repeated_cry_for_help_with_its_key_gets_the_same_reply() {
    let app = App::start().await;
    let body = json!({"assistant": "therapy", "message": WORDS});
    let post =
        || app.request("POST", "/v1/chat").header("idempotency-key", "0123456789abcdef0123456789abcdef").json(&body);

    let first = app.send(post()).await;
    let second = app.send(post()).await;

    assert_eq!(first.body, second.body);
    let kept = app.of_session("GET", "/v1/session", session_of(&first.body)).await;
    assert_eq!((kept.status, &kept.body["version"]), (200, &json!(1)), "{}", kept.body);
}

#[tokio::test]
async fn no_wrong_session_and_no_length_keeps_help_back() {
    let app = App::start().await;
    let unknown = json!({"assistant": "therapy", "message": WORDS, "session_id": "0123456789abcdef0123456789abcdef"});
    let travel = app.say(None, "from Oslo to Rome").await;
    let another = json!({"assistant": "therapy", "message": WORDS, "session_id": session_of(&travel)});
    let long =
        json!({"assistant": "therapy", "message": format!("{} {WORDS}.", "I don't know where to begin. ".repeat(200))});
    for body in [unknown, another, long] {
        let answer = app.post_chat(&body).await;
        assert_eq!((answer.status, &answer.body["action"]), (200, &json!("crisis")), "{}", answer.body);
        assert_eq!(answer.body["degraded"], json!([]));
    }
    let long = json!({"assistant": "therapy", "message": "How are you? ".repeat(400)});
    assert_eq!(app.post_chat(&long).await.status, 422, "other messages keep their limit");
}

#[tokio::test]
async fn it_is_said_at_the_start_of_a_session_that_an_ai_answers_and_not_in_each_turn() {
    let app = App::start().await;
    let first = app.say(None, "from Oslo to Rome").await;
    let second = app.say(Some(session_of(&first)), "tomorrow").await;
    assert!(first["notice"].as_str().unwrap().contains("an AI"), "{first}");
    assert_eq!(second["notice"], Value::Null);
}
