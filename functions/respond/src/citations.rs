//! Citations in what a model writes: `[1]`, and what models make of it: `[2, 3]`, `[1-3]`, `[^1]`, `[passage 1]`. As the words
//! go by, each becomes its plain form, and numbers that no passage has are removed.

use std::collections::BTreeSet;

/// The words that a citation may have beside its numbers, in lower case.
const WORDS: [&str; 19] = [
    "passage",
    "passages",
    "source",
    "sources",
    "document",
    "documents",
    "reference",
    "references",
    "ref",
    "refs",
    "citation",
    "citations",
    "number",
    "no",
    "see",
    "cf",
    "and",
    "to",
    "through",
];

/// Passes words on, without the citations that point at nothing.
pub(crate) struct Citations {
    passages: usize,
    /// The beginning of what may be a citation: the space before it, its bracket, what is in it so far.
    held: String,
    /// The letters at its end.
    word: String,
    cited: BTreeSet<usize>,
}

/// The words without any citation.
pub(crate) fn without(words: &str) -> String {
    let mut none = Citations::new(0);
    none.push(words) + &none.finish()
}

impl Citations {
    /// For a reply that was given so many passages.
    pub fn new(passages: usize) -> Self {
        Self { passages, held: String::new(), word: String::new(), cited: BTreeSet::new() }
    }

    /// Takes more words and gives what can be sent: all but the beginning of a citation that is not whole yet.
    pub fn push(&mut self, words: &str) -> String {
        let mut sent = String::with_capacity(words.len());
        for character in words.chars() {
            let within = !matches!(self.held.as_str(), "" | " ");
            match character {
                '[' | '【' if self.held == " " => self.held.push(character),
                '[' | '【' => self.hold(character, &mut sent),
                ' ' if !within => self.hold(character, &mut sent),
                ']' | '】' if within => {
                    self.held.push(character);
                    sent.push_str(&self.close());
                }
                _ if within && self.may_be_in_one(character) => self.held.push(character),
                _ => {
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

    /// Begins to hold with this character, and sends what was held.
    fn hold(&mut self, character: char, sent: &mut String) {
        sent.push_str(&std::mem::take(&mut self.held));
        self.held.push(character);
        self.word.clear();
    }

    fn may_be_in_one(&mut self, character: char) -> bool {
        if !character.is_alphabetic() {
            self.word.clear();
            return character.is_ascii_digit() || " \u{a0},;:&^#†-‑–—".contains(character);
        }
        self.word.extend(character.to_lowercase());
        WORDS.iter().any(|word| word.starts_with(&self.word))
    }

    /// What becomes of a whole bracket.
    fn close(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        let inside = held.trim_start_matches([' ', '[', '【']).trim_end_matches([']', '】']);
        let Some(numbers) = numbers(inside, self.passages) else { return held };
        self.cited.extend(&numbers);
        if numbers.is_empty() {
            return String::new();
        }
        let space = if held.starts_with(' ') { " " } else { "" };
        numbers.iter().fold(space.to_owned(), |plain, number| format!("{plain}[{number}]"))
    }
}

/// The passages that a citation names, in its order, each once; none where it is no citation.
fn numbers(inside: &str, passages: usize) -> Option<Vec<usize>> {
    let list = plain(inside).filter(|list| list.contains(|character: char| character.is_ascii_digit()))?;
    // A number that is too large is of no passage, but may end a range.
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(usize::MAX))
    };
    let mut named = Vec::new();
    for item in list.split(',') {
        let parts: Vec<&str> = item.split('-').map(|part| part.trim_matches([' ', ':'])).collect();
        match parts[..] {
            [numbers] => named.extend(numbers.split(' ').filter_map(number)),
            [first, last] => {
                let (Some(first), Some(last)) = (number(first), number(last)) else { continue };
                named.extend(first.max(1)..=last.min(passages));
            }
            // A date, or the like.
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    named.retain(|number| (1..=passages).contains(number) && seen.insert(*number));
    Some(named)
}

/// The inside of a citation as numbers, commas and hyphens; none where it has other words.
fn plain(inside: &str) -> Option<String> {
    let (mut list, mut word) = (String::with_capacity(inside.len()), String::new());
    for character in inside.chars().chain([' ']) {
        if character.is_alphabetic() {
            word.extend(character.to_lowercase());
            continue;
        }
        match word.as_str() {
            "and" => list.push(','),
            "to" | "through" => list.push('-'),
            "" => {}
            known if WORDS.contains(&known) => list.push(' '),
            _ => return None,
        }
        word.clear();
        list.push(match character {
            ';' | '&' => ',',
            '‑' | '–' | '—' => '-',
            '\u{a0}' | '^' | '#' | '†' => ' ',
            other => other,
        });
    }
    Some(list)
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
        let cases: [(&[&str], &str, &[usize]); 30] = [
            (&["Eggs [1] and sperm [2]."], "Eggs [1] and sperm [2].", &[1, 2]),
            (&["Eggs [", "1", "] here"], "Eggs [1] here", &[1]),
            (&["Orphan [7] here"], "Orphan here", &[]),
            (&["In a lab ", "[7]."], "In a lab.", &[]),
            (&["Both [1, 9]"], "Both [1]", &[1]),
            (&["Both [2,1]"], "Both [2][1]", &[1, 2]),
            (&["Both [1; 8]"], "Both [1]", &[1]),
            (&["All [1-3], all [2–9], none [7—9]"], "All [1][2][3], all [2][3], none", &[1, 2, 3]),
            (&["All [1 - 2] and [1 to 2]"], "All [1][2] and [1][2]", &[1, 2]),
            (&["A note [^2], a note [^7]"], "A note [2], a note", &[2]),
            (&["As [passage 2] and [Passage", "s 1 and 3] say"], "As [2] and [1][3] say", &[1, 2, 3]),
            (&["As [source: 7], [see ref #8] say"], "As, say", &[]),
            (&["As 【1†source】 and 【8】"], "As [1] and", &[1]),
            (&["A day [2024-01-02]"], "A day", &[]),
            (&["Backwards [3-1]"], "Backwards", &[]),
            (&["To the moon [1-99999999999999999999999999]"], "To the moon [1][2][3]", &[1, 2, 3]),
            (&["An [aside] stays, as does [a 2nd one]"], "An [aside] stays, as does [a 2nd one]", &[]),
            (&["The [passages] stay, and [ ] and [-]"], "The [passages] stay, and [ ] and [-]", &[]),
            (&["[see [2]]"], "[see [2]]", &[2]),
            (&["[1]: x"], "[1]: x", &[1]),
            (&["Open [1"], "Open [1", &[]),
            (&["Line [1\n2]"], "Line [1\n2]", &[]),
            (&["[0] [99999999999999999999999999]"], "", &[]),
            (&["x [", "1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 9", "]"], "x [1][2][3]", &[1, 2, 3]),
            (&["a ", " b"], "a  b", &[]),
            (&["end "], "end ", &[]),
            (&["[1] [2]"], "[1] [2]", &[1, 2]),
            (&["(see [7])"], "(see)", &[]),
            (&["array[0] of [5 mg]"], "array of [5 mg]", &[]),
            (&[], "", &[]),
        ];
        for (bits, text, cited) in cases {
            assert_eq!(filtered(bits, 3), (text.to_owned(), cited.to_vec()), "{bits:?}");
        }
    }

    #[test]
    fn a_citation_that_was_cut_off_is_not_sent() {
        let mut citations = Citations::new(3);
        assert_eq!((citations.push("Eggs [1] and [2").as_str(), citations.cited()), ("Eggs [1] and", vec![1]));
    }

    #[test]
    fn words_are_left_without_their_citations() {
        assert_eq!(without("Eggs [1][2], “sperm” [3]. An [aside] at [4-5]."), "Eggs, “sperm”. An [aside] at.");
    }

    const FORMS: &str =
        "(\\[|【)(|\\^|#|passages? |Source: )[0-9]{1,30}((, ?|; ?| ?- ?|–| and )[0-9]{1,3}){0,4}(\\]|】)";

    proptest! {
        #[test]
        fn words_do_not_depend_on_how_they_were_cut(text in "[a-z0-9\\[\\], .;^-]{0,60}", cut in 0usize..60) {
            let at = text.char_indices().map(|(index, _)| index).nth(cut).unwrap_or(text.len());
            let (one, other) = text.split_at(at);
            prop_assert_eq!(filtered(&[&text], 3), filtered(&[one, other], 3));
        }

        #[test]
        fn whatever_its_form_a_citation_is_of_a_passage_or_gone(form in FORMS, passages in 0usize..12) {
            let text = format!("Eggs {form} grow.");
            let bits: Vec<String> = text.chars().map(String::from).collect();
            let bits: Vec<&str> = bits.iter().map(String::as_str).collect();
            let (words, cited) = filtered(&bits, passages);
            prop_assert!(cited.iter().all(|number| (1..=passages).contains(number)), "{words}");
            let mut left = words.clone();
            for number in &cited {
                let plain = format!("[{number}]");
                prop_assert!(left.contains(&plain), "{words}");
                left = left.replace(&plain, "");
            }
            prop_assert_eq!(left.replace("Eggs  grow.", "Eggs grow."), "Eggs grow.");
        }

        #[test]
        fn words_without_brackets_are_passed_on(text in "[^\\[【]{0,80}", passages in 0usize..9) {
            prop_assert_eq!(filtered(&[&text], passages), (text, vec![]));
        }
    }
}
