//! Measures retrieval on public questions, in the layout of BEIR, through the ingest and the retrieval that serve everyone.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use aws::knowledge_store::{CorpusChunk, Spaces, VectorSpace};
use contracts::api::RETRIEVE;
use contracts::knowledge::{Passage, RetrieveRequest};
use contracts::private::Private;
use local::Options;
use local::knowledge::own_texts;
use models::embedder::Embedder;
use runtime::assistants::Assistants;
use runtime::deadline::Deadline;
use runtime::pipeline::Pipeline;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{App, DOCUMENTS_KEY};

/// The most bytes of texts in one document; it may have 1 MiB with all that JSON adds.
const DOCUMENT_BYTES: usize = 700 * 1024;
/// How long a corpus may take to be taken in.
const PATIENCE: Duration = Duration::from_secs(900);
/// How many passages are asked for, so that ten texts are among them though some are cut into several.
const PASSAGES: usize = 50;

/// A corpus, the questions asked of it, and which of its texts answer them.
pub struct Set {
    /// Its name.
    pub name: String,
    texts: Vec<Line>,
    /// The questions that somebody judged and everybody may read.
    pub questions: Vec<Judged>,
    /// Those of another `split` than `public`, where the folder has them: they are measured apart.
    pub held_out: Vec<Judged>,
}

/// A question, and the grades of the texts that answer it.
pub type Judged = (String, HashMap<String, f64>);

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
    split: Option<String>,
}

impl Set {
    /// Reads a set's `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`.
    ///
    /// # Errors
    /// A file that is missing or cannot be read, named.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let name = folder.file_name().context("a folder without a name")?.to_string_lossy().into_owned();
        let texts = lines(&folder.join("corpus.jsonl"))?;
        let qrels = std::fs::read_to_string(folder.join("qrels.tsv")).context("qrels.tsv")?;
        let mut grades: HashMap<&str, HashMap<String, f64>> = HashMap::new();
        for line in qrels.lines().skip(1) {
            let [question, text, grade] = line.split('\t').collect::<Vec<_>>()[..] else { bail!("qrels.tsv: {line}") };
            grades.entry(question).or_default().insert(text.to_owned(), grade.parse()?);
        }
        grades.retain(|_, grades| grades.values().any(|grade| *grade > 0.0));
        let (mut questions, mut held_out) = (Vec::new(), Vec::new());
        for line in lines(&folder.join("queries.jsonl"))? {
            let Some(grades) = grades.remove(line.id.as_str()) else { continue };
            let is_public = line.split.is_none_or(|split| split == "public");
            if is_public { &mut questions } else { &mut held_out }.push((line.text, grades));
        }
        Ok(Self { name, texts, questions, held_out })
    }

    /// Its texts as documents of pairs, each with its id as its source.
    fn documents(&self) -> Vec<String> {
        let (mut documents, mut bytes) = (vec![Vec::new()], 0);
        for text in self.texts.iter().filter(|text| !text.text.trim().is_empty()) {
            bytes += text.title.len() + text.text.len() + 100;
            if bytes > DOCUMENT_BYTES {
                documents.push(Vec::new());
                bytes = 0;
            }
            let pair = json!({"question": text.title, "answer": text.text, "source": text.id});
            documents.last_mut().expect("there is one").push(pair);
        }
        documents.into_iter().map(|pairs| Value::Array(pairs).to_string()).collect()
    }
}

fn lines(path: &Path) -> anyhow::Result<Vec<Line>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| path.display().to_string())).collect()
}

/// The whole of Colloquy, with a set's texts as another assistant's, and those of our own.
pub struct Library {
    app: App,
    space: Option<VectorSpace>,
    spaces: Spaces,
}

impl Library {
    /// Takes in the texts of the sets, each an assistant of its own that gives every passage it has, and those of the
    /// assistants of this build.
    ///
    /// # Errors
    /// A document is refused, or it takes too long.
    pub async fn new(sets: &[&Set], embedder: Option<Embedder>) -> anyhow::Result<Self> {
        let space = embedder.as_ref().map(Embedder::space);
        let assistants = assistants(sets)?;
        let expected: Vec<String> = assistants.iter().map(|(name, _)| name.to_owned()).collect();
        let retrieve_memory = 1 << 30;
        let options =
            Options { assistants, own_texts: own_texts(None)?, embedder, retrieve_memory, ..crate::options() };
        let spaces = Spaces::new(space.clone(), None);
        let library = Self { app: App::with_options(options).await, space, spaces };
        for set in sets {
            for (number, content) in set.documents().into_iter().enumerate() {
                let body = json!({
                    "assistant": set.name, "source": set.name, "key": number.to_string(),
                    "content_type": "application/json", "content": content,
                });
                library.add(&body).await?;
            }
        }
        for name in expected.iter().filter(|name| *name != "travel") {
            library.wait(name).await?;
        }
        Ok(library)
    }

    /// Sends a document, again where the tables are too busy to take it in time: under its key, nothing is doubled.
    async fn add(&self, document: &Value) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let request = self.app.request("POST", "/v1/documents").bearer_auth(DOCUMENTS_KEY).json(document);
            let answer = self.app.send(request).await;
            match answer.status {
                202 => return Ok(()),
                503 | 504 if started.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_secs(1)).await,
                _ => bail!("{}: {}", document["source"], answer.body),
            }
        }
    }

    /// Waits until every text of the assistant can be found.
    async fn wait(&self, assistant: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            // The tables may be too busy to say, as long as texts are being written.
            let documents = self.app.colloquy.knowledge().documents(assistant).await.unwrap_or_default();
            if !documents.is_empty() && documents.iter().all(|document| document.is_settled_in(&self.spaces)) {
                return Ok(());
            }
            ensure!(started.elapsed() < PATIENCE, "the texts of {assistant} are not taken in");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The chunks of an assistant, with their vectors.
    ///
    /// # Errors
    /// The table is away.
    pub async fn chunks(&self, assistant: &str) -> anyhow::Result<Vec<CorpusChunk>> {
        let corpus = self.app.colloquy.knowledge().load(assistant, self.space.as_ref(), usize::MAX).await;
        Ok(corpus.map_err(failed)?.context("too large")?.chunks)
    }

    /// The passages for a question.
    ///
    /// # Errors
    /// The step fails.
    pub async fn ask(&self, assistant: &str, question: &str) -> anyhow::Result<Vec<Passage>> {
        let request = RetrieveRequest {
            assistant: assistant.to_owned(),
            question: Private(question.to_owned()),
            limit: Some(PASSAGES),
            ..Default::default()
        };
        let pipeline = Pipeline::new(self.app.colloquy.steps_url())?;
        let found = pipeline.call(&RETRIEVE, &request, Deadline::after(Duration::from_secs(20))).await;
        Ok(found.map_err(failed)?.passages)
    }

    /// Stops it.
    pub async fn stop(self) {
        self.app.colloquy.stop().await;
    }
}

fn failed(problem: contracts::problem::Problem) -> anyhow::Error {
    anyhow::anyhow!("{problem}")
}

/// The assistants of this build, and one for each set.
fn assistants(sets: &[&Set]) -> anyhow::Result<Assistants> {
    let folder = std::env::temp_dir().join(format!("colloquy-sets-{}", std::process::id()));
    let written = write_assistants(&folder, sets).and_then(|()| Assistants::embedded()?.and_in_folder(&folder));
    std::fs::remove_dir_all(&folder)?;
    written
}

fn write_assistants(folder: &Path, sets: &[&Set]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for set in sets {
        let own = folder.join(&set.name);
        std::fs::create_dir_all(&own)?;
        let manifest = "title = 'A set'\ndescription = 'd'\ngreeting = 'g'\n\
            [retrieval]\nleast_cosine = -1.0\nleast_evidence = 0.0\n";
        std::fs::write(own.join("assistant.toml"), manifest)?;
        std::fs::write(own.join("prompt.md"), "")?;
    }
    Ok(())
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

/// Scores the rankings of questions, in their order. A ranking is of texts' ids, the best first; of a text that is in
/// it several times, cut into passages, the first counts.
pub fn score(questions: &[Judged], rankings: &[Vec<String>]) -> Scores {
    let mut sum = Scores::default();
    for ((_, grades), ranking) in questions.iter().zip(rankings) {
        let mut seen = std::collections::HashSet::new();
        let texts = ranking.iter().filter(|id| seen.insert(*id)).take(10);
        let ten: Vec<f64> = texts.map(|id| grades.get(id).copied().unwrap_or(0.0)).collect();
        let mut ideal: Vec<f64> = grades.values().copied().filter(|grade| *grade > 0.0).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        sum.recall += ten.iter().filter(|grade| **grade > 0.0).count() as f64 / ideal.len() as f64;
        sum.mrr += ten.iter().position(|grade| *grade > 0.0).map_or(0.0, |at| 1.0 / (at + 1) as f64);
        ideal.truncate(10);
        sum.ndcg += gain(&ten) / gain(&ideal);
    }
    let all = questions.len().max(1) as f64;
    Scores { ndcg: sum.ndcg / all, recall: sum.recall / all, mrr: sum.mrr / all }
}

fn gain(grades: &[f64]) -> f64 {
    grades.iter().enumerate().map(|(at, grade)| grade / ((at + 2) as f64).log2()).sum()
}
