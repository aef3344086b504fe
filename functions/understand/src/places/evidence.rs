//! What the words around a name say for its being a place.

use std::ops::Range;

use super::names::{PROMINENT, is_ordinary};
use crate::tokens::Token;

/// Words a place follows.
const BEFORE_A_PLACE: [&str; 24] = [
    "from",
    "to",
    "in",
    "into",
    "via",
    "through",
    "near",
    "visit",
    "visiting",
    "reach",
    "leave",
    "leaving",
    "depart",
    "departing",
    "between",
    "toward",
    "towards",
    "fly",
    "flying",
    "at",
    "around",
    "frm",
    "frome",
    "exploring",
];

/// Words after which "for" means a place: "leave for Nice".
const BEFORE_FOR: [&str; 8] = ["leave", "leaving", "bound", "heading", "headed", "depart", "departing", "off"];

/// Words after which "to" means a place, not a verb: "go to Split".
const BEFORE_TO: [&str; 18] = [
    "go",
    "going",
    "fly",
    "flying",
    "travel",
    "traveling",
    "travelling",
    "flight",
    "flights",
    "ticket",
    "tickets",
    "trip",
    "head",
    "heading",
    "headed",
    "way",
    "back",
    "over",
];

/// Names of places that are verbs after "to".
const VERBS: [&str; 8] = ["split", "march", "knock", "cork", "reading", "van", "orange", "bar"];

/// Words that may follow the name of a place; any other makes it part of something else ("to Reading reviews").
const AFTER_A_PLACE: [&str; 98] = [
    "from",
    "to",
    "on",
    "for",
    "and",
    "in",
    "at",
    "by",
    "with",
    "via",
    "next",
    "this",
    "tomorrow",
    "today",
    "tonight",
    "leaving",
    "departing",
    "returning",
    "arriving",
    "or",
    "around",
    "before",
    "after",
    "please",
    "airport",
    "then",
    "but",
    "so",
    "if",
    "one",
    "two",
    "return",
    "coming",
    "sometime",
    "during",
    "between",
    "until",
    "is",
    "would",
    "as",
    "direct",
    "nonstop",
    "cheapest",
    "cheap",
    "under",
    "max",
    "below",
    "business",
    "economy",
    "first",
    "premium",
    "flight",
    "flights",
    "any",
    "when",
    "how",
    "what",
    "which",
    "only",
    "instead",
    "also",
    "not",
    "no",
    "my",
    "we",
    "i",
    "me",
    "us",
    "just",
    "biz",
    "oneway",
    "way",
    "round",
    "trip",
    "asap",
    "early",
    "late",
    "morning",
    "evening",
    "night",
    "afternoon",
    "starting",
    "stopping",
    "can",
    "could",
    "need",
    "home",
    "back",
    "preferably",
    "maybe",
    "where",
    "who",
    "through",
    "thanks",
    "pax",
    "ok",
    "sat",
    "sun",
];

/// What people answer in one word without naming a place.
const ANSWERS: [&str; 5] = ["nice", "same", "solo", "hot", "best"];

/// Words that a person's name follows.
const PEOPLE: [&str; 14] = [
    "mr",
    "mrs",
    "ms",
    "dr",
    "friend",
    "wife",
    "husband",
    "son",
    "daughter",
    "brother",
    "sister",
    "colleague",
    "named",
    "im",
];

const DAYS_AND_MONTHS: [&str; 38] = [
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
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
    "sept",
];

/// What the words around a name say.
#[derive(Debug, Clone, Copy)]
pub struct Evidence {
    /// It follows a word that places follow.
    pub placed: bool,
    /// It has a capital that the start of a sentence does not explain.
    pub capital: bool,
    /// It is the whole message.
    pub alone: bool,
    /// It is followed by nothing that it would be part of.
    pub closed: bool,
    /// It is followed by "to".
    pub leads_on: bool,
    /// It is followed by "airport".
    pub airport: bool,
    /// Somebody lives there.
    lives: bool,
    /// It follows "to" where "to" may precede a verb.
    after_to: bool,
    /// It introduces a person.
    person: bool,
}

/// The message, and whether its capitals tell anything: in one all in capitals they do not.
pub struct Context<'a> {
    tokens: &'a [Token],
    words: usize,
    capitals_tell: bool,
}

impl<'a> Context<'a> {
    /// Looks at the whole message.
    pub fn new(tokens: &'a [Token]) -> Self {
        let words = tokens.iter().filter(|token| token.is_word() && !is_filler(&token.text)).count();
        let capitals = tokens.iter().filter(|token| token.capital).count();
        Self { tokens, words, capitals_tell: words < 4 || capitals * 10 < words * 7 }
    }

    /// The text of a token; empty outside the message.
    pub fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    /// A token written in capitals on purpose.
    pub fn capitals(&self, at: usize) -> bool {
        self.capitals_tell && self.tokens.get(at).is_some_and(|token| token.capitals)
    }

    /// A sign or word that joins the two ends of a route starts here; how many tokens it takes.
    pub fn joint(&self, at: usize) -> Option<usize> {
        match (self.text(at), self.text(at + 1)) {
            ("-" | "=", ">") => Some(2),
            ("-" | ">" | "/" | "→" | "➡" | "»" | "⇒" | "to" | "2", _) => Some(1),
            _ => None,
        }
    }

    /// A word that may follow the name of a place stands here.
    pub fn ends_place(&self, at: usize) -> bool {
        let next = self.text(at);
        next.starts_with(|first: char| first.is_ascii_digit())
            || AFTER_A_PLACE.contains(&next)
            || DAYS_AND_MONTHS.contains(&next)
    }

    /// A day or month is named within four tokens, besides the token itself.
    pub fn beside_a_date(&self, at: usize) -> bool {
        (at.saturating_sub(4)..at + 5).any(|near| near != at && DAYS_AND_MONTHS.contains(&self.text(near)))
    }

    /// What the words around the tokens `span` say; the place named before ended at `last`.
    pub fn around(&self, span: &Range<usize>, last: usize) -> Evidence {
        let before = self.before(span.start);
        let two_before = before.checked_sub(1).map_or("", |at| self.text(at));
        let word = if before < span.start { self.text(before) } else { "" };
        let joins = matches!(word, "and" | "or" | "-" | ">" | "/" | "to" | "→" | "➡" | "»" | "⇒")
            && last > 0
            && last <= before
            && before - last < 2;
        let lives = word == "in"
            && (matches!(two_before, "live" | "living" | "based") || matches!(two_before, "im" | "am") && before > 1);
        let replaces = self.text(span.end) == "instead" && self.text(span.end + 1) == "of"
            || word == "of" && two_before == "instead";
        let placed = BEFORE_A_PLACE.contains(&word)
            || joins
            || replaces
            || word == "for"
                && (1..5).any(|back| before.checked_sub(back).is_some_and(|at| BEFORE_FOR.contains(&self.text(at))))
            || word == "of" && two_before == "out"
            || matches!(word, "is" | ":")
                && matches!(two_before, "city" | "destination" | "origin" | "airport" | "from" | "to");
        let next = self.text(span.end);
        let next_is_word = self.tokens.get(span.end).is_some_and(Token::is_word);
        let starts_sentence = match span.start.checked_sub(1).and_then(|at| self.tokens.get(at)) {
            Some(previous) => previous.ends_sentence() || previous.text == "\"",
            None => true,
        };
        let of_name = self.tokens.get(span.clone()).unwrap_or_default();
        let words = of_name.iter().filter(|token| token.is_word() && !is_filler(&token.text)).count();
        Evidence {
            placed,
            capital: self.capitals_tell
                && !starts_sentence
                && self.tokens.get(span.start).is_some_and(|token| token.capital),
            alone: words == self.words,
            closed: !next_is_word
                || next.starts_with(|first: char| first.is_ascii_digit())
                || AFTER_A_PLACE.contains(&next)
                || DAYS_AND_MONTHS.contains(&next),
            leads_on: next == "to",
            airport: matches!(next, "airport" | "airports"),
            lives,
            after_to: word == "to" && !joins && !BEFORE_TO.contains(&two_before),
            person: PEOPLE.contains(&word) || matches!((two_before, word), ("name" | "this", "is") | ("i", "am")),
        }
    }

    /// The token before `at`, "the" and "the city of" left out; `at` itself where there is none.
    fn before(&self, at: usize) -> usize {
        let mut before = at;
        while let Some(previous) = before.checked_sub(1) {
            before = previous;
            let of_city = self.text(before) == "of" && before > 0 && self.text(before - 1) == "city";
            if !of_city && !matches!(self.text(before), "the" | "city") {
                return before;
            }
        }
        at
    }
}

/// Said beside a name that is all of an answer: "England, obviously", "sorry, Nice".
fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "omg"
            | "hmm"
            | "oh"
            | "ah"
            | "wait"
            | "ok"
            | "okay"
            | "then"
            | "yes"
            | "yeah"
            | "no"
            | "nah"
            | "lets"
            | "say"
            | "obviously"
            | "ofc"
            | "obv"
            | "please"
            | "lol"
            | "haha"
            | "sorry"
            | "actually"
            | "mean"
            | "meant"
            | "duh"
            | "course"
            | "oops"
    )
}

impl Evidence {
    /// A place of this tier is meant by this name.
    pub fn suffices(&self, name: &str, tier: u8) -> bool {
        let prominent = tier >= PROMINENT;
        // Several words in a row are the name of a big city hardly ever by chance: "Salt Lake City".
        let ordinary =
            name.split(' ').all(is_ordinary) && !(prominent && name.contains(' ')) || !prominent && name.len() < 4;
        let verb = self.after_to && VERBS.contains(&name);
        !self.person
            && match (prominent, ordinary) {
                (true, false) => true,
                (true, true) => {
                    self.capital
                        || self.airport
                        || self.placed && self.closed && !verb
                        || self.alone && !ANSWERS.contains(&name)
                }
                (false, false) => self.placed || self.capital || self.alone || self.airport,
                (false, true) => (self.capital && self.placed || self.lives) && self.closed,
            }
    }

    /// Enough stands for a place here to look for one with a typing error.
    pub fn expects_a_place(&self) -> bool {
        !self.person && (self.placed || self.capital || self.alone || self.leads_on || self.airport)
    }
}
