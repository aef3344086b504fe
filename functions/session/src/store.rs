//! The three tables: sessions, turns, and the idempotency keys of requests, beside which it is noted for minutes that a turn is
//! to be stopped.

mod claims;
mod ranked;
mod turns;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws::handoffs::Handoffs;
use aws::packed::{pack, unpack};
use aws::store::{failed, past_transactions};
use aws::totals::Totals;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Delete, Put, TransactWriteItem, Update};
use contracts::api::{ChatReply, SessionId};
use contracts::dialogue::Session;
use contracts::private::Private;
use contracts::problem::Problem;
use contracts::turns::{TurnBody, shard};
use jiff::{SignedDuration, Timestamp};
use runtime::config;
use ulid::Ulid;

pub(crate) use claims::Existing;
pub(crate) use turns::Rated;
use turns::bounded;

/// The most that one DynamoDB transaction takes.
const TRANSACTION_LIMIT: usize = 100;

type Item = HashMap<String, AttributeValue>;

/// The tables' names, and how long things are kept in them.
#[derive(Debug, Clone)]
pub struct Tables {
    /// The sessions; key `id`.
    pub sessions: String,
    /// The turns; key `session_id`, `turn_id`.
    pub turns: String,
    /// The idempotency keys; key `key`.
    pub idempotency: String,
    /// The sums of the days ([`aws::totals`]).
    pub totals: String,
    /// The conversations that wait for a person ([`aws::handoffs`]).
    pub handoffs: String,
    /// How long a session is kept after its last turn.
    pub session_ttl: SignedDuration,
    /// How long a turn is kept.
    pub turn_ttl: SignedDuration,
}

impl Tables {
    /// From `SESSIONS_TABLE`, `TURNS_TABLE`, `IDEMPOTENCY_TABLE`, `TOTALS_TABLE`, `HANDOFFS_TABLE`, `SESSION_TTL_DAYS` (7) and `TURN_TTL_DAYS` (90).
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub fn from_env() -> anyhow::Result<Self> {
        let days =
            |name, default: u16| anyhow::Ok(SignedDuration::from_hours(24 * i64::from(config::parsed(name, default)?)));
        Ok(Self {
            sessions: config::required("SESSIONS_TABLE")?,
            turns: config::required("TURNS_TABLE")?,
            idempotency: config::required("IDEMPOTENCY_TABLE")?,
            totals: config::required("TOTALS_TABLE")?,
            handoffs: config::required("HANDOFFS_TABLE")?,
            session_ttl: days("SESSION_TTL_DAYS", 7)?,
            turn_ttl: days("TURN_TTL_DAYS", 90)?,
        })
    }
}

/// Reads and writes the tables.
pub struct Store {
    client: Client,
    totals: Totals,
    handoffs: Handoffs,
    tables: Tables,
}

/// A session as it is kept.
pub(crate) struct Kept {
    pub session_id: SessionId,
    pub assistant: String,
    /// How often it was written; 0 for a session that was not.
    pub version: u64,
    pub session: Session,
    pub expires_at: Timestamp,
}

impl Kept {
    pub fn new(session_id: SessionId, assistant: String) -> Self {
        Self { session_id, assistant, version: 0, session: Session::default(), expires_at: Timestamp::UNIX_EPOCH }
    }
}

/// A finished turn to be kept.
pub(crate) struct Commit<'a> {
    /// The version of the session that it was made from.
    pub version: u64,
    /// The session as JSON.
    pub state: &'a str,
    pub message: &'a Private<String>,
    pub reply: &'a ChatReply,
    pub timings_ms: &'a BTreeMap<String, f64>,
    pub claim: Option<&'a str>,
}

/// What became of a commit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it is written.
    Kept,
    /// This very turn had been written before.
    KeptBefore,
    /// Nothing is written: the session has another version now, or is deleted.
    Lost,
    /// Nothing is written: another transaction was writing one of the items, and may have come to nothing.
    Busy,
    /// Nothing is written: another turn took over the idempotency key.
    ClaimLost,
}

impl Store {
    /// With a client of its own.
    pub fn new(client: Client, tables: Tables) -> Self {
        let totals = Totals::new(client.clone(), &tables.totals);
        Self { totals, handoffs: Handoffs::new(client.clone(), &tables.handoffs), client, tables }
    }

    /// The conversations that wait for a person.
    pub(crate) fn handoffs(&self) -> &Handoffs {
        &self.handoffs
    }

    /// The session, unless it is deleted or past its time.
    pub(crate) async fn read(&self, id: &SessionId) -> Result<Option<Kept>, Problem> {
        let get = self.client.get_item().table_name(&self.tables.sessions).consistent_read(true);
        let answer = get.key("id", text(id)).send().await.map_err(|error| failed("reading a session", &error))?;
        let Some(item) = answer.item else { return Ok(None) };
        let expires_at = timestamp(&item, "expires_at").unwrap_or(Timestamp::UNIX_EPOCH);
        let (Some(state), true) = (item.get("state").and_then(unpack), expires_at > Timestamp::now()) else {
            return Ok(None);
        };
        Ok(Some(Kept {
            session_id: id.clone(),
            assistant: string(&item, "assistant").unwrap_or_default().to_owned(),
            version: number(&item, "version").and_then(|version| version.try_into().ok()).unwrap_or_default(),
            session: serde_json::from_str(&state).map_err(|error| unreadable("a session", &error))?,
            expires_at,
        }))
    }

    /// The answer that a turn gave.
    pub(crate) async fn turn(&self, session_id: &SessionId, turn_id: &str) -> Result<Option<ChatReply>, Problem> {
        let get = self.client.get_item().table_name(&self.tables.turns).consistent_read(true);
        let get = get.key("session_id", text(session_id)).key("turn_id", text(turn_id));
        let answer = get.send().await.map_err(|error| failed("reading a turn", &error))?;
        let Some(item) = answer.item else { return Ok(None) };
        let Some(body) = item.get("body").and_then(unpack) else { return Ok(None) };
        let body: TurnBody = serde_json::from_str(&body).map_err(|error| unreadable("a turn", &error))?;
        Ok(Some(body.reply.into_owned()))
    }

    /// Writes the session, the turn and the key's state, all or nothing.
    pub(crate) async fn commit(&self, commit: &Commit<'_>) -> Result<Outcome, Problem> {
        let mut items = vec![self.put_session(commit)?, self.put_turn(commit)?];
        if let Some(key) = commit.claim {
            items.push(self.finish_claim(key, commit.reply)?);
        }
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(items)).send().await else {
            return Ok(Outcome::Kept);
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
            return Err(failed("keeping a turn", &error));
        };
        outcome(canceled.cancellation_reasons()).ok_or_else(|| failed("keeping a turn", &error))
    }

    fn put_session(&self, commit: &Commit<'_>) -> Result<TransactWriteItem, Problem> {
        let put = Put::builder()
            .table_name(&self.tables.sessions)
            .item("id", text(&commit.reply.session_id))
            .item("assistant", text(&commit.reply.assistant))
            .item("version", AttributeValue::N((commit.version + 1).to_string()))
            .item("state", pack(commit.state.to_owned()))
            .item("expires_at", seconds(Timestamp::now() + self.tables.session_ttl));
        let put = if commit.version == 0 {
            put.condition_expression("attribute_not_exists(id)")
        } else {
            // A tombstone has no version, so a deleted session stays deleted.
            put.condition_expression("version = :version")
                .expression_attribute_values(":version", AttributeValue::N(commit.version.to_string()))
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(Problem::internal)?).build())
    }

    fn put_turn(&self, commit: &Commit<'_>) -> Result<TransactWriteItem, Problem> {
        use std::borrow::Cow::Borrowed;
        let (message, timings_ms) = (Borrowed(commit.message), Borrowed(commit.timings_ms));
        let body = bounded(TurnBody { message, reply: Borrowed(commit.reply), timings_ms })?;
        let turn_id: Ulid = commit.reply.turn_id.parse().map_err(|_| Problem::field("turn_id", "it must be a ULID"))?;
        let put = Put::builder()
            .table_name(&self.tables.turns)
            .item("session_id", text(&commit.reply.session_id))
            .item("turn_id", text(&commit.reply.turn_id))
            .item("assistant", text(&commit.reply.assistant))
            .item("body", pack(body))
            .item("pending", text(shard(turn_id)))
            .item("expires_at", seconds(Timestamp::now() + self.tables.turn_ttl))
            .condition_expression("attribute_not_exists(turn_id)");
        Ok(TransactWriteItem::builder().put(put.build().map_err(Problem::internal)?).build())
    }

    fn finish_claim(&self, key: &str, reply: &ChatReply) -> Result<TransactWriteItem, Problem> {
        let update = Update::builder()
            .table_name(&self.tables.idempotency)
            .key("key", text(key))
            .update_expression("SET session_id = :session REMOVE running_until_ms")
            .condition_expression("turn_id = :turn")
            .expression_attribute_values(":session", text(&reply.session_id))
            .expression_attribute_values(":turn", text(&reply.turn_id));
        Ok(TransactWriteItem::builder().update(update.build().map_err(Problem::internal)?).build())
    }

    /// Leaves a tombstone in the place of the session, so that nothing under way can bring it back, and deletes its turns.
    /// False where there is neither.
    pub(crate) async fn delete(&self, id: &SessionId) -> Result<bool, Problem> {
        let mut was_there = self.read(id).await?.is_some();
        if was_there {
            let tombstone = self
                .client
                .put_item()
                .table_name(&self.tables.sessions)
                .item("id", text(id))
                .item("deleted", AttributeValue::Bool(true))
                .item("expires_at", seconds(Timestamp::now() + self.tables.session_ttl));
            let put = past_transactions(|| tombstone.clone().send()).await;
            put.map_err(|error| failed("deleting a session", &error))?;
            self.forget_ranked(id).await?;
        }
        // Also where the session is gone: its turns are kept for longer, and a deletion may have been broken off.
        while self.delete_turns(id).await? {
            was_there = true;
        }
        Ok(was_there)
    }

    /// Deletes up to [`TRANSACTION_LIMIT`] turns of a session; false once there are none left.
    async fn delete_turns(&self, id: &SessionId) -> Result<bool, Problem> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.turns)
            .consistent_read(true)
            .key_condition_expression("session_id = :id")
            .expression_attribute_values(":id", text(id))
            .projection_expression("session_id, turn_id")
            .limit(TRANSACTION_LIMIT as i32);
        let page = query.send().await.map_err(|error| failed("finding the turns of a session", &error))?;
        let deletes = page.items.unwrap_or_default().into_iter().map(|key| {
            let delete = Delete::builder().table_name(&self.tables.turns).set_key(Some(key)).build();
            Ok(TransactWriteItem::builder().delete(delete.map_err(Problem::internal)?).build())
        });
        let deletes = deletes.collect::<Result<Vec<_>, Problem>>()?;
        if deletes.is_empty() {
            return Ok(false);
        }
        let write = self.client.transact_write_items().set_transact_items(Some(deletes));
        let Err(error) = write.send().await else { return Ok(true) };
        match error.as_service_error() {
            // `record` held one of them, which takes it milliseconds. The step's deadline ends it where something else does.
            Some(TransactWriteItemsError::TransactionCanceledException(canceled))
                if may_pass(canceled.cancellation_reasons()) =>
            {
                tokio::time::sleep(Duration::from_millis(30)).await;
                Ok(true)
            }
            _ => Err(failed("deleting the turns of a session", &error)),
        }
    }
}

/// What a cancelled commit means, told by the reason of each of its items; `None` where it is a failure of the table.
fn outcome(reasons: &[CancellationReason]) -> Option<Outcome> {
    let code = |index: usize| reasons.get(index).and_then(|reason| reason.code()).unwrap_or("None");
    const CONDITION: &str = "ConditionalCheckFailed";
    match (code(0), code(1), code(2)) {
        (_, CONDITION, _) => Some(Outcome::KeptBefore),
        (_, _, CONDITION) => Some(Outcome::ClaimLost),
        (CONDITION, _, _) => Some(Outcome::Lost),
        _ if (0..reasons.len()).any(|index| code(index) == "TransactionConflict") => Some(Outcome::Busy),
        _ => None,
    }
}

/// Whether a cancelled transaction may succeed when it is sent again: nothing but others were in its way.
fn may_pass(reasons: &[CancellationReason]) -> bool {
    const PASSING: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    let mut codes = reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None").peekable();
    codes.peek().is_some() && codes.all(|code| PASSING.contains(&code))
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// Whole seconds since 1970, as DynamoDB's TTL wants them.
fn seconds(moment: Timestamp) -> AttributeValue {
    AttributeValue::N(moment.as_second().to_string())
}

fn string<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn timestamp(item: &Item, name: &str) -> Option<Timestamp> {
    Timestamp::from_second(number(item, name)?).ok()
}

fn unreadable(what: &str, error: &serde_json::Error) -> Problem {
    // serde's message can quote what was written: its place is enough.
    Problem::internal(anyhow::anyhow!("{what} cannot be read at column {}", error.column()))
}
