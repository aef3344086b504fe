//! Puts days said in words on the calendar.
//!
//! In: a [`DateExpr`], today where the journey starts, and, for the day back, the day out. Out: a day from today on, or
//! what is wrong with what was said. A day without a year is the next one ahead; one that has just passed is more likely
//! a slip than a journey in a year.

use contracts::dialogue::{DateExpr, Holiday, Part, Trouble, Week};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// How far ahead airlines sell, in days.
const SOLD_AHEAD: i32 = 361;
/// A day without a year that would be further ahead than this has just passed, in days.
const JUST_PASSED: i32 = 330;

/// What a day in words is counted from.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// Today.
    pub today: Date,
    /// The day out, when it is the day back that is looked for.
    pub departure: Option<Date>,
    /// In "3/12" the month comes first.
    pub month_first: bool,
}

/// The day an expression means; `None` where it means none in particular ("in March") or is counted from a day that is
/// not known.
///
/// # Errors
/// The day has passed, does not exist, or is too far ahead to be sold.
pub fn resolve(expression: DateExpr, calendar: Calendar) -> Result<Option<Date>, Trouble> {
    let today = calendar.today;
    let Some(date) = on_calendar(expression, calendar)? else { return Ok(None) };
    let explicit_year =
        matches!(expression, DateExpr::Date { year: Some(_), .. } | DateExpr::Numeric { year: Some(_), .. });
    let ahead = days_between(today, date);
    if ahead < 0 {
        return Err(Trouble::PastDate { date });
    }
    if ahead > JUST_PASSED && !explicit_year && matches!(expression, DateExpr::Date { .. } | DateExpr::Numeric { .. }) {
        let passed = date.checked_sub(1.year()).unwrap_or(date);
        if passed >= today {
            // Before the day out, though not passed: the caller knows what to say of it.
            return Ok(Some(passed));
        }
        return Err(Trouble::PastDate { date: passed });
    }
    if ahead > SOLD_AHEAD {
        let latest = today.checked_add(SOLD_AHEAD.days()).unwrap_or(today);
        return Err(Trouble::TooFarAhead { date, latest });
    }
    Ok(Some(date))
}

/// Days from one date to another.
pub fn days_between(from: Date, to: Date) -> i32 {
    to.since(from).map_or(0, |span| span.get_days())
}

fn on_calendar(expression: DateExpr, calendar: Calendar) -> Result<Option<Date>, Trouble> {
    let today = calendar.today;
    // A day back is looked for from the day out on.
    let base = calendar.departure.filter(|departure| *departure >= today).unwrap_or(today);
    let found = match expression {
        DateExpr::Date { year: Some(year), month, day } => Date::new(year, month, day).ok(),
        DateExpr::Date { year: None, month, day } => next_month_and_day(base, month, day),
        DateExpr::Numeric { first, second, year } => {
            let (month, day) = if calendar.month_first { (first, second) } else { (second, first) };
            match year {
                Some(year) => Date::new(year, month, day).ok(),
                None => next_month_and_day(base, month, day),
            }
        }
        DateExpr::DayOfMonth { day, month: Some(ahead) } => in_month_ahead(today, ahead, day),
        DateExpr::DayOfMonth { day, month: None } => next_day_of_month(base, day),
        DateExpr::Weekday { weekday, week } => weekday_in(weekday, week, today, calendar.departure),
        DateExpr::InDays { days } => today.checked_add(days.days()).ok(),
        DateExpr::InMonths { months } => today.checked_add(months.months()).ok(),
        DateExpr::InMonth { part: Part::Any, .. } => return Ok(None),
        DateExpr::InMonth { month, ahead, part } => part_of_month(base, month, ahead, part),
        DateExpr::Holiday { holiday, offset } => next_holiday(base, holiday, offset),
        DateExpr::Festival { festival, offset } => festival.next(base, offset),
        DateExpr::HolidayWeekend { holiday } => next_holiday(base, holiday, 0).and_then(|day| weekend_of(day, base)),
        DateExpr::FestivalWeekend { festival } => festival.next(base, 0).and_then(|day| weekend_of(day, base)),
        DateExpr::NthWeekday { nth, weekday, month, ahead } => nth_weekday(base, nth, weekday, month, ahead),
        DateExpr::WeekdayFrom { weekday, after } => {
            let Some(known) = calendar.departure else { return Ok(coming(today, weekday)) };
            let days = (1..=7).map(|days: i32| if after { days } else { -days });
            days.filter_map(|days| known.checked_add(days.days()).ok())
                .find(|date| date.weekday().to_monday_one_offset() == weekday)
        }
        DateExpr::AfterDeparture { days, months } | DateExpr::Shift { days, months } => match calendar.departure {
            Some(departure) => {
                departure.checked_add(months.months()).and_then(|date| date.checked_add(days.days())).ok()
            }
            None => return Ok(None),
        },
        DateExpr::Impossible => None,
        DateExpr::Other => return Ok(None),
    };
    found.map(Some).ok_or(Trouble::NoSuchDate)
}

/// The day on which the weekend that a holiday makes begins: the Friday, or the holiday itself where that is a Thursday.
fn weekend_of(holiday: Date, base: Date) -> Option<Date> {
    let days = match holiday.weekday() {
        Weekday::Monday => -3,
        Weekday::Tuesday => -4,
        Weekday::Wednesday => 2,
        Weekday::Thursday | Weekday::Friday => 0,
        Weekday::Saturday => -1,
        Weekday::Sunday => -2,
    };
    holiday.checked_add(days.days()).ok().map(|day| day.max(base))
}

/// The first such weekday after a day.
fn coming(from: Date, weekday: i8) -> Option<Date> {
    from.nth_weekday(1, Weekday::from_monday_one_offset(weekday).ok()?).ok()
}

/// "The first Monday of February": the next such day from a day on.
fn nth_weekday(base: Date, nth: i8, weekday: i8, month: Option<i8>, ahead: i8) -> Option<Date> {
    let weekday = Weekday::from_monday_one_offset(weekday).ok()?;
    let within = |first: Date| first.nth_weekday_of_month(nth, weekday).ok();
    match month {
        Some(month) => (0..=1)
            .filter_map(|years| within(Date::new(base.year() + years, month, 1).ok()?))
            .find(|date| *date >= base),
        // Of no month that was named: the next one.
        None if ahead < 0 => (0..=1)
            .filter_map(|months: i32| within(base.first_of_month().checked_add(months.months()).ok()?))
            .find(|date| *date >= base),
        None => within(base.first_of_month().checked_add(i32::from(ahead).months()).ok()?),
    }
}

/// The next such day; over at most eight years, for 29 February may be that far.
fn next_month_and_day(base: Date, month: i8, day: i8) -> Option<Date> {
    (0..=8).filter_map(|years| Date::new(base.year() + years, month, day).ok()).find(|date| *date >= base)
}

fn in_month_ahead(today: Date, ahead: i8, day: i8) -> Option<Date> {
    let month = today.first_of_month().checked_add(ahead.months()).ok()?;
    Date::new(month.year(), month.month(), day).ok()
}

/// The next month that has the day, from the base on.
fn next_day_of_month(base: Date, day: i8) -> Option<Date> {
    (0..=3).filter_map(|ahead| in_month_ahead(base, ahead, day)).find(|date| *date >= base)
}

/// Weeks begin on Monday, so on a Friday "next Monday" is in three days and "next Friday" in seven.
fn weekday_in(weekday: i8, week: Week, today: Date, departure: Option<Date>) -> Option<Date> {
    let weekday = Weekday::from_monday_one_offset(weekday).ok()?;
    let monday = |date: Date| date.checked_sub(i32::from(date.weekday().to_monday_zero_offset()).days()).ok();
    let in_week = |of: Date, weeks: i32| {
        monday(of)?.checked_add((weeks * 7 + i32::from(weekday.to_monday_zero_offset())).days()).ok()
    };
    let base = departure.filter(|departure| *departure >= today).unwrap_or(today);
    let coming = |base: Date| base.nth_weekday(1, weekday).ok();
    let date = match week {
        Week::Coming => coming(base)?,
        Week::This => match in_week(today, 0)? {
            passed if passed < today => coming(today)?,
            date => date,
        },
        Week::Next => in_week(today, 1)?,
        Week::AfterNext => in_week(today, 2)?,
        Week::Last => in_week(today, -1)?,
        Week::ComingPlusWeek => coming(today)?.checked_add(7.days()).ok()?,
        Week::Other => return None,
    };
    // "Fly on the 20th, back next Tuesday": the one after the day out.
    match departure {
        Some(departure) if date < departure && week != Week::Last && week != Week::This => match week {
            Week::Next => in_week(departure, 1).filter(|next| days_between(departure, *next) > 0),
            _ => coming(departure),
        },
        _ => Some(date),
    }
}

fn part_of_month(base: Date, month: Option<i8>, ahead: i8, part: Part) -> Option<Date> {
    let first = match month {
        Some(month) => {
            let this_year = Date::new(base.year(), month, 1).ok()?;
            if this_year.last_of_month() >= base { this_year } else { Date::new(base.year() + 1, month, 1).ok()? }
        }
        None => base.first_of_month().checked_add(ahead.months()).ok()?,
    };
    let day = match part {
        Part::Beginning => first,
        Part::Middle => Date::new(first.year(), first.month(), 15).ok()?,
        Part::End | Part::Any | Part::Other => first.last_of_month(),
    };
    if day < base && month.is_some() { day.checked_add(1.year()).ok() } else { Some(day) }
}

fn next_holiday(base: Date, holiday: Holiday, offset: i32) -> Option<Date> {
    (-1..=2)
        .filter_map(|years| holiday_in(base.year() + years, holiday)?.checked_add(offset.days()).ok())
        .find(|date| *date >= base)
}

fn holiday_in(year: i16, holiday: Holiday) -> Option<Date> {
    let (month, day) = match holiday {
        Holiday::NewYearsDay => (1, 1),
        Holiday::ValentinesDay => (2, 14),
        Holiday::SaintPatricksDay => (3, 17),
        Holiday::GoodFriday => return easter(year)?.checked_sub(2.days()).ok(),
        Holiday::Easter => return easter(year),
        Holiday::EasterMonday => return easter(year)?.checked_add(1.day()).ok(),
        Holiday::IndependenceDay => (7, 4),
        Holiday::LaborDay => return Date::new(year, 9, 1).ok()?.nth_weekday_of_month(1, Weekday::Monday).ok(),
        Holiday::Halloween => (10, 31),
        Holiday::Thanksgiving => return Date::new(year, 11, 1).ok()?.nth_weekday_of_month(4, Weekday::Thursday).ok(),
        Holiday::ChristmasEve => (12, 24),
        Holiday::Christmas => (12, 25),
        Holiday::BoxingDay => (12, 26),
        Holiday::NewYearsEve => (12, 31),
        Holiday::Other => return None,
    };
    Date::new(year, month, day).ok()
}

/// Western Easter Sunday, by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, chapter 8).
fn easter(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A Friday.
    const TODAY: Date = date(2026, 11, 20);

    fn day(expression: DateExpr, departure: Option<Date>) -> Result<Option<Date>, Trouble> {
        resolve(expression, Calendar { today: TODAY, departure, month_first: false })
    }

    #[test]
    fn days_in_words_fall_where_a_person_expects_them() {
        let weekday = |weekday, week| DateExpr::Weekday { weekday, week };
        let on = |month, day| DateExpr::Date { year: None, month, day };
        let cases = [
            (weekday(5, Week::Coming), date(2026, 11, 27)),
            (weekday(5, Week::This), date(2026, 11, 20)),
            (weekday(5, Week::Next), date(2026, 11, 27)),
            (weekday(1, Week::Next), date(2026, 11, 23)),
            (weekday(7, Week::This), date(2026, 11, 22)),
            (weekday(1, Week::This), date(2026, 11, 23)),
            (weekday(6, Week::Next), date(2026, 11, 28)),
            (weekday(5, Week::AfterNext), date(2026, 12, 4)),
            (weekday(5, Week::ComingPlusWeek), date(2026, 12, 4)),
            (on(12, 24), date(2026, 12, 24)),
            (on(3, 3), date(2027, 3, 3)),
            (on(11, 20), date(2026, 11, 20)),
            (DateExpr::DayOfMonth { day: 3, month: None }, date(2026, 12, 3)),
            (DateExpr::DayOfMonth { day: 31, month: None }, date(2026, 12, 31)),
            (DateExpr::DayOfMonth { day: 25, month: Some(0) }, date(2026, 11, 25)),
            (DateExpr::InDays { days: 14 }, date(2026, 12, 4)),
            (DateExpr::InMonths { months: 2 }, date(2027, 1, 20)),
            (DateExpr::InMonth { month: Some(2), ahead: 0, part: Part::End }, date(2027, 2, 28)),
            (DateExpr::InMonth { month: None, ahead: 1, part: Part::Middle }, date(2026, 12, 15)),
            (DateExpr::Numeric { first: 3, second: 12, year: None }, date(2026, 12, 3)),
            (DateExpr::Holiday { holiday: Holiday::Thanksgiving, offset: 0 }, date(2026, 11, 26)),
            (DateExpr::Holiday { holiday: Holiday::Easter, offset: 0 }, date(2027, 3, 28)),
            (DateExpr::Holiday { holiday: Holiday::Christmas, offset: -1 }, date(2026, 12, 24)),
            (DateExpr::Holiday { holiday: Holiday::NewYearsDay, offset: 0 }, date(2027, 1, 1)),
        ];
        for (expression, expected) in cases {
            assert_eq!(day(expression, None), Ok(Some(expected)), "{expression:?}");
        }
    }

    #[test]
    fn the_day_back_is_looked_for_from_the_day_out_on() {
        let out = Some(date(2026, 12, 28));
        let cases = [
            (DateExpr::DayOfMonth { day: 4, month: None }, date(2027, 1, 4)),
            (DateExpr::Date { year: None, month: 1, day: 4 }, date(2027, 1, 4)),
            (DateExpr::Weekday { weekday: 5, week: Week::Coming }, date(2027, 1, 1)),
            (DateExpr::Weekday { weekday: 2, week: Week::Next }, date(2027, 1, 5)),
            (DateExpr::AfterDeparture { days: 7, months: 0 }, date(2027, 1, 4)),
            (DateExpr::AfterDeparture { days: 0, months: 1 }, date(2027, 1, 28)),
        ];
        for (expression, expected) in cases {
            assert_eq!(day(expression, out), Ok(Some(expected)), "{expression:?}");
        }
    }

    #[test]
    fn a_day_that_cannot_be_is_said_to_be_wrong() {
        let dated = |year, month, day| DateExpr::Date { year: Some(year), month, day };
        let latest = date(2027, 11, 16);
        let cases = [
            (dated(2026, 11, 19), Trouble::PastDate { date: date(2026, 11, 19) }),
            (DateExpr::InDays { days: -1 }, Trouble::PastDate { date: date(2026, 11, 19) }),
            (DateExpr::Date { year: None, month: 11, day: 10 }, Trouble::PastDate { date: date(2026, 11, 10) }),
            (DateExpr::DayOfMonth { day: 3, month: Some(0) }, Trouble::PastDate { date: date(2026, 11, 3) }),
            (DateExpr::Impossible, Trouble::NoSuchDate),
            (DateExpr::DayOfMonth { day: 31, month: Some(0) }, Trouble::NoSuchDate),
            (dated(2028, 1, 1), Trouble::TooFarAhead { date: date(2028, 1, 1), latest }),
        ];
        for (expression, expected) in cases {
            assert_eq!(day(expression, None), Err(expected), "{expression:?}");
        }
    }

    #[test]
    fn easter_falls_on_its_sundays() {
        for (year, expected) in [(2019, date(2019, 4, 21)), (2024, date(2024, 3, 31)), (2038, date(2038, 4, 25))] {
            assert_eq!(easter(year), Some(expected));
        }
    }
}
