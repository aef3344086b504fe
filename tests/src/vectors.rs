//! Vectors that are made once and kept, so that measuring again embeds nothing, and a server that gives them.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use models::embedder::Embedder;
use models::embedder::openai::OpenAi;
use models::openai::Server;
use runtime::deadline::Deadline;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The model of the vectors, by the name that its space has, and their dimensions.
const MODEL: (&str, usize) = ("all-MiniLM-L6-v2", 384);
/// How many texts are embedded before the time is looked at.
const BATCH: usize = 32;

/// Vectors of all-MiniLM-L6-v2, kept in the folder that `COLLOQUY_VECTORS` names: one file of records of a text's SHA-256
/// and its vector as little-endian 32-bit floats.
pub struct Vectors {
    known: HashMap<[u8; 32], Arc<[f32]>>,
    file: Option<PathBuf>,
    embedder: Option<Embedder>,
    until: Instant,
}

impl Vectors {
    /// Those that are there, and for `time` those that the embedder of the environment makes.
    ///
    /// # Errors
    /// A file that is there and cannot be read; an embedder that is set and is not of this model.
    pub fn open(time: Duration) -> anyhow::Result<Self> {
        let embedder = Embedder::from_env()?.filter(|embedder| !matches!(embedder, Embedder::Static(_)));
        if let Some(other) = embedder.as_ref().filter(|embedder| embedder.model() != "all_minilm_l6_v2_384") {
            anyhow::bail!("the figures are of all-MiniLM-L6-v2, and the embedder is {}", other.model());
        }
        let file =
            std::env::var_os("COLLOQUY_VECTORS").map(|folder| Path::new(&folder).join("all_minilm_l6_v2_384.vectors"));
        let bytes = match &file {
            Some(file) if file.exists() => std::fs::read(file)?,
            _ => Vec::new(),
        };
        let mut known = HashMap::new();
        for record in bytes.chunks_exact(32 + 4 * MODEL.1) {
            let (hash, vector) = record.split_at(32);
            let vector = vector.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            known.insert(hash.try_into()?, vector);
        }
        Ok(Self { known, file, embedder, until: Instant::now() + time })
    }

    /// Makes what is missing of the texts' vectors, as long as there is time; how many are missing then.
    ///
    /// # Errors
    /// The embedder fails, or the file cannot be written.
    pub async fn fill(&mut self, texts: &[String]) -> anyhow::Result<usize> {
        let mut unknown: Vec<String> = texts.iter().filter(|text| self.of(text).is_none()).cloned().collect();
        while let Some(embedder) = self.embedder.clone()
            && Instant::now() < self.until
            && !unknown.is_empty()
        {
            let batch: Vec<String> = unknown.drain(..unknown.len().min(BATCH)).collect();
            let vectors = embedder.embed(&batch, Deadline::after(Duration::from_secs(600))).await;
            for (text, vector) in batch.iter().zip(vectors.map_err(|failure| anyhow::anyhow!("{failure}"))?) {
                self.keep(text, vector?)?;
            }
        }
        Ok(unknown.len())
    }

    /// The vector of a text, where it is known.
    pub fn of(&self, text: &str) -> Option<Arc<[f32]>> {
        self.known.get(&hash(text)).cloned()
    }

    fn keep(&mut self, text: &str, vector: Vec<f32>) -> anyhow::Result<()> {
        if let Some(path) = &self.file {
            let mut file: File = OpenOptions::new().create(true).append(true).open(path)?;
            let numbers: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            file.write_all(&[&hash(text)[..], &numbers].concat())?;
        }
        self.known.insert(hash(text), vector.into());
        Ok(())
    }

    /// An embedder over the wire that gives these vectors, and refuses texts that are not among them.
    ///
    /// # Errors
    /// No port is free.
    pub async fn serve(self: &Arc<Self>) -> anyhow::Result<Embedder> {
        let router = Router::new().route("/v1/embeddings", post(embeddings)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("opening a port")?;
        let server = Server::new(&format!("http://{}/v1", listener.local_addr()?), None)?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Embedder::OpenAi(OpenAi::new(server, MODEL.0, Some(MODEL.1))?))
    }
}

async fn embeddings(State(vectors): State<Arc<Vectors>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let encode = |(index, text): (usize, &Value)| {
        let text = text.as_str()?;
        let vector = vectors.of(text).or_else(|| (text == GREETING).then(greeting))?;
        let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
        Some(json!({"index": index, "embedding": STANDARD.encode(bytes)}))
    };
    let texts = body.get("input").and_then(Value::as_array).into_iter().flatten();
    match texts.enumerate().map(encode).collect::<Option<Vec<Value>>>() {
        Some(data) => (StatusCode::OK, Json(json!({"data": data}))),
        None => (StatusCode::BAD_REQUEST, Json(json!({"error": {"message": "a text is not known"}}))),
    }
}

/// What the worker asks where a text is refused, to learn whether everything is: a server that is well knows it.
const GREETING: &str = "hello";

fn greeting() -> Arc<[f32]> {
    let mut vector = vec![0.0; MODEL.1];
    vector[0] = 1.0;
    vector.into()
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
