//! `chlom license import`.

use std::path::PathBuf;

use alloy_primitives::B256;
use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{
    apply::apply,
    document::check_all,
    file,
    plan::{Sender, Verdict, plan},
    registry::Licences,
};
use crate::{
    connection::{NodeArgs, SignerArgs},
    exit::{Refused, Usage},
    output,
    table::table,
};

/// Arguments of `chlom license import`.
#[derive(Args, Debug)]
#[command(after_help = "A file holds one License Object, an array of them, or CSV (by its ending). Fields:
  id, owner, licensee          owner and licensee are addresses; the id on chain is keccak256 of the id's text
  rights_granted, channels     words of the chain's vocabulary, such as use, web, ads
  territories                  ISO 3166: US, US-VA; [\"*\"] is worldwide
  languages                    ISO 639-1; [\"*\"] is every language
  exclusivity                  Exclusive or NonExclusive
  start, end                   days in UTC, both included: the window ends with the first second after the end's day
  royalty                      {\"type\":\"percent\",\"value\":12.5}, at most two decimals
  splits, denom                [{\"to\",\"weight\"}], weights sum to denom; or ade_split_hash, when it is registered
  parent                       {\"id\",\"rate\":[n,d]}: n/d of what comes in passes up; optional
  ace_policy_hash              or --policy for all that name none
  audit_rights, transferable, privacy_flags{rates_private}, asset, cap, salt   optional

CSV has a line of column names: id,owner,licensee,rights,channels,territories,languages,exclusivity,start,end,
royalty_percent,splits,denom, and where needed parent,parent_numer,parent_denom,audit_rights,rates_private,transferable,
asset,cap,salt,ade_split_hash,ace_policy_hash. Lists are separated by `;`, splits are address:weight.

metaHash is keccak256 of the object as JSON with sorted keys and no spaces. Whoever is no registrar commits to a mint
first, and needs a `salt` of 32 random bytes in the object, kept secret until the mint.

Exit codes: 0 done (or nothing to do), 1 fault, 2 the file or an argument is wrong, 6 the chain refuses.")]
pub(crate) struct ImportArgs {
    /// License Objects, as JSON or CSV.
    file: PathBuf,
    /// Show what would change, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Policy of the licences that name none.
    #[arg(long, value_name = "HASH")]
    policy: Option<B256>,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// # Errors
/// What is wrong with the file, all at once; what the chain refuses.
pub(crate) fn run(args: &ImportArgs) -> Result<()> {
    let entries = file::read(&args.file).map_err(Usage)?;
    let documents = check_all(&entries).map_err(|wrong| {
        Usage(format!("{} mistakes, nothing was sent:\n  {}", wrong.len(), wrong.join("\n  ")))
    })?;
    let signer = if args.dry_run { args.signer.signer_if_any()? } else { Some(args.signer.signer()?) };
    let chain = args.node.chain()?;
    let mut licences = Licences::new(&chain);
    let sender = match &signer {
        Some(signer) => {
            let address = signer.address();
            Some(Sender { address, registrar: licences.is_registrar(address)? })
        }
        None => None,
    };
    let steps = plan(&mut licences, documents, args.policy, sender)?;
    let rows: Vec<_> = steps.iter().map(super::plan::Step::row).collect();
    if !args.json {
        output::print(&table(&["id", "", "what"], &rows));
        output::line(summary(&steps));
    }
    let refused = steps.iter().filter(|step| matches!(step.verdict, Verdict::Refused(_))).count();
    let report = |done: serde_json::Value| {
        if args.json {
            let licences: Vec<_> = steps.iter().map(super::plan::Step::json).collect();
            output::line(json!({ "licences": licences, "sent": done }));
        }
    };
    if refused > 0 {
        report(json!(null));
        return Err(
            Refused(format!("{refused} licences cannot be imported as they are; nothing was sent")).into()
        );
    }
    let (Some(signer), Some(sender), false) = (&signer, sender, args.dry_run) else {
        report(json!(null));
        return Ok(());
    };
    let mut said = |what: &str| {
        if !args.json {
            output::line(what);
        }
    };
    let done = apply(&licences, signer, sender, &steps, &mut said)?;
    report(json!({ "transactions": done.transactions, "gas": done.gas }));
    if !args.json {
        output::line(format!("{} transactions, {} gas", done.transactions, done.gas));
    }
    Ok(())
}

fn summary(steps: &[super::plan::Step]) -> String {
    let words = ["new", "changed", "unchanged", "refused"];
    let counts: Vec<String> = words
        .iter()
        .map(|word| format!("{} {word}", steps.iter().filter(|step| step.verdict.word() == *word).count()))
        .collect();
    counts.join(", ")
}
