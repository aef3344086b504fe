//! Journeys over several cities: each flight with its ends and its day. The first of them is the route that is known.

use contracts::dialogue::{
    Act, DateExpr, DateMention, DateRole, LegSaid, PlaceMention, PlaceRole, Remark, Session, Slot, Trouble,
    Understanding,
};
use contracts::travel::{Leg, Place, Trip};
use jiff::ToSpan;
use jiff::civil::Date;

use super::Merged;
use crate::nearness::{is_airport_of, is_one_city};
use crate::resolve::{Calendar, resolve};

/// The most flights of a journey, as the providers sell them.
const MOST_LEGS: usize = 6;

/// Merges what is said of a journey over several cities. Whether all that was said of places and days is merged with it.
pub(super) fn merge(session: &mut Session, said: &Understanding, calendar: Calendar, merged: &mut Merged) -> bool {
    // A day that was good when it was said may have passed since.
    for leg in &mut session.slots.legs {
        leg.date = leg.date.filter(|date| *date >= calendar.today);
    }
    if next_leg(session, said) || back_from_there(session, said) {
        merged.informed = true;
        return true;
    }
    match said.legs.as_slice() {
        [] => return_elsewhere(session, said, calendar, merged) || go_on(session, said, calendar, merged),
        [only] => add(session, only, calendar, merged) || go_on(session, said, calendar, merged),
        several => {
            begin(session, several, calendar, merged);
            true
        }
    }
}

/// "Now the second" after "the first leg only": the flight that was left out.
fn next_leg(session: &mut Session, said: &Understanding) -> bool {
    let words = &said.words.0;
    let goes_on = words.iter().any(|word| matches!(word.as_str(), "now" | "leg" | "part" | "half" | "then" | "bit"))
        || words.first().is_some_and(|first| first == "and");
    if !goes_on || words.len() > 6 || !session.slots.legs.is_empty() || !said.places.is_empty() {
        return false;
    }
    let slots = &mut session.slots;
    let known = |leg: &&Leg| leg.origin == slots.origin && leg.destination == slots.destination;
    let Some(at) = session.planned.iter().position(|leg| known(&leg)) else { return false };
    let wanted = words.iter().find_map(|word| match word.as_str() {
        "first" | "1st" => Some(0),
        "second" | "2nd" => Some(1),
        "third" | "3rd" => Some(2),
        "fourth" | "4th" => Some(3),
        "next" | "other" => Some(at + 1),
        "last" | "final" => session.planned.len().checked_sub(1),
        _ => None,
    });
    let Some(leg) = wanted.and_then(|at| session.planned.get(at)).cloned() else { return false };
    (slots.origin, slots.destination, slots.departure_date) = (leg.origin, leg.destination, leg.date);
    (slots.return_date, slots.trip) = (None, None);
    true
}

/// "Ok, back from New York then" of a journey whose way home was to start elsewhere: there and back again.
fn back_from_there(session: &mut Session, said: &Understanding) -> bool {
    let ([only], [first, last]) = (said.legs.as_slice(), session.slots.legs.as_slice()) else { return false };
    let from = only.origin.as_ref().and_then(|mention| mention.candidates.first());
    let there = from.zip(first.destination.as_ref()).is_some_and(|(from, to)| is_one_city(from.iata, to.iata));
    let goes_home = last.destination == first.origin;
    if !(only.home && there && goes_home && only.date.is_none()) {
        return false;
    }
    collapse_home(session);
    true
}

/// A journey that is said at once.
fn begin(session: &mut Session, said: &[LegSaid], calendar: Calendar, merged: &mut Merged) {
    let known = session.slots.origin.take();
    session.slots.legs.clear();
    for leg in said {
        let last = session.slots.legs.last().and_then(|last| last.destination.clone());
        let first = session.slots.legs.is_empty();
        let origin = match &leg.origin {
            Some(mention) => place(session, mention),
            None if first => known.clone(),
            None => last,
        };
        push(session, leg, origin, calendar, merged);
    }
    settle(session);
    merged.informed = true;
}

/// "Then Rome to Bari on the 9th", "home from Nice": one flight more after those that are known; not the way back of the route.
fn add(session: &mut Session, leg: &LegSaid, calendar: Calendar, merged: &mut Merged) -> bool {
    let slots = &session.slots;
    let origin = leg.origin.as_ref().and_then(|mention| mention.candidates.first());
    let (Some(origin), Some(from), Some(to)) = (origin, &slots.origin, &slots.destination) else { return false };
    let destination = match (&leg.destination, leg.home) {
        (Some(mention), _) => mention.candidates.first().map(|place| place.iata),
        (None, true) => Some(from.iata),
        (None, false) => None,
    };
    let Some(destination) = destination else { return false };
    let over_several = !slots.legs.is_empty();
    let goes_back = origin.iata == to.iata && is_one_city(destination, from.iata);
    // Anew from where the journey starts is another journey; what leads home or goes on from its end belongs to it.
    let belongs = origin.iata == to.iata || is_one_city(destination, from.iata) && origin.iata != from.iata;
    let ends_at_origin =
        slots.legs.last().and_then(|last| last.destination.as_ref()).is_some_and(|end| end.iata == origin.iata);
    if slots.legs.len() >= MOST_LEGS
        || !over_several && (goes_back || !belongs)
        || over_several && !(belongs || ends_at_origin)
    {
        return false;
    }
    if !over_several {
        let first =
            Leg { origin: slots.origin.clone(), destination: slots.destination.clone(), date: slots.departure_date };
        session.slots.legs.push(first);
    }
    let origin = Some(origin.clone());
    push(session, leg, origin, calendar, merged);
    settle(session);
    merged.informed = true;
    true
}

/// "And back to Valencia on the 23rd" of a journey that starts in Barcelona: the way back is a flight of its own.
fn return_elsewhere(session: &mut Session, said: &Understanding, calendar: Calendar, merged: &mut Merged) -> bool {
    let slots = &session.slots;
    let [mention] = said.places.as_slice() else { return false };
    let (Some(from), Some(to), Some(end)) = (&slots.origin, &slots.destination, mention.candidates.first()) else {
        return false;
    };
    let back = |date: &&DateMention| date.role == DateRole::Return && !date.negated;
    let date = said.dates.iter().find(back).cloned();
    let known = slots.return_date;
    // "Coming back into Luton" of a journey from Gatwick; back to Heathrow is where a journey from London started.
    let other_airport =
        end.iata != from.iata && !is_airport_of(end.iata, from.iata) && !is_airport_of(from.iata, end.iata);
    let elsewhere = (!is_one_city(end.iata, from.iata) || other_airport) && !is_one_city(end.iata, to.iata);
    if !slots.legs.is_empty()
        || mention.role != PlaceRole::ReturnDestination
        || mention.negated
        || !elsewhere
        || date.is_none() && known.is_none()
    {
        return false;
    }
    let first =
        Leg { origin: slots.origin.clone(), destination: slots.destination.clone(), date: slots.departure_date };
    let origin = slots.destination.clone();
    session.slots.legs.push(first);
    let leg = LegSaid { destination: Some(mention.clone()), date, ..LegSaid::default() };
    push(session, &leg, origin, calendar, merged);
    if let Some(leg) = session.slots.legs.last_mut().filter(|leg| leg.date.is_none()) {
        leg.date = known;
    }
    settle(session);
    merged.informed = true;
    true
}

/// "The first leg only": the others are dropped.
fn keeps_first(said: &Understanding) -> bool {
    let words = &said.words.0;
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let asks = words
        .first()
        .is_some_and(|first| matches!(first.as_str(), "how" | "what" | "when" | "which" | "is" | "does" | "whats"));
    let first_leg = words.windows(2).any(|pair| {
        matches!(pair, [first, leg] if first == "first" && matches!(leg.as_str(), "leg" | "part" | "flight" | "bit" | "one" | "half"))
    });
    first_leg && !asks && (has(&["only", "just", "do", "search", "start", "begin", "ok", "okay", "first"]))
}

/// Adds a flight; a day before the one of the flight before is kept out and named.
fn push(session: &mut Session, leg: &LegSaid, origin: Option<Place>, calendar: Calendar, merged: &mut Merged) {
    let destination = match &leg.destination {
        Some(mention) => place(session, mention),
        None if leg.home => session.slots.legs.first().and_then(|first| first.origin.clone()),
        None => None,
    };
    session.slots.legs.push(Leg { origin, destination, date: None });
    let number = session.slots.legs.len() - 1;
    if let Some(date) = &leg.date {
        set_day(session, number, date, calendar, merged);
    }
}

/// The likeliest place of a name; which others it may be is told.
fn place(session: &mut Session, mention: &PlaceMention) -> Option<Place> {
    let (first, others) = mention.candidates.split_first()?;
    if mention.near || !others.is_empty() {
        let others = others.iter().take(2).cloned().collect();
        session.remarks.push(Remark::Nearest { name: mention.name.0.clone(), taken: first.clone(), others });
    }
    Some(first.clone())
}

/// Puts a day on the calendar, counted from the flight before.
fn set_day(session: &mut Session, number: usize, date: &DateMention, calendar: Calendar, merged: &mut Merged) {
    let legs = &session.slots.legs;
    let last = legs.iter().take(number).rev().find_map(|leg| leg.date);
    let next = legs.iter().skip(number + 1).find_map(|leg| leg.date);
    let moved =
        matches!(date.expression, DateExpr::Shift { .. }).then(|| legs.get(number).and_then(|leg| leg.date)).flatten();
    // The first day like that from the flight before on: "the 7th" after 3 May is 7 May.
    let today = last.unwrap_or(calendar.today);
    let departure = moved.or(last);
    let resolved = match resolve(date.expression, Calendar { today, departure, ..calendar }) {
        Ok(Some(day)) => day.checked_add(date.offset.days()).unwrap_or(day),
        Ok(None) => return,
        Err(Trouble::PastDate { date }) => match last.filter(|_| date >= calendar.today) {
            Some(last) => return merged.wrong(Slot::DepartureDate, Trouble::LegBeforeLast { last, date }),
            None => return merged.wrong(Slot::DepartureDate, Trouble::PastDate { date }),
        },
        Err(trouble) => return merged.wrong(Slot::DepartureDate, trouble),
    };
    if let Some(last) = last.filter(|last| resolved < *last) {
        return merged.wrong(Slot::DepartureDate, Trouble::LegBeforeLast { last, date: resolved });
    }
    if let Some(leg) = session.slots.legs.get_mut(number) {
        leg.date = Some(resolved);
    }
    // Flights after it that would now be before it are asked for again.
    if next.is_some_and(|next| next < resolved) {
        for leg in session.slots.legs.iter_mut().skip(number + 1) {
            leg.date = leg.date.filter(|date| *date >= resolved);
        }
    }
}

/// What is said while a journey over several cities is known: a day or a place that it lacks, another in the place of one.
/// A route of its own replaces it.
fn go_on(session: &mut Session, said: &Understanding, calendar: Calendar, merged: &mut Merged) -> bool {
    if session.slots.legs.is_empty() {
        return false;
    }
    let meant: Vec<&PlaceMention> = said.places.iter().filter(|place| !place.negated).collect();
    if keeps_first(said) && meant.is_empty() {
        session.planned = std::mem::take(&mut session.slots.legs);
        (session.slots.return_date, session.slots.trip) = (None, None);
        merged.informed = true;
        return true;
    }
    if returns_to_start(session, &meant) {
        collapse_home(session);
        merged.informed = true;
        return said.dates.is_empty();
    }
    if said.acts.contains(&Act::StartOver) || said.trip.is_some() || is_another(session, said, &meant) {
        collapse(session);
        return false;
    }
    for mention in &meant {
        merged.informed = true;
        fill_place(session, said, mention);
    }
    let dates = said.dates.iter().filter(|date| !date.negated);
    let number = bare_day(session, said);
    for date in dates.chain(number.as_ref()) {
        merged.informed = true;
        let open = session.slots.legs.iter().position(|leg| leg.date.is_none());
        let number = open.unwrap_or_else(|| nearest(session, date, calendar));
        set_day(session, number, date, calendar, merged);
    }
    settle(session);
    true
}

/// "8" where a day was asked for.
fn bare_day(session: &Session, said: &Understanding) -> Option<DateMention> {
    let [number] = said.numbers.as_slice() else { return None };
    let day = i8::try_from(*number).ok().filter(|day| (1..=31).contains(day))?;
    let asked = session.asked == Some(Slot::DepartureDate) && said.dates.is_empty();
    let expression = DateExpr::DayOfMonth { day, month: None };
    asked.then_some(DateMention { expression, role: DateRole::Departure, negated: false, offset: 0 })
}

/// Two places are a route of its own; "just Milan both ways" is one as well.
fn is_another(session: &Session, said: &Understanding, meant: &[&PlaceMention]) -> bool {
    let whole = |word: &str| said.words.0.iter().any(|said| said == word);
    let of_journey = |mention: &PlaceMention| {
        session
            .slots
            .legs
            .iter()
            .any(|leg| [&leg.origin, &leg.destination].into_iter().flatten().any(|place| is(place, mention)))
    };
    match meant {
        [] => false,
        [only] => {
            // "Athens directly" needs no flight between; "just Milan both ways" is one route where all flights are known.
            let directly = whole("directly") || whole("straight");
            let known = session.slots.open_leg().is_none();
            of_journey(only) && (directly || known && (whole("just") || whole("only") || whole("both")))
        }
        several => {
            several.iter().any(|mention| mention.role == PlaceRole::Destination || mention.role == PlaceRole::Origin)
        }
    }
}

fn is(place: &Place, mention: &PlaceMention) -> bool {
    mention.candidates.iter().any(|candidate| candidate.iata == place.iata)
}

/// One route again: the days of the first and the last flight are the way out and the way back.
fn collapse(session: &mut Session) {
    let legs = std::mem::take(&mut session.slots.legs);
    let (Some(first), Some(last)) = (legs.first(), legs.last()) else { return };
    let home = first.origin.is_some() && first.origin == last.destination;
    session.slots.return_date = last.date.filter(|_| home && legs.len() > 1);
    session.slots.trip = session.slots.return_date.map(|_| Trip::RoundTrip);
}

/// "Back to Barcelona, then" of a journey that leaves from there and would have ended elsewhere: there and back again.
fn returns_to_start(session: &Session, meant: &[&PlaceMention]) -> bool {
    let ([mention], [first, last]) = (meant, session.slots.legs.as_slice()) else { return false };
    let starts_there = first
        .origin
        .as_ref()
        .is_some_and(|origin| mention.candidates.iter().any(|candidate| is_one_city(candidate.iata, origin.iata)));
    let one_town = |one: &Option<Place>, other: &Option<Place>| {
        one.as_ref().zip(other.as_ref()).is_some_and(|(one, other)| one.iata == other.iata)
    };
    starts_there && one_town(&first.destination, &last.origin) && mention.role != PlaceRole::Origin
}

/// One route there and back, on the days of its two flights.
fn collapse_home(session: &mut Session) {
    let legs = std::mem::take(&mut session.slots.legs);
    session.slots.return_date = legs.last().and_then(|last| last.date);
    session.slots.trip = session.slots.return_date.map(|_| Trip::RoundTrip);
}

/// A place for the first flight that lacks one; else in the place of what it puts right.
fn fill_place(session: &mut Session, said: &Understanding, mention: &PlaceMention) {
    let wrong = said.places.iter().find(|place| place.negated);
    let Some(taken) = place(session, mention) else { return };
    let legs = &mut session.slots.legs;
    if let Some(wrong) = wrong {
        for leg in legs.iter_mut() {
            for end in [&mut leg.origin, &mut leg.destination] {
                if end.as_ref().is_some_and(|place| is(place, wrong)) {
                    *end = Some(taken.clone());
                }
            }
        }
        return;
    }
    let at = legs.iter().position(|leg| leg.origin.is_none() || leg.destination.is_none());
    if let Some(leg) = at.and_then(|at| legs.get_mut(at)) {
        let end = if leg.origin.is_none() && mention.role != PlaceRole::Destination {
            &mut leg.origin
        } else {
            &mut leg.destination
        };
        *end = Some(taken);
        return;
    }
    // "Then on to Bari": one flight more.
    let known =
        legs.iter().any(|leg| [&leg.origin, &leg.destination].into_iter().flatten().any(|place| is(place, mention)));
    let last = legs.last().and_then(|last| last.destination.clone());
    if !known && legs.len() < MOST_LEGS {
        legs.push(Leg { origin: last, destination: Some(taken), date: None });
    }
}

/// The flight whose day is nearest to one that is named.
fn nearest(session: &Session, date: &DateMention, calendar: Calendar) -> usize {
    let named = resolve(date.expression, calendar).ok().flatten();
    let days = |leg: &Leg| {
        let apart = named.zip(leg.date).and_then(|(named, day): (Date, Date)| day.since(named).ok());
        apart.map_or(i32::MAX, |span| span.get_days().abs())
    };
    let legs = session.slots.legs.iter().enumerate();
    legs.min_by_key(|(_, leg)| days(leg)).map_or(0, |(number, _)| number)
}

/// The first flight is the route that is known, and there is no day back; who flies home does so to where they started.
fn settle(session: &mut Session) {
    let slots = &mut session.slots;
    let home = slots.legs.first().and_then(|first| first.origin.clone());
    if slots.legs.len() > 1
        && let Some(last) = slots.legs.last_mut()
        && last.destination.is_none()
    {
        last.destination = home;
    }
    if let Some(first) = slots.legs.first() {
        slots.origin.clone_from(&first.origin);
        slots.destination.clone_from(&first.destination);
        slots.departure_date = first.date;
    }
    (slots.return_date, slots.trip, slots.return_time) = (None, None, None);
    session.stay = None;
    session.unclear.clear();
    session.recent = None;
}
