//! The process is killed, anywhere in its work, and started again: nothing is lost and nothing is counted or kept twice.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use futures::future::join_all;
use jiff::SignedDuration;
use local::{Options, State};
use models::embedder::Embedder;
use models::embedder::openai::OpenAi;
use models::openai::Server;
use serde_json::{Value, json};
use tests::{App, DOCUMENTS_KEY};

const SECTIONS: usize = 20;
/// Milliseconds after its last answer that a process lives.
const LIVES: [u64; 6] = [0, 3, 10, 25, 60, 150];
const TURNS: usize = 4;

async fn embeddings(Json(body): Json<Value>) -> Json<Value> {
    let inputs = body["input"].as_array().unwrap().iter().enumerate();
    let vector = |text: &str| [1.0, text.len() as f32, 0.5, 0.25];
    let data: Vec<Value> =
        inputs.map(|(index, text)| json!({"index": index, "embedding": vector(text.as_str().unwrap())})).collect();
    Json(json!({"data": data, "model": "m"}))
}

/// A process, killed at the end.
struct Running {
    child: Child,
    url: String,
    /// Closed, it would fail what the process prints.
    _printed: ChildStdout,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A process on the folder, once it can be asked.
fn start(folder: &Path, model: &str) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .env("PORT", "0")
        .env("COLLOQUY_STATE", folder)
        .env("DOCUMENTS_API_KEY", DOCUMENTS_KEY)
        .env("EMBEDDER", "openai")
        .env("OPENAI_BASE_URL", model)
        .env("EMBEDDING_MODEL", "m")
        .env("EMBEDDING_DIMENSIONS", "4")
        .env("RUST_LOG", "off")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("Colloquy is at ").unwrap_or_default().to_owned();
    Running { child, url, _printed: printed.into_inner() }
}

#[tokio::test]
async fn a_process_killed_anywhere_loses_and_doubles_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let model = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/embeddings", post(embeddings));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = std::env::temp_dir().join(format!("colloquy-kill-{}", std::process::id()));
    let client = reqwest::Client::new();
    let flight = json!({"assistant": "travel", "message": "fly me from Lahore to Dubai tomorrow"});

    for (round, life) in LIVES.into_iter().enumerate() {
        let running = start(&folder, &model);
        let url = &running.url;
        let sections: String = (0..SECTIONS).map(|n| format!("## Question {round} {n}\n\nThe answer.\n\n")).collect();
        let document =
            json!({"assistant": "defi", "source": "S", "content_type": "text/markdown", "content": sections});
        let add = client.post(format!("{url}/v1/documents")).bearer_auth(DOCUMENTS_KEY).json(&document).send();
        assert_eq!(add.await.unwrap().status(), 202);
        let turns = (0..TURNS).map(|_| client.post(format!("{url}/v1/chat")).json(&flight).send());
        assert!(join_all(turns).await.iter().all(|answer| answer.as_ref().unwrap().status() == 200));
        let replace = client.post(format!("{url}/v1/documents")).bearer_auth(DOCUMENTS_KEY).json(&handbook(round));
        tokio::spawn(replace.send());
        tokio::time::sleep(Duration::from_millis(life)).await;
        drop(running);
    }

    let openai = OpenAi::new(Server::new(&model, None).unwrap(), "m", Some(4)).unwrap();
    let (state, embedder) = (State::Folder(folder.clone()), Some(Embedder::OpenAi(openai)));
    let app = App::with_options(Options { state, embedder, ..tests::options() }).await;
    let (turns, chunks) = (TURNS * LIVES.len(), SECTIONS * LIVES.len());
    let mut seen = (0, 0);
    for _ in 0..400 {
        seen = (counted(&app).await, embedded(&app).await);
        if seen == (turns as u128, chunks) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(seen, (turns as u128, chunks));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((counted(&app).await, embedded(&app).await), seen, "nothing comes after");

    let last = handbook(LIVES.len() - 1);
    let again = app.send(app.request("POST", "/v1/documents").bearer_auth(DOCUMENTS_KEY).json(&last)).await;
    assert_eq!((again.status, &again.body["chunks"]), (202, &json!(SECTIONS)));
    let corpus = app.colloquy.knowledge().load("defi", None, usize::MAX).await.unwrap().unwrap();
    let of_handbook = corpus.chunks.iter().filter(|chunk| again.body["id"] == chunk.document_id);
    let headings: Vec<&str> = of_handbook.map(|chunk| chunk.heading.as_str()).collect();
    let expected: Vec<String> = (0..SECTIONS).map(|n| format!("Page {} {n}", LIVES.len() - 1)).collect();
    assert_eq!(headings, expected, "the last version, and nothing of those before");
    app.colloquy.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A document that takes the place of the one of the round before.
fn handbook(round: usize) -> Value {
    let content: String = (0..SECTIONS).map(|n| format!("## Page {round} {n}\n\nIts words.\n\n")).collect();
    json!({"assistant": "defi", "source": "H", "key": "handbook", "content_type": "text/markdown", "content": content})
}

/// How many turns of today the totals have.
async fn counted(app: &App) -> u128 {
    let now = jiff::Timestamp::now();
    let days = [now - SignedDuration::from_hours(24), now].map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).date());
    let days = app.colloquy.totals().days(days).await.unwrap();
    days.iter().filter_map(|day| day.counters.get("turns")).sum()
}

/// How many chunks of the documents sent have a vector.
async fn embedded(app: &App) -> usize {
    let documents = app.colloquy.knowledge().documents("defi").await.unwrap();
    documents.iter().filter(|document| document.key.is_none()).map(|document| document.counts.embedded).sum()
}
