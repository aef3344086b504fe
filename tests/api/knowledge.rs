//! Questions find their passages: by words, by meaning, in memory and through the table, and the newest ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State as Shared;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use local::Options;
use serde_json::{Value, json};
use shared::api::RETRIEVE;
use shared::config::Secret;
use shared::deadline::Deadline;
use shared::embedder::Embedder;
use shared::embedder::openai::OpenAi;
use shared::knowledge::{Retrieval, RetrieveRequest, Retrieved};
use shared::knowledge_store::{DocumentId, VectorSpace};
use shared::openai::Server;
use shared::pipeline::Pipeline;
use shared::private::Private;
use tests::{App, DOCUMENTS_KEY};

const DIMENSIONS: usize = 64;

const GLOSSARY: &str = "# Glossary\n\n## Staking\n\nStaking locks coins so that a network can be secured; it pays a reward.\n\n\
    ## Bridges\n\nA bridge moves tokens from one chain to another, and is often attacked.\n\n\
    ## Liquidation\n\nA loan whose collateral falls too far is liquidated: the collateral is sold.\n";

/// A stand-in for an embeddings server: a text's vector counts its words, each at a place of its own.
async fn embeddings(Shared(away): Shared<Arc<AtomicBool>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    if away.load(Ordering::Relaxed) {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": {"message": "no"}})));
    }
    let vector = |text: &str| {
        let mut vector = vec![0.01_f32; DIMENSIONS];
        for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 4) {
            let place = word.bytes().fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
            vector[place % DIMENSIONS] += 1.0;
        }
        vector
    };
    let texts = body["input"].as_array().unwrap().iter().enumerate();
    let data: Vec<Value> =
        texts.map(|(index, text)| json!({"index": index, "embedding": vector(text.as_str().unwrap())})).collect();
    (StatusCode::OK, Json(json!({"data": data, "model": "words"})))
}

async fn embedder() -> (Embedder, Arc<AtomicBool>) {
    let away = Arc::new(AtomicBool::new(false));
    let router = Router::new().route("/v1/embeddings", post(embeddings)).with_state(away.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let server = Server::new(&url, Some(Secret::new("OPENAI_API_KEY", "test".to_owned()))).unwrap();
    (Embedder::OpenAi(OpenAi::new(server, "words", Some(DIMENSIONS)).unwrap()), away)
}

async fn ingest(app: &App, source: &str, content: &str) -> DocumentId {
    let body = json!({"assistant": "defi", "source": source, "content_type": "text/markdown", "content": content});
    let request = app.request("POST", "/v1/documents").bearer_auth(DOCUMENTS_KEY).json(&body);
    let answer = app.send(request).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).parse().unwrap()
}

async fn embedded(app: &App, id: &DocumentId, embedder: &Embedder) {
    let (store, space) = (app.colloquy.knowledge(), VectorSpace::of(embedder));
    let started = Instant::now();
    while !store.pending(id, &space).await.unwrap().is_empty()
        || store.document(id).await.unwrap().unwrap().counts.embedded == 0
    {
        assert!(started.elapsed() < Duration::from_secs(20), "not embedded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ask(app: &App, request: RetrieveRequest) -> Retrieved {
    let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
    pipeline.call(&RETRIEVE, &request, Deadline::after(Duration::from_secs(10))).await.unwrap()
}

fn question(question: &str) -> RetrieveRequest {
    RetrieveRequest { assistant: "defi".to_owned(), question: Private(question.to_owned()), ..Default::default() }
}

fn found(retrieved: &Retrieved, words: &str) -> bool {
    retrieved.passages.first().is_some_and(|passage| passage.text.contains(words) || passage.heading.contains(words))
}

#[tokio::test]
async fn without_an_embedder_words_find_passages_and_say_so() {
    let app = App::start().await;
    let nothing = ask(&app, question("What is staking?")).await;
    assert_eq!((nothing.passages.len(), nothing.corpus_version), (0, 0));
    ingest(&app, "Glossary", GLOSSARY).await;
    ingest(&app, "News", "# News\n\nStaking rewards fell this year, says a report on staking.").await;

    let started = Instant::now();
    let mut first = ask(&app, question("What is liquidation of collateral?")).await;
    while !found(&first, "liquidated") {
        assert!(started.elapsed() < Duration::from_secs(5), "the new texts are not seen");
        tokio::time::sleep(Duration::from_millis(200)).await;
        first = ask(&app, question("What is liquidation of collateral?")).await;
    }
    assert_eq!(first.retrieval, Retrieval::Words);
    assert!(first.corpus_version > 0);
    assert_eq!(first.passages[0].source, "Glossary");

    let news = RetrieveRequest { sources: vec!["News".to_owned()], ..question("Did staking rewards fall this year?") };
    let news = ask(&app, news).await;
    assert!(!news.passages.is_empty() && news.passages.iter().all(|passage| passage.source == "News"));

    let follow_up = RetrieveRequest {
        before: vec![Private("What is a bridge?".to_owned())],
        ..question("and why is it attacked?")
    };
    assert!(found(&ask(&app, follow_up).await, "bridge"));

    assert!(ask(&app, question("How do I bake sourdough bread at home?")).await.passages.is_empty());
    app.colloquy.stop().await;
}

#[tokio::test]
async fn meaning_is_searched_in_memory_and_through_the_table_alike_and_words_stand_in_for_it() {
    for retrieve_memory in [64 * 1024 * 1024, 0] {
        let (embedder, away) = embedder().await;
        let options = Options { retrieve_memory, embedder: Some(embedder.clone()), ..tests::options() };
        let app = App::with_options(options).await;
        let id = ingest(&app, "Glossary", GLOSSARY).await;
        embedded(&app, &id, &embedder).await;

        let answer = ask(&app, question("staking coins for a reward from the network")).await;
        assert_eq!(answer.retrieval, Retrieval::Hybrid);
        assert!(found(&answer, "Staking"), "{retrieve_memory}: {answer:?}");
        let nowhere = RetrieveRequest { sources: vec!["News".to_owned()], ..question("staking coins") };
        assert!(ask(&app, nowhere).await.passages.is_empty());

        away.store(true, Ordering::Relaxed);
        let request = question("what secures a network by staking coins?");
        if retrieve_memory > 0 {
            let answer = ask(&app, request).await;
            assert_eq!(answer.retrieval, Retrieval::Words);
            assert!(found(&answer, "Staking"));
        } else {
            let pipeline = Pipeline::new(app.colloquy.steps_url()).unwrap();
            let answer = pipeline.call(&RETRIEVE, &request, Deadline::after(Duration::from_secs(10))).await;
            assert_eq!(answer.unwrap_err().status(), 503);
        }
        app.colloquy.stop().await;
    }
}
