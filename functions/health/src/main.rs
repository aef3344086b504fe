//! The Lambda function `health`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("health", async { Ok(health::router(health::Deps::from_env().await?)) }).await
}
