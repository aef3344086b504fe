//! A turn after its request: read, followed or stopped by who lost its connection, and rated.
//!
//! The process that runs a turn knows all of it. Every other one knows what is kept once it is finished; a turn that is not is
//! running elsewhere, or was lost, as long as its id is young.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use contracts::api::{
    ChatReply, FeedbackRequest, PUBLIC_BODY_LIMIT, RateTurn, TURN_FEEDBACK, TURN_READ, TURN_STOP, TurnKey,
};
use contracts::problem::Problem;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use runtime::deadline::{Deadline, PublicDeadline};
use runtime::step::read_json;
use ulid::Ulid;

use crate::running::Turn;
use crate::{Deps, sessions, stream};

/// The longest that a turn can take, from its id to where it is kept.
const LONGEST: Duration = Duration::from_secs(150);
/// When to look again for a turn that is not finished, in seconds.
const LOOK_AGAIN: &str = "1";

/// `GET /v1/turns/{id}`.
pub(crate) async fn read(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    match find(&deps, id, &headers, deadline).await? {
        Found::Here(turn) => match turn.outcome() {
            Some(outcome) => stream::answered(&outcome),
            None => Ok(not_finished()),
        },
        Found::Kept(reply) => Ok(Json(reply).into_response()),
        Found::Elsewhere(_) => Ok(not_finished()),
    }
}

/// `GET /v1/turns/{id}/events`.
pub(crate) async fn events(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(match find(&deps, id, &headers, deadline).await? {
        Found::Here(turn) => {
            let seen = headers.get("last-event-id").and_then(|seen| seen.to_str().ok()?.parse().ok());
            stream::following(&turn, seen.unwrap_or_default())
        }
        Found::Kept(reply) => stream::finished(*reply),
        Found::Elsewhere(_) => not_finished(),
    })
}

/// `DELETE /v1/turns/{id}`.
pub(crate) async fn stop(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    match find(&deps, id, &headers, deadline).await? {
        Found::Here(turn) => turn.stop(),
        Found::Kept(_) => {}
        Found::Elsewhere(key) => {
            deps.pipeline.call(&TURN_STOP, &key, deadline).await?;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/turns/{id}/feedback`.
pub(crate) async fn rate(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    Path(turn_id): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let feedback = read_json::<FeedbackRequest>(request, PUBLIC_BODY_LIMIT).await?.check()?;
    sessions::turn_id_of(&turn_id)?;
    deps.pipeline.call(&TURN_FEEDBACK, &RateTurn { turn_id, feedback }, deadline).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where a turn is.
enum Found {
    /// This process runs it, or finished it just now.
    Here(Arc<Turn>),
    /// It is finished and kept.
    Kept(Box<ChatReply>),
    /// Another process may run it.
    Elsewhere(TurnKey),
}

/// Finds the turn of that id for who asks for it. Of a question without a session nothing is kept.
async fn find(deps: &Deps, turn_id: String, headers: &HeaderMap, deadline: Deadline) -> Result<Found, Problem> {
    let session_id = sessions::named(headers)?;
    let id = sessions::turn_id_of(&turn_id)?;
    if let Some(turn) = deps.running.find(id, session_id.as_ref()) {
        return Ok(Found::Here(turn));
    }
    let key = TurnKey { session_id, turn_id };
    if key.session_id.is_some()
        && let Some(reply) = deps.pipeline.call(&TURN_READ, &key, deadline).await?.reply
    {
        return Ok(Found::Kept(reply));
    }
    may_run(id).map(|()| Found::Elsewhere(key))
}

fn not_finished() -> Response {
    (StatusCode::ACCEPTED, [(header::RETRY_AFTER, LOOK_AGAIN)]).into_response()
}

/// Whether a turn that is not kept may be running somewhere.
///
/// # Errors
/// 404 where its id is too old for that, or not yet made.
fn may_run(id: Ulid) -> Result<(), Problem> {
    let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
    if u128::from(now.abs_diff(id.timestamp_ms())) < LONGEST.as_millis() {
        return Ok(());
    }
    let detail = "There is no such turn: it never was, was not kept, was deleted or forgotten, or is not of the session that \
                  the header Colloquy-Session names.";
    Err(Problem::not_found("unknown-turn", detail))
}
