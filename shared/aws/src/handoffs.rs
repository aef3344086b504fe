//! The `handoffs` table: conversations that somebody wants a person to take over.
//!
//! | hash key `day` | range key `turn_id` | holds |
//! | --- | --- | --- |
//! | `2026-11-21` | the ULID of the turn that asked for it | `assistant`, `session_id`, and when it is forgotten |
//!
//! A session's id lets whoever has it read and continue the session, so the table is for operators alone.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use contracts::api::{Handoff, SessionId};
use contracts::problem::Problem;
use contracts::turns::day;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use ulid::Ulid;

use crate::store::failed;

/// How long a hand-off is listed.
const TTL: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many days back can be listed.
pub const DAYS: u8 = 30;

/// The table.
#[derive(Debug, Clone)]
pub struct Handoffs {
    client: Client,
    table: String,
}

impl Handoffs {
    /// In the table given.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The write that lists a hand-off; the same turn is listed once.
    ///
    /// # Errors
    /// Never, as long as the keys are there.
    pub fn put(&self, turn_id: Ulid, assistant: &str, session_id: &SessionId) -> Result<TransactWriteItem, Problem> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("day", AttributeValue::S(day(turn_id).to_string()))
            .item("turn_id", AttributeValue::S(turn_id.to_string()))
            .item("assistant", AttributeValue::S(assistant.to_owned()))
            .item("session_id", AttributeValue::S(session_id.to_string()))
            .item("expires_at", AttributeValue::N((Timestamp::now() + TTL).as_second().to_string()));
        Ok(TransactWriteItem::builder().put(put.build().map_err(Problem::internal)?).build())
    }

    /// The hand-offs of the last days, the newest first.
    ///
    /// # Errors
    /// The table is unavailable.
    pub async fn last(&self, today: Date, days: u8) -> Result<Vec<Handoff>, Problem> {
        let mut found = Vec::new();
        for back in 0..days {
            let Ok(day) = today.checked_sub(i32::from(back).days()) else { break };
            let query = self.client.query().table_name(&self.table).scan_index_forward(false);
            let query = query.key_condition_expression("#day = :day").expression_attribute_names("#day", "day");
            let query = query.expression_attribute_values(":day", AttributeValue::S(day.to_string()));
            let items: Result<Vec<_>, _> = query.into_paginator().items().send().try_collect().await;
            let items = items.map_err(|error| failed("reading the hand-offs", &error))?;
            found.extend(items.iter().filter_map(handoff));
        }
        Ok(found)
    }
}

fn handoff(item: &HashMap<String, AttributeValue>) -> Option<Handoff> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    Some(Handoff {
        turn_id: text("turn_id")?,
        assistant: text("assistant")?,
        session_id: text("session_id")?.parse().ok()?,
    })
}
