//! Puts the assistants into every binary that needs them: `assistants/NAME/assistant.toml` and `prompt.md`.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=../assistants");
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default().join("../assistants");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let mut table = String::from("&[\n");
    for folder in folders {
        if folder.join("assistant.toml").is_file() {
            let name = folder.file_name().unwrap_or_default();
            let (manifest, prompt) = (text(&folder.join("assistant.toml")), text(&folder.join("prompt.md")));
            table.push_str(&format!("({name:?}, {manifest:?}, {prompt:?}),\n"));
        }
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    if let Err(error) = std::fs::write(out.join("assistants.rs"), table) {
        println!("cargo::error=writing the table of assistants: {error}");
    }
}

/// The text itself, not its place: a target folder may serve several clones.
fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| {
        println!("cargo::error=reading {}: {error}", file.display());
        String::new()
    })
}
