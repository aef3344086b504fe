//! What a turn has come to so far: what it is missing, how long its steps took, and who is told meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::api::{
    Citation, Degraded, RESPOND, ReplyEvent, ReplyRequest, SessionId, TURN_STOPPED, TurnEvent, TurnKey, Usage, Writer,
};
use contracts::knowledge::{Passage, Retrieved};
use contracts::private::Private;
use contracts::problem::Problem;
use futures::StreamExt;
use runtime::deadline::{Deadline, PublicDeadline};
use runtime::meter::{self, Outcome};
use runtime::pipeline::Pipeline;

use crate::running::{Turn, broke_off, is_stop};

/// What the end of a turn (the words, the commit) needs of the deadline when what comes before is slow.
pub(crate) const RESERVE: Duration = Duration::from_millis(700);
/// What keeping the turn needs of it when the words are slow: a reply that is cut off is kept and counted all the same.
const KEEPING: Duration = Duration::from_millis(400);

/// What is said where even the words are away.
const APOLOGY: &str =
    "I'm sorry, I can't answer that properly right now. What you told me is kept; please try again in a moment.";
const BARE_OFFERS: &str = "Here is what I found.";
/// What is said where a turn was stopped before its first word.
const STOPPED: &str = "This answer was stopped before it began.";

/// The longest that a whole stream may take.
const LONGEST: Duration = Duration::from_secs(120);
/// How often it is looked whether another process was asked to stop the turn, and how long each time at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Whole, within the deadline.
    Whole,
    /// As it is made: the deadline is that of the first words.
    Streamed,
}

/// A turn's progress.
pub(crate) struct Progress {
    /// When the reply must have begun.
    pub deadline: Deadline,
    /// When it must be whole: the same, unless it is streamed.
    pub end: Deadline,
    pub degraded: Vec<Degraded>,
    pub timings_ms: BTreeMap<String, f64>,
    /// The caller set the deadline, so that words cut off by it are no fault of ours.
    hurried: bool,
    delivery: Delivery,
    started: Instant,
    turn: Arc<Turn>,
    /// How whoever runs the turn is told to stop it; none before it is begun.
    key: Option<TurnKey>,
}

/// A reply's words, and where they are from.
#[derive(Default)]
pub(crate) struct Written {
    pub words: Private<String>,
    pub citations: Vec<Citation>,
    pub written_by: Writer,
    pub usage: Option<Usage>,
    pub incomplete: bool,
    /// No step gave a word, or the words broke off before the caller's own deadline.
    pub failed: bool,
}

impl Progress {
    pub fn new(asked: PublicDeadline, delivery: Delivery, turn: Arc<Turn>) -> Self {
        let PublicDeadline { deadline, is_short, limit } = asked;
        let is_streamed = delivery == Delivery::Streamed;
        Self {
            deadline,
            end: if is_streamed { limit.within(LONGEST) } else { deadline },
            degraded: Vec::new(),
            timings_ms: BTreeMap::new(),
            // Of a stream, what the caller set is the time of the first words alone.
            hurried: is_short && !is_streamed,
            delivery,
            started: Instant::now(),
            turn,
            key: None,
        }
    }

    /// The turn's id, once it is begun.
    pub fn turn_id(&self) -> String {
        self.key.as_ref().map(|key| key.turn_id.clone()).unwrap_or_default()
    }

    /// The turn can be followed and stopped from now on: by its session, or where it has none, by who knows its id.
    pub fn begun(&mut self, session_id: Option<SessionId>, turn_id: &str, assistant: &str) {
        let (turn_id, assistant) = (turn_id.to_owned(), assistant.to_owned());
        self.turn.belongs_to(session_id.clone());
        self.key = Some(TurnKey { session_id: session_id.clone(), turn_id: turn_id.clone() });
        self.emit(|| TurnEvent::Turn { session_id, turn_id, assistant });
    }

    /// How long the steps took: at the end of a stream, and for who asked for it.
    pub fn timings(&mut self, asked: bool) -> Option<BTreeMap<String, f64>> {
        (asked || self.delivery == Delivery::Streamed).then(|| std::mem::take(&mut self.timings_ms))
    }

    /// Waits until the turn is to be stopped.
    pub fn stopped(&self) -> impl Future<Output = ()> + use<> {
        let turn = self.turn.clone();
        async move { turn.stopped().await }
    }

    /// Notes that the turn was stopped: nothing more is looked for or said.
    pub fn note_stop(&mut self) {
        if !self.is_stopped() {
            self.degraded.push(Degraded::new("reply", "stopped"));
        }
    }

    fn is_stopped(&self) -> bool {
        self.degraded.iter().any(is_stop)
    }

    /// Takes what `retrieve` answered: nothing where it is away.
    pub fn retrieved(&mut self, answer: Result<Retrieved, Problem>) -> Retrieved {
        let mut retrieved = answer.unwrap_or_else(|problem| {
            self.degrade("retrieve", &problem);
            Retrieved::default()
        });
        self.degraded.append(&mut retrieved.degraded);
        keep_back_means(&mut retrieved.passages);
        if !retrieved.passages.is_empty() {
            self.emit(|| TurnEvent::Citations { citations: citations(&retrieved.passages, |_| true) });
        }
        retrieved
    }

    /// The whole reply, collected from the stream; what came of it before a failure, or an apology.
    pub async fn respond(&mut self, pipeline: &Pipeline, asked: &ReplyRequest) -> Written {
        let started = Instant::now();
        let mut written = Written::default();
        let stopped = stopped_anywhere(self.turn.clone(), self.key.clone(), pipeline);
        let failed = tokio::select! {
            collected = self.collect(pipeline, asked, &mut written), if !self.is_stopped() => collected.err(),
            () = stopped => {
                self.note_stop();
                None
            }
        };
        self.took("respond", started.elapsed());
        if let Some(problem) = failed {
            written.incomplete = true;
            self.degrade("respond", &problem);
        }
        written.incomplete |= self.is_stopped();
        if written.incomplete {
            let words = &written.words;
            written.citations = citations(&asked.passages, |number| words.contains(&format!("[{number}]")));
            // What was not told is paid all the same.
            written.usage =
                written.usage.map(|usage| if usage.estimated { usage.and_written(words.len()) } else { usage });
        }
        if written.words.is_empty() && self.is_stopped() {
            written.written_by = Writer::Rules;
            written.words.0.push_str(STOPPED);
            self.emit(|| TurnEvent::Delta { text: written.words.clone() });
        } else if written.words.is_empty() {
            (written.written_by, written.incomplete) = (Writer::Rules, false);
            written.failed = asked.offers.is_empty();
            written.words.0.push_str(if written.failed { APOLOGY } else { BARE_OFFERS });
            self.emit(|| TurnEvent::Delta { text: written.words.clone() });
        }
        // What broke the words off was noted last.
        let out_of_time = self.degraded.last().is_some_and(|one| one.reason == "timeout");
        written.failed |= broke_off(written.incomplete, &self.degraded) && !(self.hurried && out_of_time);
        written
    }

    async fn collect(
        &mut self,
        pipeline: &Pipeline,
        asked: &ReplyRequest,
        written: &mut Written,
    ) -> Result<(), Problem> {
        let mut bits =
            Box::pin(pipeline.stream(&RESPOND, asked, self.deadline.less(KEEPING), self.end.less(KEEPING)).await?);
        while let Some(bit) = bits.next().await {
            match bit? {
                ReplyEvent::Delta { text } => {
                    written.words.0.push_str(&text);
                    self.emit(|| TurnEvent::Delta { text });
                }
                ReplyEvent::Degraded { degraded } => self.degraded.push(degraded),
                ReplyEvent::Begun { written_by, estimate } => {
                    (written.written_by, written.usage) = (written_by, estimate);
                }
                ReplyEvent::Failed { reason, usage } => {
                    // What was sent stays, and is marked as not whole.
                    written.written_by = Writer::Model;
                    written.incomplete = true;
                    written.usage = usage.or(written.usage.take());
                    self.degraded.push(Degraded::new("model", reason));
                    return Ok(());
                }
                ReplyEvent::Done { written_by, cited, usage } => {
                    written.citations = citations(&asked.passages, |number| cited.contains(&number));
                    written.written_by = written_by;
                    written.usage = usage;
                    return Ok(());
                }
                ReplyEvent::Other => {}
            }
        }
        Err(Problem::unavailable("The answer broke off.", anyhow::anyhow!("{} ended without done", RESPOND.path)))
    }

    /// Does a step's work and notes how long it took.
    pub async fn timed<T>(&mut self, step: &str, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let output = work.await;
        self.took(step, started.elapsed());
        output
    }

    /// Notes how long a step took.
    pub fn took(&mut self, step: &str, time: Duration) {
        let milliseconds = (time.as_secs_f64() * 100_000.0).round() / 100.0;
        self.timings_ms.insert(step.to_owned(), milliseconds);
        self.emit(|| TurnEvent::Step { step: step.to_owned(), milliseconds });
    }

    /// Notes that all is said and kept: `by_model` where a model had a part in it, `failed` where the words did not come.
    pub fn finished(&self, by_model: bool, degraded: &[Degraded], failed: bool) {
        // A model that hangs or fails takes a model's time.
        let in_vain = degraded.iter().any(|one| one.part == "model");
        meter::turn(by_model || in_vain, self.started.elapsed());
        // What a person stopped misses nothing.
        let is_whole = degraded.iter().all(is_stop);
        meter::outcome(match is_whole {
            _ if failed => Outcome::Failed,
            true => Outcome::Ok,
            false => Outcome::Degraded,
        });
    }

    /// Tells whoever follows the turn, once it is begun.
    pub fn emit(&self, event: impl FnOnce() -> TurnEvent) {
        if self.key.is_some() {
            self.turn.tell(event());
        }
    }

    /// Tells an answer that was given before, or needed no turn.
    pub fn replay(&self, events: impl IntoIterator<Item = TurnEvent>) {
        events.into_iter().for_each(|event| self.turn.tell(event));
    }

    /// Notes a failed step, once in the reply and once in the log.
    pub fn degrade(&mut self, part: &str, problem: &Problem) {
        let cause = problem.cause();
        tracing::warn!(part, problem = %problem, cause, "answering without a part");
        self.degraded.push(Degraded::because(part, problem));
    }
}

/// Takes out of passages what says how much or which way kills, whoever asked and whatever texts were taken in.
fn keep_back_means(passages: &mut Vec<Passage>) {
    for passage in &mut *passages {
        if let Some(text) = safety::without_means(&passage.text) {
            passage.text = text;
        }
    }
    passages.retain(|passage| !passage.text.is_empty());
}

/// Waits until a turn is to be stopped, also by whom another process is asked: that is looked for while words come.
async fn stopped_anywhere(turn: Arc<Turn>, key: Option<TurnKey>, pipeline: &Pipeline) {
    let elsewhere = async {
        let Some(key) = key else { return std::future::pending().await };
        turn.speaks().await;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let mark = pipeline.call(&TURN_STOPPED, &key, Deadline::after(LOOK_EVERY)).await;
            // Where it cannot be looked, words go on.
            if mark.is_ok_and(|mark| mark.is_stopped) {
                return;
            }
        }
    };
    tokio::select! {
        () = turn.stopped() => {}
        () = elsewhere => {}
    }
}

/// Counts a turn that has no answer, unless that is the client's fault.
pub(crate) fn unanswered(problem: &Problem) {
    if problem.status().is_server_error() {
        meter::outcome(Outcome::Failed);
    }
}

/// The passages of which `is_cited` holds, by their numbers from 1.
fn citations(passages: &[Passage], is_cited: impl Fn(usize) -> bool) -> Vec<Citation> {
    let citation = |(index, passage): (usize, &Passage)| Citation {
        number: index + 1,
        id: passage.id.clone(),
        source: passage.source.clone(),
        url: passage.url.clone(),
        heading: passage.heading.clone(),
        text: passage.text.clone(),
    };
    passages.iter().enumerate().filter(|(index, _)| is_cited(index + 1)).map(citation).collect()
}
