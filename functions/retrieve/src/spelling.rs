//! Mends typing errors against the words that an assistant's texts have.

use std::collections::HashMap;

use english::{is_stop_word, plain_words};
use strsim::osa_distance;

/// The fewest letters of a word that is mended, and of one that is mended with two errors.
const SHORTEST: usize = 4;
const TWO_ERRORS: usize = 7;
/// The words of a text that are looked at: a story is understood without its last ones.
const MOST_WORDS: usize = 60;
/// In how many places a word must stand to be what somebody meant.
const LEAST_TIMES: u32 = 2;

/// The words of an assistant's texts, by their first letter, and how often each stands there.
#[derive(Debug, Default)]
pub struct Spelling {
    words: HashMap<String, u32>,
    by_first: HashMap<char, Vec<String>>,
}

impl Spelling {
    /// The words of these texts.
    pub fn new(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut words: HashMap<String, u32> = HashMap::new();
        for text in texts {
            for word in plain_words(text.as_ref()) {
                *words.entry(word).or_default() += 1;
            }
        }
        let mut by_first: HashMap<char, Vec<String>> = HashMap::new();
        for (word, times) in &words {
            let is_word = word.len() >= SHORTEST && word.chars().all(char::is_alphabetic);
            if let Some(first) = word.chars().next().filter(|_| is_word && *times >= LEAST_TIMES) {
                by_first.entry(first).or_default().push(word.clone());
            }
        }
        by_first.values_mut().for_each(|words| words.sort_unstable());
        Self { words, by_first }
    }

    /// The text with each word that is unknown here replaced by the nearest that is known, unless it is an ordinary English
    /// word.
    pub fn mend(&self, text: &str) -> String {
        let words = text.split(' ').enumerate();
        let mend = |(at, word): (usize, &str)| {
            (at < MOST_WORDS).then(|| self.mend_word(word)).flatten().unwrap_or(word.to_owned())
        };
        let mended: Vec<String> = words.map(mend).collect();
        mended.join(" ")
    }

    fn mend_word(&self, word: &str) -> Option<String> {
        let letters = word.trim_matches(|c: char| !c.is_alphanumeric());
        let lower = letters.to_lowercase();
        let plausible = lower.chars().count() >= SHORTEST && lower.chars().all(char::is_alphabetic);
        if !plausible || self.words.contains_key(&lower) || is_stop_word(&lower) || is_ordinary(&lower) {
            return None;
        }
        let length = lower.chars().count();
        let errors = if length >= TWO_ERRORS { 2 } else { 1 };
        let mut firsts = lower.chars();
        let firsts = [firsts.next(), firsts.next()];
        let candidates = firsts.into_iter().flatten().filter_map(|first| self.by_first.get(&first)).flatten();
        let near = candidates.filter(|known| known.chars().count().abs_diff(length) <= errors);
        let near = near.filter_map(|known| {
            let distance = osa_distance(&lower, known);
            (distance <= errors).then_some((distance, known))
        });
        let times = |word: &String| self.words.get(word).copied().unwrap_or_default();
        let best = near.min_by(|a, b| a.0.cmp(&b.0).then(times(b.1).cmp(&times(a.1))).then(a.1.cmp(b.1)))?.1;
        Some(word.replace(letters, best))
    }

    /// The bytes it takes in memory, about.
    pub fn bytes(&self) -> usize {
        self.words.keys().map(|word| 2 * word.len() + 72).sum()
    }
}

/// A word of the vocabulary of the sentence model: of English at large, not of any one's texts.
fn is_ordinary(word: &str) -> bool {
    minilm::distilled::distilled().is_some_and(|table| table.is_word(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelling() -> Spelling {
        let text = "ovarian hyperstimulation blastocyst endometriosis pregnant alcohol anxiety liquidity pool a wife";
        Spelling::new([text, text])
    }

    #[test]
    fn an_unknown_word_becomes_the_nearest_that_the_texts_have() {
        for (text, expected) in [
            ("what is ovarain hyperstimulaton", "what is ovarian hyperstimulation"),
            ("endometrosis, and pregent women?", "endometriosis, and pregnant women?"),
            ("liquidty pool", "liquidity pool"),
            ("wat is alchohol", "wat is alcohol"),
            // Words of English that these texts do not have, and what is like nothing.
            ("router wine landlord", "router wine landlord"),
            ("xyzzyx 0x1234", "xyzzyx 0x1234"),
        ] {
            assert_eq!(spelling().mend(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_mended(text in "\\PC{0,60}") {
            prop_assert_eq!(spelling().mend(&text).split(' ').count(), text.split(' ').count());
        }
    }
}
