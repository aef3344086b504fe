//! Citations in what a model writes: `[1]`, `[2, 3]`. Numbers that no passage has are removed as the words go by.

use std::collections::BTreeSet;

/// The longest that a citation may be, in bytes; what goes on longer is no citation.
const LONGEST: usize = 24;

/// Passes words on, without the citations that point at nothing.
pub(crate) struct Citations {
    passages: usize,
    held: String,
    cited: BTreeSet<usize>,
}

impl Citations {
    /// For a reply that was given so many passages.
    pub fn new(passages: usize) -> Self {
        Self { passages, held: String::new(), cited: BTreeSet::new() }
    }

    /// Takes more words and gives what can be sent: all but the beginning of a citation that is not whole yet.
    pub fn push(&mut self, words: &str) -> String {
        let mut sent = String::with_capacity(words.len());
        for character in words.chars() {
            match (self.held.is_empty(), character) {
                (_, '[') => {
                    sent.push_str(&self.held);
                    self.held = "[".to_owned();
                }
                (true, _) => sent.push(character),
                (false, ']') => sent.push_str(&self.close()),
                (false, '0'..='9' | ',' | ' ') if self.held.len() < LONGEST => self.held.push(character),
                (false, _) => {
                    sent.push_str(&std::mem::take(&mut self.held));
                    sent.push(character);
                }
            }
        }
        sent
    }

    /// What is still held once the reply is whole.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// The numbers that were cited so far.
    pub fn cited(&self) -> Vec<usize> {
        self.cited.iter().copied().collect()
    }

    fn close(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        let inside = held.trim_start_matches('[');
        if !inside.contains(|character: char| character.is_ascii_digit()) {
            return held + "]";
        }
        let numbers = inside.split([',', ' ']).filter_map(|number| number.parse::<usize>().ok());
        let known: Vec<usize> = numbers.filter(|number| (1..=self.passages).contains(number)).collect();
        self.cited.extend(&known);
        known.iter().map(|number| format!("[{number}]")).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filtered(bits: &[&str], passages: usize) -> (String, Vec<usize>) {
        let mut citations = Citations::new(passages);
        let mut text: String = bits.iter().map(|bit| citations.push(bit)).collect();
        text += &citations.finish();
        (text, citations.cited())
    }

    #[test]
    fn citations_of_passages_stay_and_orphans_go() {
        let cases: [(&[&str], &str, &[usize]); 8] = [
            (&["Eggs [1] and sperm [2]."], "Eggs [1] and sperm [2].", &[1, 2]),
            (&["Eggs [", "1", "] here"], "Eggs [1] here", &[1]),
            (&["Orphan [7] here"], "Orphan  here", &[]),
            (&["Both [1, 9]"], "Both [1]", &[1]),
            (&["Both [2,1]"], "Both [2][1]", &[1, 2]),
            (&["An [aside] stays"], "An [aside] stays", &[]),
            (&["Open [1"], "Open [1", &[]),
            (&["[0] [99999999999999999999999999]"], " [99999999999999999999999999]", &[]),
        ];
        for (bits, text, cited) in cases {
            assert_eq!(filtered(bits, 3), (text.to_owned(), cited.to_vec()), "{bits:?}");
        }
    }

    proptest! {
        #[test]
        fn words_do_not_depend_on_how_they_were_cut(text in "[a-z0-9\\[\\], .]{0,60}", cut in 0usize..60) {
            let at = text.char_indices().map(|(index, _)| index).nth(cut).unwrap_or(text.len());
            let (one, other) = text.split_at(at);
            prop_assert_eq!(filtered(&[&text], 3), filtered(&[one, other], 3));
        }
    }
}
