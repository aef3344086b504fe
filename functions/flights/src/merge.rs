//! Puts the answers of several providers together: filters what a provider could not filter itself, and keeps one offer,
//! the cheaper, of each itinerary. Prices in different currencies are never compared.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::limits;
use contracts::travel::{Airline, Cabin, FlightQuery, Offer};
use iso_currency::Currency;
use jiff::Timestamp;

/// Whether an offer is what was asked for. A price in another currency than the limit's is let through, since it cannot
/// be compared; so is a cabin that the provider does not state.
pub fn fits(offer: &Offer, query: &FlightQuery) -> bool {
    let mut segments = offer.itineraries.iter().flat_map(|itinerary| &itinerary.segments);
    let airlines = segments.all(|segment| {
        let is_of = |airlines: &[Airline]| airlines.iter().any(|airline| airline.iata == segment.carrier.iata);
        (query.airlines.is_empty() || is_of(&query.airlines)) && !is_of(&query.without_airlines)
    });
    let stops = query
        .max_stops
        .is_none_or(|most| offer.itineraries.iter().all(|itinerary| itinerary.stops() <= u32::from(most)));
    let price = query
        .max_price
        .is_none_or(|most| most.currency != offer.total_price.currency || offer.total_price.minor <= most.minor);
    let cabin = query.cabin.zip(offer.cabin).is_none_or(|(wanted, offered)| offered >= wanted);
    airlines && stops && price && cabin && limits::allow(&query.limits, offer)
}

/// Keeps the cheapest offer of each itinerary: the same flights, departures, cabin and currency.
pub fn merge(offers: impl IntoIterator<Item = Offer>) -> Vec<Offer> {
    let mut kept: Vec<Offer> = Vec::new();
    let mut places: HashMap<Flights, usize> = HashMap::new();
    for offer in offers {
        match places.entry(Flights::of(&offer)) {
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(offer);
            }
            Entry::Occupied(place) => {
                if let Some(other) = kept.get_mut(*place.get())
                    && preference(&offer) < preference(other)
                {
                    *other = offer;
                }
            }
        }
    }
    kept
}

/// The offer of the same flights and cabin, at the price nearest to the one shown.
pub fn same_flights(mut found: Vec<Offer>, shown: &Offer) -> Option<Offer> {
    let at = place_of_same(&found, shown)?;
    Some(found.swap_remove(at))
}

/// Where in `found` that offer is.
pub fn place_of_same(found: &[Offer], shown: &Offer) -> Option<usize> {
    let wanted = Flights::of(shown);
    let same = found.iter().enumerate().filter(|(_, offer)| {
        let flights = Flights::of(offer);
        flights.directions == wanted.directions && flights.cabin == wanted.cabin
    });
    let distance = |offer: &Offer| {
        let elsewhere = offer.total_price.currency != shown.total_price.currency;
        (elsewhere, offer.total_price.minor.abs_diff(shown.total_price.minor))
    };
    same.min_by_key(|(_, offer)| distance(offer)).map(|(at, _)| at)
}

/// The currency that offers are ranked in: the limit's, else the one preferred, else what most offers have; always one
/// that some offer has.
pub fn currency(offers: &[Offer], query: &FlightQuery, preferred: Option<Currency>) -> Option<Currency> {
    let count = |currency| offers.iter().filter(|offer| offer.total_price.currency == currency).count();
    let wanted = [query.max_price.map(|price| price.currency), preferred];
    let wanted = wanted.into_iter().flatten().find(|currency| count(*currency) > 0);
    let commonest = || {
        let currencies = offers.iter().map(|offer| offer.total_price.currency);
        currencies.max_by_key(|currency| (count(*currency), std::cmp::Reverse(currency.code())))
    };
    wanted.or_else(commonest)
}

/// Whether prices here cannot all be compared: with each other, or with the limit that was given.
pub fn mixes_currencies(offers: &[Offer], query: &FlightQuery) -> bool {
    let limit = query.max_price.map(|price| price.currency);
    let mut currencies = limit.into_iter().chain(offers.iter().map(|offer| offer.total_price.currency));
    currencies.next().is_some_and(|first| currencies.any(|other| other != first))
}

/// The cheaper, and among equals one that does not depend on who answered first.
fn preference(offer: &Offer) -> (i64, &str, &str) {
    (offer.total_price.minor, &offer.provider, &offer.id)
}

/// What makes two offers the same journey.
#[derive(PartialEq, Eq, Hash)]
struct Flights {
    directions: Vec<Vec<(String, String, Timestamp)>>,
    cabin: Option<Cabin>,
    currency: Currency,
    sample: bool,
}

impl Flights {
    fn of(offer: &Offer) -> Self {
        let flights = offer.itineraries.iter().map(|itinerary| {
            let segments = itinerary.segments.iter().map(|segment| {
                let number = segment.flight_number.trim_start_matches('0').to_owned();
                (segment.carrier.iata.clone(), number, segment.departs_at.timestamp())
            });
            segments.collect()
        });
        Self {
            directions: flights.collect(),
            cabin: offer.cabin,
            currency: offer.total_price.currency,
            sample: offer.sample,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{OfferSketch, any_offers, query};
    use contracts::travel::{Airline, Alliance, Layover, Limits, LowCost, Money};
    use proptest::prelude::*;

    #[test]
    fn the_cheaper_of_the_same_flights_is_kept_and_leading_zeros_do_not_matter() {
        let dear = OfferSketch { id: "dear", number: "0622", price: 320_00, ..OfferSketch::default() }.build();
        let cheap =
            OfferSketch { id: "cheap", number: "622", price: 300_00, provider: "amadeus", ..OfferSketch::default() }
                .build();
        let other = OfferSketch { id: "other", number: "624", price: 100_00, ..OfferSketch::default() }.build();
        let kept = merge([dear, cheap, other]);
        assert_eq!(kept.iter().map(|offer| offer.id.as_str()).collect::<Vec<_>>(), ["cheap", "other"]);
    }

    #[test]
    fn the_same_flights_are_found_again_at_the_nearest_price() {
        let shown = OfferSketch { number: "0622", price: 310_00, ..OfferSketch::default() }.build();
        let sketch = |id, number, price| OfferSketch { id, number, price, ..OfferSketch::default() }.build();
        let found = vec![sketch("basic", "622", 200_00), sketch("flex", "622", 330_00), sketch("other", "624", 310_00)];
        assert_eq!(same_flights(found.clone(), &shown).map(|offer| offer.id).as_deref(), Some("flex"));
        assert_eq!(same_flights(vec![found[2].clone()], &shown), None);
        let business = Offer { cabin: Some(Cabin::Business), ..shown };
        assert_eq!(same_flights(found, &business), None);
    }

    #[test]
    fn two_cabins_and_two_currencies_are_different_offers() {
        let economy = OfferSketch { cabin: Some(Cabin::Economy), ..OfferSketch::default() }.build();
        let business = OfferSketch { cabin: Some(Cabin::Business), ..OfferSketch::default() }.build();
        let pounds =
            OfferSketch { currency: Currency::GBP, cabin: Some(Cabin::Economy), ..OfferSketch::default() }.build();
        assert_eq!(merge([economy, business, pounds]).len(), 3);
    }

    #[test]
    fn what_was_not_asked_for_is_left_out() {
        let nonstop = OfferSketch { price: 300_00, carriers: &["EK"], ..OfferSketch::default() }.build();
        let stop = OfferSketch { minutes: &[60, 60], carriers: &["EK", "QR"], ..OfferSketch::default() }.build();
        let airline = |iata: &str| Airline { name: iata.into(), iata: iata.into() };
        let usd = |minor| Some(Money { minor, currency: Currency::USD });
        let eur = Some(Money { minor: 1_00, currency: Currency::EUR });
        let business = OfferSketch { cabin: Some(Cabin::Business), ..OfferSketch::default() }.build();
        for (query, offer, expected) in [
            (FlightQuery { airlines: vec![airline("EK")], ..query() }, &nonstop, true),
            (FlightQuery { airlines: vec![airline("EK")], ..query() }, &stop, false),
            (FlightQuery { airlines: vec![airline("EK"), airline("QR")], ..query() }, &stop, true),
            (FlightQuery { without_airlines: vec![airline("QR")], ..query() }, &stop, false),
            (FlightQuery { without_airlines: vec![airline("BA")], ..query() }, &stop, true),
            (FlightQuery { max_stops: Some(0), ..query() }, &nonstop, true),
            (FlightQuery { max_stops: Some(0), ..query() }, &stop, false),
            (FlightQuery { max_price: usd(300_00), ..query() }, &nonstop, true),
            (FlightQuery { max_price: usd(299_99), ..query() }, &nonstop, false),
            (FlightQuery { max_price: eur, ..query() }, &nonstop, true),
            (FlightQuery { cabin: Some(Cabin::Business), ..query() }, &business, true),
            (FlightQuery { cabin: Some(Cabin::First), ..query() }, &business, false),
            (FlightQuery { cabin: Some(Cabin::Economy), ..query() }, &business, true),
        ] {
            assert_eq!(fits(offer, &query), expected, "{query:?}");
        }
    }

    #[test]
    fn what_breaks_a_limit_of_the_way_is_left_out() {
        let nonstop = OfferSketch { carriers: &["EK"], ..OfferSketch::default() }.build();
        // An hour lies between the two flights.
        let stop = OfferSketch { minutes: &[60, 60], carriers: &["EK", "QR"], ..OfferSketch::default() }.build();
        let between = stop.itineraries[0].segments[0].destination.clone();
        let low_cost = OfferSketch { carriers: &["FZ"], ..OfferSketch::default() }.build();
        let layover = |layover| Limits { layover: Some(layover), ..Limits::default() };
        for (limits, offer, expected) in [
            (Limits::default(), &stop, true),
            (layover(Layover { most: Some(60), ..Layover::default() }), &stop, true),
            (layover(Layover { most: Some(59), ..Layover::default() }), &stop, false),
            (layover(Layover { least: Some(61), ..Layover::default() }), &stop, false),
            (layover(Layover { least: Some(61), ..Layover::default() }), &nonstop, true),
            (Limits { without_airports: vec![between], ..Limits::default() }, &stop, false),
            (Limits { alliance: Some(Alliance::Oneworld), ..Limits::default() }, &stop, false),
            (Limits { low_cost: Some(LowCost::Without), ..Limits::default() }, &low_cost, false),
            (Limits { low_cost: Some(LowCost::Without), ..Limits::default() }, &nonstop, true),
            (Limits { low_cost: Some(LowCost::Only), ..Limits::default() }, &low_cost, true),
        ] {
            assert_eq!(fits(offer, &FlightQuery { limits: limits.clone(), ..query() }), expected, "{limits:?}");
        }
    }

    #[test]
    fn the_currency_is_the_limits_then_the_preferred_then_the_commonest() {
        let in_currency = |currency| OfferSketch { currency, ..OfferSketch::default() }.build();
        let offers = [in_currency(Currency::GBP), in_currency(Currency::EUR), in_currency(Currency::EUR)];
        let limit = |currency| FlightQuery { max_price: Some(Money { minor: 1, currency }), ..query() };
        assert_eq!(currency(&offers, &limit(Currency::GBP), Some(Currency::EUR)), Some(Currency::GBP));
        assert_eq!(currency(&offers, &query(), Some(Currency::GBP)), Some(Currency::GBP));
        assert_eq!(currency(&offers, &limit(Currency::USD), None), Some(Currency::EUR));
        assert_eq!(currency(&[], &query(), None), None);
        assert!(mixes_currencies(&offers, &query()));
        assert!(mixes_currencies(&offers[1..], &limit(Currency::USD)));
        assert!(!mixes_currencies(&offers[1..], &limit(Currency::EUR)));
        assert!(!mixes_currencies(&[], &limit(Currency::EUR)));
    }

    proptest! {
        #[test]
        fn merging_again_changes_nothing_and_the_cheapest_stays(offers in any_offers()) {
            let once = merge(offers.clone());
            prop_assert_eq!(&merge(once.clone()), &once);
            for offer in &offers {
                let same = once.iter().find(|kept| Flights::of(kept) == Flights::of(offer));
                prop_assert!(same.is_some_and(|kept| kept.total_price.minor <= offer.total_price.minor));
            }
            let mut backwards = merge(offers.into_iter().rev());
            let mut once = once;
            backwards.sort_by(|a, b| a.id.cmp(&b.id));
            once.sort_by(|a, b| a.id.cmp(&b.id));
            prop_assert_eq!(backwards, once);
        }
    }
}
