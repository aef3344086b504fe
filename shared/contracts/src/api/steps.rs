//! What the steps of a turn are asked, and what they answer.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{ChatReply, ClientTime, Degraded, SessionId, Usage, Writer};
use crate::dialogue::{Action, Session, Understanding};
use crate::knowledge::{Passage, QuestionPart};
use crate::private::Private;
use crate::travel::{Booking, CalendarDay, FlightQuery, Money, Offer, Place, Slots};

/// What an assistant answers with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Its texts.
    #[default]
    Knowledge,
    /// Flights, and its texts for questions in between.
    Travel,
    /// What a later release knows.
    #[serde(other)]
    Other,
}

/// What `understand` is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Utterance {
    /// Who is spoken to.
    pub assistant: String,
    /// The words.
    pub words: Private<String>,
    /// What kind of assistant that is.
    #[serde(default)]
    pub kind: Kind,
}

/// What makes a repeated request the same request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Idempotency {
    /// The client's key.
    pub key: String,
    /// SHA-256 of what the request says, hexadecimal.
    pub body_hash: String,
    /// How long the turn may take at most, in milliseconds: later, another may take over.
    #[serde(default = "within_half_a_minute")]
    pub lease_ms: u64,
}

/// Longer than a reply that is not streamed may take.
fn within_half_a_minute() -> u64 {
    30_000
}

/// Whose idempotency key is claimed, or released.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClaimKey {
    /// The turn that is to answer the request: a ULID.
    pub turn_id: String,
    /// The session; `None` begins a new one.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// The key.
    pub idempotency: Idempotency,
}

/// A key that is claimed, or was by an earlier turn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClaimedKey {
    /// Where the key is kept, for the commit.
    pub claim: String,
    /// The answer, where the same request was answered before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Box<ChatReply>>,
}

/// A key is free again, if it was the turn's and the turn is not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleasedKey {}

/// What `session/begin` is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BeginTurn {
    /// The turn's id, made by `chat`: a ULID.
    pub turn_id: String,
    /// Who is spoken to.
    pub assistant: String,
    /// What it answers with.
    #[serde(default)]
    pub kind: Kind,
    /// The session; `None` begins a new one.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// What time it is where it is said.
    pub client_time: ClientTime,
    /// What was said.
    pub understanding: Understanding,
    /// The key of the request, where it is to be claimed along with this.
    #[serde(default)]
    pub idempotency: Option<Idempotency>,
    /// The message is from somebody in danger: nothing of it is merged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_danger: bool,
}

/// What `session/begin` answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Begun {
    /// A turn to be answered.
    Turn {
        /// The session.
        session_id: SessionId,
        /// The version read; 0 for a new session.
        version: u64,
        /// What is known once this turn is merged.
        session: Box<Session>,
        /// What is to be done.
        action: Action,
        /// Where the request's idempotency key is kept, for the commit.
        #[serde(default)]
        claim: Option<String>,
        /// The offers of the search that more is asked of, the best first, while they are kept; none otherwise.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ranked: Vec<Offer>,
        /// The session without this turn, where the message may be an answer to a crisis reply and not about the journey.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<Session>>,
    },
    /// The same request was answered before.
    Replay {
        /// The answer.
        reply: Box<ChatReply>,
    },
    /// What a later release knows.
    #[serde(other)]
    Other,
}

/// What `session/commit` is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommitTurn {
    /// The version that `begin` read.
    pub version: u64,
    /// The session as `begin` left it; the offers of the reply become those shown.
    pub session: Box<Session>,
    /// What the assistant answers with.
    #[serde(default)]
    pub kind: Kind,
    /// What was said, to merge it anew where another turn came first.
    pub understanding: Understanding,
    /// What time it was where it was said.
    pub client_time: ClientTime,
    /// What was said, in words.
    pub message: Private<String>,
    /// The answer.
    pub reply: ChatReply,
    /// Milliseconds each step took so far.
    #[serde(default)]
    pub timings_ms: BTreeMap<String, f64>,
    /// The claim that `begin` made.
    #[serde(default)]
    pub claim: Option<String>,
    /// All that was found for the reply, where it was searched for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranked: Option<RankedOffers>,
}

/// What a search came to, kept with its session for minutes, so that more of it can be shown without another search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedOffers {
    /// What was searched.
    pub query: FlightQuery,
    /// The offers, the best first.
    pub offers: Vec<Offer>,
}

/// What `session/commit` answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Committed {
    /// The session's version now.
    pub version: u64,
    /// What is known of the journey now.
    pub slots: Slots,
}

/// What `flights` answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FlightResults {
    /// The best first; at most 50.
    pub offers: Vec<Offer>,
    /// The providers that did not answer.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
}

/// What `flights/price` is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PriceOffer {
    /// What was searched.
    pub query: FlightQuery,
    /// The offer that somebody wants to book, as it was shown.
    pub offer: Offer,
    /// What the turn is called where it is booked: its id.
    pub reference: String,
}

/// What `flights/price` answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PricedOffer {
    /// Whether it is still sold, and where.
    pub booking: Booking,
    /// The offer as it is now; as it was shown, where nobody could be asked; none where it is not sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Box<Offer>>,
    /// What is missing.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
}

impl PricedOffer {
    /// Of an offer that is not sold.
    pub fn without_offer(booking: Booking) -> Self {
        Self { booking, offer: None, degraded: Vec::new() }
    }
}

/// A place that a reply names, and what getting there costs at least.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The place.
    pub place: Place,
    /// The cheapest offer, for all travellers.
    pub from: Money,
    /// The day that was searched.
    pub date: Date,
}

/// What `respond` is asked to put into words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplyRequest {
    /// Who speaks.
    pub assistant: String,
    /// What was decided.
    pub action: Action,
    /// The session.
    pub session: Box<Session>,
    /// What time it is where the person is.
    pub client_time: ClientTime,
    /// The offers to be shown now.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// How many there are beyond those, and those shown before.
    #[serde(default)]
    pub more: usize,
    /// What came of a wish to book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<Booking>,
    /// What other places would cost.
    #[serde(default)]
    pub suggestions: Vec<Suggestion>,
    /// What the days cost that were compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendar: Vec<CalendarDay>,
    /// A person looks at what is handed off, so that it may be said.
    #[serde(default)]
    pub hand_offs_are_read: bool,
    /// What was said, where it is to be answered from texts.
    #[serde(default)]
    pub question: Private<String>,
    /// The passages that answer it, the best first.
    #[serde(default)]
    pub passages: Vec<Passage>,
    /// The questions it is made of, and which passages answer each.
    #[serde(default)]
    pub parts: Vec<QuestionPart>,
    /// The nearest headings, where nothing answers.
    #[serde(default)]
    pub near: Vec<String>,
    /// What is missing.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
}

/// A bit of a reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ReplyEvent {
    /// Words to be added.
    Delta {
        /// The words.
        text: Private<String>,
    },
    /// The reply is whole.
    Done {
        /// Who wrote it.
        #[serde(default)]
        written_by: Writer,
        /// The passages it cites: their numbers, from 1.
        #[serde(default)]
        cited: Vec<usize>,
        /// What the model used, where one wrote it.
        #[serde(default)]
        usage: Option<Usage>,
    },
    /// A reply begins that takes long to be written: by whom, should it break off.
    Begun {
        /// Who writes it.
        written_by: Writer,
        /// What the model used before its first word, about: what counts where the reply ends before that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        estimate: Option<Usage>,
    },
    /// The reply broke off after what was sent, or was cut off.
    Failed {
        /// Why, as in [`Degraded`].
        reason: String,
        /// What the model used all the same, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
    },
    /// Something is missing from the reply, which goes on all the same.
    Degraded {
        /// What.
        degraded: Degraded,
    },
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}
