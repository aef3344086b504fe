//! Times of day: "after 6pm", "around noon", "quarter to 6 in the evening", "in the morning", "between 8 and 11".

use std::ops::Range;

use contracts::dialogue::{DateRole, TimeBound, TimeMention};
use contracts::travel::TimeWindow;
use jiff::civil::Time;

use crate::dates::cue;
use crate::numbers::{number, number_or_one};
use crate::text::Text;

const DAY: i32 = 24 * 60;
/// How far a time that was named may be missed, in minutes, either way.
const AROUND: i32 = 60;

/// The times of day a message names for leaving, and those for arriving. What is read is taken.
pub fn times(text: &mut Text) -> (Vec<TimeMention>, Vec<TimeMention>) {
    if let Some(at) = text.not_minded(&["time", "times", "hour", "hours"]) {
        let role = role(text, at.clone());
        text.take(at);
        return (vec![TimeMention { role, ..TimeMention::default() }], Vec::new());
    }
    let (mut found, mut arrivals) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < text.len() {
        if let Some((minutes, length)) = moved(text, at) {
            let role = role(text, at..at + length);
            text.take(at..at + length);
            found.push(TimeMention { role, shift: Some(minutes), ..TimeMention::default() });
            at += length;
            continue;
        }
        if let Some((hours, length)) = from_now(text, at) {
            text.take(at..at + length);
            found.push(TimeMention { from_now: Some(hours), ..TimeMention::default() });
            at += length;
            continue;
        }
        let Some((window, bound, length)) = window(text, at).filter(|(_, _, length)| text.all_free(at..at + length))
        else {
            at += 1;
            continue;
        };
        let negated = matches!(text.before(at, 1), "not" | "than" | "too") && bound.is_none();
        let window = window.filter(|_| !text.is_taken_back(at..at + length));
        let role = role(text, at..at + length);
        let arrival = is_arrival(text, at);
        // "I don't want to land in the middle of the night", "no night flights": the rest of the day.
        let rest = window.filter(|_| is_unwanted(text, at) && part_of_day(text, at).is_some()).and_then(rest_of_day);
        let (window, negated) = (rest.or(window), negated && rest.is_none());
        text.take(at..at + length);
        at += length;
        if arrival {
            arrivals.push(TimeMention { window, role, ..TimeMention::default() });
        } else if !negated {
            found.push(TimeMention { window, role, bound, ..TimeMention::default() });
        }
    }
    if found.is_empty() && arrivals.is_empty() {
        found.extend(with_the_day(text));
    }
    (both_bounds(found), both_bounds(arrivals))
}

/// "Not before 10 and not after 2": one window of two bounds.
fn both_bounds(mut found: Vec<TimeMention>) -> Vec<TimeMention> {
    let minutes = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
    let mut at = 1;
    while at < found.len() {
        let joined = match (found.get(at - 1), found.get(at)) {
            (Some(one), Some(other)) if one.role == other.role => {
                one.window.zip(other.window).and_then(|(one, other)| {
                    let (after, before) = if minutes(one.to) == DAY - 1 { (one, other) } else { (other, one) };
                    let open =
                        minutes(after.to) == DAY - 1 && minutes(before.from) == 0 && minutes(before.to) < DAY - 1;
                    let (from, to) = (minutes(after.from), minutes(before.to));
                    // "2" behind "10" is in the afternoon.
                    let to = if to <= from && to < 12 * 60 { to + 12 * 60 } else { to };
                    (open && from > 0 && from < to).then(|| TimeWindow { from: after.from, to: clock(to) })
                })
            }
            _ => None,
        };
        match (joined, found.get_mut(at - 1)) {
            (Some(window), Some(first)) => {
                (first.window, first.bound) = (Some(window), None);
                found.remove(at);
            }
            _ => at += 1,
        }
    }
    found
}

/// "Tonight", "this morning": the day was read before, the time is in the same word.
fn with_the_day(text: &Text) -> Option<TimeMention> {
    const PARTS: &[(&str, i32, i32)] =
        &[("tonight", 18, 24), ("this evening", 18, 24), ("this afternoon", 12, 18), ("this morning", 6, 12)];
    text.days().iter().find_map(|(day, role)| {
        let (_, from, to) = PARTS.iter().find(|(phrase, ..)| text.any_of(day.start, &[*phrase]) == Some(day.len()))?;
        let to = if *to == 24 { DAY - 1 } else { to * 60 };
        let window = Some(TimeWindow { from: clock(from * 60), to: clock(to) });
        Some(TimeMention { window, role: *role, ..TimeMention::default() })
    })
}

/// "An hour later", "half an hour earlier", "a bit later": the window that is known moves. In minutes, and how many tokens.
fn moved(text: &Text, at: usize) -> Option<(i16, usize)> {
    const BIT: &[&str] = &["a bit", "a little", "a little bit", "bit", "slightly", "somewhat", "a tad"];
    let (minutes, next) = if let Some(length) = text.any_of(at, &["half an hour", "half hour", "a half hour"]) {
        (30, at + length)
    } else if let Some(length) = text.any_of(at, BIT) {
        (120, at + length)
    } else {
        let (count, length) = number_or_one(text, at).filter(|(count, _)| *count <= 240)?;
        let unit = match text.at(at + length) {
            "hour" | "hours" | "h" | "hr" => 60,
            "minutes" | "minute" | "min" => 1,
            _ => return None,
        };
        (count as i32 * unit, at + length + 1)
    };
    let sign = match text.at(next) {
        "later" => 1,
        "earlier" | "sooner" => -1,
        _ => return None,
    };
    // "Arrives an hour later" and "two hours later than the first" tell of offers.
    let compares = text.at(next + 1) == "than";
    let minutes = i16::try_from(sign * minutes).ok()?;
    (!compares).then_some((minutes, next + 1 - at))
}

/// The words before a part of the day say that it is not wanted: "not at night", "no early mornings", "don't want to land in the".
fn is_unwanted(text: &Text, at: usize) -> bool {
    const BETWEEN: &[&str] = &[
        "in", "the", "a", "an", "at", "to", "want", "fly", "flying", "leave", "land", "landing", "arrive", "arriving",
        "get", "there", "any", "like", "travel", "on", "be", "during", "go", "there", "depart", "super", "very",
        "really", "too",
    ];
    let before = (1..=7).find(|back| !BETWEEN.contains(&text.before(at, *back)));
    before.is_some_and(|back| {
        matches!(
            text.before(at, back),
            "no" | "not" | "dont" | "never" | "wont" | "without" | "avoid" | "avoiding" | "hate" | "cant"
        ) && text.before(at, back + 1) != "why"
    })
}

/// The part of the day that is left: after the night, before the evening, after the morning.
fn rest_of_day(window: TimeWindow) -> Option<TimeWindow> {
    let minutes = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
    let (from, to) = (minutes(window.from), minutes(window.to));
    Some(if from > to || from == 0 {
        TimeWindow { from: clock(to.max(6 * 60)), to: clock(if from == 0 { DAY - 1 } else { from }) }
    } else if from >= 17 * 60 {
        TimeWindow { from: clock(0), to: clock(from) }
    } else {
        TimeWindow { from: clock(to), to: clock(DAY - 1) }
    })
}

/// "In 3 hours or later": counted from now.
fn from_now(text: &Text, at: usize) -> Option<(u8, usize)> {
    let (hours, length) = number_or_one(text, at + 1).filter(|_| text.at(at) == "in")?;
    let next = at + 1 + length;
    let tail = text.any_of(next + 1, &["or later", "from now", "or so", "at the earliest"]).unwrap_or(0);
    let hours = u8::try_from(hours).ok().filter(|hours| *hours < 24)?;
    matches!(text.at(next), "hours" | "hour" | "h").then_some((hours, next + 1 + tail - at))
}

/// A time of day that can be nothing else starts at a token: how many tokens it takes.
pub fn sure(text: &Text, at: usize) -> Option<usize> {
    let found = time(text, at).filter(|found| found.sure)?;
    let next = at + found.length;
    Some(found.length + usize::from(matches!(text.at(next), "earliest" | "latest")))
}

type Window = (Option<TimeWindow>, Option<TimeBound>, usize);

/// A window of the day that starts at a token, and how many tokens it takes; no window within is "any time".
fn window(text: &Text, at: usize) -> Option<Window> {
    const ANY: &[&str] = &[
        "any time",
        "anytime",
        "any time of day",
        "whatever time",
        "any departure time",
        "doesnt matter when",
        "dont mind when",
        "dont care when",
        "any hour",
    ];
    if let Some(length) = text.any_of(at, ANY) {
        // "Any time before noon" names one.
        if !matches!(text.at(at + length), "before" | "after" | "from" | "until" | "between" | "in") {
            return Some((None, None, length));
        }
    }
    let ((from, to, length), bound) = between(text, at)
        .map(|found| (found, None))
        .or_else(|| limited(text, at))
        .or_else(|| part_of_day(text, at).map(|found| (found, None)))?;
    Some((Some(TimeWindow { from: clock(from), to: clock(to) }), bound, length))
}

/// "Back: anything between 17 and 21" has hours of the clock, where the numbers could be days as well: something says what flies
/// then, nothing speaks of days, and the later hour can only be one of the 24.
fn is_of_hours(text: &Text, at: usize, first: i32, second: i32, end: usize) -> bool {
    let flies = |word: &str| {
        matches!(
            word,
            "anything"
                | "flight"
                | "flights"
                | "something"
                | "leave"
                | "leaving"
                | "depart"
                | "departing"
                | "departure"
                | "land"
                | "landing"
                | "arrive"
                | "takeoff"
                | "time"
                | "times"
                | "hours"
        )
    };
    let sentence = text.sentence(at);
    let said = (at.saturating_sub(4)..at).any(|at| text.sentence(at) == sentence && flies(text.at(at)));
    let of_days =
        (0..text.len()).any(|at| matches!(text.at(at), "day" | "days" | "date" | "dates" | "nights" | "th" | "week"));
    said && !of_days && first < second && second >= 13 * 60 && !counts_other(text, end)
}

fn clock(minutes: i32) -> Time {
    let minutes = minutes.rem_euclid(DAY);
    Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).unwrap_or(Time::MIN)
}

/// "between 8 and 11 am", "from 6pm to 9pm", "8am-11am".
fn between(text: &Text, at: usize) -> Option<(i32, i32, usize)> {
    let lead = usize::from(matches!(text.at(at), "between" | "from"));
    let first = time(text, at + lead)?;
    let next = at + lead + first.length;
    if !matches!(text.at(next), "and" | "to" | "-" | "until" | "till") {
        return None;
    }
    let second = time(text, next + 1)?;
    let hours = lead == 1
        && text.at(at) == "between"
        && is_of_hours(text, at, first.minutes, second.minutes, next + 1 + second.length);
    if !(first.sure || second.sure || hours) || text.at(next) == "and" && lead == 0 {
        return None;
    }
    let mut from = first.minutes;
    if !first.half_known && second.half_known && second.minutes >= 12 * 60 && from + 12 * 60 <= second.minutes {
        from += 12 * 60;
    }
    Some((from, second.minutes, next + 1 + second.length - at))
}

/// "after 6pm", "before noon", "around 8", "at 17:50", "17:50", "till 6", "3pm earliest".
fn limited(text: &Text, at: usize) -> Option<((i32, i32, usize), Option<TimeBound>)> {
    const AFTER: &[&str] = &[
        "after",
        "not before",
        "no earlier than",
        "not earlier than",
        "later than",
        "any time after",
        "nothing before",
        "nothing earlier than",
        "no flights before",
        "none before",
        "from",
        "past",
        "earliest",
    ];
    const BEFORE: &[&str] = &[
        "before",
        "by",
        "not after",
        "no later than",
        "not later than",
        "earlier than",
        "until",
        "till",
        "any time before",
        "nothing after",
        "nothing later than",
        "no flights after",
        "none after",
        "latest",
        "anytime before",
    ];
    const NEAR: [&str; 10] =
        ["around", "about", "at around", "at about", "at", "near", "approximately", "close to", "around about", "like"];
    let (kind, lead) = [(0, AFTER), (1, BEFORE), (2, &NEAR[..])]
        .into_iter()
        .find_map(|(kind, leads)| text.any_of(at, leads).map(|length| (kind, length)))
        .unwrap_or((3, 0));
    let found = time(text, at + lead)?;
    let next = at + lead + found.length;
    let compares = text.at(at + lead.saturating_sub(1)) == "than" || matches!(text.at(at), "till" | "until");
    let (bound, tail) = bound_behind(text, next);
    let (kind, named_by_bound) = match said_behind(text, next) {
        Some(said) if kind >= 2 => (said, true),
        _ => (kind, false),
    };
    // "Before 8" alone is a time; beside a month it would be a day.
    let alone = kind < 2
        && (0..text.len()).filter(|at| text.is_word(*at)).count() <= 4
        && !text.is_word(at + lead + found.length);
    // "Not before 10" and "nothing after 2" are said of times.
    let said_of_times =
        kind < 2 && lead > 1 && matches!(text.at(at), "not" | "nothing" | "no" | "none" | "any" | "anytime");
    let named = said_of_times
        || named_by_bound
        || kind == 2 && matches!(text.at(at), "around" | "at")
        || kind < 2 && (compares || alone && text.at(at) != "from");
    // "Not landing after 10pm" bounds from the other side.
    let kind = match kind {
        0 if !said_of_times && text.at(at) == "after" && is_unwanted(text, at) => 1,
        1 if !said_of_times && text.at(at) == "before" && is_unwanted(text, at) => 0,
        kind => kind,
    };
    let named = named || bound.is_some() && matches!(text.at(next), "at" | "or" | "earliest" | "latest");
    if !found.sure && (!named || tail == 0 && !named_by_bound && counts_other(text, next)) {
        return None;
    }
    let kind = bound.unwrap_or(kind);
    // Who must be there "by 3" means the afternoon.
    let latest = if named_by_bound { 7 } else { 5 };
    let small = !found.sure && !found.half_known && kind < 2 && (60..=latest * 60).contains(&found.minutes);
    let (minutes, length) = (found.minutes + if small { 12 * 60 } else { 0 }, lead + found.length + tail);
    // "Till 6 is ok" widens the window that is known; "3pm earliest" narrows it.
    let widens = matches!(text.at(at), "till" | "until");
    Some(match kind {
        0 => ((minutes, DAY - 1, length), (tail == 1 || tail == 3).then_some(TimeBound::From)),
        1 => ((0, minutes, length), (tail == 1 || tail == 3 || widens).then_some(TimeBound::Until)),
        _ => ((minutes - AROUND, minutes + AROUND, length), None),
    })
}

/// "We get off work at 5, so after that": what is said behind a time makes it the earliest (0) or the latest (1) that will do.
fn said_behind(text: &Text, at: usize) -> Option<usize> {
    const AFTER_THAT: &[&str] =
        &["after that", "after then", "later than that", "not before that", "anytime after", "any time after"];
    const BEFORE_THAT: &[&str] = &["before that", "before then", "earlier than that", "not after that"];
    let ends =
        |end: usize| !text.is_word(end) || matches!(text.at(end), "please" | "if" | "then" | "is" | "would" | "works");
    (at..at + 5).find_map(|at| {
        let bounds = |phrases: &[&str]| text.any_of(at, phrases).is_some_and(|length| ends(at + length));
        if bounds(AFTER_THAT) {
            Some(0)
        } else if bounds(BEFORE_THAT) {
            Some(1)
        } else {
            None
        }
    })
}

/// What stands behind a time and makes it a bound: "earliest" (0) or "latest" (1), and how many tokens say so.
fn bound_behind(text: &Text, at: usize) -> (Option<usize>, usize) {
    match (text.at(at), text.at(at + 1), text.at(at + 2)) {
        ("earliest", ..) => (Some(0), 1),
        ("latest", ..) => (Some(1), 1),
        ("at", "the", "earliest") => (Some(0), 3),
        ("at", "the", "latest") => (Some(1), 3),
        ("or", "later" | "after", _) => (Some(0), 2),
        ("or", "earlier" | "before", _) => (Some(1), 2),
        ("onwards" | "onward" | "+", ..) => (Some(0), 1),
        ("and", "later" | "onwards" | "after", _) => (Some(0), 2),
        _ => (None, 0),
    }
}

fn counts_other(text: &Text, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|token| token.is_word())
        && !matches!(
            text.at(at),
            "for"
                | "on"
                | "from"
                | "and"
                | "in"
                | "to"
                | "please"
                | "instead"
                | "then"
                | "sharp"
                | "is"
                | "ok"
                | "or"
                | "would"
                | "works"
                | "though"
                | "either"
                | "but"
        )
        || matches!(text.at(at), "$" | "€" | "£" | "%")
}

fn counts_travellers(text: &Text, at: usize) -> bool {
    let behind = number(text, at).map_or(at, |(_, length)| at + length);
    behind > at
        && matches!(
            text.at(behind),
            "pax"
                | "people"
                | "passengers"
                | "persons"
                | "person"
                | "adults"
                | "adult"
                | "tickets"
                | "seats"
                | "travellers"
                | "kids"
                | "ppl"
                | "pers"
                | "travelers"
                | "guys"
                | "of"
        )
}

#[derive(Debug, Clone, Copy)]
struct Clock {
    minutes: i32,
    length: usize,
    /// It can be nothing but a time.
    sure: bool,
    /// Whether it is before or after noon was said.
    half_known: bool,
}

/// A time of day that starts at a token: "6pm", "5:30", "quarter to 6 in the evening", "noon", "afternoon 3".
fn time(text: &Text, at: usize) -> Option<Clock> {
    match text.at(at) {
        "noon" | "midday" | "noonish" | "middayish" => {
            return Some(Clock { minutes: 12 * 60, length: 1, sure: true, half_known: true });
        }
        "midnight" | "midnightish" => return Some(Clock { minutes: 0, length: 1, sure: true, half_known: true }),
        _ => {}
    }
    let half_first = match text.at(at) {
        "morning" => Some(false),
        "afternoon" | "evening" | "night" => Some(true),
        _ => None,
    };
    let start = at + usize::from(half_first.is_some());
    // "Saturday afternoon 4 pax" counts travellers.
    if half_first.is_some() && counts_travellers(text, start) {
        return None;
    }
    let (hour, minute, length, mut sure) = spoken(text, start).or_else(|| written(text, start))?;
    let mut next = start + length;
    let four_digits = text.at(start).len() == 4 && length == 1;
    let oclock = text
        .any_of(next, &["oclock", "o clock", "o ' clock", "hours sharp", "ish", "- ish", "sharp"])
        .or_else(|| (four_digits && text.at(next) == "hours").then_some(1));
    sure |= oclock.is_some() || half_first.is_some();
    next += oclock.unwrap_or(0);
    let half = half_first.map(|half| (half, 0)).or_else(|| half_of_day(text, next));
    next += half.map_or(0, |(_, length)| length);
    sure |= half.is_some();
    let hour = match half.map(|(half, _)| half) {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    (hour < 24 && minute < 60).then(|| Clock {
        minutes: hour * 60 + minute,
        length: next - at,
        sure,
        half_known: half.is_some() || hour > 12,
    })
}

/// "am", "p.m.", "in the evening"; whether it is the second half of the day, and how many tokens.
fn half_of_day(text: &Text, at: usize) -> Option<(bool, usize)> {
    const FIRST: &[&str] = &["am", "a . m .", "a . m", "in the morning", "in morning", "morning"];
    const SECOND: &[&str] = &[
        "pm",
        "p . m .",
        "p . m",
        "in the afternoon",
        "in the evening",
        "in afternoon",
        "at night",
        "in the night",
        "afternoon",
        "evening",
    ];
    text.any_of(at, SECOND)
        .map(|length| (true, length))
        .or_else(|| text.any_of(at, FIRST).map(|length| (false, length)))
}

/// "quarter to 6", "half past seven", "ten past 9".
fn spoken(text: &Text, at: usize) -> Option<(i32, i32, usize, bool)> {
    let lead = usize::from(text.at(at) == "a" && text.at(at + 1) == "quarter");
    let (minutes, length) = match text.at(at + lead) {
        "quarter" => (15, 1),
        "half" => (30, 1),
        _ => {
            let (minutes, length) = number(text, at)?;
            (i32::try_from(minutes).ok().filter(|minutes| *minutes < 60)?, length)
        }
    };
    let next = at + lead + length + usize::from(text.at(at + lead + length) == "minutes");
    let sign = match text.at(next) {
        "past" => 1,
        "after" if minutes == 15 => 1,
        "to" | "till" if minutes != 30 && (text.at(at + lead) == "quarter" || text.at(next - 1) == "minutes") => -1,
        _ => return None,
    };
    let (hour, length) = number(text, next + 1).filter(|(hour, _)| (1..=12).contains(hour))?;
    let total = (hour as i32 * 60 + sign * minutes).rem_euclid(DAY);
    Some((total / 60, total % 60, next + 1 + length - at, true))
}

/// "5", "5:30", "17.50", "5pm", "1730": hour, minute, tokens, and whether it can only be a time.
fn written(text: &Text, at: usize) -> Option<(i32, i32, usize, bool)> {
    let word = text.at(at);
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (value, half) = word.split_at_checked(digits)?;
    // "17h30", "06h00".
    if let Some(minutes) = half.strip_prefix('h').filter(|minutes| minutes.len() == 2 && (1..=2).contains(&digits)) {
        return Some((value.parse().ok()?, minutes.parse().ok()?, 1, true));
    }
    // "9ish", "9amish".
    if let Some(half) = half.strip_suffix("ish").filter(|_| (1..=2).contains(&digits)) {
        let hour: i32 = value.parse().ok()?;
        return Some((if half == "pm" && hour < 12 { hour + 12 } else { hour }, 0, 1, true));
    }
    // "0600", and "1500 hours" or "around 1500".
    if digits == 4 && half.is_empty() {
        let (hour, minute): (i32, i32) = (value.get(..2)?.parse().ok()?, value.get(2..)?.parse().ok()?);
        let led = matches!(text.before(at, 1), "at" | "around" | "about" | "by" | "after" | "before")
            && matches!(text.at(at + 1), "" | "." | "," | "hours" | "please" | "instead" | "on" | "from" | "to");
        let open = matches!(text.at(at + 1), "onwards" | "onward" | "latest" | "earliest");
        // "1730 back Thursday", "Tue 8 Dec 1900".
        let beside = matches!(text.at(at + 1), "back" | "return" | "departure" | "flight")
            || text.days().iter().any(|(day, _)| !day.is_empty() && (day.end == at || day.start == at + 1));
        let clock = value.starts_with('0')
            || text.at(at + 1) == "hours"
            || open
            || led && minute % 5 == 0
            || beside && minute % 5 == 0 && hour >= 5;
        return (clock && hour < 24 && minute < 60).then_some((hour, minute, 1, true));
    }
    if digits > 0 && matches!(half, "am" | "pm" | "a" | "p" | "h") {
        let hour: i32 = value.parse().ok()?;
        let (hour, minute) = if digits > 2 { (hour / 100, hour % 100) } else { (hour, 0) };
        let hour = if half.starts_with('p') && hour < 12 { hour + 12 } else { hour };
        let hour = if half.starts_with('a') && hour == 12 { 0 } else { hour };
        return (digits <= 4).then_some((hour, minute, 1, true));
    }
    let (hour, length) = number(text, at)?;
    let hour = i32::try_from(hour).ok()?;
    if matches!(text.at(at + 1), ":" | ".") && text.joined(at) && text.joined(at + 1) {
        let tail = text.at(at + 2);
        let minutes: String = tail.chars().take_while(char::is_ascii_digit).collect();
        let half = tail.get(minutes.len()..).unwrap_or_default();
        let colon = text.at(at + 1) == ":";
        if minutes.len() == 2 && (half.is_empty() && colon || matches!(half, "am" | "pm")) && hour < 24 {
            let hour = if half == "pm" && hour < 12 { hour + 12 } else { hour };
            return Some((hour, minutes.parse().ok()?, 3, true));
        }
        if minutes.len() == 2 && half.is_empty() && half_of_day(text, at + 3).is_some() {
            return Some((hour, minutes.parse().ok()?, 3, true));
        }
        return None;
    }
    (hour < 24).then_some((hour, 0, length, false))
}

/// "in the morning", "a morning flight", "late evening", "overnight".
fn part_of_day(text: &Text, at: usize) -> Option<(i32, i32, usize)> {
    const PARTS: &[(&str, i32, i32)] = &[
        ("redeye", 20, 28),
        ("pm departure", 12, 24),
        ("pm departures", 12, 24),
        ("pm flight", 12, 24),
        ("pm flights", 12, 24),
        ("am departure", 0, 12),
        ("am departures", 0, 12),
        ("am flight", 0, 12),
        ("am flights", 0, 12),
        ("before breakfast", 0, 8),
        ("before lunch", 0, 12),
        ("before lunchtime", 0, 12),
        ("after lunch", 13, 24),
        ("after lunchtime", 13, 24),
        ("before dinner", 0, 18),
        ("after dinner", 20, 24),
        ("after work", 17, 24),
        ("before work", 0, 9),
        ("after school", 15, 24),
        ("crack of dawn", 4, 8),
        ("at dawn", 4, 8),
        ("first thing in the morning", 5, 10),
        ("first thing", 5, 10),
        ("end of the day", 17, 24),
        ("end of day", 17, 24),
        ("daytime", 8, 20),
        ("day time", 8, 20),
        ("during the day", 8, 20),
        ("not too early", 8, 20),
        ("not so early", 8, 20),
        ("not super early", 8, 20),
        ("not too late", 6, 20),
        ("not so late", 6, 20),
        ("mid morning", 8, 12),
        ("mid - morning", 8, 12),
        ("late night", 21, 28),
        ("middle of the night", 22, 29),
        ("dead of night", 22, 29),
        ("red eyes", 20, 28),
        ("redeyes", 20, 28),
        ("lunch", 11, 14),
        ("early morning", 5, 9),
        ("early in the morning", 5, 9),
        ("late morning", 10, 12),
        ("morning", 6, 12),
        ("mornings", 6, 12),
        ("lunchtime", 11, 14),
        ("lunch time", 11, 14),
        ("early afternoon", 12, 15),
        ("late afternoon", 15, 18),
        ("afternoon", 12, 18),
        ("early evening", 17, 20),
        ("late evening", 20, 24),
        ("evening", 18, 23),
        ("late at night", 21, 28),
        ("at night", 20, 28),
        ("overnight", 20, 28),
        ("night", 20, 28),
    ];
    if let Some(found) = beside_a_day(text, at) {
        return Some(found);
    }
    let lead = text
        .any_of(at, &["in the", "in an", "on the", "during the", "for the", "in", "a", "an", "the", "some time in the"])
        .unwrap_or(0);
    let (from, to, length) = PARTS
        .iter()
        .filter_map(|(phrase, from, to)| text.any_of(at + lead, &[*phrase]).map(|length| (*from, *to, length)))
        .max_by_key(|(_, _, length)| *length)?;
    // "Morning! How's it going?"
    let greets = at == 0
        && lead == 0
        && length == 1
        && (text.at(1) == "!"
            || matches!(text.at(1), "," | "all")
                && matches!(text.at(2), "how" | "hows" | "i" | "im" | "can" | "could" | "need" | "looking" | "we"));
    let greeting = greets
        || matches!(text.before(at + lead, 1), "good" | "lovely" | "nice")
        // "Is lunch included?"
        || matches!(text.at(at + lead + length), "included" | "served" | "provided");
    let to = if to == 24 { DAY - 1 } else { to * 60 };
    (!greeting).then_some((from * 60, to, lead + length))
}

/// "Tue am", "Sunday late", "early on Monday": what a word says that is a time only beside a day.
fn beside_a_day(text: &Text, at: usize) -> Option<(i32, i32, usize)> {
    let (from, to) = match text.at(at) {
        "am" => (5 * 60, 12 * 60),
        "pm" => (12 * 60, DAY - 1),
        "late" | "lateish" => (18 * 60, DAY - 1),
        "early" | "earlyish" => (5 * 60, 10 * 60),
        _ => return None,
    };
    let clocked = matches!(text.at(at), "am" | "pm");
    let behind = text.days().iter().any(|(day, _)| !day.is_empty() && day.end == at);
    let before = !clocked && text.at(at + 1) == "on" && text.days().iter().any(|(day, _)| day.start == at + 2);
    let ends = !text.is_word(at + 1) || !text.at(at + 1).starts_with(|first: char| first.is_ascii_digit());
    // "Early out, late back".
    let way = !clocked && matches!(text.at(at + 1), "out" | "back" | "return" | "outbound" | "inbound");
    (behind && ends || before || way).then_some((from, to, 1 + usize::from(before)))
}

/// Which way a time is about: what is said nearest before it, else right behind it.
fn role(text: &Text, at: Range<usize>) -> DateRole {
    const BOTH: &[&str] = &["both ways", "each way", "both directions", "both times", "both flights"];
    // "Both flights before 9."
    let led = |from: usize| text.any_of(from, BOTH).is_some_and(|length| from + length + 1 >= at.start);
    if (at.start.saturating_sub(3)..at.start).any(led) {
        return DateRole::Both;
    }
    if matches!(text.at(at.end), "out" | "outbound") {
        return DateRole::Departure;
    }
    if text.any_of(at.end, BOTH).is_some() {
        return DateRole::Both;
    }
    match text.day_beside(&at) {
        Some(role @ (DateRole::Departure | DateRole::Return)) => return role,
        // "Sat afternoon, return Tuesday": the time is that of the day it stands behind.
        Some(_) if text.days().len() > 1 => return DateRole::Unknown,
        _ => {}
    }
    let sentence = text.sentence(at.start);
    let before = (0..at.start).rev().take_while(|at| text.sentence(*at) == sentence).find_map(|at| {
        match text.at(at) {
            // Here even "a return flight at six" is about the way back.
            "return" => Some(DateRole::Return),
            "outbound" | "departing" | "onward" => Some(DateRole::Departure),
            _ => cue(text, at),
        }
    });
    let behind = || {
        // "On the 3rd at six, back on the 5th": what a comma parts is about the other way.
        let mut near = (at.end..at.end + 4).take_while(|at| text.sentence(*at) == sentence && text.at(*at) != ",");
        near.find_map(|at| match text.at(at) {
            "return" | "back" | "inbound" => Some(DateRole::Return),
            "departure" | "outbound" => Some(DateRole::Departure),
            _ => None,
        })
    };
    before.or_else(behind).unwrap_or(DateRole::Unknown)
}

/// "arrive before noon", "landing by 6".
fn is_arrival(text: &Text, at: usize) -> bool {
    let sentence = text.sentence(at);
    let same_part = |at: &usize| text.sentence(*at) == sentence && text.at(*at) != ",";
    (at.saturating_sub(5)..at).rev().take_while(same_part).any(|at| {
        text.at(at).starts_with("arriv")
            || matches!(
                text.at(at),
                "land" | "landing" | "lands" | "landed" | "there" | "reach" | "reaching" | "meeting" | "beach"
            )
            || text.at(at) == "be"
                && (matches!(text.at(at + 1), "at" | "home" | "back")
                    || matches!(text.at(at + 1), "in" | "on") && text.at(at + 2) != "the")
            || matches!(text.at(at), "get" | "gets") && matches!(text.at(at + 1), "to" | "in" | "home" | "me")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Vec<(String, DateRole)> {
        let spoken = |window: Option<TimeWindow>| {
            window.map_or("any".to_owned(), |window| {
                format!("{}-{}", window.from.strftime("%H:%M"), window.to.strftime("%H:%M"))
            })
        };
        times(&mut Text::new(words)).0.into_iter().map(|found| (spoken(found.window), found.role)).collect()
    }

    #[test]
    fn times_of_day_become_windows() {
        let cases = [
            ("after 6pm", "18:00-23:59"),
            ("before noon", "00:00-12:00"),
            ("around noon", "11:00-13:00"),
            ("quarter to 6 in the evening", "16:45-18:45"),
            ("at 7 instead", "06:00-08:00"),
            ("half past seven am", "06:30-08:30"),
            ("at 17:50", "16:50-18:50"),
            ("between 8 and 11 am", "08:00-11:00"),
            ("between 6 and 9pm", "18:00-21:00"),
            ("in the morning", "06:00-12:00"),
            ("a late afternoon flight", "15:00-18:00"),
            ("afternoon 3", "14:00-16:00"),
            ("around 8 o'clock in the morning", "07:00-09:00"),
            ("5.30 p.m.", "16:30-18:30"),
            ("any time", "any"),
            ("the time doesn't matter", "any"),
            ("it doesn't have to be in the morning", "any"),
            ("forget the morning", "any"),
            ("overnight", "20:00-04:00"),
        ];
        for (words, expected) in cases {
            assert_eq!(read(words), [(expected.to_owned(), DateRole::Unknown)], "{words}");
        }
    }

    #[test]
    fn a_time_belongs_to_the_way_that_is_named_beside_it() {
        assert_eq!(
            read("leave after 9am and fly back after 6pm"),
            [("09:00-23:59".to_owned(), DateRole::Departure), ("18:00-23:59".to_owned(), DateRole::Return),]
        );
        assert_eq!(read("arrive before noon"), []);
        assert_eq!(read("on the 3rd at 6pm, back on the 5th"), [("17:00-19:00".to_owned(), DateRole::Unknown)]);
        assert_eq!(read("the 6pm flight back"), [("17:00-19:00".to_owned(), DateRole::Return)]);
    }

    #[test]
    fn what_is_no_time_is_left_alone() {
        for words in [
            "4",
            "for 2 people",
            "good morning",
            "at 3 people",
            "under 450 euros",
            "about 2 weeks",
            "sometime between 17 and 21",
            "morning! how are things",
            "morning, can you help",
        ] {
            assert_eq!(read(words), [], "{words}");
        }
    }

    #[test]
    fn each_form_of_the_table_is_read() {
        let shown = |found: &TimeMention, arrival: bool| {
            let role = match (arrival, found.role) {
                (true, _) => "arrival ",
                (_, DateRole::Return) => "r ",
                (_, DateRole::Both) => "b ",
                _ => "",
            };
            let window = match (found.shift, found.window) {
                (Some(minutes), _) => format!("{minutes:+}"),
                (None, None) => "any".to_owned(),
                (None, Some(window)) => format!("{}-{}", window.from.strftime("%H:%M"), window.to.strftime("%H:%M")),
            };
            format!("{role}{window}")
        };
        let lines = include_str!("../examples/times.txt").lines().filter(|line| !line.starts_with('#'));
        let wrong: Vec<String> = lines
            .filter_map(|line| {
                let (words, expected) = line.split_once(" => ").expect("words => times");
                let read = crate::understand(words);
                let leaving = read.times.iter().map(|found| shown(found, false));
                let found: Vec<String> = leaving.chain(read.arrivals.iter().map(|found| shown(found, true))).collect();
                (found.join(" ") != expected.trim()).then(|| format!("{words}: {}", found.join(" ")))
            })
            .collect();
        assert_eq!(wrong, Vec::<String>::new());
    }
}
