//! A question's whole way with stand-ins for the servers of both models: what they do wrong costs a part of the answer, never all.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contracts::api::RETRIEVE;
use contracts::knowledge::{Retrieval, RetrieveRequest};
use futures::{Stream, StreamExt, future, stream};
use http::StatusCode;
use local::knowledge::OwnText;
use local::{Options, State};
use models::embedder::Embedder;
use models::embedder::openai::OpenAi;
use models::llm::ChatModel;
use models::openai::Server;
use runtime::assistants::Assistants;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use serde_json::{Value, json};
use tests::App;

const DIMENSIONS: usize = 8;

/// What a server of models does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Answer,
    Limit,
    Fail,
    Hang,
    CutOff,
    Babble,
    AnswerNothing,
}

const FAULTS: [(Does, &str); 6] = [
    (Does::Limit, "rate_limited"),
    (Does::Fail, "unavailable"),
    (Does::Hang, "timeout"),
    (Does::CutOff, "unavailable"),
    (Does::Babble, "invalid_answer"),
    (Does::AnswerNothing, "invalid_answer"),
];

/// A faulty answer; none where the server is to answer.
async fn faulty(does: Does, beginning: &'static str, nothing: &'static str) -> Option<Response> {
    let cut = stream::iter([Ok(beginning), Err("gone")]);
    Some(match does {
        Does::Answer => return None,
        Does::Limit => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")], "{}").into_response(),
        Does::Fail => (StatusCode::INTERNAL_SERVER_ERROR, "{}").into_response(),
        Does::Hang => future::pending().await,
        Does::CutOff => Body::from_stream(cut).into_response(),
        // As an event, too, it is none.
        Does::Babble => "data: <html>\n\n".into_response(),
        Does::AnswerNothing => nothing.into_response(),
    })
}

pub(crate) fn frame(delta: &Value) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

/// The set with embeddings that do one thing and a model that does another.
async fn app(embeddings: Does, model: Does) -> App {
    let embed = async move |body: axum::Json<Value>| match faulty(embeddings, "{\"data\"", "{\"data\": []}").await {
        Some(fault) => fault,
        None => {
            let texts = body["input"].as_array().unwrap().iter().enumerate();
            let vector = [1.0_f32; DIMENSIONS];
            let data: Vec<Value> = texts.map(|(index, _)| json!({"index": index, "embedding": vector})).collect();
            axum::Json(json!({"data": data, "model": "words"})).into_response()
        }
    };
    let complete = async move || match faulty(model, ": begun\n\n", "data: {\"choices\": []}\n\ndata: [DONE]\n\n").await
    {
        Some(fault) => fault,
        None => {
            let usage = "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 70, \"completion_tokens\": 9}}\n\n";
            let text = frame(&json!({"content": "IVF is a treatment [1]."})) + usage + "data: [DONE]\n\n";
            ([("content-type", "text/event-stream")], text).into_response()
        }
    };
    let router = Router::new().route("/embeddings", post(embed)).route("/chat/completions", post(complete));
    let retrieval = if embeddings == Does::Answer { Retrieval::Hybrid } else { Retrieval::Words };
    app_at(&tests::serve(router).await, retrieval).await
}

/// The set with both models at a URL, and one text to answer from, found so.
pub(crate) async fn app_at(url: &str, retrieval: Retrieval) -> App {
    app_changed(url, retrieval, |options| options).await
}

/// The same with its tables there.
pub(crate) async fn app_in(state: State, url: &str, retrieval: Retrieval) -> App {
    app_changed(url, retrieval, |options| Options { state, ..options }).await
}

/// The same with other options.
pub(crate) async fn app_changed(url: &str, retrieval: Retrieval, change: impl FnOnce(Options) -> Options) -> App {
    let server = Server::new(url, None).unwrap();
    let model = ChatModel::new(server.clone(), "stand-in", 100);
    let respond = respond::Deps::new(Assistants::embedded().unwrap(), Some(model));
    let embedder = Some(Embedder::OpenAi(OpenAi::new(server, "words", Some(DIMENSIONS)).unwrap()));
    let text = OwnText { assistant: "fertility".to_owned(), file: "ivf.md".to_owned(), text: TEXT.to_owned() };
    let options = Options { respond, embedder, own_texts: vec![text], ..tests::options() };
    let app = App::with_options(change(options)).await;
    let search = json!({"assistant": "fertility", "question": "What is IVF?"});
    let search: RetrieveRequest = serde_json::from_value(search).unwrap();
    let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
    for _ in 0..200 {
        let found = pipeline.call(&RETRIEVE, &search, Deadline::after(Duration::from_millis(500))).await;
        if found.is_ok_and(|found| !found.passages.is_empty() && found.retrieval == retrieval) {
            return app;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the text is not there")
}

const TEXT: &str = "# IVF\n\n## What is IVF?\n\nIVF is a treatment in which eggs are fertilised in a laboratory.\n\n\
    Source: A clinic – https://clinic.example/ivf\n";

const DEADLINE: &str = "colloquy-deadline-ms";

fn question() -> Value {
    json!({"assistant": "fertility", "question": "What is IVF?"})
}

async fn ask(app: &App) -> Value {
    let started = Instant::now();
    let answer = app.send(app.request("POST", "/v1/ask").json(&question()).header(DEADLINE, "3000")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(started.elapsed() < Duration::from_millis(3_500), "{:?}", started.elapsed());
    answer.body
}

#[tokio::test(flavor = "multi_thread")]
async fn with_both_models_an_answer_is_hybrid_and_written() {
    let answer = ask(&app(Does::Answer, Does::Answer).await).await;
    assert_eq!(answer["reply"], "IVF is a treatment [1].");
    assert_eq!((&answer["written_by"], &answer["retrieval"]), (&json!("model"), &json!("hybrid")));
    assert_eq!((&answer["degraded"], &answer["usage"]["prompt_tokens"]), (&json!([]), &json!(70)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedder_at_fault_leaves_the_words_to_search_by() {
    for (fault, reason) in FAULTS {
        let answer = ask(&app(fault, Does::Answer).await).await;
        assert_eq!(answer["degraded"], json!([{"part": "embedder", "reason": reason}]), "{fault:?}");
        assert_eq!((&answer["retrieval"], &answer["written_by"]), (&json!("words"), &json!("model")), "{fault:?}");
        assert!(answer["citations"][0]["heading"].as_str().unwrap().contains("IVF"), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_at_fault_leaves_the_texts_to_quote() {
    for (fault, reason) in FAULTS {
        let answer = ask(&app(Does::Answer, fault).await).await;
        assert_eq!(answer["degraded"], json!([{"part": "model", "reason": reason}]), "{fault:?}");
        assert_eq!(answer["written_by"], "extract", "{fault:?}");
        assert!(answer["reply"].as_str().unwrap().contains(" [1]"), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_ends_with_what_it_used_and_how_long_it_took() {
    let app = app(Does::Answer, Does::Answer).await;
    let message = json!({"assistant": "fertility", "message": "What is IVF?"});
    for (path, body, steps) in [
        ("/v1/ask/stream", question(), &["respond", "retrieve", "understand"][..]),
        ("/v1/chat/stream", message, &["begin", "commit", "respond", "retrieve", "understand"]),
    ] {
        let text = app.request("POST", path).json(&body).send().await.unwrap().text().await.unwrap();
        let done = text.trim_end().rsplit_once("event: done\ndata: ").unwrap().1.lines().next().unwrap();
        let reply = &serde_json::from_str::<Value>(done).unwrap()["reply"];
        let usage = json!({"prompt_tokens": 70, "completion_tokens": 9, "model": "stand-in"});
        assert_eq!(reply["usage"], usage, "{path}: {reply}");
        let timings: Vec<&String> = reply["timings_ms"].as_object().unwrap().keys().collect();
        assert_eq!(timings, steps, "{path}: {reply}");
    }
}

/// A model's reply whose end is never reached: it says when nobody listens any more.
pub(crate) fn endless(left: Arc<AtomicBool>) -> impl Stream<Item = Result<String, Infallible>> {
    struct Left(Arc<AtomicBool>);
    impl Drop for Left {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let guard = Left(left);
    stream::iter(0..).then(move |at: u64| {
        let _ = &guard;
        async move {
            if at > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(frame(&json!({"content": "more "})))
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_a_question_ends_the_models_work_and_one_that_leaves_does_not() {
    let left = Arc::new(AtomicBool::new(false));
    let complete = async |Shared(left): Shared<Arc<AtomicBool>>| {
        ([("content-type", "text/event-stream")], Body::from_stream(endless(left))).into_response()
    };
    let embed = async || StatusCode::INTERNAL_SERVER_ERROR;
    let router = Router::new().route("/chat/completions", post(complete)).route("/embeddings", post(embed));
    let app = app_at(&tests::serve(router.with_state(left.clone())).await, Retrieval::Words).await;

    let response = app.request("POST", "/v1/ask/stream").json(&question()).send().await.unwrap();
    let mut bytes = response.bytes_stream();
    let mut seen = String::new();
    while seen.matches("event: delta").count() < 3 {
        seen += &String::from_utf8_lossy(&bytes.next().await.unwrap().unwrap());
    }
    assert!(!left.load(Ordering::SeqCst), "the words come while the model writes");
    drop(bytes);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!left.load(Ordering::SeqCst), "the model writes on for who comes back");

    let turn: Value = serde_json::from_str(seen.split("data: ").nth(1).unwrap().lines().next().unwrap()).unwrap();
    let path = format!("/v1/turns/{}", turn["turn_id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.status, 202);
    assert_eq!(app.send(app.request("DELETE", &path)).await.status, 204);
    for _ in 0..100 {
        // The model's connection ends a moment before the turn does.
        let answer = app.get(&path).await;
        if left.load(Ordering::SeqCst) && answer.status != 202 {
            assert_eq!((answer.status, &answer.body["incomplete"]), (200, &json!(true)), "{}", answer.body);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the model writes on for nobody");
}

/// The set with one text, a model that answers so, and no embedder.
async fn app_with(complete: impl Fn() -> Response + Clone + Send + Sync + 'static) -> App {
    let embed = async || StatusCode::INTERNAL_SERVER_ERROR;
    let complete = async move || complete();
    let router: Router = Router::new().route("/chat/completions", post(complete)).route("/embeddings", post(embed));
    app_at(&tests::serve(router).await, Retrieval::Words).await
}

const BEGINNING: &str = "IVF is a treatment [1] in";

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_ends_with_an_error_after_its_words() {
    let app = app_with(|| {
        let words = frame(&json!({"content": BEGINNING}));
        // The words must be on their way before the connection is gone.
        let gone = stream::once(tokio::time::sleep(Duration::from_millis(200))).map(|()| Err("gone"));
        Body::from_stream(stream::iter([Ok(words)]).chain(gone)).into_response()
    })
    .await;

    let message = json!({"assistant": "fertility", "message": "What is IVF?"});
    let stream = app.request("POST", "/v1/chat/stream").json(&message).send().await.unwrap().text().await.unwrap();
    assert!(stream.contains(BEGINNING), "{stream}");
    let last = stream.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: error") && last.contains("reply-broke-off"), "{last}");
    assert!(last.contains("are kept"), "{last}");

    // Of a question without a session, nothing is kept.
    let stream = app.request("POST", "/v1/ask/stream").json(&question()).send().await.unwrap().text().await.unwrap();
    let last = stream.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.contains("reply-broke-off") && !last.contains("kept"), "{last}");

    // What was said is kept, and marked.
    let answer = app.send(app.request("POST", "/v1/chat").json(&message)).await.body;
    is_a_beginning(&answer);
    assert_eq!(answer["degraded"][1], json!({"part": "model", "reason": "unavailable"}), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_wrote_by_the_deadline_is_its_own_and_cites() {
    let app = app_with(|| {
        let words = stream::iter([Ok::<_, Infallible>(frame(&json!({"content": BEGINNING})))]);
        Body::from_stream(words.chain(stream::pending())).into_response()
    })
    .await;
    let answer = ask(&app).await;
    is_a_beginning(&answer);
    assert_eq!(answer["degraded"][1], json!({"part": "respond", "reason": "timeout"}), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_a_limit_cut_off_is_told_and_paid() {
    for (end, reason) in [("length", "cut_off"), ("content_filter", "filtered")] {
        let app = app_with(move || {
            let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": end}]});
            let usage = json!({"choices": [], "usage": {"prompt_tokens": 70, "completion_tokens": 9}});
            let words = frame(&json!({"content": format!("{BEGINNING} [")}));
            format!("{words}data: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n").into_response()
        })
        .await;
        let answer = ask(&app).await;
        is_a_beginning(&answer);
        assert_eq!(answer["degraded"][1], json!({"part": "model", "reason": reason}), "{answer}");
        let usage = json!({"prompt_tokens": 70, "completion_tokens": 9, "model": "stand-in"});
        assert_eq!(answer["usage"], usage, "{answer}");
        let stream =
            app.request("POST", "/v1/ask/stream").json(&question()).send().await.unwrap().text().await.unwrap();
        let last = stream.trim_end().rsplit("\n\n").next().unwrap();
        assert!(last.starts_with("event: done") && last.contains(reason), "{last}");
    }
}

/// The first words of a model, marked so, with what they cite.
fn is_a_beginning(answer: &Value) {
    assert_eq!((&answer["incomplete"], &answer["reply"]), (&json!(true), &json!(BEGINNING)), "{answer}");
    assert_eq!((&answer["written_by"], &answer["citations"][0]["number"]), (&json!("model"), &json!(1)), "{answer}");
}
