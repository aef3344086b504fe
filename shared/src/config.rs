//! Configuration from the environment, read once at start, with errors that name the variable.

use std::str::FromStr;

use anyhow::{Context, anyhow};
use tokio::sync::OnceCell;

use crate::private::Private;

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

/// A secret: the value of a variable `X`, or, on AWS, the SSM SecureString that `X_PARAMETER` names, read at first use.
/// Its `Debug` shows neither.
#[derive(Debug)]
pub struct Secret {
    name: String,
    value: OnceCell<Private<String>>,
    parameter: Option<String>,
}

impl Secret {
    /// The secret `name`, or `None` where neither `name` nor `name_PARAMETER` is set.
    pub fn from_env(name: &str) -> Option<Self> {
        if let Some(value) = optional(name) {
            return Some(Self::new(name, value.trim().to_owned()));
        }
        let parameter = optional(&format!("{name}_PARAMETER"))?;
        Some(Self { name: name.to_owned(), value: OnceCell::new(), parameter: Some(parameter) })
    }

    /// A secret that is known already.
    pub fn new(name: &str, value: String) -> Self {
        Self { name: name.to_owned(), value: OnceCell::new_with(Some(Private(value))), parameter: None }
    }

    /// The secret itself; asks SSM at most once, however many wait, unless that fails.
    pub async fn reveal(&self) -> anyhow::Result<&str> {
        // On the heap, and only if need be: inline, it would make every future that may reveal a secret 60 KB larger.
        let value = self.value.get_or_try_init(|| Box::pin(self.read_parameter())).await?;
        Ok(&value.0)
    }

    async fn read_parameter(&self) -> anyhow::Result<Private<String>> {
        let parameter = self.parameter.as_deref().with_context(|| format!("{} is not set", self.name))?;
        let client = aws_sdk_ssm::Client::new(&aws_config::load_from_env().await);
        let answer = client.get_parameter().name(parameter).with_decryption(true).send().await;
        let answer = answer.with_context(|| format!("reading the parameter {parameter}"))?;
        let value = answer.parameter.and_then(|parameter| parameter.value);
        value.map(Private).with_context(|| format!("the parameter {parameter} has no value"))
    }
}
