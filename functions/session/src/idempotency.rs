//! The same request, sent again, is answered with the same turn.
//!
//! A key belongs to its owner: the session, or, for the first message of a guest, the key itself, which must then be long
//! enough that nobody guesses it.

use std::time::Duration;

use contracts::api::{ClaimKey, Idempotency, SessionId, TurnKey};
use contracts::problem::Problem;
use http::StatusCode;
use sha2::{Digest, Sha256};

use crate::store::{Existing, Store};

/// The shortest key of a guest's first message: 22 characters of base64 hold 128 bits.
const GUEST_KEY_MIN: usize = 22;

pub(crate) enum Claim {
    /// This turn is the one that answers; the claim is kept under this key.
    Mine(String),
    /// An earlier turn did; its claim is kept under this key.
    Answered { key: String, session_id: SessionId, turn_id: String },
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
        Some(Existing { session_id, turn_id, running_for: None, .. }) => {
            Ok(Claim::Answered { key, session_id, turn_id })
        }
        // The call before this one came to the table, and its answer did not come back.
        Some(existing) if existing.turn_id == turn_id => Ok(Claim::Mine(key)),
        Some(Existing { running_for: Some(left), .. }) => Err(still_running(left)),
    }
}

/// Gives the key of a turn that failed back, so that the request can be sent again at once. The key of another turn, and of
/// one that is kept after all, stays.
pub(crate) async fn release(store: &Store, asked: &ClaimKey) -> Result<(), Problem> {
    store.release(&hashed(asked.session_id.as_ref(), &asked.idempotency.key), &asked.turn_id).await
}

/// Where it is kept that a turn is to be stopped: only who knows the turn's session, too, comes to the same place.
pub(crate) fn stop_key(turn: &TurnKey) -> String {
    let owner = turn.session_id.as_ref().map(ToString::to_string).unwrap_or_default();
    hex(Sha256::new().chain_update(format!("stop {owner}\n{}", turn.turn_id)))
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
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
