//! The steps: begin and commit a turn, show and delete a session.

use std::sync::Arc;
use std::time::Duration;

use aws::handoffs::DAYS;
use contracts::api::Kind;
use contracts::api::{
    BeginTurn, Begun, ChatReply, ClaimKey, ClaimedKey, CommitTurn, Committed, Deleted, FeedbackKept, FinishedTurn,
    HandoffList, ListHandoffs, ListTurns, RateTurn, ReleasedKey, SessionId, SessionKey, SessionView, StopKept,
    StopMark, TurnKey, TurnList,
};
use contracts::dialogue::{Action, Exchange, Session};
use contracts::private::Private;
use contracts::problem::Problem;
use contracts::travel::Offer;
use http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use runtime::deadline::Deadline;

use crate::idempotency::{self, Claim};
use crate::store::{Commit, Kept, Outcome, Rated};
use crate::{Deps, dialogue, knowledge};

/// The most that a kept session may weigh, in bytes of JSON.
const TALK_LIMIT: usize = 16 * 1024;
/// The last turns that are kept with a session, and how much of each side's words, in characters.
const TURNS_KEPT: usize = 12;
const WORDS_KEPT: usize = 500;
/// How long a turn that lost a race waits before it tries again, at most the first time.
const FIRST_BACKOFF: Duration = Duration::from_millis(10);
const LONGEST_BACKOFF: Duration = Duration::from_millis(300);

pub(crate) async fn claim(deps: Arc<Deps>, asked: ClaimKey, _: Deadline) -> Result<ClaimedKey, Problem> {
    let ClaimKey { turn_id, session_id: owner, idempotency } = asked;
    // What a new session is called is known once it is begun, and kept with the key by its first turn.
    let session_id = owner.clone().unwrap_or_else(SessionId::random);
    match idempotency::claim(&deps.store, &idempotency, owner.as_ref(), &session_id, &turn_id).await? {
        Claim::Mine(claim) => Ok(ClaimedKey { claim, answered: None }),
        Claim::Answered { key, session_id, turn_id } => {
            let reply = answered(&deps, &session_id, &turn_id).await?;
            Ok(ClaimedKey { claim: key, answered: Some(reply) })
        }
    }
}

pub(crate) async fn release(deps: Arc<Deps>, asked: ClaimKey, _: Deadline) -> Result<ReleasedKey, Problem> {
    idempotency::release(&deps.store, &asked).await?;
    Ok(ReleasedKey {})
}

pub(crate) async fn begin(deps: Arc<Deps>, turn: BeginTurn, _: Deadline) -> Result<Begun, Problem> {
    let kept = match &turn.session_id {
        Some(id) => existing(&deps, id, &turn.assistant).await?,
        None => Kept::new(SessionId::random(), turn.assistant.clone()),
    };
    let mut claim = None;
    if let Some(request) = &turn.idempotency {
        let owner = turn.session_id.as_ref();
        match idempotency::claim(&deps.store, request, owner, &kept.session_id, &turn.turn_id).await? {
            Claim::Mine(key) => claim = Some(key),
            Claim::Answered { session_id, turn_id, .. } => {
                return Ok(Begun::Replay { reply: answered(&deps, &session_id, &turn_id).await? });
            }
        }
    }
    let Kept { session_id, version, session, .. } = kept;
    if turn.in_danger {
        let (session, action) = (Box::new(session), Action::Crisis);
        return Ok(Begun::Turn { session_id, version, session, action, claim, ranked: Vec::new(), before: None });
    }
    let before = session.care.is_some().then(|| Box::new(session.clone()));
    let (session, action) = merge(turn.kind, session, &turn.understanding, &turn.client_time.0);
    let ranked = ranked(&deps, &session_id, &action).await;
    Ok(Begun::Turn { session_id, version, session: Box::new(session), action, claim, ranked, before })
}

/// The offers that more is asked of. Where they cannot be read, it is searched again.
async fn ranked(deps: &Deps, session_id: &SessionId, action: &Action) -> Vec<Offer> {
    let Action::SearchFlights { query, skip: 1.. } = action else { return Vec::new() };
    let kept = deps.store.ranked(session_id).await.unwrap_or_else(|problem| {
        let cause = problem.cause();
        tracing::warn!(%problem, cause, "offers were not read: for more of them, it is searched again");
        None
    });
    kept.filter(|kept| kept.query == **query).map(|kept| kept.offers).unwrap_or_default()
}

pub(crate) async fn commit(deps: Arc<Deps>, mut turn: CommitTurn, deadline: Deadline) -> Result<Committed, Problem> {
    let Some(ranked) = turn.ranked.take() else { return keep(&deps, turn, deadline).await };
    let session_id = turn.reply.session_id.clone();
    let (kept, noted) = tokio::join!(keep(&deps, turn, deadline), deps.store.keep_ranked(&session_id, ranked));
    // Of a session that was deleted meanwhile, nothing stays.
    let noted = if kept.is_err() { deps.store.forget_ranked(&session_id).await } else { noted };
    if let Err(problem) = noted {
        let cause = problem.cause();
        tracing::warn!(%problem, cause, "offers were not kept: for more of them, it is searched again");
    }
    kept
}

async fn keep(deps: &Deps, turn: CommitTurn, deadline: Deadline) -> Result<Committed, Problem> {
    let CommitTurn {
        mut version,
        session,
        kind,
        understanding,
        client_time,
        message,
        mut reply,
        timings_ms,
        claim,
        ..
    } = turn;
    let mut session = *session;
    let (care, notified) = (session.care.clone(), session.notified);
    let is_crisis = [Action::Crisis.name(), Action::FirstAid.name()].contains(&reply.action.as_str());
    let mut backoff = FIRST_BACKOFF;
    loop {
        reply.slots = session.slots.clone();
        if reply.action == SEARCHED && !reply.offers.is_empty() {
            session.shown.clone_from(&reply.offers);
        }
        if reply.booking.is_some() {
            // Its price was asked again: that is what it costs from now on.
            for shown in &mut session.shown {
                if let Some(now) = reply.offers.iter().find(|now| now.rank == shown.rank) {
                    shown.clone_from(now);
                }
            }
        }
        if !reply.calendar.is_empty() {
            session.calendar.clone_from(&reply.calendar);
        }
        let state = bounded(with_turn(session, &message, &reply))?;
        let claim = claim.as_deref();
        let write = Commit { version, state: &state, message: &message, reply: &reply, timings_ms: &timings_ms, claim };
        loop {
            match deps.store.commit(&write).await? {
                Outcome::Kept => return Ok(Committed { version: version + 1, slots: reply.slots }),
                Outcome::KeptBefore => {
                    let kept = existing(deps, &reply.session_id, &reply.assistant).await?;
                    return Ok(Committed { version: kept.version, slots: kept.session.slots });
                }
                Outcome::ClaimLost => return Err(idempotency::still_running(Duration::from_secs(1))),
                Outcome::Lost => break,
                // The same once more: the other one may come to nothing, and of a new session there is nothing to read yet.
                Outcome::Busy => wait(&mut backoff, deadline).await?,
            }
        }
        // Another turn of the same session came first: say the same into what it left.
        wait(&mut backoff, deadline).await?;
        let fresh = existing(deps, &reply.session_id, &reply.assistant).await?;
        version = fresh.version;
        session = match is_crisis {
            true => fresh.session,
            false => merge(kind, fresh.session, &understanding, &client_time.0).0,
        };
        (session.care, session.notified) = (care.clone(), notified);
    }
}

/// The name of the action that shows new offers.
const SEARCHED: &str = "search_flights";

pub(crate) async fn read(deps: Arc<Deps>, key: SessionKey, _: Deadline) -> Result<SessionView, Problem> {
    let kept = deps.store.read(&key.session_id).await?.ok_or_else(unknown)?;
    Ok(SessionView {
        session_id: kept.session_id,
        assistant: kept.assistant,
        version: kept.version,
        slots: kept.session.slots,
        offers: kept.session.shown,
        turns: kept.session.turns,
        handed_off: kept.session.handed_off,
        expires_at: kept.expires_at,
    })
}

pub(crate) async fn delete(deps: Arc<Deps>, key: SessionKey, _: Deadline) -> Result<Deleted, Problem> {
    if !deps.store.delete(&key.session_id).await? {
        return Err(unknown());
    }
    Ok(Deleted {})
}

pub(crate) async fn turns(deps: Arc<Deps>, asked: ListTurns, _: Deadline) -> Result<TurnList, Problem> {
    deps.store.read(&asked.session_id).await?.ok_or_else(unknown)?;
    deps.store.turns(&asked).await
}

pub(crate) async fn turn(deps: Arc<Deps>, key: TurnKey, _: Deadline) -> Result<FinishedTurn, Problem> {
    let Some(session_id) = &key.session_id else { return Ok(FinishedTurn { reply: None }) };
    let reply = deps.store.turn(session_id, &key.turn_id).await?.map(Box::new);
    Ok(FinishedTurn { reply })
}

pub(crate) async fn stop(deps: Arc<Deps>, key: TurnKey, _: Deadline) -> Result<StopKept, Problem> {
    deps.store.mark_stopped(&idempotency::stop_key(&key)).await?;
    Ok(StopKept {})
}

pub(crate) async fn is_stopped(deps: Arc<Deps>, key: TurnKey, _: Deadline) -> Result<StopMark, Problem> {
    Ok(StopMark { is_stopped: deps.store.is_stopped(&idempotency::stop_key(&key)).await? })
}

pub(crate) async fn rate(deps: Arc<Deps>, asked: RateTurn, deadline: Deadline) -> Result<FeedbackKept, Problem> {
    let unknown =
        || Problem::not_found("unknown-turn", "There is no such turn: it never was, or was deleted or forgotten.");
    let turn_id = asked.turn_id.parse().map_err(|_| unknown())?;
    let mut backoff = FIRST_BACKOFF;
    loop {
        match deps.store.rate(turn_id, &asked.feedback).await? {
            Rated::Kept => return Ok(FeedbackKept {}),
            Rated::Unknown => return Err(unknown()),
            Rated::Lost => wait(&mut backoff, deadline).await?,
        }
    }
}

pub(crate) async fn handoffs(deps: Arc<Deps>, asked: ListHandoffs, _: Deadline) -> Result<HandoffList, Problem> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let handoffs = deps.store.handoffs();
    Ok(HandoffList { handoffs: handoffs.last(today, asked.days.min(DAYS)).await? })
}

async fn existing(deps: &Deps, id: &SessionId, assistant: &str) -> Result<Kept, Problem> {
    let kept = deps.store.read(id).await?.ok_or_else(unknown)?;
    if kept.assistant != assistant {
        return Err(Problem::field("session_id", format!("this session is with {}, not {assistant}", kept.assistant)));
    }
    Ok(kept)
}

fn unknown() -> Problem {
    let detail = "There is no such session: it never was, was deleted, or was forgotten after its time.";
    Problem::not_found("unknown-session", detail)
}

async fn answered(deps: &Deps, session_id: &SessionId, turn_id: &str) -> Result<Box<ChatReply>, Problem> {
    deps.store.turn(session_id, turn_id).await?.map(Box::new).ok_or_else(unknown)
}

/// One step of the dialogue, with the last turns kept out of its sight: starting over forgets the journey, not the session.
fn merge(
    kind: Kind,
    mut session: Session,
    understanding: &contracts::dialogue::Understanding,
    now: &jiff::Zoned,
) -> (Session, Action) {
    let turns = std::mem::take(&mut session.turns);
    let (care, notified) = (session.care.take(), session.notified);
    let (mut session, action) = match kind {
        Kind::Travel => dialogue::advance(session, understanding, now),
        Kind::Knowledge | Kind::Other => knowledge::advance(session, understanding),
    };
    (session.turns, session.care, session.notified) = (turns, care, notified);
    (session, action)
}

fn with_turn(mut session: Session, message: &Private<String>, reply: &ChatReply) -> Session {
    let beginning = |words: &str| Private(words.chars().take(WORDS_KEPT).collect::<String>());
    session.turns.push(Exchange {
        turn_id: reply.turn_id.clone(),
        message: beginning(message),
        reply: beginning(&reply.reply),
        cited: reply.citations.iter().map(|citation| citation.id.clone()).collect(),
    });
    let beyond = session.turns.len().saturating_sub(TURNS_KEPT);
    session.turns.drain(..beyond);
    session
}

/// The session as it is kept: without the oldest turns, then without the last offers, until it weighs little enough.
fn bounded(mut session: Session) -> Result<String, Problem> {
    loop {
        let state = serde_json::to_string(&session).map_err(Problem::internal)?;
        if state.len() <= TALK_LIMIT {
            return Ok(state);
        }
        if session.turns.len() > 1 {
            session.turns.remove(0);
        } else if session.shown.pop().is_none() {
            return Ok(state);
        }
    }
}

async fn wait(backoff: &mut Duration, deadline: Deadline) -> Result<(), Problem> {
    // Jitter from the clock's last digits is enough to keep a handful of turns apart.
    let jitter = f64::from(jiff::Timestamp::now().subsec_nanosecond().rem_euclid(1_000)) / 1_000.0;
    let pause = backoff.mul_f64(0.5 + 0.5 * jitter);
    if deadline.remaining() < pause {
        let detail = "Many messages came to this session at once; this one was not kept.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy-session", "The session is busy", detail);
        return Err(problem.retry_after(Duration::from_secs(1)));
    }
    tokio::time::sleep(pause).await;
    *backoff = (*backoff * 2).min(LONGEST_BACKOFF);
    Ok(())
}

#[cfg(test)]
mod tests;
