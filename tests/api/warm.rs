//! What keeps the way of a message ready calls all of it, one part after the other, and says what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::routing::post;
use flights::amadeus::Amadeus;
use flights::provider::Provider;
use local::Options;
use runtime::config::Secret;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use serde_json::json;
use tests::App;
use tokio::sync::Mutex;

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Flights of an Amadeus that counts how often it is asked for a token.
async fn counted_flights() -> (flights::Deps, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counter = count.clone();
    let token = async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        axum::Json(json!({"access_token": "token", "expires_in": 1799}))
    };
    let url = serve(Router::new().route("/v1/security/oauth2/token", post(token))).await;
    let secret = |name| Secret::new(name, "test".to_owned());
    let (id, key) = (secret("AMADEUS_CLIENT_ID"), secret("AMADEUS_CLIENT_SECRET"));
    let amadeus = Amadeus::new(reqwest::Client::new(), &url, id, key, None);
    (flights::Deps::new([Provider::Amadeus(amadeus)], Duration::from_secs(5)), count)
}

fn deps(steps_url: String, public_url: String) -> Arc<warm::Deps> {
    Arc::new(warm::Deps::new(Pipeline::new(steps_url).unwrap(), public_url).unwrap())
}

#[tokio::test]
async fn every_part_is_ready_afterwards_and_a_token_that_holds_is_not_fetched_again() {
    let (flights, tokens) = counted_flights().await;
    let app = App::with_flights(flights).await;
    let deps = deps(app.colloquy.steps_url(), app.colloquy.url());

    let summary = warm::warm(deps.clone(), Deadline::after(Duration::from_secs(10))).await;
    let again = warm::warm(deps, Deadline::after(Duration::from_secs(10))).await;

    assert_eq!((summary.failed, again.failed), (0, 0), "{summary:?}");
    let names: Vec<&str> = summary.parts.keys().copied().collect();
    assert_eq!(names, ["chat", "flights", "respond", "retrieve", "session", "understand"]);
    assert_eq!(summary.parts["flights"].ready, ["amadeus"]);
    assert_eq!(summary.parts["retrieve"].ready, ["defi", "fertility", "therapy", "travel"]);
    assert_eq!(tokens.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn parts_are_called_one_after_the_other_and_those_that_fail_are_named() {
    let (called, under_way) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU32::new(0)));
    let calls = called.clone();
    let answer = async move |request: Request| {
        assert_eq!(under_way.fetch_add(1, Ordering::SeqCst), 0, "a small account has room for one");
        calls.lock().await.push(request.uri().path().to_owned());
        tokio::time::sleep(Duration::from_millis(20)).await;
        under_way.fetch_sub(1, Ordering::SeqCst);
        http::StatusCode::FORBIDDEN
    };
    let url = serve(Router::new().fallback(answer)).await;
    let deps = deps(url.clone(), url);

    let summary = warm::warm(deps, Deadline::after(Duration::from_secs(10))).await;

    assert!(summary.failed == 6 && !summary.is_whole());
    assert_eq!(
        serde_json::to_value(&summary.parts["session"].degraded).unwrap(),
        json!([{"part": "session", "reason": "unavailable"}])
    );
    let expected = [
        "/v1/assistants",
        "/steps/understand",
        "/steps/session/read",
        "/steps/flights/warm",
        "/steps/retrieve/warm",
        "/steps/respond",
    ];
    assert_eq!(*called.lock().await, expected);
}

#[tokio::test]
async fn a_part_that_hangs_takes_none_of_the_others_along() {
    let app = App::start().await;
    let hang = serve(Router::new().fallback(async || std::future::pending::<String>().await)).await;
    let started = Instant::now();

    let deps = deps(app.colloquy.steps_url(), hang);
    let summary = warm::warm(deps, Deadline::after(Duration::from_secs(6))).await;

    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(summary.failed, 1);
    assert_eq!(
        serde_json::to_value(&summary.parts["chat"].degraded).unwrap(),
        json!([{"part": "chat", "reason": "timeout"}])
    );
}

#[tokio::test]
async fn on_a_laptop_it_runs_by_itself() {
    let (flights, tokens) = counted_flights().await;
    let warm_every = Some(Duration::from_secs(1));
    let app = App::with_options(Options { flights, warm_every, ..tests::options() }).await;
    let started = Instant::now();
    while tokens.load(Ordering::SeqCst) == 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "no token was fetched");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.colloquy.stop().await;
}
