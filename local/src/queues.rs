//! SQS on a laptop: an embedded server on loopback that the real SDK talks to, and what Lambda's event source mapping does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws::queue::Queue;
use aws_config::BehaviorVersion;
use aws_sdk_sqs::config::Region;
use aws_sdk_sqs::types::QueueAttributeName;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use runtime::deadline::Deadline;
use runtime::message::Message;
use runtime::meter;
use runtime::observe::observed_batch;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use winterbaume_core::{MockRequest, MockService};
use winterbaume_sqs::SqsService;

use crate::connection::OWN;
use crate::door::Key;
use crate::server::{self, Server};

/// How long a message that was taken and not deleted stays hidden, unless told otherwise.
pub const VISIBILITY: Duration = Duration::from_secs(60);
/// How long a worker has for a batch.
const WORKER_LIMIT: Duration = Duration::from_secs(50);
/// The most messages in a batch, as in the template.
const BATCH: usize = 50;
/// The largest request SQS takes, in bytes.
const REQUEST_LIMIT: usize = 2 * 1024 * 1024;

/// The embedded server and its queues.
pub(crate) struct Queues {
    server: Server,
    /// What `embed` works on.
    pub chunks: Pair,
    /// What `record` works on.
    pub turns: Pair,
}

/// A queue, and where messages end that its worker failed at too often.
#[derive(Clone)]
pub(crate) struct Pair {
    pub queue: Queue,
    pub dead: Queue,
}

impl Queues {
    /// Starts the server and makes the queues. They are in memory: what is pending in the tables is queued again at start.
    /// A message that was taken and not deleted comes again after `visibility`.
    pub async fn start(visibility: Duration) -> anyhow::Result<Self> {
        let listener = server::listen(0).context("opening a port for the queues")?;
        let (key, router) = (Key::random(), Router::new().fallback(answer).with_state(Arc::new(SqsService::new())));
        let server = Server::start(listener, key.clone().guard(router), OWN)?;
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(server.url())
            .region(Region::new("us-east-1"))
            .credentials_provider(key.credentials())
            .load()
            .await;
        let client = aws_sdk_sqs::Client::new(&config);
        let chunks = pair(&client, "chunks", visibility).await?;
        Ok(Self { server, chunks, turns: pair(&client, "turns", visibility).await? })
    }

    pub async fn stop(self) {
        self.server.stop(Duration::from_millis(500)).await;
    }
}

async fn pair(client: &aws_sdk_sqs::Client, name: &str, visibility: Duration) -> anyhow::Result<Pair> {
    let dead = create(client, &format!("{name}-dead"), visibility, None).await?;
    let arn = client.get_queue_attributes().queue_url(&dead).attribute_names(QueueAttributeName::QueueArn);
    let arn = arn.send().await.context("asking for a queue's name")?.attributes.unwrap_or_default();
    let arn = arn.get(&QueueAttributeName::QueueArn).context("a queue without a name")?;
    let queue = create(client, name, visibility, Some(arn)).await?;
    let dead = Queue::new(client.clone(), dead);
    Ok(Pair { queue: Queue::new(client.clone(), queue).with_dead_letters(&dead), dead })
}

async fn create(
    client: &aws_sdk_sqs::Client,
    name: &str,
    visibility: Duration,
    dead: Option<&String>,
) -> anyhow::Result<String> {
    let visibility = visibility.as_secs().to_string();
    let mut create =
        client.create_queue().queue_name(name).attributes(QueueAttributeName::VisibilityTimeout, visibility);
    if let Some(dead) = dead {
        let policy = format!(r#"{{"deadLetterTargetArn":"{dead}","maxReceiveCount":"{}"}}"#, aws::queue::TRIES);
        create = create.attributes(QueueAttributeName::RedrivePolicy, policy);
    }
    let made = create.send().await.with_context(|| format!("making the queue {name}"))?;
    made.queue_url.with_context(|| format!("the queue {name} has no address"))
}

async fn answer(State(sqs): State<Arc<SqsService>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let refused = |status: StatusCode| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response
    };
    let Ok(body) = to_bytes(body, REQUEST_LIMIT).await else { return refused(StatusCode::PAYLOAD_TOO_LARGE) };
    let uri = format!("http://sqs.us-east-1.amazonaws.com{}", parts.uri.path());
    let request = MockRequest { method: parts.method.to_string(), uri, headers: parts.headers, body };
    let answer = sqs.handle(request).await;
    let Ok(status) = StatusCode::from_u16(answer.status) else { return refused(StatusCode::BAD_GATEWAY) };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    *response.headers_mut() = answer.headers;
    response
}

/// Feeds a worker until told to stop: what it did not fail at is deleted, the rest comes again.
pub(crate) struct Mapping {
    stop: watch::Sender<bool>,
    working: JoinHandle<()>,
}

impl Mapping {
    /// `work` answers the ids of the messages that failed.
    pub fn start<F, Fut>(function: &'static str, queue: Queue, work: F) -> Self
    where
        F: Fn(Vec<Message>, Deadline) -> Fut + Send + 'static,
        Fut: Future<Output = Vec<String>> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        meter::cold_start(function);
        Self { stop, working: tokio::spawn(poll(function, queue, work, stopped)) }
    }

    /// Lets the batch under way finish, for as long as `grace`.
    pub async fn stop(mut self, grace: Duration) {
        self.stop.send_replace(true);
        if tokio::time::timeout(grace, &mut self.working).await.is_err() {
            self.working.abort();
        }
    }
}

async fn poll<F, Fut>(function: &'static str, queue: Queue, work: F, mut stopped: watch::Receiver<bool>)
where
    F: Fn(Vec<Message>, Deadline) -> Fut,
    Fut: Future<Output = Vec<String>> + Send + 'static,
{
    while !*stopped.borrow() {
        let received = tokio::select! {
            received = receive(&queue) => received,
            _ = stopped.changed() => return,
        };
        if received.is_empty() {
            continue;
        }
        let deadline = Deadline::after(WORKER_LIMIT);
        let working = observed_batch(function, &received, work(received.clone(), deadline));
        // On a task of its own, so that a panic fails this batch and no other.
        let Ok(failed) = tokio::spawn(working).await else { continue };
        let done = received.iter().filter(|message| !failed.contains(&message.id));
        if let Err(problem) = queue.delete(done).await {
            tracing::warn!(%problem, "finished messages could not be deleted");
        }
    }
}

/// Messages as they come, up to a batch.
async fn receive(queue: &Queue) -> Vec<Message> {
    let mut batch = Vec::new();
    let mut wait = Duration::from_secs(5);
    while batch.len() < BATCH {
        match queue.receive(wait).await {
            Ok(some) if some.is_empty() => break,
            Ok(some) => batch.extend(some),
            Err(problem) => {
                tracing::warn!(%problem, "the queue did not answer");
                tokio::time::sleep(Duration::from_secs(1)).await;
                break;
            }
        }
        wait = Duration::ZERO;
    }
    batch
}
