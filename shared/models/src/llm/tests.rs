use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use runtime::upstream::testing::{Mortal, Then};
use serde_json::json;

use super::*;
use crate::openai::testing::{StandIn, answer, answer_later, in_three_seconds, schemas, unknown_fields};

async fn stand_in(answer: impl Fn(usize, &Value) -> Response + Clone + Send + Sync + 'static) -> (StandIn, ChatModel) {
    let stand_in = StandIn::new(PATH, answer).await;
    let model = ChatModel::new(stand_in.server.clone(), "tiny", 600);
    (stand_in, model)
}

fn messages() -> Vec<Message> {
    let system = Message { role: Role::System, content: Private("Be brief.".to_owned()) };
    vec![system, Message { role: Role::User, content: Private("What is IVF?".to_owned()) }]
}

fn words(text: &str) -> String {
    let choice = json!({ "index": 0, "delta": { "content": text }, "logprobs": null, "finish_reason": null });
    format!("data: {}\n\n", json!({ "object": "chat.completion.chunk", "choices": [choice], "usage": null }))
}

fn finish(reason: &str) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }))
}

const USAGE: &str =
    "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 9, \"completion_tokens\": 4, \"total_tokens\": 13}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// What comes of a body: its texts, and how it ends; a failure that comes before any text apart.
async fn reply(body: String) -> Result<(String, Vec<Result<Piece, Reason>>), Reason> {
    let (_, model) = stand_in(move |_, _| answer(200, body.clone())).await;
    let pieces = model.stream(&messages(), in_three_seconds()).await.map_err(|failure| failure.reason)?;
    let pieces: Vec<_> = pieces.map(|piece| piece.map_err(|failure| failure.reason)).collect().await;
    let text = pieces.iter().filter_map(|piece| match piece {
        Ok(Piece::Text(text)) => Some(text.as_str()),
        _ => None,
    });
    let text = text.collect();
    Ok((text, pieces.into_iter().filter(|piece| !matches!(piece, Ok(Piece::Text(_)))).collect()))
}

#[tokio::test]
async fn a_reply_is_its_words_then_its_cost_then_its_end() {
    let usage = Piece::Usage { prompt_tokens: 9, completion_tokens: 4 };
    let role = "data: {\"choices\": [{\"delta\": {\"role\": \"assistant\", \"content\": \"\"}}]}\n\n";
    let filtered = "data: {\"choices\": [], \"prompt_filter_results\": []}\n\n";
    for (case, body, text, rest) in [
        (
            "as OpenAI sends it",
            [role, &words("In "), &words("vitro, é"), &finish("stop"), USAGE, DONE].concat(),
            "In vitro, é",
            vec![Ok(usage.clone()), Ok(Piece::End(FinishReason::Stop))],
        ),
        (
            "comments, other line ends, an event without choices",
            [": working\r\n\r\n", filtered, &words("In"), ": still\n\n", &finish("length"), DONE].concat(),
            "In",
            vec![Ok(Piece::End(FinishReason::Length))],
        ),
        ("no [DONE]", [words("In"), finish("stop")].concat(), "In", vec![Ok(Piece::End(FinishReason::Stop))]),
        ("no reason", [words("In").as_str(), DONE].concat(), "In", vec![Ok(Piece::End(FinishReason::Other))]),
        (
            "filtered half-way",
            [&words("In"), &finish("content_filter"), USAGE, DONE].map(ToString::to_string).concat(),
            "In",
            vec![Ok(usage), Ok(Piece::End(FinishReason::ContentFilter))],
        ),
        ("cut off", words("In"), "In", vec![Err(Reason::Unavailable)]),
        (
            "malformed",
            [words("In").as_str(), "data: {\"cho\n\n", &words("vitro")].concat(),
            "In",
            vec![Err(Reason::InvalidAnswer)],
        ),
        (
            "an error within",
            [
                words("In").as_str(),
                "data: {\"error\": {\"message\": \"m\", \"type\": \"server_error\", \"code\": null}}\n\n",
            ]
            .concat(),
            "In",
            vec![Err(Reason::Unavailable)],
        ),
        (
            "an error with a number",
            [words("In").as_str(), "event: error\ndata: {\"error\": {\"message\": \"m\", \"code\": 429}}\n\n"].concat(),
            "In",
            vec![Err(Reason::RateLimited)],
        ),
    ] {
        assert_eq!(reply(body).await, Ok((text.to_owned(), rest)), "{case}");
    }
}

#[tokio::test]
async fn a_reply_without_a_word_is_a_failure_before_it_begins() {
    let error = "data: {\"error\": {\"message\": \"m\", \"type\": \"rate_limit_error\"}}\n\n";
    for (case, body, reason) in [
        ("empty", String::new(), Reason::Unavailable),
        ("only the end", DONE.to_owned(), Reason::InvalidAnswer),
        ("no choices", [USAGE, DONE].concat(), Reason::InvalidAnswer),
        ("empty words", [words("").as_str(), &finish("stop"), DONE].concat(), Reason::InvalidAnswer),
        ("filtered", [finish("content_filter").as_str(), DONE].concat(), Reason::Rejected),
        ("an error", error.to_owned(), Reason::RateLimited),
        ("malformed", "data: <html>\n\n".to_owned(), Reason::InvalidAnswer),
        ("not a stream", "{\"choices\": []}".to_owned(), Reason::Unavailable),
    ] {
        assert_eq!(reply(body).await, Err(reason), "{case}");
    }
}

#[tokio::test]
async fn the_request_streams_asks_for_usage_and_bounds_the_reply() {
    let (stand_in, model) = stand_in(|_, _| answer(200, [words("In"), DONE.to_owned()].concat())).await;
    let _ = model.stream(&messages(), in_three_seconds()).await.unwrap();
    let expected = json!({
        "model": "tiny",
        "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "What is IVF?" }],
        "max_tokens": 600,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    assert_eq!(stand_in.requests(), [expected]);
}

#[tokio::test]
async fn what_passes_is_asked_again_and_the_rest_is_told() {
    let (limited, model) = stand_in(|count, _| match count {
        0 => answer_later(429, "1"),
        _ => answer(200, [words("In"), DONE.to_owned()].concat()),
    })
    .await;
    let started = Instant::now();
    assert!(model.stream(&messages(), in_three_seconds()).await.is_ok());
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(limited.requests().len(), 2);

    for (response, reason, transient, retry_after, asked) in [
        ((429, Some("9")), Reason::RateLimited, true, Some(Duration::from_secs(9)), 1),
        ((503, Some("2")), Reason::Unavailable, true, Some(Duration::from_secs(2)), 1),
        // It may have been written, and is paid then.
        ((500, None), Reason::Unavailable, true, None, 1),
        ((502, None), Reason::Unavailable, true, None, 1),
        ((503, None), Reason::Unavailable, true, None, 1),
        ((400, None), Reason::Rejected, false, None, 1),
        ((401, None), Reason::Unauthorized, false, None, 1),
    ] {
        let (stand_in, model) = stand_in(move |_, _| match response {
            (status, Some(pause)) => answer_later(status, pause),
            (status, None) => answer(status, "{}"),
        })
        .await;
        let failure = model.stream(&messages(), in_three_seconds()).await.err().unwrap();
        assert_eq!((failure.reason, failure.transient, failure.retry_after), (reason, transient, retry_after));
        assert_eq!(stand_in.requests().len(), asked, "{reason:?}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_end_is_left_at_sixteen_bytes_a_token() {
    let long = words(&"word ".repeat(900));
    for (case, body) in [
        ("at its last word", [long.as_str(), &long, &words(&"x".repeat(601)), &finish("stop"), DONE].concat()),
        ("in the middle", [long.as_str(), &long, &long].concat()),
    ] {
        let (text, rest) = reply(body).await.unwrap();
        assert_eq!((text.len(), rest), (9_600, vec![Ok(Piece::End(FinishReason::Length))]), "{case}");
    }
    let (text, rest) = reply(words(&"é".repeat(6_000))).await.unwrap();
    assert_eq!((text.len(), rest), (9_600, vec![Ok(Piece::End(FinishReason::Length))]));
}

/// A body that says so when it is dropped.
fn endless(first: String) -> (Body, Arc<AtomicBool>) {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Dropped(dropped.clone());
    let comments = futures::stream::repeat(()).then(move |()| {
        let _ = &guard;
        async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok::<_, Error>(Bytes::from_static(b": working\n\n"))
        }
    });
    let first = futures::stream::iter([Ok(Bytes::from(first))]);
    (Body::from_stream(first.chain(comments)), dropped)
}

async fn is_set(flag: &AtomicBool) -> bool {
    for _ in 0..200 {
        if flag.load(Ordering::SeqCst) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_reply_that_does_not_begin_in_time_is_cancelled() {
    let flag = Arc::new(std::sync::Mutex::new(None));
    let seen = flag.clone();
    let (_stand_in, model) = stand_in(move |_, _| {
        let (body, dropped) = endless(": begun\n\n".to_owned());
        *seen.lock().unwrap() = Some(dropped);
        answer(200, body)
    })
    .await;
    let failure = model.stream(&messages(), Deadline::after(Duration::from_millis(300))).await.err().unwrap();
    assert_eq!((failure.reason, failure.transient), (Reason::Timeout, true));
    let dropped = flag.lock().unwrap().clone().unwrap();
    assert!(is_set(&dropped).await);
}

#[tokio::test]
async fn the_first_words_have_a_time_of_their_own_and_the_next_reply_waits_for_none() {
    let (stand_in, model) = stand_in(|_, _| answer(200, endless(": begun\n\n".to_owned()).0)).await;
    let model = model.with_first_words(Duration::from_millis(300));
    let started = Instant::now();
    for _ in 0..4 {
        let failure = model.stream(&messages(), in_three_seconds()).await.err().unwrap();
        assert_eq!(failure.reason, Reason::Timeout);
    }
    let took = started.elapsed();
    assert!((Duration::from_millis(300)..Duration::from_millis(600)).contains(&took), "{took:?}");
    assert_eq!((stand_in.requests().len(), model.circuit()), (1, CircuitState::Open));
    assert_eq!(model.extract(&messages(), json!({}), in_three_seconds()).await.unwrap_err().reason, Reason::Timeout);
    assert_eq!(stand_in.requests().len(), 1, "an extraction is of the same model");
}

#[tokio::test]
async fn a_completion_is_asked_again_only_where_the_server_cannot_have_read_it() {
    let said = [words("In"), DONE.to_owned()].concat();
    for (then, replies, requests) in [(Then::Closes, [true, true, true], 3), (Then::Dies, [true, false, true], 3)] {
        let server = Mortal::start(then, &said);
        let model = ChatModel::new(Server::new(&server.url, None).unwrap(), "tiny", 600);
        for replied in replies {
            let pieces = model.stream(&messages(), in_three_seconds()).await;
            assert_eq!(pieces.as_ref().err().map(|failure| failure.reason), (!replied).then_some(Reason::Unavailable));
            if let Ok(pieces) = pieces {
                assert_eq!(pieces.count().await, 2, "the words and the end");
            }
            if matches!(then, Then::Closes) {
                server.closed.recv().unwrap();
            }
        }
        assert_eq!(server.requests(), requests);
    }
}

#[tokio::test]
async fn a_reply_goes_on_after_the_deadline_and_dropping_it_cancels_the_request() {
    let flag = Arc::new(std::sync::Mutex::new(None));
    let seen = flag.clone();
    let (_stand_in, model) = stand_in(move |_, _| {
        let (body, dropped) = endless(words("In"));
        *seen.lock().unwrap() = Some(dropped);
        answer(200, body)
    })
    .await;
    let mut pieces = model.stream(&messages(), Deadline::after(Duration::from_millis(500))).await.unwrap();
    assert_eq!(pieces.next().await, Some(Ok(Piece::Text("In".to_owned()))));
    let waited = tokio::time::timeout(Duration::from_millis(700), pieces.next()).await;
    assert!(waited.is_err(), "{waited:?}");
    let dropped = flag.lock().unwrap().clone().unwrap();
    assert!(!dropped.load(Ordering::SeqCst));
    drop(pieces);
    assert!(is_set(&dropped).await);
}

#[tokio::test]
async fn a_whole_reply_does_not_wait_long_for_its_cost() {
    let (_stand_in, model) = stand_in(|_, _| answer(200, endless([words("In"), finish("stop")].concat()).0)).await;
    let pieces = model.stream(&messages(), in_three_seconds()).await.unwrap();
    let pieces: Vec<_> = tokio::time::timeout(Duration::from_secs(3), pieces.collect()).await.unwrap();
    assert_eq!(pieces, [Ok(Piece::Text("In".to_owned())), Ok(Piece::End(FinishReason::Stop))]);
}

#[tokio::test]
async fn a_value_is_extracted_by_its_schema() {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"], "additionalProperties": false });
    let (stand_in, model) = stand_in(|_, _| {
        let message = json!({ "role": "assistant", "content": "{\"city\": \"Oslo\"}", "refusal": null });
        answer(200, json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }], "usage": { "prompt_tokens": 30, "completion_tokens": 5 } }).to_string())
    })
    .await;
    let (value, usage) = model.extract(&messages(), schema.clone(), in_three_seconds()).await.unwrap();
    assert_eq!(value, json!({ "city": "Oslo" }));
    let model = Some("tiny".to_owned());
    assert_eq!(usage, Some(Usage { prompt_tokens: 30, completion_tokens: 5, model, estimated: false }));
    let json_schema = json!({ "name": "extraction", "strict": true, "schema": schema });
    let expected = json!({ "type": "json_schema", "json_schema": json_schema });
    assert_eq!(stand_in.requests()[0]["response_format"], expected);
    assert!(stand_in.requests()[0].get("stream").is_none());
}

#[tokio::test]
async fn an_extraction_that_is_none_is_a_failure() {
    let choice = |message: Value, finish: &str| {
        json!({ "choices": [{ "message": message, "finish_reason": finish }] }).to_string()
    };
    for (body, reason) in [
        ("<html>".to_owned(), Reason::InvalidAnswer),
        (json!({ "choices": [] }).to_string(), Reason::InvalidAnswer),
        ("{}".to_owned(), Reason::InvalidAnswer),
        (choice(json!({ "content": null }), "stop"), Reason::InvalidAnswer),
        (choice(json!({ "content": "{\"city\": \"Os" }), "length"), Reason::InvalidAnswer),
        (choice(json!({ "content": null, "refusal": "I cannot" }), "stop"), Reason::Rejected),
        (choice(json!({ "content": "" }), "content_filter"), Reason::Rejected),
    ] {
        let sent = body.clone();
        let (_, model) = stand_in(move |_, _| answer(200, sent.clone())).await;
        let failure = model.extract(&messages(), json!({}), in_three_seconds()).await.unwrap_err();
        assert_eq!(failure.reason, reason, "{body}");
    }
    let parts = || futures::stream::iter([Ok(Bytes::from_static(b"{\"choices\"")), Err(Error::other("gone"))]);
    let (_, model) = stand_in(move |_, _| answer(200, Body::from_stream(parts()))).await;
    let failure = model.extract(&messages(), json!({}), in_three_seconds()).await.unwrap_err();
    assert_eq!(failure.reason, Reason::Unavailable);
}

#[tokio::test]
async fn requests_and_answers_are_as_openai_describes_them() {
    let Some(schemas) = schemas() else { return };
    let (stand_in, model) = stand_in(|_, _| answer(200, [words("In"), DONE.to_owned()].concat())).await;
    let _ = model.stream(&messages(), in_three_seconds()).await.unwrap();
    let _ = model.extract(&messages(), json!({ "type": "object" }), in_three_seconds()).await;
    let openai = ChatModel::new(Server::new(crate::openai::BASE_URL, None).unwrap(), "gpt", 600);
    let mut requests = stand_in.requests();
    requests.push(serde_json::to_value(openai.request(&messages())).unwrap());
    for request in requests {
        assert_eq!(unknown_fields(&schemas, "CreateChatCompletionRequest", &request), [""; 0]);
    }
    assert_eq!(serde_json::to_value(openai.request(&messages())).unwrap()["max_completion_tokens"], 600);

    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 1 });
    for finish in ["stop", "length", "content_filter"] {
        let delta = json!({ "content": "In", "refusal": "No" });
        let read = json!({ "choices": [{ "delta": delta, "finish_reason": finish }], "usage": usage });
        assert_eq!(unknown_fields(&schemas, "CreateChatCompletionStreamResponse", &read), [""; 0]);
        let message = json!({ "content": "{}", "refusal": "No" });
        let read = json!({ "choices": [{ "message": message, "finish_reason": finish }] });
        assert_eq!(unknown_fields(&schemas, "CreateChatCompletionResponse", &read), [""; 0]);
    }
    let error = json!({ "error": { "code": "c", "type": "t", "param": "p" } });
    assert_eq!(unknown_fields(&schemas, "ErrorResponse", &error), [""; 0]);
    assert_eq!(unknown_fields(&schemas, "ErrorResponse", &json!({ "eror": 1 })), ["ErrorResponse.eror"]);
}
