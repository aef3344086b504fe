//! Puts the assistants' knowledge into the binary: `assistants/NAME/knowledge/*.md`.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=../../assistants");
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default().join("../../assistants");
    let mut table = String::from("&[\n");
    for assistant in entries(&root) {
        for file in entries(&assistant.join("knowledge")) {
            if file.extension().is_some_and(|extension| extension == "md") {
                let (assistant, name) =
                    (assistant.file_name().unwrap_or_default(), file.file_name().unwrap_or_default());
                // The text itself, not its place: a target folder may serve several clones.
                match std::fs::read_to_string(&file) {
                    Ok(text) => table.push_str(&format!("({assistant:?}, {name:?}, {text:?}),\n")),
                    Err(error) => println!("cargo::error=reading {}: {error}", file.display()),
                }
            }
        }
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    if let Err(error) = std::fs::write(out.join("knowledge.rs"), table) {
        println!("cargo::error=writing the table of knowledge: {error}");
    }
}

/// What is in a folder, by name; nothing where there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
