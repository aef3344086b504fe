//! The way to DynamoDB: one client a process.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::problem::Problem;

/// A client with the credentials, region and endpoint of the environment. Builds no connection yet.
pub async fn client() -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await;
    Client::new(&config)
}

/// The problem that a failed call to a table is. Only the error's code goes to the log: its message can hold what was
/// written.
pub fn failed<E: ProvideErrorMetadata, R>(doing: &str, error: &SdkError<E, R>) -> Problem {
    let kind = match error {
        SdkError::ConstructionFailure(_) => "construction",
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "not reached",
        SdkError::ResponseError(_) => "unreadable response",
        _ => error.code().unwrap_or("service error"),
    };
    Problem::unavailable("The memory of this service is away for now.", anyhow::anyhow!("{doing}: {kind}"))
}
