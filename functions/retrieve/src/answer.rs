//! From scores to the passages that answer a question, or to none.

use std::collections::BTreeSet;

use shared::knowledge::{Passage, Retrieval};
use shared::knowledge_store::CorpusChunk;

use crate::rank::{self, MEANING_WEIGHT};
use crate::words::{WordScores, stems};

/// How many passages are given where nobody says.
pub const PASSAGES: usize = 6;
/// The least evidence by words of a passage that answers. On the public sets and the assistants' own knowledge 95% of the
/// questions that the texts answer are answered with it, and 91% of those of another domain are not (0.12: 99% and 83%;
/// 0.20: 89% and 95%).
pub const LEAST_EVIDENCE: f32 = 0.16;

/// The most words, stop words aside, of a question that may be a heading.
const SHORT: usize = 3;

/// What counts as an answer, and how many are given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The most passages.
    pub limit: usize,
    /// The least cosine of a passage that answers.
    pub least_cosine: f32,
    /// The least evidence by words ([`WordScores::evidence`]) of a passage that answers, where its cosine is not known.
    pub least_evidence: f32,
}

/// The least cosine of a passage that answers, in the space of that name. Measured for all-MiniLM-L6-v2: 99% of the
/// questions that the texts answer are answered, and 96% of those of another domain are not (0.35: 99% and 91%; 0.45: 96%
/// and 99%). Other models' cosines lie elsewhere, so they get a lower one, and an assistant's manifest can set its own.
pub fn least_cosine(space: &str) -> f32 {
    if space.starts_with("all_minilm_l6_v2") { 0.4 } else { 0.3 }
}

/// The passages found, and how.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The best first.
    pub passages: Vec<Passage>,
    /// How they were looked for.
    pub retrieval: Retrieval,
}

/// Ranks the chunks by both scores and gives the best of those that answer. `cosines` is empty where the question has no
/// vector; `keep` says which chunks may be given at all.
///
/// Whether a chunk answers is decided on its raw cosine, or by the evidence of the words where it has none: the mix would
/// flatter what merely comes first.
pub fn answers(
    chunks: &[CorpusChunk],
    words: &WordScores,
    cosines: &[Option<f32>],
    settings: &Settings,
    keep: impl Fn(&CorpusChunk) -> bool,
) -> Found {
    let cosine = |at: usize| cosines.get(at).copied().flatten();
    let titled: Vec<f32> = chunks.iter().enumerate().map(|(at, chunk)| titled(chunk, at, words)).collect();
    let titled = |at: usize| titled.get(at).copied().unwrap_or_default();
    // What its words say for a chunk, and half of what is missing where its heading is the question.
    let by_words = |at: usize| words.share(at) + 0.5 * titled(at) * (1.0 - words.share(at));
    let score = |at: usize| match cosine(at) {
        Some(cosine) => rank::mix(by_words(at), cosine, MEANING_WEIGHT),
        None => by_words(at),
    };
    let answering = |at: usize| match cosine(at) {
        Some(cosine) => cosine >= settings.least_cosine,
        None => words.share(at) > 0.0 && (titled(at) > 0.0 || words.evidence(at) >= settings.least_evidence),
    };
    let scores: Vec<f32> = (0..chunks.len()).map(score).collect();
    let best = rank::best(&scores, settings.limit, |at| answering(at) && chunks.get(at).is_some_and(&keep));
    let passages = best.into_iter().filter_map(|at| Some(passage(chunks.get(at)?, *scores.get(at)?))).collect();
    Found { passages, retrieval: if cosines.is_empty() { Retrieval::Words } else { Retrieval::Hybrid } }
}

/// How much a short question is the chunk's own heading ("what is IVF?", "I can't sleep"): 0 where the heading has not all of
/// its words, else their share of the heading, what stands in brackets aside. The words of such a question are often those
/// that every text of the corpus has, so that they are no evidence by themselves.
fn titled(chunk: &CorpusChunk, at: usize, words: &WordScores) -> f32 {
    if words.asked.is_empty() || words.asked.len() > SHORT || words.share(at) <= 0.0 {
        return 0.0;
    }
    let own: BTreeSet<String> = stems(&without_brackets(own_heading(chunk))).into_iter().collect();
    if words.asked.is_subset(&own) { words.asked.len() as f32 / own.len() as f32 } else { 0.0 }
}

/// The heading right above a chunk's text.
pub(crate) fn own_heading(chunk: &CorpusChunk) -> &str {
    chunk.heading.rsplit(" › ").next().unwrap_or_default()
}

fn without_brackets(heading: &str) -> String {
    let mut depth = 0_usize;
    let outside = |c: &char| {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ => return depth == 0,
        }
        false
    };
    heading.chars().filter(outside).collect()
}

fn passage(chunk: &CorpusChunk, score: f32) -> Passage {
    Passage {
        id: chunk.id.clone(),
        text: chunk.text.clone(),
        heading: chunk.heading.clone(),
        source: chunk.source.clone(),
        url: chunk.url.clone(),
        score: f64::from(score),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(id: &str) -> CorpusChunk {
        CorpusChunk {
            id: id.to_owned(),
            document_id: "d".to_owned(),
            text: id.to_owned(),
            heading: String::new(),
            source: "s".to_owned(),
            url: None,
            vector: None,
        }
    }

    fn found(words: &[f32], cosines: &[Option<f32>], settings: Settings) -> (Vec<(String, f64)>, Retrieval) {
        let chunks = [chunk("a"), chunk("b"), chunk("c")];
        let words = WordScores { scores: words.to_vec(), attainable: 10.0, rarest: 5.0, ..WordScores::default() };
        let found = answers(&chunks, &words, cosines, &settings, |_| true);
        let rounded = |score: f64| (score * 1000.0).round() / 1000.0;
        let passages = found.passages.into_iter().map(|passage| (passage.id, rounded(passage.score))).collect();
        (passages, found.retrieval)
    }

    const SETTINGS: Settings = Settings { limit: 2, least_cosine: 0.4, least_evidence: 0.15 };

    #[test]
    fn words_and_meaning_rank_and_the_raw_cosine_decides() {
        let (passages, retrieval) = found(&[0.0, 9.0, 5.0], &[Some(0.5), Some(0.39), Some(0.45)], SETTINGS);
        assert_eq!(passages, [("c".to_owned(), 0.465), ("a".to_owned(), 0.35)]);
        assert_eq!(retrieval, Retrieval::Hybrid);
    }

    #[test]
    fn by_words_alone_their_evidence_decides() {
        // Evidence 0.5 and 0.125: a score of 5 is one word of the rarest and half of what is attainable.
        let (passages, retrieval) = found(&[2.5, 5.0, 0.0], &[], SETTINGS);
        assert_eq!(passages, [("b".to_owned(), 0.5)]);
        assert_eq!(retrieval, Retrieval::Words);
    }

    #[test]
    fn a_short_question_that_is_a_heading_is_answered_by_what_stands_under_it() {
        let cases: [(&str, &[&str], f32); 7] = [
            ("Basics › What is IVF?", &["ivf"], 1.0),
            ("Basics › What is IUI (intrauterine insemination)?", &["iui"], 1.0),
            ("Sleep › I can't sleep. What helps with falling asleep?", &["sleep"], 0.25),
            ("What is gas, and why do I pay it?", &["gas"], 0.5),
            ("Gas › Why did my transaction fail?", &["gas"], 0.0),
            ("What is IVF?", &["ivf", "cost"], 0.0),
            ("Do clinics charge for IVF, eggs and cycles?", &["ivf", "egg", "clinic", "charg"], 0.0),
        ];
        for (heading, asked, expected) in cases {
            let chunk = CorpusChunk { heading: heading.to_owned(), ..chunk("a") };
            let asked = asked.iter().map(|stem| (*stem).to_owned()).collect();
            let words = WordScores { scores: vec![1.0], attainable: 10.0, rarest: 50.0, asked };
            assert_eq!(titled(&chunk, 0, &words), expected, "{heading}");
        }
        let chunks = [chunk("other"), CorpusChunk { heading: "Basics › What is IVF?".to_owned(), ..chunk("ivf") }];
        let words =
            WordScores { scores: vec![1.0, 0.9], attainable: 10.0, rarest: 50.0, asked: ["ivf".to_owned()].into() };
        let found = answers(&chunks, &words, &[], &SETTINGS, |_| true);
        let ids: Vec<&str> = found.passages.iter().map(|passage| passage.id.as_str()).collect();
        assert_eq!(ids, ["ivf"]);
    }

    #[test]
    fn a_text_that_is_not_embedded_yet_is_found_by_its_words() {
        let (passages, _) = found(&[5.0, 0.0, 0.0], &[None, Some(0.6), Some(0.1)], SETTINGS);
        assert_eq!(passages, [("a".to_owned(), 0.5), ("b".to_owned(), 0.42)]);
    }

    #[test]
    fn nothing_in_common_is_no_answer_whatever_the_threshold() {
        let everything = Settings { least_evidence: 0.0, least_cosine: -1.0, ..SETTINGS };
        assert_eq!(found(&[0.0; 3], &[], everything).0, []);
        assert_eq!(found(&[0.0; 3], &[Some(-0.5), Some(0.1), Some(0.2)], SETTINGS).0, []);
    }
}
