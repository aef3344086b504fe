//! Logs: JSON lines in Lambda, plain lines on a laptop. `RUST_LOG` says what is shown (default `info`).

use tracing_subscriber::EnvFilter;

/// Installs the log for this process; a second call does nothing.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let in_lambda = std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some();
    let installed = if in_lambda {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        builder.with_target(false).compact().try_init()
    };
    // The only failure is that there is one already, which is what is wanted.
    drop(installed);
}
