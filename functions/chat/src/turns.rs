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
    let (id, key) = asked(&id, &headers)?;
    if let Some(turn) = deps.running.find(id, key.session_id.as_ref()) {
        return match turn.outcome() {
            Some(outcome) => stream::answered(&outcome),
            None => Ok(not_finished()),
        };
    }
    match finished(&deps, &key, deadline).await? {
        Some(reply) => Ok(Json(reply).into_response()),
        None => may_run(id).map(|()| not_finished()),
    }
}

/// `GET /v1/turns/{id}/events`.
pub(crate) async fn events(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (id, key) = asked(&id, &headers)?;
    if let Some(turn) = deps.running.find(id, key.session_id.as_ref()) {
        let seen = headers.get("last-event-id").and_then(|seen| seen.to_str().ok()?.parse().ok());
        return Ok(stream::following(&turn, seen.unwrap_or_default()));
    }
    match finished(&deps, &key, deadline).await? {
        Some(reply) => Ok(stream::finished(reply)),
        None => may_run(id).map(|()| not_finished()),
    }
}

/// `DELETE /v1/turns/{id}`.
pub(crate) async fn stop(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (id, key) = asked(&id, &headers)?;
    if let Some(turn) = deps.running.find(id, key.session_id.as_ref()) {
        turn.stop();
    } else if finished(&deps, &key, deadline).await?.is_none() {
        may_run(id)?;
        deps.pipeline.call(&TURN_STOP, &key, deadline).await?;
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

/// The turn that is asked for, and for whom.
fn asked(id: &str, headers: &HeaderMap) -> Result<(Ulid, TurnKey), Problem> {
    let session_id = sessions::named(headers)?;
    Ok((sessions::turn_id_of(id)?, TurnKey { session_id, turn_id: id.to_owned() }))
}

/// What is kept of a turn. Of a question without a session, nothing is.
async fn finished(deps: &Deps, key: &TurnKey, deadline: Deadline) -> Result<Option<ChatReply>, Problem> {
    if key.session_id.is_none() {
        return Ok(None);
    }
    let turn = deps.pipeline.call(&TURN_READ, key, deadline).await?;
    Ok(turn.reply.map(|reply| *reply))
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
