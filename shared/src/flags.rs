//! Switches that work without a deployment: one SSM parameter, or on a laptop a file, read again every so often.
//!
//! It holds a JSON object such as `{"providers": ["duffel"], "model": false, "steps": "sequential"}`; what is not in it has its
//! default, which is everything on. A turn does not wait for it: a value that is due is used while the next is read. Only where
//! there is none yet, or one from long ago (a function that was frozen), a turn waits, and then for [`WAIT`] at most. What
//! cannot be read is said once, and the last value stays.

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

use crate::config;

/// How long a value of the parameter is used.
const PARAMETER_TTL: Duration = Duration::from_secs(60);
/// How long one of a file is.
const FILE_TTL: Duration = Duration::from_secs(1);
/// How long a turn waits where there is no value, or one that is older than [`STALE`] times its time.
const WAIT: Duration = Duration::from_millis(200);
const STALE: u32 = 3;

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

/// What was read last, and when it was tried last.
#[derive(Clone, Default)]
struct Last {
    flags: Arc<Flags>,
    tried: Option<Instant>,
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
        let Last { flags, tried, .. } = source.last.borrow().clone();
        let age = tried.map(|tried| tried.elapsed());
        if age.is_some_and(|age| age < source.ttl) {
            return flags;
        }
        let mut next = source.last.subscribe();
        read_anew(source);
        if age.is_some_and(|age| age < source.ttl * STALE) {
            return flags;
        }
        // In time or not, the last value is used.
        drop(tokio::time::timeout(WAIT, next.changed()).await);
        let last = next.borrow();
        last.flags.clone()
    }
}

/// Reads the flags in the background, unless that is being done.
fn read_anew(source: &Arc<Source>) {
    if source.reading.swap(true, Ordering::AcqRel) {
        return;
    }
    let source = source.clone();
    tokio::spawn(async move {
        let read = source.place.read().await;
        source.last.send_modify(|last| {
            last.tried = Some(Instant::now());
            match read {
                Ok(flags) => {
                    if *last.flags != flags {
                        tracing::info!(?flags, "the flags have changed");
                        last.flags = Arc::new(flags);
                    }
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
        async fn start() -> (Arc<Self>, FlagSource) {
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
            (ssm, FlagSource::parameter("/colloquy/flags", Some(Client::from_conf(config)), TTL))
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
        let (ssm, source) = Ssm::start().await;
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
        let (ssm, source) = Ssm::start().await;
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
    async fn a_slow_parameter_does_not_hold_a_turn_up() {
        let (ssm, source) = Ssm::start().await;
        *ssm.delay.lock().unwrap() = Duration::from_millis(600);
        ssm.set(Some(r#"{"model": false}"#));
        let started = Instant::now();
        assert_eq!(*source.get().await, Flags::default());
        assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
        assert_eq!(until(&source, &model_off()).await, model_off(), "it comes in the background");
    }

    #[tokio::test]
    async fn nowhere_everything_is_on() {
        let flags = FlagSource::default().get().await;
        assert!(flags.model && flags.has_provider("anything") && flags.steps == Order::Concurrent);
    }
}
