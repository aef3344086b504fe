use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use proptest::prelude::*;

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

fn failure(reason: Reason) -> Failure {
    Failure::new(reason)
}

fn asks_to_wait(seconds: u64) -> Failure {
    Failure { retry_after: Some(Duration::from_secs(seconds)), ..failure(Reason::RateLimited) }
}

/// A circuit and a clock that only the test moves.
struct Clocked {
    circuit: Circuit,
    now: Instant,
}

impl Clocked {
    fn new() -> Self {
        Self { circuit: Circuit::default(), now: Instant::now() }
    }

    fn enter(&mut self) -> Result<Pass, Failure> {
        self.circuit.enter(self.now)
    }

    fn after(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self
    }

    fn leave(&mut self, pass: Pass, verdict: Verdict) -> CircuitState {
        self.circuit.leave(pass, verdict, self.now);
        self.circuit.state()
    }

    /// A call that takes no time.
    fn call(&mut self, verdict: Verdict) -> CircuitState {
        let pass = self.enter().unwrap();
        self.leave(pass, verdict)
    }
}

#[test]
fn it_opens_after_five_failures_one_after_another() {
    let failed = Verdict::Failed(failure(Reason::Unavailable));
    let mut circuit = Clocked::new();
    for verdict in [failed, failed, failed, failed, Verdict::Answered, failed, Verdict::Unknown, failed, failed, failed]
    {
        assert_eq!(circuit.call(verdict), CircuitState::Closed);
    }
    assert_eq!(circuit.call(failed), CircuitState::Open);
    let skipped = circuit.after(Duration::from_secs(5)).enter().unwrap_err();
    assert_eq!((skipped.reason, skipped.retry_after), (Reason::Unavailable, Some(Duration::from_secs(10))));
}

#[test]
fn one_that_hangs_opens_it_unless_another_was_answered_meanwhile() {
    let hung = Verdict::Hung(failure(Reason::Timeout));
    let mut circuit = Clocked::new();
    let one = circuit.enter().unwrap();
    circuit.after(Duration::from_secs(1)).call(Verdict::Answered);
    assert_eq!(circuit.after(LIMIT).leave(one, hung), CircuitState::Closed);
    let alone = circuit.enter().unwrap();
    assert_eq!(circuit.after(LIMIT).leave(alone, hung), CircuitState::Open);
}

#[test]
fn it_stays_open_for_as_long_as_the_upstream_asks() {
    let mut circuit = Clocked::new();
    assert_eq!(circuit.call(Verdict::Failed(asks_to_wait(40))), CircuitState::Open);
    assert!(circuit.after(Duration::from_secs(39)).enter().is_err());
    assert_eq!(circuit.after(Duration::from_secs(1)).call(Verdict::Answered), CircuitState::Closed);
}

#[test]
fn how_long_was_waited_and_for_whom_tells_a_hang_from_a_hurry() {
    let breaker = Breaker::new("test", LIMIT);
    let (timeout, unavailable) = (failure(Reason::Timeout), failure(Reason::Unavailable));
    for (failure, milliseconds, is_hurried, expected) in [
        (timeout, 5_000, true, Verdict::Hung(timeout)),
        (timeout, 4_600, true, Verdict::Hung(timeout)),
        (timeout, 3_000, true, Verdict::Failed(timeout)),
        (timeout, 1_000, true, Verdict::Unknown),
        // A connection that did not come about, and a gateway that gave up.
        (timeout, 3_000, false, Verdict::Hung(timeout)),
        (timeout, 100, false, Verdict::Failed(timeout)),
        (unavailable, 5_000, false, Verdict::Failed(unavailable)),
    ] {
        let waited = Duration::from_millis(milliseconds);
        assert_eq!(breaker.judge(Some(&failure), waited, is_hurried), expected, "{failure} {waited:?} {is_hurried}");
    }
}

#[test]
fn half_open_one_call_decides() {
    for (verdict, expected, pause) in [
        (Verdict::Answered, CircuitState::Closed, None),
        (Verdict::Failed(failure(Reason::Unavailable)), CircuitState::Open, Some(PAUSE)),
        (Verdict::Failed(asks_to_wait(3)), CircuitState::Open, Some(Duration::from_secs(3))),
        (Verdict::Hung(failure(Reason::Timeout)), CircuitState::Open, Some(PAUSE)),
        (Verdict::Unknown, CircuitState::Open, Some(PAUSE)),
    ] {
        let mut circuit = Clocked::new();
        circuit.call(Verdict::Failed(asks_to_wait(1)));
        let prober = circuit.after(Duration::from_secs(1)).enter().unwrap();
        assert_eq!(circuit.circuit.state(), CircuitState::HalfOpen);
        let skipped = circuit.enter().unwrap_err();
        assert_eq!((skipped.reason, skipped.retry_after), (Reason::RateLimited, None));
        assert_eq!(circuit.leave(prober, verdict), expected, "{verdict:?}");
        assert_eq!(circuit.enter().err().and_then(|failure| failure.retry_after), pause, "{verdict:?}");
    }
}

#[test]
fn a_call_of_before_it_opened_decides_nothing() {
    let mut circuit = Clocked::new();
    let old = circuit.enter().unwrap();
    circuit.call(Verdict::Failed(asks_to_wait(1)));
    assert_eq!(circuit.leave(old, Verdict::Answered), CircuitState::Open);
    let prober = circuit.after(Duration::from_secs(1)).enter().unwrap();
    assert_eq!(circuit.leave(old, Verdict::Failed(asks_to_wait(1))), CircuitState::HalfOpen);
    assert_eq!(circuit.leave(prober, Verdict::Answered), CircuitState::Closed);
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Enter,
    /// Of the calls under way, the one at this place ends.
    Leave(usize, u8),
    Pass(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Enter),
        4 => (0..8_usize, 0..5_u8).prop_map(|(place, kind)| Event::Leave(place, kind)),
        2 => (0..20_000_u64).prop_map(Event::Pass),
    ];
    prop::collection::vec(event, 0..200)
}

fn verdict(kind: u8) -> Verdict {
    match kind {
        0 => Verdict::Answered,
        1 => Verdict::Failed(failure(Reason::Unavailable)),
        2 => Verdict::Failed(asks_to_wait(7)),
        3 => Verdict::Hung(failure(Reason::Timeout)),
        _ => Verdict::Unknown,
    }
}

proptest! {
    #[test]
    fn whatever_happens_one_probes_at_most_nobody_calls_while_open_and_it_closes_at_last(events in events()) {
        let mut clocked = Clocked::new();
        let mut under_way: Vec<Pass> = Vec::new();
        for event in events {
            let before = clocked.circuit.state;
            match event {
                Event::Pass(milliseconds) => drop(clocked.after(Duration::from_millis(milliseconds))),
                Event::Enter => {
                    let entered = clocked.enter();
                    let may = match before {
                        State::Closed { .. } => true,
                        State::Open { until, .. } => clocked.now >= until,
                        State::HalfOpen { .. } => false,
                    };
                    prop_assert_eq!(entered.is_ok(), may);
                    under_way.extend(entered.ok());
                }
                Event::Leave(place, kind) => {
                    if place < under_way.len() {
                        let pass = under_way.remove(place);
                        let counts = pass.round == clocked.circuit.round;
                        let after = clocked.leave(pass, verdict(kind));
                        if !counts {
                            prop_assert_eq!(after, Circuit { state: before, round: 0 }.state());
                        } else if kind == 0 {
                            prop_assert_eq!(after, CircuitState::Closed);
                        } else if matches!(before, State::HalfOpen { .. }) {
                            prop_assert_eq!(after, CircuitState::Open);
                        }
                    }
                }
            }
            let deciding = under_way.iter().filter(|pass| pass.round == clocked.circuit.round).count();
            match clocked.circuit.state {
                State::Closed { failures, .. } => prop_assert!(failures < FAILURES),
                State::Open { .. } => prop_assert_eq!(deciding, 0),
                State::HalfOpen { .. } => prop_assert_eq!(deciding, 1),
            }
        }
        for pass in under_way {
            clocked.leave(pass, Verdict::Unknown);
        }
        prop_assert_eq!(clocked.after(PAUSE).call(Verdict::Answered), CircuitState::Closed);
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_millis(100))
}

/// A call that opens the circuit for so long.
async fn open(breaker: &Breaker, milliseconds: u64) {
    let failure = Failure { retry_after: Some(Duration::from_millis(milliseconds)), ..failure(Reason::Unavailable) };
    assert!(breaker.call(soon(), async { Err::<(), _>(failure) }).await.is_err());
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test]
async fn after_one_call_that_hung_nobody_waits() {
    let breaker = Breaker::new("test", Duration::from_millis(100));
    let calls = AtomicUsize::new(0);
    let hang = async || {
        calls.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<Result<(), Failure>>().await
    };
    assert_eq!(breaker.call(soon(), hang()).await.unwrap_err().reason, Reason::Timeout);
    let started = Instant::now();
    for _ in 0..10 {
        assert_eq!(breaker.call(soon(), hang()).await.unwrap_err().reason, Reason::Timeout);
    }
    assert!(started.elapsed() < Duration::from_millis(50), "{:?}", started.elapsed());
    assert_eq!((calls.into_inner(), breaker.check().unwrap_err().reason), (1, Reason::Timeout));
}

#[tokio::test]
async fn of_a_hundred_callers_one_finds_out_whether_it_is_back() {
    let breaker = Breaker::new("test", LIMIT);
    open(&breaker, 30).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    let calls = AtomicUsize::new(0);
    let answer = async || {
        calls.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok(())
    };
    let answers = join_all((0..100).map(|_| breaker.call(Deadline::after(LIMIT), answer()))).await;
    assert_eq!((calls.into_inner(), answers.iter().filter(|answer| answer.is_ok()).count()), (1, 1));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test]
async fn a_prober_that_is_dropped_leaves_it_open_and_not_half_open_for_ever() {
    let breaker = Breaker::new("test", LIMIT);
    open(&breaker, 0).await;
    let probe = breaker.call(Deadline::after(LIMIT), std::future::pending::<Result<(), Failure>>());
    assert!(tokio::time::timeout(Duration::from_millis(20), probe).await.is_err());
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test]
async fn what_makes_nobody_wait_and_a_hurried_caller_open_nothing() {
    let breaker = Breaker::new("test", LIMIT);
    for reason in [Reason::Unauthorized, Reason::Rejected, Reason::InvalidAnswer] {
        for _ in 0..2 * FAILURES {
            assert!(breaker.call(soon(), async { Err::<(), _>(failure(reason)) }).await.is_err());
        }
    }
    for _ in 0..2 * FAILURES {
        let hurried = Deadline::after(Duration::from_millis(5));
        assert!(breaker.call(hurried, std::future::pending::<Result<(), Failure>>()).await.is_err());
    }
    assert_eq!((breaker.state(), breaker.check()), (CircuitState::Closed, Ok(())));
}
