//! respond
fn main() {}
