//! The Lambda function `respond`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("respond", async { Ok(respond::router(respond::Deps::from_env()?)) }).await
}
