//! understand
fn main() {}
