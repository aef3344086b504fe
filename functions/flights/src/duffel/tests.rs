//! The format, in samples of our own and in public captures.

use super::*;
use crate::testing::{captures, place, query};
use contracts::travel::{Bags, Cabin, Condition, Fare, Hold, Way};
use jiff::civil::date;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: body.into() }
}

const TWO: Passengers = Passengers { adults: 2, children: 0, infants: 0 };

#[test]
fn odd_values_are_read_and_bad_offers_do_not_spoil_the_good() {
    let offers = offers(&answer(201, include_str!("../../tests/samples/duffel-offers.json")), TWO).unwrap();

    let [real, test] = offers.as_slice() else { panic!("{offers:?}") };
    assert_eq!(
        (real.total_price.to_string(), real.price_per_traveller.to_string()),
        ("GBP 612.40".into(), "GBP 306.20".into())
    );
    assert_eq!((real.sample, test.sample), (false, true));
    assert_eq!(real.expires_at, Some("2026-11-20T04:30:00.123456Z".parse().unwrap()));
    assert_eq!((real.stops, real.airline_changes), (2, 0));
    let [out, back] = real.itineraries.as_slice() else { panic!("{real:?}") };
    assert_eq!((out.duration_minutes, back.duration_minutes), (195, 425));
    let segment = &out.segments[0];
    assert_eq!((segment.carrier.iata.as_str(), segment.flight_number.as_str()), ("EK", "0623"));
    assert_eq!(segment.operated_by.as_ref().map(|airline| airline.name.as_str()), Some("flydubai"));
    assert_eq!(segment.departs_at.to_string(), "2026-11-27T09:15:00+05:00");
    assert_eq!(segment.arrives_at.to_string(), "2026-11-27T11:30:00+04:00");
    // No zone is given for Doha: ours knows it.
    assert_eq!(back.segments[0].arrives_at.to_string(), "2026-12-04T08:20:00+03:00");
    assert_eq!(back.segments[0].flight_number, "841");
    assert_eq!(back.segments[1].technical_stops, 1);
    assert_eq!(real.cabin, Some(Cabin::Economy));
    assert_eq!(out.segments[0].cabin, None, "that of the offer");
}

#[test]
fn what_a_fare_includes_is_read_and_what_cannot_be_read_is_unknown() {
    let offers = offers(&answer(201, include_str!("../../tests/samples/duffel-offers.json")), TWO).unwrap();

    let [real, test] = offers.as_slice() else { panic!("{offers:?}") };
    let pieces = |pieces| Some(Bags { pieces: Some(pieces), kilograms: None });
    let penalty = Money { minor: 80_00, currency: Currency::GBP };
    let expected = Fare {
        checked_bags: pieces(1),
        carry_on: pieces(1),
        extra_bag: None,
        change: Some(Condition { allowed: false, penalty: None }),
        refund: Some(Condition { allowed: true, penalty: Some(penalty) }),
        hold: Some(Hold {
            possible: true,
            price_until: Some("2026-11-21T10:00:00Z".parse().unwrap()),
            pay_by: Some("2026-11-22T10:00:00Z".parse().unwrap()),
            ticket_by: None,
        }),
    };
    assert_eq!((&real.fare, real.co2_kg), (&expected, Some(460)));
    let aircraft = real.itineraries[0].segments[0].aircraft.as_deref();
    assert_eq!((aircraft, &real.sold_by), (Some("Boeing 777-300"), &None));
    assert!(test.fare.is_unknown() && test.co2_kg.is_none(), "{test:?}");
}

#[test]
fn an_infant_on_a_lap_takes_no_bag_from_the_others() {
    let fare = |travellers: serde_json::Value, bags: serde_json::Value| {
        let seat = |id: &str, bags: &serde_json::Value| serde_json::json!({"passenger_id": id, "baggages": bags});
        let passengers = [seat("pas_1", &bags), seat("pas_2", &serde_json::json!([]))];
        let airport = |iata: &str| serde_json::json!({"iata_code": iata});
        let segment = serde_json::json!({
            "origin": airport("LHE"), "destination": airport("DXB"), "departing_at": "2026-11-27T09:15:00",
            "arriving_at": "2026-11-27T11:30:00", "marketing_carrier": {"iata_code": "EK"},
            "marketing_carrier_flight_number": "623", "passengers": passengers,
        });
        let offer = serde_json::json!({"id": "off_1", "total_amount": "1.00", "total_currency": "GBP", "passengers": travellers,
            "slices": [{"segments": [segment]}]});
        serde_json::from_value::<WireOffer>(offer).unwrap().read(Passengers::ONE).unwrap().fare
    };
    let bag = serde_json::json!([{"type": "checked", "quantity": 1}]);
    let lap = serde_json::json!([{"id": "pas_1", "type": "adult"}, {"id": "pas_2", "type": "infant_without_seat"}]);
    assert_eq!(fare(lap, bag.clone()).checked_bags.and_then(|bags| bags.pieces), Some(1));
    let seat = serde_json::json!([{"id": "pas_1", "type": "adult"}, {"id": "pas_2", "age": 8}]);
    assert_eq!(fare(seat.clone(), bag).checked_bags, None, "nothing is told of the child's");
    let none = serde_json::json!([{"type": "checked", "quantity": 0}]);
    assert_eq!(fare(seat, none).checked_bags, None);
}

#[test]
fn answers_that_are_none_are_told_apart() {
    for (status, body, expected) in [
        (200, r#"{"data": {"offers": []}}"#, Ok(0)),
        (200, r#"{"data": {"offers": [{"id": 1}]}}"#, Err(Reason::InvalidAnswer)),
        (200, r#"{"data": {}}"#, Err(Reason::InvalidAnswer)),
        (200, r#"{"data": {"offers": ["#, Err(Reason::InvalidAnswer)),
        (200, "", Err(Reason::InvalidAnswer)),
        (200, "<html></html>", Err(Reason::InvalidAnswer)),
        (502, "<h1>Error: Server Error</h1>", Err(Reason::Unavailable)),
        (500, r#"{"errors": [{"type": "api_error", "source": {"pointer": "/slices"}}]}"#, Err(Reason::Unavailable)),
        (400, r#"{"errors": [{"type": "rate_limit_error", "code": 7, "source": "x"}]}"#, Err(Reason::RateLimited)),
        (401, r#"{"errors": [{"type": "airline_error", "source": "iberia"}]}"#, Err(Reason::Unavailable)),
        (401, r#"{"errors": [{"type": "authentication_error"}]}"#, Err(Reason::Unauthorized)),
        (422, r#"{"errors": [{"type": "validation_error"}]}"#, Err(Reason::Rejected)),
        (429, r#"{"errors": [{"type": "something_new"}]}"#, Err(Reason::RateLimited)),
        (429, r#"{"errors": []}"#, Err(Reason::RateLimited)),
    ] {
        let found = offers(&answer(status, body), TWO).map(|offers| offers.len()).map_err(|failure| failure.reason);
        assert_eq!(found, expected, "{status} {body}");
    }
}

#[test]
fn the_request_says_what_is_searched() {
    let query = FlightQuery {
        return_date: Some(date(2026, 12, 4)),
        passengers: Passengers { adults: 1, children: 1, infants: 1 },
        cabin: Some(Cabin::PremiumEconomy),
        max_stops: Some(3),
        ..query()
    };
    let body = serde_json::to_value(Envelope { data: OfferRequest::new(&query) }).unwrap();
    let expected = serde_json::json!({"data": {
        "slices": [
            {"origin": "LHE", "destination": "DXB", "departure_date": "2026-11-27"},
            {"origin": "DXB", "destination": "LHE", "departure_date": "2026-12-04"},
        ],
        "passengers": [{"type": "adult"}, {"age": 8}, {"age": 1}],
        "cabin_class": "premium_economy",
        "max_connections": 2,
    }});
    assert_eq!(body, expected);
}

#[test]
fn a_journey_over_several_cities_has_a_slice_for_each_flight() {
    let onward = vec![Way { origin: place("AUH"), destination: place("LHE"), date: date(2026, 12, 4) }];
    let body = serde_json::to_value(OfferRequest::new(&FlightQuery { onward, ..query() })).unwrap();
    let expected = serde_json::json!([
        {"origin": "LHE", "destination": "DXB", "departure_date": "2026-11-27"},
        {"origin": "AUH", "destination": "LHE", "departure_date": "2026-12-04"},
    ]);
    assert_eq!(body["slices"], expected);
}

#[test]
fn a_public_capture_is_read_whole() {
    let Some(capture) = captures("duffel/go-200-get-offer-request.json") else { return };
    let wire: serde_json::Value = serde_json::from_slice(&capture).unwrap();

    let offers = offers(&answer(200, capture), Passengers::ONE).unwrap();

    assert_eq!(offers.len(), 38);
    assert_eq!(offers[0].total_price.to_string(), "GBP 1390.66");
    assert_eq!(offers[0].itineraries[0].segments[2].arrives_at.to_string(), "2021-12-30T20:53:00-06:00");
    assert!(offers.iter().all(|offer| offer.sample && offer.cabin.is_some()));
    // All tell their emissions and whether they can be held; the two of British Airways tell bags and conditions as well.
    assert!(offers.iter().all(|offer| offer.co2_kg.is_some() && offer.fare.hold.is_some()));
    let telling: Vec<_> = offers.iter().filter(|offer| offer.fare.checked_bags.is_some()).collect();
    let penalties = telling.iter().filter_map(|offer| offer.fare.refund?.penalty).map(|penalty| penalty.to_string());
    assert_eq!(penalties.collect::<Vec<_>>(), ["GBP 130.00", "GBP 140.00"]);
    assert!(
        telling.iter().all(|offer| offer.fare.hold.is_some_and(|hold| hold.possible && hold.price_until.is_some()))
    );
    assert!(telling.iter().all(|offer| offer.fare.carry_on.is_none()), "it is not told, which is not none");
    // The offsets are right where our minutes are those that Duffel states: everywhere but in two offers, whose stated
    // minutes are the difference of the clocks, as if New York and Austin had the same time.
    let mut differing = Vec::new();
    for (offer, wire) in offers.iter().zip(wire["data"]["offers"].as_array().unwrap()) {
        let (ours, stated) = (&offer.itineraries[0], &wire["slices"][0]);
        let stated_segments = stated["segments"].as_array().unwrap().iter();
        let pairs = ours
            .segments
            .iter()
            .map(|segment| segment.duration_minutes)
            .zip(stated_segments)
            .chain([(ours.duration_minutes, stated)]);
        for (ours, stated) in pairs {
            let stated = minutes(stated["duration"].as_str().unwrap()).unwrap();
            if ours != stated {
                differing.push((ours, stated));
            }
        }
    }
    assert_eq!(differing, [(298, 238); 4]);
}

#[test]
fn public_captures_of_errors_are_told_apart() {
    for (file, status, expected) in [
        ("duffel/ruby-airline_error.json", 401, Reason::Unavailable),
        ("duffel/ruby-api_error.json", 401, Reason::Unavailable),
        ("duffel/ruby-authentication_error.json", 401, Reason::Unauthorized),
        ("duffel/ruby-invalid_request_error.json", 400, Reason::Rejected),
        ("duffel/ruby-invalid_state_error.json", 400, Reason::Rejected),
        ("duffel/ruby-rate_limit_error.json", 400, Reason::RateLimited),
        ("duffel/ruby-validation_error.json", 422, Reason::Rejected),
        ("duffel/ruby-error.html", 500, Reason::Unavailable),
        ("duffel/go-400-bad-request.json", 400, Reason::Unavailable),
        ("duffel/go-502-bad-gateway.html", 502, Reason::Unavailable),
    ] {
        let Some(capture) = captures(file) else { return };
        assert_eq!(offers(&answer(status, capture), Passengers::ONE).unwrap_err().reason, expected, "{file}");
    }
}
