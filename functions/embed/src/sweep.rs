//! Finds work of which no message tells: after a kill, a full dead-letter queue, or with another embedder than before.

use std::sync::Arc;
use std::time::Duration;

use aws::knowledge_store::{EmbedWork, KeptDocument};
use contracts::problem::Problem;
use futures::future::join_all;
use runtime::deadline::Deadline;
use tokio::sync::OnceCell;

use crate::Deps;

/// How long the embedder has to say that it is there.
const PROBE: Duration = Duration::from_secs(5);

/// When a sweep queues again what stayed pending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queues {
    Never,
    /// Only where all embedders answer: with a wrong key, each sweep would add to the dead letters.
    ForAnEmbedder,
    Always,
}

/// Finishes deletions and queues again what stayed pending; this only while there are no messages in the queue, which most
/// likely tell of just that: through a long outage of the embedder each sweep would add them once more. Whether nothing failed.
pub async fn sweep(deps: Arc<Deps>, deadline: Deadline) -> bool {
    match deps.queue.is_empty().await {
        Ok(true) => sweep_documents(&deps, Queues::ForAnEmbedder, deadline).await,
        Ok(false) => sweep_documents(&deps, Queues::Never, deadline).await,
        Err(problem) => {
            tracing::warn!(%problem, "the queue could not be asked what is in it");
            sweep_documents(&deps, Queues::Never, deadline).await;
            false
        }
    }
}

/// The same, whatever is in the queue, and whether the embedder answers or not.
pub async fn sweep_now(deps: &Deps, deadline: Deadline) -> bool {
    sweep_documents(deps, Queues::Always, deadline).await
}

async fn sweep_documents(deps: &Deps, queues: Queues, deadline: Deadline) -> bool {
    let sweep = Sweep { deps, queues, answers: OnceCell::new() };
    let mut well = true;
    for (assistant, _) in deps.assistants.iter() {
        let swept = tokio::time::timeout_at(deadline.instant(), sweep.assistant(assistant)).await;
        well &=
            swept.unwrap_or_else(|_| Err(Problem::deadline())).unwrap_or_else(|problem| unswept(assistant, &problem));
    }
    well
}

struct Sweep<'a> {
    deps: &'a Deps,
    queues: Queues,
    /// Whether they answer: asked once, and only where there is something to queue.
    answers: OnceCell<bool>,
}

impl Sweep<'_> {
    /// Reads the heads of the assistant's documents, which say what of them is pending; never chunks that are done. A
    /// document at fault keeps no other from being swept.
    async fn assistant(&self, assistant: &str) -> Result<bool, Problem> {
        let mut well = true;
        for document in self.deps.store.documents(assistant).await? {
            let swept = self.document(&document).await;
            well &= swept.map_or_else(|problem| unswept(&document.id.to_string(), &problem), |()| true);
        }
        Ok(well)
    }

    async fn document(&self, document: &KeptDocument) -> Result<(), Problem> {
        let (store, spaces) = (&self.deps.store, self.deps.embedders.spaces());
        if document.deleting {
            store.finish_deleting(&document.id).await?;
        } else if self.queues != Queues::Never && !document.is_settled_in(&spaces) {
            // Of another embedder's vectors none may stay in the corpus.
            let Some(kept) = store.settle(&document.id, &spaces).await? else { return Ok(()) };
            if !kept.is_settled_in(&spaces) && self.may_queue().await {
                let unembedded = store.unembedded(&kept.id, spaces.iter()).await?;
                self.deps.queue.send(&EmbedWork::for_document(&kept, &unembedded)).await?;
            }
        }
        Ok(())
    }

    async fn may_queue(&self) -> bool {
        let probe = async || {
            let probes = self.deps.embedders.iter().map(|embedder| embedder.probe(Deadline::after(PROBE)));
            join_all(probes).await.iter().all(Result::is_ok)
        };
        self.queues == Queues::Always || *self.answers.get_or_init(probe).await
    }
}

fn unswept(what: &str, problem: &Problem) -> bool {
    let cause = problem.cause();
    tracing::warn!(%problem, cause, what, "what is left to do for documents could not be found or done");
    false
}
