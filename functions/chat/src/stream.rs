//! An answer as server-sent events, sent as they happen.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use contracts::api::{Answer, ChatReply, TurnEvent};
use contracts::problem::Problem;
use futures::channel::mpsc::{self, UnboundedSender};
use futures::{Stream, StreamExt, future, stream};
use http::StatusCode;
use runtime::deadline::Deadline;

use crate::ask::Asked;
use crate::progress::broke_off;
use crate::turn::Started;

/// How long a stream may be silent before a comment is sent, which keeps proxies from closing it.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The longest that a whole stream may take.
pub(crate) const LONGEST: Duration = Duration::from_secs(120);

/// What is said of the words so far where a reply broke off: a talk keeps them, and a question has none.
const KEPT: &str = "The words so far are kept; what would have followed is missing.";
const NOT_KEPT: &str =
    "The words so far are all there is; what would have followed is missing, and can be asked again.";

/// The events of a turn.
pub(crate) fn chat(started: Started) -> Response {
    match started {
        Started::Whole(reply) => response(stream::iter(replayed(*reply))),
        Started::Turn(turn) => response(while_running(KEPT, |events| async move {
            let answer = turn.streaming(events, Deadline::after(LONGEST)).answer().await;
            answer.map(|reply| (broke_off(reply.incomplete, &reply.degraded), Answer::Chat(Box::new(reply))))
        })),
    }
}

/// The events of a question.
pub(crate) fn ask(asked: Asked) -> Response {
    let mut ask = match asked {
        Asked::Question(ask) => ask,
        Asked::Whole(reply) => {
            let (turn_id, assistant, text) = (reply.turn_id.clone(), reply.assistant.clone(), reply.reply.clone());
            let turn = TurnEvent::Turn { session_id: None, turn_id, assistant };
            let done = TurnEvent::Done { reply: Answer::Ask(reply) };
            return response(stream::iter([turn, TurnEvent::Delta { text }, done]));
        }
    };
    response(while_running(NOT_KEPT, |events| async move {
        ask.progress.stream_to(events, Deadline::after(LONGEST));
        let reply = ask.answer().await;
        Ok((broke_off(reply.incomplete, &reply.degraded), Answer::Ask(Box::new(reply))))
    }))
}

/// What `run` tells, then its end, with `so_far` said of a reply that broke off. It runs while the stream is read: a client that
/// goes away ends it.
fn while_running<F>(
    so_far: &'static str,
    run: impl FnOnce(UnboundedSender<TurnEvent>) -> F,
) -> impl Stream<Item = TurnEvent> + Send
where
    F: Future<Output = Result<(bool, Answer), Problem>> + Send,
{
    let (sender, events) = mpsc::unbounded();
    // On the heap: what a turn goes through is large, and a stream is moved often before it is read.
    let running = Box::pin(run(sender.clone()));
    let end = async move {
        let last = match running.await {
            Ok((false, reply)) => TurnEvent::Done { reply },
            Ok((true, _)) => {
                broken(Problem::new(StatusCode::BAD_GATEWAY, "reply-broke-off", "The reply broke off", so_far))
            }
            Err(problem) => broken(problem),
        };
        drop(sender.unbounded_send(last));
    };
    let end = stream::once(end).filter_map(|()| future::ready(None));
    stream::select(events, end)
}

fn broken(problem: Problem) -> TurnEvent {
    let body = problem.body();
    // Logs the cause, as any other answer does.
    drop(problem.into_response());
    TurnEvent::Error { problem: body }
}

/// An answer given before: its words come at once.
fn replayed(reply: ChatReply) -> Vec<TurnEvent> {
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
    events.push(TurnEvent::Done { reply: Answer::Chat(Box::new(reply)) });
    events
}

fn response(events: impl Stream<Item = TurnEvent> + Send + 'static) -> Response {
    with_heartbeats(events, HEARTBEAT)
}

fn with_heartbeats(events: impl Stream<Item = TurnEvent> + Send + 'static, every: Duration) -> Response {
    let events = events.map(|event| {
        let frame = Event::default().event(event.name());
        Ok::<_, Infallible>(frame.json_data(&event).unwrap_or_else(|_| Event::default().event("error")))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(every)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_without_news_says_that_it_is_alive() {
        let events = stream::once(tokio::time::sleep(Duration::from_millis(250)));
        let events = events.map(|()| TurnEvent::Delta { text: "Words".to_owned().into() });
        let response = with_heartbeats(events, Duration::from_millis(20));
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        let (heartbeats, event) = text.split_once("event: delta").unwrap();
        assert!(heartbeats.len() >= 6 && heartbeats.split_inclusive("\n\n").all(|frame| frame == ":\n\n"), "{text}");
        assert!(event.contains("Words"), "{text}");
    }
}
