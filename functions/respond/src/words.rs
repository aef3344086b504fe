//! What is said for each action.

use contracts::api::{Degraded, ReplyRequest, Suggestion};
use contracts::dialogue::{Action, Slot, Topic, Trouble};
use contracts::travel::{Airline, FlightQuery, Leg, Money, Offer, Place};

use crate::booking;
use crate::days;
use crate::languages;
use crate::limits;
use crate::offers;
use crate::phrases::{cabin_name, day, duration, travellers};
use crate::questions;
use crate::remarks::remarks;
use crate::told::{LOADING, is_loading};
use crate::topics;

/// The reply, in bits that can be sent one after the other.
pub(crate) fn reply(request: &ReplyRequest) -> Vec<String> {
    languages::beginning(request).into_iter().chain(in_english(request)).collect()
}

/// The same without what is said first in another language.
pub(crate) fn in_english(request: &ReplyRequest) -> Vec<String> {
    let away = request.degraded.iter().any(|missing| missing.part == "understand");
    if away {
        return vec!["I'm sorry, I could not read your message just now. Please send it again in a moment.".to_owned()];
    }
    match &request.action {
        Action::Ask { slot, because } => {
            let trouble = because.as_ref().map(|trouble| explain(trouble, request));
            let costs = (!request.suggestions.is_empty()).then(|| suggested(&request.suggestions, request));
            let asks = !matches!(because, Some(Trouble::Ambiguous { .. }));
            if let Some(which_day) = days::question(request) {
                let remarks = remarks(request).into_iter().map(|remark| format!("{remark}\n"));
                return remarks.chain(days::compared(request)).chain([which_day]).collect();
            }
            let question = asks.then(|| question(*slot, request));
            let more = again(*slot, request);
            let days = days::compared(request).into_iter().map(|sentence| sentence.trim_end().to_owned());
            join(remarks(request).into_iter().chain(trouble).chain(costs).chain(days).chain(question).chain(more))
        }
        Action::SearchFlights { query, skip } => found(query, *skip, request),
        Action::ShowOffer { rank } => match request.offers.first() {
            Some(offer) => {
                let buys = wants_to_buy(&request.question.0).then(|| questions::answer(Topic::Booking, Some(*rank), request));
                let booking = buys.flatten().map(|sentence| format!(" {sentence}"));
                offers::details(offer).into_iter().chain(booking).collect()
            }
            None => vec![format!("I have no offer number {rank} to show. Ask me to search again?")],
        },
        Action::Book { rank, query } => booking::words(*rank, query, request),
        Action::LookUp { topic, then_ask, .. } if is_loading(request) && topics::answer(*topic).is_none() => {
            join([LOADING.to_owned()].into_iter().chain(then_ask.map(|slot| question(slot, request))))
        }
        Action::Answer { topic, rank, then_ask } | Action::LookUp { topic, rank, then_ask } => {
            let answer = questions::answer(*topic, *rank, request);
            let near = (!request.suggestions.is_empty())
                .then(|| format!("Near by: {}", suggested(&request.suggestions, request)));
            join(answer.into_iter().chain(near).chain(then_ask.map(|slot| question(slot, request))))
        }
        Action::Cancel => {
            vec!["All right, I have dropped that journey. Where would you like to go instead?".to_owned()]
        }
        Action::StartOver => vec!["Let's begin again. Where would you like to fly, from where, and when?".to_owned()],
        Action::Handoff if request.hand_offs_are_read => vec![
            "I have marked this conversation for a person to take over. ".to_owned(),
            "What you told me so far stays with it.".to_owned(),
        ],
        Action::Handoff => vec![
            "No person reads along here, so I can't hand this over. ".to_owned(),
            match request.session.slots.destination {
                Some(_) => "The airline or the agency that sells a ticket has people for its own bookings.".to_owned(),
                None => "For a person, turn to whoever looks after this in your life: a doctor or clinic, a helpline, the support \
                         in an app that you opened yourself; for a flight, the airline."
                    .to_owned(),
            },
        ],
        // `chat` writes these itself, before any step is asked: this is for what it may ask in another release.
        Action::Crisis | Action::FirstAid => {
            vec!["If you or somebody near you is in danger, please call your local emergency number now.".to_owned()]
        }
        Action::Retrieve | Action::Other => questions::answer(Topic::Other, None, request).into_iter().collect(),
    }
}

/// "Book the cheapest" shows that one, and says where it is booked.
fn wants_to_buy(message: &str) -> bool {
    let words = message.split(|sign: char| !sign.is_alphabetic());
    words
        .into_iter()
        .any(|word| ["book", "buy", "purchase", "reserve", "pay"].iter().any(|verb| word.eq_ignore_ascii_case(verb)))
}

/// What is said the second and the third time that the same is asked, or that nothing was understood.
fn again(slot: Slot, request: &ReplyRequest) -> Option<String> {
    let example = match slot {
        Slot::Origin => "A city or an airport is enough, like “from Lahore” or “LHE”.",
        Slot::Destination => "Two cities and a day are enough, like “Lahore to Dubai on 5 December”.",
        Slot::DepartureDate => "A day is enough, like “5 December”, “next Friday” or “in two weeks”.",
        Slot::ReturnDate => "A day is enough, like “12 December” or “a week later”; or say “one way”.",
        Slot::Passengers => "Say it like “2 adults and a child”.",
        Slot::Other => "You can say “nonstop”, “a day later”, “under 300 dollars” or “the second one”.",
    };
    match request.session.repeats {
        0 => None,
        1 if request.session.asked.is_none() && slot != Slot::Other => None,
        1 => Some(example.to_owned()),
        _ => Some(format!("{example} Or choose: “start over”, “what can you do?”, or “a person, please”.")),
    }
}

/// Sentences with a space between them, each a bit of its own.
fn join(sentences: impl Iterator<Item = String>) -> Vec<String> {
    let mut bits: Vec<String> = sentences.collect();
    let last = bits.len().saturating_sub(1);
    bits.iter_mut().take(last).for_each(|bit| bit.push(' '));
    bits
}

/// The question for what is missing.
pub(crate) fn question(slot: Slot, request: &ReplyRequest) -> String {
    let slots = &request.session.slots;
    if let Some((number, leg)) = slots.open_leg().filter(|_| !matches!(slot, Slot::Passengers | Slot::Other)) {
        return question_of_leg(number, leg);
    }
    match (slot, &slots.origin, &slots.destination) {
        (Slot::Origin, _, Some(to)) => format!("Where would you like to fly to {} from?", to.name),
        (Slot::Origin, _, None) => "Where will you start from?".to_owned(),
        (Slot::Destination, Some(from), _) => format!("Where would you like to fly from {}?", from.name),
        (Slot::Destination, None, _) => "Where would you like to fly, and from where?".to_owned(),
        (Slot::DepartureDate | Slot::ReturnDate, ..) if month(slot, request).is_some() => {
            let month = month(slot, request).unwrap_or_default();
            let back = if slot == Slot::ReturnDate { "come back" } else { "leave" };
            format!("Which day in {month} would you like to {back}?")
        }
        (Slot::DepartureDate, Some(from), Some(to)) => {
            format!("When would you like to fly from {} to {}?", from.name, to.name)
        }
        (Slot::DepartureDate, ..) => "Which day would you like to leave?".to_owned(),
        (Slot::ReturnDate, _, Some(to)) => format!("Which day would you like to come back from {}?", to.name),
        (Slot::ReturnDate, ..) => "Which day would you like to come back?".to_owned(),
        (Slot::Passengers, ..) => "How many of you are travelling?".to_owned(),
        (Slot::Other, ..) => "What would you like to change?".to_owned(),
    }
}

/// The question for what is missing of one flight of a journey over several cities.
fn question_of_leg(number: usize, leg: &Leg) -> String {
    const NUMBERS: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
    let which = NUMBERS.get(number).unwrap_or(&"next");
    match (&leg.origin, &leg.destination) {
        (Some(from), Some(to)) => {
            format!("When would you like to fly from {} to {}, the {which} leg?", from.name, to.name)
        }
        (Some(from), None) => format!("Where would you like to fly from {}, on the {which} leg?", from.name),
        (None, Some(to)) => format!("Where does the {which} leg, to {}, start?", to.name),
        (None, None) => format!("From where to where is the {which} leg?"),
    }
}

/// The month that was named for a day that is asked for.
fn month(slot: Slot, request: &ReplyRequest) -> Option<String> {
    let named = request.session.month.filter(|named| named.slot == slot)?;
    Some(named.first.strftime("%B").to_string())
}

fn explain(trouble: &Trouble, request: &ReplyRequest) -> String {
    match trouble {
        Trouble::Ambiguous { name, choices, near: true, .. } => {
            format!("{name} has no airport with many flights; near it are {}. Which one?", listed(choices).join(", "))
        }
        Trouble::Ambiguous { name, choices, region: true, .. } if is_wish(name) => {
            let name: String = name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect();
            format!("{name}: how about {}, or another place?", one_of(choices))
        }
        Trouble::Ambiguous { name, choices, region: true, .. } => {
            format!("Which city in {name} would it be: {}, or another one?", listed(choices).join(", "))
        }
        Trouble::Ambiguous { name, choices, .. } => {
            format!("There is more than one {name}. Do you mean {}?", one_of(choices))
        }
        Trouble::PastDate { date } => format!("{} has passed already.", day(*date, request)),
        Trouble::NoSuchDate => "There is no such day in the calendar.".to_owned(),
        Trouble::TooFarAhead { date, latest } => format!(
            "{} is too far ahead: airlines sell seats until about {}.",
            day(*date, request),
            day(*latest, request)
        ),
        Trouble::ReturnBeforeDeparture { departure, back } => {
            format!("You can't come back on {} when you leave on {}.", day(*back, request), day(*departure, request))
        }
        Trouble::LegBeforeLast { last, date } => {
            format!("{} is before the flight that goes before it, on {}.", day(*date, request), day(*last, request))
        }
        Trouble::SamePlace { place } => format!("{} can't be both where you start and where you go.", place.name),
        Trouble::TooManyPassengers { most } => {
            format!("I can search for at most {most} travellers at once; larger groups book with the airline.")
        }
        Trouble::TooFewAdults => "Children need an adult with them, and each infant a lap of its own.".to_owned(),
        Trouble::UnknownPlace => "I don't know that place, or it has no airport that I know of.".to_owned(),
        Trouble::NotUnderstood | Trouble::Other => "I'm sorry, I didn't get that.".to_owned(),
    }
}

/// "Somewhere warm" is no name of a country.
fn is_wish(name: &str) -> bool {
    name.split(' ').next().is_some_and(|first| {
        ["somewhere", "anywhere", "someplace", "a"].iter().any(|word| first.eq_ignore_ascii_case(word))
    })
}

/// "Lisbon (LIS) from USD 98.00, Porto (OPO) from USD 110.00 (on Friday 15 January)."
fn suggested(suggestions: &[Suggestion], request: &ReplyRequest) -> String {
    let costs: Vec<String> = suggestions
        .iter()
        .map(|suggestion| format!("{} ({}) from {}", suggestion.place.name, suggestion.place.iata, suggestion.from))
        .collect();
    let on = suggestions.first().map(|suggestion| format!(", on {}", day(suggestion.date, request)));
    format!("{}{}.", costs.join(", "), on.unwrap_or_default())
}

fn listed(places: &[Place]) -> Vec<String> {
    places.iter().map(|place| format!("{} ({})", place.name, place.iata)).collect()
}

/// "Paris, Rome or Oslo".
fn one_of(places: &[Place]) -> String {
    match listed(places).split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn found(query: &FlightQuery, skip: usize, request: &ReplyRequest) -> Vec<String> {
    let journey = journey(query, request);
    let missing = missing(&request.degraded);
    if request.offers.is_empty() {
        let remarks = remarks(request).into_iter().map(|remark| format!("{remark} "));
        let near = (!request.suggestions.is_empty())
            .then(|| format!(" Airports near by: {}", suggested(&request.suggestions, request)));
        let days = days::compared(request);
        let days = ["\n".to_owned()].into_iter().filter(|_| !days.is_empty()).chain(days.clone());
        return remarks.chain(none_found(&journey, skip, query, missing)).chain(near).chain(days).collect();
    }
    let mut bits: Vec<String> = remarks(request).into_iter().map(|remark| format!("{remark}\n")).collect();
    bits.push(match (request.offers.len() + request.more + skip, skip) {
        (1, _) => format!("I found one flight {journey}.\n"),
        (count, 0) => {
            format!("I found {count} flights {journey}. The best for you, counting price, time, stops and changes:\n")
        }
        (count, _) => format!("More of the {count} flights {journey}:\n"),
    });
    bits.extend(request.offers.iter().take(3).map(|offer| {
        let line = offers::line(offer);
        match offer.outside_times {
            true => format!("{} – outside the times you asked for\n", line.trim_end()),
            false => line,
        }
    }));
    bits.extend(faster_nonstop(&request.offers).map(|sentence| format!("{sentence}\n")));
    bits.extend(days::compared(request));
    if request.offers.iter().any(|offer| offer.sample) {
        bits.push(
            "These are sample flights, worked out from real airports and distances; they are not for sale. ".to_owned(),
        );
    }
    bits.extend(missing.map(|sentence| format!("{sentence} ")));
    bits.push(match request.more {
        0 => "Ask about any of them, or change anything: the day, the cabin, the airline.".to_owned(),
        more => format!("Ask about any of them, change anything, or let me show {more} more."),
    });
    bits
}

/// A nonstop that costs little more than the long way round that stands first.
fn faster_nonstop(offers: &[Offer]) -> Option<String> {
    const LEAST_SAVED: u32 = 60;
    let minutes = |offer: &Offer| offer.itineraries.iter().map(|way| way.duration_minutes).sum::<u32>();
    let first = offers.first().filter(|first| first.stops > 0)?;
    let nonstop = offers.iter().filter(|offer| offer.stops == 0).min_by_key(|offer| offer.total_price.minor)?;
    let more = nonstop.total_price.minor.checked_sub(first.total_price.minor).filter(|more| *more > 0)?;
    let saved = minutes(first).checked_sub(minutes(nonstop)).filter(|saved| *saved >= LEAST_SAVED)?;
    let comparable = nonstop.total_price.currency == first.total_price.currency && !nonstop.outside_times;
    // Little is at most half the price again.
    (comparable && more <= first.total_price.minor / 2).then(|| {
        let more = Money { minor: more, ..nonstop.total_price };
        format!("Offer {} is nonstop: {} faster for {more} more.", nonstop.rank, duration(saved))
    })
}

fn none_found(journey: &str, skip: usize, query: &FlightQuery, missing: Option<String>) -> Vec<String> {
    if let Some(missing) = missing {
        let sorry = format!("I'm sorry, I could not find flights {journey} right now. {missing} ");
        return vec![sorry, "I kept what you told me: ask me again in a moment.".to_owned()];
    }
    if skip > 0 {
        return vec![format!("That was everything I found {journey}. Shall I try another day?")];
    }
    let mut looser: Vec<&str> = Vec::new();
    if query.max_price.is_some() {
        looser.push("a higher price");
    }
    if query.max_stops.is_some() {
        looser.push("more stops");
    }
    if !query.airlines.is_empty() || !query.without_airlines.is_empty() {
        looser.push("any airline");
    }
    if !query.limits.is_empty() {
        looser.push("fewer limits on the way");
    }
    looser.push("another day");
    vec![format!("I found no flights {journey}."), format!(" Would {} do?", looser.join(", or "))]
}

/// Which providers are missing, and what that means for the answer.
fn missing(degraded: &[Degraded]) -> Option<String> {
    let parts: Vec<&str> = degraded
        .iter()
        .filter(|missing| missing.reason != "mixed_currencies" && missing.part != "days")
        .map(|missing| if missing.part == "flights" { "the flight search" } else { missing.part.as_str() })
        .collect();
    let mixed = degraded.iter().any(|missing| missing.reason == "mixed_currencies");
    let away =
        (!parts.is_empty()).then(|| format!("No answer came from {}, so offers may be missing.", parts.join(" and ")));
    let mixed = mixed.then(|| "Some prices are in another currency; those are listed apart, not compared.".to_owned());
    match (away, mixed) {
        (Some(away), Some(mixed)) => Some(format!("{away} {mixed}")),
        (away, mixed) => away.or(mixed),
    }
}

/// "from Lahore to Dubai on Friday 27 November, back on Friday 4 December, for 2 adults in business".
pub(crate) fn journey(query: &FlightQuery, request: &ReplyRequest) -> String {
    let mut text = format!("from {} to {}", query.origin.name, query.destination.name);
    if !query.onward.is_empty() {
        text.insert_str(0, &format!("in {} legs, ", query.onward.len() + 1));
    }
    text.push_str(&format!(" on {}", day(query.departure_date, request)));
    for way in &query.onward {
        text.push_str(&format!(", {} to {} on {}", way.origin.name, way.destination.name, day(way.date, request)));
    }
    if let Some(back) = query.return_date {
        text.push_str(&format!(", back on {}", day(back, request)));
    }
    text.push_str(&format!(", for {}", travellers(&query.passengers)));
    if let Some(cabin) = query.cabin {
        text.push_str(&format!(" in {}", cabin_name(cabin)));
    }
    let named =
        |airlines: &[Airline]| airlines.iter().map(|airline| airline.name.as_str()).collect::<Vec<_>>().join(" or ");
    if !query.airlines.is_empty() {
        text.push_str(&format!(", with {}", named(&query.airlines)));
    }
    if !query.without_airlines.is_empty() {
        text.push_str(&format!(", not with {}", named(&query.without_airlines)));
    }
    if let Some(most) = query.max_price {
        text.push_str(&format!(", up to {most}"));
    }
    text.push_str(&limits::limits(&query.limits));
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn offer(rank: u32, price: &str, minutes: u32, stops: u32) -> Offer {
        serde_json::from_value(json!({
            "id": rank.to_string(), "provider": "sample", "sample": true,
            "total_price": {"amount": price, "currency": "USD"}, "price_per_traveller": {"amount": price, "currency": "USD"},
            "itineraries": [{"duration_minutes": minutes, "segments": []}], "stops": stops, "airline_changes": 0,
            "cost": {"total": 0.0, "terms": []}, "rank": rank, "dominated": false,
        }))
        .unwrap()
    }

    #[test]
    fn a_nonstop_that_costs_little_more_is_named_beside_a_long_way_round() {
        let long = offer(1, "300.00", 600, 1);
        let said = |offers: &[Offer]| faster_nonstop(offers);
        assert_eq!(
            said(&[long.clone(), offer(2, "410.00", 440, 0)]).as_deref(),
            Some("Offer 2 is nonstop: 2 h 40 min faster for USD 110.00 more.")
        );
        for other in [offer(2, "451.00", 440, 0), offer(2, "410.00", 541, 0), offer(2, "410.00", 440, 1)] {
            assert_eq!(said(&[long.clone(), other]), None);
        }
        assert_eq!(said(&[offer(1, "300.00", 440, 0), offer(2, "310.00", 300, 0)]), None);
        assert_eq!(said(&[]), None);
    }

    #[test]
    fn a_wish_to_buy_is_told_from_a_look() {
        assert!(wants_to_buy("ok, BOOK the cheapest") && wants_to_buy("how do I pay?"));
        assert!(!wants_to_buy("show the second one"));
    }
}
