//! What other places would cost: the cities of a country that was named, and airports near by where nothing was found or
//! they were asked for. A bounded number of searches at once; what does not answer in time is left out.

use contracts::api::{FLIGHTS, Suggestion};
use contracts::dialogue::{Action, Session, Slot, Topic, Trouble};
use contracts::travel::{FlightQuery, Iata, Passengers, Place, Trip};
use futures::future::join_all;
use geo::airports::{self, Airport};
use jiff::ToSpan;
use jiff::civil::Date;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;

/// The most searches of one turn.
const MOST_SEARCHES: usize = 3;
/// How far an airport near by may be.
const NEARBY_KM: f64 = 150.0;
/// How much an airport near by must be flown to, 0 to 4.
const LEAST_TIER: u8 = 1;

/// What the cheapest offer of each search costs.
pub(crate) async fn costs(
    pipeline: &Pipeline,
    searches: Vec<(Place, FlightQuery)>,
    deadline: Deadline,
) -> Vec<Suggestion> {
    let answers = join_all(searches.into_iter().map(async |(place, query)| {
        let results = pipeline.call(&FLIGHTS, &query, deadline).await.ok()?;
        let cheapest = results.offers.iter().min_by_key(|offer| offer.total_price.minor)?;
        Some(Suggestion { place, from: cheapest.total_price, date: query.departure_date })
    }));
    answers.await.into_iter().flatten().collect()
}

/// What is searched so that a reply can tell what places cost; nothing where a search needs more than is known.
pub(crate) fn searches(action: &Action, session: &Session, found_none: bool) -> Vec<(Place, FlightQuery)> {
    let mut searches = queries(action, session, found_none);
    searches.truncate(MOST_SEARCHES);
    searches
}

/// The searches that would help, with the place that each is about.
fn queries(action: &Action, session: &Session, found_none: bool) -> Vec<(Place, FlightQuery)> {
    match action {
        Action::Ask { slot, because: Some(Trouble::Ambiguous { choices, region: true, .. }) } => {
            choices.iter().filter_map(|place| Some((place.clone(), query(session, *slot, place)?))).collect()
        }
        Action::SearchFlights { query, skip: 0 } if found_none => nearby(query),
        Action::Answer { topic: Topic::NearestAirport, .. } | Action::LookUp { topic: Topic::NearestAirport, .. } => {
            let known = session.slots.destination.as_ref().and_then(|to| query(session, Slot::Destination, to));
            known.map(|query| nearby(&query)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The journey as far as it is known, with a place put in; the middle of the month where no day was named.
fn query(session: &Session, slot: Slot, place: &Place) -> Option<FlightQuery> {
    let slots = session.slots.clone();
    let month = session.month.filter(|month| month.slot == Slot::DepartureDate);
    let middle = || month.and_then(|month| month.first.checked_add(14.days()).ok());
    let departure_date = slots.departure_date.or_else(middle)?;
    let (origin, destination) = match slot {
        Slot::Origin => (Some(place.clone()), slots.destination),
        _ => (slots.origin, Some(place.clone())),
    };
    Some(journey(session, origin?, destination?, departure_date))
}

/// The journey as far as it is known, from here to there on a day.
pub(crate) fn journey(session: &Session, origin: Place, destination: Place, departure_date: Date) -> FlightQuery {
    let slots = session.slots.clone();
    FlightQuery {
        origin,
        destination,
        departure_date,
        return_date: slots.return_date.filter(|_| slots.trip != Some(Trip::OneWay)),
        passengers: slots.passengers.unwrap_or(Passengers::ONE),
        cabin: slots.cabin,
        airlines: slots.airlines,
        without_airlines: slots.without_airlines,
        max_stops: slots.max_stops,
        max_price: None,
        departure_time: None,
        return_time: None,
        onward: Vec::new(),
        limits: slots.limits,
        compares_days: false,
    }
}

/// The same journey to and from airports near by, those to first, the busiest first.
fn nearby(query: &FlightQuery) -> Vec<(Place, FlightQuery)> {
    // Of several flights none tells which end would be another.
    if !query.onward.is_empty() {
        return Vec::new();
    }
    let to = near(query.destination.iata).into_iter().filter(|place| place.iata != query.origin.iata);
    let to = to.map(|place| (place.clone(), FlightQuery { destination: place, ..query.clone() }));
    let from = near(query.origin.iata).into_iter().filter(|place| place.iata != query.destination.iata);
    let from = from.map(|place| (place.clone(), FlightQuery { origin: place, ..query.clone() }));
    to.take(2).chain(from.take(1)).collect()
}

/// The airports within reach of a place, without its own.
fn near(code: Iata) -> Vec<Place> {
    let own: Vec<&Airport> = airports::airports_of(code).collect();
    let Some(here) = own.first() else { return Vec::new() };
    let is_near = |airport: &&Airport| {
        airport.tier >= LEAST_TIER
            && own.iter().all(|other| other.iata != airport.iata)
            && airports::distance_km(here, airport) <= NEARBY_KM
    };
    let mut near: Vec<&Airport> = airports::airports().iter().filter(is_near).collect();
    near.sort_by_key(|airport| (std::cmp::Reverse(airport.tier), airport.iata));
    near.into_iter().map(|airport| Place { name: airport.city.to_owned(), iata: airport.iata }).collect()
}

#[cfg(test)]
mod tests {
    use contracts::dialogue::MonthNamed;
    use jiff::civil::date;

    use super::*;

    fn place(iata: &str) -> Place {
        Place { name: iata.into(), iata: iata.parse().unwrap() }
    }

    #[test]
    fn airports_within_150_km_are_near_and_those_of_the_city_are_not() {
        let codes: Vec<String> = near("VCE".parse().unwrap()).into_iter().map(|place| place.iata.to_string()).collect();
        assert!(codes.contains(&"VRN".to_owned()) && !codes.contains(&"VCE".to_owned()), "{codes:?}");
        assert!(near("ZZZ".parse().unwrap()).is_empty());
    }

    #[test]
    fn the_cities_of_a_country_are_searched_in_the_middle_of_the_month_that_was_named() {
        let choices = vec![place("LIS"), place("OPO")];
        let because = Some(Trouble::Ambiguous { name: "Portugal".into(), choices, region: true, near: false });
        let action = Action::Ask { slot: Slot::Destination, because };
        let mut session = Session::default();
        assert!(queries(&action, &session, false).is_empty());
        session.slots.origin = Some(place("HEL"));
        session.month = Some(MonthNamed { slot: Slot::DepartureDate, first: date(2027, 1, 1) });
        let searched = queries(&action, &session, false);
        assert_eq!(searched.len(), 2);
        assert!(searched.iter().all(|(place, query)| query.destination == *place));
        assert_eq!(searched[0].1.departure_date, date(2027, 1, 15));
    }
}
