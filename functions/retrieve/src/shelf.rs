//! The assistants' texts as this process holds them, and how they are kept new.
//!
//! The version of a corpus is looked at when a question comes and the last look is some seconds ago. Where it has changed,
//! the texts are loaded once, whoever asks; the old ones serve meanwhile, unless the new ones are there at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws::knowledge_store::{CorpusState, KnowledgeStore, VectorSpace};
use contracts::problem::Problem;
use runtime::deadline::Deadline;
use runtime::trace;
use tokio::sync::Mutex as AsyncMutex;

use crate::index::{Index, Memory, Table};

/// How long a corpus counts as new without a look at its version.
const FRESH: Duration = Duration::from_secs(2);
/// The same of one whose first texts are still being taken in.
const INCOMPLETE_FRESH: Duration = Duration::from_millis(250);
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

/// An assistant's texts as they are for a question.
#[derive(Clone)]
pub struct Held {
    /// What is searched.
    pub index: Arc<Index>,
    /// How far the texts were when they were last looked at.
    pub state: CorpusState,
    loaded: Instant,
    looked: Instant,
}

impl Shelves {
    /// The texts of `store` with their vectors in `space`, each assistant's up to `memory` bytes in memory.
    pub fn new(store: KnowledgeStore, space: Option<VectorSpace>, memory: usize) -> Self {
        Self { source: Arc::new(Source { store, space, memory }), shelves: Mutex::default() }
    }

    /// An assistant's texts.
    ///
    /// # Errors
    /// The table is away, and nothing was loaded before.
    pub async fn texts(&self, assistant: &str) -> Result<Held, Problem> {
        let (shelf, source) = (self.shelf(assistant), self.source.clone());
        // Tasks of their own, so that loading goes on where this question no longer waits for it.
        Ok(match shelf.held() {
            None => trace::spawn(async move { shelf.fill(&source).await }).await.map_err(Problem::internal)??,
            Some(held) if held.is_fresh() => held,
            Some(old) => {
                let renewing = trace::spawn(async move { shelf.renew(&source).await });
                tokio::time::timeout(PATIENCE, renewing).await.ok().and_then(Result::ok).flatten().unwrap_or(old)
            }
        })
    }

    /// The texts of an assistant that has `old` ones, looked at once more after a moment; `None` where there is no time for
    /// that until `until`.
    pub async fn newer(&self, assistant: &str, old: &Held, until: Deadline) -> Option<Held> {
        let pause = INCOMPLETE_FRESH.saturating_sub(old.looked.elapsed());
        if until.remaining() <= pause {
            return None;
        }
        tokio::time::sleep(pause).await;
        self.texts(assistant).await.ok()
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
        let old = self.held().filter(|held| !held.is_fresh())?;
        let renewed = match source.store.corpus_state(&self.assistant).await {
            Ok(state) if state.version == old.state.version || old.is_too_large_still() => {
                Ok(Held { state, ..old.clone() })
            }
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
    /// Whether some of the assistant's own texts, which `has_texts` says it comes with, are not there yet.
    pub fn is_loading(&self, has_texts: bool) -> bool {
        self.state.is_taking_in || (has_texts && !self.state.is_known)
    }

    /// Whether what was taken in a moment ago still waits to be found by meaning.
    pub fn is_being_embedded(&self) -> bool {
        self.state.is_new && matches!(&*self.index, Index::Memory(memory) if memory.has_unembedded())
    }

    fn is_fresh(&self) -> bool {
        let is_whole = self.state.is_known && !self.state.is_taking_in && !self.is_being_embedded();
        self.looked.elapsed() < if is_whole { FRESH } else { INCOMPLETE_FRESH }
    }

    fn is_too_large_still(&self) -> bool {
        matches!(*self.index, Index::Table(_)) && self.loaded.elapsed() < TOO_LARGE
    }
}

impl Source {
    async fn load(&self, assistant: &str) -> Result<Held, Problem> {
        let started = Instant::now();
        let corpus = self.store.load(assistant, self.space.as_ref(), self.memory).await?;
        let (index, state) = match (corpus, &self.space) {
            (Some(corpus), space) => {
                let (state, dimensions) = (corpus.state, space.as_ref().map_or(0, |space| space.dimensions));
                let memory = tokio::task::spawn_blocking(move || Memory::new(corpus.chunks, dimensions)).await;
                (Index::Memory(memory.map_err(Problem::internal)?), state)
            }
            (None, Some(space)) => {
                let table = Table::new(self.store.clone(), assistant, space.clone());
                (Index::Table(table), self.store.corpus_state(assistant).await?)
            }
            (None, None) => {
                let cause =
                    anyhow::anyhow!("{assistant} has too many texts for RETRIEVE_MEMORY_MIB, and there is no embedder");
                return Err(Problem::unavailable("What was asked cannot be looked up for now.", cause));
            }
        };
        let (now, version) = (Instant::now(), state.version);
        tracing::info!(assistant, version, duration_ms = (now - started).as_millis() as u64, "texts loaded");
        Ok(Held { index: Arc::new(index), state, loaded: now, looked: now })
    }
}
