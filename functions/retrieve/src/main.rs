//! The Lambda function `retrieve`.

use shared::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("retrieve", async { Ok(retrieve::router(retrieve::Deps::from_env().await?)) }).await
}
