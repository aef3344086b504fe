//! The server-sent events of a reply, read into its pieces.

use std::collections::VecDeque;
use std::error::Error;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures::{Stream, StreamExt};
use runtime::deadline::Deadline;
use runtime::upstream::{Failure, Reason};
use serde::Deserialize;

use super::{FinishReason, Piece};
use crate::openai::Told;

/// The longest silence within a reply. A comment does not break it: nobody can read that.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
/// How long the usage may lag behind the last words.
const USAGE_WAIT: Duration = Duration::from_secs(1);

type Events<E> = Pin<Box<dyn Stream<Item = Result<Event, EventStreamError<E>>> + Send>>;

/// The pieces in a body of server-sent events: the texts, of at most `room` bytes, then usage, where it is told, and the end.
/// A failure is the last item: a body that ends without saying so, one that falls silent, an event that cannot be read, an
/// error within it.
pub(super) fn pieces<E: Error + Send + 'static>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    room: usize,
    end: Deadline,
) -> impl Stream<Item = Result<Piece, Failure>> + Send + Unpin {
    let reply = Reply { events: Box::pin(body.eventsource()), room, end, finish: None, usage: None, left: None };
    Box::pin(futures::stream::unfold(reply, Reply::next))
}

struct Reply<E> {
    events: Events<E>,
    /// The bytes of text that are still taken.
    room: usize,
    end: Deadline,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
    /// What is still to be handed out, once nothing more is read.
    left: Option<VecDeque<Result<Piece, Failure>>>,
}

impl<E: Error + Send + 'static> Reply<E> {
    async fn next(mut self) -> Option<(Result<Piece, Failure>, Self)> {
        loop {
            if let Some(left) = &mut self.left {
                return left.pop_front().map(|piece| (piece, self));
            }
            match self.event().await {
                Ok(Some(event)) if event.data == "[DONE]" => self.finished(FinishReason::Other),
                Ok(Some(event)) => match self.read(&event) {
                    Ok(text) => {
                        if let Some(text) = text.and_then(|text| self.fitting(text)) {
                            return Some((Ok(Piece::Text(text)), self));
                        }
                    }
                    Err(failure) => self.failed(failure),
                },
                Ok(None) => self.failed(Failure::new(Reason::Unavailable)),
                Err(failure) => self.failed(failure),
            }
        }
    }

    /// The next event; none at the end of the body.
    async fn event(&mut self) -> Result<Option<Event>, Failure> {
        let longest = if self.finish.is_some() { USAGE_WAIT } else { LONGEST_SILENCE };
        let event = tokio::time::timeout_at(self.end.within(longest).instant(), self.events.next()).await;
        match event {
            Err(_) => Err(Failure::new(Reason::Timeout)),
            Ok(Some(Err(EventStreamError::Transport(_)))) => Err(Failure::new(Reason::Unavailable)),
            Ok(Some(Err(_))) => Err(Failure::new(Reason::InvalidAnswer)),
            Ok(Some(Ok(event))) => Ok(Some(event)),
            Ok(None) => Ok(None),
        }
    }

    /// Notes what an event says, and gives its words, if any.
    fn read(&mut self, event: &Event) -> Result<Option<String>, Failure> {
        let chunk: Chunk = serde_json::from_str(&event.data).map_err(|_| Failure::new(Reason::InvalidAnswer))?;
        if let Some(told) = chunk.error {
            return Err(told.failure());
        }
        self.usage = chunk.usage.or(self.usage.take());
        let Some(choice) = chunk.choices.into_iter().flatten().next() else { return Ok(None) };
        self.finish = choice.finish_reason.as_deref().map(FinishReason::read).or(self.finish);
        let delta = choice.delta.unwrap_or_default();
        Ok(delta.content.or(delta.refusal).filter(|text| !text.is_empty()))
    }

    /// As much of a text as there is room for. Where that is not all of it, nothing more is read: the server minds no limit.
    fn fitting(&mut self, mut text: String) -> Option<String> {
        if text.len() > self.room {
            text.truncate(text.floor_char_boundary(self.room));
            self.events = Box::pin(futures::stream::empty());
            self.finish = Some(FinishReason::Length);
            self.finished(FinishReason::Length);
        }
        self.room -= text.len();
        Some(text).filter(|text| !text.is_empty())
    }

    fn finished(&mut self, default: FinishReason) {
        let usage = self
            .usage
            .take()
            .map(|Usage { prompt_tokens, completion_tokens }| Ok(Piece::Usage { prompt_tokens, completion_tokens }));
        let end = Ok(Piece::End(self.finish.unwrap_or(default)));
        self.left = Some(usage.into_iter().chain([end]).collect());
    }

    /// Ends with a failure, unless the reply was whole already and only its usage is missing.
    fn failed(&mut self, failure: Failure) {
        match self.finish {
            Some(finish) => self.finished(finish),
            None => self.left = Some(VecDeque::from([Err(failure)])),
        }
    }
}

/// One event. Servers differ: each field may be missing or null.
#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<Told>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}
