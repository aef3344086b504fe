//! Days that would do as well: "±3 days", "the cheapest day in January", "which day is cheapest that week".
//!
//! Patterns are words in their order: `=class` is one of a class of words, `=word` is any, `?` marks what may be
//! missing, `=n` counts days.
//! `examples/flexible.txt` holds a line for each form.

use contracts::dialogue::{DateExpr, DateMention, DateRole, Flexible, Part, Week};

use crate::months::month;
use crate::numbers::number_or_one;
use crate::text::Text;

/// How many days before and after are meant where it is not said.
const SOME: u8 = 3;
/// The most that are.
const MOST: u32 = 14;

/// So many days before and after.
const AROUND: &[&str] = &[
    "± =n",
    "+ / - =n",
    "+ - =n",
    "plus or minus =n",
    "plus / minus =n",
    "plus minus =n",
    "give or take =n",
    "within =n of",
    "within =n either",
    "=n ?on =either side",
    "=n in =either direction",
    "=n in =either directions",
    "=n =either way",
    "=n both ways",
    "=n before or after",
    "=n before and after",
    "=n before / after",
    "=n earlier or later",
    "=n later or earlier",
    "=n sooner or later",
    "=n around ?it",
    "=n more or less",
    "=n up or down",
    "=n - flexible",
    "=n flexible",
    "=n ?of flexibility",
];
/// Other days than the one that is known, so many as is usual.
const NEARBY: &[&str] = &[
    "=day ?=be =not fixed",
    "=day ?=be =not set",
    "=day ?=be =not firm",
    "=day =can =move",
    "=can =move the =day",
    "=day around =it",
    "=other =day ?that ?=be =cheap",
    "=cheap ?=be ?on ?a ?the =other =day",
    "=price ?for ?on ?of ?the =other =day",
    "compare ?the ?other =day",
    "compare =price by =day",
    "compare =price across =day",
    "=price by =day",
    "=price per =day",
];
/// The cheapest of some days.
const CHEAPEST: &[&str] = &[
    "=cheap =day",
    "least expensive =day",
    "=cheap time to =fly",
    "=cheap time of ?the month",
    "=which =day ?would ?=be ?it ?be ?the =cheap",
    "=which =day ?would ?=be ?it ?be least expensive",
    "=which =day =have the =cheap",
    "=which =day of =it month =have the =cheap",
    "=day with the =cheap",
    "=day with the best =price",
    "when ?would ?=be ?it ?=be ?the =cheap",
    "when ?it ?=be ?the =cheap",
    "when =be ?the =flights ?the =cheap",
    "when =be ?the =flights to =word ?the =cheap",
    "whenever ?it ?=be ?the =cheap",
    "=price calendar",
    "calendar of =price",
    "calendar view",
];
/// Any day of a month, whatever it costs.
const ANY_DAY: &[&str] = &[
    "any =day",
    "anytime",
    "any time",
    "whichever =day",
    "=day doesnt matter",
    "dont care which =day",
    "no particular =day",
];
/// That day and no other.
const EXACT: &[&str] = &[
    "=not flexible",
    "=day =be fixed",
    "=day =be firm",
    "exactly =it =day",
    "only =it =day",
    "=it =day only",
    "no other =day",
    "no flexibility",
];

/// The words of a class; none where a word is its own.
fn class(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "=day" => &["day", "days", "date", "dates"],
        "=cheap" => &["cheapest", "cheaper", "lowest"],
        "=be" => &["is", "'s", "are", "was", "were", "be", "being"],
        "=which" => &["which", "what", "whats", "whichever", "whatever", "any"],
        "=have" => &["has", "have", "gives", "got"],
        "=fly" => &["fly", "travel", "go", "leave", "depart", "visit"],
        "=flights" => &["flights", "fares", "prices", "tickets", "they", "fare", "flying"],
        "=price" => &["price", "prices", "fare", "fares"],
        "=other" => {
            &["another", "other", "different", "nearby", "surrounding", "neighbouring", "neighboring", "alternative"]
        }
        "=either" => &["either", "each", "both"],
        "=not" => &["not", "isnt", "arent", "aint", "never"],
        "=can" => &["can", "could", "may", "might"],
        "=move" => &["move", "shift", "change", "vary", "slip"],
        "=it" => &["it", "that", "this", "then", "those", "them", "these"],
        _ => return None,
    })
}

/// Where a pattern fits from a token on: how many tokens it takes, and how many days it counts.
fn fit(text: &Text, start: usize, pattern: &str) -> Option<(usize, Option<u8>)> {
    let (mut at, mut counted) = (start, None);
    for piece in pattern.split(' ') {
        let (word, optional) = piece.strip_prefix('?').map_or((piece, false), |word| (word, true));
        if word == "=n" {
            let (days, length) = days(text, at)?;
            (at, counted) = (at + length, Some(days));
        } else if word == "=word" && text.is_word(at)
            || class(word).map_or(text.at(at) == word, |words| words.contains(&text.at(at)))
        {
            at += 1;
        } else if !optional {
            return None;
        }
    }
    Some((at - start, counted))
}

/// "3 days", "a day or two", "a few days", "2-3 days", "3" behind a sign.
fn days(text: &Text, at: usize) -> Option<(u8, usize)> {
    let bounded = |days: u32| u8::try_from(days.clamp(1, MOST)).unwrap_or(SOME);
    if let Some(length) =
        text.any_of(at, &["a day or two", "one day or two", "a day or 2", "1 day or two", "a couple days"])
    {
        return Some((2, length));
    }
    if let Some(length) = text.any_of(at, &["a few days", "few days", "some days", "several days", "a bit", "a little"])
    {
        return Some((SOME, length));
    }
    if text.is(at, &["the", "day"]) {
        return Some((1, 2));
    }
    let (first, length) = number_or_one(text, at)?;
    let mut next = at + length;
    let mut days = first;
    if matches!(text.at(next), "-" | "or" | "to")
        && let Some((second, length)) = number_or_one(text, next + 1)
    {
        (days, next) = (second, next + 1 + length);
    }
    match text.at(next) {
        "day" | "days" | "d" => Some((bounded(days), next + 1 - at)),
        "week" | "weeks" => Some((bounded(days * 7), next + 1 - at)),
        // "±3" alone.
        _ if matches!(text.before(at, 1), "±" | "-") && !text.is_word(next) && first <= MOST => {
            Some((bounded(days), next - at))
        }
        _ => None,
    }
}

/// The days that would do as well. What is read is taken, but for a month that is named.
pub fn flexible(text: &mut Text) -> Option<Flexible> {
    if let Some((_, length, at)) = first(text, EXACT) {
        text.take(at..at + length);
        return Some(Flexible::No);
    }
    if let Some((counted, length, at)) = first(text, AROUND) {
        // "My dates are flexible, 2 days either way": both say the same.
        flexible_word(text);
        text.take(at..at + length);
        return Some(Flexible::Around { days: counted.unwrap_or(SOME) });
    }
    if let Some(days) = flexible_word(text) {
        return Some(Flexible::Around { days });
    }
    let cheapest = (0..text.len()).find_map(|at| {
        let length = CHEAPEST.iter().filter_map(|pattern| Some(fit(text, at, pattern)?.0)).max()?;
        (!is_about_an_offer(text, at + length) && text.all_free(at..at + length)).then_some((at, length))
    });
    if let Some((at, length)) = cheapest {
        text.take(at..at + length);
        return Some(week(text, text.sentence(at)).or_else(|| month_said(text)).unwrap_or(Flexible::Anytime));
    }
    let (_, length, at) = first(text, NEARBY)?;
    text.take(at..at + length);
    Some(Flexible::Around { days: SOME })
}

/// The first place where one of the patterns fits, the longest there.
fn first(text: &Text, patterns: &[&str]) -> Option<(Option<u8>, usize, usize)> {
    (0..text.len()).find_map(|at| {
        let fits = patterns.iter().filter_map(|pattern| fit(text, at, pattern));
        let (length, counted) = fits.max_by_key(|(length, _)| *length)?;
        text.all_free(at..at + length).then_some((counted, length, at))
    })
}

/// "When is the cheapest one?" asks of an offer, and "the cheapest time to book" of when to buy.
fn is_about_an_offer(text: &Text, end: usize) -> bool {
    matches!(text.at(end), "one" | "flight" | "offer" | "option" | "ticket" | "seat" | "airline" | "class")
        && !matches!(text.before(end, 2), "with" | "has" | "have" | "the")
        || text.at(end) == "time"
        || text.is(end.saturating_sub(1), &["cheapest", "one"])
        || text.is(end.saturating_sub(1), &["cheapest", "flight"]) && text.before(end, 3) == "is"
        || text.at(end) == "to" && matches!(text.at(end + 1), "book" | "buy" | "purchase" | "reserve")
}

/// "Flexible dates", "I'm flexible", "flexible by 2 days", but no flexible ticket; so many days. What is read is taken.
fn flexible_word(text: &mut Text) -> Option<u8> {
    let at = (0..text.len())
        .find(|at| matches!(text.at(*at), "flexible" | "flex" | "flexi" | "flexibility") && text.free(*at))?;
    let other = |word: &str| {
        matches!(
            word,
            "ticket"
                | "tickets"
                | "fare"
                | "fares"
                | "booking"
                | "cancellation"
                | "rate"
                | "rates"
                | "change"
                | "changes"
                | "time"
                | "times"
                | "timing"
                | "budget"
                | "price"
                | "airport"
                | "airports"
                | "airline"
                | "airlines"
                | "destination"
                | "destinations"
                | "refund"
                | "policy"
                | "seat"
                | "seats"
                | "stops"
                | "hours"
        )
    };
    let sentence = text.sentence(at);
    let beside = |at: usize| text.sentence(at) == sentence && matches!(text.at(at), "day" | "days" | "date" | "dates");
    let near = (at.saturating_sub(5)..at + 5).any(beside);
    let person = matches!(
        text.before(at, 1),
        "im" | "am" | "are" | "were" | "m" | "be" | "quite" | "pretty" | "fairly" | "very"
    ) || text.before(at, 1) == "totally"
        || text.len() <= 2;
    let named = (at + 1..at + 4).any(|at| other(text.at(at))) || other(text.before(at, 1)) || other(text.before(at, 2));
    if !near && (named || !person) {
        return None;
    }
    let counted = (at + 1..at + 5).find_map(|at| Some((at, days(text, at)?)));
    let neighbours: Vec<usize> = (at.saturating_sub(3)..at + 4).filter(|at| beside(*at)).collect();
    text.take(at..at + 1);
    neighbours.into_iter().for_each(|at| text.take(at..at + 1));
    if let Some((at, (days, length))) = counted {
        text.take(at..at + length);
        return Some(days);
    }
    Some(SOME)
}

/// The week whose days are compared: "that week", "next week", "the week of". What is read is taken.
fn week(text: &mut Text, sentence: usize) -> Option<Flexible> {
    const WEEKS: &[(&str, Week)] = &[
        ("the week after next", Week::AfterNext),
        ("week after next", Week::AfterNext),
        ("next week", Week::Next),
        ("this week", Week::This),
        ("that week", Week::Coming),
        ("same week", Week::Coming),
        ("the week of", Week::Coming),
        ("week of", Week::Coming),
        ("the week", Week::Coming),
    ];
    let (at, length, week) = (0..text.len())
        .filter(|at| text.sentence(*at) == sentence)
        .find_map(|at| WEEKS.iter().find_map(|(phrase, week)| Some((at, text.any_of(at, &[*phrase])?, *week))))?;
    // "The cheapest day of the week" means any.
    if text.is(at, &["the", "week"]) && text.before(at, 1) == "of" {
        return None;
    }
    let lead = usize::from(matches!(text.before(at, 1), "in" | "of" | "during"));
    text.take(at - lead.min(at)..at + length);
    Some(Flexible::InWeek { week })
}

/// A month is named, as such: "in January", "that month", "next month".
fn month_said(text: &Text) -> Option<Flexible> {
    let named = |at: usize| {
        let word = text.at(at);
        let led =
            matches!(text.before(at, 1), "in" | "of" | "during" | "for" | "next" | "this" | "late" | "early" | "mid");
        word == "month" && matches!(text.before(at, 1), "that" | "this" | "next" | "whole" | "same" | "the" | "of")
            || month(word).is_some() && (led || word.len() > 3)
    };
    (0..text.len()).any(named).then_some(Flexible::InMonth)
}

/// "The cheapest flight in January", "any day in March": a month is all that is said of the day out.
pub fn in_month(text: &Text, dates: &[DateMention]) -> Option<Flexible> {
    let is_month = |date: &DateMention| {
        matches!(date.expression, DateExpr::InMonth { part: Part::Any, .. })
            && date.role != DateRole::Return
            && !date.negated
    };
    let only = dates.iter().any(is_month) && dates.iter().all(|date| is_month(date) || date.role == DateRole::Return);
    let cheapest = (0..text.len())
        .any(|at| matches!(text.at(at), "cheapest") || text.any_of(at, &["lowest fare", "lowest price"]).is_some());
    (only && (cheapest || first_of(text, ANY_DAY))).then_some(Flexible::InMonth)
}

fn first_of(text: &Text, patterns: &[&str]) -> bool {
    (0..text.len()).any(|at| patterns.iter().any(|pattern| fit(text, at, pattern).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(words: &str) -> String {
        match crate::understand(words).flexible {
            None => String::new(),
            Some(Flexible::Around { days }) => format!("around {days}"),
            Some(other) => match other {
                Flexible::InWeek { week } => format!("week {week:?}").to_lowercase(),
                Flexible::InMonth => "month".to_owned(),
                Flexible::Anytime => "anytime".to_owned(),
                _ => "no".to_owned(),
            },
        }
    }

    #[test]
    fn each_wording_says_which_days_would_do() {
        let lines = include_str!("../examples/flexible.txt").lines();
        let wrong: Vec<String> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .filter_map(|line| {
                let (words, expected) = line.split_once(" =>").expect("words => days");
                let got = shown(words);
                (got != expected.trim()).then(|| format!("{line}, got {got}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_says_so_is_no_day_of_its_own() {
        let said = crate::understand("Lahore to Dubai on 10 December, back on the 17th, give or take 3 days");
        let days: Vec<DateExpr> = said.dates.iter().map(|date| date.expression).collect();
        assert_eq!(
            days,
            [DateExpr::Date { year: None, month: 12, day: 10 }, DateExpr::DayOfMonth { day: 17, month: None },]
        );
        assert!(said.travellers.is_none() && said.numbers.is_empty(), "{said:?}");
        let said = crate::understand("which day is cheapest next week?");
        assert!(said.dates.is_empty() && said.pick.is_none(), "{said:?}");
    }
}
