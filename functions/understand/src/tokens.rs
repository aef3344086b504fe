//! Cuts a message into tokens: words, numbers and signs, each folded to lower case without accents, with its place in
//! the message.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most tokens of one message that are looked at. A journey is said in far fewer; the bound keeps the time taken
/// in hand whatever is sent.
pub const MOST: usize = 600;

/// A word, a number (with its ending: `3rd`, `5pm`) or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Lower case, without accents and apostrophes: `zurich`, `dont`, `12th`, `?`. The ending `'s` is a token of its
    /// own, `'s`.
    pub text: String,
    /// Where it starts in the message, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// It is written with a capital first letter.
    pub capital: bool,
    /// It is written in capitals alone, and has two letters or more.
    pub capitals: bool,
}

impl Token {
    /// It is a word or a number, not a sign.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphanumeric())
    }

    /// It ends a sentence.
    pub fn ends_sentence(&self) -> bool {
        matches!(self.text.as_str(), "." | "?" | "!" | ";" | "\n")
    }
}

/// The tokens of a message, in its order; at most [`MOST`].
pub fn tokens(words: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut chars = words.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if found.len() == MOST {
            break;
        }
        if !first.is_alphanumeric() {
            if first == '\n' || !first.is_whitespace() && !is_combining_mark(first) {
                let text = match first {
                    '–' | '—' | '−' => "-".to_owned(),
                    other => other.to_string(),
                };
                found.push(Token { text, start, end: start + first.len_utf8(), capital: false, capitals: false });
            }
            continue;
        }
        let mut end = start + first.len_utf8();
        while let Some(&(at, next)) = chars.peek() {
            let inner_apostrophe = is_apostrophe(next)
                && words
                    .get(at + next.len_utf8()..)
                    .and_then(|rest| rest.chars().next())
                    .is_some_and(char::is_alphabetic);
            if !next.is_alphanumeric() && !is_combining_mark(next) && !inner_apostrophe {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        push_word(&mut found, words.get(start..end).unwrap_or_default(), start);
    }
    found
}

fn push_word(found: &mut Vec<Token>, written: &str, start: usize) {
    let end = start + written.len();
    let (stem, ending) = match written.char_indices().rev().nth(1) {
        Some((at, apostrophe)) if is_apostrophe(apostrophe) && written.ends_with(['s', 'S']) => written.split_at(at),
        _ => (written, ""),
    };
    let letters = stem.chars().filter(|letter| letter.is_alphabetic());
    found.push(Token {
        text: fold(stem),
        start,
        end: start + stem.len(),
        capital: stem.starts_with(char::is_uppercase),
        capitals: letters.clone().count() > 1 && letters.clone().all(char::is_uppercase),
    });
    if !ending.is_empty() {
        found.push(Token { text: "'s".into(), start: start + stem.len(), end, capital: false, capitals: false });
    }
}

fn is_apostrophe(sign: char) -> bool {
    // The double quote is a common slip for it: o"clock.
    matches!(sign, '\'' | '’' | '‘' | '`' | '"')
}

/// Lower case, without accents and apostrophes.
pub fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for letter in word.nfd().filter(|letter| !is_combining_mark(*letter) && !is_apostrophe(*letter)) {
        match letter {
            'ø' | 'Ø' => folded.push('o'),
            'ł' | 'Ł' => folded.push('l'),
            'đ' | 'Đ' | 'ð' | 'Ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ß' | 'ẞ' => folded.push_str("ss"),
            'æ' | 'Æ' => folded.push_str("ae"),
            'œ' | 'Œ' => folded.push_str("oe"),
            'þ' | 'Þ' => folded.push_str("th"),
            other => folded.extend(other.to_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_signs_stand_alone() {
        let cases: &[(&str, &[&str])] = &[
            ("Zürich–São Paulo?", &["zurich", "-", "sao", "paulo", "?"]),
            ("don't, I'm", &["dont", ",", "im"]),
            ("Delta's at 8 o\"clock", &["delta", "'s", "at", "8", "oclock"]),
            ("the 3rd, 5pm, 2027-01-02", &["the", "3rd", ",", "5pm", ",", "2027", "-", "01", "-", "02"]),
            ("\"Oslo\" 'Rome'", &["\"", "oslo", "\"", "'", "rome", "'"]),
            ("", &[]),
        ];
        for (words, expected) in cases {
            let texts: Vec<String> = tokens(words).into_iter().map(|token| token.text).collect();
            assert_eq!(&texts, expected, "{words}");
        }
    }

    #[test]
    fn a_token_knows_its_place_and_its_capitals() {
        let found = tokens("to LAX, Łódź");
        let lodz = &found[3];
        assert_eq!((lodz.text.as_str(), &"to LAX, Łódź"[lodz.start..lodz.end]), ("lodz", "Łódź"));
        assert!(found[1].capitals && lodz.capital && !lodz.capitals);
    }
}
