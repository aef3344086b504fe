//! The turns of a session as they are shown, and what people say of them.

use std::collections::BTreeMap;

use aws::packed::unpack;
use aws::store::failed;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use contracts::api::{Feedback, ListTurns, Rating, TurnList, TurnView};
use contracts::private::Private;
use contracts::problem::Problem;
use contracts::turns::{TURN_INDEX, TurnBody};
use contracts::usd::Usd;
use jiff::Timestamp;
use ulid::Ulid;

use super::{Item, Store, string, text, timestamp, unreadable};

/// What became of a rating.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rated {
    /// It is kept, and counted.
    Kept,
    /// Nothing is written: there is no such turn.
    Unknown,
    /// Nothing is written: something else was written to the turn or its day's sums at the same time.
    Lost,
}

/// The most that a turn's row may hold in JSON, in bytes: DynamoDB takes 400 KB, and the indexes and a comment have room.
const TURN_LIMIT: usize = 280 * 1024;
/// How many characters of a passage are kept where a turn is too large.
const PASSAGE_KEPT: usize = 500;

/// A turn as its row holds it. What is too much of it, as only settings out of the ordinary make it, goes in the order of
/// what it is worth later: the ends of the passages, then offers from the last, then the end of the reply, and the turn says
/// that it is not whole.
pub(super) fn bounded(mut body: TurnBody<'_>) -> Result<String, Problem> {
    let json = |body: &TurnBody<'_>| serde_json::to_string(body).map_err(Problem::internal);
    let mut text = json(&body)?;
    if text.len() <= TURN_LIMIT {
        return Ok(text);
    }
    let reply = body.reply.to_mut();
    reply.incomplete = true;
    for citation in &mut reply.citations {
        citation.text = citation.text.chars().take(PASSAGE_KEPT).collect();
    }
    loop {
        text = json(&body)?;
        let over = text.len().saturating_sub(TURN_LIMIT);
        let reply = body.reply.to_mut();
        if over == 0 {
            return Ok(text);
        } else if !reply.offers.is_empty() {
            reply.offers.truncate(reply.offers.len() / 2);
        } else if !reply.citations.is_empty() && reply.reply.len() < over {
            reply.citations.truncate(reply.citations.len() / 2);
        } else if !reply.reply.is_empty() {
            let half = reply.reply.chars().count() / 2;
            reply.reply = Private(reply.reply.chars().take(half).collect());
        } else {
            return Err(Problem::internal(anyhow::anyhow!("a turn of {} bytes cannot be kept", text.len())));
        }
    }
}

impl Store {
    /// A page of a session's turns, the newest first.
    pub(crate) async fn turns(&self, asked: &ListTurns) -> Result<TurnList, Problem> {
        let query = self.client.query().table_name(&self.tables.turns).consistent_read(true).scan_index_forward(false);
        // One more than asked for tells whether there are more.
        let query = query.limit(i32::from(asked.limit) + 1);
        let query = query.expression_attribute_values(":id", text(&asked.session_id));
        let query = match &asked.before {
            Some(before) => query
                .key_condition_expression("session_id = :id AND turn_id < :before")
                .expression_attribute_values(":before", text(before)),
            None => query.key_condition_expression("session_id = :id"),
        };
        let page = query.send().await.map_err(|error| failed("reading the turns of a session", &error))?;
        // A page of the table ends at 1 MB, whatever was asked for.
        let (items, now) = (page.items(), Timestamp::now());
        let more = page.last_evaluated_key().is_some() || items.len() > usize::from(asked.limit);
        let shown = items.get(..usize::from(asked.limit)).unwrap_or(items);
        let next = shown.last().filter(|_| more).and_then(|item| string(item, "turn_id")).map(str::to_owned);
        let alive = shown.iter().filter(|item| timestamp(item, "expires_at").is_none_or(|end| end > now));
        Ok(TurnList { turns: alive.map(view).collect::<Result<_, _>>()?, next })
    }

    /// Keeps what is said of a turn in place of what was said before, and moves its count in the sums of the turn's day.
    pub(crate) async fn rate(&self, turn_id: Ulid, feedback: &Feedback) -> Result<Rated, Problem> {
        let Some(key) = self.turn_key(turn_id).await? else { return Ok(Rated::Unknown) };
        let get =
            self.client.get_item().table_name(&self.tables.turns).consistent_read(true).set_key(Some(key.clone()));
        let get = get.projection_expression("assistant, rating, expires_at");
        let answer = get.send().await.map_err(|error| failed("reading a turn", &error))?;
        let alive = |item: &Item| timestamp(item, "expires_at").is_none_or(|end| end > Timestamp::now());
        let Some(turn) = answer.item.filter(alive) else { return Ok(Rated::Unknown) };

        let before = string(&turn, "rating");
        let mut writes = vec![self.put_feedback(key, before, feedback)?];
        let rating = feedback.rating.name();
        if before != Some(rating) {
            let mut counters = BTreeMap::from([(format!("rating:{rating}"), 1)]);
            counters.extend(before.map(|before| (format!("rating:{before}"), -1)));
            writes.push(self.totals.add(turn_id, string(&turn, "assistant").unwrap_or_default(), &counters)?);
        }
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(writes)).send().await else {
            return Ok(Rated::Kept);
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled))
                if canceled
                    .cancellation_reasons()
                    .iter()
                    .any(|reason| matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))) =>
            {
                Ok(Rated::Lost)
            }
            _ => Err(failed("keeping what is said of a turn", &error)),
        }
    }

    /// The key of the turn of that id. A turn is in the index a moment after it is kept.
    async fn turn_key(&self, turn_id: Ulid) -> Result<Option<Item>, Problem> {
        let query = self.client.query().table_name(&self.tables.turns).index_name(TURN_INDEX);
        let query = query.key_condition_expression("turn_id = :id");
        let query =
            query.expression_attribute_values(":id", text(turn_id)).projection_expression("session_id, turn_id");
        let page = query.send().await.map_err(|error| failed("finding a turn", &error))?;
        Ok(page.items.unwrap_or_default().pop())
    }

    /// Fails where the turn is gone, or another rating than `before` is there by now.
    fn put_feedback(&self, key: Item, before: Option<&str>, said: &Feedback) -> Result<TransactWriteItem, Problem> {
        let update = Update::builder().table_name(&self.tables.turns).set_key(Some(key));
        let update = update.expression_attribute_values(":rating", text(said.rating.name()));
        let update = match &said.comment {
            Some(comment) => update
                .update_expression("SET rating = :rating, #comment = :comment")
                .expression_attribute_values(":comment", AttributeValue::S(comment.0.clone())),
            None => update.update_expression("SET rating = :rating REMOVE #comment"),
        };
        let update = update.expression_attribute_names("#comment", "comment");
        let update = match before {
            Some(before) => {
                update.condition_expression("rating = :before").expression_attribute_values(":before", text(before))
            }
            None => update.condition_expression("attribute_exists(turn_id) AND attribute_not_exists(rating)"),
        };
        Ok(TransactWriteItem::builder().update(update.build().map_err(Problem::internal)?).build())
    }
}

fn view(item: &Item) -> Result<TurnView, Problem> {
    let body = item.get("body").and_then(unpack).unwrap_or_default();
    let TurnBody { message, reply, timings_ms } =
        serde_json::from_str(&body).map_err(|error| unreadable("a turn", &error))?;
    let reply = reply.into_owned();
    let cost = item.get("cost").and_then(|cost| cost.as_n().ok()?.parse().ok()).map(Usd);
    let comment = string(item, "comment").map(|comment| Private(comment.to_owned()));
    Ok(TurnView {
        turn_id: reply.turn_id,
        message: message.into_owned(),
        reply: reply.reply,
        action: reply.action,
        citations: reply.citations,
        written_by: reply.written_by,
        usage: reply.usage,
        incomplete: reply.incomplete,
        degraded: reply.degraded,
        timings_ms: timings_ms.into_owned(),
        recorded: !item.contains_key("pending"),
        cost_usd: cost.map(|cost| cost.to_string()),
        feedback: string(item, "rating").and_then(Rating::named).map(|rating| Feedback { rating, comment }),
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use contracts::api::{ChatReply, Citation};

    use super::*;

    fn turn(reply: ChatReply) -> TurnBody<'static> {
        TurnBody {
            message: Cow::Owned(Private("hello".to_owned())),
            reply: Cow::Owned(reply),
            timings_ms: Cow::Owned(BTreeMap::new()),
        }
    }

    fn reply(words: String, passages: usize, passage: String) -> ChatReply {
        let mut reply: ChatReply = serde_json::from_value(serde_json::json!({
            "session_id": "0123456789abcdef0123456789abcdef", "turn_id": "01JCZV5W9GQ2N5X7K3T8R4M6PA",
            "assistant": "defi", "reply": words, "action": "answer",
        }))
        .unwrap();
        let citation = |number| Citation {
            id: String::new(),
            number,
            source: "FAQ".to_owned(),
            url: None,
            heading: "One".to_owned(),
            text: passage.clone(),
        };
        reply.citations = (1..=passages).map(citation).collect();
        reply
    }

    #[test]
    fn a_turn_stays_small_whatever_is_configured() {
        let kept = |reply: ChatReply| {
            let text = bounded(turn(reply)).unwrap();
            assert!(text.len() <= TURN_LIMIT, "{}", text.len());
            serde_json::from_str::<TurnBody<'_>>(&text).unwrap().reply.into_owned()
        };
        let usual = reply("Yes [1].".to_owned(), 8, "words ".repeat(800));
        assert_eq!(kept(usual.clone()), usual);
        let passages = kept(reply("Yes [1].".to_owned(), 20, "ü".repeat(20_000)));
        assert_eq!((passages.citations.len(), passages.citations[0].text.chars().count()), (20, PASSAGE_KEPT));
        assert!(passages.incomplete && passages.reply.0 == "Yes [1].");
        let both = kept(reply("\u{1}".repeat(100_000), 2_000, "x".repeat(600)));
        assert!(both.incomplete && both.reply.0.starts_with('\u{1}'));
        let words = kept(reply("€".repeat(200_000), 3, "x".repeat(600)));
        assert!(words.incomplete && words.reply.0.chars().count() >= 50_000 && words.citations.len() == 3);
    }
}
