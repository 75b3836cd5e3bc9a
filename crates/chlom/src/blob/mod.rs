//! `chlom blob`: files as blobs, and back.
//!
//! The node makes and keeps the cells; whoever publishes pays and signs. Nothing that a node says of a blob is believed:
//! header and commitments must hash to its id, data and cells must match the commitments.
//!
//! - [`container`]: a file's length before its bytes.
//! - [`put`], [`get`], [`status`], [`verify`], [`sample`], [`lose`]: the commands.

mod container;
mod get;
mod lose;
mod put;
mod sample;
mod status;
mod verify;

use anyhow::Result;
use clap::Subcommand;

pub(crate) use sample::choose;

/// `chlom blob …`
#[derive(Subcommand, Debug)]
pub(crate) enum BlobCommand {
    /// Publish a file as a blob, and wait until it is available.
    Put(put::PutArgs),
    /// Write a blob's file, checked against its commitments; the node rebuilds it where cells are missing.
    Get(get::GetArgs),
    /// How a blob stands on chain, and what the node has of it.
    Status(status::StatusArgs),
    /// Check all data of a blob, and on request every cell.
    Verify(verify::VerifyArgs),
    /// Check some cells drawn by lot, and say how sure they make that the blob is available.
    Sample(sample::SampleArgs),
    /// Have a `chlom dev` node lose cells, to see it rebuild them.
    Drop(lose::DropArgs),
}

/// # Errors
/// See each command.
pub(crate) fn run(command: &BlobCommand) -> Result<()> {
    // The node makes the proofs.
    chlom_crypto::kzg::expect_no_proofs();
    match command {
        BlobCommand::Put(args) => put::run(args),
        BlobCommand::Get(args) => get::run(args),
        BlobCommand::Status(args) => status::run(args),
        BlobCommand::Verify(args) => verify::run(args),
        BlobCommand::Sample(args) => sample::run(args),
        BlobCommand::Drop(args) => lose::run(args),
    }
}
