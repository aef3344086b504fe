//! The timetable and the fares of the sample network: when its flights leave every day, how long they take, and what a
//! seat costs. All of it follows from the airports, the distance, the airline and the day, so the same question has the
//! same answer.

use contracts::travel::Cabin;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{SignedDuration, ToSpan, Zoned};

use super::network::{Leg, Route};
use crate::carriers::Carrier;

/// The least time to change flights, in minutes.
const LEAST_CONNECTION: i64 = 60;
/// The longest wait between two flights, in minutes.
const LONGEST_CONNECTION: i64 = 14 * 60;
/// The day's first departure, in minutes after midnight.
const FIRST_DEPARTURE: u64 = 6 * 60;
/// From the first to the last departure, in minutes.
const DAY: u64 = 17 * 60;

/// A flight of the timetable on a day.
#[derive(Debug, Clone)]
pub struct Departure {
    /// The route's flight that this is.
    pub leg: Leg,
    /// `S` and three digits. No airline's flight number has a letter in front, so that it cannot be taken for one.
    pub number: String,
    /// When it leaves, on the clock there.
    pub departs: Zoned,
    /// When it arrives, on the clock there.
    pub arrives: Zoned,
}

/// When the flight leaves every day, on the clock there, in order; with its number.
fn timetable(leg: &Leg) -> impl Iterator<Item = (u64, Time)> + use<> {
    let seed = seed(&[leg.carrier.iata, leg.from.iata.as_str(), leg.to.iata.as_str()]);
    let daily = daily(leg);
    let slot = DAY / daily;
    (0..daily).filter_map(move |nth| {
        let minute = FIRST_DEPARTURE + nth * slot + (seed >> (nth * 8)) % slot;
        let minute = minute - minute % 5;
        Some((100 + seed % 225 * 4 + nth, Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?))
    })
}

fn departure(leg: Leg, number: u64, leaves: DateTime) -> Option<Departure> {
    let departs = leaves.to_zoned(leg.from.time_zone()?).ok()?;
    let arrives = (&departs + block_time(leg.km)).with_time_zone(leg.to.time_zone()?);
    Some(Departure { leg, number: format!("S{number}"), departs, arrives })
}

/// How often a day it is flown.
fn daily(leg: &Leg) -> u64 {
    let quieter = leg.from.tier.min(leg.to.tier);
    match leg.km {
        km if km < 1_500.0 && quieter >= 3 => 4,
        km if km < 4_000.0 && quieter >= 2 => 3,
        _ if quieter >= 2 => 2,
        km if km < 1_500.0 => 2,
        _ => 1,
    }
}

/// From leaving the gate to reaching the other: 40 minutes for taxiing, climb and approach, the rest at 810 km/h; in steps
/// of five minutes.
fn block_time(km: f64) -> SignedDuration {
    let minutes = 40.0 + km / 13.5;
    SignedDuration::from_mins((minutes / 5.0).round() as i64 * 5)
}

/// The journeys on a route that start on `day`: each departure of its first flight with the next connections.
pub fn journeys(route: &Route, day: Date) -> Vec<Vec<Departure>> {
    let Some((first, rest)) = route.legs.split_first() else { return Vec::new() };
    let journeys = timetable(first).filter_map(|(number, time)| {
        let first = departure(*first, number, day.to_datetime(time))?;
        rest.iter().try_fold(vec![first], |mut journey, leg| {
            let next = connection(&journey.last()?.arrives, *leg)?;
            journey.push(next);
            Some(journey)
        })
    });
    journeys.collect()
}

/// The first departure that one can change to.
fn connection(arrived: &Zoned, leg: Leg) -> Option<Departure> {
    let ready = arrived + SignedDuration::from_mins(LEAST_CONNECTION);
    let days = [ready.date(), ready.date().checked_add(1.day()).ok()?];
    let departures =
        days.into_iter().flat_map(|day| timetable(&leg).map(move |(number, time)| (number, day.to_datetime(time))));
    let (number, leaves) = departures.into_iter().find(|(_, leaves)| *leaves >= ready.datetime())?;
    let next = departure(leg, number, leaves)?;
    let waited = next.departs.timestamp().duration_since(arrived.timestamp()).as_mins();
    // Where the clock was changed meanwhile, the wait may be too short after all.
    (LEAST_CONNECTION..=LONGEST_CONNECTION).contains(&waited).then_some(next)
}

/// Whether the airline sells the cabin.
pub fn sells(carrier: &Carrier, cabin: Cabin) -> bool {
    let letter = match cabin {
        Cabin::Economy | Cabin::Other => 'Y',
        Cabin::PremiumEconomy => 'W',
        Cabin::Business => 'J',
        Cabin::First => 'F',
    };
    carrier.cabins.contains(letter)
}

/// What an adult pays for a journey one way, in US dollars.
///
/// It grows with the great-circle distance (and a little with the way round), less for each stop, and is more at
/// weekends' ends and in the last month before departure, counted from `today`. No real fare lies behind it.
pub fn adult_fare(route: &Route, journey: &[Departure], cabin: Cabin, today: Date) -> f64 {
    let Some(first) = journey.first() else { return 0.0 };
    let day = first.departs.date();
    let flown: f64 = route.legs.iter().map(|leg| leg.km).sum();
    let distance = 35.0 + 0.062 * route.direct_km + 0.01 * (flown - route.direct_km);
    let stops = [1.0, 0.86, 0.78].get(route.legs.len() - 1).copied().unwrap_or(0.75);
    let carrier = first.leg.carrier;
    let brand = if carrier.is_low_cost() { 0.70 } else { spread(0.92, 1.12, seed(&[carrier.iata])) };
    let numbers: Vec<&str> = journey.iter().map(|departure| departure.number.as_str()).collect();
    let demand = spread(0.93, 1.07, seed(&[&numbers.concat(), &day.to_string()]));
    let cabin = match cabin {
        Cabin::Economy | Cabin::Other => 1.0,
        Cabin::PremiumEconomy => 1.7,
        Cabin::Business => 3.4,
        Cabin::First => 5.5,
    };
    (distance * stops * brand * demand * weekday(day) * ahead(today, day) * cabin).max(19.0)
}

fn weekday(day: Date) -> f64 {
    match day.weekday() {
        Weekday::Friday | Weekday::Sunday => 1.12,
        Weekday::Tuesday | Weekday::Wednesday => 0.93,
        _ => 1.0,
    }
}

fn ahead(today: Date, day: Date) -> f64 {
    match day.duration_since(today).as_hours() / 24 {
        0..=6 => 1.40,
        7..=13 => 1.20,
        14..=29 => 1.07,
        // Also a day in the past, which only somebody with another calendar asks for.
        _ => 1.0,
    }
}

fn spread(least: f64, most: f64, seed: u64) -> f64 {
    least + (most - least) * (seed % 1_000) as f64 / 999.0
}

/// A number that looks random and depends on the words alone (FNV-1a, finished as in MurmurHash3), on every machine and
/// in every release.
pub fn seed(words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}
