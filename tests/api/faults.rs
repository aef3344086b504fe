//! What is away or slow is missing from the answer, and the answer says so.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contracts::knowledge::Retrieval;
use flights::Deps;
use flights::provider::Provider;
use http::StatusCode;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::{App, serve, session_of};
use tower::ServiceExt;

use crate::asking::{app_at, endless};

const MESSAGE: &str = "fly me from Lahore to Dubai next Friday";

fn duffel(url: &str) -> Provider {
    let token = runtime::config::Secret::new("DUFFEL_API_TOKEN", "test".to_owned());
    Provider::Duffel(flights::duffel::Duffel::new(reqwest::Client::new(), url, token))
}

#[tokio::test]
async fn a_provider_that_hangs_is_named_and_the_others_offers_come() {
    let hang = Router::new().route("/air/offer_requests", post(async || std::future::pending::<String>().await));
    let providers = [duffel(&serve(hang).await), tests::sample_provider()];
    let app = App::with_flights(Deps::new(providers, Duration::from_millis(300))).await;
    let started = Instant::now();

    let reply = app.say(None, MESSAGE).await;

    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(reply["degraded"], json!([{"part": "duffel", "reason": "timeout"}]));
    assert!(!reply["offers"].as_array().unwrap().is_empty());
    assert!(reply["reply"].as_str().unwrap().contains("duffel"));
}

#[tokio::test]
async fn with_every_provider_failing_there_is_an_apology_and_the_session_goes_on() {
    let broken = Router::new().route("/air/offer_requests", post(async || http::StatusCode::BAD_GATEWAY));
    let app = App::with_flights(Deps::new([duffel(&serve(broken).await)], Duration::from_secs(1))).await;

    let reply = app.say(None, MESSAGE).await;

    assert_eq!(reply["degraded"][0]["part"], "duffel");
    assert_eq!(reply["offers"], json!([]));
    assert!(reply["reply"].as_str().unwrap().starts_with("I'm sorry"));
    assert_eq!(reply["slots"]["destination"]["name"], "Dubai");
    let next = app.say(Some(tests::session_of(&reply)), "make it business").await;
    assert_eq!((&next["slots"]["cabin"], &next["slots"]["origin"]["iata"]), (&json!("business"), &json!("LHE")));
}

#[tokio::test]
async fn a_short_deadline_is_kept_however_slow_a_provider_is() {
    let hang = Router::new().route("/air/offer_requests", post(async || std::future::pending::<String>().await));
    let app = App::with_flights(Deps::new([duffel(&serve(hang).await)], Duration::from_secs(8))).await;
    let body = json!({"assistant": "travel", "message": MESSAGE, "client_time": tests::FRIDAY});
    let started = Instant::now();

    let request = app.request("POST", "/v1/chat").header("colloquy-deadline-ms", "1500").json(&body);
    let answer = app.send(request).await;

    assert!(started.elapsed() < Duration::from_millis(1_600), "{:?}", started.elapsed());
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["degraded"][0]["reason"], "timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_not_whole_in_time_is_kept_as_far_as_it_came() {
    let complete = async || {
        ([("content-type", "text/event-stream")], Body::from_stream(endless(Default::default()))).into_response()
    };
    let embed = async || StatusCode::INTERNAL_SERVER_ERROR;
    let router = Router::new().route("/chat/completions", post(complete)).route("/embeddings", post(embed));
    let app = app_at(&serve(router).await, Retrieval::Words).await;
    let body = json!({"assistant": "fertility", "message": "What is IVF?"});
    let started = Instant::now();

    let request = app.request("POST", "/v1/chat").header("colloquy-deadline-ms", "1500").json(&body);
    let answer = app.send(request).await;

    assert!(started.elapsed() < Duration::from_millis(1_600), "{:?}", started.elapsed());
    assert_eq!((answer.status, &answer.body["incomplete"]), (200, &json!(true)), "{}", answer.body);
    assert!(answer.body["reply"].as_str().unwrap().starts_with("more more"), "{}", answer.body);
    let turns = app.of_session("GET", "/v1/session/turns", session_of(&answer.body)).await;
    assert_eq!(turns.body["turns"][0]["reply"], answer.body["reply"], "{}", turns.body);
}

/// The steps of a set behind a server that never answers on the path given, and `chat` before it.
async fn with_a_step_that_hangs(app: &App, hanging: &'static str) -> Router {
    let steps = app.colloquy.steps_url();
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let forward = async move |request: Request| -> Response {
        let path = request.uri().path().to_owned();
        if path == hanging {
            std::future::pending::<()>().await;
        }
        let asked = to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let call = client.post(format!("{steps}{path}")).header("content-type", "application/json").body(asked);
        let answer = call.send().await.unwrap();
        let kind = answer.headers()["content-type"].clone();
        (answer.status(), [("content-type", kind)], answer.text().await.unwrap()).into_response()
    };
    let pipeline = Pipeline::new(serve(Router::new().fallback(forward)).await).unwrap();
    chat::router(chat::Deps::new(pipeline, app.colloquy.turn_queues().0, tests::options().assistants))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_hangs_costs_its_part_of_the_answer_and_never_the_turn() {
    let app = App::start().await;
    for (step, part) in
        [("/steps/understand", "understand"), ("/steps/flights", "flights"), ("/steps/respond", "respond")]
    {
        let chat = with_a_step_that_hangs(&app, step).await;
        let body = json!({"assistant": "travel", "message": MESSAGE, "client_time": tests::FRIDAY}).to_string();
        let request = Request::post("/v1/chat").header("content-type", "application/json");
        let request = request.header("colloquy-deadline-ms", "2000").body(Body::from(body)).unwrap();
        let started = Instant::now();

        let answer = chat.oneshot(request).await.unwrap();

        assert!(started.elapsed() < Duration::from_millis(2_100), "{step}: {:?}", started.elapsed());
        let status = answer.status();
        let body: Value = serde_json::from_slice(&to_bytes(answer.into_body(), usize::MAX).await.unwrap()).unwrap();
        assert_eq!(
            (status, &body["degraded"][0]),
            (StatusCode::OK, &json!({"part": part, "reason": "timeout"})),
            "{body}"
        );
        assert!(!body["reply"].as_str().unwrap().is_empty());
        assert_eq!(app.of_session("GET", "/v1/session", session_of(&body)).await.body["version"], 1, "{step}");
    }
}
