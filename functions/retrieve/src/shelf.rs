//! The assistants' texts as this process holds them, and how they are kept new.
//!
//! The version of a corpus is looked at when a question comes and the last look is some seconds ago. Where it has changed,
//! the documents that changed are loaded once, whoever asks; the old ones serve meanwhile, unless the new ones are there at
//! once. All texts in memory share one budget: beyond it, those leave that were asked for the longest ago.
//!
//! They have the vectors of one space. Where those of the next embedder are wanted, they are loaded once all texts have them;
//! until then, and where that fails, those of the current one serve.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws::knowledge_store::{CorpusState, DocumentVersions, KnowledgeStore, Spaces, VectorSpace};
use contracts::problem::Problem;
use runtime::deadline::Deadline;
use runtime::flags::EmbedderSlot;
use runtime::trace;
use tokio::sync::Mutex as AsyncMutex;

use crate::index::{Index, Memory, Table};

/// How long a corpus counts as new without a look at its version.
const FRESH: Duration = Duration::from_secs(2);
/// The same of one whose first texts are still being taken in.
const INCOMPLETE_FRESH: Duration = Duration::from_millis(250);
/// How long it is not looked at again whether all texts have the vectors of the next embedder.
const COMPLETE_FRESH: Duration = Duration::from_secs(5);
/// The least pause between two looks of a question that waits for texts.
const LEAST_PAUSE: Duration = Duration::from_millis(50);
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
    spaces: Spaces,
    /// The bytes that the texts of all assistants may take.
    memory: usize,
}

/// One assistant's texts.
struct Shelf {
    assistant: String,
    held: Mutex<Option<Held>>,
    /// When they were last asked for.
    asked: Mutex<Instant>,
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
    /// The space of their vectors.
    pub space: Option<VectorSpace>,
    documents: Arc<DocumentVersions>,
    bytes: usize,
    loaded: Instant,
    looked: Instant,
    /// When it was looked at whether the vectors of the next embedder are there.
    looked_for_next: Option<Instant>,
}

impl Shelves {
    /// The texts of `store` with their vectors in one of these spaces, all together up to `memory` bytes in memory.
    pub fn new(store: KnowledgeStore, spaces: Spaces, memory: usize) -> Self {
        Self { source: Arc::new(Source { store, spaces, memory }), shelves: Mutex::default() }
    }

    /// An assistant's texts, with the vectors of that embedder, or of the current one as long as the next one's are missing.
    ///
    /// # Errors
    /// The table is away, and nothing was loaded before.
    pub async fn texts(&self, assistant: &str, wanted: EmbedderSlot) -> Result<Held, Problem> {
        let (shelf, source) = (self.shelf(assistant), self.source.clone());
        *shelf.asked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        // Tasks of their own, so that loading goes on where this question no longer waits for it.
        let held = match shelf.held() {
            None => {
                trace::spawn(async move { shelf.fill(&source, wanted).await }).await.map_err(Problem::internal)??
            }
            Some(held) if held.is_fresh() && !source.may_switch(&held, wanted) => held,
            Some(old) => {
                let renewing = trace::spawn(async move { shelf.renew(&source, wanted).await });
                tokio::time::timeout(PATIENCE, renewing).await.ok().and_then(Result::ok).flatten().unwrap_or(old)
            }
        };
        self.make_room();
        Ok(held)
    }

    /// Lets go of the texts that were asked for the longest ago, until the rest fits; of those of the last question never. Who
    /// searches them just now still may.
    fn make_room(&self) {
        let mut shelves: Vec<Arc<Shelf>> =
            self.shelves.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        shelves.sort_by_cached_key(|shelf| Reverse(*shelf.asked.lock().unwrap_or_else(PoisonError::into_inner)));
        let mut taken = 0;
        for (at, shelf) in shelves.into_iter().enumerate() {
            taken += shelf.held().map_or(0, |held| held.bytes);
            if at > 0 && taken > self.source.memory {
                shelf.let_go();
            }
        }
    }

    /// The texts of an assistant that has `old` ones, looked at once more after a moment; `None` where there is no time for
    /// that until `until`.
    pub async fn newer(&self, assistant: &str, old: &Held, wanted: EmbedderSlot, until: Deadline) -> Option<Held> {
        // Where somebody else looks just now, that takes a moment as well.
        let pause = INCOMPLETE_FRESH.saturating_sub(old.looked.elapsed()).max(LEAST_PAUSE);
        if until.remaining() <= pause {
            return None;
        }
        tokio::time::sleep(pause).await;
        self.texts(assistant, wanted).await.ok()
    }

    fn shelf(&self, assistant: &str) -> Arc<Shelf> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf = || Shelf {
            assistant: assistant.to_owned(),
            held: Mutex::default(),
            asked: Mutex::new(Instant::now()),
            looking: AsyncMutex::default(),
        };
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

    fn let_go(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| held.bytes > 0) {
            tracing::info!(assistant = self.assistant, "texts let go of, for want of memory");
            *held = None;
        }
    }

    /// Loads the first texts; everybody waits for the one who does.
    async fn fill(&self, source: &Source, wanted: EmbedderSlot) -> Result<Held, Problem> {
        let _looking = self.looking.lock().await;
        if let Some(held) = self.held() {
            return Ok(held);
        }
        if wanted == EmbedderSlot::Next
            && let Some(next) = source.next(&self.assistant).await
        {
            return Ok(self.hold(next));
        }
        let current = source.load(&self.assistant, source.spaces.current(), None).await?;
        Ok(self.hold(Held { looked_for_next: Some(Instant::now()), ..current }))
    }

    /// Looks whether there are newer texts, and loads them; `None` where somebody else looks, or it failed.
    async fn renew(&self, source: &Source, wanted: EmbedderSlot) -> Option<Held> {
        let _looking = self.looking.try_lock().ok()?;
        let mut old = self.held()?;
        if source.may_switch(&old, wanted) {
            let other = match wanted {
                EmbedderSlot::Next => source.next(&self.assistant).await,
                EmbedderSlot::Current => source.load(&self.assistant, source.spaces.current(), None).await.ok(),
            };
            if let Some(other) = other {
                return Some(self.hold(other));
            }
            old = self.hold(Held { looked_for_next: Some(Instant::now()), ..old });
        }
        if old.is_fresh() {
            return Some(old);
        }
        let renewed = match source.store.corpus_state(&self.assistant).await {
            Ok(state) if state.version == old.state.version || old.is_too_large_still() => {
                Ok(Held { state, ..old.clone() })
            }
            Ok(_) => source.load(&self.assistant, old.space.as_ref(), Some(&old)).await,
            Err(problem) => Err(problem),
        };
        let looked_for_next = old.looked_for_next;
        let held = renewed.unwrap_or_else(|problem| {
            let cause = problem.cause();
            tracing::warn!(assistant = self.assistant, cause, "the newest texts cannot be loaded; the old ones serve");
            old
        });
        Some(self.hold(Held { looked: Instant::now(), looked_for_next, ..held }))
    }
}

/// Texts in memory, how far they are, and what their documents were.
type InMemory = (Memory, CorpusState, DocumentVersions);

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
    /// Whether texts should have the vectors of another embedder than they have, as far as is known.
    fn may_switch(&self, held: &Held, wanted: EmbedderSlot) -> bool {
        let is_next = held.space.is_some() && held.space.as_ref() == self.spaces.next();
        match wanted {
            EmbedderSlot::Current => is_next,
            EmbedderSlot::Next => {
                let is_fresh = held.looked_for_next.is_some_and(|looked| looked.elapsed() < COMPLETE_FRESH);
                self.spaces.next().is_some() && !is_next && !is_fresh
            }
        }
    }

    /// The texts with the vectors of the next embedder, if all of them have such and they can be searched.
    async fn next(&self, assistant: &str) -> Option<Held> {
        let space = self.spaces.next()?;
        let next = async {
            if !self.store.is_complete_in(assistant, space).await? {
                return Ok(None);
            }
            let next = self.load(assistant, Some(space), None).await?;
            if matches!(*next.index, Index::Table(_)) {
                // An index that is being filled answers nothing.
                let any = vec![1.0; space.dimensions];
                self.store.nearest(assistant, space, &any, 1, None).await?;
            }
            Ok::<_, Problem>(Some(next))
        };
        next.await.unwrap_or_else(|problem| {
            let cause = problem.cause();
            tracing::warn!(assistant, cause, "the next embedder's vectors cannot be searched; the current one's serve");
            None
        })
    }

    /// The texts as they are now; of those that are in memory, only the documents that changed are loaded.
    async fn load(&self, assistant: &str, space: Option<&VectorSpace>, old: Option<&Held>) -> Result<Held, Problem> {
        let started = Instant::now();
        let in_memory = match old.filter(|old| matches!(*old.index, Index::Memory(_))) {
            Some(old) => self.renewed(assistant, space, old).await?,
            None => self.whole(assistant, space).await?,
        };
        let (index, state, documents) = match (in_memory, space) {
            (Some((memory, state, documents)), _) if memory.bytes() <= self.memory || space.is_none() => {
                (Index::Memory(memory), state, documents)
            }
            (_, Some(space)) => {
                let table = Table::new(self.store.clone(), assistant, space.clone());
                (Index::Table(table), self.store.corpus_state(assistant).await?, DocumentVersions::default())
            }
            (_, None) => {
                let cause =
                    anyhow::anyhow!("{assistant} has too many texts for RETRIEVE_MEMORY_MIB, and there is no embedder");
                return Err(Problem::unavailable("What was asked cannot be looked up for now.", cause));
            }
        };
        let bytes = if let Index::Memory(memory) = &index { memory.bytes() } else { 0 };
        let (now, version) = (Instant::now(), state.version);
        tracing::info!(assistant, version, bytes, duration_ms = (now - started).as_millis() as u64, "texts loaded");
        let (index, space, documents) = (Arc::new(index), space.cloned(), Arc::new(documents));
        Ok(Held { index, state, space, documents, bytes, loaded: now, looked: now, looked_for_next: None })
    }

    async fn whole(&self, assistant: &str, space: Option<&VectorSpace>) -> Result<Option<InMemory>, Problem> {
        let Some(corpus) = self.store.load(assistant, space, self.memory).await? else { return Ok(None) };
        let space = space.cloned();
        let memory = tokio::task::spawn_blocking(move || Memory::new(corpus.chunks, space.as_ref())).await;
        Ok(Some((memory.map_err(Problem::internal)?, corpus.state, corpus.documents)))
    }

    async fn renewed(
        &self,
        assistant: &str,
        space: Option<&VectorSpace>,
        old: &Held,
    ) -> Result<Option<InMemory>, Problem> {
        let changes = self.store.load_changes(assistant, space, &old.documents, self.memory).await?;
        let Some(changes) = changes else { return Ok(None) };
        let index = old.index.clone();
        let memory = tokio::task::spawn_blocking(move || match &*index {
            Index::Memory(memory) => memory.renewed(&changes.kept, changes.chunks),
            Index::Table(_) => Memory::default(),
        });
        Ok(Some((memory.await.map_err(Problem::internal)?, changes.state, changes.documents)))
    }
}
