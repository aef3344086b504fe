//! Days, lengths of time, travellers and cabins as people say them.

use contracts::api::ReplyRequest;
use contracts::travel::{Cabin, Passengers};
use jiff::civil::Date;

pub(crate) fn travellers(passengers: &Passengers) -> String {
    let count = |number: u8, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{number} {many}")),
    };
    let groups = [
        count(passengers.adults, "adult", "adults"),
        count(passengers.children, "child", "children"),
        count(passengers.infants, "infant", "infants"),
    ];
    groups.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(crate) fn cabin_name(cabin: Cabin) -> &'static str {
    match cabin {
        Cabin::Economy => "economy",
        Cabin::PremiumEconomy => "premium economy",
        Cabin::Business => "business",
        Cabin::First => "first class",
        Cabin::Other => "another cabin",
    }
}

/// A day as people say it, with the year where it is not this one.
pub(crate) fn day(date: Date, request: &ReplyRequest) -> String {
    let format = if date.year() == request.client_time.0.year() { "%A %-d %B" } else { "%A %-d %B %Y" };
    date.strftime(format).to_string()
}

pub(crate) fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// A text whose days are written as numbers, "2026-11-27" for "Friday 27 November": what is read in any language. A day without
/// its year is in this one.
pub(crate) fn with_iso_days(text: &str, this_year: i16) -> String {
    text.split('\n').map(|line| iso_days_of_line(line, this_year)).collect::<Vec<_>>().join("\n")
}

fn iso_days_of_line(line: &str, this_year: i16) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mut kept: Vec<String> = Vec::with_capacity(words.len());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match iso_day(words.get(at..).unwrap_or_default(), this_year) {
            Some((day, length)) => {
                kept.push(day);
                at += length;
            }
            None => {
                kept.push((*word).to_owned());
                at += 1;
            }
        }
    }
    kept.join(" ")
}

/// The day that words begin with, as `day` writes it, with the signs behind it, and how many words it takes.
fn iso_day(words: &[&str], this_year: i16) -> Option<(String, usize)> {
    let [weekday, number, month, rest @ ..] = words else { return None };
    let bare = |word: &str| word.trim_end_matches(|sign: char| !sign.is_alphanumeric()).to_owned();
    let year = rest.first().filter(|_| bare(month) == **month).and_then(|year| {
        let digits = bare(year);
        (digits.len() == 4).then(|| digits.parse::<i16>().ok()).flatten()
    });
    let last = if year.is_some() { rest.first()? } else { month };
    let date = Date::strptime("%d %B %Y", format!("{number} {} {}", bare(month), year.unwrap_or(this_year))).ok()?;
    let is_that_day = date.strftime("%A").to_string() == **weekday;
    let signs = last.get(bare(last).len()..).unwrap_or_default();
    is_that_day.then(|| (format!("{date}{signs}"), if year.is_some() { 4 } else { 3 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_numbers_where_words_would_not_be_understood() {
        for (text, expected) in [
            ("on Friday 27 November, back on Friday 8 January 2027.", "on 2026-11-27, back on 2027-01-08."),
            ("Friday 28 November is a Saturday", "Friday 28 November is a Saturday"),
            ("Which day in January?", "Which day in January?"),
        ] {
            assert_eq!(with_iso_days(text, 2026), expected);
        }
    }
}
