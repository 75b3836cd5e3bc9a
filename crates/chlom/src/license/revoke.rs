//! `chlom license revoke`.

use anyhow::Result;
use chlom_client::{Request, contracts::license_registry::ILicenseRegistry::revokeCall};
use chlom_primitives::address::LICENSE_REGISTRY;
use clap::Args;
use serde_json::json;

use super::document::id_of;
use crate::{
    connection::{NodeArgs, SignerArgs},
    output,
};

/// Arguments of `chlom license revoke`.
#[derive(Args, Debug)]
#[command(after_help = "For ever: the id cannot be minted again. Only the owner, or whom it permitted.")]
pub(crate) struct RevokeArgs {
    /// The licence: its id's text, or 32 bytes in hex.
    id: String,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// # Errors
/// What the chain refuses.
pub(crate) fn run(args: &RevokeArgs) -> Result<()> {
    let signer = args.signer.signer()?;
    let chain = args.node.chain()?;
    let call = revokeCall { id: id_of(&args.id) };
    let request = Request::call(format!("revoking {}", args.id), LICENSE_REGISTRY, &call);
    let receipts = chain.send_all(&signer, &[request])?;
    for receipt in receipts {
        if args.json {
            output::line(json!({ "id": args.id, "hash": receipt.hash, "height": receipt.height }));
        } else {
            output::line(format!("{} is revoked, in block {} ({})", args.id, receipt.height, receipt.hash));
        }
    }
    Ok(())
}
