//! `GET /metrics`: what is measured, as Prometheus reads it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use contracts::problem::wrong_method;
use http::header;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use runtime::meter::{self, Kind, METRICS, Metric};
use tokio::task::JoinHandle;

/// The upper bounds of the classes that times are counted in, in seconds. 2.5 is the longest that a turn should take.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// How often values are put into their classes, so that they do not pile up while nobody looks.
const UPKEEP: Duration = Duration::from_secs(5);

/// Begins to measure this process, once for however many sets run in it.
///
/// # Errors
/// Something else measures already.
pub(crate) fn start() -> anyhow::Result<PrometheusHandle> {
    static STARTED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    let handle = builder.install_recorder().context("starting the metrics")?;
    meter::describe();
    Ok(started.insert(handle).clone())
}

/// The route.
pub(crate) fn router(metrics: PrometheusHandle) -> Router {
    let answer = async move || ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], render(&metrics));
    Router::new().route("/metrics", get(answer).fallback(async || wrong_method("GET, HEAD")))
}

/// What the facade can only keep as a gauge, since it has a fraction, is told as the counter that it is.
fn render(metrics: &PrometheusHandle) -> String {
    let text = metrics.render();
    let fractions = METRICS.iter().filter(|metric| metric.kind == Kind::Counter && !meter::is_whole(metric.name));
    fractions.fold(text, |text, Metric { name, .. }| {
        text.replace(&format!("# TYPE {name} gauge\n"), &format!("# TYPE {name} counter\n"))
    })
}

/// Keeps what was measured small, until it is stopped.
pub(crate) fn keep_up(metrics: PrometheusHandle) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut clock = tokio::time::interval(UPKEEP);
        loop {
            clock.tick().await;
            metrics.run_upkeep();
        }
    })
}
