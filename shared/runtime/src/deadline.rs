//! One deadline for a whole turn, handed on from step to step as the milliseconds that are left.

use std::convert::Infallible;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::FromRequestParts;
use http::request::Parts;
use lambda_http::{Context, RequestExt};

/// The header that carries it: milliseconds left, as a whole number.
pub const DEADLINE_HEADER: &str = "colloquy-deadline-ms";

/// What Lambda's own limit must leave for the answer to get out.
const LAMBDA_RESERVE: Duration = Duration::from_millis(500);

/// What there is where nothing limits a call.
const NO_LIMIT: Duration = Duration::from_secs(3_600);

/// What a step has when its caller says nothing, in milliseconds.
const DEFAULT_MS: u64 = 25_000;

/// The shortest and the longest that the public may ask for, in milliseconds.
const PUBLIC_MS: std::ops::RangeInclusive<u64> = 1_000..=25_000;

/// The moment by which an answer must be out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// That long from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// What is left; zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The same, earlier by `reserve`: for a callee whose answer must still be worked on.
    pub fn less(&self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or(self.0))
    }

    /// The earlier of this one and `limit` from now.
    pub fn within(&self, limit: Duration) -> Self {
        Self(self.0.min(Instant::now() + limit))
    }

    /// The moment, for timers.
    pub fn instant(&self) -> tokio::time::Instant {
        self.0.into()
    }
}

/// The deadline as a step takes it from its caller, never beyond what Lambda itself leaves.
impl<S: Sync> FromRequestParts<S> for Deadline {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let asked = asked_ms(parts).unwrap_or(DEFAULT_MS);
        Ok(Self::after(Duration::from_millis(asked)).within(lambda_leaves(parts)))
    }
}

/// The deadline as the public may set it: within 1,000 to 25,000 milliseconds, whatever was asked.
#[derive(Debug, Clone, Copy)]
pub struct PublicDeadline {
    /// The deadline.
    pub deadline: Deadline,
    /// The caller asked for less time than there is where nobody asks.
    pub is_short: bool,
    /// When Lambda ends the call, whatever was asked, less what its answer needs to get out: the latest end of a stream.
    pub limit: Deadline,
}

impl<S: Sync> FromRequestParts<S> for PublicDeadline {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let asked = asked_ms(parts).unwrap_or(DEFAULT_MS).clamp(*PUBLIC_MS.start(), *PUBLIC_MS.end());
        let limit = Deadline::after(lambda_leaves(parts));
        let deadline = limit.within(Duration::from_millis(asked));
        Ok(Self { deadline, is_short: asked < DEFAULT_MS, limit })
    }
}

fn asked_ms(parts: &Parts) -> Option<u64> {
    let text = parts.headers.get(DEADLINE_HEADER)?.to_str().ok()?;
    // Capped so that adding it to the clock cannot overflow.
    Some(text.trim().parse::<u64>().ok()?.min(3_600_000))
}

fn lambda_leaves(parts: &Parts) -> Duration {
    parts.lambda_context_ref().map_or(NO_LIMIT, |context| left_of(context).saturating_sub(LAMBDA_RESERVE))
}

/// What Lambda's own limit leaves. A limit that passed before the call is none: `cargo lambda watch` says 1970.
pub(crate) fn left_of(context: &Context) -> Duration {
    context.deadline().duration_since(SystemTime::now()).unwrap_or(NO_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn public(header: &str) -> (u128, bool) {
        let (mut parts, ()) = http::Request::builder().header(DEADLINE_HEADER, header).body(()).unwrap().into_parts();
        let PublicDeadline { deadline, is_short, .. } =
            PublicDeadline::from_request_parts(&mut parts, &()).await.unwrap();
        (deadline.remaining().as_millis(), is_short)
    }

    #[tokio::test]
    async fn a_public_deadline_is_clamped_and_rubbish_is_the_default() {
        for (header, longest) in [("1", 1_000), ("5000", 5_000), ("999999999999999999", 25_000), ("soon", 25_000)] {
            let (left, is_short) = public(header).await;
            assert_eq!(is_short, longest < 25_000, "{header}");
            assert!(left <= longest && left > longest - 500, "{header}: {left}");
        }
    }

    #[tokio::test]
    async fn lambdas_own_limit_cuts_what_the_caller_asked() {
        let mut context = lambda_http::Context::default();
        let soon = SystemTime::now() + Duration::from_millis(2_000);
        context.deadline = soon.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
        let request = http::Request::builder().header(DEADLINE_HEADER, "20000").body(()).unwrap();
        let (mut parts, ()) = request.with_lambda_context(context).into_parts();

        let deadline = Deadline::from_request_parts(&mut parts, &()).await.unwrap();
        let public = PublicDeadline::from_request_parts(&mut parts, &()).await.unwrap();

        for deadline in [deadline, public.deadline, public.limit] {
            assert!(deadline.remaining() <= Duration::from_millis(1_500));
            assert!(deadline.remaining() > Duration::from_millis(1_000));
        }
    }

    #[test]
    fn a_limit_that_passed_before_the_call_is_none() {
        let mut context = lambda_http::Context::default();
        context.deadline = 600_000;
        assert_eq!(left_of(&context), NO_LIMIT);
    }
}
