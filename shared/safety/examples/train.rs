//! Trains the guard's classifier and measures it on lines that it has not seen.
//!
//! ```sh
//! cargo run --release -p safety --example train                      # writes data/classifier.bin and data/known_words.txt
//! cargo run --release -p safety --example train -- --folds 5         # measures alone, in five parts
//! cargo run --release -p safety --example train -- --also crisis.jsonl             # as the shipped weights are trained
//! cargo run --release -p safety --example train -- --also crisis.jsonl --folds 5
//! ```
//!
//! It reads `train/*.tsv` (a label, a tab, a message; all of it written for this project) and the words of the assistants'
//! texts, and with `--also` lines `{"text", "crisis", "category"}` of public sets whose licence allows it. The same lines give
//! the same weights: the order is shuffled by a fixed seed.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::path::Path;

use safety::{Class, Classifier, FEATURES, Guard, OUTPUTS, features, softmax};

/// How often all lines are gone through, the size of the first step, and how strongly weights are drawn to zero.
const EPOCHS: usize = 30;
const STEP: f32 = 0.6;
const DECAY: f32 = 2e-6;
/// How much more a line without danger counts than one with: false alarms cost trust, and plain messages are the many.
const PLAIN_WEIGHT: f32 = 1.5;

struct Line {
    text: String,
    /// The output it should have.
    output: usize,
    label: String,
    features: Vec<usize>,
    /// From a public set.
    public: bool,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|one| one == name).and_then(|at| arguments.get(at + 1)).cloned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lines = own_lines(&root.join("train"));
    if value("--folds").is_none() {
        write_known_words(&lines, root);
    }
    if let Some(also) = value("--also") {
        lines.extend(public_lines(Path::new(&also)));
    }
    fastrand::seed(7);
    fastrand::shuffle(&mut lines);
    let guard = Guard::embedded();
    for line in &mut lines {
        let words = guard.words(&line.text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        features(&words, |feature| line.features.push(feature));
    }
    match value("--folds").and_then(|folds| folds.parse::<usize>().ok()) {
        Some(folds) => measure(&lines, folds, guard, arguments.iter().any(|one| one == "-v")),
        None => {
            let all: Vec<&Line> = lines.iter().collect();
            let bytes = train(&all).to_bytes();
            std::fs::write(root.join("data/classifier.bin"), &bytes).expect("the weights can be written");
            println!("{} lines, {} bytes", lines.len(), bytes.len());
        }
    }
}

fn own_lines(folder: &Path) -> Vec<Line> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("train/").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(&file).expect("a readable file").lines() {
            let Some((label, text)) = line.split_once('\t') else { continue };
            let output = Class::ALL.iter().position(|class| class.name() == label).unwrap_or(OUTPUTS - 1);
            let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            lines.push(Line { text: text.to_owned(), output, label: name, features: Vec::new(), public: false });
        }
    }
    lines
}

fn public_lines(file: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(file).expect("a readable file");
    let read = |line: &str| -> Line {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let label = line["category"].as_str().unwrap_or_default().to_owned();
        let class = match label.as_str() {
            "explicit_intent" | "plan_means" | "passive_ideation" => Some(Class::Suicide),
            "self_harm" => Some(Class::SelfHarm),
            "abuse" => Some(Class::Abuse),
            "harm_to_others" => Some(Class::HarmToOthers),
            "medical_emergency" => Some(Class::Medical),
            "third_party" => Some(Class::ThirdParty),
            _ => None,
        };
        let output = class.and_then(|class| Class::ALL.iter().position(|one| *one == class)).unwrap_or(OUTPUTS - 1);
        let text = line["text"].as_str().unwrap_or_default().to_owned();
        Line { text, output, label, features: Vec::new(), public: true }
    };
    // Dialogues under a licence that asks for the same of what is made of them.
    text.lines().filter(|line| !line.contains(r#""source": "sgd""#)).map(read).collect()
}

/// Stochastic gradient descent on the cross entropy, with AdaGrad's steps.
fn train(lines: &[&Line]) -> Classifier {
    let mut weights = vec![0.0_f32; FEATURES * OUTPUTS];
    let mut squares = vec![1e-4_f32; FEATURES * OUTPUTS];
    let mut bias = [0.0_f32; OUTPUTS];
    let mut order: Vec<usize> = (0..lines.len()).collect();
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for &at in &order {
            let line = lines[at];
            let value = 1.0 / (line.features.len().max(1) as f32).sqrt();
            let mut scores = bias;
            for feature in &line.features {
                (0..OUTPUTS).for_each(|output| scores[output] += weights[feature * OUTPUTS + output] * value);
            }
            let mut errors = softmax(scores);
            errors[line.output] -= 1.0;
            let weight = if line.output == OUTPUTS - 1 { PLAIN_WEIGHT } else { 1.0 };
            for output in 0..OUTPUTS {
                let error = errors[output] * weight;
                bias[output] -= 0.01 * error;
                for feature in &line.features {
                    let index = feature * OUTPUTS + output;
                    let gradient = error * value + DECAY * weights[index];
                    squares[index] += gradient * gradient;
                    weights[index] -= STEP * gradient / squares[index].sqrt() * 0.1;
                }
            }
        }
    }
    Classifier::from_weights(bias, &weights)
}

/// Trains on all parts but one and reads that one, for each part; prints what came of it.
fn measure(lines: &[Line], folds: usize, guard: &Guard, verbose: bool) {
    let labels: BTreeSet<(bool, &str)> = lines.iter().map(|line| (line.public, line.label.as_str())).collect();
    let mut danger = vec![0.0_f32; lines.len()];
    let mut alarm = vec![false; lines.len()];
    let mut by_pattern = vec![false; lines.len()];
    for fold in 0..folds {
        let rest: Vec<&Line> =
            lines.iter().enumerate().filter(|(at, _)| at % folds != fold).map(|(_, line)| line).collect();
        let classifier = train(&rest);
        for (at, line) in lines.iter().enumerate().filter(|(at, _)| at % folds == fold) {
            let words = guard.words(&line.text);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            danger[at] = classifier.read(&words).danger();
            alarm[at] = guard.read_with(&line.text, Some(&classifier)).is_some();
            by_pattern[at] = guard.read_with(&line.text, None).is_some();
        }
    }
    println!("{:28} {:>5} {:>8} {:>8} {:>7} {:>7} {:>7}", "lines", "n", "patterns", "both", ">0.5", ">0.84", ">0.88");
    for (public, label) in labels {
        let of: Vec<usize> =
            (0..lines.len()).filter(|at| lines[*at].public == public && lines[*at].label == label).collect();
        let share = |is: &dyn Fn(usize) -> bool| of.iter().filter(|at| is(**at)).count() as f64 / of.len() as f64;
        let above = |least: f32| share(&|at| danger[at] >= least);
        let name = if public { format!("public {label}") } else { label.to_owned() };
        println!(
            "{name:28} {:5} {:8.3} {:8.3} {:7.3} {:7.3} {:7.3}",
            of.len(),
            share(&|at| by_pattern[at]),
            share(&|at| alarm[at]),
            above(0.5),
            above(0.84),
            above(0.88)
        );
    }
    if verbose {
        for (at, line) in lines.iter().enumerate() {
            let is_danger = line.output != OUTPUTS - 1;
            if alarm[at] != is_danger {
                let kind = if is_danger {
                    "MISS"
                } else if by_pattern[at] {
                    "ALARM(pattern)"
                } else {
                    "ALARM(classifier)"
                };
                println!("{kind}\t{}\t{:.2}\t{}", line.label, danger[at], line.text);
            }
        }
    }
}

/// The words of plain messages and of the assistants' texts, which are no misspellings of others.
fn write_known_words(lines: &[Line], root: &Path) {
    let mut words = BTreeSet::new();
    let mut add = |text: &str| {
        let letters = |word: &&str| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
        words.extend(text.split(|letter: char| !letter.is_alphanumeric()).filter(letters).map(str::to_ascii_lowercase));
    };
    lines.iter().filter(|line| line.output == OUTPUTS - 1).for_each(|line| add(&line.text));
    for assistant in std::fs::read_dir(root.join("../../assistants")).expect("assistants/") {
        let folder = assistant.expect("a folder").path().join("knowledge");
        for file in std::fs::read_dir(&folder).into_iter().flatten() {
            add(&std::fs::read_to_string(file.expect("a file").path()).expect("a readable file"));
        }
    }
    let words: Vec<String> = words.into_iter().collect();
    std::fs::write(root.join("data/known_words.txt"), words.join("\n") + "\n").expect("the words can be written");
    println!("{} known words", words.len());
}
