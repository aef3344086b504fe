//! The assistants' texts as this process holds them, and how they are kept new.
//!
//! The version of a corpus is looked at when a question comes and the last look is some seconds ago. Where it has changed,
//! the texts are loaded once, whoever asks; the old ones serve meanwhile, unless the new ones are there at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws::knowledge_store::{KnowledgeStore, VectorSpace};
use contracts::problem::Problem;
use runtime::trace;
use tokio::sync::Mutex as AsyncMutex;

use crate::index::{Index, Memory, Table};

/// How long a corpus counts as new without a look at its version.
const FRESH: Duration = Duration::from_secs(2);
/// How long texts that did not fit into memory are not tried again: trying reads as much as memory would hold.
const TOO_LARGE: Duration = Duration::from_secs(600);
/// How long a question waits for newer texts before the old ones answer it.
const PATIENCE: Duration = Duration::from_millis(500);

/// The texts of all assistants.
pub struct Shelves {
    source: Arc<Source>,
    shelves: Mutex<HashMap<String, Arc<Shelf>>>,
}

/// Where texts are loaded from.
struct Source {
    store: KnowledgeStore,
    space: Option<VectorSpace>,
    memory: usize,
}

/// One assistant's texts.
struct Shelf {
    assistant: String,
    held: Mutex<Option<Held>>,
    /// Held by whoever looks for newer texts.
    looking: AsyncMutex<()>,
}

#[derive(Clone)]
struct Held {
    index: Arc<Index>,
    version: u64,
    loaded: Instant,
    looked: Instant,
}

impl Shelves {
    /// The texts of `store` with their vectors in `space`, each assistant's up to `memory` bytes in memory.
    pub fn new(store: KnowledgeStore, space: Option<VectorSpace>, memory: usize) -> Self {
        Self { source: Arc::new(Source { store, space, memory }), shelves: Mutex::default() }
    }

    /// An assistant's texts, and their version.
    ///
    /// # Errors
    /// The table is away, and nothing was loaded before.
    pub async fn index(&self, assistant: &str) -> Result<(Arc<Index>, u64), Problem> {
        let (shelf, source) = (self.shelf(assistant), self.source.clone());
        // Tasks of their own, so that loading goes on where this question no longer waits for it.
        let held = match shelf.held() {
            None => trace::spawn(async move { shelf.fill(&source).await }).await.map_err(Problem::internal)??,
            Some(held) if held.looked.elapsed() < FRESH => held,
            Some(old) => {
                let renewing = trace::spawn(async move { shelf.renew(&source).await });
                tokio::time::timeout(PATIENCE, renewing).await.ok().and_then(Result::ok).flatten().unwrap_or(old)
            }
        };
        Ok((held.index, held.version))
    }

    fn shelf(&self, assistant: &str) -> Arc<Shelf> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf =
            || Shelf { assistant: assistant.to_owned(), held: Mutex::default(), looking: AsyncMutex::default() };
        shelves.entry(assistant.to_owned()).or_insert_with(|| Arc::new(shelf())).clone()
    }
}

impl Shelf {
    fn held(&self) -> Option<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, held: Held) -> Held {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held.clone());
        held
    }

    /// Loads the first texts; everybody waits for the one who does.
    async fn fill(&self, source: &Source) -> Result<Held, Problem> {
        let _looking = self.looking.lock().await;
        match self.held() {
            Some(held) => Ok(held),
            None => Ok(self.hold(source.load(&self.assistant).await?)),
        }
    }

    /// Looks whether there are newer texts, and loads them; `None` where somebody else looks, or it failed.
    async fn renew(&self, source: &Source) -> Option<Held> {
        let _looking = self.looking.try_lock().ok()?;
        let old = self.held().filter(|held| held.looked.elapsed() >= FRESH)?;
        let renewed = match source.store.corpus_version(&self.assistant).await {
            Ok(version) if version == old.version || old.is_too_large_still() => Ok(Held { version, ..old.clone() }),
            Ok(_) => source.load(&self.assistant).await,
            Err(problem) => Err(problem),
        };
        let held = renewed.unwrap_or_else(|problem| {
            let cause = problem.cause();
            tracing::warn!(assistant = self.assistant, cause, "the newest texts cannot be loaded; the old ones serve");
            old
        });
        Some(self.hold(Held { looked: Instant::now(), ..held }))
    }
}

impl Held {
    fn is_too_large_still(&self) -> bool {
        matches!(*self.index, Index::Table(_)) && self.loaded.elapsed() < TOO_LARGE
    }
}

impl Source {
    async fn load(&self, assistant: &str) -> Result<Held, Problem> {
        let started = Instant::now();
        let corpus = self.store.load(assistant, self.space.as_ref(), self.memory).await?;
        let (index, version) = match (corpus, &self.space) {
            (Some(corpus), space) => {
                let (version, dimensions) = (corpus.version, space.as_ref().map_or(0, |space| space.dimensions));
                let memory = tokio::task::spawn_blocking(move || Memory::new(corpus.chunks, dimensions)).await;
                (Index::Memory(memory.map_err(Problem::internal)?), version)
            }
            (None, Some(space)) => {
                let table = Table::new(self.store.clone(), assistant, space.clone());
                (Index::Table(table), self.store.corpus_version(assistant).await?)
            }
            (None, None) => {
                let cause =
                    anyhow::anyhow!("{assistant} has too many texts for RETRIEVE_MEMORY_MIB, and there is no embedder");
                return Err(Problem::unavailable("What was asked cannot be looked up for now.", cause));
            }
        };
        let now = Instant::now();
        tracing::info!(assistant, version, duration_ms = (now - started).as_millis() as u64, "texts loaded");
        Ok(Held { index: Arc::new(index), version, loaded: now, looked: now })
    }
}
