//! What an assistant knows: passages of its texts, and how they are found.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::outcome::Degraded;
use crate::private::Private;

/// A piece of an assistant's texts, found for a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Passage {
    /// The chunk it is.
    pub id: String,
    /// Its words.
    pub text: String,
    /// The headings above it, the outermost first, joined by " › ".
    #[serde(default)]
    pub heading: String,
    /// The name of where it is from.
    pub source: String,
    /// The address of where it is from, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How well it fits: 0 to 1, comparable among the passages of one answer only.
    pub score: f64,
}

/// How passages were looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Retrieval {
    /// By words alone: there is no embedder, or it did not answer.
    #[default]
    Words,
    /// By words and by meaning.
    Hybrid,
    /// What a later release knows.
    #[serde(other)]
    Other,
}

/// How a question is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// It asks something that stands on its own.
    #[default]
    Question,
    /// It goes on with what was answered before: "and the risks?"
    FollowUp,
    /// More of the same is wanted.
    More,
    /// The same in fewer and simpler words.
    Simpler,
    /// An example of it.
    Example,
    /// Where it is from.
    Source,
    /// The last answer was none: the next best is wanted.
    Unanswered,
    /// A kind this release does not know.
    #[serde(other)]
    Other,
}

/// One of the questions of a message, as it was read and looked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuestionPart {
    /// The question without greetings and the like, its short forms and typing errors put right.
    pub question: Private<String>,
    /// How it is meant.
    pub intent: Intent,
    /// Its passages: their numbers, from 1, the best first.
    pub passages: Vec<usize>,
    /// The country that is asked about, where none of its passages is about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
}

/// What `retrieve` is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RetrieveRequest {
    /// Whose texts.
    pub assistant: String,
    /// What is asked.
    pub question: Private<String>,
    /// What was said before, the latest last: what a follow-up ("and the success rate?") is about.
    #[serde(default)]
    pub before: Vec<Private<String>>,
    /// The passages that the replies to those messages cited, by their ids: what a follow-up goes on with.
    #[serde(default)]
    pub cited: Vec<Vec<String>>,
    /// Only from these sources; empty is any.
    #[serde(default)]
    pub sources: Vec<String>,
    /// The most passages; the assistant's own number where it is absent.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// What `retrieve` answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Retrieved {
    /// The passages that answer the question, the best first; none where nothing does.
    pub passages: Vec<Passage>,
    /// The questions of the message, in their order; none where it asks nothing.
    #[serde(default)]
    pub parts: Vec<QuestionPart>,
    /// The nearest headings, where nothing answers.
    #[serde(default)]
    pub near: Vec<String>,
    /// How they were looked for.
    #[serde(default)]
    pub retrieval: Retrieval,
    /// The version of the corpus they are from.
    #[serde(default)]
    pub corpus_version: u64,
    /// What the search had to do without: the embedder that did not answer, texts that are not taken in yet.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
}

impl Retrieved {
    /// Whether something that was asked has no answer, though nothing was missing from the search.
    pub fn lacks_an_answer(&self) -> bool {
        self.degraded.is_empty() && self.parts.iter().any(|part| part.passages.is_empty())
    }
}

/// What a vector means something in: a model, and how many dimensions are asked of it. Vectors of two spaces are never
/// compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorSpace {
    name: String,
    /// The length of its vectors.
    pub dimensions: usize,
}

impl VectorSpace {
    /// The space of that name, of `[a-z0-9_]`: an embedder says its own.
    pub fn new(name: &str, dimensions: usize) -> Self {
        Self { name: name.to_owned(), dimensions }
    }

    /// `text_embedding_3_small_1536`: the name of the attribute that holds a chunk's vector, and of its vector index.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The spaces that texts have vectors in: that of the embedder which questions are searched by, and that of the one which is
/// to take its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spaces {
    slots: [Option<VectorSpace>; SLOTS],
}

/// How many spaces texts have vectors in at most.
pub const SLOTS: usize = 2;
impl Spaces {
    /// These two; one that is the same as the other is none.
    pub fn new(current: Option<VectorSpace>, next: Option<VectorSpace>) -> Self {
        let next = next.filter(|next| current.as_ref() != Some(next));
        Self { slots: [current, next] }
    }

    /// That of the embedder which questions are searched by.
    pub fn current(&self) -> Option<&VectorSpace> {
        self.slots[0].as_ref()
    }

    /// That of the embedder which is to take its place.
    pub fn next(&self) -> Option<&VectorSpace> {
        self.slots[1].as_ref()
    }

    /// Those that there are.
    pub fn iter(&self) -> impl Iterator<Item = &VectorSpace> {
        self.slots.iter().flatten()
    }

    /// The space of each slot.
    pub fn slots(&self) -> [Option<&VectorSpace>; SLOTS] {
        self.slots.each_ref().map(Option::as_ref)
    }
}

impl From<VectorSpace> for Spaces {
    fn from(space: VectorSpace) -> Self {
        Self::new(Some(space), None)
    }
}
