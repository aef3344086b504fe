//! An access token that many searches share: fetched once however many wait for it, and again shortly before it expires.

use std::time::{Duration, Instant};

use contracts::private::Private;
use runtime::upstream::Failure;
use tokio::sync::Mutex;

/// How long before its end a token is no longer used, so that it holds for the request it goes with.
const MARGIN: Duration = Duration::from_secs(60);

/// A token and how long it lives.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token itself.
    pub value: Private<String>,
    /// How long it lives, from when it was fetched.
    pub lifetime: Duration,
}

/// Holds the token of one account.
#[derive(Debug, Default)]
pub struct Tokens {
    // Held while the token is fetched, by purpose: whoever else needs it waits for the same one. Should the fetching
    // search be dropped, the next in line fetches.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<(Private<String>, Instant)>,
    failed: Option<(Instant, Failure)>,
}

impl Tokens {
    /// The token held, else a new one from `fetch`.
    ///
    /// # Errors
    /// Fetching failed, now or for the search that this one waited for; the next search tries again.
    pub async fn get(&self, fetch: impl Future<Output = Result<Token, Failure>>) -> Result<Private<String>, Failure> {
        self.hold(Duration::ZERO, fetch).await
    }

    /// The token held if it can be used for `ahead` and longer, else a new one from `fetch`.
    ///
    /// # Errors
    /// As for [`Self::get`]; the token held serves as long as it did.
    pub async fn hold(
        &self,
        ahead: Duration,
        fetch: impl Future<Output = Result<Token, Failure>>,
    ) -> Result<Private<String>, Failure> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some((value, until)) = &state.token
            && Instant::now() + ahead < *until
        {
            return Ok(value.clone());
        }
        if let Some((at, failure)) = state.failed
            && at >= asked
        {
            return Err(failure);
        }
        let fetched = fetch.await;
        let now = Instant::now();
        match fetched {
            Ok(token) => {
                // One that lives shorter than the margin serves those who wait, and nobody after them.
                let usable = token.lifetime.saturating_sub(MARGIN).max(Duration::from_secs(1));
                *state = State { token: Some((token.value.clone(), now + usable)), failed: None };
                Ok(token.value)
            }
            Err(failure) => {
                state.failed = Some((now, failure));
                Err(failure)
            }
        }
    }

    /// Drops the token that was refused, unless it has been replaced already.
    pub async fn refused(&self, value: &Private<String>) {
        let mut state = self.state.lock().await;
        state.token.take_if(|(held, _)| held == value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::upstream::Reason;
    use std::sync::atomic::{AtomicU32, Ordering};

    async fn fetch(count: &AtomicU32, answer: Result<u64, Reason>) -> Result<Token, Failure> {
        let nth = count.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(30)).await;
        let value = |seconds| Token { value: Private(format!("token {nth}")), lifetime: Duration::from_secs(seconds) };
        answer.map(value).map_err(Failure::new)
    }

    #[tokio::test]
    async fn it_is_fetched_once_for_all_who_wait_and_kept() {
        let (tokens, count) = (Tokens::default(), AtomicU32::new(0));
        let all = futures::future::join_all((0..100).map(|_| tokens.get(fetch(&count, Ok(1_799))))).await;
        assert!(all.iter().all(|token| token.as_ref().is_ok_and(|token| token.0 == "token 0")));
        assert_eq!(tokens.get(fetch(&count, Ok(1_799))).await.unwrap().0, "token 0");
        assert_eq!(count.into_inner(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_shared_by_those_who_waited_and_tried_again_by_the_next() {
        let (tokens, count) = (Tokens::default(), AtomicU32::new(0));
        let all =
            futures::future::join_all((0..100).map(|_| tokens.get(fetch(&count, Err(Reason::Unavailable))))).await;
        assert!(all.iter().all(|token| token.as_ref().is_err_and(|failure| failure.reason == Reason::Unavailable)));
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(tokens.get(fetch(&count, Ok(1_799))).await.unwrap().0, "token 1");
    }

    #[tokio::test]
    async fn a_dropped_fetch_leaves_the_next_to_fetch() {
        let (tokens, count) = (Tokens::default(), AtomicU32::new(0));
        let hurried = tokio::time::timeout(Duration::from_millis(5), tokens.get(fetch(&count, Ok(1_799)))).await;
        assert!(hurried.is_err());
        assert_eq!(tokens.get(fetch(&count, Ok(1_799))).await.unwrap().0, "token 1");
    }

    #[tokio::test]
    async fn a_refused_token_is_dropped_but_not_the_one_after_it() {
        let (tokens, count) = (Tokens::default(), AtomicU32::new(0));
        let first = tokens.get(fetch(&count, Ok(1_799))).await.unwrap();
        tokens.refused(&first).await;
        let second = tokens.get(fetch(&count, Ok(1_799))).await.unwrap();
        tokens.refused(&first).await;
        assert_eq!(tokens.get(fetch(&count, Ok(1_799))).await.unwrap(), second);
        assert_eq!(count.into_inner(), 2);
    }

    #[tokio::test]
    async fn one_that_must_hold_longer_is_replaced_and_one_that_cannot_be_goes_on_serving() {
        let (tokens, count) = (Tokens::default(), AtomicU32::new(0));
        let ten_minutes = Duration::from_secs(600);
        assert_eq!(tokens.hold(ten_minutes, fetch(&count, Ok(1_799))).await.unwrap().0, "token 0");
        assert_eq!(tokens.hold(ten_minutes, fetch(&count, Ok(1_799))).await.unwrap().0, "token 0");
        let half_an_hour = Duration::from_secs(1_800);
        assert!(tokens.hold(half_an_hour, fetch(&count, Err(Reason::Unavailable))).await.is_err());
        assert_eq!(tokens.get(fetch(&count, Ok(1_799))).await.unwrap().0, "token 0");
        assert_eq!(tokens.hold(half_an_hour, fetch(&count, Ok(3_600))).await.unwrap().0, "token 2");
    }

    #[tokio::test]
    async fn it_is_replaced_before_it_expires() {
        let (tokens, count) = (Tokens::default(), AtomicU32::new(0));
        tokens.get(fetch(&count, Ok(30))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        assert_eq!(tokens.get(fetch(&count, Ok(30))).await.unwrap().0, "token 1");
    }
}
