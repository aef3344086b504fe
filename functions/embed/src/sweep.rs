//! Finds work of which no message tells: after a kill, a full dead-letter queue, or with another embedder than before.

use std::sync::Arc;

use shared::deadline::Deadline;
use shared::knowledge_store::{EmbedWork, VectorSpace};
use shared::problem::Problem;

use crate::Deps;

/// Queues again what stayed pending and finishes deletions; but nothing while messages are in the queue, which most likely
/// tell of just that: through a long outage of the embedder each sweep would add them once more. Whether nothing failed.
pub async fn sweep(deps: Arc<Deps>, deadline: Deadline) -> bool {
    match deps.queue.is_empty().await {
        Ok(true) => sweep_now(&deps, deadline).await,
        Ok(false) => true,
        Err(problem) => {
            tracing::warn!(%problem, "the queue could not be asked what is in it");
            false
        }
    }
}

/// The same, whatever is in the queue.
pub async fn sweep_now(deps: &Deps, deadline: Deadline) -> bool {
    let mut well = true;
    for (assistant, _) in deps.assistants.iter() {
        let swept = tokio::time::timeout_at(deadline.instant(), sweep_assistant(deps, assistant)).await;
        if let Err(problem) = swept.unwrap_or_else(|_| Err(Problem::deadline())) {
            let cause = problem.cause();
            tracing::warn!(%problem, cause, assistant, "what is pending could not be queued again");
            well = false;
        }
    }
    well
}

/// Reads the heads of the assistant's documents, which say what of them is pending; never chunks that are done.
async fn sweep_assistant(deps: &Deps, assistant: &str) -> Result<(), Problem> {
    let space = deps.embedder.as_ref().map(VectorSpace::of);
    for document in deps.store.documents(assistant).await? {
        if document.deleting {
            deps.store.finish_deleting(&document.id).await?;
        } else if !document.is_settled_in(space.as_ref()) {
            // Of another embedder's vectors none may stay in the corpus.
            let kept = deps.store.settle(&document.id, space.as_ref()).await?;
            let (Some(kept), Some(space)) = (kept, &space) else { continue };
            if kept.counts.pending() > 0 {
                let pending = deps.store.unembedded(&kept.id, space).await?;
                deps.queue.send(&EmbedWork::for_chunks(&kept.id, &pending)).await?;
            }
        }
    }
    Ok(())
}
