//! Every contract: the public API's types, and each step's path, input and output.
//!
//! Deploys are not atomic, so a contract only grows: what is added has a default, an enum has a last variant for what a
//! newer sender knows, and a break is a new path.

mod chat;
mod health;
mod sessions;
mod steps;

use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::dialogue::Understanding;
use crate::knowledge::{RetrieveRequest, Retrieved};
use crate::step::{Step, StreamStep};
use crate::travel::FlightQuery;

pub use crate::outcome::{Degraded, Usage};
pub use chat::*;
pub use health::*;
pub use sessions::*;
pub use steps::*;

/// Words to what they say.
pub const UNDERSTAND: Step<Utterance, Understanding> = Step::new("/steps/understand");
/// Claims the idempotency key of a request for its turn.
pub const SESSION_CLAIM: Step<ClaimKey, ClaimedKey> = Step::new("/steps/session/claim");
/// Releases the idempotency key of a turn that failed.
pub const SESSION_RELEASE: Step<ClaimKey, ReleasedKey> = Step::new("/steps/session/release");
/// Reads a session, merges what was said, decides what is done.
pub const SESSION_BEGIN: Step<BeginTurn, Begun> = Step::new("/steps/session/begin");
/// Keeps a finished turn.
pub const SESSION_COMMIT: Step<CommitTurn, Committed> = Step::new("/steps/session/commit");
/// Shows a session.
pub const SESSION_READ: Step<SessionKey, SessionView> = Step::new("/steps/session/read");
/// Deletes a session.
pub const SESSION_DELETE: Step<SessionKey, Deleted> = Step::new("/steps/session/delete");
/// Shows the turns of a session.
pub const SESSION_TURNS: Step<ListTurns, TurnList> = Step::new("/steps/session/turns");
/// Reads a finished turn.
pub const TURN_READ: Step<TurnKey, FinishedTurn> = Step::new("/steps/session/turn");
/// Asks whoever runs a turn to stop it.
pub const TURN_STOP: Step<TurnKey, StopKept> = Step::new("/steps/session/stop");
/// Looks whether a turn is to be stopped.
pub const TURN_STOPPED: Step<TurnKey, StopMark> = Step::new("/steps/session/stopped");
/// Lists the conversations that wait for a person.
pub const HANDOFFS: Step<ListHandoffs, HandoffList> = Step::new("/steps/session/handoffs");
/// Keeps what is said of a turn.
pub const TURN_FEEDBACK: Step<RateTurn, FeedbackKept> = Step::new("/steps/session/feedback");
/// Searches flights and ranks them.
pub const FLIGHTS: Step<FlightQuery, FlightResults> = Step::new("/steps/flights");
/// Asks the price of one offer once more, and where it can be booked.
pub const FLIGHTS_PRICE: Step<PriceOffer, PricedOffer> = Step::new("/steps/flights/price");
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
pub const STREAMED: &[&str] = &["/v1/chat/stream", "/v1/ask/stream", "/v1/turns/{id}/events", RESPOND.path];

/// The header that names a session where no body does. Who knows the id may read, continue and delete the session.
pub const SESSION_HEADER: &str = "colloquy-session";

/// The largest body of a public request, in bytes.
pub const PUBLIC_BODY_LIMIT: usize = 64 * 1024;

/// The longest message, in characters.
pub const MESSAGE_LIMIT: usize = 4_000;

/// The longest comment on a turn, in characters.
pub const COMMENT_LIMIT: usize = 1_000;

/// The most turns on a page.
pub const TURNS_LIMIT: u8 = 100;

/// The id of a session: 122 random bits, as 32 hexadecimal digits. Who knows it may go on with the session.
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
