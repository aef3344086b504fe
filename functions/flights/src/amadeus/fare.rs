//! What Amadeus tells of a fare: bags of each traveller on each flight, and until when a ticket can be issued. Conditions of
//! change and refund are not in a search's answer: its `refundableFare` and the like repeat what was asked for.

use contracts::travel::{Bags, Fare, Hold};
use jiff::civil::Date;
use serde::Deserialize;

use super::WirePricing;
use crate::bags::least;

/// Travellers with bags of their own rules.
const INFANTS: [&str; 2] = ["HELD_INFANT", "SEATED_INFANT"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBags {
    quantity: Option<u8>,
    weight: Option<u16>,
    weight_unit: Option<String>,
}

impl WireBags {
    fn read(&self) -> Option<Bags> {
        let kilograms = self.weight.and_then(|weight| match self.weight_unit.as_deref() {
            None | Some("KG") => Some(weight),
            Some("LB") => Some((f64::from(weight) * 0.453_592).round() as u16),
            Some(_) => None,
        });
        let bags = Bags { pieces: self.quantity, kilograms };
        (bags != Bags::default()).then_some(bags)
    }
}

/// What is told of the fare of these travellers.
pub(super) fn fare(pricings: &[WirePricing], at_once: Option<bool>, last_day: Option<Date>) -> Fare {
    let seated =
        pricings.iter().filter(|one| !one.traveler_type.as_deref().is_some_and(|kind| INFANTS.contains(&kind)));
    let fares = seated.flat_map(|one| one.fare_details_by_segment.iter().flatten());
    let (checked, carried): (Vec<_>, Vec<_>) = fares
        .map(|fare| {
            let read = |bags: &Option<WireBags>| bags.as_ref().and_then(WireBags::read);
            (read(&fare.included_checked_bags), read(&fare.included_cabin_bags))
        })
        .unzip();
    let hold =
        at_once.map(|at_once| Hold { possible: !at_once, ticket_by: last_day.filter(|_| !at_once), ..Hold::default() });
    // That it need not be paid at once is worth something only with a day until which it need not.
    let hold = hold.filter(|hold| !hold.possible || hold.ticket_by.is_some());
    Fare { checked_bags: least(checked), carry_on: least(carried), hold, ..Fare::default() }
}

/// A name that shouts, as people write it: "BOEING 747 ALL SERIES PASSENGER" becomes "Boeing 747 All Series Passenger".
pub(super) fn calm(name: &str) -> String {
    let word = |word: &str| {
        // Three letters are mostly a name of their own: ATR, MAX.
        let shouts = (word.len() > 3 || word == "ALL") && word.chars().all(|letter| letter.is_ascii_uppercase());
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if shouts => format!("{first}{}", letters.as_str().to_lowercase()),
            _ => word.to_owned(),
        }
    };
    name.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}
