//! `chlom verify`: files checked offline.
//!
//! - [`statement`]: a payee's statement against a block's header.

mod statement;

use anyhow::Result;
use clap::Subcommand;

/// `chlom verify …`
#[derive(Subcommand, Debug)]
pub(crate) enum VerifyCommand {
    /// A payee's statement, against a block's header that you trust.
    Statement(statement::StatementArgs),
}

/// # Errors
/// See each command.
pub(crate) fn run(command: &VerifyCommand) -> Result<()> {
    match command {
        VerifyCommand::Statement(args) => statement::run(args),
    }
}
