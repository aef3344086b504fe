//! SQS: work that no reply waits for.
//!
//! Messages carry keys, not text. A message is delivered at least once, so its worker must be able to do it twice.
//!
//! What a worker cannot do now is put back by its visibility: it stays the same message, so that SQS counts its tries and
//! its age. After [`TRIES`] or [`LONGEST_WAIT`] it is given up, as a dead letter.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use contracts::problem::Problem;
use futures::{StreamExt, TryStreamExt, stream};
use runtime::message::{Message, waited};
use runtime::trace::{TRACEPARENT, Trace};
use runtime::{config, meter, sdk};
use serde::Serialize;

/// The most messages in one call.
const BATCH: usize = 10;
/// How many calls are under way at once.
const CALLS: usize = 8;
/// How often what SQS did not take is sent again.
const ATTEMPTS: u32 = 3;
/// The longest that SQS holds a message back.
const LONGEST_DELAY: Duration = Duration::from_secs(900);
/// After how many tries a message is given up; the queues' `maxReceiveCount`, for a worker that does not live to say so.
pub const TRIES: u32 = 50;
/// After which time a message is given up.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// The longest between two tries: with doubled pauses before it, [`TRIES`] are made in some 20 hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(1800);

/// One queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
    /// Where messages end that are given up.
    dead: Option<String>,
}

/// Why a worker is not done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Undone {
    /// Something it needs is unavailable; it is tried again after a pause that grows with its tries, and not before this time is over.
    Later(Option<Duration>),
    /// Trying again would not help: the message or what it names is at fault, or something is configured wrongly.
    Hopeless,
}

impl Queue {
    /// The queue at that URL.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into(), dead: None }
    }

    /// The same, whose worker gives messages up to `dead`.
    pub fn with_dead_letters(self, dead: &Self) -> Self {
        Self { dead: Some(dead.url.clone()), ..self }
    }

    /// The queue whose URL the variable `name` holds.
    ///
    /// # Errors
    /// The variable is missing.
    pub async fn from_env(name: &str) -> anyhow::Result<Self> {
        let url = config::required(name)?;
        Ok(Self::new(client().await, url))
    }

    /// The queue of a worker, and the one of its dead letters, whose URLs the variables `name` and `dead` hold.
    ///
    /// # Errors
    /// A variable that is missing, named.
    pub async fn of_worker_from_env(name: &str, dead: &str) -> anyhow::Result<Self> {
        let (queue, dead) = (Self::from_env(name).await?, config::required(dead)?);
        Ok(Self { dead: Some(dead), ..queue })
    }

    /// Puts back or gives up a message that is not done. Whether it is to be delivered again; else it is to be deleted, and
    /// lies among the dead letters.
    pub async fn put_back(&self, message: &Message, undone: Undone) -> bool {
        let is_over = message.tries >= TRIES || message.waited >= LONGEST_WAIT;
        let (id, tries, waited_s) = (&message.id, message.tries, message.waited.as_secs());
        match undone {
            Undone::Later(pause) if !is_over => {
                let doubled = Duration::from_secs(1 << message.tries.saturating_sub(1).min(16));
                let pause = pause.unwrap_or_default().max(doubled).min(LONGEST_PAUSE);
                meter::put_back();
                // Where this fails, the message comes again after the queue's own visibility timeout.
                if let Err(problem) = self.hide(message, pause).await {
                    tracing::warn!(%problem, message = id, "a message could not be put back for as long as it should");
                }
                true
            }
            _ => match self.give_up(message).await {
                Ok(()) => {
                    tracing::error!(message = id, tries, waited_s, "a message was given up");
                    false
                }
                Err(problem) => {
                    tracing::error!(%problem, message = id, tries, waited_s, "a message could not be given up");
                    true
                }
            },
        }
    }

    async fn hide(&self, message: &Message, pause: Duration) -> Result<(), Problem> {
        let seconds = i32::try_from(pause.as_secs()).unwrap_or(0);
        let hide = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(&message.receipt);
        let hidden = hide.visibility_timeout(seconds).send().await;
        hidden.map(drop).map_err(|error| failed("putting a message back", &error))
    }

    async fn give_up(&self, message: &Message) -> Result<(), Problem> {
        let Some(dead) = &self.dead else {
            return Err(Problem::internal(anyhow::anyhow!("this queue has no dead letters")));
        };
        self.send_batch(dead, std::slice::from_ref(&message.body), 0).await
    }

    /// Sends all of them, ten in a call, several calls at once. What SQS takes no second time may be sent twice.
    pub async fn send<T: Serialize>(&self, messages: &[T]) -> Result<(), Problem> {
        self.send_later(messages, Duration::ZERO).await
    }

    /// The same, delivered no earlier than after `delay` (15 minutes at most).
    pub async fn send_later<T: Serialize>(&self, messages: &[T], delay: Duration) -> Result<(), Problem> {
        let seconds = i32::try_from(delay.min(LONGEST_DELAY).as_secs()).unwrap_or(0);
        let bodies: Result<Vec<String>, _> = messages.iter().map(serde_json::to_string).collect();
        let bodies = bodies.map_err(Problem::internal)?;
        let batches: Vec<_> = bodies.chunks(BATCH).map(|batch| self.send_batch(&self.url, batch, seconds)).collect();
        stream::iter(batches).buffer_unordered(CALLS).try_collect().await
    }

    async fn send_batch(&self, url: &str, bodies: &[String], delay_seconds: i32) -> Result<(), Problem> {
        let trace = Trace::current().map(|trace| {
            MessageAttributeValue::builder().data_type("String").string_value(trace.traceparent()).build()
        });
        let trace = trace.transpose().map_err(Problem::internal)?;
        let entry = |(index, body): (usize, &String)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body);
            let attributes = trace.clone().map(|trace| HashMap::from([(TRACEPARENT.to_owned(), trace)]));
            entry.set_message_attributes(attributes).delay_seconds(delay_seconds).build().map_err(Problem::internal)
        };
        let mut entries: Vec<_> = bodies.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        for attempt in 1..=ATTEMPTS {
            let send = self.client.send_message_batch().queue_url(url).set_entries(Some(entries.clone()));
            let output = send.send().await.map_err(|error| failed("sending to a queue", &error))?;
            let refused = output.failed();
            entries.retain(|entry| refused.iter().any(|failure| failure.id() == entry.id()));
            if entries.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
        }
        let cause = anyhow::anyhow!("sending to a queue: {} messages were not taken", entries.len());
        Err(Problem::unavailable("The queue of this service is away for now.", cause))
    }

    /// Up to ten messages; waits for the first as long as `wait`. They come again after the queue's visibility timeout,
    /// unless they are deleted. In AWS the event source mapping does this.
    pub async fn receive(&self, wait: Duration) -> Result<Vec<Message>, Problem> {
        let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
        let receive = receive.wait_time_seconds(i32::try_from(wait.as_secs()).unwrap_or(20));
        let receive = receive.set_message_system_attribute_names(Some(vec![
            MessageSystemAttributeName::ApproximateReceiveCount,
            MessageSystemAttributeName::SentTimestamp,
        ]));
        let receive = receive.message_attribute_names(TRACEPARENT);
        let output = receive.send().await.map_err(|error| failed("receiving from a queue", &error))?;
        let message = |message: aws_sdk_sqs::types::Message| {
            let attribute = |name| message.attributes().and_then(|all| all.get(&name)).map(String::as_str);
            let tries = attribute(MessageSystemAttributeName::ApproximateReceiveCount);
            let waited = waited(attribute(MessageSystemAttributeName::SentTimestamp));
            let trace = message.message_attributes().and_then(|all| all.get(TRACEPARENT));
            Message {
                trace: trace.and_then(|value| Trace::from_traceparent(value.string_value()?)),
                waited,
                tries: tries.and_then(|tries| tries.parse().ok()).unwrap_or(1),
                id: message.message_id.unwrap_or_default(),
                receipt: message.receipt_handle.unwrap_or_default(),
                body: message.body.unwrap_or_default(),
            }
        };
        Ok(output.messages.unwrap_or_default().into_iter().map(message).collect())
    }

    /// Whether there is no message in it, neither one that waits nor one that a worker has. It is told a little late.
    pub async fn is_empty(&self) -> Result<bool, Problem> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let get = self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(counts.to_vec()));
        let output = get.send().await.map_err(|error| failed("counting what is in a queue", &error))?;
        let told = output.attributes.unwrap_or_default();
        Ok(counts.iter().all(|count| told.get(count).is_some_and(|number| number == "0")))
    }

    /// Deletes messages that are done, ten in a call, several calls at once. In AWS the event source mapping does this.
    ///
    /// # Errors
    /// The queue is away; some may be deleted. What SQS did not delete comes again, which is no error.
    pub async fn delete<'a>(&self, messages: impl IntoIterator<Item = &'a Message>) -> Result<(), Problem> {
        let entry = |(index, message): (usize, &Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(&message.receipt).build().map_err(Problem::internal)
        };
        let entries: Vec<_> = messages.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let delete = |batch: &[DeleteMessageBatchRequestEntry]| {
            let delete = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(batch.to_vec()));
            async { delete.send().await.map(drop).map_err(|error| failed("deleting from a queue", &error)) }
        };
        let batches: Vec<_> = entries.chunks(BATCH).map(delete).collect();
        stream::iter(batches).buffer_unordered(CALLS).try_collect().await
    }
}

/// A client with the credentials, region and endpoint of the environment.
async fn client() -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(1));
    let timeouts = timeouts.operation_attempt_timeout(Duration::from_secs(5)).build();
    let config = aws_sdk_sqs::config::Builder::from(sdk::config().await).timeout_config(timeouts);
    Client::from_conf(config.build())
}

fn failed<E: ProvideErrorMetadata, R>(doing: &str, error: &SdkError<E, R>) -> Problem {
    let kind = match error {
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "not reached",
        _ => error.code().unwrap_or("service error"),
    };
    Problem::unavailable("The queue of this service is away for now.", anyhow::anyhow!("{doing}: {kind}"))
}
