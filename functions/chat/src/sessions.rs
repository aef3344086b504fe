//! What is kept of a session: shown and deleted for who knows its id, which travels in a header, for paths are logged.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use contracts::api::{
    ListTurns, SESSION_DELETE, SESSION_HEADER, SESSION_READ, SESSION_TURNS, SessionId, SessionKey, SessionView,
    TURNS_LIMIT, TurnList,
};
use contracts::problem::Problem;
use http::{HeaderMap, StatusCode};
use runtime::deadline::{Deadline, PublicDeadline};
use ulid::Ulid;

use crate::Deps;

/// `GET /v1/session`.
pub(crate) async fn read(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
) -> Result<Json<SessionView>, Problem> {
    show(&deps, of_header(&headers)?, deadline).await
}

/// `DELETE /v1/session`.
pub(crate) async fn delete(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    forget(&deps, of_header(&headers)?, deadline).await
}

/// `GET /v1/session/turns`.
pub(crate) async fn turns(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
    Query(asked): Query<HashMap<String, String>>,
) -> Result<Json<TurnList>, Problem> {
    list(&deps, of_header(&headers)?, &asked, deadline).await
}

/// `GET /v1/sessions/{id}`.
pub(crate) async fn read_by_path(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    Path(id): Path<String>,
) -> Result<Json<SessionView>, Problem> {
    show(&deps, of_text(&id)?, deadline).await
}

/// `DELETE /v1/sessions/{id}`.
pub(crate) async fn delete_by_path(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    forget(&deps, of_text(&id)?, deadline).await
}

/// `GET /v1/sessions/{id}/turns`.
pub(crate) async fn turns_by_path(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    Path(id): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Result<Json<TurnList>, Problem> {
    list(&deps, of_text(&id)?, &asked, deadline).await
}

async fn show(deps: &Deps, session_id: SessionId, deadline: Deadline) -> Result<Json<SessionView>, Problem> {
    deps.pipeline.call(&SESSION_READ, &SessionKey { session_id }, deadline).await.map(Json)
}

async fn forget(deps: &Deps, session_id: SessionId, deadline: Deadline) -> Result<StatusCode, Problem> {
    deps.pipeline.call(&SESSION_DELETE, &SessionKey { session_id }, deadline).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(
    deps: &Deps,
    session_id: SessionId,
    asked: &HashMap<String, String>,
    deadline: Deadline,
) -> Result<Json<TurnList>, Problem> {
    let limit =
        asked.get("limit").map_or(Some(20), |limit| limit.parse().ok().filter(|n| (1..=TURNS_LIMIT).contains(n)));
    let limit = limit.ok_or_else(|| Problem::field("limit", "it must be a whole number from 1 to 100"))?;
    let before = asked.get("before").cloned();
    if before.as_deref().is_some_and(|id| turn_id_of(id).is_err()) {
        return Err(Problem::field("before", "it must be the id of a turn, as `next` of the page before gave it"));
    }
    deps.pipeline.call(&SESSION_TURNS, &ListTurns { session_id, limit, before }, deadline).await.map(Json)
}

/// The session that the header names.
fn of_header(headers: &HeaderMap) -> Result<SessionId, Problem> {
    let missing = || Problem::field("Colloquy-Session", "it must be the `session_id` that an answer gave");
    named(headers)?.ok_or_else(missing)
}

/// The same where it may be missing.
pub(crate) fn named(headers: &HeaderMap) -> Result<Option<SessionId>, Problem> {
    headers.get(SESSION_HEADER).map(|value| of_text(value.to_str().unwrap_or_default())).transpose()
}

/// An id that cannot be one is as unknown as one that never was.
fn of_text(id: &str) -> Result<SessionId, Problem> {
    id.parse().map_err(|reason: String| Problem::not_found("unknown-session", reason))
}

/// The id of a turn, as its answer gave it.
pub(crate) fn turn_id_of(text: &str) -> Result<Ulid, Problem> {
    let unknown = || Problem::not_found("unknown-turn", "A turn's id is the ULID that its answer gave as `turn_id`.");
    text.parse().ok().filter(|id: &Ulid| id.to_string() == text).ok_or_else(unknown)
}
