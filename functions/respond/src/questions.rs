//! Answers to what is asked in between.

use contracts::api::ReplyRequest;
use contracts::dialogue::Topic;
use contracts::travel::{Itinerary, Offer, Place};

use crate::fare;
use crate::offers::{moment, price, stops, terms};
use crate::phrases::{cabin_name, day, duration, travellers};
use crate::topics;

/// The answer, if there is one beyond the question that follows it.
pub(crate) fn answer(topic: Topic, rank: Option<u32>, request: &ReplyRequest) -> Option<String> {
    if let Some(told) = of_fares(topic, rank, &request.session.shown) {
        return Some(told);
    }
    let text = match topic {
        Topic::Greeting => "Hello! I find flights and rank them for you.".to_owned(),
        Topic::Thanks => "You're welcome!".to_owned(),
        Topic::Goodbye => "Have a good journey!".to_owned(),
        Topic::Help => "Tell me where from, where to and when, in one sentence or bit by bit; also who travels, the cabin, \
                        airlines, stops, a price limit or times of day. I search and rank the flights; you can ask about \
                        any of them, change anything, or start over."
            .to_owned(),
        Topic::Ranking => ranking(rank, request),
        Topic::Sources => sources(request),
        Topic::Booking => booking(request),
        Topic::Terms => "Bags, changes and refunds follow the airline's own terms for the fare; they stand on its site \
                         before you pay. I can't tell them from the offers I have."
            .to_owned(),
        Topic::Summary => summary(request),
        topic if topics::answer(topic).is_some() => of_topic(topic, request),
        Topic::Other => "I'm a travel agent: I find flights and rank them. That I can't help with.".to_owned(),
        about_an_offer => return Some(of_offer(about_an_offer, rank, request)),
    };
    Some(text)
}

/// What fares include and allow, of the offer that is meant or of all that were shown, where any of them tells it.
pub(crate) fn of_fares(topic: Topic, rank: Option<u32>, shown: &[Offer]) -> Option<String> {
    let meant = shown.iter().filter(|offer| rank.is_none_or(|rank| offer.rank == rank));
    fare::answer(topic, &meant.collect::<Vec<_>>())
}

/// What is said of a matter besides flights, with what is known of this journey.
fn of_topic(topic: Topic, request: &ReplyRequest) -> String {
    let said = topics::answer(topic).unwrap_or_default();
    let slots = &request.session.slots;
    if topic == Topic::NearestAirport {
        let near: Vec<String> = [&slots.origin, &slots.destination]
            .into_iter()
            .flatten()
            .map(|place| format!("{} ({})", place.name, place.iata))
            .collect();
        if !near.is_empty() {
            return format!("I search {}. Name another town or airport, and I take that instead.", near.join(" and "));
        }
    }
    said.to_owned()
}

fn of_offer(topic: Topic, rank: Option<u32>, request: &ReplyRequest) -> String {
    let shown = &request.session.shown;
    let offer = rank.and_then(|rank| shown.iter().find(|offer| offer.rank == rank)).or(shown.first());
    let Some(offer) = offer else {
        return match topic {
            Topic::Total => "I have no flights to add up yet; each search shows the total for all.".to_owned(),
            _ => "I have no flight to tell that of yet.".to_owned(),
        };
    };
    let ways = |say: &dyn Fn(&Itinerary) -> Option<String>| {
        let ways: Vec<String> = offer.itineraries.iter().filter_map(say).collect();
        ways.join("; on the way back ")
    };
    let said = match topic {
        Topic::Price => price(offer),
        Topic::Compare => return compare(request),
        Topic::Total => format!("{} in total for all", offer.total_price),
        Topic::Departure => ways(&|way| {
            let first = way.segments.first()?;
            Some(format!("it leaves {} at {}", first.origin.name, moment(&first.departs_at)))
        }),
        Topic::Arrival => ways(&|way| {
            let last = way.segments.last()?;
            Some(format!("it arrives in {} at {}", last.destination.name, moment(&last.arrives_at)))
        }),
        Topic::Duration => ways(&|way| Some(format!("it takes {}", duration(way.duration_minutes)))),
        Topic::Stops => ways(&|way| Some(stops_at(way))),
        Topic::Airline => airlines(offer),
        Topic::Airports => ways(&|way| {
            let (first, last) = (way.segments.first()?, way.segments.last()?);
            Some(format!(
                "from {} ({}) to {} ({})",
                first.origin.name, first.origin.iata, last.destination.name, last.destination.iata
            ))
        }),
        _ => terms(offer),
    };
    format!("Offer {}: {said}.", offer.rank)
}

/// Two offers side by side, and what sets them apart.
fn compare(request: &ReplyRequest) -> String {
    let shown = &request.session.shown;
    let offers: Vec<&Offer> =
        request.session.compared.iter().filter_map(|rank| shown.iter().find(|offer| offer.rank == *rank)).collect();
    let [one, other] = offers.as_slice() else {
        return "I can compare two of the offers that I showed; tell me their numbers.".to_owned();
    };
    let minutes = |offer: &Offer| offer.itineraries.iter().map(|way| way.duration_minutes).sum::<u32>();
    let line = |offer: &Offer| {
        format!("Offer {}: {}, {}, {}. ", offer.rank, price(offer), duration(minutes(offer)), stops(offer.stops))
    };
    let (cheaper, dearer) = if one.total_price.minor <= other.total_price.minor { (one, other) } else { (other, one) };
    let cost = if one.total_price.currency != other.total_price.currency {
        "The prices are in different currencies".to_owned()
    } else if cheaper.total_price == dearer.total_price {
        "They cost the same".to_owned()
    } else {
        let less = contracts::travel::Money {
            minor: dearer.total_price.minor - cheaper.total_price.minor,
            ..cheaper.total_price
        };
        format!("Offer {} is {less} cheaper", cheaper.rank)
    };
    let (faster, slower) = if minutes(one) <= minutes(other) { (one, other) } else { (other, one) };
    let time = match minutes(slower) - minutes(faster) {
        0 => "they take as long".to_owned(),
        less => format!("offer {} is {} faster", faster.rank, duration(less)),
    };
    format!("{}{}{cost}; {time}.", line(one), line(other))
}

fn stops_at(way: &Itinerary) -> String {
    let places: Vec<&str> = way.segments.iter().skip(1).map(|segment| segment.origin.name.as_str()).collect();
    let count = stops(way.stops());
    let flown: u32 = way.segments.iter().map(|segment| segment.duration_minutes).sum();
    match (places.is_empty(), way.duration_minutes.saturating_sub(flown)) {
        (true, _) => count,
        (false, 0) => format!("{count}, in {}", places.join(" and ")),
        (false, waits) => format!("{count}, in {}, with a wait of {}", places.join(" and "), duration(waits)),
    }
}

fn airlines(offer: &Offer) -> String {
    let mut names: Vec<&str> = Vec::new();
    for segment in offer.itineraries.iter().flat_map(|way| &way.segments) {
        if !names.contains(&segment.carrier.name.as_str()) {
            names.push(&segment.carrier.name);
        }
    }
    format!("it is sold by {}", names.join(" and "))
}

fn ranking(rank: Option<u32>, request: &ReplyRequest) -> String {
    let how = "I rank by what a journey costs you all in all: the price per traveller, plus 15 for each hour, 65 for each \
               stop, 10 for each change of airline, and 7 or 5.50 for each hour earlier or later than you wanted (in US \
               dollars' worth). The weights come from a survey of what travellers chose.";
    let shown = &request.session.shown;
    let example = rank.and_then(|rank| shown.iter().find(|offer| offer.rank == rank)).or(shown.first());
    example.map_or(how.to_owned(), |offer| format!("{how} Offer {}: {}", offer.rank, terms(offer)))
}

fn sources(request: &ReplyRequest) -> String {
    if request.session.shown.iter().any(|offer| !offer.sample) {
        return "The offers come from the flight providers this service is connected to; each offer names its own."
            .to_owned();
    }
    "Without a provider's key I show sample flights: real airports and distances, but worked out, not for sale. With a key, \
     the offers are the providers' own."
        .to_owned()
}

fn booking(request: &ReplyRequest) -> String {
    let how = "I find and compare flights; I don't sell them. Book the one you like with the airline or an agent, by its flight numbers.";
    if request.session.shown.is_empty() {
        return how.to_owned();
    }
    format!("{how} Name one, like “book the first”: I ask its price once more and say where to go on.")
}

fn summary(request: &ReplyRequest) -> String {
    let slots = &request.session.slots;
    if !slots.legs.is_empty() {
        let name = |place: &Option<Place>| place.as_ref().map_or("?", |place| place.name.as_str()).to_owned();
        let legs: Vec<String> = slots
            .legs
            .iter()
            .map(|leg| {
                let on = leg.date.map(|date| format!(" on {}", day(date, request)));
                format!("{} to {}{}", name(&leg.origin), name(&leg.destination), on.unwrap_or_default())
            })
            .collect();
        return format!("So far: {}.", legs.join(", "));
    }
    let known: Vec<String> = [
        slots.origin.as_ref().map(|place| format!("from {}", place.name)),
        slots.destination.as_ref().map(|place| format!("to {}", place.name)),
        slots.departure_date.map(|date| format!("out on {}", day(date, request))),
        slots.return_date.map(|date| format!("back on {}", day(date, request))),
        slots.passengers.as_ref().map(|passengers| format!("for {}", travellers(passengers))),
        slots.cabin.map(|cabin| format!("in {}", cabin_name(cabin))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if known.is_empty() {
        "I know nothing of your journey yet.".to_owned()
    } else {
        format!("So far: {}.", known.join(", "))
    }
}
