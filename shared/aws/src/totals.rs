//! The `totals` table: what a day's turns came to, by assistant, and what was asked for in them.
//!
//! | hash key `day` | range key `name` | holds |
//! | --- | --- | --- |
//! | `2026-11-21#3` | `totals#defi` | a number for each counter (below) |
//! | `2026-11-21#3` | `asked#travel#route LHE-DXB` | `count`, and when it is forgotten |
//!
//! A table of its own, for its items live longer than turns, and an index of turns is none of theirs. A day is on [`SHARDS`]
//! hash keys, by the turn: one key takes a thousand writes a second, and transactions that meet at one item fail each other.
//! A reader adds them up. Earlier releases had the whole day on one key, and the shard at the end of the name
//! (`2026-11-21`, `totals#defi#3`): what they counted is read as well, for totals stay.
//!
//! Counters: `turns`, `incomplete`, `prompt_tokens`, `completion_tokens`, `unpriced_tokens` (of models without a price),
//! `cost` (10⁻¹² US dollars), and by name `action:N`, `written_by:N`, `degraded:N`, `danger:CLASS COUNTRY`,
//! `rating:up`, `rating:down`.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use contracts::problem::Problem;
use contracts::turns::{SHARDS, day, shard};
use contracts::usd::Usd;
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use runtime::config;
use ulid::Ulid;

use crate::store::failed;

/// How long it is kept what was asked for.
const ASKED_TTL: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many days are read at once, each by as many queries as it has keys.
const READS: usize = 4;

type Item = HashMap<String, AttributeValue>;

/// Reads the table, and makes the writes that others put into their transactions.
#[derive(Debug, Clone)]
pub struct Totals {
    client: Client,
    table: String,
}

/// What a day's turns with an assistant came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTotals {
    /// The day, UTC.
    pub day: Date,
    /// With whom.
    pub assistant: String,
    /// The counters by their names.
    pub counters: BTreeMap<String, u128>,
}

impl Totals {
    /// In the table given.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// In the table that `TOTALS_TABLE` names.
    ///
    /// # Errors
    /// The variable is missing.
    pub async fn from_env() -> anyhow::Result<Self> {
        Ok(Self::new(crate::store::client().await, config::required("TOTALS_TABLE")?))
    }

    /// The write that adds to the counters of the turn's day and assistant.
    ///
    /// # Errors
    /// Never, as long as the keys are there.
    pub fn add(
        &self,
        turn_id: Ulid,
        assistant: &str,
        counters: &BTreeMap<String, i128>,
    ) -> Result<TransactWriteItem, Problem> {
        let mut update = self.update(turn_id, &format!("totals#{assistant}"));
        let mut parts = Vec::new();
        for (index, (name, by)) in counters.iter().enumerate() {
            parts.push(format!("#n{index} :n{index}"));
            update = update.expression_attribute_names(format!("#n{index}"), name);
            update = update.expression_attribute_values(format!(":n{index}"), AttributeValue::N(by.to_string()));
        }
        let update = update.update_expression(format!("ADD {}", parts.join(", ")));
        Ok(TransactWriteItem::builder().update(update.build().map_err(Problem::internal)?).build())
    }

    /// The write that counts that something was asked for, so many times, by its name.
    ///
    /// # Errors
    /// Never, as long as the keys are there.
    pub fn add_asked(
        &self,
        turn_id: Ulid,
        assistant: &str,
        name: &str,
        times: usize,
    ) -> Result<TransactWriteItem, Problem> {
        let forgotten = (Timestamp::now() + ASKED_TTL).as_second().to_string();
        let update = self.update(turn_id, &format!("asked#{assistant}#{name}"));
        let update = update.update_expression("SET expires_at = :forgotten ADD #count :times");
        let update = update.expression_attribute_names("#count", "count");
        let update = update.expression_attribute_values(":times", AttributeValue::N(times.to_string()));
        let update = update.expression_attribute_values(":forgotten", AttributeValue::N(forgotten));
        Ok(TransactWriteItem::builder().update(update.build().map_err(Problem::internal)?).build())
    }

    fn update(&self, turn_id: Ulid, name: &str) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        let update = Update::builder().table_name(&self.table);
        let update = update.key("day", AttributeValue::S(key(day(turn_id), shard(turn_id))));
        update.key("name", AttributeValue::S(name.to_owned()))
    }

    /// What each of those days came to, by day and assistant.
    ///
    /// # Errors
    /// The table is away.
    pub async fn days(&self, days: impl IntoIterator<Item = Date>) -> Result<Vec<DayTotals>, Problem> {
        let reads: Vec<_> = days.into_iter().map(|day| self.day(day)).collect();
        let days: Vec<Vec<DayTotals>> = stream::iter(reads).buffered(READS).try_collect().await?;
        Ok(days.into_iter().flatten().collect())
    }

    /// What the models cost on a day, as far as it is counted.
    ///
    /// # Errors
    /// The table is unavailable.
    pub async fn cost(&self, day: Date) -> Result<Usd, Problem> {
        let totals = self.day(day).await?;
        Ok(totals.iter().filter_map(|of| of.counters.get("cost")).map(|cost| Usd(*cost)).sum())
    }

    /// Says of a day whether the models' cost has reached `most`, for [`runtime::flags::FlagSource::capped_by`].
    pub fn cap(self, most: Usd) -> impl Fn(Date) -> BoxFuture<'static, Result<bool, Problem>> + Send + Sync + 'static {
        move |day| {
            let totals = self.clone();
            async move { Ok(Self::cost(&totals, day).await? >= most) }.boxed()
        }
    }

    async fn day(&self, day: Date) -> Result<Vec<DayTotals>, Problem> {
        let mut by_assistant: BTreeMap<String, BTreeMap<String, u128>> = BTreeMap::new();
        for (assistant, item) in self.items(day, "totals#").await? {
            let counters = by_assistant.entry(assistant).or_default();
            for (name, value) in &item {
                let value = value.as_n().ok().and_then(|number| number.parse::<u128>().ok());
                if let Some(value) = value {
                    let sum = counters.entry(name.clone()).or_default();
                    *sum = sum.saturating_add(value);
                }
            }
        }
        Ok(by_assistant.into_iter().map(|(assistant, counters)| DayTotals { day, assistant, counters }).collect())
    }

    /// What was asked of an assistant on a day, by name ([`contracts::turns::Counted::asked_for`]): the most often asked first.
    ///
    /// # Errors
    /// The table is away.
    pub async fn asked(&self, day: Date, assistant: &str) -> Result<Vec<(String, u64)>, Problem> {
        let prefix = format!("asked#{assistant}#");
        let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
        for (name, item) in self.items(day, &prefix).await? {
            if let Some(count) = item.get("count").and_then(|count| count.as_n().ok()?.parse::<u64>().ok()) {
                *by_name.entry(name).or_default() += count;
            }
        }
        let mut asked: Vec<_> = by_name.into_iter().collect();
        asked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(asked)
    }

    /// The items of a day whose names begin with `prefix`, and what follows it there.
    async fn items(&self, day: Date, prefix: &str) -> Result<Vec<(String, Item)>, Problem> {
        let shards = join_all((0..SHARDS).map(|shard| self.query(key(day, shard), prefix)));
        let (shards, whole) = tokio::join!(shards, self.query(day.to_string(), prefix));
        let rest = |item: &Item| Some(item.get("name")?.as_s().ok()?.strip_prefix(prefix)?.to_owned());
        let mut items: Vec<(String, Item)> = Vec::new();
        for shard in shards {
            items.extend(shard?.into_iter().filter_map(|item| Some((rest(&item)?, item))));
        }
        let old = whole?.into_iter().filter_map(|item| Some((without_shard(&rest(&item)?)?.to_owned(), item)));
        items.extend(old);
        Ok(items)
    }

    async fn query(&self, key: String, prefix: &str) -> Result<Vec<Item>, Problem> {
        let query = self.client.query().table_name(&self.table);
        let query = query.key_condition_expression("#day = :day AND begins_with(#name, :prefix)");
        let query = query.expression_attribute_names("#day", "day").expression_attribute_names("#name", "name");
        let query = query.expression_attribute_values(":day", AttributeValue::S(key));
        let query = query.expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()));
        let items = query.into_paginator().items().send().try_collect().await;
        items.map_err(|error| failed("reading the totals", &error))
    }
}

/// Where a shard of a day lies.
fn key(day: Date, shard: u8) -> String {
    format!("{day}#{shard}")
}

/// The name of an item of earlier releases, without its shard.
fn without_shard(name: &str) -> Option<&str> {
    let (name, shard) = name.rsplit_once('#')?;
    shard.parse::<u8>().is_ok_and(|shard| shard < SHARDS).then_some(name)
}
