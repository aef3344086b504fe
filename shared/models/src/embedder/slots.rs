//! The embedder in use, and the one that is to take its place.
//!
//! Vectors of two models have nothing in common, so another model means another vector for every text. They are made behind
//! the answers: texts have vectors of both, questions are searched by those of the current one, and once the next one's are
//! complete the flag `embedder` switches to them. Then the next one can be made the current one, and the old one left out.

use anyhow::{Context, bail};
use contracts::knowledge::{Spaces, VectorSpace};
use runtime::config;

use super::distilled::Distilled;
use super::openai::OpenAi;
use super::{Embedder, MODEL_FOLDER};
use crate::openai::Server;

/// The embedder in use, and the one that is to take its place.
#[derive(Clone, Default)]
pub struct Embedders {
    /// In use; without it, texts are found by words.
    pub current: Option<Embedder>,
    /// What is to take its place, if anything.
    pub next: Option<Embedder>,
}

impl Embedders {
    /// The embedder of [`Embedder::from_env`], and the next one: `NEXT_EMBEDDER` is `openai`, `static`, `local` or `none`
    /// (the default). For `openai`, at the same server and with the same key: `NEXT_EMBEDDING_MODEL` (`text-embedding-3-small`)
    /// and `NEXT_EMBEDDING_DIMENSIONS` (the model's own).
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub fn from_env() -> anyhow::Result<Self> {
        let current = Embedder::from_env()?;
        let next = match config::optional("NEXT_EMBEDDER").as_deref().map(str::trim) {
            None | Some("none") => None,
            Some("static") => Some(Embedder::Static(Distilled::new()?)),
            Some("openai") => {
                let server = Server::from_env()?
                    .context("NEXT_EMBEDDER is openai, and neither OPENAI_API_KEY nor OPENAI_BASE_URL is set")?;
                let model =
                    config::optional("NEXT_EMBEDDING_MODEL").unwrap_or_else(|| "text-embedding-3-small".to_owned());
                let dimensions = Some(config::parsed("NEXT_EMBEDDING_DIMENSIONS", 0)?).filter(|count| *count > 0);
                Some(Embedder::OpenAi(OpenAi::new(server, model.trim(), dimensions)?))
            }
            Some("local") => Some(local()?),
            Some(other) => bail!("NEXT_EMBEDDER is {other:?}; it can be openai, static, local or none"),
        };
        Ok(Self { current, next })
    }

    /// Those that there are.
    pub fn iter(&self) -> impl Iterator<Item = &Embedder> {
        let next = self.next.iter().filter(|next| self.current.as_ref().is_none_or(|it| it.model() != next.model()));
        self.current.iter().chain(next)
    }

    /// The spaces of their vectors.
    pub fn spaces(&self) -> Spaces {
        Spaces::new(self.current.as_ref().map(Embedder::space), self.next.as_ref().map(Embedder::space))
    }

    /// That which makes the vectors of this space.
    pub fn of(&self, space: &VectorSpace) -> Option<&Embedder> {
        self.iter().find(|embedder| embedder.model() == space.name())
    }
}

#[cfg(feature = "local-model")]
fn local() -> anyhow::Result<Embedder> {
    let folder = config::optional("EMBEDDING_MODEL_DIR").unwrap_or_else(|| MODEL_FOLDER.to_owned());
    Ok(Embedder::Local(super::local::Local::load(folder.trim().as_ref())?))
}

#[cfg(not(feature = "local-model"))]
fn local() -> anyhow::Result<Embedder> {
    bail!(
        "NEXT_EMBEDDER is local, and this was built without that model ({MODEL_FOLDER}): build with --features local-model"
    )
}
