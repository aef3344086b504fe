//! One turn of a session: merge what was said, then decide what is done.
//!
//! Pure: the same session, understanding and clock give the same turn. So when another turn of the session was kept first,
//! this one is simply taken again on what that left.

use contracts::dialogue::{Act, Action, Pick, Remark, Session, Slot, Topic, Trouble, Understanding, Wish};
use contracts::travel::Place;
use jiff::Zoned;
use jiff::civil::Date;

use crate::compare;
use crate::decide::decide;
use crate::merge::{merge, today};
use crate::standing;

/// Takes one turn: the session as it stands then, and what is done.
pub fn advance(mut session: Session, understanding: &Understanding, now: &Zoned) -> (Session, Action) {
    let said = understanding;
    session.remarks.clear();
    session.comparing.clear();
    session.language.clone_from(&said.language);
    if said.acts.contains(&Act::Handoff) {
        // Whoever takes over shall know what was said along with it.
        let said = with_airline_wanted(said, &session);
        merge(&mut session, &said, now);
        session.handed_off = true;
        return (session, Action::Handoff);
    }
    let informs = informs(said);
    if said.acts.contains(&Act::StartOver) {
        forget(&mut session);
        if !informs {
            return (session, Action::StartOver);
        }
    } else if said.acts.contains(&Act::Cancel) && !informs && !said.questions.contains(&Topic::MyBooking) {
        forget(&mut session);
        return (session, Action::Cancel);
    }
    let said = with_day_chosen(with_airline_wanted(said, &session), &session);
    let mut merged = merge(&mut session, &said, now);
    let today = today(&session, now);
    compare::keep_wish(&mut session, &said, today);
    merged.informed |= said.flexible.is_some();
    remark_doubts(&mut session, &said);
    standing::keep(&mut session.standing, &said);
    let asked_before = session.asked;
    let action = decide(&mut session, &said, &merged);
    compare::compare(&mut session, &action, today);
    remark_questions(&mut session, &said, &action);
    count_repeats(&mut session, &action, asked_before);
    (session, action)
}

/// What rests on one weak reading alone is told back as it is known now.
fn remark_doubts(session: &mut Session, said: &Understanding) {
    let slots = session.slots.clone();
    let place = |place: Option<Place>| place.map(|place| place.name);
    let day = |day: Option<Date>| day.map(|day| day.strftime("%-d %B").to_string());
    let people = |count: u8, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    for slot in said.doubts.iter().copied() {
        let words = match slot {
            Slot::Origin => place(slots.origin.clone()),
            Slot::Destination => place(slots.destination.clone()),
            Slot::DepartureDate => day(slots.departure_date),
            Slot::ReturnDate => day(slots.return_date),
            Slot::Passengers => slots.passengers.map(|party| {
                let groups = [
                    people(party.adults, "adult", "adults"),
                    people(party.children, "child", "children"),
                    people(party.infants, "infant", "infants"),
                ];
                groups.into_iter().flatten().collect::<Vec<_>>().join(", ")
            }),
            Slot::Other => None,
        };
        session.remarks.extend(words.map(|words| Remark::Weak { slot, words }));
    }
}

/// What was asked along with a journey is answered beside it.
fn remark_questions(session: &mut Session, said: &Understanding, action: &Action) {
    let beside = matches!(action, Action::SearchFlights { .. }) || matches!(action, Action::Ask { because: None, .. });
    let spoken_of = |topic: &Topic| {
        *topic == Topic::Sympathy
            || topic.is_service() && *topic != Topic::Terms
            || matches!(
                topic,
                Topic::Alerts
                    | Topic::OtherTransport
                    | Topic::Weather
                    | Topic::Sending
                    | Topic::Hold
                    | Topic::Emissions
            )
    };
    if beside {
        let topics = said.questions.iter().copied().filter(spoken_of);
        session.remarks.extend(topics.take(2).map(|topic| Remark::Asked { topic }));
    }
}

/// How often in a row the same was asked, or nothing was understood.
fn count_repeats(session: &mut Session, action: &Action, asked_before: Option<Slot>) {
    let again = match action {
        Action::Ask { because: Some(Trouble::NotUnderstood | Trouble::UnknownPlace), .. } => true,
        Action::Ask { slot, .. } => asked_before == Some(*slot),
        _ => false,
    };
    session.repeats = if again { session.repeats.saturating_add(1) } else { 0 };
}

/// The journey is forgotten; that a person was asked for, and the turns, are not.
fn forget(session: &mut Session) {
    let kept = Session {
        handed_off: session.handed_off,
        standing: std::mem::take(&mut session.standing),
        turns: std::mem::take(&mut session.turns),
        ..Session::default()
    };
    *session = kept;
    standing::apply(session);
}

/// The message says something of a journey.
fn informs(said: &Understanding) -> bool {
    !said.places.is_empty()
        || !said.legs.is_empty()
        || !said.dates.is_empty()
        || said.trip.is_some()
        || said.travellers.is_some()
        || said.cabin.is_some()
        || said.airlines.is_some()
        || !said.without_airlines.is_empty()
        || said.max_stops.is_some()
        || said.max_price.is_some()
        || !said.times.is_empty()
        || said.price_each.is_some()
        || !said.unmet.is_empty()
        || !said.limits.is_empty()
        || !said.arrivals.is_empty()
        || !said.without_places.is_empty()
        || said.flexible.is_some()
}

/// The day that is meant where days were compared before.
fn with_day_chosen(said: Understanding, session: &Session) -> Understanding {
    match compare::choose_day(&said, session) {
        Some(day) => Understanding { dates: vec![day], pick: None, flexible: None, questions: Vec::new(), ..said },
        None => said,
    }
}

/// "The Delta flight" is an offer when one by Delta was shown, else a wish.
fn with_airline_wanted(said: &Understanding, session: &Session) -> Understanding {
    let mut said = said.clone();
    if let Some(Pick::By(airline)) = &said.pick {
        let shown = session.shown.iter().any(|offer| {
            offer.itineraries.iter().flat_map(|way| &way.segments).any(|segment| segment.carrier.iata == airline.iata)
        });
        if !shown && said.airlines.is_none() {
            said.airlines = Some(Wish::Only(vec![airline.clone()]));
        }
    }
    said
}
