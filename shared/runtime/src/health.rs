//! How a dependency is tried: with a limit of its own, and a word for what is wrong that may be shown to anybody.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Instant;

use contracts::api::{HealthCheck, HealthStatus};

use crate::deadline::Deadline;

/// Tries a dependency. One that fails is `otherwise`: [`HealthStatus::Degraded`] where answers go on without it, else
/// [`HealthStatus::Down`].
pub async fn check<E: fmt::Display>(
    name: &str,
    otherwise: HealthStatus,
    limit: Deadline,
    attempt: impl Future<Output = Result<(), E>>,
) -> (String, HealthCheck) {
    let started = Instant::now();
    let outcome = tokio::time::timeout_at(limit.instant(), attempt).await;
    let detail =
        outcome.map_or_else(|_| Some("timeout".to_owned()), |outcome| outcome.err().map(|error| error.to_string()));
    if let Some(detail) = &detail {
        tracing::warn!(check = name, detail, "a dependency is not well");
    }
    let status = if detail.is_some() { otherwise } else { HealthStatus::Ok };
    let latency_ms = (started.elapsed().as_secs_f64() * 100_000.0).round() / 100.0;
    (name.to_owned(), HealthCheck { status, latency_ms, detail, circuit: None })
}

/// What all of it comes to: as bad as the worst.
pub fn worst(checks: &BTreeMap<String, HealthCheck>) -> HealthStatus {
    checks.values().map(|check| check.status).max().unwrap_or(HealthStatus::Ok)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn tried(attempt: impl Future<Output = Result<(), &'static str>>) -> HealthCheck {
        let limit = Deadline::after(Duration::from_millis(50));
        check("it", HealthStatus::Degraded, limit, attempt).await.1
    }

    #[tokio::test]
    async fn what_fails_or_hangs_is_named() {
        assert_eq!(tried(async { Ok(()) }).await.status, HealthStatus::Ok);
        let failed = tried(async { Err("unauthorized") }).await;
        assert_eq!((failed.status, failed.detail.as_deref()), (HealthStatus::Degraded, Some("unauthorized")));
        let hung = tried(std::future::pending()).await;
        assert_eq!(hung.detail.as_deref(), Some("timeout"));
        assert!(hung.latency_ms >= 50.0);
    }

    #[tokio::test]
    async fn the_whole_is_as_bad_as_its_worst_part() {
        let mut checks = BTreeMap::new();
        assert_eq!(worst(&checks), HealthStatus::Ok);
        for (name, status) in [("a", HealthStatus::Ok), ("b", HealthStatus::Degraded), ("c", HealthStatus::Down)] {
            checks.insert(name.to_owned(), HealthCheck { status, latency_ms: 0.0, detail: None, circuit: None });
            assert_eq!(worst(&checks), status);
        }
    }
}
