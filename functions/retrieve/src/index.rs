//! An assistant's texts, ready to be searched: in memory as long as they are few, in the table beyond that.

use futures::future::try_join_all;
use shared::knowledge::Retrieval;
use shared::knowledge_store::{CorpusChunk, KnowledgeStore, VectorSpace};
use shared::problem::Problem;

use crate::answer::{Found, Settings, answers, own_heading};
use crate::meaning::VectorMatrix;
use crate::words::WordIndex;

/// How many chunks the table is asked for, of which the words then choose: all that it gives.
const NEAREST: usize = 100;

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Its words.
    pub text: &'a str,
    /// Its vector, of length 1, in the space of the index.
    pub vector: Option<&'a [f32]>,
    /// Only from these sources; empty is any.
    pub sources: &'a [String],
}

impl Question<'_> {
    fn wants(&self, chunk: &CorpusChunk) -> bool {
        self.sources.is_empty() || self.sources.contains(&chunk.source)
    }
}

/// Where an assistant's texts are searched.
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
}

/// Texts in memory.
#[derive(Debug, Default)]
pub struct Memory {
    chunks: Vec<CorpusChunk>,
    words: WordIndex,
    vectors: VectorMatrix,
}

impl Memory {
    /// Indexes the chunks, whose vectors have these dimensions.
    pub fn new(mut chunks: Vec<CorpusChunk>, dimensions: usize) -> Self {
        let words = WordIndex::new(chunks.iter().map(words_of));
        let embedded = chunks.iter().any(|chunk| chunk.vector.is_some());
        let vectors = chunks.iter().map(|chunk| chunk.vector.as_deref());
        let vectors = VectorMatrix::new(if embedded { dimensions } else { 0 }, vectors);
        for chunk in &mut chunks {
            chunk.vector = None;
        }
        Self { chunks, words, vectors }
    }

    /// How many chunks there are.
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The bytes it takes, about.
    pub fn bytes(&self) -> usize {
        let chunk = |chunk: &CorpusChunk| chunk.text.len() + chunk.heading.len() + size_of::<CorpusChunk>() + 128;
        self.chunks.iter().map(chunk).sum::<usize>() + self.words.bytes() + self.vectors.bytes()
    }

    /// The passages that answer the question, the best first.
    pub fn search(&self, question: &Question<'_>, settings: &Settings) -> Found {
        let words = self.words.score(question.text);
        let cosines = question.vector.map(|vector| self.vectors.score(vector)).unwrap_or_default();
        answers(&self.chunks, &words, &cosines, settings, |chunk| question.wants(chunk))
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
        let found = answers(&chunks, &words.score(question.text), &cosines, settings, |chunk| question.wants(chunk));
        Ok(Found { retrieval: Retrieval::Hybrid, ..found })
    }

    async fn nearest(&self, vector: &[f32], source: Option<&String>) -> Result<Vec<(CorpusChunk, f64)>, Problem> {
        let source = source.map(String::as_str);
        self.store.nearest(&self.assistant, &self.space, vector, NEAREST, source).await
    }
}

/// What of a chunk is searched by words. Its own heading counts twice: it says what the text is about.
fn words_of(chunk: &CorpusChunk) -> String {
    format!("{}\n{}\n{}", chunk.heading, own_heading(chunk), chunk.text)
}
