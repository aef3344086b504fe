//! Switches that work without a deployment: one SSM parameter, or on a laptop a file, read again every so often.
//!
//! It holds a JSON object such as `{"providers": ["duffel"], "model": false, "steps": "sequential", "embedder": "next"}`; what is
//! not in it has its default, which is everything on, and the current embedder. `chat` hands what it knows on to the steps of a
//! turn ([`FlagSource::of_turn`]) and never waits for it: it reads them again beside the turn's first step. Who is handed
//! nothing reads them where it needs them, and waits where a value's time is over, for a read behind its back would be frozen
//! with the function: for [`WAIT`] at most, and where there is no value yet for [`FIRST_WAIT`]. What cannot be read is said
//! once and soon tried again, and the last value stays.
//!
//! Together with them it is read whether models may cost anything more today ([`FlagSource::capped_by`]).

mod handed;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use aws_sdk_ssm::Client;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::{OnceCell, watch};

use crate::{config, trace};
use contracts::problem::Problem;

pub use handed::FLAGS_HEADER;
pub(crate) use handed::{Handed, in_turn};

/// How long a value of the parameter is used.
const PARAMETER_TTL: Duration = Duration::from_secs(60);
/// How long one of a file is.
const FILE_TTL: Duration = Duration::from_secs(1);
/// How long what could not be read is left alone, unless a value's time is shorter.
const RETRY: Duration = Duration::from_secs(2);
/// How long a turn waits where a value's time is over.
const WAIT: Duration = Duration::from_millis(200);
/// How long it waits where there is none yet: for a first connection, and because the defaults would switch on what is off.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How long reading a day's cost may take, lest it hold up the flags.
const CAP_LIMIT: Duration = Duration::from_secs(1);

/// The flight providers that there can be.
pub const PROVIDERS: [&str; 3] = ["amadeus", "duffel", "sample"];

/// What is switched how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// The flight providers that are on, of those that are configured; all where it is not given.
    pub providers: Option<Vec<String>>,
    /// Whether models are asked. Without them, rules understand and passages are quoted.
    pub model: bool,
    /// How what does not depend on each other is done.
    pub steps: Order,
    /// By which embedder's vectors questions are searched.
    pub embedder: EmbedderSlot,
    /// The day, UTC, on which models have cost as much as they may in a day.
    pub capped_on: Option<Date>,
    /// What of them nobody here knows: a mistake, or a flag of another release.
    pub unknown: Vec<String>,
}

/// How what does not depend on each other is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// At once.
    #[default]
    Concurrent,
    /// One after the other: slower, and gentler to what is asked.
    Sequential,
}

/// One of the two embedders that there can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbedderSlot {
    /// The one in use.
    #[default]
    Current,
    /// The one that is to take its place, as soon as all texts have its vectors.
    Next,
}

impl Default for Flags {
    fn default() -> Self {
        let (steps, embedder) = (Order::default(), EmbedderSlot::default());
        Self { providers: None, model: true, steps, embedder, capped_on: None, unknown: Vec::new() }
    }
}

impl Flags {
    /// The flags of a JSON object. A value that none can have leaves its flag as it was in `last`.
    fn read(text: &str, last: &Self) -> anyhow::Result<Self> {
        let object: Map<String, Value> = serde_json::from_str(text).context("reading the flags as JSON")?;
        let mut flags = Self::default();
        for (name, value) in object {
            let value = match name.as_str() {
                "providers" => flag(value).map(|value: Option<Vec<String>>| {
                    let unknown = value.iter().flatten().filter(|name| !PROVIDERS.contains(&name.as_str()));
                    flags.unknown.extend(unknown.map(|name| format!("the provider {}", shown(name))));
                    flags.providers = value;
                }),
                "model" => flag(value).map(|value| flags.model = value),
                "steps" => flag(value).map(|value| flags.steps = value),
                "embedder" => flag(value).map(|value| flags.embedder = value),
                _ => {
                    flags.unknown.push(format!("the flag {}", shown(&name)));
                    continue;
                }
            };
            if value.is_none() {
                match name.as_str() {
                    "providers" => flags.providers.clone_from(&last.providers),
                    "model" => flags.model = last.model,
                    "embedder" => flags.embedder = last.embedder,
                    _ => flags.steps = last.steps,
                }
                flags.unknown.push(format!("the value of {name}"));
            }
        }
        Ok(flags)
    }

    /// Whether a provider is on.
    pub fn has_provider(&self, name: &str) -> bool {
        self.providers.as_ref().is_none_or(|providers| providers.iter().any(|provider| provider == name))
    }

    /// Whether models have cost as much as they may today.
    pub fn is_capped(&self) -> bool {
        self.capped_on == Some(today())
    }

    /// Whether models are asked now.
    pub fn asks_models(&self) -> bool {
        self.model && !self.is_capped()
    }
}

fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

fn flag<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

/// A name as it may be shown to anybody: short, and in quotes.
fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(40).collect::<String>())
}

/// Where the flags are read from. The default is nowhere: then everything is on.
#[derive(Clone, Default)]
pub struct FlagSource(Option<Arc<Source>>);

struct Source {
    place: Place,
    cap: OnceLock<Cap>,
    ttl: Duration,
    reading: AtomicBool,
    last: watch::Sender<Last>,
}

/// Says of a day whether models have cost as much as they may in one.
type Cap = Box<dyn Fn(Date) -> BoxFuture<'static, Result<bool, Problem>> + Send + Sync>;

enum Place {
    Nowhere,
    File(PathBuf),
    Parameter { name: String, client: OnceCell<Client> },
}

/// What was read last, if anything, and when it is to be read again.
#[derive(Clone, Default)]
struct Last {
    flags: Option<Arc<Flags>>,
    due: Option<Instant>,
    failed: bool,
}

impl FlagSource {
    /// The SSM parameter that `FLAGS_PARAMETER` names, else the file that `COLLOQUY_FLAGS` names, else nowhere.
    pub fn from_env() -> Self {
        let parameter = config::optional("FLAGS_PARAMETER");
        match (parameter, config::optional("COLLOQUY_FLAGS")) {
            (Some(name), _) => Self::parameter(name.trim(), None, PARAMETER_TTL),
            (None, Some(path)) => Self::file(Path::new(path.trim()), FILE_TTL),
            (None, None) => Self::default(),
        }
    }

    /// An SSM parameter, by the client given, else by one of the environment, made at first use.
    pub fn parameter(name: &str, client: Option<Client>, ttl: Duration) -> Self {
        Self::new(Place::Parameter { name: name.to_owned(), client: OnceCell::new_with(client) }, ttl)
    }

    /// A file.
    pub fn file(path: &Path, ttl: Duration) -> Self {
        Self::new(Place::File(path.to_owned()), ttl)
    }

    fn new(place: Place, ttl: Duration) -> Self {
        let (last, reading) = (watch::Sender::new(Last::default()), AtomicBool::new(false));
        Self(Some(Arc::new(Source { place, cap: OnceLock::new(), ttl, reading, last })))
    }

    /// The same; with each reading, `cap` is asked whether models have cost as much as they may on a day. The first one stays.
    pub fn capped_by(
        self,
        cap: impl Fn(Date) -> BoxFuture<'static, Result<bool, Problem>> + Send + Sync + 'static,
    ) -> Self {
        let capped = if self.0.is_some() { self } else { Self::new(Place::Nowhere, PARAMETER_TTL) };
        if let Some(source) = &capped.0 {
            source.cap.get_or_init(|| Box::new(cap));
        }
        capped
    }

    /// The flags where they are known now. Where their time is over they are read meanwhile; this never waits.
    pub fn known(&self) -> Option<Arc<Flags>> {
        let source = self.0.as_ref()?;
        let Last { flags, due, .. } = source.last.borrow().clone();
        if due.is_some_and(|due| Instant::now() < due) {
            return flags;
        }
        read_anew(source);
        None
    }

    /// The flags as they were read last, else the defaults. Where their time is over they are read meanwhile; this never waits.
    pub fn last(&self) -> Arc<Flags> {
        self.known().or_else(|| self.0.as_ref()?.last.borrow().flags.clone()).unwrap_or_default()
    }

    /// The flags as they are now.
    pub async fn get(&self) -> Arc<Flags> {
        let Some(source) = &self.0 else { return Arc::default() };
        // Before the last value is looked at, so that no newer one is missed.
        let mut next = source.last.subscribe();
        let Last { flags, due, .. } = next.borrow_and_update().clone();
        if due.is_some_and(|due| Instant::now() < due) {
            return flags.unwrap_or_default();
        }
        read_anew(source);
        let wait = if flags.is_some() { WAIT } else { FIRST_WAIT };
        // In time or not, the last value is used.
        drop(tokio::time::timeout(wait, next.changed()).await);
        let last = next.borrow();
        last.flags.clone().unwrap_or_default()
    }

    /// Says for the report on health whether the flags are as somebody wanted them.
    ///
    /// # Errors
    /// They are not.
    pub async fn check(&self) -> Result<(), Wrong> {
        let flags = self.get().await;
        if self.0.as_ref().is_some_and(|source| source.last.borrow().failed) {
            return Err(Wrong::Unread);
        }
        if flags.unknown.is_empty() { Ok(()) } else { Err(Wrong::Unknown(flags.unknown.join(", "))) }
    }
}

/// Why the flags are not what somebody wanted them to be; in words that may be shown to anybody.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Wrong {
    /// There is something in them that nobody knows.
    #[error("nobody knows {0}")]
    Unknown(String),
    /// They are away, or no JSON object.
    #[error("they cannot be read; the last ones stay")]
    Unread,
}

/// Reads the flags, unless that is being done. One that is slower than a turn waits goes on, for the next turn.
fn read_anew(source: &Arc<Source>) {
    if source.reading.swap(true, Ordering::AcqRel) {
        return;
    }
    let source = source.clone();
    trace::spawn(async move {
        let (text, capped_on) = tokio::join!(source.place.read(), source.capped_on());
        source.last.send_modify(|last| {
            let before = last.flags.clone().unwrap_or_default();
            let read = text.and_then(|text| Flags::read(&text, &before));
            // Where it is not known, it stays as it was.
            let capped_on = capped_on.unwrap_or(before.capped_on);
            let rest = if read.is_ok() { source.ttl } else { source.ttl.min(RETRY) };
            last.due = Some(Instant::now() + rest);
            match read {
                Ok(flags) => {
                    let flags = Flags { capped_on, ..flags };
                    if *before != flags {
                        tracing::info!(?flags, "the flags have changed");
                        if !flags.unknown.is_empty() {
                            tracing::warn!(unknown = flags.unknown.join(", "), "nobody knows some of the flags");
                        }
                    }
                    last.flags = Some(Arc::new(flags));
                    last.failed = false;
                }
                Err(error) => {
                    if !last.failed {
                        tracing::error!(cause = format!("{error:#}"), "the flags cannot be read; the last ones stay");
                    }
                    last.failed = true;
                    if before.capped_on != capped_on {
                        last.flags = Some(Arc::new(Flags { capped_on, ..(*before).clone() }));
                    }
                }
            }
        });
        source.reading.store(false, Ordering::Release);
    });
}

impl Source {
    /// Today, where models have cost as much as they may; nothing where that cannot be read.
    async fn capped_on(&self) -> Option<Option<Date>> {
        let Some(cap) = self.cap.get() else { return Some(None) };
        let day = today();
        let capped = tokio::time::timeout(CAP_LIMIT, cap(day)).await.unwrap_or_else(|_| Err(Problem::deadline()));
        let capped = capped.inspect_err(|problem| {
            let cause = problem.cause();
            tracing::warn!(%problem, cause, "it cannot be read what models have cost today");
        });
        capped.ok().map(|capped| capped.then_some(day))
    }
}

impl Place {
    async fn read(&self) -> anyhow::Result<String> {
        match self {
            Self::Nowhere => Ok("{}".to_owned()),
            Self::File(path) => std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display())),
            Self::Parameter { name, client } => {
                let client = client.get_or_init(config::ssm_client).await;
                let answer = client.get_parameter().name(name).send().await;
                let answer = answer.with_context(|| format!("reading the parameter {name}"))?;
                let value = answer.parameter.and_then(|parameter| parameter.value);
                value.with_context(|| format!("the parameter {name} has no value"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;
    use crate::config::testing::Ssm;

    const TTL: Duration = Duration::from_millis(50);

    async fn start(ttl: Duration) -> (Arc<Ssm>, FlagSource) {
        let (ssm, client) = Ssm::start().await;
        (ssm, FlagSource::parameter("/colloquy/flags", Some(client), ttl))
    }

    /// The flags once they are these, or as they are after two seconds.
    async fn until(source: &FlagSource, expected: &Flags) -> Flags {
        for _ in 0..100 {
            let flags = source.get().await;
            if *flags == *expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        (*source.get().await).clone()
    }

    fn model_off() -> Flags {
        Flags { model: false, ..Flags::default() }
    }

    #[tokio::test]
    async fn a_flag_is_read_again_once_its_time_is_over() {
        let (ssm, source) = start(TTL).await;
        ssm.set(Some(r#"{"model": false}"#));
        assert_eq!(*source.get().await, model_off(), "the first turn waits for it");
        for _ in 0..100 {
            source.get().await;
        }
        assert_eq!(*ssm.asked.lock().unwrap(), 1, "within its time it is read once");
        ssm.set(Some(r#"{"providers": ["duffel"], "steps": "sequential", "of a later release": 1}"#));
        let unknown = vec![r#"the flag "of a later release""#.to_owned()];
        let expected =
            Flags { providers: Some(vec!["duffel".to_owned()]), steps: Order::Sequential, unknown, ..Flags::default() };
        assert_eq!(until(&source, &expected).await, expected);
        assert!(expected.has_provider("duffel") && !expected.has_provider("amadeus"));
    }

    #[tokio::test]
    async fn where_it_is_away_or_malformed_the_last_value_stays_or_the_default() {
        let (ssm, source) = start(TTL).await;
        assert_eq!(*source.get().await, Flags::default());
        ssm.set(Some(r#"{"model": false}"#));
        assert_eq!(until(&source, &model_off()).await, model_off());
        for bad in [None, Some("model=off"), Some("[]")] {
            let asked = *ssm.asked.lock().unwrap();
            ssm.set(bad);
            while *ssm.asked.lock().unwrap() < asked + 3 {
                assert_eq!(*source.get().await, model_off());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    #[test]
    fn what_nobody_knows_is_named_and_the_rest_holds() {
        let last = Flags { steps: Order::Sequential, ..model_off() };
        for (text, expected, unknown) in [
            ("{}", Flags::default(), &[][..]),
            (r#"{"embedder": "next"}"#, Flags { embedder: EmbedderSlot::Next, ..Flags::default() }, &[]),
            (r#"{"embedder": "other"}"#, Flags::default(), &["the value of embedder"]),
            (r#"{"modle": false}"#, Flags::default(), &[r#"the flag "modle""#]),
            (r#"{"model": "off"}"#, model_off(), &["the value of model"]),
            (
                r#"{"steps": "sequental", "model": true}"#,
                Flags { steps: Order::Sequential, ..Flags::default() },
                &["the value of steps"],
            ),
            (
                r#"{"providers": ["duffle", "sample"]}"#,
                Flags { providers: Some(vec!["duffle".to_owned(), "sample".to_owned()]), ..Flags::default() },
                &[r#"the provider "duffle""#],
            ),
        ] {
            let unknown = unknown.iter().map(|unknown| (*unknown).to_owned()).collect();
            assert_eq!(Flags::read(text, &last).unwrap(), Flags { unknown, ..expected }, "{text}");
        }
    }

    #[tokio::test]
    async fn health_says_what_is_wrong_with_them() {
        let (ssm, source) = start(TTL).await;
        assert_eq!(FlagSource::default().check().await, Ok(()));
        assert_eq!(source.check().await, Err(Wrong::Unread));
        ssm.set(Some("{}"));
        until(&source, &Flags::default()).await;
        tokio::time::sleep(TTL).await;
        assert_eq!(source.check().await, Ok(()));
        ssm.set(Some(r#"{"modle": false}"#));
        tokio::time::sleep(TTL).await;
        let wrong = source.check().await.unwrap_err();
        assert_eq!(wrong.to_string(), r#"nobody knows the flag "modle""#);
    }

    #[tokio::test]
    async fn a_slow_parameter_holds_a_turn_up_for_a_moment_only() {
        let (ssm, source) = start(TTL).await;
        ssm.set(Some(r#"{"model": false}"#));
        *ssm.delay.lock().unwrap() = Duration::from_millis(400);
        assert_eq!(*source.get().await, model_off(), "the first value is worth a longer wait");
        ssm.set(Some("{}"));
        *ssm.delay.lock().unwrap() = Duration::from_millis(1_500);
        tokio::time::sleep(TTL).await;
        let (started, asked) = (Instant::now(), *ssm.asked.lock().unwrap());
        assert_eq!(*source.get().await, model_off());
        assert_eq!(*source.get().await, model_off());
        let took = started.elapsed();
        assert!((2 * WAIT..Duration::from_millis(1_000)).contains(&took), "{took:?}");
        assert_eq!(*ssm.asked.lock().unwrap(), asked + 1, "one read at a time");
        assert_eq!(until(&source, &Flags::default()).await, Flags::default(), "it comes for a later turn");
    }

    #[tokio::test]
    async fn without_any_value_the_defaults_hold_after_the_longer_wait() {
        let (ssm, source) = start(TTL).await;
        ssm.set(Some(r#"{"model": false}"#));
        *ssm.delay.lock().unwrap() = Duration::from_millis(2_500);
        let started = Instant::now();
        assert_eq!(*source.get().await, Flags::default());
        let took = started.elapsed();
        assert!((FIRST_WAIT..Duration::from_secs(2)).contains(&took), "{took:?}");
    }

    #[tokio::test]
    async fn a_value_whose_time_is_over_is_never_the_answer_of_a_parameter_that_is_there() {
        let (ssm, source) = start(TTL).await;
        for value in [r#"{"model": false}"#, "{}", r#"{"model": false}"#] {
            ssm.set(Some(value));
            tokio::time::sleep(TTL).await;
            assert_eq!(*source.get().await, Flags::read(value, &Flags::default()).unwrap());
        }
    }

    #[tokio::test]
    async fn what_failed_is_tried_again_long_before_a_values_time_is_over() {
        let (ssm, source) = start(Duration::from_secs(3_600)).await;
        assert_eq!(*source.get().await, Flags::default());
        ssm.set(Some(r#"{"model": false}"#));
        assert_eq!(*source.get().await, Flags::default(), "not with each turn");
        tokio::time::sleep(RETRY).await;
        assert_eq!(*source.get().await, model_off());
    }

    #[tokio::test]
    async fn known_and_last_flags_are_never_waited_for() {
        let (ssm, source) = start(TTL).await;
        ssm.set(Some(r#"{"model": false}"#));
        *ssm.delay.lock().unwrap() = Duration::from_millis(300);
        let started = Instant::now();
        assert_eq!((source.known(), &*source.last()), (None, &Flags::default()));
        assert!(started.elapsed() < Duration::from_millis(100), "{:?}", started.elapsed());
        assert_eq!(until(&source, &model_off()).await, model_off(), "it is read meanwhile");
        tokio::time::sleep(2 * TTL).await;
        assert_eq!(
            (source.known(), &*source.last()),
            (None, &model_off()),
            "what is over is not known, and stays the last"
        );
        assert_eq!((FlagSource::default().known(), &*FlagSource::default().last()), (None, &Flags::default()));
    }

    /// A source whose cap answers in turn: reached, unreadable, not reached.
    fn capped(source: FlagSource, answers: Vec<Option<bool>>) -> FlagSource {
        let answers = Mutex::new(answers.into_iter());
        source.capped_by(move |day| {
            assert_eq!(day, today());
            let answer = answers.lock().unwrap().next().unwrap();
            Box::pin(async move { answer.ok_or_else(Problem::deadline) })
        })
    }

    #[tokio::test]
    async fn what_models_may_cost_in_a_day_is_read_with_the_flags_and_stays_while_it_cannot_be_read() {
        let (ssm, source) = start(TTL).await;
        ssm.set(Some("{}"));
        let source = capped(source, vec![Some(false), Some(true), None, Some(false)]);
        for expected in [false, true, true, false] {
            let flags = source.get().await;
            assert_eq!((flags.is_capped(), flags.asks_models(), flags.model), (expected, !expected, true));
            tokio::time::sleep(2 * TTL).await;
        }
        let unreadable = FlagSource::file(Path::new("/nowhere/at/all"), TTL);
        for other in [FlagSource::default(), unreadable] {
            assert!(!capped(other, vec![Some(true)]).get().await.asks_models());
        }
    }

    #[test]
    fn a_cap_ends_with_its_day() {
        let yesterday = Flags { capped_on: today().yesterday().ok(), ..Flags::default() };
        assert!(yesterday.asks_models() && !yesterday.is_capped());
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_in_the_trace_of_the_turn_that_wanted_it() {
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        let _kept = tracing::subscriber::set_default(lines);
        let trace = trace::Trace::begin();
        let source = FlagSource::file(Path::new("/nowhere/at/all"), TTL);
        trace.instrument("chat", source.get()).await;
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
        assert_eq!(line["fields"]["message"], "the flags cannot be read; the last ones stay", "{line}");
        assert_eq!((&line["span"]["trace"], &line["span"]["function"]), (&json!(trace.to_string()), &json!("chat")));
    }

    #[tokio::test]
    async fn nowhere_everything_is_on() {
        let flags = FlagSource::default().get().await;
        assert!(flags.model && flags.has_provider("anything") && flags.steps == Order::Concurrent);
    }
}
