//! The Lambda function `record`.

use shared::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_worker("record", record::Deps::from_env(), record::work, record::sweep).await
}
