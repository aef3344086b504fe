//! Finds the passages of an assistant's texts that answer a question.
//!
//! In: a question, with what was said before it. Out: passages by words and by meaning, the best first, none where nothing
//! answers. Small corpora are searched in memory, larger ones in the table. Never fails because the embedder does: then it
//! searches by words alone, and says so.

pub mod answer;
pub mod conversation;
pub mod follow_up;
pub mod index;
pub mod meaning;
pub mod question;
pub mod rank;
pub mod reading;
pub mod shelf;
pub mod spelling;
pub mod subject;
pub mod ways;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use aws::knowledge_store::{KnowledgeStore, VectorSpace};
use axum::Router;
use contracts::api::{
    Degraded, HealthCheck, HealthChecks, HealthRequest, HealthStatus, RETRIEVE, RETRIEVE_HEALTH, RETRIEVE_WARM,
    WarmRequest, Warmed,
};
use contracts::knowledge::{Intent, Passage, QuestionPart, Retrieval, RetrieveRequest, Retrieved};
use contracts::private::Private;
use contracts::problem::Problem;
use futures::future::join_all;
use models::embedder::{Embedder, Embedders};
use runtime::assistants::Assistants;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::flags::FlagSource;
use runtime::health::check;
use runtime::step::Serve;
use runtime::upstream::Reason;

use crate::answer::{Found, Settings};
use crate::conversation::{Search, searches};
use crate::index::Index;
use crate::question::{Question, Topic};
use crate::reading::{read, says_something};
use crate::shelf::{Held, Shelves};

/// What is left of the deadline for the search and for the answer to get out.
const RESERVE: Duration = Duration::from_millis(200);
/// The same, of a question that waits for texts which are being taken in.
const WAITING_RESERVE: Duration = Duration::from_millis(1_500);
/// The most passages of one answer.
const MOST_PASSAGES: usize = 50;

/// What a search needs.
pub struct Deps {
    shelves: Shelves,
    store: KnowledgeStore,
    memory: usize,
    embedders: Embedders,
    assistants: Assistants,
    flags: FlagSource,
}

impl Deps {
    /// The texts of `store`, those of all assistants together in memory up to `memory` bytes.
    pub fn new(store: KnowledgeStore, embedder: Option<Embedder>, assistants: Assistants, memory: usize) -> Self {
        let (embedders, flags) = (Embedders { current: embedder, next: None }, FlagSource::default());
        let shelves = Shelves::new(store.clone(), embedders.spaces(), memory);
        Self { shelves, store, memory, embedders, assistants, flags }
    }

    /// The same, with the embedder that is to take the place of the current one once the flag `embedder` says so.
    pub fn with_next(self, next: Option<Embedder>) -> Self {
        let embedders = Embedders { next, ..self.embedders };
        let shelves = Shelves::new(self.store.clone(), embedders.spaces(), self.memory);
        Self { shelves, embedders, ..self }
    }

    /// The same, with switches that are read from `flags`.
    pub fn with_flags(self, flags: FlagSource) -> Self {
        Self { flags, ..self }
    }

    /// The table that `KNOWLEDGE_TABLE` names, the embedders that the environment describes, the flags, and [`memory_from_env`].
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let store = KnowledgeStore::from_env().await?;
        let Embedders { current, next } = Embedders::from_env()?;
        let deps = Self::new(store, current, Assistants::from_env()?, memory_from_env()?).with_next(next);
        Ok(deps.with_flags(FlagSource::from_env()))
    }

    /// The questions' vectors in this space, where there is one.
    ///
    /// # Errors
    /// The embedder did not answer in time, or not with vectors.
    async fn embed(
        &self,
        space: Option<&VectorSpace>,
        texts: &[String],
        deadline: Deadline,
    ) -> Result<Vec<Vec<f32>>, Degraded> {
        let embedder = space.and_then(|space| self.embedders.of(space)).filter(|_| !texts.is_empty());
        let Some(embedder) = embedder else { return Ok(Vec::new()) };
        let (reason, cause) = match embedder.embed_question(texts, deadline.less(RESERVE)).await {
            Ok(vectors) => match vectors.into_iter().collect::<Result<Vec<_>, _>>() {
                Ok(vectors) if vectors.len() == texts.len() => return Ok(vectors),
                Ok(_) => (Reason::InvalidAnswer, "no vector came".to_owned()),
                Err(fault) => (Reason::Rejected, fault.to_string()),
            },
            Err(failure) => (failure.reason, failure.to_string()),
        };
        tracing::warn!(cause, "the question has no vector; searching by words alone");
        Err(Degraded::new("embedder", reason.as_str()))
    }

    /// What was asked for, else what the assistant's manifest says, else what was measured.
    fn settings(&self, request: &RetrieveRequest, space: Option<&VectorSpace>) -> Settings {
        let options = self.assistants.get(&request.assistant).map(|assistant| assistant.retrieval).unwrap_or_default();
        let space = space.map(VectorSpace::name).unwrap_or_default();
        Settings {
            limit: request.limit.or(options.passages).unwrap_or(answer::PASSAGES).min(MOST_PASSAGES),
            least_cosine: options.least_cosine.unwrap_or_else(|| answer::least_cosine(space)),
            least_evidence: options.least_evidence.unwrap_or(answer::LEAST_EVIDENCE),
            meaning_weight: answer::meaning_weight(space),
            // Who sets a least cosine wants that to decide.
            least_mix: answer::least_mix(space).filter(|_| options.least_cosine.is_none()),
        }
    }
}

/// `RETRIEVE_MEMORY_MIB` (128), in bytes: how much the texts of all assistants, with their words and vectors, may take in
/// memory. An assistant that has more alone is searched in the table.
///
/// # Errors
/// It is not a whole number.
pub fn memory_from_env() -> anyhow::Result<usize> {
    Ok(config::parsed("RETRIEVE_MEMORY_MIB", 128_usize)?.saturating_mul(1024 * 1024))
}

/// The route.
pub fn router(deps: Deps) -> Router {
    let deps = Arc::new(deps);
    let retrieve = RETRIEVE.serve(deps.clone(), retrieve);
    retrieve.merge(RETRIEVE_WARM.serve(deps.clone(), warm)).merge(RETRIEVE_HEALTH.serve(deps, health))
}

/// Tries the embedders there are. Without them texts are found by their words.
async fn health(deps: Arc<Deps>, _: HealthRequest, deadline: Deadline) -> Result<HealthChecks, Problem> {
    let limit = deadline.less(RESERVE);
    let Embedders { current, next } = &deps.embedders;
    let named = [("embedder", current), ("next_embedder", next)];
    let there = named.into_iter().filter_map(|(name, embedder)| Some((name, embedder.as_ref()?)));
    let checks = there.map(|(name, embedder)| async move {
        let (name, tried) = check(name, HealthStatus::Degraded, limit, embedder.probe(limit)).await;
        (name, HealthCheck { circuit: embedder.circuit(), ..tried })
    });
    Ok(join_all(checks).await.into_iter().collect())
}

/// Has the texts of every assistant loaded.
async fn warm(deps: Arc<Deps>, _: WarmRequest, _: Deadline) -> Result<Warmed, Problem> {
    let names: Vec<&str> = deps.assistants.iter().map(|(name, _)| name).collect();
    let wanted = deps.flags.of_turn().await.embedder;
    let loaded = join_all(names.iter().map(|name| deps.shelves.texts(name, wanted))).await;
    let mut warmed = Warmed::default();
    for (name, loaded) in names.into_iter().zip(loaded) {
        match loaded {
            Ok(_) => warmed.ready.push(name.to_owned()),
            Err(problem) => warmed.degraded.push(Degraded::because(name, &problem)),
        }
    }
    Ok(warmed)
}

/// What there is to find is waited for within the deadline: texts that are being taken in for the first time, and their vectors
/// where words do not find an answer. What is still missing then is named.
async fn retrieve(deps: Arc<Deps>, request: RetrieveRequest, deadline: Deadline) -> Result<Retrieved, Problem> {
    let assistant = request.assistant.as_str();
    let has_texts = deps.assistants.get(assistant).is_ok_and(|assistant| assistant.has_texts);
    let until = deadline.less(WAITING_RESERVE);
    let wanted = deps.flags.of_turn().await.embedder;
    let mut texts = deps.shelves.texts(assistant, wanted).await?;
    // A greeting needs none.
    let asks = !read(&request.question, assistant).is_empty();
    while asks
        && texts.is_loading(has_texts)
        && let Some(newer) = deps.shelves.newer(assistant, &texts, wanted, until).await
    {
        texts = newer;
    }
    let mut retrieved = search(&deps, &request, &texts, deadline).await?;
    while retrieved.lacks_an_answer()
        && texts.is_being_embedded()
        && let Some(newer) = deps.shelves.newer(assistant, &texts, wanted, until).await
    {
        let has_changed = newer.state.version != texts.state.version;
        texts = newer;
        if has_changed {
            retrieved = search(&deps, &request, &texts, deadline).await?;
        }
    }
    if asks && (texts.is_loading(has_texts) || retrieved.lacks_an_answer() && texts.is_being_embedded()) {
        retrieved.degraded.push(Degraded::loading());
    }
    Ok(retrieved)
}

async fn search(
    deps: &Deps,
    request: &RetrieveRequest,
    texts: &Held,
    deadline: Deadline,
) -> Result<Retrieved, Problem> {
    let (index, version) = (&texts.index, texts.state.version);
    let searches = searches(request, |text| index.mend(text));
    let asked: Vec<String> = searches.iter().map(|search| search.text.clone()).collect();
    let (vectors, degraded) = match deps.embed(texts.space.as_ref(), &asked, deadline).await {
        Ok(vectors) => (vectors, Vec::new()),
        Err(degraded) => (Vec::new(), vec![degraded]),
    };
    let settings = deps.settings(request, texts.space.as_ref());
    let mut retrieved = Retrieved { corpus_version: version, degraded, ..Retrieved::default() };
    let mut all = Vec::new();
    for (at, search) in searches.into_iter().enumerate() {
        let vector = vectors.get(at).map(Vec::as_slice);
        let mut found = find(index, &search, vector, &request.sources, &settings).await?;
        retrieved.retrieval = found.retrieval;
        retrieved.near.append(&mut found.near);
        retrieved.parts.push(QuestionPart {
            question: Private(search.question),
            intent: search.intent,
            elsewhere: found.elsewhere.map(str::to_owned),
            passages: Vec::new(),
        });
        all.push(found.passages);
    }
    (retrieved.parts, retrieved.passages) = numbered(retrieved.parts, all);
    Ok(retrieved)
}

/// The passages of all parts, the best of each first, each once; and the parts with their numbers.
fn numbered(mut parts: Vec<QuestionPart>, found: Vec<Vec<Passage>>) -> (Vec<QuestionPart>, Vec<Passage>) {
    let mut passages: Vec<Passage> = Vec::new();
    let longest = found.iter().map(Vec::len).max().unwrap_or_default();
    let mut found: Vec<_> = found.into_iter().map(Vec::into_iter).collect();
    for _ in 0..longest {
        for (part, passage) in parts.iter_mut().zip(found.iter_mut().map(Iterator::next)) {
            let Some(passage) = passage else { continue };
            let known = passages.iter().position(|known| known.id == passage.id);
            let at = known.unwrap_or(passages.len());
            if known.is_none() {
                passages.push(passage);
            }
            part.passages.push(at + 1);
        }
    }
    (parts, passages)
}

/// The passages for one question of a message.
async fn find(
    index: &Index,
    search: &Search,
    vector: Option<&[f32]>,
    sources: &[String],
    settings: &Settings,
) -> Result<Found, Problem> {
    let retrieval = if vector.is_some() { Retrieval::Hybrid } else { Retrieval::Words };
    let told = index.passages(&search.told);
    if search.intent == Intent::Source && !told.is_empty() {
        return Ok(Found { passages: told, retrieval, ..Found::default() });
    }
    let topic = Topic {
        text: &search.topic,
        said: &search.said,
        told: &search.told,
        skip: &search.skip,
        leans: search.leans(),
        may_lean: search.may_lean(),
        story: search.is_story,
    };
    // Words that say nothing of a subject have a vector all the same, which would only mislead.
    let vector = vector.filter(|_| !search.leans() || says_something(&search.text));
    let question = Question { text: &search.text, vector, sources, topic };
    let mut found = index.search(&question, settings).await?;
    // "Who can prescribe?" may stand alone, but where nothing answers it so, it goes on with what was told.
    if found.passages.is_empty() && search.may_go_on() && !told.is_empty() {
        let leaning = Question { topic: Topic { leans: true, ..topic }, ..question };
        found = index.search(&leaning, settings).await?;
    }
    // What is wanted again, in other words, or more of, is what was told; else it is there if nothing else is.
    let again = matches!(search.intent, Intent::More | Intent::Simpler | Intent::Example);
    if let Some(first) = told.into_iter().next().filter(|_| again || search.leans() && found.passages.is_empty()) {
        found.passages.retain(|passage| passage.id != first.id);
        found.passages.insert(0, first);
        found.passages.truncate(settings.limit);
    }
    Ok(found)
}
