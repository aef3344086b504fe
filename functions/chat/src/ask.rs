//! One question without a session: understand and retrieve at once, then respond. No table of sessions is waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::api::Kind;
use contracts::api::{Answer, AskReply, AskRequest, ClientTime, RETRIEVE, ReplyRequest, UNDERSTAND, Utterance, Writer};
use contracts::dialogue::{Action, Session, Understanding};
use contracts::knowledge::{RetrieveRequest, Retrieved};
use contracts::problem::Problem;
use contracts::turns::RecordWork;
use http::HeaderMap;
use runtime::deadline::PublicDeadline;
use runtime::flags::Order;
use ulid::Ulid;

use crate::progress::{Delivery, Progress, RESERVE, Written};
use crate::running::Turn;
use crate::turn::instead;
use crate::{Deps, crisis};

/// Runs a question.
///
/// # Errors
/// What is wrong with the request.
pub(crate) fn start(
    deps: Arc<Deps>,
    request: AskRequest,
    headers: &HeaderMap,
    asked: PublicDeadline,
    delivery: Delivery,
) -> Result<Arc<Turn>, Problem> {
    deps.assistants.get(&request.assistant)?;
    let danger = crisis::look(&request.question, request.client_time.as_ref(), headers);
    if danger.is_none() {
        request.check()?;
        deps.running.check_room()?;
    }
    let turn_id = Ulid::generate();
    let turns = deps.running.clone();
    Ok(turns.run(turn_id, move |turn| async move {
        let (turn_id, progress) = (turn_id.to_string(), Progress::new(asked, delivery, turn));
        let reply = match danger {
            Some(danger) => crisis::answer_question(&deps, turn_id, request, danger, progress).await,
            None => {
                let _place = deps.running.place(progress.deadline).await?;
                Box::pin(Question { deps: deps.clone(), turn_id, request, progress }.answer()).await
            }
        };
        Ok(Answer::Ask(Box::new(reply)))
    }))
}

/// A question under way.
struct Question {
    deps: Arc<Deps>,
    turn_id: String,
    request: AskRequest,
    progress: Progress,
}

impl Question {
    /// The answer; what failed on the way is in its `degraded`.
    async fn answer(self) -> AskReply {
        let Self { deps, turn_id, request, mut progress } = self;
        let AskRequest { assistant, question, trace, .. } = request;
        progress.begun(None, &turn_id, &assistant);

        // A question without a session books nothing: the rules are enough to tell a courtesy.
        let utterance = Utterance { assistant: assistant.clone(), words: question.clone(), kind: Kind::Knowledge };
        let search = RetrieveRequest { assistant: assistant.clone(), question, ..RetrieveRequest::default() };
        let deadline = progress.deadline.less(RESERVE);
        let understanding = clocked(deps.pipeline.call(&UNDERSTAND, &utterance, deadline));
        let retrieving = clocked(deps.pipeline.call(&RETRIEVE, &search, deadline));
        let both = async {
            match deps.flags.last().steps {
                Order::Concurrent => tokio::join!(understanding, retrieving),
                Order::Sequential => (understanding.await, retrieving.await),
            }
        };
        let stopped = progress.stopped();
        let (understanding, retrieved) = tokio::select! {
            ((understood, understanding_took), (found, retrieving_took)) = both => {
                progress.took("understand", understanding_took);
                progress.took("retrieve", retrieving_took);
                let understanding = understood.unwrap_or_else(|problem| {
                    progress.degrade("understand", &problem);
                    Understanding::default()
                });
                let is_courtesy = understanding.courtesy().is_some();
                (understanding, if is_courtesy { Retrieved::default() } else { progress.retrieved(found) })
            }
            () = stopped => {
                progress.note_stop();
                (Understanding::default(), Retrieved::default())
            }
        };
        let courtesy = understanding.courtesy();

        let asked = ReplyRequest {
            assistant,
            action: courtesy.map_or(Action::Retrieve, |topic| Action::Answer { topic, rank: None, then_ask: None }),
            session: Box::new(Session::default()),
            client_time: ClientTime::now(),
            offers: Vec::new(),
            more: 0,
            booking: None,
            suggestions: Vec::new(),
            calendar: Vec::new(),
            hand_offs_are_read: deps.hand_offs_are_read,
            question: search.question,
            passages: retrieved.passages,
            parts: retrieved.parts,
            near: retrieved.near,
            degraded: progress.degraded.clone(),
        };
        let Written { words, citations, written_by, usage, incomplete, failed } =
            progress.respond(&deps.pipeline, &asked).await;
        let suggestions = instead(&asked);
        let reply = AskReply {
            turn_id,
            assistant: asked.assistant,
            reply: words,
            action: asked.action.name().to_owned(),
            help: None,
            citations,
            suggestions,
            retrieval: retrieved.retrieval,
            written_by,
            usage,
            incomplete,
            degraded: std::mem::take(&mut progress.degraded),
            timings_ms: progress.timings(trace),
        };
        deps.tell(RecordWork::ask(&reply), progress.end).await;
        let by_model = reply.written_by == Writer::Model || reply.usage.is_some();
        progress.finished(by_model, &reply.degraded, failed);
        reply
    }
}

async fn clocked<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    (work.await, started.elapsed())
}
