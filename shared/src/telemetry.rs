//! Logs: JSON lines in Lambda, plain lines on a laptop.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config;

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
    drop(tracing_subscriber::registry().with(lines.with_filter(shown)).try_init());
}
