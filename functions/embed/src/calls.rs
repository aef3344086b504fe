//! The calls to the embedder: many texts in each, several at once, and none that takes others down with it.

use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join, join_all};
use shared::deadline::Deadline;
use shared::embedder::{Embedder, TextFault};
use shared::knowledge_store::{DocumentId, KnowledgeStore, StoredChunk, VectorSpace};
use shared::problem::Problem;
use shared::upstream::{Failure, Reason};
use tokio::sync::{OnceCell, Semaphore};

use crate::{Outcome, unwritten};

/// The most texts in one call.
const TEXTS: usize = 64;
/// What must be left of the time to write vectors and pack documents.
const RESERVE: Duration = Duration::from_secs(5);
/// What an embedder that is well can always embed.
const HARMLESS: &str = "hello";

/// A chunk that waits for its vector.
pub(crate) struct Job<'a> {
    /// The message that asked for it.
    pub message: usize,
    pub document: &'a DocumentId,
    pub chunk: StoredChunk,
    /// Whether the message is given up if this fails.
    pub last_try: bool,
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

    /// Embeds all; what became of each, by its message.
    pub async fn run(&self, jobs: Vec<Job<'_>>) -> Vec<(usize, Outcome)> {
        join_all(jobs.chunks(TEXTS).map(|jobs| self.call(jobs))).await.into_iter().flatten().collect()
    }

    /// One call. Where it fails though the embedder is well, a text in it is at fault: its halves are tried, down to the one.
    fn call<'b>(&'b self, jobs: &'b [Job<'_>]) -> BoxFuture<'b, Vec<(usize, Outcome)>> {
        let call = async move {
            let failure = match self
                .embed(|| jobs.iter().map(|job| job.chunk.embeddable(self.embedder.heading_times())).collect())
                .await
            {
                Ok(vectors) => {
                    let kept = jobs.iter().zip(vectors).map(|(job, vector)| self.keep(job, vector));
                    return join_all(kept).await;
                }
                Err(failure) => failure,
            };
            let at_fault = blames_texts(&failure) && self.is_well().await;
            match jobs {
                [job] if at_fault => vec![self.give_up(job).await],
                _ if at_fault => {
                    let (one, other) = jobs.split_at(jobs.len() / 2);
                    let (mut outcomes, others) = join(self.call(one), self.call(other)).await;
                    outcomes.extend(others);
                    outcomes
                }
                _ => {
                    tracing::warn!(%failure, texts = jobs.len(), "the embedder failed; trying again later");
                    jobs.iter().map(|job| (job.message, Outcome::Later(failure.retry_after))).collect()
                }
            }
        };
        call.boxed()
    }

    /// The vectors of those texts, once there are few enough calls under way: halves that are tried again count like others.
    async fn embed(&self, texts: impl FnOnce() -> Vec<String>) -> Result<Vec<Result<Vec<f32>, TextFault>>, Failure> {
        let _permit = self.at_once.acquire().await;
        self.embedder.embed(&texts(), self.deadline).await
    }

    async fn keep(&self, job: &Job<'_>, vector: Result<Vec<f32>, TextFault>) -> (usize, Outcome) {
        let kept = match vector {
            Ok(vector) if vector.len() == self.space.dimensions => {
                self.store.keep_vector(job.document, &job.chunk, self.space, &vector).await
            }
            Ok(_) => self.store.keep_fault(job.document, &job.chunk, self.space, WRONG_LENGTH).await,
            // Who refuses everything says nothing about this one.
            Err(TextFault::Refused) if !self.is_well().await => return (job.message, Outcome::Later(None)),
            Err(fault) => self.store.keep_fault(job.document, &job.chunk, self.space, &fault.to_string()).await,
        };
        (job.message, outcome(kept, Outcome::Done))
    }

    /// A text on which the embedder fails: its message is delivered again, and at last noted as failed and given up.
    async fn give_up(&self, job: &Job<'_>) -> (usize, Outcome) {
        if !job.last_try {
            return (job.message, Outcome::Failed);
        }
        let noted =
            self.store.keep_fault(job.document, &job.chunk, self.space, "the model failed on it each time").await;
        (job.message, outcome(noted, Outcome::Failed))
    }

    /// Whether the embedder embeds what is harmless: asked once, when something failed.
    async fn is_well(&self) -> bool {
        let ask = || async {
            let vectors = self.embed(|| vec![HARMLESS.to_owned()]).await;
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

fn outcome(written: Result<(), Problem>, done: Outcome) -> Outcome {
    written.map_or_else(|problem| unwritten(&problem), |()| done)
}
