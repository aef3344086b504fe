//! Travellers by their ages: "kids 13, 8, 1", "3 kids (11, 7 and 4)", "2+1 (child 4y)", "a baby of 6 months", and those who
//! have grown: "the 11 yr old turned 12".

use contracts::dialogue::Travellers;

use crate::calendar;
use crate::numbers::{number, number_or_one};
use crate::text::Text;

/// Who travels, by age, where that starts at a token; and how many tokens say so.
pub fn aged(text: &Text, at: usize) -> Option<(Travellers, usize)> {
    plus(text, at).or_else(|| below(text, at)).or_else(|| listed(text, at)).or_else(|| letters(text, at))
}

/// "2+1", "2+1 (child 4y)": adults and children.
fn plus(text: &Text, at: usize) -> Option<(Travellers, usize)> {
    let (adults, first) = number(text, at).filter(|(count, _)| (1..=9).contains(count))?;
    let (children, second) = number(text, at + first + 1).filter(|_| text.at(at + first) == "+")?;
    let digits = |at: usize| text.at(at).starts_with(|first: char| first.is_ascii_digit());
    let end = at + first + 1 + second;
    if children > 9 || !digits(at) || !digits(at + first + 1) {
        return None;
    }
    let inner = end + usize::from(text.at(end) == "(");
    let (told, length) =
        listed(text, inner).filter(|_| inner > end).map_or((None, 0), |(told, length)| (Some(told), length));
    let close = usize::from(inner > end && text.at(inner + length) == ")");
    let small = told.filter(|told| told.adults.is_none());
    let (children, infants) = match small {
        Some(told) => (told.children, told.infants),
        None => (Some(children), None),
    };
    let end = if length > 0 { inner + length + close } else { end };
    Some((Travellers { adults: Some(adults), children, infants, ..Travellers::default() }, end - at))
}

/// "2 under 2s", "three under 12", "2 under fives".
fn below(text: &Text, at: usize) -> Option<(Travellers, usize)> {
    let (count, length) = number(text, at).filter(|(count, _)| (1..=9).contains(count))?;
    let next = at + length + usize::from(is_young(text.at(at + length)));
    if !matches!(text.at(next), "under" | "below") {
        return None;
    }
    let years = text.at(next + 1);
    let several = years.strip_suffix('s').filter(|_| years.starts_with(|first: char| first.is_ascii_digit()));
    let years: u32 = several.unwrap_or(years).parse().ok().filter(|years| (1..=17).contains(years))?;
    // "2 under 12 dollars" is no age; a plural or the word for the young says so.
    if several.is_none() && next == at + length {
        return None;
    }
    let mut found = Travellers::default();
    match years {
        0..=2 => found.infants = Some(count),
        _ => found.children = Some(count),
    }
    Some((found, next + 2 - at))
}

/// "2a 1c 1i", as clerks write it.
fn letters(text: &Text, at: usize) -> Option<(Travellers, usize)> {
    let mut found = Travellers::default();
    let mut next = at;
    loop {
        let word = text.at(next);
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let Some((count, kind)) = word.split_at_checked(digits).filter(|_| digits == 1) else { break };
        let count = count.parse().ok();
        match kind {
            "a" | "ad" | "adt" | "adult" | "adults" => found.adults = count,
            "c" | "ch" | "chd" | "child" | "kid" | "kids" => found.children = count,
            "i" | "in" | "inf" | "infant" => found.infants = count,
            _ => break,
        }
        next += 1 + usize::from(matches!(text.at(next + 1), "," | "+" | "/"));
    }
    let lone = next == at + 1 && text.at(at).len() == 2;
    (next > at && !lone && (found.adults.is_some() || found.children.is_some())).then_some((found, next - at))
}

/// A word for the young, with their ages behind it; the ages say who they are, the number only how many.
fn listed(text: &Text, at: usize) -> Option<(Travellers, usize)> {
    let counted = number_or_one(text, at)
        .filter(|(_, length)| is_young(text.at(at + length)) || is_young(text.at(at + length + 1)));
    let mut next = at + counted.map_or(0, |(_, length)| length);
    next += usize::from(matches!(text.at(next), "small" | "young" | "little" | "my" | "our"));
    if !is_young(text.at(next)) {
        return None;
    }
    let noun = text.at(next);
    next += 1;
    let mut marked = false;
    while matches!(text.at(next), "aged" | "ages" | "age" | "of" | "(" | ":" | "are" | "is" | "who" | "-")
        && next < at + 8
    {
        marked |= !matches!(text.at(next), "of" | "is" | "-");
        next += 1;
    }
    let bracket = text.before(next, 1) == "(";
    let mut ages = Vec::new();
    while let Some((years, length, unit)) = age(text, next) {
        marked |= unit;
        ages.push(years);
        next += length;
        let joint = text.any_of(next, &[", and", ",", "and", "&", "/", "+"]).unwrap_or(0);
        // "Child 10y, 1 infant": the second number counts.
        let counts = |at: usize| number(text, at).is_some_and(|(_, length)| is_young(text.at(at + length)));
        if joint == 0 || age(text, next + joint).is_none() || counts(next + joint) {
            break;
        }
        next += joint;
    }
    next += usize::from(bracket && text.at(next) == ")");
    let count = counted.map(|(count, _)| count);
    let several = noun.ends_with('s') || noun == "children";
    let plausible = match (ages.len(), count) {
        (0, _) => false,
        // "kids 2" counts them.
        // "Our grandson 7" is seven.
        (1, None) => {
            marked
                || !several && (!text.is_word(next) || matches!(text.at(next), "is" | "flies" | "flying" | "travels"))
        }
        (1, Some(_)) => marked || !several,
        (found, Some(count)) => u32::try_from(found).is_ok_and(|found| found == count || count == 1),
        (_, None) => several,
    };
    if !plausible {
        return None;
    }
    let one_age = ages.len() == 1;
    let each = if one_age { count.unwrap_or(1) } else { 1 };
    let mut found = Travellers::default();
    for years in ages {
        let slot = match years {
            0..2 => &mut found.infants,
            2..12 => &mut found.children,
            _ => &mut found.adults,
        };
        *slot = Some(slot.unwrap_or(0) + each);
    }
    Some((found, next - at))
}

fn is_young(word: &str) -> bool {
    matches!(
        word,
        "child"
            | "children"
            | "kid"
            | "kids"
            | "son"
            | "sons"
            | "daughter"
            | "daughters"
            | "infant"
            | "infants"
            | "toddler"
            | "toddlers"
            | "baby"
            | "babies"
            | "boy"
            | "boys"
            | "girl"
            | "girls"
            | "teen"
            | "teens"
            | "newborn"
            | "grandson"
            | "granddaughter"
            | "grandchild"
            | "grandkids"
            | "nephew"
            | "niece"
            | "minor"
            | "minors"
    )
}

/// One person by an age with its unit: "13yo", "8 yr old", "6m"; the years, and how many tokens.
pub fn one(text: &Text, at: usize) -> Option<(u32, usize)> {
    age(text, at).filter(|(_, _, unit)| *unit).map(|(years, length, _)| (years, length))
}

/// How old the person is who was just named: ", he's 5", "she is 11"; the years, and how many tokens.
pub fn told_behind(text: &Text, at: usize) -> Option<(u32, usize)> {
    let mut next = at + usize::from(matches!(text.at(at), "," | "-"));
    next += match text.at(next) {
        "hes" | "shes" => 1,
        "he" | "she" if matches!(text.at(next + 1), "'s" | "is") => 2,
        _ => return None,
    };
    next += usize::from(matches!(text.at(next), "only" | "just"));
    let (years, length, _) = age(text, next)?;
    let end = next + length;
    (years <= 17 && (!text.is_word(end) || matches!(text.at(end), "and" | "now" | "too" | "so")))
        .then_some((years, end - at))
}

/// An age in years: "13", "4y", "4 years", "22 months"; how many tokens, and whether a unit was said.
fn age(text: &Text, at: usize) -> Option<(u32, usize, bool)> {
    let word = text.at(at);
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (value, unit) = word.split_at_checked(digits)?;
    if digits > 0 && digits <= 2 && !unit.is_empty() {
        let value: u32 = value.parse().ok()?;
        return match unit {
            "y" | "yo" | "yr" | "yrs" | "years" | "yos" => {
                Some((value, 1 + usize::from(text.at(at + 1) == "old"), true))
            }
            "m" | "mo" | "mos" | "mth" | "months" => {
                Some((value / 12, 1 + usize::from(text.at(at + 1) == "old"), true))
            }
            _ => None,
        };
    }
    let (value, length) = number(text, at).filter(|(value, _)| *value < 100)?;
    let next = at + length;
    let old = |at: usize| usize::from(matches!(text.at(at), "old" | "olds"));
    match text.at(next) {
        "years" | "year" | "y" | "yo" | "yrs" => Some((value, length + 1 + old(next + 1), true)),
        "months" | "month" | "mo" | "m" => Some((value / 12, length + 1 + old(next + 1), true)),
        _ if value < 18 && calendar::expression(text, at).is_none() && !matches!(text.at(next), ":" | "pm" | "am") => {
            Some((value, length, false))
        }
        _ => None,
    }
}

/// How many tokens before an age say that somebody has reached it: "just turned", and "will be" of 12 by then.
fn turned(text: &Text, at: usize) -> Option<usize> {
    const HAS: &[&str] = &[
        "turned",
        "just turned",
        "is now",
        "has turned",
        "already turned",
        "is already",
        "is actually",
        "has just turned",
    ];
    const WILL: &[&str] = &["will be", "will have turned", "will turn", "is going to be", "turns", "is turning"];
    const BY: &[&str] = &[
        "by then",
        "then",
        "when we",
        "when he",
        "when she",
        "when they",
        "at the time",
        "on the day",
        "before then",
        "before that",
        "before we",
        "before the",
        "at that time",
        "by the time",
    ];
    text.any_of(at, HAS).or_else(|| {
        let length = text.any_of(at, WILL)?;
        let (_, digits) = number(text, at + length)?;
        let end = at + length + digits;
        let end = end + text.any_of(end, &["years old", "years", "yo"]).unwrap_or(0);
        text.any_of(end, BY).map(|_| length)
    })
}

/// Who has left an age group: "the 11 yr old turned 12", "put him as a child", "count her as an adult".
pub fn grown(text: &Text) -> Option<(Travellers, std::ops::Range<usize>)> {
    let adult = Travellers { adults: Some(1), grown: true, ..Travellers::default() };
    let child = Travellers { children: Some(1), grown: true, ..Travellers::default() };
    (0..text.len()).find_map(|at| {
        if let Some(length) = turned(text, at) {
            let (age, digits) = number(text, at + length)?;
            let young = (0..text.len())
                .any(|at| is_young(text.at(at)) || text.at(at) == "old" || matches!(text.at(at), "he" | "she"));
            let sentence = text.sentences().into_iter().find(|sentence| sentence.contains(&at))?;
            let end = (at + length + digits).min(sentence.end);
            return match age {
                12..18 if young => Some((adult, sentence.start..end)),
                2..4 if young => Some((child, sentence.start..end)),
                _ => None,
            };
        }
        // "The infant is 2 now."
        if text.at(at) == "is"
            && let Some((age, digits)) = number(text, at + 1)
            && text.at(at + 1 + digits) == "now"
            && (0..at).any(|at| is_young(text.at(at)) || matches!(text.at(at), "he" | "she"))
        {
            let grown = match age {
                12..18 => adult,
                2..4 => child,
                _ => return None,
            };
            return Some((grown, 0..at + 2 + digits));
        }
        let said = text.any_of(at, &["as child", "as a child", "as kid", "as a kid"]).map(|length| (child, length));
        let said = said.or_else(|| text.any_of(at, &["as adult", "as an adult"]).map(|length| (adult, length)))?;
        // "Does she count as a child then?" asks.
        let sentence = text.sentence(at);
        let asks = (at.saturating_sub(6)..at).any(|at| {
            text.sentence(at) == sentence
                && matches!(text.at(at), "does" | "do" | "would" | "will" | "is" | "are" | "can")
                && matches!(text.at(at + 1), "she" | "he" | "they" | "it" | "that" | "my" | "the" | "a" | "our")
        });
        let verb = !asks
            && (at.saturating_sub(4)..at).any(|at| {
                matches!(text.at(at), "put" | "count" | "add" | "book" | "make" | "change" | "him" | "her" | "them")
            });
        verb.then(|| (said.0, at.saturating_sub(4)..at + said.1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_say_who_they_are() {
        let some = |adults, children, infants| {
            let said = |count: u32| (count > 0).then_some(count);
            Travellers {
                adults: said(adults),
                children: said(children),
                infants: said(infants),
                ..Travellers::default()
            }
        };
        for (words, expected) in [
            ("kids 13, 8, 1", Some(some(1, 1, 1))),
            ("3 kids (11, 7 and 4)", Some(some(0, 3, 0))),
            ("2 children aged 5 and 9", Some(some(0, 2, 0))),
            ("2+1 (child 4y)", Some(some(2, 1, 0))),
            ("2+1", Some(some(2, 1, 0))),
            ("toddler (22 months)", Some(some(0, 0, 1))),
            ("a baby of 6 months", Some(some(0, 0, 1))),
            ("2a 1c 1i", Some(some(2, 1, 1))),
            ("kids 5 dec", None),
            ("2 kids", None),
        ] {
            let text = Text::new(words);
            assert_eq!(aged(&text, 0).map(|(found, _)| found), expected, "{words}");
        }
    }
}
