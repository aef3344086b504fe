//! Logs: JSON lines in Lambda, plain lines on a laptop.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config;

/// Our crates, by the build script. Those of others write whole requests below `info`, and so what people say, which no level is to show.
const OURS: &[&str] = include!(concat!(env!("OUT_DIR"), "/ours.rs"));

/// Installs the log for this process; a second call does nothing. `RUST_LOG` says what is shown, as levels of targets
/// (`info,flights=debug`); where it is not set or cannot be read, `default` does.
pub fn init(default: &str) {
    let asked = config::optional("RUST_LOG").and_then(|text| text.parse::<Targets>().ok());
    let shown = asked.or_else(|| default.parse().ok()).unwrap_or_default();
    let lines = fmt::layer().with_writer(std::io::stderr);
    let in_lambda = std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some();
    let lines = if in_lambda {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.with_target(false).compact().boxed()
    };
    // The only failure is that there is one already, which is what is wanted.
    drop(tracing_subscriber::registry().with(lines.with_filter(filter(shown))).try_init());
}

fn filter<S>(shown: Targets) -> impl Filter<S> {
    shown.and(filter_fn(may_be_shown))
}

fn may_be_shown(line: &Metadata<'_>) -> bool {
    let crate_name = line.target().split("::").next().unwrap_or_default();
    *line.level() <= Level::INFO || OURS.contains(&crate_name)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_level_shows_the_requests_that_others_write_out() {
        let log = Log::default();
        let writer = log.clone();
        let lines = fmt::layer().with_writer(move || writer.clone()).with_filter(filter("trace".parse().unwrap()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::trace!(target: "aws_smithy_runtime::client::orchestrator", "a whole request");
            tracing::debug!(target: "hyper_util::client", "another");
            tracing::warn!(target: "aws_config", "no credentials");
            tracing::trace!(target: "session::store", "ours");
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("no credentials") && log.contains("ours"), "{log}");
        assert!(!log.contains("a whole request") && !log.contains("another"), "{log}");
    }
}
