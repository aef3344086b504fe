//! What a question costs: `cargo bench -p tests --bench asks`.
//!
//! The set runs in a process of its own, with 1,000 chunks of 1,536 dimensions of one assistant; the load and a stand-in for the
//! servers of both models run here. The stand-in's vectors count words, so that a question is near the text that answers it.

mod process;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use futures::{StreamExt, stream};
use local::{Colloquy, Options};
use models::embedder::Embedder;
use models::embedder::openai::OpenAi;
use models::llm::ChatModel;
use models::openai::Server;
use process::{Process, milliseconds, spread};
use runtime::assistants::Assistants;
use serde_json::{Value, json};
use tests::DOCUMENTS_KEY;

const CHUNKS: usize = 1_000;
const DIMENSIONS: usize = 1_536;
/// Requests measured for the CPU time of one, after a warm-up of a tenth of it.
const CPU_REQUESTS: usize = 4_000;
/// Requests under way at once while the CPU time is measured.
const CPU_CONCURRENCY: usize = 32;
/// Pieces of the model's reply to a question that is answered at once, and to one that is streamed; the latter makes a stream of
/// 60 events: `turn`, three `step`, `citations`, 54 `delta`, `done`.
const PIECES: [u64; 2] = [8, 54];
/// Streams measured for the first words.
const FIRST_WORDS: usize = 200;

/// What the stand-in does.
#[derive(Default)]
struct Servers {
    embedding_ms: AtomicU64,
    model_ms: AtomicU64,
    pieces: AtomicU64,
    /// When the last reply's first words were handed to its connection.
    began: Mutex<Option<Instant>>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rlimit::increase_nofile_limit(65_536)?;
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => serve(&arguments[2]).await,
        _ => measure().await,
    }
}

/// The role of the set, with both models at a URL. Says its address, then waits to be killed.
async fn serve(models: &str) -> anyhow::Result<()> {
    let server = Server::new(models, None)?;
    let model = ChatModel::new(server.clone(), "stand-in", 600);
    let respond = respond::Deps::new(Assistants::embedded()?, Some(model));
    let embedder = Some(Embedder::OpenAi(OpenAi::new(server, "words", Some(DIMENSIONS))?));
    let colloquy = Colloquy::start(Options { respond, embedder, ..tests::options() }).await?;
    println!("{}", colloquy.url());
    std::future::pending().await
}

async fn measure() -> anyhow::Result<()> {
    let (servers, url) = stand_in().await?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    servers.pieces.store(PIECES[0], Ordering::Relaxed);
    let set = Process::start(&["serve", &url])?;
    take_in(&client, &set.url).await?;

    let cpu = cpu_of_one(&set, async || ask(&client, &set.url, "/v1/ask").await).await?;
    println!("CPU time of an ask       {cpu}");
    servers.pieces.store(PIECES[1], Ordering::Relaxed);
    let cpu = cpu_of_one(&set, async || ask(&client, &set.url, "/v1/ask/stream").await).await?;
    println!("CPU time of a stream     {cpu}");
    println!("added to the first words {}", first_words(&client, &set.url, &servers).await?);
    drop(set);

    servers.pieces.store(PIECES[0], Ordering::Relaxed);
    for asks in [10, 1_000] {
        servers.embedding_ms.store(0, Ordering::Relaxed);
        servers.model_ms.store(0, Ordering::Relaxed);
        let set = Process::start(&["serve", &url])?;
        take_in(&client, &set.url).await?;
        servers.embedding_ms.store(50, Ordering::Relaxed);
        servers.model_ms.store(2_000, Ordering::Relaxed);
        println!("{asks} asks at once       {}", waiting(&client, &set, asks).await?);
    }
    Ok(())
}

async fn waiting(client: &reqwest::Client, set: &Process, asks: usize) -> anyhow::Result<String> {
    let base = set.memory()?;
    let started = Instant::now();
    let one = async |_| {
        let started = Instant::now();
        (ask(client, &set.url, "/v1/ask").await.is_err(), started.elapsed())
    };
    let answers = join_all((0..asks).map(one)).await;
    let wall = started.elapsed();
    let errors = answers.iter().filter(|(failed, _)| *failed).count();
    let times = answers.into_iter().map(|(_, time)| time).collect();
    Ok(format!("{}, {errors} errors, {}", spread(wall, times), set.memory_since(base)?))
}

async fn cpu_of_one(set: &Process, one: impl AsyncFn() -> anyhow::Result<()>) -> anyhow::Result<String> {
    let run = async |requests: usize| {
        let worker = async |_| {
            for _ in 0..requests / CPU_CONCURRENCY {
                one().await?;
            }
            anyhow::Ok(())
        };
        join_all((0..CPU_CONCURRENCY).map(worker)).await.into_iter().collect::<anyhow::Result<()>>()
    };
    run(CPU_REQUESTS / 10).await?;
    let (before, started) = (set.cpu()?, Instant::now());
    run(CPU_REQUESTS).await?;
    let (cpu, wall) = (set.cpu()? - before, started.elapsed());
    let each = milliseconds(cpu) / CPU_REQUESTS as f64;
    let rate = CPU_REQUESTS as f64 / wall.as_secs_f64();
    Ok(format!("{each:.3} ms ({CPU_REQUESTS}, {CPU_CONCURRENCY} at once, {rate:.0} a second)"))
}

/// From when the model hands out its first words to when the client has them.
async fn first_words(client: &reqwest::Client, url: &str, servers: &Servers) -> anyhow::Result<String> {
    let mut times = Vec::new();
    for at in 0..FIRST_WORDS {
        let response = client.post(format!("{url}/v1/ask/stream")).json(&question(at)).send().await?;
        let mut bytes = response.bytes_stream();
        let mut seen = String::new();
        while !seen.contains("event: delta") {
            let more = bytes.next().await.ok_or_else(|| anyhow::anyhow!("no delta in {seen}"))??;
            seen.push_str(&String::from_utf8_lossy(&more));
        }
        let now = Instant::now();
        let began = *servers.began.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        times.push(now.saturating_duration_since(began.unwrap_or(now)));
        while bytes.next().await.is_some() {}
    }
    times.sort();
    let at = |share: usize| milliseconds(times[(times.len() * share / 100).min(times.len() - 1)]);
    Ok(format!("median {:.2} ms, p99 {:.2} ms of {FIRST_WORDS} streams", at(50), at(99)))
}

async fn ask(client: &reqwest::Client, url: &str, path: &str) -> anyhow::Result<()> {
    let response = client.post(format!("{url}{path}")).json(&question(fastrand::usize(..CHUNKS))).send().await?;
    let status = response.status();
    let body = response.text().await?;
    // Written by the model, whole, from what both searches found.
    let whole = [r#""written_by":"model""#, r#""degraded":[]"#, r#""retrieval":"hybrid""#];
    anyhow::ensure!(status == 200 && whole.iter().all(|part| body.contains(part)), "{status}: {body}");
    Ok(())
}

fn question(at: usize) -> Value {
    json!({"assistant": "defi", "question": words(at).take(10).collect::<Vec<_>>().join(" ")})
}

/// The words of a text: 30 of 5,000, always the same.
fn words(at: usize) -> impl Iterator<Item = String> {
    let mut random = fastrand::Rng::with_seed(at as u64);
    (0..30).map(move |_| format!("word{}", random.u32(..5_000)))
}

/// Gives the assistant its texts and waits until they have their vectors.
async fn take_in(client: &reqwest::Client, url: &str) -> anyhow::Result<()> {
    let pair = |at: usize| {
        let words: Vec<String> = words(at).collect();
        json!({"question": words[..10].join(" "), "answer": words[10..].join(" ")})
    };
    let content = Value::from_iter((0..CHUNKS).map(pair)).to_string();
    let document =
        json!({"assistant": "defi", "source": "Words", "content_type": "application/json", "content": content});
    let posted = client.post(format!("{url}/v1/documents")).bearer_auth(DOCUMENTS_KEY).json(&document);
    let posted: Value = posted.send().await?.error_for_status()?.json().await?;
    let path = format!("{url}/v1/documents/{}", posted["id"].as_str().unwrap_or_default());
    for _ in 0..600 {
        let view: Value = client.get(&path).bearer_auth(DOCUMENTS_KEY).send().await?.json().await?;
        if view["embedded"] == CHUNKS {
            // A corpus that has changed is seen within seconds.
            tokio::time::sleep(Duration::from_secs(3)).await;
            return ask(client, url, "/v1/ask").await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the texts did not get their vectors")
}

/// Starts the stand-in for the servers of both models.
async fn stand_in() -> anyhow::Result<(Arc<Servers>, String)> {
    let servers = Arc::new(Servers::default());
    let router = Router::new()
        .route("/v1/embeddings", post(embeddings))
        .route("/v1/chat/completions", post(completion))
        .with_state(servers.clone());
    let listener = local::listen(0)?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((servers, url))
}

async fn embeddings(Shared(servers): Shared<Arc<Servers>>, Json(body): Json<Value>) -> Json<Value> {
    tokio::time::sleep(Duration::from_millis(servers.embedding_ms.load(Ordering::Relaxed))).await;
    let texts = body["input"].as_array().cloned().unwrap_or_default();
    let embedded = |(index, text): (usize, &Value)| {
        let mut vector = vec![0.0_f32; DIMENSIONS];
        for word in text.as_str().unwrap_or_default().split_whitespace() {
            let number: usize = word.trim_start_matches("word").parse().unwrap_or_default();
            vector[number.wrapping_mul(7_919) % DIMENSIONS] += 1.0;
        }
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        json!({"object": "embedding", "index": index, "embedding": STANDARD.encode(bytes)})
    };
    let data: Vec<Value> = texts.iter().enumerate().map(embedded).collect();
    let usage = json!({"prompt_tokens": 1, "total_tokens": 1});
    Json(json!({"object": "list", "model": "words", "data": data, "usage": usage}))
}

/// A reply of some pieces, begun after a while and then written at once.
async fn completion(Shared(servers): Shared<Arc<Servers>>) -> Response {
    tokio::time::sleep(Duration::from_millis(servers.model_ms.load(Ordering::Relaxed))).await;
    let pieces = servers.pieces.load(Ordering::Relaxed);
    let frame = |delta: Value, end: Value| {
        let chunk =
            json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]});
        format!("data: {chunk}\n\n")
    };
    let mut frames: Vec<String> =
        (0..pieces).map(|at| frame(json!({"content": format!("some words {at} ")}), Value::Null)).collect();
    frames.push(frame(json!({}), json!("stop")));
    frames
        .push("data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 900, \"completion_tokens\": 80}}\n\n".to_owned());
    frames.push("data: [DONE]\n\n".to_owned());
    let body = stream::iter(frames).enumerate().map(move |(at, frame)| {
        if at == 0 {
            *servers.began.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(Instant::now());
        }
        Ok::<_, std::convert::Infallible>(frame)
    });
    ([("content-type", "text/event-stream")], Body::from_stream(body)).into_response()
}
