//! The binary: one subcommand per role
fn main() {}
