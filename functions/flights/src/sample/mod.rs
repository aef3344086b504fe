//! The sample provider: flights worked out from real airports and great-circle distances, so that everything works before
//! anybody has a key. Nothing here is for sale: every offer says so (`sample`), and no airline numbers its flights so
//! (`S412`).
//!
//! In: a query. Out: up to twenty offers, the same for the same query on the same day.

mod network;
mod timetable;

use std::collections::HashMap;

use contracts::travel::{Airline, Cabin, Fare, FlightQuery, Iata, Money, Offer, Passengers, TimeWindow};
use geo::airports::airports_of;
use iso_currency::Currency;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::carriers::{Carrier, carriers};
use crate::draft::{Draft, Flight, place};
use crate::limits::{allow_airline, allow_airport};
use crate::merge::fits;
use crate::rank::outside;
use crate::scale::Scales;
use network::{Route, routes};
use timetable::{Departure, adult_fare, journeys, seed, sells};

/// The most offers of one answer.
const MOST_OFFERS: usize = 20;
/// The most journeys of one airline in a direction, so that not one fills the list.
const MOST_OF_A_CARRIER: usize = 4;
/// The most journeys out that are combined with ways back.
const MOST_JOURNEYS: usize = 24;
/// What there and back cost together, to what they cost apart.
const RETURN_DISCOUNT: f64 = 0.92;

/// Works out flights.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The currency of fares where the query names none.
    pub currency: Currency,
    /// How large fares are in other currencies than US dollars.
    pub scales: Scales,
}

/// A journey one way and what an adult pays for it, in US dollars.
struct Priced {
    flights: Vec<Departure>,
    fare: f64,
    /// Minutes on the way, and those that it departs outside the hours wanted.
    effort: i64,
}

impl Priced {
    fn carrier(&self) -> &'static str {
        self.flights.first().map_or("", |flight| flight.leg.carrier.iata)
    }
}

impl Sample {
    /// Offers for the query, seen from `today`.
    pub fn offers(&self, query: &FlightQuery, today: Date) -> Vec<Offer> {
        let (origin, destination) = (query.origin.iata, query.destination.iata);
        let limits = &query.limits;
        let hours = Hours { leaves: query.departure_time, arrives: limits.arrival_time };
        let out = self.one_way(query, (origin, destination), query.departure_date, hours, today);
        let mut offers: Vec<(i64, Offer)> = match query.return_date {
            _ if !query.onward.is_empty() => self.over_several_cities(query, &out, today),
            None => out.iter().filter_map(|out| self.offer(query, &[out])).collect(),
            Some(date) if date < query.departure_date => Vec::new(),
            Some(date) => {
                let hours = Hours { leaves: query.return_time, arrives: limits.return_arrival_time };
                let back = self.one_way(query, (destination, origin), date, hours, today);
                out.iter().flat_map(|out| self.returns(query, out, &back)).collect()
            }
        };
        offers.retain(|(_, offer)| fits(offer, query));
        offers.sort_by_key(|(effort, _)| *effort);
        let mut offers: Vec<Offer> = offers.into_iter().map(|(_, offer)| offer).collect();
        keep_few_of_each(&mut offers, |offer| {
            let segment = offer.itineraries.first().and_then(|itinerary| itinerary.segments.first());
            segment.map(|segment| segment.carrier.iata.clone()).unwrap_or_default()
        });
        offers.truncate(MOST_OFFERS);
        offers
    }

    /// The journeys of a direction, the least effort first.
    fn one_way(
        &self,
        query: &FlightQuery,
        (origin, destination): (Iata, Iata),
        day: Date,
        hours: Hours,
        today: Date,
    ) -> Vec<Priced> {
        let cabin = query.cabin.unwrap_or(Cabin::Economy);
        let wanted: Vec<&Carrier> =
            carriers().iter().filter(|carrier| sells(carrier, cabin) && is_wanted(carrier, query)).collect();
        let most_stops = query.max_stops.unwrap_or(2);
        let routes = routes(airports_of(origin), airports_of(destination), &wanted, most_stops);
        let allowed = routes.iter().filter(|route| {
            route
                .legs
                .iter()
                .all(|leg| allow_airport(&query.limits, leg.from.iata) && allow_airport(&query.limits, leg.to.iata))
        });
        let priced = allowed.take(MOST_JOURNEYS).flat_map(|route: &Route| {
            journeys(route, day).into_iter().filter(|flights| waits_allowed(flights, query)).filter_map(
                move |flights| {
                    let fare = adult_fare(route, &flights, cabin, today);
                    Some(Priced { effort: effort(&flights, hours)?, flights, fare })
                },
            )
        });
        let mut priced: Vec<_> = priced.collect();
        priced.sort_by_key(|journey| (journey.effort, journey.carrier()));
        keep_few_of_each(&mut priced, |journey| journey.carrier().to_owned());
        priced.truncate(MOST_JOURNEYS);
        priced
    }

    /// Each journey of the first direction with one of each direction onward: of the same airline where it has one, else the
    /// one of least effort that leaves after the one before has arrived.
    fn over_several_cities(&self, query: &FlightQuery, out: &[Priced], today: Date) -> Vec<(i64, Offer)> {
        let hours = Hours { leaves: None, arrives: None };
        let onward = query.onward.iter();
        let onward: Vec<Vec<Priced>> = onward
            .map(|way| self.one_way(query, (way.origin.iata, way.destination.iata), way.date, hours, today))
            .collect();
        let joined = |first: &Priced| {
            let mut journey = vec![first];
            for next in &onward {
                let landed = arrives(journey.last()?)? + SignedDuration::from_hours(1);
                let mut possible = next.iter().filter(|next| departs(next).is_some_and(|departs| departs >= landed));
                let same = possible.clone().find(|next| next.carrier() == first.carrier());
                journey.push(same.or_else(|| possible.next())?);
            }
            self.offer(query, &journey)
        };
        out.iter().filter_map(joined).collect()
    }

    /// A journey out with up to two ways back, of the same airline where it has one.
    fn returns(&self, query: &FlightQuery, out: &Priced, back: &[Priced]) -> Vec<(i64, Offer)> {
        let landed = out.flights.last().map(|flight| flight.arrives.timestamp() + SignedDuration::from_hours(1));
        let possible = || back.iter().filter(|back| departs(back) >= landed);
        let same = possible().filter(|back| back.carrier() == out.carrier()).take(2);
        let mut pairs: Vec<_> = same.filter_map(|back| self.offer(query, &[out, back])).collect();
        if pairs.is_empty() {
            pairs.extend(possible().next().and_then(|back| self.offer(query, &[out, back])));
        }
        pairs
    }

    fn offer(&self, query: &FlightQuery, directions: &[&Priced]) -> Option<(i64, Offer)> {
        let currency = query.max_price.map_or(self.currency, |limit| limit.currency);
        let discount = if directions.len() > 1 { RETURN_DISCOUNT } else { 1.0 };
        let adult = directions.iter().map(|journey| journey.fare).sum::<f64>() * discount * self.scales.of(currency);
        let cabin = query.cabin.unwrap_or(Cabin::Economy);
        let draft = Draft {
            provider: "sample",
            id: id(directions, cabin),
            sample: true,
            total_price: total(adult, query.passengers, currency)?,
            travellers: query.passengers.seated(),
            directions: directions
                .iter()
                .map(|journey| journey.flights.iter().map(|flight| to_flight(flight, cabin)).collect())
                .collect(),
            expires_at: None,
            sold_by: None,
            fare: Fare::default(),
            co2_kg: None,
        };
        Some((directions.iter().map(|journey| journey.effort).sum(), draft.offer()?))
    }
}

/// Keeps the first of each airline, at most [`MOST_OF_A_CARRIER`].
fn keep_few_of_each<T>(list: &mut Vec<T>, carrier: impl Fn(&T) -> String) {
    let mut taken: HashMap<String, usize> = HashMap::new();
    list.retain(|item| {
        let count = taken.entry(carrier(item)).or_default();
        *count += 1;
        *count <= MOST_OF_A_CARRIER
    });
}

fn is_wanted(carrier: &Carrier, query: &FlightQuery) -> bool {
    let named = query.airlines.is_empty() || query.airlines.iter().any(|airline| airline.iata == carrier.iata);
    named && allow_airline(&query.limits, carrier.iata)
}

fn arrives(journey: &Priced) -> Option<Timestamp> {
    journey.flights.last().map(|flight| flight.arrives.timestamp())
}

fn departs(journey: &Priced) -> Option<Timestamp> {
    journey.flights.first().map(|flight| flight.departs.timestamp())
}

/// When a direction should leave and arrive.
#[derive(Clone, Copy)]
struct Hours {
    leaves: Option<TimeWindow>,
    arrives: Option<TimeWindow>,
}

fn effort(flights: &[Departure], hours: Hours) -> Option<i64> {
    let (first, last) = (flights.first()?, flights.last()?);
    let missed = |window: Option<TimeWindow>, time| window.map_or((0.0, 0.0), |window| outside(window, time));
    let (early, late) = missed(hours.leaves, first.departs.time());
    let (too_early, too_late) = missed(hours.arrives, last.arrives.time());
    let minutes = last.arrives.timestamp().duration_since(first.departs.timestamp()).as_mins();
    Some(minutes + ((early + late + too_early + too_late) * 60.0) as i64)
}

fn waits_allowed(flights: &[Departure], query: &FlightQuery) -> bool {
    let Some(layover) = query.limits.layover else { return true };
    flights.windows(2).all(|pair| {
        let [one, next] = pair else { return true };
        let minutes = next.departs.timestamp().duration_since(one.arrives.timestamp()).as_mins();
        layover.holds(one.arrives.datetime(), next.departs.datetime(), u32::try_from(minutes).unwrap_or(0))
    })
}

/// Children pay three quarters, infants a tenth; each fare is a whole amount.
fn total(adult: f64, passengers: Passengers, currency: Currency) -> Option<Money> {
    let fares = [(passengers.adults, 1.0), (passengers.children, 0.75), (passengers.infants, 0.1)];
    let units: f64 = fares.iter().map(|(count, share)| f64::from(*count) * (adult * share).round()).sum();
    Money::parse(&format!("{units:.0}"), currency).ok()
}

fn to_flight(departure: &Departure, cabin: Cabin) -> Flight {
    let leg = departure.leg;
    Flight {
        carrier: Airline { name: leg.carrier.name.to_owned(), iata: leg.carrier.iata.to_owned() },
        number: departure.number.clone(),
        operated_by: None,
        origin: place(leg.from.iata, None),
        destination: place(leg.to.iata, None),
        departs: departure.departs.clone(),
        arrives: departure.arrives.clone(),
        technical_stops: 0,
        aircraft: None,
        cabin: Some(cabin),
    }
}

fn id(directions: &[&Priced], cabin: Cabin) -> String {
    let flights = directions.iter().flat_map(|journey| &journey.flights);
    let words: Vec<String> = flights
        .map(|flight| {
            format!(
                "{}{}{}{}",
                flight.leg.carrier.iata,
                flight.number,
                flight.leg.from.iata,
                flight.departs.timestamp()
            )
        })
        .chain([format!("{cabin:?}")])
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    format!("sample-{:016x}", seed(&words))
}

#[cfg(test)]
mod tests;
