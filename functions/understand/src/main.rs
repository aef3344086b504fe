//! The Lambda function `understand`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("understand", async { Ok(understand::router(understand::Deps::from_env()?)) }).await
}
