//! The assistants' own knowledge: read at start, kept as documents like any other, and only what changed.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
pub use ingest::own_texts::OwnText;
use runtime::assistants::Assistants;
use runtime::config;
use runtime::deadline::Deadline;
use runtime::observe::observed_call;
use runtime::trace::Trace;
use tokio::task::JoinHandle;

use crate::SWEEP;

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
    let mut texts = ingest::own_texts::embedded();
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
        ingest::own_texts::take_in(&deps, &texts).await;
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
