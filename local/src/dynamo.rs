//! DynamoDB's wire format before the embedded tables: the operation's name in a header, JSON in and out.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use dynoxide::{Database, DynoxideError};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest request that DynamoDB takes, in bytes.
const REQUEST_LIMIT: usize = 16 * 1024 * 1024;
/// The header that names the operation, and what comes before its name.
const TARGET: &str = "x-amz-target";
const VERSION: &str = "DynamoDB_20120810.";

/// The server of these tables. An operation blocks its thread.
pub(crate) fn router(database: Database) -> Router {
    Router::new().fallback(answer).with_state(database)
}

async fn answer(State(database): State<Database>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_LIMIT).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let (status, json) = match run(&database, operation(&parts.headers), &body) {
        Ok(json) => (StatusCode::OK, json),
        Err(error) => (StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST), error.to_json()),
    };
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], Body::from(json)).into_response()
}

fn operation(headers: &HeaderMap) -> &str {
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    target.strip_prefix(VERSION).unwrap_or_default()
}

/// Every operation that the functions and the tests use.
fn run(tables: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "BatchGetItem" => with(body, |input| tables.batch_get_item(input)),
        "BatchWriteItem" => with(body, |input| tables.batch_write_item(input)),
        "CreateTable" => with(body, |input| tables.create_table(input)),
        "DeleteItem" => with(body, |input| tables.delete_item(input)),
        "DeleteTable" => with(body, |input| tables.delete_table(input)),
        "DescribeTable" => with(body, |input| tables.describe_table(input)),
        "DescribeTimeToLive" => with(body, |input| tables.describe_time_to_live(input)),
        "GetItem" => with(body, |input| tables.get_item(input)),
        "ListTables" => with(body, |input| tables.list_tables(input)),
        "PutItem" => with(body, |input| tables.put_item(input)),
        "Query" => with(body, |input| tables.query(input)),
        "Scan" => with(body, |input| tables.scan(input)),
        "SearchVectors" => with(body, |input| tables.search_vectors(input)),
        "TransactGetItems" => with(body, |input| tables.transact_get_items(input)),
        "TransactWriteItems" => with(body, |input| tables.transact_write_items(input)),
        "UpdateItem" => with(body, |input| tables.update_item(input)),
        "UpdateTable" => with(body, |input| tables.update_table(input)),
        "UpdateTimeToLive" => with(body, |input| tables.update_time_to_live(input)),
        _ => Err(DynoxideError::ValidationException(format!("the embedded tables have no operation {operation:?}"))),
    }
}

fn with<In: DeserializeOwned, Out: Serialize>(
    body: &[u8],
    run: impl FnOnce(In) -> Result<Out, DynoxideError>,
) -> Result<String, DynoxideError> {
    let input = serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    serde_json::to_string(&run(input)?).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
