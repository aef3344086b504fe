//! What is said to an assistant, and what it answers.

use std::collections::BTreeMap;

use safety::Help;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ClientTime, MESSAGE_LIMIT, SessionId};
use crate::knowledge::Retrieval;
use crate::outcome::{Degraded, Usage};
use crate::private::Private;
use crate::problem::{Problem, ProblemBody};
use crate::travel::{Booking, CalendarDay, Offer, Slots};

/// What a person says to an assistant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    /// Whom it is said to: a name from `GET /v1/assistants`.
    #[schema(example = "travel")]
    pub assistant: String,
    /// What is said: 1 to 4,000 characters, not all of them blank.
    #[schema(value_type = String, min_length = 1, max_length = 4000, pattern = r"\S", example = "fly me from Lahore to Dubai next Friday")]
    pub message: Private<String>,
    /// The session it belongs to; without one, a new session begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{32}$")]
    pub session_id: Option<SessionId>,
    /// What time it is where it is said: RFC 9557 or RFC 3339. Without it: now, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        value_type = Option<String>,
        pattern = r"^2[01]\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)(\[[A-Za-z0-9_+/-]+\])?$",
        example = "2026-11-20T09:00:00+05:00[Asia/Karachi]"
    )]
    pub client_time: Option<ClientTime>,
    /// Whether the answer says how long each step took.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
}

impl ChatRequest {
    /// Whether the message has a length that is allowed.
    ///
    /// # Errors
    /// 422 naming `message`.
    pub fn check(&self) -> Result<(), Problem> {
        check_words("message", &self.message)
    }
}

impl AskRequest {
    /// Whether the question has a length that is allowed.
    ///
    /// # Errors
    /// 422 naming `question`.
    pub fn check(&self) -> Result<(), Problem> {
        check_words("question", &self.question)
    }
}

fn check_words(field: &str, words: &str) -> Result<(), Problem> {
    let length = words.chars().take(MESSAGE_LIMIT + 1).count();
    if words.trim().is_empty() || length > MESSAGE_LIMIT {
        return Err(Problem::field(field, "it must have 1 to 4,000 characters, not all of them blank"));
    }
    Ok(())
}

/// What an assistant answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatReply {
    /// The session, for the next message.
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
    pub session_id: SessionId,
    /// This turn of it: a ULID.
    #[schema(example = "01JCZV5W9GQ2N5X7K3T8R4M6PA")]
    pub turn_id: String,
    /// Who answers.
    pub assistant: String,
    /// The answer in words.
    #[schema(value_type = String)]
    pub reply: Private<String>,
    /// What was done: `ask`, `search_flights`, `show_offer` (where it is sold, `booking` says), `answer`, `cancel`,
    /// `start_over`, `handoff`, `crisis` (somebody is in danger: `help` says whom to call) or `first_aid` (money is being
    /// drained or was just lost).
    #[schema(example = "search_flights")]
    pub action: String,
    /// Whom to call, where somebody is in danger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Help>,
    /// What has to be shown with this reply: at the start of a session and every three hours, that it is from an AI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// What is known of the journey.
    #[serde(default)]
    pub slots: Slots,
    /// Flights, the best first.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// What other days cost, where those were compared, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendar: Vec<CalendarDay>,
    /// What came of a wish to book: whether the offer is still sold, at which price, and where to go on. Nothing is booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<Booking>,
    /// The passages that the reply cites, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// What the texts nearest to the question are about, to be asked instead where none of them answers it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// How passages were looked for, where the answer is from texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrieval: Option<Retrieval>,
    /// Who wrote the reply.
    #[serde(default)]
    pub written_by: Writer,
    /// What the model used, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The reply broke off or was cut off: what is there is kept, and is not the whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// What is missing from this answer, and why.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
    /// Milliseconds each step took, where the request asked for it, and at the end of a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings_ms: Option<BTreeMap<String, f64>>,
}

/// A question to an assistant, without a session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRequest {
    /// Whom it is put to: a name from `GET /v1/assistants`.
    #[schema(example = "fertility")]
    pub assistant: String,
    /// The question: 1 to 4,000 characters, not all of them blank.
    #[schema(value_type = String, min_length = 1, max_length = 4000, pattern = r"\S", example = "What is IVF?")]
    pub question: Private<String>,
    /// What time it is where it is asked, as in a message to `/v1/chat`: its time zone says whose helplines are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        value_type = Option<String>,
        pattern = r"^2[01]\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)(\[[A-Za-z0-9_+/-]+\])?$",
        example = "2026-11-20T09:00:00+05:00[Asia/Karachi]"
    )]
    pub client_time: Option<ClientTime>,
    /// Whether the answer says how long each step took.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
}

/// What is answered to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AskReply {
    /// This answer: a ULID.
    #[schema(example = "01JCZV5W9GQ2N5X7K3T8R4M6PA")]
    pub turn_id: String,
    /// Who answers.
    pub assistant: String,
    /// The answer in words.
    #[schema(value_type = String)]
    pub reply: Private<String>,
    /// What was done: `answer`, `crisis` (somebody is in danger: `help` says whom to call) or `first_aid`.
    #[serde(default = "answer")]
    #[schema(example = "answer")]
    pub action: String,
    /// Whom to call, where somebody is in danger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Help>,
    /// The passages that the reply cites, by number.
    pub citations: Vec<Citation>,
    /// As in the answer to a message: what to ask instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// How passages were looked for.
    pub retrieval: Retrieval,
    /// Who wrote the reply.
    pub written_by: Writer,
    /// What the model used, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The reply broke off or was cut off: what is there is not the whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// What is missing from this answer, and why.
    pub degraded: Vec<Degraded>,
    /// Milliseconds each step took, where the request asked for it, and at the end of a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings_ms: Option<BTreeMap<String, f64>>,
}

/// What is done with nearly every question.
fn answer() -> String {
    "answer".to_owned()
}

/// A whole answer at the end of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Answer {
    /// Of a session.
    Chat(Box<ChatReply>),
    /// Of a question without one.
    Ask(Box<AskReply>),
}

/// What happens while a turn is answered, as a server-sent event: `event` is the kind, `data` the rest as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TurnEvent {
    /// The turn is under way.
    Turn {
        /// The session, for the next message; none for a question without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        session_id: Option<SessionId>,
        /// This turn: a ULID.
        turn_id: String,
        /// Who answers.
        assistant: String,
    },
    /// A step is done.
    Step {
        /// Its name.
        step: String,
        /// How long it took.
        milliseconds: f64,
    },
    /// Flights were found, the best first.
    Offers {
        /// The flights.
        offers: Vec<Offer>,
    },
    /// Passages were found; the reply cites some of them by number.
    Citations {
        /// The passages.
        citations: Vec<Citation>,
    },
    /// More words of the reply.
    Delta {
        /// The words.
        #[schema(value_type = String)]
        text: Private<String>,
    },
    /// The reply is whole and kept.
    Done {
        /// All of it, as the path without `/stream` would have answered.
        reply: Answer,
    },
    /// The reply broke off; nothing more comes.
    Error {
        /// Why.
        problem: ProblemBody,
    },
}

impl TurnEvent {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Turn { .. } => "turn",
            Self::Step { .. } => "step",
            Self::Offers { .. } => "offers",
            Self::Citations { .. } => "citations",
            Self::Delta { .. } => "delta",
            Self::Done { .. } => "done",
            Self::Error { .. } => "error",
        }
    }
}

/// An assistant, as `GET /v1/assistants` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssistantView {
    /// Its name in requests.
    #[schema(example = "travel")]
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// What it says first.
    pub greeting: String,
    /// Things to say to it, to begin with.
    pub suggestions: Vec<String>,
    /// What it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclaimer: Option<String>,
}

/// The assistants there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssistantList {
    /// Those that do something besides answering first, then by name.
    pub assistants: Vec<AssistantView>,
}

/// Who wrote a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// Rules: sentences made for what was decided.
    #[default]
    Rules,
    /// Nobody: sentences quoted from the passages.
    Extract,
    /// A language model, from the passages.
    Model,
    /// What a later release knows.
    #[serde(other)]
    Other,
}

/// A passage that a reply cites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Citation {
    /// The number it has in the reply: `[1]`.
    pub number: usize,
    /// The passage's id.
    #[serde(default)]
    pub id: String,
    /// The name of where it is from.
    pub source: String,
    /// The address of where it is from, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The headings above it, the outermost first, joined by " › ".
    #[serde(default)]
    pub heading: String,
    /// Its words.
    pub text: String,
}
