//! The Lambda function `embed`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_worker("embed", embed::Deps::from_env(), embed::work, embed::sweep).await
}
