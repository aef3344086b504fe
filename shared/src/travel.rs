//! The words of the trade: places, money, travellers, a flight query, and the offers that answer it.
//!
//! Every type is parsed at the edge and holds what its name says, so nothing behind it checks again. Amounts are whole
//! minor units (cents), never floats; dates are civil dates; a local time carries its offset.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency;
use jiff::civil::{Date, Time};
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

/// Where a journey starts or ends: a city under its metropolitan code where it has several airports, else an airport.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// What people call it.
    #[schema(example = "Lahore")]
    pub name: String,
    /// Its code.
    pub iata: Iata,
}

/// An airline by name and IATA designator (`EK`, `9P`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Airline {
    /// What people call it.
    #[schema(example = "Emirates")]
    pub name: String,
    /// Two letters or digits.
    #[schema(example = "EK")]
    pub iata: String,
}

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

/// The class of travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cabin {
    /// Economy.
    Economy,
    /// Premium economy.
    PremiumEconomy,
    /// Business.
    Business,
    /// First.
    First,
}

/// Who travels. At most nine, as every booking system has it; an infant sits on an adult's lap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Passengers {
    /// From 12 years.
    #[schema(minimum = 0, maximum = 9)]
    pub adults: u8,
    /// From 2 to 11 years.
    #[serde(default)]
    pub children: u8,
    /// Below 2 years.
    #[serde(default)]
    pub infants: u8,
}

impl Passengers {
    /// One adult: what is searched for while nobody said otherwise.
    pub const ONE: Self = Self { adults: 1, children: 0, infants: 0 };

    /// Everyone together.
    pub fn total(&self) -> u8 {
        self.adults.saturating_add(self.children).saturating_add(self.infants)
    }
}

/// One way, or there and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trip {
    /// There.
    OneWay,
    /// There and back.
    RoundTrip,
}

/// A stretch of the day in local time, both ends included. `from` later than `to` reaches past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeWindow {
    /// The earliest.
    pub from: Time,
    /// The latest.
    pub to: Time,
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

/// What is known of the journey so far; absent while unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Slots {
    /// Where it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Place>,
    /// Where it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Place>,
    /// The day out, at the origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departure_date: Option<Date>,
    /// The day back, at the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_date: Option<Date>,
    /// One way or there and back, once said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trip: Option<Trip>,
    /// Who travels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passengers: Option<Passengers>,
    /// The class of travel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cabin: Option<Cabin>,
    /// The only airlines wanted; empty where any will do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub airlines: Vec<Airline>,
    /// Airlines not wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_airlines: Vec<Airline>,
    /// The most stops in one direction; 0 is nonstop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stops: Option<u8>,
    /// The most that all travellers together may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Money>,
    /// When the way out may start, at the origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departure_time: Option<TimeWindow>,
    /// When the way back may start, at the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_time: Option<TimeWindow>,
}

/// What every flight provider is asked: all that a search needs, and nothing unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlightQuery {
    /// Where it starts.
    pub origin: Place,
    /// Where it ends.
    pub destination: Place,
    /// The day out, at the origin.
    pub departure_date: Date,
    /// The day back; `None` is one way.
    #[serde(default)]
    pub return_date: Option<Date>,
    /// Who travels.
    pub passengers: Passengers,
    /// The class of travel; `None` is whatever the provider sells first (economy).
    #[serde(default)]
    pub cabin: Option<Cabin>,
    /// The only marketing carriers wanted; empty is any.
    #[serde(default)]
    pub airlines: Vec<Airline>,
    /// Marketing carriers not wanted.
    #[serde(default)]
    pub without_airlines: Vec<Airline>,
    /// The most stops in one direction.
    #[serde(default)]
    pub max_stops: Option<u8>,
    /// The most for all travellers together.
    #[serde(default)]
    pub max_price: Option<Money>,
    /// When the way out should start, at the origin: ranks, does not exclude.
    #[serde(default)]
    pub departure_time: Option<TimeWindow>,
    /// When the way back should start, at the destination: ranks, does not exclude.
    #[serde(default)]
    pub return_time: Option<TimeWindow>,
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

/// One flight number from take-off to landing (a technical stop does not end it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    /// The airline that sells it.
    pub carrier: Airline,
    /// The number alone, as printed after the designator: `623`.
    #[schema(example = "623")]
    pub flight_number: String,
    /// The airline that flies it, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operated_by: Option<Airline>,
    /// The airport left.
    pub origin: Place,
    /// The airport reached.
    pub destination: Place,
    /// Departure on the origin's clock.
    pub departs_at: LocalTime,
    /// Arrival on the destination's clock.
    pub arrives_at: LocalTime,
    /// Minutes from departure to arrival.
    pub duration_minutes: u32,
    /// Stops on the way that do not end the flight number.
    #[serde(default)]
    pub technical_stops: u8,
}

/// One direction of a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Itinerary {
    /// Minutes from the first departure to the last arrival, waits included.
    pub duration_minutes: u32,
    /// Its flights, in order; at least one.
    pub segments: Vec<Segment>,
}

impl Itinerary {
    /// How often one sits on the ground on the way.
    pub fn stops(&self) -> u32 {
        let changes = self.segments.len().saturating_sub(1) as u32;
        self.segments.iter().map(|segment| u32::from(segment.technical_stops)).sum::<u32>() + changes
    }

    /// How often the selling airline changes on the way.
    pub fn airline_changes(&self) -> u32 {
        self.segments.windows(2).filter(|pair| pair[0].carrier.iata != pair[1].carrier.iata).count() as u32
    }
}

/// One addend of an offer's [`Cost`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostTerm {
    /// `price`, `hours`, `stops`, `airline_changes`, `hours_early` or `hours_late`.
    pub name: String,
    /// How much of it there is: the price per traveller, hours, stops.
    pub quantity: f64,
    /// What one unit weighs, in the offer's currency; 1 for the price.
    pub weight: f64,
    /// `quantity` times `weight`.
    pub amount: f64,
}

/// What an offer costs a traveller all in all: the price plus what time, stops and changes are worth to people. Offers
/// are ranked by it, the lowest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cost {
    /// The sum of the terms, per traveller, in the offer's currency.
    pub total: f64,
    /// Its addends; one that is zero is left out.
    pub terms: Vec<CostTerm>,
}

/// A journey for sale, or a sample of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Offer {
    /// The provider's own id.
    pub id: String,
    /// `duffel`, `amadeus` or `sample`.
    pub provider: String,
    /// Worked out, not for sale.
    pub sample: bool,
    /// For all travellers.
    pub total_price: Money,
    /// `total_price` divided by the travellers, rounded up to the minor unit.
    pub price_per_traveller: Money,
    /// The class of travel, where the provider states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cabin: Option<Cabin>,
    /// The way out and, if there is one, the way back.
    pub itineraries: Vec<Itinerary>,
    /// Stops of all itineraries together.
    pub stops: u32,
    /// Airline changes of all itineraries together.
    pub airline_changes: u32,
    /// What it is ranked by.
    pub cost: Cost,
    /// Place in the ranking, from 1.
    pub rank: u32,
    /// Another offer is no worse in price, duration and stops, and better in one of them.
    pub dominated: bool,
    /// Until when the price holds, where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}
