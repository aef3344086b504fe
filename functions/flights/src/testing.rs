//! Offers and queries for the tests of this crate.

use contracts::travel::{Airline, Cabin, Fare, FlightQuery, Limits, Money, Offer, Passengers, Place};
use iso_currency::Currency;
use jiff::civil::date;
use jiff::{SignedDuration, Zoned};
use proptest::prelude::*;

use crate::draft::{Draft, Flight};

/// Lahore to Dubai for one, with no wish beyond.
pub fn query() -> FlightQuery {
    FlightQuery {
        origin: place("LHE"),
        destination: place("DXB"),
        departure_date: date(2026, 11, 27),
        return_date: None,
        passengers: Passengers::ONE,
        cabin: None,
        airlines: Vec::new(),
        without_airlines: Vec::new(),
        max_stops: None,
        max_price: None,
        departure_time: None,
        return_time: None,
        onward: Vec::new(),
        compares_days: false,
        limits: Limits::default(),
    }
}

/// A place named like its code.
pub fn place(iata: &str) -> Place {
    Place { name: iata.into(), iata: iata.parse().unwrap() }
}

/// An offer by what matters in ranking: flights one after another with an hour between them.
pub struct OfferSketch {
    pub id: &'static str,
    pub provider: &'static str,
    pub price: i64,
    pub currency: Currency,
    pub departs: (i8, i8),
    pub minutes: &'static [i64],
    pub carriers: &'static [&'static str],
    pub number: &'static str,
    pub cabin: Option<Cabin>,
}

impl Default for OfferSketch {
    fn default() -> Self {
        Self {
            id: "offer",
            provider: "duffel",
            price: 300_00,
            currency: Currency::USD,
            departs: (9, 0),
            minutes: &[180],
            carriers: &["EK"],
            number: "623",
            cabin: None,
        }
    }
}

impl OfferSketch {
    pub fn build(&self) -> Offer {
        let mut departs: Zoned =
            date(2026, 11, 27).at(self.departs.0, self.departs.1, 0, 0).in_tz("Asia/Karachi").unwrap();
        let carriers = self.carriers.iter().chain(std::iter::repeat(self.carriers.last().unwrap()));
        let flights = self.minutes.iter().zip(carriers).map(|(minutes, carrier)| {
            let arrives = &departs + SignedDuration::from_mins(*minutes);
            let flight = Flight {
                carrier: Airline { name: (*carrier).into(), iata: (*carrier).into() },
                number: self.number.into(),
                operated_by: None,
                origin: place("LHE"),
                destination: place("DXB"),
                departs: departs.clone(),
                arrives: arrives.clone(),
                technical_stops: 0,
                cabin: self.cabin,
                aircraft: None,
            };
            departs = &arrives + SignedDuration::from_hours(1);
            flight
        });
        let draft = Draft {
            provider: self.provider,
            id: self.id.into(),
            sample: false,
            total_price: Money { minor: self.price, currency: self.currency },
            travellers: 1,
            directions: vec![flights.collect()],
            expires_at: None,
            sold_by: None,
            fare: Fare::default(),
            co2_kg: None,
        };
        draft.offer().unwrap()
    }
}

/// Up to twenty offers that often tie, repeat each other and differ in currency.
pub fn any_offers() -> impl Strategy<Value = Vec<Offer>> {
    let currency = prop_oneof![4 => Just(Currency::USD), 1 => Just(Currency::EUR)];
    let minutes = prop::sample::select(vec![&[60][..], &[120], &[60, 60], &[60, 120], &[60, 60, 60]]);
    let carriers = prop::sample::select(vec![&["EK"][..], &["EK", "QR"], &["PK", "EK", "QR"]]);
    let cabin = prop::option::of(Just(Cabin::Economy));
    let one = (1i64..6, currency, (6i8..9), minutes, carriers, prop::sample::select(vec!["1", "2"]), cabin);
    prop::collection::vec(one, 0..20).prop_map(|sketches| {
        let offers =
            sketches.into_iter().enumerate().map(|(at, (price, currency, hour, minutes, carriers, number, cabin))| {
                let price = price * 50_00;
                let sketch = OfferSketch {
                    price,
                    currency,
                    departs: (hour, 0),
                    minutes,
                    carriers,
                    number,
                    cabin,
                    ..OfferSketch::default()
                };
                Offer { id: format!("{at:02}"), ..sketch.build() }
            });
        offers.collect()
    })
}

/// A public capture of a provider's answer, from the folder that `COLLOQUY_FIXTURES` names; without it the test is
/// skipped, saying so. A relative folder is seen from the workspace's root.
pub fn captures(file: &str) -> Option<Vec<u8>> {
    let Ok(folder) = std::env::var("COLLOQUY_FIXTURES") else {
        eprintln!("skipped: COLLOQUY_FIXTURES is not set, so {file} is not read");
        return None;
    };
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    Some(std::fs::read(std::path::Path::new(root).join(folder).join(file)).unwrap())
}
