//! `chlom license check`: may it be used so, now? And if not, why not.

use alloy_primitives::Address;
use anyhow::Result;
use chlom_client::contracts::license_registry::{ILicenseRegistry::isUseAllowedCall, IRightsRegistry::Use};
use chlom_primitives::address::LICENSE_REGISTRY;
use clap::Args;
use serde_json::json;

use super::{
    document::{id_of, territory},
    registry::{CHANNEL, LANGUAGE, Licences, RIGHT, ascii},
};
use crate::{
    connection::NodeArgs,
    exit::{Refused, Usage},
    output,
};

/// Arguments of `chlom license check`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 allowed, 6 not allowed, 2 a word that the chain does not know, 1 fault."
)]
pub(crate) struct CheckArgs {
    /// The licence: its id's text, or 32 bytes in hex.
    id: String,
    /// What is done with it: use, display, stream, …
    #[arg(long)]
    right: String,
    /// Where it appears: web, ads, retail, …
    #[arg(long)]
    channel: String,
    /// ISO 3166: US or US-VA.
    #[arg(long)]
    territory: String,
    /// ISO 639-1: en.
    #[arg(long)]
    language: String,
    /// Who uses it; without one, whether anybody may whom the licence names.
    #[arg(long, value_name = "ADDRESS")]
    user: Option<Address>,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// [`Refused`] when it is not allowed.
pub(crate) fn run(args: &CheckArgs) -> Result<()> {
    let territory = territory(&args.territory).map_err(Usage)?;
    let chain = args.node.chain()?;
    let mut licences = Licences::new(&chain);
    let mut index = |dimension: u8, word: &str| -> Result<u8> {
        Ok(licences.index(dimension, &word.to_lowercase())?.map_err(Usage)?)
    };
    let use_ = Use {
        right: index(RIGHT, &args.right)?,
        channel: index(CHANNEL, &args.channel)?,
        language: index(LANGUAGE, &args.language)?,
        territory,
    };
    let call = isUseAllowedCall { id: id_of(&args.id), user: args.user.unwrap_or_default(), use_ };
    let answer = chain.view(LICENSE_REGISTRY, &call)?;
    let reason = ascii(answer.reason);
    if args.json {
        let reason = if answer.allowed { None } else { Some(&reason) };
        output::line(json!({ "id": args.id, "allowed": answer.allowed, "reason": reason }));
    } else if answer.allowed {
        output::line("allowed");
    }
    if answer.allowed {
        return Ok(());
    }
    Err(Refused(format!("not allowed: {reason} ({})", explained(&reason))).into())
}

fn explained(reason: &str) -> &'static str {
    match reason {
        "UNKNOWN" => "there is no such licence",
        "DRAFT" => "it is not activated yet",
        "SUSPENDED" => "it is suspended",
        "REVOKED" => "it is revoked",
        "NOT_STARTED" => "its window has not begun",
        "EXPIRED" => "its window is over",
        "POLICY" => "its policy is not active",
        "USER" => "another account is the licensee",
        "CAP" => "its cap is used up",
        "NO_RIGHTS" => "it states no rights",
        "RIGHT" => "it does not grant this right",
        "CHANNEL" => "it does not cover this channel",
        "LANGUAGE" => "it does not cover this language",
        "TERRITORY" => "it does not cover this territory",
        _ => "a reason that this version does not know",
    }
}
