//! The words of the trade: places, money, travellers, a flight query, and the offers that answer it.
//!
//! Every type is parsed at the edge and holds what its name says, so nothing behind it checks again. Amounts are whole
//! minor units (cents), never floats; dates are civil dates; a local time carries its offset.

mod booking;
mod calendar;
mod fare;
mod limits;
mod values;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use booking::{Booking, BookingState};
pub use calendar::{CalendarDay, cheapest_day};
pub use fare::{Bags, Condition, Fare, Hold};
pub use limits::{Alliance, Layover, Limits, LowCost};
pub use values::{Iata, LocalTime, Money, NotValid, TimeWindow};

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
    /// What a later release knows.
    #[serde(other)]
    Other,
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

    /// Those who have a seat and share the price: everyone but infants.
    pub fn seated(&self) -> u8 {
        self.adults.saturating_add(self.children).max(1)
    }

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
    /// What a later release knows.
    #[serde(other)]
    Other,
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
    /// What the journey keeps to on its way.
    #[serde(skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
    /// The flights of a journey over several cities, in their order; empty for one route, there or there and back. The first
    /// of them is `origin`, `destination` and `departure_date`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<Leg>,
}

impl Slots {
    /// The first flight of a journey over several cities of which something is still unknown, and its number from 0.
    pub fn open_leg(&self) -> Option<(usize, &Leg)> {
        self.legs.iter().enumerate().find(|(_, leg)| !leg.is_known())
    }
}

/// One flight of a journey over several cities; absent while unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Leg {
    /// Where it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Place>,
    /// Where it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Place>,
    /// The day, at its origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
}

impl Leg {
    /// Nothing of it is missing.
    pub fn is_known(&self) -> bool {
        self.origin.is_some() && self.destination.is_some() && self.date.is_some()
    }
}

/// One direction of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Where it starts.
    pub origin: Place,
    /// Where it ends.
    pub destination: Place,
    /// The day, at its origin.
    pub date: Date,
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
    /// What the journey keeps to on its way.
    #[serde(default)]
    pub limits: Limits,
    /// The flights after the first of a journey over several cities; there is no day back then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onward: Vec<Way>,
    /// It is one of several searches that only compare days: a provider that charges for searches may be left out of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compares_days: bool,
}

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
    /// Its class of travel, where that is another than the offer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cabin: Option<Cabin>,
    /// The kind of aircraft, where the provider tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Boeing 777-300")]
    pub aircraft: Option<String>,
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
    /// When it arrives, on the clock of where that is.
    pub fn arrives(&self) -> Option<jiff::civil::DateTime> {
        self.segments.last().map(|segment| segment.arrives_at.civil())
    }

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

impl FlightQuery {
    /// Every direction in its order: the way out, and the way back or the flights onward.
    pub fn ways(&self) -> Vec<Way> {
        let (origin, destination) = (self.origin.clone(), self.destination.clone());
        let back = self.return_date.filter(|_| self.onward.is_empty()).map(|date| Way {
            origin: destination.clone(),
            destination: origin.clone(),
            date,
        });
        let out = Way { origin, destination, date: self.departure_date };
        std::iter::once(out).chain(back).chain(self.onward.iter().cloned()).collect()
    }

    /// An offer leaves, on the way out or back, outside the times of day that were asked for.
    pub fn is_outside_times(&self, offer: &Offer) -> bool {
        let outside = |window: &Option<TimeWindow>, way: Option<&Itinerary>| {
            let leaves = way.and_then(|way| way.segments.first()).map(|segment| segment.departs_at.civil().time());
            window.zip(leaves).is_some_and(|(window, leaves)| !window.holds(leaves))
        };
        outside(&self.departure_time, offer.itineraries.first()) || outside(&self.return_time, offer.itineraries.get(1))
    }

    /// An offer arrives outside the times that were asked for, or on a later day than `first_days` of its ways.
    fn is_late(&self, offer: &Offer, first_days: [Option<Date>; 2]) -> bool {
        let windows = [self.limits.arrival_time, self.limits.return_arrival_time];
        let ways = offer.itineraries.iter().map(Itinerary::arrives);
        ways.zip(windows.into_iter().zip(first_days)).any(|(arrives, (window, first))| match (arrives, window) {
            (Some(arrives), Some(window)) => {
                !window.holds(arrives.time()) || first.is_some_and(|first| arrives.date() > first)
            }
            _ => false,
        })
    }

    /// Marks the offers that leave or arrive outside the times asked for and puts them behind the others, ranks made anew.
    /// Who must be there by six means the first day on which one can be there at all.
    pub fn put_timely_first(&self, offers: &mut [Offer]) {
        let first_day = |way: usize| {
            let arrivals = offers.iter().filter_map(|offer| offer.itineraries.get(way)?.arrives());
            arrivals.map(|arrives| arrives.date()).min()
        };
        let first_days = [first_day(0), first_day(1)];
        for offer in offers.iter_mut() {
            offer.outside_times = self.is_outside_times(offer) || self.is_late(offer, first_days);
        }
        offers.sort_by_key(|offer| offer.outside_times);
        for (rank, offer) in (1..).zip(offers) {
            offer.rank = rank;
        }
    }
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
    /// `total_price` divided by the travellers who have a seat (infants do not), rounded up to the minor unit.
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
    /// It leaves or arrives outside the times that were asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside_times: bool,
    /// Until when the price holds, where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The airline that sells the whole journey, where that is another than the first flight's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold_by: Option<Airline>,
    /// What the fare includes and allows, as far as the provider tells it.
    #[serde(default, skip_serializing_if = "Fare::is_unknown")]
    pub fare: Fare,
    /// Carbon dioxide of the journey in kilograms, for all travellers, as the provider estimates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub co2_kg: Option<u32>,
}

impl Offer {
    /// The airline to turn to: the one that sells the whole journey, else the first flight's.
    pub fn seller(&self) -> Option<&Airline> {
        let first = || self.itineraries.first()?.segments.first();
        self.sold_by.as_ref().or_else(|| first().map(|segment| &segment.carrier))
    }
}
