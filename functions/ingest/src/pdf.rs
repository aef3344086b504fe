//! The words of a PDF.
//!
//! Files come from anywhere, and reading one may take forever, exhaust the stack or panic. So each is read on a thread of its
//! own with a deep stack, a time limit, and few at once; a thread that does not end in time is left to itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Semaphore, oneshot};

/// How long reading one may take.
const LIMIT: Duration = Duration::from_secs(10);
/// What deep nesting within a file may use, in bytes.
const STACK: usize = 64 * 1024 * 1024;

/// Why a PDF gave no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It is none, it is broken, or it is locked.
    #[error("it cannot be read as a PDF")]
    Broken,
    /// Its pages are pictures, most likely.
    #[error("there is no text in it; scanned pages must be recognised first")]
    NoText,
    /// It takes too long, or too many others are being read.
    #[error("it takes too long to be read")]
    TooSlow,
}

/// Reads PDFs, some at once.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Semaphore>);

impl Default for Reader {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(2)))
    }
}

impl Reader {
    /// The text of the pages, in their order.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn text(&self, file: Vec<u8>) -> Result<Vec<String>, Unreadable> {
        tokio::time::timeout(LIMIT, self.read(file)).await.unwrap_or(Err(Unreadable::TooSlow))
    }

    async fn read(&self, file: Vec<u8>) -> Result<Vec<String>, Unreadable> {
        let permit = self.0.clone().acquire_owned().await.map_err(|_| Unreadable::TooSlow)?;
        let (answer, answered) = oneshot::channel();
        let read = move || {
            let pages = catch_unwind(AssertUnwindSafe(|| pdf_extract::extract_text_from_mem_by_pages(&file)));
            drop(answer.send(pages));
            // Given back by the thread, so that one that never ends keeps its place.
            drop(permit);
        };
        std::thread::Builder::new().stack_size(STACK).spawn(read).map_err(|_| Unreadable::TooSlow)?;
        let pages = answered.await.map_err(|_| Unreadable::Broken)?;
        let pages = pages.map_err(|_| Unreadable::Broken)?.map_err(|_| Unreadable::Broken)?;
        let pages: Vec<String> = pages.into_iter().filter(|page| !page.trim().is_empty()).collect();
        if pages.is_empty() { Err(Unreadable::NoText) } else { Ok(pages) }
    }
}
