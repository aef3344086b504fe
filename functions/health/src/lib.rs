//! Says whether the service works, by trying what it depends on.
//!
//! Every dependency is tried at once, each with a limit of its own; those of a step are tried by that step, which alone has the
//! keys. What an answer cannot do without is `down` where it fails, and the whole with it; the rest is `degraded`. What is
//! wrong is named, never shown. However often a process is asked, what is outside is tried once in [`FRESH`]; in AWS, where
//! requests have processes of their own, the API's throttle bounds it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::queue::Queue;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use contracts::api::Kind;
use contracts::api::{
    FLIGHTS_HEALTH, HealthCheck, HealthChecks, HealthReport, HealthRequest, HealthStatus, RESPOND_HEALTH,
    RETRIEVE_HEALTH, SESSION_READ, SessionId, SessionKey, UNDERSTAND, Utterance,
};
use contracts::private::Private;
use contracts::problem::{Problem, wrong_method};
use contracts::step::Step;
use futures::future::{BoxFuture, FutureExt, join_all};
use http::{HeaderValue, StatusCode, header};
use runtime::config;
use runtime::deadline::Deadline;
use runtime::health::{check, worst};
use runtime::pipeline::Pipeline;
use tokio::sync::Mutex;

/// How long one dependency may take.
const LIMIT: Duration = Duration::from_secs(2);
/// How much earlier a step must tell: so that an upstream that hangs is named by it, and not taken for the step itself.
const TELLING: Duration = Duration::from_millis(800);
/// How long a report is given to all who ask.
const FRESH: Duration = Duration::from_secs(2);

/// What is tried.
pub struct Deps {
    pipeline: Pipeline,
    client: Client,
    tables: Vec<Table>,
    queues: Vec<(&'static str, Queue)>,
    // Held while a report is made, by purpose: whoever else asks waits for the same one.
    last: Mutex<Option<(Instant, HealthReport)>>,
}

/// A table that is tried by reading an item that is not there.
pub struct Table {
    purpose: &'static str,
    name: String,
    /// The attributes of its key, which are texts.
    key: &'static [&'static str],
    /// What it means where it is away.
    otherwise: HealthStatus,
}

impl Table {
    /// The five tables, by their names for sessions, turns, idempotency, totals and knowledge. Without the first three no
    /// turn is answered.
    pub fn all([sessions, turns, idempotency, totals, knowledge]: [String; 5]) -> Vec<Self> {
        let table = |purpose, name, key, otherwise| Self { purpose, name, key, otherwise };
        vec![
            table("sessions", sessions, &["id"], HealthStatus::Down),
            table("turns", turns, &["session_id", "turn_id"], HealthStatus::Down),
            table("idempotency", idempotency, &["key"], HealthStatus::Down),
            table("totals", totals, &["day", "name"], HealthStatus::Degraded),
            table("knowledge", knowledge, &["assistant", "id"], HealthStatus::Degraded),
        ]
    }
}

impl Deps {
    /// The steps behind `pipeline`, the tables, and the queues of `chunks` and `turns`.
    pub fn new(pipeline: Pipeline, client: Client, tables: Vec<Table>, chunks: Queue, turns: Queue) -> Self {
        let queues = vec![("chunks", chunks), ("turns", turns)];
        Self { pipeline, client, tables, queues, last: Mutex::default() }
    }

    /// The steps at `STEPS_URL`, and what `SESSIONS_TABLE`, `TURNS_TABLE`, `IDEMPOTENCY_TABLE`, `TOTALS_TABLE`,
    /// `KNOWLEDGE_TABLE`, `CHUNKS_QUEUE_URL` and `TURNS_QUEUE_URL` name.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let tables = Table::all([
            config::required("SESSIONS_TABLE")?,
            config::required("TURNS_TABLE")?,
            config::required("IDEMPOTENCY_TABLE")?,
            config::required("TOTALS_TABLE")?,
            config::required("KNOWLEDGE_TABLE")?,
        ]);
        let (chunks, turns) = (Queue::from_env("CHUNKS_QUEUE_URL").await?, Queue::from_env("TURNS_QUEUE_URL").await?);
        Ok(Self::new(Pipeline::from_env()?, aws::store::client().await, tables, chunks, turns))
    }
}

/// The route.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route("/v1/health", get(health).fallback(async || wrong_method("GET, HEAD")))
        .with_state(Arc::new(deps))
}

async fn health(State(deps): State<Arc<Deps>>) -> Response {
    let report = report(&deps).await;
    let down = report.status == HealthStatus::Down;
    let status = if down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let mut response = (status, Json(report)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn report(deps: &Deps) -> HealthReport {
    let mut last = deps.last.lock().await;
    if let Some((made, report)) = &*last
        && made.elapsed() < FRESH
    {
        return report.clone();
    }
    let checks: HealthChecks = join_all(attempts(deps)).await.into_iter().flatten().collect();
    let report = HealthReport {
        status: worst(&checks),
        checks,
        timestamp: jiff::Timestamp::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    *last = Some((Instant::now(), report.clone()));
    report
}

type Checks<'a> = BoxFuture<'a, Vec<(String, HealthCheck)>>;

/// Everything that is tried, all with the same limit from now.
fn attempts(deps: &Deps) -> Vec<Checks<'_>> {
    let limit = Deadline::after(LIMIT);
    let tables = deps.tables.iter().map(|table| {
        let name = format!("table:{}", table.purpose);
        alone(name, table.otherwise, limit, read(&deps.client, table))
    });
    let queues = deps.queues.iter().map(|(name, queue)| {
        let counted = async { queue.is_empty().await.map(drop) };
        alone(format!("queue:{name}"), HealthStatus::Degraded, limit, counted)
    });
    let steps = [
        alone("step:understand".to_owned(), HealthStatus::Down, limit, understand(deps, limit)),
        alone("step:session".to_owned(), HealthStatus::Down, limit, session(deps, limit)),
        step("respond", HealthStatus::Down, deps, &RESPOND_HEALTH, limit).boxed(),
        step("flights", HealthStatus::Degraded, deps, &FLIGHTS_HEALTH, limit).boxed(),
        step("retrieve", HealthStatus::Degraded, deps, &RETRIEVE_HEALTH, limit).boxed(),
    ];
    tables.chain(queues).chain(steps).collect()
}

fn alone<'a>(
    name: String,
    otherwise: HealthStatus,
    limit: Deadline,
    attempt: impl Future<Output = Result<(), Problem>> + Send + 'a,
) -> Checks<'a> {
    async move { vec![check(&name, otherwise, limit, attempt).await] }.boxed()
}

/// Has a step try what it needs.
async fn step(
    name: &str,
    otherwise: HealthStatus,
    deps: &Deps,
    step: &'static Step<HealthRequest, HealthChecks>,
    limit: Deadline,
) -> Vec<(String, HealthCheck)> {
    let mut told = HealthChecks::new();
    let call = async {
        told = deps.pipeline.call_until(step, &HealthRequest {}, limit.less(TELLING), limit).await?;
        Ok::<_, Problem>(())
    };
    let of_step = check(&format!("step:{name}"), otherwise, limit, call).await;
    told.into_iter().chain([of_step]).collect()
}

async fn understand(deps: &Deps, limit: Deadline) -> Result<(), Problem> {
    let words = Private("hello".to_owned());
    let utterance = Utterance { assistant: "travel".to_owned(), words, kind: Kind::default() };
    deps.pipeline.call(&UNDERSTAND, &utterance, limit).await.map(drop)
}

/// Reads a session that nobody has: that there is none is the answer of a step that works.
async fn session(deps: &Deps, limit: Deadline) -> Result<(), Problem> {
    match deps.pipeline.call(&SESSION_READ, &SessionKey { session_id: SessionId::random() }, limit).await {
        Err(problem) if problem.status() != StatusCode::NOT_FOUND => Err(problem),
        _ => Ok(()),
    }
}

async fn read(client: &Client, table: &Table) -> Result<(), Problem> {
    let value = || AttributeValue::S("health".to_owned());
    let key: HashMap<_, _> = table.key.iter().map(|name| ((*name).to_owned(), value())).collect();
    let get = client.get_item().table_name(&table.name).set_key(Some(key));
    get.send().await.map(drop).map_err(|error| aws::store::failed("checking a table", &error))
}
