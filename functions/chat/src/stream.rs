//! A turn as server-sent events, sent as they happen.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::channel::mpsc;
use futures::{Stream, StreamExt, future, stream};
use shared::api::{ChatReply, TurnEvent};

use crate::turn::Started;

/// How long a stream may be silent before a comment is sent, which keeps proxies from closing it.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The events of a turn. It runs while the stream is read: a client that goes away ends it.
pub(crate) fn events(started: Started) -> impl Stream<Item = TurnEvent> + Send {
    match started {
        Started::Replay(reply) => stream::iter(replayed(reply)).boxed(),
        Started::Turn(turn) => {
            let (sender, events) = mpsc::unbounded();
            // The turn's own end comes after all that it sent, and closes the stream.
            let end = async move {
                match turn.answer(Some(sender.clone())).await {
                    Ok(reply) => drop(sender.unbounded_send(TurnEvent::Done { reply: Box::new(reply) })),
                    Err(problem) => {
                        let body = problem.body();
                        // Logs the cause, as any other answer does.
                        drop(problem.into_response());
                        drop(sender.unbounded_send(TurnEvent::Error { problem: body }));
                    }
                }
            };
            let end = stream::once(end).filter_map(|()| future::ready(None));
            stream::select(events, end).boxed()
        }
    }
}

/// An answer given before: its words come at once.
fn replayed(reply: Box<ChatReply>) -> Vec<TurnEvent> {
    let mut events = vec![TurnEvent::Turn {
        session_id: reply.session_id.clone(),
        turn_id: reply.turn_id.clone(),
        assistant: reply.assistant.clone(),
    }];
    if !reply.offers.is_empty() {
        events.push(TurnEvent::Offers { offers: reply.offers.clone() });
    }
    events.push(TurnEvent::Delta { text: reply.reply.clone() });
    events.push(TurnEvent::Done { reply });
    events
}

/// The events on the wire.
pub(crate) fn response(events: impl Stream<Item = TurnEvent> + Send + 'static) -> Response {
    let events = events.map(|event| {
        let frame = Event::default().event(event.name());
        Ok::<_, Infallible>(frame.json_data(&event).unwrap_or_else(|_| Event::default().event("error")))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response()
}
