//! Build and test steps that are more than one command.
fn main() {}
