//! A passage as the sentences that a reply may quote: one that leads to a list with its list, a short one with the next.

use std::collections::HashSet;

use contracts::knowledge::Passage;
use english::{stem, stems};
use unicode_segmentation::UnicodeSegmentation;

/// How many words a sentence has that says nothing by itself ("There are two ways."): it is one with the next.
const SHORT: usize = 5;

/// A sentence, or one with the list it leads to.
pub(super) struct Unit {
    pub rank: usize,
    pub position: usize,
    pub text: String,
    pub stems: HashSet<String>,
    /// The stem of its first word, and that of the first word in brackets: what it may define.
    pub defines: Vec<String>,
    pub heading: HashSet<String>,
    /// It goes on with what the sentence before it says.
    pub leans: bool,
}

impl Unit {
    pub fn place(&self) -> (usize, usize) {
        (self.rank, self.position)
    }

    pub fn words(&self) -> usize {
        self.text.split_whitespace().count()
    }

    /// It is a condition or a warning, which nobody may miss.
    pub fn warns(&self) -> bool {
        let text = self.text.to_lowercase();
        WARNS.iter().any(|phrase| text.contains(phrase))
    }
}

pub(super) fn units(rank: usize, passage: &Passage) -> Vec<Unit> {
    let heading: HashSet<String> = stems(&passage.heading).into_iter().collect();
    let mut texts: Vec<String> = Vec::new();
    let mut leads = false;
    for line in passage.text.lines().map(str::trim) {
        if line.is_empty() {
            // A list may stand apart from the sentence that leads to it.
            continue;
        }
        let goes_on = leads || is_numbered(line) && texts.last().is_some_and(|last| is_numbered(last));
        if is_item(line)
            && goes_on
            && let Some(last) = texts.last_mut()
        {
            last.push('\n');
            last.push_str(line);
            continue;
        }
        let line = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).unwrap_or(line);
        if is_numbered(line) {
            texts.push(line.to_owned());
        } else {
            texts.extend(sentences(line));
        }
        leads = line.ends_with(':');
    }
    let unit = |(position, text): (usize, String)| Unit {
        rank,
        position,
        stems: stems(&text).into_iter().collect(),
        defines: defined(&text),
        heading: heading.clone(),
        leans: position > 0 && leans(&text),
        text,
    };
    texts.into_iter().enumerate().map(unit).collect()
}

/// The sentences of a line, short ones with the next, and what somebody says in quotation marks in one.
fn sentences(line: &str) -> Vec<String> {
    let (mut found, mut start) = (Vec::new(), 0);
    for (at, sentence) in line.split_sentence_bound_indices() {
        let end = at + sentence.len();
        let text = line.get(start..end).unwrap_or_default().trim();
        let whole = text.unicode_words().count() > SHORT && text.matches('"').count() % 2 == 0;
        if whole || end == line.len() && !text.is_empty() {
            found.push(text.to_owned());
            start = end;
        }
    }
    found
}

/// "Gas measures …", "A stablecoin is …", "Cognitive behavioural therapy (CBT) is …".
fn defined(text: &str) -> Vec<String> {
    let first = text.unicode_words().find(|word| !["a", "an", "the"].contains(&word.to_lowercase().as_str()));
    let bracket = text.split_once('(').and_then(|(_, inside)| inside.unicode_words().next());
    first.into_iter().chain(bracket).filter_map(|word| stem(&word.to_lowercase())).collect()
}

fn leans(text: &str) -> bool {
    let first = text.unicode_words().next().unwrap_or_default().to_lowercase();
    LEANING.contains(&first.as_str())
}

pub(super) fn is_item(line: &str) -> bool {
    line.starts_with("- ") || line.starts_with("* ") || is_numbered(line)
}

fn is_numbered(line: &str) -> bool {
    let number = line.trim_start_matches(|character: char| character.is_ascii_digit());
    number.len() < line.len() && number.starts_with(". ")
}

/// What conditions and warnings say.
const WARNS: &[&str] = &[
    "emergency",
    "urgent",
    "straight away",
    "right away",
    "immediately",
    "at once",
    "do not ",
    "don't ",
    "never ",
    "unless",
    "call ",
    "ring ",
    "danger",
    "medical help",
    "get help",
    "seek help",
    "be careful",
    "not safe",
];

/// Words that begin a sentence that goes on with the one before it.
const LEANING: &[&str] = &[
    "it",
    "its",
    "they",
    "their",
    "them",
    "this",
    "these",
    "those",
    "that",
    "he",
    "she",
    "his",
    "her",
    "both",
    "such",
    "instead",
    "however",
    "but",
    "also",
    "otherwise",
    "then",
    "so",
    "or",
    "and",
    "another",
    "others",
    "either",
    "neither",
    "therefore",
    "thus",
    "besides",
    "afterwards",
    "too",
    "yet",
    "still",
    "similarly",
    "conversely",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_says_is_not_cut() {
        let text = "Choose a quiet moment and say it: \"You seem down lately. How are you?\" Then listen to your friend for a while.";
        let said = "Choose a quiet moment and say it: \"You seem down lately. How are you?\"";
        assert_eq!(sentences(text), [said, "Then listen to your friend for a while."]);
        assert_eq!(sentences("A nail of 3\" is long enough for it. So be it, say all of them.").len(), 1);
    }

    #[test]
    fn what_a_sentence_defines_stands_at_its_beginning_or_in_brackets() {
        for (text, expected) in [
            ("A stablecoin is a token.", vec!["stablecoin"]),
            ("No stablecoin is free of risk.", vec![]),
            ("Therapy (CBT) is practical.", vec!["therapi", "cbt"]),
            ("", vec![]),
        ] {
            assert_eq!(defined(text), expected, "{text}");
        }
    }
}
