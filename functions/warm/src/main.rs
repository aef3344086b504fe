//! The Lambda function `warm`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_scheduled("warm", async { warm::Deps::from_env() }, warm::warm, warm::Summary::is_whole).await
}
