//! The Lambda function `web`.

use shared::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("web", async { Ok(web::router()) }).await
}
