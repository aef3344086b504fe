//! The values of the trade that are written as texts: codes, money, times. Parsed once, at the edge.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::ToSchema;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// Says why a text is not one of the types of this module, in words for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotValid(String);

/// Writes and reads a type as the string that its `Display` and `FromStr` agree on.
macro_rules! serde_as_string {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

/// Describes a type whose wire form the derive cannot see.
macro_rules! schema_of {
    ($type:ty, $schema:expr) => {
        impl utoipa::PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema
            }
        }

        impl ToSchema for $type {}
    };
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The IATA code of an airport or of a metropolitan area (`LHE`, `LON`): three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iata([u8; 3]);

impl Iata {
    /// The code from its three letters, in either case; `None` where one is not a letter.
    pub const fn new(letters: [u8; 3]) -> Option<Self> {
        let upper = [letters[0].to_ascii_uppercase(), letters[1].to_ascii_uppercase(), letters[2].to_ascii_uppercase()];
        if upper[0].is_ascii_uppercase() && upper[1].is_ascii_uppercase() && upper[2].is_ascii_uppercase() {
            Some(Self(upper))
        } else {
            None
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Iata {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        text.as_bytes()
            .try_into()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| NotValid("an IATA code is three letters, like LHE".into()))
    }
}

impl fmt::Display for Iata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Iata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_string!(Iata);
schema_of!(Iata, text().pattern(Some("^[A-Z]{3}$")).examples(["LHE"]).into());

/// An exact amount of money.
///
/// On the wire `{"amount": "450.00", "currency": "EUR"}`: a decimal string with as many places as the currency has
/// (ISO 4217), and the currency's code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The amount in the currency's minor unit: cents for EUR, whole yen for JPY.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

schema_of!(Money, MoneyWire::schema());

/// How [`Money`] is written.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Money)]
struct MoneyWire {
    /// A decimal with as many places as the currency has.
    #[schema(example = "450.00", pattern = r"^-?\d+(\.\d+)?$")]
    amount: String,
    /// ISO 4217.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    currency: String,
}

impl Money {
    /// Reads a decimal amount such as `450`, `450.5` or `450.00`. Places beyond the currency's own are accepted only
    /// where they are zero, so nothing is rounded.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, NotValid> {
        let wrong = || NotValid(format!("{amount:?} is not an amount of {}", currency.code()));
        let places = places(currency);
        let (digits, negative) = amount.strip_prefix('-').map_or((amount, false), |rest| (rest, true));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let (kept, beyond) = fraction.split_at(fraction.len().min(places));
        if beyond.bytes().any(|byte| byte != b'0') {
            return Err(wrong());
        }
        let minor: i64 = format!("{whole}{kept:0<places$}").parse().map_err(|_| wrong())?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// The amount as a plain decimal, with as many places as the currency has.
    pub fn amount(&self) -> String {
        let places = places(self.currency);
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// The amount in major units, for arithmetic that is not accounting (ranking).
    pub fn approximate(&self) -> f64 {
        self.minor as f64 / 10f64.powi(places(self.currency) as i32)
    }
}

/// The decimal places of a currency; 2 where ISO 4217 states none (precious metals, testing codes).
fn places(currency: Currency) -> usize {
    usize::from(currency.exponent().unwrap_or(2))
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.code(), self.amount())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyWire { amount: self.amount(), currency: self.currency.code().to_owned() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = MoneyWire::deserialize(deserializer)?;
        let currency = Currency::from_code(&wire.currency)
            .ok_or_else(|| D::Error::custom(format!("{:?} is not an ISO 4217 currency", wire.currency)))?;
        Self::parse(&wire.amount, currency).map_err(D::Error::custom)
    }
}

/// A stretch of the day in local time, both ends included. `from` later than `to` reaches past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeWindow {
    /// The earliest.
    pub from: Time,
    /// The latest.
    pub to: Time,
}

impl TimeWindow {
    /// A time of day lies in it, ends included.
    pub fn holds(&self, time: Time) -> bool {
        if self.from <= self.to { self.from <= time && time <= self.to } else { time >= self.from || time <= self.to }
    }
}

schema_of!(TimeWindow, TimeWindowWire::schema());

/// How a [`TimeWindow`] is written.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = TimeWindow)]
struct TimeWindowWire {
    /// `HH:MM`, 24 hours.
    #[schema(example = "06:00")]
    from: String,
    /// `HH:MM`, 24 hours.
    #[schema(example = "12:00")]
    to: String,
}

impl Serialize for TimeWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let clock = |time: Time| time.strftime("%H:%M").to_string();
        TimeWindowWire { from: clock(self.from), to: clock(self.to) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TimeWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = TimeWindowWire::deserialize(deserializer)?;
        let clock = |text: &str| Time::strptime("%H:%M", text).map_err(D::Error::custom);
        Ok(Self { from: clock(&wire.from)?, to: clock(&wire.to)? })
    }
}

/// A moment as the clock at an airport shows it: RFC 3339 with that airport's offset.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LocalTime {
    instant: Timestamp,
    offset: jiff::tz::Offset,
}

impl LocalTime {
    /// The moment with the offset that its zone has then.
    pub fn new(zoned: &Zoned) -> Self {
        Self { instant: zoned.timestamp(), offset: zoned.offset() }
    }

    /// The moment, comparable across zones.
    pub fn timestamp(&self) -> Timestamp {
        self.instant
    }

    /// The offset from UTC.
    pub fn offset(&self) -> jiff::tz::Offset {
        self.offset
    }

    /// Date and time on the airport's clock.
    pub fn civil(&self) -> jiff::civil::DateTime {
        self.offset.to_datetime(self.instant)
    }
}

impl PartialOrd for LocalTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LocalTime {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.instant, self.offset).cmp(&(other.instant, other.offset))
    }
}

impl FromStr for LocalTime {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let wrong = || NotValid(format!("{text:?} is not a date and time with an offset (RFC 3339)"));
        let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|_| wrong())?;
        let offset = pieces.to_numeric_offset().ok_or_else(wrong)?;
        let instant: Timestamp = text.parse().map_err(|_| wrong())?;
        Ok(Self { instant, offset })
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned = self.instant.to_zoned(TimeZone::fixed(self.offset));
        write!(f, "{}", zoned.strftime("%Y-%m-%dT%H:%M:%S%:z"))
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serde_as_string!(LocalTime);
schema_of!(LocalTime, text().pattern(Some("^.+T.+[+-].+$")).examples(["2026-11-27T09:05:00+05:00"]).into());
