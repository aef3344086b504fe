//! Puts what was decided into words, always as a stream.
//!
//! In: an action, the talk, and the offers found. Out: the reply bit by bit, each bit a sentence or a line. It decides
//! nothing and looks nothing up: what it says is in what it was given.

mod offers;
mod questions;
mod words;

use std::sync::Arc;

use axum::Router;
use futures::{Stream, stream};
use shared::api::{RESPOND, ReplyEvent, ReplyRequest};
use shared::deadline::Deadline;
use shared::private::Private;
use shared::problem::Problem;

/// The step.
pub fn router() -> Router {
    RESPOND.serve(Arc::new(()), respond)
}

async fn respond(
    _: Arc<()>,
    request: ReplyRequest,
    _: Deadline,
) -> Result<impl Stream<Item = ReplyEvent> + use<>, Problem> {
    let deltas = words::reply(&request).into_iter().map(|text| ReplyEvent::Delta { text: Private(text) });
    Ok(stream::iter(deltas.chain([ReplyEvent::Done {}]).collect::<Vec<_>>()))
}
