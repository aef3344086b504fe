//! The words of a PDF.
//!
//! Files come from anywhere: one of a few kilobytes may unpack to gigabytes, draw itself within itself until the stack ends,
//! or never come to an end, and what exhausts memory or stack takes its whole process along. So each is read by a process
//! of its own: this program, started again with [`READ_PDF`] and without its environment, which limits its own memory, gets
//! the file as its input and writes the pages; it is killed when its time is up.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use contracts::documents::DOCUMENT_LIMIT;
use rlimit::Resource;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

/// The argument with which a program is to do nothing but [`read_pdf`].
pub const READ_PDF: &str = "read-pdf";

/// How long reading one may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How many are read at once.
const AT_ONCE: usize = 2;
/// What reading one may take of memory, in bytes: files of 140 and 260 KB were seen to take 17 MiB.
const MEMORY: u64 = 192 * 1024 * 1024;
/// What of it deep nesting within a file may take.
const STACK: usize = 32 * 1024 * 1024;
/// The most bytes that the words of a document can have in JSON, where a sign can take six.
const WORDS: u64 = 8 * 1024 * 1024;

/// Why a PDF gave no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum Unreadable {
    /// It is none, it is broken or locked, or it takes too much memory.
    #[error("it cannot be read as a PDF")]
    Broken,
    /// Its pages are pictures, most likely.
    #[error("there is no text in it; scanned pages must be recognised first")]
    NoText,
    /// A small file can hold more words than a document may have.
    #[error("there is more than 1 MiB of text in it")]
    TooLong,
    /// It takes too long.
    #[error("it takes too long to be read")]
    TooSlow,
}

/// Reads PDFs, some at once.
#[derive(Debug, Clone)]
pub struct Reader {
    program: Arc<Path>,
    limit: Duration,
    at_once: Arc<Semaphore>,
}

impl Reader {
    /// By a program that calls [`read_pdf`] where it is started with [`READ_PDF`].
    pub fn new(program: PathBuf) -> Self {
        Self { program: program.into(), limit: LIMIT, at_once: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// By the running program, which must be such a one.
    ///
    /// # Errors
    /// The system does not say where it is.
    pub fn this_program() -> io::Result<Self> {
        std::env::current_exe().map(Self::new)
    }

    /// The same, with another time limit than 10 seconds.
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// The text of the pages, in their order.
    ///
    /// # Errors
    /// No fault of the file: the process that reads it cannot be started, or ends without having read it. Within it, what is
    /// wrong with the file. Waiting for others that are being read is not part of the time limit, and has none of its own.
    pub async fn text(&self, file: Vec<u8>) -> io::Result<Result<Vec<String>, Unreadable>> {
        let _permit = self.at_once.acquire().await.map_err(io::Error::other)?;
        tokio::time::timeout(self.limit, self.read(file)).await.unwrap_or(Ok(Err(Unreadable::TooSlow)))
    }

    async fn read(&self, file: Vec<u8>) -> io::Result<Result<Vec<String>, Unreadable>> {
        let mut command = Command::new(&*self.program);
        command.arg(READ_PDF).env_clear().kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (mut input, output) = input.zip(output).ok_or_else(|| io::Error::other("it has no pipes"))?;
        input.write_all(&file).await?;
        drop(input);
        let mut answer = Vec::new();
        output.take(WORDS).read_to_end(&mut answer).await?;
        if let Ok(pages) = serde_json::from_slice(&answer) {
            return Ok(pages);
        }
        // A file that exhausts memory or stack ends the process by a signal, and one with more words than are taken by a
        // broken pipe. An error of `read_pdf` ends it before it looks at the file.
        let status = child.wait().await?;
        match status.code() {
            Some(_) if answer.is_empty() => Err(io::Error::other(format!("the process that reads PDFs: {status}"))),
            _ => Ok(Err(Unreadable::Broken)),
        }
    }
}

/// Reads the PDF that is the input of this process, whose end it must be: its limits stay. To be called before anything else.
///
/// # Errors
/// A limit cannot be set, or nobody reads the answer.
pub fn read_pdf() -> io::Result<()> {
    Resource::DATA.set(MEMORY, MEMORY)?;
    Resource::CORE.set(0, 0)?;
    let seconds = LIMIT.as_secs() + 1;
    Resource::CPU.set(seconds, seconds)?;
    let mut file = Vec::new();
    io::stdin().read_to_end(&mut file)?;
    let reading = std::thread::Builder::new().stack_size(STACK).spawn(move || pages(&file))?;
    // A panic is the parser's way of saying so.
    let pages = reading.join().unwrap_or(Err(Unreadable::Broken));
    Ok(serde_json::to_writer(io::stdout(), &pages)?)
}

fn pages(file: &[u8]) -> Result<Vec<String>, Unreadable> {
    let pages = pdf_extract::extract_text_from_mem_by_pages(file).map_err(|_| Unreadable::Broken)?;
    let pages: Vec<String> = pages.into_iter().filter(|page| !page.trim().is_empty()).collect();
    match pages.iter().map(String::len).sum::<usize>() {
        0 => Err(Unreadable::NoText),
        length if length > DOCUMENT_LIMIT => Err(Unreadable::TooLong),
        _ => Ok(pages),
    }
}
