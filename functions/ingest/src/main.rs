//! The Lambda function `ingest`.

use std::sync::Arc;

use shared::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("ingest", async { Ok(ingest::router(Arc::new(ingest::Deps::from_env().await?))) }).await
}
