//! Gives chunks their vectors.
//!
//! In: messages that name chunks of a document. Out: vectors in the `knowledge` table, or why a chunk has none. Chunks of many
//! messages share a call to the embedder. A message may come twice and a worker may die anywhere: what is done is seen in
//! the table and not done again, and a message is acknowledged after everything else.
//!
//! Where the embedder is away, messages are put back as new ones with a delay: a delivery that is merely held back by its
//! visibility counts as a try all the same, and an outage would fill the dead-letter queue. There end the messages that
//! cannot be read, those whose items cannot, and those on which an embedder that is well fails each time. What failed is tried
//! again when its message is sent back, or its document is sent again.

mod calls;
mod sweep;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt, stream};
use shared::assistants::Assistants;
use shared::config;
use shared::deadline::Deadline;
use shared::embedder::Embedder;
use shared::knowledge_store::{DocumentId, EmbedWork, KnowledgeStore, VectorSpace};
use shared::problem::Problem;
use shared::queue::{Message, Queue};

use calls::{Calls, Job};
pub use sweep::{sweep, sweep_now};

/// How many documents are packed at once.
const SETTLING: usize = 8;
/// The longest that a message is put back for.
const LONGEST_DELAY: Duration = Duration::from_secs(300);
/// After how many tries the queue gives a message up; as the template and the laptop's queue say.
pub const TRIES: u32 = 5;

/// What the worker needs.
pub struct Deps {
    store: KnowledgeStore,
    queue: Queue,
    embedder: Option<Embedder>,
    concurrency: usize,
    assistants: Assistants,
}

/// What became of a message, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// All of it is done.
    Done,
    /// Something it needs is away; it is tried again after this time, or one of our own choice.
    Later(Option<Duration>),
    /// It is at fault itself.
    Failed,
}

impl Deps {
    /// With at most `concurrency` calls to the embedder at once, and the assistants whose documents are swept.
    pub fn new(
        store: KnowledgeStore,
        queue: Queue,
        embedder: Option<Embedder>,
        concurrency: usize,
        assistants: Assistants,
    ) -> Self {
        Self { store, queue, embedder, concurrency: concurrency.max(1), assistants }
    }

    /// With `KNOWLEDGE_TABLE`, `CHUNKS_QUEUE_URL`, `EMBED_CONCURRENCY` (5), and what names the assistants and the embedder.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let queue = Queue::from_env("CHUNKS_QUEUE_URL").await?;
        let concurrency = config::parsed("EMBED_CONCURRENCY", 5)?;
        let (store, embedder) = (KnowledgeStore::from_env().await?, Embedder::from_env()?);
        Ok(Self::new(store, queue, embedder, concurrency, Assistants::from_env()?))
    }
}

/// Does the work of a batch of messages; answers the ids of those to be delivered again.
pub async fn work(deps: Arc<Deps>, messages: Vec<Message>, deadline: Deadline) -> Vec<String> {
    let read = |message: &Message| serde_json::from_str::<EmbedWork>(&message.body).ok();
    let works: Vec<Option<EmbedWork>> = messages.iter().map(read).collect();
    let outcomes = match &deps.embedder {
        Some(embedder) => embed(&deps, embedder, &messages, &works, deadline).await,
        // Without an embedder chunks are found by words, and one that comes later finds them pending.
        None => works.iter().map(|work| if work.is_some() { Outcome::Done } else { Outcome::Failed }).collect(),
    };
    let finished = messages.iter().zip(&works).zip(outcomes);
    let failed = join_all(
        finished
            .map(|((message, work), outcome)| message.traced("embed", finish(&deps, message, work.as_ref(), outcome))),
    );
    failed.await.into_iter().flatten().collect()
}

async fn embed(
    deps: &Deps,
    embedder: &Embedder,
    messages: &[Message],
    works: &[Option<EmbedWork>],
    deadline: Deadline,
) -> Vec<Outcome> {
    let space = VectorSpace::of(embedder);
    let (mut outcomes, mut jobs) = (vec![Outcome::Done; works.len()], Vec::new());
    let reads = works.iter().map(|work| async {
        let Some(work) = work else { return Err(Outcome::Failed) };
        deps.store.chunks(&work.document, &work.chunks).await.map_err(|problem| unwritten(&problem))
    });
    for (index, chunks) in join_all(reads).await.into_iter().enumerate() {
        match (chunks, works.get(index).and_then(Option::as_ref), messages.get(index)) {
            (Ok(chunks), Some(work), Some(message)) => {
                let waiting = chunks.into_iter().filter(|chunk| !chunk.is_embedded_in(&space));
                let last_try = message.tries >= TRIES;
                jobs.extend(waiting.map(|chunk| Job { message: index, document: &work.document, chunk, last_try }));
            }
            (Err(outcome), ..) => worsen(&mut outcomes, index, outcome),
            _ => worsen(&mut outcomes, index, Outcome::Failed),
        }
    }
    let touched: HashSet<&DocumentId> = jobs.iter().map(|job| job.document).collect();
    let calls = Calls::new(&deps.store, embedder, &space, deps.concurrency, deadline);
    for (index, outcome) in calls.run(jobs).await {
        worsen(&mut outcomes, index, outcome);
    }
    // After all vectors: whoever settles last has seen them all.
    let documents: HashSet<&DocumentId> = works.iter().flatten().map(|work| &work.document).collect();
    let settling: Vec<_> = documents.into_iter().map(|id| settle(deps, id, touched.contains(id), &space)).collect();
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

/// Packs a document whose chunks changed, or whose packing an earlier worker did not live to finish.
async fn settle<'a>(deps: &Deps, id: &'a DocumentId, touched: bool, space: &VectorSpace) -> (&'a DocumentId, Outcome) {
    let settle = async {
        let settled = |document: shared::knowledge_store::KeptDocument| document.is_settled_in(Some(space));
        if touched || !deps.store.document(id).await?.is_none_or(settled) {
            deps.store.settle(id, Some(space)).await?;
        }
        Ok::<_, Problem>(())
    };
    (id, settle.await.map_or_else(|problem| unwritten(&problem), |()| Outcome::Done))
}

/// What becomes of a message whose items could not be read or written: a table that is away comes back, but an item that cannot be
/// read, or is refused, stays so.
fn unwritten(problem: &Problem) -> Outcome {
    let cause = problem.cause();
    if problem.status() == 503 {
        tracing::warn!(%problem, cause, "the knowledge table failed; trying again later");
        return Outcome::Later(None);
    }
    tracing::error!(%problem, cause, "the knowledge table does not hold or take what it should");
    Outcome::Failed
}

/// Puts a message back where that is what became of it; its id where it is to be delivered again.
async fn finish(deps: &Deps, message: &Message, work: Option<&EmbedWork>, outcome: Outcome) -> Option<String> {
    let failed = match (outcome, work) {
        (Outcome::Done, _) => return None,
        (Outcome::Later(after), Some(work)) => {
            let delay = after.unwrap_or_else(|| Duration::from_secs(1 << work.put_back.min(8))).min(LONGEST_DELAY);
            let work = EmbedWork { put_back: work.put_back.saturating_add(1), ..work.clone() };
            deps.queue.send_later(&[work], delay).await.is_err()
        }
        _ => {
            tracing::error!(message = message.id, tries = message.tries, "a message for embed failed");
            true
        }
    };
    failed.then(|| message.id.clone())
}
