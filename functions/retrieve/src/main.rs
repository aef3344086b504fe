//! The Lambda function `retrieve`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("retrieve", async { Ok(retrieve::router(retrieve::Deps::from_env().await?)) }).await
}
