//! Questions answered from passages, with a model behind a stand-in and without one.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contracts::api::{RESPOND, ReplyEvent, ReplyRequest, Writer};
use futures::{StreamExt, stream};
use local::Options;
use models::llm::ChatModel;
use models::openai::Server;
use runtime::assistants::Assistants;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::App;

const PASSAGES: [&str; 2] = [
    "IVF is a treatment in which eggs are fertilised in a laboratory. It takes some weeks.",
    "A cycle of IVF is expensive. Prices differ between clinics.",
];

/// The frames of a model's stream: these words, then the end.
pub(crate) fn frames(words: &[&str], whole: bool) -> String {
    let frame = |delta: Value, end: Value| {
        let chunk =
            json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]});
        format!("data: {chunk}\n\n")
    };
    let mut text: String = words.iter().map(|word| frame(json!({"content": word}), Value::Null)).collect();
    if whole {
        text += &frame(json!({}), json!("stop"));
        text += "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 70, \"completion_tokens\": 9, \"total_tokens\": 79}}\n\n";
        text += "data: [DONE]\n\n";
    }
    text
}

pub(crate) fn event_stream(text: String) -> Response {
    ([("content-type", "text/event-stream")], text).into_response()
}

/// The set with a model that a stand-in answers for.
async fn app(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> App {
    let url = tests::serve(Router::new().route("/chat/completions", post(async move || answer()))).await;
    let model = ChatModel::new(Server::new(&url, None).unwrap(), "stand-in", 100);
    let respond = respond::Deps::new(Assistants::embedded().unwrap(), Some(model));
    App::with_options(Options { respond, ..tests::options() }).await
}

/// What `respond` makes of a question and the passages, within a second.
async fn reply(app: &App) -> Vec<ReplyEvent> {
    let passages: Vec<Value> =
        PASSAGES.iter().map(|text| json!({"id": "1", "text": text, "source": "S", "score": 1.0})).collect();
    let request: ReplyRequest = serde_json::from_value(json!({
        "assistant": "fertility", "action": {"type": "retrieve"}, "session": {}, "client_time": tests::FRIDAY,
        "question": "What is IVF?", "passages": passages,
    }))
    .unwrap();
    let deadline = Deadline::after(Duration::from_secs(1));
    let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
    let events = pipeline.stream(&RESPOND, &request, deadline, deadline).await.unwrap();
    events.map(Result::unwrap).collect().await
}

fn words(events: &[ReplyEvent]) -> String {
    let delta = |event: &ReplyEvent| match event {
        ReplyEvent::Delta { text } => text.to_string(),
        _ => String::new(),
    };
    events.iter().map(delta).collect()
}

#[tokio::test]
async fn a_model_answers_with_citations_of_passages_that_are_there() {
    let app = app(|| event_stream(frames(&["Eggs are ", "fertilised [", "1", "] in a lab [7]."], true))).await;

    let events = reply(&app).await;

    assert_eq!(words(&events), "Eggs are fertilised [1] in a lab.");
    let Some(ReplyEvent::Done { written_by, cited, usage }) = events.last() else { panic!("{events:?}") };
    assert_eq!((*written_by, cited.as_slice()), (Writer::Model, &[1][..]));
    assert_eq!(usage.as_ref().unwrap().prompt_tokens, 70);
}

#[tokio::test]
async fn a_model_that_fails_before_its_first_word_is_replaced_by_quotes() {
    type Fault = fn() -> Response;
    let faults: [(Fault, &str); 5] = [
        (|| http::StatusCode::INTERNAL_SERVER_ERROR.into_response(), "unavailable"),
        (|| event_stream("data: {\"choices\": []}\n\ndata: [DONE]\n\n".to_owned()), "invalid_answer"),
        (|| event_stream("data: {not json\n\n".to_owned()), "invalid_answer"),
        (|| (http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")]).into_response(), "rate_limited"),
        (|| Body::from_stream(stream::pending::<Result<String, Infallible>>()).into_response(), "timeout"),
    ];
    for (fault, reason) in faults {
        let events = reply(&app(fault).await).await;

        let ReplyEvent::Degraded { degraded } = &events[0] else { panic!("{reason}: {events:?}") };
        assert_eq!((degraded.part.as_str(), degraded.reason.as_str()), ("model", reason));
        let words = words(&events);
        assert!(words.contains("IVF is a treatment in which eggs are fertilised in a laboratory"), "{words}");
        assert!(words.contains("[1]"), "{words}");
        assert!(matches!(events.last(), Some(ReplyEvent::Done { written_by: Writer::Extract, .. })));
    }
}

#[tokio::test]
async fn a_model_that_breaks_off_leaves_what_it_said() {
    let app = app(|| event_stream(frames(&["Eggs are", " fertil"], false))).await;

    let events = reply(&app).await;

    assert_eq!(words(&events), "Eggs are fertil");
    assert!(matches!(events.last(), Some(ReplyEvent::Failed { .. })), "{events:?}");
}
