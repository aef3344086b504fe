//! Which end of a journey a place that is named without a role is about: the one it lies in or near.

use contracts::dialogue::Slot;
use contracts::travel::{Iata, Place, Slots};
use geo::airports::{self, Airport};

/// Places closer than this serve one city, in kilometres.
const ONE_CITY_KM: f64 = 110.0;

/// The end that a place lies in or beside, where that is one of the two.
pub(crate) fn beside(slots: &Slots, place: &Place) -> Option<Slot> {
    let (from, to) = (slots.origin.as_ref()?, slots.destination.as_ref()?);
    match (distance(from.iata, place.iata)?, distance(to.iata, place.iata)?) {
        (one, other) if one <= ONE_CITY_KM && one < other => Some(Slot::Origin),
        (one, other) if other <= ONE_CITY_KM && other < one => Some(Slot::Destination),
        _ => country(place.iata).and_then(|country| in_country(slots, country)),
    }
}

/// The end that is in a country, where only one of them is.
fn in_country(slots: &Slots, wanted: &str) -> Option<Slot> {
    let is_there = |place: &Option<Place>| place.as_ref().is_some_and(|place| country(place.iata) == Some(wanted));
    match (is_there(&slots.origin), is_there(&slots.destination)) {
        (true, false) => Some(Slot::Origin),
        (false, true) => Some(Slot::Destination),
        _ => None,
    }
}

/// The two codes serve one city.
pub(crate) fn is_one_city(one: Iata, other: Iata) -> bool {
    one == other || distance(one, other).is_some_and(|kilometres| kilometres <= ONE_CITY_KM)
}

/// The airport is one of several that a city's code stands for.
pub(crate) fn is_airport_of(airport: Iata, city: Iata) -> bool {
    airport != city && airports::airports_of(city).any(|of| of.iata == airport)
}

fn distance(one: Iata, other: Iata) -> Option<f64> {
    let nearest = |from: &'static Airport| airports::airports_of(other).map(move |to| airports::distance_km(from, to));
    airports::airports_of(one).flat_map(nearest).min_by(f64::total_cmp)
}

/// The country of a place: ISO 3166-1 alpha-2.
pub(crate) fn country(code: Iata) -> Option<&'static str> {
    airports::airports_of(code).next().map(|airport| airport.country)
}
