//! What is away or slow is missing from the answer, and the answer says so.

use axum::Router;
use axum::routing::post;
use flights::Deps;
use flights::provider::Provider;
use serde_json::json;
use std::time::{Duration, Instant};
use tests::{App, serve};

const MESSAGE: &str = "fly me from Lahore to Dubai next Friday";

fn duffel(url: &str) -> Provider {
    let token = shared::config::Secret::new("DUFFEL_API_TOKEN", "test".to_owned());
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
async fn with_every_provider_failing_there_is_an_apology_and_the_talk_goes_on() {
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
