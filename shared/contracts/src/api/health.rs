//! What is told of the parts' health, and what keeps them warm.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Degraded;

/// How the service is, as `GET /v1/health` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// As bad as the worst of the checks.
    pub status: HealthStatus,
    /// Each dependency, by name.
    pub checks: BTreeMap<String, HealthCheck>,
    /// When it was looked at.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    /// The release.
    #[schema(example = "0.1.0")]
    pub version: String,
}

/// What a step is asked that is to try what it needs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct HealthRequest {}

/// What a step tried, by name.
pub type HealthChecks = BTreeMap<String, HealthCheck>;

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", from = "String")]
pub enum HealthStatus {
    /// It works.
    Ok,
    /// It does not, and answers go on without it.
    Degraded,
    /// It does not.
    Down,
}

impl From<String> for HealthStatus {
    /// What a later release calls otherwise is not well, and no outage.
    fn from(name: String) -> Self {
        match name.as_str() {
            "ok" => Self::Ok,
            "down" => Self::Down,
            _ => Self::Degraded,
        }
    }
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthCheck {
    /// Whether it answered.
    pub status: HealthStatus,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
    /// What is wrong with it, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The state of its circuit breaker, where it has one. While it is not closed, this is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<CircuitState>,
}

/// Whether calls are made to something outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// They are.
    Closed,
    /// One is, which finds out whether it is back.
    HalfOpen,
    /// None is, for it failed or hung.
    Open,
    /// What a newer release knows.
    #[serde(other)]
    Other,
}

impl CircuitState {
    /// Its name, as it is logged.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
            Self::Other => "other",
        }
    }
}

/// What a step is asked that is to be ready for the next turns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WarmRequest {
    /// For how many seconds what it readies must hold.
    #[serde(default)]
    pub hold_s: u64,
}

/// What a step has ready.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warmed {
    /// What is ready: providers, assistants.
    #[serde(default)]
    pub ready: Vec<String>,
    /// What is not, and why.
    #[serde(default)]
    pub degraded: Vec<Degraded>,
}
