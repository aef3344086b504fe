//! Tells an operator that somebody wants a person: by a webhook, by an SNS topic, or both.
//!
//! What is sent names the turn and the assistant, and no word of the conversation nor the session's id: those are listed for who has the
//! operator's key (`GET /v1/admin/handoffs`).

use std::time::{Duration, SystemTime};

use anyhow::Context;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::RequestBuilder;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::upstream::{self, Answer, Breaker, Failure, Reason};
use serde_json::json;
use tokio::sync::OnceCell;
use ulid::Ulid;

/// What metrics call them.
const WEBHOOK: &str = "handoff_webhook";
const TOPIC: &str = "handoff_topic";
/// The longest that one of them may take.
const LIMIT: Duration = Duration::from_secs(3);
/// A form, as SNS's query protocol takes it.
const FORM: &str = "application/x-www-form-urlencoded";

/// Where an operator is told.
#[derive(Default)]
pub struct Notify {
    client: reqwest::Client,
    webhook: Option<Webhook>,
    topic: Option<Topic>,
}

struct Webhook {
    url: String,
    breaker: Breaker,
}

struct Topic {
    arn: String,
    url: String,
    region: String,
    credentials: OnceCell<SharedCredentialsProvider>,
    breaker: Breaker,
}

impl Webhook {
    fn new(url: String) -> Self {
        Self { url, breaker: Breaker::new(WEBHOOK, LIMIT) }
    }
}

impl Notify {
    /// By `HANDOFF_WEBHOOK_URL` and `HANDOFF_TOPIC_ARN`, where they are set; `AWS_ENDPOINT_URL_SNS` is where SNS is found.
    ///
    /// # Errors
    /// The ARN has no region, or `AWS_REGION` is missing.
    pub fn from_env() -> anyhow::Result<Self> {
        let topic = config::optional("HANDOFF_TOPIC_ARN").map(|arn| {
            let region = arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned);
            let region = region.context("HANDOFF_TOPIC_ARN is no ARN of a topic")?;
            let endpoint = config::optional("AWS_ENDPOINT_URL_SNS");
            let url = endpoint.unwrap_or_else(|| format!("https://sns.{region}.amazonaws.com/"));
            let breaker = Breaker::new(TOPIC, LIMIT);
            anyhow::Ok(Topic { arn, url, region, credentials: OnceCell::new(), breaker })
        });
        Ok(Self {
            client: upstream::client()?,
            webhook: config::optional("HANDOFF_WEBHOOK_URL").map(Webhook::new),
            topic: topic.transpose()?,
        })
    }

    /// By a webhook alone.
    pub fn by_webhook(url: impl Into<String>) -> Self {
        Self { webhook: Some(Webhook::new(url.into())), ..Self::default() }
    }

    /// Tells of a hand-off. Where that fails, or is not tried because the circuit is open, it is logged: the hand-off is listed all
    /// the same.
    pub(crate) async fn tell(&self, turn_id: Ulid, assistant: &str) {
        let message = json!({"event": "handoff", "turn_id": turn_id.to_string(), "assistant": assistant});
        let deadline = Deadline::after(LIMIT);
        let webhook = async {
            let Some(Webhook { url, breaker }) = &self.webhook else { return Ok(()) };
            let request = self.client.post(url).json(&message);
            breaker.call(deadline, async { accepted(&upstream::exchange(WEBHOOK, request).await?) }).await
        };
        let topic = async {
            let Some(topic) = &self.topic else { return Ok(()) };
            topic.breaker.call(deadline, self.publish(topic, &message.to_string())).await
        };
        let (webhook, topic) = tokio::join!(webhook, topic);
        for (told, by) in [(webhook, "webhook"), (topic, "topic")] {
            if let Err(failure) = told {
                tracing::error!(by, turn = %turn_id, %failure, "nobody was told of a hand-off");
            }
        }
    }

    /// `Publish` of SNS, by its query protocol: one call does not warrant an SDK of its own.
    async fn publish(&self, topic: &Topic, message: &str) -> Result<(), Failure> {
        let request = self.signed(topic, message).await.map_err(|error| {
            tracing::error!(cause = format!("{error:#}"), "the call of SNS cannot be signed");
            Failure::new(Reason::Unauthorized)
        })?;
        accepted(&upstream::exchange(TOPIC, request).await?)
    }

    async fn signed(&self, topic: &Topic, message: &str) -> anyhow::Result<RequestBuilder> {
        let form = [("Action", "Publish"), ("Version", "2010-03-31"), ("TopicArn", &topic.arn), ("Message", message)];
        let mut request = self.client.post(&topic.url).form(&form).build()?;
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec();
        let provider = topic.credentials.get_or_try_init(async || {
            let config = aws_config::load_from_env().await;
            config.credentials_provider().context("no AWS credentials are configured")
        });
        let identity = provider.await?.provide_credentials().await.context("getting AWS credentials")?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&topic.region)
            .name("sns")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = [("content-type", FORM)];
        let signable =
            SignableRequest::new("POST", request.url().as_str(), headers.into_iter(), SignableBody::Bytes(&body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        for (name, value) in instructions.headers() {
            let name = http::HeaderName::from_bytes(name.as_bytes())?;
            request.headers_mut().insert(name, http::HeaderValue::from_str(value)?);
        }
        Ok(RequestBuilder::from_parts(self.client.clone(), request))
    }
}

fn accepted(answer: &Answer) -> Result<(), Failure> {
    match answer.status.is_success() {
        true => Ok(()),
        false => Err(Failure::answered(answer.status, &answer.headers, None)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use axum::Router;
    use http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn a_webhook_that_hangs_holds_up_one_turn_and_not_those_after_it() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let hang = Router::new().fallback(async move || {
            counter.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<StatusCode>().await
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let notify = Notify::by_webhook(format!("http://{}/", listener.local_addr().unwrap()));
        tokio::spawn(async move { axum::serve(listener, hang).await });
        notify.tell(Ulid::generate(), "travel").await;
        let started = Instant::now();
        for _ in 0..5 {
            notify.tell(Ulid::generate(), "travel").await;
        }
        assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
