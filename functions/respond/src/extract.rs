//! The reply without a model: the sentences of the passages that answer best, quoted and cited.

use std::collections::{HashMap, HashSet};

use rust_stemmers::{Algorithm, Stemmer};
use shared::knowledge::Passage;
use unicode_segmentation::UnicodeSegmentation;

/// The most quotes of one reply, and the most characters of all of them.
const QUOTES: usize = 3;
const CHARACTERS: usize = 900;
/// What a quote must score, as a share of the best one, to be worth reading.
const WORTH: f64 = 0.55;

/// A quote and the number of its passage, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quote {
    pub text: String,
    pub number: usize,
}

/// The sentences that answer the question best, in the order of the passages and of their text. A sentence that leads to
/// a list is one with its list.
///
/// A sentence scores by the question's words it has, each weighing what it tells apart among the passages (its inverse
/// document frequency), by the rank of its passage, and by how near the passage's beginning it stands: texts that answer
/// a question do it first.
pub(crate) fn quotes(question: &str, passages: &[Passage]) -> Vec<Quote> {
    let stemmer = Stemmer::create(Algorithm::English);
    let asked: HashSet<String> = stems(question, &stemmer).collect();
    let units: Vec<Unit> =
        passages.iter().enumerate().flat_map(|(rank, passage)| units(rank, passage, &stemmer)).collect();
    let weights = weights(&asked, &units);
    let mut scored: Vec<(f64, &Unit)> = units.iter().map(|unit| (score(unit, passages, &weights), unit)).collect();
    scored.sort_by(|(a, one), (b, other)| b.total_cmp(a).then(one.place().cmp(&other.place())));

    let best = scored.first().map_or(0.0, |(score, _)| *score);
    let mut chosen: Vec<&Unit> = Vec::new();
    let mut length = 0;
    for (score, unit) in scored {
        let fits = chosen.is_empty() || length + unit.text.chars().count() <= CHARACTERS;
        if chosen.len() == QUOTES || score < best * WORTH {
            break;
        }
        if fits && !chosen.iter().any(|other| alike(other, unit)) {
            length += unit.text.chars().count();
            chosen.push(unit);
        }
    }
    chosen.sort_by_key(|unit| unit.place());
    chosen.into_iter().map(|unit| Quote { text: unit.text.clone(), number: unit.rank + 1 }).collect()
}

/// A sentence, or one with the list it leads to.
struct Unit {
    rank: usize,
    position: usize,
    text: String,
    stems: HashSet<String>,
    heading: HashSet<String>,
}

impl Unit {
    fn place(&self) -> (usize, usize) {
        (self.rank, self.position)
    }
}

fn units(rank: usize, passage: &Passage, stemmer: &Stemmer) -> Vec<Unit> {
    let heading: HashSet<String> = stems(&passage.heading, stemmer).collect();
    let mut texts: Vec<String> = Vec::new();
    let mut leads = false;
    for line in passage.text.lines().map(str::trim) {
        if line.is_empty() {
            // A list may stand apart from the sentence that leads to it.
            continue;
        }
        if is_item(line)
            && leads
            && let Some(last) = texts.last_mut()
        {
            last.push('\n');
            last.push_str(line);
            continue;
        }
        let line = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).unwrap_or(line);
        texts.extend(line.unicode_sentences().map(|sentence| sentence.trim().to_owned()));
        leads = line.ends_with(':');
    }
    let unit = |(position, text): (usize, String)| Unit {
        rank,
        position,
        stems: stems(&text, stemmer).collect(),
        heading: heading.clone(),
        text,
    };
    texts.into_iter().enumerate().map(unit).collect()
}

fn is_item(line: &str) -> bool {
    let number = line.trim_start_matches(|character: char| character.is_ascii_digit());
    line.starts_with("- ") || line.starts_with("* ") || number.len() < line.len() && number.starts_with(". ")
}

fn stems<'a>(text: &'a str, stemmer: &'a Stemmer) -> impl Iterator<Item = String> + 'a {
    text.unicode_words()
        .map(str::to_lowercase)
        .filter(|word| !STOP_WORDS.contains(&word.as_str()))
        .map(move |word| stemmer.stem(&word).into_owned())
}

/// What each word of the question weighs: ln(1 + sentences / sentences with it).
fn weights(asked: &HashSet<String>, units: &[Unit]) -> HashMap<String, f64> {
    let weight = |stem: &String| {
        let having = units.iter().filter(|unit| unit.stems.contains(stem) || unit.heading.contains(stem)).count();
        (stem.clone(), (1.0 + units.len() as f64 / having.max(1) as f64).ln())
    };
    asked.iter().map(weight).collect()
}

fn score(unit: &Unit, passages: &[Passage], weights: &HashMap<String, f64>) -> f64 {
    let of = |stems: &HashSet<String>| -> f64 {
        weights.iter().filter(|(stem, _)| stems.contains(*stem)).map(|(_, weight)| weight).sum()
    };
    // The heading is what the passage is about: a sentence of it need not say it again.
    let words = of(&unit.stems) + of(&unit.heading) + 0.2;
    let rank = passages.get(unit.rank).map_or(0.0, |passage| passage.score.clamp(0.0, 1.0));
    let early = 1.0 / (1.0 + 0.35 * unit.position as f64);
    words * (0.25 + 0.75 * rank) * (0.3 + 0.7 * early)
}

/// Two sentences that say the same with the same words.
fn alike(one: &Unit, other: &Unit) -> bool {
    let shared = one.stems.intersection(&other.stems).count() as f64;
    shared > 0.7 * one.stems.len().min(other.stems.len()).max(1) as f64
}

/// Words that tell no texts apart.
const STOP_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do",
    "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "is", "it", "its", "me", "my", "no", "not",
    "of", "on", "or", "our", "should", "so", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "to", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passage(heading: &str, text: &str, score: f64) -> Passage {
        Passage { id: String::new(), text: text.into(), heading: heading.into(), source: "S".into(), url: None, score }
    }

    #[test]
    fn the_sentence_that_defines_is_quoted_first() {
        let passages = [
            passage(
                "What is IVF?",
                "IVF is a treatment in which eggs are fertilised in a laboratory. It takes some weeks. Clinics differ.",
                1.0,
            ),
            passage("Costs", "A cycle of IVF is expensive. Prices differ between clinics.", 0.4),
        ];
        let quotes = quotes("What is IVF?", &passages);
        assert_eq!(quotes[0].number, 1);
        assert_eq!(quotes[0].text, "IVF is a treatment in which eggs are fertilised in a laboratory.");
    }

    #[test]
    fn a_list_comes_with_the_sentence_that_leads_to_it() {
        let text = "A cycle has these steps:\n\n1. Injections.\n2. Collection.\n\nClinics vary the order.";
        let quotes = quotes("what are the steps of a cycle", &[passage("Steps", text, 1.0)]);
        assert_eq!(quotes[0].text, "A cycle has these steps:\n1. Injections.\n2. Collection.");
    }

    #[test]
    fn nothing_is_quoted_from_nothing() {
        assert_eq!(quotes("what", &[]), []);
    }

    proptest! {
        #[test]
        fn quotes_are_of_their_passage_and_few(question in ".{0,80}", texts in prop::collection::vec(".{0,200}", 0..5)) {
            let passages: Vec<Passage> = texts.iter().map(|text| passage("", text, 0.5)).collect();
            let quotes = quotes(&question, &passages);
            prop_assert!(quotes.len() <= QUOTES);
            for quote in quotes {
                prop_assert!((1..=passages.len()).contains(&quote.number));
                let first = quote.text.lines().next().unwrap_or_default();
                prop_assert!(passages[quote.number - 1].text.contains(first));
            }
        }
    }
}
