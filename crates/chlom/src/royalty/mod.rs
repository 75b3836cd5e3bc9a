//! `chlom royalty`: who would get what, worked out here by the arithmetic that the contracts have.

mod preview;

use anyhow::Result;
use clap::Subcommand;

/// `chlom royalty …`
#[derive(Subcommand, Debug)]
pub(crate) enum RoyaltyCommand {
    /// Who would get what of a licence's revenue, through the licences above it.
    Preview(preview::PreviewArgs),
}

/// # Errors
/// See each command.
pub(crate) fn run(command: &RoyaltyCommand) -> Result<()> {
    match command {
        RoyaltyCommand::Preview(args) => preview::run(args),
    }
}
