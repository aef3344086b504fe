//! The turns of this process: each runs in a task of its own, and connections only follow what it tells. A client that leaves,
//! reloads or loses its network finds it by its id.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use contracts::api::{Answer, Degraded, SessionId, TurnEvent};
use contracts::problem::Problem;
use futures::{FutureExt, Stream, stream};
use http::StatusCode;
use runtime::deadline::Deadline;
use runtime::trace;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use ulid::Ulid;

/// For how long the events of a finished turn can be followed.
const AFTER_END: Duration = Duration::from_secs(30);
/// How many finished turns are there to be followed at most; of more, the first to finish goes.
const FINISHED_LIMIT: usize = 256;
/// The share of its time for which a turn may wait for its place, as a fraction: what is left must do for the turn itself.
const WAITING: (u32, u32) = (2, 3);
/// When those come again for whom there is no room.
const COME_AGAIN: Duration = Duration::from_secs(2);
/// How long a turn that is stopped at a shutdown has to be kept.
const KEEPING: Duration = Duration::from_secs(1);

/// What is said of the words so far where a reply broke off: a session keeps them, and a question has none.
const KEPT: &str = "The words so far are kept; what would have followed is missing.";
const NOT_KEPT: &str =
    "The words so far are all there is; what would have followed is missing, and can be asked again.";

/// The turns that this process runs, and those that it finished just now.
pub struct RunningTurns {
    /// How many there may be, those that wait for a place included.
    most: usize,
    /// Held by those that are being answered.
    places: Arc<Semaphore>,
    under_way: watch::Sender<usize>,
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    by_id: HashMap<Ulid, Arc<Turn>>,
    /// When which turn ended, in that order.
    finished: VecDeque<(Instant, Ulid)>,
}

/// What a turn told so far, for whoever follows it.
pub(crate) struct Turn {
    /// Who may follow it: its session, or, of a question without one, who knows its id. Not known before it is begun.
    owner: OnceLock<Option<SessionId>>,
    told: watch::Sender<Told>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Told {
    events: Vec<Arc<TurnEvent>>,
    end: Option<Arc<Result<Answer, Problem>>>,
}

impl RunningTurns {
    /// As many at once as come: in AWS, Lambda says how many come to one environment.
    pub(crate) fn new() -> Arc<Self> {
        Self::with_room_for(usize::MAX, Semaphore::MAX_PERMITS)
    }

    /// For `most` turns, of which `at_once` are answered and the others wait.
    pub(crate) fn with_room_for(most: usize, at_once: usize) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { most, places, under_way: watch::Sender::new(0), turns: Mutex::default() })
    }

    /// Whether one more can be taken to its end. To be asked before anything is done for it: what was begun is not refused.
    ///
    /// # Errors
    /// 503 where there is no room, to come again in a moment.
    pub(crate) fn check_room(&self) -> Result<(), Problem> {
        if *self.under_way.borrow() < self.most { Ok(()) } else { Err(busy()) }
    }

    /// Waits for a place among those that are answered, in the order of coming. A crowd that began all at once would end all
    /// too late; who waits has cost nothing yet.
    ///
    /// # Errors
    /// 503 where it took so long that the turn could not end in time.
    pub(crate) async fn place(&self, deadline: Deadline) -> Result<OwnedSemaphorePermit, Problem> {
        let longest = Deadline::after(deadline.remaining() * WAITING.0 / WAITING.1);
        let place = tokio::time::timeout_at(longest.instant(), self.places.clone().acquire_owned()).await;
        place.map_err(|_| busy())?.map_err(Problem::internal)
    }

    /// Runs a turn in a task of its own, whoever follows it.
    pub(crate) fn run<F>(self: &Arc<Self>, id: Ulid, work: impl FnOnce(Arc<Turn>) -> F) -> Arc<Turn>
    where
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let turn = Arc::new(Turn::new());
        self.table().by_id.insert(id, turn.clone());
        self.under_way.send_modify(|under_way| *under_way += 1);
        // On the heap: what a turn goes through is large.
        let work = Box::pin(caught(work(turn.clone())));
        let (turns, ends) = (self.clone(), turn.clone());
        drop(trace::spawn(async move {
            ends.end(work.await);
            turns.table().finished.push_back((Instant::now(), id));
            turns.under_way.send_modify(|under_way| *under_way -= 1);
        }));
        turn
    }

    /// The turn of that id, for who may follow it, until half a minute after its end.
    pub(crate) fn find(&self, id: Ulid, session: Option<&SessionId>) -> Option<Arc<Turn>> {
        let turn = self.table().by_id.get(&id)?.clone();
        turn.owner.get()?.as_ref().is_none_or(|owner| session == Some(owner)).then_some(turn)
    }

    /// Waits until all are finished, for `grace` at most: then those that still run are stopped, and keep the words so far.
    /// Whether none had to be.
    pub async fn finish(&self, grace: Duration) -> bool {
        let mut under_way = self.under_way.subscribe();
        if tokio::time::timeout(grace, under_way.wait_for(|under_way| *under_way == 0)).await.is_ok() {
            return true;
        }
        self.table().by_id.values().for_each(|turn| turn.stop());
        drop(tokio::time::timeout(KEEPING, under_way.wait_for(|under_way| *under_way == 0)).await);
        false
    }

    /// The table without those that ended too long ago.
    fn table(&self) -> MutexGuard<'_, Turns> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, id)) = turns.finished.front().copied().filter(|(ended, _)| ended.elapsed() > AFTER_END) {
            turns.forget_first(id);
        }
        while let Some((_, id)) = turns.finished.front().copied().filter(|_| turns.finished.len() > FINISHED_LIMIT) {
            turns.forget_first(id);
        }
        turns
    }
}

fn busy() -> Problem {
    let detail = "As many messages are being answered as this service can hold; nothing was done with this one.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy", detail).retry_after(COME_AGAIN)
}

impl Turns {
    fn forget_first(&mut self, id: Ulid) {
        self.finished.pop_front();
        self.by_id.remove(&id);
    }
}

/// Does `work` and takes a panic for a fault of ours, so that what follows it is done.
pub(crate) async fn caught<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let panicked = |_| Err(Problem::internal(anyhow::anyhow!("a turn panicked")));
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(panicked)
}

impl Turn {
    fn new() -> Self {
        Self { owner: OnceLock::new(), told: watch::Sender::default(), stop: watch::Sender::new(false) }
    }

    /// From now on it can be found by its id: by `owner`, or, where there is none, by everybody who knows it.
    pub fn belongs_to(&self, owner: Option<SessionId>) {
        drop(self.owner.set(owner));
    }

    /// Tells whoever follows, now or later.
    pub fn tell(&self, event: TurnEvent) {
        self.told.send_modify(|told| told.events.push(Arc::new(event)));
    }

    fn end(&self, outcome: Result<Answer, Problem>) {
        // Here, for nobody may be left to be told.
        let outcome = Arc::new(outcome.map_err(Problem::logged));
        self.told.send_modify(|told| told.end = Some(outcome));
    }

    /// Asks it to end with the words so far.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until that is asked.
    pub async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until its words come.
    pub async fn speaks(&self) {
        let mut told = self.told.subscribe();
        let speaks = |told: &Told| matches!(told.events.last().map(|event| &**event), Some(TurnEvent::Delta { .. }));
        if told.wait_for(speaks).await.is_err() {
            std::future::pending().await
        }
    }

    /// What it came to; none while it runs.
    pub fn outcome(&self) -> Option<Arc<Result<Answer, Problem>>> {
        self.told.borrow().end.clone()
    }

    /// What it comes to, once it ended.
    pub async fn ended(&self) -> Result<Arc<Result<Answer, Problem>>, Problem> {
        let mut told = self.told.subscribe();
        let told = told.wait_for(|told| told.end.is_some()).await.map_err(Problem::internal)?;
        told.end.clone().ok_or_else(|| Problem::internal(anyhow::anyhow!("a turn ended with nothing")))
    }

    /// Waits until it tells something.
    ///
    /// # Errors
    /// Why it ended before it was begun.
    pub async fn begins(&self) -> Result<(), Problem> {
        let mut told = self.told.subscribe();
        let begins = |told: &Told| !told.events.is_empty() || told.end.is_some();
        let told = told.wait_for(begins).await.map_err(Problem::internal)?;
        match told.end.as_deref() {
            Some(Err(problem)) if told.events.is_empty() => Err(problem.told()),
            _ => Ok(()),
        }
    }

    /// What it told after its first `seen` events, what it goes on to tell, and its end; each with its number, from 1.
    pub fn follow(&self, seen: usize) -> impl Stream<Item = (usize, Arc<TurnEvent>)> + Send + use<> {
        stream::unfold((self.told.subscribe(), seen), async |(mut told, seen)| {
            loop {
                let next = told.borrow_and_update().after(seen);
                match next {
                    Next::Event(event) => return Some(((seen + 1, event), (told, seen + 1))),
                    Next::Nothing => return None,
                    Next::Later => told.changed().await.ok()?,
                }
            }
        })
    }
}

/// What comes after some events.
enum Next {
    Event(Arc<TurnEvent>),
    Later,
    Nothing,
}

impl Told {
    fn after(&self, seen: usize) -> Next {
        match (self.events.get(seen), &self.end) {
            (Some(event), _) => Next::Event(event.clone()),
            (None, None) => Next::Later,
            (None, Some(end)) if seen == self.events.len() => Next::Event(Arc::new(last(end))),
            (None, Some(_)) => Next::Nothing,
        }
    }
}

/// The last event of a turn.
fn last(outcome: &Result<Answer, Problem>) -> TurnEvent {
    let (incomplete, degraded, so_far) = match outcome {
        Err(problem) => return TurnEvent::Error { problem: problem.body() },
        Ok(Answer::Chat(reply)) => (reply.incomplete, &reply.degraded, KEPT),
        Ok(Answer::Ask(reply)) => (reply.incomplete, &reply.degraded, NOT_KEPT),
    };
    match outcome {
        Ok(reply) if !broke_off(incomplete, degraded) => TurnEvent::Done { reply: reply.clone() },
        _ => {
            let problem = Problem::new(StatusCode::BAD_GATEWAY, "reply-broke-off", "The reply broke off", so_far);
            TurnEvent::Error { problem: problem.body() }
        }
    }
}

/// Whether a reply failed on its way. Where a limit cut it off, or who asked for it, it ended as it was asked to, and says so.
pub(crate) fn broke_off(incomplete: bool, degraded: &[Degraded]) -> bool {
    let limited = |one: &Degraded| one.part == "model" && matches!(one.reason.as_str(), "cut_off" | "filtered");
    incomplete && !degraded.iter().any(|one| limited(one) || is_stop(one))
}

pub(crate) fn is_stop(one: &Degraded) -> bool {
    one.part == "reply" && one.reason == "stopped"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_waits_for_its_place_and_is_refused_where_too_little_time_would_be_left() {
        let running = RunningTurns::with_room_for(10, 1);
        let in_time = || Deadline::after(Duration::from_secs(24));
        let first = running.place(in_time()).await.unwrap();
        let started = Instant::now();
        let refused = running.place(Deadline::after(Duration::from_millis(300))).await.unwrap_err();
        let waited = started.elapsed();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(waited >= Duration::from_millis(190) && waited < Duration::from_secs(10), "{waited:?}");
        let leaves = async {
            tokio::task::yield_now().await;
            drop(first);
        };
        let (second, ()) = tokio::join!(running.place(in_time()), leaves);
        assert!(second.is_ok());
    }
}
