//! Told to stop, it finishes what it began.

use std::time::Duration;

use axum::Router;
use axum::routing::post;
use serde_json::json;
use tests::App;

#[tokio::test]
async fn a_turn_under_way_is_finished_before_the_end() {
    let slow = Router::new().route(
        "/air/offer_requests",
        post(async || {
            tokio::time::sleep(Duration::from_millis(800)).await;
            axum::Json(json!({"data": {"offers": []}}))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, slow).await });
    let app = App::with_flights(tests::duffel_flights([&url])).await;
    let body = json!({"assistant": "travel", "message": "from Oslo to Rome tomorrow"});
    let request = app.request("POST", "/v1/chat").json(&body);
    let turn = tokio::spawn(async move { request.send().await.unwrap().status().as_u16() });
    tokio::time::sleep(Duration::from_millis(300)).await;

    app.colloquy.stop().await;

    assert!(turn.is_finished(), "the stop waits for the turn");
    assert_eq!(turn.await.unwrap(), 200);
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_clear_error() {
    let app = App::start().await;
    let options = local::Options { port: app.colloquy.address().port(), ..tests::options() };
    let error = local::Colloquy::start(options).await.err().unwrap();
    assert!(error.to_string().contains("PORT"), "{error}");
}
