//! A question answered from passages: by a model that cites them, else by their own sentences.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::stream::{self, BoxStream, Stream, StreamExt};
use shared::api::{Degraded, ReplyEvent, ReplyRequest, Usage, Writer};
use shared::assistants::Assistant;
use shared::deadline::Deadline;
use shared::llm::{ChatModel, FinishReason, Piece};
use shared::private::Private;
use shared::upstream::Failure;

use crate::citations::Citations;
use crate::{extract, prompt, said};

/// What is left of the deadline for the passages' own sentences where the model has not begun.
const RESERVE: Duration = Duration::from_millis(200);

/// The reply, with what is missing from it.
pub(crate) async fn answer(
    model: Option<&ChatModel>,
    assistant: &Assistant,
    request: &ReplyRequest,
    deadline: Deadline,
) -> BoxStream<'static, ReplyEvent> {
    if let Some(away) = away(request) {
        return said(vec![away.to_owned()], Writer::Rules, Vec::new());
    }
    if request.passages.is_empty() {
        return said(unknown(assistant), Writer::Rules, Vec::new());
    }
    let Some(model) = model else { return extracted(assistant, request) };
    let messages = prompt::messages(assistant, request);
    match model.stream(&messages, deadline.less(RESERVE)).await {
        Ok(pieces) => {
            let name = model.model().to_owned();
            written(pieces, request.passages.len()).map(move |event| named(event, &name)).boxed()
        }
        Err(failure) => {
            tracing::warn!(
                model = model.model(),
                reason = failure.reason.as_str(),
                "quoting: the model did not answer"
            );
            let degraded = ReplyEvent::Degraded { degraded: Degraded::new("model", failure.reason.as_str()) };
            stream::iter([degraded]).chain(extracted(assistant, request)).boxed()
        }
    }
}

/// What is said where the texts could not be searched at all.
fn away(request: &ReplyRequest) -> Option<&'static str> {
    let away = request.degraded.iter().any(|missing| missing.part == "retrieve");
    away.then_some("I'm sorry, I can't look that up right now. Please ask me again in a moment.")
}

fn unknown(assistant: &Assistant) -> Vec<String> {
    let mut bits = vec!["I don't know: none of my texts answers that. ".to_owned()];
    if let Some(question) = assistant.suggestions.first() {
        bits.push(format!("You could ask me, for example: “{question}”"));
    }
    bits
}

/// The sentences that answer best, quoted, cited and labelled so.
fn extracted(assistant: &Assistant, request: &ReplyRequest) -> BoxStream<'static, ReplyEvent> {
    let quotes = extract::quotes(&request.question, &request.passages);
    if quotes.is_empty() {
        return said(unknown(assistant), Writer::Rules, Vec::new());
    }
    let cited: BTreeSet<usize> = quotes.iter().map(|quote| quote.number).collect();
    let mut bits = vec!["Quoted from my texts:".to_owned()];
    bits.extend(quotes.into_iter().map(|quote| format!("\n\n“{}” [{}]", quote.text, quote.number)));
    bits.extend(assistant.disclaimer.as_ref().map(|disclaimer| format!("\n\n{disclaimer}")));
    said(bits, Writer::Extract, cited.into_iter().collect())
}

/// Says by the model's name what its use costs.
fn named(mut event: ReplyEvent, model: &str) -> ReplyEvent {
    if let ReplyEvent::Done { usage: Some(usage), .. } = &mut event {
        usage.model = Some(model.to_owned());
    }
    event
}

/// What the model writes, without the citations that point at nothing.
fn written(
    pieces: impl Stream<Item = Result<Piece, Failure>> + Send + Unpin + 'static,
    passages: usize,
) -> impl Stream<Item = ReplyEvent> + Send {
    let state = (pieces, Citations::new(passages), None::<Usage>, None::<FinishReason>, false);
    stream::unfold(state, |(mut pieces, mut citations, mut usage, mut end, over)| async move {
        if over {
            return None;
        }
        loop {
            let event = match pieces.next().await {
                Some(Ok(Piece::Text(text))) => {
                    let text = citations.push(&text);
                    if text.is_empty() {
                        continue;
                    }
                    ReplyEvent::Delta { text: Private(text) }
                }
                Some(Ok(Piece::Usage { prompt_tokens, completion_tokens })) => {
                    usage = Some(Usage { prompt_tokens, completion_tokens, model: None });
                    continue;
                }
                Some(Ok(Piece::End(reason))) => {
                    end = Some(reason);
                    let held = citations.finish();
                    if held.is_empty() {
                        continue;
                    }
                    ReplyEvent::Delta { text: Private(held) }
                }
                Some(Err(failure)) => {
                    tracing::warn!(reason = failure.reason.as_str(), "the model broke off");
                    let failed = ReplyEvent::Failed { reason: failure.reason.as_str().to_owned() };
                    return Some((failed, (pieces, citations, usage, end, true)));
                }
                None => {
                    let done =
                        ReplyEvent::Done { written_by: Writer::Model, cited: citations.cited(), usage: usage.take() };
                    return Some((done, (pieces, citations, usage, end, true)));
                }
            };
            return Some((event, (pieces, citations, usage, end, false)));
        }
    })
}
