use axum::body::Bytes;
use axum::routing::{get, post};
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::connection::PUBLIC;

const LIMITS: Limits = Limits {
    streams: 3,
    connections: 4,
    first: Duration::from_millis(200),
    idle: Duration::from_millis(400),
    stalled: Duration::from_millis(600),
    body: Duration::from_millis(500),
    is_trusted: false,
};

async fn start(router: Router) -> Server {
    Server::start(listen(0).unwrap(), router, LIMITS).unwrap()
}

fn router() -> Router {
    let slow = get(async || tokio::time::sleep(Duration::from_millis(500)).await);
    let endless = get(async || {
        let word = Bytes::from_static(&[b'.'; 64 * 1024]);
        axum::body::Body::from_stream(futures::stream::repeat_with(move || Ok::<_, std::io::Error>(word.clone())))
    });
    let read = post(async |body: axum::body::Body| match axum::body::to_bytes(body, 1024).await {
        Ok(body) => format!("read {}", body.len()),
        Err(_) => "broken off".to_owned(),
    });
    Router::new().route("/", get(async || "hello")).route("/slow", slow).route("/endless", endless).route("/read", read)
}

/// Connects, sends this, bit by bit with a pause before each but the first; what came until the other side closed, and when.
async fn talk(server: &Server, bits: &[&[u8]], pause: Duration) -> (String, Duration) {
    let started = std::time::Instant::now();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let (mut from, mut to) = stream.split();
    let send = async {
        for bit in bits {
            if to.write_all(bit).await.is_err() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    let read = async {
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..length]);
        }
    };
    tokio::select! {
        () = send => {}
        () = read => {}
        () = tokio::time::sleep(Duration::from_secs(5)) => {}
    }
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn a_connection_that_asks_for_nothing_is_closed() {
    let server = start(router()).await;
    for (name, bits) in [
        ("no byte", &[][..]),
        ("one byte", &[&b"P"[..]]),
        ("half a head", &[b"GET / HTTP/1.1\r\nHost: a\r\n"]),
        (
            "a head, header by header",
            &[b"GET / HTTP/1.1\r\n", b"a: 1\r\n", b"b: 1\r\n", b"c: 1\r\n", b"d: 1\r\n", b"e: 1\r\n"],
        ),
        ("HTTP/2 and no request", &[PREFACE]),
    ] {
        let (answer, after) = talk(&server, bits, Duration::from_millis(100)).await;
        assert!(!answer.contains("200 OK"), "{name}: {answer}");
        assert!(after >= LIMITS.first && after < LIMITS.first + GOODBYE + LIMITS.first, "{name}: {after:?}");
    }
    let (answer, after) = talk(&server, &[b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], Duration::ZERO).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(after >= LIMITS.idle && after < LIMITS.idle * 2, "after an answer: {after:?}");
}

#[tokio::test]
async fn a_request_under_way_keeps_its_connection() {
    let server = start(router()).await;
    let (answer, after) = talk(&server, &[b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"], Duration::ZERO).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(after >= Duration::from_millis(500) + LIMITS.idle, "{after:?}");
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_given_up() {
    let server = start(router()).await;
    let head: &[u8] = b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n";
    let (answer, after) =
        talk(&server, &[vec![head], vec![b".".as_slice(); 20]].concat(), Duration::from_millis(100)).await;
    assert!(answer.ends_with("broken off"), "{answer}");
    assert!(after >= LIMITS.body && after < LIMITS.body * 3, "{after:?}");
    let (answer, _) =
        talk(&server, &[vec![head], vec![b".....".as_slice(); 4]].concat(), Duration::from_millis(50)).await;
    assert!(answer.ends_with("read 20"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let server = start(router()).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(LIMITS.stalled + GOODBYE + Duration::from_millis(500)).await;
    let mut took = 0;
    let mut buffer = vec![0; 1024 * 1024];
    let ended = async {
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            took += length;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), ended).await.expect("it ends");
    assert!(took > 0, "what was on its way");
}

#[tokio::test]
async fn those_who_wait_for_a_connection_get_one_once_others_are_closed() {
    let server = start(router()).await;
    let mut silent = Vec::new();
    for _ in 0..LIMITS.connections {
        silent.push(TcpStream::connect(server.address()).await.unwrap());
    }
    let (answer, after) = talk(&server, &[b"GET / HTTP/1.0\r\n\r\n"], Duration::ZERO).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(after > Duration::from_millis(100) && after < Duration::from_secs(3), "{after:?}");
}

#[tokio::test]
async fn a_connection_carries_a_limited_number_of_requests_at_once() {
    let server = start(router()).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    client.get(server.url()).send().await.unwrap();
    let started = std::time::Instant::now();
    let slow = (0..LIMITS.streams + 1).map(|_| client.get(format!("{}/slow", server.url())).send());
    let answers: Vec<_> = futures::stream::iter(slow).buffer_unordered(8).collect().await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().status() == 200));
    assert!(started.elapsed() >= Duration::from_secs(1), "one more than may be waited: {:?}", started.elapsed());
    assert_eq!((PUBLIC.streams, crate::connection::OWN.streams), (200, 100_000));
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_began() {
    let begun = Arc::new(tokio::sync::Notify::new());
    let tell = begun.clone();
    let slow = get(async move || {
        tell.notify_one();
        tokio::time::sleep(Duration::from_millis(300)).await;
    });
    let server = start(Router::new().route("/slow", slow)).await;
    let url = format!("{}/slow", server.url());
    let asked = tokio::spawn(async move { reqwest::get(url).await.unwrap().status() });
    begun.notified().await;
    assert!(server.stop(Duration::from_secs(2)).await);
    assert_eq!(asked.await.unwrap(), 200);
}
