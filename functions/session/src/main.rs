//! The Lambda function `session`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("session", async { Ok(session::router(session::Deps::from_env().await?)) }).await
}
