//! What a stretch of a message can be nothing else than, before anything is read: evidence, not the order of the readers, decides.
//!
//! Each rule offers claims: a kind, the tokens, and how strong the evidence is. Claims compete for their tokens; the
//! stronger wins, of equals the one that begins first, of those the longer. A reader sees only what nobody claimed and what was claimed for its own kind, so
//! "2 suitcases" counts no travellers, "17h30" is no number of days, and "PNR ABC123" names no place.
//! `examples/chart.txt` holds a line for each form.

use std::ops::Range;

use crate::calendar;
use crate::numbers::{number, number_or_one};
use crate::price;
use crate::text::{Kind, Text};
use crate::times;
use crate::travellers;

/// A kind that is offered for some tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    kind: Kind,
    at: Range<usize>,
    /// 3 where it can be nothing else, 2 where a word beside says so, 1 where it is likely.
    strength: u8,
}

/// Lets the rules claim what is theirs.
pub fn claim(text: &mut Text) {
    type Rule = fn(&Text, usize) -> Option<(Kind, usize, u8)>;
    const RULES: [Rule; 9] =
        [luggage, code_of_booking, aircraft, wait, pregnancy, birthday, day, clock, money_or_people];
    let mut claims: Vec<Claim> = (0..text.len())
        .flat_map(|at| RULES.iter().map(move |rule| (at, *rule)))
        .filter_map(|(at, rule)| {
            let (kind, length, strength) = rule(text, at)?;
            Some(Claim { kind, at: at..at + length, strength })
        })
        .collect();
    claims.sort_by_key(|claim| (std::cmp::Reverse(claim.strength), claim.at.start, std::cmp::Reverse(claim.at.len())));
    for claim in claims {
        if claim.at.clone().all(|at| text.claimed(at).is_none()) {
            text.claim(claim.at, claim.kind);
        }
    }
}

/// "2 suitcases", "30kg each", "one carry-on".
fn luggage(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    let weight = |word: &str| word.ends_with("kg") || word.ends_with("kgs") || word.ends_with("lbs");
    let word = text.at(at);
    if weight(word) && word.starts_with(|first: char| first.is_ascii_digit()) {
        return Some((Kind::Other, 1, 3));
    }
    let (_, length) = number_or_one(text, at)?;
    let mut next = at + length;
    next += usize::from(matches!(
        text.at(next),
        "x" | "extra" | "checked" | "big" | "small" | "large" | "more" | "free" | "check"
    ));
    next += usize::from(text.at(next) == "in");
    let thing = matches!(
        text.at(next),
        "kg" | "kgs"
            | "kilos"
            | "kilo"
            | "lbs"
            | "bag"
            | "bags"
            | "suitcase"
            | "suitcases"
            | "luggage"
            | "luggages"
            | "backpack"
            | "pieces"
            | "piece"
            | "carry"
            | "stroller"
            | "strollers"
            | "dog"
            | "dogs"
            | "cat"
            | "cats"
            | "bike"
            | "bikes"
            | "surfboard"
            | "cabin"
            | "window"
            | "aisle"
            | "meals"
            | "meal"
            | "wheelchair"
            | "wheelchairs"
    );
    // "one cabin" would be a class.
    (thing && text.at(next) != "cabin" || text.is(next, &["cabin", "bag"])).then(|| (Kind::Other, next + 1 - at, 3))
}

/// "EK601", "PNR ABC123", "flight PK 203", "booking reference XY12Z9".
fn code_of_booking(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    let word = text.at(at);
    let led = matches!(text.before(at, 1), "flight" | "on" | "number" | "is" | "of");
    if word == "pnr" {
        let code = text.at(at + 1 + usize::from(matches!(text.at(at + 1), "is" | ":" | "number" | "code")));
        let length = if code.len() >= 5 && code.len() <= 7 { 2 } else { 1 };
        return Some((Kind::Other, length, 3));
    }
    let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let digits = word.bytes().skip(letters).take_while(u8::is_ascii_digit).count();
    let flight =
        letters == 2 && (2..=4).contains(&digits) && letters + digits == word.len() && !calendar::is_compact(word);
    if flight && (digits == 3 || led) {
        return Some((Kind::Other, 1, 3));
    }
    let reference = matches!(text.before(at, 1), "pnr" | "reference" | "ref" | "code" | "confirmation")
        && (5..=7).contains(&word.len())
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    reference.then_some((Kind::Other, 1, 3))
}

/// "737 max", "a380", "boeing 787".
fn aircraft(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    if matches!(text.at(at), "boeing" | "airbus" | "embraer") {
        let number = usize::from(text.at(at + 1).starts_with(|first: char| first.is_ascii_digit() || first == 'a'));
        let max = usize::from(number == 1 && text.at(at + 2) == "max");
        return Some((Kind::Other, 1 + number + max, 3));
    }
    let max = usize::from(text.at(at + 1) == "max");
    matches!(text.at(at), "737" | "747" | "777" | "787" | "a320" | "a321" | "a330" | "a340" | "a350" | "a380")
        .then_some((Kind::Other, 1 + max * usize::from(text.at(at) == "737"), if max == 1 { 3 } else { 2 }))
}

/// "not longer than 2 hours", "at least an hour", "a 3 hour layover".
fn wait(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    let (_, length) = number_or_one(text, at)?;
    let next = at + length + usize::from(text.at(at + length) == "-");
    let hours = matches!(text.at(next), "hour" | "hours" | "minutes" | "minute" | "h" | "min");
    let clock = text.at(next) == "hours" && (text.at(at).len() == 4 || matches!(text.before(at, 1), "at" | "around"));
    (hours && !clock && !matches!(text.at(next + 1), "past" | "to")).then_some((Kind::Span, next + 1 - at, 3))
}

/// "32 weeks pregnant", "pregnant 32 weeks", "in my 7th month".
fn pregnancy(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    let (_, length) = number(text, at)?;
    let unit = matches!(text.at(at + length), "weeks" | "week" | "months" | "month");
    let sentence = text.sentence(at);
    let said = |at: usize| text.sentence(at) == sentence && text.at(at).starts_with("pregnan");
    (unit && (at.saturating_sub(4)..at + 6).any(said)).then_some((Kind::Span, length + 1, 3))
}

/// "He turns 2 on jan 12 during the trip": a birthday is no day of the journey.
fn birthday(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    let (_, length) = number(text, at + 1).filter(|_| matches!(text.at(at), "turns" | "turn" | "turning"))?;
    let next = at + 1 + length + usize::from(text.at(at + 1 + length) == "on");
    let day = calendar::expression(text, next).map_or(0, |(_, length)| next + length - (at + 1 + length));
    Some((Kind::Other, 1 + length + day, 3))
}

/// A range of days, or a day written as nothing else is.
fn day(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    if let Some((_, _, length)) = calendar::range(text, at) {
        return Some((Kind::Day, length, 3));
    }
    let (expression, length) = calendar::expression(text, at)?;
    use contracts::dialogue::DateExpr::{Date, NthWeekday, Numeric};
    matches!(expression, Date { .. } | Numeric { .. } | NthWeekday { .. }).then_some((Kind::Day, length, 3))
}

/// A time of day that can be nothing else.
fn clock(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    times::sure(text, at).map(|length| (Kind::Time, length, 3))
}

/// An amount with its currency; travellers with their ages.
fn money_or_people(text: &Text, at: usize) -> Option<(Kind, usize, u8)> {
    if let Some(length) = price::sure(text, at) {
        return Some((Kind::Money, length, 3));
    }
    travellers::sure(text, at).map(|length| (Kind::People, length, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The claimed stretches of a message as `kind[tokens]`.
    fn claimed(words: &str) -> String {
        let mut text = Text::new(words);
        claim(&mut text);
        let mut found: Vec<(Kind, String)> = Vec::new();
        let mut last = None;
        for at in 0..text.len() {
            let kind = text.claimed(at);
            match (kind, found.last_mut()) {
                (Some(kind), Some((before, words))) if Some(kind) == last && *before == kind => {
                    words.push(' ');
                    words.push_str(text.at(at));
                }
                (Some(kind), _) => found.push((kind, text.at(at).to_owned())),
                _ => {}
            }
            last = kind;
        }
        let shown = found.iter().map(|(kind, words)| format!("{kind:?}[{words}]").to_lowercase());
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_form_is_claimed_by_its_kind() {
        for line in
            include_str!("../examples/chart.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (words, expected) = line.split_once(" => ").expect("words => claims");
            assert_eq!(claimed(words), expected, "{words}");
        }
    }
}
