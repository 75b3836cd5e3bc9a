//! `chlom royalty`: who would get what, worked out here by the arithmetic that the contracts have; and withdrawing it.

mod preview;
mod withdraw;

pub(crate) use preview::read_tree;

use anyhow::Result;
use clap::Subcommand;

/// `chlom royalty …`
#[derive(Subcommand, Debug)]
pub(crate) enum RoyaltyCommand {
    /// Who would get what of a licence's revenue, through the licences above it.
    Preview(preview::PreviewArgs),
    /// Withdraw for all payees of licences what is theirs of a period. Anyone may send it; the money goes to the payees.
    Withdraw(withdraw::WithdrawArgs),
}

/// # Errors
/// See each command.
pub(crate) fn run(command: &RoyaltyCommand) -> Result<()> {
    match command {
        RoyaltyCommand::Preview(args) => preview::run(args),
        RoyaltyCommand::Withdraw(args) => withdraw::run(args),
    }
}
