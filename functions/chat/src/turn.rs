//! One turn through the steps: understand, begin, search where that was decided, respond, commit.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::StreamExt;
use sha2::{Digest, Sha256};
use shared::api::{
    BeginTurn, Begun, ChatReply, ChatRequest, ClientTime, CommitTurn, Degraded, FLIGHTS, Idempotency, RESPOND,
    ReplyEvent, ReplyRequest, SESSION_BEGIN, SESSION_COMMIT, SessionId, UNDERSTAND, Utterance,
};
use shared::deadline::Deadline;
use shared::dialogue::{Action, Session, Understanding};
use shared::pipeline::Pipeline;
use shared::private::Private;
use shared::problem::Problem;
use shared::travel::{FlightQuery, Offer};

use crate::RESERVE;

/// How many offers one answer shows.
const OFFERS_SHOWN: usize = 5;

/// Answers a message.
///
/// # Errors
/// What is wrong with the request, or that the talk can be neither read nor kept. Any other failure is in the reply's
/// `degraded`.
pub(crate) async fn run(
    pipeline: &Pipeline,
    request: ChatRequest,
    idempotency_key: Option<String>,
    deadline: Deadline,
) -> Result<ChatReply, Problem> {
    let idempotency = idempotency_key.map(|key| Idempotency { key, body_hash: hash(&request) });
    let ChatRequest { assistant, message, session_id, client_time, trace } = request;
    let client_time =
        client_time.unwrap_or_else(|| ClientTime(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC)));
    let mut turn = Turn { pipeline, deadline, degraded: Vec::new(), timings_ms: BTreeMap::new() };

    let understanding = turn.understand(&assistant, &message).await;
    let begin = BeginTurn {
        turn_id: ulid::Ulid::generate().to_string(),
        assistant,
        session_id,
        client_time,
        understanding,
        idempotency,
    };
    let begun = turn.timed("begin", pipeline.call(&SESSION_BEGIN, &begin, deadline)).await?;
    let talk = match begun {
        Begun::Turn { session_id, version, session, action, claim } => {
            Talk { session_id, version, session, action, claim }
        }
        Begun::Replay { reply } => return Ok(*reply),
    };
    let mut reply = turn.answer(talk, begin, message).await?;
    reply.timings_ms = trace.then_some(turn.timings_ms);
    Ok(reply)
}

/// The talk as `begin` left it.
struct Talk {
    session_id: SessionId,
    version: u64,
    session: Box<Session>,
    action: Action,
    claim: Option<String>,
}

/// A turn under way: what it is missing so far, and how long each step took.
struct Turn<'a> {
    pipeline: &'a Pipeline,
    deadline: Deadline,
    degraded: Vec<Degraded>,
    timings_ms: BTreeMap<String, f64>,
}

impl Turn<'_> {
    async fn understand(&mut self, assistant: &str, message: &Private<String>) -> Understanding {
        let utterance = Utterance { assistant: assistant.to_owned(), words: message.clone() };
        let answer = self.timed("understand", self.pipeline.call(&UNDERSTAND, &utterance, self.deadline)).await;
        answer.unwrap_or_else(|problem| {
            self.degrade("understand", &problem);
            Understanding::default()
        })
    }

    /// From the decision to the reply that is kept.
    async fn answer(&mut self, talk: Talk, begin: BeginTurn, message: Private<String>) -> Result<ChatReply, Problem> {
        let Talk { session_id, version, mut session, action, claim } = talk;
        let found = match &action {
            Action::SearchFlights { query, skip } => Some(self.search(query, *skip).await),
            Action::ShowOffer { rank } => Some((shown(&session, *rank), 0)),
            _ => None,
        };
        let (offers, more) = found.unwrap_or_default();
        if matches!(action, Action::SearchFlights { .. }) && !offers.is_empty() {
            session.shown.clone_from(&offers);
        }
        let asked = ReplyRequest {
            assistant: begin.assistant,
            action,
            session,
            client_time: begin.client_time,
            offers,
            more,
            degraded: self.degraded.clone(),
        };
        let words = self.respond(&asked).await;
        let reply = ChatReply {
            session_id,
            turn_id: begin.turn_id,
            assistant: asked.assistant,
            reply: words,
            action: asked.action.name().to_owned(),
            slots: asked.session.slots.clone(),
            offers: asked.offers,
            degraded: self.degraded.clone(),
            timings_ms: None,
        };
        let commit = CommitTurn {
            version,
            session: asked.session,
            understanding: begin.understanding,
            client_time: asked.client_time,
            message,
            reply,
            claim,
        };
        let kept = self.timed("commit", self.pipeline.call(&SESSION_COMMIT, &commit, self.deadline)).await?;
        Ok(ChatReply { slots: kept.slots, ..commit.reply })
    }

    /// The page of offers to be shown, and how many come after it.
    async fn search(&mut self, query: &FlightQuery, skip: usize) -> (Vec<Offer>, usize) {
        let deadline = self.deadline.less(RESERVE);
        let answer = self.timed("flights", self.pipeline.call(&FLIGHTS, query, deadline)).await;
        let results = answer.unwrap_or_else(|problem| {
            self.degrade("flights", &problem);
            Default::default()
        });
        self.degraded.extend(results.degraded);
        let more = results.offers.len().saturating_sub(skip + OFFERS_SHOWN);
        (results.offers.into_iter().skip(skip).take(OFFERS_SHOWN).collect(), more)
    }

    /// The whole reply, collected from the stream; what came of it before a failure, or an apology.
    async fn respond(&mut self, asked: &ReplyRequest) -> Private<String> {
        let started = Instant::now();
        let mut words = String::new();
        let failed = self.collect(asked, &mut words).await.err();
        self.timings_ms.insert("respond".to_owned(), milliseconds(started));
        if let Some(problem) = failed {
            self.degrade("respond", &problem);
        }
        if words.is_empty() {
            words.push_str(if asked.offers.is_empty() { APOLOGY } else { BARE_OFFERS });
        }
        Private(words)
    }

    async fn collect(&self, asked: &ReplyRequest, words: &mut String) -> Result<(), Problem> {
        let mut events = Box::pin(self.pipeline.stream(&RESPOND, asked, self.deadline).await?);
        while let Some(event) = events.next().await {
            match event? {
                ReplyEvent::Delta { text } => words.push_str(&text),
                ReplyEvent::Done {} => return Ok(()),
                ReplyEvent::Other => {}
            }
        }
        Err(Problem::unavailable("The answer broke off.", anyhow::anyhow!("{} ended without done", RESPOND.path)))
    }

    async fn timed<T>(&mut self, step: &str, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let output = work.await;
        self.timings_ms.insert(step.to_owned(), milliseconds(started));
        output
    }

    /// Notes a failed step, once in the reply and once in the log.
    fn degrade(&mut self, part: &str, problem: &Problem) {
        let cause = std::error::Error::source(problem).map(ToString::to_string);
        tracing::warn!(part, problem = %problem, cause, "answering without a part");
        self.degraded.push(Degraded::because(part, problem));
    }
}

/// What is said where even the words are away.
const APOLOGY: &str =
    "I'm sorry, I can't answer that properly right now. What you told me is kept; please try again in a moment.";
const BARE_OFFERS: &str = "Here is what I found.";

fn shown(session: &Session, rank: u32) -> Vec<Offer> {
    session.shown.iter().filter(|offer| offer.rank == rank).cloned().collect()
}

fn milliseconds(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 100_000.0).round() / 100.0
}

fn hash(request: &ChatRequest) -> String {
    let json = serde_json::to_vec(request).unwrap_or_default();
    Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect()
}
