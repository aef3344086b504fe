//! The public face of the assistants, and the only one that calls steps.
//!
//! In: what a person says. Out: the answer of one turn, whatever part of it failed: a step that is away is named in
//! `degraded`, and the words say so. It keeps nothing itself: talks belong to `session`.

mod admin;
mod ask;
mod booking;
mod calendar;
mod crisis;
mod opened;
mod progress;
mod running;
mod sessions;
mod stream;
mod suggest;
mod turn;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use aws::queue::Queue;
use aws::totals::Totals;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use contracts::api::{AskRequest, AssistantList, ChatRequest, PUBLIC_BODY_LIMIT};
use contracts::problem::{Problem, wrong_method};
use contracts::turns::RecordWork;
use contracts::usd::Usd;
use http::HeaderMap;
use runtime::assistants::Assistants;
use runtime::config::{self, Secret};
use runtime::deadline::{Deadline, PublicDeadline};
use runtime::flags::FlagSource;
use runtime::pipeline::Pipeline;
use runtime::step::read_json;
use safety::Guard;

use crate::progress::Delivery;
pub use crate::running::RunningTurns;
use crate::running::Turn;

/// What the routes need.
pub struct Deps {
    pipeline: Pipeline,
    /// Where `record` learns of finished turns.
    turns: Queue,
    running: Arc<RunningTurns>,
    assistants: Assistants,
    flags: FlagSource,
    /// What an operator must show.
    operator_key: Option<Secret>,
    /// Whether a person looks at what is handed off, so that it may be said.
    hand_offs_are_read: bool,
}

/// The longest that a finished turn waits for the queue.
const TELLING: Duration = Duration::from_millis(500);

impl Deps {
    /// With the steps behind `pipeline`, and the queue of finished turns.
    pub fn new(pipeline: Pipeline, turns: Queue, assistants: Assistants) -> Self {
        // What the first message needs, before there is one.
        Guard::embedded();
        Self {
            pipeline,
            turns,
            running: RunningTurns::new(),
            assistants,
            flags: FlagSource::default(),
            operator_key: None,
            hand_offs_are_read: false,
        }
    }

    /// The turns that run here, for who wants to wait for them.
    pub fn running(&self) -> Arc<RunningTurns> {
        self.running.clone()
    }

    /// The same, taking on so many turns, of which `at_once` are answered and the others wait for their place.
    pub fn with_room_for(self, turns: usize, at_once: usize) -> Self {
        Self { running: RunningTurns::with_room_for(turns, at_once), ..self }
    }

    /// The same, with switches that are read from `flags` and handed on to the steps.
    pub fn with_flags(self, flags: FlagSource) -> Self {
        Self { pipeline: self.pipeline.with_flags(flags.clone()), flags, ..self }
    }

    /// The same, with what an operator must show, and whether a person looks at what is handed off.
    pub fn with_operator(self, operator_key: Option<Secret>, hand_offs_are_read: bool) -> Self {
        Self { operator_key, hand_offs_are_read, ..self }
    }

    /// With the steps at `STEPS_URL`, `OPERATOR_API_KEY`, `HANDOFFS_ARE_READ`, the queue at `TURNS_QUEUE_URL`, the flags, and what
    /// models may cost in a day (`MAX_DAILY_COST_USD`) by `TOTALS_TABLE`.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let turns = Queue::from_env("TURNS_QUEUE_URL").await?;
        let deps = Self::new(Pipeline::from_env()?, turns, Assistants::from_env()?);
        let deps =
            deps.with_operator(Secret::from_env("OPERATOR_API_KEY"), config::parsed("HANDOFFS_ARE_READ", false)?);
        let most = config::parsed("MAX_DAILY_COST_USD", Usd(0))?;
        if most == Usd(0) {
            return Ok(deps.with_flags(FlagSource::from_env()));
        }
        let totals = Totals::from_env().await?;
        Ok(deps.with_flags(FlagSource::from_env().capped_by(totals.cap(most))))
    }

    /// Hands a finished turn to `record`. Where the queue is away or slow, the turn is answered all the same: one of a session
    /// is found by the sweep, for its row says that it waits; what a question without a session came to is missing from the
    /// totals then.
    async fn tell(&self, work: RecordWork, deadline: Deadline) {
        let limit = deadline.within(TELLING);
        let told = tokio::time::timeout_at(limit.instant(), Box::pin(self.turns.send(std::slice::from_ref(&work))));
        let told = told.await.unwrap_or_else(|_| Err(Problem::deadline()));
        if let Err(problem) = told {
            let cause = problem.cause();
            tracing::warn!(turn = work.turn_id, %problem, cause, "the queue of turns was not told");
        }
    }
}

/// The routes.
pub fn router(deps: Deps) -> Router {
    Router::new()
        .route("/v1/chat", post(chat).fallback(async || wrong_method("POST")))
        .route("/v1/chat/stream", post(chat_stream).fallback(async || wrong_method("POST")))
        .route("/v1/ask", post(ask).fallback(async || wrong_method("POST")))
        .route("/v1/ask/stream", post(ask_stream).fallback(async || wrong_method("POST")))
        .route(
            "/v1/session",
            get(sessions::read).delete(sessions::delete).fallback(async || wrong_method(READ_OR_DELETE)),
        )
        .route("/v1/session/turns", get(sessions::turns).fallback(async || wrong_method("GET, HEAD")))
        // As releases before had them, with the id in the path, where logs keep it.
        .route(
            "/v1/sessions/{id}",
            get(sessions::read_by_path)
                .delete(sessions::delete_by_path)
                .fallback(async || wrong_method(READ_OR_DELETE)),
        )
        .route("/v1/sessions/{id}/turns", get(sessions::turns_by_path).fallback(async || wrong_method("GET, HEAD")))
        .route("/v1/turns/{id}", get(turns::read).delete(turns::stop).fallback(async || wrong_method(READ_OR_DELETE)))
        .route("/v1/turns/{id}/events", get(turns::events).fallback(async || wrong_method("GET, HEAD")))
        .route("/v1/turns/{id}/feedback", post(turns::rate).fallback(async || wrong_method("POST")))
        .route("/v1/admin/handoffs", get(admin::handoffs).fallback(async || wrong_method("GET, HEAD")))
        .route("/v1/assistants", get(assistants).fallback(async || wrong_method("GET, HEAD")))
        .with_state(Arc::new(deps))
}

const READ_OR_DELETE: &str = "GET, HEAD, DELETE";

async fn chat(
    State(deps): State<Arc<Deps>>,
    deadline: PublicDeadline,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    stream::whole(message(deps, deadline, Delivery::Whole, &headers, request).await?).await
}

/// What is wrong with the request is answered as a problem; from then on, all there is comes as events.
async fn chat_stream(
    State(deps): State<Arc<Deps>>,
    deadline: PublicDeadline,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    stream::events(message(deps, deadline, Delivery::Streamed, &headers, request).await?).await
}

async fn message(
    deps: Arc<Deps>,
    asked: PublicDeadline,
    delivery: Delivery,
    headers: &HeaderMap,
    request: Request,
) -> Result<Arc<Turn>, Problem> {
    let key = idempotency_key(headers)?;
    let request: ChatRequest = read_json(request, PUBLIC_BODY_LIMIT).await?;
    turn::start(deps, request, key, headers, asked, delivery)
}

async fn ask(
    State(deps): State<Arc<Deps>>,
    deadline: PublicDeadline,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    stream::whole(question(deps, deadline, Delivery::Whole, &headers, request).await?).await
}

async fn ask_stream(
    State(deps): State<Arc<Deps>>,
    deadline: PublicDeadline,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    stream::events(question(deps, deadline, Delivery::Streamed, &headers, request).await?).await
}

async fn question(
    deps: Arc<Deps>,
    asked: PublicDeadline,
    delivery: Delivery,
    headers: &HeaderMap,
    request: Request,
) -> Result<Arc<Turn>, Problem> {
    let request: AskRequest = read_json(request, PUBLIC_BODY_LIMIT).await?;
    ask::start(deps, request, headers, asked, delivery)
}

async fn assistants(State(deps): State<Arc<Deps>>) -> Json<AssistantList> {
    Json(AssistantList { assistants: deps.assistants.views() })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let allowed = |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = value.to_str().ok().filter(allowed);
    let detail = "it must have 1 to 255 visible ASCII characters, no spaces";
    key.map(|key| Some(key.to_owned())).ok_or_else(|| Problem::field("Idempotency-Key", detail))
}
