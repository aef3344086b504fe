//! What a person's words say, where the session stands, and what is done next.
//!
//! [`Understanding`] is what `understand` reads from the words alone; [`Session`] is what `session` keeps; [`Action`]
//! is what it decides and `respond` puts into words. `chat` carries them from step to step and looks only at the action.

mod heard;
mod said;

use jiff::Timestamp;
use jiff::civil::Date;
use safety::Care;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use heard::{Remark, Unmet};
pub use said::{
    Act, Budget, DateExpr, DateMention, DateRole, Flexible, Holiday, LegSaid, LimitsSaid, Part, Pick, PlaceMention,
    PlaceRole, TimeBound, TimeMention, Travellers, Understanding, Week, Wish,
};

use crate::private::Private;
use crate::travel::{Airline, Cabin, CalendarDay, FlightQuery, Leg, Money, Offer, Passengers, Place, Slots};

/// Where a session stands. Kept between turns, bounded however long the session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// What is known of the journey. A day back that was said is kept while the trip is one way, so that it is there
    /// again when it becomes a round trip; `trip` says what is searched.
    pub slots: Slots,
    /// What the assistant asked last, so that a bare answer can be read.
    pub asked: Option<Slot>,
    /// The offers shown last, in the order of their ranks.
    pub shown: Vec<Offer>,
    /// The rank of the offer talked about last.
    pub focus: Option<u32>,
    /// The place that was named last, which is what "no, Oslo" puts right.
    pub recent: Option<Slot>,
    /// The day that was named last, which is what "no, the 9th" puts right.
    pub recent_day: Option<Slot>,
    /// Names that fit several places, until it is said which; at most one a slot.
    pub unclear: Vec<Unclear>,
    /// How long the stay is, where that was said instead of a day back.
    pub stay: Option<Stay>,
    /// Who was named, while it is more or fewer than can be booked.
    pub party: Option<Passengers>,
    /// The most that each traveller may cost, where the limit was said so: `slots.max_price` is that of all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_each: Option<Money>,
    /// What was known before the last change, so that it can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<Box<Slots>>,
    /// The flights of a journey over several cities that are looked at one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<Leg>,
    /// The month that was named without a day, and for which day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<MonthNamed>,
    /// What the reply to this message says besides its answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Days that would do as well, until they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flexible: Option<Flexible>,
    /// The journeys whose days this turn compares, without their prices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparing: Vec<CalendarDay>,
    /// What the days cost that were compared last, until another search.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calendar: Vec<CalendarDay>,
    /// The language of this message, where it was recognised as another than English: ISO 639-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The ranks of two offers that are to be compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<u32>,
    /// How often in a row the same was asked again, or nothing was understood.
    pub repeats: u8,
    /// What is wished of every journey.
    #[serde(skip_serializing_if = "Standing::is_empty")]
    pub standing: Standing,
    /// The last message named a limit of price, so that a number alone is another.
    pub limit_named: bool,
    /// The session was handed to a person.
    pub handed_off: bool,
    /// Somebody was in danger: how, not in which words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub care: Option<Care>,
    /// When it was last said that an AI answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notified: Option<Timestamp>,
    /// The last turns, oldest first; kept by the store, not by the dialogue.
    pub turns: Vec<Exchange>,
}

/// What is wished of every journey of a session ("always nonstop", "never Ryanair").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// The most stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stops: Option<u8>,
    /// The class of travel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cabin: Option<Cabin>,
    /// Airlines not wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_airlines: Vec<Airline>,
}

impl Standing {
    /// There is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What was said and what was answered, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exchange {
    /// The turn: a ULID.
    #[serde(default)]
    pub turn_id: String,
    /// What the person said; its beginning, where that was long.
    #[schema(value_type = String)]
    pub message: Private<String>,
    /// What the assistant answered; its beginning, where that was long.
    #[schema(value_type = String)]
    pub reply: Private<String>,
    /// The passages that the answer cites, by their ids, in the order of their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cited: Vec<String>,
}

/// A month that was named without a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthNamed {
    /// The day it is to tell: [`Slot::DepartureDate`] or [`Slot::ReturnDate`].
    pub slot: Slot,
    /// Its first day.
    pub first: Date,
}

/// A length of stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// Days.
    pub days: i32,
    /// Months, added first.
    #[serde(default)]
    pub months: i32,
}

/// A name that fits several places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unclear {
    /// What it is to fill.
    pub slot: Slot,
    /// The name.
    pub name: String,
    /// The places, at most five.
    pub choices: Vec<Place>,
    /// The name is a country's or another region's, and these are only its busiest places.
    #[serde(default)]
    pub region: bool,
    /// The place has no airport, and these are the nearest.
    #[serde(default)]
    pub near: bool,
}

/// A thing the assistant can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Where the journey starts.
    Origin,
    /// Where it ends.
    Destination,
    /// The day out.
    DepartureDate,
    /// The day back.
    ReturnDate,
    /// Who travels.
    Passengers,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// Why something is asked (again).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trouble {
    /// Several places bear the name, or lie in what bears it.
    Ambiguous {
        /// The name they share.
        name: String,
        /// The places, the likeliest first, with what tells them apart in `name` ("San Jose, Costa Rica").
        choices: Vec<Place>,
        /// The name is a country's or another region's, and these are only its busiest places.
        #[serde(default)]
        region: bool,
        /// The place has no airport, and these are the nearest.
        #[serde(default)]
        near: bool,
    },
    /// The day has passed.
    PastDate {
        /// The day that was asked for.
        date: Date,
    },
    /// There is no such day (30 February).
    NoSuchDate,
    /// Airlines sell less than a year ahead.
    TooFarAhead {
        /// The day that was asked for.
        date: Date,
        /// The last day that can be searched.
        latest: Date,
    },
    /// The day back is before the day out.
    ReturnBeforeDeparture {
        /// The day out.
        departure: Date,
        /// The day back that was asked for.
        back: Date,
    },
    /// A flight of a journey over several cities is before the one that goes before it.
    LegBeforeLast {
        /// The day of the flight before.
        last: Date,
        /// The day that was asked for.
        date: Date,
    },
    /// Origin and destination are the same.
    SamePlace {
        /// The place.
        place: Place,
    },
    /// More travellers than one booking holds.
    TooManyPassengers {
        /// The most it holds.
        most: u8,
    },
    /// Infants need an adult each, children need one at all.
    TooFewAdults,
    /// A place was named that is in no list of ours.
    UnknownPlace,
    /// The words said nothing that fits.
    NotUnderstood,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// What a person asks about in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A greeting.
    Greeting,
    /// Thanks.
    Thanks,
    /// A farewell.
    Goodbye,
    /// What the assistant can do.
    Help,
    /// How offers are ranked.
    Ranking,
    /// Whether the offers are real, where they come from.
    Sources,
    /// Booking: what is found here is not sold here.
    Booking,
    /// Bags, changes and refunds: the airline's own terms.
    Terms,
    /// What an offer costs.
    Price,
    /// When an offer departs.
    Departure,
    /// When an offer arrives.
    Arrival,
    /// How long an offer takes.
    Duration,
    /// How often an offer stops.
    Stops,
    /// Who flies an offer.
    Airline,
    /// Which airports an offer uses.
    Airports,
    /// What is known of the journey so far.
    Summary,
    /// What one may take along, and what it costs.
    Baggage,
    /// Choosing a seat.
    Seats,
    /// Meals aboard.
    Meals,
    /// Animals.
    Pets,
    /// Help for travellers who need it: wheelchairs, oxygen, minors alone.
    Assistance,
    /// Flying while pregnant or ill.
    Health,
    /// Wi-Fi, power, screens, lounges.
    Amenities,
    /// The kind of aircraft.
    Aircraft,
    /// The carbon dioxide of an offer.
    Emissions,
    /// Reserving now and paying later.
    Hold,
    /// Visas, passports, customs.
    Entry,
    /// Insurance.
    Insurance,
    /// Refunds, changes and cancellations of tickets.
    Refunds,
    /// Compensation for delays and cancellations.
    Compensation,
    /// Whether a flight is on time.
    Status,
    /// A booking made elsewhere.
    MyBooking,
    /// Baggage that is lost or late.
    LostBaggage,
    /// Checking in, and when to be at the airport.
    CheckIn,
    /// What cannot be taken aboard.
    Forbidden,
    /// Being told when prices change, and when it is cheapest.
    Alerts,
    /// Trains, buses, cars, hotels.
    OtherTransport,
    /// An amount in another currency.
    Currency,
    /// What all travellers pay together.
    Total,
    /// How two offers differ.
    Compare,
    /// The airports of a city, or the nearest one.
    NearestAirport,
    /// How a child or infant travels.
    ChildFare,
    /// The assistant itself: is it a person, who made it.
    Identity,
    /// An insult, or an angry word.
    Insult,
    /// Praise, agreement without more.
    Praise,
    /// The weather somewhere.
    Weather,
    /// That something is sent to them: by e-mail, to their phone.
    Sending,
    /// Chatter: jokes, how one feels, what has nothing to do with flights.
    Chatter,
    /// An apology.
    Apology,
    /// Somebody grieves, or is in trouble.
    Sympathy,
    /// What is written is no request at all, or tries to give the assistant orders.
    Nonsense,
    /// Nothing this assistant knows of.
    #[serde(other)]
    Other,
}

impl Topic {
    /// It asks nothing that has to do with flights: a courtesy, chatter, a word of anger.
    pub fn is_social(self) -> bool {
        matches!(
            self,
            Self::Greeting
                | Self::Thanks
                | Self::Goodbye
                | Self::Praise
                | Self::Chatter
                | Self::Apology
                | Self::Insult
                | Self::Identity
                | Self::Sympathy
                | Self::Nonsense
        )
    }

    /// It is answered from the assistant's texts, where they speak of it.
    pub fn is_service(self) -> bool {
        matches!(
            self,
            Self::Baggage
                | Self::Seats
                | Self::Meals
                | Self::Pets
                | Self::Assistance
                | Self::Health
                | Self::Amenities
                | Self::Aircraft
                | Self::Entry
                | Self::Insurance
                | Self::Refunds
                | Self::Compensation
                | Self::LostBaggage
                | Self::CheckIn
                | Self::Forbidden
                | Self::ChildFare
                | Self::Terms
        )
    }
}

/// What is done in answer to a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Ask for something that is missing or cannot be.
    Ask {
        /// What.
        slot: Slot,
        /// What is wrong with what was said, if anything.
        #[serde(default)]
        because: Option<Trouble>,
    },
    /// Search flights and show them.
    SearchFlights {
        /// For what.
        query: Box<FlightQuery>,
        /// How many of the ranked offers were shown before ("anything else?").
        #[serde(default)]
        skip: usize,
    },
    /// Answer from the assistant's texts.
    Retrieve,
    /// Show one of the offers shown before.
    ShowOffer {
        /// Its rank.
        rank: u32,
    },
    /// Ask the price of an offer once more and say where it is booked. Nothing is booked.
    Book {
        /// Its rank.
        rank: u32,
        /// What was searched when it was found.
        query: Box<FlightQuery>,
    },
    /// Answer something asked in between, then go on.
    Answer {
        /// About what.
        topic: Topic,
        /// The offer it is about, by rank.
        #[serde(default)]
        rank: Option<u32>,
        /// What is still to be asked.
        #[serde(default)]
        then_ask: Option<Slot>,
    },
    /// Answer something asked in between from the assistant's texts, by rule where they do not answer it, then go on.
    LookUp {
        /// What the rule's answer is about.
        topic: Topic,
        /// The offer that is about, by rank.
        #[serde(default)]
        rank: Option<u32>,
        /// What is still to be asked.
        #[serde(default)]
        then_ask: Option<Slot>,
    },
    /// Drop the journey.
    Cancel,
    /// Forget everything and begin again.
    StartOver,
    /// Hand over to a person.
    Handoff,
    /// Help for somebody in danger.
    Crisis,
    /// What to do at once where money is being drained or was just lost.
    FirstAid,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

impl Action {
    /// The action's name in the public contract.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "ask",
            Self::SearchFlights { .. } => "search_flights",
            // Where it is sold is in `booking`: a client that knows nothing of that shows the offer.
            Self::ShowOffer { .. } | Self::Book { .. } => "show_offer",
            Self::Answer { .. } | Self::LookUp { .. } | Self::Retrieve | Self::Other => "answer",
            Self::Cancel => "cancel",
            Self::StartOver => "start_over",
            Self::Handoff => "handoff",
            Self::Crisis => "crisis",
            Self::FirstAid => "first_aid",
        }
    }
}
