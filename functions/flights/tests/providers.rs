//! The step as it is called, against servers on loopback that stand in for the providers.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{RawQuery, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use contracts::api::FlightResults;
use flights::Deps;
use flights::amadeus::Amadeus;
use flights::duffel::Duffel;
use flights::provider::Provider;
use http::{HeaderMap, StatusCode};
use lambda_http::RequestExt;
use runtime::config::Secret;
use runtime::upstream::client;
use tower::ServiceExt;

const DUFFEL_OFFERS: &str = include_str!("samples/duffel-offers.json");
const AMADEUS_OFFERS: &str = include_str!("samples/amadeus-offers.json");
const TOKEN: &str = r#"{"type": "amadeusOAuth2Token", "access_token": "token-1", "expires_in": 1799}"#;
const SECRET: &str = "kept-to-ourselves";

/// Serves a stand-in and says where.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn duffel(url: &str) -> Provider {
    Provider::Duffel(Duffel::new(client().unwrap(), url, Secret::new("DUFFEL_API_TOKEN", SECRET.into())))
}

fn amadeus(url: &str) -> Provider {
    let secret = |name| Secret::new(name, SECRET.into());
    let (id, secret) = (secret("AMADEUS_CLIENT_ID"), secret("AMADEUS_CLIENT_SECRET"));
    Provider::Amadeus(Amadeus::new(client().unwrap(), url, id, secret, None))
}

/// A Duffel that answers everything with `answer`, and counts.
async fn duffel_answering<R>(answer: impl Fn() -> R + Clone + Send + Sync + 'static) -> (Provider, Arc<AtomicU32>)
where
    R: IntoResponse + 'static,
{
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let handler = async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        answer()
    };
    (duffel(&serve(Router::new().route("/air/offer_requests", post(handler))).await), count)
}

/// An Amadeus whose searches answer with `answer`.
async fn amadeus_answering<R: IntoResponse + 'static>(
    answer: impl Fn() -> R + Clone + Send + Sync + 'static,
) -> Provider {
    let router = Router::new()
        .route("/v1/security/oauth2/token", post(TOKEN))
        .route("/v2/shopping/flight-offers", get(async move || answer()));
    amadeus(&serve(router).await)
}

fn step(providers: impl IntoIterator<Item = Provider>) -> Router {
    flights::router(Deps::new(providers, Duration::from_millis(700)))
}

fn request(changes: serde_json::Value) -> Request {
    let mut query = serde_json::json!({
        "origin": {"name": "Lahore", "iata": "LHE"}, "destination": {"name": "Dubai", "iata": "DXB"},
        "departure_date": "2026-11-27", "return_date": "2026-12-04", "passengers": {"adults": 2},
    });
    query.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let request = Request::post("/steps/flights").header("content-type", "application/json");
    request.body(Body::from(query.to_string())).unwrap()
}

async fn answer(router: &Router, request: Request) -> FlightResults {
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    serde_json::from_slice(&axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap()
}

async fn search(router: &Router) -> FlightResults {
    answer(router, request(serde_json::json!({}))).await
}

fn degraded(results: &FlightResults) -> Vec<String> {
    results.degraded.iter().map(|missing| format!("{} {}", missing.part, missing.reason)).collect()
}

fn ids(results: &FlightResults) -> Vec<&str> {
    results.offers.iter().map(|offer| offer.id.as_str()).collect()
}

#[tokio::test]
async fn a_journey_over_several_cities_is_searched_with_both() {
    let (asked, mut bodies) = tokio::sync::mpsc::unbounded_channel::<serde_json::Value>();
    let (of_duffel, of_amadeus) = (asked.clone(), asked);
    let duffel_answers = async move |Json(body): Json<serde_json::Value>| {
        of_duffel.send(body).unwrap();
        (StatusCode::CREATED, DUFFEL_OFFERS)
    };
    let amadeus_answers = async move |Json(body): Json<serde_json::Value>| {
        of_amadeus.send(body).unwrap();
        AMADEUS_OFFERS
    };
    let duffel = duffel(&serve(Router::new().route("/air/offer_requests", post(duffel_answers))).await);
    let router = Router::new()
        .route("/v1/security/oauth2/token", post(TOKEN))
        .route("/v2/shopping/flight-offers", post(amadeus_answers));
    let amadeus = amadeus(&serve(router).await);
    let onward = serde_json::json!([
        {"origin": {"name": "Abu Dhabi", "iata": "AUH"}, "destination": {"name": "Lahore", "iata": "LHE"}, "date": "2026-12-04"},
    ]);

    let changes = serde_json::json!({"return_date": null, "onward": onward});
    let results = answer(&step([duffel, amadeus]), request(changes)).await;

    // Both answered: their samples are in several currencies.
    assert_eq!(degraded(&results), ["flights mixed_currencies"]);
    assert_eq!(results.offers.len(), 4);
    let both = [bodies.recv().await.unwrap(), bodies.recv().await.unwrap()];
    let slices = both.iter().find_map(|body| body.pointer("/data/slices/1/origin")).unwrap();
    let legs = both.iter().find_map(|body| body.pointer("/originDestinations/1/originLocationCode")).unwrap();
    assert_eq!((slices.as_str(), legs.as_str()), (Some("AUH"), Some("AUH")));
}

#[tokio::test]
async fn both_answer_and_the_best_comes_first() {
    let (duffel, _) = duffel_answering(|| (StatusCode::CREATED, DUFFEL_OFFERS)).await;
    let results = search(&step([duffel, amadeus_answering(|| AMADEUS_OFFERS).await])).await;
    // Pounds are what most offers have; dollars and yen come after, and are not compared.
    assert_eq!(ids(&results), ["1", "off_return", "2", "off_test"]);
    assert_eq!(results.offers.iter().map(|offer| offer.rank).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(degraded(&results), ["flights mixed_currencies"]);
    assert!(results.offers[1].dominated && !results.offers[2].dominated);
}

#[tokio::test]
async fn what_a_provider_does_not_filter_is_filtered_here() {
    let (duffel, _) = duffel_answering(|| DUFFEL_OFFERS).await;
    let router = step([duffel]);
    for (changes, expected) in [
        (serde_json::json!({"max_stops": 0}), &["off_test"][..]),
        (serde_json::json!({"airlines": [{"name": "Duffel Airways", "iata": "ZZ"}]}), &["off_test"]),
        (serde_json::json!({"max_price": {"amount": "500.00", "currency": "GBP"}}), &["off_test"]),
        (serde_json::json!({"max_price": {"amount": "99.99", "currency": "USD"}}), &["off_return"]),
        (serde_json::json!({"cabin": "business"}), &[]),
    ] {
        assert_eq!(ids(&answer(&router, request(changes.clone())).await), expected, "{changes}");
    }
}

#[tokio::test]
async fn one_that_fails_is_named_and_the_others_offers_come() {
    let html = || (StatusCode::BAD_GATEWAY, "<h1>Error: Server Error</h1>");
    let limited = || (StatusCode::TOO_MANY_REQUESTS, r#"{"errors": [{"type": "rate_limit_error"}]}"#);
    let refused = || (StatusCode::UNAUTHORIZED, r#"{"errors": [{"type": "authentication_error"}]}"#);
    type Failing = fn() -> (StatusCode, &'static str);
    let answers: [(Failing, &str); 5] = [
        (html, "duffel unavailable"),
        (limited, "duffel rate_limited"),
        (refused, "duffel unauthorized"),
        (|| (StatusCode::OK, "<html>"), "duffel invalid_answer"),
        (|| (StatusCode::INTERNAL_SERVER_ERROR, ""), "duffel unavailable"),
    ];
    for (failing, expected) in answers {
        let (duffel, asked) = duffel_answering(failing).await;
        let results = search(&step([duffel, amadeus_answering(|| AMADEUS_OFFERS).await])).await;
        assert_eq!(results.offers.len(), 2, "{expected}");
        assert_eq!(degraded(&results)[0], expected);
        // In particular, 500 and 502 are not repeated.
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{expected}");
    }
}

#[tokio::test]
async fn one_that_hangs_costs_its_time_limit_and_no_more() {
    let router = Router::new().route("/air/offer_requests", post(async || std::future::pending::<()>().await));
    let router = step([duffel(&serve(router).await), amadeus_answering(|| AMADEUS_OFFERS).await]);
    let started = Instant::now();
    let results = search(&router).await;
    assert!((600..1_500).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    assert_eq!((results.offers.len(), degraded(&results)[0].as_str()), (2, "duffel timeout"));
}

#[tokio::test]
async fn the_callers_deadline_comes_before_the_time_limit() {
    let router = Router::new().route("/air/offer_requests", post(async || std::future::pending::<()>().await));
    let providers = [duffel(&serve(router).await), amadeus_answering(|| AMADEUS_OFFERS).await];
    let router = flights::router(Deps::new(providers, Duration::from_secs(60)));
    let mut hurried = request(serde_json::json!({}));
    hurried.headers_mut().insert("colloquy-deadline-ms", "1000".parse().unwrap());
    let started = Instant::now();
    let results = answer(&router, hurried).await;
    assert!(started.elapsed() < Duration::from_millis(1_000), "{:?}", started.elapsed());
    assert_eq!((results.offers.len(), degraded(&results)[0].as_str()), (2, "duffel timeout"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failure() {
    let cut = || {
        let pieces = [Ok(DUFFEL_OFFERS[..500].to_owned()), Err(std::io::Error::other("cut"))];
        Response::new(Body::from_stream(futures::stream::iter(pieces)))
    };
    let (duffel, _) = duffel_answering(cut).await;
    let results = search(&step([duffel])).await;
    assert_eq!((ids(&results), degraded(&results)), (vec![], vec!["duffel unavailable".into()]));
}

#[tokio::test]
async fn all_failing_and_nothing_found_are_told_apart() {
    let unreachable = duffel("http://127.0.0.1:9");
    let results = search(&step([unreachable, amadeus_answering(|| StatusCode::SERVICE_UNAVAILABLE).await])).await;
    assert_eq!(
        (ids(&results), degraded(&results)),
        (vec![], vec!["duffel unavailable".into(), "amadeus unavailable".into()])
    );

    let (duffel, _) = duffel_answering(|| r#"{"data": {"offers": []}}"#).await;
    let results = search(&step([duffel, amadeus_answering(|| r#"{"data": []}"#).await])).await;
    assert_eq!((ids(&results), degraded(&results)), (vec![], vec![]));
}

#[tokio::test]
async fn a_rate_limit_is_respected_until_its_date() {
    let reset =
        (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let (duffel, asked) =
        duffel_answering(move || (StatusCode::TOO_MANY_REQUESTS, [("ratelimit-reset", reset.clone())], "{}")).await;
    let router = step([duffel]);
    for _ in 0..3 {
        assert_eq!(degraded(&search(&router).await), ["duffel rate_limited"]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    search(&router).await;
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn one_that_keeps_failing_is_left_alone() {
    let (duffel, asked) = duffel_answering(|| StatusCode::BAD_GATEWAY).await;
    let router = step([duffel]);
    for _ in 0..20 {
        assert_eq!(degraded(&search(&router).await), ["duffel unavailable"]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn one_that_hangs_holds_up_one_search_and_not_those_after_it() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    let hang = async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<StatusCode>().await
    };
    let hangs = duffel(&serve(Router::new().route("/air/offer_requests", post(hang))).await);
    let router = step([hangs, amadeus_answering(|| AMADEUS_OFFERS).await]);
    search(&router).await;
    let started = Instant::now();
    for _ in 0..5 {
        let results = search(&router).await;
        assert_eq!((ids(&results).len(), degraded(&results)[0].as_str()), (2, "duffel timeout"));
    }
    assert!(started.elapsed() < Duration::from_millis(700), "{:?}", started.elapsed());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_hundred_searches_at_once_fetch_one_token() {
    let fetched = Arc::new(AtomicU32::new(0));
    let counted = fetched.clone();
    let token = async move |body: String| {
        assert_eq!(body, format!("grant_type=client_credentials&client_id={SECRET}&client_secret={SECRET}"));
        tokio::time::sleep(Duration::from_millis(50)).await;
        counted.fetch_add(1, Ordering::Relaxed);
        TOKEN
    };
    let offers = async |headers: HeaderMap, RawQuery(query): RawQuery| {
        assert_eq!(headers["authorization"], "Bearer token-1");
        let expected = "originLocationCode=LHE&destinationLocationCode=DXB&departureDate=2026-11-27&returnDate=2026-12-04&adults=2&max=100";
        assert_eq!(query.as_deref(), Some(expected));
        AMADEUS_OFFERS
    };
    let router =
        Router::new().route("/v1/security/oauth2/token", post(token)).route("/v2/shopping/flight-offers", get(offers));
    let router = step([amadeus(&serve(router).await)]);

    let results = futures::future::join_all((0..100).map(|_| search(&router))).await;

    assert!(results.iter().all(|results| results.offers.len() == 2));
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let fetched = Arc::new(AtomicU32::new(0));
    let counted = fetched.clone();
    let token = async move || {
        let nth = counted.fetch_add(1, Ordering::Relaxed) + 1;
        format!(r#"{{"access_token": "token-{nth}", "expires_in": "1799"}}"#)
    };
    let offers = async |headers: HeaderMap| match headers["authorization"].to_str().unwrap() {
        "Bearer token-2" => AMADEUS_OFFERS.into_response(),
        _ => (StatusCode::UNAUTHORIZED, r#"{"errors": [{"code": 38192, "title": "Access token expired"}]}"#)
            .into_response(),
    };
    let router =
        Router::new().route("/v1/security/oauth2/token", post(token)).route("/v2/shopping/flight-offers", get(offers));
    let router = step([amadeus(&serve(router).await)]);
    assert_eq!(search(&router).await.offers.len(), 2);
    assert_eq!(search(&router).await.offers.len(), 2);
    assert_eq!(fetched.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn refused_credentials_are_named_and_not_tried_again_and_again() {
    let refused =
        (StatusCode::UNAUTHORIZED, r#"{"error": "invalid_client", "code": 38187, "title": "Invalid parameters"}"#);
    let router = step([amadeus(&serve(Router::new().route("/v1/security/oauth2/token", post(refused))).await)]);
    let results = search(&router).await;
    assert_eq!((ids(&results), degraded(&results)), (vec![], vec!["amadeus unauthorized".into()]));
}

#[tokio::test]
async fn duffel_is_asked_as_its_second_version_wants_it() {
    let asked = async |headers: HeaderMap, RawQuery(query): RawQuery| {
        assert_eq!(headers["authorization"], format!("Bearer {SECRET}"));
        assert_eq!(
            (&headers["duffel-version"], &headers["accept"]),
            (&"v2".parse().unwrap(), &"application/json".parse().unwrap())
        );
        assert_eq!(query.as_deref(), Some("return_offers=true&supplier_timeout=2000"));
        DUFFEL_OFFERS
    };
    let results = search(&step([duffel(&serve(Router::new().route("/air/offer_requests", post(asked))).await)])).await;
    assert_eq!(results.offers.len(), 2);
}

#[tokio::test]
async fn too_many_travellers_are_refused() {
    let response =
        step([]).oneshot(request(serde_json::json!({"passengers": {"adults": 9, "children": 1}}))).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_sample_event_is_answered_without_any_key() {
    let event = lambda_http::request::from_str(include_str!("../../../events/flights.json")).unwrap();
    // In Lambda, AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH leaves the stage out of the path.
    let path = event.raw_http_path().parse().unwrap();
    let (mut parts, body) = event.into_parts();
    parts.uri = path;
    let router = flights::router(Deps::from_env().unwrap());

    let results = answer(&router, Request::from_parts(parts, Body::from(body.to_vec()))).await;

    assert!((8..=20).contains(&results.offers.len()));
    assert!(results.offers.iter().all(|offer| offer.sample && offer.itineraries.len() == 2 && offer.stops <= 2));
    assert_eq!(degraded(&results), Vec::<String>::new());
}
