//! What a journey should keep to on its way: how long layovers may be, which alliance, whether low-cost airlines.

use contracts::dialogue::{LimitsSaid, Wish};
use contracts::travel::{Alliance, Layover, LowCost};

use crate::numbers::{number, number_or_one};
use crate::text::Text;

/// What "short" and "long" mean of a layover where no length is said, in minutes.
const SHORT: u32 = 180;
const LONG: u32 = 300;
/// What a connection needs at least where a "tight" one is not wanted, in minutes.
const TIGHT: u32 = 75;

/// The limits of a message. What is read of layovers is taken, for "no layover over 2 hours" allows layovers.
pub fn limits(text: &mut Text) -> LimitsSaid {
    LimitsSaid { layover: layover(text), alliance: alliance(text), low_cost: low_cost(text) }
}

/// "At least an hour though": a bound of hours that is the whole message speaks of what was spoken of, the connection.
fn alone(text: &Text) -> Option<usize> {
    let words = (0..text.len()).filter(|at| text.is_word(*at)).count();
    (words <= 6).then(|| (0..text.len()).find(|at| text.any_of(*at, &["at least", "at most"]).is_some())).flatten()
}

fn is_layover(word: &str) -> bool {
    matches!(
        word,
        "layover"
            | "layovers"
            | "stopover"
            | "stopovers"
            | "connection"
            | "connections"
            | "wait"
            | "waits"
            | "waiting"
            | "transit"
            | "transits"
            | "change"
            | "changes"
            | "stop"
            | "stops"
            | "connecting"
    )
}

fn layover(text: &mut Text) -> Option<Wish<Layover>> {
    let named = (0..text.len()).find(|at| is_layover(text.at(*at))).or_else(|| alone(text))?;
    let sentence = text.sentences().into_iter().find(|sentence| sentence.contains(&named))?;
    if let Some(at) = text.not_minded(&["layover", "layovers", "connection", "connections", "wait"])
        && (0..text.len()).any(|at| matches!(text.at(at), "length" | "long" | "time" | "how"))
    {
        text.take(at);
        return Some(Wish::Any);
    }
    let length = sentence.clone().find_map(|at| {
        let (minutes, length) = minutes(text, at)?;
        let near = at.abs_diff(named) <= 7 && !matches!(text.at(at + length), "before" | "after" | "trip" | "flight");
        near.then_some((at, minutes, length))
    });
    let describes = |words: &[&str]| named > 0 && words.contains(&text.before(named, 1));
    let found = match length {
        Some((at, minutes, length)) => bounded(text, sentence.clone(), at, minutes, length),
        None if describes(&["overnight"]) => Layover { by_day: true, ..Layover::default() },
        None if describes(&["short", "shorter", "quick"]) => Layover { most: Some(SHORT), ..Layover::default() },
        None if describes(&["long", "longer", "lengthy", "huge"]) => Layover { most: Some(LONG), ..Layover::default() },
        None if describes(&["tight", "rushed"]) => Layover { least: Some(TIGHT), ..Layover::default() },
        None => return None,
    };
    // "How long is the layover of 2 hours?", "a 3 hour layover" name one and set no bound.
    let asks = sentence.clone().any(|at| matches!(text.at(at), "how" | "what" | "is" | "why" | "which" | "does"));
    if found == Layover::default() || asks {
        return None;
    }
    if length.is_none()
        && !text.is_taken_back(named..named + 1)
        && text.any_of(named + 1, &["is fine", "is ok", "ok"]).is_some()
    {
        return Some(Wish::Any);
    }
    let end = length.map_or(named + 1, |(at, _, length)| (at + length).max(named + 1));
    let start = length.map_or(named, |(at, ..)| at.min(named));
    let lead = (1..=3).take_while(|back| start >= *back && is_bound(text.before(start, *back))).count();
    text.take(start - lead..end);
    Some(Wish::Only(found))
}

fn is_bound(word: &str) -> bool {
    matches!(
        word,
        "no" | "not"
            | "max"
            | "min"
            | "least"
            | "at"
            | "most"
            | "under"
            | "over"
            | "any"
            | "overnight"
            | "long"
            | "short"
            | "minimum"
            | "maximum"
            | "without"
            | "a"
            | "an"
            | "more"
            | "less"
            | "than"
            | "with"
            | "longer"
            | "shorter"
    )
}

/// Which bound the words beside a length set.
fn bounded(text: &Text, sentence: std::ops::Range<usize>, at: usize, minutes: u32, length: usize) -> Layover {
    const MORE: &[&str] =
        &["at least", "minimum", "min", "more than", "longer than", "over", "above", "not less than", "no less than"];
    const LESS: &[&str] = &[
        "at most",
        "maximum",
        "max",
        "less than",
        "shorter than",
        "under",
        "below",
        "up to",
        "within",
        "not more than",
        "no more than",
        "not longer than",
        "no longer than",
        "not over",
        "not above",
        "not exceeding",
    ];
    // "Max layover 2h", "layover of at most 2h": between the bound and the length stands what is bounded.
    let between = |from: usize| {
        let joins =
            |at: usize| is_layover(text.at(at)) || matches!(text.at(at), "of" | "a" | "an" | "is" | "be" | "time");
        (from..at).all(joins)
    };
    let before = |phrases: &[&str]| {
        (at.saturating_sub(6).max(sentence.start)..at).any(|start| {
            text.any_of(start, phrases).is_some_and(|length| start + length <= at && between(start + length))
        })
    };
    let behind = |phrases: &[&str]| text.any_of(at + length, phrases).is_some();
    let tail = |phrases: &[&str]| (at + length..at + length + 3).any(|at| text.any_of(at, phrases).is_some());
    // "No layovers over 2 hours", "I don't want to wait more than 3 hours": what is denied is the most.
    let denied = (sentence.start..at).any(|at| {
        matches!(
            text.at(at),
            "no" | "not" | "dont" | "without" | "avoid" | "hate" | "never" | "nothing" | "none" | "cant"
        )
    });
    let most = Layover { most: Some(minutes), ..Layover::default() };
    let least = Layover { least: Some(minutes), ..Layover::default() };
    let or_less =
        behind(&["or less", "or under", "at most", "or shorter", "tops"]) || tail(&["max", "maximum", "at most"]);
    let or_more = behind(&["or more", "or longer", "plus", "+"]) || tail(&["min", "minimum", "at least"]);
    if before(LESS) || or_less {
        most
    } else if before(MORE) {
        if denied && !before(&["at least", "not less than", "no less than", "minimum", "min"]) { most } else { least }
    } else if or_more {
        if denied { most } else { least }
    } else if denied && minutes > 0 {
        // "Nothing with a ten hour layover".
        Layover { most: Some(minutes - 1), ..Layover::default() }
    } else {
        Layover::default()
    }
}

/// A length of time within a day: "2 hours", "2h", "90 min", "an hour", "2.5 hrs", "1h30"; and how many tokens.
fn minutes(text: &Text, at: usize) -> Option<(u32, usize)> {
    let word = text.at(at);
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    if let Some((value, unit)) =
        word.split_at_checked(digits).filter(|(value, unit)| !value.is_empty() && !unit.is_empty())
    {
        let value: u32 = value.parse().ok()?;
        let (hours, rest) = match unit.split_once('h') {
            Some(("", rest)) => (value, rest.trim_start_matches(['r', 's', 'o', 'u'])),
            _ if matches!(unit, "m" | "min" | "mins" | "minutes") => return Some((value, 1)),
            _ => return None,
        };
        let minutes: u32 = if rest.is_empty() { 0 } else { rest.parse().ok()? };
        return (hours < 48 && minutes < 60).then_some((hours * 60 + minutes, 1));
    }
    let (whole, mut length) = number_or_one(text, at)?;
    let mut halves = 0;
    if text.at(at + length) == "." && text.at(at + length + 1) == "5" {
        (halves, length) = (30, length + 2);
    }
    let half = text.any_of(at + length, &["and a half", "and half"]);
    length += half.unwrap_or(0);
    halves += if half.is_some() { 30 } else { 0 };
    length += usize::from(text.at(at + length) == "-");
    match text.at(at + length) {
        "hour" | "hours" | "h" | "hr" | "hrs" if whole < 48 => {
            let tail = text.any_of(at + length + 1, &["and a half"]);
            let more = if tail.is_some() { 30 } else { 0 };
            let minutes = number(text, at + length + 1)
                .filter(|(_, span)| matches!(text.at(at + length + 1 + span), "min" | "mins" | "minutes" | "m"));
            let (extra, span) = minutes.map_or((0, 0), |(extra, span)| (extra, span + 1));
            Some((whole * 60 + halves + more + extra, length + 1 + tail.unwrap_or(0) + span))
        }
        "min" | "mins" | "minutes" | "minute" => Some((whole, length + 1)),
        _ => None,
    }
}

fn alliance(text: &Text) -> Option<Wish<Alliance>> {
    const NAMES: &[(&str, Alliance)] = &[
        ("star alliance", Alliance::Star),
        ("staralliance", Alliance::Star),
        ("oneworld", Alliance::Oneworld),
        ("one world", Alliance::Oneworld),
        ("skyteam", Alliance::Skyteam),
        ("sky team", Alliance::Skyteam),
    ];
    (0..text.len()).find_map(|at| {
        if text.any_of(at, &["any alliance", "alliance doesnt matter", "no alliance", "forget the alliance"]).is_some()
        {
            return Some(Wish::Any);
        }
        let (alliance, length) =
            NAMES.iter().find_map(|(name, alliance)| text.any_of(at, &[*name]).map(|length| (*alliance, length)))?;
        // "I have Star Alliance gold" is a card.
        let card = matches!(
            text.at(at + length),
            "gold" | "silver" | "status" | "member" | "members" | "miles" | "points" | "lounge" | "lounges" | "card"
        );
        let denied = matches!(text.before(at, 1), "not" | "no" | "without");
        match (card, text.is_taken_back(at..at + length)) {
            (true, _) => None,
            (_, true) => Some(Wish::Any),
            _ if denied => None,
            _ => Some(Wish::Only(alliance)),
        }
    })
}

fn low_cost(text: &Text) -> Option<Wish<LowCost>> {
    const KIND: &[&str] = &[
        "low cost",
        "low - cost",
        "lowcost",
        "budget",
        "no frills",
        "no - frills",
        "lcc",
        "lccs",
        "discount",
        "cheapo",
    ];
    const FULL: &[&str] = &[
        "full service",
        "full - service",
        "legacy carrier",
        "legacy carriers",
        "legacy airline",
        "legacy airlines",
        "proper airline",
        "proper airlines",
        "real airlines",
    ];
    (0..text.len()).find_map(|at| {
        if text.any_of(at, FULL).is_some() && !text.is_taken_back(at..at + 1) {
            return Some(Wish::Only(LowCost::Without));
        }
        let length = text.any_of(at, KIND)?;
        let lcc = text.at(at).starts_with("lcc");
        let noun = matches!(
            text.at(at + length),
            "airline" | "airlines" | "carrier" | "carriers" | "ones" | "companies" | "operators"
        );
        let bare = !matches!(text.at(at), "budget" | "discount" | "cheapo") && !text.is_word(at + length);
        if !(lcc || noun || bare) {
            return None;
        }
        let denied = (1..=4).any(|back| {
            matches!(
                text.before(at, back),
                "no" | "not" | "without" | "avoid" | "except" | "dont" | "hate" | "never" | "non" | "exclude" | "skip"
            )
        });
        let end = at + length + usize::from(noun);
        let fine = text
            .any_of(
                end,
                &["is fine", "are fine", "is ok", "are ok", "ok", "fine", "too", "is okay", "are okay", "allowed"],
            )
            .is_some();
        let only = text.at(end) == "only" || text.before(at, 1) == "only" || text.before(at, 1) == "just";
        match (denied && !fine, fine || text.is_taken_back(at..end), only || noun) {
            (true, ..) => Some(Wish::Only(LowCost::Without)),
            (_, true, _) => Some(Wish::Any),
            (.., true) => Some(Wish::Only(LowCost::Only)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> String {
        let found = limits(&mut Text::new(words));
        let layover = found.layover.map(|wish| match wish {
            Wish::Any => "any layover".to_owned(),
            Wish::Only(Layover { least, most, by_day }) => {
                let least = least.map(|least| format!("least {least}"));
                let most = most.map(|most| format!("most {most}"));
                least.into_iter().chain(most).chain(by_day.then(|| "by day".to_owned())).collect::<Vec<_>>().join(" ")
            }
        });
        let alliance = found.alliance.map(|wish| format!("{wish:?}").to_lowercase());
        let low_cost = found.low_cost.map(|wish| format!("{wish:?} low cost").to_lowercase());
        layover.into_iter().chain(alliance).chain(low_cost).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_form_is_read() {
        let lines = include_str!("../examples/limits.txt").lines();
        let wrong: Vec<String> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .filter_map(|line| {
                let (words, expected) = line.split_once(" => ").expect("words => limits");
                let found = read(words);
                (found != expected.trim()).then(|| format!("{words}: {found}"))
            })
            .collect();
        assert_eq!(wrong, Vec::<String>::new());
    }
}
