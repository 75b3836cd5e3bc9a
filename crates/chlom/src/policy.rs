//! `chlom policy`: packs that licences are bound to, by their hashes.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use alloy_primitives::{B256, keccak256};
use anyhow::Result;
use chlom_client::{
    Chain, Request,
    contracts::policy_registry::IPolicyRegistry::{activateCall, isPolicyHashActiveCall},
};
use chlom_primitives::address::POLICY_REGISTRY;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    connection::{NodeArgs, SignerArgs},
    exit::Usage,
    output,
};

/// Blocks may come between asking for the height and being in one: the height must not have come by then.
const AHEAD: u64 = 4;
/// Until the height has come.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(100);

/// `chlom policy …`
#[derive(Subcommand, Debug)]
pub(crate) enum PolicyCommand {
    /// Activate a pack, which licences can then name. Whoever ratifies policies may: on `chlom dev` the first account.
    Activate(ActivateArgs),
}

/// Arguments of `chlom policy activate`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  chlom policy activate pack.json --from 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266

It prints the pack's hash, keccak256 of the file's bytes, as `chlom license import --policy` takes it.")]
pub(crate) struct ActivateArgs {
    /// The pack: a file, or its hash as 32 bytes in hex.
    pack: String,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// # Errors
/// See each command.
pub(crate) fn run(command: &PolicyCommand) -> Result<()> {
    match command {
        PolicyCommand::Activate(args) => activate(args),
    }
}

fn hash_of(pack: &str) -> Result<B256> {
    if pack.starts_with("0x")
        && let Ok(hash) = pack.parse()
    {
        return Ok(hash);
    }
    let bytes = std::fs::read(Path::new(pack)).map_err(|error| Usage(format!("{pack}: {error}")))?;
    Ok(keccak256(bytes))
}

/// Activates it at one of the next heights, and waits for that.
fn activate(args: &ActivateArgs) -> Result<()> {
    let (signer, hash) = (args.signer.signer()?, hash_of(&args.pack)?);
    let chain = args.node.chain()?;
    if !is_active(&chain, hash)? {
        let call = activateCall { policyHash: hash, activationHeight: chain.height()?.saturating_add(AHEAD) };
        chain.send_one(&signer, &Request::call(format!("activating {hash}"), POLICY_REGISTRY, &call))?;
        let end = Instant::now() + PATIENCE;
        while !is_active(&chain, hash)? {
            if Instant::now() >= end {
                let height = call.activationHeight;
                return Err(
                    Usage(format!("{hash} is active from height {height} on, which has not come")).into()
                );
            }
            std::thread::sleep(LOOK);
        }
    }
    output::line(if args.json { json!({ "policy": hash }).to_string() } else { hash.to_string() });
    Ok(())
}

fn is_active(chain: &Chain, hash: B256) -> Result<bool> {
    Ok(chain.view(POLICY_REGISTRY, &isPolicyHashActiveCall { policyHash: hash })?)
}
