//! Search by words: BM25 over an inverted index in memory.
//!
//! A text's words are the stems of those that say something. The score is Lucene's (Robertson and Zaragoza 2009, without the constant factor `k1 + 1`, idf as
//! `ln(1 + (N - n + 0.5) / (n + 0.5))`), but a word counts once however often a question says it. So the most that a
//! question can reach is the sum of its words' idf, and the share of it that a text reaches can be compared between
//! questions, which the score itself cannot. What nothing answers is refused by that share, which is why the scoring is ours
//! and only the stemmer a crate's.

use std::collections::{BTreeSet, HashMap};

use english::{plain_words, stem, stems};

/// How soon more of a word adds nothing.
const K1: f32 = 1.2;
/// How much a text's length counts.
const B: f32 = 0.75;

/// A text that has a word, by its position, and how often it has it.
#[derive(Debug, Clone, Copy)]
struct Posting {
    text: u32,
    times: f32,
}

/// The texts by their words.
#[derive(Debug, Default)]
pub struct WordIndex {
    terms: HashMap<String, Vec<Posting>>,
    /// For each text `k1 · (1 - b + b · length / average length)`.
    norms: Vec<f32>,
}

/// What a question's words found.
#[derive(Debug, Clone, Default)]
pub struct WordScores {
    /// The BM25 score of each text, 0 where it has none of the words.
    pub scores: Vec<f32>,
    /// What a text would score that had nothing but the question's words, endlessly: the sum of their idf.
    pub attainable: f32,
    /// The idf of a word that one text alone has.
    pub rarest: f32,
    /// The stems of the question's words.
    pub asked: BTreeSet<String>,
}

impl WordScores {
    /// The share of what is attainable that a text scores, 0 to 1: comparable between questions and texts.
    pub fn share(&self, text: usize) -> f32 {
        if self.attainable > 0.0 { self.scores.get(text).map_or(0.0, |score| score / self.attainable) } else { 0.0 }
    }

    /// How much speaks for a text to answer the question: its score, counted in the rarest words, times its share. A short
    /// question has a large share by one word in common and a long one a large score by many, of other things as well;
    /// of both together neither is enough alone.
    pub fn evidence(&self, text: usize) -> f32 {
        let score = self.scores.get(text).copied().unwrap_or_default();
        if self.rarest > 0.0 { score / self.rarest * self.share(text) } else { 0.0 }
    }
}

impl WordIndex {
    /// Indexes the texts, which are known by their positions from then on.
    pub fn new(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        // Stemming costs a microsecond, and words recur: each form is stemmed once.
        let mut numbers: HashMap<String, Option<u32>> = HashMap::new();
        let mut stems: HashMap<String, u32> = HashMap::new();
        let mut postings: Vec<Vec<Posting>> = Vec::new();
        let mut lengths: Vec<f32> = Vec::new();
        for (text, words) in (0_u32..).zip(texts) {
            let mut length = 0.0;
            for word in plain_words(words.as_ref()) {
                let number = *numbers.entry(word).or_insert_with_key(|word| {
                    Some(*stems.entry(stem(word)?).or_insert_with(|| {
                        postings.push(Vec::new());
                        (postings.len() - 1) as u32
                    }))
                });
                let Some(known) = number.and_then(|number| postings.get_mut(number as usize)) else { continue };
                length += 1.0;
                match known.last_mut() {
                    Some(last) if last.text == text => last.times += 1.0,
                    _ => known.push(Posting { text, times: 1.0 }),
                }
            }
            lengths.push(length);
        }
        let average = (lengths.iter().sum::<f32>() / lengths.len().max(1) as f32).max(1.0);
        let norms = lengths.iter().map(|length| K1 * (1.0 - B + B * length / average)).collect();
        let mut take = |number: u32| postings.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
        let terms = stems.into_iter().map(|(stem, number)| (stem, take(number))).collect();
        Self { terms, norms }
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.norms.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.norms.is_empty()
    }

    /// The score of every text for a question.
    pub fn score(&self, question: &str) -> WordScores {
        let mut found =
            WordScores { scores: vec![0.0; self.len()], attainable: 0.0, rarest: self.idf(1), asked: BTreeSet::new() };
        // In an order of its own, so that sums of the same words are the same to the last bit.
        let question: BTreeSet<String> = stems(question).into_iter().collect();
        for stem in &question {
            let postings = self.terms.get(stem).map(Vec::as_slice).unwrap_or_default();
            let idf = self.idf(postings.len());
            found.attainable += idf;
            for posting in postings {
                let text = posting.text as usize;
                if let (Some(score), Some(norm)) = (found.scores.get_mut(text), self.norms.get(text)) {
                    *score += idf * posting.times / (posting.times + norm);
                }
            }
        }
        found.asked = question;
        found
    }

    /// What a word weighs that so many texts have.
    fn idf(&self, texts: usize) -> f32 {
        let (all, having) = (self.len() as f32, texts as f32);
        (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
    }

    /// The bytes it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let term =
            |(stem, postings): (&String, &Vec<Posting>)| stem.len() + 64 + postings.capacity() * size_of::<Posting>();
        self.terms.iter().map(term).sum::<usize>() + self.norms.capacity() * size_of::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_score_is_what_the_formula_says() {
        let index = WordIndex::new(["apple apple pear", "pear plum", "plum"]);
        let found = index.score("apple");
        // N 3, n 1: idf = ln(1 + 2.5 / 1.5) = 0.980829; 2 times, length 3, average 2: 2 / (2 + 1.2 · 1.375) = 0.547945.
        assert!((found.attainable - 0.980_829).abs() < 1e-5);
        assert!((found.scores[0] - 0.537_441).abs() < 1e-5);
        assert_eq!(found.scores[1..], [0.0, 0.0]);
        assert!((found.share(0) - 0.547_945).abs() < 1e-5);
        // It is of the rarest, so its score is that many of them: 0.547945².
        assert!((found.evidence(0) - 0.300_244).abs() < 1e-5);
    }

    #[test]
    fn a_word_that_no_text_has_is_attainable_but_never_reached() {
        let found = WordIndex::new(["apple", "pear"]).score("quince");
        assert_eq!(found.scores, [0.0, 0.0]);
        assert!(found.attainable > 1.0);
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        let found = WordIndex::new([] as [&str; 0]).score("apple");
        assert!(found.scores.is_empty());
    }

    proptest! {
        #[test]
        fn no_text_reaches_more_than_is_attainable(
            texts in prop::collection::vec("[a-e ]{0,30}|\\PC{0,30}", 0..12),
            question in "[a-e ]{0,20}|\\PC{0,40}",
        ) {
            let found = WordIndex::new(&texts).score(&question);
            prop_assert_eq!(found.scores.len(), texts.len());
            for text in 0..texts.len() {
                prop_assert!((0.0..=1.0).contains(&found.share(text)));
                prop_assert!(found.evidence(text).is_finite());
            }
        }
    }
}
