//! A message cut into tokens and sentences, and which of its tokens have been understood already.
//!
//! The readers run one after the other, the surest first; what one has taken, the next leaves alone. So "March" in
//! "March 3rd" is never a place, and the 9 of "9 in the morning" never counts travellers.

use std::ops::Range;

use contracts::dialogue::DateRole;

use crate::shorthand::spelt_out;
use crate::tokens::{Token, tokens};

/// What tokens are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A day.
    Day,
    /// A time of day.
    Time,
    /// An amount of money.
    Money,
    /// Who travels.
    People,
    /// How long something lasts that is no stay: a connection, a pregnancy.
    Span,
    /// Bags, flight numbers, bookings, aircraft: nothing of a journey to be searched.
    Other,
}

/// A message being read.
#[derive(Debug)]
pub struct Text {
    /// Its tokens, in order.
    pub tokens: Vec<Token>,
    sentence: Vec<usize>,
    taken: Vec<bool>,
    claims: Vec<Option<Kind>>,
    reader: Option<Kind>,
    days: Vec<(Range<usize>, DateRole)>,
}

impl Text {
    /// Cuts a message.
    pub fn new(words: &str) -> Self {
        let tokens = spelt_out(tokens(words));
        let mut current = 0;
        let sentence = (0..tokens.len())
            .map(|at| {
                let this = current;
                if ends_sentence(&tokens, at) {
                    current += 1;
                }
                this
            })
            .collect();
        let (taken, claims) = (vec![false; tokens.len()], vec![None; tokens.len()]);
        Self { tokens, sentence, taken, claims, reader: None, days: Vec::new() }
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The token at a place; empty beyond the ends.
    pub fn at(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    /// The token a number of places before another; empty beyond the beginning.
    pub fn before(&self, at: usize, back: usize) -> &str {
        at.checked_sub(back).map_or("", |at| self.at(at))
    }

    /// The tokens from a place on are these.
    pub fn is(&self, at: usize, expected: &[&str]) -> bool {
        expected.iter().enumerate().all(|(offset, word)| self.at(at + offset) == *word)
    }

    /// The tokens from a place on are the words of one of these phrases; its length. The longest wins.
    pub fn any_of(&self, at: usize, phrases: &[&str]) -> Option<usize> {
        let first = self.at(at);
        let initial = first.as_bytes().first()?;
        phrases
            .iter()
            // Most phrases begin otherwise: that is seen by a letter, and without taking them apart.
            .filter(|phrase| phrase.as_bytes().first() == Some(initial) && phrase.starts_with(first))
            .filter(|phrase| phrase.split(' ').enumerate().all(|(offset, word)| self.at(at + offset) == word))
            .map(|phrase| phrase.split(' ').count())
            .max()
    }

    /// Something else is proposed: "what about Oslo", "how about Friday".
    pub fn is_proposed(&self) -> bool {
        (0..self.len()).any(|at| self.any_of(at, &["what about", "how about"]).is_some())
    }

    /// The token is a word or a number.
    pub fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(Token::is_word)
    }

    /// The token is directly followed by the next, with no space between.
    pub fn joined(&self, at: usize) -> bool {
        match (self.tokens.get(at), self.tokens.get(at + 1)) {
            (Some(this), Some(next)) => this.end == next.start,
            _ => false,
        }
    }

    /// Nobody has taken the token yet, and nobody has claimed it for another kind than what is being read.
    pub fn free(&self, at: usize) -> bool {
        self.taken.get(at) == Some(&false) && self.claimed(at).is_none_or(|kind| self.reader == Some(kind))
    }

    /// From here on this kind is read.
    pub fn reads(&mut self, kind: Option<Kind>) {
        self.reader = kind;
    }

    /// What a token was claimed for.
    pub fn claimed(&self, at: usize) -> Option<Kind> {
        self.claims.get(at).copied().flatten()
    }

    /// Keeps where a day was named and which it is: a time beside it is of that day.
    pub fn note_day(&mut self, at: Range<usize>, role: DateRole) {
        self.days.push((at, role));
    }

    /// The days that were named, in the order of their mentions.
    pub fn days(&self) -> &[(Range<usize>, DateRole)] {
        &self.days
    }

    /// Which day stands right beside a stretch: before it, else behind it with "of" or "on" between.
    pub fn day_beside(&self, at: &Range<usize>) -> Option<DateRole> {
        let before = self.days.iter().find(|(day, _)| !day.is_empty() && day.end == at.start);
        let behind =
            || self.days.iter().find(|(day, _)| day.start == at.end + 1 && matches!(self.at(at.end), "of" | "on"));
        before.or_else(behind).map(|(_, role)| *role)
    }

    /// Claims tokens for a kind.
    pub fn claim(&mut self, range: Range<usize>, kind: Kind) {
        for at in range {
            if let Some(claim) = self.claims.get_mut(at) {
                *claim = Some(kind);
            }
        }
    }

    /// Nobody has taken any of the tokens yet.
    pub fn all_free(&self, range: Range<usize>) -> bool {
        range.into_iter().all(|at| self.free(at))
    }

    /// Marks tokens as understood.
    pub fn take(&mut self, range: Range<usize>) {
        for at in range {
            if let Some(taken) = self.taken.get_mut(at) {
                *taken = true;
            }
        }
    }

    /// The words of a sentence that says that something does not matter: "I don't care which airline".
    pub fn not_minded(&self, what: &[&str]) -> Option<Range<usize>> {
        const NOT_MINDED: &[&str] = &[
            "dont care",
            "dont mind",
            "doesnt matter",
            "dont matter",
            "does not matter",
            "do not care",
            "do not mind",
            "do not matter",
            "no matter",
            "not important",
            "isnt important",
            "not picky",
            "not fussy",
            "no preference",
            "never mind",
            "nevermind",
            "forget",
            "ignore",
            "dont worry about",
            "drop the",
            "remove the",
            "lift the",
            "scrap the",
            "no issue",
            "no object",
            "isnt an issue",
            "not an issue",
        ];
        self.sentences().into_iter().find_map(|sentence| {
            let minded = |at: usize| matches!(self.before(at, 1), "dont" | "not" | "never");
            let at = sentence.clone().find(|at| self.any_of(*at, NOT_MINDED).is_some() && !minded(*at))?;
            let named = sentence.clone().find(|at| self.free(*at) && what.contains(&self.at(*at)))?;
            let between = at.min(named)..at.max(named) + 1;
            (between.len() <= 8 && !between.clone().any(|at| self.at(at) == ",")).then_some(between)
        })
    }

    /// The words beside a wish take it back: "forget the nonstop", "business class isn't needed any more".
    pub fn is_taken_back(&self, wish: Range<usize>) -> bool {
        const BEFORE: &[&str] = &[
            "forget",
            "cancel",
            "drop",
            "scrap",
            "ditch",
            "lose",
            "remove",
            "skip",
            "ignore",
            "lift",
            "never mind",
            "nevermind",
            "leave out",
            "instead of",
            "rather than",
            "dont want",
            "do not want",
            "dont need",
            "do not need",
            "dont really need",
            "dont have to",
            "doesnt have to",
            "does not have to",
            "doesnt need to",
            "does not need to",
            "dont insist on",
            "not insisting on",
            "not set on",
            "need not",
            "neednt",
            "no need",
            "no longer need",
            "no longer want",
            "not necessarily",
            "not only",
            "not just",
        ];
        const BEHIND: &[&str] = &[
            "not needed",
            "isnt needed",
            "arent needed",
            "not necessary",
            "isnt necessary",
            "not required",
            "isnt required",
            "not essential",
            "isnt essential",
            "not a must",
            "isnt a must",
            "unnecessary",
            "optional",
            "no longer needed",
            "no longer necessary",
            "no longer important",
            "no longer required",
            "no must",
        ];
        const BETWEEN: &[&str] = &[
            "a", "an", "the", "my", "that", "this", "any", "about", "in", "on", "for", "of", "with", "to", "be", "it",
            "is", "are", "was", "really", "fly", "flying", "go", "have", "flight", "flights", "class", "seat", "seats",
            "limit", "ticket",
        ];
        let between =
            |range: Range<usize>| range.len() <= 4 && range.into_iter().all(|at| BETWEEN.contains(&self.at(at)));
        let denied = |at: usize| matches!(self.before(at, 1), "dont" | "not" | "never");
        let before = (wish.start.saturating_sub(7)..wish.start).any(|at| {
            self.any_of(at, BEFORE)
                .is_some_and(|length| at + length <= wish.start && between(at + length..wish.start) && !denied(at))
        });
        before || (wish.end..wish.end + 5).any(|at| self.any_of(at, BEHIND).is_some() && between(wish.end..at))
    }

    /// Which sentence a token is in, counted from 0.
    pub fn sentence(&self, at: usize) -> usize {
        self.sentence.get(at).copied().unwrap_or(usize::MAX)
    }

    /// The tokens of each sentence.
    pub fn sentences(&self) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for at in 0..self.len() {
            match ranges.last_mut() {
                Some(last) if self.sentence(last.start) == self.sentence(at) => last.end = at + 1,
                _ => ranges.push(at..at + 1),
            }
        }
        ranges
    }

    /// The words of a stretch, without signs, each with a blank before and the last with one behind, so that a phrase
    /// with blanks around it is found only as whole words; "that's" is `thats`.
    pub fn plain(&self, range: Range<usize>) -> String {
        let mut plain = String::from(" ");
        for token in self.tokens.get(range).unwrap_or_default() {
            if token.text == "'s" {
                plain.pop();
                plain.push_str("s ");
            } else if token.is_word() {
                plain.push_str(&token.text);
                plain.push(' ');
            }
        }
        plain
    }
}

/// A full stop in "p.m.", "D.C." or "8.30" ends no sentence.
fn ends_sentence(tokens: &[Token], at: usize) -> bool {
    let Some(token) = tokens.get(at) else { return false };
    if token.text != "." {
        return token.ends_sentence();
    }
    let short_before = at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|before| before.text.len() < 2);
    match tokens.get(at + 1) {
        None => true,
        Some(next) if next.start == token.end => next.capital && !short_before,
        Some(next) => !short_before || next.capital || next.text.starts_with(|first: char| first.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_stop_inside_an_abbreviation_ends_no_sentence() {
        let cases =
            [("To Rome. On Friday.", 2), ("at 5 p.m. on Friday", 1), ("no bags.The way out", 2), ("at 8.30 sharp", 1)];
        for (words, expected) in cases {
            assert_eq!(Text::new(words).sentences().len(), expected, "{words}");
        }
    }

    #[test]
    fn phrases_are_found_as_whole_words() {
        let text = Text::new("one-way, please");
        assert_eq!(text.any_of(0, &["one", "one - way"]), Some(3));
        assert!(text.plain(0..text.len()).contains(" one way "));
        assert!(!text.plain(0..text.len()).contains(" on "));
    }
}
