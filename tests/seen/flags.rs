//! Switches that work without a deployment, on the running set.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use contracts::api::{RESPOND, ReplyEvent, ReplyRequest, Writer};
use flights::amadeus::Amadeus;
use flights::duffel::Duffel;
use flights::provider::Provider;
use futures::StreamExt;
use http::StatusCode;
use local::Options;
use runtime::config::Secret;
use runtime::deadline::Deadline;
use runtime::flags::FlagSource;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::App;
use tower::ServiceExt;

use crate::outside::Outside;

const TTL: Duration = Duration::from_millis(50);
const PLAIN: &str = "fly me from Lahore to Dubai next Friday";

/// A file of flags, gone with the test.
struct File(PathBuf);

impl File {
    fn new(flags: &Value) -> Self {
        let file = Self(std::env::temp_dir().join(format!("colloquy-flags-{}.json", ulid::Ulid::generate())));
        file.set(flags);
        file
    }

    fn set(&self, flags: &Value) {
        std::fs::write(&self.0, flags.to_string()).unwrap();
    }

    fn source(&self) -> FlagSource {
        FlagSource::file(&self.0, TTL)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[tokio::test]
async fn a_provider_is_switched_off_and_on_again_while_it_runs() {
    let file = File::new(&json!({"providers": []}));
    let app = App::with_options(Options { flags: file.source(), ..tests::options() }).await;
    let reply = app.say(None, PLAIN).await;
    assert_eq!(reply["degraded"], json!([{"part": "flights", "reason": "switched_off"}]));
    file.set(&json!({"providers": ["sample"]}));
    for _ in 0..100 {
        let reply = app.say(None, PLAIN).await;
        if reply["degraded"] == json!([]) {
            assert!(!reply["offers"].as_array().unwrap().is_empty());
            return;
        }
        tokio::time::sleep(TTL).await;
    }
    panic!("the flags were not read again");
}

#[tokio::test]
async fn chat_hands_its_flags_on_to_steps_that_have_none_of_their_own() {
    let app = App::start().await;
    let file = File::new(&json!({"providers": []}));
    let flags = FlagSource::file(&file.0, Duration::from_secs(60));
    let steps = Pipeline::new(app.colloquy.steps_url()).unwrap();
    let chat = chat::Deps::new(steps, app.colloquy.turn_queues().0, tests::options().assistants).with_flags(flags);
    let body = json!({"assistant": "travel", "message": PLAIN, "client_time": tests::FRIDAY}).to_string();
    let request = Request::post("/v1/chat").header("content-type", "application/json").body(Body::from(body));
    let answer = chat::router(chat).oneshot(request.unwrap()).await.unwrap();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["degraded"], json!([{"part": "flights", "reason": "switched_off"}]), "{body}");
}

#[tokio::test]
async fn without_its_flag_a_model_is_not_asked() {
    let odd = "whisk my better half and me off from Lahore to where the Colosseum stands on 3 December";
    for (flags, asked) in [(json!({}), 1), (json!({"model": false}), 0)] {
        let file = File::new(&flags);
        let (outside, options) = Outside::start().await;
        let app = App::with_options(Options { flags: file.source(), ..options }).await;
        app.say(None, odd).await;
        assert_eq!(outside.traces("/chat/completions").len(), asked, "{flags}");
    }
}

#[tokio::test]
async fn without_its_flag_no_model_writes_either() {
    let passage = json!({"id": "1", "text": "Airlines differ in the baggage that they let you carry.", "source": "S", "score": 1.0});
    for action in [json!({"type": "retrieve"}), json!({"type": "look_up", "topic": "baggage"})] {
        for (flags, asked) in [(json!({}), 1), (json!({"model": false}), 0)] {
            let file = File::new(&flags);
            let (outside, options) = Outside::start().await;
            let app = App::with_options(Options { flags: file.source(), ..options }).await;
            let request: ReplyRequest = serde_json::from_value(json!({
                "assistant": "travel", "action": action, "session": {}, "client_time": tests::FRIDAY,
                "question": "What baggage may I carry?", "passages": [passage],
            }))
            .unwrap();
            let deadline = Deadline::after(Duration::from_secs(3));
            let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
            let events = pipeline.stream(&RESPOND, &request, deadline, deadline).await.unwrap();
            let events: Vec<ReplyEvent> = events.map(Result::unwrap).collect().await;
            assert!(matches!(events.last(), Some(ReplyEvent::Done { written_by: Writer::Extract, .. })));
            assert_eq!(outside.traces("/chat/completions").len(), asked, "{flags} {action}");
        }
    }
}

#[tokio::test]
async fn what_is_independent_is_done_at_once_or_in_turn() {
    let slow = Router::new().fallback(async || {
        tokio::time::sleep(Duration::from_millis(400)).await;
        StatusCode::BAD_REQUEST
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, slow).await });
    for (order, least, most) in [("concurrent", 400, 780), ("sequential", 800, 5_000)] {
        let file = File::new(&json!({"steps": order}));
        let secret = |name: &str| Secret::new(name, "test".to_owned());
        let client = || runtime::upstream::client().unwrap();
        let (id, key) = (secret("AMADEUS_CLIENT_ID"), secret("AMADEUS_CLIENT_SECRET"));
        let providers = [
            Provider::Duffel(Duffel::new(client(), &url, secret("DUFFEL_API_TOKEN"))),
            Provider::Amadeus(Amadeus::new(client(), &url, id, key, None)),
        ];
        let flights = flights::Deps::new(providers, Duration::from_secs(5));
        let app = App::with_options(Options { flags: file.source(), flights, ..tests::options() }).await;
        app.say(None, "hello").await;
        let started = Instant::now();
        app.say(None, PLAIN).await;
        let took = started.elapsed().as_millis();
        assert!((least..most).contains(&took), "{order}: {took} ms");
    }
}
