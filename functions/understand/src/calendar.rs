//! The grammar of days: what single expression starts at a token.
//!
//! [`expression`] tries the written forms in turn (ISO, numeric, month names, weekdays, counted days, holidays, parts of
//! months) and says how many tokens the expression takes.

use shared::dialogue::{DateExpr, Holiday, Part, Week};

use crate::numbers::{digit_ordinal, number, number_or_one, ordinal};
use crate::text::Text;

/// An expression and how many tokens it takes.
pub type Found = Option<(DateExpr, usize)>;

/// The expression of a day that starts at a token.
pub fn expression(text: &Text, at: usize) -> Found {
    iso(text, at)
        .or_else(|| numeric(text, at))
        .or_else(|| with_month_name(text, at))
        .or_else(|| part_of_month(text, at))
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

fn date(year: Option<i16>, month: i8, day: i8) -> DateExpr {
    // 2028 is a leap year, so that 29 February is possible while no year was said.
    match jiff::civil::Date::new(year.unwrap_or(2028), month, day) {
        Ok(_) => DateExpr::Date { year, month, day },
        Err(_) => DateExpr::Impossible,
    }
}

const MONTHS: [[&str; 4]; 12] = [
    ["january", "jan", "januar", "janurary"],
    ["february", "feb", "febuary", "febr"],
    ["march", "mar", "marhc", "mrch"],
    ["april", "apr", "apirl", "aprl"],
    ["may", "may", "may", "may"],
    ["june", "jun", "june", "june"],
    ["july", "jul", "july", "july"],
    ["august", "aug", "agust", "augst"],
    ["september", "sep", "sept", "septemeber"],
    ["october", "oct", "ocotber", "octobre"],
    ["november", "nov", "novemeber", "novmber"],
    ["december", "dec", "decemeber", "decmber"],
];

fn month(word: &str) -> Option<i8> {
    MONTHS.iter().position(|names| names.contains(&word)).map(|at| at as i8 + 1)
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
        next += usize::from(matches!(text.at(next), "the" | ","));
        let (day, length) = ordinal(text, next).or_else(|| number(text, next))?;
        if text.at(next + length) == ":" || !(1..=99).contains(&day) || ends_in_clock(text, next + length) {
            return None;
        }
        return Some(finish_with_year(text, at, next + length, month, day));
    }
    let (day, length) = ordinal(text, start).or_else(|| number(text, start))?;
    let mut next = start + length;
    next += usize::from(text.at(next) == "-" && text.joined(next - 1));
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
    let year = year(text.at(next + gap));
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
    const PARTS: [(&str, Part); 16] = [
        ("the end of", Part::End),
        ("end of", Part::End),
        ("the last day of", Part::End),
        ("last day of", Part::End),
        ("late", Part::End),
        ("the beginning of", Part::Beginning),
        ("beginning of", Part::Beginning),
        ("the start of", Part::Beginning),
        ("start of", Part::Beginning),
        ("early", Part::Beginning),
        ("the first day of", Part::Beginning),
        ("the middle of", Part::Middle),
        ("middle of", Part::Middle),
        ("mid -", Part::Middle),
        ("mid", Part::Middle),
        ("in", Part::Any),
    ];
    let (part, length) = PARTS
        .iter()
        .filter_map(|(phrase, part)| text.any_of(at, &[*phrase]).map(|length| (*part, length)))
        .max_by_key(|(_, length)| *length)?;
    let mut next = at + length;
    next += usize::from(text.at(next) == "in" && part != Part::Any);
    if let Some((month, length)) = month_at(text, next) {
        return Some((DateExpr::InMonth { month: Some(month), ahead: 0, part }, next + length - at));
    }
    let ahead = [("this month", 0), ("the month", 0), ("next month", 1), ("the next month", 1)]
        .iter()
        .find_map(|(phrase, ahead)| text.any_of(next, &[*phrase]).map(|length| (*ahead, length)));
    let (ahead, length) = ahead.filter(|_| part != Part::Any)?;
    Some((DateExpr::InMonth { month: None, ahead, part }, next + length - at))
}

/// 1 (Monday) to 7 (Sunday).
fn weekday_name(word: &str) -> Option<i8> {
    Some(match word {
        "monday" | "mondays" | "mon" => 1,
        "tuesday" | "tuesdays" | "tue" | "tues" => 2,
        "wednesday" | "wednesdays" | "wed" | "weds" | "wednseday" | "wensday" | "wendesday" => 3,
        "thursday" | "thursdays" | "thu" | "thur" | "thurs" => 4,
        "friday" | "fridays" | "fri" => 5,
        "saturday" | "saturdays" | "sat" => 6,
        "sunday" | "sundays" | "sun" => 7,
        _ => return None,
    })
}

/// "Friday", "next Friday", "Friday next week", "a week from Friday", "Friday, 3 March", "next weekend".
fn weekday(text: &Text, at: usize) -> Found {
    const WEEKS: [(&str, Week); 9] = [
        ("the following", Week::Next),
        ("the coming", Week::Coming),
        ("this coming", Week::Coming),
        ("the next", Week::Next),
        ("coming", Week::Coming),
        ("upcoming", Week::Coming),
        ("this", Week::This),
        ("next", Week::Next),
        ("last", Week::Last),
    ];
    for (phrase, week) in [
        ("a week from", Week::ComingPlusWeek),
        ("a week on", Week::ComingPlusWeek),
        ("one week from", Week::ComingPlusWeek),
        ("next week", Week::Next),
        ("next week on", Week::Next),
        ("this week", Week::This),
        ("this week on", Week::This),
        ("week after next on", Week::AfterNext),
    ] {
        if let Some(length) = text.any_of(at, &[phrase])
            && let Some(weekday) = weekday_name(text.at(at + length))
        {
            return Some((DateExpr::Weekday { weekday, week }, length + 1));
        }
    }
    let before = WEEKS.iter().find_map(|(phrase, week)| text.any_of(at, &[*phrase]).map(|length| (*week, length)));
    let start = at + before.map_or(0, |(_, length)| length);
    let named = before.map(|(week, _)| week);
    let start = start + usize::from(before.is_none() && text.at(start) == "the" && text.at(start + 1) == "weekend");
    if matches!(text.at(start), "weekend" | "weekends") {
        let week = named.unwrap_or(Week::Coming);
        return Some((DateExpr::Weekday { weekday: 6, week }, start + 1 - at));
    }
    let weekday = weekday_name(text.at(start))?;
    if is_other_word(text, start, named.is_some()) {
        return None;
    }
    let mut next = start + 1;
    next += usize::from(text.at(next) == "." && text.joined(start) && text.at(start).len() <= 4);
    if let Some((exact, length)) = exact_after(text, next) {
        return Some((exact, length - at));
    }
    let comma = usize::from(text.at(next) == ",");
    const AFTER: [(&str, Week); 13] = [
        ("week after next", Week::AfterNext),
        ("the week after next", Week::AfterNext),
        ("in two weeks", Week::AfterNext),
        ("after next", Week::AfterNext),
        ("the week after", Week::AfterNext),
        ("of next week", Week::Next),
        ("in the next week", Week::Next),
        ("the next week", Week::Next),
        ("next week", Week::Next),
        ("the following week", Week::Next),
        ("of this week", Week::This),
        ("this week", Week::This),
        ("week", Week::ComingPlusWeek),
    ];
    let after = AFTER
        .iter()
        .filter_map(|(phrase, week)| text.any_of(next + comma, &[*phrase]).map(|length| (*week, length + comma)))
        .max_by_key(|(_, length)| *length);
    let (week, length) = after.unwrap_or((named.unwrap_or(Week::Coming), 0));
    Some((DateExpr::Weekday { weekday, week }, next + length - at))
}

/// The date in "Friday, 3 March" and "Friday the 13th", and where it ends.
fn exact_after(text: &Text, at: usize) -> Found {
    let at = at + usize::from(matches!(text.at(at), "," | "the" | "(" | "-"));
    let at = at + usize::from(text.at(at) == "the");
    iso(text, at)
        .or_else(|| numeric(text, at))
        .or_else(|| with_month_name(text, at))
        .or_else(|| digit_ordinal(text, at).and_then(|_| day_of_month(text, at)))
        .map(|(found, length)| (found, at + length))
}

/// "sun", "sat", "wed" and "mon" are days where something beside them says so.
fn is_other_word(text: &Text, at: usize, named: bool) -> bool {
    let word = text.at(at);
    if !matches!(word, "sun" | "sat" | "wed" | "mon" | "fri") || named {
        return false;
    }
    let capital = text.tokens.get(at).is_some_and(|token| token.capital);
    let led =
        matches!(text.before(at, 1), "on" | "by" | "until" | "till" | "from" | "this" | "next" | "," | "to" | "-");
    let alone = at == 0 && !text.tokens.get(1).is_some_and(|token| token.is_word());
    !(capital || led || alone)
}

/// Fixed and movable holidays.
fn holiday(text: &Text, at: usize) -> Found {
    const NAMES: [(&str, Holiday); 36] = [
        ("new year 's eve", Holiday::NewYearsEve),
        ("new years eve", Holiday::NewYearsEve),
        ("new year eve", Holiday::NewYearsEve),
        ("nye", Holiday::NewYearsEve),
        ("new year 's day", Holiday::NewYearsDay),
        ("new years day", Holiday::NewYearsDay),
        ("new year 's", Holiday::NewYearsDay),
        ("new years", Holiday::NewYearsDay),
        ("new year", Holiday::NewYearsDay),
        ("valentine 's day", Holiday::ValentinesDay),
        ("valentines day", Holiday::ValentinesDay),
        ("valentine 's", Holiday::ValentinesDay),
        ("st patrick 's day", Holiday::SaintPatricksDay),
        ("st . patrick 's day", Holiday::SaintPatricksDay),
        ("saint patrick 's day", Holiday::SaintPatricksDay),
        ("st patricks day", Holiday::SaintPatricksDay),
        ("good friday", Holiday::GoodFriday),
        ("easter monday", Holiday::EasterMonday),
        ("easter sunday", Holiday::Easter),
        ("easter", Holiday::Easter),
        ("independence day", Holiday::IndependenceDay),
        ("labor day", Holiday::LaborDay),
        ("labour day", Holiday::LaborDay),
        ("halloween", Holiday::Halloween),
        ("thanksgiving day", Holiday::Thanksgiving),
        ("thanksgiving", Holiday::Thanksgiving),
        ("christmas eve", Holiday::ChristmasEve),
        ("xmas eve", Holiday::ChristmasEve),
        ("x - mas eve", Holiday::ChristmasEve),
        ("christmas day", Holiday::Christmas),
        ("xmas day", Holiday::Christmas),
        ("christmas", Holiday::Christmas),
        ("xmas", Holiday::Christmas),
        ("boxing day", Holiday::BoxingDay),
        ("second day of christmas", Holiday::BoxingDay),
        ("new year ' s eve", Holiday::NewYearsEve),
    ];
    const OFFSETS: [(&str, i32); 6] = [
        ("the day before", -1),
        ("a day before", -1),
        ("one day before", -1),
        ("the day after", 1),
        ("a day after", 1),
        ("one day after", 1),
    ];
    let led = OFFSETS.iter().find_map(|(phrase, days)| text.any_of(at, &[*phrase]).map(|length| (*days, length)));
    let counted = led.or_else(|| {
        let (count, length) = number(text, at)?;
        let sign = match (text.at(at + length), text.at(at + length + 1)) {
            ("days", "before") => -1,
            ("days", "after") => 1,
            _ => return None,
        };
        Some((sign * count as i32, length + 2))
    });
    let (offset, start) = counted.map_or((0, at), |(days, length)| (days, at + length));
    let (holiday, length) = NAMES
        .iter()
        .filter_map(|(phrase, holiday)| text.any_of(start, &[*phrase]).map(|length| (*holiday, length)))
        .max_by_key(|(_, length)| *length)?;
    if matches!(text.at(start + length), "island" | "islands") {
        return None;
    }
    Some((DateExpr::Holiday { holiday, offset }, start + length - at))
}

/// "today", "the day after tomorrow", "in two weeks", "ten days from now".
fn counted(text: &Text, at: usize) -> Found {
    const NAMED: [(&str, i32); 21] = [
        ("the day after tomorrow", 2),
        ("day after tomorrow", 2),
        ("the day after tmrw", 2),
        ("overmorrow", 2),
        ("tomorrow", 1),
        ("tomorow", 1),
        ("tommorow", 1),
        ("tommorrow", 1),
        ("tomorrrow", 1),
        ("tmrw", 1),
        ("tmr", 1),
        ("later today", 0),
        ("today", 0),
        ("tonight", 0),
        ("this morning", 0),
        ("this afternoon", 0),
        ("this evening", 0),
        ("the day before yesterday", -2),
        ("yesterday", -1),
        ("a week from today", 7),
        ("a week from tomorrow", 8),
    ];
    if let Some((days, length)) = NAMED
        .iter()
        .filter_map(|(phrase, days)| text.any_of(at, &[*phrase]).map(|length| (*days, length)))
        .max_by_key(|(_, length)| *length)
    {
        return Some((DateExpr::InDays { days }, length));
    }
    let led = text.at(at) == "in";
    let start = at + usize::from(led);
    let (span, length) = span(text, start)?;
    let mut next = start + length;
    let from_now = text.any_of(next, &["from now", "from today", "ahead", "from tomorrow"]);
    let tomorrow = i32::from(text.at(next + 1) == "tomorrow");
    next += from_now.unwrap_or(0);
    if text.is(next, &["'s", "time"]) || text.is(next, &["'", "time"]) {
        next += 2;
    }
    next += usize::from(text.at(next) == "time");
    if !led && from_now.is_none() {
        return None;
    }
    let expression = match span {
        Span { days, months: 0 } => DateExpr::InDays { days: days + tomorrow },
        Span { months, .. } => DateExpr::InMonths { months },
    };
    Some((expression, next - at))
}

/// A length of time in whole days or months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Days.
    pub days: i32,
    /// Months.
    pub months: i32,
}

/// A length of time that starts at a token: "two weeks", "a fortnight", "3-day", "5 nights"; and how many tokens.
pub fn span(text: &Text, at: usize) -> Option<(Span, usize)> {
    if text.at(at) == "fortnight" || text.is(at, &["a", "fortnight"]) {
        return Some((Span { days: 14, months: 0 }, 1 + usize::from(text.at(at) == "a")));
    }
    let (count, length) = number_or_one(text, at)?;
    let mut next = at + length;
    next += usize::from(text.at(next) == "-");
    next += usize::from(matches!(text.at(next), "full" | "whole" | "more" | "extra" | "other"));
    let count = i32::try_from(count.min(3_000)).ok()?;
    let span = match text.at(next) {
        "day" | "days" | "night" | "nights" => Span { days: count, months: 0 },
        "week" | "weeks" => Span { days: count * 7, months: 0 },
        "fortnights" => Span { days: count * 14, months: 0 },
        "month" | "months" => Span { days: 0, months: count },
        "year" | "years" if text.at(next + 1) != "old" && text.at(next + 1) != "-" => {
            Span { days: 0, months: count * 12 }
        }
        _ => return None,
    };
    Some((span, next + 1 - at))
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
    const MONTHS: [(&str, i8); 9] = [
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
            ("30 February", DateExpr::Impossible),
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
