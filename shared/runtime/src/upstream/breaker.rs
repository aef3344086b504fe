//! The circuit breaker: what hangs or fails is not asked for a while, so that nobody waits for it, and then by one caller alone.
//!
//! There is one for each upstream in each process. It is ours because the crates for it do not see `Retry-After`, or let
//! more than one caller through half open.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use contracts::api::CircuitState;

use super::{Failure, Reason};
use crate::deadline::Deadline;
use crate::meter;

/// How many failures one after another open the circuit.
const FAILURES: u32 = 5;
/// How long it stays open, unless the upstream says how long it wants to be left alone.
const PAUSE: Duration = Duration::from_secs(15);
/// A shorter wait than this says more about the caller's deadline than about the upstream.
const FAIR_WAIT: Duration = Duration::from_secs(2);

/// The circuit breaker of one upstream.
///
/// Closed, it lets every call through. It opens after five failures one after another, after one that says when to come
/// again, or once a call has hung for as long as a call may take while nothing else was answered. Open, no call is made:
/// each fails at once as the last one did. After that, half open, one call finds out whether the upstream is back: an answer
/// closes the circuit, anything else opens it again.
#[derive(Debug)]
pub struct Breaker {
    name: &'static str,
    limit: Duration,
    circuit: Mutex<Circuit>,
}

impl Breaker {
    /// A closed one for what metrics call `name`, which has `limit` to answer.
    pub fn new(name: &'static str, limit: Duration) -> Self {
        Self { name, limit, circuit: Mutex::default() }
    }

    /// Makes a call, unless the circuit is open, and waits for it until `deadline`. A call that is dropped tells nothing.
    ///
    /// # Errors
    /// The call failed or was not done in time; where it was not made, what the last one failed with.
    pub async fn call<T>(
        &self,
        deadline: Deadline,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let pass = self.change(|circuit| circuit.enter(Instant::now()))?;
        let mut entered = Entered { breaker: self, pass, verdict: Verdict::Unknown };
        let answer = tokio::time::timeout_at(deadline.instant(), call).await;
        let answer = answer.unwrap_or(Err(Failure::new(Reason::Timeout)));
        let is_hurried = deadline.remaining().is_zero();
        entered.verdict = self.judge(answer.as_ref().err(), pass.started.elapsed(), is_hurried);
        answer
    }

    /// Whether a call would be made now; it takes nobody's place as the one that finds out.
    ///
    /// # Errors
    /// What the last call failed with, where none is made.
    pub fn check(&self) -> Result<(), Failure> {
        self.circuit().skips(Instant::now()).map_or(Ok(()), Err)
    }

    /// Its state, for the report on health.
    pub fn state(&self) -> CircuitState {
        self.circuit().state()
    }

    /// What a call tells that took so long. One that `is_hurried` was given up by its caller, and not by who connects.
    fn judge(&self, failure: Option<&Failure>, waited: Duration, is_hurried: bool) -> Verdict {
        match failure {
            Some(failure) => match failure.reason {
                // A part of the limit goes into reading a key, or for the way back.
                Reason::Timeout if waited >= self.limit.mul_f64(0.9) => Verdict::Hung(*failure),
                Reason::Timeout if !is_hurried && waited >= FAIR_WAIT => Verdict::Hung(*failure),
                Reason::Timeout if is_hurried && waited < FAIR_WAIT => Verdict::Unknown,
                Reason::Timeout | Reason::Unavailable | Reason::RateLimited => Verdict::Failed(*failure),
                // These will not be better later, and do not make anybody wait.
                Reason::Unauthorized | Reason::Rejected | Reason::InvalidAnswer => Verdict::Answered,
            },
            None => Verdict::Answered,
        }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the circuit, and tells of it where that is another state.
    fn change<T>(&self, change: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut circuit = self.circuit();
        let before = circuit.state();
        let result = change(&mut circuit);
        let (state, failure) = (circuit.state(), circuit.failure());
        if state != before {
            meter::circuit(self.name, state);
            let reason = failure.map(|failure| failure.reason.as_str());
            tracing::warn!(upstream = self.name, state = state.as_str(), reason, "a circuit changed");
        }
        result
    }
}

/// A call under way. However it ends, the circuit learns of it.
struct Entered<'a> {
    breaker: &'a Breaker,
    pass: Pass,
    verdict: Verdict,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.breaker.change(|circuit| circuit.leave(self.pass, self.verdict, Instant::now()));
    }
}

/// What a call tells of its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It is there.
    Answered,
    /// It failed.
    Failed(Failure),
    /// It was silent for as long as a call may take.
    Hung(Failure),
    /// Nothing: nobody waited long enough.
    Unknown,
}

/// A call that was let through: when, and in which round of the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pass {
    started: Instant,
    round: u64,
}

/// The states and what leads from one to the next, without a clock of its own.
#[derive(Debug, Default)]
struct Circuit {
    state: State,
    /// How often the state changed: a call that was let through in an earlier round tells nothing of this one.
    round: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32, answered: Option<Instant> },
    Open { until: Instant, failure: Failure },
    HalfOpen { failure: Failure },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0, answered: None }
    }
}

impl Circuit {
    /// Lets a call through, or says what it is to fail with.
    fn enter(&mut self, now: Instant) -> Result<Pass, Failure> {
        if let Some(failure) = self.skips(now) {
            return Err(failure);
        }
        if let State::Open { failure, .. } = self.state {
            self.set(State::HalfOpen { failure });
        }
        Ok(Pass { started: now, round: self.round })
    }

    /// What a call would fail with.
    fn skips(&self, now: Instant) -> Option<Failure> {
        match self.state {
            State::Open { until, failure } if now < until => {
                Some(Failure { retry_after: Some(until - now), ..failure })
            }
            State::HalfOpen { failure } => Some(Failure { retry_after: None, ..failure }),
            State::Closed { .. } | State::Open { .. } => None,
        }
    }

    /// Takes in what became of a call.
    fn leave(&mut self, pass: Pass, verdict: Verdict, now: Instant) {
        if pass.round != self.round {
            return;
        }
        match (self.state, verdict) {
            (State::Closed { .. }, Verdict::Answered) => {
                self.state = State::Closed { failures: 0, answered: Some(now) };
            }
            (State::Closed { failures, answered }, Verdict::Failed(failure) | Verdict::Hung(failure)) => {
                let failures = failures + 1;
                let silent = matches!(verdict, Verdict::Hung(_)) && answered.is_none_or(|at| at < pass.started);
                if silent || failures >= FAILURES || failure.retry_after.is_some() {
                    self.open(failure, now);
                } else {
                    self.state = State::Closed { failures, answered };
                }
            }
            (State::HalfOpen { .. }, Verdict::Answered) => {
                self.set(State::Closed { failures: 0, answered: Some(now) });
            }
            (State::HalfOpen { .. }, Verdict::Failed(failure) | Verdict::Hung(failure)) => self.open(failure, now),
            (State::HalfOpen { failure }, Verdict::Unknown) => self.open(Failure { retry_after: None, ..failure }, now),
            (State::Closed { .. }, Verdict::Unknown) | (State::Open { .. }, _) => {}
        }
    }

    fn open(&mut self, failure: Failure, now: Instant) {
        self.set(State::Open { until: now + failure.retry_after.unwrap_or(PAUSE), failure });
    }

    fn set(&mut self, state: State) {
        self.state = state;
        self.round += 1;
    }

    fn state(&self) -> CircuitState {
        match self.state {
            State::Closed { .. } => CircuitState::Closed,
            State::HalfOpen { .. } => CircuitState::HalfOpen,
            State::Open { .. } => CircuitState::Open,
        }
    }

    fn failure(&self) -> Option<Failure> {
        match self.state {
            State::Closed { .. } => None,
            State::HalfOpen { failure } | State::Open { failure, .. } => Some(failure),
        }
    }
}

#[cfg(test)]
mod tests;
