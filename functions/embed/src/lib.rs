//! Gives chunks their vectors.
//!
//! In: messages that name chunks of a document. Out: vectors in the `knowledge` table, or why a chunk has none. Chunks of many
//! messages share a call to the embedder. While another embedder is to take the place of the current one, each gives its own. A message may come twice and a worker may die anywhere: what is done is seen in
//! the table and not done again, and a message is acknowledged after everything else.
//!
//! Where the embedder is unavailable, messages are put back with growing pauses ([`Queue::put_back`]). What cannot get better
//! ends among the dead letters: at once where a message or its items cannot be read, or something is configured wrongly; after
//! a few tries where an embedder that is well fails on a text, be it by an error or by never coming to an end. What failed is
//! tried again when its message is sent back, or its document is sent again.

mod calls;
mod sweep;

use std::collections::HashMap;
use std::sync::Arc;

use aws::knowledge_store::{DocumentId, EmbedWork, KeptDocument, KnowledgeStore, Spaces, VectorSpace, WorkPart};
use aws::queue::{Queue, Undone};
use contracts::problem::Problem;
use futures::future::join_all;
use futures::{StreamExt, stream};
use models::embedder::{Embedder, Embedders};
use runtime::assistants::Assistants;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::message::Message;

use calls::{Calls, Job};
pub use sweep::{sweep, sweep_now};

/// How many documents are packed at once.
const SETTLING: usize = 8;
/// From which try on a text on which the embedder fails is blamed for it.
pub const TRIES: u32 = 5;

/// What the worker needs.
pub struct Deps {
    store: KnowledgeStore,
    queue: Queue,
    embedders: Embedders,
    concurrency: usize,
    assistants: Assistants,
}

/// What became of a message, the worst last: none of it is left to do, or why some is.
type Outcome = Option<Undone>;

impl Deps {
    /// With at most `concurrency` calls to the embedder at once, and the assistants whose documents are swept.
    pub fn new(
        store: KnowledgeStore,
        queue: Queue,
        embedder: Option<Embedder>,
        concurrency: usize,
        assistants: Assistants,
    ) -> Self {
        let embedders = Embedders { current: embedder, next: None };
        Self { store, queue, embedders, concurrency: concurrency.max(1), assistants }
    }

    /// The same, with the embedder that is to take the place of the current one.
    pub fn with_next(self, next: Option<Embedder>) -> Self {
        Self { embedders: Embedders { next, ..self.embedders }, ..self }
    }

    /// With `KNOWLEDGE_TABLE`, `CHUNKS_QUEUE_URL`, `DEAD_CHUNKS_QUEUE_URL`, `EMBED_CONCURRENCY` (5), and what names the
    /// assistants and the embedders.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let queue = Queue::of_worker_from_env("CHUNKS_QUEUE_URL", "DEAD_CHUNKS_QUEUE_URL").await?;
        let concurrency = config::parsed("EMBED_CONCURRENCY", 5)?;
        let (store, embedders) = (KnowledgeStore::from_env().await?, Embedders::from_env()?);
        let deps = Self::new(store, queue, embedders.current, concurrency, Assistants::from_env()?);
        Ok(deps.with_next(embedders.next))
    }
}

/// Does the work of a batch of messages; answers the ids of those to be delivered again.
pub async fn work(deps: Arc<Deps>, messages: Vec<Message>, deadline: Deadline) -> Vec<String> {
    let read = |message: &Message| serde_json::from_str::<EmbedWork>(&message.body).ok();
    let works: Vec<Option<EmbedWork>> = messages.iter().map(read).collect();
    let outcomes = if deps.embedders.iter().next().is_some() {
        embed(&deps, &messages, &works, deadline).await
    } else {
        // Without an embedder chunks are found by words, and one that comes later finds them pending.
        works.iter().map(|work| work.is_none().then_some(Undone::Hopeless)).collect()
    };
    let finished = messages.iter().zip(outcomes);
    let again = finished.map(|(message, outcome)| message.traced("embed", finish(&deps, message, outcome)));
    join_all(again).await.into_iter().flatten().collect()
}

async fn embed(deps: &Deps, messages: &[Message], works: &[Option<EmbedWork>], deadline: Deadline) -> Vec<Outcome> {
    let spaces = deps.embedders.spaces();
    let all: Vec<(&Embedder, VectorSpace)> =
        deps.embedders.iter().map(|embedder| (embedder, embedder.space())).collect();
    let mut jobs: Vec<Vec<Job>> = all.iter().map(|_| Vec::new()).collect();
    let mut outcomes = vec![None; works.len()];
    let reads = works.iter().map(|work| async {
        let Some(work) = work else { return Err(Undone::Hopeless) };
        deps.store.chunks(&work.document, &work.chunks).await.map_err(|problem| unwritten(&problem))
    });
    for (index, chunks) in join_all(reads).await.into_iter().enumerate() {
        match (chunks, works.get(index).and_then(Option::as_ref), messages.get(index)) {
            (Ok(chunks), Some(work), Some(message)) => {
                let is_suspect = message.tries >= TRIES;
                for ((_, space), jobs) in all.iter().zip(&mut jobs) {
                    let waiting = chunks.iter().filter(|chunk| !chunk.is_embedded_in(space)).cloned();
                    let job = |chunk| Job { message: index, document: &work.document, chunk, is_suspect };
                    jobs.extend(waiting.map(job));
                }
            }
            (Err(undone), ..) => worsen(&mut outcomes, index, Some(undone)),
            _ => worsen(&mut outcomes, index, Some(Undone::Hopeless)),
        }
    }
    let calls: Vec<Calls> = all
        .iter()
        .map(|(embedder, space)| Calls::new(&deps.store, embedder, space, deps.concurrency, deadline))
        .collect();
    let calling = calls.iter().zip(jobs).map(|(calls, jobs)| calls.run(jobs));
    let mut documents: HashMap<&DocumentId, Done> = HashMap::new();
    for (index, outcome) in join_all(calling).await.into_iter().flatten() {
        worsen(&mut outcomes, index, outcome);
        if let Some(work) = works.get(index).and_then(Option::as_ref) {
            let done = documents.entry(&work.document).or_default();
            done.is_touched |= !matches!(outcome, Some(Undone::Later(_)));
        }
    }
    for (work, outcome) in works.iter().zip(&outcomes) {
        let Some(work) = work else { continue };
        let done = documents.entry(&work.document).or_default();
        match (outcome, work.part) {
            (Some(Undone::Later(_)), _) => done.is_put_back = true,
            // What is given up is done with, too.
            (_, Some(part)) => done.parts.push(part),
            (_, None) => done.has_loose = true,
        }
    }
    // After all vectors: whoever settles last has seen them all.
    let settling: Vec<_> = documents.into_iter().map(|(id, done)| settle(deps, id, done, &spaces)).collect();
    let settled: HashMap<&DocumentId, Outcome> = stream::iter(settling).buffer_unordered(SETTLING).collect().await;
    for (index, work) in works.iter().enumerate() {
        if let Some(outcome) = work.as_ref().and_then(|work| settled.get(&work.document)) {
            worsen(&mut outcomes, index, *outcome);
        }
    }
    outcomes
}

fn worsen(outcomes: &mut [Outcome], index: usize, outcome: Outcome) {
    if let Some(before) = outcomes.get_mut(index) {
        *before = outcome.max(*before);
    }
}

/// What was done for a document in a batch.
#[derive(Default)]
struct Done {
    /// Of some chunk it is known now what becomes of it.
    is_touched: bool,
    /// The parts of its work that are done.
    parts: Vec<WorkPart>,
    /// There was work that is no part of anything.
    has_loose: bool,
    /// Some of it comes again, and nobody knows when.
    is_put_back: bool,
}

impl Done {
    /// The parts, where all that was done are such, and of the same work.
    fn as_parts(&self) -> Option<&[WorkPart]> {
        let of_one = self.parts.windows(2).all(|pair| matches!(pair, [a, b] if a.packed == b.packed));
        (of_one && !self.has_loose && !self.is_put_back && !self.parts.is_empty()).then_some(&self.parts)
    }
}

/// Packs a document once the last part of its work is done: packing reads and writes all of it. Where a part is put back,
/// what came of the others is packed meanwhile; and so is what an earlier worker did not live to finish.
async fn settle<'a>(deps: &Deps, id: &'a DocumentId, done: Done, spaces: &Spaces) -> (&'a DocumentId, Outcome) {
    let settle = async {
        if done.is_put_back && !done.is_touched && done.parts.is_empty() {
            return Ok(());
        }
        let finished = match done.as_parts() {
            Some(parts) => deps.store.finish_parts(id, parts).await?,
            None => None,
        };
        if finished == Some(false) {
            return Ok(());
        }
        let settled = |document: KeptDocument| document.is_settled_in(spaces);
        if done.is_touched || !deps.store.document(id).await?.is_none_or(settled) {
            deps.store.settle(id, spaces).await?;
        }
        Ok::<_, Problem>(())
    };
    (id, settle.await.err().map(|problem| unwritten(&problem)))
}

/// What becomes of a message whose items could not be read or written: a table that is unavailable comes back, but an item that
/// cannot be read, or is refused, stays so, and so does what this function may not do.
fn unwritten(problem: &Problem) -> Undone {
    let cause = problem.cause();
    if problem.is_transient() {
        tracing::warn!(%problem, cause, "the knowledge table failed; trying again later");
        return Undone::Later(None);
    }
    tracing::error!(%problem, cause, "the knowledge table does not hold or take what it should");
    Undone::Hopeless
}

/// Puts a message back or gives it up, if that is what became of it; its id where it is to be delivered again.
async fn finish(deps: &Deps, message: &Message, outcome: Outcome) -> Option<String> {
    let again = deps.queue.put_back(message, outcome?).await;
    again.then(|| message.id.clone())
}
