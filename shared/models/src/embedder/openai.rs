//! Embeddings over OpenAI's wire format (`POST /embeddings`).

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{QUESTION_LIMIT, TextFault, normalised};
use crate::openai::{Refusal, Server};
use contracts::api::CircuitState;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::meter;
use runtime::upstream::{self, Breaker, Failure, Reason, Repeat};

/// The model where none is named.
const DEFAULT_MODEL: &str = "text-embedding-3-small";
/// The most texts of one request (OpenAI takes 2,048).
const BATCH_TEXTS: usize = 256;
/// The most bytes of one request's texts. OpenAI takes 300,000 tokens, and a token is at least a byte.
const BATCH_BYTES: usize = 256 * 1024;

type Embedded = Vec<Result<Vec<f32>, TextFault>>;

/// The embeddings of one model of a server.
#[derive(Clone)]
pub struct OpenAi {
    server: Server,
    model: Arc<str>,
    slug: Arc<str>,
    dimensions: usize,
    /// Whether the server refused to answer in base64, which takes a quarter of the bytes and of the time to read.
    floats: Arc<AtomicBool>,
    breaker: Arc<Breaker>,
}

impl OpenAi {
    /// The model's embeddings, with the vectors' length that the model has where `dimensions` is not given.
    ///
    /// # Errors
    /// The length is not known.
    pub fn new(server: Server, model: &str, dimensions: Option<usize>) -> anyhow::Result<Self> {
        let dimensions = dimensions.or(native_dimensions(model)).filter(|dimensions| *dimensions > 0);
        let dimensions = dimensions.with_context(|| {
            format!("EMBEDDING_DIMENSIONS is not set; it must say how many numbers a vector of {model} has")
        })?;
        let slug = slug(model, dimensions).into();
        let breaker = Arc::new(Breaker::new("embedder", QUESTION_LIMIT));
        Ok(Self { server, model: model.into(), slug, dimensions, floats: Arc::default(), breaker })
    }

    /// The model that `EMBEDDING_MODEL` and `EMBEDDING_DIMENSIONS` name.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub fn from_env(server: Server) -> anyhow::Result<Self> {
        let model = config::optional("EMBEDDING_MODEL").unwrap_or_else(|| DEFAULT_MODEL.to_owned());
        let dimensions = Some(config::parsed("EMBEDDING_DIMENSIONS", 0)?).filter(|dimensions| *dimensions > 0);
        Self::new(server, model.trim(), dimensions)
    }

    /// See [`super::Embedder::model`].
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// See [`super::Embedder::dimensions`].
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// See [`super::Embedder::probe`].
    ///
    /// # Errors
    /// See [`Server::probe`] and [`Breaker::check`].
    pub async fn probe(&self, deadline: Deadline) -> Result<(), Failure> {
        self.breaker.check()?;
        self.server.probe(deadline).await
    }

    /// The state of its circuit breaker.
    pub fn circuit(&self) -> CircuitState {
        self.breaker.state()
    }

    /// See [`super::Embedder::embed_question`].
    ///
    /// # Errors
    /// As [`OpenAi::embed`], or its circuit is open.
    pub async fn embed_question(&self, texts: &[String], deadline: Deadline) -> Result<Embedded, Failure> {
        self.breaker.call(deadline, self.embed(texts, deadline)).await
    }

    /// See [`super::Embedder::embed`]. One request at a time: how many calls are under way is for the caller to bound.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or is not done by the deadline.
    pub async fn embed(&self, texts: &[String], deadline: Deadline) -> Result<Embedded, Failure> {
        let (present, texts_present): (Vec<usize>, Vec<&str>) = texts
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.trim().is_empty())
            .map(|(at, text)| (at, text.as_str()))
            .unzip();
        let mut vectors = Vec::with_capacity(present.len());
        for range in batches(&texts_present) {
            vectors.extend(self.batch(texts_present.get(range).unwrap_or_default(), deadline).await?);
        }
        let mut embedded = vec![Err(TextFault::Empty); texts.len()];
        for (at, vector) in present.into_iter().zip(vectors) {
            if let Some(place) = embedded.get_mut(at) {
                *place = vector;
            }
        }
        Ok(embedded)
    }

    async fn batch(&self, texts: &[&str], deadline: Deadline) -> Result<Embedded, Failure> {
        let mut answer = self.request(texts, deadline).await;
        if answer.as_ref().is_err_and(|refusal| refusal.param.as_deref() == Some("encoding_format"))
            && !self.floats.swap(true, Ordering::Relaxed)
        {
            answer = self.request(texts, deadline).await;
        }
        match answer {
            Err(refusal) if texts.len() == 1 && blames_the_texts(&refusal) => Ok(vec![Err(TextFault::Refused)]),
            answer => answer.map_err(|refusal| refusal.failure),
        }
    }

    async fn request(&self, texts: &[&str], deadline: Deadline) -> Result<Embedded, Refusal> {
        let resized = native_dimensions(&self.model).is_some_and(|native| native != self.dimensions);
        let request = Request {
            model: &self.model,
            input: texts,
            encoding_format: if self.floats.load(Ordering::Relaxed) { "float" } else { "base64" },
            dimensions: resized.then_some(self.dimensions),
        };
        let response = self.server.post("/embeddings", &request, Repeat::Anything, deadline).await?;
        let body = tokio::time::timeout_at(deadline.instant(), upstream::read(response)).await;
        let body = body.map_err(|_| Failure::new(Reason::Timeout))??;
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| Failure::new(Reason::InvalidAnswer))?;
        meter::tokens(&self.model, answer.usage.as_ref().map_or(0, |usage| usage.prompt_tokens), 0);
        Ok(self.in_order(answer, texts.len())?)
    }

    /// The vectors by their `index`, each checked: one for each text, as long as it should be.
    fn in_order(&self, answer: Answer, count: usize) -> Result<Embedded, Failure> {
        let invalid = || Failure::new(Reason::InvalidAnswer);
        let mut vectors = vec![None; count];
        for Item { index, embedding } in answer.data {
            let place = vectors.get_mut(index).filter(|place| place.is_none()).ok_or_else(invalid)?;
            let vector = embedding.numbers().ok_or_else(invalid)?;
            if vector.len() != self.dimensions {
                tracing::error!(model = %self.model, expected = self.dimensions, got = vector.len(),
                    "the vectors are not as long as EMBEDDING_DIMENSIONS says");
                return Err(Failure { transient: false, ..invalid() });
            }
            *place = Some(normalised(vector));
        }
        vectors.into_iter().collect::<Option<_>>().ok_or_else(invalid)
    }
}

/// Where the texts are cut into requests.
fn batches(texts: &[&str]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (at, text) in texts.iter().enumerate() {
        bytes += text.len();
        match ranges.last_mut() {
            Some(range) if range.len() < BATCH_TEXTS && bytes <= BATCH_BYTES => range.end = at + 1,
            _ => {
                ranges.push(at..at + 1);
                bytes = text.len();
            }
        }
    }
    ranges
}

/// Whether a refusal can be for the texts, their number or their length. One that names another field is for everything.
fn blames_the_texts(refusal: &Refusal) -> bool {
    let status = refusal.failure.status.map_or(0, |status| status.as_u16());
    let input = refusal.param.as_deref().is_none_or(|param| param.starts_with("input"));
    matches!(status, 400 | 413 | 422) && input && refusal.failure.reason == Reason::Rejected
}

/// How many numbers a vector has, of the models that can be asked for fewer too.
fn native_dimensions(model: &str) -> Option<usize> {
    match model {
        "text-embedding-3-small" => Some(1_536),
        "text-embedding-3-large" => Some(3_072),
        _ => None,
    }
}

fn slug(model: &str, dimensions: usize) -> String {
    let model = model.to_ascii_lowercase();
    let words: Vec<&str> = model.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("{}_{dimensions}", words.join("_"))
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [&'a str],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct Used {
    #[serde(default)]
    prompt_tokens: u64,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Embedding,
}

/// A vector as base64 of little-endian 32-bit floats, or, from a server that does not know that, as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Embedding {
    Base64(String),
    Numbers(Vec<f32>),
}

impl Embedding {
    fn numbers(self) -> Option<Vec<f32>> {
        match self {
            Self::Numbers(numbers) => Some(numbers),
            Self::Base64(text) => {
                let bytes = STANDARD.decode(text).ok()?;
                let (numbers, rest) = bytes.as_chunks::<4>();
                rest.is_empty().then(|| numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
            }
        }
    }
}
