//! Measures retrieval on public questions, in the layout of BEIR, and keeps the vectors that this needs.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use shared::deadline::Deadline;
use shared::embedder::Embedder;
use shared::knowledge_store::CorpusChunk;

/// How many texts are embedded at once.
const BATCH: usize = 32;

/// A corpus, the questions asked of it, and which of its texts answer them.
pub struct Set {
    /// Its name.
    pub name: String,
    /// Its texts, whole.
    pub chunks: Vec<CorpusChunk>,
    /// The questions that somebody judged, with the grades of the texts that answer them.
    pub questions: Vec<(String, HashMap<String, f64>)>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
}

/// Reads a set's `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`.
///
/// # Errors
/// A file that is missing or cannot be read, named.
pub fn read(folder: &Path) -> anyhow::Result<Set> {
    let name = folder.file_name().context("a folder without a name")?.to_string_lossy().into_owned();
    let chunks = lines(&folder.join("corpus.jsonl"))?;
    let chunks = chunks.into_iter().map(|line| chunk(&line.id, &line.title, &line.text)).collect();
    let qrels = std::fs::read_to_string(folder.join("qrels.tsv")).context("qrels.tsv")?;
    let mut grades: HashMap<&str, HashMap<String, f64>> = HashMap::new();
    for line in qrels.lines().skip(1) {
        let [question, text, grade] = line.split('\t').collect::<Vec<_>>()[..] else { bail!("qrels.tsv: {line}") };
        grades.entry(question).or_default().insert(text.to_owned(), grade.parse()?);
    }
    grades.retain(|_, grades| grades.values().any(|grade| *grade > 0.0));
    let questions = lines(&folder.join("queries.jsonl"))?;
    let judged = questions.into_iter().filter_map(|line| Some((line.text, grades.remove(line.id.as_str())?)));
    Ok(Set { name, chunks, questions: judged.collect() })
}

fn lines(path: &Path) -> anyhow::Result<Vec<Line>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| path.display().to_string())).collect()
}

/// A text as `retrieve` holds it.
pub fn chunk(id: &str, heading: &str, text: &str) -> CorpusChunk {
    CorpusChunk {
        id: id.to_owned(),
        document_id: id.to_owned(),
        text: text.to_owned(),
        heading: heading.to_owned(),
        source: id.to_owned(),
        url: None,
        vector: None,
    }
}

/// What of a text is embedded, as `embed` does it.
pub fn embeddable(chunk: &CorpusChunk) -> String {
    if chunk.heading.is_empty() { chunk.text.clone() } else { format!("{}\n\n{}", chunk.heading, chunk.text) }
}

/// How good rankings are, averaged over questions: the first ten of each count.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
    /// Normalised discounted cumulative gain, with linear gain as trec_eval and BEIR have it.
    pub ndcg: f64,
    /// The share of the answering texts that are among the ten.
    pub recall: f64,
    /// One over the place of the first answering text.
    pub mrr: f64,
}

/// Scores the rankings (ids, the best first) of a set's questions, in their order.
pub fn score(set: &Set, rankings: &[Vec<String>]) -> Scores {
    let mut sum = Scores::default();
    for ((_, grades), ranking) in set.questions.iter().zip(rankings) {
        let ten: Vec<f64> = ranking.iter().take(10).map(|id| grades.get(id).copied().unwrap_or(0.0)).collect();
        let mut ideal: Vec<f64> = grades.values().copied().filter(|grade| *grade > 0.0).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        sum.recall += ten.iter().filter(|grade| **grade > 0.0).count() as f64 / ideal.len() as f64;
        sum.mrr += ten.iter().position(|grade| *grade > 0.0).map_or(0.0, |at| 1.0 / (at + 1) as f64);
        ideal.truncate(10);
        sum.ndcg += gain(&ten) / gain(&ideal);
    }
    let all = set.questions.len().max(1) as f64;
    Scores { ndcg: sum.ndcg / all, recall: sum.recall / all, mrr: sum.mrr / all }
}

fn gain(grades: &[f64]) -> f64 {
    grades.iter().enumerate().map(|(at, grade)| grade / ((at + 2) as f64).log2()).sum()
}

/// Vectors that were made once, in the folder that `COLLOQUY_VECTORS` names: one file a model, of records of a text's
/// SHA-256 and its vector as little-endian 32-bit floats.
pub struct Vectors {
    known: HashMap<[u8; 32], Vec<f32>>,
    file: Option<PathBuf>,
    embedder: Option<Embedder>,
}

impl Vectors {
    /// Those of `embedder`, or without one those of all-MiniLM-L6-v2 that are there.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn open(embedder: Option<Embedder>) -> anyhow::Result<Self> {
        let (space, dimensions) = embedder
            .as_ref()
            .map_or(("all_minilm_l6_v2_384", 384), |embedder| (embedder.model(), embedder.dimensions()));
        let file =
            std::env::var_os("COLLOQUY_VECTORS").map(|folder| Path::new(&folder).join(format!("{space}.vectors")));
        let bytes = match &file {
            Some(file) if file.exists() => std::fs::read(file)?,
            _ => Vec::new(),
        };
        let mut known = HashMap::new();
        for record in bytes.chunks_exact(32 + 4 * dimensions) {
            let (hash, vector) = record.split_at(32);
            let vector = vector.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            known.insert(hash.try_into()?, vector);
        }
        Ok(Self { known, file, embedder })
    }

    /// The vectors of the texts, in their order; those not known are made where there is an embedder and they are at most
    /// `most`. `None` where some stay unknown.
    ///
    /// # Errors
    /// The embedder fails, or the file cannot be written.
    pub async fn of(&mut self, texts: &[String], most: usize) -> anyhow::Result<Option<Vec<Vec<f32>>>> {
        let unknown: Vec<String> = texts.iter().filter(|text| !self.known.contains_key(&hash(text))).cloned().collect();
        if unknown.len() <= most
            && let Some(embedder) = self.embedder.clone()
        {
            for batch in unknown.chunks(BATCH) {
                let deadline = Deadline::after(Duration::from_secs(600));
                let vectors = embedder.embed(batch, deadline).await.map_err(|failure| anyhow::anyhow!("{failure}"))?;
                for (text, vector) in batch.iter().zip(vectors) {
                    self.keep(text, vector?)?;
                }
            }
        }
        Ok(texts.iter().map(|text| self.known.get(&hash(text)).cloned()).collect())
    }

    fn keep(&mut self, text: &str, vector: Vec<f32>) -> anyhow::Result<()> {
        if let Some(path) = &self.file {
            let mut file: File = OpenOptions::new().create(true).append(true).open(path)?;
            let numbers: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            file.write_all(&[&hash(text)[..], &numbers].concat())?;
        }
        self.known.insert(hash(text), vector);
        Ok(())
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
