//! Which file of a crate needs which, read from their paths (`crate::a::b`, `super::c`): what makes a circle can only be understood,
//! or moved, as one. A file and what lies below it are one subject, and may need each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

use crate::code::source;

/// A file by its path of modules; `lib.rs` has none.
type Module = Vec<String>;

/// The files of a crate's sources that stand in circles.
pub fn circles(src: &Path) -> BTreeSet<Module> {
    let mut texts = BTreeMap::new();
    read(src, &[], &mut texts);
    let needed = |(module, text): (&Module, &String)| (module.clone(), needs(module, text, &texts));
    let mut needs: BTreeMap<Module, BTreeSet<Module>> = texts.iter().map(needed).collect();
    // What needs nothing that is left stands in no circle.
    while let Some(free) = needs.iter().find(|(_, needed)| needed.is_empty()).map(|(module, _)| module.clone()) {
        needs.remove(&free);
        for needed in needs.values_mut() {
            needed.remove(&free);
        }
    }
    needs.into_keys().collect()
}

fn read(folder: &Path, above: &[String], texts: &mut BTreeMap<Module, String>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = [above, std::slice::from_ref(&name)].concat();
        if path.is_dir() {
            read(&path, &module, texts);
        } else if path.extension().is_some_and(|end| end == "rs") && name != "tests" && name != "testing" {
            let own = if ["lib", "main", "mod"].contains(&name.as_str()) { above.to_vec() } else { module };
            texts.entry(own).or_default().push_str(&source(&path));
        }
    }
}

/// The files that a file names, without those above and below it.
fn needs(module: &Module, text: &str, texts: &BTreeMap<Module, String>) -> BTreeSet<Module> {
    let path = Regex::new(r"\b(crate|super)((?:::\w+)*)(?:::\{([^;]*?)\};)?").unwrap();
    let item = Regex::new(r"\w+(?:::\w+)*").unwrap();
    let mut needed = BTreeSet::new();
    for found in path.captures_iter(text) {
        let from = if &found[1] == "crate" { &[][..] } else { module.split_last().map_or(&[][..], |(_, above)| above) };
        let stem = [from, &names(&found[2])].concat();
        let listed = found.get(3).map_or("", |list| list.as_str());
        let items = item.find_iter(listed).map(|item| [stem.clone(), names(item.as_str())].concat());
        needed.extend(items.chain([stem.clone()]).filter_map(|path| file(&path, texts)));
    }
    needed.retain(|other| !other.starts_with(module) && !module.starts_with(other));
    needed
}

fn names(path: &str) -> Vec<String> {
    path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The file that a path leads to: the longest part of it that is one.
fn file(path: &[String], texts: &BTreeMap<Module, String>) -> Option<Module> {
    (1..=path.len()).rev().map(|length| path[..length].to_vec()).find(|module| texts.contains_key(module))
}
