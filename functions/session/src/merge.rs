//! Merges what was said into where the session stands. Later words win; a bare answer is read by what was asked; what
//! cannot be is kept out and named, and what was good stays.

mod days;
mod legs;
mod limits;
mod money;
mod places;
mod times;
mod travellers;

pub use places::unclear_of;

use contracts::dialogue::{
    Act, DateExpr, DateMention, DateRole, PlaceRole, Remark, Session, Slot, TimeMention, Trouble, Understanding, Unmet,
    Wish,
};
use contracts::travel::{Airline, Money, Passengers, Slots, TimeWindow, Trip};
use jiff::Zoned;
use jiff::civil::{Date, Time};

use crate::resolve::Calendar;

/// What came of merging a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Merged {
    /// Something is known now that was not known so before.
    pub changed: bool,
    /// Something in the message was about the journey, new or not.
    pub informed: bool,
    /// What is wrong with what was said, and what it was meant for.
    pub trouble: Option<(Slot, Trouble)>,
}

impl Merged {
    /// Keeps the first thing that is wrong: it is asked about first.
    fn wrong(&mut self, slot: Slot, trouble: Trouble) {
        self.trouble.get_or_insert((slot, trouble));
    }
}

/// Merges an understanding into a session.
pub fn merge(session: &mut Session, said: &Understanding, now: &Zoned) -> Merged {
    let before = session.slots.clone();
    let mut merged = Merged::default();
    if said.acts.contains(&Act::Undo)
        && let Some(undone) = session.undo.take()
    {
        session.slots = *undone;
        merged.informed = true;
    }
    let limited_again = said.max_price.is_none() && money::limit_again(session, said);
    merged.informed |= limited_again;
    let numbers = if limited_again { &[][..] } else { said.numbers.as_slice() };
    let said = meant_instead(session, Understanding { numbers: numbers.to_vec(), ..said.clone() });
    let said = &clock_instead(session, stay_instead(session, on_the_day_back(session, said)));
    merged.informed |= lift_last(session, said);
    let calendar = Calendar { today: today(session, now), departure: None, month_first: is_month_first(session, now) };
    if !legs::merge(session, said, calendar, &mut merged) {
        places::merge(session, said, &mut merged);
        merge_trip(&mut session.slots, said, &mut merged);
        days::merge(session, said, today(session, now), is_month_first(session, now), &mut merged);
    }
    travellers::merge(session, said, &mut merged);
    merge_wishes(session, said, &mut merged);
    let back_moved = session.slots.return_date != before.return_date;
    times::merge(session, said, now, back_moved, &mut merged);
    limits::merge(session, said, &mut merged);
    limits::use_again(session);
    session.limit_named = said.max_price.is_some() || limited_again;
    same_place(session, &before, &mut merged);
    // Thanks for a journey that is over need no other day.
    if merged.informed || said.courtesy().is_none() {
        let today = today(session, now);
        days::forget_passed(&mut session.slots, today, &mut merged);
    }
    merged.changed = session.slots != before;
    if merged.changed && !said.acts.contains(&Act::Undo) {
        session.undo = Some(Box::new(before));
    }
    merged.informed |= !said.unmet.is_empty();
    for wish in &said.unmet {
        // A stop on the way is no city of its own.
        let said_already = *wish == Unmet::SeveralCities && said.unmet.contains(&Unmet::Via);
        // Which place it is was said by name.
        let named = *wish == Unmet::Via && !said.through.is_empty();
        let searched = *wish == Unmet::SeveralCities && !session.slots.legs.is_empty();
        if !said_already && !named && !searched {
            session.remarks.push(Remark::Unmet { wish: *wish });
        }
    }
    merged
}

/// "I said 22? Meant 23": the second number stands in the place of the first, whatever that counted.
fn meant_instead(session: &Session, mut said: Understanding) -> Understanding {
    let repairs = |word: &String| matches!(word.as_str(), "meant" | "mean" | "not" | "sorry" | "instead");
    let ([wrong, right], true) = (said.numbers.as_slice(), said.words.0.iter().any(repairs)) else { return said };
    let (wrong, right) = (*wrong, *right);
    let day_of = |date: Option<Date>| date.is_some_and(|date| u32::try_from(date.day()) == Ok(wrong));
    let role = if day_of(session.slots.departure_date) {
        DateRole::Departure
    } else if day_of(session.slots.return_date) {
        DateRole::Return
    } else {
        said.numbers = vec![right];
        return said;
    };
    if let Some(day) = i8::try_from(right).ok().filter(|day| (1..=31).contains(day) && said.dates.is_empty()) {
        said.numbers.clear();
        let expression = DateExpr::DayOfMonth { day, month: None };
        said.dates.push(DateMention { expression, role, negated: false, offset: 0 });
    }
    said
}

/// "830 rather" where a time of day is known, and no limit, is another time.
fn clock_instead(session: &Session, mut said: Understanding) -> Understanding {
    let slots = &session.slots;
    let ([number], None) = (said.numbers.as_slice(), slots.max_price) else { return said };
    let (hour, minute) = (*number / 100, *number % 100);
    let known = slots.departure_time.is_some() || slots.return_time.is_some();
    let plausible = (5..24).contains(&hour) && minute < 60 && minute % 5 == 0;
    if known && plausible && session.budget_each.is_none() && said.words.0.len() <= 4 && said.times.is_empty() {
        said.numbers.clear();
        let at = |minutes: u32| Time::new((minutes / 60 % 24) as i8, (minutes % 60) as i8, 0, 0).unwrap_or(Time::MIN);
        let minutes = hour * 60 + minute;
        let window = TimeWindow { from: at(minutes - 60), to: at((minutes + 60).min(24 * 60 - 1)) };
        let role = if slots.departure_time.is_some() { DateRole::Departure } else { DateRole::Return };
        said.times.push(TimeMention { window: Some(window), role, ..TimeMention::default() });
    }
    said
}

/// "Hmm, 12 rather" after "for 10 days" is another stay.
fn stay_instead(session: &Session, mut said: Understanding) -> Understanding {
    let instead = said.words.0.iter().any(|word| matches!(word.as_str(), "rather" | "instead" | "actually"));
    let ([days], Some(_)) = (said.numbers.as_slice(), session.stay) else { return said };
    let days = i32::try_from(*days).unwrap_or_default();
    let whole = said.words.0.len() <= 4 && said.dates.is_empty() && said.travellers.is_none();
    // "Make it 12 and leave a day earlier": of what was spoken of last, the stay, which follows the day out.
    let made = said.words.0.windows(3).any(|words| {
        matches!(words, [make, it, count] if make == "make" && (it == "it" || it == "that") && *count == days.to_string())
    });
    let leaves = said.dates.iter().all(|date| date.role == DateRole::Departure);
    let (instead, whole) = (instead || made, whole || made && leaves && said.travellers.is_none());
    let spoken_of = session.recent_day == Some(Slot::ReturnDate) || made && !said.dates.is_empty();
    if instead && whole && (2..=60).contains(&days) && spoken_of {
        said.numbers.clear();
        let expression = DateExpr::AfterDeparture { days, months: 0 };
        said.dates.push(DateMention { expression, role: DateRole::Return, negated: false, offset: 0 });
    }
    said
}

/// "On the 16th it must go before 20:00" of a journey that comes back on the 16th is about the way back, and moves no day.
fn on_the_day_back(session: &Session, mut said: Understanding) -> Understanding {
    let ([date], Some(back)) = (said.dates.as_slice(), session.slots.return_date) else { return said };
    let names = match date.expression {
        DateExpr::DayOfMonth { day, month: None } => day == back.day(),
        DateExpr::Date { year: None, month, day } => (month, day) == (back.month(), back.day()),
        _ => false,
    };
    if names && !date.negated && !said.times.is_empty() && session.slots.departure_date != Some(back) {
        said.dates.clear();
        said.times.iter_mut().for_each(|time| time.role = DateRole::Return);
    }
    said
}

/// "Nah, any" takes back the wish that the message before it brought.
fn lift_last(session: &mut Session, said: &Understanding) -> bool {
    const BESIDE: [&str; 16] = [
        "nah",
        "no",
        "ok",
        "okay",
        "any",
        "then",
        "one",
        "is",
        "fine",
        "really",
        "whichever",
        "anything",
        "actually",
        "just",
        "please",
        "works",
    ];
    let words = &said.words.0;
    let lifts = words.iter().any(|word| matches!(word.as_str(), "any" | "whichever" | "anything"));
    let Some(before) =
        session.undo.clone().filter(|_| lifts && words.iter().all(|word| BESIDE.contains(&word.as_str())))
    else {
        return false;
    };
    let slots = &mut session.slots;
    if slots.airlines != before.airlines {
        slots.airlines.clear();
    } else if slots.departure_time != before.departure_time {
        slots.departure_time = None;
    } else if slots.return_time != before.return_time {
        slots.return_time = None;
    } else if slots.cabin != before.cabin {
        slots.cabin = None;
    } else if slots.max_stops != before.max_stops {
        slots.max_stops = None;
    } else {
        return false;
    }
    true
}

/// Today at the origin, where that is known, but never before today on the person's clock.
pub(crate) fn today(session: &Session, now: &Zoned) -> Date {
    let zone = session.slots.origin.as_ref().and_then(|origin| geo::airports::time_zone(origin.iata));
    // Who writes on the 20th and flies from where it is still the 19th means by tomorrow the 21st.
    zone.map_or_else(|| now.date(), |zone| now.with_time_zone(zone).date().max(now.date()))
}

/// Whether "3/12" is 12 March where the person is: so in the United States only.
fn is_month_first(session: &Session, now: &Zoned) -> bool {
    const UNITED_STATES: [&str; 12] = [
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Los_Angeles",
        "America/Phoenix",
        "America/Anchorage",
        "America/Detroit",
        "America/Boise",
        "America/Juneau",
        "Pacific/Honolulu",
        "America/Indiana/Indianapolis",
        "America/Kentucky/Louisville",
    ];
    let from_us = |name: Option<&str>| name.is_some_and(|name| UNITED_STATES.contains(&name));
    let at_origin = session.slots.origin.as_ref().and_then(|origin| geo::airports::time_zone(origin.iata));
    from_us(now.time_zone().iana_name()) || from_us(at_origin.as_ref().and_then(|zone| zone.iana_name()))
}

/// "Flying home from Addis to Durban", "the last flight back from Cork to London".
fn flies_home(said: &Understanding) -> bool {
    let from_there = said.places.iter().any(|place| place.role == PlaceRole::ReturnOrigin);
    from_there || said.words.0.iter().any(|word| word == "home")
}

/// Two places, whatever else would do as well as one of them.
fn names_route(said: &Understanding) -> bool {
    said.places.iter().filter(|place| !place.either).count() == 2
}

fn merge_trip(slots: &mut Slots, said: &Understanding, merged: &mut Merged) {
    let returns = said.dates.iter().any(|date| date.role == DateRole::Return && !date.negated);
    let trip = match said.trip {
        Some(Trip::OneWay) => Some(Trip::OneWay),
        // "Flying home from Addis to Durban on the 28th" opens a journey.
        None if returns
            && slots.departure_date.is_none()
            && said.dates.len() == 1
            && names_route(said)
            && flies_home(said) =>
        {
            None
        }
        _ if returns => Some(Trip::RoundTrip),
        trip => trip,
    };
    if let Some(trip) = trip {
        merged.informed = true;
        slots.trip = Some(trip);
    }
}

fn merge_wishes(session: &mut Session, said: &Understanding, merged: &mut Merged) {
    let slots = &mut session.slots;
    if let Some(wish) = &said.cabin {
        slots.cabin = wanted(wish);
    }
    if let Some(wish) = &said.max_stops {
        slots.max_stops = wanted(wish);
    }
    let allowed_again = |wish: &Wish<Vec<Airline>>| {
        matches!(wish, Wish::Only(wanted) if wanted.iter().all(|airline| contains(&slots.without_airlines, airline)))
            && said.words.0.iter().any(|word| {
                matches!(word.as_str(), "fine" | "ok" | "okay" | "also" | "too" | "stay" | "allowed" | "again")
            })
    };
    if let Some(Wish::Only(wanted)) = said.airlines.as_ref().filter(|wish| allowed_again(wish)) {
        // "Ok, Allegiant is fine" after "not Allegiant" lifts that, and asks for no airline; beside one that is wanted it
        // would do as well.
        slots.without_airlines.retain(|airline| !contains(wanted, airline));
        if !slots.airlines.is_empty() {
            slots.airlines.extend(wanted.iter().cloned());
        }
    } else if let Some(wish) = &said.airlines {
        // "Or Virgin Australia" adds to those that are wanted.
        let adds = said.words.0.first().is_some_and(|word| matches!(word.as_str(), "or" | "and" | "also" | "plus"));
        let known: Vec<Airline> = slots.airlines.iter().filter(|_| adds).cloned().collect();
        slots.airlines = wanted(wish).unwrap_or_default();
        let others = known.into_iter().filter(|_| *wish != Wish::Any && !slots.airlines.is_empty());
        let others: Vec<Airline> = others.filter(|airline| !contains(&slots.airlines, airline)).collect();
        slots.airlines.splice(0..0, others);
        // Any airline is any; one that is wanted now is not unwanted any more.
        slots.without_airlines.retain(|airline| *wish != Wish::Any && !contains(&slots.airlines, airline));
    }
    // "Forget Emirates" after "only Emirates" takes the wish back, and rules nothing out.
    let forgets =
        said.words.0.iter().any(|word| matches!(word.as_str(), "forget" | "drop" | "skip" | "scrap" | "ditch"));
    let taken_back: Vec<Airline> = slots.airlines.iter().filter(|_| forgets).cloned().collect();
    slots.airlines.retain(|airline| !contains(&said.without_airlines, airline));
    for airline in &said.without_airlines {
        if contains(&taken_back, airline) {
            continue;
        }
        if !contains(&slots.without_airlines, airline) && slots.without_airlines.len() < MOST_AIRLINES {
            slots.without_airlines.push(airline.clone());
        }
    }
    match &said.max_price {
        Some(Wish::Any) => (session.slots.max_price, session.budget_each) = (None, None),
        Some(Wish::Only(budget)) => {
            if let Some(money) = money::money(budget, session) {
                let each = budget.each || budget.amount.is_empty() && session.budget_each.is_some();
                (session.slots.max_price, session.budget_each) =
                    if each { (None, Some(money)) } else { (Some(money), None) };
            }
        }
        None => {}
    }
    match (said.price_each, session.slots.max_price, session.budget_each) {
        (Some(true), Some(limit), None) => session.budget_each = Some(limit),
        (Some(false), _, Some(each)) => (session.slots.max_price, session.budget_each) = (Some(each), None),
        _ => {}
    }
    let slots = &mut session.slots;
    // Said for each, it is of as many as travel by now.
    if let Some(each) = session.budget_each {
        slots.max_price = for_all(each, slots.passengers.unwrap_or(Passengers::ONE));
    }
    merged.informed |= said.cabin.is_some()
        || said.max_stops.is_some()
        || said.airlines.is_some()
        || said.max_price.is_some()
        || said.price_each.is_some() && session.slots.max_price.is_some()
        || !said.without_airlines.is_empty();
}

fn wanted<T: Clone>(wish: &Wish<T>) -> Option<T> {
    match wish {
        Wish::Any => None,
        Wish::Only(value) => Some(value.clone()),
    }
}

/// The most airlines that are kept as not wanted.
const MOST_AIRLINES: usize = 12;

fn contains(list: &[Airline], airline: &Airline) -> bool {
    list.iter().any(|other| other.iata == airline.iata)
}

fn for_all(each: Money, passengers: Passengers) -> Option<Money> {
    let minor = each.minor.checked_mul(i64::from(passengers.total()))?;
    Some(Money { minor, ..each })
}

/// A journey that ends where it starts: what was said now is taken back.
fn same_place(session: &mut Session, before: &Slots, merged: &mut Merged) {
    let slots = &mut session.slots;
    let (Some(origin), Some(destination)) = (&slots.origin, &slots.destination) else { return };
    if origin.iata != destination.iata {
        return;
    }
    let trouble = Trouble::SamePlace { place: destination.clone() };
    let origin_is_new = slots.origin != before.origin;
    let destination_is_new = slots.destination != before.destination;
    let slot = if origin_is_new && !destination_is_new { Slot::Origin } else { Slot::Destination };
    match slot {
        Slot::Origin => slots.origin.clone_from(&before.origin),
        _ => slots.destination.clone_from(&before.destination),
    }
    merged.trouble = Some((slot, trouble));
}
