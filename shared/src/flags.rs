//! Switches that work without a deployment: one SSM parameter, or on a laptop a file, read again every so often.
//!
//! It holds a JSON object such as `{"providers": ["duffel"], "model": false, "steps": "sequential"}`; what is not in it has its
//! default, which is everything on. The turn that finds the value's time over waits for the next, for a read behind its back
//! would be frozen with the function: for [`WAIT`] at most, and where there is no value yet for [`FIRST_WAIT`]. What cannot be
//! read is said once and soon tried again, and the last value stays.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ssm::Client;
use serde::Deserialize;
use tokio::sync::{OnceCell, watch};

use crate::{config, trace};

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

/// What is switched how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Flags {
    /// The flight providers that are on, of those that are configured; all where it is not given.
    pub providers: Option<Vec<String>>,
    /// Whether models are asked. Without them, rules understand and passages are quoted.
    pub model: bool,
    /// How what does not depend on each other is done.
    pub steps: Order,
}

/// How what does not depend on each other is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// At once.
    #[default]
    Concurrent,
    /// One after the other: slower, and gentler to what is asked.
    Sequential,
}

impl Default for Flags {
    fn default() -> Self {
        Self { providers: None, model: true, steps: Order::default() }
    }
}

impl Flags {
    /// Whether a provider is on.
    pub fn has_provider(&self, name: &str) -> bool {
        self.providers.as_ref().is_none_or(|providers| providers.iter().any(|provider| provider == name))
    }
}

/// Where the flags are read from. The default is nowhere: then everything is on.
#[derive(Clone, Default)]
pub struct FlagSource(Option<Arc<Source>>);

struct Source {
    place: Place,
    ttl: Duration,
    reading: AtomicBool,
    last: watch::Sender<Last>,
}

enum Place {
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
        Self(Some(Arc::new(Source { place, ttl, reading, last })))
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
}

/// Reads the flags, unless that is being done. One that is slower than a turn waits goes on, for the next turn.
fn read_anew(source: &Arc<Source>) {
    if source.reading.swap(true, Ordering::AcqRel) {
        return;
    }
    let source = source.clone();
    trace::spawn(async move {
        let read = source.place.read().await;
        source.last.send_modify(|last| {
            let rest = if read.is_ok() { source.ttl } else { source.ttl.min(RETRY) };
            last.due = Some(Instant::now() + rest);
            match read {
                Ok(flags) => {
                    if *last.flags.clone().unwrap_or_default() != flags {
                        tracing::info!(?flags, "the flags have changed");
                    }
                    last.flags = Some(Arc::new(flags));
                    last.failed = false;
                }
                Err(error) if !last.failed => {
                    tracing::error!(cause = format!("{error:#}"), "the flags cannot be read; the last ones stay");
                    last.failed = true;
                }
                Err(_) => {}
            }
        });
        source.reading.store(false, Ordering::Release);
    });
}

impl Place {
    async fn read(&self) -> anyhow::Result<Flags> {
        let text = match self {
            Self::File(path) => std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?,
            Self::Parameter { name, client } => {
                let client = client.get_or_init(client_from_env).await;
                let answer = client.get_parameter().name(name).send().await;
                let answer = answer.with_context(|| format!("reading the parameter {name}"))?;
                let value = answer.parameter.and_then(|parameter| parameter.value);
                value.with_context(|| format!("the parameter {name} has no value"))?
            }
        };
        serde_json::from_str(&text).context("reading the flags as JSON")
    }
}

async fn client_from_env() -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(1));
    let timeouts = timeouts.operation_timeout(Duration::from_secs(3)).build();
    Client::new(&aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_sdk_ssm::config::retry::RetryConfig;
    use aws_sdk_ssm::config::{Credentials, Region};
    use axum::Router;
    use axum::response::{IntoResponse, Response};
    use axum::routing::post;
    use http::StatusCode;
    use serde_json::json;

    use super::*;

    const TTL: Duration = Duration::from_millis(50);

    /// A stand-in for SSM: the parameter's value, or none, after a while; and how often it was asked.
    #[derive(Default)]
    struct Ssm {
        value: Mutex<Option<&'static str>>,
        delay: Mutex<Duration>,
        asked: Mutex<usize>,
    }

    impl Ssm {
        async fn start(ttl: Duration) -> (Arc<Self>, FlagSource) {
            let ssm = Arc::new(Self::default());
            let stand_in = ssm.clone();
            let router = Router::new().route("/", post(async move || stand_in.answer().await));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, router).await });
            let config = aws_sdk_ssm::Config::builder()
                .behavior_version_latest()
                .endpoint_url(url)
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("test", "test", None, None, "test"))
                .retry_config(RetryConfig::disabled())
                .build();
            (ssm, FlagSource::parameter("/colloquy/flags", Some(Client::from_conf(config)), ttl))
        }

        async fn answer(&self) -> Response {
            *self.asked.lock().unwrap() += 1;
            let (value, delay) = (*self.value.lock().unwrap(), *self.delay.lock().unwrap());
            tokio::time::sleep(delay).await;
            let Some(value) = value else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
            json!({"Parameter": {"Name": "/colloquy/flags", "Type": "String", "Value": value}})
                .to_string()
                .into_response()
        }

        fn set(&self, value: Option<&'static str>) {
            *self.value.lock().unwrap() = value;
        }
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
        let (ssm, source) = Ssm::start(TTL).await;
        ssm.set(Some(r#"{"model": false}"#));
        assert_eq!(*source.get().await, model_off(), "the first turn waits for it");
        for _ in 0..100 {
            source.get().await;
        }
        assert_eq!(*ssm.asked.lock().unwrap(), 1, "within its time it is read once");
        ssm.set(Some(r#"{"providers": ["duffel"], "steps": "sequential", "of a later release": 1}"#));
        let expected = Flags { providers: Some(vec!["duffel".to_owned()]), steps: Order::Sequential, model: true };
        assert_eq!(until(&source, &expected).await, expected);
        assert!(expected.has_provider("duffel") && !expected.has_provider("amadeus"));
    }

    #[tokio::test]
    async fn where_it_is_away_or_malformed_the_last_value_stays_or_the_default() {
        let (ssm, source) = Ssm::start(TTL).await;
        assert_eq!(*source.get().await, Flags::default());
        ssm.set(Some(r#"{"model": false}"#));
        assert_eq!(until(&source, &model_off()).await, model_off());
        for bad in [None, Some("model=off"), Some(r#"{"model": "off"}"#)] {
            let asked = *ssm.asked.lock().unwrap();
            ssm.set(bad);
            while *ssm.asked.lock().unwrap() < asked + 3 {
                assert_eq!(*source.get().await, model_off());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    #[tokio::test]
    async fn a_slow_parameter_holds_a_turn_up_for_a_moment_only() {
        let (ssm, source) = Ssm::start(TTL).await;
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
        let (ssm, source) = Ssm::start(TTL).await;
        ssm.set(Some(r#"{"model": false}"#));
        *ssm.delay.lock().unwrap() = Duration::from_millis(2_500);
        let started = Instant::now();
        assert_eq!(*source.get().await, Flags::default());
        let took = started.elapsed();
        assert!((FIRST_WAIT..Duration::from_secs(2)).contains(&took), "{took:?}");
    }

    #[tokio::test]
    async fn a_value_whose_time_is_over_is_never_the_answer_of_a_parameter_that_is_there() {
        let (ssm, source) = Ssm::start(TTL).await;
        for value in [r#"{"model": false}"#, "{}", r#"{"model": false}"#] {
            ssm.set(Some(value));
            tokio::time::sleep(TTL).await;
            assert_eq!(*source.get().await, serde_json::from_str(value).unwrap());
        }
    }

    #[tokio::test]
    async fn what_failed_is_tried_again_long_before_a_values_time_is_over() {
        let (ssm, source) = Ssm::start(Duration::from_secs(3_600)).await;
        assert_eq!(*source.get().await, Flags::default());
        ssm.set(Some(r#"{"model": false}"#));
        assert_eq!(*source.get().await, Flags::default(), "not with each turn");
        tokio::time::sleep(RETRY).await;
        assert_eq!(*source.get().await, model_off());
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
