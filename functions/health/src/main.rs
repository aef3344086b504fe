//! The Lambda function `health`.

use shared::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("health", async { Ok(health::router(health::Deps::from_env().await?)) }).await
}
