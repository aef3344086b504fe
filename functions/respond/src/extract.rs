//! The reply without a model: the sentences of the passages that answer best, quoted and cited.

mod units;

use std::collections::{HashMap, HashSet};

use contracts::knowledge::Passage;
use english::stems;
use unicode_segmentation::UnicodeSegmentation;

use units::{Unit, is_item, units};

/// The most quotes of one reply, and the most characters of all of them.
const QUOTES: usize = 3;
const CHARACTERS: usize = 900;
/// What a quote must score, as a share of the best one, to be worth reading: of the same passage, and of another.
const WORTH: f64 = 0.55;
const WORTH_ELSEWHERE: f64 = 0.8;
/// A single quote of fewer characters goes on with the next sentence.
const TERSE: usize = 160;

/// A quote and the number of its passage, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quote {
    pub text: String,
    pub number: usize,
}

/// What a sentence's score is multiplied by that begins with what is to be defined, and one with figures where a number is
/// asked for.
const DEFINES: f64 = 1.4;
const COUNTS: f64 = 1.25;

/// The sentences that answer the question best: the passage with the best of them first, in the order of its text. A sentence
/// that leads to a list is one with its list, and one that leans on the sentence before it ("It costs …") comes with that or
/// not at all.
///
/// A sentence scores by the share of the question's words that it has, and that it has together with its heading, each word
/// weighing what it tells apart among the sentences (its inverse document frequency); by its passage's score; and by how
/// near the passage's beginning it stands: texts that answer a question do it first.
pub(crate) fn quotes(question: &str, passages: &[Passage]) -> Vec<Quote> {
    let asked = Asked::read(question);
    let units: Vec<Unit> = passages.iter().enumerate().flat_map(|(rank, passage)| units(rank, passage)).collect();
    let weights = weights(&asked.stems, &units);
    let top = passages.iter().map(|passage| passage.score).fold(f64::MIN_POSITIVE, f64::max);
    let share = |unit: &Unit| passages.get(unit.rank).map_or(0.0, |passage| (passage.score / top).clamp(0.0, 1.0));
    let mut scored: Vec<(f64, &Unit)> =
        units.iter().map(|unit| (score(unit, &asked, share(unit), &weights), unit)).collect();
    scored.sort_by(|(a, one), (b, other)| b.total_cmp(a).then(one.place().cmp(&other.place())));

    let chosen = choose(&scored, &units);
    let mut order: Vec<usize> = Vec::new();
    for unit in &chosen {
        if !order.contains(&unit.rank) {
            order.push(unit.rank);
        }
    }
    let mut chosen = chosen;
    chosen.sort_by_key(|unit| (order.iter().position(|rank| *rank == unit.rank), unit.position));
    chosen.into_iter().map(|unit| Quote { text: unit.text.clone(), number: unit.rank + 1 }).collect()
}

/// The whole text of a passage where it is short, else what of it answers: its beginning, what fits the question best, lists
/// whole, and every condition and warning, in the order of the text.
pub(crate) fn entry(question: &str, passage: &Passage, most_words: usize) -> String {
    let mut scored = scored(question, passage);
    let words = |units: &[(f64, Unit)]| units.iter().map(|(_, unit)| unit.words()).sum::<usize>();
    while words(&scored) > most_words {
        let best = scored.iter().map(|(score, _)| *score).fold(f64::MIN, f64::max);
        let least = scored.iter().enumerate().filter(|(at, (score, unit))| {
            let leaned_on = scored.get(at + 1).is_some_and(|(_, next)| next.leans);
            *at > 0 && *score < best && !unit.warns() && !leaned_on
        });
        let least = least.min_by(|(_, (a, _)), (_, (b, _))| a.total_cmp(b)).map(|(at, _)| at);
        match least {
            Some(at) => drop(scored.remove(at)),
            None => break,
        }
    }
    written(scored.iter().map(|(_, unit)| unit))
}

/// The sentences of a passage that answer best what goes on with it, and whether they have words of the question.
pub(crate) fn focus(question: &str, passage: &Passage) -> (String, bool) {
    let asked = Asked::read(question);
    let reason = question.unicode_words().any(|word| word.eq_ignore_ascii_case("why"));
    let fits = |unit: &Unit| {
        let own = unit.stems.intersection(&asked.stems).count() as f64;
        let counts = asked.number && unit.text.contains(|character: char| character.is_ascii_digit());
        let explains = reason && unit.text.unicode_words().any(|word| BECAUSE.contains(&word.to_lowercase().as_str()));
        own + f64::from(u8::from(counts)) * 0.6 + f64::from(u8::from(explains)) * 0.6
    };
    let units = units(0, passage);
    let best = units.iter().map(&fits).fold(0.0, f64::max);
    if best <= 0.0 {
        return (String::new(), false);
    }
    let mut chosen: Vec<&Unit> = units.iter().filter(|unit| fits(unit) >= 0.6 * best).collect();
    chosen.truncate(QUOTES);
    let before = |unit: &Unit| units.iter().find(|other| other.position + 1 == unit.position);
    let led: Vec<&Unit> = chosen.iter().filter(|unit| unit.leans).filter_map(|unit| before(unit)).collect();
    chosen.extend(led);
    chosen.extend(units.iter().filter(|unit| unit.warns()));
    chosen.sort_by_key(|unit| unit.position);
    chosen.dedup_by_key(|unit| unit.position);
    (written(chosen), true)
}

/// The sentence of a passage that gives an example, if one does.
pub(crate) fn example(passage: &Passage) -> Option<String> {
    const GIVES: [&str; 8] =
        ["for example", "such as", "for instance", "e.g.", "\"", "\u{201c}", "one person", "suppose"];
    let units = units(0, passage);
    let gives = |unit: &&Unit| {
        let text = unit.text.to_lowercase();
        GIVES.iter().any(|phrase| text.contains(phrase)) || text.contains('\n')
    };
    let found: Vec<&Unit> = units.iter().filter(gives).take(2).collect();
    (!found.is_empty()).then(|| written(found))
}

/// The passage in short: its first sentence, and the one that answers the question best.
pub(crate) fn short(question: &str, passage: &Passage) -> String {
    let scored = scored(question, passage);
    let next = scored.iter().skip(1).filter(|(_, unit)| !unit.text.contains('\n'));
    let best = next.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, unit)| unit);
    written(scored.first().map(|(_, unit)| unit).into_iter().chain(best))
}

/// The sentence of another passage that adds most to what was quoted, if it says anything new.
pub(crate) fn addition(question: &str, passage: &Passage, quoted: &Passage) -> Option<String> {
    let known = units(0, quoted);
    let mut scored = scored(question, passage);
    scored.retain(|(_, unit)| !unit.leans && !known.iter().any(|other| alike(other, unit)));
    scored
        .into_iter()
        .max_by(|(a, one), (b, other)| a.total_cmp(b).then(other.position.cmp(&one.position)))
        .map(|(_, unit)| unit.text)
}

fn scored(question: &str, passage: &Passage) -> Vec<(f64, Unit)> {
    let asked = Asked::read(question);
    let units = units(0, passage);
    let weights = weights(&asked.stems, &units);
    units.into_iter().map(|unit| (score(&unit, &asked, 1.0, &weights), unit)).collect()
}

/// Sentences as a text again, lists on lines of their own.
fn written<'a>(units: impl IntoIterator<Item = &'a Unit>) -> String {
    let mut text = String::new();
    for unit in units {
        let breaks = unit.text.contains('\n') || is_item(&unit.text);
        if !text.is_empty() {
            text.push(if breaks || text.ends_with('\n') { '\n' } else { ' ' });
        }
        text.push_str(&unit.text);
        if unit.text.contains('\n') {
            text.push('\n');
        }
    }
    text.trim_end().to_owned()
}

/// Words that give a reason.
const BECAUSE: &[&str] = &[
    "because",
    "since",
    "so",
    "reason",
    "cause",
    "causes",
    "caused",
    "therefore",
    "due",
    "makes",
    "can",
    "lowers",
    "raises",
];

/// The sentences worth quoting, the best first.
fn choose<'a>(scored: &[(f64, &'a Unit)], units: &'a [Unit]) -> Vec<&'a Unit> {
    let Some((best, first)) = scored.first() else { return Vec::new() };
    let worth = |unit: &Unit| best * if unit.rank == first.rank { WORTH } else { WORTH_ELSEWHERE };
    let mut chosen: Vec<&Unit> = Vec::new();
    for (_, unit) in scored.iter().filter(|(score, unit)| *score >= worth(unit)) {
        let before = units.iter().find(|other| other.rank == unit.rank && other.position + 1 == unit.position);
        let wanted: Vec<&Unit> = match before.filter(|_| unit.leans) {
            Some(before) if !chosen.iter().any(|other| other.place() == before.place()) => vec![before, unit],
            _ => vec![unit],
        };
        let length = |units: &[&Unit]| units.iter().map(|unit| unit.text.chars().count()).sum::<usize>();
        let new = |unit: &&Unit| !chosen.iter().any(|other| alike(other, unit));
        let stands = wanted.first().is_none_or(|first| !first.leans || wanted.len() == 1);
        let fits = chosen.len() + wanted.len() <= QUOTES && length(&chosen) + length(&wanted) <= CHARACTERS;
        if stands && wanted.iter().all(new) && (fits || chosen.is_empty()) {
            chosen.extend(wanted);
        }
    }
    if let [only] = chosen[..]
        && only.text.chars().count() < TERSE
    {
        chosen.extend(units.iter().find(|unit| unit.rank == only.rank && unit.position == only.position + 1));
    }
    chosen
}

/// What a question asks for, by its words.
struct Asked {
    stems: HashSet<String>,
    /// What something is: "what is gas?".
    definition: bool,
    /// A number: "how long", "how many".
    number: bool,
}

impl Asked {
    fn read(question: &str) -> Self {
        let words: Vec<String> = question.unicode_words().map(str::to_lowercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let number = words.windows(2).any(|pair| matches!(pair, ["how", word] if QUANTITIES.contains(word)));
        let definition = matches!(words[..], ["what", "is" | "are", ..] | ["what's", ..] | ["define" | "explain", ..])
            || matches!(words[..], ["what", "does" | "do", .., "mean"]);
        // "Long" in "how long" is what is asked for, not what it is about.
        let about = stems(question).into_iter().filter(|stem| !number || !QUANTITIES.contains(&stem.as_str()));
        Self { stems: about.collect(), definition, number }
    }
}

/// What each word of the question weighs: ln(1 + sentences / sentences with it).
fn weights(asked: &HashSet<String>, units: &[Unit]) -> HashMap<String, f64> {
    let weight = |stem: &String| {
        let having = units.iter().filter(|unit| unit.stems.contains(stem) || unit.heading.contains(stem)).count();
        (stem.clone(), (1.0 + units.len() as f64 / having.max(1) as f64).ln())
    };
    asked.iter().map(weight).collect()
}

fn score(unit: &Unit, asked: &Asked, passage: f64, weights: &HashMap<String, f64>) -> f64 {
    let all: f64 = weights.values().sum::<f64>().max(f64::MIN_POSITIVE);
    let share = |has: &dyn Fn(&String) -> bool| {
        weights.iter().filter(|(stem, _)| has(stem)).map(|(_, weight)| weight).sum::<f64>() / all
    };
    let own = share(&|stem| unit.stems.contains(stem));
    // The heading is what the passage is about: a sentence of it need not say it again.
    let with_heading = share(&|stem| unit.stems.contains(stem) || unit.heading.contains(stem));
    let words = 0.05 + own + with_heading;
    let early = 1.0 / (1.0 + 0.35 * unit.position as f64);
    let defines = asked.definition && unit.defines.iter().any(|stem| asked.stems.contains(stem));
    let counts = asked.number && unit.text.contains(|character: char| character.is_ascii_digit());
    let fits = if defines { DEFINES } else { 1.0 } * if counts { COUNTS } else { 1.0 };
    words * (0.1 + 0.9 * passage) * (0.3 + 0.7 * early) * fits
}

/// Two sentences that say the same with the same words.
fn alike(one: &Unit, other: &Unit) -> bool {
    let shared = one.stems.intersection(&other.stems).count() as f64;
    shared > 0.7 * one.stems.len().min(other.stems.len()).max(1) as f64
}

/// Words after "how" that ask for a number.
const QUANTITIES: &[&str] =
    &["many", "much", "long", "often", "old", "soon", "far", "high", "low", "likely", "big", "large", "late", "early"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passage(heading: &str, text: &str, score: f64) -> Passage {
        Passage { id: String::new(), text: text.into(), heading: heading.into(), source: "S".into(), url: None, score }
    }

    fn texts(question: &str, passages: &[Passage]) -> Vec<String> {
        quotes(question, passages).into_iter().map(|quote| quote.text).collect()
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
    fn a_sentence_that_leans_on_another_comes_with_it_or_not_at_all() {
        let text = "Ovaries that swell are watched closely by the clinic. It is called overstimulation, or OHSS, by doctors. \
                    Ask your clinic about the weather.";
        let found = texts("what is overstimulation called by doctors", &[passage("Care", text, 1.0)]);
        assert_eq!(
            found,
            [
                "Ovaries that swell are watched closely by the clinic.",
                "It is called overstimulation, or OHSS, by doctors."
            ]
        );
        let two = "The clinic stores embryos. They are frozen. It costs money to keep the embryos so for years.";
        assert_eq!(texts("what does it cost to keep embryos", &[passage("", two, 1.0)]).len(), 2);
    }

    #[test]
    fn numbered_steps_are_quoted_together() {
        let text = "1. Stay where you are. Breathe.\n2. Breathe out slowly.\n\nPanic passes.";
        assert_eq!(
            texts("what can I do when I must stay", &[passage("", text, 1.0)])[0],
            "1. Stay where you are. Breathe.\n2. Breathe out slowly."
        );
    }

    #[test]
    fn a_single_short_quote_goes_on() {
        let text =
            "A DAO is a group with rules in contracts. Votes follow tokens. Lawyers dislike the name given to it.";
        let found = texts("what is a DAO?", &[passage("What is a DAO?", text, 1.0)]);
        assert_eq!(found[0], "A DAO is a group with rules in contracts.");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_short_sentence_is_one_with_the_next() {
        let text = "Ordinary life is fine. Bed rest after a transfer does not help.";
        assert_eq!(texts("can I work after a transfer", &[passage("After a transfer", text, 1.0)]), [text]);
    }

    #[test]
    fn the_passage_with_the_best_sentence_comes_first() {
        let passages = [
            passage("Why did my transaction fail although I paid gas?", "A failed transaction still costs gas.", 1.0),
            passage("What is gas?", "Gas measures the computing work of a transaction, and pays for it.", 0.95),
        ];
        let quotes = quotes("what is gas?", &passages);
        assert_eq!(quotes.first().map(|quote| quote.number), Some(2));
    }

    #[test]
    fn a_question_for_a_number_is_answered_with_one() {
        let text =
            "A cycle is a long process for most people who do it. A cycle takes 3 to 6 weeks from the first medicine.";
        let found = texts("how long does a cycle take?", &[passage("Cycles", text, 1.0)]);
        assert!(found.contains(&"A cycle takes 3 to 6 weeks from the first medicine.".to_owned()), "{found:?}");
        for (question, number, definition) in [
            ("how many eggs?", true, false),
            ("How can I sleep?", false, false),
            ("What is IVF?", false, true),
            ("what does AMH mean", false, true),
        ] {
            let asked = Asked::read(question);
            assert_eq!((asked.number, asked.definition), (number, definition), "{question}");
        }
    }

    const CARE: &str = "A cycle is a course of treatment. It has several stages in a month or two. People like to know the \
                        dates. Injections come first:\n- one a day\n- in the evening\n\nNever skip the last one of them. Clinics have \
                        waiting rooms with plants in them.";

    #[test]
    fn a_short_entry_is_told_whole_and_a_long_one_without_what_matters_least() {
        let passage = passage("What is a cycle?", CARE, 1.0);
        let whole = entry("what is a cycle", &passage, 200);
        assert!(whole.contains("plants") && whole.contains("- one a day\n- in the evening"), "{whole}");
        let cut = entry("what injections are there", &passage, 34);
        assert!(cut.starts_with("A cycle is a course of treatment."), "{cut}");
        assert!(cut.contains("Never skip") && cut.contains("in the evening") && !cut.contains("plants"), "{cut}");
    }

    #[test]
    fn a_follow_up_is_answered_by_the_sentences_it_is_about() {
        let passage = passage("What is a cycle?", CARE, 1.0);
        let (text, fits) = focus("and the injections?", &passage);
        assert!(fits && text.contains("one a day") && text.contains("Never skip"), "{text}");
        assert_eq!(focus("and the price?", &passage), (String::new(), false));
        assert_eq!(example(&passage).as_deref(), Some("Injections come first:\n- one a day\n- in the evening"));
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
