//! The `sotto` command line program.
fn main() {}
