//! The Lambda function `record`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_worker("record", record::Deps::from_env(), record::work, record::sweep).await
}
