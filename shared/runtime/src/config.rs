//! Configuration from the environment, read once at start, with errors that name the variable.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ssm::Client;
use contracts::private::Private;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use crate::sdk;

/// A variable that must be set.
pub fn required(name: &str) -> anyhow::Result<String> {
    optional(name).with_context(|| format!("the environment variable {name} is not set"))
}

/// A variable that may be set; one that is set to nothing counts as not set.
pub fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// A variable of some type, or its default.
pub fn parsed<T: FromStr>(name: &str, default: T) -> anyhow::Result<T>
where
    T::Err: std::fmt::Display,
{
    match optional(name) {
        None => Ok(default),
        Some(value) => value.trim().parse().map_err(|error| anyhow!("the environment variable {name}: {error}")),
    }
}

/// How long a secret of SSM is used before it is read again.
const SECRET_TTL: Duration = Duration::from_secs(300);
/// How long one is used at least, whoever refuses it, and how long one that could not be read again.
const SECRET_REST: Duration = Duration::from_secs(10);
/// How long reading one may take.
const SECRET_LIMIT: Duration = Duration::from_secs(3);

/// A secret: the value of a variable `X`, or, on AWS, the SSM SecureString that `X_PARAMETER` names, read at first use and
/// every five minutes, so that one that is replaced needs no deployment. Its `Debug` shows neither.
#[derive(Debug)]
pub struct Secret {
    name: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Known(Arc<Private<String>>),
    Parameter { name: String, client: OnceCell<Client>, last: Mutex<Option<Read>> },
}

/// What was read, and until when it is used.
#[derive(Debug)]
struct Read {
    value: Arc<Private<String>>,
    at: Instant,
    until: Instant,
}

impl Secret {
    /// The secret `name`, or `None` where neither `name` nor `name_PARAMETER` is set.
    pub fn from_env(name: &str) -> Option<Self> {
        if let Some(value) = optional(name) {
            return Some(Self::new(name, value.trim().to_owned()));
        }
        let parameter = optional(&format!("{name}_PARAMETER"))?;
        Some(Self::parameter(name, parameter.trim(), None))
    }

    /// A secret that is known already.
    pub fn new(name: &str, value: String) -> Self {
        Self { name: name.to_owned(), place: Place::Known(Arc::new(Private(value))) }
    }

    /// The value of an SSM parameter, by the client given, else by one of the environment, made at first use.
    pub fn parameter(name: &str, parameter: &str, client: Option<Client>) -> Self {
        let (client, last) = (OnceCell::new_with(client), Mutex::default());
        Self { name: name.to_owned(), place: Place::Parameter { name: parameter.to_owned(), client, last } }
    }

    /// The secret itself. However many ask, SSM is asked once; where it is away, the last value stays.
    ///
    /// # Errors
    /// There is no value, nor was there one.
    pub async fn reveal(&self) -> anyhow::Result<Arc<Private<String>>> {
        let (parameter, client, last) = match &self.place {
            Place::Known(value) => return Ok(value.clone()),
            Place::Parameter { name, client, last } => (name, client, last),
        };
        let mut last = last.lock().await;
        if let Some(read) = last.as_ref().filter(|read| Instant::now() < read.until) {
            return Ok(read.value.clone());
        }
        // On the heap, and only if need be: inline, it would make every future that may reveal a secret 60 KB larger.
        let reading = Box::pin(read_parameter(parameter, client));
        let value = tokio::time::timeout(SECRET_LIMIT, reading).await.unwrap_or_else(|_| Err(anyhow!("timeout")));
        let (value, rest) = match (value, last.as_ref()) {
            (Ok(value), _) => (Arc::new(Private(value)), SECRET_TTL),
            (Err(error), Some(read)) => {
                let cause = format!("{error:#}");
                tracing::error!(secret = self.name, cause, "a secret cannot be read again; the last one stays");
                (read.value.clone(), SECRET_REST)
            }
            (Err(error), None) => return Err(error.context(format!("reading the parameter {parameter}"))),
        };
        let at = Instant::now();
        *last = Some(Read { value: value.clone(), at, until: at + rest });
        Ok(value)
    }

    /// What is to be used in the place of `refused`, which somebody would not take: the value read again, where that is
    /// another one. A value that was read only just is not read again.
    pub async fn renewed(&self, refused: &str) -> Option<Arc<Private<String>>> {
        let Place::Parameter { last, .. } = &self.place else { return None };
        if let Some(read) = last.lock().await.as_mut().filter(|read| **read.value == *refused) {
            if read.at.elapsed() < SECRET_REST {
                return None;
            }
            read.until = Instant::now();
        }
        self.reveal().await.ok().filter(|value| ***value != *refused)
    }
}

async fn read_parameter(parameter: &str, client: &OnceCell<Client>) -> anyhow::Result<String> {
    let client = client.get_or_init(ssm_client).await;
    let answer = client.get_parameter().name(parameter).with_decryption(true).send().await?;
    let value = answer.parameter.and_then(|parameter| parameter.value);
    value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).context("it has no value")
}

/// A client of SSM that gives up soon.
pub(crate) async fn ssm_client() -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(1));
    let timeouts = timeouts.operation_timeout(SECRET_LIMIT).build();
    let config = aws_sdk_ssm::config::Builder::from(sdk::config().await).timeout_config(timeouts);
    Client::from_conf(config.build())
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
