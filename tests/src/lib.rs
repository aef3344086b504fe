//! What the whole-system tests share: the set, started on free ports with its tables in memory, and a client for it.

use std::time::Duration;

use axum::Router;
use flights::duffel::Duffel;
use flights::provider::Provider;
use flights::sample::Sample;
use flights::scale::Scales;
use ingest::PdfReader;
use iso_currency::Currency;
use local::{Capacity, ClientLimit, Colloquy, Hosts, Options, State};
use record::Prices;
use runtime::assistants::Assistants;
use runtime::config::Secret;
use runtime::flags::FlagSource;
use serde_json::{Value, json};

pub mod answers;
pub mod conversations;
pub mod deployed;
pub mod evaluation;
pub mod retrieval;
pub mod vectors;

/// The set under test, and a client.
pub struct App {
    /// The set.
    pub colloquy: Colloquy,
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body; null where it is empty.
    pub body: Value,
}

impl App {
    /// Starts the set with sample flights.
    pub async fn start() -> Self {
        Self::with_flights(sample_flights()).await
    }

    /// Starts the set with the flight providers given.
    pub async fn with_flights(flights: flights::Deps) -> Self {
        Self::with_options(Options { flights, ..options() }).await
    }

    /// Starts the set with the options given.
    pub async fn with_options(options: Options) -> Self {
        let colloquy = Colloquy::start(options).await.expect("the set starts");
        Self { colloquy, client: reqwest::Client::new() }
    }

    /// A request to a path below the public address.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.client.request(method, format!("{}{path}", self.colloquy.url()))
    }

    /// Sends a request and reads its answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("a body");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("a JSON body") };
        Answer { status, headers, body }
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// Sends a request of a session, without a body.
    pub async fn of_session(&self, method: &str, path: &str, session_id: &str) -> Answer {
        self.send(self.request(method, path).header("colloquy-session", session_id)).await
    }

    /// Posts a body to the chat.
    pub async fn post_chat(&self, body: &Value) -> Answer {
        self.send(self.request("POST", "/v1/chat").json(body)).await
    }

    /// Says something to the travel agent on Friday 20 November 2026 in Lahore, and expects an answer.
    pub async fn say(&self, session_id: Option<&str>, message: &str) -> Value {
        let mut body = json!({"assistant": "travel", "message": message, "client_time": FRIDAY});
        if let Some(id) = session_id {
            body["session_id"] = json!(id);
        }
        let answer = self.post_chat(&body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

/// The moment that [`App::say`] speaks.
pub const FRIDAY: &str = "2026-11-20T09:00:00+05:00[Asia/Karachi]";

/// The set on a free port, with its tables in memory, sample flights and no model.
pub fn options() -> Options {
    let assistants = Assistants::embedded().expect("the assistants can be read");
    let respond = respond::Deps::new(assistants.clone(), None);
    Options {
        port: 0,
        hosts: Hosts::default(),
        client_limit: ClientLimit::default(),
        capacity: Capacity::for_turns(16_384),
        state: State::Memory,
        understand: understand::Deps::default(),
        flights: sample_flights(),
        respond,
        flags: FlagSource::default(),
        assistants,
        own_texts: Vec::new(),
        embedder: None,
        next_embedder: None,
        embed_concurrency: 5,
        retrieve_memory: 64 * 1024 * 1024,
        prices: Prices::with(None).expect("the prices can be read"),
        max_daily_cost: None,
        visibility: local::VISIBILITY,
        documents_key: Some(Secret::new("DOCUMENTS_API_KEY", DOCUMENTS_KEY.to_owned())),
        operator_key: Some(Secret::new("OPERATOR_API_KEY", OPERATOR_KEY.to_owned())),
        hand_offs_are_read: true,
        notify: record::Notify::default(),
        pdfs: pdf_reader(),
        warm_every: None,
    }
}

/// Reads PDFs by the program of this package that does, which lies one folder above those of the tests.
pub fn pdf_reader() -> PdfReader {
    let test = std::env::current_exe().expect("the program of the test");
    PdfReader::new(test.ancestors().nth(2).expect("a folder").join("read-pdf"))
}

/// The key of `/v1/admin`.
pub const OPERATOR_KEY: &str = "a key for operators";

/// The key of `/v1/documents`.
pub const DOCUMENTS_KEY: &str = "a key for documents";

/// Sample flights alone, whatever the environment says.
pub fn sample_flights() -> flights::Deps {
    flights::Deps::new([sample_provider()], Duration::from_secs(8))
}

/// The provider of sample flights.
pub fn sample_provider() -> Provider {
    Provider::Sample(Sample { currency: Currency::USD, scales: Scales::default() })
}

/// Duffel alone, at each of the URLs.
pub fn duffel_flights<'a>(urls: impl IntoIterator<Item = &'a String>) -> flights::Deps {
    let token = || Secret::new("DUFFEL_API_TOKEN", "test".to_owned());
    let duffel = |url: &String| Provider::Duffel(Duffel::new(reqwest::Client::new(), url, token()));
    let providers: Vec<Provider> = urls.into_iter().map(duffel).collect();
    flights::Deps::new(providers, Duration::from_secs(8))
}

/// Serves a stand-in on a free port until the test ends; its URL.
pub async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// What a stand-in for Duffel answers: our own sample of its wire format.
pub const DUFFEL_ANSWER: &str = include_str!("../../functions/flights/tests/samples/duffel-offers.json");

/// The session of a reply.
pub fn session_of(reply: &Value) -> &str {
    reply["session_id"].as_str().expect("a session id")
}
