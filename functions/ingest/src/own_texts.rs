//! The texts that assistants come with: kept as documents like any other, and only what changed. A release brings its own.

use std::sync::Arc;
use std::time::Duration;

use contracts::documents::{ContentType, DocumentRequest};
use contracts::problem::Problem;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use runtime::deadline::Deadline;
use tokio::sync::Semaphore;

use crate::{Deps, ingest};

/// `assistants/NAME/knowledge/*.md` of this build: assistant, file, text.
const EMBEDDED: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));
/// How the key of a document begins that an assistant came with.
const OWN: &str = "knowledge/";
/// How many documents are read at once.
const AT_ONCE: usize = 2;
/// How long is waited before what failed is tried again: a role that was just made is not known everywhere yet.
const PAUSE: Duration = Duration::from_secs(3);

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

/// The texts of the assistants of this build.
pub fn embedded() -> Vec<OwnText> {
    let of = |&(assistant, file, text): &(&str, &str, &str)| OwnText {
        assistant: assistant.to_owned(),
        file: file.to_owned(),
        text: text.to_owned(),
    };
    EMBEDDED.iter().map(of).collect()
}

/// The longest that one text may take.
const LONGEST: Duration = Duration::from_secs(60);

/// Takes in the texts of this build, trying again what failed until the deadline. Whether all of them are there.
pub fn release(deps: Arc<Deps>, deadline: Deadline) -> BoxFuture<'static, bool> {
    let all = async move {
        let texts = embedded();
        while !take_in(&deps, &texts).await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    // Without its type, which is too deep for the compiler in a function's `main`.
    tokio::time::timeout_at(deadline.instant(), all).map(|done| done.is_ok()).boxed()
}

/// Takes the texts in and takes away what is no longer among them. What has not changed costs a look. Whether all went well.
/// Where an assistant's texts were never there before, it is noted that they are coming: its questions wait for them.
pub async fn take_in(deps: &Deps, texts: &[OwnText]) -> bool {
    let at_once = Semaphore::new(AT_ONCE);
    let assistants = deps.assistants.iter().map(|(name, _)| take_in_of(deps, name, texts, &at_once));
    join_all(assistants).await.into_iter().all(|well| well)
}

async fn take_in_of(deps: &Deps, assistant: &str, texts: &[OwnText], at_once: &Semaphore) -> bool {
    let its: Vec<&OwnText> = texts.iter().filter(|text| text.assistant == assistant).collect();
    if !its.is_empty() {
        let noted = deps.store.begin_taking_in(assistant).await;
        went_well(noted, "it could not be noted that an assistant's texts are coming", assistant);
    }
    let taken = its.into_iter().map(|text| async move {
        let _permit = at_once.acquire().await;
        let name = format!("{}/{}", text.assistant, text.file);
        let taken = ingest(deps, request(deps, text), Deadline::after(LONGEST)).await;
        let is_awaited = taken.as_ref().is_err_and(Problem::is_transient);
        (went_well(taken.map(drop), "an assistant's text could not be taken in", &name), is_awaited)
    });
    let (taken, awaited): (Vec<bool>, Vec<bool>) = join_all(taken).await.into_iter().unzip();
    let mut well = taken.into_iter().all(|well| well);
    if !texts.is_empty() {
        let gone = take_away(deps, assistant, texts).await;
        well &= went_well(gone, "an assistant's old texts could not be taken away", assistant);
    }
    if awaited.contains(&true) {
        return false;
    }
    let noted = deps.store.finish_taking_in(assistant).await;
    well & went_well(noted, "it could not be noted that an assistant's texts are there", assistant)
}

/// Deletes the texts that the assistant came with once and does not any more.
async fn take_away(deps: &Deps, assistant: &str, texts: &[OwnText]) -> Result<(), Problem> {
    for document in deps.store.documents(assistant).await? {
        let own = document.key.as_deref().filter(|key| key.starts_with(OWN));
        if own.is_some_and(|own| !texts.iter().any(|text| text.assistant == assistant && key(text) == own)) {
            deps.store.delete(&document.id).await?;
        }
    }
    Ok(())
}

fn key(text: &OwnText) -> String {
    format!("{OWN}{}", text.file)
}

fn request(deps: &Deps, text: &OwnText) -> DocumentRequest {
    let title = deps.assistants.get(&text.assistant).map(|assistant| assistant.title.clone());
    DocumentRequest {
        source: title.unwrap_or_else(|_| text.assistant.clone()),
        key: Some(key(text)),
        assistant: text.assistant.clone(),
        title: None,
        url: None,
        content_type: ContentType::Markdown,
        content: text.text.clone(),
    }
}

fn went_well(result: Result<(), Problem>, what: &str, whose: &str) -> bool {
    let Err(problem) = &result else { return true };
    let cause = problem.cause();
    tracing::warn!(%problem, cause, whose, "{what}");
    false
}
