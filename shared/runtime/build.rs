//! Puts the assistants into every binary that needs them, `assistants/NAME/assistant.toml` and `prompt.md` and whether there are
//! texts in `knowledge/`, and the names of the crates whose log lines may be shown at every level.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=../../assistants");
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default().join("../../assistants");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let mut table = String::from("&[\n");
    for folder in folders {
        if folder.join("assistant.toml").is_file() {
            let name = folder.file_name().unwrap_or_default();
            let (manifest, prompt) = (text(&folder.join("assistant.toml")), text(&folder.join("prompt.md")));
            let has_texts = has_texts(&folder.join("knowledge"));
            table.push_str(&format!("({name:?}, {manifest:?}, {prompt:?}, {has_texts}),\n"));
        }
    }
    table.push_str("]\n");
    let tables = [("assistants.rs", table), ("ours.rs", ours())];
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    for (file, text) in tables {
        if let Err(error) = std::fs::write(out.join(file), text) {
            println!("cargo::error=writing {file}: {error}");
        }
    }
}

/// The crates of this repository: each has a folder of its name.
fn ours() -> String {
    let mut names: Vec<String> = ["colloquy", "local", "minilm", "tests"].map(str::to_owned).into();
    for rooms in ["../../functions", "../../shared"] {
        println!("cargo:rerun-if-changed={rooms}");
        let entries = std::fs::read_dir(rooms).into_iter().flatten().flatten();
        let crates = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
        names.extend(crates.filter_map(|entry| entry.file_name().into_string().ok()));
    }
    names.sort();
    format!("&{names:?}")
}

fn has_texts(folder: &Path) -> bool {
    let mut files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|file| file.path().extension().is_some_and(|extension| extension == "md"))
}

/// The text itself, not its place: a target folder may serve several clones.
fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| {
        println!("cargo::error=reading {}: {error}", file.display());
        String::new()
    })
}
