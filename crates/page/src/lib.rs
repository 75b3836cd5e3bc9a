//! A local page to look at (spec/page.md): chain head, lanes, batches, licences, payees, frauds; or what an operator keeps.
//!
//! - [`board`]: what is shown now. One thread works it out, only while somebody looks, whoever and however many they are.
//! - [`chain`]: what a chain says, read through a node's JSON-RPC like any other client.
//! - [`site`]: from a request to the page's files and state, with the headers that keep it to itself.
//! - [`listen`]: a small server for whoever has none of its own.
//!
//! The page itself is in `assets/`: plain HTML, CSS and JavaScript, nothing to build, nothing from elsewhere.
// An edge: see .clippy.toml.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod board;
pub mod chain;
pub mod listen;
pub mod site;
pub mod text;

pub use board::{Board, Source};
pub use chain::ChainSource;
pub use site::Site;
