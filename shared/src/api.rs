//! Every contract: the public API's types, and each step's path, input and output.
//!
//! Deploys are not atomic, so a contract only grows: what is added has a default, an enum has a last variant for what a
//! newer sender knows, and a break is a new path.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::ToSchema;

use crate::assistants::Kind;
use crate::dialogue::{Action, Exchange, Session, Understanding};
use crate::knowledge::{Passage, Retrieval, RetrieveRequest, Retrieved};
use crate::private::Private;
use crate::problem::{Problem, ProblemBody};
use crate::step::{Step, StreamStep};
use crate::travel::{FlightQuery, Offer, Slots};

/// Words to what they say.
pub const UNDERSTAND: Step<Utterance, Understanding> = Step::new("/steps/understand");
/// Reads a talk, merges what was said, decides what is done.
pub const SESSION_BEGIN: Step<BeginTurn, Begun> = Step::new("/steps/session/begin");
/// Keeps a finished turn.
pub const SESSION_COMMIT: Step<CommitTurn, Committed> = Step::new("/steps/session/commit");
/// Shows a talk.
pub const SESSION_READ: Step<SessionKey, SessionView> = Step::new("/steps/session/read");
/// Deletes a talk.
pub const SESSION_DELETE: Step<SessionKey, Deleted> = Step::new("/steps/session/delete");
/// Shows the turns of a talk.
pub const SESSION_TURNS: Step<ListTurns, TurnList> = Step::new("/steps/session/turns");
/// Keeps what is said of a turn.
pub const TURN_FEEDBACK: Step<RateTurn, FeedbackKept> = Step::new("/steps/session/feedback");
/// Searches flights and ranks them.
pub const FLIGHTS: Step<FlightQuery, FlightResults> = Step::new("/steps/flights");
/// Makes `flights` ready: opens what its providers ask for, with tokens that hold.
pub const FLIGHTS_WARM: Step<WarmRequest, Warmed> = Step::new("/steps/flights/warm");
/// Tries the flight providers.
pub const FLIGHTS_HEALTH: Step<HealthRequest, HealthChecks> = Step::new("/steps/flights/health");
/// Finds the passages that answer a question.
pub const RETRIEVE: Step<RetrieveRequest, Retrieved> = Step::new("/steps/retrieve");
/// Makes `retrieve` ready: loads the texts of every assistant.
pub const RETRIEVE_WARM: Step<WarmRequest, Warmed> = Step::new("/steps/retrieve/warm");
/// Tries the texts and the embedder.
pub const RETRIEVE_HEALTH: Step<HealthRequest, HealthChecks> = Step::new("/steps/retrieve/health");
/// Tries the model that writes.
pub const RESPOND_HEALTH: Step<HealthRequest, HealthChecks> = Step::new("/steps/respond/health");
/// Puts an action into words.
pub const RESPOND: StreamStep<ReplyRequest, ReplyEvent> = StreamStep::new("/steps/respond");

/// Paths whose response is a stream: served so by Lambda, and by `RESPONSE_STREAM` routes in the template.
pub const STREAMED: &[&str] = &["/v1/chat/stream", "/v1/ask/stream", RESPOND.path];

/// The largest body of a public request, in bytes.
pub const PUBLIC_BODY_LIMIT: usize = 64 * 1024;
/// The longest message, in characters.
pub const MESSAGE_LIMIT: usize = 4_000;
/// The longest comment on a turn, in characters.
pub const COMMENT_LIMIT: usize = 1_000;
/// The most turns on a page.
pub const TURNS_LIMIT: u8 = 100;

/// The id of a talk: 122 random bits, as 32 hexadecimal digits. Who knows it may go on with the talk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionId(uuid::Uuid);

impl SessionId {
    /// A new one that nobody can guess.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl FromStr for SessionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a session id is the 32 lower-case hexadecimal digits that an earlier answer gave".to_owned();
        if text.len() != 32 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong());
        }
        uuid::Uuid::try_parse(text).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.simple(), f)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The moment a message was written, as the writer's clock shows it: what "today" means.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ClientTime(pub Zoned);

impl ClientTime {
    /// Now, UTC.
    pub fn now() -> Self {
        Self(Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC))
    }
}

impl<'de> Deserialize<'de> for ClientTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl FromStr for ClientTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            "a date and time with an offset (RFC 3339), or also with a time zone (RFC 9557), in the years 2000 to 2199";
        let zoned = if text.contains('[') {
            text.parse::<Zoned>().ok()
        } else {
            let offset = text.parse::<crate::travel::LocalTime>().ok();
            offset.map(|time| time.timestamp().to_zoned(jiff::tz::TimeZone::fixed(time.offset())))
        };
        zoned.filter(|time| (2000..2200).contains(&time.year())).map(Self).ok_or_else(|| wrong.to_owned())
    }
}

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
    /// The talk it belongs to; without one, a new talk begins.
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
    /// The talk, for the next message.
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
    /// What was done: `ask`, `search_flights`, `show_offer`, `answer`, `cancel`, `start_over`, `handoff` or `crisis`.
    #[schema(example = "search_flights")]
    pub action: String,
    /// What is known of the journey.
    #[serde(default)]
    pub slots: Slots,
    /// Flights, the best first.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// The passages that the reply cites, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
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
    /// Milliseconds each step took, where the request asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings_ms: Option<BTreeMap<String, f64>>,
}

/// A question to an assistant, without a talk.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRequest {
    /// Whom it is put to: a name from `GET /v1/assistants`.
    #[schema(example = "fertility")]
    pub assistant: String,
    /// The question: 1 to 4,000 characters, not all of them blank.
    #[schema(value_type = String, min_length = 1, max_length = 4000, pattern = r"\S", example = "What is IVF?")]
    pub question: Private<String>,
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
    /// The passages that the reply cites, by number.
    pub citations: Vec<Citation>,
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
    /// Milliseconds each step took, where the request asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings_ms: Option<BTreeMap<String, f64>>,
}

/// A whole answer at the end of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Answer {
    /// Of a talk.
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
        /// The talk, for the next message; none for a question without one.
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

/// A part of an answer that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Degraded {
    /// The step or the provider: `understand`, `flights`, `duffel`.
    #[schema(example = "duffel")]
    pub part: String,
    /// Why: `timeout`, `unavailable`, `rate_limited`, `unauthorized`, `rejected` (the query is
    /// refused), `invalid_answer`, `mixed_currencies`, `switched_off` (by a flag); of a model's words also `cut_off` (at
    /// the most that it may write) and `filtered` (by its server).
    #[schema(example = "timeout")]
    pub reason: String,
}

impl Degraded {
    /// `part` is missing for `reason`.
    pub fn new(part: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { part: part.into(), reason: reason.into() }
    }

    /// `part` is missing because its step failed with `problem`.
    pub fn because(part: &str, problem: &Problem) -> Self {
        let timeout = problem.status() == http::StatusCode::GATEWAY_TIMEOUT;
        Self::new(part, if timeout { "timeout" } else { "unavailable" })
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

/// A talk, as `GET /v1/sessions/{id}` shows it.
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

/// The turns of a talk, as `GET /v1/sessions/{id}/turns` shows them.
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
}

impl Rating {
    /// Its name on the wire and in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
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
        let comment = self.comment.filter(|comment| !comment.trim().is_empty());
        Ok(Feedback { rating: self.rating, comment })
    }
}

/// How the service is, as `GET /v1/health` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// As bad as the worst of the checks.
    pub status: HealthStatus,
    /// Each dependency, by name.
    pub checks: BTreeMap<String, HealthCheck>,
    /// When it was looked at.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    /// The release.
    #[schema(example = "0.1.0")]
    pub version: String,
}

/// What a step is asked that is to try what it needs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct HealthRequest {}

/// What a step tried, by name.
pub type HealthChecks = BTreeMap<String, HealthCheck>;

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It works.
    Ok,
    /// It does not, and answers go on without it.
    Degraded,
    /// It does not.
    Down,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthCheck {
    /// Whether it answered.
    pub status: HealthStatus,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
    /// What is wrong with it, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
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
    /// The talk; `None` begins a new one.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// What time it is where it is said.
    pub client_time: ClientTime,
    /// What was said.
    pub understanding: Understanding,
    /// The key of the request, if it has one.
    #[serde(default)]
    pub idempotency: Option<Idempotency>,
}

/// What `session/begin` answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Begun {
    /// A turn to be answered.
    Turn {
        /// The talk.
        session_id: SessionId,
        /// The version read; 0 for a new talk.
        version: u64,
        /// What is known once this turn is merged.
        session: Box<Session>,
        /// What is to be done.
        action: Action,
        /// Where the request's idempotency key is kept, for the commit.
        #[serde(default)]
        claim: Option<String>,
    },
    /// The same request was answered before.
    Replay {
        /// The answer.
        reply: Box<ChatReply>,
    },
}

/// What `session/commit` is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommitTurn {
    /// The version that `begin` read.
    pub version: u64,
    /// The talk as `begin` left it; the offers of the reply become those shown.
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
}

/// What `session/commit` answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Committed {
    /// The talk's version now.
    pub version: u64,
    /// What is known of the journey now.
    pub slots: Slots,
}

/// Which talk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionKey {
    /// Its id.
    pub session_id: SessionId,
}

/// Which turns of a talk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListTurns {
    /// The talk.
    pub session_id: SessionId,
    /// How many, at most.
    pub limit: u8,
    /// Those before this one.
    #[serde(default)]
    pub before: Option<String>,
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

/// A talk was deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deleted {}

/// What `flights` answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FlightResults {
    /// The best first; at most 50.
    pub offers: Vec<Offer>,
    /// The providers that did not answer.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
}

/// What a step is asked that is to be ready for the next turns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WarmRequest {
    /// For how many seconds what it readies must hold.
    #[serde(default)]
    pub hold_s: u64,
}

/// What a step has ready.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warmed {
    /// What is ready: providers, assistants.
    #[serde(default)]
    pub ready: Vec<String>,
    /// What is not, and why.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
}

/// What `respond` is asked to put into words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplyRequest {
    /// Who speaks.
    pub assistant: String,
    /// What was decided.
    pub action: Action,
    /// The talk.
    pub session: Box<Session>,
    /// What time it is where the person is.
    pub client_time: ClientTime,
    /// The offers to be shown now.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// How many there are beyond those, and those shown before.
    #[serde(default)]
    pub more: usize,
    /// What was said, where it is to be answered from texts.
    #[serde(default)]
    pub question: Private<String>,
    /// The passages that answer it, the best first.
    #[serde(default)]
    pub passages: Vec<Passage>,
    /// What is missing.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
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
}

/// What a language model used for a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "gpt-4o-mini")]
    pub model: Option<String>,
}

impl Usage {
    /// What two calls used together; none where neither is known. Of two models, neither is named.
    pub fn sum(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(a), Some(b)) => Some(Self {
                prompt_tokens: a.prompt_tokens.saturating_add(b.prompt_tokens),
                completion_tokens: a.completion_tokens.saturating_add(b.completion_tokens),
                model: a.model.filter(|model| b.model.as_ref() == Some(model)),
            }),
            (one, other) => one.or(other),
        }
    }
}

/// A passage that a reply cites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Citation {
    /// The number it has in the reply: `[1]`.
    pub number: usize,
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
