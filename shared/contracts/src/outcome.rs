//! What became of an answer besides its words: what is missing, and what a model used.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// A part of an answer that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Degraded {
    /// The step or the provider: `understand`, `flights`, `duffel`; or `texts`, those that an assistant answers from.
    #[schema(example = "duffel")]
    pub part: String,
    /// Why: `timeout`, `unavailable`, `rate_limited`, `unauthorized`, `rejected` (the query is
    /// refused), `invalid_answer`, `mixed_currencies`, `switched_off` (by a flag), `not_compared` (days, by the configuration); of texts `loading` (they are being taken
    /// in for the first time); of a model's words also `cut_off` (at the most that it may write) and `filtered` (by its
    /// server); of the reply, `stopped` (by who asked for it).
    #[schema(example = "timeout")]
    pub reason: String,
}

impl Degraded {
    /// `part` is missing for `reason`.
    pub fn new(part: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { part: part.into(), reason: reason.into() }
    }

    /// The texts to answer from are being taken in for the first time.
    pub fn loading() -> Self {
        Self::new("texts", "loading")
    }

    /// `part` is missing because its step failed with `problem`.
    pub fn because(part: &str, problem: &Problem) -> Self {
        let timeout = problem.status() == http::StatusCode::GATEWAY_TIMEOUT;
        Self::new(part, if timeout { "timeout" } else { "unavailable" })
    }
}

/// What a language model used for a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "gpt-4o-mini")]
    pub model: Option<String>,
    /// Worked out from the lengths of the texts: the reply broke off or was stopped before the server told the tokens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// How many bytes of text a token has, about: some four in English.
const BYTES_A_TOKEN: usize = 4;

impl Usage {
    /// What a model used, about, that has read so many bytes and not written yet.
    pub fn estimate(model: &str, bytes: usize) -> Self {
        Self { prompt_tokens: tokens(bytes), completion_tokens: 0, model: Some(model.to_owned()), estimated: true }
    }

    /// The same, after so many bytes were written.
    pub fn and_written(self, bytes: usize) -> Self {
        Self { completion_tokens: tokens(bytes), ..self }
    }

    /// What two calls used together; none where neither is known. Of two models, neither is named.
    pub fn sum(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(a), Some(b)) => Some(Self {
                prompt_tokens: a.prompt_tokens.saturating_add(b.prompt_tokens),
                completion_tokens: a.completion_tokens.saturating_add(b.completion_tokens),
                model: a.model.filter(|model| b.model.as_ref() == Some(model)),
                estimated: a.estimated || b.estimated,
            }),
            (one, other) => one.or(other),
        }
    }
}

fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(BYTES_A_TOKEN) as u64
}
