//! What a turn has come to so far: what it is missing, how long its steps took, and who is told meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contracts::api::{Citation, Degraded, RESPOND, ReplyEvent, ReplyRequest, TurnEvent, Usage, Writer};
use contracts::knowledge::{Passage, Retrieved};
use contracts::private::Private;
use contracts::problem::Problem;
use futures::StreamExt;
use futures::channel::mpsc::UnboundedSender;
use runtime::deadline::{Deadline, PublicDeadline};
use runtime::meter::{self, Outcome};
use runtime::pipeline::Pipeline;

/// What the end of a turn (the words, the commit) needs of the deadline when what comes before is slow.
pub(crate) const RESERVE: Duration = Duration::from_millis(700);
/// What keeping the turn needs of it when the words are slow: a reply that is cut off is kept and counted all the same.
const KEEPING: Duration = Duration::from_millis(400);

/// What is said where even the words are away.
const APOLOGY: &str =
    "I'm sorry, I can't answer that properly right now. What you told me is kept; please try again in a moment.";
const BARE_OFFERS: &str = "Here is what I found.";

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
    started: Instant,
    events: Option<UnboundedSender<TurnEvent>>,
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
    pub fn new(PublicDeadline { deadline, is_short }: PublicDeadline) -> Self {
        Self {
            deadline,
            end: deadline,
            hurried: is_short,
            degraded: Vec::new(),
            timings_ms: BTreeMap::new(),
            started: Instant::now(),
            events: None,
        }
    }

    pub fn stream_to(&mut self, events: UnboundedSender<TurnEvent>, end: Deadline) {
        self.events = Some(events);
        self.end = end;
        // What the caller set is the time of the first words alone.
        self.hurried = false;
    }

    /// How long the steps took: at the end of a stream, and for who asked for it.
    pub fn timings(&mut self, asked: bool) -> Option<BTreeMap<String, f64>> {
        (asked || self.events.is_some()).then(|| std::mem::take(&mut self.timings_ms))
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
        let failed = self.collect(pipeline, asked, &mut written).await.err();
        self.took("respond", started.elapsed());
        if let Some(problem) = failed {
            written.incomplete = true;
            self.degrade("respond", &problem);
        }
        if written.incomplete {
            let words = &written.words;
            written.citations = citations(&asked.passages, |number| words.contains(&format!("[{number}]")));
        }
        if written.words.is_empty() {
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
                ReplyEvent::Begun { written_by } => written.written_by = written_by,
                ReplyEvent::Failed { reason, usage } => {
                    // What was sent stays, and is marked as not whole.
                    written.written_by = Writer::Model;
                    written.incomplete = true;
                    written.usage = usage;
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
        meter::outcome(match degraded {
            _ if failed => Outcome::Failed,
            [] => Outcome::Ok,
            _ => Outcome::Degraded,
        });
    }

    /// Tells whoever listens; one that went away is no failure.
    pub fn emit(&self, event: impl FnOnce() -> TurnEvent) {
        if let Some(events) = &self.events {
            drop(events.unbounded_send(event()));
        }
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

/// Whether a reply failed on its way. Where a limit cut it off, it ended as it was asked to, and says so.
pub(crate) fn broke_off(incomplete: bool, degraded: &[Degraded]) -> bool {
    let limited = |one: &Degraded| one.part == "model" && matches!(one.reason.as_str(), "cut_off" | "filtered");
    incomplete && !degraded.iter().any(limited)
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
