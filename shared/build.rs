//! Puts the assistants into every binary that needs them: `assistants/NAME/assistant.toml` and `prompt.md`.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=../assistants");
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default().join("../assistants");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let mut table = String::from("&[\n");
    for folder in folders {
        let (name, manifest, prompt) = (folder.file_name(), folder.join("assistant.toml"), folder.join("prompt.md"));
        if manifest.is_file() {
            let name = name.unwrap_or_default();
            table.push_str(&format!("({name:?}, include_str!({manifest:?}), include_str!({prompt:?})),\n"));
        }
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    if let Err(error) = std::fs::write(out.join("assistants.rs"), table) {
        println!("cargo::error=writing the table of assistants: {error}");
    }
}
