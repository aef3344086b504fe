//! A chat model over OpenAI's wire format (`POST /chat/completions`).
//!
//! In: messages. Out: the reply as it is written ([`ChatModel::stream`]), or a value that follows a schema
//! ([`ChatModel::extract`]). Never logs what was asked or replied.

mod events;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::openai::{Refusal, Server};
use contracts::api::{CircuitState, Usage};
use contracts::private::Private;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::meter;
use runtime::upstream::{self, Breaker, Failure, Reason, Repeat};

const PATH: &str = "/chat/completions";
/// How long the first words may take, unless `MODEL_FIRST_WORDS_S` says otherwise: what is not begun by then is quoted instead.
const FIRST_WORDS: Duration = Duration::from_secs(5);
/// The longest that a whole reply may take, however many words still come.
const LONGEST_REPLY: Duration = Duration::from_secs(120);
/// The most bytes that a token of a reply may have, on average: more are written by a server that minds no limit. English has
/// some four, other scripts up to twelve.
const BYTES_A_TOKEN: usize = 16;

/// A chat model of a server.
#[derive(Clone)]
pub struct ChatModel {
    server: Server,
    model: Arc<str>,
    max_reply_tokens: u32,
    first_words: Duration,
    breaker: Arc<Breaker>,
}

/// One message of the session that the model continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Whose it is.
    pub role: Role,
    /// Its words.
    pub content: Private<String>,
}

/// Whose a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The instructions to the model.
    System,
    /// The person's.
    User,
    /// The model's own.
    Assistant,
}

/// A piece of a reply: texts, then what they cost where the server tells, then the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The next words, never empty.
    Text(String),
    /// What the reply cost.
    Usage {
        /// Tokens of the messages.
        prompt_tokens: u64,
        /// Tokens of the reply.
        completion_tokens: u64,
    },
    /// The reply is whole, as far as it goes.
    End(FinishReason),
}

/// Why a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model had said what it had to say.
    Stop,
    /// It was cut at the most tokens, by the server or here.
    Length,
    /// It was cut by the server's filter.
    ContentFilter,
    /// Another reason, or none given.
    Other,
}

impl FinishReason {
    fn read(name: &str) -> Self {
        match name {
            "stop" => Self::Stop,
            "length" => Self::Length,
            "content_filter" => Self::ContentFilter,
            _ => Self::Other,
        }
    }
}

impl ChatModel {
    /// The model called `model`, whose replies have at most `max_reply_tokens` tokens.
    pub fn new(server: Server, model: &str, max_reply_tokens: u32) -> Self {
        let breaker = Arc::new(Breaker::new("model", FIRST_WORDS));
        Self { server, model: model.into(), max_reply_tokens, first_words: FIRST_WORDS, breaker }
    }

    /// The same, whose replies begin within that time or not at all.
    pub fn with_first_words(self, limit: Duration) -> Self {
        Self { first_words: limit, breaker: Arc::new(Breaker::new("model", limit)), ..self }
    }

    /// The model that `CHAT_MODEL` names, on the server that `OPENAI_BASE_URL` and `OPENAI_API_KEY` name; none where
    /// `CHAT_MODEL` is not set. A reply has at most `MAX_REPLY_TOKENS` (600), and begins within `MODEL_FIRST_WORDS_S` (5) seconds.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        let Some(model) = config::optional("CHAT_MODEL") else { return Ok(None) };
        let server = Server::from_env()?;
        let server = server.context("CHAT_MODEL is set, and neither OPENAI_API_KEY nor OPENAI_BASE_URL is")?;
        let first_words = config::parsed("MODEL_FIRST_WORDS_S", FIRST_WORDS.as_secs_f64())?;
        let first_words = Duration::try_from_secs_f64(first_words).ok();
        let first_words = first_words.filter(|limit| !limit.is_zero() && *limit <= LONGEST_REPLY);
        let first_words =
            first_words.context("MODEL_FIRST_WORDS_S must be a number of seconds, above 0 and up to 120")?;
        let model = Self::new(server, model.trim(), config::parsed("MAX_REPLY_TOKENS", 600)?);
        Ok(Some(model.with_first_words(first_words)))
    }

    /// The model's name, as its prices are listed under.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Tries its server, unless its circuit is open.
    ///
    /// # Errors
    /// See [`Server::probe`] and [`Breaker::check`].
    pub async fn probe(&self, deadline: Deadline) -> Result<(), Failure> {
        self.breaker.check()?;
        self.server.probe(deadline).await
    }

    /// The state of its circuit breaker.
    pub fn circuit(&self) -> CircuitState {
        self.breaker.state()
    }

    /// The reply, piece by piece. Once this returns, its first words are there: they come by `deadline` and within the time
    /// that the model has for them, or not at all. From then on an item that fails is the last, and the whole takes two
    /// minutes at most, whatever the deadline. Dropping the stream cancels the request.
    ///
    /// # Errors
    /// The model cannot be reached, refuses, says nothing, has not begun in time, or its circuit is open.
    pub async fn stream(
        &self,
        messages: &[Message],
        deadline: Deadline,
    ) -> Result<impl Stream<Item = Result<Piece, Failure>> + Send + Unpin + use<>, Failure> {
        let end = Deadline::after(LONGEST_REPLY).max(deadline);
        let limit = deadline.within(self.first_words);
        let room = (self.max_reply_tokens as usize).saturating_mul(BYTES_A_TOKEN);
        let begin = async {
            let options = StreamOptions { include_usage: true };
            let request = Request { stream: true, stream_options: Some(options), ..self.request(messages) };
            let response = self.server.post(PATH, &request, Repeat::Unbegun, limit).await?;
            let mut pieces = events::pieces(upstream::pieces(response), room, end);
            match pieces.next().await {
                Some(Ok(Piece::Text(text))) => Ok((text, pieces)),
                Some(Ok(Piece::End(FinishReason::ContentFilter))) => Err(Failure::new(Reason::Rejected)),
                Some(Err(failure)) => Err(failure),
                Some(Ok(_)) | None => Err(Failure::new(Reason::InvalidAnswer)),
            }
        };
        let (text, pieces) = self.breaker.call(limit, begin).await?;
        let model = self.model.clone();
        let pieces = pieces.inspect(move |piece| {
            if let Ok(Piece::Usage { prompt_tokens, completion_tokens }) = piece {
                meter::tokens(&model, *prompt_tokens, *completion_tokens);
            }
        });
        Ok(futures::stream::iter([Ok(Piece::Text(text))]).chain(pieces))
    }

    /// A value that follows `schema` (a JSON schema in the strict subset: every property required, none additional), and what
    /// it cost, where the server tells. Whether it does is the server's word alone: the caller reads it into a type.
    ///
    /// # Errors
    /// The model cannot be reached, refuses, is not done by the deadline, gives something that is not JSON, or its circuit is
    /// open.
    pub async fn extract(
        &self,
        messages: &[Message],
        schema: Value,
        deadline: Deadline,
    ) -> Result<(Value, Option<Usage>), Failure> {
        let json_schema = JsonSchema { name: "extraction", strict: true, schema };
        let format = ResponseFormat { kind: "json_schema", json_schema };
        let request = Request { response_format: Some(format), ..self.request(messages) };
        let answer = async {
            let response = self.server.post(PATH, &request, Repeat::Unbegun, deadline).await;
            upstream::read(response.map_err(|Refusal { failure, .. }| failure)?).await
        };
        let (value, usage) = extracted(&self.breaker.call(deadline, answer).await?)?;
        if let Some(usage) = &usage {
            meter::tokens(&self.model, usage.prompt_tokens, usage.completion_tokens);
        }
        Ok((value, usage.map(|usage| Usage { model: Some(self.model.to_string()), ..usage })))
    }

    fn request<'a>(&'a self, messages: &'a [Message]) -> Request<'a> {
        // OpenAI's newer models refuse the old name, and other servers ignore the new one: their replies would not end.
        let (max_tokens, max_completion_tokens) = match self.server.is_openai() {
            true => (None, Some(self.max_reply_tokens)),
            false => (Some(self.max_reply_tokens), None),
        };
        Request {
            model: &self.model,
            messages,
            max_tokens,
            max_completion_tokens,
            stream: false,
            stream_options: None,
            response_format: None,
        }
    }
}

fn extracted(body: &[u8]) -> Result<(Value, Option<Usage>), Failure> {
    let invalid = || Failure::new(Reason::InvalidAnswer);
    let answer: Answer = serde_json::from_slice(body).map_err(|_| invalid())?;
    let choice = answer.choices.into_iter().next().ok_or_else(invalid)?;
    if choice.message.refusal.is_some() || choice.finish_reason.as_deref() == Some("content_filter") {
        return Err(Failure::new(Reason::Rejected));
    }
    let content = choice.message.content.ok_or_else(invalid)?;
    Ok((serde_json::from_str(&content).map_err(|_| invalid())?, answer.usage))
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Message],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct ResponseFormat {
    #[serde(rename = "type")]
    kind: &'static str,
    json_schema: JsonSchema,
}

#[derive(Serialize)]
struct JsonSchema {
    name: &'static str,
    strict: bool,
    schema: Value,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: AnswerMessage,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct AnswerMessage {
    content: Option<String>,
    refusal: Option<String>,
}
