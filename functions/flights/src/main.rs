//! The Lambda function `flights`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("flights", async { Ok(flights::router(flights::Deps::from_env()?)) }).await
}
