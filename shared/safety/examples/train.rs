//! Trains the guard's classifier and measures it on lines that it has not seen.
//!
//! ```sh
//! cargo run --release -p safety --example train                      # writes data/classifier.bin and data/known_words.txt
//! cargo run --release -p safety --example train -- --folds 5         # measures alone, in five parts
//! cargo run --release -p safety --example train -- --folds 5 --seeds 5             # the mean of five divisions; -v lists the first
//! cargo run --release -p safety --example train -- --also crisis.jsonl             # as the shipped weights are trained
//! cargo run --release -p safety --example train -- --also crisis.jsonl --folds 5
//! ```
//!
//! `--plain questions.jsonl` adds lines `{"text"}` of ordinary distress to either, such as Counsel Chat's.
//!
//! It reads `train/*.tsv` (a label, a tab, a message; all of it written for this project) and the words of the assistants'
//! texts, and with `--also` lines `{"text", "crisis", "category"}` of public sets whose licence allows it. The same lines give
//! the same weights: the order is shuffled by a fixed seed.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
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
    /// The features of what is learnt from it: a long message without danger has none in any of its parts.
    examples: Vec<Vec<usize>>,
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
    if let Some(plain) = value("--plain") {
        lines.extend(plain_lines(Path::new(&plain), Guard::embedded()));
    }
    let guard = Guard::embedded();
    for line in &mut lines {
        let is_danger = line.output != OUTPUTS - 1;
        let parts = if is_danger { vec![guard.words(&line.text)] } else { guard.parts(&line.text) };
        for part in parts {
            let words: Vec<&str> = part.iter().map(String::as_str).collect();
            let mut example = Vec::new();
            features(&words, |feature| example.push(feature));
            line.examples.push(example);
        }
    }
    let seeds = value("--seeds").and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    match value("--folds").and_then(|folds| folds.parse::<usize>().ok()) {
        Some(folds) => measure(&mut lines, folds, seeds, guard, arguments.iter().any(|one| one == "-v")),
        None => {
            fastrand::seed(7);
            fastrand::shuffle(&mut lines);
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
            lines.push(Line { text: text.to_owned(), output, label: name, examples: Vec::new(), public: false });
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
        Line { text, output, label, examples: Vec::new(), public: true }
    };
    // Dialogues under a licence that asks for the same of what is made of them.
    text.lines().filter(|line| !line.contains(r#""source": "sgd""#)).map(read).collect()
}

/// Questions of ordinary distress; where a pattern finds danger in one, it may be there.
fn plain_lines(file: &Path, guard: &Guard) -> Vec<Line> {
    let text = std::fs::read_to_string(file).expect("a readable file");
    let read = |line: &str| -> Line {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = line["text"].as_str().unwrap_or_default().to_owned();
        Line { text, output: OUTPUTS - 1, label: "questions".to_owned(), examples: Vec::new(), public: true }
    };
    text.lines().map(read).filter(|line| guard.read_with(&line.text, None).is_none()).collect()
}

/// Stochastic gradient descent on the cross entropy, with AdaGrad's steps.
fn train(lines: &[&Line]) -> Classifier {
    let mut weights = vec![0.0_f32; FEATURES * OUTPUTS];
    let mut squares = vec![1e-4_f32; FEATURES * OUTPUTS];
    let mut bias = [0.0_f32; OUTPUTS];
    let examples = lines.iter().flat_map(|line| line.examples.iter().map(|example| (line.output, example)));
    let examples: Vec<(usize, &Vec<usize>)> = examples.collect();
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for &at in &order {
            let (expected, features) = examples[at];
            let value = 1.0 / (features.len().max(1) as f32).sqrt();
            let mut scores = bias;
            for feature in features {
                (0..OUTPUTS).for_each(|output| scores[output] += weights[feature * OUTPUTS + output] * value);
            }
            let mut errors = softmax(scores);
            errors[expected] -= 1.0;
            let weight = if expected == OUTPUTS - 1 { PLAIN_WEIGHT } else { 1.0 };
            for output in 0..OUTPUTS {
                let error = errors[output] * weight;
                bias[output] -= 0.01 * error;
                for feature in features {
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

/// Trains on all parts but one and reads that one, for each part and for several divisions into parts; prints the means.
fn measure(lines: &mut [Line], folds: usize, seeds: u64, guard: &Guard, verbose: bool) {
    let labels: BTreeSet<(bool, String)> = lines.iter().map(|line| (line.public, line.label.clone())).collect();
    // Of each label: lines, alarms by patterns alone, alarms.
    let mut counts: BTreeMap<(bool, String), [usize; 3]> = labels.into_iter().map(|label| (label, [0; 3])).collect();
    // How likely the classifier alone thinks danger: of plain lines, of look-alikes and of lines with danger.
    let mut dangers = [Vec::new(), Vec::new(), Vec::new()];
    for seed in 0..seeds {
        fastrand::seed(7 + seed);
        fastrand::shuffle(lines);
        for fold in 0..folds {
            let is_read = |at: usize| at % folds == fold;
            let rest: Vec<&Line> =
                lines.iter().enumerate().filter(|(at, _)| !is_read(*at)).map(|(_, line)| line).collect();
            let classifier = train(&rest);
            for line in lines.iter().enumerate().filter(|(at, _)| is_read(*at)).map(|(_, line)| line) {
                let alarm = guard.read_with(&line.text, Some(&classifier));
                let by_pattern = guard.read_with(&line.text, None).is_some();
                let count = counts.entry((line.public, line.label.clone())).or_default();
                count[0] += 1;
                count[1] += usize::from(by_pattern);
                count[2] += usize::from(alarm.is_some());
                let is_danger = line.output != OUTPUTS - 1;
                let kind = if is_danger { 2 } else { usize::from(is_look_alike(&line.label)) };
                dangers[kind].push(guard.danger_with(&line.text, &classifier));
                if verbose && seed == 0 && alarm.is_some() != is_danger {
                    let wrong = if is_danger { "missed" } else { "alarmed" };
                    let by = alarm.map(|alarm| format!("{} {:?}", alarm.class.name(), alarm.by)).unwrap_or_default();
                    println!("{wrong}\t{}\t{by}\t{}", line.label, line.text);
                }
            }
        }
    }
    println!("{:28} {:>7} {:>9} {:>7} {:>7}", "lines", "n", "patterns", "both", "share");
    for ((public, label), [n, by_pattern, both]) in counts {
        let name = if public { format!("public {label}") } else { label };
        let mean = |count: usize| count as f64 / seeds as f64;
        println!(
            "{name:28} {:7.0} {:9.1} {:7.1} {:7.3}",
            mean(n),
            mean(by_pattern),
            mean(both),
            both as f64 / n as f64
        );
    }
    print_thresholds(dangers);
}

fn is_look_alike(label: &str) -> bool {
    let label = label.strip_prefix("negative-").unwrap_or(label);
    ["idiom", "past_recovered", "negated", "grief", "fiction", "academic", "fiction_academic"].contains(&label)
}

/// What the classifier alone would find where it may alarm about so many plain lines.
fn print_thresholds([mut plain, alike, danger]: [Vec<f32>; 3]) {
    plain.sort_by(|one, other| other.total_cmp(one));
    for per_thousand in [1, 2, 5, 10] {
        let least = plain[plain.len() * per_thousand / 1000];
        let share = |of: &[f32]| of.iter().filter(|danger| **danger > least).count() as f64 / of.len() as f64;
        println!(
            "classifier alone, {per_thousand} false alarms per 1,000 plain: above {least:.3}, {:.1} per 1,000 look-alikes, recall {:.3}",
            share(&alike) * 1e3,
            share(&danger)
        );
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
