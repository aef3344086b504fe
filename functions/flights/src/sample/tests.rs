//! What every sample offer must be, whatever is asked.

use super::*;
use crate::testing::{place, query};
use contracts::travel::{Layover, Limits, Way};
use geo::airports::{airport, airports};
use jiff::civil::{Time, date, time};
use proptest::prelude::*;

const TODAY: Date = date(2026, 10, 1);

fn sample() -> Sample {
    Sample { currency: Currency::USD, scales: Scales::default() }
}

fn between(from: &str, to: &str) -> FlightQuery {
    FlightQuery { origin: place(from), destination: place(to), ..query() }
}

#[test]
fn common_journeys_have_a_choice_of_offers() {
    for (from, to) in
        [("LHE", "DXB"), ("NYC", "LON"), ("SYD", "BKK"), ("GRU", "JNB"), ("LAX", "SFO"), ("OSL", "TYO"), ("NBO", "LIM")]
    {
        let offers = sample().offers(&between(from, to), TODAY);
        assert!((8..=20).contains(&offers.len()), "{from} {to}: {}", offers.len());
        let carriers: std::collections::HashSet<_> =
            offers.iter().map(|offer| &offer.itineraries[0].segments[0].carrier.iata).collect();
        assert!(carriers.len() >= 3, "{from} {to}: {carriers:?}");
    }
}

#[test]
fn a_city_with_several_airports_is_searched_at_all_of_them() {
    let offers = sample().offers(&between("LON", "NYC"), TODAY);
    let ends: std::collections::HashSet<_> =
        offers.iter().map(|offer| offer.itineraries[0].segments[0].origin.iata.to_string()).collect();
    assert!(ends.len() >= 2, "{ends:?}");
}

#[test]
fn impossible_journeys_have_none() {
    let mut backwards = between("LHE", "DXB");
    backwards.return_date = Some(date(2026, 11, 20));
    for query in [between("LHE", "LHE"), between("LON", "LHR"), between("QQQ", "DXB"), backwards] {
        assert_eq!(sample().offers(&query, TODAY), []);
    }
}

#[test]
fn wishes_are_kept() {
    let emirates = Airline { name: "Emirates".into(), iata: "EK".into() };
    let only = sample().offers(&FlightQuery { airlines: vec![emirates], ..between("LHE", "JFK") }, TODAY);
    assert!(!only.is_empty());
    assert!(only.iter().all(|offer| offer.itineraries[0].segments.iter().all(|segment| segment.carrier.iata == "EK")));

    let nonstop = sample().offers(&FlightQuery { max_stops: Some(0), ..between("LHE", "DXB") }, TODAY);
    assert!(!nonstop.is_empty() && nonstop.iter().all(|offer| offer.stops == 0));

    let limit = Money { minor: 150_00, currency: Currency::EUR };
    let cheap = sample().offers(&FlightQuery { max_price: Some(limit), ..between("LHE", "DXB") }, TODAY);
    assert!(
        !cheap.is_empty()
            && cheap
                .iter()
                .all(|offer| offer.total_price.currency == Currency::EUR && offer.total_price.minor <= 150_00)
    );

    let business = sample().offers(&FlightQuery { cabin: Some(Cabin::Business), ..between("LHE", "DXB") }, TODAY);
    assert!(!business.is_empty() && business.iter().all(|offer| offer.cabin == Some(Cabin::Business)));

    let evening = TimeWindow { from: Time::constant(18, 0, 0, 0), to: Time::constant(23, 0, 0, 0) };
    let late = sample().offers(&FlightQuery { departure_time: Some(evening), ..between("LHE", "DXB") }, TODAY);
    assert!(late.iter().any(|offer| offer.itineraries[0].segments[0].departs_at.civil().hour() >= 18));
}

#[test]
fn fares_follow_distance_cabin_travellers_and_the_days_left() {
    let cheapest = |query: &FlightQuery, today| {
        sample().offers(query, today).iter().map(|offer| offer.total_price.minor).min().unwrap()
    };
    let base = cheapest(&query(), TODAY);
    assert!((60_00..250_00).contains(&base), "{base}");
    assert!(cheapest(&between("LHE", "JFK"), TODAY) > 2 * base);
    assert!(cheapest(&FlightQuery { cabin: Some(Cabin::Business), ..query() }, TODAY) > 3 * base);
    assert!(cheapest(&query(), date(2026, 11, 25)) > base);
    let family = Passengers { adults: 2, children: 1, infants: 1 };
    let family = cheapest(&FlightQuery { passengers: family, ..query() }, TODAY);
    assert!((base * 283 / 100..=base * 287 / 100).contains(&family), "{base} {family}");
}

#[test]
fn a_return_has_both_ways_and_costs_less_than_two_journeys() {
    let nonstop = || FlightQuery { max_stops: Some(0), ..query() };
    let there = sample().offers(&nonstop(), TODAY).iter().map(|offer| offer.total_price.minor).min().unwrap();
    let offers = sample().offers(&FlightQuery { return_date: Some(date(2026, 12, 4)), ..nonstop() }, TODAY);
    assert!(offers.len() >= 8);
    for offer in &offers {
        let [out, back] = offer.itineraries.as_slice() else { panic!("{offer:?}") };
        assert_eq!(out.segments[0].departs_at.civil().date(), date(2026, 11, 27));
        assert_eq!(back.segments[0].departs_at.civil().date(), date(2026, 12, 4));
        assert_eq!(back.segments.last().unwrap().destination.iata.as_str(), "LHE");
    }
    assert!(offers.iter().any(|offer| offer.total_price.minor < 2 * there));
}

#[test]
fn a_journey_over_several_cities_has_a_flight_for_each_way_in_order() {
    let way =
        |from: &str, to: &str, day| Way { origin: place(from), destination: place(to), date: date(2026, 12, day) };
    let onward = vec![way("ROM", "ATH", 7), way("ATH", "LON", 12)];
    let query = FlightQuery { departure_date: date(2026, 12, 3), onward, ..between("LON", "ROM") };

    let offers = sample().offers(&query, TODAY);

    assert!(offers.len() >= 5, "{}", offers.len());
    let expected = [(3, "LON", "ROM"), (7, "ROM", "ATH"), (12, "ATH", "LON")];
    for offer in offers {
        assert_eq!(offer.itineraries.len(), expected.len());
        for (way, (day, from, to)) in offer.itineraries.iter().zip(expected) {
            let is_of = |iata, city: &str| airports_of(city.parse().unwrap()).any(|airport| airport.iata == iata);
            assert_eq!(way.segments[0].departs_at.civil().date(), date(2026, 12, day));
            assert!(
                is_of(way.segments[0].origin.iata, from) && is_of(way.segments.last().unwrap().destination.iata, to)
            );
        }
    }
}

#[test]
fn a_return_on_the_same_day_leaves_after_landing() {
    let offers = sample().offers(&FlightQuery { return_date: Some(date(2026, 11, 27)), ..query() }, TODAY);
    assert!(!offers.is_empty());
    for offer in offers {
        let landed = offer.itineraries[0].segments.last().unwrap().arrives_at;
        assert!(offer.itineraries[1].segments[0].departs_at > landed);
    }
}

fn any_query() -> impl Strategy<Value = FlightQuery> {
    let codes: Vec<_> = airports().iter().filter(|airport| airport.tier >= 1).map(|airport| airport.iata).collect();
    let code = prop::sample::select(codes);
    (code.clone(), code, 0i64..360, prop::option::of(0i64..30), prop::option::of(0u8..3)).prop_map(
        |(from, to, day, stay, max_stops)| {
            let departure_date = TODAY + SignedDuration::from_hours(24 * day);
            FlightQuery {
                origin: place(from.as_str()),
                destination: place(to.as_str()),
                departure_date,
                return_date: stay.map(|stay| departure_date + SignedDuration::from_hours(24 * stay)),
                max_stops,
                ..query()
            }
        },
    )
}

proptest! {
    #[test]
    fn offers_are_chained_in_place_and_time_and_the_same_again(query in any_query()) {
        let offers = sample().offers(&query, TODAY);
        prop_assert_eq!(&offers, &sample().offers(&query, TODAY));
        prop_assert!(offers.len() <= MOST_OFFERS);
        for offer in offers {
            prop_assert!(offer.sample && offer.provider == "sample" && offer.total_price.minor > 0);
            prop_assert_eq!(offer.itineraries.len(), 1 + usize::from(query.return_date.is_some()));
            for (itinerary, day) in offer.itineraries.iter().zip([Some(query.departure_date), query.return_date]) {
                prop_assert!(query.max_stops.is_none_or(|most| itinerary.stops() <= most.into()));
                prop_assert_eq!(Some(itinerary.segments[0].departs_at.civil().date()), day);
                for segment in &itinerary.segments {
                    prop_assert!(segment.departs_at < segment.arrives_at);
                    prop_assert!(segment.flight_number.starts_with('S'));
                    let zone = airport(segment.destination.iata).unwrap().time_zone().unwrap();
                    prop_assert_eq!(segment.arrives_at.offset(), zone.to_offset(segment.arrives_at.timestamp()));
                }
                for pair in itinerary.segments.windows(2) {
                    prop_assert_eq!(pair[0].destination.iata, pair[1].origin.iata);
                    prop_assert!(pair[1].departs_at.timestamp().duration_since(pair[0].arrives_at.timestamp()).as_mins() >= 60);
                }
            }
        }
    }
}

#[test]
fn limits_of_the_way_are_kept_and_what_arrives_in_time_comes_first() {
    let by_noon = TimeWindow { from: time(0, 0, 0, 0), to: time(12, 0, 0, 0) };
    let doha = place("DOH");
    let layover = Layover { most: Some(240), ..Layover::default() };
    let limits = Limits { layover: Some(layover), without_airports: vec![doha.clone()], ..Limits::default() };
    let offers = sample().offers(&FlightQuery { limits, ..between("LHE", "LHR") }, TODAY);
    assert!(!offers.is_empty());
    for way in offers.iter().flat_map(|offer| &offer.itineraries) {
        assert!(way.segments.iter().all(|segment| segment.destination.iata != doha.iata));
        let flown: u32 = way.segments.iter().map(|segment| segment.duration_minutes).sum();
        assert!(way.duration_minutes - flown <= 240 * (way.segments.len() as u32 - 1));
    }

    let limits = Limits { arrival_time: Some(by_noon), ..Limits::default() };
    let query = FlightQuery { limits, ..between("LHE", "DXB") };
    let mut offers = sample().offers(&query, TODAY);
    query.put_timely_first(&mut offers);
    let late = |offer: &Offer| offer.itineraries[0].arrives().unwrap().time() > by_noon.to;
    assert!(!offers[0].outside_times && !late(&offers[0]));
    assert!(offers.iter().all(|offer| offer.outside_times || !late(offer)));
    assert!(offers.is_sorted_by_key(|offer| offer.outside_times) && offers.is_sorted_by_key(|offer| offer.rank));
}
