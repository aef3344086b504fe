//! `cargo run`: Colloquy on this machine, at http://127.0.0.1:3000.
//!
//! `PORT` chooses another port, `ALLOWED_HOSTS` adds host names that it answers for, `COLLOQUY_STATE` another folder for the tables than `.colloquy`, `AWS_ENDPOINT_URL` an
//! emulator of DynamoDB to be used instead; keys of flight providers switch on the real ones.
//!
//! `cargo run -- ingest DIR --assistant NAME` takes a folder of documents in.

mod command;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use contracts::usd::Usd;
use ingest::PdfReader;
use local::{Capacity, ClientLimit, Colloquy, Hosts, Options, State, knowledge};
use models::embedder::Embedders;
use record::Prices;
use runtime::assistants::Assistants;
use runtime::config::Secret;
use runtime::flags::FlagSource;
use runtime::{config, telemetry};
use tokio::signal::unix::{SignalKind, signal};

/// How often the steps are made ready, as the template's `WarmSchedule` has it.
const WARM_EVERY: Duration = Duration::from_secs(300);

fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(ingest::READ_PDF) {
        return Ok(ingest::read_pdf()?);
    }
    run()
}

#[tokio::main]
async fn run() -> anyhow::Result<()> {
    // The tables log a failed condition as an error, and it is how a turn learns that it lost a race.
    telemetry::init("info,dynoxide=error");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.is_empty() {
        return command::run(&arguments).await;
    }
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;

    let options = options()?;
    runtime::upstream::limit_calls(options.capacity.turns());
    let said = banner(&options);
    let colloquy = Colloquy::start(options).await?;
    print(&said.replace("{url}", &colloquy.url()));

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    print("Stopping: answers under way are finished first.");
    colloquy.stop().await;
    Ok(())
}

/// How many files may be open. A thousand turns that wait are a few thousand sockets, so the limit is raised as far as it goes.
fn open_files() -> u64 {
    rlimit::increase_nofile_limit(65_536).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be raised");
        rlimit::Resource::NOFILE.get_soft().unwrap_or_default()
    })
}

/// What the environment says.
fn options() -> anyhow::Result<Options> {
    let Embedders { current, next } = Embedders::from_env()?;
    Ok(Options {
        port: config::parsed("PORT", 3000)?,
        hosts: Hosts::from_env(),
        client_limit: ClientLimit::from_env()?,
        capacity: Capacity::from_env(open_files())?,
        state: state(),
        understand: understand::Deps::from_env()?,
        flights: flights::Deps::from_env()?,
        respond: respond::Deps::from_env()?,
        flags: FlagSource::from_env(),
        assistants: Assistants::from_env()?,
        own_texts: knowledge::own_texts_from_env()?,
        embedder: current,
        next_embedder: next,
        embed_concurrency: config::parsed("EMBED_CONCURRENCY", 5)?,
        retrieve_memory: retrieve::memory_from_env()?,
        prices: Prices::from_env()?,
        max_daily_cost: Some(config::parsed("MAX_DAILY_COST_USD", Usd(0))?).filter(|most| *most > Usd(0)),
        visibility: local::VISIBILITY,
        documents_key: Secret::from_env("DOCUMENTS_API_KEY"),
        operator_key: Secret::from_env("OPERATOR_API_KEY"),
        // Who has the key can look; who is told will.
        hand_offs_are_read: ["OPERATOR_API_KEY", "HANDOFF_WEBHOOK_URL", "HANDOFF_TOPIC_ARN"]
            .into_iter()
            .any(|name| config::optional(name).is_some()),
        notify: record::Notify::from_env()?,
        pdfs: PdfReader::this_program().context("asking where this program is")?,
        warm_every: Some(WARM_EVERY),
    })
}

fn state() -> State {
    let endpoint = config::optional("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| config::optional("AWS_ENDPOINT_URL"));
    match endpoint {
        Some(url) => State::Endpoint(url),
        None => {
            State::Folder(PathBuf::from(config::optional("COLLOQUY_STATE").unwrap_or_else(|| ".colloquy".to_owned())))
        }
    }
}

fn banner(options: &Options) -> String {
    let tables = match &options.state {
        State::Folder(folder) => format!("embedded DynamoDB, in {}", folder.display()),
        State::Memory => "embedded DynamoDB, in memory".to_owned(),
        State::Endpoint(url) => format!("DynamoDB at {url}"),
    };
    let offers = match options.flights.provider_names().as_slice() {
        ["sample"] => {
            "sample data, not for sale (set DUFFEL_API_TOKEN or AMADEUS_CLIENT_ID for real offers)".to_owned()
        }
        names => format!("real offers, from {}", names.join(" and ")),
    };
    let words = match options.respond.model() {
        Some(model) => format!("written by {model}"),
        None => "rules and quotes, no model (set CHAT_MODEL for one)".to_owned(),
    };
    let meaning = match &options.embedder {
        Some(embedder) => format!("words and meaning, by {}", embedder.model()),
        None => "words alone, no embedder (set EMBEDDER for one)".to_owned(),
    };
    format!(
        "Colloquy is at {{url}}\n\n  \
         flights  {offers}\n  \
         words    {words}\n  \
         search   {meaning}\n  \
         tables   {tables}\n\n\
         Open the page, or try:\n\n  \
         curl {{url}}/v1/chat -H 'content-type: application/json' \\\n    \
         -d '{{\"assistant\": \"travel\", \"message\": \"fly me from Lahore to Dubai next Friday\"}}'\n"
    )
}

#[expect(clippy::print_stdout, reason = "what a person at the terminal reads is not a log line")]
fn print(text: &str) {
    println!("{text}");
}
