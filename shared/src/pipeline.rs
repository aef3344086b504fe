//! The client that calls steps: one pooled connection to the steps API, signed where that asks for it.
//!
//! On a laptop the steps are on loopback, over HTTP/2 without TLS; in AWS they are an API Gateway that lets in only what
//! carries a SigV4 signature.

use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt};
use http::{StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

use crate::config;
use crate::deadline::{DEADLINE_HEADER, Deadline};
use crate::problem::{Problem, ProblemBody};
use crate::step::{Step, StreamStep};

/// What a callee gets less than its caller has, so that its answer still arrives in time.
const TRANSIT: Duration = Duration::from_millis(20);

/// Calls steps.
pub struct Pipeline {
    client: reqwest::Client,
    base_url: String,
    signer: Option<Signer>,
}

impl Pipeline {
    /// A client for the steps below `base_url`, unsigned.
    pub fn new(base_url: impl Into<String>) -> anyhow::Result<Self> {
        let base_url = base_url.into().trim_end_matches('/').to_owned();
        let mut client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true);
        if base_url.starts_with("http://") {
            client = client.http2_prior_knowledge().http2_adaptive_window(true);
        }
        Ok(Self { client: client.build().context("building the client for the steps")?, base_url, signer: None })
    }

    /// The client that `STEPS_URL` and `STEPS_AUTH` (`iam` signs, nothing does not) describe.
    pub fn from_env() -> anyhow::Result<Self> {
        let mut pipeline = Self::new(config::required("STEPS_URL")?)?;
        match config::optional("STEPS_AUTH").as_deref() {
            None => {}
            Some("iam") => pipeline = pipeline.signed(config::required("AWS_REGION")?, None),
            Some(other) => return Err(anyhow!("STEPS_AUTH is {other:?}; it can be iam, or not set")),
        }
        Ok(pipeline)
    }

    /// The same, signing each call for `region` with the credentials given, else with those of the environment, which
    /// are looked up at the first call.
    pub fn signed(mut self, region: String, credentials: Option<SharedCredentialsProvider>) -> Self {
        self.signer = Some(Signer { region, credentials: OnceCell::new_with(credentials) });
        // API Gateway speaks HTTP/2 by ALPN, and a signed plain-text call is a test of ours over HTTP/1.1.
        if let Ok(client) = reqwest::Client::builder().connect_timeout(Duration::from_secs(3)).build() {
            self.client = client;
        }
        self
    }

    /// Calls a step and waits for its answer until the deadline.
    ///
    /// # Errors
    /// The step's own problem; 503 where it cannot be reached; 504 where the deadline passed; 502 where its answer cannot
    /// be read.
    pub async fn call<In: Serialize, Out: DeserializeOwned>(
        &self,
        step: &Step<In, Out>,
        input: &In,
        deadline: Deadline,
    ) -> Result<Out, Problem> {
        let exchange = async {
            let response = self.send(step.path, input, deadline).await?;
            let body = response.bytes().await.map_err(|error| unreachable(step.path, error))?;
            serde_json::from_slice(&body).map_err(|error| unreadable(step.path, error))
        };
        tokio::time::timeout_at(deadline.instant(), exchange).await.map_err(|_| Problem::deadline())?
    }

    /// Calls a streaming step. Each item comes as it is sent; a stream that breaks, or goes on past the deadline, ends in
    /// an error.
    ///
    /// # Errors
    /// As [`Self::call`], as long as the stream has not begun.
    pub async fn stream<In: Serialize, Item: DeserializeOwned>(
        &self,
        step: &StreamStep<In, Item>,
        input: &In,
        deadline: Deadline,
    ) -> Result<impl Stream<Item = Result<Item, Problem>> + use<In, Item>, Problem> {
        let path = step.path;
        let answer = tokio::time::timeout_at(deadline.instant(), self.send(path, input, deadline)).await;
        let response = answer.map_err(|_| Problem::deadline())??;
        let items = response.bytes_stream().eventsource().map(move |event| {
            let event = event.map_err(|error| unreachable(path, error))?;
            serde_json::from_str(&event.data).map_err(|error| unreadable(path, error))
        });
        // The deadline's own item comes once, and ends the stream.
        let timer = futures::stream::once(async move {
            tokio::time::sleep_until(deadline.instant()).await;
            Err(Problem::deadline())
        });
        let merged = futures::stream::select(items.map(Some).chain(futures::stream::iter([None])), timer.map(Some));
        Ok(merged.scan(false, |over, item| {
            let item = item.filter(|_| !*over);
            *over = matches!(item, Some(Err(_)) | None);
            std::future::ready(item)
        }))
    }

    /// Sends a call, once more where the connection was dead: sockets that thawed with a Lambda often are.
    async fn send<In: Serialize>(
        &self,
        path: &'static str,
        input: &In,
        deadline: Deadline,
    ) -> Result<reqwest::Response, Problem> {
        let body = Bytes::from(serde_json::to_vec(input).map_err(Problem::internal)?);
        let mut again = true;
        let response = loop {
            let request = self.request(path, body.clone(), deadline).await.map_err(Problem::internal)?;
            match self.client.execute(request).await {
                Ok(response) => break response,
                Err(error) if again && is_connection_error(&error) => again = false,
                Err(error) => return Err(unreachable(path, error)),
            }
        };
        if response.status().is_success() {
            return Ok(response);
        }
        Err(problem_of(path, response).await)
    }

    async fn request(&self, path: &str, body: Bytes, deadline: Deadline) -> anyhow::Result<reqwest::Request> {
        let left = deadline.less(TRANSIT).remaining().as_millis() as u64;
        let url = format!("{}{path}", self.base_url);
        let mut request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(DEADLINE_HEADER, left)
            .body(body.clone())
            .build()?;
        if let Some(signer) = &self.signer {
            signer.sign(&mut request, &body).await?;
        }
        Ok(request)
    }
}

fn is_connection_error(error: &reqwest::Error) -> bool {
    !error.is_timeout() && (error.is_connect() || error.is_request())
}

fn unreachable(path: &str, error: impl Into<anyhow::Error>) -> Problem {
    let error = error.into().context(format!("calling {path}"));
    Problem::unavailable("A part of this service cannot be reached right now.", error)
}

fn unreadable(path: &str, error: serde_json::Error) -> Problem {
    let detail = "A part of this service gave an answer that cannot be read.";
    // serde's message can quote the answer, which can hold what a person wrote: its place is enough.
    let cause = anyhow!("the answer of {path} cannot be read at line {} column {}", error.line(), error.column());
    Problem::new(StatusCode::BAD_GATEWAY, "bad-step-answer", "Bad gateway", detail).caused_by(cause)
}

/// The problem a step answered with; what is none (an API Gateway that refused, say) becomes a 502 of ours.
async fn problem_of(path: &str, response: reqwest::Response) -> Problem {
    let status = response.status();
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let body = response.bytes().await.unwrap_or_default();
    match serde_json::from_slice::<ProblemBody>(&body) {
        Ok(body) => Problem::from_body(body, retry_after),
        Err(_) => {
            let detail = "A part of this service did not answer as it should.";
            Problem::new(StatusCode::BAD_GATEWAY, "bad-step-answer", "Bad gateway", detail)
                .caused_by(anyhow!("{path} answered {status} without a problem"))
        }
    }
}

struct Signer {
    region: String,
    credentials: OnceCell<SharedCredentialsProvider>,
}

impl Signer {
    async fn sign(&self, request: &mut reqwest::Request, body: &[u8]) -> anyhow::Result<()> {
        let provider = self.credentials.get_or_try_init(default_credentials).await?;
        let identity = provider.provide_credentials().await.context("getting AWS credentials")?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("execute-api")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        // The deadline is left out: what a proxy on the way changes must not break the signature.
        let signed = [(header::CONTENT_TYPE.as_str(), "application/json")];
        let signable =
            SignableRequest::new("POST", request.url().as_str(), signed.into_iter(), SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        for (name, value) in instructions.headers() {
            let name = http::HeaderName::from_bytes(name.as_bytes())?;
            request.headers_mut().insert(name, http::HeaderValue::from_str(value)?);
        }
        Ok(())
    }
}

async fn default_credentials() -> anyhow::Result<SharedCredentialsProvider> {
    let config = aws_config::load_from_env().await;
    config.credentials_provider().context("no AWS credentials are configured")
}
