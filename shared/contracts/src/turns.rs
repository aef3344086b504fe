//! A finished turn: what its row in the `turns` table holds, what of it is counted, and the message that asks for that.
//!
//! | hash key `session_id` | range key `turn_id` | holds |
//! | --- | --- | --- |
//! | the session's id | ULID | `body` (a [`TurnBody`]), `assistant`; `pending` until it is recorded, then `cost`; `rating`, `comment` |
//! | `ask#` and the turn's id | ULID | the same of a question without a session, without its words, written once it is recorded |
//!
//! Two indexes hold keys only: [`PENDING_INDEX`] the turns that wait to be recorded (the attribute is gone once they are),
//! [`TURN_INDEX`] all of them by `turn_id`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use safety::Help;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::api::{AskReply, ChatReply, Citation, Degraded, SessionId, Usage, Writer};
use crate::private::Private;

/// The index of the turns that wait: hash key `pending` (a [`shard`] as a digit), range key `turn_id`.
pub const PENDING_INDEX: &str = "pending";
/// The index of all turns by their id: hash key `turn_id`.
pub const TURN_INDEX: &str = "turn";
/// On how many keys things are spread that all turns write: one key takes about a thousand writes a second.
pub const SHARDS: u8 = 8;

/// How many of the passages that a reply cites are counted.
const CITED: usize = 3;
/// The longest name of a passage that is counted, in characters.
const NAME_LIMIT: usize = 200;

/// What is said and answered in a turn, as its row holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TurnBody<'a> {
    /// What was said.
    pub message: Cow<'a, Private<String>>,
    /// The whole answer.
    pub reply: Cow<'a, ChatReply>,
    /// Milliseconds each step took, all but the one that wrote this.
    #[serde(default)]
    pub timings_ms: Cow<'a, BTreeMap<String, f64>>,
}

/// A turn that `record` is to count, as the queue carries it: keys and counts, nothing that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordWork {
    /// The turn: a ULID.
    pub turn_id: String,
    /// Where it is found.
    #[serde(flatten)]
    pub turn: Finished,
    /// Written by releases that put work back as new messages; not read any more.
    #[serde(default)]
    pub put_back: u32,
}

/// Where what is counted of a turn is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finished {
    /// In the row of a turn of a session, or here.
    Turn {
        /// The session.
        session_id: SessionId,
        /// What is counted, where whoever tells it knows: then the row need not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counted: Option<Box<Counted>>,
    },
    /// Here, for a question without a session has no row.
    Ask {
        /// What is counted.
        counted: Box<Counted>,
    },
    /// What a later release knows.
    #[serde(other)]
    Other,
}

impl RecordWork {
    /// For a turn of a session, of which nothing but its place is known.
    pub fn turn(turn_id: &str, session_id: SessionId) -> Self {
        Self { turn_id: turn_id.to_owned(), turn: Finished::Turn { session_id, counted: None }, put_back: 0 }
    }

    /// For a turn of a session that was kept just now.
    pub fn kept(reply: &ChatReply) -> Self {
        let counted = Some(Box::new(Counted::of_chat(reply)));
        let turn = Finished::Turn { session_id: reply.session_id.clone(), counted };
        Self { turn_id: reply.turn_id.clone(), turn, put_back: 0 }
    }

    /// For a turn of a session that could not be kept.
    pub fn unkept(reply: &ChatReply) -> Self {
        let counted = Box::new(Counted::of_chat(reply));
        Self { turn_id: reply.turn_id.clone(), turn: Finished::Ask { counted }, put_back: 0 }
    }

    /// For a question without a session.
    pub fn ask(reply: &AskReply) -> Self {
        let counted = Box::new(Counted::of_ask(reply));
        Self { turn_id: reply.turn_id.clone(), turn: Finished::Ask { counted }, put_back: 0 }
    }
}

/// What is counted of a turn: who answered what kind of thing how, and nothing of what a person wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// Who answered.
    pub assistant: String,
    /// What was done, as in [`ChatReply::action`]; `question` for one without a session.
    pub action: String,
    /// Who wrote the reply.
    pub written_by: Writer,
    /// What the model used.
    pub usage: Option<Usage>,
    /// The reply broke off.
    pub incomplete: bool,
    /// The parts that were missing, each once.
    pub degraded: BTreeSet<String>,
    /// The danger somebody was in, and the country that help was named for: `suicide GB`, `abuse unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub danger: Option<String>,
    /// What was asked for, as far as it has a name of ours: a route (`route LHE-DXB`), a passage (`passage FAQ › Dogs`).
    pub asked_for: BTreeSet<String>,
}

impl Counted {
    /// Of a turn of a session.
    pub fn of_chat(reply: &ChatReply) -> Self {
        let mut asked_for = cited(&reply.citations);
        if let ("search_flights", Some(origin), Some(destination)) =
            (reply.action.as_str(), &reply.slots.origin, &reply.slots.destination)
        {
            asked_for.insert(format!("route {}-{}", origin.iata, destination.iata));
        }
        Self {
            assistant: reply.assistant.clone(),
            action: reply.action.clone(),
            written_by: reply.written_by,
            usage: reply.usage.clone(),
            incomplete: reply.incomplete,
            degraded: parts(&reply.degraded),
            danger: reply.help.as_ref().map(danger),
            asked_for,
        }
    }

    /// Of a question without a session.
    pub fn of_ask(reply: &AskReply) -> Self {
        Self {
            assistant: reply.assistant.clone(),
            action: if reply.help.is_some() { reply.action.clone() } else { "question".to_owned() },
            written_by: reply.written_by,
            usage: reply.usage.clone(),
            incomplete: reply.incomplete,
            degraded: parts(&reply.degraded),
            danger: reply.help.as_ref().map(danger),
            asked_for: cited(&reply.citations),
        }
    }
}

fn danger(help: &Help) -> String {
    format!("{} {}", help.class.name(), help.region.as_deref().unwrap_or("unknown"))
}

fn parts(degraded: &[Degraded]) -> BTreeSet<String> {
    degraded.iter().map(|missing| missing.part.clone()).collect()
}

fn cited(citations: &[Citation]) -> BTreeSet<String> {
    let name = |citation: &Citation| {
        let name = match citation.heading.as_str() {
            "" => citation.source.clone(),
            heading => format!("{} › {heading}", citation.source),
        };
        format!("passage {}", name.chars().take(NAME_LIMIT).collect::<String>())
    };
    citations.iter().take(CITED).map(name).collect()
}

/// The day of a turn, UTC: when `chat` made its id.
pub fn day(turn_id: Ulid) -> Date {
    let moment = i64::try_from(turn_id.timestamp_ms()).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).date()
}

/// Which of the [`SHARDS`] a turn belongs to: the same each time.
pub fn shard(turn_id: Ulid) -> u8 {
    (turn_id.random() % u128::from(SHARDS)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_belongs_to_the_day_of_its_id() {
        let id: Ulid = "01M7Y5QRE1TRSWEGN6CG59HSD5".parse().unwrap();
        assert_eq!(day(id).to_string(), "2026-11-21");
        assert_eq!(day(Ulid::nil()).to_string(), "1970-01-01");
        assert!(shard(id) < SHARDS);
    }

    #[test]
    fn the_message_for_a_turn_holds_keys_alone() {
        let id: SessionId = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let work = RecordWork::turn("01M7Y5QRE1TRSWEGN6CG59HSD5", id);
        let json = serde_json::to_value(&work).unwrap();
        let expected = serde_json::json!({
            "turn_id": "01M7Y5QRE1TRSWEGN6CG59HSD5", "kind": "turn", "put_back": 0,
            "session_id": "0123456789abcdef0123456789abcdef",
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<RecordWork>(json).unwrap(), work);
    }

    #[test]
    fn the_message_for_a_turn_kept_just_now_holds_its_counts_and_no_words() {
        let reply = serde_json::json!({
            "session_id": "0123456789abcdef0123456789abcdef", "turn_id": "01M7Y5QRE1TRSWEGN6CG59HSD5",
            "assistant": "travel", "reply": "a secret", "action": "ask",
        });
        let json = serde_json::to_string(&RecordWork::kept(&serde_json::from_value(reply).unwrap())).unwrap();
        assert!(json.contains(r#""action":"ask""#) && !json.contains("secret"), "{json}");
    }
}
