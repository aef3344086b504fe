//! What turns and scheduled calls come to is counted, each once and as what it was.

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;
use shared::api::{Degraded, ReplyEvent, Writer};
use shared::observe::{observed, observed_call};
use shared::pipeline::Pipeline;
use shared::private::Private;
use shared::trace::Trace;
use tests::{App, FRIDAY, serve};

use crate::metrics::shown;

/// What the steps do, as the message asks for it.
const SCRIPTS: [&str; 4] = ["model away", "cut off", "breaks off", "respond away"];

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
            ReplyEvent::Begun { written_by: Writer::Model },
            delta(),
            ReplyEvent::Failed { reason: "cut_off".to_owned(), usage: None },
        ],
        "breaks off" => vec![delta()],
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
                return ([(header::CONTENT_TYPE, "text/event-stream")], frames).into_response();
            }
            ("/steps/session/begin", _) if text.contains("begin-away") => {
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
    let deps = chat::Deps::new(scripted_steps(&app).await, app.colloquy.turn_queues().0, tests::options().assistants);
    // Under a name of its own, for all tests of the process are counted together.
    let chat = serve(observed("turns-alone", chat::router(deps))).await;
    let client = reqwest::Client::new();
    let mut expected = [0.0; 5];
    let [ok, degraded, failed, without, with] = [0, 1, 2, 3, 4];
    for (message, key, status, moves) in [
        ("well", "none", 200, &[ok, without][..]),
        ("model away", "none", 200, &[degraded, with]),
        ("cut off", "none", 200, &[degraded, with]),
        ("breaks off", "none", 200, &[failed, without]),
        ("respond away", "none", 200, &[failed, without]),
        ("well", "begin-away", 502, &[failed]),
        ("", "none", 400, &[]),
    ] {
        for path in ["/v1/chat", "/v1/chat/stream", "/v1/ask", "/v1/ask/stream"] {
            if key == "begin-away" && path.starts_with("/v1/ask") {
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
