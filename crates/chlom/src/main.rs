//! `chlom`: one subcommand per role.
// An edge: see .clippy.toml.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod dev;
mod exit;
mod logging;

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
4 data directory in use, 5 data directory foreign or damaged."
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
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::init(&cli.logging);
    let result = match cli.role {
        Role::Dev(args) => dev::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}
