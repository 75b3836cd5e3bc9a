//! `chlom lane key`.

use alloy_primitives::Address;
use anyhow::Result;
use chlom_lane::receipt::Name;
use chlom_operator::store::ApiKey;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use crate::{exit::Usage, license::date, output, table::table};

/// `chlom lane key …`
#[derive(Subcommand, Debug)]
pub(crate) enum KeyCommand {
    /// Make a key. It is shown once, and kept nowhere but as its hash.
    Add(AddArgs),
    /// All keys, without their secrets.
    List(ListArgs),
    /// Make a key worthless.
    Revoke(RevokeArgs),
}

/// Arguments of `chlom lane key add`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  chlom lane key add --data ./op --payer 0x… --source shop --label \"the shop's tills\"")]
pub(crate) struct AddArgs {
    /// Whose receipts its holder may report.
    #[arg(long, value_name = "ADDRESS")]
    payer: Address,
    /// Of which of the payer's sources.
    #[arg(long, value_name = "NAME")]
    source: String,
    /// What you call it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,
    /// Receipts a second that its holder may report.
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    per_second: u64,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Arguments of `chlom lane key list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Arguments of `chlom lane key revoke`.
#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// Its number, which `chlom lane key list` shows.
    id: i64,
    #[command(flatten)]
    data: DataArgs,
}

/// # Errors
/// A name that is none, a key that is not there, a store that cannot be used.
pub(crate) fn run(command: &KeyCommand) -> Result<()> {
    match command {
        KeyCommand::Add(args) => add(args),
        KeyCommand::List(args) => list(args),
        KeyCommand::Revoke(args) => {
            if !args.data.store()?.revoke_key(args.id)? {
                return Err(Usage(format!("there is no key {} that is worth anything", args.id)).into());
            }
            output::line(format!("key {} is worth nothing from now on", args.id));
            Ok(())
        }
    }
}

fn add(args: &AddArgs) -> Result<()> {
    let source = Name::new(&args.source).map_err(|error| Usage(format!("--source: {error}")))?;
    let (store, lane) = args.data.lane()?;
    let (key, secret) = store.add_key(&lane, args.payer, &source, &args.label, args.per_second)?;
    if args.json {
        let mut shown = as_json(&key);
        shown["key"] = secret.expose().into();
        output::line(shown);
    } else {
        output::line(secret.expose());
        eprintln!(
            "key {} of source {}; it is shown this once: keep it as you keep a password",
            key.id, key.source
        );
    }
    Ok(())
}

fn list(args: &ListArgs) -> Result<()> {
    let keys: Vec<ApiKey> = args.data.store()?.keys()?;
    let keys: Vec<ApiKey> =
        keys.into_iter().filter(|key| args.data.lane.as_ref().is_none_or(|lane| *lane == key.lane)).collect();
    if args.json {
        output::line(json!(keys.iter().map(as_json).collect::<Vec<_>>()));
        return Ok(());
    }
    let row = |key: &ApiKey| {
        let revoked = key.revoked.map_or(String::new(), |at| format!("revoked {}", date::shown(at)));
        let (payer, source) = (key.payer.to_string(), key.source.to_string());
        vec![
            key.id.to_string(),
            key.lane.clone(),
            payer,
            source,
            key.label.clone(),
            date::shown(key.made),
            revoked,
        ]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    output::print(&table(&["key", "lane", "payer", "source", "label", "made", ""], &rows));
    Ok(())
}

fn as_json(key: &ApiKey) -> Value {
    json!({
        "id": key.id, "lane": key.lane, "payer": key.payer, "source": key.source.as_str(), "label": key.label,
        "per_second": key.per_second, "made": key.made, "revoked": key.revoked,
    })
}
