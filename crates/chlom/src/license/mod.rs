//! `chlom license`: licences from files to the chain and back.
//!
//! - [`file`]: JSON and CSV; [`document`]: a License Object, checked; [`canonical`]: what `metaHash` commits to.
//! - [`registry`]: the contracts; [`plan`]: what would change; [`apply`]: the transactions.
//! - [`import`], [`show`], [`check`], [`revoke`]: the commands.

mod apply;
mod canonical;
mod check;
pub(crate) mod date;
mod document;
mod file;
mod import;
mod plan;
mod rate;
mod registry;
mod revoke;
mod show;
#[cfg(test)]
mod tests;

pub(crate) use apply::apply;
pub(crate) use document::{Document, check_all, id_of};
pub(crate) use file::{from_json, read};
pub(crate) use plan::{Sender, Verdict, plan};
pub(crate) use registry::Licences;

use anyhow::Result;
use clap::Subcommand;

/// `chlom license …`
#[derive(Subcommand, Debug)]
pub(crate) enum LicenseCommand {
    /// Bring licences of a file onto the chain; a second time changes nothing.
    Import(import::ImportArgs),
    /// Everything that the chain knows of a licence.
    Show(show::ShowArgs),
    /// Whether a use is allowed now, and if not, why not.
    Check(check::CheckArgs),
    /// End a licence for ever.
    Revoke(revoke::RevokeArgs),
}

/// # Errors
/// See each command.
pub(crate) fn run(command: &LicenseCommand) -> Result<()> {
    match command {
        LicenseCommand::Import(args) => import::run(args),
        LicenseCommand::Show(args) => show::run(args),
        LicenseCommand::Check(args) => check::run(args),
        LicenseCommand::Revoke(args) => revoke::run(args),
    }
}
