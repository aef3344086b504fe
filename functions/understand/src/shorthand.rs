//! How hurried people write ("2moro", "plz", "rtn"): replaced by the words it stands for before anything is read.
//!
//! The table is `data/shorthand.tsv`; a line of it is all that a new form needs. A replaced word keeps its place in the message.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::tokens::Token;

/// The most tokens of one entry.
const LONGEST: usize = 5;

/// By the first token: all its tokens, and the words they stand for. The longest first.
type Entries = HashMap<&'static str, Vec<(Vec<&'static str>, Vec<&'static str>)>>;

static ENTRIES: LazyLock<Entries> = LazyLock::new(|| {
    let mut entries = Entries::new();
    for line in include_str!("../data/shorthand.tsv").lines().filter(|line| !line.starts_with('#')) {
        let Some((written, meant)) = line.split_once('\t') else { continue };
        let written: Vec<&str> = written.split(' ').collect();
        if let Some(first) = written.first() {
            entries.entry(first).or_default().push((written, meant.split(' ').collect()));
        }
    }
    entries.values_mut().for_each(|of| of.sort_by_key(|(written, _)| std::cmp::Reverse(written.len())));
    entries
});

/// The tokens with what is short for something spelt out.
pub fn spelt_out(tokens: Vec<Token>) -> Vec<Token> {
    let mut tokens: Vec<Token> = without_markup(tokens).into_iter().flat_map(split).collect();
    roughly_a_day(&mut tokens);
    let mut found = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match entry(&tokens, at) {
            Some((length, meant)) => {
                let end = tokens.get(at + length - 1).map_or(token.end, |last| last.end);
                found.extend(meant.iter().map(|word| Token {
                    text: (*word).to_owned(),
                    start: token.start,
                    end,
                    capital: false,
                    capitals: false,
                }));
                at += length;
            }
            None => {
                found.push(token.clone());
                at += 1;
            }
        }
    }
    found
}

/// The message without tags like `<b>` and `</b>`: what was copied from a page.
fn without_markup(mut tokens: Vec<Token>) -> Vec<Token> {
    const TAGS: [&str; 10] = ["b", "i", "u", "p", "br", "em", "strong", "span", "div", "script"];
    let mut at = 0;
    while at < tokens.len() {
        let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text.as_str());
        let close = usize::from(text(1) == "/");
        if text(0) == "<" && TAGS.contains(&text(1 + close)) && text(2 + close) == ">" {
            tokens.drain(at..at + 3 + close);
        } else {
            at += 1;
        }
    }
    tokens
}

/// "Dec 27ish" and "27ish dec" name a day; "9ish" alone is a time.
fn roughly_a_day(tokens: &mut [Token]) {
    let is_month = |token: Option<&Token>| token.is_some_and(|token| crate::months::month(&token.text).is_some());
    for at in 0..tokens.len() {
        let beside =
            at.checked_sub(1).is_some_and(|before| is_month(tokens.get(before))) || is_month(tokens.get(at + 1));
        if let Some(token) = tokens.get_mut(at).filter(|_| beside)
            && let Some(day) = token
                .text
                .strip_suffix("ish")
                .filter(|day| day.bytes().next().is_some_and(|first| first.is_ascii_digit()))
        {
            token.text = day.to_owned();
        }
    }
}

/// "2pax" is "2 pax".
fn split(token: Token) -> Vec<Token> {
    const UNITS: [&str; 44] = [
        "pax",
        "ppl",
        "adt",
        "adts",
        "adult",
        "adults",
        "chd",
        "child",
        "children",
        "kid",
        "kids",
        "inf",
        "infant",
        "infants",
        "people",
        "person",
        "persons",
        "seats",
        "seat",
        "tix",
        "tickets",
        "ticket",
        "tkts",
        "tkt",
        "night",
        "nights",
        "day",
        "days",
        "week",
        "weeks",
        "wks",
        "wk",
        "stop",
        "stops",
        "bag",
        "bags",
        "passengers",
        "passenger",
        "months",
        "month",
        "usd",
        "eur",
        "gbp",
        "pkr",
    ];
    let digits = token.text.bytes().take_while(u8::is_ascii_digit).count();
    match token.text.split_at_checked(digits) {
        Some((number, unit)) if digits > 0 && UNITS.contains(&unit) && !ENTRIES.contains_key(token.text.as_str()) => {
            let middle = token.start + digits;
            let number =
                Token { text: number.to_owned(), start: token.start, end: middle, capital: false, capitals: false };
            let unit = Token { text: unit.to_owned(), start: middle, ..token };
            vec![number, unit]
        }
        _ => vec![token],
    }
}

/// The entry that starts at a token: how many tokens it takes, and what it stands for.
fn entry(tokens: &[Token], at: usize) -> Option<(usize, &'static [&'static str])> {
    let first = tokens.get(at)?;
    let of = ENTRIES.get(first.text.as_str())?;
    let (written, meant) = of.iter().filter(|(written, _)| written.len() <= LONGEST).find(|(written, _)| {
        written
            .iter()
            .enumerate()
            .all(|(offset, word)| tokens.get(at + offset).is_some_and(|token| token.text == *word))
    })?;
    // "N 5th street" and "R Kelly" are names; a letter that stands for a word is written small, or stands between words.
    let letter = written.len() == 1 && first.text.len() == 1 && first.text.starts_with(char::is_alphabetic);
    (!letter || !first.capital).then_some((written.len(), meant.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokens;

    #[test]
    fn what_is_short_is_spelt_out() {
        for (written, expected) in [
            ("2moro plz", "tomorrow please"),
            ("r/t", "round trip"),
            ("n back 2day", "and back today"),
            ("red-eye", "redeye"),
            ("2 adt 1 chd", "2 adults 1 children"),
            ("Flights to Rome", "flights to rome"),
        ] {
            let words: Vec<String> = spelt_out(tokens(written)).into_iter().map(|token| token.text).collect();
            assert_eq!(words.join(" "), expected, "{written}");
        }
    }
}
