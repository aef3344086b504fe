//! What a turn costs: `cargo bench -p tests --bench turns`.
//!
//! The set runs in a process of its own (this binary again, in another role), so that its memory and CPU time are its own;
//! the load and the stand-in for a flight provider run here. The figures are read from `/proc`, so this needs Linux.

mod process;

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use futures::future::join_all;
use local::{Colloquy, Options, State, serve_tables};
use process::{Process, milliseconds, spread};
use runtime::flags::FlagSource;
use serde_json::{Value, json};

/// Turns measured for the CPU time of one, after a warm-up of a tenth of it.
const CPU_TURNS: usize = 4_000;
/// The flags are read once, and no more while it runs.
const FLAGS_TTL: Duration = Duration::from_secs(3_600);
/// Turns under way at once while the CPU time is measured.
const CPU_CONCURRENCY: usize = 32;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => serve(&arguments[2..]).await,
        Some("tables") => tables().await,
        _ => measure().await,
    }
}

/// The role of the set: state (`memory` or a URL), the URL of a stand-in, and where there is one, a file of flags; with that, it
/// asks the stand-in as two providers. Says its address, then waits to be killed.
async fn serve(arguments: &[String]) -> anyhow::Result<()> {
    rlimit::increase_nofile_limit(65_536)?;
    let state = match arguments[0].as_str() {
        "memory" => State::Memory,
        url => State::Endpoint(url.to_owned()),
    };
    let (flights, flags) = match arguments.get(2) {
        Some(file) => {
            (tests::duffel_flights([&arguments[1], &arguments[1]]), FlagSource::file(file.as_ref(), FLAGS_TTL))
        }
        None => (tests::duffel_flights([&arguments[1]]), FlagSource::default()),
    };
    let colloquy = Colloquy::start(Options { state, flights, flags, ..tests::options() }).await?;
    println!("{}", colloquy.url());
    std::future::pending().await
}

/// The role of the tables, in memory.
async fn tables() -> anyhow::Result<()> {
    println!("{}", serve_tables().await?);
    std::future::pending().await
}

async fn measure() -> anyhow::Result<()> {
    rlimit::increase_nofile_limit(65_536)?;
    println!("start to first answer  {}", start_to_first_answer().await?);
    for turns in [3, 1_000] {
        println!("{}", waiting_turns(turns).await?);
    }
    println!("{}", cpu_of_a_turn().await?);
    for steps in ["concurrent", "sequential"] {
        println!("{}", in_order(steps).await?);
    }
    Ok(())
}

async fn start_to_first_answer() -> anyhow::Result<String> {
    let provider = provider(Duration::ZERO).await?;
    let mut times = Vec::new();
    for _ in 0..10 {
        let started = Instant::now();
        let set = Process::start(&["serve", "memory", &provider])?;
        let (status, _) = turn(&client(), &set.url).await;
        anyhow::ensure!(status == 200, "the first answer was {status}");
        times.push(started.elapsed());
    }
    times.sort();
    Ok(format!("median {:.0} ms of {}", milliseconds(times[times.len() / 2]), times.len()))
}

async fn waiting_turns(turns: usize) -> anyhow::Result<String> {
    let provider = provider(Duration::from_secs(2)).await?;
    let set = Process::start(&["serve", "memory", &provider])?;
    turn(&client(), &set.url).await;
    let base = set.memory()?;
    let client = client();
    let started = Instant::now();
    let answers = join_all((0..turns).map(|_| turn(&client, &set.url))).await;
    let wall = started.elapsed();
    let errors = answers.iter().filter(|(status, _)| *status != 200).count();
    let times = answers.into_iter().map(|(_, time)| time).collect();
    let memory = set.memory_since(base)?;
    Ok(format!("{turns} turns at once    {}, {errors} errors, {memory}", spread(wall, times)))
}

/// What it brings to ask two providers at once, and cost to ask one after the other: the same set, by its flag.
async fn in_order(steps: &str) -> anyhow::Result<String> {
    let provider = provider(Duration::from_secs(2)).await?;
    let file = std::env::temp_dir().join(format!("colloquy-bench-{}.json", std::process::id()));
    std::fs::write(&file, json!({"steps": steps}).to_string())?;
    let set = Process::start(&["serve", "memory", &provider, &file.to_string_lossy()])?;
    let client = client();
    let (first, _) = turn(&client, &set.url).await;
    std::fs::remove_file(&file)?;
    let started = Instant::now();
    let answers = join_all((0..10).map(|_| turn(&client, &set.url))).await;
    let wall = started.elapsed();
    anyhow::ensure!(first == 200 && answers.iter().all(|(status, _)| *status == 200), "a turn failed");
    let times = answers.into_iter().map(|(_, time)| time).collect();
    Ok(format!("10 turns, two providers, {steps}    {}", spread(wall, times)))
}

async fn cpu_of_a_turn() -> anyhow::Result<String> {
    let provider = provider(Duration::ZERO).await?;
    let tables = Process::start(&["tables"])?;
    let set = Process::start(&["serve", &tables.url, &provider])?;
    let client = client();
    run(&client, &set.url, CPU_TURNS / 10).await?;
    let (before, started) = (set.cpu()?, Instant::now());
    run(&client, &set.url, CPU_TURNS).await?;
    let (cpu, wall) = (set.cpu()? - before, started.elapsed());
    let each = milliseconds(cpu) / CPU_TURNS as f64;
    let rate = CPU_TURNS as f64 / wall.as_secs_f64();
    Ok(format!(
        "CPU time of a turn     {each:.3} ms ({CPU_TURNS} turns, {CPU_CONCURRENCY} at once, {rate:.0} a second)"
    ))
}

async fn run(client: &reqwest::Client, url: &str, turns: usize) -> anyhow::Result<()> {
    let one = async |_| {
        for _ in 0..turns / CPU_CONCURRENCY {
            let (status, _) = turn(client, url).await;
            anyhow::ensure!(status == 200, "a turn was answered with {status}");
        }
        Ok(())
    };
    join_all((0..CPU_CONCURRENCY).map(one)).await.into_iter().collect()
}

async fn turn(client: &reqwest::Client, url: &str) -> (u16, Duration) {
    let body = json!({
        "assistant": "travel",
        "message": "fly me from Lahore to Dubai next Friday, two of us, business, back a week later",
        "client_time": "2026-11-20T09:00:00+05:00[Asia/Karachi]",
    });
    let started = Instant::now();
    let answer = client.post(format!("{url}/v1/chat")).json(&body).send().await;
    let status = match answer {
        Ok(response) => {
            let status = response.status().as_u16();
            let body: Value = response.json().await.unwrap_or_default();
            if body["degraded"] == json!([]) { status } else { 0 }
        }
        Err(_) => 0,
    };
    (status, started.elapsed())
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap_or_default()
}

/// Starts a stand-in for Duffel that answers after `delay` with one offer there and back.
async fn provider(delay: Duration) -> anyhow::Result<String> {
    let answer = async move || {
        tokio::time::sleep(delay).await;
        ([("content-type", "application/json")], tests::DUFFEL_ANSWER)
    };
    let listener = local::listen(0)?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/air/offer_requests", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}
