//! The client that calls steps: pooled connections to the steps API, signed where that asks for it.
//!
//! On a laptop the steps are on loopback, over HTTP/2 without TLS; in AWS they are an API Gateway that lets in only what
//! carries a SigV4 signature.

mod connections;

use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use contracts::problem::{Problem, ProblemBody};
use contracts::step::{Step, StreamStep};
use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt};
use http::{StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

use crate::config;
use crate::deadline::{DEADLINE_HEADER, Deadline};
use crate::flags::{FLAGS_HEADER, FlagSource, Handed};
use crate::trace::{TRACEPARENT, Trace, X_RAY};
use crate::upstream::was_not_sent;
use connections::{Connections, Place};

/// What a callee gets less than its caller has, so that its answer still arrives in time.
const TRANSIT: Duration = Duration::from_millis(20);

/// The longest that is waited before a step is called again that was not there.
const LONGEST_PAUSE: Duration = Duration::from_millis(300);
/// When the public is told to come again where a step had no room.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Steps that pay nobody and can do the same twice, so that they are called again even where they may have begun.
const REPEATABLE: [&str; 3] = ["/steps/understand", "/steps/session/", "/steps/retrieve"];

/// Calls steps.
pub struct Pipeline {
    connections: Connections,
    base_url: String,
    signer: Option<Signer>,
    flags: FlagSource,
}

impl Pipeline {
    /// A client for the steps below `base_url`, unsigned.
    pub fn new(base_url: impl Into<String>) -> anyhow::Result<Self> {
        let base_url = base_url.into().trim_end_matches('/').to_owned();
        let connections = match base_url.starts_with("http://") {
            // Nothing negotiates HTTP/2 without TLS, so the loopback has to know.
            true => Connections::shared(|| pool().http2_prior_knowledge().tls_certs_only([])),
            false => Connections::pooled(pool),
        };
        // A client that cannot be built is known from the start.
        connections.take()?;
        Ok(Self { connections, base_url, signer: None, flags: FlagSource::default() })
    }

    /// The same, handing the flags that `flags` knows by then on with each call.
    pub fn with_flags(self, flags: FlagSource) -> Self {
        Self { flags, ..self }
    }

    /// The client that `STEPS_URL` and `STEPS_AUTH` (`iam` signs, nothing does not) describe.
    pub fn from_env() -> anyhow::Result<Self> {
        let mut pipeline = Self::new(config::required("STEPS_URL")?)?;
        match config::optional("STEPS_AUTH").as_deref() {
            None => {}
            Some("iam") => pipeline = pipeline.signed(config::required("AWS_REGION")?, None)?,
            Some(other) => return Err(anyhow!("STEPS_AUTH is {other:?}; it can be iam, or not set")),
        }
        Ok(pipeline)
    }

    /// The same, signing each call for `region` with the credentials given, else with those of the environment, which
    /// are looked up at the first call.
    ///
    /// # Errors
    /// A client that cannot be built.
    pub fn signed(self, region: String, credentials: Option<SharedCredentialsProvider>) -> anyhow::Result<Self> {
        let connections = Connections::pooled(pool);
        connections.take()?;
        let signer = Some(Signer { region, credentials: OnceCell::new_with(credentials) });
        Ok(Self { connections, signer, ..self })
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
        self.call_until(step, input, deadline, deadline).await
    }

    /// The same, telling the step `deadline` and waiting for its answer until `end`.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_until<In: Serialize, Out: DeserializeOwned>(
        &self,
        step: &Step<In, Out>,
        input: &In,
        deadline: Deadline,
        end: Deadline,
    ) -> Result<Out, Problem> {
        // On the heap, for a turn holds several of these.
        let exchange = Box::pin(async {
            let body = self.send(step.path, input, deadline, reqwest::Response::bytes).await?.0;
            serde_json::from_slice(&body).map_err(|error| unreadable(step.path, error))
        });
        tokio::time::timeout_at(end.instant(), exchange).await.map_err(|_| Problem::deadline())?
    }

    /// Calls a streaming step. Each item comes as it is sent; it must begin by `deadline` and be whole by `end`. A stream
    /// that breaks, or goes on past its end, ends in an error.
    ///
    /// # Errors
    /// As [`Self::call`], as long as the stream has not begun.
    pub async fn stream<In: Serialize, Item: DeserializeOwned>(
        &self,
        step: &StreamStep<In, Item>,
        input: &In,
        deadline: Deadline,
        end: Deadline,
    ) -> Result<impl Stream<Item = Result<Item, Problem>> + use<In, Item>, Problem> {
        let path = step.path;
        let head = Box::pin(self.send(path, input, deadline, |response| std::future::ready(Ok(response))));
        let answer = tokio::time::timeout_at(deadline.instant(), head).await;
        let (response, place) = answer.map_err(|_| Problem::deadline())??;
        let items = response.bytes_stream().eventsource().map(move |event| {
            // Until the end, it is one of the calls of its connection.
            let _ = &place;
            let event = event.map_err(|error| unreachable(path, error))?;
            serde_json::from_str(&event.data).map_err(|error| unreadable(path, error))
        });
        let items = Some(Box::pin(items));
        Ok(futures::stream::unfold(items, move |items| async move {
            let mut items = items?;
            match tokio::time::timeout_at(end.instant(), items.next()).await {
                Ok(Some(Ok(item))) => Some((Ok(item), Some(items))),
                Ok(Some(Err(problem))) => Some((Err(problem), None)),
                Ok(None) => None,
                Err(_) => Some((Err(Problem::deadline()), None)),
            }
        }))
    }

    /// Sends a call and reads of its answer what `read` does, and once more where that can help and does nothing twice that
    /// costs: where it reached nobody (sockets that thawed with a Lambda are dead), where the step had no room, and for
    /// [`REPEATABLE`] steps after most failures. After a connection that broke, it goes over another.
    async fn send<In: Serialize, T, F: Future<Output = reqwest::Result<T>>>(
        &self,
        path: &'static str,
        input: &In,
        deadline: Deadline,
        read: fn(reqwest::Response) -> F,
    ) -> Result<(T, Place), Problem> {
        let body = Bytes::from(serde_json::to_vec(input).map_err(Problem::internal)?);
        match self.attempt(path, body.clone(), deadline, read).await? {
            Attempt::Answered(answer, place) => return Ok((answer, place)),
            Attempt::Failed(failure) if !failure.is_repeated(path) => return Err(failure.problem(path)),
            Attempt::Failed(failure) => {
                // Those who were refused together do not come back together. A dead connection is no reason to wait.
                let pause = LONGEST_PAUSE.mul_f64(0.2 + 0.8 * fastrand::f64());
                let pause = if matches!(failure, StepFailure::Unanswered(_)) { Duration::ZERO } else { pause };
                if pause > deadline.remaining() {
                    return Err(failure.problem(path));
                }
                tokio::time::sleep(pause).await;
            }
        }
        match self.attempt(path, body, deadline, read).await? {
            Attempt::Answered(answer, place) => Ok((answer, place)),
            Attempt::Failed(failure) => Err(failure.problem(path)),
        }
    }

    async fn attempt<T, F: Future<Output = reqwest::Result<T>>>(
        &self,
        path: &'static str,
        body: Bytes,
        deadline: Deadline,
        read: fn(reqwest::Response) -> F,
    ) -> Result<Attempt<T>, Problem> {
        let (client, place) = self.connections.take().map_err(Problem::internal)?;
        let request = self.request(&client, path, body, deadline).await.map_err(Problem::internal)?;
        let answer = match client.execute(request).await {
            Ok(response) if response.status().is_success() => read(response).await,
            Ok(response) => return Ok(Attempt::Failed(StepFailure::read(response).await)),
            Err(error) => Err(error),
        };
        Ok(match answer {
            Ok(answer) => Attempt::Answered(answer, place),
            Err(error) => {
                self.connections.give_up(&place);
                Attempt::Failed(StepFailure::Unanswered(error))
            }
        })
    }

    async fn request(
        &self,
        client: &reqwest::Client,
        path: &str,
        body: Bytes,
        deadline: Deadline,
    ) -> anyhow::Result<reqwest::Request> {
        let left = deadline.less(TRANSIT).remaining().as_millis() as u64;
        let url = format!("{}{path}", self.base_url);
        let mut request = client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(DEADLINE_HEADER, left)
            .body(body.clone())
            .build()?;
        if let Some(trace) = Trace::current() {
            let headers = request.headers_mut();
            headers.insert(TRACEPARENT, trace.traceparent().try_into()?);
            headers.insert(X_RAY, trace.x_ray().try_into()?);
        }
        if let Some(flags) = self.flags.known().and_then(|flags| Handed::header(&flags)) {
            request.headers_mut().insert(FLAGS_HEADER, flags);
        }
        if let Some(signer) = &self.signer {
            signer.sign(&mut request, &body).await?;
        }
        Ok(request)
    }
}

fn pool() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
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

/// What a call came to.
enum Attempt<T> {
    Answered(T, Place),
    Failed(StepFailure),
}

/// Why a call has no answer.
enum StepFailure {
    /// Nothing came back.
    Unanswered(reqwest::Error),
    /// The step's own problem.
    Told(Problem),
    /// A status without a problem: of what stands before the step, an API Gateway say.
    Untold(StatusCode),
}

impl StepFailure {
    async fn read(response: reqwest::Response) -> Self {
        let status = response.status();
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let body = response.bytes().await.unwrap_or_default();
        match serde_json::from_slice::<ProblemBody>(&body) {
            Ok(body) => Self::Told(Problem::from_body(body, retry_after)),
            Err(_) => Self::Untold(status),
        }
    }

    /// Whether the step was turned away before it began. A REST API answers Lambda's throttling with a 500 of its own.
    fn is_throttling(&self) -> bool {
        matches!(self, Self::Untold(status) if matches!(status.as_u16(), 429 | 500 | 503))
    }

    fn is_repeated(&self, path: &str) -> bool {
        let is_repeatable = REPEATABLE.iter().any(|step| path.starts_with(step));
        match self {
            Self::Unanswered(error) => was_not_sent(error) || (is_repeatable && !error.is_timeout()),
            Self::Told(problem) => is_repeatable && matches!(problem.status().as_u16(), 429 | 503),
            Self::Untold(status) => self.is_throttling() || (is_repeatable && matches!(status.as_u16(), 502 | 504)),
        }
    }

    fn problem(self, path: &str) -> Problem {
        let is_throttling = self.is_throttling();
        match self {
            Self::Unanswered(error) => unreachable(path, error),
            Self::Told(problem) => problem,
            Self::Untold(status) if is_throttling => {
                let cause = anyhow!("{path} answered {status} without a problem, twice");
                Problem::unavailable("This service is busy right now.", cause).retry_after(RETRY_AFTER)
            }
            Self::Untold(status) => {
                let detail = "A part of this service did not answer as it should.";
                Problem::new(StatusCode::BAD_GATEWAY, "bad-step-answer", "Bad gateway", detail)
                    .caused_by(anyhow!("{path} answered {status} without a problem"))
            }
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
        // The deadline, the trace and the flags are left out: what a proxy on the way changes must not break the signature.
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_credential_types::Credentials;
    use axum::Router;
    use axum::routing::post;
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::config::testing::Ssm;
    use crate::step::{Serve, ServeStream};

    const ECHO: Step<String, String> = Step::new("/steps/echo");
    const COUNT: StreamStep<u32, u32> = StreamStep::new("/steps/count");

    async fn serve(router: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn in_a_second() -> Deadline {
        Deadline::after(Duration::from_secs(1))
    }

    #[tokio::test]
    async fn the_flags_go_with_each_call_once_they_are_known_and_no_call_waits_for_them() {
        let (ssm, client) = Ssm::start().await;
        ssm.set(Some(r#"{"model": false}"#));
        *ssm.delay.lock().unwrap() = Duration::from_millis(400);
        let flags = FlagSource::parameter("/colloquy/flags", Some(client), Duration::from_secs(60));
        let shown = async |_, _, _| Ok(FlagSource::default().of_turn().await.model.to_string());
        let pipeline = Pipeline::new(serve(ECHO.serve(Arc::new(()), shown)).await).unwrap().with_flags(flags);
        let started = std::time::Instant::now();
        assert_eq!(pipeline.call(&ECHO, &String::new(), in_a_second()).await.unwrap(), "true");
        assert!(started.elapsed() < Duration::from_millis(350), "{:?}", started.elapsed());
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(pipeline.call(&ECHO, &String::new(), in_a_second()).await.unwrap(), "false");
        assert_eq!(*ssm.asked.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_step_answers_what_its_function_returns() {
        let url = serve(ECHO.serve(Arc::new(()), async |_, words, _| Ok(words))).await;
        let answer = Pipeline::new(url).unwrap().call(&ECHO, &"hello".to_owned(), in_a_second()).await;
        assert_eq!(answer.unwrap(), "hello");
    }

    #[tokio::test]
    async fn a_steps_problem_reaches_the_caller_as_it_was() {
        let refuse = async |_, _, _| Err::<String, _>(Problem::field("words", "too rude"));
        let url = serve(ECHO.serve(Arc::new(()), refuse)).await;
        let problem = Pipeline::new(url).unwrap().call(&ECHO, &String::new(), in_a_second()).await.unwrap_err();
        assert_eq!(problem.body(), Problem::field("words", "too rude").body());
    }

    #[tokio::test]
    async fn a_step_that_hangs_is_given_up_at_the_deadline() {
        let hang = async |_: Arc<()>, _: String, _: Deadline| std::future::pending::<Result<String, Problem>>().await;
        let url = serve(ECHO.serve(Arc::new(()), hang)).await;
        let started = std::time::Instant::now();
        let deadline = Deadline::after(Duration::from_millis(200));
        let problem = Pipeline::new(url).unwrap().call(&ECHO, &String::new(), deadline).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::GATEWAY_TIMEOUT);
        assert!(started.elapsed() < Duration::from_millis(900));
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_a_503_with_a_cause() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let problem = Pipeline::new(url).unwrap().call(&ECHO, &String::new(), in_a_second()).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(std::error::Error::source(&problem).is_some());
    }

    #[tokio::test]
    async fn an_answer_that_is_not_the_contracts_is_a_502() {
        let url = serve(Router::new().route(ECHO.path, post(async || "not json"))).await;
        let problem = Pipeline::new(url).unwrap().call(&ECHO, &String::new(), in_a_second()).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::BAD_GATEWAY);
    }

    #[tokio::test]
    async fn a_stream_comes_item_by_item_and_ends() {
        let count = async |_, to: u32, _| Ok(futures::stream::iter(0..to));
        let url = serve(COUNT.serve(Arc::new(()), count)).await;
        let items = Pipeline::new(url).unwrap().stream(&COUNT, &3, in_a_second(), in_a_second()).await.unwrap();
        let items: Vec<u32> = items.map(Result::unwrap).collect().await;
        assert_eq!(items, [0, 1, 2]);
    }

    #[tokio::test]
    async fn a_stream_that_stalls_ends_in_an_error_at_the_deadline() {
        let stall = async |_, _, _| Ok(futures::stream::iter([7]).chain(futures::stream::pending()));
        let url = serve(COUNT.serve(Arc::new(()), stall)).await;
        let deadline = Deadline::after(Duration::from_millis(300));
        let items = Pipeline::new(url).unwrap().stream(&COUNT, &0, deadline, deadline).await.unwrap();
        let items: Vec<_> = items.collect().await;
        assert_eq!(*items[0].as_ref().unwrap(), 7);
        assert_eq!(items[1].as_ref().unwrap_err().status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(items.len(), 2);
    }

    const READ: Step<String, String> = Step::new("/steps/session/read");

    /// Accepts a connection, drops it, then serves: what a socket that thawed with a Lambda looks like.
    #[tokio::test]
    async fn a_dead_connection_is_tried_once_more() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = accepted.clone();
        tokio::spawn(async move {
            drop(listener.accept().await);
            counter.fetch_add(1, Ordering::SeqCst);
            axum::serve(listener, ECHO.serve(Arc::new(()), async |_, words, _| Ok(words))).await
        });
        let answer = Pipeline::new(url).unwrap().call(&ECHO, &"again".to_owned(), in_a_second()).await;
        assert_eq!((answer.unwrap().as_str(), accepted.load(Ordering::SeqCst)), ("again", 1));
    }

    /// Calls a step over HTTP/1.1 that dies with the first request in its hands, then answers; how often it was called.
    async fn call_one_that_dies(step: &Step<String, String>) -> (usize, Result<String, Problem>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                if connection.read(&mut [0; 8192]).unwrap() > 0 && counter.fetch_add(1, Ordering::SeqCst) > 0 {
                    connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n\"done\"").unwrap();
                }
            }
        });
        let credentials = SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test"));
        let pipeline = Pipeline::new(url).unwrap().signed("eu-central-1".to_owned(), Some(credentials)).unwrap();
        let answer = pipeline.call(step, &String::new(), in_a_second()).await;
        (calls.load(Ordering::SeqCst), answer)
    }

    #[tokio::test]
    async fn after_a_connection_that_broke_only_a_step_that_pays_nobody_is_called_again() {
        let (calls, answer) = call_one_that_dies(&READ).await;
        assert_eq!((calls, answer.unwrap().as_str()), (2, "done"));
        let (calls, answer) = call_one_that_dies(&ECHO).await;
        assert_eq!((calls, answer.unwrap_err().status()), (1, StatusCode::SERVICE_UNAVAILABLE));
    }

    /// Carries connections to `url`, and cuts the first of them once `cut` is told; the address to connect to.
    async fn relay(url: String, cut: Arc<tokio::sync::Notify>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let to = url.trim_start_matches("http://").to_owned();
            let mut cut = Some(cut);
            while let Ok((mut from, _)) = listener.accept().await {
                let mut to = tokio::net::TcpStream::connect(&to).await.unwrap();
                // Nobody tells the others.
                let cut = cut.take().unwrap_or_default();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
                        () = cut.notified() => {}
                    }
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn a_connection_that_breaks_takes_along_the_calls_it_carries_and_only_those_that_may_have_been_paid() {
        const CALLS: usize = 250;
        let cut = Arc::new(tokio::sync::Notify::new());
        let slow = async |_, words, _| {
            tokio::time::sleep(Duration::from_millis(400)).await;
            Ok(words)
        };
        let steps = ECHO.serve(Arc::new(()), slow).merge(READ.serve(Arc::new(()), slow));
        let pipeline = Pipeline::new(relay(serve(steps).await, cut.clone()).await).unwrap();
        let deadline = Deadline::after(Duration::from_secs(5));
        let breaks = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            cut.notify_one();
        };
        let words = String::new();
        let calls = (0..CALLS).map(|number| {
            let step = if number % 2 == 0 { &READ } else { &ECHO };
            pipeline.call(step, &words, deadline)
        });
        let (answers, ()) = tokio::join!(futures::future::join_all(calls), breaks);
        let failed: Vec<usize> = (0..CALLS).filter(|number| answers[*number].is_err()).collect();
        assert_eq!(failed.len(), 50, "half of the hundred on it: {failed:?}");
        assert!(failed.iter().all(|number| number % 2 == 1), "what pays nobody was called again: {failed:?}");
        assert!(pipeline.call(&ECHO, &words, deadline).await.is_ok(), "the next goes over another");
    }

    /// Answers this at first, then as the step does; how often it was called, and what the caller gets.
    async fn refused_at_first(
        step: &'static Step<String, String>,
        refusal: http::Response<&'static str>,
        times: usize,
    ) -> (usize, Result<String, Problem>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let answer = async move || {
            if counter.fetch_add(1, Ordering::SeqCst) < times {
                refusal.clone().map(axum::body::Body::from)
            } else {
                axum::response::IntoResponse::into_response(axum::Json("done"))
            }
        };
        let url = serve(Router::new().route(step.path, post(answer))).await;
        let answer = Pipeline::new(url).unwrap().call(step, &String::new(), in_a_second()).await;
        (calls.load(Ordering::SeqCst), answer)
    }

    #[tokio::test]
    async fn a_step_that_was_throttled_is_called_once_more_and_then_is_a_503_to_come_back_to() {
        const GATEWAY: &str = r#"{"message": "Internal server error"}"#;
        const OURS: &str = r#"{"type": "urn:colloquy:problem:unavailable", "title": "Not available", "status": 503}"#;
        for (step, status, body, called) in [
            (&ECHO, 500, GATEWAY, 2),
            (&ECHO, 503, GATEWAY, 2),
            (&ECHO, 429, GATEWAY, 2),
            (&READ, 502, GATEWAY, 2),
            (&READ, 504, GATEWAY, 2),
            (&READ, 503, OURS, 2),
            // It may have begun, and been paid.
            (&ECHO, 502, GATEWAY, 1),
            (&ECHO, 504, GATEWAY, 1),
            (&ECHO, 503, OURS, 1),
        ] {
            let refusal = || http::Response::builder().status(status).body(body).unwrap();
            let (calls, answer) = refused_at_first(step, refusal(), 1).await;
            assert_eq!((calls, answer.is_ok()), (called, called == 2), "{} {status} {body}", step.path);
            let (calls, answer) = refused_at_first(step, refusal(), 9).await;
            assert_eq!(calls, called, "no more than once");
            let gives = if matches!(status, 502 | 504) { 502 } else { 503 };
            assert_eq!(answer.unwrap_err().status().as_u16(), gives, "{} {status}", step.path);
        }
        let refusal = http::Response::builder().status(500).body(GATEWAY).unwrap();
        let answer =
            axum::response::IntoResponse::into_response(refused_at_first(&ECHO, refusal, 9).await.1.unwrap_err());
        assert_eq!(answer.headers()["retry-after"], "2");
    }

    fn hmac(key: &[u8], text: &str) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The signature as AWS computes it from what arrived (the Signature Version 4 documentation, "canonical request").
    fn recomputed(headers: &http::HeaderMap, body: &str, secret: &str) -> String {
        let of = |name: &str| headers.get(name).unwrap().to_str().unwrap().trim().to_owned();
        let authorization = of("authorization");
        let part = |name: &str| authorization.split(name).nth(1).unwrap().split(',').next().unwrap().to_owned();
        let signed = part("SignedHeaders=");
        let scope = part("Credential=").split_once('/').unwrap().1.to_owned();
        let listed: String = signed.split(';').map(|name| format!("{name}:{}\n", of(name))).collect();
        let hashed = hex(&Sha256::digest(body));
        let canonical = format!("POST\n/steps/echo\n\n{listed}\n{signed}\n{hashed}");
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", of("x-amz-date"), hex(&Sha256::digest(canonical)));
        let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
        hex(&hmac(&key, &to_sign))
    }

    #[tokio::test]
    async fn a_signed_call_bears_the_signature_that_aws_recomputes() {
        let check = async |headers: http::HeaderMap, body: String| {
            assert_eq!(headers["x-amz-security-token"], "token");
            let expected = recomputed(&headers, &body, "secret");
            let authorization = headers["authorization"].to_str().unwrap().to_owned();
            assert!(authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token"));
            assert!(authorization.contains("/eu-central-1/execute-api/aws4_request"));
            axum::Json(authorization.ends_with(&format!("Signature={expected}")).to_string())
        };
        let url = serve(Router::new().route(ECHO.path, post(check))).await;
        let credentials = Credentials::new("id", "secret", Some("token".to_owned()), None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        let pipeline = Pipeline::new(url).unwrap().signed("eu-central-1".to_owned(), Some(credentials)).unwrap();

        let matches = pipeline.call(&ECHO, &"héllo".to_owned(), in_a_second()).await.unwrap();

        assert_eq!(matches, "true");
    }
}
