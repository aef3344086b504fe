//! What a turn begins with: the session as it was opened, and the idempotency key that is its own.

use std::time::Duration;

use contracts::api::{ClaimKey, SESSION_RELEASE, SessionId};
use contracts::dialogue::Session;
use runtime::deadline::Deadline;

use crate::Deps;

/// How long a turn that failed has to release its key.
const RELEASING: Duration = Duration::from_millis(500);

/// A session as `begin` opened it for a turn.
pub(crate) struct Opened {
    pub session_id: SessionId,
    pub version: u64,
    pub session: Box<Session>,
    /// Where the request's idempotency key is kept.
    pub claim: Option<String>,
}

/// Gives back the key of a turn that failed. Where that fails, too, the key is free again at the end of its lease.
pub(crate) async fn release(deps: &Deps, key: &ClaimKey) {
    if let Err(problem) = deps.pipeline.call(&SESSION_RELEASE, key, Deadline::after(RELEASING)).await {
        let cause = problem.cause();
        tracing::warn!(turn = key.turn_id, %problem, cause, "an idempotency key was not released");
    }
}
