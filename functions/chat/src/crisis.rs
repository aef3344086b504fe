//! Answers somebody in danger, before anything is understood, looked up or asked of a model.
//!
//! The reply is made in this process. The session is asked what was said before, so that no reply repeats another, and keeps
//! the turn, so that the conversation can continue; each gets a moment, and the reply comes without them all the same.

use std::time::Duration;

use contracts::api::{
    AskReply, AskRequest, BeginTurn, Begun, ChatReply, ChatRequest, ClaimKey, ClientTime, CommitTurn, Idempotency,
    MESSAGE_LIMIT, SESSION_BEGIN, SESSION_COMMIT, SessionId, TurnEvent, Writer,
};
use contracts::dialogue::{Action, Session, Understanding};
use contracts::knowledge::Retrieval;
use contracts::private::Private;
use contracts::problem::Problem;
use contracts::turns::RecordWork;
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use safety::{Alarm, Care, Class, Guard, Help, Reader, Region, Reply};

use crate::Deps;
use crate::opened::{Opened, release};
use crate::progress::Progress;
use crate::stream::replayed;

/// The longest that the session is waited for, each time.
const MOMENT: Duration = Duration::from_millis(700);

/// That the writer of a message is in danger, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Danger {
    alarm: Alarm,
    region: Region,
}

impl Danger {
    /// What a model saw where the guard saw nothing.
    pub(crate) fn seen_by_model(class: Class, region: Region) -> Self {
        Self { alarm: Alarm { class, now: false, by: Reader::Model, language: None }, region }
    }

    /// What is said to a message, after what was said before.
    pub(crate) fn reply(self, message: &str, care: Option<&Care>) -> Reply {
        // "I can't call anyone" is first of all an answer to who asked for a call; what kills soonest is never only an answer.
        let urgent = matches!(self.alarm.class, Class::Overdose | Class::Medical);
        let answer = care.filter(|_| !urgent).and_then(|care| safety::to_answer(message, self.region, care, false));
        answer.unwrap_or_else(|| safety::to_alarm(self.alarm, self.region, care))
    }
}

/// Looks whether the writer of a message is in danger.
pub(crate) fn look(words: &Private<String>, time: Option<&ClientTime>, headers: &HeaderMap) -> Option<Danger> {
    let alarm = Guard::embedded().read(words)?;
    Some(Danger { alarm, region: region(words, time, headers) })
}

/// Where the writer of a message is, as far as the request tells.
pub(crate) fn region(words: &Private<String>, time: Option<&ClientTime>, headers: &HeaderMap) -> Region {
    let zone = time.and_then(|time| time.0.time_zone().iana_name());
    let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Region::find(words, zone, language)
}

/// Answers a message of somebody in danger. Never fails: what could not be kept is named in `degraded`.
pub(crate) async fn answer(
    deps: &Deps,
    turn_id: String,
    request: ChatRequest,
    idempotency: Option<Idempotency>,
    danger: Danger,
    mut progress: Progress,
) -> ChatReply {
    let mut begin = BeginTurn {
        turn_id,
        kind: deps.assistants.get(&request.assistant).map(|assistant| assistant.kind).unwrap_or_default(),
        assistant: request.assistant,
        session_id: request.session_id,
        client_time: request.client_time.unwrap_or_else(ClientTime::now),
        understanding: Understanding::default(),
        idempotency,
        in_danger: true,
    };
    let mut begun = ask(deps, &begin, &mut progress).await;
    if begun
        .as_ref()
        .is_err_and(|problem| [StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY].contains(&problem.status()))
    {
        // A session that is forgotten, or is somebody else's to go on with: the reply needs none, and begins a new one.
        (begin.session_id, begin.idempotency) = (None, None);
        begun = ask(deps, &begin, &mut progress).await;
    }
    let key = begin.idempotency.clone().map(|idempotency| {
        let (turn_id, session_id) = (begin.turn_id.clone(), begin.session_id.clone());
        ClaimKey { turn_id, session_id, idempotency }
    });
    let opened = match begun {
        Ok(Begun::Replay { reply }) => {
            progress.replay(replayed(&reply));
            return *reply;
        }
        Ok(Begun::Turn { session_id, version, session, claim, .. }) => Opened { session_id, version, session, claim },
        failed => {
            let problem = failed
                .err()
                .unwrap_or_else(|| Problem::internal(anyhow::anyhow!("a turn began in a way of a later release")));
            progress.degrade("session", &problem);
            let session_id = begin.session_id.clone().unwrap_or_else(SessionId::random);
            let reply = safety::to_alarm(danger.alarm, danger.region, None);
            progress.begun(Some(session_id.clone()), &begin.turn_id, &begin.assistant);
            let reply = chat_reply(&begin, session_id, &Session::default(), reply, &mut progress);
            progress.emit(|| TurnEvent::Delta { text: reply.reply.clone() });
            tokio::join!(deps.tell(RecordWork::unkept(&reply), progress.end), give_back(deps, key.as_ref()));
            return finished(reply, &progress);
        }
    };
    let reply = danger.reply(&request.message, opened.session.care.as_ref());
    keep(deps, begin, opened, key.as_ref(), request.message, reply, progress).await
}

async fn give_back(deps: &Deps, key: Option<&ClaimKey>) {
    if let Some(key) = key {
        release(deps, key).await;
    }
}

/// Keeps the answer to what was said to a crisis reply; the session is as it stood before, for it is not about the journey. Where it
/// is not kept, its `key` is free again.
pub(crate) async fn keep(
    deps: &Deps,
    begin: BeginTurn,
    opened: Opened,
    key: Option<&ClaimKey>,
    message: Private<String>,
    reply: Reply,
    mut progress: Progress,
) -> ChatReply {
    let Opened { session_id, version, mut session, claim } = opened;
    session.care = Some(reply.care.clone());
    // Each of these replies says so.
    session.notified = Some(Timestamp::now());
    progress.begun(Some(session_id.clone()), &begin.turn_id, &begin.assistant);
    let reply = chat_reply(&begin, session_id, &session, reply, &mut progress);
    progress.emit(|| TurnEvent::Delta { text: reply.reply.clone() });
    let commit = CommitTurn {
        version,
        session,
        kind: begin.kind,
        understanding: Understanding::default(),
        client_time: begin.client_time,
        message: Private(message.chars().take(MESSAGE_LIMIT).collect()),
        reply,
        timings_ms: progress.timings_ms.clone(),
        claim,
        ranked: None,
    };
    let deadline = progress.deadline.within(MOMENT);
    let kept = deps.pipeline.call(&SESSION_COMMIT, &commit, deadline).await;
    let mut reply = commit.reply;
    match kept {
        Ok(_) => deps.tell(RecordWork::kept(&reply), progress.end).await,
        Err(problem) => {
            progress.degrade("session", &problem);
            reply.degraded.append(&mut progress.degraded);
            tokio::join!(deps.tell(RecordWork::unkept(&reply), progress.end), give_back(deps, key));
        }
    }
    finished(reply, &progress)
}

/// Answers a question of somebody in danger.
pub(crate) async fn answer_question(
    deps: &Deps,
    turn_id: String,
    request: AskRequest,
    danger: Danger,
    mut progress: Progress,
) -> AskReply {
    let Reply { words, help, .. } = safety::to_alarm(danger.alarm, danger.region, None);
    let reply = AskReply {
        turn_id,
        assistant: request.assistant,
        reply: Private(words),
        action: action(&help).name().to_owned(),
        help: Some(help),
        citations: Vec::new(),
        suggestions: Vec::new(),
        retrieval: Retrieval::default(),
        written_by: Writer::Rules,
        usage: None,
        incomplete: false,
        degraded: Vec::new(),
        timings_ms: None,
    };
    progress.begun(None, &reply.turn_id, &reply.assistant);
    progress.emit(|| TurnEvent::Delta { text: reply.reply.clone() });
    deps.tell(RecordWork::ask(&reply), progress.end).await;
    progress.finished(false, &reply.degraded, false);
    reply
}

async fn ask(deps: &Deps, begin: &BeginTurn, progress: &mut Progress) -> Result<Begun, Problem> {
    let deadline = progress.deadline.within(MOMENT);
    progress.timed("begin", deps.pipeline.call(&SESSION_BEGIN, begin, deadline)).await
}

fn chat_reply(
    begin: &BeginTurn,
    session_id: SessionId,
    session: &Session,
    reply: Reply,
    progress: &mut Progress,
) -> ChatReply {
    ChatReply {
        session_id,
        turn_id: begin.turn_id.clone(),
        assistant: begin.assistant.clone(),
        reply: Private(reply.words),
        action: action(&reply.help).name().to_owned(),
        help: Some(reply.help),
        notice: None,
        slots: session.slots.clone(),
        offers: Vec::new(),
        calendar: Vec::new(),
        booking: None,
        citations: Vec::new(),
        suggestions: Vec::new(),
        retrieval: None,
        written_by: Writer::Rules,
        usage: None,
        incomplete: false,
        degraded: std::mem::take(&mut progress.degraded),
        timings_ms: None,
    }
}

fn action(help: &Help) -> Action {
    if help.class == Class::LosingMoney { Action::FirstAid } else { Action::Crisis }
}

fn finished(reply: ChatReply, progress: &Progress) -> ChatReply {
    progress.finished(false, &reply.degraded, false);
    reply
}
