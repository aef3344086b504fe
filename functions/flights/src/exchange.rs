//! One request to a provider and its whole answer, bounded in size; the client that all providers share.

use std::time::Duration;

use anyhow::Context;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};

use crate::failure::{Failure, Reason};

/// The largest answer that is read, in bytes after decompression.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// What a provider answered.
pub struct Answer {
    /// With which status.
    pub status: StatusCode,
    /// With which headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// A client for all providers: one pool, and no redirect followed, lest a token go where it does not belong.
///
/// # Errors
/// Certificates of the system that cannot be read.
pub fn client() -> anyhow::Result<Client> {
    let client = Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("colloquy/", env!("CARGO_PKG_VERSION")));
    client.build().context("building the client for the flight providers")
}

/// Sends a request and reads its answer, of whatever status. It is sent once more where no connection came about (a pooled
/// one is dead after a Lambda was frozen), and never after the provider may have begun to work on it.
///
/// # Errors
/// Nothing answered, the answer broke off, or it is too large.
pub async fn exchange(request: RequestBuilder) -> Result<Answer, Failure> {
    let again = request.try_clone();
    let response = match (request.send().await, again) {
        (Err(error), Some(again)) if error.is_connect() && !error.is_timeout() => again.send().await,
        (response, _) => response,
    };
    let mut response = response.map_err(|error| unanswered(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read(&mut response).await.map_err(|failure| Failure { status: Some(status), ..failure })?;
    Ok(Answer { status, headers, body })
}

async fn read(response: &mut Response) -> Result<Vec<u8>, Failure> {
    let announced = response.content_length().unwrap_or_default() as usize;
    let mut body = Vec::with_capacity(announced.min(LARGEST_ANSWER));
    while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&error))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Failure::new(Reason::InvalidAnswer));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unanswered(error: &reqwest::Error) -> Failure {
    Failure::new(if error.is_timeout() { Reason::Timeout } else { Reason::Unavailable })
}
