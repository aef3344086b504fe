//! Finds work of which no message tells: after a kill, a full dead-letter queue, or with another embedder than before.

use std::sync::Arc;

use shared::deadline::Deadline;
use shared::knowledge_store::{EmbedWork, KeptDocument, VectorSpace};
use shared::problem::Problem;

use crate::Deps;

/// Finishes deletions and queues again what stayed pending; this only while there are no messages in the queue, which most
/// likely tell of just that: through a long outage of the embedder each sweep would add them once more. Whether nothing failed.
pub async fn sweep(deps: Arc<Deps>, deadline: Deadline) -> bool {
    match deps.queue.is_empty().await {
        Ok(is_empty) => sweep_documents(&deps, is_empty, deadline).await,
        Err(problem) => {
            tracing::warn!(%problem, "the queue could not be asked what is in it");
            sweep_documents(&deps, false, deadline).await;
            false
        }
    }
}

/// The same, whatever is in the queue.
pub async fn sweep_now(deps: &Deps, deadline: Deadline) -> bool {
    sweep_documents(deps, true, deadline).await
}

async fn sweep_documents(deps: &Deps, queues: bool, deadline: Deadline) -> bool {
    let mut well = true;
    for (assistant, _) in deps.assistants.iter() {
        let swept = tokio::time::timeout_at(deadline.instant(), sweep_assistant(deps, assistant, queues)).await;
        well &=
            swept.unwrap_or_else(|_| Err(Problem::deadline())).unwrap_or_else(|problem| unswept(assistant, &problem));
    }
    well
}

/// Reads the heads of the assistant's documents, which say what of them is pending; never chunks that are done. A document at
/// fault keeps no other from being swept.
async fn sweep_assistant(deps: &Deps, assistant: &str, queues: bool) -> Result<bool, Problem> {
    let mut well = true;
    for document in deps.store.documents(assistant).await? {
        let swept = sweep_document(deps, &document, queues).await;
        well &= swept.map_or_else(|problem| unswept(&document.id.to_string(), &problem), |()| true);
    }
    Ok(well)
}

async fn sweep_document(deps: &Deps, document: &KeptDocument, queues: bool) -> Result<(), Problem> {
    let space = deps.embedder.as_ref().map(VectorSpace::of);
    if document.deleting {
        deps.store.finish_deleting(&document.id).await?;
    } else if queues && !document.is_settled_in(space.as_ref()) {
        // Of another embedder's vectors none may stay in the corpus.
        let kept = deps.store.settle(&document.id, space.as_ref()).await?;
        let (Some(kept), Some(space)) = (kept, &space) else { return Ok(()) };
        if kept.counts.pending() > 0 {
            let unembedded = deps.store.unembedded(&kept.id, space).await?;
            deps.queue.send(&EmbedWork::for_chunks(&kept.id, &unembedded)).await?;
        }
    }
    Ok(())
}

fn unswept(what: &str, problem: &Problem) -> bool {
    let cause = problem.cause();
    tracing::warn!(%problem, cause, what, "what is left to do for documents could not be found or done");
    false
}
