//! A turn as a client gets it: whole, or as server-sent events as they happen.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use contracts::api::{Answer, ChatReply, TurnEvent};
use contracts::problem::Problem;
use futures::{Stream, StreamExt, stream};

use crate::running::Turn;

/// How long a stream may be silent before a comment is sent, which keeps proxies from closing it.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The answer, once it is whole.
pub(crate) async fn whole(turn: Arc<Turn>) -> Result<Response, Problem> {
    answered(&*turn.ended().await?)
}

/// What a turn came to, as a response.
pub(crate) fn answered(outcome: &Result<Answer, Problem>) -> Result<Response, Problem> {
    outcome.as_ref().map(|answer| Json(answer).into_response()).map_err(Problem::told)
}

/// The events of a turn, from its beginning to its end. What kept it from being begun is answered as a problem.
pub(crate) async fn events(turn: Arc<Turn>) -> Result<Response, Problem> {
    turn.begins().await?;
    Ok(following(&turn, 0))
}

/// The events of a turn after the first `seen`.
pub(crate) fn following(turn: &Turn, seen: usize) -> Response {
    with_heartbeats(turn.follow(seen), HEARTBEAT)
}

/// The events of a finished turn.
pub(crate) fn finished(reply: ChatReply) -> Response {
    let mut events = replayed(&reply);
    events.push(TurnEvent::Done { reply: Answer::Chat(Box::new(reply)) });
    let events = (1..).zip(events.into_iter().map(Arc::new));
    with_heartbeats(stream::iter(events), HEARTBEAT)
}

/// An answer given before, up to its end: its words come at once.
pub(crate) fn replayed(reply: &ChatReply) -> Vec<TurnEvent> {
    let mut events = vec![TurnEvent::Turn {
        session_id: Some(reply.session_id.clone()),
        turn_id: reply.turn_id.clone(),
        assistant: reply.assistant.clone(),
    }];
    if !reply.offers.is_empty() {
        events.push(TurnEvent::Offers { offers: reply.offers.clone() });
    }
    if !reply.citations.is_empty() {
        events.push(TurnEvent::Citations { citations: reply.citations.clone() });
    }
    events.push(TurnEvent::Delta { text: reply.reply.clone() });
    events
}

fn with_heartbeats(events: impl Stream<Item = (usize, Arc<TurnEvent>)> + Send + 'static, every: Duration) -> Response {
    let events = events.map(|(number, event)| {
        let frame = Event::default().event(event.name());
        let frame = frame.json_data(&*event).unwrap_or_else(|_| Event::default().event("error"));
        Ok::<_, Infallible>(frame.id(number.to_string()))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(every)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_without_news_says_that_it_is_alive() {
        let events = stream::once(tokio::time::sleep(Duration::from_millis(250)));
        let events = events.map(|()| (1, Arc::new(TurnEvent::Delta { text: "Words".to_owned().into() })));
        let response = with_heartbeats(events, Duration::from_millis(20));
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        let (heartbeats, event) = text.split_once("event: delta").unwrap();
        assert!(heartbeats.len() >= 6 && heartbeats.split_inclusive("\n\n").all(|frame| frame == ":\n\n"), "{text}");
        assert!(event.contains("Words") && event.ends_with("\nid: 1\n\n"), "{text}");
    }
}
