//! The log of this process, kept.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let lines = tracing_subscriber::fmt().json().with_max_level(LevelFilter::INFO).with_writer(log.clone());
    tracing::subscriber::set_global_default(lines.finish()).expect("no other log");
    log
});

/// Begins to keep the log.
pub fn keep() {
    LazyLock::force(&LOG);
}

/// The lines so far whose span has this trace.
pub fn of_trace(trace: &str) -> Vec<Value> {
    let bytes = LOG.0.lock().expect("the log").clone();
    let text = String::from_utf8(bytes).expect("a log of text");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    lines.filter(|line| line["span"]["trace"] == trace).collect()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
