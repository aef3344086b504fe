//! Explicit phrases in other languages than English, from `data/languages.txt`.

use crate::Class;
use crate::lexicon::{Lexicon, Match};
use crate::text::Words;

const PHRASES: &str = include_str!("../data/languages.txt");

/// Words that turn a phrase into its opposite where they stand right before it.
const NEGATIONS: [&str; 14] =
    ["no", "nao", "non", "ne", "nicht", "kein", "لا", "ما", "لم", "نهين", "नहीं", "nahi", "不", "没"];

/// What a phrase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Phrase {
    language: &'static str,
    class: Class,
    is_idiom: bool,
}

/// The phrases of all languages.
#[derive(Debug, Default)]
pub(crate) struct Languages(Lexicon<Phrase>);

impl Languages {
    /// Reads the phrases of this build.
    ///
    /// # Errors
    /// The first line that cannot be read, with what is wrong with it.
    pub fn embedded() -> Result<Self, String> {
        let mut lexicon = Lexicon::default();
        let mut section = None;
        for line in PHRASES.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(names) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                let names = names.split_once(' ').and_then(|(language, class)| Some((language, Class::named(class)?)));
                section = Some(names.ok_or_else(|| format!("there is no such section: {line}"))?);
                continue;
            }
            let (language, class) = section.ok_or_else(|| format!("it is in no section: {line}"))?;
            let (pattern, is_idiom) = line.strip_prefix('~').map_or((line, false), |pattern| (pattern, true));
            let phrase = Phrase { language, class, is_idiom };
            lexicon.add(phrase, pattern).map_err(|wrong| format!("{wrong}: {line}"))?;
        }
        Ok(Self(lexicon))
    }

    /// The language and the danger of the phrases in a message. An idiom counts where it is most of the message, or with
    /// another one.
    pub fn find(&self, words: &Words) -> Option<(&'static str, Class)> {
        let meant = |one: &Match<Phrase>| one.from.checked_sub(1).is_none_or(|at| !NEGATIONS.contains(&words.get(at)));
        let found: Vec<Match<Phrase>> = self.0.matches(words).into_iter().filter(meant).collect();
        let explicit = found.iter().find(|one| !one.says.is_idiom);
        let idiom = || {
            found.iter().find(|one| {
                let is_most = 2 * (one.to - one.from) > words.len();
                is_most || found.iter().any(|other| other.from >= one.to)
            })
        };
        explicit.or_else(idiom).map(|one| (one.says.language, one.says.class))
    }
}
