//! One turn through the steps: understand, begin, search where that was decided, respond, commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::channel::mpsc::UnboundedSender;
use sha2::{Digest, Sha256};
use shared::api::{
    BeginTurn, Begun, ChatReply, ChatRequest, ClientTime, CommitTurn, Degraded, FLIGHTS, Idempotency, RESPOND,
    ReplyEvent, ReplyRequest, SESSION_BEGIN, SESSION_COMMIT, SessionId, TurnEvent, UNDERSTAND, Utterance,
};
use shared::deadline::Deadline;
use shared::dialogue::{Action, Session, Understanding};
use shared::private::Private;
use shared::problem::Problem;
use shared::travel::{FlightQuery, Offer};

use crate::Deps;

/// How many offers one answer shows.
const OFFERS_SHOWN: usize = 5;
/// What the end of a turn (the words, the commit) needs of the deadline when the flights are slow.
const RESERVE: Duration = Duration::from_millis(700);

/// What is said where even the words are away.
const APOLOGY: &str =
    "I'm sorry, I can't answer that properly right now. What you told me is kept; please try again in a moment.";
const BARE_OFFERS: &str = "Here is what I found.";

/// Where the events of a turn go while it runs: to a stream, or nowhere.
pub(crate) type Events = Option<UnboundedSender<TurnEvent>>;

/// What the first two steps made of a message.
pub(crate) enum Started {
    /// A turn to be answered.
    Turn(Box<Turn>),
    /// The same request was answered before.
    Replay(Box<ChatReply>),
}

/// A turn under way: the talk as `begin` left it, and what happened so far.
pub(crate) struct Turn {
    deps: Arc<Deps>,
    message: Private<String>,
    begin: BeginTurn,
    session_id: SessionId,
    version: u64,
    session: Box<Session>,
    action: Action,
    claim: Option<String>,
    trace: bool,
    so_far: SoFar,
}

/// What a turn is missing, how long its steps took, and who is told meanwhile.
struct SoFar {
    deadline: Deadline,
    events: Events,
    degraded: Vec<Degraded>,
    timings_ms: BTreeMap<String, f64>,
}

/// Understands the message and begins its turn.
///
/// # Errors
/// What is wrong with the request, or that the talk cannot be read.
pub(crate) async fn start(
    deps: Arc<Deps>,
    request: ChatRequest,
    idempotency_key: Option<String>,
    deadline: Deadline,
) -> Result<Started, Problem> {
    let idempotency = idempotency_key.map(|key| Idempotency { key, body_hash: hash(&request) });
    let ChatRequest { assistant, message, session_id, client_time, trace } = request;
    let mut so_far = SoFar { deadline, events: None, degraded: Vec::new(), timings_ms: BTreeMap::new() };
    let understanding = so_far.understand(&deps, &assistant, &message).await;
    let begin = BeginTurn {
        turn_id: ulid::Ulid::generate().to_string(),
        assistant,
        session_id,
        client_time: client_time
            .unwrap_or_else(|| ClientTime(jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC))),
        understanding,
        idempotency,
    };
    match so_far.timed("begin", deps.pipeline.call(&SESSION_BEGIN, &begin, deadline)).await? {
        Begun::Replay { reply } => Ok(Started::Replay(reply)),
        Begun::Turn { session_id, version, session, action, claim } => Ok(Started::Turn(Box::new(Turn {
            deps,
            message,
            begin,
            session_id,
            version,
            session,
            action,
            claim,
            trace,
            so_far,
        }))),
    }
}

impl Turn {
    /// From the decision to the reply that is kept. What happens on the way goes to `events`.
    ///
    /// # Errors
    /// That the turn cannot be kept. Any other failure is in the reply's `degraded`.
    pub(crate) async fn answer(self, events: Events) -> Result<ChatReply, Problem> {
        let Self { deps, message, begin, session_id, version, mut session, action, claim, trace, mut so_far } = self;
        so_far.events = events;
        so_far.emit(|| TurnEvent::Turn {
            session_id: session_id.clone(),
            turn_id: begin.turn_id.clone(),
            assistant: begin.assistant.clone(),
        });
        let (offers, more) = match &action {
            Action::SearchFlights { query, skip } => so_far.search(&deps, query, *skip).await,
            Action::ShowOffer { rank } => (shown(&session, *rank), 0),
            _ => Default::default(),
        };
        if matches!(action, Action::SearchFlights { .. }) && !offers.is_empty() {
            session.shown.clone_from(&offers);
        }
        if !offers.is_empty() {
            so_far.emit(|| TurnEvent::Offers { offers: offers.clone() });
        }
        let degraded = so_far.degraded.clone();
        let BeginTurn { turn_id, assistant, client_time, understanding, .. } = begin;
        let asked = ReplyRequest { assistant, action, session, client_time, offers, more, degraded };
        let words = so_far.respond(&deps, &asked).await;
        let ReplyRequest { assistant, action, session, client_time, offers, .. } = asked;
        let reply = ChatReply {
            session_id,
            turn_id,
            assistant,
            reply: words,
            action: action.name().to_owned(),
            slots: session.slots.clone(),
            offers,
            degraded: std::mem::take(&mut so_far.degraded),
            timings_ms: None,
        };
        let commit = CommitTurn { version, session, understanding, client_time, message, reply, claim };
        let kept = so_far.timed("commit", deps.pipeline.call(&SESSION_COMMIT, &commit, so_far.deadline)).await?;
        let timings_ms = trace.then_some(so_far.timings_ms);
        Ok(ChatReply { slots: kept.slots, timings_ms, ..commit.reply })
    }
}

impl SoFar {
    async fn understand(&mut self, deps: &Deps, assistant: &str, message: &Private<String>) -> Understanding {
        let utterance = Utterance { assistant: assistant.to_owned(), words: message.clone() };
        let answer = self.timed("understand", deps.pipeline.call(&UNDERSTAND, &utterance, self.deadline)).await;
        answer.unwrap_or_else(|problem| {
            self.degrade("understand", &problem);
            Understanding::default()
        })
    }

    /// The page of offers to be shown, and how many come after it.
    async fn search(&mut self, deps: &Deps, query: &FlightQuery, skip: usize) -> (Vec<Offer>, usize) {
        let deadline = self.deadline.less(RESERVE);
        let answer = self.timed("flights", deps.pipeline.call(&FLIGHTS, query, deadline)).await;
        let results = answer.unwrap_or_else(|problem| {
            self.degrade("flights", &problem);
            Default::default()
        });
        self.degraded.extend(results.degraded);
        let more = results.offers.len().saturating_sub(skip.saturating_add(OFFERS_SHOWN));
        (results.offers.into_iter().skip(skip).take(OFFERS_SHOWN).collect(), more)
    }

    /// The whole reply, collected from the stream; what came of it before a failure, or an apology.
    async fn respond(&mut self, deps: &Deps, asked: &ReplyRequest) -> Private<String> {
        let started = Instant::now();
        let mut words = String::new();
        let failed = self.collect(deps, asked, &mut words).await.err();
        self.took("respond", started);
        if let Some(problem) = failed {
            self.degrade("respond", &problem);
        }
        if words.is_empty() {
            words.push_str(if asked.offers.is_empty() { APOLOGY } else { BARE_OFFERS });
            self.emit(|| TurnEvent::Delta { text: Private(words.clone()) });
        }
        Private(words)
    }

    async fn collect(&self, deps: &Deps, asked: &ReplyRequest, words: &mut String) -> Result<(), Problem> {
        let mut bits = Box::pin(deps.pipeline.stream(&RESPOND, asked, self.deadline).await?);
        while let Some(bit) = bits.next().await {
            match bit? {
                ReplyEvent::Delta { text } => {
                    words.push_str(&text);
                    self.emit(|| TurnEvent::Delta { text });
                }
                ReplyEvent::Done {} => return Ok(()),
                ReplyEvent::Other => {}
            }
        }
        Err(Problem::unavailable("The answer broke off.", anyhow::anyhow!("{} ended without done", RESPOND.path)))
    }

    async fn timed<T>(&mut self, step: &str, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let output = work.await;
        self.took(step, started);
        output
    }

    fn took(&mut self, step: &str, started: Instant) {
        let milliseconds = (started.elapsed().as_secs_f64() * 100_000.0).round() / 100.0;
        self.timings_ms.insert(step.to_owned(), milliseconds);
        self.emit(|| TurnEvent::Step { step: step.to_owned(), milliseconds });
    }

    /// Tells whoever listens; one that went away is no failure.
    fn emit(&self, event: impl FnOnce() -> TurnEvent) {
        if let Some(events) = &self.events {
            drop(events.unbounded_send(event()));
        }
    }

    /// Notes a failed step, once in the reply and once in the log.
    fn degrade(&mut self, part: &str, problem: &Problem) {
        let cause = std::error::Error::source(problem).map(ToString::to_string);
        tracing::warn!(part, problem = %problem, cause, "answering without a part");
        self.degraded.push(Degraded::because(part, problem));
    }
}

fn shown(session: &Session, rank: u32) -> Vec<Offer> {
    session.shown.iter().filter(|offer| offer.rank == rank).cloned().collect()
}

fn hash(request: &ChatRequest) -> String {
    let json = serde_json::to_vec(request).unwrap_or_default();
    Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect()
}
