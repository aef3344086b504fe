//! A server that speaks OpenAI's wire format: OpenAI itself, Bedrock's endpoint, vLLM, Ollama, llama.cpp and others.
//!
//! In: a path and a body. Out: an answer, or a failure with what tells its kind. What the server writes about a failure is
//! neither logged nor handed on: it can quote what a person asked.

#[cfg(test)]
pub(crate) mod testing;

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http::{StatusCode, header};
use reqwest::{Client, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::retry::budget::TpsBudget;

use contracts::private::Private;
use runtime::config::{self, Secret};
use runtime::deadline::Deadline;
use runtime::upstream::{self, Failure, Reason, Repeat};

/// Where OpenAI is.
pub const BASE_URL: &str = "https://api.openai.com/v1";

/// The server, with the client and the key for it.
#[derive(Clone)]
pub struct Server {
    client: Client,
    base_url: Arc<str>,
    key: Option<Arc<Secret>>,
    repetitions: Arc<TpsBudget>,
}

impl Server {
    /// The server at `base_url` (the version is part of it), which asks for no key where there is none.
    ///
    /// # Errors
    /// A client that cannot be built.
    pub fn new(base_url: &str, key: Option<Secret>) -> anyhow::Result<Self> {
        let base_url = base_url.trim().trim_end_matches('/');
        reqwest::Url::parse(base_url).with_context(|| format!("OPENAI_BASE_URL: {base_url:?} is not a URL"))?;
        let repetitions = Arc::new(upstream::repetitions());
        Ok(Self { client: upstream::client()?, base_url: base_url.into(), key: key.map(Arc::new), repetitions })
    }

    /// The server that `OPENAI_BASE_URL` (OpenAI itself) and `OPENAI_API_KEY` name; none where neither is set.
    ///
    /// # Errors
    /// An address that is none.
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        let (base_url, key) = (config::optional("OPENAI_BASE_URL"), Secret::from_env("OPENAI_API_KEY"));
        if base_url.is_none() && key.is_none() {
            return Ok(None);
        }
        Self::new(base_url.as_deref().unwrap_or(BASE_URL), key).map(Some)
    }

    /// Whether this is OpenAI itself, which takes some fields that others do not know, and refuses some that others need.
    pub fn is_openai(&self) -> bool {
        self.base_url.starts_with("https://api.openai.com/")
    }

    /// Tries the server and the key by asking for the list of its models, which costs nothing.
    ///
    /// # Errors
    /// See [`upstream::probe`].
    pub async fn probe(&self, deadline: Deadline) -> Result<(), Failure> {
        let request = self.client.get(format!("{}/models", self.base_url));
        let request = match &self.key {
            None => request,
            Some(key) => request.bearer_auth(&self.reveal(key, deadline).await?.0),
        };
        upstream::probe("models", request).await
    }

    /// Posts a body and waits for the head of a success until the deadline; repeats as [`upstream::send`] does.
    ///
    /// # Errors
    /// No answer in time, or one that is not a success, which is logged.
    pub async fn post(
        &self,
        path: &'static str,
        body: &impl Serialize,
        repeat: Repeat,
        deadline: Deadline,
    ) -> Result<Response, Refusal> {
        let result = self.try_post(path, body, repeat, deadline).await;
        result.inspect_err(|Refusal { failure, code, param }| {
            let status = failure.status.map(|status| status.as_u16());
            let reason = failure.reason.as_str();
            tracing::warn!(path, reason, status, code, param, "the model's server gave no answer");
        })
    }

    async fn try_post(
        &self,
        path: &'static str,
        body: &impl Serialize,
        repeat: Repeat,
        deadline: Deadline,
    ) -> Result<Response, Refusal> {
        // Nothing but a map with odd keys cannot be written, and there is none.
        let body = serde_json::to_vec(body).map_err(|_| Failure::new(Reason::Rejected))?;
        let request = self.client.post(format!("{}{path}", self.base_url)).body(Bytes::from(body));
        // Streams, which packing would hold back, and base64, which it does not make much smaller.
        let request =
            request.header(header::CONTENT_TYPE, "application/json").header(header::ACCEPT_ENCODING, "identity");
        let send = async |key: Option<&Private<String>>| {
            let request = request.try_clone().ok_or(Failure::new(Reason::Rejected))?;
            let request = match key {
                Some(key) => request.bearer_auth(&key.0),
                None => request,
            };
            upstream::send(path.trim_start_matches('/'), request, repeat, &self.repetitions, deadline).await
        };
        let response = match &self.key {
            None => send(None).await?,
            Some(secret) => {
                let key = self.reveal(secret, deadline).await?;
                let response = send(Some(&key)).await?;
                let refused = response.status() == StatusCode::UNAUTHORIZED;
                // It may have been replaced since it was read.
                let renewed = async { if refused { secret.renewed(&key.0).await } else { None } };
                match tokio::time::timeout_at(deadline.instant(), renewed).await {
                    Ok(Some(key)) => send(Some(&key)).await?,
                    _ => response,
                }
            }
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = tokio::time::timeout_at(deadline.instant(), upstream::read(response)).await;
        let told = body.ok().and_then(Result::ok).and_then(|body| Told::read(&body)).unwrap_or_default();
        let failure = Failure::answered(status, &headers, told.reason(status));
        Err(Refusal { failure, code: told.code(), param: told.param.filter(|param| is_name(param)) })
    }

    async fn reveal(&self, key: &Secret, deadline: Deadline) -> Result<Arc<Private<String>>, Failure> {
        let revealed = tokio::time::timeout_at(deadline.instant(), key.reveal()).await;
        revealed.map_err(|_| Failure::new(Reason::Timeout))?.map_err(|error| {
            tracing::error!(cause = format!("{error:#}"), "the key of the model's server cannot be read");
            Failure::new(Reason::Unauthorized)
        })
    }
}

/// An answer that is not a success, or none.
#[derive(Debug)]
pub struct Refusal {
    /// What it means.
    pub failure: Failure,
    /// The server's own name for it.
    pub code: Option<String>,
    /// The field that it names as the fault.
    pub param: Option<String>,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, code: None, param: None }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

/// What a server tells of a failure: `{"error": {"code", "type", "param", "message"}}`, of which each may be missing, null
/// or, with some servers, a number.
#[derive(Debug, Default, Deserialize)]
pub struct Told {
    #[serde(default)]
    code: Value,
    #[serde(default, rename = "type")]
    kind: Value,
    #[serde(default)]
    param: Option<String>,
}

impl Told {
    fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            error: Told,
        }
        serde_json::from_slice::<Body>(body).ok().map(|body| body.error)
    }

    /// The failure that an error within a stream means: there the status was 200 already.
    pub fn failure(&self) -> Failure {
        let status = self.code.as_u64().and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Failure::answered(status, &header::HeaderMap::new(), self.reason(status))
    }

    /// The kind of failure, where the server's words for it say more than the status.
    fn reason(&self, status: StatusCode) -> Option<Reason> {
        match self.code()?.as_str() {
            "rate_limit_exceeded" | "insufficient_quota" | "rate_limit_error" => Some(Reason::RateLimited),
            "invalid_api_key" | "authentication_error" => Some(Reason::Unauthorized),
            "context_length_exceeded" | "invalid_request_error" | "content_filter" | "content_policy_violation"
                if !status.is_client_error() =>
            {
                Some(Reason::Rejected)
            }
            _ => None,
        }
    }

    /// The code, else the type; only a name, never a sentence.
    fn code(&self) -> Option<String> {
        let names = [&self.code, &self.kind].into_iter().filter_map(|value| match value {
            Value::String(name) => Some(Cow::from(name)),
            Value::Number(number) => Some(Cow::from(number.to_string())),
            _ => None,
        });
        names.into_iter().find(|name| is_name(name)).map(Cow::into_owned)
    }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte))
}
