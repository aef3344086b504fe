//! The calls to the embedder: many texts in each, several at once, and none that takes others down with it.

use std::time::Duration;

use aws::knowledge_store::{DocumentId, KnowledgeStore, StoredChunk, VectorSpace};
use aws::queue::Undone;
use futures::FutureExt;
use futures::future::{BoxFuture, join, join_all};
use models::embedder::{Embedder, TextFault};
use runtime::deadline::Deadline;
use runtime::upstream::{Failure, Reason};
use tokio::sync::{OnceCell, Semaphore};

use crate::{Outcome, unwritten};

/// The most texts in one call.
const TEXTS: usize = 64;
/// What must be left of the time to write vectors and pack documents.
const RESERVE: Duration = Duration::from_secs(5);
/// The longest that a call with a text under suspicion may take: there must be time to find out which text it is.
const SUSPICION: Duration = Duration::from_secs(5);
/// What an embedder that is well can always embed.
const HARMLESS: &str = "hello";

/// A chunk that waits for its vector.
pub(crate) struct Job<'a> {
    /// The message that asked for it.
    pub message: usize,
    pub document: &'a DocumentId,
    pub chunk: StoredChunk,
    /// Whether its message failed so often that the text itself may be at fault.
    pub is_suspect: bool,
}

pub(crate) struct Calls<'a> {
    store: &'a KnowledgeStore,
    embedder: &'a Embedder,
    space: &'a VectorSpace,
    deadline: Deadline,
    at_once: Semaphore,
    is_well: OnceCell<bool>,
}

impl<'a> Calls<'a> {
    pub fn new(
        store: &'a KnowledgeStore,
        embedder: &'a Embedder,
        space: &'a VectorSpace,
        concurrency: usize,
        deadline: Deadline,
    ) -> Self {
        let at_once = Semaphore::new(concurrency);
        Self { store, embedder, space, deadline: deadline.less(RESERVE), at_once, is_well: OnceCell::new() }
    }

    /// Embeds all; what became of each, by its message. Texts under suspicion share no call with others.
    pub async fn run(&self, jobs: Vec<Job<'_>>) -> Vec<(usize, Outcome)> {
        let (suspects, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.is_suspect);
        let calls = others.chunks(TEXTS).chain(suspects.chunks(TEXTS)).map(|jobs| self.call(jobs));
        join_all(calls).await.into_iter().flatten().collect()
    }

    /// One call. Where it fails though the embedder is well, a text in it is at fault: its halves are tried, down to the one.
    fn call<'b>(&'b self, jobs: &'b [Job<'_>]) -> BoxFuture<'b, Vec<(usize, Outcome)>> {
        let call = async move {
            let is_suspect = jobs.iter().any(|job| job.is_suspect);
            let limit = if is_suspect { self.deadline.within(SUSPICION) } else { self.deadline };
            let texts = || jobs.iter().map(|job| job.chunk.embeddable(self.embedder.heading_times())).collect();
            let failure = match self.embed(texts, limit).await {
                Ok(vectors) => {
                    let kept = jobs.iter().zip(vectors).map(|(job, vector)| self.keep(job, vector));
                    return join_all(kept).await;
                }
                Err(failure) => failure,
            };
            let may_be_at_fault = blames_texts(&failure) || (is_suspect && failure.reason == Reason::Timeout);
            let at_fault = may_be_at_fault && self.is_well().await;
            match jobs {
                [job] if at_fault => vec![self.blame(job).await],
                _ if at_fault => {
                    let (one, other) = jobs.split_at(jobs.len() / 2);
                    let (mut outcomes, others) = join(self.call(one), self.call(other)).await;
                    outcomes.extend(others);
                    outcomes
                }
                _ => {
                    let undone = self.unanswered(&failure, jobs.len());
                    jobs.iter().map(|job| (job.message, Some(undone))).collect()
                }
            }
        };
        call.boxed()
    }

    /// An embedder that is not well: it may come back, unless it refuses even what is harmless, as with a wrong key or model.
    fn unanswered(&self, failure: &Failure, texts: usize) -> Undone {
        // A server in trouble says many things; only that the fault is ours stays true.
        if failure.status.is_some_and(|status| status.is_client_error()) && !failure.transient {
            tracing::error!(%failure, texts, "the embedder refuses us: is its key, its address or its model wrong?");
            return Undone::Hopeless;
        }
        tracing::warn!(%failure, texts, "the embedder failed; trying again later");
        Undone::Later(failure.retry_after)
    }

    /// The vectors of those texts, once there are few enough calls under way: halves that are tried again count like others.
    async fn embed(
        &self,
        texts: impl FnOnce() -> Vec<String>,
        limit: Deadline,
    ) -> Result<Vec<Result<Vec<f32>, TextFault>>, Failure> {
        let _permit = self.at_once.acquire().await;
        self.embedder.embed(&texts(), limit).await
    }

    async fn keep(&self, job: &Job<'_>, vector: Result<Vec<f32>, TextFault>) -> (usize, Outcome) {
        let kept = match vector {
            Ok(vector) if vector.len() == self.space.dimensions => {
                self.store.keep_vector(job.document, &job.chunk, self.space, &vector).await
            }
            Ok(_) => self.store.keep_fault(job.document, &job.chunk, self.space, WRONG_LENGTH).await,
            // Who refuses everything says nothing about this one.
            Err(TextFault::Refused) if !self.is_well().await => return (job.message, Some(Undone::Later(None))),
            Err(fault) => self.store.keep_fault(job.document, &job.chunk, self.space, &fault.to_string()).await,
        };
        (job.message, kept.err().map(|problem| unwritten(&problem)))
    }

    /// A text on which the embedder fails: it is tried some more times, and at last noted as failed and given up.
    async fn blame(&self, job: &Job<'_>) -> (usize, Outcome) {
        if !job.is_suspect {
            return (job.message, Some(Undone::Later(None)));
        }
        let noted =
            self.store.keep_fault(job.document, &job.chunk, self.space, "the model failed on it each time").await;
        (job.message, Some(noted.err().map_or(Undone::Hopeless, |problem| unwritten(&problem))))
    }

    /// Whether the embedder embeds what is harmless: asked once, when something failed.
    async fn is_well(&self) -> bool {
        let ask = || async {
            let vectors = self.embed(|| vec![HARMLESS.to_owned()], self.deadline.within(SUSPICION)).await;
            vectors.is_ok_and(|vectors| vectors.iter().all(Result::is_ok))
        };
        *self.is_well.get_or_init(ask).await
    }
}

const WRONG_LENGTH: &str = "the model gave a vector of another length";

/// Whether a failure may come from the texts: a firewall says 403 to words that it does not like.
fn blames_texts(failure: &Failure) -> bool {
    matches!(failure.reason, Reason::Unavailable | Reason::InvalidAnswer | Reason::Rejected | Reason::Unauthorized)
}
