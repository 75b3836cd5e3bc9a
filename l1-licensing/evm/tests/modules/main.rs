//! The adapter between system modules and the EVM, proved with a small module of its own against contracts.

mod assembler;
mod gas;
mod hooks;
mod machine;
mod model;
mod probe;
mod programs;
mod rules;
