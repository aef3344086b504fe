//! The whole set in one process: what API Gateway, Lambda and DynamoDB do in AWS, on a laptop.
//!
//! The public routes are served at one port, the steps at another, the tables at a third, all on loopback; `chat` calls the
//! steps over HTTP just as it does through API Gateway, and the real SDK talks to the tables.

mod server;
mod tables;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use jiff::SignedDuration;
use session::{Store, Tables};
use shared::pipeline::Pipeline;
use shared::problem::close;
use tokio::net::TcpListener;

use server::Server;
use tables::Embedded;

/// How long the turns under way may take to finish once it is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Where the tables are.
#[derive(Debug, Clone)]
pub enum State {
    /// In a file in this folder, which is made where it is missing.
    Folder(PathBuf),
    /// In memory, gone with the process.
    Memory,
    /// At this DynamoDB endpoint (an emulator), in tables that are made where they are missing.
    Endpoint(String),
}

/// What is started.
pub struct Options {
    /// The port of the public routes; 0 takes a free one.
    pub port: u16,
    /// Where the tables are.
    pub state: State,
    /// The flight providers.
    pub flights: flights::Deps,
    /// Who writes the replies.
    pub respond: respond::Deps,
}

/// The running set.
pub struct Colloquy {
    public: Server,
    steps: Server,
    embedded: Option<Embedded>,
    client: Client,
    names: Tables,
}

impl Colloquy {
    /// Starts everything and returns once it can be asked.
    ///
    /// # Errors
    /// A port that is taken, or a state folder that cannot be used, named.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let port = options.port;
        // The port comes first: where it is taken, nothing else is touched.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
            format!("port {port} of 127.0.0.1 cannot be used (is another Colloquy running? PORT chooses another)")
        })?;
        let embedded = Embedded::start(&options.state).await?;
        let client = match (&options.state, &embedded) {
            (State::Endpoint(url), _) => tables::client(url).await,
            (_, Some(embedded)) => tables::client(&embedded.url()).await,
            (_, None) => anyhow::bail!("the embedded tables did not start"),
        };
        let names = table_names();
        tables::create(&client, &names).await?;

        let steps = understand::router()
            .merge(session::router(session::Deps::new(Store::new(client.clone(), names.clone()))))
            .merge(flights::router(options.flights))
            .merge(respond::router(options.respond));
        let loopback = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("opening a port for the steps")?;
        let steps = Server::start(loopback, close(steps))?;

        let public = chat::router(chat::Deps::new(Pipeline::new(steps.url())?)?)
            .merge(health::router(health::Deps::new(
                Pipeline::new(steps.url())?,
                client.clone(),
                names.sessions.clone(),
            )))
            .merge(web::router());
        let public = Server::start(listener, close(public))?;
        Ok(Self { public, steps, embedded, client, names })
    }

    /// The address of the public routes.
    pub fn address(&self) -> SocketAddr {
        self.public.address()
    }

    /// The base URL of the public routes.
    pub fn url(&self) -> String {
        self.public.url()
    }

    /// The base URL of the steps.
    pub fn steps_url(&self) -> String {
        self.steps.url()
    }

    /// A client of the tables, and their names.
    pub fn tables(&self) -> (Client, Tables) {
        (self.client.clone(), self.names.clone())
    }

    /// The store of the talks.
    pub fn store(&self) -> Store {
        Store::new(self.client.clone(), self.names.clone())
    }

    /// Takes no new requests, lets those under way finish (10 s at most), then stops the steps and the tables.
    pub async fn stop(self) {
        if !self.public.stop(GRACE).await {
            tracing::warn!(grace_s = GRACE.as_secs(), "some requests did not finish in time");
        }
        self.steps.stop(Duration::from_secs(1)).await;
        if let Some(tables) = self.embedded {
            tables.stop().await;
        }
    }
}

/// Serves tables in memory, alone, until the process ends; returns their URL. For measuring the set without them.
///
/// # Errors
/// A port that cannot be opened.
pub async fn serve_tables() -> anyhow::Result<String> {
    let embedded = Embedded::start(&State::Memory).await?.context("the embedded tables did not start")?;
    let url = embedded.url();
    // Dropping the handle would stop them.
    std::mem::forget(embedded);
    Ok(url)
}

fn table_names() -> Tables {
    Tables {
        sessions: "sessions".to_owned(),
        turns: "turns".to_owned(),
        idempotency: "idempotency".to_owned(),
        session_ttl: SignedDuration::from_hours(7 * 24),
        turn_ttl: SignedDuration::from_hours(90 * 24),
    }
}
