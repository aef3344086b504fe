//! The day out and the day back.

use contracts::dialogue::{
    DateExpr, DateMention, DateRole, MonthNamed, Part, Pick, Session, Slot, Stay, Trouble, Understanding, Week,
};
use contracts::travel::{Slots, Trip};
use jiff::ToSpan;
use jiff::civil::Date;

use super::Merged;
use crate::resolve::{Calendar, days_between, resolve};

pub(super) fn merge(session: &mut Session, said: &Understanding, today: Date, month_first: bool, merged: &mut Merged) {
    let calendar = Calendar { today, departure: None, month_first };
    let bare = bare_day(session, said);
    let meant: Vec<&DateMention> = said.dates.iter().chain(bare.as_ref()).filter(|date| !date.negated).collect();
    let flies_home = session.slots.departure_date.is_none()
        && super::flies_home(said)
        && said.trip.is_none()
        && super::names_route(said);
    let roles = roles(session, &meant, today, flies_home);
    let departure_before = session.slots.departure_date;
    if let Some(DateMention { expression: DateExpr::Shift { days, months }, .. }) =
        meant.iter().find(|date| date.role == DateRole::Both)
    {
        return shift_both(session, *days, *months, calendar, merged);
    }
    if let [DateMention { expression, role: DateRole::Both, offset, .. }] = meant.as_slice() {
        // "Tuesday instead, both": the stay is as long as it was.
        let stay =
            session.slots.departure_date.zip(session.slots.return_date).map(|(out, back)| days_between(out, back));
        way_out(session, *expression, *offset, calendar, merged);
        merged.informed = true;
        if let (Some(stay), Some(out)) = (stay, session.slots.departure_date) {
            session.slots.return_date = out.checked_add(stay.days()).ok();
        }
        return;
    }
    // The day out first, whatever the order of the words: the day back is counted from it.
    for wanted in [DateRole::Departure, DateRole::Return] {
        for (mention, role) in meant.iter().zip(&roles).filter(|(_, role)| **role == wanted) {
            merged.informed = true;
            if *role == DateRole::Return && is_echo(session, mention, calendar) {
                continue;
            }
            // "A day earlier, and home a day later" moves both; "next Friday, back a week later" counts from that Friday.
            let newly_left = meant.iter().zip(&roles).any(|(mention, role)| {
                *role == DateRole::Departure && !matches!(mention.expression, DateExpr::Shift { .. })
            });
            let slot = if *role == DateRole::Return { Slot::ReturnDate } else { Slot::DepartureDate };
            let expression = in_named_month(session, slot, mention.expression);
            name_month(session, slot, expression, today);
            match role {
                DateRole::Return => way_back(session, expression, mention.offset, calendar, newly_left, merged),
                _ => way_out(session, expression, mention.offset, calendar, merged),
            }
        }
    }
    if roles.contains(&DateRole::Departure) {
        session.recent_day = Some(Slot::DepartureDate);
    } else if roles.contains(&DateRole::Return) {
        session.recent_day = Some(Slot::ReturnDate);
    }
    if session.slots.departure_date != departure_before {
        if keeps_return(said) {
            session.stay = None;
        }
        follow(session, today, roles.contains(&DateRole::Return), merged);
    }
}

/// In "Wednesday, so the 6th" the second day is the first once more.
fn is_echo(session: &Session, mention: &DateMention, calendar: Calendar) -> bool {
    let unasked = mention.role == DateRole::Unknown && session.asked != Some(Slot::ReturnDate);
    unasked
        && matches!(resolve(mention.expression, calendar), Ok(Some(date)) if Some(date) == session.slots.departure_date)
}

/// A number alone is a day when a day was asked for: "8", "the eighth".
fn bare_day(session: &Session, said: &Understanding) -> Option<DateMention> {
    let role = match session.asked? {
        Slot::DepartureDate => DateRole::Departure,
        Slot::ReturnDate => DateRole::Return,
        _ => return None,
    };
    let number = match (said.numbers.as_slice(), &said.pick) {
        ([number], _) | ([], Some(Pick::Nth(number))) => number,
        _ => return None,
    };
    let day = i8::try_from(*number).ok().filter(|day| (1..=31).contains(day) && said.dates.is_empty())?;
    Some(DateMention { expression: DateExpr::DayOfMonth { day, month: None }, role, negated: false, offset: 0 })
}

/// The roles, with those the words do not tell read by what was asked and by what is known.
fn roles(session: &Session, meant: &[&DateMention], today: Date, flies_home: bool) -> Vec<DateRole> {
    let slots = &session.slots;
    // A day out that has passed since is to be said anew.
    let known = slots.departure_date.is_some_and(|date| date >= today);
    let mut has_departure = known || meant.iter().any(|date| date.role == DateRole::Departure);
    let mut has_return = slots.return_date.is_some() || meant.iter().any(|date| date.role == DateRole::Return);
    let mut named_departure = meant.iter().any(|date| date.role == DateRole::Departure);
    meant
        .iter()
        .map(|date| match date.role {
            // "The Sunday after" of a journey that leaves on a Sunday is about that day.
            DateRole::Unknown if is_weekday_of_departure(date.expression, slots.departure_date) => DateRole::Departure,
            DateRole::Unknown if meant.len() == 1 && is_beside_return(date.expression, slots, today) => {
                DateRole::Return
            }
            DateRole::Unknown => {
                let role = match session.asked {
                    Some(Slot::ReturnDate) if !has_return || slots.return_date.is_some() => DateRole::Return,
                    Some(Slot::DepartureDate) if !named_departure => DateRole::Departure,
                    _ if !has_departure => DateRole::Departure,
                    _ if slots.trip == Some(Trip::RoundTrip) && !has_return => DateRole::Return,
                    _ if named_departure && !has_return => DateRole::Return,
                    _ if session.recent_day == Some(Slot::ReturnDate) && slots.trip != Some(Trip::OneWay) => {
                        DateRole::Return
                    }
                    _ => DateRole::Departure,
                };
                has_departure |= role == DateRole::Departure;
                named_departure |= role == DateRole::Departure;
                has_return |= role == DateRole::Return;
                role
            }
            // "Flying home from Addis to Durban on the 28th", where nothing was said before, is the way out.
            DateRole::Return if meant.len() == 1 && flies_home => DateRole::Departure,
            role => role,
        })
        .collect()
}

/// "Same but a month later": both days move.
fn shift_both(session: &mut Session, days: i32, months: i32, calendar: Calendar, merged: &mut Merged) {
    merged.informed = true;
    let shift = DateExpr::Shift { days, months };
    let moved = |day: Option<Date>| day.map(|_| resolve(shift, Calendar { departure: day, ..calendar }));
    let (out, back) = (moved(session.slots.departure_date), moved(session.slots.return_date));
    for (slot, resolved) in [(Slot::DepartureDate, out), (Slot::ReturnDate, back)] {
        match resolved {
            Some(Ok(day)) if slot == Slot::DepartureDate => session.slots.departure_date = day,
            Some(Ok(day)) => session.slots.return_date = day,
            Some(Err(trouble)) => merged.wrong(slot, trouble),
            None => {}
        }
    }
}

/// "In February" tells no day; which month it was is kept, so that "the 15th" is in it.
fn name_month(session: &mut Session, slot: Slot, expression: DateExpr, today: Date) {
    match expression {
        DateExpr::InMonth { month, ahead, part } => {
            let first = match month {
                Some(month) => {
                    let year = if month < today.month() { today.year() + 1 } else { today.year() };
                    Date::new(year, month, 1).ok()
                }
                None => today.first_of_month().checked_add(i32::from(ahead).months()).ok(),
            };
            session.month = first.map(|first| MonthNamed { slot, first }).filter(|_| part == Part::Any);
        }
        // "31 November": the day that follows is meant in November.
        DateExpr::Date { year, month, day } if Date::new(year.unwrap_or(2028), month, day).is_err() => {
            let year = year.unwrap_or(if month < today.month() { today.year() + 1 } else { today.year() });
            session.month = Date::new(year, month, 1).ok().map(|first| MonthNamed { slot, first });
        }
        _ if session.month.is_some_and(|named| named.slot == slot) => session.month = None,
        _ => {}
    }
}

/// "The 15th" after "in February" is in February.
fn in_named_month(session: &Session, slot: Slot, expression: DateExpr) -> DateExpr {
    match (expression, session.month.filter(|named| named.slot == slot)) {
        (DateExpr::DayOfMonth { day, month: None }, Some(named)) => {
            DateExpr::Date { year: Some(named.first.year()), month: named.first.month(), day }
        }
        // "The second Monday" is in the month that is spoken of.
        (DateExpr::NthWeekday { nth, weekday, month: None, ahead: ..0 }, named) => {
            let month = named.map(|named| named.first).or(session.slots.departure_date).map(|day| day.month());
            DateExpr::NthWeekday { nth, weekday, month, ahead: if month.is_some() { 0 } else { -1 } }
        }
        (expression, _) => expression,
    }
}

fn moved_by(resolved: Result<Option<Date>, Trouble>, offset: i32) -> Result<Option<Date>, Trouble> {
    resolved.map(|date| date.map(|date| date.checked_add(offset.days()).unwrap_or(date)))
}

fn is_weekday_of_departure(expression: DateExpr, departure: Option<Date>) -> bool {
    let (DateExpr::WeekdayFrom { weekday, .. } | DateExpr::NthWeekday { weekday, month: None, ahead: ..0, .. }) =
        expression
    else {
        return false;
    };
    departure.is_some_and(|departure| departure.weekday().to_monday_one_offset() == weekday)
}

/// "Make it the 2nd" of a journey from 30 December to 3 January is about the day that lies beside.
fn is_beside_return(expression: DateExpr, slots: &Slots, today: Date) -> bool {
    let (Some(departure), Some(back)) = (slots.departure_date, slots.return_date) else { return false };
    let Some(date) = near_month(expression, Some(back), today) else { return false };
    slots.trip != Some(Trip::OneWay)
        && date > departure
        && days_between(date, back).abs() <= 2
        && days_between(departure, date) > 2
}

fn way_out(session: &mut Session, expression: DateExpr, offset: i32, calendar: Calendar, merged: &mut Merged) {
    let counted_from = match expression {
        // "A day later" moves the day that is known.
        DateExpr::Shift { .. } | DateExpr::AfterDeparture { .. } | DateExpr::WeekdayFrom { .. } => {
            session.slots.departure_date
        }
        _ => None,
    };
    let known = session.slots.departure_date;
    // "I meant March" of a day in February is that day in March.
    let expression = match (expression, known) {
        (DateExpr::InMonth { month: Some(month), part: Part::Any, .. }, Some(known)) if known.month() != month => {
            DateExpr::Date { year: None, month, day: known.day() }
        }
        (expression, _) => expression,
    };
    let resolved =
        match nearest(expression, known, calendar.today).or_else(|| near_month(expression, known, calendar.today)) {
            Some(date) => Ok(Some(date)),
            None => moved_by(resolve(expression, Calendar { departure: counted_from, ..calendar }), offset),
        };
    match resolved {
        Ok(Some(date)) if date < calendar.today => merged.wrong(Slot::DepartureDate, Trouble::PastDate { date }),
        Ok(Some(date)) => session.slots.departure_date = Some(date),
        Ok(None) => {}
        Err(trouble) => merged.wrong(Slot::DepartureDate, trouble),
    }
}

/// "Saturday would be better" of a journey on Friday the 27th is the 28th, not the first Saturday there is.
fn nearest(expression: DateExpr, departure: Option<Date>, today: Date) -> Option<Date> {
    let DateExpr::Weekday { weekday, week: Week::Coming } = expression else { return None };
    let departure = departure.filter(|departure| *departure > today)?;
    (-3..=3)
        .filter_map(|days: i32| departure.checked_add(days.days()).ok())
        .find(|date| date.weekday().to_monday_one_offset() == weekday && *date >= today)
}

/// "The 6th" of a journey on 5 March is 6 March; of one on 28 December "the 3rd" is in January.
fn near_month(expression: DateExpr, known: Option<Date>, today: Date) -> Option<Date> {
    let DateExpr::DayOfMonth { day, month: None } = expression else { return None };
    let known = known.filter(|known| *known > today)?;
    let in_month = |ahead: i32| {
        let first = known.first_of_month().checked_add(ahead.months()).ok()?;
        Date::new(first.year(), first.month(), day).ok().filter(|date| *date >= today)
    };
    let (here, next) = (in_month(0), in_month(1));
    let far = here.is_none_or(|here| days_between(here, known) > 20);
    next.filter(|next| far && days_between(known, *next) <= 10).or(here)
}

fn way_back(
    session: &mut Session,
    expression: DateExpr,
    offset: i32,
    calendar: Calendar,
    newly_left: bool,
    merged: &mut Merged,
) {
    let departure = session.slots.departure_date;
    let expression = counted_from_departure(expression, departure, calendar.today);
    let moves = matches!(expression, DateExpr::Shift { .. }) && session.slots.return_date.is_some() && !newly_left;
    let counted_from = if moves { session.slots.return_date } else { departure };
    if let DateExpr::AfterDeparture { days, months } | DateExpr::Shift { days, months } = expression
        && !moves
    {
        session.stay = Some(Stay { days, months });
    } else {
        session.stay = None;
    }
    // "Till the Tuesday" of a journey that comes back on a Sunday is the Tuesday beside it.
    let beside = nearest(expression, session.slots.return_date.filter(|_| !newly_left), calendar.today)
        .filter(|day| departure.is_none_or(|departure| *day >= departure));
    let resolve_it = || match beside {
        Some(day) => Ok(Some(day)),
        None => resolve(expression, Calendar { departure: counted_from, ..calendar }),
    };
    let Ok(resolved) = moved_by(resolve_it(), offset).map_err(|trouble| merged.wrong(Slot::ReturnDate, trouble)) else {
        return;
    };
    match (resolved, departure) {
        (Some(back), Some(departure)) if back < departure => {
            merged.wrong(Slot::ReturnDate, Trouble::ReturnBeforeDeparture { departure, back });
        }
        (Some(back), _) => {
            session.slots.return_date = Some(back);
            session.slots.trip.get_or_insert(Trip::RoundTrip);
        }
        (None, _) => {}
    }
}

/// "Leaving on the 9th, returning in two weeks": counted from the day out; "tomorrow" and the day after are not.
fn counted_from_departure(expression: DateExpr, departure: Option<Date>, today: Date) -> DateExpr {
    if departure.is_none_or(|departure| departure <= today) {
        return expression;
    }
    match expression {
        DateExpr::InDays { days } if days > 2 => DateExpr::AfterDeparture { days, months: 0 },
        DateExpr::InMonths { months } if months > 0 => DateExpr::AfterDeparture { days: 0, months },
        other => other,
    }
}

/// "The 9th then, same return": the day back stays, whatever that makes of the stay.
fn keeps_return(said: &Understanding) -> bool {
    const WAYS: [[&str; 2]; 5] =
        [["same", "return"], ["same", "back"], ["keep", "return"], ["return", "same"], ["return", "stays"]];
    let says = |word: &str| !matches!(word, "the" | "my" | "way" | "date" | "day" | "is");
    let words: Vec<&str> = said.words.0.iter().map(String::as_str).filter(|word| says(word)).collect();
    words.windows(2).any(|pair| WAYS.iter().any(|way| pair == way))
}

/// The day out has changed: a stay moves along; a day back that now lies before it is asked for again.
fn follow(session: &mut Session, today: Date, named_return: bool, merged: &mut Merged) {
    let Some(departure) = session.slots.departure_date else { return };
    if let Some(Stay { days, months }) = session.stay.filter(|_| !named_return) {
        let calendar = Calendar { today, departure: Some(departure), month_first: false };
        if let Ok(Some(back)) = resolve(DateExpr::AfterDeparture { days, months }, calendar) {
            session.slots.return_date = Some(back);
        }
    }
    if let Some(back) = session.slots.return_date.filter(|back| *back < departure) {
        if session.slots.trip == Some(Trip::RoundTrip) && !named_return {
            merged.wrong(Slot::ReturnDate, Trouble::ReturnBeforeDeparture { departure, back });
        }
        session.slots.return_date = None;
    }
}

/// A day that was good when it was said may have passed since: it is forgotten, and asked for again.
pub(super) fn forget_passed(slots: &mut Slots, today: Date, merged: &mut Merged) {
    let kept = [(Slot::DepartureDate, &mut slots.departure_date), (Slot::ReturnDate, &mut slots.return_date)];
    for (slot, day) in kept {
        if let Some(date) = day.take_if(|date| *date < today) {
            merged.wrong(slot, Trouble::PastDate { date });
        }
    }
}
