//! The way to DynamoDB: one client a process.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use contracts::problem::Problem;
use runtime::sdk;

/// How often a write is sent that meets a transaction, and how long it waits in between: a transaction takes milliseconds.
const ATTEMPTS: usize = 6;
const BETWEEN: Duration = Duration::from_millis(30);
/// What a table answers, by the names of AWS, until somebody changes a role, a name or a key.
const CONFIGURED_WRONGLY: [&str; 5] = [
    "AccessDeniedException",
    "InvalidSignatureException",
    "KMSAccessDeniedException",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
];

/// A client with the credentials, region and endpoint of the environment. Builds no connection yet.
pub async fn client() -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .build();
    let config = aws_sdk_dynamodb::config::Builder::from(sdk::config().await).timeout_config(timeouts);
    Client::from_conf(config.build())
}

/// Sends the write of a single item again while a transaction holds the item, which neither DynamoDB nor the SDK waits for.
///
/// # Errors
/// What the write fails with; [`is_held`] where a transaction still holds the item.
pub async fn past_transactions<T, E, R, F>(write: impl Fn() -> F) -> Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E, R>>>,
{
    for _ in 1..ATTEMPTS {
        match write().await {
            Err(error) if is_held(&error) => tokio::time::sleep(BETWEEN).await,
            written => return written,
        }
    }
    write().await
}

/// Whether a write failed because a transaction holds its item.
pub fn is_held<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("TransactionConflictException")
}

/// The problem that a failed call to a table is: a fault of ours where the table refuses what was asked. Only the error's
/// code goes to the log: its message can hold what was written.
pub fn failed<E: ProvideErrorMetadata, R>(doing: &str, error: &SdkError<E, R>) -> Problem {
    let kind = match error {
        SdkError::ConstructionFailure(_) => "construction",
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "not reached",
        SdkError::ResponseError(_) => "unreadable response",
        _ => error.code().unwrap_or("service error"),
    };
    let cause = anyhow::anyhow!("{doing}: {kind}");
    if kind == "ValidationException" {
        return Problem::internal(cause);
    }
    let problem = Problem::unavailable("The memory of this service is away for now.", cause);
    if CONFIGURED_WRONGLY.contains(&kind) { problem.permanent() } else { problem }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;

    use super::*;

    #[test]
    fn what_a_table_refuses_is_a_fault_of_ours_and_only_an_outage_passes() {
        for (code, status, passes) in [
            ("ValidationException", 500, false),
            ("AccessDeniedException", 503, false),
            ("ResourceNotFoundException", 503, false),
            ("ProvisionedThroughputExceededException", 503, true),
            ("InternalServerError", 503, true),
        ] {
            let error = ErrorMetadata::builder().code(code).build();
            let problem = failed("reading", &SdkError::service_error(error, ()));
            assert_eq!((problem.status().as_u16(), problem.is_transient()), (status, passes), "{code}");
        }
    }
}
