//! What an operator sees: the conversations that wait for a person.

use std::collections::HashMap;
use std::sync::Arc;

use aws::handoffs::DAYS;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use contracts::api::{HANDOFFS, HandoffList, ListHandoffs};
use contracts::problem::Problem;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use runtime::deadline::PublicDeadline;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Deps;

/// How many days are listed where nothing else is asked.
const USUAL_DAYS: u8 = 7;

/// `GET /v1/admin/handoffs`.
pub(crate) async fn handoffs(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    headers: HeaderMap,
    Query(asked): Query<HashMap<String, String>>,
) -> Result<Json<HandoffList>, Response> {
    check(&deps, &headers).await?;
    let days =
        asked.get("days").map_or(Some(USUAL_DAYS), |days| days.parse().ok().filter(|days| (1..=DAYS).contains(days)));
    let days = days.ok_or_else(|| Problem::field("days", "it must be a whole number from 1 to 30").into_response())?;
    let list = deps.pipeline.call(&HANDOFFS, &ListHandoffs { days }, deadline).await;
    list.map(Json).map_err(IntoResponse::into_response)
}

/// Lets those through who have the operator's key.
async fn check(deps: &Deps, headers: &HeaderMap) -> Result<(), Response> {
    let Some(key) = &deps.operator_key else {
        let detail = "Nothing can be seen here: no OPERATOR_API_KEY is configured.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail).into_response());
    };
    let wanted = key.reveal().await;
    let wanted = wanted
        .map_err(|error| Problem::unavailable("The API key cannot be checked right now.", error).into_response())?;
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown =
        shown.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    // Of their hashes, so that the time tells neither the key nor its length.
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    if shown.is_some_and(|(_, token)| bool::from(hash(token.trim()).ct_eq(&hash(&wanted.0)))) {
        return Ok(());
    }
    let detail = "Send the operator's API key as a bearer token: Authorization: Bearer …";
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized", detail).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Err(response)
}
