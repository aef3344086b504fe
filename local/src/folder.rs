//! `cargo run -- ingest DIR --assistant NAME`: sends a folder's documents to `POST /v1/documents` and waits for their vectors.
//!
//! Each file is a document with its path as key, so a run that was interrupted goes on where it stopped, a file that changed
//! takes the place of what it was, and one that did not change costs one look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::documents::{ContentType, DocumentRequest, DocumentView};
use contracts::problem::ProblemBody;
use futures::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Client, Response, StatusCode};

/// How many files are sent at once.
const AT_ONCE: usize = 4;
/// How often a file is sent when the service is away for the moment.
const ATTEMPTS: u32 = 5;
/// How often is looked whether vectors are there.
const LOOK: Duration = Duration::from_millis(500);
/// How long no vector may come before waiting for the rest is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where documents are sent.
#[derive(Debug, Clone)]
pub struct Target {
    /// The base URL of a running Colloquy.
    pub url: String,
    /// Its `DOCUMENTS_API_KEY`.
    pub key: String,
    /// Whose documents they are.
    pub assistant: String,
}

/// What became of a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Documents taken in, now or before.
    pub documents: usize,
    /// Their chunks.
    pub chunks: usize,
    /// Of these, found by meaning as well.
    pub embedded: usize,
    /// Of these, refused by the embedder.
    pub failed: usize,
    /// Of these, still waiting.
    pub pending: usize,
    /// Files that were not taken in, and why.
    pub refused: Vec<(String, String)>,
    /// How many files were not looked at, by the end of their name.
    pub skipped: BTreeMap<String, usize>,
}

/// Sends all documents below a folder and waits until they are embedded.
///
/// # Errors
/// A folder that cannot be read, or a service that refuses the key or stays away. Nothing is lost then: run it again.
pub async fn ingest(folder: &Path, target: &Target, bar: &ProgressBar) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let files = files(folder, &mut summary.skipped)?;
    bar.set_style(style("{bar:30} {pos}/{len} files  {msg}"));
    bar.set_length(files.len() as u64);
    let client = Client::new();
    let sends: Vec<_> = files.iter().map(|(file, kind)| send(&client, target, folder, file, *kind)).collect();
    let mut sends = stream::iter(sends).buffer_unordered(AT_ONCE);
    let mut documents = Vec::new();
    while let Some((name, sent)) = sends.next().await {
        match sent? {
            Ok(view) => documents.push(view),
            Err(reason) => summary.refused.push((name.clone(), reason)),
        }
        bar.set_message(name);
        bar.inc(1);
    }
    wait(&client, target, &mut documents, bar).await?;
    bar.finish_and_clear();
    summary.refused.sort();
    summary.documents = documents.len();
    for view in &documents {
        summary.chunks += view.chunks;
        summary.embedded += view.embedded;
        summary.failed += view.failed;
        summary.pending += view.pending;
    }
    Ok(summary)
}

/// The documents below a folder, by path; what begins with a point is left alone.
fn files(folder: &Path, skipped: &mut BTreeMap<String, usize>) -> anyhow::Result<Vec<(PathBuf, ContentType)>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("reading {}", folder.display()))?;
            let (path, kind) = (entry.path(), entry.file_type().context("asking what a file is")?);
            let extension = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
            if entry.file_name().to_string_lossy().starts_with('.') || kind.is_symlink() {
                continue;
            } else if kind.is_dir() {
                folders.push(path);
            } else if let Some(content_type) = content_type(&extension) {
                files.push((path, content_type));
            } else {
                *skipped.entry(extension).or_default() += 1;
            }
        }
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(files)
}

fn content_type(extension: &str) -> Option<ContentType> {
    match extension {
        "md" | "markdown" => Some(ContentType::Markdown),
        "html" | "htm" => Some(ContentType::Html),
        "txt" => Some(ContentType::Plain),
        "json" => Some(ContentType::QuestionsAndAnswers),
        "pdf" => Some(ContentType::Pdf),
        _ => None,
    }
}

/// The outer error ends the run, the inner one is about this file.
type Sent = anyhow::Result<Result<DocumentView, String>>;

async fn send(client: &Client, target: &Target, folder: &Path, file: &Path, kind: ContentType) -> (String, Sent) {
    let name = file.strip_prefix(folder).unwrap_or(file).to_string_lossy().into_owned();
    let sent = post(client, target, &name, file, kind).await;
    (name, sent)
}

async fn post(client: &Client, target: &Target, name: &str, file: &Path, kind: ContentType) -> Sent {
    let bytes = tokio::fs::read(file).await.with_context(|| format!("reading {}", file.display()))?;
    let content = match (kind, String::from_utf8(bytes)) {
        (ContentType::Pdf, bytes) => STANDARD.encode(bytes.map_or_else(|error| error.into_bytes(), String::into_bytes)),
        (_, Ok(text)) => text,
        (_, Err(_)) => return Ok(Err("it is not UTF-8".to_owned())),
    };
    let request = DocumentRequest {
        assistant: target.assistant.clone(),
        source: name.chars().take(200).collect(),
        title: None,
        url: None,
        key: Some(format!("file/{name}")),
        content_type: kind,
        content,
    };
    for attempt in 1.. {
        let sent = client.post(format!("{}/v1/documents", target.url)).bearer_auth(&target.key).json(&request).send();
        let transient = match sent.await {
            Ok(answer) if answer.status() == StatusCode::ACCEPTED => return Ok(Ok(answer.json().await?)),
            Ok(answer) => {
                let status = answer.status();
                let reason = reason(answer).await;
                match status.as_u16() {
                    401 | 403 | 404 => bail!("{} refuses documents: {reason}", target.url),
                    429 | 500.. => reason,
                    _ => return Ok(Err(reason)),
                }
            }
            Err(error) => format!("{:#}", anyhow::Error::new(error)),
        };
        if attempt >= ATTEMPTS {
            bail!("{} is away (run this again, it goes on from here): {transient}", target.url);
        }
        tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
    }
    bail!("no attempt was made")
}

async fn reason(answer: Response) -> String {
    let status = answer.status();
    answer.json::<ProblemBody>().await.map_or_else(|_| status.to_string(), |problem| problem.detail)
}

/// Looks again and again at the documents that wait for vectors, as long as some come.
async fn wait(
    client: &Client,
    target: &Target,
    documents: &mut [DocumentView],
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let all: usize = documents.iter().map(|view| view.chunks).sum();
    let waiting = |documents: &[DocumentView]| documents.iter().map(|view| view.pending).sum::<usize>();
    let (mut left, mut moved) = (waiting(documents), tokio::time::Instant::now());
    bar.set_style(style("{bar:30} {pos}/{len} chunks embedded"));
    bar.set_length(all as u64);
    while left > 0 && moved.elapsed() < PATIENCE {
        bar.set_position(all.saturating_sub(left) as u64);
        tokio::time::sleep(LOOK).await;
        for view in documents.iter_mut().filter(|view| view.pending > 0) {
            let get = client.get(format!("{}/v1/documents/{}", target.url, view.id)).bearer_auth(&target.key);
            // One look that fails is made good by the next.
            if let Ok(answer) = get.send().await.and_then(Response::error_for_status) {
                *view = answer.json().await.context("reading a document's state")?;
            }
        }
        let now = waiting(documents);
        if now < left {
            moved = tokio::time::Instant::now();
        }
        left = now;
    }
    Ok(())
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
