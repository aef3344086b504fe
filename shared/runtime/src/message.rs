//! A message of SQS, as a worker gets it.

use std::time::{Duration, SystemTime};

use crate::trace::Trace;

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// By which it is deleted.
    pub receipt: String,
    /// What was sent: JSON.
    pub body: String,
    /// How often it was delivered, this time included.
    pub tries: u32,
    /// How long it has waited since it was sent.
    pub waited: Duration,
    /// The trace of what sent it.
    pub trace: Option<Trace>,
}

impl Message {
    /// Does what concerns this message alone as a part of the trace that sent it; of the batch's where it has none.
    pub async fn traced<F: Future>(&self, function: &'static str, work: F) -> F::Output {
        match self.trace {
            Some(trace) => trace.child().instrument(function, work).await,
            None => work.await,
        }
    }
}

/// How long ago a message was sent, which SQS tells as milliseconds since 1970; nothing where it is not told.
pub fn waited(sent: Option<&str>) -> Duration {
    let sent = sent.and_then(|sent| sent.parse().ok()).map(|sent| SystemTime::UNIX_EPOCH + Duration::from_millis(sent));
    sent.and_then(|sent| sent.elapsed().ok()).unwrap_or_default()
}
