//! What a journey keeps to on its way, beyond when it leaves: when it arrives, how long it waits between flights, which
//! airports and which kinds of airline it leaves out.

use geo::airlines;
use jiff::civil::{DateTime, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Itinerary, Offer, Place, TimeWindow};

/// An alliance of airlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Alliance {
    /// Star Alliance.
    Star,
    /// oneworld.
    Oneworld,
    /// SkyTeam.
    Skyteam,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// What is wished of low-cost airlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LowCost {
    /// None of them.
    Without,
    /// No others.
    Only,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// How long one waits between two flights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Layover {
    /// Minutes, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<u32>,
    /// Minutes, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Not over a night.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_day: bool,
}

/// The hour that only who waits over a night waits through.
const DEAD_OF_NIGHT: Time = Time::constant(3, 0, 0, 0);

impl Layover {
    /// A wait from one local time to another at the same airport keeps to it.
    pub fn holds(&self, arrives: DateTime, departs: DateTime, minutes: u32) -> bool {
        let night = arrives.date().to_datetime(DEAD_OF_NIGHT);
        let over_night =
            arrives <= night && departs >= night || departs.date() > arrives.date() && departs.time() >= DEAD_OF_NIGHT;
        self.least.is_none_or(|least| minutes >= least)
            && self.most.is_none_or(|most| minutes <= most)
            && !(self.by_day && over_night)
    }
}

/// What a journey keeps to on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Limits {
    /// When the way out should arrive, at the destination: sorts and marks, does not exclude.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival_time: Option<TimeWindow>,
    /// When the way back should arrive, at the origin: sorts and marks, does not exclude.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_arrival_time: Option<TimeWindow>,
    /// How long each wait between flights may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layover: Option<Layover>,
    /// Airports and cities that are used neither at an end nor on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_airports: Vec<Place>,
    /// The only alliance whose airlines are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alliance: Option<Alliance>,
    /// Whether low-cost airlines are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_cost: Option<LowCost>,
}

impl Limits {
    /// There is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// An airline may fly it.
    pub fn allow_airline(&self, designator: &str) -> bool {
        let alliance = match self.alliance {
            None | Some(Alliance::Other) => true,
            wanted => airlines::alliance_of(designator) == wanted,
        };
        let low_cost = match self.low_cost {
            Some(LowCost::Without) => !airlines::is_low_cost(designator),
            Some(LowCost::Only) => airlines::is_low_cost(designator),
            None | Some(LowCost::Other) => true,
        };
        alliance && low_cost
    }

    /// An airport may be used.
    pub fn allow_airport(&self, iata: super::Iata) -> bool {
        let is_of = |place: &Place| {
            place.iata == iata || geo::airports::airports_of(place.iata).any(|airport| airport.iata == iata)
        };
        !self.without_airports.iter().any(is_of)
    }

    /// An offer keeps to all but the times of arrival.
    pub fn allow(&self, offer: &Offer) -> bool {
        let mut segments = offer.itineraries.iter().flat_map(|way| &way.segments);
        segments.all(|segment| {
            self.allow_airline(&segment.carrier.iata)
                && self.allow_airport(segment.origin.iata)
                && self.allow_airport(segment.destination.iata)
        }) && offer.itineraries.iter().all(|way| self.allow_waits(way))
    }

    fn allow_waits(&self, way: &Itinerary) -> bool {
        let Some(layover) = self.layover else { return true };
        way.segments.windows(2).all(|pair| {
            let [one, next] = pair else { return true };
            let (arrives, departs) = (one.arrives_at, next.departs_at);
            let minutes = departs.timestamp().duration_since(arrives.timestamp()).as_mins();
            layover.holds(arrives.civil(), departs.civil(), u32::try_from(minutes).unwrap_or(0))
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_wait_is_held_to_its_bounds_and_to_the_day() {
        let at = |day: i8, hour: i8| date(2026, 12, day).at(hour, 0, 0, 0);
        let most = Layover { most: Some(120), ..Layover::default() };
        let least = Layover { least: Some(90), ..Layover::default() };
        let by_day = Layover { by_day: true, ..Layover::default() };
        for (layover, from, until, expected) in [
            (most, at(1, 10), at(1, 12), true),
            (most, at(1, 10), at(1, 13), false),
            (least, at(1, 10), at(1, 11), false),
            (least, at(1, 10), at(1, 12), true),
            (by_day, at(1, 10), at(1, 22), true),
            (by_day, at(1, 22), at(2, 1), true),
            (by_day, at(1, 22), at(2, 6), false),
            (by_day, at(1, 1), at(1, 6), false),
            (by_day, at(1, 4), at(1, 9), true),
        ] {
            let minutes = u32::try_from(until.duration_since(from).as_mins()).unwrap();
            assert_eq!(layover.holds(from, until, minutes), expected, "{layover:?} {from} {until}");
        }
    }

    #[test]
    fn airlines_and_airports_are_left_out_by_what_they_belong_to() {
        let place = |name: &str, iata: &str| Place { name: name.into(), iata: iata.parse().unwrap() };
        let star = Limits { alliance: Some(Alliance::Star), ..Limits::default() };
        assert!(star.allow_airline("LH") && !star.allow_airline("EK") && !star.allow_airline("BA"));
        let full = Limits { low_cost: Some(LowCost::Without), ..Limits::default() };
        assert!(full.allow_airline("LH") && !full.allow_airline("FR"));
        let cheap = Limits { low_cost: Some(LowCost::Only), ..Limits::default() };
        assert!(!cheap.allow_airline("LH") && cheap.allow_airline("FR"));
        let elsewhere = Limits { without_airports: vec![place("Chicago", "CHI")], ..Limits::default() };
        assert!(!elsewhere.allow_airport("ORD".parse().unwrap()) && elsewhere.allow_airport("JFK".parse().unwrap()));
    }
}
