//! One turn through the steps: claim its key, understand, begin, search or retrieve where that was decided, respond, commit.

use std::sync::Arc;
use std::time::Duration;

use contracts::api::Kind;
use contracts::api::{
    Answer, BeginTurn, Begun, ChatReply, ChatRequest, ClaimKey, ClaimedKey, ClientTime, CommitTurn, FLIGHTS,
    Idempotency, RETRIEVE, RankedOffers, ReplyRequest, SESSION_BEGIN, SESSION_CLAIM, SESSION_COMMIT, TurnEvent,
    UNDERSTAND, Usage, Utterance, Writer,
};
use contracts::dialogue::{Action, Session, Understanding};
use contracts::knowledge::{RetrieveRequest, Retrieved};
use contracts::private::Private;
use contracts::problem::Problem;
use contracts::travel::{Booking, FlightQuery, Offer};
use contracts::turns::RecordWork;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use runtime::deadline::{Deadline, PublicDeadline};
use safety::Region;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::crisis::Danger;
use crate::opened::{Opened, release};
use crate::progress::{Delivery, Progress, RESERVE, Written, unanswered};
use crate::running::{self, caught};
use crate::stream::replayed;
use crate::{Deps, booking, calendar, crisis, suggest};

/// How many questions are suggested instead of one that nothing answers.
const SUGGESTIONS: usize = 3;
/// How many offers one answer shows.
const OFFERS_SHOWN: usize = 5;
/// How many of the last messages say what a follow-up is about.
const BEFORE: usize = 6;
/// For how much longer than a turn can take its idempotency key is its own: clocks differ.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// A message to be answered.
struct Message {
    deps: Arc<Deps>,
    turn_id: Ulid,
    request: ChatRequest,
    kind: Kind,
    /// Where its writer is, as far as the request tells.
    region: Region,
    danger: Option<Danger>,
}

/// A turn under way: the session as `begin` left it, and what happened so far.
struct Turn {
    deps: Arc<Deps>,
    message: Private<String>,
    begin: BeginTurn,
    opened: Opened,
    action: Action,
    /// The offers of the search that more is asked of.
    ranked: Vec<Offer>,
    trace: bool,
    progress: Progress,
}

/// How long it is known that an AI answers, once it was said.
const KNOWN: SignedDuration = SignedDuration::from_hours(3);
/// What says so.
const NOTICE: &str = "You are writing with an AI, not with a person.";

/// What has to be shown with this turn, at the start of a session and every three hours.
fn notice(session: &mut Session) -> Option<String> {
    let now = Timestamp::now();
    let is_known = session.notified.is_some_and(|at| now.duration_since(at) < KNOWN);
    (!is_known).then(|| {
        session.notified = Some(now);
        NOTICE.to_owned()
    })
}

/// What was found for an action.
#[derive(Default)]
struct Found {
    offers: Vec<Offer>,
    more: usize,
    /// All of them, where they were searched now.
    ranked: Option<RankedOffers>,
    retrieved: Option<Retrieved>,
    booking: Option<Booking>,
}

/// Runs the turn of a message.
///
/// # Errors
/// What is wrong with the request itself; what else keeps it from being answered is the turn's outcome.
pub(crate) fn start(
    deps: Arc<Deps>,
    request: ChatRequest,
    idempotency_key: Option<String>,
    headers: &HeaderMap,
    asked: PublicDeadline,
    delivery: Delivery,
) -> Result<Arc<running::Turn>, Problem> {
    let kind = deps.assistants.get(&request.assistant)?.kind;
    let danger = crisis::look(&request.message, request.client_time.as_ref(), headers);
    if danger.is_none() {
        // A cry for help may be as long as it likes, and finds room.
        request.check()?;
        deps.running.check_room()?;
    }
    let region = crisis::region(&request.message, request.client_time.as_ref(), headers);
    let turn_id = Ulid::generate();
    let (turns, message) = (deps.running.clone(), Message { deps, turn_id, request, kind, region, danger });
    Ok(turns.run(turn_id, move |turn| async move {
        let progress = Progress::new(asked, delivery, turn);
        let _place = match message.danger {
            Some(_) => None,
            None => Some(message.deps.running.place(progress.deadline).await?),
        };
        // What a turn goes through is large: those that wait do without.
        Box::pin(message.answer(idempotency_key, progress)).await.map(|reply| Answer::Chat(Box::new(reply)))
    }))
}

impl Message {
    /// Answers it, under its key where it has one.
    async fn answer(self, key: Option<String>, mut progress: Progress) -> Result<ChatReply, Problem> {
        let idempotency = key.map(|key| {
            let lease = progress.end.remaining() + LEASE_MARGIN;
            let lease_ms = lease.as_millis().try_into().unwrap_or(u64::MAX);
            Idempotency { key, body_hash: hash(&self.request), lease_ms }
        });
        if let Some(danger) = self.danger {
            let Self { deps, turn_id, request, .. } = self;
            let turn_id = turn_id.to_string();
            return Ok(crisis::answer(&deps, turn_id, request, idempotency, danger, progress).await);
        }
        let Some(idempotency) = idempotency else { return Box::pin(self.begin(None, progress)).await };
        let (turn_id, session_id) = (self.turn_id.to_string(), self.request.session_id.clone());
        let (deps, key) = (self.deps.clone(), ClaimKey { turn_id, session_id, idempotency });
        let claimed = progress.timed("claim", deps.pipeline.call(&SESSION_CLAIM, &key, progress.deadline)).await;
        let outcome = match claimed.inspect_err(unanswered) {
            Ok(ClaimedKey { answered: Some(reply), .. }) => {
                progress.replay(replayed(&reply));
                return Ok(*reply);
            }
            Ok(ClaimedKey { claim, .. }) => caught(Box::pin(self.begin(Some((claim, &key)), progress))).await,
            // The key is another turn's, or none.
            Err(problem) if problem.status().is_client_error() => return Err(problem),
            Err(problem) => Err(problem),
        };
        if outcome.is_err() {
            release(&deps, &key).await;
        }
        outcome
    }

    /// Understands it, begins its turn and takes that to its end.
    async fn begin(self, claimed: Option<(String, &ClaimKey)>, mut progress: Progress) -> Result<ChatReply, Problem> {
        let (claim, key) = claimed.unzip();
        let Self { deps, turn_id, request, kind, region, .. } = self;
        let ChatRequest { assistant, message, session_id, client_time, trace } = request;
        let understanding = understand(&deps, &mut progress, &assistant, kind, &message).await;
        let begin = BeginTurn {
            turn_id: turn_id.to_string(),
            assistant,
            kind,
            session_id,
            client_time: client_time.unwrap_or_else(ClientTime::now),
            in_danger: understanding.danger.is_some(),
            understanding,
            idempotency: None,
        };
        let begun = progress.timed("begin", deps.pipeline.call(&SESSION_BEGIN, &begin, progress.deadline)).await;
        match begun.inspect_err(unanswered)? {
            Begun::Replay { reply } => {
                progress.replay(replayed(&reply));
                Ok(*reply)
            }
            Begun::Other => Err(Problem::unavailable(
                "This service is being renewed.",
                anyhow::anyhow!("a turn began in a way of a later release"),
            )),
            Begun::Turn { session_id, version, session, action, ranked, before, .. } => {
                if let Some(class) = begin.understanding.danger {
                    let danger = Danger::seen_by_model(class, region);
                    let reply = danger.reply(&message, session.care.as_ref());
                    let opened = Opened { session_id, version, session, claim };
                    return Ok(crisis::keep(&deps, begin, opened, key, message, reply, progress).await);
                }
                let care = before.as_ref().and_then(|before| before.care.as_ref());
                // "My sister is with me now. We need two seats to Varna on the 19th": that is what they want next.
                let goes_on = begin.understanding.places.len() >= 2 && !begin.understanding.dates.is_empty();
                let answer = care.and_then(|care| safety::to_answer(&message, region, care, goes_on));
                if let (Some(session), Some(reply)) = (before, answer) {
                    let opened = Opened { session_id, version, session, claim };
                    return Ok(crisis::keep(&deps, begin, opened, key, message, reply, progress).await);
                }
                let opened = Opened { session_id, version, session, claim };
                Turn { deps, message, begin, opened, action, ranked, trace, progress }.answer().await
            }
        }
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
    // Half of it: where nothing is understood in time, the session can still say so.
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
    async fn answer(self) -> Result<ChatReply, Problem> {
        let Self { deps, message, begin, opened, action, ranked, trace, mut progress } = self;
        let Opened { session_id, version, mut session, claim } = opened;
        let notice = notice(&mut session);
        let reminder = session.care.as_ref().filter(|care| care.reminds()).map(safety::reminder);
        if let Some(care) = &mut session.care {
            care.turns_since = care.turns_since.saturating_add(1);
        }
        progress.begun(Some(session_id.clone()), &begin.turn_id, &begin.assistant);
        let BeginTurn { turn_id, assistant, kind, client_time, understanding, .. } = begin;
        let stopped = progress.stopped();
        let until = progress.deadline.less(RESERVE);
        let days = calendar::compare(&deps.pipeline, &action, &session, until);
        let work =
            async { tokio::join!(find(&deps, &mut progress, &assistant, (&action, ranked), &session, &message), days) };
        let (found, compared) = tokio::select! {
            found = work => found,
            () = stopped => {
                progress.note_stop();
                Default::default()
            }
        };
        let ranked = found.ranked;
        let found_none = found.offers.is_empty() && progress.degraded.is_empty();
        compared.took().into_iter().for_each(|took| progress.took("days", took));
        let (calendar, missing) = compared.with(&session, ranked.as_ref());
        progress.degraded.extend(missing);
        let searches = suggest::searches(&action, &session, found_none);
        let suggestions = if searches.is_empty() {
            Vec::new()
        } else {
            progress.timed("suggestions", suggest::costs(&deps.pipeline, searches, until)).await
        };
        let retrieval = found.retrieved.as_ref().map(|retrieved| retrieved.retrieval);
        let retrieved = found.retrieved.unwrap_or_default();
        let asked = ReplyRequest {
            assistant,
            action,
            session,
            client_time,
            offers: found.offers,
            more: found.more,
            booking: found.booking,
            suggestions,
            calendar,
            hand_offs_are_read: deps.hand_offs_are_read,
            question: message,
            passages: retrieved.passages,
            parts: retrieved.parts,
            near: retrieved.near,
            degraded: progress.degraded.clone(),
        };
        let Written { mut words, citations, written_by, usage, incomplete, failed } =
            progress.respond(&deps.pipeline, &asked).await;
        if let Some(reminder) = reminder {
            let text = Private(format!("\n\n{reminder}"));
            words.0.push_str(&text);
            progress.emit(|| TurnEvent::Delta { text });
        }
        let suggestions = instead(&asked);
        let ReplyRequest {
            assistant, action, session, client_time, offers, booking, calendar, question: message, ..
        } = asked;
        let reply = ChatReply {
            session_id,
            turn_id,
            assistant,
            reply: words,
            action: action.name().to_owned(),
            help: None,
            notice,
            slots: session.slots.clone(),
            offers,
            calendar,
            booking,
            citations,
            suggestions,
            retrieval,
            written_by,
            usage: Usage::sum(understanding.usage.clone(), usage),
            incomplete,
            degraded: std::mem::take(&mut progress.degraded),
            timings_ms: None,
        };
        let (end, timings_ms) = (progress.end, progress.timings_ms.clone());
        let commit = CommitTurn {
            version,
            session,
            kind,
            understanding,
            client_time,
            message,
            reply,
            timings_ms,
            claim,
            ranked,
        };
        let kept = progress.timed("commit", deps.pipeline.call(&SESSION_COMMIT, &commit, end)).await;
        let kept = kept.inspect_err(unanswered)?;
        deps.tell(RecordWork::kept(&commit.reply), end).await;
        let reply = &commit.reply;
        let by_model = reply.written_by == Writer::Model || reply.usage.is_some() || commit.understanding.asked_model;
        progress.finished(by_model, &reply.degraded, failed);
        let timings_ms = progress.timings(trace);
        Ok(ChatReply { slots: kept.slots, timings_ms, ..commit.reply })
    }
}

/// What can be asked instead of what nothing answered: what the reply names.
pub(crate) fn instead(asked: &ReplyRequest) -> Vec<String> {
    if asked.passages.is_empty() { asked.near.iter().take(SUGGESTIONS).cloned().collect() } else { Vec::new() }
}

/// What the action needs: flights, an offer shown before, or passages.
async fn find(
    deps: &Deps,
    progress: &mut Progress,
    assistant: &str,
    (action, ranked): (&Action, Vec<Offer>),
    session: &Session,
    message: &Private<String>,
) -> Found {
    let found = match action {
        Action::SearchFlights { skip, .. } if !ranked.is_empty() => page(ranked, *skip),
        Action::SearchFlights { query, skip } => search(deps, progress, query, *skip).await,
        Action::ShowOffer { rank } => {
            let offers = session.shown.iter().filter(|offer| offer.rank == *rank).cloned().collect();
            Found { offers, ..Found::default() }
        }
        Action::Book { rank, query } => {
            let (booking, offer) = booking::price(deps, progress, session, *rank, query).await.unzip();
            Found { booking, offers: offer.flatten().into_iter().collect(), ..Found::default() }
        }
        Action::Retrieve | Action::LookUp { .. } => {
            // What is asked in the middle of a booking does not go on with the booking.
            let before = if matches!(action, Action::Retrieve) { BEFORE } else { 0 };
            let turns = session.turns.iter().rev().take(before).rev();
            let (before, cited) = turns.map(|turn| (turn.message.clone(), turn.cited.clone())).unzip();
            let (assistant, question) = (assistant.to_owned(), message.clone());
            let request = RetrieveRequest { assistant, question, before, cited, ..RetrieveRequest::default() };
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
    // What is on time comes first; the rest follows, and is marked.
    query.put_timely_first(&mut results.offers);
    progress.degraded.extend(results.degraded);
    let all = RankedOffers { query: query.clone(), offers: results.offers.clone() };
    let ranked = (!all.offers.is_empty()).then_some(all);
    Found { ranked, ..page(results.offers, skip) }
}

/// The page after the first `skip` offers, and how many come after it.
fn page(ranked: Vec<Offer>, skip: usize) -> Found {
    let more = ranked.len().saturating_sub(skip.saturating_add(OFFERS_SHOWN));
    let offers = ranked.into_iter().skip(skip).take(OFFERS_SHOWN).collect();
    Found { offers, more, ..Found::default() }
}

/// What makes two requests the same: all that they say.
fn hash(request: &ChatRequest) -> String {
    let json = serde_json::to_vec(request).unwrap_or_default();
    Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect()
}
