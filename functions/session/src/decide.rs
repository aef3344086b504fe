//! Decides what is done next: a pure function from the session, what was said and what came of merging it.

use std::cmp::Reverse;

use contracts::dialogue::{Act, Action, Pick, Session, Slot, Topic, Trouble, Understanding};
use contracts::travel::{FlightQuery, Itinerary, Offer, Passengers, Trip, Way};

use crate::booking;
use crate::fares;
use crate::merge::{Merged, unclear_of};

/// The next action, and what of the session goes with it: what is asked, which offer is spoken of.
pub fn decide(session: &mut Session, said: &Understanding, merged: &Merged) -> Action {
    // A number that no offer bears counts those that are shown.
    let shown_at = |count: &u32| {
        let at = usize::try_from(*count).ok()?.checked_sub(1)?;
        shown_as(session, *count).or_else(|| session.shown.get(at)).map(|offer| offer.rank)
    };
    let compared: Vec<u32> = said.compare.iter().map(|count| shown_at(count).unwrap_or(*count)).collect();
    session.compared = compared;
    let action = choose(session, said, merged);
    session.asked = match &action {
        Action::Ask { slot, .. } => Some(*slot),
        Action::Answer { then_ask, .. } | Action::LookUp { then_ask, .. } => *then_ask,
        _ => None,
    };
    match &action {
        // What was shown belongs to another journey from now on.
        Action::SearchFlights { skip: 0, .. } => {
            session.shown.clear();
            session.focus = None;
        }
        Action::ShowOffer { rank }
        | Action::Book { rank, .. }
        | Action::Answer { rank: Some(rank), .. }
        | Action::LookUp { rank: Some(rank), .. } => {
            session.focus = shown_as(session, *rank).map(|offer| offer.rank).or(session.focus);
        }
        _ => {}
    }
    action
}

fn choose(session: &Session, said: &Understanding, merged: &Merged) -> Action {
    if let Some((slot, trouble)) = merged.trouble.clone().or_else(|| unclear_of(session)) {
        return Action::Ask { slot, because: Some(trouble) };
    }
    let missing = missing(session);
    // "Which day is cheapest?" is about days as soon as a journey is known.
    let compares = said.flexible.is_some() && !matches!(missing, Some(Slot::Origin | Slot::Destination));
    if let Some(action) = about_offers(session, said, merged).filter(|_| !compares) {
        return action;
    }
    let of_booking = |topic: &Topic| *topic == Topic::Booking || is_courtesy(*topic) || topic.is_social();
    if booking::is_wanted(said)
        && said.questions.iter().all(of_booking)
        && !merged.changed
        && !compares
        && !session.shown.is_empty()
    {
        return book(session, picked(session, said).or(session.focus));
    }
    // "I want a window seat on a flight to …" wants a flight, and says so of the seat.
    let wants = missing.is_some()
        && wants_search(said)
        && !is_question(said)
        && said.words.0.first().is_some_and(|first| {
            matches!(first.as_str(), "i" | "we" | "need" | "want" | "looking" | "book" | "find" | "get")
        });
    let said_along = |topic: &Topic| wants && topic.is_service() || is_courtesy(*topic) || topic.is_social();
    let asked = |topic: &Topic| !merged.changed && !compares && !said_along(topic);
    if let Some(topic) = said.questions.iter().copied().find(asked) {
        let rank = picked(session, said).or(session.focus);
        let then_ask = missing.filter(|_| session.asked.is_some() || merged.informed);
        return answer(session, said, topic, rank, then_ask);
    }
    let social = said.questions.iter().copied().find(|topic| topic.is_social() && !is_courtesy(*topic));
    if let Some(topic) = social.filter(|_| !merged.informed && !wants_search(said)) {
        return Action::Answer { topic, rank: None, then_ask: missing.filter(|_| session.asked.is_some()) };
    }
    if let Some(slot) = missing {
        return ask(session, said, merged, slot);
    }
    let fresh = session.shown.is_empty();
    let searches = merged.changed || said.acts.contains(&Act::Alternatives) || fresh && !is_closing(said);
    if searches && let Some(query) = query(session) {
        let alternatives = said.acts.contains(&Act::Alternatives) && !merged.changed;
        let skip = if alternatives { last_rank(session) } else { 0 };
        return Action::SearchFlights { query: Box::new(query), skip };
    }
    after_offers(session, said, merged)
}

/// The message asks for flights, or for others.
fn wants_search(said: &Understanding) -> bool {
    said.acts.contains(&Act::Search) || said.acts.contains(&Act::Alternatives)
}

/// Asks for what is missing, or answers a courtesy first.
fn ask(session: &Session, said: &Understanding, merged: &Merged, slot: Slot) -> Action {
    if merged.informed {
        return Action::Ask { slot, because: None };
    }
    let courtesy = said.questions.iter().copied().rev().find(|topic| is_courtesy(*topic));
    let begins = wants_search(said);
    match courtesy {
        Some(topic @ (Topic::Goodbye | Topic::Thanks)) => Action::Answer { topic, rank: None, then_ask: None },
        Some(topic) if !begins => Action::Answer { topic, rank: None, then_ask: Some(slot) },
        _ if begins || said.acts.contains(&Act::StartOver) => Action::Ask { slot, because: None },
        _ if session.asked.is_none() && said.words.0.is_empty() => Action::Ask { slot, because: None },
        _ if said.pick.is_some() && session.shown.is_empty() => Action::Ask { slot, because: None },
        // A name where a place was asked for: it is in no list of ours.
        _ if is_name(session, said) => {
            Action::Ask { slot: session.asked.unwrap_or(slot), because: Some(Trouble::UnknownPlace) }
        }
        _ if said.acts.contains(&Act::Affirm) => Action::Ask { slot, because: None },
        _ if is_question(said) => Action::LookUp { topic: Topic::Other, rank: None, then_ask: Some(slot) },
        _ => Action::Ask { slot, because: Some(Trouble::NotUnderstood) },
    }
}

fn is_name(session: &Session, said: &Understanding) -> bool {
    matches!(session.asked, Some(Slot::Origin | Slot::Destination))
        && said.acts.is_empty()
        && (1..=4).contains(&said.words.0.len())
}

/// An offer pointed at, or a question about one.
fn about_offers(session: &Session, said: &Understanding, merged: &Merged) -> Option<Action> {
    if session.shown.is_empty() || merged.changed {
        return None;
    }
    if let [one, other] = session.compared.as_slice()
        && shown_as(session, *one).or(shown_as(session, *other)).is_some()
    {
        return Some(Action::Answer { topic: Topic::Compare, rank: Some(*one), then_ask: None });
    }
    let rank = match (picked(session, said), &said.pick) {
        // "Is the cheapest the same day?" asks about it; "earliest" beside a time is a wish.
        (Some(_), _)
            if said.times.iter().any(|time| time.shift.is_none())
                || !said.dates.is_empty() && !matches!(said.pick, Some(Pick::Nth(_))) =>
        {
            return None;
        }
        (Some(rank), _) => rank,
        // There is no such offer, which is said.
        (None, Some(Pick::Nth(count))) => return Some(Action::ShowOffer { rank: *count }),
        (None, _) => return None,
    };
    match said.questions.iter().copied().find(|topic| !is_courtesy(*topic) && !topic.is_social()) {
        None | Some(Topic::Booking | Topic::Other) if booking::is_wanted(said) => Some(book(session, Some(rank))),
        Some(topic) if topic != Topic::Other => Some(answer(session, said, topic, Some(rank), None)),
        _ => Some(Action::ShowOffer { rank }),
    }
}

/// The offer that is meant, or the only one there is, is to be booked; of several, it is asked which.
fn book(session: &Session, rank: Option<u32>) -> Action {
    let only = || if let [only] = session.shown.as_slice() { Some(only.rank) } else { None };
    let rank = rank.or_else(only).filter(|rank| shown_as(session, *rank).is_some());
    match (rank, query(session)) {
        (Some(rank), Some(query)) => Action::Book { rank, query: Box::new(query) },
        _ => Action::Answer { topic: Topic::Booking, rank: None, then_ask: None },
    }
}

/// What is asked is told by rule, or looked up where no offer and no rule knows it.
fn answer(session: &Session, said: &Understanding, topic: Topic, rank: Option<u32>, then_ask: Option<Slot>) -> Action {
    if fares::is_told(session, said, topic, rank) {
        // Of all that are shown, unless one of them is meant.
        return Action::Answer { topic, rank, then_ask };
    }
    let rank = rank.or_else(|| first_rank(session));
    let by_rule = match topic {
        Topic::Other => false,
        topic if topic.is_service() => false,
        Topic::Price
        | Topic::Departure
        | Topic::Arrival
        | Topic::Duration
        | Topic::Stops
        | Topic::Airline
        | Topic::Airports
        | Topic::Total => !session.shown.is_empty(),
        _ => true,
    };
    if by_rule { Action::Answer { topic, rank, then_ask } } else { Action::LookUp { topic, rank, then_ask } }
}

/// Nothing of a journey was read from it, and it begins as questions do.
fn is_question(said: &Understanding) -> bool {
    const BEGINNINGS: [&str; 23] = [
        "what", "whats", "which", "when", "where", "who", "why", "how", "is", "are", "am", "do", "does", "did", "can",
        "could", "may", "must", "should", "will", "would", "shall", "has",
    ];
    said.acts.is_empty() && said.words.0.first().is_some_and(|first| BEGINNINGS.contains(&first.as_str()))
}

fn is_courtesy(topic: Topic) -> bool {
    matches!(topic, Topic::Greeting | Topic::Thanks | Topic::Goodbye)
}

fn is_closing(said: &Understanding) -> bool {
    said.questions.iter().any(|topic| matches!(topic, Topic::Thanks | Topic::Goodbye))
}

/// All is known, offers were shown, and nothing of the journey has changed.
fn after_offers(session: &Session, said: &Understanding, merged: &Merged) -> Action {
    let answer = |topic| Action::Answer { topic, rank: session.focus.or_else(|| first_rank(session)), then_ask: None };
    if let Some(topic) = said.questions.iter().copied().rev().find(|topic| is_courtesy(*topic)) {
        return Action::Answer { topic, rank: None, then_ask: None };
    }
    if (merged.informed || said.acts.contains(&Act::Search))
        && let Some(query) = query(session)
    {
        return Action::SearchFlights { query: Box::new(query), skip: 0 };
    }
    if said.acts.contains(&Act::Affirm) {
        return answer(if buys(said) { Topic::Booking } else { Topic::Praise });
    }
    if said.acts.contains(&Act::Negate) {
        return Action::Ask { slot: Slot::Other, because: None };
    }
    if is_question(said) {
        return Action::LookUp { topic: Topic::Other, rank: None, then_ask: None };
    }
    Action::Ask { slot: Slot::Other, because: Some(Trouble::NotUnderstood) }
}

/// "Perfect, I'll take it" wants to buy; "ok" alone agrees.
fn buys(said: &Understanding) -> bool {
    const WORDS: [&str; 9] = ["book", "buy", "pay", "purchase", "reserve", "perfect", "great", "take", "confirm"];
    said.words.0.iter().any(|word| WORDS.contains(&word.as_str()))
}

/// What a search still needs, in the order it is asked.
fn missing(session: &Session) -> Option<Slot> {
    let slots = &session.slots;
    if let Some((_, leg)) = slots.open_leg() {
        return Some(match (&leg.origin, &leg.destination) {
            (_, None) => Slot::Destination,
            (None, _) => Slot::Origin,
            (Some(_), Some(_)) => Slot::DepartureDate,
        });
    }
    if slots.destination.is_none() {
        Some(Slot::Destination)
    } else if slots.origin.is_none() {
        Some(Slot::Origin)
    } else if slots.departure_date.is_none() {
        Some(Slot::DepartureDate)
    } else if slots.trip == Some(Trip::RoundTrip) && slots.return_date.is_none() {
        Some(Slot::ReturnDate)
    } else {
        None
    }
}

fn query(session: &Session) -> Option<FlightQuery> {
    let slots = session.slots.clone();
    let return_date = slots.return_date.filter(|_| slots.trip != Some(Trip::OneWay));
    let onward = slots
        .legs
        .into_iter()
        .skip(1)
        .map(|leg| Some(Way { origin: leg.origin?, destination: leg.destination?, date: leg.date? }));
    Some(FlightQuery {
        onward: onward.collect::<Option<_>>()?,
        origin: slots.origin?,
        destination: slots.destination?,
        departure_date: slots.departure_date?,
        return_date,
        passengers: slots.passengers.unwrap_or(Passengers::ONE),
        cabin: slots.cabin,
        airlines: slots.airlines,
        without_airlines: slots.without_airlines,
        max_stops: slots.max_stops,
        max_price: slots.max_price,
        departure_time: slots.departure_time,
        return_time: slots.return_time.filter(|_| return_date.is_some()),
        limits: slots.limits,
        compares_days: false,
    })
}

fn first_rank(session: &Session) -> Option<u32> {
    session.shown.first().map(|offer| offer.rank)
}

/// How many ranked offers were shown so far.
fn last_rank(session: &Session) -> usize {
    session.shown.iter().map(|offer| offer.rank).max().and_then(|rank| usize::try_from(rank).ok()).unwrap_or(0)
}

fn shown_as(session: &Session, rank: u32) -> Option<&Offer> {
    session.shown.iter().find(|offer| offer.rank == rank)
}

/// The cheapest of the offers that are shown in one currency: the limit's, else the one that most of them are in.
/// Amounts in different currencies cannot be compared.
fn cheapest(session: &Session) -> Option<&Offer> {
    let shown = &session.shown;
    let of = |currency| shown.iter().filter(move |offer| offer.total_price.currency == currency);
    let limit = session.slots.max_price.map(|limit| limit.currency).filter(|currency| of(*currency).next().is_some());
    let most = || {
        // Of as many, the currency of the better offer.
        let best = shown.iter().max_by_key(|offer| (of(offer.total_price.currency).count(), Reverse(offer.rank)));
        best.map(|offer| offer.total_price.currency)
    };
    of(limit.or_else(most)?).min_by_key(|offer| (offer.total_price.minor, offer.rank))
}

/// The rank of the offer that is meant.
fn picked(session: &Session, said: &Understanding) -> Option<u32> {
    let shown = &session.shown;
    let departs = |offer: &Offer| {
        offer.itineraries.first().and_then(|way| way.segments.first()).map(|segment| segment.departs_at)
    };
    let arrives =
        |offer: &Offer| offer.itineraries.first().and_then(|way| way.segments.last()).map(|segment| segment.arrives_at);
    let waits = |offer: &Offer| {
        let flown = |way: &Itinerary| way.segments.iter().map(|segment| segment.duration_minutes).sum::<u32>();
        offer.itineraries.iter().map(|way| way.duration_minutes.saturating_sub(flown(way))).sum::<u32>()
    };
    let minutes = |offer: &Offer| offer.itineraries.iter().map(|way| way.duration_minutes).sum::<u32>();
    let offer = match said.pick.as_ref()? {
        // A number that no offer bears counts those that are shown.
        Pick::Nth(count) => shown_as(session, *count).or_else(|| {
            let at = usize::try_from(*count).ok()?.checked_sub(1)?;
            shown.get(at)
        }),
        Pick::Last => shown.last(),
        Pick::Cheapest => cheapest(session),
        Pick::Fastest => shown.iter().min_by_key(|offer| (minutes(offer), offer.rank)),
        Pick::Earliest => shown.iter().min_by_key(|offer| (departs(offer), offer.rank)),
        Pick::Latest => shown.iter().max_by_key(|offer| (departs(offer), Reverse(offer.rank))),
        Pick::FirstToArrive => shown.iter().min_by_key(|offer| (arrives(offer), offer.rank)),
        Pick::ShortestWait => shown.iter().min_by_key(|offer| (waits(offer), offer.rank)),
        Pick::Dearest => shown.iter().max_by_key(|offer| (offer.total_price.minor, Reverse(offer.rank))),
        Pick::FewestStops => shown.iter().min_by_key(|offer| (offer.stops, offer.rank)),
        Pick::By(airline) => shown.iter().find(|offer| {
            offer.itineraries.iter().flat_map(|way| &way.segments).any(|segment| segment.carrier.iata == airline.iata)
        }),
        Pick::That => session.focus.map_or(shown.first(), |rank| shown_as(session, rank)),
        Pick::Other => None,
    };
    offer.map(|offer| offer.rank)
}
