//! From scores to the passages that answer a question, or to none.

use std::collections::BTreeSet;

use aws::knowledge_store::CorpusChunk;
use contracts::knowledge::{Passage, Retrieval};
use english::stems;

use crate::question::{Question, Topic};
use crate::rank::{self, MEANING_WEIGHT};
use crate::subject::{Asking, Subject};
use crate::words::WordScores;

/// How many passages are given where nobody says.
pub const PASSAGES: usize = 6;
/// The least evidence by words of a passage that answers. On the public sets and the assistants' own knowledge 95% of the
/// questions that the texts answer are answered with it, and 88% of those of another domain are not (0.12: 98% and 80%;
/// 0.20: 89% and 94%).
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
    /// What meaning weighs in the mix with words.
    pub meaning_weight: f32,
    /// The least mix of a passage that answers, in a space where the mix tells more than the cosine.
    pub least_mix: Option<f32>,
}

/// What meaning weighs in the space of that name. Static embeddings know less than a model does.
pub fn meaning_weight(space: &str) -> f32 {
    if is_static(space) { STATIC_WEIGHT } else { MEANING_WEIGHT }
}

/// The least mix of a passage that answers, where it decides. Chosen on questions as people put them, before there were ways of
/// asking: 94% of what the texts answer was answered and 92% of what others are asked was not; by the cosine alone it would be
/// 95% and 64%, by the evidence of words 79% and 93%.
pub fn least_mix(space: &str) -> Option<f32> {
    is_static(space).then_some(LEAST_STATIC_MIX)
}

fn is_static(space: &str) -> bool {
    space.starts_with("static_")
}

/// What the nearest way of asking for a text weighs in its meaning; the text as a whole weighs the rest.
const WAYS_WEIGHT: f32 = 0.5;
const STATIC_WEIGHT: f32 = 0.5;
const LEAST_STATIC_MIX: f32 = 0.32;

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
    /// The nearest headings, where nothing answers.
    pub near: Vec<String>,
    /// The country that was asked about, where the best passage is only about others.
    pub elsewhere: Option<&'static str>,
    /// How they were looked for.
    pub retrieval: Retrieval,
}

/// What the texts have in common with what was spoken of before.
pub struct About<'a> {
    /// By its words.
    pub words: &'a WordScores,
    /// By its meaning: the cosines with the text that was told last.
    pub cosines: &'a [Option<f32>],
    /// The text that was told last.
    pub told: Option<usize>,
}

/// The chunks with what speaks for each.
pub struct Candidates<'a> {
    /// The chunks.
    pub chunks: &'a [CorpusChunk],
    /// What their headings are about.
    pub subjects: &'a [Subject],
    /// What the question's words found.
    pub words: &'a WordScores,
    /// Their cosines with the question; empty where it has no vector.
    pub cosines: &'a [Option<f32>],
    /// The cosines of the ways in which people ask for them, the best of each; empty where these are in the cosines alone.
    pub ways: &'a [Option<f32>],
    /// What was spoken of before, if anything.
    pub about: Option<About<'a>>,
}

/// What a question itself says for a chunk.
#[derive(Debug, Clone, Copy)]
struct Own {
    score: f32,
    /// Its heading is the question, or nearly so.
    is_title: bool,
}

impl Candidates<'_> {
    /// Ranks the chunks by all that speaks for them and gives the best of those that answer. `keep` says which may be given
    /// at all.
    ///
    /// Whether a chunk answers is decided on its raw cosine, or by the evidence of the words where it has none: the mix would
    /// flatter what merely comes first. A question that leans on what was spoken of before is answered by what is near both.
    pub fn answers(&self, question: &Question<'_>, settings: &Settings, keep: impl Fn(&CorpusChunk) -> bool) -> Found {
        let asking = Asking::of(question.text, question.topic.said);
        let allowed = |at: usize| self.subjects.get(at).is_none_or(|subject| asking.may_hear(*subject));
        let weight = match question.topic {
            Topic { leans: true, .. } => LEANING_WEIGHT,
            Topic { may_lean: true, .. } => SHORT_WEIGHT,
            Topic { story: true, .. } => story_weight(settings.meaning_weight),
            _ => TOPIC_WEIGHT,
        };
        let own: Vec<Own> = (0..self.chunks.len()).map(|at| self.own(at, settings)).collect();
        let score = |(at, own): (usize, &Own)| self.score(at, own.score, weight, &asking);
        let scores: Vec<f32> = own.iter().enumerate().map(score).collect();
        let leans = question.topic.leans && self.about.is_some();
        let given = |at: usize| allowed(at) && self.chunks.get(at).is_some_and(&keep);
        let is_answer = |at: usize| own.get(at).is_some_and(|own| self.is_answer(at, *own, settings));
        let story = question.topic.story;
        let answering = |at: usize| given(at) && (!leans && is_answer(at) || (leans || story) && self.is_near(at));
        let best = rank::best(&scores, settings.limit, answering);
        let elsewhere = best.first().and_then(|at| asking.elsewhere(self.chunks.get(*at)?));
        let near = if best.is_empty() { self.near(&scores, given) } else { Vec::new() };
        let passages =
            best.into_iter().filter_map(|at| Some(passage(self.chunks.get(at)?, *scores.get(at)?))).collect();
        let retrieval = if self.cosines.is_empty() { Retrieval::Words } else { Retrieval::Hybrid };
        Found { passages, near, elsewhere, retrieval }
    }

    fn cosine(&self, at: usize) -> Option<f32> {
        self.cosines.get(at).copied().flatten()
    }

    /// How near a chunk is to the question in what it means: as a whole, and in the nearest way of asking for it.
    fn meaning(&self, at: usize) -> Option<f32> {
        let cosine = self.cosine(at)?;
        let way = self.ways.get(at).copied().flatten().unwrap_or(cosine);
        Some(WAYS_WEIGHT * way + (1.0 - WAYS_WEIGHT) * cosine)
    }

    fn titled(&self, at: usize) -> f32 {
        self.chunks.get(at).map_or(0.0, |chunk| titled(chunk, at, self.words))
    }

    /// What the question itself says for a chunk: its words, with half of what is missing where its heading is the question,
    /// and its meaning.
    fn own(&self, at: usize, settings: &Settings) -> Own {
        let titled = self.titled(at);
        let by_words = self.words.share(at) + 0.5 * titled * (1.0 - self.words.share(at));
        let mixed = |cosine: f32| rank::mix(by_words, cosine, settings.meaning_weight);
        Own { score: self.meaning(at).map_or(by_words, mixed), is_title: titled > 0.0 }
    }

    fn score(&self, at: usize, own: f32, weight: f32, asking: &Asking) -> f32 {
        let about = self.about.as_ref().map_or(0.0, |about| weight * about.score(at));
        let place = self.subjects.get(at).map_or(0.0, |subject| asking.place(*subject));
        (own + about + place).max(0.0)
    }

    fn is_answer(&self, at: usize, own: Own, settings: &Settings) -> bool {
        own.is_title
            || match (self.cosine(at), settings.least_mix) {
                (Some(_), Some(least)) => own.score >= least,
                (Some(cosine), None) => cosine >= settings.least_cosine,
                (None, _) => self.words.share(at) > 0.0 && self.words.evidence(at) >= settings.least_evidence,
            }
    }

    /// Whether a chunk is about what was spoken of.
    fn is_near(&self, at: usize) -> bool {
        self.about.as_ref().is_some_and(|about| about.told == Some(at) || about.score(at) >= NEAR)
    }

    /// The headings of the nearest chunks.
    fn near(&self, scores: &[f32], given: impl Fn(usize) -> bool) -> Vec<String> {
        let best = rank::best(scores, NEAREST, |at| given(at) && scores.get(at).is_some_and(|score| *score > 0.0));
        best.into_iter().filter_map(|at| self.chunks.get(at)).map(|chunk| chunk.own_heading().to_owned()).collect()
    }
}

impl About<'_> {
    fn score(&self, at: usize) -> f32 {
        let told = if self.told == Some(at) { TOLD } else { 0.0 };
        let cosine = self.cosines.get(at).copied().flatten().unwrap_or_default().min(NEIGHBOUR);
        0.5 * self.words.share(at) + 0.5 * cosine.max(0.0) + told
    }
}

/// What being about what was spoken of counts for: little for a question that stands alone, much for one that does not.
const TOPIC_WEIGHT: f32 = 0.1;
const SHORT_WEIGHT: f32 = 0.7;
const STORY_WEIGHT: f32 = 1.2;
/// The same where a model knows what the whole story means: what is asked is found by its words alone, which know less. On long
/// public questions (counsel_chat, nDCG@10) it finds 0.676 with all-MiniLM-L6-v2, 0.643 with the weight of static embeddings.
const MODEL_STORY_WEIGHT: f32 = 0.2;
const LEANING_WEIGHT: f32 = 2.0;

fn story_weight(meaning_weight: f32) -> f32 {
    if meaning_weight > STATIC_WEIGHT { MODEL_STORY_WEIGHT } else { STORY_WEIGHT }
}

/// What it counts to be what was told last.
const TOLD: f32 = 0.1;
/// The most that a text's nearness to what was told counts: it is all the nearer to itself.
const NEIGHBOUR: f32 = 0.6;
/// From where on a text is about what was spoken of.
const NEAR: f32 = 0.25;
/// How many headings are named where nothing answers.
const NEAREST: usize = 3;

/// How much a short question is the chunk's own heading ("what is IVF?", "I can't sleep"): 0 where the heading has not all of
/// its words, else their share of the heading, what stands in brackets aside. The words of such a question are often those
/// that every text of the corpus has, so that they are no evidence by themselves.
fn titled(chunk: &CorpusChunk, at: usize, words: &WordScores) -> f32 {
    if words.asked.is_empty() || words.asked.len() > SHORT || words.share(at) <= 0.0 {
        return 0.0;
    }
    let own: BTreeSet<String> = stems(&without_brackets(chunk.own_heading())).into_iter().collect();
    if words.asked.is_subset(&own) { words.asked.len() as f32 / own.len() as f32 } else { 0.0 }
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

/// A chunk as it is given.
pub(crate) fn passage(chunk: &CorpusChunk, score: f32) -> Passage {
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
            asked: String::new(),
            vector: None,
        }
    }

    fn of(chunks: &[CorpusChunk], words: &WordScores, cosines: &[Option<f32>], settings: &Settings) -> Found {
        let candidates = Candidates { chunks, subjects: &[], words, cosines, ways: &[], about: None };
        candidates.answers(&Question::default(), settings, |_| true)
    }

    fn found(words: &[f32], cosines: &[Option<f32>], settings: Settings) -> (Vec<(String, f64)>, Retrieval) {
        let chunks = [chunk("a"), chunk("b"), chunk("c")];
        let words = WordScores { scores: words.to_vec(), attainable: 10.0, rarest: 5.0, ..WordScores::default() };
        let found = of(&chunks, &words, cosines, &settings);
        let rounded = |score: f64| (score * 1000.0).round() / 1000.0;
        let passages = found.passages.into_iter().map(|passage| (passage.id, rounded(passage.score))).collect();
        (passages, found.retrieval)
    }

    const SETTINGS: Settings =
        Settings { limit: 2, least_cosine: 0.4, least_evidence: 0.15, meaning_weight: MEANING_WEIGHT, least_mix: None };

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
        let found = of(&chunks, &words, &[], &SETTINGS);
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
