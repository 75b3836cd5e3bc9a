//! `chlom dev`: the Application driven in process, with accounts to use at once.
//!
//! - [`args`]: the command line.
//! - [`accounts`]: the keys of the well-known development mnemonic.
//! - [`genesis`]: the default genesis, or the user's file.
//! - [`control`]: what JSON-RPC may do on this command only.
//! - [`banner`]: what is printed when ready.
//! - [`blobs`]: keeping blobs and attesting them.
//! - [`page`]: the page on the port of JSON-RPC.
//! - [`node`]: joining the parts and stopping them in order.

pub(crate) mod accounts;
mod args;
mod banner;
mod blobs;
mod control;
pub(crate) mod genesis;
mod node;
mod page;

pub(crate) use accounts::DevAccount;
pub(crate) use args::DevArgs;
pub(crate) use node::{DevNode, run};
pub(crate) use page::Shown;
