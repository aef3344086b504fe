use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::testing::{Mortal, Then};
use super::*;

fn in_a_second() -> Deadline {
    Deadline::after(Duration::from_secs(1))
}

#[tokio::test]
async fn a_pooled_connection_that_was_closed_while_the_process_was_frozen_costs_nobody_an_answer() {
    let server = Mortal::start(Then::Closes, "ok");
    let client = Client::new();
    for round in 1..=5 {
        let answer = exchange("test", client.post(&server.url).body("x")).await.unwrap();
        assert_eq!((answer.status.as_u16(), server.requests()), (200, round));
        server.closed.recv().unwrap();
    }
    let request = client.post(&server.url).body("x");
    let sent = send("test", request, Repeat::Unbegun, &repetitions(), in_a_second()).await;
    assert_eq!((sent.unwrap().status().as_u16(), server.requests()), (200, 6));
}

#[tokio::test]
async fn a_request_that_was_read_is_not_sent_again_when_the_server_dies() {
    let server = Mortal::start(Then::Dies, "ok");
    let client = Client::new();
    let request = || client.post(&server.url).body("x");
    exchange("test", request()).await.unwrap();
    let failure = exchange("test", request()).await.err().unwrap();
    assert_eq!((failure.reason, server.requests()), (Reason::Unavailable, 2));

    for (repeat, requests) in [(Repeat::Unbegun, 4), (Repeat::Anything, 6)] {
        exchange("test", request()).await.unwrap();
        let failure = send("test", request(), repeat, &repetitions(), in_a_second()).await.unwrap_err();
        assert_eq!((failure.reason, server.requests()), (Reason::Unavailable, requests));
    }
}

/// How often a server is asked that answers this each time, and how long that takes.
async fn asked(repeat: Repeat, status: u16, retry_after: Option<&'static str>) -> (usize, Duration) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    let router = axum::Router::new().fallback(async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let headers = retry_after.map(|seconds| ("retry-after".parse().unwrap(), seconds.parse().unwrap()));
        (StatusCode::from_u16(status).unwrap(), HeaderMap::from_iter(headers))
    });
    let request = Client::new().post(serve_router(router).await).body("x");
    let started = Instant::now();
    let answer = send("test", request, repeat, &repetitions(), Deadline::after(Duration::from_secs(5))).await;
    assert_eq!(answer.unwrap().status().as_u16(), status);
    (requests.load(Ordering::SeqCst), started.elapsed())
}

#[tokio::test]
async fn what_is_paid_is_repeated_only_where_surely_nothing_was_begun() {
    for (status, retry_after, paid, cheap) in [
        (429, None, 3, 3),
        (429, Some("0"), 3, 3),
        (503, Some("0"), 3, 3),
        (503, None, 1, 3),
        (500, None, 1, 3),
        (500, Some("0"), 1, 3),
        (502, None, 1, 3),
        (504, None, 1, 1),
        (400, None, 1, 1),
        (200, None, 1, 1),
    ] {
        assert_eq!(asked(Repeat::Unbegun, status, retry_after).await.0, paid, "paid: {status} {retry_after:?}");
        assert_eq!(asked(Repeat::Anything, status, retry_after).await.0, cheap, "cheap: {status} {retry_after:?}");
    }
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_waited_for_up_to_a_second() {
    let (times, took) = asked(Repeat::Unbegun, 503, Some("1")).await;
    assert!(times == 3 && took >= Duration::from_secs(2), "{times} {took:?}");
    let (times, took) = asked(Repeat::Anything, 503, Some("2")).await;
    assert!(times == 1 && took < Duration::from_millis(500), "{times} {took:?}");
}

#[test]
fn a_pause_is_read_as_date_moment_or_seconds_and_bounded() {
    let soon = Timestamp::now() + jiff::SignedDuration::from_secs(20);
    let date = soon.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (name, value, least, most) in [
        ("ratelimit-reset", date.as_str(), 17, 20),
        ("ratelimit-reset", &soon.to_string(), 17, 20),
        ("ratelimit-reset", "Mon, 29 Nov 2021 10:00:00 GMT", 0, 0),
        ("retry-after", "7", 7, 7),
        ("retry-after", "86400", 60, 60),
    ] {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let seconds = pause(&headers).unwrap().as_secs();
        assert!((least..=most).contains(&seconds), "{value}: {seconds}");
    }
    assert_eq!(pause(&HeaderMap::new()), None);
    assert_eq!(pause(&HeaderMap::from_iter([("retry-after".parse().unwrap(), "soon".parse().unwrap())])), None);
}

async fn serve_router(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn serve(bytes: usize) -> String {
    serve_router(axum::Router::new().fallback(async move || " ".repeat(bytes))).await
}

#[tokio::test]
async fn a_providers_answer_is_4_mib_at_most() {
    for (bytes, expected) in [(LARGEST_EXCHANGE, Ok(LARGEST_EXCHANGE)), (LARGEST_EXCHANGE + 1, Err("invalid_answer"))] {
        let request = client().unwrap().get(serve(bytes).await);
        let answer = exchange("it", request).await.map(|answer| answer.body.len());
        assert_eq!(answer.map_err(|failure| failure.reason.as_str()), expected);
    }
}

#[tokio::test]
async fn a_large_answer_is_read_on_another_thread() {
    let here = std::thread::current().id();
    for (bytes, expected) in [(LARGE, true), (LARGE + 1, false)] {
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: vec![b' '; bytes] };
        assert_eq!(answer.read(move |_| Ok(std::thread::current().id() == here)).await, Ok(expected));
    }
    let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: vec![b' '; LARGE + 1] };
    let panicked = answer.read::<()>(|_| panic!("a bug")).await;
    assert_eq!(panicked.unwrap_err().reason, Reason::InvalidAnswer);
}

#[test]
fn what_the_body_tells_comes_before_the_status() {
    let of = |status: u16, told| {
        Failure::answered(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), told).reason.as_str()
    };
    for (status, told, expected) in [
        (400, Some(Reason::RateLimited), "rate_limited"),
        (401, Some(Reason::Unavailable), "unavailable"),
        (401, None, "unauthorized"),
        (403, None, "unauthorized"),
        (400, None, "rejected"),
        (422, None, "rejected"),
        (429, None, "rate_limited"),
        (500, None, "unavailable"),
        (502, None, "unavailable"),
        (504, None, "timeout"),
        (302, None, "invalid_answer"),
    ] {
        assert_eq!(of(status, told), expected, "{status}");
    }
}
