//! What a turn costs: `cargo bench -p tests --bench turns`.
//!
//! The set runs in a process of its own (this binary again, in another role), so that its memory and CPU time are its own;
//! the load and the stand-in for a flight provider run here. The figures are read from `/proc`, so this needs Linux.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use futures::future::join_all;
use local::{Colloquy, Options, State, serve_tables};
use serde_json::{Value, json};

/// Turns measured for the CPU time of one, after a warm-up of a tenth of it.
const CPU_TURNS: usize = 4_000;
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

/// The role of the set: state (`memory` or a URL) and the stand-in's URL. Says its address, then waits to be killed.
async fn serve(arguments: &[String]) -> anyhow::Result<()> {
    rlimit::increase_nofile_limit(65_536)?;
    let state = match arguments[0].as_str() {
        "memory" => State::Memory,
        url => State::Endpoint(url.to_owned()),
    };
    let colloquy =
        Colloquy::start(Options { state, flights: tests::duffel_flights(&arguments[1]), ..tests::options() }).await?;
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
    let base = set.status_kib("VmRSS")?;
    let client = client();
    let started = Instant::now();
    let answers = join_all((0..turns).map(|_| turn(&client, &set.url))).await;
    let wall = started.elapsed();
    let errors = answers.iter().filter(|(status, _)| *status != 200).count();
    let mut times: Vec<Duration> = answers.into_iter().map(|(_, time)| time).collect();
    times.sort();
    let at = |share: f64| milliseconds(times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1]);
    Ok(format!(
        "{turns} turns at once    wall {:.2} s, p50 {:.0} ms, p99 {:.0} ms, {errors} errors, memory {:.0} MiB before, {:.0} MiB at most",
        wall.as_secs_f64(),
        at(0.5),
        at(0.99),
        base as f64 / 1024.0,
        set.status_kib("VmHWM")? as f64 / 1024.0
    ))
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
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().route("/air/offer_requests", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// This binary in another role; killed when dropped.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        use std::io::BufRead;
        let mut child = Command::new(std::env::current_exe()?).args(arguments).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        if let Some(output) = child.stdout.take() {
            std::io::BufReader::new(output).read_line(&mut url)?;
        }
        Ok(Self { child, url: url.trim().to_owned() })
    }

    /// A line of `/proc/PID/status`, in KiB.
    fn status_kib(&self, name: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        Ok(line.split_whitespace().nth(1).unwrap_or_default().parse()?)
    }

    /// The CPU time used so far: fields 14 and 15 of `/proc/PID/stat`, in clock ticks of 10 ms.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
