use std::io::Error;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::openai::testing::{StandIn, answer, answer_later, in_three_seconds, schemas, unknown_fields};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A vector of three that tells the texts apart: the text's length comes first.
fn vector(text: &str) -> [f32; 3] {
    [text.len() as f32, 1.0, 0.0]
}

fn base64_of(numbers: &[f32]) -> String {
    STANDARD.encode(numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
}

/// What a server answers, the last text first, in base64 unless floats were asked for.
fn embedded(request: &Value) -> Response {
    let items = request["input"].as_array().unwrap().iter().enumerate().rev();
    let data: Vec<Value> = items
        .map(|(index, text)| {
            let vector = vector(text.as_str().unwrap());
            let embedding = match request["encoding_format"].as_str() {
                Some("base64") => json!(base64_of(&vector)),
                _ => json!(vector),
            };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let usage = json!({ "prompt_tokens": 5, "total_tokens": 5 });
    answer(200, json!({ "object": "list", "model": "tiny", "data": data, "usage": usage }).to_string())
}

async fn stand_in(answer: impl Fn(usize, &Value) -> Response + Clone + Send + Sync + 'static) -> (StandIn, OpenAi) {
    let stand_in = StandIn::new("/embeddings", answer).await;
    let openai = OpenAi::new(stand_in.server.clone(), "acme/Tiny-1", Some(3)).unwrap();
    (stand_in, openai)
}

#[tokio::test]
async fn vectors_come_in_the_texts_order_with_length_one() {
    let (stand_in, openai) = stand_in(|_, request| embedded(request)).await;

    let vectors = openai.embed(&texts(&["abc", " ", "abcd"]), in_three_seconds()).await.unwrap();

    let close = |vector: &[f32], expected: [f32; 3]| vector.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6);
    assert!(close(vectors[0].as_ref().unwrap(), [0.948_683_3, 0.316_227_77, 0.0]));
    assert_eq!(vectors[1], Err(TextFault::Empty));
    assert!(close(vectors[2].as_ref().unwrap(), [0.970_142_5, 0.242_535_63, 0.0]));
    let expected = json!({ "model": "acme/Tiny-1", "input": ["abc", "abcd"], "encoding_format": "base64" });
    assert_eq!(stand_in.requests(), [expected]);
    assert_eq!((openai.slug(), openai.dimensions()), ("acme_tiny_1_3", 3));
}

#[tokio::test]
async fn nothing_is_asked_for_no_texts() {
    let (stand_in, openai) = stand_in(|_, request| embedded(request)).await;
    assert_eq!(openai.embed(&[], in_three_seconds()).await.unwrap(), []);
    assert_eq!(
        openai.embed(&texts(&["", "\n"]), in_three_seconds()).await.unwrap(),
        [Err(TextFault::Empty), Err(TextFault::Empty)]
    );
    assert!(stand_in.requests().is_empty());
}

#[tokio::test]
async fn a_text_that_is_refused_is_at_fault_and_a_batch_that_is_refused_fails() {
    let (stand_in, openai) = stand_in(|_, request| {
        let poisoned = request["input"].as_array().unwrap().iter().any(|text| text == "poison");
        let told = json!({ "error": { "message": "too long: poison", "type": "invalid_request_error", "param": null, "code": null } });
        if poisoned { answer(400, told.to_string()) } else { embedded(request) }
    })
    .await;

    assert_eq!(openai.embed(&texts(&["poison"]), in_three_seconds()).await.unwrap(), [Err(TextFault::Refused)]);
    let failure = openai.embed(&texts(&["a", "poison", "b"]), in_three_seconds()).await.unwrap_err();
    assert_eq!((failure.reason, stand_in.requests().len()), (Reason::Rejected, 2), "its halves are for the caller");
}

#[tokio::test]
async fn a_server_without_base64_is_asked_for_floats_from_then_on() {
    let (stand_in, openai) = stand_in(|_, request| {
        let told = json!({ "error": { "message": "no", "type": "invalid_request_error", "param": "encoding_format" } });
        if request["encoding_format"] == "base64" { answer(400, told.to_string()) } else { embedded(request) }
    })
    .await;

    for _ in 0..2 {
        assert!(openai.embed(&texts(&["abc"]), in_three_seconds()).await.unwrap()[0].is_ok());
    }

    let formats: Vec<_> = stand_in.requests().iter().map(|request| request["encoding_format"].clone()).collect();
    assert_eq!(formats, ["base64", "float", "float"]);
}

#[tokio::test]
async fn a_refusal_of_everything_is_no_fault_of_a_text() {
    for (status, told, reason, transient) in [
        (400, json!({ "param": "dimensions" }), Reason::Rejected, false),
        (404, json!({ "code": "model_not_found" }), Reason::Rejected, false),
        (401, json!({ "code": "invalid_api_key" }), Reason::Unauthorized, false),
        (400, json!({ "code": "rate_limit_exceeded" }), Reason::RateLimited, true),
    ] {
        let body = json!({ "error": told }).to_string();
        let (stand_in, openai) = stand_in(move |_, _| answer(status, body.clone())).await;
        let failure = openai.embed(&texts(&["abc", "d"]), in_three_seconds()).await.unwrap_err();
        assert_eq!((failure.reason, failure.transient), (reason, transient), "{told}");
        assert_eq!(stand_in.requests().len(), 1, "{told}");
    }
}

#[tokio::test]
async fn answers_that_are_none_are_failures() {
    let one = |embedding: Value| json!({ "data": [{ "index": 0, "embedding": embedding }] }).to_string();
    for (body, transient) in [
        ("not json".to_owned(), true),
        ("{}".to_owned(), true),
        (json!({ "data": [] }).to_string(), true),
        (json!({ "data": [{ "index": 1, "embedding": [1.0, 0.0, 0.0] }] }).to_string(), true),
        (one(json!("not base64!")), true),
        (one(json!("AAAA")), true),
        (one(json!([1.0, 0.0])), false),
    ] {
        let sent = body.clone();
        let (_, openai) = stand_in(move |_, _| answer(200, sent.clone())).await;
        let failure = openai.embed(&texts(&["abc"]), in_three_seconds()).await.unwrap_err();
        assert_eq!((failure.reason, failure.transient), (Reason::InvalidAnswer, transient), "{body}");
    }
}

#[tokio::test]
async fn a_vector_that_points_nowhere_is_the_texts_fault() {
    let (_, openai) = stand_in(|_, _| {
        let data = [[0.0, 0.0, 0.0], [f32::NAN, 1.0, 0.0], [1.0, 0.0, 0.0]];
        let items = data.iter().enumerate().map(|(at, of)| json!({ "index": at, "embedding": base64_of(of) }));
        answer(200, json!({ "data": items.collect::<Vec<_>>() }).to_string())
    })
    .await;
    let vectors = openai.embed(&texts(&["a", "b", "c"]), in_three_seconds()).await.unwrap();
    assert_eq!(vectors, [Err(TextFault::NoVector), Err(TextFault::NoVector), Ok(vec![1.0, 0.0, 0.0])]);
}

#[tokio::test]
async fn what_passes_is_asked_again_after_the_pause_that_is_named() {
    let (stand_in, openai) = stand_in(|count, request| match count {
        0 => answer_later(429, "1"),
        1 => answer(500, "oops"),
        _ => embedded(request),
    })
    .await;
    let started = Instant::now();
    assert!(openai.embed(&texts(&["abc"]), in_three_seconds()).await.is_ok());
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(stand_in.requests().len(), 3);
}

#[tokio::test]
async fn a_pause_past_the_deadline_is_handed_on() {
    let (stand_in, openai) = stand_in(|_, _| answer_later(429, "20")).await;
    let failure = openai.embed(&texts(&["abc"]), in_three_seconds()).await.unwrap_err();
    assert_eq!((failure.reason, failure.transient), (Reason::RateLimited, true));
    assert_eq!(failure.retry_after, Some(Duration::from_secs(20)));
    assert_eq!(stand_in.requests().len(), 1);
}

#[tokio::test]
async fn an_outage_is_asked_three_times_and_a_hang_once() {
    let (down, openai) = stand_in(|_, _| answer(503, "")).await;
    let failure = openai.embed(&texts(&["abc"]), in_three_seconds()).await.unwrap_err();
    assert_eq!((failure.reason, failure.transient, down.requests().len()), (Reason::Unavailable, true, 3));

    let (hung, openai) =
        stand_in(|_, _| answer(200, Body::from_stream(futures::stream::pending::<Result<Bytes, Error>>()))).await;
    let deadline = Deadline::after(Duration::from_millis(300));
    let failure = openai.embed(&texts(&["abc"]), deadline).await.unwrap_err();
    assert_eq!((failure.reason, failure.transient, hung.requests().len()), (Reason::Timeout, true, 1));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_outage() {
    let (_, openai) = stand_in(|_, _| {
        let parts = [Ok(Bytes::from_static(b"{\"data\": [")), Err(Error::other("gone"))];
        answer(200, Body::from_stream(futures::stream::iter(parts)))
    })
    .await;
    let failure = openai.embed(&texts(&["abc"]), in_three_seconds()).await.unwrap_err();
    assert_eq!((failure.reason, failure.transient), (Reason::Unavailable, true));
}

#[tokio::test]
async fn requests_and_answers_are_as_openai_describes_them() {
    let Some(schemas) = schemas() else { return };
    let stand_in = StandIn::new("/embeddings", |_, request| embedded(request)).await;
    let openai = OpenAi::new(stand_in.server.clone(), "text-embedding-3-small", Some(3)).unwrap();
    openai.embed(&texts(&["abc"]), in_three_seconds()).await.unwrap();

    let request = &stand_in.requests()[0];
    assert_eq!(request["dimensions"], 3);
    assert_eq!(unknown_fields(&schemas, "CreateEmbeddingRequest", request), [""; 0]);
    let read = json!({ "data": [{ "index": 0, "embedding": [0.5] }] });
    assert_eq!(unknown_fields(&schemas, "CreateEmbeddingResponse", &read), [""; 0]);
    let limit = &schemas["CreateEmbeddingRequest"]["properties"]["input"]["oneOf"][1]["maxItems"];
    assert!(limit.as_u64().unwrap() >= BATCH_TEXTS as u64);
}

#[test]
fn the_length_of_a_vector_is_known_or_asked_for() {
    let server = Server::new("http://localhost/v1", None).unwrap();
    let openai = |model, dimensions| OpenAi::new(server.clone(), model, dimensions);
    assert_eq!(openai(DEFAULT_MODEL, None).unwrap().slug(), "text_embedding_3_small_1536");
    assert_eq!(openai("BAAI/bge-m3", Some(1024)).unwrap().slug(), "baai_bge_m3_1024");
    let error = openai("bge-m3", None).err().unwrap().to_string();
    assert_eq!(error, "EMBEDDING_DIMENSIONS is not set; it must say how many numbers a vector of bge-m3 has");
}

proptest! {
    #[test]
    fn batches_hold_each_text_once_and_keep_to_the_limits(lengths in prop::collection::vec(1usize..100_000, 0..600)) {
        let longest = "x".repeat(100_000);
        let texts: Vec<&str> = lengths.iter().map(|length| &longest[..*length]).collect();
        let ranges = batches(&texts);
        prop_assert_eq!(ranges.iter().cloned().flatten().collect::<Vec<_>>(), (0..texts.len()).collect::<Vec<_>>());
        for range in ranges {
            let bytes: usize = lengths[range.clone()].iter().sum();
            prop_assert!(range.len() <= BATCH_TEXTS && (bytes <= BATCH_BYTES || range.len() == 1));
        }
    }
}
