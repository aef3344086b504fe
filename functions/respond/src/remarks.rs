//! What a reply says besides its answer: what was heard and not applied, what was taken for granted.

use contracts::api::ReplyRequest;
use contracts::dialogue::{Remark, Slot, Unmet};
use contracts::travel::Place;

use crate::questions;
use crate::topics;

/// The remarks of a reply, a sentence each.
pub(crate) fn remarks(request: &ReplyRequest) -> Vec<String> {
    request.session.remarks.iter().filter_map(|remark| sentence(remark, request)).collect()
}

fn sentence(remark: &Remark, request: &ReplyRequest) -> Option<String> {
    Some(match remark {
        Remark::Unmet { wish } => unmet(*wish)?.to_owned(),
        Remark::Asked { topic } => match questions::of_fares(*topic, None, &request.offers) {
            Some(told) => told,
            None => topics::answer(*topic)?.to_owned(),
        },
        Remark::OneOf { taken, others } => format!(
            "I search one at a time: this is {}; say “{}” to see that instead.",
            taken.name,
            others.first().map_or("the other", |other| other.name.as_str())
        ),
        Remark::Nearest { name, taken, others } => {
            let others = if others.is_empty() { String::new() } else { format!(" (or {})", named(others)) };
            format!(
                "{name} has no airport with many flights; I took the nearest, {} ({}){others}.",
                taken.name, taken.iata
            )
        }
        Remark::Weak { slot, words } => {
            format!("I took “{words}” for {}; tell me if you meant something else.", slot_name(*slot))
        }
        Remark::Through { place } => {
            format!("I can't hold a search to going via {}: look at where each one stops.", place.name)
        }
        Remark::Avoid { place } => {
            format!(
                "I can't leave out {} ({}) alone, so I have not: name the airport you want instead.",
                place.name, place.iata
            )
        }
        Remark::Moved { slot } => format!("I moved {} along.", slot_name(*slot)),
        Remark::Other => return None,
    })
}

fn unmet(wish: Unmet) -> Option<&'static str> {
    Some(match wish {
        Unmet::Arrival => "I can't limit the arrival, so I have not: look at when each one arrives.",
        Unmet::Layover => {
            "I can't limit how long a layover (connection) is, so I have not: look at the hours of each, or ask for nonstop."
        }
        Unmet::Aircraft => "I don't know the type of aircraft, so I can't choose by it.",
        Unmet::Alliance => "I can't search by alliance; name the airlines you want and I keep to them.",
        Unmet::LowCost => "I can't tell low-cost airlines apart; name those to leave out and I do.",
        Unmet::MixedCabins => {
            "I search one cabin class for everybody and both ways; for different classes, price two one-way flights separately."
        }
        Unmet::Via => {
            "I can't plan a stopover on the way: I search the route as a whole; book the two parts separately to stay there."
        }
        Unmet::Airport => "I can't leave out a single airport, so I have not.",
        Unmet::SeveralCities => {
            "I can search several cities as one journey, but didn't get which flights: name each, like “London to Rome on 3 May, then Rome to Athens on 7 May”."
        }
        Unmet::EachTime => "I search one journey at a time: this is the first; name the next day for the next.",
        Unmet::Other => return None,
    })
}

fn named(places: &[Place]) -> String {
    places.iter().map(|place| format!("{} {}", place.name, place.iata)).collect::<Vec<_>>().join(", ")
}

fn slot_name(slot: Slot) -> &'static str {
    match slot {
        Slot::Origin => "where you start",
        Slot::Destination => "where you go",
        Slot::DepartureDate => "the day out",
        Slot::ReturnDate => "the day back",
        Slot::Passengers => "who travels",
        Slot::Other => "that",
    }
}
