//! From a document as it was sent to its chunks.

use aws::knowledge_store::{DocumentId, NewDocument};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::documents::{ContentType, DOCUMENT_LIMIT, DocumentRequest, check_source};
use contracts::problem::Problem;
use runtime::deadline::Deadline;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::chunk::{Chunks, Origin};
use crate::{html, pdf};

/// How many documents are cut at once.
static CUTTING: Semaphore = Semaphore::const_new(2);

/// A pair of an `application/json` document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    question: String,
    answer: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

/// Reads a document and cuts it.
///
/// # Errors
/// 422: the content is not what it is said to be, has no text, or too much. 503: PDFs cannot be read for now. 504: the time
/// is up; nothing goes on working.
pub async fn read(request: DocumentRequest, pdfs: &pdf::Reader, deadline: Deadline) -> Result<NewDocument, Problem> {
    let pages = match request.content_type {
        ContentType::Pdf => Some(read_pdf(&request.content, pdfs).await?),
        _ => None,
    };
    let permit = tokio::time::timeout_at(deadline.instant(), CUTTING.acquire()).await;
    let permit = permit.map_err(|_| Problem::deadline())?.map_err(Problem::internal)?;
    // Cutting a mebibyte takes some tenths of a second, which the other requests need not wait for. Who asked may leave.
    let cutting = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        cut(request, pages, deadline)
    });
    let document = cutting.await;
    document.map_err(|_| Problem::internal(anyhow::anyhow!("cutting a document panicked")))?
}

async fn read_pdf(content: &str, pdfs: &pdf::Reader) -> Result<Vec<String>, Problem> {
    let base64: String = content.split_ascii_whitespace().collect();
    let file = STANDARD.decode(base64).map_err(|_| Problem::field("content", "a PDF must be in base64"))?;
    if file.len() > DOCUMENT_LIMIT {
        return Err(Problem::field("content", "the PDF may have at most 1 MiB"));
    }
    let read = pdfs.text(file).await.map_err(|error| {
        Problem::unavailable("PDFs cannot be read right now.", anyhow::Error::new(error).context("reading a PDF"))
    })?;
    read.map_err(|reason| Problem::field("content", reason.to_string()))
}

fn cut(request: DocumentRequest, pages: Option<Vec<String>>, deadline: Deadline) -> Result<NewDocument, Problem> {
    let url = request.url.as_deref();
    let (html, html_title) = match request.content_type {
        ContentType::Html => html::to_markdown(&request.content),
        _ => Default::default(),
    };
    let title = request.title.clone().filter(|title| !title.trim().is_empty()).unwrap_or(html_title);
    let origin = Origin { title: &title, source: &request.source, url };
    let mut chunks = Chunks::until(deadline);
    match request.content_type {
        ContentType::Markdown => chunks.markdown(&request.content, origin)?,
        ContentType::Html => chunks.markdown(&html, origin)?,
        ContentType::Plain => chunks.section(origin, &[], &request.content, false)?,
        ContentType::QuestionsAndAnswers => pairs(&request.content, origin, &mut chunks)?,
        ContentType::Pdf => chunks.section(origin, &[], &pages.unwrap_or_default().join("\n\n"), false)?,
    }
    let chunks = chunks.into_all();
    if chunks.is_empty() {
        return Err(Problem::field("content", "there is no text in it"));
    }
    let id = match &request.key {
        Some(key) => DocumentId::of(&request.assistant, &["key", key]),
        None => {
            let parts = ["content", &request.source, &title, url.unwrap_or_default(), &request.content];
            DocumentId::of(&request.assistant, &parts)
        }
    };
    Ok(NewDocument { id, source: request.source, title, url: request.url, key: request.key, chunks })
}

fn pairs(content: &str, origin: Origin<'_>, chunks: &mut Chunks) -> Result<(), Problem> {
    let wrong = |error: serde_json::Error| {
        // The place is enough: serde's own words can repeat what was written.
        let place = format!("line {}, column {}", error.line(), error.column());
        let form = r#"it must be a JSON list of {"question", "answer", "source"?, "url"?}"#;
        Problem::field("content", format!("{form}; see {place}"))
    };
    let pairs: Vec<Pair> = serde_json::from_str(content).map_err(wrong)?;
    for (index, pair) in pairs.iter().enumerate() {
        check_source(&format!("content[{index}]."), pair.source.as_deref(), pair.url.as_deref())?;
        let source = pair.source.as_deref().unwrap_or(origin.source);
        let url = pair.url.as_deref().or(origin.url);
        chunks.section(Origin { source, url, ..origin }, &[&pair.question], &pair.answer, true)?;
    }
    Ok(())
}
