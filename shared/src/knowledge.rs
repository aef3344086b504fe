//! What an assistant knows: passages of its texts, and how they are found.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Degraded;
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
    /// How they were looked for.
    #[serde(default)]
    pub retrieval: Retrieval,
    /// The version of the corpus they are from.
    #[serde(default)]
    pub corpus_version: u64,
    /// What the search had to do without: the embedder that did not answer.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
}
