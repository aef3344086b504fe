//! What turns and scheduled calls come to is counted, each once and as what it was.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contracts::api::{Degraded, ReplyEvent, Writer};
use contracts::private::Private;
use futures::{StreamExt, stream};
use http::{StatusCode, header};
use local::Options;
use models::llm::ChatModel;
use models::openai::Server;
use runtime::observe::{observed, observed_call};
use runtime::pipeline::Pipeline;
use runtime::trace::Trace;
use serde_json::{Value, json};
use tests::{App, FRIDAY, serve};

use crate::metrics::shown;

/// What the steps do, as the message asks for it.
const SCRIPTS: [&str; 5] = ["model away", "cut off", "breaks off", "hangs", "respond away"];

fn said(written_by: Writer) -> Vec<ReplyEvent> {
    vec![
        ReplyEvent::Delta { text: Private("Words.".to_owned()) },
        ReplyEvent::Done { written_by, cited: Vec::new(), usage: None },
    ]
}

fn events(script: &str) -> Vec<ReplyEvent> {
    let delta = || ReplyEvent::Delta { text: Private("Words".to_owned()) };
    match script {
        "model away" => {
            let away = ReplyEvent::Degraded { degraded: Degraded::new("model", "timeout") };
            [vec![away], said(Writer::Rules)].concat()
        }
        "cut off" => vec![
            ReplyEvent::Begun { written_by: Writer::Model, estimate: None },
            delta(),
            ReplyEvent::Failed { reason: "cut_off".to_owned(), usage: None },
        ],
        "breaks off" | "hangs" => vec![delta()],
        _ => said(Writer::Rules),
    }
}

/// The steps of a set, but for what is scripted.
async fn scripted_steps(app: &App) -> Pipeline {
    let steps = app.colloquy.steps_url();
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let step = async move |request: Request| -> Response {
        let path = request.uri().path().to_owned();
        let asked = to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let text = std::str::from_utf8(&asked).unwrap();
        let script = SCRIPTS.into_iter().find(|script| text.contains(script)).unwrap_or_default();
        match (path.as_str(), script) {
            ("/steps/respond", "respond away") => return StatusCode::BAD_GATEWAY.into_response(),
            ("/steps/respond", script) => {
                let frame = |event: &ReplyEvent| format!("data: {}\n\n", serde_json::to_string(event).unwrap());
                let frames: String = events(script).iter().map(frame).collect();
                let frames = stream::iter([Ok::<_, Infallible>(frames)]);
                let body = match script {
                    "hangs" => Body::from_stream(frames.chain(stream::pending())),
                    _ => Body::from_stream(frames),
                };
                return ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response();
            }
            ("/steps/session/claim", _) if text.contains("claim-away") => {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            _ => {}
        }
        let call = client.post(format!("{steps}{path}")).header("content-type", "application/json").body(asked);
        let answer = call.send().await.unwrap();
        let kind = answer.headers()["content-type"].clone();
        (answer.status(), [("content-type", kind)], answer.bytes().await.unwrap()).into_response()
    };
    Pipeline::new(serve(Router::new().fallback(step)).await).unwrap()
}

#[tokio::test]
async fn each_turn_is_counted_once_as_what_it_came_to() {
    let app = App::start().await;
    let chat = chat_alone("turns-alone", &app, scripted_steps(&app).await).await;
    let client = reqwest::Client::new();
    let mut expected = [0.0; 5];
    let [ok, degraded, failed, without, with] = [0, 1, 2, 3, 4];
    for (message, key, status, moves) in [
        ("well", "none", 200, &[ok, without][..]),
        ("model away", "none", 200, &[degraded, with]),
        ("cut off", "none", 200, &[degraded, with]),
        ("breaks off", "none", 200, &[failed, without]),
        ("respond away", "none", 200, &[failed, without]),
        ("well", "claim-away", 503, &[failed]),
        ("", "none", 400, &[]),
    ] {
        for path in ["/v1/chat", "/v1/chat/stream", "/v1/ask", "/v1/ask/stream"] {
            if key == "claim-away" && path.starts_with("/v1/ask") {
                continue;
            }
            let body = if path.starts_with("/v1/chat") {
                json!({"assistant": "travel", "message": message, "client_time": FRIDAY})
            } else {
                json!({"assistant": "travel", "question": message})
            };
            let request = client.post(format!("{chat}{path}")).json(&body);
            let keyed = path.starts_with("/v1/chat") && key != "none";
            let request = if keyed { request.header("idempotency-key", key) } else { request };
            let answer = request.send().await.unwrap();
            let (answered, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            let refused = (400..500).contains(&status) && (400..500).contains(&answered);
            assert!(answered == status || refused, "{path} {message} {key}: {answered} {text}");
            for one in moves {
                expected[*one] += 1.0;
            }
            let shown = shown(&app).await;
            let outcome = |outcome| shown.sum("turns_total", &[("function", "turns-alone"), ("outcome", outcome)]);
            let turns =
                |model| shown.sum("turn_duration_seconds_count", &[("function", "turns-alone"), ("model", model)]);
            let counted = [outcome("ok"), outcome("degraded"), outcome("failed"), turns("no"), turns("yes")];
            assert_eq!(counted, expected, "{path} {message} {key}: {text}");
        }
    }
}

/// `chat` before the steps given, counted under a name that no other test has.
async fn chat_alone(function: &'static str, app: &App, steps: Pipeline) -> String {
    let deps = chat::Deps::new(steps, app.colloquy.turn_queues().0, tests::options().assistants);
    serve(observed(function, chat::router(deps))).await
}

#[tokio::test]
async fn a_model_that_does_not_help_to_understand_had_a_part_in_the_turn() {
    let hang = post(async || std::future::pending::<String>().await);
    let url = serve(Router::new().route("/chat/completions", hang)).await;
    let model = ChatModel::new(Server::new(&url, None).unwrap(), "stand-in", 100);
    let understand = understand::Deps { model: Some(model), ..Default::default() };
    let app = App::with_options(Options { understand, ..tests::options() }).await;
    let chat = chat_alone("understood-alone", &app, Pipeline::new(app.colloquy.steps_url()).unwrap()).await;
    let odd = "whisk my better half and me off from Lahore to where the Colosseum stands on 3 December";
    for (message, expected) in [("fly me from Lahore to Dubai next Friday", [1.0, 0.0]), (odd, [1.0, 1.0])] {
        let body = json!({"assistant": "travel", "message": message, "client_time": FRIDAY});
        let request = reqwest::Client::new().post(format!("{chat}/v1/chat")).header("colloquy-deadline-ms", "2000");
        assert_eq!(request.json(&body).send().await.unwrap().status(), 200);
        let shown = shown(&app).await;
        let turns = ["no", "yes"].map(|model| {
            shown.sum("turn_duration_seconds_count", &[("function", "understood-alone"), ("model", model)])
        });
        assert_eq!(turns, expected, "{message}");
    }
}

#[tokio::test]
async fn words_cut_off_by_the_callers_own_deadline_are_no_failure_of_ours() {
    let app = App::start().await;
    let chat = chat_alone("hurried-alone", &app, scripted_steps(&app).await).await;
    let mut expected = [0.0; 2];
    // What breaks off by itself is a failure, however little time there is.
    for (path, message, outcome) in [("/v1/chat", "hangs", 0), ("/v1/ask", "hangs", 0), ("/v1/ask", "breaks off", 1)] {
        let words = if path == "/v1/chat" { "message" } else { "question" };
        let body = json!({"assistant": "travel", words: message});
        let request = reqwest::Client::new().post(format!("{chat}{path}")).header("colloquy-deadline-ms", "1000");
        let reply: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!((&reply["reply"], &reply["incomplete"]), (&json!("Words"), &json!(true)), "{reply}");
        expected[outcome] += 1.0;
        let shown = shown(&app).await;
        let counted = ["degraded", "failed"]
            .map(|outcome| shown.sum("turns_total", &[("function", "hurried-alone"), ("outcome", outcome)]));
        assert_eq!(counted, expected, "{path} {message}: {reply}");
    }
}

#[tokio::test]
async fn a_scheduled_call_is_ok_or_failed_as_its_work_says() {
    let app = App::start().await;
    for well in [true, false, false] {
        assert_eq!(observed_call("swept-alone", Trace::begin(), async { well }, |well| *well).await, well);
    }
    let shown = shown(&app).await;
    for (status, times) in [("ok", 1.0), ("failed", 2.0)] {
        let counted = shown.sum("requests_total", &[("function", "swept-alone"), ("status", status)]);
        assert_eq!(counted, times, "{status}");
    }
}
