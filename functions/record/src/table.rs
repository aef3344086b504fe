//! The `turns` table as `record` sees it.

use std::collections::HashMap;

use aws::packed::unpack;
use aws::store::failed;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use contracts::api::SessionId;
use contracts::problem::Problem;
use contracts::turns::{Counted, PENDING_INDEX, TurnBody};
use contracts::usd::Usd;
use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

/// The most turns of a shard that one sweep takes up.
const WAITING_LIMIT: i32 = 500;

type Item = HashMap<String, AttributeValue>;

pub(crate) struct Turns {
    pub client: Client,
    pub table: String,
    /// How long it is kept what a question without a session came to.
    pub ttl: SignedDuration,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// All of it is written.
    Now,
    /// Nothing is: the turn was counted before, or is gone.
    Before,
    /// Nothing is: another transaction held one of the items.
    Conflict,
}

impl Turns {
    /// What is to be counted of a turn; `None` where that is done, or the turn is gone.
    pub async fn counted(&self, session_id: &SessionId, turn_id: Ulid) -> Result<Option<Counted>, Problem> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.set_key(Some(key(&session_id.to_string(), turn_id)));
        let get = get.projection_expression("body, #pending").expression_attribute_names("#pending", "pending");
        let answer = get.send().await.map_err(|error| failed("reading a turn", &error))?;
        let Some(item) = answer.item.filter(|item| item.contains_key("pending")) else { return Ok(None) };
        let body = item.get("body").and_then(unpack).unwrap_or_default();
        // serde's message can quote what was said: its place is enough.
        let body: TurnBody = serde_json::from_str(&body).map_err(|error| {
            Problem::internal(anyhow::anyhow!("a turn cannot be read at column {}", error.column()))
        })?;
        Ok(Some(Counted::of_chat(&body.reply)))
    }

    /// The write that says that a turn is counted, and what it cost. Fails where it was said before, or the turn is gone.
    pub fn mark(&self, session_id: &SessionId, turn_id: Ulid, cost: Option<Usd>) -> Result<TransactWriteItem, Problem> {
        let update = Update::builder().table_name(&self.table).set_key(Some(key(&session_id.to_string(), turn_id)));
        let update = update.condition_expression("attribute_exists(#pending)");
        let update = update.expression_attribute_names("#pending", "pending");
        let update = match cost {
            Some(cost) => update
                .update_expression("REMOVE #pending SET cost = :cost")
                .expression_attribute_values(":cost", number(cost.0)),
            None => update.update_expression("REMOVE #pending"),
        };
        Ok(TransactWriteItem::builder().update(update.build().map_err(Problem::internal)?).build())
    }

    /// The write that keeps what a question without a session came to. Fails where that was done before.
    pub fn put_ask(&self, turn_id: Ulid, counted: &Counted, cost: Option<Usd>) -> Result<TransactWriteItem, Problem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(key(&format!("ask#{turn_id}"), turn_id)))
            .item("assistant", AttributeValue::S(counted.assistant.clone()))
            .item("expires_at", number((Timestamp::now() + self.ttl).as_second()))
            .condition_expression("attribute_not_exists(turn_id)");
        let put = match cost {
            Some(cost) => put.item("cost", number(cost.0)),
            None => put,
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(Problem::internal)?).build())
    }

    /// Writes all or nothing; the first write is the turn's.
    pub async fn write(&self, writes: &[TransactWriteItem]) -> Result<Written, Problem> {
        let write = self.client.transact_write_items().set_transact_items(Some(writes.to_vec()));
        let Err(error) = write.send().await else { return Ok(Written::Now) };
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
            return Err(failed("counting a turn", &error));
        };
        let mut codes = canceled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None"));
        match codes.next() {
            Some("ConditionalCheckFailed") => Ok(Written::Before),
            Some("TransactionConflict") => Ok(Written::Conflict),
            _ if codes.any(|code| code == "TransactionConflict") => Ok(Written::Conflict),
            _ => Err(failed("counting a turn", &error)),
        }
    }

    /// The turns of a shard that have waited for longer than `waited`, the longest first.
    pub async fn waiting(&self, shard: u8, waited: SignedDuration) -> Result<Vec<(SessionId, String)>, Problem> {
        let before = (Timestamp::now() - waited).as_millisecond().max(0).unsigned_abs();
        let query = self.client.query().table_name(&self.table).index_name(PENDING_INDEX);
        let query = query.key_condition_expression("#pending = :shard AND turn_id <= :last");
        let query = query.expression_attribute_names("#pending", "pending");
        let query = query.expression_attribute_values(":shard", AttributeValue::S(shard.to_string()));
        let last = Ulid::from_parts(before, u128::MAX).to_string();
        let query = query.expression_attribute_values(":last", AttributeValue::S(last)).limit(WAITING_LIMIT);
        let page = query.send().await.map_err(|error| failed("finding the turns that wait", &error))?;
        let text = |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let keys = |item: &Item| Some((text(item, "session_id")?.parse().ok()?, text(item, "turn_id")?));
        Ok(page.items().iter().filter_map(keys).collect())
    }
}

fn key(session_id: &str, turn_id: Ulid) -> Item {
    HashMap::from([
        ("session_id".to_owned(), AttributeValue::S(session_id.to_owned())),
        ("turn_id".to_owned(), AttributeValue::S(turn_id.to_string())),
    ])
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
