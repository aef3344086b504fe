//! The whole set in one process: what API Gateway, Lambda and DynamoDB do in AWS, on a laptop.
//!
//! The public routes are served at one port, the steps at another, the tables at a third and the queues at a fourth, all on
//! loopback; `chat` calls the steps over HTTP just as it does through API Gateway, and the real SDKs talk to tables and queues.
//! The last three answer nobody but this process.

mod bounded;
mod capacity;
mod clients;
mod connection;
mod door;
mod dynamo;
pub mod folder;
pub mod knowledge;
mod metrics;
mod queues;
mod server;
mod tables;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws::handoffs::Handoffs;
use aws::knowledge_store::KnowledgeStore;
use aws::queue::Queue;
use aws::totals::Totals;
use aws_sdk_dynamodb::Client;
use contracts::usd::Usd;
use jiff::SignedDuration;
use models::embedder::{Embedder, Embedders};
use record::Prices;
use runtime::assistants::Assistants;
use runtime::close::close;
use runtime::config::Secret;
use runtime::deadline::Deadline;
use runtime::flags::FlagSource;
use runtime::observe::{observed, observed_call};
use runtime::pipeline::Pipeline;
use runtime::trace::Trace;
use session::{Store, Tables};
use tokio::task::JoinHandle;

pub use capacity::Capacity;
pub use clients::ClientLimit;
use connection::{Limits, OWN, PUBLIC};
pub use door::Hosts;
use door::Key;
use knowledge::OwnText;
pub use queues::VISIBILITY;
use queues::{Mapping, Queues};
use server::Server;
pub use server::listen;
use tables::Embedded;

/// How long the turns under way may take to finish once it is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How often what stayed pending is looked for.
pub(crate) const SWEEP: Duration = Duration::from_secs(300);

/// The table of documents and their chunks.
const KNOWLEDGE_TABLE: &str = "knowledge";

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
    /// The host names that the public port answers for.
    pub hosts: Hosts,
    /// How often each client address may ask.
    pub client_limit: ClientLimit,
    /// How many turns it takes on at once.
    pub capacity: Capacity,
    /// Where the tables are.
    pub state: State,
    /// Who helps to understand what the rules leave open.
    pub understand: understand::Deps,
    /// The flight providers.
    pub flights: flights::Deps,
    /// Switches that work while it runs, for all of it.
    pub flags: FlagSource,
    /// Who writes the replies.
    pub respond: respond::Deps,
    /// What assistants there are.
    pub assistants: Assistants,
    /// What they know, taken in after the start.
    pub own_texts: Vec<OwnText>,
    /// What gives texts their vectors; without it, they are found by words.
    pub embedder: Option<Embedder>,
    /// What is to take its place, once the flag `embedder` says so.
    pub next_embedder: Option<Embedder>,
    /// How many calls to each are under way at once.
    pub embed_concurrency: usize,
    /// How many bytes the texts of all assistants may take in memory to be searched there.
    pub retrieve_memory: usize,
    /// What models cost.
    pub prices: Prices,
    /// What they may cost in a day; nothing is no limit.
    pub max_daily_cost: Option<Usd>,
    /// After how long a message comes again whose worker failed.
    pub visibility: Duration,
    /// What a caller of `/v1/documents` must show; without it, nobody may.
    pub documents_key: Option<Secret>,
    /// What an operator must show to see what waits for a person; without it, nobody may.
    pub operator_key: Option<Secret>,
    /// Whether a person looks at what is handed off.
    pub hand_offs_are_read: bool,
    /// Who is told of a hand-off.
    pub notify: record::Notify,
    /// What reads PDFs.
    pub pdfs: ingest::PdfReader,
    /// How often the steps are made ready; without it, never.
    pub warm_every: Option<Duration>,
}

/// The running set.
pub struct Colloquy {
    public: Server,
    running: Arc<chat::RunningTurns>,
    steps: Server,
    steps_key: Key,
    embedded: Option<Embedded>,
    client: Client,
    names: Tables,
    queues: Queues,
    mappings: [Mapping; 2],
    loading: JoinHandle<()>,
    sweeping: JoinHandle<()>,
    warming: Option<JoinHandle<()>>,
    measuring: JoinHandle<()>,
}

impl Colloquy {
    /// Starts everything and returns once it can be asked.
    ///
    /// # Errors
    /// A port that is taken, or a state folder that cannot be used, named.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let port = options.port;
        // The port comes first: where it is taken, nothing else is touched.
        let listener = server::listen(port).with_context(|| {
            format!("port {port} of 127.0.0.1 cannot be used (is another Colloquy running? PORT chooses another)")
        })?;
        let measured = metrics::start()?;
        let embedded = Embedded::start(&options.state).await?;
        let client = match (&options.state, &embedded) {
            (State::Endpoint(url), _) => tables::client(url).await?,
            (_, Some(embedded)) => tables::client(embedded.url()).await?,
            (_, None) => anyhow::bail!("the embedded tables did not start"),
        };
        let names = table_names();
        tables::create(&client, &names).await?;
        let embedders = Embedders { current: options.embedder, next: options.next_embedder };
        let spaces = embedders.spaces();
        tables::create_knowledge(&client, KNOWLEDGE_TABLE, &spaces).await?;
        let store = KnowledgeStore::new(client.clone(), KNOWLEDGE_TABLE);
        let queues = Queues::start(options.visibility).await?;
        let assistants = options.assistants.clone();
        let flags = match options.max_daily_cost {
            Some(most) => options.flags.capped_by(Totals::new(client.clone(), &names.totals).cap(most)),
            None => options.flags,
        };
        let Embedders { current, next } = embedders.clone();
        let retrieve = retrieve::Deps::new(store.clone(), current, assistants.clone(), options.retrieve_memory);
        let retrieve = retrieve.with_next(next).with_flags(flags.clone());
        let ingest = Arc::new(ingest::Deps {
            store: store.clone(),
            queue: queues.chunks.queue.clone(),
            assistants: options.assistants.clone(),
            spaces,
            key: options.documents_key,
            pdfs: options.pdfs,
        });
        let (chunks, Embedders { current, next }) = (queues.chunks.queue.clone(), embedders);
        let embed = embed::Deps::new(store, chunks, current, options.embed_concurrency, assistants);
        let embed = Arc::new(embed.with_next(next));
        let turns = queues.turns.queue.clone();
        let totals = Totals::new(client.clone(), &names.totals);
        let tables = (totals, Handoffs::new(client.clone(), &names.handoffs));
        let record =
            record::Deps::new(client.clone(), &names.turns, tables, turns.clone(), options.prices, names.turn_ttl);
        let record = record.with_notify(options.notify);

        let session = session::Deps::new(Store::new(client.clone(), names.clone()));
        let steps =
            observed("understand", understand::router(understand::Deps { flags: flags.clone(), ..options.understand }))
                .merge(observed("session", session::router(session)))
                .merge(observed("flights", flights::router(options.flights.with_flags(flags.clone()))))
                .merge(observed("retrieve", retrieve::router(retrieve)))
                .merge(observed("respond", respond::router(options.respond.with_flags(flags.clone()))));
        let loopback = server::listen(0).context("opening a port for the steps")?;
        let steps_key = Key::random();
        let steps = Server::start(loopback, steps_key.clone().guard(close(steps)), OWN)?;
        let steps_url = steps_key.in_url(&steps.url());

        let chat = chat::Deps::new(Pipeline::new(&steps_url)?, turns.clone(), options.assistants).with_flags(flags);
        let chat = chat.with_operator(options.operator_key, options.hand_offs_are_read);
        let chat = chat.with_room_for(options.capacity.turns(), capacity::AT_ONCE);
        let running = chat.running();
        let (chunks, tables) = (queues.chunks.queue.clone(), health_tables(&names));
        let health = health::Deps::new(Pipeline::new(&steps_url)?, client.clone(), tables, chunks, turns.clone());
        let public = observed("chat", chat::router(chat))
            .merge(observed("health", health::router(health)))
            .merge(observed("ingest", ingest::router(ingest.clone())))
            .merge(observed("web", web::router()))
            .merge(metrics::router(measured.clone()));
        let public = options.hosts.guard(options.client_limit.guard(close(public)));
        let public = Server::start(listener, public, Limits { connections: options.capacity.connections, ..PUBLIC })?;
        let record = Arc::new(record);
        let (embedding, recording) = (embed.clone(), record.clone());
        let mappings = [
            Mapping::start("embed", queues.chunks.queue.clone(), move |batch, end| {
                embed::work(embedding.clone(), batch, end)
            }),
            Mapping::start("record", turns, move |batch, end| record::work(recording.clone(), batch, end)),
        ];
        let loading = knowledge::start(ingest, embed, options.own_texts);
        let sweeping = tokio::spawn(sweep_turns(record));
        let warm = Arc::new(warm::Deps::new(Pipeline::new(&steps_url)?, public.url())?);
        let warming = options.warm_every.map(|every| tokio::spawn(keep_warm(warm, every)));
        let measuring = metrics::keep_up(measured);
        Ok(Self {
            public,
            running,
            steps,
            steps_key,
            embedded,
            client,
            names,
            queues,
            mappings,
            loading,
            sweeping,
            warming,
            measuring,
        })
    }

    /// The address of the public routes.
    pub fn address(&self) -> SocketAddr {
        self.public.address()
    }

    /// The base URL of the public routes.
    pub fn url(&self) -> String {
        self.public.url()
    }

    /// The base URL of the steps, with the key that they ask for.
    pub fn steps_url(&self) -> String {
        self.steps_key.in_url(&self.steps.url())
    }

    /// A client of the tables, and their names.
    pub fn tables(&self) -> (Client, Tables) {
        (self.client.clone(), self.names.clone())
    }

    /// The store of the sessions.
    pub fn store(&self) -> Store {
        Store::new(self.client.clone(), self.names.clone())
    }

    /// The documents and what they were cut into.
    pub fn knowledge(&self) -> KnowledgeStore {
        KnowledgeStore::new(self.client.clone(), KNOWLEDGE_TABLE)
    }

    /// What `embed` works on, and what it gave up.
    pub fn chunk_queues(&self) -> (Queue, Queue) {
        (self.queues.chunks.queue.clone(), self.queues.chunks.dead.clone())
    }

    /// What `record` works on, and what it gave up.
    pub fn turn_queues(&self) -> (Queue, Queue) {
        (self.queues.turns.queue.clone(), self.queues.turns.dead.clone())
    }

    /// What the days came to.
    pub fn totals(&self) -> Totals {
        Totals::new(self.client.clone(), &self.names.totals)
    }

    /// Takes no new requests, lets those and the turns under way finish (10 s at most; a turn that takes longer keeps the words
    /// so far), then stops the steps and the tables.
    pub async fn stop(self) {
        // Also the turns whose clients left.
        let (answered, finished) = tokio::join!(self.public.stop(GRACE), self.running.finish(GRACE));
        if !(answered && finished) {
            tracing::warn!(grace_s = GRACE.as_secs(), "some requests did not finish in time");
        }
        // What this leaves undone is found pending at the next start.
        self.loading.abort();
        self.sweeping.abort();
        self.measuring.abort();
        if let Some(warming) = self.warming {
            warming.abort();
        }
        futures::future::join_all(self.mappings.map(|mapping| mapping.stop(Duration::from_secs(1)))).await;
        self.steps.stop(Duration::from_secs(1)).await;
        self.queues.stop().await;
        if let Some(tables) = self.embedded {
            tables.stop().await;
        }
    }
}

/// Counts what the queue does not tell of: at start all that waits, for the queue was in memory; then what waits for long.
async fn sweep_turns(record: Arc<record::Deps>) {
    let waiting = record::sweep_waiting(&record, SignedDuration::ZERO, Deadline::after(SWEEP));
    observed_call("record", Trace::begin(), waiting, record::Swept::is_whole).await;
    loop {
        tokio::time::sleep(SWEEP).await;
        let work = record::sweep(record.clone(), Deadline::after(SWEEP));
        observed_call("record", Trace::begin(), work, |well| *well).await;
    }
}

/// Serves tables in memory, alone, until the process ends; returns their URL, with their key. For measuring the set without them.
///
/// # Errors
/// A port that cannot be opened.
pub async fn serve_tables() -> anyhow::Result<String> {
    let embedded = Embedded::start(&State::Memory).await?.context("the embedded tables did not start")?;
    let url = embedded.url().to_owned();
    // Dropping the handle would stop them.
    std::mem::forget(embedded);
    Ok(url)
}

/// What EventBridge Scheduler does: calls `warm` every so often, for the first time once that has passed.
async fn keep_warm(deps: Arc<warm::Deps>, every: Duration) {
    let mut clock = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    loop {
        clock.tick().await;
        let work = warm::warm(deps.clone(), Deadline::after(every));
        observed_call("warm", Trace::begin(), work, warm::Summary::is_whole).await;
    }
}

/// The tables that `health` tries.
pub fn health_tables(names: &Tables) -> Vec<health::Table> {
    let Tables { sessions, turns, idempotency, totals, .. } = names.clone();
    health::Table::all([sessions, turns, idempotency, totals, KNOWLEDGE_TABLE.to_owned()])
}

fn table_names() -> Tables {
    Tables {
        sessions: "sessions".to_owned(),
        turns: "turns".to_owned(),
        idempotency: "idempotency".to_owned(),
        totals: "totals".to_owned(),
        handoffs: "handoffs".to_owned(),
        session_ttl: SignedDuration::from_hours(7 * 24),
        turn_ttl: SignedDuration::from_hours(90 * 24),
    }
}
