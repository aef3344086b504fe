//! What reading a message costs: `cargo bench -p understand`, over what travellers wrote in the conversations of the tests.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/evaluation/travel_talks/first_sight.jsonl");
    let mut messages = Vec::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let conversation: Value = serde_json::from_str(line)?;
        let turns = conversation["turns"].as_array().into_iter().flatten();
        messages.extend(turns.filter_map(|turn| turn["user"].as_str().map(str::to_owned)));
    }
    let begun = Instant::now();
    black_box(understand::understand("Lahore to Dubai"));
    print(&format!("the first message, with the tables: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3));
    let (begun, mut passes) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(3) {
        for message in &messages {
            black_box(understand::understand(black_box(message)));
        }
        passes += 1;
    }
    let each = begun.elapsed().as_secs_f64() / f64::from(passes) / messages.len() as f64;
    print(&format!("a message, of {}: {:.0} µs", messages.len(), each * 1e6));
    Ok(())
}

#[allow(clippy::print_stdout)]
fn print(line: &str) {
    println!("{line}");
}
