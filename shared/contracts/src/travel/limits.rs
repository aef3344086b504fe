//! What a journey keeps to on its way, beyond when it leaves: when it arrives, how long it waits between flights, which
//! airports and which kinds of airline it leaves out.

use jiff::civil::{DateTime, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Place, TimeWindow};

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
}
