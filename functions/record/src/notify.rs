//! Tells an operator that somebody wants a person: by a webhook, by an SNS topic, or both.
//!
//! What is sent names the turn and the assistant, and no word of the conversation nor the session's id: those are listed for who has the
//! operator's key (`GET /v1/admin/handoffs`).

use std::time::{Duration, SystemTime};

use anyhow::Context;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use runtime::config;
use serde_json::json;
use tokio::sync::OnceCell;
use ulid::Ulid;

/// The longest that one of them may take.
const LIMIT: Duration = Duration::from_secs(3);
/// A form, as SNS's query protocol takes it.
const FORM: &str = "application/x-www-form-urlencoded";

/// Where an operator is told.
#[derive(Default)]
pub struct Notify {
    client: reqwest::Client,
    webhook: Option<String>,
    topic: Option<Topic>,
}

struct Topic {
    arn: String,
    url: String,
    region: String,
    credentials: OnceCell<SharedCredentialsProvider>,
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
            anyhow::Ok(Topic { arn, url, region, credentials: OnceCell::new() })
        });
        Ok(Self {
            client: reqwest::Client::builder().timeout(LIMIT).build().context("building a client")?,
            webhook: config::optional("HANDOFF_WEBHOOK_URL"),
            topic: topic.transpose()?,
        })
    }

    /// By a webhook alone.
    pub fn by_webhook(url: impl Into<String>) -> Self {
        Self { webhook: Some(url.into()), ..Self::default() }
    }

    /// Tells of a hand-off. Where that fails it is logged: the hand-off is listed all the same.
    pub(crate) async fn tell(&self, turn_id: Ulid, assistant: &str) {
        let message = json!({"event": "handoff", "turn_id": turn_id.to_string(), "assistant": assistant});
        let webhook = async {
            let Some(url) = &self.webhook else { return Ok(()) };
            self.client.post(url).json(&message).send().await?.error_for_status()?;
            anyhow::Ok(())
        };
        let topic = async {
            let Some(topic) = &self.topic else { return Ok(()) };
            self.publish(topic, &message.to_string()).await
        };
        let (webhook, topic) = tokio::join!(webhook, topic);
        for (told, by) in [(webhook, "webhook"), (topic, "topic")] {
            if let Err(error) = told {
                tracing::error!(by, turn = %turn_id, cause = format!("{error:#}"), "nobody was told of a hand-off");
            }
        }
    }

    /// `Publish` of SNS, by its query protocol: one call does not warrant an SDK of its own.
    async fn publish(&self, topic: &Topic, message: &str) -> anyhow::Result<()> {
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
        self.client.execute(request).await?.error_for_status()?;
        Ok(())
    }
}
