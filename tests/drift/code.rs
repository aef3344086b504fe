//! What the functions' code uses, read from their sources: steps, variables, AWS calls.
//!
//! It is a reading of text, and simple: what stands in a crate counts as used by it, tests apart; of `shared`, the functions
//! that a crate calls, by name, and what these call in turn.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

pub type Names = BTreeSet<String>;

/// The modules of the crate `aws`, and what the crates call what is theirs.
const CALLERS: [(&str, &[&str]); 4] = [
    ("handoffs", &["handoffs", "Handoffs"]),
    ("knowledge_store", &["store", "KnowledgeStore"]),
    ("queue", &["queue", "turns", "Queue"]),
    ("totals", &["totals", "Totals"]),
];

/// The call of an SDK, and the action that IAM asks for.
const ACTIONS: [(&str, &str); 18] = [
    ("get_item", "dynamodb:GetItem"),
    ("put_item", "dynamodb:PutItem"),
    ("update_item", "dynamodb:UpdateItem"),
    ("delete_item", "dynamodb:DeleteItem"),
    ("query", "dynamodb:Query"),
    ("scan", "dynamodb:Scan"),
    ("batch_get_item", "dynamodb:BatchGetItem"),
    ("batch_write_item", "dynamodb:BatchWriteItem"),
    ("search_vectors", "dynamodb:SearchVectors"),
    ("describe_table", "dynamodb:DescribeTable"),
    ("send_message", "sqs:SendMessage"),
    ("send_message_batch", "sqs:SendMessage"),
    ("change_message_visibility", "sqs:ChangeMessageVisibility"),
    ("receive_message", "sqs:ReceiveMessage"),
    ("delete_message_batch", "sqs:DeleteMessage"),
    ("get_queue_attributes", "sqs:GetQueueAttributes"),
    ("put_parameter", "ssm:PutParameter"),
    ("invoke", "lambda:InvokeFunction"),
];

/// What a part of a transaction needs: the action of the same write alone.
const PARTS: [(&str, &str); 4] = [
    ("put", "dynamodb:PutItem"),
    ("update", "dynamodb:UpdateItem"),
    ("delete", "dynamodb:DeleteItem"),
    ("condition_check", "dynamodb:ConditionCheckItem"),
];

/// The sources of one function's crate.
pub struct Crate {
    text: String,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every function: a folder in `functions/`.
pub fn functions() -> Names {
    let folders = std::fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap());
    folders
        .filter(|folder| folder.path().join("Cargo.toml").is_file())
        .map(|folder| folder.file_name().into_string().unwrap())
        .collect()
}

/// The Rust of a folder, without tests and comments.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs")
            && !["tests.rs", "testing.rs"].iter().any(|name| path.ends_with(name))
        {
            text.push_str(&source(&path));
        }
    }
    text
}

/// The Rust of a file, without tests and comments.
pub fn source(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

impl Crate {
    pub fn of(function: &str) -> Self {
        Self { text: sources(&root().join("functions").join(function).join("src")) }
    }

    /// The steps it serves and those it calls, by their paths.
    pub fn steps(&self) -> (Names, Names) {
        let (mut served, mut called) = (Names::new(), Names::new());
        for (constant, path) in steps() {
            let calls = Regex::new(&format!(r"&{constant}\b")).unwrap();
            let serves = Regex::new(&format!(r"\b{constant}\s*\.serve\(")).unwrap();
            served.extend(serves.is_match(&self.text).then(|| path.clone()));
            called.extend(calls.is_match(&self.text).then_some(path));
        }
        (served, called)
    }

    /// The paths of its own routes.
    pub fn routes(&self) -> Names {
        let route = Regex::new(r#"\b(?:route|serve)\(\s*"(/[^"]*)""#).unwrap();
        route.captures_iter(&self.text).map(|found| found[1].to_owned()).collect()
    }

    /// The variables it reads, of those that `known` says are such.
    pub fn variables(&self, known: &Names) -> Names {
        let quoted = Regex::new(r#""([A-Z][A-Z0-9_]+)""#).unwrap();
        let part = Regex::new(r"\b([A-Z]\w+)::from_env\b|\blambda::(run)(?:_with_release)?\(").unwrap();
        let mut texts = vec![self.text.clone()];
        let mut seen = Names::new();
        let mut found = Names::new();
        while let Some(text) = texts.pop() {
            found
                .extend(quoted.captures_iter(&text).map(|name| name[1].to_owned()).filter(|name| known.contains(name)));
            // What its parts read: `Part::from_env()`, and what every function's `main` does.
            for name in part.captures_iter(&text).filter_map(|found| found.iter().skip(1).flatten().next()) {
                if seen.insert(name.as_str().to_owned()) {
                    texts.extend(reader(name.as_str()));
                }
            }
        }
        found
    }

    /// The actions that IAM must allow it.
    pub fn actions(&self) -> Names {
        let mut actions = actions(&self.text);
        for (module, owners) in CALLERS.iter().filter(|(module, _)| self.text.contains(&format!("{module}::"))) {
            let bodies = bodies(module);
            let of_module = |text: &str, owners: &[&str]| -> Names {
                let calls = calls(text).into_iter().filter(|(owner, _)| owners.contains(&owner.as_str()));
                calls.map(|(_, name)| name).collect()
            };
            let (mut waiting, mut seen) = (of_module(&self.text, owners), Names::new());
            while let Some(name) = waiting.pop_first() {
                if seen.insert(name.clone()) {
                    for (_, body) in bodies.iter().filter(|(of, _)| *of == name) {
                        actions.extend(self::actions(body));
                        waiting.extend(of_module(body, &["", "self", "Self"]));
                    }
                }
            }
        }
        actions
    }
}

/// The steps' constants and their paths, from the contracts.
fn steps() -> Vec<(String, String)> {
    let text = source(&root().join("shared/contracts/src/api.rs"));
    let step = Regex::new(r#"pub const (\w+): (?:Stream)?Step<[^=]+= (?:Stream)?Step::new\("([^"]+)"\)"#).unwrap();
    step.captures_iter(&text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

/// The body of `from_env` of a part of `shared`; for `run`, that of the function by which those that
/// answer the public do.
fn reader(name: &str) -> Option<String> {
    let text = sources(&root().join("shared"));
    let (start, function) =
        if name == "run" { (0, "fn public(") } else { (text.find(&format!("impl {name} {{"))?, "fn from_env(") };
    let body = text[start..].split_once(function)?.1;
    Some(body.split("\n    }\n").next().unwrap_or_default().split("\n}\n").next().unwrap_or_default().to_owned())
}

/// The functions of a module of the crate `aws`: name and body.
fn bodies(module: &str) -> Vec<(String, String)> {
    let folder = root().join("shared/aws/src");
    let mut text = source(&folder.join(format!("{module}.rs")));
    if folder.join(module).is_dir() {
        text.push_str(&sources(&folder.join(module)));
    }
    let head = Regex::new(r"\bfn (\w+)").unwrap();
    let heads: Vec<_> =
        head.captures_iter(&text).map(|found| (found[1].to_owned(), found.get(0).unwrap().end())).collect();
    let ends = heads.iter().skip(1).map(|(_, at)| *at).chain([text.len()]);
    heads.iter().zip(ends).map(|((name, from), to)| (name.clone(), text[*from..to].to_owned())).collect()
}

/// What is called, with what stands before it: `store.delete(`, `Queue::new(`; nothing before a function alone.
fn calls(text: &str) -> BTreeSet<(String, String)> {
    let call = Regex::new(r"(?:\b(\w+)\s*(?:\.|::)\s*)?\b([a-z]\w*)\s*(?:::<[^>]*>)?\(").unwrap();
    let owner = |found: &regex::Captures| found.get(1).map_or("", |owner| owner.as_str()).to_owned();
    call.captures_iter(text).map(|found| (owner(&found), found[2].to_owned())).collect()
}

fn actions(text: &str) -> Names {
    let call = Regex::new(r"\.(\w+)\(\)").unwrap();
    let part = Regex::new(r"TransactWriteItem::builder\(\)\s*\.(\w+)\(").unwrap();
    let of = |table: &[(&str, &str)], name: &str| {
        table.iter().find(|(called, _)| *called == name).map(|(_, action)| (*action).to_owned())
    };
    let alone = call.captures_iter(text).filter_map(|found| of(&ACTIONS, &found[1]));
    alone.chain(part.captures_iter(text).filter_map(|found| of(&PARTS, &found[1]))).collect()
}
