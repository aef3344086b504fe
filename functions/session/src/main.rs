//! session
fn main() {}
