//! `cargo run -p tests --bin check -- URL`: holds the conversations of `tests/dialogues/` with what runs at that address, asks it
//! for flights and for an answer, and fails where one goes otherwise than written or a part of the set is missing.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use futures::{StreamExt, stream};
use tests::conversations::read;
use tests::deployed::{Outcome, ask, hold};

/// How many sessions are held at once: fewer than a deployment lets through.
const AT_ONCE: usize = 4;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: check URL, such as https://ID.execute-api.REGION.amazonaws.com/prod");
        return Ok(ExitCode::from(2));
    };
    let conversations = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("dialogues"))?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let held = stream::iter(&conversations).map(|(name, conversation)| {
        let (client, url) = (&client, &url);
        async move { (name, hold(client, url, conversation).await) }
    });
    let mut held: Vec<_> = held.buffer_unordered(AT_ONCE).collect().await;
    held.sort_by_key(|(name, _)| *name);
    let (mut failed, mut cut) = (0, 0);
    for (name, outcome) in &held {
        match outcome {
            Ok(Outcome::Passed) => {}
            Ok(Outcome::Cut(turns)) => {
                cut += 1;
                println!("{name}: no offers came, so {turns} turns were left out");
            }
            Err(error) => {
                failed += 1;
                println!("{name}: {error:#}");
            }
        }
    }
    println!("{} conversations: {} as written, {cut} of them cut short, {failed} not", held.len(), held.len() - failed);
    let asked = ask(&client, &url).await;
    match &asked {
        Ok(()) => println!("asked today, at once and streamed: answered"),
        Err(error) => println!("asked today: {error:#}"),
    }
    Ok(if failed == 0 && asked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
