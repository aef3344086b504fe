//! Says whether the service works, by trying what it depends on.
//!
//! Every dependency is tried at once, each with a limit of its own. What is wrong is named, never shown.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use shared::api::{HealthCheck, HealthReport, HealthStatus, UNDERSTAND, Utterance};
use shared::assistants::Kind;
use shared::config;
use shared::deadline::Deadline;
use shared::pipeline::Pipeline;
use shared::private::Private;
use shared::problem::{Problem, wrong_method};

/// How long one dependency may take.
const LIMIT: Duration = Duration::from_secs(2);

/// What is tried.
pub struct Deps {
    pipeline: Pipeline,
    tables: Client,
    sessions_table: String,
}

impl Deps {
    /// The steps behind `pipeline`, and the table of the talks.
    pub fn new(pipeline: Pipeline, tables: Client, sessions_table: String) -> Self {
        Self { pipeline, tables, sessions_table }
    }

    /// The steps at `STEPS_URL`, and the table that `SESSIONS_TABLE` names.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let sessions_table = config::required("SESSIONS_TABLE")?;
        Ok(Self::new(Pipeline::from_env()?, shared::store::client().await, sessions_table))
    }
}

/// The route.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route("/v1/health", get(health).fallback(async || wrong_method("GET, HEAD")))
        .with_state(Arc::new(deps))
}

async fn health(State(deps): State<Arc<Deps>>) -> Response {
    let (steps, tables) = tokio::join!(check("steps", steps(&deps)), check("tables", tables(&deps)));
    let checks = BTreeMap::from([("steps".to_owned(), steps), ("tables".to_owned(), tables)]);
    let down = checks.values().any(|check| check.status == HealthStatus::Down);
    let report = HealthReport {
        status: if down { HealthStatus::Down } else { HealthStatus::Ok },
        checks,
        timestamp: jiff::Timestamp::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let status = if down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let mut response = (status, Json(report)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn check(name: &str, attempt: impl Future<Output = Result<(), Problem>>) -> HealthCheck {
    let started = Instant::now();
    let outcome = tokio::time::timeout(LIMIT, attempt).await.unwrap_or_else(|_| Err(Problem::deadline()));
    let latency_ms = (started.elapsed().as_secs_f64() * 100_000.0).round() / 100.0;
    let Err(problem) = outcome else { return HealthCheck { status: HealthStatus::Ok, latency_ms, detail: None } };
    let cause = std::error::Error::source(&problem).map(ToString::to_string);
    tracing::warn!(check = name, problem = %problem, cause, "a dependency is down");
    HealthCheck { status: HealthStatus::Down, latency_ms, detail: Some(problem.body().title) }
}

/// One call through the steps API, to the step that needs nothing else.
async fn steps(deps: &Deps) -> Result<(), Problem> {
    let utterance =
        Utterance { assistant: "travel".to_owned(), words: Private("hello".to_owned()), kind: Kind::Knowledge };
    deps.pipeline.call(&UNDERSTAND, &utterance, Deadline::after(LIMIT)).await.map(drop)
}

/// A read of a talk that is not there.
async fn tables(deps: &Deps) -> Result<(), Problem> {
    let get = deps.tables.get_item().table_name(&deps.sessions_table);
    let get = get.key("id", AttributeValue::S("health".to_owned()));
    get.send().await.map(drop).map_err(|error| shared::store::failed("checking the tables", &error))
}
