//! Writes `data/patterns.bin` from the pattern files; run it after each change to them: `cargo run -p safety --example compile`.

#![allow(clippy::print_stdout)]

use std::path::Path;

use safety::Guard;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes = Guard::compile_patterns()?;
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/patterns.bin"), &bytes)?;
    println!("{} bytes", bytes.len());
    Ok(())
}
