//! One question without a talk: understand and retrieve at once, then respond. No table of talks is waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::api::Kind;
use contracts::api::{
    AskReply, AskRequest, ClientTime, RETRIEVE, ReplyRequest, TurnEvent, UNDERSTAND, Utterance, Writer,
};
use contracts::dialogue::{Action, Session, Understanding};
use contracts::knowledge::{RetrieveRequest, Retrieved};
use contracts::turns::RecordWork;
use runtime::deadline::PublicDeadline;
use runtime::flags::Order;

use crate::Deps;
use crate::progress::{Progress, RESERVE, Written};

/// What became of a question at first sight.
pub(crate) enum Asked {
    /// It is to be answered.
    Question(Box<Ask>),
    /// It is answered: somebody is in danger.
    Whole(Box<AskReply>),
}

/// A question under way.
pub(crate) struct Ask {
    pub deps: Arc<Deps>,
    pub request: AskRequest,
    pub progress: Progress,
}

impl Ask {
    pub fn new(deps: Arc<Deps>, request: AskRequest, deadline: PublicDeadline) -> Self {
        Self { deps, request, progress: Progress::new(deadline) }
    }

    /// The answer; what failed on the way is in its `degraded`.
    pub async fn answer(self) -> AskReply {
        let Self { deps, request, mut progress } = self;
        let AskRequest { assistant, question, trace, .. } = request;
        let turn_id = ulid::Ulid::generate().to_string();
        progress.emit(|| TurnEvent::Turn { session_id: None, turn_id: turn_id.clone(), assistant: assistant.clone() });

        // A question without a talk books nothing: the rules are enough to tell a courtesy.
        let utterance = Utterance { assistant: assistant.clone(), words: question.clone(), kind: Kind::Knowledge };
        let search = RetrieveRequest { assistant: assistant.clone(), question, ..RetrieveRequest::default() };
        let deadline = progress.deadline.less(RESERVE);
        let understanding = clocked(deps.pipeline.call(&UNDERSTAND, &utterance, deadline));
        let retrieving = clocked(deps.pipeline.call(&RETRIEVE, &search, deadline));
        let ((understood, understanding_took), (found, retrieving_took)) = match deps.flags.get().await.steps {
            Order::Concurrent => tokio::join!(understanding, retrieving),
            Order::Sequential => (understanding.await, retrieving.await),
        };
        progress.took("understand", understanding_took);
        progress.took("retrieve", retrieving_took);
        let understanding = understood.unwrap_or_else(|problem| {
            progress.degrade("understand", &problem);
            Understanding::default()
        });
        let courtesy = understanding.courtesy();
        let retrieved = if courtesy.is_some() { Retrieved::default() } else { progress.retrieved(found) };

        let asked = ReplyRequest {
            assistant,
            action: courtesy.map_or(Action::Retrieve, |topic| Action::Answer { topic, rank: None, then_ask: None }),
            session: Box::new(Session::default()),
            client_time: ClientTime::now(),
            offers: Vec::new(),
            more: 0,
            hand_offs_are_read: deps.hand_offs_are_read,
            question: search.question,
            passages: retrieved.passages,
            parts: retrieved.parts,
            near: retrieved.near,
            degraded: progress.degraded.clone(),
        };
        let Written { words, citations, written_by, usage, incomplete, failed } =
            progress.respond(&deps.pipeline, &asked).await;
        let reply = AskReply {
            turn_id,
            assistant: asked.assistant,
            reply: words,
            action: asked.action.name().to_owned(),
            help: None,
            citations,
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
