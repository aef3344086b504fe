//! Counts finished turns: what they cost, what was done in them, what was asked for.
//!
//! In: messages that name turns. Out: the turn's cost in its row, and the sums of its day in the `totals` table. A message may
//! come twice, in two places at once, and a worker may die anywhere: the mark in the turn's row and the sums are one
//! transaction, of several turns where their messages come together, so a turn is counted once or not yet. A turn whose message was lost is found by its mark ([`sweep`]). Turns
//! that were deleted before they were counted are not. It never sees what was said leave the table.

mod batch;
mod count;
mod notify;
mod prices;
mod table;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws::handoffs::Handoffs;
use aws::queue::{Queue, Undone};
use aws::totals::Totals;
use contracts::problem::Problem;
use contracts::turns::{Finished, RecordWork, SHARDS};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::message::Message;
use ulid::Ulid;

pub use notify::Notify;
pub use prices::Prices;

use batch::Turn;
use table::{Turns, Written};

/// How many transactions are under way at once.
const AT_ONCE: usize = 8;
/// How many turns one transaction counts: of each its mark, its sums, and four things at most that were asked for, where
/// DynamoDB takes a hundred writes.
const TOGETHER: usize = 10;
/// How often a transaction is tried that meets others at an item.
const ATTEMPTS: u32 = 8;
/// How long a turn has waited that the sweep takes up: its message, if there is one, has come by then.
const WAITED: SignedDuration = SignedDuration::from_mins(5);

/// What the worker needs.
pub struct Deps {
    turns: Turns,
    totals: Totals,
    queue: Queue,
    prices: Prices,
    handoffs: Handoffs,
    notify: Notify,
    /// Set once it is said that a turn's cost is not known.
    unpriced: OnceLock<()>,
}

impl Deps {
    /// With the tables, the queue that messages are put back to, and what models cost. What is kept of a question without a
    /// session is kept for `turn_ttl`.
    pub fn new(
        client: aws_sdk_dynamodb::Client,
        turns: impl Into<String>,
        (totals, handoffs): (Totals, Handoffs),
        queue: Queue,
        prices: Prices,
        turn_ttl: SignedDuration,
    ) -> Self {
        Self {
            turns: Turns { client, table: turns.into(), ttl: turn_ttl },
            totals,
            queue,
            prices,
            handoffs,
            notify: Notify::default(),
            unpriced: OnceLock::new(),
        }
    }

    /// The same, telling an operator of hand-offs.
    pub fn with_notify(self, notify: Notify) -> Self {
        Self { notify, ..self }
    }

    /// With `TURNS_TABLE`, `TOTALS_TABLE`, `HANDOFFS_TABLE`, `TURNS_QUEUE_URL`, `DEAD_TURNS_QUEUE_URL`, `MODEL_PRICES`,
    /// `TURN_TTL_DAYS` (90), and what [`Notify::from_env`] reads.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        let client = aws::store::client().await;
        let ttl = SignedDuration::from_hours(24 * i64::from(config::parsed("TURN_TTL_DAYS", 90u16)?));
        let totals = Totals::new(client.clone(), config::required("TOTALS_TABLE")?);
        let queue = Queue::of_worker_from_env("TURNS_QUEUE_URL", "DEAD_TURNS_QUEUE_URL").await?;
        let handoffs = Handoffs::new(client.clone(), config::required("HANDOFFS_TABLE")?);
        let tables = (totals, handoffs);
        let deps = Self::new(client, config::required("TURNS_TABLE")?, tables, queue, Prices::from_env()?, ttl);
        Ok(deps.with_notify(Notify::from_env()?))
    }
}

/// Counts the turns of a batch of messages; answers the ids of those to be delivered again.
pub async fn work(deps: Arc<Deps>, messages: Vec<Message>, deadline: Deadline) -> Vec<String> {
    let some: Vec<_> = messages.chunks(TOGETHER).map(|some| handle_some(&deps, some, deadline)).collect();
    stream::iter(some).buffer_unordered(AT_ONCE).concat().await
}

/// Counts the turns of some messages in one transaction. Where that does not succeed, as where one of them was counted before,
/// each is counted in one of its own.
async fn handle_some(deps: &Deps, messages: &[Message], deadline: Deadline) -> Vec<String> {
    let together = tokio::time::timeout_at(deadline.instant(), batch::record(deps, messages));
    if together.await.unwrap_or_default() {
        return Vec::new();
    }
    let each: Vec<_> =
        messages.iter().map(|message| message.traced("record", handle(deps, message, deadline))).collect();
    let failed: Vec<Option<String>> = stream::iter(each).buffer_unordered(AT_ONCE).collect().await;
    failed.into_iter().flatten().collect()
}

/// What a sweep came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many turns it counted.
    pub counted: usize,
    /// How many it could not count or list; those that time did not suffice for are one.
    pub failed: usize,
}

impl Swept {
    /// Whether nothing failed.
    pub fn is_whole(&self) -> bool {
        self.failed == 0
    }
}

/// Counts the turns that wait for longer than a message takes, as where the queue was not told of them. Whether nothing
/// failed.
pub async fn sweep(deps: Arc<Deps>, deadline: Deadline) -> bool {
    sweep_waiting(&deps, WAITED, deadline).await.is_whole()
}

/// The same for those that wait for longer than `waited`.
pub async fn sweep_waiting(deps: &Deps, waited: SignedDuration, deadline: Deadline) -> Swept {
    let shards = (0..SHARDS).map(|shard| async move {
        let mut swept = Swept::default();
        let waiting = deps.turns.waiting(shard, waited).await.unwrap_or_else(|problem| {
            log(&problem, "the turns that wait could not be listed");
            swept.failed += 1;
            Vec::new()
        });
        for (session_id, turn_id) in waiting {
            let work = RecordWork::turn(&turn_id, session_id);
            if deadline.remaining().is_zero() {
                swept.failed += 1;
                break;
            }
            match record(deps, &work, deadline).await {
                Ok(()) => swept.counted += 1,
                Err(undone) => {
                    tracing::warn!(turn = turn_id, ?undone, "a turn that waits was not counted");
                    swept.failed += 1;
                }
            }
        }
        swept
    });
    let sum = |all: Swept, one: Swept| Swept { counted: all.counted + one.counted, failed: all.failed + one.failed };
    futures::future::join_all(shards).await.into_iter().fold(Swept::default(), sum)
}

/// What becomes of a message; its id where it is to be delivered again.
async fn handle(deps: &Deps, message: &Message, deadline: Deadline) -> Option<String> {
    let done = match serde_json::from_str::<RecordWork>(&message.body) {
        Ok(work) => record(deps, &work, deadline).await,
        Err(_) => Err(Undone::Hopeless),
    };
    let again = deps.queue.put_back(message, done.err()?).await;
    again.then(|| message.id.clone())
}

/// Counts a turn, unless that is done.
async fn record(deps: &Deps, work: &RecordWork, deadline: Deadline) -> Result<(), Undone> {
    let recorded = tokio::time::timeout_at(deadline.instant(), try_record(deps, work)).await;
    recorded.unwrap_or_else(|_| Err(Problem::deadline())).map_err(|problem| {
        log(&problem, "a turn could not be counted");
        if problem.is_transient() { Undone::Later(None) } else { Undone::Hopeless }
    })
}

async fn try_record(deps: &Deps, work: &RecordWork) -> Result<(), Problem> {
    let turn_id: Ulid = work.turn_id.parse().map_err(Problem::internal)?;
    let turn = match Turn::told(deps, work) {
        Some(turn) => turn,
        None => match &work.turn {
            Finished::Turn { session_id, .. } => match deps.turns.counted(session_id, turn_id).await? {
                Some(counted) => Turn::new(deps, turn_id, Some(session_id), Cow::Owned(counted)),
                None => return Ok(()),
            },
            // Whoever knows it comes with the next release, and the message waits as long.
            Finished::Ask { .. } | Finished::Other => {
                return Err(Problem::unavailable(
                    "This turn is of a later release.",
                    anyhow::anyhow!("an unknown kind of turn"),
                ));
            }
        },
    };
    let writes = batch::writes(deps, std::slice::from_ref(&turn))?;
    for attempt in 0..ATTEMPTS {
        match deps.turns.write(&writes).await? {
            Written::Now => {
                turn.tell(deps).await;
                return Ok(());
            }
            Written::Before => return Ok(()),
            Written::Conflict => {}
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(5..20) << attempt)).await;
    }
    Err(Problem::unavailable("The totals are busy.", anyhow::anyhow!("{ATTEMPTS} transactions met others")))
}

fn log(problem: &Problem, what: &str) {
    let cause = problem.cause();
    tracing::warn!(%problem, cause, "{what}");
}
