//! What is outside: one pooled HTTP client for all of it, when a request is repeated, when it is not even made ([`Breaker`]),
//! and what a failure means.
//!
//! A failure is a word that may be shown to anybody, never what the other side wrote: that can quote what a person asked.

mod breaker;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::retry::budget::{Budget, TpsBudget};

use crate::deadline::Deadline;
use crate::meter;
use crate::trace::{TRACEPARENT, Trace};

pub use breaker::Breaker;

/// How many connections to one host are kept for the next calls.
const IDLE_CONNECTIONS: usize = 100;
/// How many calls are under way at once, unless [`limit_calls`] says otherwise.
const CALLS: usize = 1_000;
/// The largest answer that is read, in bytes after decompression: of vectors, and of whoever answers with offers.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;
const LARGEST_EXCHANGE: usize = 4 * 1024 * 1024;
/// From this size on, in bytes, reading an answer would hold up what else the thread has to do.
const LARGE: usize = 256 * 1024;
/// The longest that an upstream is left alone because it said so.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest wait before each repetition, where the upstream does not say how long.
const WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];
/// The longest wait before a repetition where it does: somebody waits for the answer, and there is one without this upstream.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The client for everything outside: one pool for the process, and no redirect followed, lest a token go where it does
/// not belong.
///
/// # Errors
/// Certificates of the system that cannot be read.
pub fn client() -> anyhow::Result<Client> {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .pool_idle_timeout(Duration::from_secs(60))
        // Each keeps its buffers: after a crowd, most are closed.
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .tcp_nodelay(true)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("colloquy/", env!("CARGO_PKG_VERSION")));
    let client = client.build().context("building the client for what is outside")?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// What the calls of this process share.
static ROOM: OnceLock<Arc<Semaphore>> = OnceLock::new();

/// From now on, so many calls are under way at once at most; others wait for one to end, as long as their callers do. To be said
/// before the first call.
pub fn limit_calls(most: usize) {
    ROOM.get_or_init(|| Arc::new(Semaphore::new(most)));
}

/// A call's room, from its start to the last byte of its answer. It travels with the response.
#[derive(Clone)]
struct Room(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

impl Room {
    async fn wait() -> Option<Self> {
        let room = ROOM.get_or_init(|| Arc::new(Semaphore::new(CALLS)));
        // It is never closed.
        room.clone().acquire_owned().await.ok().map(|permit| Self(Arc::new(permit)))
    }
}

/// The body of a response, piece by piece.
pub fn pieces(response: Response) -> impl Stream<Item = reqwest::Result<bytes::Bytes>> {
    let room = response.extensions().get::<Room>().cloned();
    response.bytes_stream().inspect(move |_| {
        let _ = &room;
    })
}

/// An answer, read whole.
pub struct Answer {
    /// With which status.
    pub status: StatusCode,
    /// With which headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a request to what metrics call `endpoint` and reads its answer, of whatever status. It is sent once more where it
/// reached nobody ([`was_not_sent`]: a pooled connection is dead after a Lambda was frozen), and never after the other side
/// may have begun to work on it.
///
/// # Errors
/// Nothing answered, the answer broke off, or it is too large.
pub async fn exchange(endpoint: &'static str, request: RequestBuilder) -> Result<Answer, Failure> {
    let request = traced(request);
    let again = request.try_clone();
    let response = match (metered(endpoint, request).await, again) {
        (Err(error), Some(again)) if was_not_sent(&error) => metered(endpoint, again).await,
        (response, _) => response,
    };
    let response = response.map_err(|error| Failure::unanswered(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(Answer { status, headers, body: read_within(response, LARGEST_EXCHANGE).await? })
}

impl Answer {
    /// What `read` makes of the answer, which it does on a thread of its own where that is large.
    ///
    /// # Errors
    /// What `read` fails with, or that it panicked.
    pub async fn read<T: Send + 'static>(
        self,
        read: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        if self.body.len() <= LARGE {
            return read(&self);
        }
        let span = tracing::Span::current();
        let reading = tokio::task::spawn_blocking(move || span.in_scope(|| read(&self)));
        reading.await.unwrap_or(Err(Failure::new(Reason::InvalidAnswer)))
    }
}

/// Reads the whole body of a response.
///
/// # Errors
/// The answer broke off, or it is too large.
pub async fn read(response: Response) -> Result<Vec<u8>, Failure> {
    read_within(response, LARGEST_ANSWER).await
}

async fn read_within(mut response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
    let status = Some(response.status());
    let announced = response.content_length().unwrap_or_default() as usize;
    let mut body = Vec::with_capacity(announced.min(limit));
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure { status, ..Failure::unanswered(&error) })? {
        if body.len() + chunk.len() > limit {
            return Err(Failure { status, ..Failure::new(Reason::InvalidAnswer) });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Sends a request that costs nothing, to see whether an upstream is there and takes our credentials.
///
/// # Errors
/// It is not there, is in trouble, or refuses them. Any other answer shows that it works.
pub async fn probe(endpoint: &'static str, request: RequestBuilder) -> Result<(), Failure> {
    let answer = exchange(endpoint, request).await?;
    match answer.status.as_u16() {
        401 | 403 | 429 | 500.. => Err(Failure::answered(answer.status, &answer.headers, None)),
        _ => Ok(()),
    }
}

/// How many repetitions an upstream is given: one for five requests of the last 10 seconds and one a second, so that those
/// who ask again do not make an outage worse.
pub fn repetitions() -> TpsBudget {
    TpsBudget::new(Duration::from_secs(10), 1, 0.2)
}

/// What may be done twice where a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing, for it is paid: the request is repeated only where the work was surely not begun.
    Unbegun,
    /// All of it: it costs next to nothing and changes nothing.
    Anything,
}

/// Sends a request to what metrics call `endpoint`, and gives its answer, of whatever status, with the body still to be read.
///
/// It is repeated at most twice: where it reached nobody ([`was_not_sent`]), where the answer says that nothing was begun
/// (429, or 503 with the time to come again), and with [`Repeat::Anything`] after 500, 502 and 503. Before that, it waits for
/// as long as the answer asks, else a random time. Where the answer asks for more than a second, or for more than the deadline
/// leaves, or the budget is used up, the answer stands. What may still be under way is not sent again.
///
/// # Errors
/// Nothing answered by the deadline.
pub async fn send(
    endpoint: &'static str,
    request: RequestBuilder,
    repeat: Repeat,
    budget: &TpsBudget,
    deadline: Deadline,
) -> Result<Response, Failure> {
    budget.deposit();
    let mut request = traced(request);
    for longest in WAITS {
        let again = request.try_clone();
        let answer = answer(endpoint, request, deadline).await?;
        match (again, pause_before_repeating(&answer, repeat, longest)) {
            (Some(again), Some(pause)) if pause < deadline.remaining() && budget.withdraw() => {
                tokio::time::sleep(pause).await;
                request = again;
            }
            _ => return answer.map_err(|error| Failure::unanswered(&error)),
        }
    }
    answer(endpoint, request, deadline).await?.map_err(|error| Failure::unanswered(&error))
}

async fn answer(
    endpoint: &'static str,
    request: RequestBuilder,
    deadline: Deadline,
) -> Result<reqwest::Result<Response>, Failure> {
    let answer = tokio::time::timeout_at(deadline.instant(), metered(endpoint, request)).await;
    answer.map_err(|_| Failure::new(Reason::Timeout))
}

/// Sends a request once, and counts what came of it, also where nobody waits for it any more.
async fn metered(endpoint: &'static str, request: RequestBuilder) -> reqwest::Result<Response> {
    let room = Room::wait().await;
    let mut call = Call { endpoint, started: Instant::now(), outcome: Reason::Timeout.as_str() };
    // On the heap, for whoever asks twice holds two of these.
    let mut answer = Box::pin(request.send()).await;
    if let (Ok(response), Some(room)) = (&mut answer, room) {
        response.extensions_mut().insert(room);
    }
    call.outcome = match &answer {
        Ok(response) if response.status().is_success() => "ok",
        Ok(response) => Failure::answered(response.status(), &HeaderMap::new(), None).reason.as_str(),
        Err(error) => Failure::unanswered(error).reason.as_str(),
    };
    answer
}

struct Call {
    endpoint: &'static str,
    started: Instant,
    outcome: &'static str,
}

impl Drop for Call {
    fn drop(&mut self) {
        meter::upstream(self.endpoint, self.outcome, self.started.elapsed());
    }
}

/// The request as a part of the trace that runs now.
pub fn traced(request: RequestBuilder) -> RequestBuilder {
    match Trace::current() {
        Some(trace) => request.header(TRACEPARENT, trace.traceparent()),
        None => request,
    }
}

fn pause_before_repeating(answer: &reqwest::Result<Response>, repeat: Repeat, longest: Duration) -> Option<Duration> {
    let random = longest.mul_f64(fastrand::f64());
    match answer {
        Ok(response) => {
            let asked = pause(response.headers());
            let may_be_repeated = match response.status().as_u16() {
                429 => true,
                503 => asked.is_some() || repeat == Repeat::Anything,
                500 | 502 => repeat == Repeat::Anything,
                _ => false,
            };
            may_be_repeated.then(|| asked.unwrap_or(random)).filter(|pause| *pause <= LONGEST_WAIT)
        }
        Err(error) => was_not_sent(error).then_some(random),
    }
}

/// Whether a request surely reached nobody: no connection came about, or a pooled one was closed before the request was
/// written to it. Whatever fails later may have been worked on, and paid for, so that is no reason to repeat it.
pub fn was_not_sent(error: &reqwest::Error) -> bool {
    if error.is_timeout() {
        return false;
    }
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    error.is_connect() || causes.filter_map(|cause| cause.downcast_ref()).any(hyper::Error::is_canceled)
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No answer in time.
    Timeout,
    /// Too many requests, or the quota is used up.
    RateLimited,
    /// The credentials were refused.
    Unauthorized,
    /// The upstream would not do this.
    Rejected,
    /// It cannot be reached, or failed.
    Unavailable,
    /// It answered something that is not an answer.
    InvalidAnswer,
}

impl Reason {
    /// The word for it in `degraded`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::Rejected => "rejected",
            Self::Unavailable => "unavailable",
            Self::InvalidAnswer => "invalid_answer",
        }
    }
}

/// An upstream's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Of which kind.
    pub reason: Reason,
    /// The HTTP status it came with.
    pub status: Option<StatusCode>,
    /// How long the upstream wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the same may succeed later.
    pub transient: bool,
}

impl Failure {
    /// A failure without an answer.
    pub fn new(reason: Reason) -> Self {
        let transient = !matches!(reason, Reason::Unauthorized | Reason::Rejected);
        Self { reason, status: None, retry_after: None, transient }
    }

    /// A request that got no answer, or an answer that broke off.
    pub fn unanswered(error: &reqwest::Error) -> Self {
        Self::new(if error.is_timeout() { Reason::Timeout } else { Reason::Unavailable })
    }

    /// A failure that an answer tells: the reason that its body gives, else the one that its status means.
    pub fn answered(status: StatusCode, headers: &HeaderMap, told: Option<Reason>) -> Self {
        let reason = told.unwrap_or(match status.as_u16() {
            408 | 504 => Reason::Timeout,
            429 => Reason::RateLimited,
            401 | 403 => Reason::Unauthorized,
            400..=499 => Reason::Rejected,
            500..=599 => Reason::Unavailable,
            _ => Reason::InvalidAnswer,
        });
        let retry_after = matches!(reason, Reason::RateLimited | Reason::Unavailable).then(|| pause(headers)).flatten();
        Self { status: Some(status), retry_after, ..Self::new(reason) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.as_str())?;
        self.status.map_or(Ok(()), |status| write!(f, " ({})", status.as_u16()))
    }
}

impl std::error::Error for Failure {}

/// How long to wait: until `ratelimit-reset` (a date, or an RFC 3339 moment, or seconds), else `retry-after`.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let wait = ["ratelimit-reset", "retry-after"].into_iter().find_map(|name| {
        let text = headers.get(name)?.to_str().ok()?.trim();
        let until = || text.parse::<Timestamp>().ok().or_else(|| Some(rfc2822::parse(text).ok()?.timestamp()));
        let seconds = text.parse().ok().map(Duration::from_secs);
        seconds.or_else(|| Some(SystemTime::from(until()?).duration_since(SystemTime::now()).unwrap_or_default()))
    })?;
    Some(wait.min(LONGEST_PAUSE))
}

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
