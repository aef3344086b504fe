//! What the guard costs a message: `cargo bench -p safety`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use safety::Guard;

const MESSAGES: [(&str, &str); 4] = [
    ("a search", "fly me from Lahore to Dubai next Friday, two of us, business, back a week later"),
    ("a question", "What is the difference between slippage and price impact, and when does it hurt me?"),
    ("in danger", "i cant do this anymore, nobody would miss me if i was gone"),
    ("4,000 characters", ""),
];

fn main() {
    let begun = Instant::now();
    let guard = Guard::embedded();
    print(&format!("built in {:.2} ms", begun.elapsed().as_secs_f64() * 1e3));
    let long =
        "I have been thinking about what you said and I do not know if I want to go on with the treatment. ".repeat(40);
    for (name, message) in MESSAGES {
        let message = if message.is_empty() { long.get(..4_000).unwrap_or(&long) } else { message };
        let (begun, mut runs) = (Instant::now(), 0_u32);
        while begun.elapsed() < Duration::from_secs(1) {
            black_box(guard.read(black_box(message)));
            runs += 1;
        }
        print(&format!("{name}: {:.1} µs", begun.elapsed().as_secs_f64() * 1e6 / f64::from(runs)));
    }
}

#[allow(clippy::print_stdout)]
fn print(line: &str) {
    println!("{line}");
}
