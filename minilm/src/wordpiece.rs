//! BERT's way of cutting a text into tokens, without accents and capitals: words and signs, then the longest pieces that the
//! vocabulary knows.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What begins a piece that goes on with a word.
const GOES_ON: &str = "##";
/// A word of more characters is not looked up.
const LONGEST_WORD: usize = 100;

/// A vocabulary: each token's place in it.
#[derive(Debug)]
pub struct WordPiece<'a> {
    whole: HashMap<&'a str, usize>,
    /// The pieces that go on with a word, without their mark.
    further: HashMap<&'a str, usize>,
}

impl<'a> WordPiece<'a> {
    /// Of tokens in their order.
    pub fn new(tokens: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut whole, mut further) = (HashMap::new(), HashMap::new());
        for (at, token) in tokens.into_iter().enumerate() {
            match token.strip_prefix(GOES_ON) {
                Some(piece) if !piece.is_empty() => further.insert(piece, at),
                _ => whole.insert(token, at),
            };
        }
        Self { whole, further }
    }

    /// The places of a text's tokens, in their order. A word that cannot be made of pieces has none.
    pub fn tokens(&self, text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for word in words(text) {
            let before = found.len();
            if !self.cut(&word, &mut found) {
                found.truncate(before);
            }
        }
        found
    }

    /// Whether a word is a token of its own.
    pub fn is_word(&self, word: &str) -> bool {
        self.whole.contains_key(word)
    }

    fn cut(&self, word: &str, found: &mut Vec<usize>) -> bool {
        if word.chars().count() > LONGEST_WORD {
            return false;
        }
        let (mut rest, mut pieces) = (word, &self.whole);
        while !rest.is_empty() {
            let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).rev();
            let longest = ends.filter_map(|end| Some((end, *pieces.get(rest.get(..end)?)?))).next();
            let Some((end, token)) = longest else { return false };
            found.push(token);
            rest = rest.get(end..).unwrap_or_default();
            pieces = &self.further;
        }
        true
    }
}

/// Words in lower case without accents, and each sign by itself.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        let stands_alone = c.is_ascii_punctuation() || !c.is_alphanumeric() || is_han(c);
        match words.last_mut() {
            Some(word) if !stands_alone => word.push(c),
            _ if c.is_whitespace() || c.is_control() => words.push(String::new()),
            _ => words.extend([c.to_string(), String::new()]),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The scripts of which each character is a word to BERT.
fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKENS: [&str; 8] = ["em", "##bry", "##o", "embryo", "?", "cafe", "你", "##s"];

    #[test]
    fn a_text_is_the_longest_pieces_that_are_known() {
        let pieces = WordPiece::new(TOKENS);
        let cases: [(&str, &[&str]); 7] = [
            ("Embryo?", &["embryo", "?"]),
            ("embryos", &["embryo", "##s"]),
            ("embry", &["em", "##bry"]),
            ("Café", &["cafe"]),
            ("你embryo", &["你", "embryo"]),
            ("unknown embryo", &["embryo"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            let found: Vec<&str> = pieces.tokens(text).into_iter().map(|at| TOKENS[at]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_cut(text in "\\PC{0,80}") {
            prop_assert!(WordPiece::new(TOKENS).tokens(&text).iter().all(|at| *at < TOKENS.len()));
        }
    }
}
