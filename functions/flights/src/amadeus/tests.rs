//! The format, in samples of our own and in public captures.

use super::*;
use crate::testing::{captures, place, query};
use contracts::travel::{Bags, Fare, Hold, Way};
use jiff::civil::date;
use reqwest::header::HeaderMap;

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: body.into() }
}

const TWO: Passengers = Passengers { adults: 2, children: 0, infants: 0 };

#[test]
fn odd_values_are_read_and_bad_offers_do_not_spoil_the_good() {
    let offers = offers(&answer(200, include_str!("../../tests/samples/amadeus-offers.json")), TWO, false).unwrap();

    let [real, unknown_airport] = offers.as_slice() else { panic!("{offers:?}") };
    assert_eq!(
        (real.total_price.to_string(), real.price_per_traveller.to_string()),
        ("GBP 598.20".into(), "GBP 299.10".into())
    );
    assert_eq!((real.sample, real.stops, real.expires_at), (false, 1, None));
    let [out, back] = real.itineraries.as_slice() else { panic!("{real:?}") };
    let segment = &out.segments[0];
    assert_eq!(segment.carrier, Airline { name: "Emirates".into(), iata: "EK".into() });
    assert_eq!(segment.operated_by.as_ref().map(|airline| airline.name.as_str()), Some("flydubai"));
    assert_eq!(
        (segment.origin.name.as_str(), segment.departs_at.to_string().as_str()),
        ("Lahore", "2026-11-27T09:15:00+05:00")
    );
    assert_eq!(segment.arrives_at.to_string(), "2026-11-27T11:30:00+04:00");
    assert_eq!((back.segments[0].flight_number.as_str(), back.segments[0].technical_stops), ("624", 1));
    assert_eq!((out.duration_minutes, back.duration_minutes), (195, 190));
    // One of the two sits in economy on the way out, which is a little longer.
    assert_eq!(real.cabin, Some(Cabin::Economy));
    assert_eq!(back.segments[0].cabin, Some(Cabin::Business));
    assert_eq!(segment.aircraft.as_deref(), Some("Boeing 777-300ER"));
    let hold = Hold { possible: true, ticket_by: Some(date(2026, 11, 25)), ..Hold::default() };
    let checked_bags = Some(Bags { pieces: None, kilograms: Some(25) });
    assert_eq!(real.fare, Fare { checked_bags, hold: Some(hold), ..Fare::default() });
    assert!(unknown_airport.fare.is_unknown());

    assert_eq!(unknown_airport.id, "2");
    assert_eq!(unknown_airport.total_price.to_string(), "JPY 21000");
    assert_eq!(unknown_airport.itineraries[0].segments[0].arrives_at.to_string(), "2026-11-27T10:41:00+04:00");
    assert_eq!(unknown_airport.itineraries[0].segments[0].carrier.name, "EXAMPLE AIR");
}

#[test]
fn answers_that_are_none_are_told_apart() {
    for (status, body, expected) in [
        (200, r#"{"meta": {"count": 0}, "data": []}"#, Ok(0)),
        (200, r#"{"data": [{"id": "1"}]}"#, Err(Reason::InvalidAnswer)),
        (200, r#"{"data": ["#, Err(Reason::InvalidAnswer)),
        (200, "", Err(Reason::InvalidAnswer)),
        (400, r#"{"errors": [{"status": 400, "code": 477, "title": "INVALID FORMAT"}]}"#, Err(Reason::Rejected)),
        (400, r#"{"errors": [{"status": "400", "code": "477"}]}"#, Err(Reason::Rejected)),
        (429, r#"{"errors": [{"status": "429", "code": 38194}]}"#, Err(Reason::RateLimited)),
        (403, r#"{"errors": [{"code": "38195"}]}"#, Err(Reason::RateLimited)),
        (
            401,
            r#"{"error": "invalid_client", "code": 38187, "title": "Invalid parameters"}"#,
            Err(Reason::Unauthorized),
        ),
        (500, r#"{"errors": [{"status": 500, "code": 141}]}"#, Err(Reason::Unavailable)),
        (502, "<html></html>", Err(Reason::Unavailable)),
    ] {
        let found =
            offers(&answer(status, body), TWO, false).map(|offers| offers.len()).map_err(|failure| failure.reason);
        assert_eq!(found, expected, "{status} {body}");
    }
}

#[test]
fn the_request_says_what_is_searched() {
    let account = |url, currency| {
        let secret = |name: &str| Secret::new(name, "secret".into());
        Amadeus::new(Client::new(), url, secret("AMADEUS_CLIENT_ID"), secret("AMADEUS_CLIENT_SECRET"), currency)
    };
    let airline = |iata: &str| Airline { name: iata.into(), iata: iata.into() };
    let query = FlightQuery {
        return_date: Some(date(2026, 12, 4)),
        passengers: Passengers { adults: 2, children: 1, infants: 1 },
        cabin: Some(Cabin::Business),
        airlines: vec![airline("EK"), airline("QR")],
        max_stops: Some(0),
        max_price: Some(Money { minor: 90_050, currency: Currency::EUR }),
        ..query()
    };
    let real = account("https://travel.api.amadeus.com/", Some(Currency::GBP));
    let parameters: Vec<String> =
        real.parameters(&query).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected = "originLocationCode=LHE&destinationLocationCode=DXB&departureDate=2026-11-27&returnDate=2026-12-04&adults=2&children=1\
        &infants=1&travelClass=BUSINESS&includedAirlineCodes=EK,QR&nonStop=true&currencyCode=EUR&maxPrice=901&max=100";
    assert_eq!(parameters.join("&"), expected);
    let plain: Vec<String> =
        real.parameters(&crate::testing::query()).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected =
        "originLocationCode=LHE&destinationLocationCode=DXB&departureDate=2026-11-27&adults=1&currencyCode=GBP&max=100";
    assert_eq!(plain.join("&"), expected);
    assert!(!real.is_test());
    assert!(account("https://test.travel.api.amadeus.com", None).is_test());
    assert!(!format!("{real:?}").contains("secret\""));
}

#[test]
fn a_journey_over_several_cities_names_each_flight_and_each_traveller() {
    let secret = |name: &str| Secret::new(name, "secret".into());
    let (id, secret) = (secret("AMADEUS_CLIENT_ID"), secret("AMADEUS_CLIENT_SECRET"));
    let account = Amadeus::new(Client::new(), BASE_URL, id, secret, Some(Currency::GBP));
    let query = FlightQuery {
        passengers: Passengers { adults: 2, children: 1, infants: 1 },
        cabin: Some(Cabin::Business),
        without_airlines: vec![Airline { name: "Ryanair".into(), iata: "FR".into() }],
        max_stops: Some(0),
        onward: vec![Way { origin: place("AUH"), destination: place("LHE"), date: date(2026, 12, 4) }],
        ..query()
    };
    let expected = serde_json::json!({
        "currencyCode": "GBP",
        "originDestinations": [
            {"id": "1", "originLocationCode": "LHE", "destinationLocationCode": "DXB", "departureDateTimeRange": {"date": "2026-11-27"}},
            {"id": "2", "originLocationCode": "AUH", "destinationLocationCode": "LHE", "departureDateTimeRange": {"date": "2026-12-04"}},
        ],
        "travelers": [
            {"id": "1", "travelerType": "ADULT"},
            {"id": "2", "travelerType": "ADULT"},
            {"id": "3", "travelerType": "CHILD"},
            {"id": "4", "travelerType": "HELD_INFANT", "associatedAdultId": "1"},
        ],
        "sources": ["GDS"],
        "searchCriteria": {"maxFlightOffers": 100, "flightFilters": {
            "cabinRestrictions": [{"cabin": "BUSINESS", "coverage": "MOST_SEGMENTS", "originDestinationIds": ["1", "2"]}],
            "carrierRestrictions": {"excludedCarrierCodes": ["FR"]},
            "connectionRestriction": {"maxNumberOfConnections": 0},
        }},
    });
    assert_eq!(account.search_of_legs(&query), expected);
}

#[test]
fn a_public_capture_is_read_whole() {
    let Some(capture) = captures("amadeus/flight-offers-get.json") else { return };

    let offers = offers(&answer(200, capture), TWO, false).unwrap();

    let [offer] = offers.as_slice() else { panic!("{offers:?}") };
    assert_eq!(offer.total_price.to_string(), "EUR 1590.78");
    assert_eq!(offer.price_per_traveller.to_string(), "EUR 795.39");
    assert_eq!(offer.cabin, Some(Cabin::Economy));
    let [out, back] = offer.itineraries.as_slice() else { panic!("{offer:?}") };
    assert_eq!((out.duration_minutes, back.duration_minutes), (9 * 60 + 20, 9 * 60));
    assert_eq!(out.segments[0].departs_at.to_string(), "2020-08-01T10:00:00+10:00");
    assert_eq!(out.segments[0].arrives_at.to_string(), "2020-08-01T16:20:00+07:00");
    assert_eq!(out.segments[0].carrier, Airline { name: "Thai Airways".into(), iata: "TG".into() });
    assert_eq!(out.segments[0].aircraft.as_deref(), Some("Boeing 747 All Series Passenger"));
    let hold = Hold { possible: true, ticket_by: Some(date(2020, 8, 1)), ..Hold::default() };
    let checked_bags = Some(Bags { pieces: None, kilograms: Some(30) });
    assert_eq!(offer.fare, Fare { checked_bags, hold: Some(hold), ..Fare::default() });
}
