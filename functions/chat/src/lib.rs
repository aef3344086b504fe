//! The public face of the assistants, and the only one that calls steps.
//!
//! In: what a person says. Out: the answer of one turn, whatever part of it failed: a step that is away is named in
//! `degraded`, and the words say so. It keeps nothing itself: talks belong to `session`.

mod admin;
mod ask;
mod crisis;
mod progress;
mod stream;
mod turn;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws::queue::Queue;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use contracts::api::{
    AskReply, AskRequest, AssistantList, ChatReply, ChatRequest, FeedbackRequest, ListTurns, PUBLIC_BODY_LIMIT,
    RateTurn, SESSION_DELETE, SESSION_READ, SESSION_TURNS, SessionId, SessionKey, SessionView, TURN_FEEDBACK,
    TURNS_LIMIT, TurnList,
};
use contracts::problem::{Problem, wrong_method};
use contracts::turns::RecordWork;
use http::{HeaderMap, StatusCode};
use runtime::assistants::Assistants;
use runtime::config::{self, Secret};
use runtime::deadline::{Deadline, PublicDeadline};
use runtime::flags::FlagSource;
use runtime::pipeline::Pipeline;
use runtime::step::read_json;
use safety::Guard;

use crate::ask::{Ask, Asked};
use crate::turn::Started;

/// What the routes need.
pub struct Deps {
    pipeline: Pipeline,
    /// Where `record` learns of finished turns.
    turns: Queue,
    assistants: Assistants,
    flags: FlagSource,
    /// What an operator must show.
    operator_key: Option<Secret>,
    /// Whether a person looks at what is handed off, so that it may be said.
    hand_offs_are_read: bool,
}

/// For how much longer than a turn can take its idempotency key is its own: clocks differ.
const LEASE_MARGIN: Duration = Duration::from_secs(5);
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
            assistants,
            flags: FlagSource::default(),
            operator_key: None,
            hand_offs_are_read: false,
        }
    }

    /// The same, with switches that are read from `flags`.
    pub fn with_flags(self, flags: FlagSource) -> Self {
        Self { flags, ..self }
    }

    /// The same, with what an operator must show, and whether a person looks at what is handed off.
    pub fn with_operator(self, operator_key: Option<Secret>, hand_offs_are_read: bool) -> Self {
        Self { operator_key, hand_offs_are_read, ..self }
    }

    /// With the steps at `STEPS_URL`, `OPERATOR_API_KEY`, `HANDOFFS_ARE_READ`, the queue at `TURNS_QUEUE_URL`, and the flags.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let turns = Queue::from_env("TURNS_QUEUE_URL").await?;
        let deps = Self::new(Pipeline::from_env()?, turns, Assistants::from_env()?);
        let deps =
            deps.with_operator(Secret::from_env("OPERATOR_API_KEY"), config::parsed("HANDOFFS_ARE_READ", false)?);
        Ok(deps.with_flags(FlagSource::from_env()))
    }

    /// Hands a finished turn to `record`. Where the queue is away or slow, the turn is answered all the same: one of a talk
    /// is found by the sweep, for its row says that it waits; what a question without a talk came to is missing from the
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
        .route("/v1/sessions/{id}", get(session).delete(forget).fallback(async || wrong_method("GET, HEAD, DELETE")))
        .route("/v1/sessions/{id}/turns", get(turns).fallback(async || wrong_method("GET, HEAD")))
        .route("/v1/turns/{id}/feedback", post(feedback).fallback(async || wrong_method("POST")))
        .route("/v1/admin/handoffs", get(admin::handoffs).fallback(async || wrong_method("GET, HEAD")))
        .route("/v1/assistants", get(assistants).fallback(async || wrong_method("GET, HEAD")))
        .with_state(Arc::new(deps))
}

async fn chat(
    State(deps): State<Arc<Deps>>,
    deadline: PublicDeadline,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<ChatReply>, Problem> {
    match start(deps, deadline, Duration::ZERO, &headers, request).await? {
        Started::Turn(turn) => turn.answer().await.map(Json),
        Started::Whole(reply) => Ok(Json(*reply)),
    }
}

/// What is wrong with the request is answered as a problem; from then on, all there is comes as events.
async fn chat_stream(
    State(deps): State<Arc<Deps>>,
    deadline: PublicDeadline,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    start(deps, deadline, stream::LONGEST, &headers, request).await.map(stream::chat)
}

/// Begins the turn of a message; its words may take for `longer` than the deadline.
async fn start(
    deps: Arc<Deps>,
    asked: PublicDeadline,
    longer: Duration,
    headers: &HeaderMap,
    request: Request,
) -> Result<Started, Problem> {
    let lease = asked.deadline.remaining() + longer + LEASE_MARGIN;
    let key = idempotency_key(headers)?.map(|key| (key, lease));
    let request: ChatRequest = read_json(request, PUBLIC_BODY_LIMIT).await?;
    turn::start(deps, request, key, headers, asked).await
}

async fn ask(
    State(deps): State<Arc<Deps>>,
    deadline: PublicDeadline,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<AskReply>, Problem> {
    Ok(Json(match question(deps, deadline, &headers, request).await? {
        Asked::Question(ask) => ask.answer().await,
        Asked::Whole(reply) => *reply,
    }))
}

async fn ask_stream(
    State(deps): State<Arc<Deps>>,
    deadline: PublicDeadline,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    question(deps, deadline, &headers, request).await.map(stream::ask)
}

async fn question(
    deps: Arc<Deps>,
    deadline: PublicDeadline,
    headers: &HeaderMap,
    request: Request,
) -> Result<Asked, Problem> {
    let request: AskRequest = read_json(request, PUBLIC_BODY_LIMIT).await?;
    deps.assistants.get(&request.assistant)?;
    if let Some(danger) = crisis::look(&request.question, request.client_time.as_ref(), headers) {
        return Ok(Asked::Whole(Box::new(crisis::answer_question(&deps, request, danger, deadline).await)));
    }
    request.check()?;
    Ok(Asked::Question(Box::new(Ask::new(deps, request, deadline))))
}

async fn session(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    Path(id): Path<String>,
) -> Result<Json<SessionView>, Problem> {
    deps.pipeline.call(&SESSION_READ, &session_key(&id)?, deadline).await.map(Json)
}

async fn forget(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    deps.pipeline.call(&SESSION_DELETE, &session_key(&id)?, deadline).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn turns(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    Path(id): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Result<Json<TurnList>, Problem> {
    let SessionKey { session_id } = session_key(&id)?;
    let limit =
        asked.get("limit").map_or(Some(20), |limit| limit.parse().ok().filter(|n| (1..=TURNS_LIMIT).contains(n)));
    let limit = limit.ok_or_else(|| Problem::field("limit", "it must be a whole number from 1 to 100"))?;
    let before = asked.get("before").cloned();
    if !before.as_deref().is_none_or(is_turn_id) {
        return Err(Problem::field("before", "it must be the id of a turn, as `next` of the page before gave it"));
    }
    deps.pipeline.call(&SESSION_TURNS, &ListTurns { session_id, limit, before }, deadline).await.map(Json)
}

async fn feedback(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    Path(turn_id): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let feedback = read_json::<FeedbackRequest>(request, PUBLIC_BODY_LIMIT).await?.check()?;
    if !is_turn_id(&turn_id) {
        return Err(Problem::not_found("unknown-turn", "A turn's id is the ULID that its answer gave as `turn_id`."));
    }
    deps.pipeline.call(&TURN_FEEDBACK, &RateTurn { turn_id, feedback }, deadline).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn is_turn_id(text: &str) -> bool {
    text.parse().is_ok_and(|id: ulid::Ulid| id.to_string() == text)
}

async fn assistants(State(deps): State<Arc<Deps>>) -> Json<AssistantList> {
    Json(AssistantList { assistants: deps.assistants.views() })
}

/// An id that cannot be one is as unknown as one that never was.
fn session_key(id: &str) -> Result<SessionKey, Problem> {
    let session_id: SessionId = id.parse().map_err(|reason| Problem::not_found("unknown-session", reason))?;
    Ok(SessionKey { session_id })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let allowed = |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = value.to_str().ok().filter(allowed);
    let detail = "it must have 1 to 255 visible ASCII characters, no spaces";
    key.map(|key| Some(key.to_owned())).ok_or_else(|| Problem::field("Idempotency-Key", detail))
}
