//! Takes documents in: cuts them into chunks, keeps these, and queues what must be embedded.
//!
//! In: a document of an assistant, from whoever has the API key. Out: its id, and how far it is. What is kept is found by
//! words at once; `embed` gives it vectors later. Sending the same document again does nothing twice and finishes what was
//! left unfinished.

mod chunk;
mod document;
mod html;
pub mod own_texts;
mod pdf;

use std::sync::Arc;

use anyhow::Context;
use aws::knowledge_store::{Counts, DocumentId, EmbedWork, KeptDocument, KnowledgeStore, Spaces, VectorSpace};
use aws::queue::Queue;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use contracts::documents::{DOCUMENT_BODY_LIMIT, DocumentRequest, DocumentView};
use contracts::knowledge::Retrieval;
use contracts::problem::{Problem, wrong_method};
use http::{HeaderValue, StatusCode, header};
use models::embedder::Embedders;
use runtime::assistants::Assistants;
use runtime::config::Secret;
use runtime::deadline::{Deadline, PublicDeadline};
use runtime::step::read_json;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What the routes need.
pub struct Deps {
    /// Where documents are kept.
    pub store: KnowledgeStore,
    /// Where `embed` gets its work.
    pub queue: Queue,
    /// Whose documents there can be.
    pub assistants: Assistants,
    /// What `embed` puts vectors in; none without an embedder.
    pub spaces: Spaces,
    /// What a caller must show; without it, nobody may add or take away documents over HTTP.
    pub key: Option<Secret>,
    /// Reads PDFs.
    pub pdfs: pdf::Reader,
}

impl Deps {
    /// With `KNOWLEDGE_TABLE`, `CHUNKS_QUEUE_URL`, `DOCUMENTS_API_KEY`, and what names the assistants and the embedder.
    ///
    /// # Errors
    /// A variable that is missing or cannot be read, named.
    pub async fn from_env() -> anyhow::Result<Self> {
        Ok(Self {
            store: KnowledgeStore::from_env().await?,
            queue: Queue::from_env("CHUNKS_QUEUE_URL").await?,
            assistants: Assistants::from_env()?,
            spaces: Embedders::from_env()?.spaces(),
            key: Secret::from_env("DOCUMENTS_API_KEY"),
            pdfs: PdfReader::this_program().context("asking where this program is")?,
        })
    }
}

pub use pdf::{READ_PDF, Reader as PdfReader, Unreadable, read_pdf};

/// The routes.
pub fn router(deps: Arc<Deps>) -> Router {
    let guarded = middleware::from_fn_with_state(deps.clone(), guard);
    Router::new()
        .route("/v1/documents", post(add).layer(guarded.clone()).fallback(async || wrong_method("POST")))
        .route(
            "/v1/documents/{id}",
            get(show).delete(remove).layer(guarded).fallback(async || wrong_method("GET, HEAD, DELETE")),
        )
        .with_state(deps)
}

async fn add(
    State(deps): State<Arc<Deps>>,
    PublicDeadline { deadline, .. }: PublicDeadline,
    request: Request,
) -> Result<(StatusCode, Json<DocumentView>), Problem> {
    let request: DocumentRequest = read_json(request, DOCUMENT_BODY_LIMIT).await?;
    // What was written when the time is up stays, and the same request again goes on from there.
    let added = tokio::time::timeout_at(deadline.instant(), ingest(&deps, request, deadline)).await;
    Ok((StatusCode::ACCEPTED, Json(added.map_err(|_| Problem::deadline())??)))
}

async fn show(State(deps): State<Arc<Deps>>, Path(id): Path<String>) -> Result<Json<DocumentView>, Problem> {
    let document = deps.store.document(&parse(&id)?).await?.ok_or_else(unknown)?;
    Ok(Json(view(document, deps.spaces.current())))
}

async fn remove(State(deps): State<Arc<Deps>>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    if deps.store.delete(&parse(&id)?).await? { Ok(StatusCode::NO_CONTENT) } else { Err(unknown()) }
}

/// Keeps a document and queues what of it must be embedded. Cutting it ends by the deadline.
///
/// # Errors
/// 404: there is no such assistant. 422: a field is not valid. 503: the table or the queue is away; trying again goes on.
/// 504: it could not be cut in time.
pub async fn ingest(deps: &Deps, request: DocumentRequest, deadline: Deadline) -> Result<DocumentView, Problem> {
    request.check()?;
    deps.assistants.get(&request.assistant)?;
    let document = document::read(request, &deps.pdfs, deadline).await?;
    let kept = deps.store.write(&document, &deps.spaces).await?;
    queue_unembedded(deps, &kept).await?;
    Ok(view(kept, deps.spaces.current()))
}

/// Queues what has no vector: what the embedder refused the last time as well, since somebody asks for it anew.
async fn queue_unembedded(deps: &Deps, kept: &KeptDocument) -> Result<(), Problem> {
    let (_, next) = &kept.next;
    let has_all = |space: Option<&VectorSpace>, counts: &Counts| space.is_none() || counts.embedded == counts.chunks;
    if has_all(deps.spaces.current(), &kept.counts) && has_all(deps.spaces.next(), next) {
        return Ok(());
    }
    let hashes = deps.store.unembedded(&kept.id, deps.spaces.iter()).await?;
    deps.queue.send(&EmbedWork::for_document(kept, &hashes)).await
}

fn view(document: KeptDocument, space: Option<&VectorSpace>) -> DocumentView {
    // Counts of another space say nothing about this one.
    let current = space.is_some_and(|space| document.space.as_deref() == Some(space.name()));
    let (embedded, failed) = if current { (document.counts.embedded, document.counts.failed) } else { (0, 0) };
    let chunks = document.counts.chunks;
    let waits = space.is_some() || !document.is_whole();
    DocumentView {
        id: document.id.to_string(),
        assistant: document.id.assistant,
        source: document.source,
        title: Some(document.title).filter(|title| !title.is_empty()),
        url: document.url,
        key: document.key,
        chunks,
        embedded,
        failed,
        pending: if waits { chunks.saturating_sub(embedded + failed) } else { 0 },
        retrieval: if space.is_some() { Retrieval::Hybrid } else { Retrieval::Words },
    }
}

/// Lets those through who have the key.
async fn guard(State(deps): State<Arc<Deps>>, request: Request, next: Next) -> Response {
    let Some(key) = &deps.key else {
        let detail = "Documents cannot be changed here: no DOCUMENTS_API_KEY is configured.";
        return Problem::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail).into_response();
    };
    let wanted = match key.reveal().await {
        Ok(wanted) => wanted,
        Err(error) => return Problem::unavailable("The API key cannot be checked right now.", error).into_response(),
    };
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown =
        shown.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if shown.is_some_and(|(_, token)| is_one_of(token.trim(), &wanted.0)) {
        return next.run(request).await;
    }
    let detail = "Send the API key for documents as a bearer token: Authorization: Bearer …";
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized", detail).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Whether a key is one of those that are valid, which have commas in between: while callers change to a new one, there are
/// two. All are compared, and their hashes, so that the time tells nothing of them.
fn is_one_of(shown: &str, keys: &str) -> bool {
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    let keys = keys.split(',').map(str::trim).filter(|key| !key.is_empty());
    keys.fold(Choice::from(0), |right, key| right | hash(shown).ct_eq(&hash(key))).into()
}

/// An id that cannot be one is as unknown as one that never was.
fn parse(id: &str) -> Result<DocumentId, Problem> {
    id.parse().map_err(|reason: String| Problem::not_found("unknown-document", reason))
}

fn unknown() -> Problem {
    Problem::not_found("unknown-document", "There is no such document, or it was deleted.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_key_is_replaced_both_are_valid() {
        for (keys, shown, expected) in [
            ("old", "old", true),
            ("old", "new", false),
            ("old,new", "old", true),
            ("old, new", "new", true),
            ("old,new", "old,new", false),
            ("old,", "", false),
            (",", "", false),
            ("old", "ol", false),
        ] {
            assert_eq!(is_one_of(shown, keys), expected, "{keys:?} {shown:?}");
        }
    }
}
