//! The Lambda function `chat`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("chat", async { Ok(chat::router(chat::Deps::from_env().await?)) }).await
}
