//! A message as the guard reads it: folded words in sentences, spelling and short forms undone.
//!
//! "Im gonna KILLLL mysef tonite :(" is read as "i am going to kill myself tonight". Folding never fails and keeps the order of
//! the words; it is for reading alone and is never shown to anybody.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;

/// What people write for what they mean: a short form or misspelling, a tab, the words it stands for.
const SHORT_FORMS: &str = include_str!("../data/short_forms.tsv");
/// Words that are what they seem: never taken for a misspelling of something else. Written by `examples/train.rs`.
const KNOWN_WORDS: &str = include_str!("../data/known_words.txt");

/// The shortest word whose spelling is mended.
const MENDED: usize = 5;

/// The folded words of a message.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    text: String,
    spans: Vec<(usize, usize)>,
    /// The sentence of each word, counted from 0.
    sentences: Vec<usize>,
}

impl Words {
    /// How many words there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The word at a place; empty beyond the end.
    pub fn get(&self, at: usize) -> &str {
        self.spans.get(at).and_then(|&(from, to)| self.text.get(from..to)).unwrap_or_default()
    }

    /// All words, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The number of the sentence that a word stands in.
    pub fn sentence(&self, at: usize) -> usize {
        self.sentences.get(at).copied().unwrap_or(usize::MAX)
    }

    fn push(&mut self, word: &str, sentence: usize) {
        let from = self.text.len();
        self.text.push_str(word);
        self.spans.push((from, self.text.len()));
        self.sentences.push(sentence);
    }
}

/// Folds letters: compatibility forms, case, accents and the variants of Arabic letters go.
pub(crate) fn fold(text: &str) -> String {
    let folded = text.nfkd().filter_map(|letter| match letter {
        // Accents, Arabic vowel signs, the stretched line, joiners, direction marks.
        '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' => None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}' => None,
        'ı' | 'İ' => Some('i'),
        'ی' | 'ى' | 'ے' => Some('ي'),
        'ک' => Some('ك'),
        'ہ' | 'ھ' | 'ة' | 'ۃ' => Some('ه'),
        // Hindi: the dot below, and the two signs of a nasal vowel.
        '\u{93c}' => None,
        '\u{901}' => Some('\u{902}'),
        '’' | '‘' | 'ʼ' | '`' | '´' => Some('\''),
        other => Some(other),
    });
    let folded: String = folded.flat_map(char::to_lowercase).collect();
    // Two letters that no decomposition knows; nearly no text has one.
    if folded.contains(['ß', 'œ']) { folded.replace('ß', "ss").replace('œ', "oe") } else { folded }
}

/// A pattern as words are folded, with a space around each letter that is a word of its own.
pub(crate) fn spaced(pattern: &str) -> String {
    let folded = fold(pattern);
    if !folded.contains(is_unspaced) {
        return folded.replace('\'', "");
    }
    let mut spaced = String::with_capacity(folded.len() * 2);
    for letter in folded.chars() {
        match letter {
            '(' => spaced.push_str(" ("),
            ')' => spaced.push_str(") "),
            letter if is_unspaced(letter) => spaced.extend([' ', letter, ' ']),
            letter => spaced.push(letter),
        }
    }
    spaced
}

/// Chinese characters and Japanese kana: between words there is no space.
pub(crate) fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Whether a letter is part of a word; the signs that join or silence Indian letters are.
fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || unicode_normalization::char::is_combining_mark(letter)
}

/// What is known of spelling.
#[derive(Debug)]
pub(crate) struct Spelling {
    short_forms: HashMap<&'static str, &'static str>,
    /// In order.
    known: Vec<&'static str>,
    lexicon: HashSet<String>,
    /// The words that a misspelling may be, by their first letter and length, in order; each with the letters that it has.
    mended: HashMap<(u8, usize), Vec<(u32, String)>>,
}

impl Spelling {
    /// Mends misspellings of the words given, and leaves all others.
    pub fn of<'a>(lexicon: impl Iterator<Item = &'a str>) -> Self {
        let short_forms = SHORT_FORMS.lines().filter(|line| !line.starts_with('#'));
        let short_forms: HashMap<_, _> = short_forms.filter_map(|line| line.split_once('\t')).collect();
        let lexicon: HashSet<String> = lexicon.map(str::to_owned).collect();
        let mut mended: HashMap<(u8, usize), Vec<(u32, String)>> = HashMap::new();
        for word in lexicon.iter().filter(|word| word.len() >= MENDED && word.is_ascii()) {
            let first = word.bytes().next().unwrap_or_default();
            mended.entry((first, word.len())).or_default().push((letters(word), word.clone()));
        }
        mended.values_mut().for_each(|words| words.sort_unstable());
        Self { short_forms, known: KNOWN_WORDS.lines().collect(), lexicon, mended }
    }

    fn is_known(&self, word: &str) -> bool {
        self.lexicon.contains(word) || self.known.binary_search(&word).is_ok()
    }

    /// The word that another one is by one slip: slips are rare in the first letter, and a word with another one is mostly
    /// another word.
    fn near(&self, word: &str) -> Option<&str> {
        let first = word.bytes().next()?;
        let (has, length) = (letters(word), word.len());
        let lengths = [length, length + 1, length.saturating_sub(1)];
        let may_be = lengths.iter().filter_map(|length| self.mended.get(&(first, *length))).flatten();
        // One slip changes at most two of the letters that a word has.
        let mut may_be = may_be.filter(|(letters, _)| (letters ^ has).count_ones() <= 2);
        may_be.find(|(_, known)| strsim::osa_distance(known, word) == 1).map(|(_, known)| known.as_str())
    }

    /// Reads a message.
    pub fn read(&self, message: &str) -> Words {
        cut(message, |words, word, sentence| self.push(words, word, sentence))
    }

    fn push(&self, words: &mut Words, word: &str, sentence: usize) {
        if let Some(meant) = self.short_forms.get(word) {
            meant.split(' ').for_each(|word| words.push(word, sentence));
            return;
        }
        let bare: String = word.chars().filter(|&letter| letter != '\'').collect();
        if bare != word {
            match self.short_forms.get(bare.as_str()) {
                Some(meant) => meant.split(' ').for_each(|word| words.push(word, sentence)),
                None => words.push(bare.strip_suffix('s').filter(|_| word.ends_with("'s")).unwrap_or(&bare), sentence),
            }
            return;
        }
        match self.mend(word) {
            Some(meant) => match self.short_forms.get(meant.as_str()) {
                Some(meant) => meant.split(' ').for_each(|word| words.push(word, sentence)),
                None => words.push(&meant, sentence),
            },
            None => words.push(word, sentence),
        }
    }

    /// Whether words may be in another language: one letter is none of English, or a fair share of the words is not known.
    pub fn is_foreign(&self, words: &Words) -> bool {
        let is_known = |word: &str| self.is_known(word) || self.short_forms.contains_key(word) || word.len() < 2;
        let unknown = words.iter().filter(|word| !is_known(word)).count();
        words.iter().any(|word| !word.is_ascii()) || unknown > 1 && 4 * unknown >= words.len()
    }

    /// What a word is that is not one: drawn out ("diiiie"), with digits for letters ("su1cide"), or with one slip.
    fn mend(&self, word: &str) -> Option<String> {
        if self.is_known(word) || !word.is_ascii() {
            return None;
        }
        let is_word = |word: &String| self.is_known(word) || self.short_forms.contains_key(word.as_str());
        let drawn_out =
            [2, 1].map(|most| squeezed(word, most)).into_iter().find(|short| short != word && is_word(short));
        if drawn_out.is_some() {
            return drawn_out;
        }
        let has_letter = word.bytes().any(|byte| byte.is_ascii_alphabetic());
        if has_letter && word.bytes().any(|byte| byte.is_ascii_digit()) {
            let letters = word.chars().map(|sign| match sign {
                '0' => 'o',
                '1' => 'i',
                '3' => 'e',
                '4' => 'a',
                '5' => 's',
                other => other,
            });
            return Some(letters.collect::<String>()).filter(|letters| is_word(letters));
        }
        if word.len() < MENDED {
            return None;
        }
        self.near(word).map(str::to_owned)
    }
}

/// The words of a message as they stand there, folded: for other languages, whose words are no short forms of English.
pub(crate) fn plain(message: &str) -> Words {
    cut(message, |words, word, sentence| words.push(&word.replace('\'', ""), sentence))
}

fn cut(message: &str, push: impl Fn(&mut Words, &str, usize)) -> Words {
    let folded = fold(message);
    let mut words = Words::default();
    let mut sentence = 0;
    let mut rest = folded.as_str();
    while let Some(first) = rest.chars().next() {
        if !in_word(first) {
            if matches!(first, '.' | '!' | '?' | ';' | '\n' | '…' | '。' | '！' | '？' | '।' | '؟' | '۔') {
                sentence += 1;
            }
            if let Some(name) = emoji(first) {
                words.push(name, sentence);
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let end = if is_unspaced(first) { first.len_utf8() } else { word_end(rest) };
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        push(&mut words, word, sentence);
        rest = after;
    }
    words
}

/// Where the word at the beginning of a text ends; an apostrophe between letters is part of it.
fn word_end(text: &str) -> usize {
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let joins = letter == '\'' && letters.peek().is_some_and(|&(_, next)| in_word(next));
        if !in_word(letter) && !joins || is_unspaced(letter) {
            return at;
        }
    }
    text.len()
}

/// Which letters a word has, a bit for each.
fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |letters, byte| letters | 1 << (byte & 31))
}

/// A word whose letters repeat at most so often in a row.
fn squeezed(word: &str, most: usize) -> String {
    let mut short = String::with_capacity(word.len());
    let mut run = (None, 0);
    for letter in word.chars() {
        run = if run.0 == Some(letter) { (run.0, run.1 + 1) } else { (Some(letter), 1) };
        if run.1 <= most {
            short.push(letter);
        }
    }
    short
}

/// The signs that say how a sentence is meant.
fn emoji(sign: char) -> Option<&'static str> {
    Some(match sign {
        '😂' | '🤣' | '😆' | '😅' | '😹' | '😜' | '😝' => "xlaugh",
        '💀' | '☠' => "xskull",
        '😭' | '😢' | '😞' | '😔' | '💔' => "xcry",
        '🔪' | '🔫' | '💊' | '🩸' => "xmeans",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(message: &str) -> String {
        Spelling::of(["myself", "tonight", "suicidal", "kill", "die"].into_iter())
            .read(message)
            .iter()
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn short_forms_slips_and_accents_are_undone() {
        let cases = [
            ("Im gonna KILLLL mysef tonite", "i am going to kill myself tonight"),
            ("I can’t do this", "i can not do this"),
            ("su1cidal", "suicidal"),
            ("suicdal", "suicidal"),
            ("diiiie", "die"),
            ("Je n'en peux plus, café", "je nen peux plus cafe"),
            ("أريد أن أموت", "اريد ان اموت"),
        ];
        for (message, words) in cases {
            assert_eq!(read(message), words, "{message}");
        }
    }

    #[test]
    fn sentences_are_counted() {
        let words = Spelling::of([].into_iter()).read("Hello. I am here! You?");
        let sentences: Vec<usize> = (0..words.len()).map(|at| words.sentence(at)).collect();
        assert_eq!(sentences, [0, 1, 1, 1, 2]);
    }

    proptest! {
        #[test]
        fn anything_can_be_read(message in "\\PC{0,200}") {
            let words = read(&message);
            prop_assert!(!words.contains("  "), "{words:?}");
        }
    }
}
