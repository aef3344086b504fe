//! Distils all-MiniLM-L6-v2 into a table of tokens (`minilm/data/distilled.bin`, see `src/distilled.rs`).
//!
//! Every token goes through the model once; what comes out is cut to its principal components and weighted by how common the
//! token is (as model2vec does). Then the table learns from texts: sentences and titles are asked which passage they are of,
//! and the table's cosines are to be spread over the passages of a batch as the model's own are. Nobody's questions or
//! judgements are used.
//!
//! `cargo run --release -p minilm --features encoder --example distil -- MODEL CACHE OUT TEXTS…`: the folder of the model's
//! files, a folder to keep the model's vectors in, the file to write, and texts: `.jsonl` with `title` and `text`, or folders
//! of Markdown.

mod table;
mod teacher;

use std::path::{Path, PathBuf};

use anyhow::Context;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [model, cache, out, texts @ ..] = &arguments[..] else {
        anyhow::bail!("distil MODEL CACHE OUT TEXTS…");
    };
    std::fs::create_dir_all(cache)?;
    let taught = teacher::teach(model, cache, texts)?;
    let dimensions = number("DIMENSIONS", 128)?;
    let most = number("TOKENS", usize::MAX)?;
    let table = table::Table::new(&taught, dimensions, most).learn(&taught, number("EPOCHS", 8)?);
    write(out, &table.bytes()).context("writing the table")
}

fn number(name: &str, default: usize) -> anyhow::Result<usize> {
    std::env::var(name).map_or(Ok(default), |value| value.parse().with_context(|| format!("{name} is {value}")))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes)?;
    println!("{}: {} bytes", path.display(), bytes.len());
    Ok(())
}
