//! One turn through the steps: understand, begin, search or retrieve where that was decided, respond, commit.

use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc::UnboundedSender;
use sha2::{Digest, Sha256};
use shared::api::{
    BeginTurn, Begun, ChatReply, ChatRequest, ClientTime, CommitTurn, FLIGHTS, Idempotency, RETRIEVE, ReplyRequest,
    SESSION_BEGIN, SESSION_COMMIT, SessionId, TurnEvent, UNDERSTAND, Usage, Utterance, Writer,
};
use shared::assistants::Kind;
use shared::deadline::{Deadline, PublicDeadline};
use shared::dialogue::{Action, Session, Understanding};
use shared::knowledge::{RetrieveRequest, Retrieved};
use shared::private::Private;
use shared::problem::Problem;
use shared::travel::{FlightQuery, Offer};
use shared::turns::RecordWork;

use crate::Deps;
use crate::progress::{Progress, RESERVE, Written, unanswered};

/// How many offers one answer shows.
const OFFERS_SHOWN: usize = 5;
/// How many of the last messages say what a follow-up is about.
const BEFORE: usize = 3;

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
    progress: Progress,
}

/// What was found for an action.
#[derive(Default)]
struct Found {
    offers: Vec<Offer>,
    more: usize,
    retrieved: Option<Retrieved>,
}

/// Understands the message and begins its turn; the idempotency key is its own for as long as it comes with.
///
/// # Errors
/// What is wrong with the request, or that the talk cannot be read.
pub(crate) async fn start(
    deps: Arc<Deps>,
    request: ChatRequest,
    idempotency_key: Option<(String, Duration)>,
    asked: PublicDeadline,
) -> Result<Started, Problem> {
    let kind = deps.assistants.get(&request.assistant)?.kind;
    let idempotency = idempotency_key.map(|(key, lease)| {
        let lease_ms = lease.as_millis().try_into().unwrap_or(u64::MAX);
        Idempotency { key, body_hash: hash(&request), lease_ms }
    });
    let ChatRequest { assistant, message, session_id, client_time, trace } = request;
    let (deadline, mut progress) = (asked.deadline, Progress::new(asked));
    let understanding = understand(&deps, &mut progress, &assistant, kind, &message).await;
    let begin = BeginTurn {
        turn_id: ulid::Ulid::generate().to_string(),
        assistant,
        kind,
        session_id,
        client_time: client_time.unwrap_or_else(ClientTime::now),
        understanding,
        idempotency,
    };
    let begun = progress.timed("begin", deps.pipeline.call(&SESSION_BEGIN, &begin, deadline)).await;
    match begun.inspect_err(unanswered)? {
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
            progress,
        }))),
    }
}

async fn understand(
    deps: &Deps,
    progress: &mut Progress,
    assistant: &str,
    kind: Kind,
    words: &Private<String>,
) -> Understanding {
    let utterance = Utterance { assistant: assistant.to_owned(), words: words.clone(), kind };
    // Half of it: where nothing is understood in time, the talk can still say so.
    let deadline = Deadline::after(progress.deadline.remaining() / 2);
    let answer = progress.timed("understand", deps.pipeline.call(&UNDERSTAND, &utterance, deadline)).await;
    answer.unwrap_or_else(|problem| {
        progress.degrade("understand", &problem);
        Understanding::default()
    })
}

impl Turn {
    /// From the decision to the reply that is kept.
    ///
    /// # Errors
    /// That the turn cannot be kept. Any other failure is in the reply's `degraded`.
    pub(crate) async fn answer(self) -> Result<ChatReply, Problem> {
        let Self { deps, message, begin, session_id, version, session, action, claim, trace, mut progress } = self;
        progress.emit(|| TurnEvent::Turn {
            session_id: Some(session_id.clone()),
            turn_id: begin.turn_id.clone(),
            assistant: begin.assistant.clone(),
        });
        let BeginTurn { turn_id, assistant, kind, client_time, understanding, .. } = begin;
        let found = find(&deps, &mut progress, &assistant, &action, &session, &message).await;
        let retrieval = found.retrieved.as_ref().map(|retrieved| retrieved.retrieval);
        let asked = ReplyRequest {
            assistant,
            action,
            session,
            client_time,
            offers: found.offers,
            more: found.more,
            question: message,
            passages: found.retrieved.map(|retrieved| retrieved.passages).unwrap_or_default(),
            degraded: progress.degraded.clone(),
        };
        let Written { words, citations, written_by, usage, incomplete, failed } =
            progress.respond(&deps.pipeline, &asked).await;
        let ReplyRequest { assistant, action, session, client_time, offers, question: message, .. } = asked;
        let reply = ChatReply {
            session_id,
            turn_id,
            assistant,
            reply: words,
            action: action.name().to_owned(),
            slots: session.slots.clone(),
            offers,
            citations,
            retrieval,
            written_by,
            usage: Usage::sum(understanding.usage.clone(), usage),
            incomplete,
            degraded: std::mem::take(&mut progress.degraded),
            timings_ms: None,
        };
        let (end, timings_ms) = (progress.end, progress.timings_ms.clone());
        let commit =
            CommitTurn { version, session, kind, understanding, client_time, message, reply, timings_ms, claim };
        let kept = progress.timed("commit", deps.pipeline.call(&SESSION_COMMIT, &commit, end)).await;
        let kept = kept.inspect_err(unanswered)?;
        deps.tell(RecordWork::turn(&commit.reply.turn_id, commit.reply.session_id.clone()), end).await;
        let reply = &commit.reply;
        let by_model = reply.written_by == Writer::Model || reply.usage.is_some() || commit.understanding.asked_model;
        progress.finished(by_model, &reply.degraded, failed);
        let timings_ms = progress.timings(trace);
        Ok(ChatReply { slots: kept.slots, timings_ms, ..commit.reply })
    }

    /// Tells what happens from now on to `events`, and lets the words take until `end`.
    pub(crate) fn streaming(mut self: Box<Self>, events: UnboundedSender<TurnEvent>, end: Deadline) -> Box<Self> {
        self.progress.stream_to(events, end);
        self
    }
}

/// What the action needs: flights, an offer shown before, or passages.
async fn find(
    deps: &Deps,
    progress: &mut Progress,
    assistant: &str,
    action: &Action,
    session: &Session,
    message: &Private<String>,
) -> Found {
    let found = match action {
        Action::SearchFlights { query, skip } => search(deps, progress, query, *skip).await,
        Action::ShowOffer { rank } => {
            let offers = session.shown.iter().filter(|offer| offer.rank == *rank).cloned().collect();
            Found { offers, ..Found::default() }
        }
        Action::Retrieve | Action::LookUp { .. } => {
            // What is asked in the middle of a booking does not go on with the booking.
            let before = if matches!(action, Action::Retrieve) { BEFORE } else { 0 };
            let turns = session.turns.iter().rev().take(before).rev();
            let before = turns.map(|turn| turn.message.clone()).collect();
            let (assistant, question) = (assistant.to_owned(), message.clone());
            let request = RetrieveRequest { assistant, question, before, ..RetrieveRequest::default() };
            let deadline = progress.deadline.less(RESERVE);
            let answer = progress.timed("retrieve", deps.pipeline.call(&RETRIEVE, &request, deadline)).await;
            let retrieved = progress.retrieved(answer);
            Found { retrieved: Some(retrieved), ..Found::default() }
        }
        _ => Found::default(),
    };
    if !found.offers.is_empty() {
        progress.emit(|| TurnEvent::Offers { offers: found.offers.clone() });
    }
    found
}

/// The page of offers to be shown, and how many come after it.
async fn search(deps: &Deps, progress: &mut Progress, query: &FlightQuery, skip: usize) -> Found {
    let deadline = progress.deadline.less(RESERVE);
    let answer = progress.timed("flights", deps.pipeline.call(&FLIGHTS, query, deadline)).await;
    let mut results = answer.unwrap_or_else(|problem| {
        progress.degrade("flights", &problem);
        Default::default()
    });
    // What leaves at the times that were asked for comes first; the rest follows, and is marked.
    results.offers.sort_by_key(|offer| query.is_outside_times(offer));
    for (rank, offer) in (1..).zip(&mut results.offers) {
        offer.rank = rank;
    }
    progress.degraded.extend(results.degraded);
    let more = results.offers.len().saturating_sub(skip.saturating_add(OFFERS_SHOWN));
    let offers = results.offers.into_iter().skip(skip).take(OFFERS_SHOWN).collect();
    Found { offers, more, retrieved: None }
}

/// What makes two requests the same: all that they say.
fn hash(request: &ChatRequest) -> String {
    let json = serde_json::to_vec(request).unwrap_or_default();
    Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect()
}
