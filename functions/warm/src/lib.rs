//! Keeps the way of a message ready, by a schedule.
//!
//! In: nothing but the time. Out: for each part what became of it. Every part is called in the way a turn calls it, one after
//! the other, since a new account may run ten functions at once and people are to have nine of them: so an environment of it is up, its connections are open, the providers' tokens outlive the next
//! calls of this function, and the texts are in memory. It says nothing to a model, searches no flight and keeps nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use contracts::api::Kind;
use contracts::api::{
    ClientTime, Degraded, FLIGHTS_WARM, RESPOND, RETRIEVE_WARM, ReplyRequest, SESSION_READ, SessionId, SessionKey,
    UNDERSTAND, Utterance, WarmRequest, Warmed,
};
use contracts::dialogue::{Action, Session};
use contracts::private::Private;
use contracts::problem::Problem;
use futures::TryStreamExt;
use http::StatusCode;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use runtime::upstream::traced;
use serde::Serialize;

/// How long one part may take: that of an environment that starts and loads all its texts.
const LIMIT: Duration = Duration::from_secs(20);
/// For how long what is readied must hold: two rounds of the schedule, so that one that fails costs nobody a wait.
const HOLD: Duration = Duration::from_secs(600);
/// Whom the parts are called for that need an assistant.
const ASSISTANT: &str = "travel";

/// What it needs.
pub struct Deps {
    pipeline: Pipeline,
    client: reqwest::Client,
    public_url: String,
}

/// What became of the parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Each part, by name.
    pub parts: BTreeMap<&'static str, Part>,
    /// How many did not answer, or not in full.
    pub failed: usize,
}

/// What became of one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What it has ready: providers, assistants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ready: Vec<String>,
    /// What it could not make ready, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<Degraded>,
}

impl Summary {
    /// Whether every part is ready in full.
    pub fn is_whole(&self) -> bool {
        self.failed == 0
    }
}

impl Deps {
    /// The steps behind `pipeline`, and `chat` below `public_url`.
    ///
    /// # Errors
    /// A client that cannot be built.
    pub fn new(pipeline: Pipeline, public_url: impl Into<String>) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().build().context("building the client for the public API")?;
        Ok(Self { pipeline, client, public_url: public_url.into().trim_end_matches('/').to_owned() })
    }

    /// The steps at `STEPS_URL`, and `chat` below `PUBLIC_URL`.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub fn from_env() -> anyhow::Result<Self> {
        Self::new(Pipeline::from_env()?, config::required("PUBLIC_URL")?)
    }
}

/// Calls every part once, one after the other. What fails is in the summary and in the log, and is called again by the next
/// round, not by this one.
pub async fn warm(deps: Arc<Deps>, deadline: Deadline) -> Summary {
    // What is left is shared by the parts to come, so that one that hangs takes none of the others along.
    let limit = |to_come: u32| deadline.within(LIMIT.min(deadline.remaining() / to_come));
    let chat = timed("chat", chat(&deps), limit(6)).await;
    let understand = timed("understand", understand(&deps, limit(5)), limit(5)).await;
    let session = timed("session", session(&deps, limit(4)), limit(4)).await;
    let flights = timed("flights", flights(&deps, limit(3)), limit(3)).await;
    let retrieve = timed("retrieve", retrieve(&deps, limit(2)), limit(2)).await;
    let respond = timed("respond", respond(&deps, limit(1)), limit(1)).await;
    let parts = BTreeMap::from([chat, understand, session, flights, retrieve, respond]);
    let failed = parts.values().filter(|part| !part.degraded.is_empty()).count();
    let said = serde_json::to_string(&parts).unwrap_or_default();
    tracing::info!(failed, parts = said, "warmed");
    Summary { parts, failed }
}

async fn timed(
    name: &'static str,
    call: impl Future<Output = Result<Warmed, Problem>>,
    limit: Deadline,
) -> (&'static str, Part) {
    let started = Instant::now();
    let outcome = tokio::time::timeout_at(limit.instant(), call).await.unwrap_or_else(|_| Err(Problem::deadline()));
    let duration_ms = started.elapsed().as_millis() as u64;
    let warmed = outcome.unwrap_or_else(|problem| {
        let cause = problem.cause();
        tracing::warn!(part = name, %problem, cause, "a part is not ready");
        Warmed { ready: Vec::new(), degraded: vec![Degraded::because(name, &problem)] }
    });
    (name, Part { duration_ms, ready: warmed.ready, degraded: warmed.degraded })
}

/// `chat` is reached as everybody reaches it.
async fn chat(deps: &Deps) -> Result<Warmed, Problem> {
    let unreachable = |error| Problem::unavailable("The public API cannot be reached.", anyhow::Error::new(error));
    let request = traced(deps.client.get(format!("{}/v1/assistants", deps.public_url)));
    let answer = request.send().await.map_err(unreachable)?;
    answer.error_for_status().map(|_| Warmed::default()).map_err(unreachable)
}

async fn understand(deps: &Deps, limit: Deadline) -> Result<Warmed, Problem> {
    let utterance =
        Utterance { assistant: ASSISTANT.to_owned(), words: Private("hello".to_owned()), kind: Kind::Knowledge };
    deps.pipeline.call(&UNDERSTAND, &utterance, limit).await.map(|_| Warmed::default())
}

/// Reads a session that nobody has: that there is none is the answer of a step that works.
async fn session(deps: &Deps, limit: Deadline) -> Result<Warmed, Problem> {
    let key = SessionKey { session_id: SessionId::random() };
    match deps.pipeline.call(&SESSION_READ, &key, limit).await {
        Err(problem) if problem.status() != StatusCode::NOT_FOUND => Err(problem),
        _ => Ok(Warmed::default()),
    }
}

async fn flights(deps: &Deps, limit: Deadline) -> Result<Warmed, Problem> {
    deps.pipeline.call(&FLIGHTS_WARM, &WarmRequest { hold_s: HOLD.as_secs() }, limit).await
}

async fn retrieve(deps: &Deps, limit: Deadline) -> Result<Warmed, Problem> {
    deps.pipeline.call(&RETRIEVE_WARM, &WarmRequest { hold_s: HOLD.as_secs() }, limit).await
}

/// Has a sentence said that rules write.
async fn respond(deps: &Deps, limit: Deadline) -> Result<Warmed, Problem> {
    let request = ReplyRequest {
        hand_offs_are_read: false,
        assistant: ASSISTANT.to_owned(),
        action: Action::StartOver,
        session: Box::new(Session::default()),
        client_time: ClientTime::now(),
        offers: Vec::new(),
        more: 0,
        booking: None,
        suggestions: Vec::new(),
        calendar: Vec::new(),
        question: Private(String::new()),
        passages: Vec::new(),
        parts: Vec::new(),
        near: Vec::new(),
        degraded: Vec::new(),
    };
    let bits = Box::pin(deps.pipeline.stream(&RESPOND, &request, limit, limit).await?);
    bits.try_for_each(async |_| Ok(())).await?;
    Ok(Warmed::default())
}
