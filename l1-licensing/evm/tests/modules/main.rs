//! The adapter between system modules and the EVM, proved with a small module of its own against contracts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod assembler;
mod gas;
mod hooks;
mod machine;
mod model;
mod probe;
mod programs;
mod rules;
