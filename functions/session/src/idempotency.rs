//! The same request, sent again, is answered with the same turn.
//!
//! A key belongs to its owner: the talk, or, for the first message of a guest, the key itself, which must then be long
//! enough that nobody guesses it.

use std::time::Duration;

use contracts::api::{Idempotency, SessionId};
use contracts::problem::Problem;
use http::StatusCode;
use sha2::{Digest, Sha256};

use crate::store::{Existing, Store};

/// The shortest key of a guest's first message: 22 characters of base64 hold 128 bits.
const GUEST_KEY_MIN: usize = 22;

pub(crate) enum Claim {
    /// This turn is the one that answers; the claim is kept under this key.
    Mine(String),
    /// An earlier turn did.
    Answered { session_id: SessionId, turn_id: String },
}

/// Claims the request's key for the turn.
///
/// # Errors
/// 422 for a key that another body has, or a guest's key that is too short; 409 while the first one is still running.
pub(crate) async fn claim(
    store: &Store,
    request: &Idempotency,
    owner: Option<&SessionId>,
    session_id: &SessionId,
    turn_id: &str,
) -> Result<Claim, Problem> {
    if owner.is_none() && request.key.chars().count() < GUEST_KEY_MIN {
        let detail = "without a session_id it must have at least 22 characters, drawn at random (a UUID will do)";
        return Err(Problem::field("Idempotency-Key", detail));
    }
    let key = hashed(owner, &request.key);
    match store.claim(&key, request, session_id, turn_id).await? {
        None => Ok(Claim::Mine(key)),
        Some(existing) if existing.body_hash != request.body_hash => {
            Err(Problem::field("Idempotency-Key", "it was used before with another body"))
        }
        Some(Existing { session_id, turn_id, running_for: None, .. }) => Ok(Claim::Answered { session_id, turn_id }),
        // The call before this one came to the table, and its answer did not come back.
        Some(existing) if existing.turn_id == turn_id => Ok(Claim::Mine(key)),
        Some(Existing { running_for: Some(left), .. }) => Err(still_running(left)),
    }
}

pub(crate) fn still_running(left: Duration) -> Problem {
    let detail = "The first request with this Idempotency-Key is still being answered.";
    Problem::new(StatusCode::CONFLICT, "still-running", "Still being answered", detail).retry_after(left)
}

fn hashed(owner: Option<&SessionId>, key: &str) -> String {
    let mut hash = Sha256::new();
    match owner {
        Some(session_id) => hash.update(format!("talk {session_id}\n")),
        None => hash.update("guest\n"),
    }
    hash.update(key);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
