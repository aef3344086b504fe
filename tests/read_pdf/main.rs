//! Reads the PDFs of the tests, whose own programs are not made to be started for that.

fn main() -> std::io::Result<()> {
    ingest::read_pdf()
}
