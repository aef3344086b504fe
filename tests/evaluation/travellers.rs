//! How well it understands travellers as they write: written conversations, played through `POST /v1/chat` and judged turn by
//! turn by `travel_talks/play.py`.
//!
//! Our own conversations and single-sentence requests are in `travel_talks`; `first_sight.jsonl` and `latest.jsonl` hold
//! those that were written and played once before any rule was changed for them, and whose first figures the README prints.
//! The public conversations are read from the folder that `COLLOQUY_EVAL` names (`travel_talks/public.jsonl`), and skipped
//! without it. Their counts may only get better: whoever betters them writes the new ones here.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::App;

/// The most turns that may be wrong, and the most searches that may be wrong in silence.
struct Most {
    wrong_turns: u64,
    silent_wrong: u64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evaluation/travel_talks")
}

/// Plays a file against the set; the figures of all its conversations. `None` where there is no Python.
async fn played(file: PathBuf) -> Option<Value> {
    let app = App::start().await;
    let url = app.colloquy.url();
    let judge = tokio::task::spawn_blocking(move || {
        std::process::Command::new("python3")
            .arg(folder().join("play.py"))
            .arg(file)
            .args(["--url", &url, "--json"])
            .output()
    });
    let output = match judge.await.unwrap() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: there is no python3 to judge with");
            return None;
        }
        Err(error) => panic!("python3 could not be run: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("{}", figures["all"]);
    Some(figures)
}

async fn plays_no_worse(file: PathBuf, most: Most) {
    let Some(figures) = played(file).await else { return };
    let count = |name: &str| figures["all"][name].as_u64().unwrap();
    let wrong = count("turns") - count("turns_right");
    assert!(wrong <= most.wrong_turns, "{wrong} turns are wrong, {} were", most.wrong_turns);
    let silent = count("silent_wrong_searches");
    assert!(silent <= most.silent_wrong, "{silent} searches are wrong in silence, {} were", most.silent_wrong);
}

#[tokio::test(flavor = "multi_thread")]
async fn public_conversations_are_understood_no_worse_than_before() {
    let Some(folder) = std::env::var_os("COLLOQUY_EVAL") else {
        println!("skipped: COLLOQUY_EVAL names no folder with travel_talks/public.jsonl");
        return;
    };
    let file = PathBuf::from(folder).join("travel_talks/public.jsonl");
    plays_no_worse(file, Most { wrong_turns: 2, silent_wrong: 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_conversations_are_understood() {
    plays_no_worse(folder().join("own.jsonl"), Most { wrong_turns: 0, silent_wrong: 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_that_were_a_first_sight_are_understood_no_worse_than_since() {
    // Measured with the ninth batch: 961 of 974 turns right, one search silently wrong.
    plays_no_worse(folder().join("first_sight.jsonl"), Most { wrong_turns: 13, silent_wrong: 1 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_conversations_are_understood_no_worse_than_since() {
    // The tenth and eleventh batch, of which less was put right: 287 of 321 turns right (293 where the
    // assistant's own texts answer as well), 15 searches silently wrong.
    plays_no_worse(folder().join("latest.jsonl"), Most { wrong_turns: 34, silent_wrong: 15 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_one_sentence_are_all_understood() {
    plays_no_worse(folder().join("requests.jsonl"), Most { wrong_turns: 0, silent_wrong: 0 }).await;
}
