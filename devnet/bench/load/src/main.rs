//! A load generator for Ethereum JSON-RPC nodes on this machine: see `devnet/bench/README.md`.
//!
//! It shares the machine with the node under load, so it signs and encodes everything before the clock starts, runs on
//! one thread and reads answers only after the clock has stopped.

mod accounts;
mod asking;
mod batches;
mod flood;
mod http;
mod machine;
mod reads;
mod receipts;
mod rpc;
mod tx;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde::Serialize;

/// The first account of the mnemonic that Foundry and Hardhat share: public, worthless, rich on development chains.
pub(crate) const DEV_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// Puts a node on this machine under load and says how it did.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plain transfers, pre-signed, in batches.
    Transfers(flood::Options),
    /// ERC-20 transfers, pre-signed, in batches.
    Erc20(flood::Options),
    /// One read method on many connections.
    Reads(reads::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match Args::parse().command {
        Command::Transfers(options) => print(&flood::run(&options, false).await?, options.json),
        Command::Erc20(options) => print(&flood::run(&options, true).await?, options.json),
        Command::Reads(options) => print(&reads::run(&options).await?, options.json),
    }
}

/// JSON on one line, or a line per figure.
fn print(figures: &impl Serialize, json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string(figures)?);
        return Ok(());
    }
    if let serde_json::Value::Object(fields) = serde_json::to_value(figures)? {
        for (name, value) in fields {
            println!("{name:>28}  {value}");
        }
    }
    Ok(())
}
