//! What is measured: the names, what they mean, and where they go in Lambda.
//!
//! There they are CloudWatch's embedded metric format, written to the log as soon as an answer is out, where `METRICS` is
//! `true` and `METRICS_NAMESPACE` names a namespace; else nothing is measured, for CloudWatch charges for each combination of
//! labels. On a laptop they are at `GET /metrics`. No label holds an id, a path or anything that a person wrote: their values
//! are functions, routes as templates, classes of statuses, upstreams and models, all of which somebody configured.

use std::sync::OnceLock;
use std::time::Duration;

use contracts::api::CircuitState;
use contracts::usd::Usd;
use metrics::{Unit, counter, gauge, histogram};
use metrics_cloudwatch_embedded::Collector;

use crate::config;
use crate::trace;

/// A metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name, ending in its unit, or in `total` where it only grows.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its unit, as far as CloudWatch knows it.
    pub unit: Unit,
    /// What it means.
    pub help: &'static str,
    /// What it is split by.
    pub labels: &'static [&'static str],
}

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It is many single values.
    Histogram,
}

/// All there are.
pub const METRICS: [Metric; 14] = [
    REQUESTS,
    REQUEST_DURATION,
    IN_FLIGHT,
    TURNS,
    TURN_DURATION,
    UPSTREAM_CALLS,
    UPSTREAM_DURATION,
    CIRCUIT,
    TOKENS,
    COST,
    COLD_STARTS,
    QUEUE_AGE,
    PUT_BACKS,
    DAY_SEARCHES,
];

/// Finished requests and batches.
pub const REQUESTS: Metric = Metric {
    name: "requests_total",
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Finished requests, by class of status, or canceled by the caller; batches of messages and scheduled calls, ok or failed.",
    labels: &["function", "status"],
};
/// How long they took.
pub const REQUEST_DURATION: Metric = Metric {
    name: "request_duration_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "Time from a request's head to the last byte of its answer.",
    labels: &["function", "route"],
};
/// How many there are now.
pub const IN_FLIGHT: Metric = Metric {
    name: "requests_in_flight",
    kind: Kind::Gauge,
    unit: Unit::Count,
    help: "Requests that are being answered, in this process.",
    labels: &["function"],
};
/// What turns came to.
pub const TURNS: Metric = Metric {
    name: "turns_total",
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Turns and questions: ok, degraded where something was missing, failed where there was no whole answer.",
    labels: &["function", "outcome"],
};
/// How long turns took.
pub const TURN_DURATION: Metric = Metric {
    name: "turn_duration_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "Time of a turn or a question, and whether a model had a part in it or was to have one.",
    labels: &["function", "model"],
};
/// Calls to what is outside.
pub const UPSTREAM_CALLS: Metric = Metric {
    name: "upstream_calls_total",
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Calls to what is outside, repetitions included, by what came of them.",
    labels: &["function", "endpoint", "outcome"],
};
/// How long they took.
pub const UPSTREAM_DURATION: Metric = Metric {
    name: "upstream_duration_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "Time until the head of an answer from outside, or until there was none.",
    labels: &["function", "endpoint"],
};
/// Whether calls are made at all.
pub const CIRCUIT: Metric = Metric {
    name: "circuit_state",
    kind: Kind::Gauge,
    unit: Unit::Count,
    help: "The circuit breakers that ever opened in this process: 0 closed, 1 half open, 2 open.",
    labels: &["function", "upstream"],
};
/// What models read and wrote.
pub const TOKENS: Metric = Metric {
    name: "tokens_total",
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Tokens that models read (prompt) and wrote (completion), as their servers count them.",
    labels: &["function", "model", "kind"],
};
/// What that cost.
pub const COST: Metric = Metric {
    name: "cost_usd_total",
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "What counted turns cost in US dollars, of models whose price is known.",
    labels: &["function", "assistant"],
};
/// Environments that started.
pub const COLD_STARTS: Metric = Metric {
    name: "cold_starts_total",
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Processes that started to serve a function.",
    labels: &["function"],
};
/// How long messages waited.
pub const QUEUE_AGE: Metric = Metric {
    name: "queue_age_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "How long the oldest message of a batch had waited when a worker took it.",
    labels: &["function"],
};

/// Messages that could not be done yet.
pub const PUT_BACKS: Metric = Metric {
    name: "put_backs_total",
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Messages that were put back because something they need was unavailable.",
    labels: &["function"],
};

/// Searches that only compare days.
pub const DAY_SEARCHES: Metric = Metric {
    name: "day_searches_total",
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Searches that only compare the prices of days, by provider: Duffel charges for searches beyond 1,500 a booking.",
    labels: &["function", "provider"],
};

static EMBEDDED: OnceLock<&'static Collector> = OnceLock::new();

/// Begins to measure in Lambda.
///
/// # Errors
/// Something measures already.
pub fn start_in_lambda() -> anyhow::Result<()> {
    let Some(namespace) = config::optional("METRICS_NAMESPACE") else { return Ok(()) };
    if config::optional("METRICS").as_deref() != Some("true") {
        return Ok(());
    }
    let started = metrics_cloudwatch_embedded::Builder::new().cloudwatch_namespace(namespace).init();
    let collector = started.map_err(|error| anyhow::anyhow!("starting the metrics: {error}"))?;
    EMBEDDED.get_or_init(|| collector);
    describe();
    Ok(())
}

/// Tells the recorder what there is.
pub fn describe() {
    for Metric { name, kind, unit, help, .. } in METRICS {
        match kind {
            Kind::Counter if is_whole(name) => metrics::describe_counter!(name, unit, help),
            Kind::Counter | Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
    }
}

/// Whether a counter has whole steps, as all have but money; the facade counts nothing else.
pub fn is_whole(name: &str) -> bool {
    name != COST.name
}

/// Writes what was measured to the log. The last thing before an answer ends: then Lambda freezes the process.
pub fn flush() {
    let Some(collector) = EMBEDDED.get() else { return };
    if let Err(error) = collector.flush(std::io::stdout().lock()) {
        tracing::warn!(%error, "the metrics could not be written");
    }
}

/// A process serves `function` from now on.
pub fn cold_start(function: &'static str) {
    counter!(COLD_STARTS.name, "function" => function).increment(1);
}

/// How many requests of `function` are being answered.
pub fn in_flight(function: &'static str) -> metrics::Gauge {
    gauge!(IN_FLIGHT.name, "function" => function)
}

/// A request, a batch or a scheduled call is over.
pub fn request(function: &'static str, route: &str, status: &'static str, took: Duration) {
    counter!(REQUESTS.name, "function" => function, "status" => status).increment(1);
    histogram!(REQUEST_DURATION.name, "function" => function, "route" => route.to_owned()).record(took);
}

/// What a turn or a question came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is missing.
    Ok,
    /// It has an answer, in which something is missing.
    Degraded,
    /// The answer broke off, was an apology alone, or there was none, by no fault of the client.
    Failed,
}

/// A turn or a question came to something.
pub fn outcome(outcome: Outcome) {
    let outcome = match outcome {
        Outcome::Ok => "ok",
        Outcome::Degraded => "degraded",
        Outcome::Failed => "failed",
    };
    counter!(TURNS.name, "function" => trace::function(), "outcome" => outcome).increment(1);
}

/// A turn or a question has its answer, in which a model had a part or was to have one.
pub fn turn(by_model: bool, took: Duration) {
    let model = if by_model { "yes" } else { "no" };
    histogram!(TURN_DURATION.name, "function" => trace::function(), "model" => model).record(took);
}

/// A call to what is outside is over, as far as the head of its answer.
pub fn upstream(endpoint: &'static str, outcome: &'static str, took: Duration) {
    let function = trace::function();
    counter!(UPSTREAM_CALLS.name, "function" => function, "endpoint" => endpoint, "outcome" => outcome).increment(1);
    histogram!(UPSTREAM_DURATION.name, "function" => function, "endpoint" => endpoint).record(took);
}

/// A circuit breaker changed its state.
pub fn circuit(upstream: &'static str, state: CircuitState) {
    let value = match state {
        CircuitState::Closed | CircuitState::Other => 0.0,
        CircuitState::HalfOpen => 1.0,
        CircuitState::Open => 2.0,
    };
    gauge!(CIRCUIT.name, "function" => trace::function(), "upstream" => upstream).set(value);
}

/// A model said what it read and wrote.
pub fn tokens(model: &str, prompt: u64, completion: u64) {
    for (kind, tokens) in [("prompt", prompt), ("completion", completion)] {
        let (function, model) = (trace::function(), model.to_owned());
        counter!(TOKENS.name, "function" => function, "model" => model, "kind" => kind).increment(tokens);
    }
}

/// A turn's cost is known. A sum where sums are kept, and a value of its own where CloudWatch sums up.
pub fn cost(assistant: &str, cost: Usd) {
    let (function, assistant, dollars) = (trace::function(), assistant.to_owned(), cost.dollars());
    if EMBEDDED.get().is_some() {
        histogram!(COST.name, "function" => function, "assistant" => assistant).record(dollars);
    } else {
        gauge!(COST.name, "function" => function, "assistant" => assistant).increment(dollars);
    }
}

/// A worker took a batch whose oldest message had waited for so long.
pub fn queue_age(function: &'static str, age: Duration) {
    histogram!(QUEUE_AGE.name, "function" => function).record(age);
}

/// A worker put a message back.
pub fn put_back() {
    counter!(PUT_BACKS.name, "function" => trace::function()).increment(1);
}

/// A provider is searched only to compare days.
pub fn day_search(provider: &'static str) {
    counter!(DAY_SEARCHES.name, "function" => trace::function(), "provider" => provider).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_their_unit_and_whether_they_only_grow() {
        for Metric { name, kind, unit, help, labels } in METRICS {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
            assert_eq!(name.ends_with("_seconds"), unit == Unit::Seconds, "{name}");
            assert!(help.ends_with('.') && labels.first() == Some(&"function"), "{name}");
        }
    }
}
