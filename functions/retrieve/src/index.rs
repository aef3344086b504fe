//! An assistant's texts, ready to be searched: in memory as long as they are few, in the table beyond that.

use std::collections::HashSet;

use aws::knowledge_store::{CorpusChunk, KnowledgeStore, VectorSpace};
use contracts::knowledge::{Passage, Retrieval};
use contracts::problem::Problem;
use futures::future::try_join_all;

use crate::answer::{About, Candidates, Found, Settings, passage};
use crate::meaning::VectorMatrix;
use crate::question::Question;
use crate::spelling::Spelling;
use crate::subject::Subject;
use crate::ways::Ways;
use crate::words::WordIndex;

/// How many chunks the table is asked for, of which the words then choose: all that it gives.
const NEAREST: usize = 100;

/// Where an assistant's texts are searched.
#[expect(clippy::large_enum_variant, reason = "there is one for an assistant, behind a pointer")]
pub enum Index {
    /// All of them are here.
    Memory(Memory),
    /// Too many for that: meaning is searched by the table's vector index, and words rank what it found.
    Table(Table),
}

impl Index {
    /// The passages that answer the question, the best first.
    ///
    /// # Errors
    /// The table is away; or the texts are only there and the question has no vector.
    pub async fn search(&self, question: &Question<'_>, settings: &Settings) -> Result<Found, Problem> {
        match self {
            Self::Memory(memory) => Ok(memory.search(question, settings)),
            Self::Table(table) => table.search(question, settings).await,
        }
    }

    /// The text with its typing errors mended, where the words of all texts are here.
    pub fn mend(&self, text: &str) -> String {
        match self {
            Self::Memory(memory) => memory.spelling.mend(text),
            Self::Table(_) => text.to_owned(),
        }
    }

    /// The passages of these ids that are here, in their order.
    pub fn passages(&self, ids: &[String]) -> Vec<Passage> {
        match self {
            Self::Memory(memory) => memory.passages(ids),
            Self::Table(_) => Vec::new(),
        }
    }
}

/// Texts in memory.
#[derive(Debug, Default)]
pub struct Memory {
    chunks: Vec<CorpusChunk>,
    words: WordIndex,
    vectors: VectorMatrix,
    spelling: Spelling,
    subjects: Vec<Subject>,
    ways: Ways,
    space: Option<VectorSpace>,
}

impl Memory {
    /// Indexes the chunks, whose vectors are in this space.
    pub fn new(mut chunks: Vec<CorpusChunk>, space: Option<&VectorSpace>) -> Self {
        let words = WordIndex::new(chunks.iter().map(words_of));
        let spelling = Spelling::new(chunks.iter().map(words_of));
        let subjects = chunks.iter().map(|chunk| Subject::of(chunk.own_heading())).collect();
        let embedded = chunks.iter().any(|chunk| chunk.vector.is_some());
        let vectors = chunks.iter().map(|chunk| chunk.vector.as_deref());
        let dimensions = space.filter(|_| embedded).map_or(0, |space| space.dimensions);
        let vectors = VectorMatrix::new(dimensions, vectors);
        let ways = space.map(|space| Ways::new(&chunks, space)).unwrap_or_default();
        for chunk in &mut chunks {
            chunk.vector = None;
        }
        Self { chunks, words, vectors, spelling, subjects, ways, space: space.cloned() }
    }

    /// The same with only the documents that are `kept`, and these chunks of all others.
    pub fn renewed(&self, kept: &HashSet<String>, others: Vec<CorpusChunk>) -> Self {
        let with_vector = |(at, chunk): (usize, &CorpusChunk)| CorpusChunk {
            vector: self.vectors.row(at).map(<[f32]>::to_vec),
            ..chunk.clone()
        };
        let old = self.chunks.iter().enumerate().filter(|(_, chunk)| kept.contains(&chunk.document_id));
        let mut chunks: Vec<CorpusChunk> = old.map(with_vector).chain(others).collect();
        // Stable: within a document they stay in their order.
        chunks.sort_by(|one, other| one.document_id.cmp(&other.document_id));
        Self::new(chunks, self.space.as_ref())
    }

    /// How many chunks there are.
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Whether there is a chunk without a vector, though there should be vectors.
    pub fn has_unembedded(&self) -> bool {
        self.space.is_some() && (0..self.chunks.len()).any(|at| self.vectors.row(at).is_none())
    }

    /// The bytes it takes, about.
    pub fn bytes(&self) -> usize {
        let chunk = |chunk: &CorpusChunk| {
            chunk.text.len() + chunk.heading.len() + chunk.asked.len() + size_of::<CorpusChunk>() + 128
        };
        let indexes = self.words.bytes() + self.vectors.bytes() + self.spelling.bytes() + self.ways.bytes();
        self.chunks.iter().map(chunk).sum::<usize>() + indexes
    }

    /// The passages that answer the question, the best first.
    pub fn search(&self, question: &Question<'_>, settings: &Settings) -> Found {
        let words = self.words.score(question.text);
        let cosines = question.vector.map(|vector| self.vectors.score(vector)).unwrap_or_default();
        let ways = question.vector.map(|vector| self.ways.score(vector, self.chunks.len())).unwrap_or_default();
        let told = question.topic.told.iter().find_map(|id| self.position(id));
        let topic_text = told.and_then(|at| self.chunks.get(at)).map(CorpusChunk::own_heading).unwrap_or_default();
        let topic_text = format!("{}\n{topic_text}", question.topic.text);
        let topic_words = self.words.score(&topic_text);
        let topic_cosines = told.and_then(|at| self.vectors.row(at)).map(|row| self.vectors.score(row));
        let candidates = Candidates {
            chunks: &self.chunks,
            subjects: &self.subjects,
            words: &words,
            cosines: &cosines,
            ways: &ways,
            about: (!topic_words.asked.is_empty()).then(|| About {
                words: &topic_words,
                cosines: topic_cosines.as_deref().unwrap_or_default(),
                told,
            }),
        };
        candidates.answers(question, settings, |chunk| question.wants(chunk))
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.chunks.iter().position(|chunk| chunk.id == id)
    }

    fn passages(&self, ids: &[String]) -> Vec<Passage> {
        let found = ids.iter().filter_map(|id| self.chunks.iter().find(|chunk| chunk.id == *id));
        found.map(|chunk| passage(chunk, 1.0)).collect()
    }
}

/// Texts in the table.
pub struct Table {
    store: KnowledgeStore,
    assistant: String,
    space: VectorSpace,
}

impl Table {
    /// The texts of an assistant, with their vectors of that space.
    pub fn new(store: KnowledgeStore, assistant: &str, space: VectorSpace) -> Self {
        Self { store, assistant: assistant.to_owned(), space }
    }

    async fn search(&self, question: &Question<'_>, settings: &Settings) -> Result<Found, Problem> {
        let Some(vector) = question.vector else {
            let cause = anyhow::anyhow!("{} has too many texts to be searched by words alone", self.assistant);
            return Err(Problem::unavailable("What was asked cannot be looked up for now.", cause));
        };
        let mut searches = Vec::new();
        for source in question.sources {
            searches.push(self.nearest(vector, Some(source)));
        }
        if question.sources.is_empty() {
            searches.push(self.nearest(vector, None));
        }
        let found = try_join_all(searches).await?.into_iter().flatten();
        let (chunks, cosines): (Vec<CorpusChunk>, Vec<Option<f32>>) =
            found.map(|(chunk, cosine)| (chunk, Some(cosine as f32))).unzip();
        let words = WordIndex::new(chunks.iter().map(words_of));
        let subjects: Vec<Subject> = chunks.iter().map(|chunk| Subject::of(chunk.own_heading())).collect();
        let (scores, about) = (words.score(question.text), words.score(question.topic.text));
        let candidates = Candidates {
            chunks: &chunks,
            subjects: &subjects,
            words: &scores,
            cosines: &cosines,
            ways: &[],
            about: (!about.asked.is_empty()).then_some(About { words: &about, cosines: &[], told: None }),
        };
        let found = candidates.answers(question, settings, |chunk| question.wants(chunk));
        Ok(Found { retrieval: Retrieval::Hybrid, ..found })
    }

    async fn nearest(&self, vector: &[f32], source: Option<&String>) -> Result<Vec<(CorpusChunk, f64)>, Problem> {
        let source = source.map(String::as_str);
        self.store.nearest(&self.assistant, &self.space, vector, NEAREST, source).await
    }
}

/// What of a chunk is searched by words. Its own heading counts twice: it says what the text is about. So does how people ask
/// for it.
fn words_of(chunk: &CorpusChunk) -> String {
    format!("{}\n{}\n{}\n{}", chunk.heading, chunk.own_heading(), chunk.asked, chunk.text)
}
