//! Finds the passages of an assistant's texts that answer a question.
//!
//! In: a question, with what was said before it. Out: passages by words and by meaning, the best first, none where nothing
//! answers. Small corpora are searched in memory, larger ones in the table. Never fails because the embedder does: then it
//! searches by words alone, and says so.

pub mod answer;
pub mod follow_up;
pub mod index;
pub mod meaning;
pub mod rank;
pub mod shelf;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::future::join_all;
use shared::api::{
    Degraded, HealthChecks, HealthRequest, HealthStatus, RETRIEVE, RETRIEVE_HEALTH, RETRIEVE_WARM, WarmRequest, Warmed,
};
use shared::assistants::Assistants;
use shared::config;
use shared::deadline::Deadline;
use shared::embedder::Embedder;
use shared::health::check;
use shared::knowledge::{RetrieveRequest, Retrieved};
use shared::knowledge_store::{KnowledgeStore, VectorSpace};
use shared::problem::Problem;
use shared::upstream::{Failure, Reason};

use crate::answer::Settings;
use crate::index::Question;
use crate::shelf::Shelves;

/// How long the question's vector may take; after that it is searched by words alone.
const EMBEDDING_LIMIT: Duration = Duration::from_secs(3);
/// What is left of the deadline for the search and for the answer to get out.
const RESERVE: Duration = Duration::from_millis(200);
/// The most passages of one answer.
const MOST_PASSAGES: usize = 50;

/// What a search needs.
pub struct Deps {
    shelves: Shelves,
    embedder: Option<Embedder>,
    assistants: Assistants,
}

impl Deps {
    /// The texts of `store`, each assistant's in memory up to `memory` bytes of words and vectors.
    pub fn new(store: KnowledgeStore, embedder: Option<Embedder>, assistants: Assistants, memory: usize) -> Self {
        let space = embedder.as_ref().map(VectorSpace::of);
        Self { shelves: Shelves::new(store, space, memory), embedder, assistants }
    }

    /// The table that `KNOWLEDGE_TABLE` names, the embedder that the environment describes, and [`memory_from_env`].
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let store = KnowledgeStore::from_env().await?;
        Ok(Self::new(store, Embedder::from_env()?, Assistants::from_env()?, memory_from_env()?))
    }

    /// The question's vector, where there is an embedder.
    ///
    /// # Errors
    /// The embedder did not answer in time, or not with a vector.
    async fn embed(&self, text: &str, deadline: Deadline) -> Result<Option<Vec<f32>>, Degraded> {
        let Some(embedder) = &self.embedder else { return Ok(None) };
        let limit = deadline.less(RESERVE).within(EMBEDDING_LIMIT);
        let texts = [text.to_owned()];
        let embedding = tokio::time::timeout_at(limit.instant(), embedder.embed(&texts, limit)).await;
        let (reason, cause) = match embedding.unwrap_or_else(|_| Err(Failure::new(Reason::Timeout))) {
            Ok(vectors) => match vectors.into_iter().next() {
                Some(Ok(vector)) => return Ok(Some(vector)),
                Some(Err(fault)) => (Reason::Rejected, fault.to_string()),
                None => (Reason::InvalidAnswer, "no vector came".to_owned()),
            },
            Err(failure) => (failure.reason, failure.to_string()),
        };
        tracing::warn!(cause, "the question has no vector; searching by words alone");
        Err(Degraded::new("embedder", reason.as_str()))
    }

    /// What was asked for, else what the assistant's manifest says, else what was measured.
    fn settings(&self, request: &RetrieveRequest) -> Settings {
        let options = self.assistants.get(&request.assistant).map(|assistant| assistant.retrieval).unwrap_or_default();
        let space = self.embedder.as_ref().map(Embedder::model).unwrap_or_default();
        Settings {
            limit: request.limit.or(options.passages).unwrap_or(answer::PASSAGES).min(MOST_PASSAGES),
            least_cosine: options.least_cosine.unwrap_or_else(|| answer::least_cosine(space)),
            least_evidence: options.least_evidence.unwrap_or(answer::LEAST_EVIDENCE),
        }
    }
}

/// `RETRIEVE_MEMORY_MIB` (64), in bytes: how much of words and vectors an assistant may have and still be searched in memory.
///
/// # Errors
/// It is not a whole number.
pub fn memory_from_env() -> anyhow::Result<usize> {
    Ok(config::parsed("RETRIEVE_MEMORY_MIB", 64_usize)?.saturating_mul(1024 * 1024))
}

/// The route.
pub fn router(deps: Deps) -> Router {
    let deps = Arc::new(deps);
    let retrieve = RETRIEVE.serve(deps.clone(), retrieve);
    retrieve.merge(RETRIEVE_WARM.serve(deps.clone(), warm)).merge(RETRIEVE_HEALTH.serve(deps, health))
}

/// Tries the embedder, if there is one. Without it texts are found by their words.
async fn health(deps: Arc<Deps>, _: HealthRequest, deadline: Deadline) -> Result<HealthChecks, Problem> {
    let limit = deadline.less(RESERVE);
    let Some(embedder) = &deps.embedder else { return Ok(HealthChecks::new()) };
    Ok(HealthChecks::from([check("embedder", HealthStatus::Degraded, limit, embedder.probe(limit)).await]))
}

/// Has the texts of every assistant loaded.
async fn warm(deps: Arc<Deps>, _: WarmRequest, _: Deadline) -> Result<Warmed, Problem> {
    let names: Vec<&str> = deps.assistants.iter().map(|(name, _)| name).collect();
    let loaded = join_all(names.iter().map(|name| deps.shelves.index(name))).await;
    let mut warmed = Warmed::default();
    for (name, loaded) in names.into_iter().zip(loaded) {
        match loaded {
            Ok(_) => warmed.ready.push(name.to_owned()),
            Err(problem) => warmed.degraded.push(Degraded::because(name, &problem)),
        }
    }
    Ok(warmed)
}

async fn retrieve(deps: Arc<Deps>, request: RetrieveRequest, deadline: Deadline) -> Result<Retrieved, Problem> {
    let before: Vec<&str> = request.before.iter().map(|said| &**said).collect();
    let text = follow_up::search_text(&request.question, &before);
    let (index, vector) = tokio::join!(deps.shelves.index(&request.assistant), deps.embed(&text, deadline));
    let (vector, degraded) = match vector {
        Ok(vector) => (vector, Vec::new()),
        Err(degraded) => (None, vec![degraded]),
    };
    let settings = deps.settings(&request);
    let question = Question { text: &text, vector: vector.as_deref(), sources: &request.sources };
    let (index, version) = index?;
    let found = index.search(&question, &settings).await?;
    Ok(Retrieved { passages: found.passages, retrieval: found.retrieval, corpus_version: version, degraded })
}
