//! Recognises the language of a message and, where it is not English, reads it as the English of `data/languages.txt`.
//!
//! It translates what a journey is said with, no more: flights, days, numbers, travellers, "from" and "to". Names stay as they
//! are written, for the gazetteer knows them in other scripts. What follows is read by the same rules as English.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::places::names::is_known;
use crate::tokens::{Token, fold, tokens};
use crate::towns::{Town, town};

/// A message in English, and the language it was written in.
#[derive(Debug, PartialEq, Eq)]
pub struct Translated {
    /// ISO 639-1; `ur-Latn` is Urdu or Hindi in Latin letters.
    pub language: &'static str,
    /// What it says.
    pub words: String,
}

struct Entry {
    words: Vec<String>,
    english: &'static str,
    /// It is no English word and no name, so it tells the language.
    telling: bool,
    /// In English it stands before what it stands behind here.
    behind: bool,
}

/// The phrases of a language, by their first word (by their first letter where words are not set apart).
struct Lexicon {
    language: &'static str,
    entries: HashMap<String, Vec<Entry>>,
}

static LEXICONS: LazyLock<Vec<Lexicon>> = LazyLock::new(|| {
    let mut lexicons: Vec<Lexicon> = Vec::new();
    for line in include_str!("../data/languages.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some(language) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            lexicons.push(Lexicon { language, entries: HashMap::new() });
        }
        let (Some(lexicon), Some((english, phrases))) = (lexicons.last_mut(), line.split_once(": ")) else { continue };
        let (english, behind) = english.strip_suffix('<').map_or((english, false), |english| (english, true));
        for phrase in phrases.split('|') {
            let (phrase, telling) = phrase.strip_prefix('~').map_or((phrase, true), |phrase| (phrase, false));
            let words: Vec<String> = pieces(phrase, lexicon.language);
            if let Some(first) = words.first().cloned() {
                lexicon.entries.entry(first).or_default().push(Entry { words, english, telling, behind });
            }
        }
    }
    for lexicon in &mut lexicons {
        lexicon.entries.values_mut().for_each(|of| of.sort_by_key(|entry| std::cmp::Reverse(entry.words.len())));
    }
    lexicons
});

/// Words are not set apart by blanks.
fn is_unspaced(language: &str) -> bool {
    matches!(language, "zh" | "ja")
}

/// A text cut as the language is: into words, or into letters.
fn pieces(text: &str, language: &str) -> Vec<String> {
    let words = tokens(text).into_iter().map(|token| token.text);
    if is_unspaced(language) { words.flat_map(|word| letters(&word)).collect() } else { words.collect() }
}

/// Each letter, but digits and Latin words together.
fn letters(word: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for letter in word.chars() {
        match found.last_mut() {
            Some(last)
                if letter.is_ascii_alphanumeric()
                    && last.ends_with(|before: char| {
                        before.is_ascii_alphanumeric() && before.is_ascii_digit() == letter.is_ascii_digit()
                    }) =>
            {
                last.push(letter)
            }
            _ => found.push(letter.to_string()),
        }
    }
    found
}

/// The message in English; `None` where it is English, or in no language that is known.
pub fn translate(words: &str) -> Option<Translated> {
    let digits = with_latin_digits(words);
    let found = tokens(&digits);
    let language = by_script(&digits).or_else(|| by_words(&found))?;
    let lexicon = LEXICONS.iter().find(|lexicon| lexicon.language == language)?;
    Some(Translated { language, words: english(lexicon, &digits) })
}

/// Digits of other scripts as those that everybody reads.
pub fn with_latin_digits(words: &str) -> String {
    let latin = |letter: char| {
        let zero = ['٠', '۰', '०', '০', '０']
            .into_iter()
            .find(|zero| (*zero..=char::from_u32(*zero as u32 + 9).unwrap_or(*zero)).contains(&letter))?;
        char::from_digit(letter as u32 - zero as u32, 10)
    };
    words.chars().map(|letter| latin(letter).unwrap_or(letter)).collect()
}

/// The language that the script of most letters tells.
fn by_script(words: &str) -> Option<&'static str> {
    let of =
        |language: &'static str, is: fn(char) -> bool| (words.chars().filter(|letter| is(*letter)).count(), language);
    let arabic = |letter: char| ('\u{0600}'..='\u{06ff}').contains(&letter);
    let counts = [
        of("ru", |letter| ('\u{0400}'..='\u{04ff}').contains(&letter)),
        of("hi", |letter| ('\u{0900}'..='\u{097f}').contains(&letter)),
        of("ko", |letter| ('\u{ac00}'..='\u{d7af}').contains(&letter)),
        of("ja", |letter| ('\u{3040}'..='\u{30ff}').contains(&letter)),
        of("zh", |letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)),
        of("ar", arabic),
    ];
    let letters = words.chars().filter(|letter| letter.is_alphabetic()).count();
    let kana = counts[3].0 > 0;
    let (most, language) =
        counts.into_iter().filter(|(_, language)| !(kana && *language == "zh")).max_by_key(|(count, _)| *count)?;
    if most == 0 || most * 3 < letters && !kana {
        return None;
    }
    let urdu = |letter: char| matches!(letter, 'ٹ' | 'ڈ' | 'ڑ' | 'ں' | 'ے' | 'ہ' | 'ھ' | 'گ' | 'چ' | 'پ' | 'ک' | 'ی');
    Some(if language == "ar" && words.chars().any(urdu) { "ur" } else { language })
}

/// The language whose words these are: at least one that is nothing else, and most of those that are no names or numbers.
fn by_words(found: &[Token]) -> Option<&'static str> {
    let words =
        found.iter().filter(|token| token.is_word() && !token.text.starts_with(|first: char| first.is_ascii_digit()));
    let count = words.count();
    let score = |lexicon: &Lexicon| {
        let (mut told, mut covered, mut at) = (0, 0, 0);
        while at < found.len() {
            match entry(lexicon, found, at) {
                Some(entry) => {
                    let length = entry.words.len();
                    let is_number =
                        entry.english.len() == 1 && entry.english.starts_with(|first: char| first.is_ascii_digit());
                    told += usize::from(entry.telling)
                        * if is_number { 1 } else { 2 }
                        * usize::from(found.get(at).is_some_and(|token| token.text.len() > 1));
                    covered += length;
                    at += length;
                }
                None => at += 1,
            }
        }
        (told, covered)
    };
    let spaced = LEXICONS.iter().filter(|lexicon| {
        lexicon.language.is_ascii() && !matches!(lexicon.language, "ru" | "ar" | "ur" | "hi" | "zh" | "ja" | "ko")
    });
    let ((told, covered), language) =
        spaced.map(|lexicon| (score(lexicon), lexicon.language)).max_by_key(|(score, _)| *score)?;
    let english = found.iter().filter(|token| ENGLISH.contains(&token.text.as_str())).count();
    let names = found.iter().filter(|token| token.capital).count();
    let enough = covered * 2 >= count.saturating_sub(names) || told >= 6;
    // One word of another language is a name or a slip as long as others stand beside it.
    let sure = told >= 4 || covered >= count;
    (told > 0 && told >= 2 * english && enough && sure).then_some(language)
}

/// Words that say that a message is English, whatever else is in it.
const ENGLISH: &[&str] = &[
    "the", "i", "want", "need", "from", "to", "and", "for", "is", "flight", "flights", "on", "with", "what", "how",
    "are", "can", "you", "my", "me", "we", "please", "return", "back", "one", "way", "people", "cheapest", "fly",
    "going", "would", "like", "any", "next", "which", "when", "does", "it", "that", "this", "not", "make", "ticket",
    "of",
];

/// A word that says that a message is English.
pub fn is_english(word: &str) -> bool {
    ENGLISH.contains(&word)
}

/// The longest entry that starts at a token.
fn entry<'a>(lexicon: &'a Lexicon, found: &[Token], at: usize) -> Option<&'a Entry> {
    let first = found.get(at)?;
    let fits = |entry: &&Entry| {
        entry
            .words
            .iter()
            .enumerate()
            .all(|(offset, word)| found.get(at + offset).is_some_and(|token| token.text == *word))
    };
    lexicon.entries.get(&first.text)?.iter().find(fits)
}

/// A piece of the translation: its words, and whether something may be set before what it belongs to.
struct Output {
    words: Vec<String>,
    /// Where what was last named begins: what stands behind it in the other language is set before it.
    chunk: usize,
}

impl Output {
    fn put(&mut self, english: &str, behind: bool) {
        if behind {
            self.words.insert(self.chunk.min(self.words.len()), english.to_owned());
            self.chunk = self.words.len();
        } else {
            let content = is_content(english);
            self.words.push(english.to_owned());
            if !content {
                self.chunk = self.words.len();
            }
        }
    }
}

/// Numbers, days and months belong to what a word behind them says; other words do not.
fn is_content(english: &str) -> bool {
    const CONTENT: &[&str] = &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "today",
        "tomorrow",
        "christmas",
        "next week",
        "the day after tomorrow",
    ];
    CONTENT.contains(&english) || english.starts_with(|first: char| first.is_ascii_digit())
}

fn english(lexicon: &Lexicon, words: &str) -> String {
    let mut output = Output { words: Vec::new(), chunk: 0 };
    if is_unspaced(lexicon.language) {
        by_letters(lexicon, words, &mut output);
    } else {
        by_tokens(lexicon, &tokens(words), words, &mut output);
    }
    output.words.retain(|word| !word.is_empty());
    mend_days(&mut output.words);
    output.words.join(" ").replace(" , ", ", ")
}

/// "5 from january" and "12. december" are "5 january" and "12 december".
fn mend_days(words: &mut Vec<String>) {
    let is_month = |word: &str| MONTHS.contains(&word);
    let mut at = 0;
    while at + 1 < words.len() {
        let number = words
            .get(at)
            .is_some_and(|word| word.trim_end_matches('.').bytes().all(|byte| byte.is_ascii_digit()) && word.len() < 4);
        let next = words.get(at + 1).map_or("", String::as_str);
        let of = next == "from" && words.get(at + 2).is_some_and(|word| is_month(word));
        if number && of {
            words.remove(at + 1);
        } else if number
            && is_month(next)
            && let Some(word) = words.get_mut(at)
        {
            *word = word.trim_end_matches('.').to_owned();
        }
        at += 1;
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn by_tokens(lexicon: &Lexicon, found: &[Token], words: &str, output: &mut Output) {
    let mut at = 0;
    while let Some(token) = found.get(at) {
        if let Some(entry) = entry(lexicon, found, at) {
            output.put(entry.english, entry.behind);
            at += entry.words.len();
            continue;
        }
        if let Some((name, case)) = inflected(lexicon.language, &token.text) {
            if let Some(case) = case {
                output.put(case, false);
            }
            output.words.push(name);
        } else {
            let written = words.get(token.start..token.end).unwrap_or_default();
            let joined = !token.is_word() && matches!(token.text.as_str(), "." | ":" | "/");
            match output.words.last_mut() {
                Some(last)
                    if joined
                        || ends_joined(last)
                            && found.get(at.wrapping_sub(1)).is_some_and(|before| before.end == token.start) =>
                {
                    last.push_str(written)
                }
                _ => output.words.push(written.to_owned()),
            }
            if !token.is_word() && !joined {
                output.chunk = output.words.len();
            }
        }
        at += 1;
    }
}

/// "10." goes on with what is joined to it.
fn ends_joined(word: &str) -> bool {
    word.len() > 1 && word.ends_with(['.', ':', '/'])
}

/// A name with the ending of its case, as Russian, Polish and Turkish have it; and what the ending says.
fn inflected(language: &str, word: &str) -> Option<(String, Option<&'static str>)> {
    let known = |name: &str| town(name).is_some_and(|town| matches!(town, Town::City(_))) || is_known(name);
    if known(word) {
        return None;
    }
    match language {
        "tr" => {
            const ENDINGS: &[(&str, &str)] = &[
                ("dan", "from"),
                ("den", "from"),
                ("tan", "from"),
                ("ten", "from"),
                ("ndan", "from"),
                ("nden", "from"),
                ("ya", "to"),
                ("ye", "to"),
                ("a", "to"),
                ("e", "to"),
                ("na", "to"),
                ("ne", "to"),
            ];
            ENDINGS.iter().find_map(|(ending, case)| {
                let name = word.strip_suffix(ending).filter(|name| name.len() > 3 && known(name))?;
                Some((name.to_owned(), Some(*case)))
            })
        }
        "ru" | "pl" => {
            let letters: Vec<char> = word.chars().collect();
            let endings: &[&str] = if language == "ru" { &["", "а", "я", "ь", "ы", "и"] } else { &["", "a", "o"] };
            let cut = |count: usize| {
                letters.get(..letters.len().checked_sub(count)?).map(|kept| kept.iter().collect::<String>())
            };
            let names = (1..=2).filter_map(cut).filter(|stem| stem.chars().count() > 2);
            names
                .flat_map(|stem| endings.iter().map(move |ending| format!("{stem}{ending}")))
                .find(|name| known(name))
                .map(|name| (name, None))
        }
        _ => None,
    }
}

/// Chinese and Japanese: the longest phrase or name at each letter.
fn by_letters(lexicon: &Lexicon, words: &str, output: &mut Output) {
    let all = pieces(words, lexicon.language);
    let mut at = 0;
    while let Some(piece) = all.get(at) {
        if let Some((day, length)) = month_and_day(&all, at) {
            output.put(&day, false);
            at += length;
            continue;
        }
        let named = (2..=6).rev().find_map(|length| {
            let name: String = all.get(at..at + length)?.concat();
            let code = match town(&fold(&name))? {
                Town::City(code) => code,
                Town::Near(codes) => *codes.first()?,
            };
            Some((code, length))
        });
        let said = lexicon.entries.get(piece).and_then(|of| {
            of.iter().find(|entry| all.get(at..at + entry.words.len()).is_some_and(|pieces| pieces == entry.words))
        });
        match (named, said) {
            (Some((code, length)), said) if said.is_none_or(|entry| entry.words.len() < length) => {
                output.words.push(code.to_string());
                at += length;
            }
            (_, Some(entry)) => {
                output.put(entry.english, entry.behind);
                at += entry.words.len();
            }
            _ if piece.is_ascii() => {
                output.words.push(piece.clone());
                at += 1;
            }
            _ => {
                output.chunk = output.words.len();
                at += 1;
            }
        }
    }
}

/// "12月10号" is 10 December.
fn month_and_day(all: &[String], at: usize) -> Option<(String, usize)> {
    const MONTHS: &[&str] = &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let text = |at: usize| all.get(at).map_or("", String::as_str);
    let number = |at: usize| text(at).parse::<usize>().ok();
    if text(at + 1) == "月" {
        let month = MONTHS.get(number(at)?.checked_sub(1)?)?;
        let day = number(at + 2)?;
        let end = usize::from(matches!(text(at + 3), "号" | "日" | "號"));
        return Some((format!("{day} {month}"), 3 + end));
    }
    let day = number(at).filter(|day| (1..=31).contains(day))?;
    matches!(text(at + 1), "号" | "日" | "號").then(|| (format!("on the {day}th"), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_is_read_as_english() {
        for line in
            include_str!("../examples/languages.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (words, expected) = line.split_once(" => ").expect("words => language: English");
            let found =
                translate(words).map_or("en".to_owned(), |found| format!("{}: {}", found.language, found.words));
            assert_eq!(found, expected, "{words}");
        }
    }

    #[test]
    fn every_phrase_is_folded() {
        for lexicon in LEXICONS.iter() {
            assert!(lexicon.entries.len() > 20, "{}", lexicon.language);
        }
    }
}
