//! Finds the airlines a message names.
//!
//! In: tokens. Out: which of them name an airline. What means something else as well ("American", "Delta", "Alaska")
//! counts only where the words around it say so: "on Delta", "United flights", but not "an American citizen", "to Alaska".

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use contracts::travel::Airline;
use geo::airlines::carriers;

use crate::places::regions::names_something;
use crate::tokens::{Token, fold};

/// An airline as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The tokens of the name.
    pub tokens: Range<usize>,
    /// The airline.
    pub airline: Airline,
}

/// The most words an airline's name has ("Ukraine International Airlines").
const MOST_WORDS: usize = 5;

/// Words that an airline follows.
const BEFORE: &[&str] = &[
    "on",
    "with",
    "by",
    "prefer",
    "fly",
    "flying",
    "using",
    "take",
    "taking",
    "only",
    "but",
    "like",
    "choose",
    "use",
    "carrier",
    "airline",
    "airlines",
    "except",
    "avoid",
    "via",
    "rather",
    "love",
    "hate",
    "than",
    "not",
    "no",
    "any",
    "preferably",
    "maybe",
    "try",
    "through",
    "book",
    "it",
    "want",
    "have",
    "morning",
    "evening",
    "afternoon",
    "night",
    "direct",
    "nonstop",
    "adult",
    "adults",
    "pax",
    "people",
    "class",
    "economy",
    "business",
    "passenger",
    "passengers",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "today",
    "tomorrow",
    "cheapest",
];

/// Words that follow an airline.
const AFTER: &[&str] = &[
    "airlines",
    "airline",
    "airways",
    "flight",
    "flights",
    "please",
    "only",
    "works",
    "preferred",
    "tickets",
    "ticket",
    "instead",
    "itself",
    "code",
    "option",
    "one",
    "plane",
    "of course",
    "pls",
    "then",
    "obviously",
    "again",
    "direct",
    "premium",
];

/// Words that make of such a name something else.
const OTHERWISE: &[&str] = &[
    "citizen",
    "citizens",
    "passport",
    "passports",
    "kingdom",
    "states",
    "arab",
    "dollars",
    "express",
    "junction",
    "national",
    "food",
    "meal",
    "nationals",
    "embassy",
    "visa",
    "columbia",
    "islands",
    "virgin",
    "cruise",
    "people",
    "language",
];

/// Words after which such a name is a place or a person's country.
const NOT_BEFORE: [&str; 11] =
    ["to", "from", "in", "an", "into", "visit", "visiting", "around", "near", "across", "am"];

struct Name {
    airline: Airline,
    ordinary: bool,
}

static NAMES: LazyLock<HashMap<String, Name>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for carrier in carriers() {
        let airline = Airline { name: carrier.name.to_owned(), iata: carrier.designator.to_owned() };
        names.insert(
            fold(carrier.name),
            Name { airline: airline.clone(), ordinary: ALSO_WORDS.contains(&carrier.name) },
        );
        for alias in &carrier.aliases {
            names.insert(fold(alias.name), Name { airline: airline.clone(), ordinary: alias.ordinary });
        }
    }
    names
});

/// Full names that are ordinary words as well.
const ALSO_WORDS: [&str; 12] =
    ["Condor", "Swiss", "Norwegian", "PLAY", "Emirates", "GOL", "SAS", "Peach", "ANA", "Maldivian", "Iberia", "Cubana"];

/// The airlines that a message names, in its order; their tokens never overlap.
pub fn find(tokens: &[Token]) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let last = mentions.last().map_or(0, |mention| mention.tokens.end);
        let found = starting_at(tokens, at, last)
            .or_else(|| designator(tokens, at))
            .or_else(|| listed_designator(tokens, at, mentions.last()));
        match found {
            Some(mention) => {
                at = mention.tokens.end;
                mentions.push(mention);
            }
            None => at += 1,
        }
    }
    mentions
}

/// The longest name that starts at a token.
fn starting_at(tokens: &[Token], start: usize, last: usize) -> Option<Mention> {
    let mut found = None;
    let mut spoken = String::new();
    for (end, token) in tokens.iter().enumerate().skip(start).take(MOST_WORDS) {
        if !token.is_word() {
            break;
        }
        if end > start {
            spoken.push(' ');
        }
        spoken.push_str(&token.text);
        let tokens_of = start..end + 1;
        if let Some(name) = NAMES.get(&spoken).filter(|name| !name.ordinary || is_meant(tokens, &tokens_of, last)) {
            found = Some(Mention { tokens: tokens_of, airline: name.airline.clone() });
        }
    }
    found
}

/// The words around an ambiguous name say that an airline is meant; `last` is where the airline named before ended.
fn is_meant(tokens: &[Token], span: &Range<usize>, last: usize) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut before = span.start;
    while let Some(previous) = before.checked_sub(1) {
        before = previous;
        if !matches!(text(previous), "the" | "a" | "'") {
            break;
        }
    }
    let previous = if before < span.start { text(before) } else { "" };
    let next = text(span.end);
    if OTHERWISE.contains(&next) {
        return false;
    }
    let listed = matches!(previous, "or" | "and" | "," | "/" | "&") && last > 0 && last == before;
    let leads_a_list = matches!(next, "or" | "and" | "," | "/") && NAMES.contains_key(text(span.end + 1));
    let words = tokens.iter().filter(|token| token.is_word()).count();
    let answered = words <= span.len() + 1
        || words <= span.len() + 4 && !NOT_BEFORE.contains(&previous) && starts_alike(tokens, span);
    // "Nashville to Seattle dec 9 alaska".
    let behind_a_day = previous.starts_with(|first: char| first.is_ascii_digit())
        && before + 1 == span.start
        && words > 4
        && !tokens.get(span.end).is_some_and(Token::is_word);
    // "SAA is fine too", "Ethiopian goes direct".
    let judged = matches!(next, "is" | "are" | "would") && {
        let be = usize::from(text(span.end + 1) == "be");
        matches!(text(span.end + 1 + be), "fine" | "ok" | "okay" | "allowed" | "acceptable")
    };
    let flies = matches!(next, "goes" | "flies" | "operates")
        || matches!(next, "ok" | "okay" | "fine" | "allowed") && !tokens.get(span.end + 1).is_some_and(Token::is_word);
    AFTER.contains(&next)
        || judged
        || flies
        || listed
        || behind_a_day
        || leads_a_list
        || !NOT_BEFORE.contains(&previous) && (BEFORE.contains(&previous) || answered)
}

/// The name opens a short answer ("Delta is fine").
fn starts_alike(tokens: &[Token], span: &Range<usize>) -> bool {
    let after = tokens.get(span.end).map_or("", |token| token.text.as_str());
    span.start == 0
        && matches!(
            after,
            "is" | "would"
                | "sounds"
                | "will"
                | "if"
                | "then"
                | "or"
                | "and"
                | ","
                | "."
                | "of"
                | "obviously"
                | "no"
                | "but"
                | "please"
                | "direct"
                | "nonstop"
                | "only"
                | "again"
                | "pls"
        )
}

/// "Lufthansa or ac": a designator in small letters that goes on a list of airlines.
fn listed_designator(tokens: &[Token], at: usize, last: Option<&Mention>) -> Option<Mention> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let before = at.checked_sub(1)?;
    let listed = last.is_some_and(|last| last.tokens.end == before) && matches!(text(before), "or" | "and" | "/" | ",");
    let ends = !tokens.get(at + 1).is_some_and(Token::is_word)
        || matches!(text(at + 1), "then" | "only" | "please" | "is" | "ok" | "or" | "flights" | "preferred");
    let word = text(at);
    let english = matches!(
        word,
        "no" | "so"
            | "if"
            | "as"
            | "is"
            | "it"
            | "we"
            | "me"
            | "my"
            | "to"
            | "in"
            | "on"
            | "at"
            | "ok"
            | "or"
            | "am"
            | "an"
    );
    if !listed || !ends || word.len() != 2 || english || names_something(word) {
        return None;
    }
    let designator = word.to_uppercase();
    let name = geo::airlines::name_of(&designator)?;
    Some(Mention { tokens: at..at + 1, airline: Airline { name: name.to_owned(), iata: designator } })
}

/// A designator in capitals after a word that airlines follow: "on EK".
fn designator(tokens: &[Token], at: usize) -> Option<Mention> {
    let token = tokens.get(at).filter(|token| {
        token.text.len() == 2
            && (token.capitals || token.text.bytes().any(|byte| byte.is_ascii_digit()) && token.capital)
    })?;
    let previous = at.checked_sub(1).and_then(|before| tokens.get(before)).map_or("", |token| token.text.as_str());
    let next = tokens.get(at + 1).map_or("", |token| token.text.as_str());
    // "LA" and "AZ" are a city and a state, too.
    let is_place = names_something(&token.text);
    let alone = !is_place && tokens.iter().filter(|token| token.is_word()).count() <= 2;
    let listed = matches!(previous, "or" | "and" | "/" | ",")
        && at >= 2
        && tokens.get(at - 2).is_some_and(|before| before.capitals && before.text.len() == 2);
    let led = matches!(previous, "on" | "with" | "by" | "prefer" | "airline" | "only" | "just");
    let denied = !is_place && matches!(previous, "not" | "no");
    let is_code = |token: &Token| {
        token.text.len() == 2 && token.capitals && geo::airlines::name_of(&token.text.to_uppercase()).is_some()
    };
    let list = next == "/"
        || matches!(next, "or" | "and" | ",") && !matches!(token.text.as_str(), "in" | "to" | "go" | "on" | "at");
    let leads = !is_place && list && tokens.get(at + 2).is_some_and(is_code);
    let followed = matches!(next, "flight" | "flights") || !is_place && next == "only";
    if !(led || denied || followed || leads || listed && !is_place || alone) {
        return None;
    }
    let designator = token.text.to_uppercase();
    let name = geo::airlines::name_of(&designator)?;
    Some(Mention { tokens: at..at + 1, airline: Airline { name: name.to_owned(), iata: designator } })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens::tokens;

    fn named(words: &str) -> Vec<String> {
        find(&tokens(words)).into_iter().map(|mention| mention.airline.iata).collect()
    }

    #[test]
    fn airlines_are_found_by_the_names_people_say() {
        let cases: &[(&str, &[&str])] = &[
            ("I'd like to fly Delta Air Lines", &["DL"]),
            ("on united please", &["UA"]),
            ("American", &["AA"]),
            ("American Airlines or Southwest", &["AA", "WN"]),
            ("Delta is fine", &["DL"]),
            ("Delta or American would be good for all of us", &["DL", "AA"]),
            ("Is it Southwest?", &["WN"]),
            ("an Air Canada flight", &["AC"]),
            ("anything but Ryan Air", &["FR"]),
            ("with PIA", &["PK"]),
            ("prefer BA", &["BA"]),
            ("any Alaska flights?", &["AS"]),
            ("on EK", &["EK"]),
            ("Aeroméxico", &["AM"]),
            ("BA or IB, no stops", &["BA", "IB"]),
            ("on second thoughts saa is fine too", &["SA"]),
            ("ethiopian goes direct doesn't it? those", &["ET"]),
            ("united is ok", &["UA"]),
            ("peach, or tigerair", &["MM", "IT"]),
            ("KLM, Lufthansa and Swiss", &["KL", "LH", "LX"]),
        ];
        for (words, expected) in cases {
            assert_eq!(&named(words), expected, "{words}");
        }
    }

    #[test]
    fn words_that_airlines_are_named_after_are_no_airlines() {
        for words in [
            "I am an American citizen",
            "from Seattle to Alaska",
            "I live in the United States",
            "to the United Kingdom",
            "to Delta Junction",
            "my british passport",
            "to the Emirates",
            "two of us, one way, in the spirit of adventure",
            "what a lovely indigo sky over the new frontier we saw today",
        ] {
            assert_eq!(named(words), <[&str; 0]>::default(), "{words}");
        }
    }

    proptest! {
        #[test]
        fn no_words_make_it_panic_and_names_never_overlap(words in ".{0,80}") {
            let tokens = tokens(&words);
            let mut last = 0;
            for mention in find(&tokens) {
                prop_assert!(last <= mention.tokens.start && mention.tokens.start < mention.tokens.end);
                prop_assert!(mention.tokens.end <= tokens.len());
                last = mention.tokens.end;
            }
        }
    }
}
