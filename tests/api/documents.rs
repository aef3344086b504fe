//! Documents go in, vectors come out: whatever fails, whoever dies, however often a message is delivered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::knowledge_store::{
    ChunkText, Corpus, DocumentId, EmbedWork, KnowledgeStore, NewDocument, Spaces, VectorSpace,
};
use aws::queue::Queue;
use aws_sdk_dynamodb::types::AttributeValue::{Bool, S};
use axum::extract::State as Shared;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use local::{Options, State, folder};
use models::embedder::Embedder;
use models::embedder::openai::OpenAi;
use models::openai::Server;
use runtime::assistants::Assistants;
use runtime::deadline::Deadline;
use runtime::message::Message;
use serde_json::{Value, json};
use tests::{Answer, App, DOCUMENTS_KEY};

const DIMENSIONS: usize = 8;

/// A stand-in for an embeddings server, and what it was asked.
#[derive(Default)]
struct Model {
    /// How often each text was embedded.
    texts: Mutex<HashMap<String, usize>>,
    calls: AtomicUsize,
    /// How many calls are under way, and how many were at most.
    under_way: AtomicUsize,
    most: AtomicUsize,
    /// Whether it takes what it refused before.
    lenient: AtomicBool,
    /// What it answers instead, while it is set.
    outage: Mutex<Option<(u16, &'static str)>>,
}

impl Model {
    fn times(&self, part: &str) -> usize {
        self.texts.lock().unwrap().iter().filter(|(text, _)| text.contains(part)).map(|(_, times)| times).sum()
    }
}

async fn embeddings(
    Shared(model): Shared<Arc<Model>>,
    Json(body): Json<Value>,
) -> (StatusCode, HeaderMap, Json<Value>) {
    model.calls.fetch_add(1, Ordering::Relaxed);
    model.most.fetch_max(model.under_way.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(2)).await;
    model.under_way.fetch_sub(1, Ordering::Relaxed);
    let inputs: Vec<String> =
        body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    let mut headers = HeaderMap::new();
    let error = |status: u16| {
        let body = json!({"error": {"message": "no", "type": "invalid_request_error", "param": "input"}});
        (StatusCode::from_u16(status).unwrap(), Json(body))
    };
    if let Some((status, retry_after)) = *model.outage.lock().unwrap() {
        headers.insert("retry-after", retry_after.parse().unwrap());
        let (status, body) = error(status);
        return (status, headers, body);
    }
    let lenient = model.lenient.load(Ordering::Relaxed);
    for (word, status) in [("REFUSED", 400), ("POISON", 500), ("FORBIDDEN", 403)] {
        if !lenient && inputs.iter().any(|text| text.contains(word)) {
            let (status, body) = error(status);
            return (status, headers, body);
        }
    }
    if inputs.iter().any(|text| text.contains("ENDLESS")) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, text)| {
            *model.texts.lock().unwrap().entry(text.clone()).or_default() += 1;
            let vector: Vec<f32> = (0..DIMENSIONS).map(|i| (text.len() + i) as f32).collect();
            json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    let usage = json!({"prompt_tokens": 1, "total_tokens": 1});
    (StatusCode::OK, headers, Json(json!({"object": "list", "model": "m", "data": data, "usage": usage})))
}

async fn model() -> (Arc<Model>, String) {
    let model = Arc::new(Model::default());
    let models = async |Shared(model): Shared<Arc<Model>>| {
        let outage = model.outage.lock().unwrap().map_or(200, |(status, _)| status);
        StatusCode::from_u16(outage).unwrap()
    };
    let router = Router::new().route("/v1/embeddings", post(embeddings)).route("/v1/models", get(models));
    let router = router.with_state(model.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (model, url)
}

fn embedder(url: &str, model: &str) -> Embedder {
    Embedder::OpenAi(OpenAi::new(Server::new(url, None).unwrap(), model, Some(DIMENSIONS)).unwrap())
}

async fn app_with(url: &str, model: &str, state: State) -> App {
    App::with_options(Options { state, embedder: Some(embedder(url, model)), ..tests::options() }).await
}

async fn call(app: &App, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let request = app.request(method, path).bearer_auth(DOCUMENTS_KEY);
    app.send(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

fn document(content_type: &str, content: &str) -> Value {
    json!({"assistant": "defi", "source": "Handbook", "content_type": content_type, "content": content})
}

async fn add(app: &App, content: &str) -> Value {
    let answer = call(app, "POST", "/v1/documents", Some(&document("text/markdown", content))).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.body
}

/// The document, once `done` says so.
async fn until(app: &App, id: &Value, done: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/documents/{}", id.as_str().unwrap());
    for _ in 0..400 {
        let view = call(app, "GET", &path, None).await.body;
        if done(&view) {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{}", call(app, "GET", &path, None).await.body);
}

fn settled(view: &Value) -> bool {
    view["pending"] == 0
}

async fn corpus(app: &App, space: Option<&VectorSpace>) -> Corpus {
    app.colloquy.knowledge().load("defi", space, usize::MAX).await.unwrap().unwrap()
}

fn sections(count: usize) -> String {
    (1..=count).map(|n| format!("## Question {n}\n\nThe answer to question number {n}.\n\n")).collect()
}

/// A PDF of one page.
fn pdf(words: &str) -> String {
    let drawn = format!("BT /F1 12 Tf 10 100 Td ({words}) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
        format!("<</Length {}>>stream\n{drawn}\nendstream", drawn.len()),
    ];
    let (mut file, mut table) = ("%PDF-1.4\n".to_owned(), "xref\n0 6\n0000000000 65535 f \n".to_owned());
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let start = file.len();
    format!("{file}{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n")
}

#[tokio::test]
async fn documents_of_every_kind_are_cut_and_found() {
    let app = App::start().await;
    let pdf = STANDARD.encode(pdf("Words in a PDF"));
    let cases = [
        ("text/markdown", "## Dogs\nMay come.\n\nSource: Rules – https://example.org/dogs", "Dogs", "May come."),
        ("text/html", "<title>Rules</title><h2>Cats</h2><p>May <b>not</b>.", "Rules › Cats", "May not."),
        ("text/plain", "Nothing but words.", "", "Nothing but words."),
        ("application/json", r#"[{"question": "Birds?", "answer": "In cages."}]"#, "Birds?", "In cages."),
        ("application/pdf", pdf.as_str(), "", "Words in a PDF"),
    ];
    for (content_type, content, _, _) in cases {
        let answer = call(&app, "POST", "/v1/documents", Some(&document(content_type, content))).await;
        assert_eq!((answer.status, &answer.body["chunks"]), (202, &json!(1)), "{content_type}: {}", answer.body);
        assert_eq!((&answer.body["pending"], &answer.body["retrieval"]), (&json!(0), &json!("words")));
    }
    let found = corpus(&app, None).await;
    assert_eq!(found.chunks.len(), cases.len());
    for (content_type, _, heading, text) in cases {
        let matching = found.chunks.iter().find(|chunk| chunk.heading == heading && chunk.text.trim() == text);
        let chunk = matching.unwrap_or_else(|| panic!("{content_type}: {:?}", found.chunks));
        let cited = if heading == "Dogs" { ("Rules", Some("https://example.org/dogs")) } else { ("Handbook", None) };
        assert_eq!((chunk.source.as_str(), chunk.url.as_deref()), cited);
    }
}

#[tokio::test]
async fn a_pdf_is_not_blamed_for_a_reader_that_cannot_be_started() {
    let pdfs = ingest::PdfReader::new("/nowhere/at/all".into());
    let app = App::with_options(local::Options { pdfs, ..tests::options() }).await;
    let body = document("application/pdf", &STANDARD.encode(pdf("Words in a PDF")));
    let answer = call(&app, "POST", "/v1/documents", Some(&body)).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.headers["retry-after"], "2");
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_refused_with_its_field() {
    let app = App::start().await;
    let with = |field: &str, value: Value| {
        let mut body = document("text/plain", "words");
        body[field] = value;
        body
    };
    let pair = |field: &str, value: &str| {
        let mut second = json!({"question": "Q?", "answer": "A."});
        second[field] = json!(value);
        document("application/json", &json!([{"question": "Q?", "answer": "A."}, second]).to_string())
    };
    let cases = [
        (pair("source", &"x".repeat(201)), "content[1].source"),
        (pair("url", &format!("https://{}", "x".repeat(2_000))), "content[1].url"),
        (pair("url", "javascript:alert(1)"), "content[1].url"),
        (with("source", json!(" ")), "source"),
        (with("title", json!("x".repeat(201))), "title"),
        (with("url", json!("javascript:alert(1)")), "url"),
        (with("content_type", json!("image/png")), "content_type"),
        (with("content", json!("\n")), "content"),
        (with("content", json!("x".repeat(1024 * 1024 + 1))), "content"),
        (with("colour", json!("red")), "colour"),
        (document("application/json", "[{\"question\": \"only\"}]"), "content"),
        (document("application/pdf", "not base64!"), "content"),
        (document("application/pdf", "bm8gcGRm"), "content"),
        (document("text/html", "<script>alert(1)</script>"), "content"),
        (document("text/markdown", &sections(4_001)), "content"),
    ];
    for (body, field) in cases {
        let answer = call(&app, "POST", "/v1/documents", Some(&body)).await;
        let shown = body.to_string();
        assert_eq!(answer.status, 422, "{}", &shown[..shown.len().min(200)]);
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.body);
    }
    let nobody = json!({"assistant": "nobody", "source": "s", "content_type": "text/plain", "content": "words"});
    assert_eq!(call(&app, "POST", "/v1/documents", Some(&nobody)).await.status, 404);
    let large = document("text/plain", &"x".repeat(1_600_000));
    assert_eq!(call(&app, "POST", "/v1/documents", Some(&large)).await.status, 413);
    assert_eq!(app.send(app.request("PUT", "/v1/documents")).await.status, 405);
    for id in ["no", "defi-000000000000000000000000", "d%23x-000000000000000000000000"] {
        assert_eq!(call(&app, "GET", &format!("/v1/documents/{id}"), None).await.status, 404, "{id}");
        assert_eq!(call(&app, "DELETE", &format!("/v1/documents/{id}"), None).await.status, 404, "{id}");
    }
}

#[tokio::test]
async fn only_who_has_the_key_may_change_documents() {
    let app = App::start().await;
    for header in [None, Some("Bearer wrong"), Some("Basic YTpi"), Some(DOCUMENTS_KEY)] {
        let mut request = app.request("POST", "/v1/documents").json(&document("text/plain", "words"));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let answer = app.send(request).await;
        assert_eq!((answer.status, &answer.body["type"]), (401, &json!("urn:colloquy:problem:unauthorized")));
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let closed = App::with_options(Options { documents_key: None, ..tests::options() }).await;
    let answer = call(&closed, "POST", "/v1/documents", Some(&document("text/plain", "words"))).await;
    assert_eq!((answer.status, &answer.body["type"]), (403, &json!("urn:colloquy:problem:forbidden")));
}

#[tokio::test]
async fn every_chunk_is_embedded_once_in_few_calls_and_nothing_is_done_twice() {
    let (model, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    let added = add(&app, &sections(100)).await;
    assert_eq!((&added["chunks"], &added["retrieval"]), (&json!(100), &json!("hybrid")));

    let view = until(&app, &added["id"], settled).await;
    assert_eq!((&view["embedded"], &view["failed"]), (&json!(100), &json!(0)));
    assert!(model.calls.load(Ordering::Relaxed) <= 10, "texts share calls");
    let again = add(&app, &sections(100)).await;
    assert_eq!((&again["id"], &again["embedded"]), (&added["id"], &json!(100)));
    assert_eq!(model.times("question number"), 100);

    let space = embedder(&url, "m").space();
    let found = corpus(&app, Some(&space)).await;
    assert_eq!(found.chunks.iter().filter(|chunk| chunk.vector.is_some()).count(), 100);
    assert_eq!(found.chunks[41].text, "The answer to question number 42.");
    let vector = found.chunks[41].vector.clone().unwrap();
    let nearest = app.colloquy.knowledge().nearest("defi", &space, &vector, 3, Some("Handbook")).await.unwrap();
    assert_eq!(nearest.len(), 3);
    assert!((nearest[0].1 - 1.0).abs() < 1e-5, "{}", nearest[0].1);
    let elsewhere = app.colloquy.knowledge().nearest("defi", &space, &vector, 3, Some("Elsewhere")).await.unwrap();
    assert!(elsewhere.is_empty());
}

#[tokio::test]
async fn a_document_of_many_messages_is_packed_once_when_the_last_of_them_is_done() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let id = id(&add(&app, &sections(100)).await);
    let kept = worker.store.settle(&id, &worker.space.clone().into()).await.unwrap().unwrap();
    let pending = worker.store.unembedded(&id, [&worker.space]).await.unwrap();
    let works = EmbedWork::for_document(&kept, &pending);
    let message = |n: usize| worker.message(n, serde_json::to_string(&works[n]).unwrap(), 1);
    let version = async || worker.store.corpus_state("defi").await.unwrap().version;
    let before = version().await;
    assert_eq!(works.len(), 4);

    for messages in [vec![message(2)], vec![message(0), message(3)], vec![message(0), message(2)]] {
        assert!(worker.work(messages).await.is_empty());
        assert_eq!(version().await, before, "a part is missing");
    }
    assert!(worker.work(vec![message(1)]).await.is_empty());
    assert_eq!(version().await, before + 1);
    assert!(worker.work(vec![message(1), message(2)]).await.is_empty());

    assert_eq!(version().await, before + 1, "what comes again finds it done");
    assert_eq!(worker.store.document(&id).await.unwrap().unwrap().counts.embedded, 100);
}

#[tokio::test]
async fn the_parts_of_a_document_that_was_packed_meanwhile_are_packed_as_they_come() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let id = id(&add(&app, &sections(100)).await);
    let kept = worker.store.settle(&id, &worker.space.clone().into()).await.unwrap().unwrap();
    let works = EmbedWork::for_document(&kept, &worker.store.unembedded(&id, [&worker.space]).await.unwrap());
    worker.store.settle(&id, &worker.space.clone().into()).await.unwrap();
    let embedded = async || worker.store.document(&id).await.unwrap().unwrap().counts.embedded;

    for (n, expected) in [(0, 32), (1, 64), (2, 96), (3, 100)] {
        let body = serde_json::to_string(&works[n]).unwrap();
        assert!(worker.work(vec![worker.message(n, body, 1)]).await.is_empty());
        assert_eq!(embedded().await, expected);
    }
}

#[tokio::test]
async fn a_document_with_the_same_key_is_replaced_and_what_stays_keeps_its_vector() {
    let (model, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    let keyed = |content: &str| {
        let mut body = document("text/markdown", content);
        body["key"] = json!("faq");
        body
    };
    let first = call(&app, "POST", "/v1/documents", Some(&keyed(&sections(10)))).await.body;
    until(&app, &first["id"], settled).await;
    let changed = format!("## New\n\nWords.\n\n{}", sections(8));
    let second = call(&app, "POST", "/v1/documents", Some(&keyed(&changed))).await.body;

    assert_eq!((&second["id"], &second["chunks"], &second["pending"]), (&first["id"], &json!(9), &json!(1)));
    until(&app, &first["id"], settled).await;
    assert_eq!(model.times("question number"), 10);
    let found = corpus(&app, None).await;
    assert_eq!((found.chunks.len(), found.chunks[0].heading.as_str()), (9, "New"));
}

#[tokio::test]
async fn a_deleted_document_is_out_of_answers_at_once_and_late_work_does_not_bring_it_back() {
    let (model, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    *model.outage.lock().unwrap() = Some((503, "1"));
    let added = add(&app, &sections(40)).await;
    let path = format!("/v1/documents/{}", added["id"].as_str().unwrap());
    let store = app.colloquy.knowledge();
    let before = store.corpus_state("defi").await.unwrap().version;

    assert_eq!(call(&app, "DELETE", &path, None).await.status, 204);
    assert!(store.corpus_state("defi").await.unwrap().version > before);
    assert!(corpus(&app, None).await.chunks.is_empty());
    *model.outage.lock().unwrap() = None;
    tokio::time::sleep(Duration::from_secs(3)).await;

    assert!(corpus(&app, None).await.chunks.is_empty());
    assert_eq!(call(&app, "GET", &path, None).await.status, 404);
    assert_eq!(call(&app, "DELETE", &path, None).await.status, 404);
    let id: DocumentId = added["id"].as_str().unwrap().parse().unwrap();
    let space = embedder(&url, "m").space();
    assert!(store.unembedded(&id, [&space]).await.unwrap().is_empty(), "no chunk came back");
}

#[tokio::test]
async fn a_text_at_fault_fails_alone() {
    let (_, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    let added = add(&app, &format!("{}## Bad\n\nREFUSED\n\n", sections(30))).await;
    let view = until(&app, &added["id"], settled).await;
    assert_eq!((&view["embedded"], &view["failed"]), (&json!(30), &json!(1)));
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_allowed_even_where_every_text_is_tried_alone() {
    let (model, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    let bad: String = (0..60).map(|n| format!("## Bad {n}\n\nREFUSED {n}\n\n")).collect();
    let added = add(&app, &format!("{bad}{}", sections(200))).await;
    let view = until(&app, &added["id"], settled).await;
    assert_eq!((&view["embedded"], &view["failed"]), (&json!(200), &json!(60)));
    let most = model.most.load(Ordering::Relaxed);
    assert!((2..=5).contains(&most), "{most}");
}

#[tokio::test]
async fn an_outage_delays_and_loses_nothing_and_fills_no_dead_letter_queue() {
    let (model, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    *model.outage.lock().unwrap() = Some((429, "1"));
    let added = add(&app, &sections(50)).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let calls = model.calls.load(Ordering::Relaxed);
    assert!((2..40).contains(&calls), "{calls} calls");
    *model.outage.lock().unwrap() = None;

    let view = until(&app, &added["id"], settled).await;
    assert_eq!(view["embedded"], 50);
    let (_, dead) = app.colloquy.chunk_queues();
    assert!(dead.receive(Duration::ZERO).await.unwrap().is_empty());
}

/// The set with its worker's own deps, so that a test can play the worker.
struct Worker {
    deps: Arc<embed::Deps>,
    queue: Queue,
    dead: Queue,
    store: KnowledgeStore,
    space: VectorSpace,
}

impl Worker {
    fn new(app: &App, url: &str) -> Self {
        let (queue, dead) = app.colloquy.chunk_queues();
        let (embedder, store) = (embedder(url, "m"), app.colloquy.knowledge());
        let space = embedder.space();
        let assistants = Assistants::embedded().unwrap();
        let deps = embed::Deps::new(store.clone(), queue.clone(), Some(embedder), 5, assistants);
        Self { deps: Arc::new(deps), queue, dead, store, space }
    }

    fn message(&self, id: usize, body: String, tries: u32) -> Message {
        Message { id: id.to_string(), receipt: String::new(), body, tries, waited: Duration::ZERO, trace: None }
    }

    /// The bodies of the dead letters since the last look.
    async fn given_up(&self) -> Vec<String> {
        let letters = self.dead.receive(Duration::ZERO).await.unwrap();
        self.dead.delete(&letters).await.unwrap();
        letters.into_iter().map(|letter| letter.body).collect()
    }

    async fn work(&self, messages: Vec<Message>) -> Vec<String> {
        embed::work(self.deps.clone(), messages, Deadline::after(Duration::from_secs(30))).await
    }
}

#[tokio::test]
async fn a_poison_message_fails_alone_and_the_others_go_through() {
    for word in ["POISON", "FORBIDDEN"] {
        let (model, url) = model().await;
        let app = App::start().await;
        let worker = Worker::new(&app, &url);
        let bad = add(&app, &format!("## Bad\n\n{word}\n\n## Fine\n\nWords.")).await;
        let (good, bad) = (id(&add(&app, &sections(40)).await), id(&bad));
        let mut messages = Vec::new();
        for id in [&good, &bad] {
            let pending = worker.store.unembedded(id, [&worker.space]).await.unwrap();
            for work in EmbedWork::for_chunks(id, &pending) {
                messages.push(worker.message(messages.len(), serde_json::to_string(&work).unwrap(), 1));
            }
        }
        messages.push(worker.message(messages.len(), "{broken".to_owned(), 1));
        assert_eq!(messages.len(), 4);

        assert_eq!(worker.work(messages.clone()).await, ["2"], "{word}");
        assert_eq!((model.times("question number"), model.times("Words.")), (40, 1));
        assert_eq!(worker.given_up().await, ["{broken"], "what cannot be read is given up at once");
        messages.truncate(3);
        messages.iter_mut().for_each(|message| message.tries = embed::TRIES);
        let poison = messages[2].body.clone();
        assert!(worker.work(messages).await.is_empty());
        assert_eq!(worker.given_up().await, [poison]);

        assert_eq!(model.times("question number"), 40, "what is done is not done again");
        let kept = worker.store.document(&bad).await.unwrap().unwrap();
        assert_eq!((kept.counts.embedded, kept.counts.failed), (1, 1));
    }
}

fn id(view: &Value) -> DocumentId {
    view["id"].as_str().unwrap().parse().unwrap()
}

/// Puts a chunk without words beside those of a document; its hash.
async fn spoil(app: &App, document: &DocumentId) -> String {
    let (assistant, digits) =
        (document.assistant.clone(), document.to_string()[document.assistant.len() + 1..].to_owned());
    let hash = "0".repeat(24);
    let (client, _) = app.colloquy.tables();
    let put = client.put_item().table_name("knowledge").item("assistant", S(assistant));
    put.item("id", S(format!("chunk#{digits}#{hash}"))).send().await.unwrap();
    hash
}

#[tokio::test]
async fn a_message_of_a_chunk_that_cannot_be_read_is_given_up_at_once() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let bad = id(&add(&app, "## Bad\n\nWords.").await);
    let pending = worker.store.unembedded(&bad, [&worker.space]).await.unwrap();
    let work = |chunks: &[String]| serde_json::to_string(&EmbedWork::for_chunks(&bad, chunks)[0]).unwrap();
    let spoilt = [spoil(&app, &bad).await];

    // One names it, of the other the document cannot be packed.
    let messages = vec![worker.message(0, work(&spoilt), 1), worker.message(1, work(&pending), 1)];
    let mut bodies: Vec<String> = messages.iter().map(|message| message.body.clone()).collect();
    assert!(worker.work(messages).await.is_empty());
    let mut given_up = worker.given_up().await;
    given_up.sort();
    bodies.sort();
    assert_eq!(given_up, bodies);
}

#[tokio::test]
async fn a_wrong_key_gives_up_at_once_what_an_outage_puts_back_for_a_day_or_fifty_tries() {
    let (model, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let added = id(&add(&app, "## A\n\nWords.").await);
    let pending = worker.store.unembedded(&added, [&worker.space]).await.unwrap();
    let body = serde_json::to_string(&EmbedWork::for_chunks(&added, &pending)[0]).unwrap();
    let day = Duration::from_secs(24 * 3600);
    for (status, tries, waited, again) in [
        (401, 1, Duration::ZERO, false),
        (503, 1, Duration::ZERO, true),
        (503, 49, day - Duration::from_secs(1), true),
        (503, 50, Duration::ZERO, false),
        (503, 2, day, false),
    ] {
        *model.outage.lock().unwrap() = Some((status, "0"));
        let message = Message { waited, ..worker.message(0, body.clone(), tries) };
        let put_back = worker.work(vec![message]).await;
        let case = format!("{status} after {tries} tries and {waited:?}");
        assert_eq!(
            (put_back.len(), worker.given_up().await.len()),
            (usize::from(again), usize::from(!again)),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_text_that_never_comes_to_an_end_is_blamed_at_last_and_takes_no_other_along() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let added = id(&add(&app, &format!("{}## Bad\n\nENDLESS", sections(3))).await);
    let pending = worker.store.unembedded(&added, [&worker.space]).await.unwrap();
    let body = serde_json::to_string(&EmbedWork::for_chunks(&added, &pending)[0]).unwrap();
    let in_six_seconds = Deadline::after(Duration::from_secs(6));
    let first = embed::work(worker.deps.clone(), vec![worker.message(0, body.clone(), 1)], in_six_seconds).await;
    assert_eq!(first, ["0"], "a call that takes too long is the embedder's fault at first");

    let at_last = worker.work(vec![worker.message(0, body.clone(), embed::TRIES)]).await;

    assert!(at_last.is_empty());
    assert_eq!(worker.given_up().await, [body]);
    let counts = worker.store.document(&added).await.unwrap().unwrap().counts;
    assert_eq!((counts.embedded, counts.failed), (3, 1));
}

#[tokio::test]
async fn what_was_embedded_of_a_refused_batch_is_kept_though_the_rest_comes_too_late() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let added = id(&add(&app, &format!("{}## A\n\nREFUSED\n\n## B\n\nENDLESS", sections(30))).await);
    let pending = worker.store.unembedded(&added, [&worker.space]).await.unwrap();
    let body = serde_json::to_string(&EmbedWork::for_chunks(&added, &pending)[0]).unwrap();
    let deadline = Deadline::after(Duration::from_secs(8));

    assert_eq!(embed::work(worker.deps.clone(), vec![worker.message(0, body, 1)], deadline).await, ["0"]);

    let counts = worker.store.document(&added).await.unwrap().unwrap().counts;
    assert!(counts.embedded >= 15 && counts.failed == 1, "at most a half waited for it: {counts:?}");
}

#[tokio::test]
async fn what_failed_is_tried_again_when_its_message_or_its_document_comes_again() {
    let (model, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    let content = |n: usize| format!("{}## Bad {n}\n\nREFUSED", sections(3));
    let bad = [add(&app, &content(1)).await, add(&app, &content(2)).await];
    for bad in &bad {
        assert_eq!(until(&app, &bad["id"], settled).await["failed"], 1);
    }
    let calls = model.calls.load(Ordering::Relaxed);
    let worker = Worker::new(&app, &url);
    assert!(embed::sweep_now(&worker.deps, Deadline::after(Duration::from_secs(5))).await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(model.calls.load(Ordering::Relaxed), calls, "not by itself");
    model.lenient.store(true, Ordering::Relaxed);

    add(&app, &content(1)).await;
    let failed = worker.store.unembedded(&id(&bad[1]), [&worker.space]).await.unwrap();
    worker.queue.send(&EmbedWork::for_chunks(&id(&bad[1]), &failed)).await.unwrap();

    for bad in &bad {
        until(&app, &bad["id"], |view| view["embedded"] == 4 && view["failed"] == 0).await;
    }
}

#[tokio::test]
async fn the_sweep_finishes_deletions_whatever_is_queued_and_one_bad_document_stops_no_other() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(id(&add(&app, &format!("## Question {n}\n\nWords.")).await));
    }
    ids.sort();
    let [bad, deleted, pending] = &ids[..] else { panic!("{ids:?}") };
    spoil(&app, bad).await;
    let (client, _) = app.colloquy.tables();
    let update = client.update_item().table_name("knowledge").key("assistant", S("defi".to_owned()));
    let update = update.key("id", S(deleted.to_string().replace("defi-", "document#")));
    let update = update.update_expression("SET deleting = :yes").expression_attribute_values(":yes", Bool(true));
    update.send().await.unwrap();
    let deadline = || Deadline::after(Duration::from_secs(5));
    worker.queue.send_later(&[EmbedWork::for_chunks(pending, &[])], Duration::from_secs(600)).await.unwrap();

    assert!(embed::sweep(worker.deps.clone(), deadline()).await);
    let heads = worker.store.documents("defi").await.unwrap();
    assert_eq!(heads.into_iter().map(|head| head.id).collect::<Vec<_>>(), [bad.clone(), pending.clone()]);

    assert!(!embed::sweep_now(&worker.deps, deadline()).await, "what is not done is said");
    let head = worker.store.document(pending).await.unwrap().unwrap();
    assert_eq!(head.space.as_deref(), Some(worker.space.name()), "the one after it was seen");
}

#[tokio::test]
async fn a_poison_document_ends_as_a_dead_letter_after_five_deliveries_and_the_others_go_through() {
    let (model, url) = model().await;
    let embedder = Some(embedder(&url, "m"));
    let visibility = Duration::from_secs(1);
    let app = App::with_options(Options { embedder, visibility, ..tests::options() }).await;
    let bad = add(&app, "## Bad\n\nPOISON\n\n## Fine\n\nWords.").await;
    let good = add(&app, &sections(40)).await;

    let view = until(&app, &good["id"], settled).await;
    assert_eq!((&view["embedded"], &view["failed"]), (&json!(40), &json!(0)));
    let (queue, dead) = app.colloquy.chunk_queues();
    let mut letters = Vec::new();
    for _ in 0..60 {
        letters = dead.receive(Duration::from_secs(1)).await.unwrap();
        if !letters.is_empty() {
            break;
        }
    }
    let bodies: Vec<EmbedWork> = letters.iter().map(|letter| serde_json::from_str(&letter.body).unwrap()).collect();
    assert_eq!(bodies.iter().map(|work| work.document.to_string()).collect::<Vec<_>>(), [bad["id"].as_str().unwrap()]);
    let view = until(&app, &bad["id"], settled).await;
    assert_eq!((&view["embedded"], &view["failed"]), (&json!(1), &json!(1)));
    assert!(queue.is_empty().await.unwrap());
    assert_eq!((model.times("question number"), model.times("Words.")), (40, 1), "nothing is embedded twice");
}

#[tokio::test]
async fn chunks_of_which_no_message_tells_are_found_by_the_sweep_once_the_queue_is_empty() {
    let (_, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    let worker = Worker::new(&app, &url);
    let id = DocumentId::of("defi", &["lost"]);
    let chunk = |n: usize| ChunkText {
        text: format!("The answer to question number {n}."),
        heading: String::new(),
        source: "Handbook".to_owned(),
        url: None,
        asked: String::new(),
    };
    let (source, title, chunks) = ("Handbook".to_owned(), String::new(), (0..40).map(chunk).collect());
    let document = NewDocument { id: id.clone(), source, title, url: None, key: None, chunks };
    worker.store.write(&document, &worker.space.clone().into()).await.unwrap();
    let pending = async || worker.store.document(&id).await.unwrap().unwrap().counts.pending();
    let deadline = || Deadline::after(Duration::from_secs(5));

    let (queue, _) = app.colloquy.chunk_queues();
    queue.send_later(&[EmbedWork::for_chunks(&id, &[])], Duration::from_secs(600)).await.unwrap();
    assert!(embed::sweep(worker.deps.clone(), deadline()).await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(pending().await, 40, "messages are there already");

    assert!(!embed::sweep_now(&worker.deps, Deadline::after(Duration::ZERO)).await, "what is not done is said");
    assert!(embed::sweep_now(&worker.deps, deadline()).await);
    for _ in 0..100 {
        if pending().await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(pending().await, 0);
}

#[tokio::test]
async fn the_sweep_adds_no_dead_letters_while_the_embedder_refuses_us() {
    let (model, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    let worker = Worker::new(&app, &url);
    *model.outage.lock().unwrap() = Some((401, "0"));
    let added = add(&app, "## A\n\nWords.").await;
    let given_up = async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        worker.given_up().await.len()
    };
    assert_eq!(given_up().await, 1);
    let sweep = async || embed::sweep(worker.deps.clone(), Deadline::after(Duration::from_secs(5))).await;
    assert!(sweep().await);
    assert_eq!(given_up().await, 0);

    *model.outage.lock().unwrap() = None;
    assert!(sweep().await);
    until(&app, &added["id"], settled).await;
}

#[tokio::test]
async fn the_event_of_embed_gives_a_vector_to_what_that_of_ingest_took_in() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let (status, taken) = crate::events::invoke("ingest", &app).await;
    assert_eq!(status, 202, "{taken}");
    let event = include_str!("../../events/embed.json");
    let event: aws_lambda_events::sqs::SqsEvent = serde_json::from_str(event).unwrap();

    let failed = worker.work(event.records.into_iter().map(runtime::lambda::message).collect()).await;

    assert!(failed.is_empty());
    let id: DocumentId = serde_json::from_str::<Value>(&taken).unwrap()["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(worker.store.document(&id).await.unwrap().unwrap().counts.embedded, 1);
}

#[tokio::test]
async fn messages_delivered_twice_and_at_once_double_nothing() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let added = add(&app, &sections(60)).await;
    let id: DocumentId = added["id"].as_str().unwrap().parse().unwrap();
    let pending = worker.store.unembedded(&id, [&worker.space]).await.unwrap();
    let message = |chunks: &[String]| {
        let work = EmbedWork { document: id.clone(), chunks: chunks.to_vec(), part: None, put_back: 0 };
        worker.message(0, serde_json::to_string(&work).unwrap(), 1)
    };
    let batches: Vec<_> = pending.chunks(10).chain(pending.chunks(7)).map(|chunks| vec![message(chunks)]).collect();

    let failed = futures::future::join_all(batches.into_iter().map(|batch| worker.work(batch))).await;

    assert!(failed.iter().all(Vec::is_empty));
    let found = corpus(&app, Some(&worker.space)).await;
    assert_eq!(found.chunks.len(), 60);
    assert!(found.chunks.iter().all(|chunk| chunk.vector.is_some()));
    assert_eq!(worker.store.document(&id).await.unwrap().unwrap().counts.embedded, 60);
}

#[tokio::test]
async fn a_worker_killed_anywhere_loses_nothing() {
    let (_, url) = model().await;
    let app = App::start().await;
    let worker = Worker::new(&app, &url);
    let added = add(&app, &sections(30)).await;
    let id: DocumentId = added["id"].as_str().unwrap().parse().unwrap();
    let pending = worker.store.unembedded(&id, [&worker.space]).await.unwrap();
    let work = EmbedWork::for_chunks(&id, &pending);
    let message = worker.message(0, serde_json::to_string(&work[0]).unwrap(), 1);
    for milliseconds in 0..40 {
        let killed = tokio::time::timeout(Duration::from_millis(milliseconds * 3), worker.work(vec![message.clone()]));
        drop(killed.await);
    }

    assert!(worker.work(vec![message]).await.is_empty());
    let found = corpus(&app, Some(&worker.space)).await;
    assert_eq!(found.chunks.iter().filter(|chunk| chunk.vector.is_some()).count(), 30);
    assert_eq!(worker.store.document(&id).await.unwrap().unwrap().counts.embedded, 30);
    assert!(worker.queue.receive(Duration::ZERO).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_pending_at_a_kill_is_embedded_after_the_restart_and_another_model_embeds_anew() {
    let (model, url) = model().await;
    let folder = std::env::temp_dir().join(format!("colloquy-documents-{}", std::process::id()));
    let state = || State::Folder(folder.clone());
    *model.outage.lock().unwrap() = Some((503, "60"));
    let app = app_with(&url, "m", state()).await;
    let added = add(&app, &sections(20)).await;
    app.colloquy.stop().await;
    *model.outage.lock().unwrap() = None;

    let app = app_with(&url, "m", state()).await;
    until(&app, &added["id"], settled).await;
    app.colloquy.stop().await;
    assert_eq!(model.times("question number"), 20);

    let app = app_with(&url, "other", state()).await;
    let view = until(&app, &added["id"], settled).await;
    let other = embedder(&url, "other").space();
    let embedded = |corpus: Corpus| corpus.chunks.iter().filter(|chunk| chunk.vector.is_some()).count();
    assert_eq!((view["embedded"].as_u64(), embedded(corpus(&app, Some(&other)).await)), (Some(20), 20));
    let before = embedder(&url, "m").space();
    assert_eq!(embedded(corpus(&app, Some(&before)).await), 0, "vectors of two models are never mixed");
    app.colloquy.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(model.times("question number"), 40);
}

#[tokio::test]
async fn a_folder_is_taken_in_once_however_often_it_is_sent() {
    let (model, url) = model().await;
    let app = app_with(&url, "m", State::Memory).await;
    let folder = std::env::temp_dir().join(format!("colloquy-folder-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("deep")).unwrap();
    std::fs::write(folder.join("a.md"), sections(3)).unwrap();
    std::fs::write(folder.join("deep/b.html"), "<h1>B</h1><p>Words of b.").unwrap();
    std::fs::write(folder.join("c.json"), "not pairs").unwrap();
    std::fs::write(folder.join("d.png"), [0]).unwrap();
    let target =
        folder::Target { url: app.colloquy.url(), key: DOCUMENTS_KEY.to_owned(), assistant: "defi".to_owned() };
    let run = async || folder::ingest(&folder, &target, &indicatif::ProgressBar::hidden()).await.unwrap();

    let first = run().await;
    assert_eq!((first.documents, first.chunks, first.embedded, first.pending), (2, 4, 4, 0));
    assert_eq!((first.refused[0].0.as_str(), first.skipped["png"]), ("c.json", 1));
    assert_eq!(run().await, first);
    std::fs::write(folder.join("a.md"), sections(2)).unwrap();
    let third = run().await;
    std::fs::remove_dir_all(&folder).unwrap();

    assert_eq!((third.documents, third.chunks), (2, 3));
    assert_eq!(model.times("question number"), 3);
    assert_eq!(corpus(&app, None).await.chunks.len(), 3);
}

#[tokio::test]
async fn a_release_takes_in_its_texts_once_and_takes_away_those_of_the_one_before() {
    let app = App::start().await;
    let deps = Arc::new(ingest::Deps {
        store: app.colloquy.knowledge(),
        queue: app.colloquy.chunk_queues().0,
        assistants: Assistants::embedded().unwrap(),
        spaces: Spaces::default(),
        key: None,
        pdfs: tests::pdf_reader(),
    });
    let old = ingest::own_texts::OwnText {
        assistant: "defi".to_owned(),
        file: "of-the-release-before.md".to_owned(),
        text: "## Old\n\nWords.".to_owned(),
    };
    assert!(ingest::own_texts::take_in(&deps, &[old]).await);
    let release = async || ingest::own_texts::release(deps.clone(), Deadline::after(Duration::from_secs(60))).await;
    let kept = async || {
        let (mut keys, mut versions) = (Vec::new(), Vec::new());
        for (assistant, _) in deps.assistants.iter() {
            keys.extend(deps.store.documents(assistant).await.unwrap().into_iter().filter_map(|head| head.key));
            versions.push(deps.store.corpus_state(assistant).await.unwrap().version);
        }
        (keys, versions)
    };

    assert!(release().await);
    let first = kept().await;
    assert!(release().await);

    assert_eq!(kept().await, first, "what has not changed is not written again");
    assert_eq!(first.0.len(), ingest::own_texts::embedded().len());
    assert!(!first.0.contains(&"knowledge/of-the-release-before.md".to_owned()));
    assert!(!ingest::own_texts::release(deps.clone(), Deadline::after(Duration::ZERO)).await);
}

#[tokio::test]
async fn the_assistants_own_texts_are_there_soon_after_the_start() {
    let own_texts = local::knowledge::own_texts(None).unwrap();
    let entries = own_texts.iter().filter(|text| text.assistant == "defi");
    let entries: usize = entries.map(|text| text.text.lines().filter(|line| line.starts_with("## ")).count()).sum();
    assert!(entries >= 60);
    let app = App::with_options(Options { own_texts, ..tests::options() }).await;
    for _ in 0..200 {
        if corpus(&app, None).await.chunks.len() >= entries {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let found = corpus(&app, None).await;
    assert_eq!(found.chunks.len(), entries, "an entry is a chunk");
    assert!(found.chunks.iter().all(|chunk| chunk.url.is_some() && !chunk.text.contains("Source:")));
}
