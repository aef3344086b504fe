//! The grammar of days: what single expression starts at a token.
//!
//! [`expression`] tries the written forms in turn (ISO, numeric, month names, weekdays, counted days, holidays, parts of
//! months) and says how many tokens the expression takes.

mod counted;
mod holidays;
mod nth;
mod ranges;
mod weekdays;
mod weeks;

use contracts::dialogue::{DateExpr, Part};

use counted::counted;
pub use counted::{Span, span};
use holidays::holiday;
use nth::{from_known, nth_weekday};
use ranges::dotted_day;
pub use ranges::range;
use weekdays::weekday;
use weeks::week_of_month;

use crate::months::month;
use crate::numbers::{digit_ordinal, number, ordinal};
use crate::text::Text;

/// An expression and how many tokens it takes.
pub type Found = Option<(DateExpr, usize)>;

/// The expression of a day that starts at a token.
pub fn expression(text: &Text, at: usize) -> Found {
    iso(text, at)
        .or_else(|| numeric(text, at))
        .or_else(|| dotted(text, at))
        .or_else(|| nth_weekday(text, at))
        .or_else(|| week_of_month(text, at))
        .or_else(|| with_month_name(text, at))
        .or_else(|| part_of_month(text, at))
        .or_else(|| from_known(text, at))
        .or_else(|| weekday(text, at))
        .or_else(|| holiday(text, at))
        .or_else(|| counted(text, at))
        .or_else(|| day_of_month(text, at))
}

fn digits(word: &str, most: usize) -> Option<i16> {
    (!word.is_empty() && word.len() <= most && word.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| word.parse().ok())
        .flatten()
}

fn small(word: &str) -> Option<i8> {
    digits(word, 2).and_then(|value| i8::try_from(value).ok())
}

fn year(word: &str) -> Option<i16> {
    (word.len() == 4).then(|| digits(word, 4)).flatten().filter(|year| (1900..=2200).contains(year))
}

/// "2027-03-01", "2027/3/1".
fn iso(text: &Text, at: usize) -> Found {
    let year = year(text.at(at))?;
    let sign = text.at(at + 1);
    if !matches!(sign, "-" | "/" | ".") || text.at(at + 3) != sign || !(at..at + 4).all(|at| text.joined(at)) {
        return None;
    }
    let expression = date(Some(year), small(text.at(at + 2))?, small(text.at(at + 4))?);
    Some((expression, 5))
}

/// "3/12", "3/12/2027", "3.12.27", "3-12-2027".
fn numeric(text: &Text, at: usize) -> Found {
    let (first, second) = (small(text.at(at))?, small(text.at(at + 2))?);
    let sign = text.at(at + 1);
    if !matches!(sign, "/" | "." | "-") || !text.joined(at) || !text.joined(at + 1) {
        return None;
    }
    let with_year = text.at(at + 3) == sign && text.joined(at + 2) && text.joined(at + 3);
    let year = if with_year {
        year(text.at(at + 4)).or_else(|| small(text.at(at + 4)).map(|short| 2000 + i16::from(short)))
    } else {
        None
    };
    if year.is_none() && sign != "/" {
        // "3.12" is as likely a price or a time, "3-12" a range.
        return None;
    }
    let length = if year.is_some() { 5 } else { 3 };
    let expression = match (first, second) {
        (1..=12, 1..=12) if first != second => DateExpr::Numeric { first, second, year },
        (1..=12, _) => date(year, first, second),
        _ => date(year, second, first),
    };
    Some((expression, length))
}

/// "13.12." and "on 10.01": with a full stop behind, or where a day is expected; "3.50" is a price and "8.30" a time.
fn dotted(text: &Text, at: usize) -> Found {
    let (found, length) = dotted_day(text, at)?;
    let led = matches!(
        text.before(at, 1),
        "on" | "return" | "back" | "leaving" | "departing" | "date" | "from" | "until" | "till" | "," | "and"
    );
    let money = matches!(text.before(at, 1), "$" | "€" | "£")
        || matches!(text.at(at + length), "$" | "€" | "£" | "am" | "pm" | "k" | "h");
    let digits = text.at(at + 2).len() == 2;
    ((length > 3 || led || digits && text.at(at).len() == 2) && !money).then_some((found, length))
}

/// Whether a word is a day as clerks write it ("03mar").
pub fn is_compact(word: &str) -> bool {
    compact(word).is_some()
}

fn date(year: Option<i16>, month: i8, day: i8) -> DateExpr {
    // 2028 is a leap year, so that 29 February is possible while no year was said.
    match jiff::civil::Date::new(year.unwrap_or(2028), month, day) {
        Ok(_) => DateExpr::Date { year, month, day },
        // "31 November" is in November, though no day of it: what follows may still be.
        Err(_) if (1..=12).contains(&month) && (29..=31).contains(&day) => DateExpr::Date { year, month, day },
        Err(_) => DateExpr::Impossible,
    }
}

/// The month that starts at a token; an abbreviation may end in a full stop.
fn month_at(text: &Text, at: usize) -> Option<(i8, usize)> {
    let month = month(text.at(at))?;
    let dotted = text.at(at).len() <= 4 && text.at(at + 1) == "." && text.joined(at);
    Some((month, 1 + usize::from(dotted)))
}

/// "3 March", "the 3rd of March 2027", "March 3rd, 2027", "03MAR".
fn with_month_name(text: &Text, at: usize) -> Found {
    if let Some(found) = compact(text.at(at)) {
        return Some((found, 1));
    }
    let start = at + usize::from(text.at(at) == "the");
    if let Some((month, length)) = month_at(text, start) {
        let mut next = start + length;
        let comma = text.at(next) == ",";
        next += usize::from(matches!(text.at(next), "the" | ","));
        let (day, length) = ordinal(text, next).or_else(|| number(text, next).filter(|_| !comma))?;
        if text.at(next + length) == ":" || !(1..=99).contains(&day) || ends_in_clock(text, next + length) {
            return None;
        }
        return Some(finish_with_year(text, at, next + length, month, day));
    }
    let (day, length) = ordinal(text, start).or_else(|| number(text, start))?;
    let mut next = start + length;
    next += usize::from(matches!(text.at(next), "-" | ".") && text.joined(next - 1));
    next += usize::from(matches!(text.at(next), "day")) * usize::from(text.at(next + 1) == "of");
    next += usize::from(matches!(text.at(next), "of" | "in"));
    next += usize::from(text.at(next) == "the" && text.at(next + 1).starts_with("month"));
    let (month, length) = month_at(text, next)?;
    if month == 5 && matches!(text.at(next + 1), "i" | "we" | "be" | "you") {
        return None;
    }
    Some(finish_with_year(text, at, next + length, month, day))
}

/// The number before these is a time of day ("March 5 pm" is not a day).
fn ends_in_clock(text: &Text, at: usize) -> bool {
    matches!(text.at(at), "am" | "pm" | "oclock" | "people" | "persons" | "tickets" | "seats" | "adults" | "passengers")
}

fn finish_with_year(text: &Text, start: usize, mut next: usize, month: i8, day: u32) -> (DateExpr, usize) {
    let gap = usize::from(matches!(text.at(next), "," | "of" | "-"));
    // "8 Dec 1900" is a time of day.
    let year = year(text.at(next + gap)).filter(|year| (2010..2030).contains(year) || gap > 0 || year % 100 > 59);
    if year.is_some() {
        next += gap + 1;
    }
    (date(year, month, i8::try_from(day).unwrap_or(i8::MAX)), next - start)
}

/// "03mar", "3mar27", "3mar2027", as booking clerks write it; also "mar3".
fn compact(word: &str) -> Option<DateExpr> {
    let letters = word.find(|sign: char| sign.is_ascii_alphabetic())?;
    let (day, rest) = word.split_at_checked(letters)?;
    let ending = rest.find(|sign: char| sign.is_ascii_digit()).unwrap_or(rest.len());
    let (name, tail) = rest.split_at_checked(ending)?;
    let month = month(name)?;
    if day.is_empty() {
        return small(tail).map(|day| date(None, month, day));
    }
    let year = match tail.len() {
        0 => None,
        2 => Some(2000 + i16::from(small(tail)?)),
        _ => Some(year(tail)?),
    };
    Some(date(year, month, small(day)?))
}

/// "end of March", "mid-March", "early next month", "the last day of the month", "in March".
fn part_of_month(text: &Text, at: usize) -> Found {
    const PARTS: &[(&str, Part)] = &[
        ("the end of", Part::End),
        ("end of", Part::End),
        ("end", Part::End),
        ("the last day of", Part::End),
        ("last day of", Part::End),
        ("late", Part::End),
        ("the beginning of", Part::Beginning),
        ("beginning of", Part::Beginning),
        ("the start of", Part::Beginning),
        ("start of", Part::Beginning),
        ("start", Part::Beginning),
        ("beginning", Part::Beginning),
        ("early", Part::Beginning),
        ("the first day of", Part::Beginning),
        ("the middle of", Part::Middle),
        ("middle of", Part::Middle),
        ("mid -", Part::Middle),
        ("mid", Part::Middle),
        ("in", Part::Any),
        ("first week of", Part::Any),
        ("the first week of", Part::Any),
        ("second week of", Part::Any),
        ("the second week of", Part::Any),
        ("third week of", Part::Any),
        ("the third week of", Part::Any),
        ("last week of", Part::Any),
        ("the last week of", Part::Any),
        ("first half of", Part::Any),
        ("the first half of", Part::Any),
        ("second half of", Part::Any),
        ("the second half of", Part::Any),
        ("during", Part::Any),
        ("sometime in", Part::Any),
        ("some time in", Part::Any),
        ("anytime in", Part::Any),
        ("any time in", Part::Any),
        ("any day in", Part::Any),
        ("for", Part::Any),
    ];
    let led = PARTS
        .iter()
        .filter_map(|(phrase, part)| text.any_of(at, &[*phrase]).map(|length| (*part, length)))
        .max_by_key(|(_, length)| *length);
    let (part, length) = led.or_else(|| month_alone(text, at))?;
    if let Some(year) = text.any_of(at, &["in the new year", "early in the new year", "in the newyear"]) {
        return Some((DateExpr::InMonth { month: Some(1), ahead: 0, part: Part::Any }, year));
    }
    let mut next = at + length;
    next += usize::from(text.at(next) == "in" && part != Part::Any);
    if let Some((month, length)) = month_at(text, next) {
        return Some((DateExpr::InMonth { month: Some(month), ahead: 0, part }, next + length - at));
    }
    let ahead = [("this month", 0), ("the month", 0), ("next month", 1), ("the next month", 1)]
        .iter()
        .find_map(|(phrase, ahead)| text.any_of(next, &[*phrase]).map(|length| (*ahead, length)));
    let (ahead, length) = ahead.filter(|_| text.at(at) != "in" && text.at(at) != "for" || part != Part::Any)?;
    Some((DateExpr::InMonth { month: None, ahead, part }, next + length - at))
}

/// "March", "ok, march then": a month that is nearly all of a message, or stands between what a comma parts.
fn month_alone(text: &Text, at: usize) -> Option<(Part, usize)> {
    const BESIDE: &[&str] = &[
        "meant", "mean", "i", "did", "said", "not", "oops", "wait", "ok", "okay", "then", "please", "maybe", "or",
        "make", "it", "lets", "say", "no", "actually", "instead", "what", "about", "how", "sometime", "anytime", "try",
        "probably", "sorry", "next", "this",
    ];
    month_at(text, at)?;
    // "May I".
    if matches!(text.at(at + 1), "i" | "we" | "be" | "you") {
        return None;
    }
    let others = (0..text.len()).filter(|other| *other != at && text.is_word(*other));
    let mut count = 0;
    let alone = others.into_iter().all(|other| {
        count += 1;
        BESIDE.contains(&text.at(other)) || month_at(text, other).is_some()
    });
    (alone && count <= 7).then_some((Part::Any, 0))
}

/// "the 3rd", "the 3rd of next month", "on the 3". An ordinal in words must be said to be a day ("on the third"), for
/// "the second" is more often an offer.
fn day_of_month(text: &Text, at: usize) -> Found {
    let start = at + usize::from(text.at(at) == "the");
    let (day, length, sure) = match digit_ordinal(text, start) {
        Some((day, length)) => (day, length, true),
        None => match ordinal(text, start) {
            Some((day, length)) => (day, length, false),
            None => {
                let (day, length) = number(text, start).filter(|_| start > at)?;
                let ends = matches!(
                    text.at(start + length),
                    "" | "." | "," | "?" | "!" | "of" | "and" | "to" | "for" | "from"
                );
                (day, length, ends && text.before(at, 1) == "on" && day > 0)
            }
        },
    };
    let mut next = start + length;
    const MONTHS: &[(&str, i8)] = &[
        ("of this month", 0),
        ("of the month", 0),
        ("in this month", 0),
        ("this month", 0),
        ("of current month", 0),
        ("of the current month", 0),
        ("of next month", 1),
        ("of the next month", 1),
        ("next month", 1),
    ];
    let month = MONTHS.iter().find_map(|(phrase, ahead)| text.any_of(next, &[*phrase]).map(|length| (*ahead, length)));
    let day_led =
        matches!(text.before(at, 1), "on" | "until" | "till" | "by" | "leaving" | "returning" | "date" | "departing");
    let counts_other = matches!(
        text.at(next),
        "class"
            | "one"
            | "flight"
            | "option"
            | "offer"
            | "choice"
            | "result"
            | "ticket"
            | "time"
            | "leg"
            | "street"
            | "floor"
    );
    if month.is_none() && (counts_other || !(sure || day_led && start > at)) {
        return None;
    }
    next += month.map_or(0, |(_, length)| length);
    let expression = match i8::try_from(day) {
        Ok(day @ 1..=31) => DateExpr::DayOfMonth { day, month: month.map(|(ahead, _)| ahead) },
        _ => DateExpr::Impossible,
    };
    Some((expression, next - at))
}

#[cfg(test)]
mod tests {
    use contracts::dialogue::{Holiday, Week};

    use super::*;

    const fn on(month: i8, day: i8) -> DateExpr {
        DateExpr::Date { year: None, month, day }
    }

    const fn weekday_in(weekday: i8, week: Week) -> DateExpr {
        DateExpr::Weekday { weekday, week }
    }

    #[test]
    fn days_are_read_however_they_are_written() {
        let cases = [
            ("2027-03-01", DateExpr::Date { year: Some(2027), month: 3, day: 1 }),
            ("3/12", DateExpr::Numeric { first: 3, second: 12, year: None }),
            ("25/12/26", DateExpr::Date { year: Some(2026), month: 12, day: 25 }),
            ("12/25", on(12, 25)),
            ("March 3rd", on(3, 3)),
            ("3 march", on(3, 3)),
            ("the third of March", on(3, 3)),
            ("Dec. 24, 2026", DateExpr::Date { year: Some(2026), month: 12, day: 24 }),
            ("24DEC", on(12, 24)),
            ("fourth of July", on(7, 4)),
            ("30 February", on(2, 30)),
            ("32 February", DateExpr::Impossible),
            ("the 45th", DateExpr::Impossible),
            ("the 3rd", DateExpr::DayOfMonth { day: 3, month: None }),
            ("3rd of this month", DateExpr::DayOfMonth { day: 3, month: Some(0) }),
            ("the 3rd of next month", DateExpr::DayOfMonth { day: 3, month: Some(1) }),
            ("Friday", weekday_in(5, Week::Coming)),
            ("this Friday", weekday_in(5, Week::This)),
            ("next Friday", weekday_in(5, Week::Next)),
            ("Friday next week", weekday_in(5, Week::Next)),
            ("Friday week", weekday_in(5, Week::ComingPlusWeek)),
            ("a week from Friday", weekday_in(5, Week::ComingPlusWeek)),
            ("Friday after next", weekday_in(5, Week::AfterNext)),
            ("next weekend", weekday_in(6, Week::Next)),
            ("Friday the 13th", DateExpr::DayOfMonth { day: 13, month: None }),
            ("Friday, 27 November", on(11, 27)),
            ("tomorrow", DateExpr::InDays { days: 1 }),
            ("the day after tomorrow", DateExpr::InDays { days: 2 }),
            ("in two weeks", DateExpr::InDays { days: 14 }),
            ("in a fortnight's time", DateExpr::InDays { days: 14 }),
            ("ten days from now", DateExpr::InDays { days: 10 }),
            ("in two months", DateExpr::InMonths { months: 2 }),
            ("Christmas Eve", DateExpr::Holiday { holiday: Holiday::ChristmasEve, offset: 0 }),
            ("New Year's Eve", DateExpr::Holiday { holiday: Holiday::NewYearsEve, offset: 0 }),
            ("the day after Thanksgiving", DateExpr::Holiday { holiday: Holiday::Thanksgiving, offset: 1 }),
            ("end of March", DateExpr::InMonth { month: Some(3), ahead: 0, part: Part::End }),
            ("mid-June", DateExpr::InMonth { month: Some(6), ahead: 0, part: Part::Middle }),
            ("early next month", DateExpr::InMonth { month: None, ahead: 1, part: Part::Beginning }),
        ];
        for (words, expected) in cases {
            let text = Text::new(words);
            assert_eq!(expression(&text, 0), Some((expected, text.len())), "{words}");
        }
    }

    #[test]
    fn what_is_no_day_is_left_alone() {
        for words in
            ["the second one", "first class", "4", "1st class", "may I", "a week", "3.50", "sat down", "Easter Island"]
        {
            assert_eq!(expression(&Text::new(words), 0), None, "{words}");
        }
    }
}
