//! Weekdays, and which week they are in.

use contracts::dialogue::{DateExpr, Week};

use super::{Found, day_of_month, iso, numeric, with_month_name};
use crate::numbers::{digit_ordinal, number};
use crate::text::Text;

/// 1 (Monday) to 7 (Sunday).
pub(super) fn weekday_name(word: &str) -> Option<i8> {
    Some(match word {
        "monday" | "mondays" | "mon" => 1,
        "tuesday" | "tuesdays" | "tue" | "tues" => 2,
        "wednesday" | "wednesdays" | "wed" | "weds" | "wednseday" | "wensday" | "wendesday" => 3,
        "thursday" | "thursdays" | "thu" | "thur" | "thurs" => 4,
        "friday" | "fridays" | "fri" => 5,
        "saturday" | "saturdays" | "sat" => 6,
        "sunday" | "sundays" | "sun" => 7,
        _ => return misspelt_weekday(word),
    })
}

/// "thrusday", "satuday": one slip in a name of six letters or more.
fn misspelt_weekday(word: &str) -> Option<i8> {
    const NAMES: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let slipped = |name: &&str| strsim::osa_distance(name, word) == 1;
    let candidate = (6..=10).contains(&word.len()) && word.contains('d');
    NAMES.iter().position(|name| candidate && slipped(name)).map(|at| at as i8 + 1)
}

/// "Friday", "next Friday", "Friday next week", "a week from Friday", "Friday, 3 March", "next weekend".
pub(super) fn weekday(text: &Text, at: usize) -> Found {
    const WEEKS: &[(&str, Week)] = &[
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
    if let Some(length) = text.any_of(at, &["weekend after next", "the weekend after next", "the weekend after"]) {
        return Some((DateExpr::Weekday { weekday: 6, week: Week::AfterNext }, length));
    }
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
        let after_next = text.any_of(start + 1, &["after next"]);
        let week = if after_next.is_some() { Week::AfterNext } else { named.unwrap_or(Week::Coming) };
        return Some((DateExpr::Weekday { weekday: 6, week }, start + 1 + after_next.unwrap_or(0) - at));
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
    const AFTER: &[(&str, Week)] = &[
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
        .or_else(|| number_alone(text, at))
        .map(|(found, length)| (found, at + length))
}

/// The 28 of "Thursday 28": a number behind a weekday that counts nothing else.
fn number_alone(text: &Text, at: usize) -> Found {
    let (day, length) = number(text, at).filter(|_| text.at(at).starts_with(|first: char| first.is_ascii_digit()))?;
    let end = at + length;
    let next = text.at(end);
    let ends = !text.is_word(end) && !matches!(next, ":" | "/" | "$" | "€" | "£" | "%" | "+" | "-" | ".")
        || matches!(next, "return" | "back" | "from" | "please" | "then" | "instead" | "morning" | "evening" | "night");
    let day = i8::try_from(day).ok().filter(|day| (13..=31).contains(day) && ends)?;
    Some((DateExpr::DayOfMonth { day, month: None }, length))
}

/// "sun", "sat", "wed" and "mon" are days where something beside them says so.
fn is_other_word(text: &Text, at: usize, named: bool) -> bool {
    let word = text.at(at);
    if !matches!(word, "sun" | "sat" | "wed" | "mon" | "fri") || named {
        return false;
    }
    let capital = text.tokens.get(at).is_some_and(|token| token.capital);
    let led = matches!(
        text.before(at, 1),
        "on" | "by"
            | "until"
            | "till"
            | "from"
            | "this"
            | "next"
            | ","
            | "to"
            | "-"
            | "before"
            | "after"
            | "leave"
            | "leaving"
            | "return"
            | "back"
            | "returning"
            | "home"
            | "go"
            | "nxt"
            | "it"
            | "or"
            | "maybe"
            | "not"
            | "ok"
    );
    // "Fri instead", "wed after 6pm", "sat evening": what follows is said of days.
    let follows = matches!(
        text.at(at + 1),
        "instead"
            | "after"
            | "before"
            | "morning"
            | "afternoon"
            | "evening"
            | "night"
            | "then"
            | "or"
            | "am"
            | "pm"
            | "early"
            | "late"
            | "return"
            | "noon"
            | "back"
    ) && word != "sun"
        || matches!(text.at(at + 1), "to" | "-" | "till" | "until" | "/") && weekday_name(text.at(at + 2)).is_some();
    // "Oslo-Bergen sat, 2 people", "bergen fri": it ends what is said, and nobody sat.
    let ends = word != "sun" && !text.is_word(at + 1) && text.at(at + 1) != "'s";
    let somebody = matches!(
        text.before(at, 1),
        "" | "i" | "we" | "he" | "she" | "they" | "you" | "it" | "who" | "and" | "just" | "the" | "be" | "is" | "all"
    );
    let led = led || follows || ends && !somebody;
    let alone = at == 0 && !text.tokens.get(1).is_some_and(|token| token.is_word());
    !(capital || led || alone)
}
