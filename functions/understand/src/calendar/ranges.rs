//! Two days at once: "5 to 9 dec", "10.01-20.01", "from the 24th till 2 jan", "11 to 18".

use contracts::dialogue::DateExpr;

use super::{Found, date, month_at, small, year};
use crate::numbers::{number, ordinal};
use crate::text::Text;

/// The two days of a range that starts at a token, and how many tokens it takes.
pub fn range(text: &Text, at: usize) -> Option<(DateExpr, DateExpr, usize)> {
    let start = at + usize::from(matches!(text.at(at), "from" | "between"));
    let start = start + usize::from(text.at(start) == "the");
    let between = text.at(at) == "between";
    dotted(text, start)
        .or_else(|| of_one_month(text, start, between))
        .or_else(|| slashed(text, start))
        .map(|(first, second, end)| (first, second, end - at))
}

/// The sign or word between the two days.
fn joint(text: &Text, at: usize, between: bool) -> Option<usize> {
    match text.at(at) {
        "-" | "to" | "till" | "until" | "til" | "through" | "thru" => Some(1),
        "and" if between => Some(1),
        _ => None,
    }
}

/// "5 to 9 dec", "5th-9th of december", "28 - 4 jan" where the first lies in the month before.
fn of_one_month(text: &Text, at: usize, between: bool) -> Option<(DateExpr, DateExpr, usize)> {
    let (first, length) = day(text, at)?;
    let joint = joint(text, at + length, between)?;
    let next = at + length + joint;
    let next = next + usize::from(text.at(next) == "the");
    let (second, length) = day(text, next)?;
    let named = next + length + usize::from(text.at(next + length) == "of");
    let (month, length) = month_at(text, named)?;
    // "2 to 3 mar" of people and the like is no month where a noun follows.
    let end = named + length;
    let year = year(text.at(end));
    let before = match first > second {
        false => (month, year),
        true if month == 1 => (12, year.map(|year| year - 1)),
        true => (month - 1, year),
    };
    Some((date(before.1, before.0, first), date(year, month, second), end + usize::from(year.is_some())))
}

/// "dec 20/27": two days of a month.
fn slashed(text: &Text, at: usize) -> Option<(DateExpr, DateExpr, usize)> {
    let (month, length) = month_at(text, at)?;
    let next = at + length;
    let (first, second) = (small(text.at(next))?, small(text.at(next + 2))?);
    let days = (1..=31).contains(&first) && (1..=31).contains(&second) && first < second;
    let shaped = text.at(next + 1) == "/" && text.joined(next) && text.joined(next + 1) && text.at(next + 3) != "/";
    (days && shaped).then(|| (date(None, month, first), date(None, month, second), next + 3))
}

fn day(text: &Text, at: usize) -> Option<(i8, usize)> {
    let (day, length) = ordinal(text, at).or_else(|| number(text, at))?;
    let day = i8::try_from(day).ok().filter(|day| (1..=31).contains(day))?;
    (!matches!(text.at(at + length), "." | ":" | "/")).then_some((day, length))
}

/// "10.01-20.01", "10.01. - 20.01.2027", "10.1 till 20.1".
fn dotted(text: &Text, at: usize) -> Option<(DateExpr, DateExpr, usize)> {
    let (first, length) = dotted_day(text, at)?;
    let joint = joint(text, at + length, true)?;
    let (second, other) = dotted_day(text, at + length + joint)?;
    Some((first, second, at + length + joint + other))
}

/// "13.12.", "13.12.27", "10.01": day and month with full stops.
pub(super) fn dotted_day(text: &Text, at: usize) -> Found {
    let (day, month) = (small(text.at(at))?, small(text.at(at + 2))?);
    let shaped = text.at(at + 1) == "." && text.joined(at) && text.joined(at + 1) && text.at(at + 2).len() <= 2;
    if !shaped || !(1..=31).contains(&day) || !(1..=12).contains(&month) {
        return None;
    }
    let stop = usize::from(text.at(at + 3) == "." && text.joined(at + 2));
    let year = (stop == 1 && text.joined(at + 3))
        .then(|| year(text.at(at + 4)).or_else(|| small(text.at(at + 4)).map(|short| 2000 + i16::from(short))));
    match year.flatten() {
        Some(year) => Some((date(Some(year), month, day), 5)),
        None => Some((date(None, month, day), 3 + stop)),
    }
}
