//! What the model says of the tokens and of the texts, kept on disk.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use minilm::{DIMENSIONS, MiniLm};
use serde_json::Value;

/// The words of a passage, some 170 tokens: what a table can learn from more is little.
const PASSAGE_WORDS: usize = 120;
/// The sentences of a text that are asked where they are from.
const SENTENCES: usize = 5;
/// The fewest and the most words of such a sentence.
const SENTENCE_WORDS: std::ops::RangeInclusive<usize> = 5..=40;

/// Of how many documents of a source the model is asked, and of how many pairs of each: it takes some minutes.
const ASKED_DOCUMENTS: usize = 700;
const ASKED_PAIRS: usize = 3;

/// The model's vectors, of length 1.
pub struct Taught {
    /// The vocabulary's tokens.
    pub tokens: Vec<String>,
    /// Their vectors, row by row.
    pub token_vectors: Vec<f32>,
    /// The texts.
    pub texts: Vec<String>,
    /// A sentence or title, and the passage it is of: places in `texts`.
    pub pairs: Vec<(usize, usize)>,
    /// Those of which the model was asked how near they are, and to what else.
    pub asked: Vec<(usize, usize)>,
    /// Its vectors of their texts.
    pub vectors: HashMap<usize, Vec<f32>>,
}

/// Reads texts and asks the model, or the cache.
pub fn teach(model: &Path, cache: &Path, sources: &[PathBuf]) -> anyhow::Result<Taught> {
    let file = |name: &str| std::fs::read(model.join(name)).with_context(|| name.to_owned());
    let tokenizer = file("tokenizer.json")?;
    let minilm = MiniLm::read(&file("model.safetensors")?, &tokenizer)?;
    let tokens = vocabulary(&tokenizer)?;
    let token_vectors = vectors(&minilm, &cache.join("tokens.f32"), tokens.iter().map(|token| bare(token)))?;
    let (mut texts, mut pairs, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for source in sources {
        let documents = documents(source)?;
        let step = documents.len().div_ceil(ASKED_DOCUMENTS).max(1);
        for (at, (title, text)) in documents.iter().enumerate() {
            let before = pairs.len();
            take(title, text, &mut texts, &mut pairs);
            if at % step == 0 {
                // The title, where there is one, is the last.
                asked.extend(pairs[before..].iter().rev().take(ASKED_PAIRS));
            }
        }
    }
    let wanted: BTreeSet<usize> = asked.iter().flat_map(|(sentence, passage)| [*sentence, *passage]).collect();
    let asked_texts: Vec<&str> = wanted.iter().map(|at| texts[*at].as_str()).collect();
    let rows = vectors(&minilm, &cache.join("texts.f32"), asked_texts.into_iter())?;
    let vectors = wanted.into_iter().zip(rows.chunks_exact(DIMENSIONS).map(<[f32]>::to_vec)).collect();
    Ok(Taught { tokens, token_vectors, texts, pairs, asked, vectors })
}

/// A token as a text: a piece that goes on with a word without its mark.
fn bare(token: &str) -> &str {
    token.strip_prefix("##").unwrap_or(token)
}

fn vocabulary(tokenizer: &[u8]) -> anyhow::Result<Vec<String>> {
    let json: Value = serde_json::from_slice(tokenizer)?;
    let vocabulary = json["model"]["vocab"].as_object().context("the tokenizer has no vocabulary")?;
    let mut tokens: Vec<(u64, &String)> =
        vocabulary.iter().filter_map(|(token, at)| Some((at.as_u64()?, token))).collect();
    tokens.sort_unstable();
    Ok(tokens.into_iter().map(|(_, token)| token.clone()).collect())
}

/// The vectors of texts, of length 1, from the cache as far as it goes.
fn vectors<'a>(
    minilm: &MiniLm,
    cache: &Path,
    texts: impl ExactSizeIterator<Item = &'a str>,
) -> anyhow::Result<Vec<f32>> {
    let kept = std::fs::read(cache).unwrap_or_default();
    let mut all: Vec<f32> = kept.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let (known, count, started) = (all.len() / DIMENSIONS, texts.len(), Instant::now());
    ensure!(known <= count, "{} is of other texts: remove it", cache.display());
    for (at, text) in texts.enumerate().skip(known) {
        let mut vector = minilm.embed(text)?;
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|x| *x /= length);
        all.extend(vector);
        if at % 1_000 == 999 || at + 1 == count {
            println!("{}: {} of {count}, {:?}", cache.display(), at + 1, started.elapsed());
            let bytes: Vec<u8> = all.iter().flat_map(|x| x.to_le_bytes()).collect();
            std::fs::write(cache, bytes)?;
        }
    }
    Ok(all)
}

/// Title and text of each document.
fn documents(source: &Path) -> anyhow::Result<Vec<(String, String)>> {
    if source.is_dir() {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(source)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
        files.sort();
        let mut found = Vec::new();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "md")) {
            for section in std::fs::read_to_string(file)?.split("\n## ").skip(1) {
                let (title, text) = section.split_once('\n').unwrap_or((section, ""));
                found.push((title.trim().to_owned(), text.trim().to_owned()));
            }
        }
        return Ok(found);
    }
    let lines = std::fs::read_to_string(source).with_context(|| source.display().to_string())?;
    let of = |json: &Value, name: &str| json[name].as_str().unwrap_or_default().to_owned();
    lines
        .lines()
        .map(|line| {
            let json: Value = serde_json::from_str(line)?;
            Ok((of(&json, "title"), of(&json, "text")))
        })
        .collect()
}

/// A passage of the text, and the title and sentences of it that are asked where they are from.
fn take(title: &str, text: &str, texts: &mut Vec<String>, pairs: &mut Vec<(usize, usize)>) {
    let text: String =
        text.split("\nSource:").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    if text.split(' ').count() < 20 {
        return;
    }
    let passage = texts.len();
    texts.push(text.split(' ').take(PASSAGE_WORDS).collect::<Vec<_>>().join(" "));
    let sentences: Vec<&str> = text
        .split_inclusive(". ")
        .map(str::trim)
        .filter(|sentence| SENTENCE_WORDS.contains(&sentence.split(' ').count()))
        .collect();
    let step = sentences.len().div_ceil(SENTENCES).max(1);
    let asked = sentences
        .into_iter()
        .step_by(step)
        .take(SENTENCES)
        .chain([title].into_iter().filter(|title| !title.is_empty()));
    for sentence in asked {
        pairs.push((texts.len(), passage));
        texts.push(sentence.to_owned());
    }
}
