//! The assistants' own knowledge: read at start, kept as documents like any other, and only what changed.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use futures::{StreamExt, stream};
use shared::assistants::Assistants;
use shared::config;
use shared::deadline::Deadline;
use shared::documents::{ContentType, DocumentRequest};
use shared::observe::observed_call;
use shared::trace::Trace;
use tokio::task::JoinHandle;

use crate::SWEEP;

/// `assistants/NAME/knowledge/*.md` of this build: assistant, file, text.
const EMBEDDED: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));
/// How the key of a document begins that an assistant came with.
const OWN: &str = "knowledge/";
/// How many documents are read at once: the tables do one thing after the other anyway.
const AT_ONCE: usize = 2;

/// A text that an assistant comes with.
#[derive(Debug, Clone)]
pub struct OwnText {
    /// Whose it is.
    pub assistant: String,
    /// The name of its file.
    pub file: String,
    /// Its Markdown.
    pub text: String,
}

/// The texts of the assistants of this build, and those of the folder that `COLLOQUY_ASSISTANTS` names.
///
/// # Errors
/// A file that cannot be read, named.
pub fn own_texts_from_env() -> anyhow::Result<Vec<OwnText>> {
    own_texts(config::optional("COLLOQUY_ASSISTANTS").as_deref().map(Path::new))
}

/// The texts of the assistants of this build, and those of a folder of assistants, which replace them where a name is the
/// same.
///
/// # Errors
/// A file that cannot be read, named.
pub fn own_texts(folder: Option<&Path>) -> anyhow::Result<Vec<OwnText>> {
    let of = |&(assistant, file, text): &(&str, &str, &str)| OwnText {
        assistant: assistant.to_owned(),
        file: file.to_owned(),
        text: text.to_owned(),
    };
    let mut texts: Vec<OwnText> = EMBEDDED.iter().map(of).collect();
    if let Some(folder) = folder {
        let mut added = Vec::new();
        for (name, _) in Assistants::in_folder(folder)?.iter() {
            texts.retain(|text| text.assistant != name);
            added.extend(read_folder(name, &folder.join(name).join("knowledge"))?);
        }
        texts.extend(added);
    }
    Ok(texts)
}

fn read_folder(assistant: &str, folder: &Path) -> anyhow::Result<Vec<OwnText>> {
    let mut texts = Vec::new();
    // An assistant without knowledge has no such folder.
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(texts) };
    for entry in entries {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        let (Some(file), Some("md")) = (
            path.file_name().and_then(|name| name.to_str()),
            path.extension().and_then(|extension| extension.to_str()),
        ) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        texts.push(OwnText { assistant: assistant.to_owned(), file: file.to_owned(), text });
    }
    texts.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(texts)
}

/// Takes the texts in, takes away what is no longer among them, then queues what stayed pending: now and every five minutes.
pub(crate) fn start(deps: Arc<ingest::Deps>, embed: Arc<embed::Deps>, texts: Vec<OwnText>) -> JoinHandle<()> {
    tokio::spawn(async move {
        load(&deps, texts).await;
        // The queue was in memory: whatever is pending from before is in no message.
        let sweep = embed::sweep_now(&embed, Deadline::after(SWEEP));
        observed_call("embed", Trace::begin(), sweep, |well| *well).await;
        loop {
            tokio::time::sleep(SWEEP).await;
            let sweep = embed::sweep(embed.clone(), Deadline::after(SWEEP));
            observed_call("embed", Trace::begin(), sweep, |well| *well).await;
        }
    })
}

async fn load(deps: &ingest::Deps, texts: Vec<OwnText>) {
    if texts.is_empty() {
        return;
    }
    let wanted: Vec<(String, String)> = texts.iter().map(|text| (text.assistant.clone(), key(text))).collect();
    let requests = texts.into_iter().map(|text| async move {
        let name = format!("{}/{}", text.assistant, text.file);
        if let Err(problem) = ingest::ingest(deps, request(deps, text), Deadline::after(SWEEP)).await {
            log("an assistant's text could not be taken in", &name, &problem);
        }
    });
    let requests: Vec<_> = requests.collect();
    stream::iter(requests).buffer_unordered(AT_ONCE).collect::<()>().await;
    for (assistant, _) in deps.assistants.iter() {
        let gone = async {
            for document in deps.store.documents(assistant).await? {
                let own = document.key.as_deref().filter(|key| key.starts_with(OWN));
                if own.is_some_and(|key| !wanted.iter().any(|(of, wanted)| of == assistant && wanted == key)) {
                    deps.store.delete(&document.id).await?;
                }
            }
            Ok::<_, shared::problem::Problem>(())
        };
        if let Err(problem) = gone.await {
            log("an assistant's old texts could not be taken away", assistant, &problem);
        }
    }
}

fn key(text: &OwnText) -> String {
    format!("{OWN}{}", text.file)
}

fn request(deps: &ingest::Deps, text: OwnText) -> DocumentRequest {
    let title = deps.assistants.get(&text.assistant).map(|assistant| assistant.title.clone());
    DocumentRequest {
        source: title.unwrap_or_else(|_| text.assistant.clone()),
        key: Some(key(&text)),
        assistant: text.assistant,
        title: None,
        url: None,
        content_type: ContentType::Markdown,
        content: text.text,
    }
}

fn log(what: &str, whose: &str, problem: &shared::problem::Problem) {
    let cause = problem.cause();
    tracing::warn!(%problem, cause, whose, "{what}");
}
