//! Who has an idempotency key, and which turns are to be stopped.

use std::time::Duration;

use aws::store::{failed, is_held, past_transactions};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use contracts::api::{Idempotency, SessionId};
use contracts::problem::Problem;
use jiff::{SignedDuration, Timestamp};

use super::{Item, Store, number, seconds, string, text, timestamp};
use crate::idempotency::still_running;

/// The longest that a turn may hold an idempotency key before another may take over, whatever it asks for.
const LONGEST_LEASE: Duration = Duration::from_secs(300);
/// How long the answer to a key is remembered.
const KEY_TTL: SignedDuration = SignedDuration::from_hours(24);
/// How long it is known that a turn is to be stopped: longer than any turn takes.
const STOP_TTL: SignedDuration = SignedDuration::from_mins(10);

/// A key that was claimed before.
pub(crate) struct Existing {
    pub body_hash: String,
    pub session_id: SessionId,
    pub turn_id: String,
    /// How much of its lease is left; `None` once the turn is answered.
    pub running_for: Option<Duration>,
}

impl Store {
    /// Claims an idempotency key, under its hash, for a turn: `None` where it was free, or its holder had the same body and ran
    /// out of time.
    pub(crate) async fn claim(
        &self,
        key: &str,
        request: &Idempotency,
        session_id: &SessionId,
        turn_id: &str,
    ) -> Result<Option<Existing>, Problem> {
        let (now, body_hash) = (Timestamp::now(), &request.body_hash);
        let lease = Duration::from_millis(request.lease_ms).min(LONGEST_LEASE);
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.idempotency)
            .item("key", text(key))
            .item("body_hash", text(body_hash))
            .item("session_id", text(session_id))
            .item("turn_id", text(turn_id))
            .item("running_until_ms", AttributeValue::N((now + lease).as_millisecond().to_string()))
            .item("expires_at", seconds(now + KEY_TTL))
            .condition_expression(
                "attribute_not_exists(#key) OR expires_at < :now \
                 OR (running_until_ms < :now_ms AND body_hash = :body_hash)",
            )
            .expression_attribute_names("#key", "key")
            .expression_attribute_values(":now", seconds(now))
            .expression_attribute_values(":now_ms", AttributeValue::N(now.as_millisecond().to_string()))
            .expression_attribute_values(":body_hash", text(body_hash))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = past_transactions(|| put.clone().send()).await else { return Ok(None) };
        if is_held(&error) {
            // By the commit of the turn that has the key.
            return Err(still_running(Duration::from_secs(1)));
        }
        let Some(PutItemError::ConditionalCheckFailedException(taken)) = error.as_service_error() else {
            return Err(failed("claiming a key", &error));
        };
        let item = taken.item().cloned().unwrap_or_default();
        let existing = existing(&item, now);
        existing.map(Some).ok_or_else(|| Problem::internal(anyhow::anyhow!("an idempotency key cannot be read")))
    }

    /// Deletes the claim of a turn that is not finished.
    pub(crate) async fn release(&self, key: &str, turn_id: &str) -> Result<(), Problem> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.idempotency)
            .key("key", text(key))
            .condition_expression("turn_id = :turn AND attribute_exists(running_until_ms)")
            .expression_attribute_values(":turn", text(turn_id));
        match past_transactions(|| delete.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.as_service_error(), Some(DeleteItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(())
            }
            Err(error) => Err(failed("releasing a key", &error)),
        }
    }

    /// Notes under `key` that a turn is to be stopped.
    pub(crate) async fn mark_stopped(&self, key: &str) -> Result<(), Problem> {
        let put = self.client.put_item().table_name(&self.tables.idempotency).item("key", text(key));
        let put = put.item("expires_at", seconds(Timestamp::now() + STOP_TTL));
        put.send().await.map_err(|error| failed("noting that a turn is to be stopped", &error))?;
        Ok(())
    }

    /// Whether that is noted. What was written a moment ago may be seen a moment later.
    pub(crate) async fn is_stopped(&self, key: &str) -> Result<bool, Problem> {
        let get = self.client.get_item().table_name(&self.tables.idempotency).key("key", text(key));
        let answer = get.send().await.map_err(|error| failed("looking whether a turn is to be stopped", &error))?;
        let expires_at = answer.item.as_ref().and_then(|item| timestamp(item, "expires_at"));
        Ok(expires_at.is_some_and(|end| end > Timestamp::now()))
    }
}

fn existing(item: &Item, now: Timestamp) -> Option<Existing> {
    let running_until = number(item, "running_until_ms");
    let left = |until: i64| Duration::from_millis((until - now.as_millisecond()).max(0).unsigned_abs());
    Some(Existing {
        body_hash: string(item, "body_hash")?.to_owned(),
        session_id: string(item, "session_id")?.parse().ok()?,
        turn_id: string(item, "turn_id")?.to_owned(),
        running_for: running_until.map(left),
    })
}
