//! Which days are compared: those around the day that is known, those of a week, or some spread over a month. At most seven.

use contracts::dialogue::{
    Act, Action, DateExpr, DateMention, DateRole, Flexible, Pick, Session, Slot, Stay, Understanding, Week,
};
use contracts::travel::{CalendarDay, Trip, cheapest_day};
use jiff::ToSpan;
use jiff::civil::Date;

use crate::resolve::days_between;

/// The most days that are compared at once: each is a search.
const MOST_DAYS: i32 = 7;
/// How many days before and after the one that is known are, where it is not said.
const AROUND: u8 = 3;
/// Over how many days they are spread where nothing says when.
const AHEAD: i32 = 28;
/// How far ahead airlines sell, in days.
const SOLD_AHEAD: i32 = 361;

/// Keeps the wish for other days until days were compared. A day that is known is dropped where those of another week or month
/// are asked for; how long the stay was to be stays.
pub(crate) fn keep_wish(session: &mut Session, said: &Understanding, today: Date) {
    let Some(wish) = said.flexible else { return };
    session.flexible = Some(wish).filter(|wish| !matches!(wish, Flexible::No | Flexible::Other));
    let Some(known) = session.slots.departure_date else { return };
    let elsewhere = match (wish, session.month.filter(|month| month.slot == Slot::DepartureDate)) {
        (Flexible::InMonth | Flexible::Anytime, Some(month)) => month.first != known.first_of_month(),
        (Flexible::InWeek { week }, _) => {
            first_of_week(week, known, today).is_some_and(|first| !(0..7).contains(&days_between(first, known)))
        }
        _ => false,
    };
    if elsewhere {
        keep_stay(session);
        session.slots.departure_date = None;
        session.slots.return_date = None;
    }
}

/// "The cheapest one" and "yes", after days were compared, choose a day as its name would.
pub(crate) fn choose_day(said: &Understanding, session: &Session) -> Option<DateMention> {
    let days = &session.calendar;
    if !said.dates.is_empty() || !said.places.is_empty() || !said.numbers.is_empty() {
        return None;
    }
    let asked = session.slots.departure_date.is_none() && session.asked == Some(Slot::DepartureDate);
    let day = match (&said.pick, said.flexible) {
        (_, Some(Flexible::Anytime)) => cheapest_day(days),
        (_, Some(_)) => None,
        (Some(Pick::Cheapest), _) if asked => cheapest_day(days),
        (Some(Pick::Earliest), _) if asked => days.iter().find(|day| day.price.is_some()),
        (Some(Pick::Latest | Pick::Last), _) if asked => days.iter().rev().find(|day| day.price.is_some()),
        (Some(Pick::That) | None, _) if asked && said.acts.contains(&Act::Affirm) => cheapest_day(days),
        _ => None,
    }?;
    let expression = DateExpr::Date { year: Some(day.date.year()), month: day.date.month(), day: day.date.day() };
    Some(DateMention { expression, role: DateRole::Departure, negated: false, offset: 0 })
}

/// Sets the days that this turn compares: beside a search, or instead of asking for a day alone.
pub(crate) fn compare(session: &mut Session, action: &Action, today: Date) {
    let several_cities = !session.slots.legs.is_empty();
    let days = match (action, session.flexible) {
        (Action::SearchFlights { skip: 0, .. }, wish) => {
            // What was compared belongs to another search from now on.
            session.calendar.clear();
            session.flexible = None;
            wish.map(|wish| around(session, wish, today))
        }
        (Action::Ask { slot: Slot::DepartureDate, because: None }, Some(wish)) => {
            instead_of_a_day(session, wish, today)
        }
        _ => None,
    };
    let Some(days) = days.filter(|days| days.len() > 1 && !several_cities) else { return };
    session.flexible = None;
    keep_stay(session);
    session.recent_day = Some(Slot::DepartureDate);
    session.comparing = days
        .into_iter()
        .filter_map(|date| {
            Some(CalendarDay { date, return_date: return_date(session, date)?, price: None, sample: false })
        })
        .collect();
}

/// The days that a known day is compared with, and itself.
fn around(session: &Session, wish: Flexible, today: Date) -> Vec<Date> {
    let Some(known) = session.slots.departure_date else { return Vec::new() };
    let plus = |days: i32| known.checked_add(days.days()).unwrap_or(known);
    let mut days = match wish {
        Flexible::Around { days } => spread(plus(-i32::from(days)), plus(i32::from(days)), today),
        Flexible::InWeek { week } => match first_of_week(week, known, today) {
            Some(first) => week_from(first, today),
            None => Vec::new(),
        },
        Flexible::InMonth => month(known.first_of_month(), today),
        _ => spread(plus(-i32::from(AROUND)), plus(i32::from(AROUND)), today),
    };
    // The day itself is one of them: it takes the place of the nearest.
    if !days.contains(&known)
        && let Some(nearest) = days.iter_mut().min_by_key(|day| days_between(**day, known).abs())
    {
        *nearest = known;
    }
    days
}

/// The days that are compared where none is known; none where it has to be asked for.
fn instead_of_a_day(session: &Session, wish: Flexible, today: Date) -> Option<Vec<Date>> {
    let named = session.month.filter(|month| month.slot == Slot::DepartureDate).map(|month| month.first);
    let ahead = |days: i32| today.checked_add(days.days()).unwrap_or(today);
    match (wish, named) {
        (Flexible::InMonth | Flexible::Anytime, Some(first)) => Some(month(first, today)),
        (Flexible::Anytime, None) => Some(spread(ahead(1), ahead(AHEAD), today)),
        (Flexible::InWeek { week: Week::Coming }, _) => Some(spread(ahead(1), ahead(MOST_DAYS), today)),
        (Flexible::InWeek { week }, _) => first_of_week(week, today, today).map(|first| week_from(first, today)),
        _ => None,
    }
}

fn month(first: Date, today: Date) -> Vec<Date> {
    spread(first, first.last_of_month(), today)
}

fn week_from(first: Date, today: Date) -> Vec<Date> {
    spread(first, first.checked_add(6.days()).unwrap_or(first), today)
}

/// The Monday of a week.
fn first_of_week(week: Week, known: Date, today: Date) -> Option<Date> {
    let (of, weeks) = match week {
        Week::Coming => (known, 0),
        Week::This => (today, 0),
        Week::Next => (today, 1),
        Week::AfterNext => (today, 2),
        _ => return None,
    };
    let since_monday = i32::from(of.weekday().to_monday_zero_offset());
    of.checked_add((weeks * 7 - since_monday).days()).ok()
}

/// The days from one to another, both among them; seven spread evenly where there are more. Only what is sold.
fn spread(from: Date, to: Date, today: Date) -> Vec<Date> {
    let latest = today.checked_add(SOLD_AHEAD.days()).unwrap_or(to);
    let (from, to) = (from.max(today), to.min(latest));
    let last = days_between(from, to);
    let count = MOST_DAYS.min(last + 1);
    let at = |step: i32| if count > 1 { (step * last + (count - 1) / 2) / (count - 1) } else { 0 };
    (0..count).filter_map(|step| from.checked_add(at(step).days()).ok()).collect()
}

/// A stay of which both days are known is as long on any other day.
fn keep_stay(session: &mut Session) {
    let slots = &session.slots;
    if let (Some(out), Some(back), true) = (slots.departure_date, slots.return_date, slots.trip != Some(Trip::OneWay)) {
        session.stay = Some(Stay { days: days_between(out, back), months: 0 });
    }
}

/// The day back of a day out, where there is one; `None` where one cannot be back by the day that was said.
fn return_date(session: &Session, date: Date) -> Option<Option<Date>> {
    if session.slots.trip == Some(Trip::OneWay) {
        return Some(None);
    }
    if let Some(Stay { days, months }) = session.stay {
        let back = date.checked_add(months.months()).and_then(|date| date.checked_add(days.days()));
        return back.ok().map(Some);
    }
    match session.slots.return_date {
        Some(back) if back < date => None,
        back => Some(back),
    }
}

#[cfg(test)]
mod tests {
    use contracts::dialogue::MonthNamed;
    use contracts::travel::{Place, Slots};
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 20);

    fn session(departure: Option<Date>, back: Option<Date>) -> Session {
        let place = |name: &str, iata: &str| Some(Place { name: name.into(), iata: iata.parse().unwrap() });
        let slots = Slots {
            origin: place("Lahore", "LHE"),
            destination: place("Dubai", "DXB"),
            departure_date: departure,
            return_date: back,
            ..Slots::default()
        };
        Session { slots, ..Session::default() }
    }

    fn compared(mut session: Session, wish: Flexible) -> (Session, Vec<String>) {
        session.flexible = Some(wish);
        let action = match session.slots.departure_date {
            Some(_) => serde_json::from_value(serde_json::json!({"type": "search_flights", "query": {
                "origin": session.slots.origin, "destination": session.slots.destination, "departure_date": session.slots.departure_date,
                "passengers": {"adults": 1},
            }}))
            .unwrap(),
            None => Action::Ask { slot: Slot::DepartureDate, because: None },
        };
        compare(&mut session, &action, TODAY);
        let shown = session.comparing.iter().map(|day| match day.return_date {
            Some(back) => format!("{}/{}", day.date, back),
            None => day.date.to_string(),
        });
        let shown = shown.map(|day| day.replace("2026-", "").replace("2027-", "")).collect();
        (session, shown)
    }

    #[test]
    fn the_days_around_one_are_compared_but_none_that_has_passed() {
        let known = session(Some(date(2026, 12, 10)), None);
        let (session_after, days) = compared(known.clone(), Flexible::Around { days: 3 });
        assert_eq!(days, ["12-07", "12-08", "12-09", "12-10", "12-11", "12-12", "12-13"]);
        assert_eq!(session_after.flexible, None, "once");
        assert_eq!(compared(known.clone(), Flexible::Around { days: 1 }).1, ["12-09", "12-10", "12-11"]);
        assert_eq!(compared(known.clone(), Flexible::Around { days: 14 }).1.len(), 7);
        assert_eq!(compared(known, Flexible::InWeek { week: Week::Coming }).1[0], "12-07", "a Monday");
        let soon = session(Some(date(2026, 11, 21)), None);
        assert_eq!(compared(soon, Flexible::Anytime).1, ["11-20", "11-21", "11-22", "11-23", "11-24"]);
    }

    #[test]
    fn a_stay_is_as_long_on_every_day() {
        let known = session(Some(date(2026, 12, 10)), Some(date(2026, 12, 17)));
        let (after, days) = compared(known.clone(), Flexible::Around { days: 1 });
        assert_eq!(days, ["12-09/12-16", "12-10/12-17", "12-11/12-18"]);
        assert_eq!(after.stay, Some(Stay { days: 7, months: 0 }), "so that it moves along with the day that is chosen");
        let one_way = Session { slots: Slots { trip: Some(Trip::OneWay), ..known.slots.clone() }, ..known };
        assert_eq!(compared(one_way, Flexible::Around { days: 1 }).1, ["12-09", "12-10", "12-11"]);
    }

    #[test]
    fn seven_days_are_spread_over_a_month() {
        let mut in_january = session(None, None);
        in_january.month = Some(MonthNamed { slot: Slot::DepartureDate, first: date(2027, 1, 1) });
        let (_, days) = compared(in_january.clone(), Flexible::InMonth);
        assert_eq!(days, ["01-01", "01-06", "01-11", "01-16", "01-21", "01-26", "01-31"]);
        in_january.slots.return_date = Some(date(2027, 1, 12));
        assert_eq!(compared(in_january, Flexible::InMonth).1, ["01-01/01-12", "01-06/01-12", "01-11/01-12"]);
        let known = session(Some(date(2027, 1, 14)), None);
        let (_, days) = compared(known, Flexible::InMonth);
        assert!(days.contains(&"01-14".to_owned()) && days.len() == 7, "{days:?}");
        let (kept, days) = compared(session(None, None), Flexible::Around { days: 2 });
        assert!(days.is_empty() && kept.flexible.is_some(), "kept until a day is known");
        assert_eq!(compared(session(None, None), Flexible::Anytime).1.len(), 7);
    }

    #[test]
    fn a_day_outside_of_what_is_asked_for_is_dropped() {
        let mut known = session(Some(date(2026, 12, 10)), Some(date(2026, 12, 14)));
        known.month = Some(MonthNamed { slot: Slot::DepartureDate, first: date(2027, 1, 1) });
        let said = Understanding { flexible: Some(Flexible::InMonth), ..Understanding::default() };
        keep_wish(&mut known, &said, TODAY);
        assert_eq!((known.slots.departure_date, known.stay), (None, Some(Stay { days: 4, months: 0 })));
        let (_, days) = compared(known, Flexible::InMonth);
        assert_eq!(days[0], "01-01/01-05");
    }

    #[test]
    fn a_day_is_chosen_by_what_it_is() {
        let priced = |day: i8, amount: &str| CalendarDay {
            date: date(2027, 1, day),
            return_date: None,
            sample: false,
            price: contracts::travel::Money::parse(amount, iso_currency::Currency::USD).ok(),
        };
        let mut shown = session(None, None);
        shown.asked = Some(Slot::DepartureDate);
        shown.calendar = vec![priced(1, "300.00"), priced(11, "120.00"), priced(21, "200.00")];
        let day = |said: Understanding| match choose_day(&said, &shown).map(|mention| mention.expression) {
            Some(DateExpr::Date { day, .. }) => Some(day),
            _ => None,
        };
        let said = Understanding::default;
        assert_eq!(day(Understanding { pick: Some(Pick::Cheapest), ..said() }), Some(11));
        assert_eq!(day(Understanding { acts: vec![Act::Affirm], ..said() }), Some(11));
        assert_eq!(day(Understanding { flexible: Some(Flexible::Anytime), ..said() }), Some(11));
        assert_eq!(day(Understanding { pick: Some(Pick::Nth(3)), ..said() }), None, "the third is a day of the month");
        assert_eq!(day(Understanding { flexible: Some(Flexible::InMonth), ..said() }), None);
        assert_eq!(day(said()), None);
    }
}
