//! The Lambda function `ingest`, and with an argument the reader of a PDF.

use std::sync::Arc;

use runtime::lambda;

fn main() -> Result<(), lambda::Error> {
    if std::env::args().nth(1).as_deref() == Some(ingest::READ_PDF) {
        return Ok(ingest::read_pdf()?);
    }
    serve()
}

#[tokio::main]
async fn serve() -> Result<(), lambda::Error> {
    let deps = async { Ok(Arc::new(ingest::Deps::from_env().await?)) };
    lambda::run_with_release("ingest", deps, ingest::router, ingest::own_texts::release).await
}
