//! `chlom`: one subcommand per role.
// An edge: see .clippy.toml.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod amount;
mod blob;
mod connection;
mod contracts;
mod demo;
mod dev;
mod exit;
mod lane;
mod license;
mod logging;
mod output;
mod place;
mod policy;
mod progress;
mod royalty;
mod stop;
mod table;
mod verify;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Blocks are executed and rooted in many small, short-lived pieces: this allocator takes about a quarter of the CPU of a
/// block off (decision 0005).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A sovereign chain for licences and royalties.
#[derive(Parser)]
#[command(name = "chlom", version, about, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 stopped as asked, 1 fault, 2 bad arguments or genesis, 3 cannot listen on the port, \
4 data directory in use, 5 data directory foreign or damaged, 6 the chain refuses, 7 part of the input is refused."
)]
struct Cli {
    #[command(flatten)]
    logging: logging::LoggingArgs,
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Run a chain on this machine for developing against: one process, one validator, final blocks.
    Dev(dev::DevArgs),
    /// The whole story in one process: receipts, a right batch and a wrong one, payees paid to the last unit.
    Demo(demo::DemoArgs),
    /// Where the system contracts are, and their ABI.
    Contracts(contracts::ContractsArgs),
    /// Blobs: put a file, get it back, sample it.
    #[command(subcommand)]
    Blob(blob::BlobCommand),
    /// Licences: import, show, check, revoke.
    #[command(subcommand)]
    License(license::LicenseCommand),
    /// Lanes: receipts in, batches out.
    #[command(subcommand)]
    Lane(lane::LaneCommand),
    /// Policies: activate a pack.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Royalties: who would get what; withdrawing it.
    #[command(subcommand)]
    Royalty(royalty::RoyaltyCommand),
    /// Files checked offline: a payee's statement against a block.
    #[command(subcommand)]
    Verify(verify::VerifyCommand),
    /// Watch all lanes: check every batch, prove what is wrong, be paid for it.
    Watch(watch::WatchArgs),
    /// Drills on development chains.
    #[command(subcommand)]
    Drill(watch::DrillCommand),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::init(&cli.logging);
    let result = match cli.role {
        Role::Dev(args) => dev::run(&args),
        Role::Demo(args) => demo::run(&args),
        Role::Contracts(args) => contracts::run(&args),
        Role::Blob(command) => blob::run(&command),
        Role::License(command) => license::run(&command),
        Role::Lane(command) => lane::run(&command),
        Role::Policy(command) => policy::run(&command),
        Role::Royalty(command) => royalty::run(&command),
        Role::Verify(command) => verify::run(&command),
        Role::Watch(args) => watch::run(&args),
        Role::Drill(command) => watch::run_drill(&command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}
