//! What is asked of the texts, and what it goes on with.

use aws::knowledge_store::CorpusChunk;

/// What is searched for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    /// Its words.
    pub text: &'a str,
    /// Its vector, of length 1, in the space of the index.
    pub vector: Option<&'a [f32]>,
    /// Only from these sources; empty is any.
    pub sources: &'a [String],
    /// What the conversation is about.
    pub topic: Topic<'a>,
}

/// What a question goes on with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Topic<'a> {
    /// What was asked before, or told along with the question.
    pub text: &'a str,
    /// All that the person has said: where they are, and what may be spoken of.
    pub said: &'a str,
    /// The passages that the last answer cited, by their ids, the best first.
    pub told: &'a [String],
    /// Those that are not wanted again.
    pub skip: &'a [String],
    /// The question means something only together with it.
    pub leans: bool,
    /// The question has so few words that it may mean something else without it.
    pub may_lean: bool,
    /// It is what the person told along with the question.
    pub story: bool,
}

impl Question<'_> {
    /// Whether a chunk may be given at all.
    pub fn wants(&self, chunk: &CorpusChunk) -> bool {
        (self.sources.is_empty() || self.sources.contains(&chunk.source)) && !self.topic.skip.contains(&chunk.id)
    }
}
