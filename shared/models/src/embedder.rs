//! Turns texts into vectors that are near each other where the texts mean alike.
//!
//! In: texts. Out: one vector of length 1 for each, or why that text has none; a failure of the whole says whether and when
//! to try again. Two models' vectors have nothing in common: whoever keeps them, keeps them under [`Embedder::model`].

pub mod distilled;
#[cfg(feature = "local-model")]
pub mod local;
#[cfg(feature = "model-files")]
pub mod model;
pub mod openai;
mod slots;

use std::time::Duration;

use anyhow::{Context, bail};
use thiserror::Error;

use crate::openai::Server;
use contracts::api::CircuitState;
use contracts::knowledge::VectorSpace;
use distilled::Distilled;
use openai::OpenAi;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::upstream::{Failure, Reason};
pub use slots::Embedders;

/// How long a question's vectors may take: after that it is searched by words alone.
const QUESTION_LIMIT: Duration = Duration::from_secs(1);
/// Where the local model is, unless `EMBEDDING_MODEL_DIR` says otherwise.
pub const MODEL_FOLDER: &str = ".colloquy/model";

/// What turns texts into vectors.
#[derive(Clone)]
pub enum Embedder {
    /// A server that speaks OpenAI's wire format.
    OpenAi(OpenAi),
    /// A table in this binary.
    Static(Distilled),
    /// A model in this process.
    #[cfg(feature = "local-model")]
    Local(local::Local),
}

/// Why one text has no vector, whatever becomes of the others; trying again does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextFault {
    /// There is nothing in it.
    #[error("the text is empty")]
    Empty,
    /// The model does not take it: too long, most likely.
    #[error("the model refused the text")]
    Refused,
    /// The model's vector for it points nowhere: zero, or not a number.
    #[error("the model gave no usable vector for the text")]
    NoVector,
}

impl Embedder {
    /// The embedder that the environment describes.
    ///
    /// `EMBEDDER` is `openai` (the default where `OPENAI_API_KEY` or `OPENAI_BASE_URL` is set), `static` (the default
    /// otherwise), `local`, or `none`.
    /// For `openai`: `EMBEDDING_MODEL` (`text-embedding-3-small`) and `EMBEDDING_DIMENSIONS` (the model's own; must be set
    /// for a model that OpenAI does not have). For `local`: `EMBEDDING_MODEL_DIR` (`.colloquy/model`), the folder of the
    /// model's files.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        match config::optional("EMBEDDER").as_deref().map(str::trim) {
            None => match Server::from_env()? {
                Some(server) => Ok(Some(Self::OpenAi(OpenAi::from_env(server)?))),
                None => Ok(Some(Self::Static(Distilled::new()?))),
            },
            Some("static") => Ok(Some(Self::Static(Distilled::new()?))),
            Some("openai") => {
                let server = Server::from_env()?;
                let server =
                    server.context("EMBEDDER is openai, and neither OPENAI_API_KEY nor OPENAI_BASE_URL is set")?;
                Ok(Some(Self::OpenAi(OpenAi::from_env(server)?)))
            }
            Some("none") => Ok(None),
            #[cfg(feature = "local-model")]
            Some("local") => {
                let folder = config::optional("EMBEDDING_MODEL_DIR").unwrap_or_else(|| MODEL_FOLDER.to_owned());
                Ok(Some(Self::Local(local::Local::load(folder.trim().as_ref())?)))
            }
            #[cfg(not(feature = "local-model"))]
            Some("local") => {
                bail!("EMBEDDER is local, and this was built without that model: build with --features local-model")
            }
            Some(other) => bail!("EMBEDDER is {other:?}; it can be openai, static, local or none"),
        }
    }

    /// The vectors of `texts`, in their order.
    ///
    /// # Errors
    /// The model cannot be reached, refuses, or is not done by the deadline; then there is none for any text. A single text
    /// that is refused is at fault; several that are refused are a failure, and which of them it was shows when fewer are
    /// asked for.
    pub async fn embed(
        &self,
        texts: &[String],
        deadline: Deadline,
    ) -> Result<Vec<Result<Vec<f32>, TextFault>>, Failure> {
        match self {
            Self::OpenAi(openai) => openai.embed(texts, deadline).await,
            Self::Static(distilled) => Ok(distilled.embed(texts)),
            #[cfg(feature = "local-model")]
            Self::Local(local) => local.embed(texts, deadline).await,
        }
    }

    /// The same for what somebody waits for: it takes a second at most, and nothing while the circuit of the server is open.
    /// Texts that a queue brings have no breaker, for they come again by themselves until it shows which of them is at fault.
    ///
    /// # Errors
    /// As [`Self::embed`], or the circuit is open.
    pub async fn embed_question(
        &self,
        texts: &[String],
        deadline: Deadline,
    ) -> Result<Vec<Result<Vec<f32>, TextFault>>, Failure> {
        let limit = deadline.within(QUESTION_LIMIT);
        match self {
            Self::OpenAi(openai) => openai.embed_question(texts, limit).await,
            here => {
                let embedded = tokio::time::timeout_at(limit.instant(), here.embed(texts, limit)).await;
                embedded.unwrap_or(Err(Failure::new(Reason::Timeout)))
            }
        }
    }

    /// The state of its circuit breaker; one in this process has none.
    pub fn circuit(&self) -> Option<CircuitState> {
        match self {
            Self::OpenAi(openai) => Some(openai.circuit()),
            _ => None,
        }
    }

    /// Tries it, unless its circuit is open; one in this process is there.
    ///
    /// # Errors
    /// See [`Server::probe`].
    pub async fn probe(&self, deadline: Deadline) -> Result<(), Failure> {
        match self {
            Self::OpenAi(openai) => openai.probe(deadline).await,
            Self::Static(_) => Ok(()),
            #[cfg(feature = "local-model")]
            Self::Local(_) => Ok(()),
        }
    }

    /// The name of the space that the vectors are in, of `[a-z0-9_]`: model and dimensions.
    pub fn model(&self) -> &str {
        match self {
            Self::OpenAi(openai) => openai.slug(),
            Self::Static(distilled) => distilled.slug(),
            #[cfg(feature = "local-model")]
            Self::Local(local) => local.slug(),
        }
    }

    /// How often the headings above a text are said with it. A model sees what a heading is; a sum of words does not.
    pub fn heading_times(&self) -> usize {
        match self {
            Self::Static(_) => distilled::HEADING_TIMES,
            _ => 1,
        }
    }

    /// The space that the vectors are in.
    pub fn space(&self) -> VectorSpace {
        VectorSpace::new(self.model(), self.dimensions())
    }

    /// How many numbers a vector has.
    pub fn dimensions(&self) -> usize {
        match self {
            Self::OpenAi(openai) => openai.dimensions(),
            Self::Static(distilled) => distilled.dimensions(),
            #[cfg(feature = "local-model")]
            Self::Local(local) => local.dimensions(),
        }
    }
}

/// The vector brought to length 1, so that a dot product is a cosine.
fn normalised(mut vector: Vec<f32>) -> Result<Vec<f32>, TextFault> {
    let length = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    if !length.is_finite() || length < 1e-12 {
        return Err(TextFault::NoVector);
    }
    for x in &mut vector {
        *x = (f64::from(*x) / length) as f32;
    }
    Ok(vector)
}
