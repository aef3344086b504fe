//! The days a message names, and which day of the journey each is.
//!
//! [`calendar`](crate::calendar) reads single expressions; here they become mentions: ranges ("the 3rd to the 10th"),
//! stays ("for a week"), moves ("a day later"), months taken over from a neighbour, and roles from the words around.

use std::ops::Range;

use contracts::dialogue::{DateExpr, DateMention, DateRole, Part, Week};

use crate::acts::asks_of_offer;
use crate::calendar::{Span, expression, range, span};
use crate::numbers::{number, ordinal};
use crate::repairs;
use crate::text::Text;

/// A mention and the tokens it takes.
#[derive(Debug, Clone)]
struct Found {
    mention: DateMention,
    at: Range<usize>,
}

/// The days a message names, in its order. What is read is taken.
pub fn dates(text: &mut Text) -> Vec<DateMention> {
    let mut found = find(text);
    drop_corrected(text, &mut found);
    drop_unsuited(text, &mut found);
    share_months(text, &mut found);
    for at in 0..found.len() {
        give_role(text, &mut found, at);
    }
    pair_ranges(text, &mut found);
    drop_others(text, &mut found);
    drop_wide(text, &mut found);
    drop_reasons(text, &mut found);
    near_occasion(text, &mut found);
    of_both_ways(text, &mut found);
    found.iter().for_each(|found| text.note_day(found.at.clone(), found.mention.role));
    found.into_iter().map(|found| found.mention).collect()
}

/// "Tuesday instead, both": one day for the way out and the way back.
fn of_both_ways(text: &Text, found: &mut [Found]) {
    let both = (0..text.len()).any(|at| text.at(at) == "both" && !matches!(text.at(at + 1), "of" | "with" | "for"));
    if let ([only], true) = (found, both)
        && matches!(
            only.mention.expression,
            DateExpr::Weekday { .. } | DateExpr::Date { .. } | DateExpr::DayOfMonth { .. }
        )
        && only.mention.role == DateRole::Unknown
    {
        only.mention.role = DateRole::Both;
    }
}

/// "The 2nd, I work on Monday": what keeps somebody at home on another day is no day of the journey.
fn drop_reasons(text: &Text, found: &mut Vec<Found>) {
    if found.len() < 2 {
        return;
    }
    found.retain(|found| {
        let back = 1 + usize::from(matches!(text.before(found.at.start, 1), "on" | "by"));
        !matches!(text.before(found.at.start, back), "work" | "working" | "school" | "classes" | "exam" | "exams")
    });
}

/// "For new year's, leave the 30th, back on the 3rd": the holiday says why, and which months the days are in.
fn near_occasion(text: &Text, found: &mut Vec<Found>) {
    let numbered = |found: &&Found| matches!(found.mention.expression, DateExpr::DayOfMonth { month: None, .. });
    let days: Vec<usize> = found.iter().filter(numbered).map(|found| found.at.start).collect();
    let Some(at) = found.iter().position(|found| {
        const BETWEEN: &[&str] = &[
            ",", "-", "maybe", "say", "probably", "like", "so", "ideally", "around", "about", "on", "the", "leave",
            "leaving", "(", "either",
        ];
        let told = (found.at.end..found.at.end + 5)
            .take_while(|at| *at == found.at.end || BETWEEN.contains(&text.before(*at, 1)))
            .any(|at| days.contains(&at));
        // "Hogmanay in Edinburgh! There on the 30th, home on the 2nd": both ways have their day, so it is no third.
        let both_told = days.len() >= 2 && found.mention.role == DateRole::Unknown;
        is_occasion(found.mention.expression)
            && (told
                || both_told
                || matches!(text.before(found.at.start, 1), "for" | "over" | "around" | "during" | "before" | "after"))
    }) else {
        return;
    };
    if days.is_empty() {
        return;
    }
    let Found { mention: DateMention { role, expression: occasion, .. }, .. } = found.remove(at);
    if let Some(next) = found.get_mut(at).filter(|next| next.mention.role == DateRole::Unknown) {
        next.mention.role = role;
    }
    for found in found {
        if let DateExpr::DayOfMonth { day, month: None } = found.mention.expression
            && let Some(month) = month_beside(occasion, day)
        {
            found.mention.expression = DateExpr::Date { year: None, month, day };
        }
    }
}

fn is_occasion(expression: DateExpr) -> bool {
    month_beside(expression, 1).is_some()
}

/// The month in which a day of the month lies nearest to a holiday that has its own day each year.
fn month_beside(occasion: DateExpr, day: i8) -> Option<i8> {
    use contracts::dialogue::Holiday;
    let DateExpr::Holiday { holiday, .. } = occasion else { return None };
    let (month, of_month) = match holiday {
        Holiday::Christmas
        | Holiday::ChristmasEve
        | Holiday::BoxingDay
        | Holiday::NewYearsDay
        | Holiday::NewYearsEve => {
            return Some(if day > 10 { 12 } else { 1 });
        }
        Holiday::ValentinesDay => (2, 14),
        Holiday::SaintPatricksDay => (3, 17),
        Holiday::IndependenceDay => (7, 4),
        Holiday::Halloween => (10, 31),
        Holiday::Thanksgiving => (11, 25),
        _ => return None,
    };
    let apart = i32::from(day) - of_month;
    Some(match apart {
        ..=-16 => month + 1,
        16.. => month - 1,
        _ => month,
    })
}

/// "Tomorrow or the day after": either would do, and the one that was said first is looked at.
fn drop_others(text: &Text, found: &mut Vec<Found>) {
    let mut at = 1;
    while at < found.len() {
        let other = match (found.get(at - 1), found.get(at)) {
            (Some(first), Some(second)) => {
                let between = text.plain(first.at.end..second.at.start);
                matches!(between.as_str(), " or " | " or on " | " or maybe " | " or even ")
                    && matches!(second.mention.role, DateRole::Unknown)
            }
            _ => false,
        };
        if other {
            found.remove(at);
        } else {
            at += 1;
        }
    }
}

fn find(text: &mut Text) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text.free(at)
            && let Some((first, second, length)) = range(text, at).or_else(|| range_alone(text, &found, at))
        {
            let mention = |expression, role| DateMention { expression, role, negated: false, offset: 0 };
            // The role of the first is told by the words before it where they say "return on the 5th to the 9th".
            found.push(Found { mention: mention(first, DateRole::Departure), at: at..at + length });
            found.push(Found { mention: mention(second, DateRole::Return), at: at + length..at + length });
            text.take(at..at + length);
            at += length;
            continue;
        }
        // "Mid January, a long weekend" says how long, not when.
        let long = text.at(at) == "weekend" && text.before(at, 1) == "long" && !found.is_empty();
        let read = if text.free(at) && !long { read(text, at, found.last().map(|found| found.at.end)) } else { None };
        let read = read.or_else(|| put_right(text, found.last()?, at));
        let Some((expression, role, length)) = read else {
            at += 1;
            continue;
        };
        // "The 21st, that's Thursday right?" names one day twice.
        if matches!(expression, DateExpr::Weekday { .. }) && !found.is_empty() && is_same_day(text, at) {
            text.take(at..at + length);
            at += length;
            continue;
        }
        let length = length + weekday_behind(text, at + length, expression);
        text.take(at..at + length);
        let negated = is_negated(text, at);
        let offset = offset(text, at, expression);
        found.push(Found { mention: DateMention { expression, role, negated, offset }, at: at..at + length });
        at += length;
        at += second_of_range(text, &mut found, at);
    }
    found
}

/// "That's a …", "which is a …", "is that a …" right before a weekday.
fn is_same_day(text: &Text, at: usize) -> bool {
    let back = usize::from(matches!(text.before(at, 1), "a" | "the"));
    matches!(text.before(at, back + 1), "thats" | "its" | "isnt")
        || matches!(
            (text.before(at, back + 2), text.before(at, back + 1)),
            ("that" | "which" | "it", "is" | "'s") | ("is" | "isnt", "that" | "it")
        )
}

fn read(text: &Text, at: usize, last: Option<usize>) -> Option<(DateExpr, DateRole, usize)> {
    if let Some((days, length)) = next_week(text, at) {
        return Some((DateExpr::Shift { days, months: 0 }, DateRole::Both, length));
    }
    if let Some((expression, length)) = shift(text, at) {
        let sentence = text.sentence(at);
        let both = (0..text.len()).any(|other| {
            text.sentence(other) == sentence
                && matches!(
                    text.at(other),
                    "both"
                        | "same"
                        | "everything"
                        | "whole"
                        | "all"
                        | "entire"
                        | "trip"
                        | "dates"
                        | "holiday"
                        | "journey"
                )
        });
        let length_of_stay = (at..at + length).any(|at| {
            matches!(text.at(at), "longer" | "shorter" | "more" | "extra" | "less" | "another" | "additional")
        });
        let role = match both && text.at(at) != "the" {
            _ if length_of_stay => DateRole::Return,
            true => DateRole::Both,
            false => DateRole::Unknown,
        };
        return Some((expression, role, length));
    }
    if let Some((expression, length)) = stay(text, at, last) {
        return Some((expression, DateRole::Return, length));
    }
    expression(text, at)
        .filter(|_| !is_picked(text, at) && !is_farewell(text, at))
        .map(|(found, length)| (found, DateRole::Unknown, length))
        .or_else(|| cued_day(text, at))
        .or_else(|| another_day(text, at, last?))
}

/// "Dec 15… 16 actually": a bare number right behind a day, which puts it right.
fn another_day(text: &Text, at: usize, last: usize) -> Option<(DateExpr, DateRole, usize)> {
    let (day, length) = number(text, at).filter(|(day, _)| (1..=31).contains(day))?;
    let behind = last < at && (last..at).all(|at| !text.is_word(at)) && text.any_of(at + length, PUT_RIGHT).is_some();
    let digits = text.at(at).starts_with(|first: char| first.is_ascii_digit());
    (behind && digits).then_some((DateExpr::DayOfMonth { day: day as i8, month: None }, DateRole::Unknown, length))
}

/// "return 22", "back on 31", "leaving 14": a number that a word beside makes a day.
fn cued_day(text: &Text, at: usize) -> Option<(DateExpr, DateRole, usize)> {
    let (day, length) = number(text, at).filter(|(day, _)| (1..=31).contains(day))?;
    // "Push the return to 30".
    let moved =
        (at.saturating_sub(5)..at).any(|at| is_push(text.at(at)) || is_move(text.at(at)) || text.at(at) == "bring");
    let led = (1..=3).find(|back| {
        let word = text.before(at, *back);
        !(matches!(word, "on" | "the" | "by" | "date" | "flight" | "is") || word == "to" && moved)
    });
    let role = match text.before(at, led?) {
        "return" | "returning" | "back" | "inbound" | "returns" => DateRole::Return,
        "leave" | "leaving" | "depart" | "departing" | "departure" | "outbound" | "going" => DateRole::Departure,
        "i" | "meant" | "mean" if text.before(at, 1) == "the" => DateRole::Unknown,
        "rather" if text.before(at, 1) == "on" => DateRole::Unknown,
        _ if text.before(at, 1) == "on" && !text.is_word(at + length) => DateRole::Unknown,
        "its" if text.before(at, 2) == "but" => DateRole::Unknown,
        _ => return None,
    };
    let next = text.at(at + length);
    let goes_on = text.is_word(at + length)
        || matches!(next, ":" | "/" | "$" | "€" | "£" | "%" if text.joined(at + length - 1))
        || next == "." && text.joined(at + length - 1) && text.joined(at + length);
    let ends = !goes_on
        || matches!(
            next,
            "please"
                | "instead"
                | "then"
                | "and"
                | "for"
                | "with"
                | "from"
                | "to"
                | "in"
                | "at"
                | "morning"
                | "evening"
                | "night"
                | "on"
                | "late"
                | "early"
                | "back"
                | "return"
                | "returning"
                | "but"
        );
    let words = text.at(at).starts_with(|first: char| first.is_ascii_digit());
    (ends && words).then_some((DateExpr::DayOfMonth { day: day as i8, month: None }, role, length))
}

/// "Dec 9, er 10": a number alone that puts a day right.
fn put_right(text: &Text, last: &Found, at: usize) -> Option<(DateExpr, DateRole, usize)> {
    let (day, length) = number(text, at).filter(|(day, _)| (1..=31).contains(day))?;
    let in_digits = text.at(at).starts_with(|first: char| first.is_ascii_digit());
    let exact = matches!(last.mention.expression, DateExpr::Date { .. } | DateExpr::DayOfMonth { .. });
    let next = at + length;
    let ends = !text.is_word(next) && !matches!(text.at(next), ":" | "/" | "%" | "$" | "€" | "£" | "+" | ".")
        || text.at(next) == "." && !text.is_word(next + 1)
        || matches!(text.at(next), "please" | "then" | "and" | "for" | "from" | "with");
    (text.free(at) && in_digits && exact && ends && repairs::between(text, last.at.end, at)).then_some((
        DateExpr::DayOfMonth { day: day as i8, month: None },
        DateRole::Unknown,
        length,
    ))
}

/// "Sorry, 11 to 18" after a range of days: the same month again.
fn range_alone(text: &Text, found: &[Found], at: usize) -> Option<(DateExpr, DateExpr, usize)> {
    let start = at + usize::from(text.at(at) == "the");
    let (first, length) = ordinal(text, start).or_else(|| number(text, start))?;
    let joint = start + length;
    if !matches!(text.at(joint), "-" | "to" | "till" | "until") {
        return None;
    }
    let next = joint + 1 + usize::from(text.at(joint + 1) == "the");
    let (second, length) = ordinal(text, next).or_else(|| number(text, next))?;
    let end = next + length;
    let day = |day: u32| i8::try_from(day).ok().filter(|day| (1..=31).contains(day));
    let (first, second) = (day(first)?, day(second)?);
    let ends = !text.is_word(end) && !matches!(text.at(end), ":" | "/" | "%" | "$" | "€" | "£")
        || matches!(text.at(end), "please" | "instead" | "then");
    let month = found.iter().rev().find_map(|found| match found.mention.expression {
        DateExpr::Date { year, month, .. } => Some((year, month)),
        _ => None,
    });
    let proposed = text.is_proposed()
        || says_little_else(text, at..end)
        || matches!(text.before(at, 1), "or" | "try" | "instead" | "do" | "change")
        || ordinal(text, start).is_some() && second > first;
    let corrects = repairs::marked(text, at) || month.is_some() || proposed;
    let on = |day: i8| match month {
        Some((year, month)) => DateExpr::Date { year, month, day },
        None => DateExpr::DayOfMonth { day, month: None },
    };
    (ends && corrects && first < second).then(|| (on(first), on(second), end - at))
}

/// "Before Sunday" is a day earlier at the latest, "after Eid" a day later.
fn offset(text: &Text, at: usize, expression: DateExpr) -> i32 {
    let counted =
        matches!(expression, DateExpr::Shift { .. } | DateExpr::AfterDeparture { .. } | DateExpr::InMonth { .. });
    let back = 1 + usize::from(text.before(at, 1) == "the");
    match text.before(at, back) {
        "before" if is_not_before(text, at - back) => 0,
        "before" if !matches!(text.before(at, back + 1), "day" | "days") && !counted => -1,
        "after" if matches!(expression, DateExpr::Festival { .. } | DateExpr::Holiday { .. }) => 1,
        // "Any day after the 15th", "not until after the 3rd", but not "the day after the 15th".
        "after" if is_day_of_month(expression) && !is_the_day(text, at - back) => 1,
        _ => 0,
    }
}

/// "The day after", "the night after", but not "any day after".
fn is_the_day(text: &Text, after: usize) -> bool {
    let any = matches!(text.before(after, 2), "any" | "every" | "whichever" | "some");
    matches!(text.before(after, 1), "day" | "days" | "night") && !any
}

fn is_day_of_month(expression: DateExpr) -> bool {
    matches!(expression, DateExpr::Date { .. } | DateExpr::DayOfMonth { .. })
}

/// "Not before", "can't leave before", "nothing before": that day is the first that will do.
fn is_not_before(text: &Text, before: usize) -> bool {
    let sentence = text.sentence(before);
    (before.saturating_sub(4)..before).any(|at| {
        text.sentence(at) == sentence
            && matches!(
                text.at(at),
                "not" | "cant" | "cannot" | "couldnt" | "dont" | "wont" | "nothing" | "never" | "unable" | "busy"
            )
    })
}

/// "Monday, no, Tuesday": what was put right within the message is not meant.
fn drop_corrected(text: &Text, found: &mut Vec<Found>) {
    let mut at = 1;
    while at < found.len() {
        let (Some(first), Some(second)) = (found.get(at - 1), found.get(at)) else { break };
        let is_range = |found: &Found| found.at.is_empty();
        if !repairs::between(text, first.at.end, second.at.start) && !is_put_right(text, first, second) {
            at += 1;
            continue;
        }
        let whole = is_range(first);
        let month = match (first.mention.expression, second.mention.expression) {
            (DateExpr::Date { year, month, .. }, DateExpr::DayOfMonth { day, month: None }) => {
                Some(DateExpr::Date { year, month, day })
            }
            _ => None,
        };
        if let (Some(expression), Some(second)) = (month, found.get_mut(at)) {
            second.mention.expression = expression;
        }
        found.remove(at - 1);
        at -= 1;
        if whole && at > 0 {
            found.remove(at - 1);
            at -= 1;
        }
        at = at.max(1);
    }
}

/// "The 15th… 16 actually": the word that puts it right stands behind.
fn is_put_right(text: &Text, first: &Found, second: &Found) -> bool {
    let beside = !first.at.is_empty() && (first.at.end..second.at.start).all(|at| !text.is_word(at));
    beside && text.any_of(second.at.end, PUT_RIGHT).is_some_and(|length| !text.is_word(second.at.end + length))
}

const PUT_RIGHT: &[&str] = &["actually", "rather", "i mean", "i meant", "sorry", "instead"];

/// "I can't do the 5th, the 6th instead", "the 5th doesn't work": that day is not meant.
fn drop_unsuited(text: &Text, found: &mut [Found]) {
    const BEHIND: &[&str] = &[
        "doesnt work",
        "does not work",
        "wont work",
        "is no good",
        "isnt good",
        "is not good",
        "isnt possible",
        "is not possible",
        "not possible",
        "is out",
        "doesnt suit",
    ];
    let mut last = 0;
    for found in found {
        let from = found.at.start.saturating_sub(5).max(last);
        last = found.at.end;
        let verb = |at: usize| matches!(text.at(at), "do" | "make" | "travel" | "fly" | "leave" | "go");
        // "I can't leave before Wednesday" may on that day.
        let bounded = matches!(text.before(found.at.start, 1), "before" | "until" | "till" | "earlier" | "than");
        let unable = !bounded
            && (from..found.at.start).any(|at| matches!(text.at(at), "cant" | "cannot" | "couldnt") && verb(at + 1));
        found.mention.negated |= unable || text.any_of(found.at.end, BEHIND).is_some();
    }
}

/// The weekday in "the 5th, a Tuesday" and "5 March (Tue)" says nothing new; how many tokens it takes.
fn weekday_behind(text: &Text, at: usize, day: DateExpr) -> usize {
    if !matches!(day, DateExpr::Date { .. } | DateExpr::DayOfMonth { .. }) {
        return 0;
    }
    let start = at + usize::from(matches!(text.at(at), "," | "(")) + usize::from(text.at(at + 1) == "a");
    match expression(text, start) {
        // "The weekend of 5 Dec, Fri to Mon" names two days more.
        Some((DateExpr::Weekday { .. }, 1))
            if connector(text, start + 1).is_some_and(|length| {
                matches!(expression(text, start + 1 + length), Some((DateExpr::Weekday { .. }, _)))
            }) =>
        {
            0
        }
        Some((DateExpr::Weekday { week: Week::Coming, .. }, 1)) if start > at => start + 1 - at,
        _ => 0,
    }
}

/// "That is all for today", "can you help me with a flight today?": today is when they talk.
fn is_farewell(text: &Text, at: usize) -> bool {
    // "Can you hold it till tomorrow" tells no day of the journey.
    const HELD: &[&str] = &["hold it", "hold this", "hold that", "hold them", "hold the price", "hold the fare"];
    let held = (0..at).any(|at| text.any_of(at, HELD).is_some());
    if held && matches!(text.before(at, 1), "till" | "until" | "til" | "for" | "to" | "it" | "this") {
        return true;
    }
    if text.at(at) != "today" {
        return false;
    }
    // "How are you today?"
    if matches!(text.before(at, 1), "you" | "your" | "things")
        && (0..at).any(|at| text.is(at, &["how", "are"]) || text.at(at) == "hows")
    {
        return true;
    }
    let closes = text.before(at, 1) == "for"
        && matches!(text.before(at, 2), "all" | "it" | "everything" | "done" | "enough" | "help" | "need" | "you");
    let sentence = text.sentence(at);
    let asks_help = (0..at).any(|at| text.sentence(at) == sentence && matches!(text.at(at), "help" | "assist"));
    let leaves = (0..at).any(|at| text.sentence(at) == sentence && cue(text, at).is_some());
    let ends = text.sentence(at + 1) != sentence || text.tokens.get(at + 1).is_some_and(|token| token.ends_sentence());
    closes || asks_help && !leaves && ends
}

/// "I'll take the 2nd" is an offer.
fn is_picked(text: &Text, at: usize) -> bool {
    let at = if text.at(at) == "the" { at } else { at.saturating_sub(1) };
    if text.at(at) == "the" && asks_of_offer(text) && !text.is_word(at + 2) {
        return true;
    }
    // "Before Christmas, like the 20th" names a day.
    let wished = text.before(at, 1) != "like" || matches!(text.before(at, 2), "i" | "we" | "id" | "would" | "really");
    text.at(at) == "the"
        && wished
        && matches!(text.before(at, 1), "take" | "choose" | "pick" | "select" | "like" | "book")
        && ordinal(text, at + 1).is_some_and(|(_, length)| !matches!(text.at(at + 1 + length), "of"))
}

/// "not Friday", "instead of Friday".
fn is_negated(text: &Text, at: usize) -> bool {
    let back = if matches!(text.before(at, 1), "on" | "the") { 2 } else { 1 };
    matches!(text.before(at, back), "not" | "than" | "except" | "excluding")
        || text.before(at, back) == "but" && matches!(text.before(at, back + 1), "day" | "any" | "anything" | "anytime")
        || text.before(at, back) == "of" && text.before(at, back + 1) == "instead"
        || text.before(at, back) == "from" && is_move(text.before(at, back + 1))
        || text.before(at, back) == "from" && text.before(at, back + 1) == "it" && is_move(text.before(at, back + 2))
}

fn is_move(word: &str) -> bool {
    matches!(word, "change" | "changing" | "move" | "moving" | "switch" | "switching" | "shift" | "postpone")
}

/// "a day later", "two days earlier", "push the return by a week", "the next day".
fn shift(text: &Text, at: usize) -> Option<(DateExpr, usize)> {
    const NEXT: &[(&str, i32)] = &[
        ("the next day", 1),
        ("the following day", 1),
        ("next day", 1),
        ("the day after that", 1),
        ("the day after", 1),
        ("the day before", -1),
        ("the previous day", -1),
        ("the day before that", -1),
        ("the night before", -1),
        ("the evening before", -1),
    ];
    if let Some((days, length)) = NEXT
        .iter()
        .filter_map(|(phrase, days)| text.any_of(at, &[*phrase]).map(|length| (*days, length)))
        .max_by_key(|(_, length)| *length)
        && expression(text, at).is_none()
        // "The night before my flight" is about the flight.
        && !(matches!(text.at(at + 1), "night" | "evening")
            && matches!(text.at(at + length), "my" | "our" | "the" | "a" | "we" | "i"))
    {
        return Some((DateExpr::Shift { days, months: 0 }, length));
    }
    let by = usize::from(text.at(at) == "by");
    let (Span { days, months }, length) = span(text, at + by)?;
    let next = at + by + length;
    if let Some((sign, tail)) = prolonged(text, at + by..next) {
        return Some((DateExpr::Shift { days: sign * days, months: sign * months }, by + length + tail));
    }
    let sign = match text.at(next) {
        "later" => 1,
        "earlier" | "sooner" => -1,
        "before" if !matches!(text.at(next + 1), "the" | "my") && !names_day(text, next + 1) => -1,
        _ if by == 1 || is_moved(text, at) => {
            let ahead = usize::from(matches!(text.at(next), "forward" | "back"));
            return by_span(text, at, days, months).map(|found| (found, by + length + ahead));
        }
        _ => return None,
    };
    Some((DateExpr::Shift { days: sign * days, months: sign * months }, next + 1 - at))
}

/// "A day longer", "two more nights", "a week less": the stay changes by a length that is said. Whether it grows, and how many
/// tokens behind the length say so.
fn prolonged(text: &Text, at: Range<usize>) -> Option<(i32, usize)> {
    if at.clone().any(|at| matches!(text.at(at), "more" | "extra" | "additional" | "another")) {
        return Some((1, 0));
    }
    match text.at(at.end) {
        "longer" | "extra" => Some((1, 1)),
        "more" if !text.is_word(at.end + 1) || text.at(at.end + 1) == "please" => Some((1, 1)),
        "shorter" | "less" | "fewer" => Some((-1, 1)),
        _ => None,
    }
}

/// "Or the week after", "the weekend before that": both days move by a week.
fn next_week(text: &Text, at: usize) -> Option<(i32, usize)> {
    const WEEKS: &[(&str, i32)] = &[
        ("the weekend after that", 7),
        ("weekend after that", 7),
        ("the following weekend", 7),
        ("the weekend before", -7),
        ("the week after that", 7),
        ("week after that", 7),
        ("the week after", 7),
        ("a week after that", 7),
        ("the following week", 7),
        ("the week before", -7),
        ("the previous week", -7),
        ("the one after that", 7),
        ("the one after", 7),
        ("the month after", 0),
    ];
    let (days, length) = WEEKS
        .iter()
        .filter_map(|(phrase, days)| text.any_of(at, &[*phrase]).map(|length| (*days, length)))
        .filter(|(days, _)| *days != 0)
        .max_by_key(|(_, length)| *length)?;
    // "The week after Easter" and "back the week after" are about a day of their own.
    let ends =
        !text.is_word(at + length) || matches!(text.at(at + length), "please" | "instead" | "then" | "is" | "works");
    let own = cue(text, at.saturating_sub(1)) == Some(DateRole::Return) && at > 0;
    (ends && !own).then_some((days, length))
}

/// "push it by two days": the verb tells the direction.
fn by_span(text: &Text, at: usize, days: i32, months: i32) -> Option<DateExpr> {
    let start = at.saturating_sub(7);
    let verb = (start..at).rev().map(|at| text.at(at)).find(|word| is_push(word) || is_pull(word))?;
    let forward = (start..at).any(|at| matches!(text.at(at), "forward" | "earlier" | "up"));
    let sign = if is_pull(verb) || forward && verb != "push" { -1 } else { 1 };
    Some(DateExpr::Shift { days: sign * days, months: sign * months })
}

/// "Push both a week", "move the whole trip back two days": what is moved stands between the verb and how far.
fn is_moved(text: &Text, at: usize) -> bool {
    const WHAT: &[&str] = &[
        "it",
        "both",
        "them",
        "all",
        "everything",
        "that",
        "this",
        "dates",
        "date",
        "days",
        "the",
        "my",
        "our",
        "trip",
        "whole",
        "entire",
        "return",
        "departure",
        "flight",
        "flights",
        "journey",
        "holiday",
        "back",
        "forward",
        "out",
        "just",
        "of",
        "up",
    ];
    let verb = (1..=7).find(|back| !WHAT.contains(&text.before(at, *back))).filter(|back| *back > 1);
    verb.is_some_and(|back| is_push(text.before(at, back)) || is_pull(text.before(at, back)))
}

fn is_push(word: &str) -> bool {
    matches!(word, "push" | "delay" | "postpone" | "move" | "shift" | "extend" | "defer" | "put")
}

fn is_pull(word: &str) -> bool {
    matches!(word, "bring" | "advance" | "shorten" | "cut")
}

fn names_day(text: &Text, at: usize) -> bool {
    expression(text, at).is_some()
}

/// "for a week", "staying ten days", "a week after that", "a 5-day trip": counted from the day out.
fn stay(text: &Text, at: usize, last: Option<usize>) -> Option<(DateExpr, usize)> {
    const LEADS: [&str; 13] = [
        "for",
        "stay",
        "staying",
        "spend",
        "spending",
        "for about",
        "stay for",
        "staying for",
        "after",
        "after about",
        "make it",
        "make that",
        "rather",
    ];
    if let Some(length) =
        text.any_of(at, &["the same day", "same day", "that same day"]).or_else(|| within_a_day(text, at))
    {
        return Some((DateExpr::AfterDeparture { days: 0, months: 0 }, length));
    }
    // "Back the same evening": the evening is a time of day.
    if text.at(at) == "same" && matches!(text.at(at + 1), "evening" | "night" | "afternoon") {
        return Some((DateExpr::AfterDeparture { days: 0, months: 0 }, 1));
    }
    let lead = text.any_of(at, &LEADS).unwrap_or(0);
    let (Span { days, months }, length) = span(text, at + lead)?;
    // "Stay a week less" changes the stay that is known.
    if prolonged(text, at + lead..at + lead + length).is_some() {
        return None;
    }
    let next = at + lead + length;
    let expression = DateExpr::AfterDeparture { days, months };
    if matches!(text.at(next), "after" | "afterwards" | "afterward") {
        let tail =
            text.any_of(next + 1, &["that", "departure", "departing", "leaving", "i leave", "we leave", "arrival"]);
        return Some((expression, next + 1 + tail.unwrap_or(0) - at));
    }
    // "After two weeks" is the way back where something says so; else it is counted from today.
    if text.at(at) == "after" && !(at.saturating_sub(5)..at).any(|at| cue(text, at) == Some(DateRole::Return)) {
        return None;
    }
    let trip = matches!(text.at(next), "trip" | "stay" | "holiday" | "vacation" | "break" | "visit");
    let in_between = matches!(text.at(next), "later" | "earlier" | "before" | "old" | "ago")
        || text.at(next) == "from" && (text.at(at) != "for" || !names_day(text, next + 1));
    // "A stopover in Dubai for two days" is no stay.
    let sentence = text.sentence(at);
    let pauses = (0..at)
        .any(|at| text.sentence(at) == sentence && matches!(text.at(at), "stopover" | "layover" | "stop" | "via"));
    let leaves = (0..at).any(|at| text.sentence(at) == sentence && cue(text, at) == Some(DateRole::Return));
    if pauses && !leaves {
        return None;
    }
    // "10 days" alone, once the journey is known.
    let alone = says_little_else(text, at..next) && text.at(at) != "after";
    // "12 feb 5 nights": nights are stayed, and so is what stands right behind a day.
    let nights = text.at(next - 1).starts_with("night");
    let behind = last.is_some_and(|end| end == at || end + 1 == at && !text.is_word(end)) && !text.is_word(next);
    let instead = matches!(text.at(next), "instead")
        || text.any_of(next, &["is enough", "are enough", "is plenty", "will do", "would do"]).is_some();
    // "Two weeks in Bali"; "in two weeks in March" counts from today.
    let there =
        text.at(next) == "in" && text.before(at, 1) != "in" && !names_day(text, next) && !names_day(text, next + 1);
    ((lead > 0 || trip || nights || behind || instead || there || alone) && !in_between)
        .then(|| (expression, next + usize::from(trip) - at))
}

/// The message says nothing else than these tokens, courtesies aside.
fn says_little_else(text: &Text, what: Range<usize>) -> bool {
    const BESIDE: &[&str] = &[
        "ok", "okay", "yes", "no", "please", "or", "rather", "instead", "though", "wait", "sorry", "make", "it",
        "then", "so", "lets", "say", "maybe", "hmm", "actually", "just", "like", "about", "only",
    ];
    (0..text.len()).all(|at| what.contains(&at) || !text.is_word(at) || BESIDE.contains(&text.at(at)))
}

/// "There and back in one day", "a day trip".
fn within_a_day(text: &Text, at: usize) -> Option<usize> {
    if let Some(length) =
        text.any_of(at, &["day trip", "daytrip", "day return", "one day trip", "there and back the same day"])
    {
        return Some(length);
    }
    let length =
        text.any_of(at, &["in one day", "in a day", "within a day", "within one day", "in a single day", "in 1 day"])?;
    let sentence = text.sentence(at);
    let both_ways = (at.saturating_sub(6)..at + length + 6).any(|at| {
        text.sentence(at) == sentence && matches!(text.at(at), "back" | "return" | "round" | "both" | "returning")
    });
    both_ways.then_some(length)
}

/// The bare number in "March 3 to 10", which is a day of the same month; how many tokens were read.
fn second_of_range(text: &mut Text, found: &mut Vec<Found>, at: usize) -> usize {
    let Some(DateExpr::Date { year, month, day }) = found.last().map(|found| found.mention.expression) else {
        return 0;
    };
    let Some(connector) = connector(text, at) else { return 0 };
    let start = at + connector + usize::from(text.at(at + connector) == "the");
    let Some((second, length)) = ordinal(text, start).or_else(|| number(text, start)) else { return 0 };
    let next = text.at(start + length);
    let counts_other = text.tokens.get(start + length).is_some_and(|token| token.is_word())
        && !matches!(
            next,
            "for" | "from" | "to" | "with" | "in" | "and" | "please" | "on" | "nonstop" | "one" | "round"
        );
    if !(1..=31).contains(&second)
        || counts_other
        || matches!(next, ":" | "/")
        || expression(text, start).is_some_and(has_month)
    {
        return 0;
    }
    let second = i8::try_from(second).unwrap_or(i8::MAX);
    let (month, year) = match second > day {
        true => (month, year),
        false if month == 12 => (1, year.map(|year| year + 1)),
        false => (month + 1, year),
    };
    let expression = DateExpr::Date { year, month, day: second };
    let mention = DateMention { expression, role: DateRole::Unknown, negated: false, offset: 0 };
    text.take(at..start + length);
    found.push(Found { mention, at: start..start + length });
    start + length - at
}

fn has_month((expression, _): (DateExpr, usize)) -> bool {
    !matches!(expression, DateExpr::DayOfMonth { month: None, .. })
}

/// The word or sign between the two days of a range.
fn connector(text: &Text, at: usize) -> Option<usize> {
    let comma = usize::from(text.at(at) == ",");
    text.any_of(
        at + comma,
        &["to", "-", "until", "till", "til", "through", "thru", "and back", "and returning", "back"],
    )
    .map(|length| length + comma)
}

/// "In March, the 3rd": the day is in that month, and the words before the month say which day of the journey it is.
fn in_the_month_before(text: &Text, found: &mut Vec<Found>) {
    let mut at = 0;
    while at + 1 < found.len() {
        let joined = match (found.get(at), found.get(at + 1)) {
            (Some(this), Some(next)) => match (this.mention.expression, next.mention.expression) {
                (
                    DateExpr::InMonth { month: Some(month), part: Part::Any, .. },
                    DateExpr::DayOfMonth { day, month: None },
                ) if text.sentence(this.at.start) == text.sentence(next.at.start) => {
                    let mention =
                        DateMention { expression: DateExpr::Date { year: None, month, day }, ..next.mention.clone() };
                    Some(Found { mention, at: this.at.start..next.at.end })
                }
                _ => None,
            },
            _ => None,
        };
        if let (Some(joined), Some(next)) = (joined, found.get_mut(at + 1)) {
            *next = joined;
            found.remove(at);
        }
        at += 1;
    }
}

/// In "the 3rd to the 10th of March" and "leave on the 3rd and return on the 10th of March" both are in March.
fn share_months(text: &Text, found: &mut Vec<Found>) {
    in_the_month_before(text, found);
    for at in 0..found.len().saturating_sub(1) {
        let (Some(this), Some(next)) = (found.get(at), found.get(at + 1)) else { continue };
        if text.sentence(this.at.start) != text.sentence(next.at.start) {
            continue;
        }
        let DateExpr::DayOfMonth { day: first, month: None } = this.mention.expression else { continue };
        let shared = match next.mention.expression {
            DateExpr::Date { year, month, day } if first <= day => DateExpr::Date { year, month, day: first },
            DateExpr::Date { year, month, .. } if month > 1 => DateExpr::Date { year, month: month - 1, day: first },
            DateExpr::DayOfMonth { day, month: Some(month) } if first <= day => {
                DateExpr::DayOfMonth { day: first, month: Some(month) }
            }
            _ => continue,
        };
        if let Some(this) = found.get_mut(at) {
            this.mention.expression = shared;
        }
    }
}

/// Finds the nearest word that says which day of the journey it is: before the day, else behind it.
fn give_role(text: &Text, found: &mut [Found], at: usize) {
    let Some(this) = found.get(at) else { return };
    if this.mention.role != DateRole::Unknown {
        return;
    }
    let (start, end, sentence) = (this.at.start, this.at.end, text.sentence(this.at.start));
    let from = at.checked_sub(1).and_then(|before| found.get(before)).map_or(0, |before| before.at.end);
    let until = found.get(at + 1).map_or(text.len(), |next| next.at.start);
    let followed = found.get(at + 1).is_some_and(|next| text.sentence(next.at.start) == sentence);
    let cue_before = cue_before(text, from, start);
    let behind = (end..until).take_while(|at| text.sentence(*at) == sentence && !followed);
    let role = match text.at(end) {
        "return" | "returning" if !followed => Some(DateRole::Return),
        "departure" => Some(DateRole::Departure),
        // "Thursday 25th out, as long as it's late".
        "out" | "outbound"
            if !text.is_word(end + 1)
                || matches!(
                    text.at(end + 1),
                    "and" | "as" | "then" | "please" | "instead" | "but" | "after" | "before"
                ) =>
        {
            Some(DateRole::Departure)
        }
        // "27 Nov early morning, return the same evening": what a comma parts is about the other day.
        _ => cue_before.or_else(|| behind.clone().take_while(|at| text.at(*at) != ",").find_map(|at| cue(text, at))),
    };
    if let (Some(role), Some(this)) = (role, found.get_mut(at)) {
        this.mention.role = role;
    }
}

/// The nearest word before a day that says which it is. "My return flight should leave on the 9th" is the way back all
/// the same; and so is what a sentence before announced: "About the return. Make it the 9th."
fn cue_before(text: &Text, from: usize, start: usize) -> Option<DateRole> {
    let sentence = text.sentence(start);
    let mut found = None;
    for at in (from..start).rev().take_while(|at| text.sentence(*at) == sentence) {
        let cue = cue(text, at);
        // "Get me home, Dubai to Lahore tomorrow": what a comma parts says nothing of the day.
        if text.at(at) == "home" && (at..start).any(|at| text.at(at) == ",") {
            continue;
        }
        let trip = text.at(at) == "return" && matches!(text.before(at, 1), "a" | "find" | "need" | "me");
        match (found, cue) {
            (None, cue) => found = cue,
            (Some(DateRole::Departure), Some(DateRole::Return)) if !trip => return cue,
            _ => {}
        }
        if found.is_some() && matches!(text.at(at), "and" | "," | "then" | "but") {
            break;
        }
    }
    found.or_else(|| {
        let before = (from..start).rev().filter(|at| text.sentence(*at) + 1 == sentence);
        let announces = |at: usize| match cue(text, at) {
            Some(DateRole::Departure) => matches!(text.at(at), "out" | "outbound" | "departure" | "outward"),
            cue => cue.is_some(),
        };
        before.into_iter().find(|at| announces(*at)).and_then(|at| cue(text, at))
    })
}

/// What a word says about the day (or the time) beside it.
pub fn cue(text: &Text, at: usize) -> Option<DateRole> {
    match text.at(at) {
        "return"
            if matches!(text.at(at + 1), "flight" | "flights" | "ticket" | "tickets" | "trip" | "trips" | "fare") =>
        {
            // "a return flight" is a journey there and back, "my return flight" the way back.
            matches!(text.before(at, 1), "the" | "my" | "our").then_some(DateRole::Return)
        }
        "return" | "returning" | "returns" | "returned" | "retun" | "retrun" | "returnin" | "inbound" | "back"
        | "home" => Some(DateRole::Return),
        "until" | "till" | "til" | "ending" | "ends" | "finish" => Some(DateRole::Return),
        "stay" | "staying" | "extend" | "extending" | "prolong" | "lengthen" | "shorten" => Some(DateRole::Return),
        "out" if text.before(at, 1) == "way" || text.at(at + 1) == "on" => Some(DateRole::Departure),
        "left" if matches!(text.before(at, 1), "i" | "we") => Some(DateRole::Departure),
        "leave" | "leaving" | "leaves" | "depart" | "departing" | "departs" | "departure" | "outbound" | "outward"
        | "onward" | "start" | "starting" | "starts" | "begin" | "beginning" | "head" | "heading" | "going" | "go"
        | "fly" | "flying" | "travel" | "traveling" | "travelling" | "embark" | "takeoff" => Some(DateRole::Departure),
        _ => None,
    }
}

/// Two days joined by "to" or "until" are the way out and the way back.
fn pair_ranges(text: &Text, found: &mut [Found]) {
    for at in 0..found.len().saturating_sub(1) {
        let (Some(this), Some(next)) = (found.get(at), found.get(at + 1)) else { continue };
        let between = next.at.start.saturating_sub(this.at.end);
        // "Friday night to Sunday night": the night is told with the day.
        let part = usize::from(matches!(
            text.at(this.at.end),
            "morning" | "afternoon" | "evening" | "night" | "noon" | "midday"
        ));
        let joined = connector(text, this.at.end + part) == between.checked_sub(part) && between > part
            || text.before(this.at.start, 1) == "between" && text.at(this.at.end) == "and" && between == 1
            || this.at.end == next.at.start && text.at(next.at.start) == "to";
        if !joined || this.mention.negated || next.mention.role == DateRole::Return && between == 0 {
            continue;
        }
        if let Some(this) = found.get_mut(at).filter(|found| found.mention.role != DateRole::Return) {
            this.mention.role = DateRole::Departure;
        }
        if let Some(next) = found.get_mut(at + 1) {
            next.mention.role = DateRole::Return;
        }
    }
}

/// In "on the weekend, this Sunday" and "in March, the 3rd" the second is the day.
fn drop_wide(text: &Text, found: &mut Vec<Found>) {
    let mut at = 0;
    while at + 1 < found.len() {
        let (Some(this), Some(next)) = (found.get(at), found.get(at + 1)) else { break };
        let weekend = (this.at.clone()).any(|at| text.at(at) == "weekend");
        let near = next.at.start.saturating_sub(this.at.end) <= 2
            && text.sentence(this.at.start) == text.sentence(next.at.start);
        let exact = matches!(next.mention.expression, DateExpr::Weekday { .. } | DateExpr::Date { .. });
        let month = match (this.mention.expression, next.mention.expression) {
            (DateExpr::InMonth { month: Some(month), part: Part::Any, .. }, DateExpr::Date { month: of, .. }) => {
                month == of
            }
            _ => false,
        };
        if (weekend || month) && near && exact && connector(text, this.at.end).is_none() {
            found.remove(at);
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Vec<(DateExpr, DateRole)> {
        dates(&mut Text::new(words)).into_iter().map(|found| (found.expression, found.role)).collect()
    }

    const fn of_month(day: i8) -> DateExpr {
        DateExpr::DayOfMonth { day, month: None }
    }

    const fn on(month: i8, day: i8) -> DateExpr {
        DateExpr::Date { year: None, month, day }
    }

    const fn after(days: i32) -> DateExpr {
        DateExpr::AfterDeparture { days, months: 0 }
    }

    const fn shifted(days: i32) -> DateExpr {
        DateExpr::Shift { days, months: 0 }
    }

    const FRIDAY: DateExpr = DateExpr::Weekday { weekday: 5, week: Week::Next };

    #[test]
    fn the_words_around_a_day_say_which_it_is() {
        use DateRole::{Departure, Return, Unknown};
        let cases: &[(&str, &[(DateExpr, DateRole)])] = &[
            ("leaving on the 3rd and coming back on the 9th", &[(of_month(3), Departure), (of_month(9), Return)]),
            ("from the 3rd to the 10th of March", &[(on(3, 3), Departure), (on(3, 10), Return)]),
            ("March 3-10", &[(on(3, 3), Departure), (on(3, 10), Return)]),
            ("28 December to 4 January", &[(on(12, 28), Departure), (on(1, 4), Return)]),
            ("fly next Friday, back a week later", &[(FRIDAY, Departure), (shifted(7), Return)]),
            ("next Friday for a week", &[(FRIDAY, Unknown), (after(7), Return)]),
            ("returning four days after", &[(after(4), Return)]),
            ("a day later", &[(shifted(1), Unknown)]),
            ("push the return by two days", &[(shifted(2), Return)]),
            ("one day earlier", &[(shifted(-1), Unknown)]),
            ("with a March 8th return", &[(on(3, 8), Return)]),
            ("the 14th is when I am leaving", &[(of_month(14), Departure)]),
            ("next Friday to Rome", &[(FRIDAY, Unknown)]),
            ("I'll take the 2nd", &[]),
        ];
        for (words, expected) in cases {
            assert_eq!(read(words), *expected, "{words}");
        }
    }

    #[test]
    fn a_day_that_is_not_meant_is_marked() {
        let found = dates(&mut Text::new("not Friday, Saturday"));
        assert_eq!(found.iter().map(|found| found.negated).collect::<Vec<_>>(), [true, false]);
        let found = dates(&mut Text::new("move it from Friday to Saturday"));
        assert_eq!(found.iter().map(|found| found.negated).collect::<Vec<_>>(), [true, false]);
    }

    fn shown(found: &DateMention) -> String {
        let day = match found.expression {
            DateExpr::Weekday { weekday, week } => format!("Weekday{week:?}{weekday}"),
            DateExpr::DayOfMonth { day, .. } => format!("DayOfMonth{day}"),
            DateExpr::Shift { days, .. } => format!("Shift{days:+}"),
            DateExpr::AfterDeparture { days, .. } => format!("After{days}"),
            DateExpr::Date { month, day, .. } => format!("{month}-{day}"),
            DateExpr::InMonth { month, .. } => format!("InMonth{}", month.unwrap_or_default()),
            DateExpr::HolidayWeekend { .. } | DateExpr::FestivalWeekend { .. } => "Weekend".to_owned(),
            DateExpr::Holiday { offset, .. } => format!("Holiday{:+}", offset + found.offset),
            other => format!("{other:?}"),
        };
        format!("{day} {:?}", found.role)
    }

    #[test]
    fn each_form_of_the_table_is_read() {
        let lines = include_str!("../examples/days.txt").lines().filter(|line| !line.starts_with('#'));
        let wrong: Vec<String> = lines
            .filter_map(|line| {
                let (words, expected) = line.split_once(" =>").expect("words => days");
                let read = crate::understand(words);
                let meant = read.dates.iter().filter(|date| !date.negated);
                let found = meant.map(shown).collect::<Vec<_>>().join(" ");
                (found != expected.trim()).then(|| format!("{words}: {found}"))
            })
            .collect();
        assert_eq!(wrong, Vec::<String>::new());
    }
}
