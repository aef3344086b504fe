//! The commands besides serving.

use std::path::PathBuf;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use local::folder::{self, Summary, Target};
use local::{Colloquy, Options};
use models::embedder::MODEL_FOLDER;
use models::embedder::model::{self, Sources};
use runtime::config::{self, Secret};

use crate::print;

const USAGE: &str =
    "usage: colloquy                                    serve (settings: environment variables, see README.md)
       colloquy ingest DIR --assistant NAME [--url URL]   take a folder of documents in
       colloquy model                                     fetch the sentence model, to run with EMBEDDER=local";

/// Runs the command that the arguments name.
///
/// # Errors
/// Arguments that name none, or what it fails with.
pub async fn run(arguments: &[String]) -> anyhow::Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["ingest", rest @ ..] => ingest(rest).await,
        ["model"] => fetch_model().await,
        ["help" | "--help" | "-h"] => {
            print(USAGE);
            Ok(())
        }
        _ => bail!("{USAGE}"),
    }
}

async fn ingest(arguments: &[&str]) -> anyhow::Result<()> {
    let (mut folder, mut assistant, mut url) = (None, None, config::optional("COLLOQUY_URL"));
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--assistant" => assistant = rest.next().map(|name| (*name).to_owned()),
            "--url" => url = rest.next().map(|url| (*url).to_owned()),
            other if other.starts_with('-') || folder.is_some() => bail!("{other:?} is not known\n{USAGE}"),
            other => folder = Some(PathBuf::from(other)),
        }
    }
    let (Some(folder), Some(assistant)) = (folder, assistant) else { bail!("{USAGE}") };
    let url = match url {
        Some(url) => Some(url.trim_end_matches('/').to_owned()),
        None => running().await?,
    };
    let bar = ProgressBar::new(0);
    let summary = match url {
        Some(url) => {
            let key = config::required("DOCUMENTS_API_KEY");
            let keys = key.with_context(|| format!("documents go to {url}, which needs its key"))?;
            let key = keys.split(',').next_back().unwrap_or_default().trim().to_owned();
            folder::ingest(&folder, &Target { url, key, assistant }, &bar).await?
        }
        None => {
            // Nothing runs here: start the whole set for as long as it takes, with a key that nobody else knows.
            let key = uuid::Uuid::new_v4().to_string();
            let documents_key = Some(Secret::new("DOCUMENTS_API_KEY", key.clone()));
            let own_texts = Vec::new();
            let colloquy = Colloquy::start(Options { port: 0, documents_key, own_texts, ..crate::options()? }).await?;
            let taken = folder::ingest(&folder, &Target { url: colloquy.url(), key, assistant }, &bar).await;
            colloquy.stop().await;
            taken?
        }
    };
    print(&said(&summary));
    if summary.refused.is_empty() { Ok(()) } else { bail!("some files were not taken in") }
}

async fn fetch_model() -> anyhow::Result<()> {
    let folder = config::optional("EMBEDDING_MODEL_DIR").unwrap_or_else(|| MODEL_FOLDER.to_owned());
    let fetched = model::fetch(folder.trim().as_ref(), &Sources::from_env()).await?;
    print(&format!("{fetched}\nIt is in {folder}. Use it: EMBEDDER=local cargo run --features local-model"));
    Ok(())
}

/// The Colloquy that runs on this machine, if one does.
async fn running() -> anyhow::Result<Option<String>> {
    let url = format!("http://127.0.0.1:{}", config::parsed("PORT", 3000_u16)?);
    let answer = reqwest::get(format!("{url}/v1/assistants")).await;
    Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(url))
}

fn said(summary: &Summary) -> String {
    let Summary { documents, chunks, embedded, failed, pending, .. } = summary;
    let mut lines = vec![format!(
        "{documents} documents, {chunks} chunks: {embedded} embedded, {failed} failed, {pending} pending"
    )];
    let skipped = summary.skipped.iter().map(|(end, count)| format!("{count} × .{end}")).collect::<Vec<_>>();
    if !skipped.is_empty() {
        lines.push(format!("not documents: {}", skipped.join(", ")));
    }
    lines.extend(summary.refused.iter().map(|(file, reason)| format!("not taken: {file}: {reason}")));
    lines.join("\n")
}
