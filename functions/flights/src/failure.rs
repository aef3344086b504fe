//! Why a provider has no answer, in a word that may be shown to anybody: never what the provider wrote.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

/// The longest that a provider is left alone because it said so.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No answer in time.
    Timeout,
    /// Too many requests, or the quota is used up.
    RateLimited,
    /// The credentials were refused.
    Unauthorized,
    /// The provider would not search for this.
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

/// A provider's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Of which kind.
    pub reason: Reason,
    /// The HTTP status it came with.
    pub status: Option<StatusCode>,
    /// How long the provider wants to be left alone.
    pub pause: Option<Duration>,
}

impl Failure {
    /// A failure without an answer.
    pub fn new(reason: Reason) -> Self {
        Self { reason, status: None, pause: None }
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
        let pause = if reason == Reason::RateLimited { pause(headers) } else { None };
        Self { reason, status: Some(status), pause }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_read_as_date_moment_or_seconds_and_bounded() {
        let soon = Timestamp::now() + jiff::SignedDuration::from_secs(20);
        let date = soon.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        for (name, value, least, most) in [
            ("ratelimit-reset", date.as_str(), 17, 20),
            ("ratelimit-reset", &soon.to_string(), 17, 20),
            ("ratelimit-reset", "Mon, 29 Nov 2021 10:00:00 GMT", 0, 0),
            ("retry-after", "7", 7, 7),
            ("retry-after", "86400", 60, 60),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
            let seconds = pause(&headers).unwrap().as_secs();
            assert!((least..=most).contains(&seconds), "{value}: {seconds}");
        }
        assert_eq!(pause(&HeaderMap::new()), None);
        assert_eq!(pause(&HeaderMap::from_iter([("retry-after".parse().unwrap(), "soon".parse().unwrap())])), None);
    }

    #[test]
    fn what_the_body_tells_comes_before_the_status() {
        let of = |status: u16, told| {
            Failure::answered(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), told).reason.as_str()
        };
        for (status, told, expected) in [
            (400, Some(Reason::RateLimited), "rate_limited"),
            (401, Some(Reason::Unavailable), "unavailable"),
            (401, None, "unauthorized"),
            (403, None, "unauthorized"),
            (400, None, "rejected"),
            (422, None, "rejected"),
            (429, None, "rate_limited"),
            (500, None, "unavailable"),
            (502, None, "unavailable"),
            (504, None, "timeout"),
            (302, None, "invalid_answer"),
        ] {
            assert_eq!(of(status, told), expected, "{status}");
        }
    }
}
