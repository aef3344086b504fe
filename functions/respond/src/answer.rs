//! A question answered from passages: by a model that cites them, else by their own sentences.

use std::time::Duration;

use contracts::api::{Degraded, ReplyEvent, ReplyRequest, Usage, Writer};
use contracts::private::Private;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use models::llm::{ChatModel, FinishReason, Piece};
use runtime::assistants::Assistant;
use runtime::deadline::Deadline;
use runtime::upstream::Failure;

use crate::citations::Citations;
use crate::{prompt, said, told};

/// What is left of the deadline for the passages' own sentences where the model has not begun.
const RESERVE: Duration = Duration::from_millis(200);

/// Why the model is not asked once it has cost as much as it may in a day.
const DAILY_CAP: &str = "daily_cap";

/// The reply, with what is missing from it. A model that is `capped` is not asked.
pub(crate) async fn answer(
    model: Option<&ChatModel>,
    capped: bool,
    assistant: &Assistant,
    request: &ReplyRequest,
    deadline: Deadline,
) -> BoxStream<'static, ReplyEvent> {
    if let Some(away) = away(request) {
        return said(vec![away.to_owned()], Writer::Rules, Vec::new());
    }
    let Some(model) = model.filter(|_| !request.passages.is_empty()) else { return extracted(assistant, request) };
    if capped {
        return instead_of_the_model(DAILY_CAP, assistant, request);
    }
    let messages = prompt::messages(assistant, request);
    match model.stream(&messages, deadline.less(RESERVE)).await {
        Ok(pieces) => {
            let read = messages.iter().map(|message| message.content.len()).sum();
            written(Usage::estimate(model.model(), read), pieces, request.passages.len()).boxed()
        }
        Err(failure) => {
            tracing::warn!(
                model = model.model(),
                reason = failure.reason.as_str(),
                "quoting: the model did not answer"
            );
            instead_of_the_model(failure.reason.as_str(), assistant, request)
        }
    }
}

/// What the passages say, and why the model does not.
fn instead_of_the_model(reason: &str, assistant: &Assistant, request: &ReplyRequest) -> BoxStream<'static, ReplyEvent> {
    let degraded = ReplyEvent::Degraded { degraded: Degraded::new("model", reason) };
    stream::iter([degraded]).chain(extracted(assistant, request)).boxed()
}

/// What is said where the texts could not be searched at all.
fn away(request: &ReplyRequest) -> Option<&'static str> {
    let away = request.degraded.iter().any(|missing| missing.part == "retrieve");
    away.then_some("I'm sorry, I can't look that up right now. Please ask me again in a moment.")
}

/// What the passages say in their own words, cited.
fn extracted(assistant: &Assistant, request: &ReplyRequest) -> BoxStream<'static, ReplyEvent> {
    let told = told::reply(assistant, request);
    let written_by = if told.cited.is_empty() { Writer::Rules } else { Writer::Extract };
    said(told.bits, written_by, told.cited.into_iter().collect())
}

/// What the model writes, without the citations that point at nothing, and who writes it, after it used what is estimated.
fn written(
    estimate: Usage,
    pieces: impl Stream<Item = Result<Piece, Failure>> + Send + Unpin + 'static,
    passages: usize,
) -> impl Stream<Item = ReplyEvent> + Send {
    let model = estimate.model.clone().unwrap_or_default();
    let reply = Written { model, pieces, citations: Citations::new(passages), usage: None, over: false };
    let begun = ReplyEvent::Begun { written_by: Writer::Model, estimate: Some(estimate) };
    stream::iter([begun]).chain(stream::unfold(reply, Written::next))
}

/// A model's reply under way.
struct Written<Pieces> {
    model: String,
    pieces: Pieces,
    citations: Citations,
    usage: Option<Usage>,
    over: bool,
}

impl<Pieces: Stream<Item = Result<Piece, Failure>> + Unpin> Written<Pieces> {
    async fn next(mut self) -> Option<(ReplyEvent, Self)> {
        while !self.over {
            let event = match self.pieces.next().await {
                Some(Ok(Piece::Text(text))) => delta(self.citations.push(&text)),
                Some(Ok(Piece::Usage { prompt_tokens, completion_tokens })) => {
                    self.usage = Some(Usage {
                        prompt_tokens,
                        completion_tokens,
                        model: Some(self.model.clone()),
                        estimated: false,
                    });
                    None
                }
                Some(Ok(Piece::End(FinishReason::Length))) => Some(self.failed("cut_off")),
                Some(Ok(Piece::End(FinishReason::ContentFilter))) => Some(self.failed("filtered")),
                Some(Ok(Piece::End(FinishReason::Stop | FinishReason::Other))) => delta(self.citations.finish()),
                Some(Err(failure)) => Some(self.failed(failure.reason.as_str())),
                None => {
                    self.over = true;
                    let (cited, usage) = (self.citations.cited(), self.usage.take());
                    Some(ReplyEvent::Done { written_by: Writer::Model, cited, usage })
                }
            };
            if let Some(event) = event {
                return Some((event, self));
            }
        }
        None
    }

    /// The end of a reply that is not whole. The beginning of a citation is no loss.
    fn failed(&mut self, reason: &'static str) -> ReplyEvent {
        tracing::warn!(model = self.model, reason, "the model's reply is not whole");
        self.over = true;
        ReplyEvent::Failed { reason: reason.to_owned(), usage: self.usage.take() }
    }
}

fn delta(text: String) -> Option<ReplyEvent> {
    (!text.is_empty()).then_some(ReplyEvent::Delta { text: Private(text) })
}
