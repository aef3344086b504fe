//! Keeps from everybody what says how much or which way kills: in texts that are found, before they are quoted or given to a
//! model.

use std::sync::LazyLock;

use crate::lexicon::Lexicon;
use crate::text::Spelling;

/// The patterns of such sentences.
const MEANS: &str = include_str!("../data/means.txt");

struct Reader {
    lexicon: Lexicon<()>,
    spelling: Spelling,
}

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let lexicon = lexicon().unwrap_or_default();
    Reader { spelling: Spelling::of(lexicon.words()), lexicon }
});

fn lexicon() -> Result<Lexicon<()>, String> {
    let mut lexicon = Lexicon::default();
    for line in MEANS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        lexicon.add((), line).map_err(|wrong| format!("{wrong}: {line}"))?;
    }
    Ok(lexicon)
}

/// A text without its sentences that say how much or which way kills; `None` where there are none, which is nearly always.
pub fn without_means(text: &str) -> Option<String> {
    let says_how = |sentence: &str| !READER.lexicon.matches(&READER.spelling.read(sentence)).is_empty();
    // The whole text first: one pass is enough for nearly all.
    if !says_how(text) {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    for sentence in text.split_inclusive(['.', '!', '?', '\n']) {
        if !says_how(sentence) {
            kept.push_str(sentence);
        }
    }
    Some(kept.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_can_be_read() {
        lexicon().unwrap();
    }

    #[test]
    fn amounts_and_ways_that_kill_are_left_out_and_warnings_stay() {
        let cases = [
            (
                "Paracetamol eases pain. More than 99 grams can be fatal. Ask a pharmacist.",
                "Paracetamol eases pain. Ask a pharmacist.",
            ),
            ("The lethal dose is 5 tablets.", ""),
            ("A fall from 99 metres is usually deadly.", ""),
            ("Mixing alcohol with those tablets can stop the breathing.", ""),
        ];
        for (text, kept) in cases {
            assert_eq!(without_means(text).as_deref(), Some(kept), "{text}");
        }
        for text in [
            "An overdose can be fatal: call 999 even if you feel fine.",
            "OHSS can become life-threatening; 1 in 100 women need hospital care.",
            "Gas fees can kill a small trade.",
            "Most lines answer 24 hours a day; in 2024 there were 5 deaths fewer.",
        ] {
            assert_eq!(without_means(text), None, "{text}");
        }
    }
}
