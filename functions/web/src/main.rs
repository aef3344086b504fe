//! The Lambda function `web`.

use runtime::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::run("web", async { Ok(web::router()) }).await
}
