//! What is kept of sessions and their turns, and what is thought of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{COMMENT_LIMIT, ChatReply, Citation, Degraded, SessionId, Usage, Writer};
use crate::dialogue::Exchange;
use crate::private::Private;
use crate::problem::Problem;
use crate::travel::{Offer, Slots};

/// A session, as `GET /v1/session` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
    pub session_id: SessionId,
    /// With whom.
    pub assistant: String,
    /// How many turns it has had.
    pub version: u64,
    /// What is known of the journey.
    pub slots: Slots,
    /// The offers shown last.
    pub offers: Vec<Offer>,
    /// The last turns, oldest first.
    pub turns: Vec<Exchange>,
    /// It was handed to a person.
    pub handed_off: bool,
    /// When it is forgotten unless it goes on.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// The turns of a session, as `GET /v1/session/turns` shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnList {
    /// The newest first.
    pub turns: Vec<TurnView>,
    /// What `before` must be for the next page; none where there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A turn as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnView {
    /// Its id: a ULID.
    #[schema(example = "01JCZV5W9GQ2N5X7K3T8R4M6PA")]
    pub turn_id: String,
    /// What was said.
    #[schema(value_type = String)]
    pub message: Private<String>,
    /// What was answered.
    #[schema(value_type = String)]
    pub reply: Private<String>,
    /// What was done, as in the answer.
    pub action: String,
    /// The passages that the reply cites, by number.
    pub citations: Vec<Citation>,
    /// Who wrote the reply.
    pub written_by: Writer,
    /// What the model used, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The reply broke off or was cut off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// What is missing from the answer, and why.
    pub degraded: Vec<Degraded>,
    /// Milliseconds each step took, up to the one that kept the turn.
    pub timings_ms: BTreeMap<String, f64>,
    /// Whether it is counted in the totals of its day.
    pub recorded: bool,
    /// What the model cost, in US dollars; none before it is recorded, or where the model has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.00027", pattern = r"^\d+(\.\d{1,12})?$")]
    pub cost_usd: Option<String>,
    /// What was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Feedback>,
}

/// Whether a turn was of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// It was.
    Up,
    /// It was not.
    Down,
    /// What a later release knows.
    #[serde(other)]
    Other,
}

impl Rating {
    /// Its name on the wire and in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Other => "other",
        }
    }

    /// The rating of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Up, Self::Down].into_iter().find(|rating| rating.name() == name)
    }
}

/// What is said of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feedback {
    /// Whether it was of use.
    pub rating: Rating,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub comment: Option<Private<String>>,
}

/// What a person says of a turn.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackRequest {
    /// Whether it was of use.
    #[schema(value_type = String, pattern = "^(up|down)$", example = "up")]
    pub rating: Rating,
    /// Why, in words: at most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    pub comment: Option<Private<String>>,
}

impl FeedbackRequest {
    /// What is said, where its comment has a length that is allowed; a blank one is none.
    ///
    /// # Errors
    /// 422 naming `comment`.
    pub fn check(self) -> Result<Feedback, Problem> {
        if self.comment.as_ref().is_some_and(|comment| comment.chars().count() > COMMENT_LIMIT) {
            return Err(Problem::field("comment", "it may have at most 1,000 characters"));
        }
        if self.rating == Rating::Other {
            return Err(Problem::field("rating", "it must be up or down"));
        }
        let comment = self.comment.filter(|comment| !comment.trim().is_empty());
        Ok(Feedback { rating: self.rating, comment })
    }
}

/// Which session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionKey {
    /// Its id.
    pub session_id: SessionId,
}

/// Which turns of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListTurns {
    /// The session.
    pub session_id: SessionId,
    /// How many, at most.
    pub limit: u8,
    /// Those before this one.
    #[serde(default)]
    pub before: Option<String>,
}

/// Which turn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TurnKey {
    /// Its session; none for a question without one.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// The turn: a ULID.
    pub turn_id: String,
}

/// A turn, if it is finished and kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FinishedTurn {
    /// Its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Box<ChatReply>>,
}

/// Whoever runs the turn will find that it is to be stopped.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StopKept {}

/// Whether a turn is to be stopped.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StopMark {
    /// Somebody asked for it.
    pub is_stopped: bool,
}

/// What is said of which turn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RateTurn {
    /// The turn: a ULID.
    pub turn_id: String,
    /// What is said.
    pub feedback: Feedback,
}

/// What was said of a turn is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FeedbackKept {}

/// A session was deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deleted {}

/// What `session/handoffs` is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListHandoffs {
    /// Of how many days, today included.
    pub days: u8,
}

/// A conversation that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Handoff {
    /// The turn in which a person was asked for: a ULID, which says when.
    pub turn_id: String,
    /// With whom the conversation is.
    pub assistant: String,
    /// The session, for reading and continuing it.
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
    pub session_id: SessionId,
}

/// The conversations that wait for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HandoffList {
    /// The newest first.
    pub handoffs: Vec<Handoff>,
}
