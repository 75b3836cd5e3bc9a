//! `chlom lane export`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, B256};
use anyhow::{Context as _, Result};
use chlom_operator::export::{Gathered, Wanted};
use chlom_royalty::Period;
use chlom_statement::{Statement, csv, verify};
use clap::Args;
use serde_json::{Value, json};

use super::data::DataArgs;
use crate::{
    connection::NodeArgs,
    exit::Usage,
    license::{self, id_of},
    output, place, royalty,
    table::table,
};

/// Arguments of `chlom lane export`.
#[derive(Args, Debug)]
#[command(
    after_help = "For each payee DIR/ADDRESS.json, which proves every number against the chain's newest block, and DIR/ADDRESS.csv for
people: a line for each licence, lane and period, amounts in whole units. What a licence below passes up has a line of its
own; earned_by says which. `chlom verify statement FILE --block-hash HASH` checks a JSON file offline.

A statement is all that was ever settled by the payee's routes, of whatever lane; --from and --to choose the lines. Rows of
batches are shown where this operator or the chain still has the batch's blob. The node must keep proofs of its head for as
long as this takes (chlom dev --proof-history, 256 blocks): with very many payees, name some with --payee."
)]
pub(crate) struct ExportArgs {
    /// Only this payee; several times for several. Without it, everybody whom the lane's money reached.
    #[arg(long, value_name = "ADDRESS")]
    payee: Vec<Address>,
    /// Directory for the files; those of the same name are written over.
    #[arg(long, value_name = "DIR", default_value = "statements")]
    out: PathBuf,
    /// Token of the statements, zero for CHM [default: what the lane pays in now].
    #[arg(long, value_name = "ADDRESS")]
    token: Option<Address>,
    /// First period that has lines: 20250901 or 2025-09-W01.
    #[arg(long, value_name = "PERIOD", value_parser = place::period)]
    from: Option<u32>,
    /// Last period that has lines.
    #[arg(long, value_name = "PERIOD", value_parser = place::period)]
    to: Option<u32>,
    /// Licences by name, as `chlom license import` takes them: their names are shown instead of their ids.
    #[arg(long, value_name = "FILE")]
    licenses: Option<PathBuf>,
    /// A sum tree's leaves as CSV lines payee,weight, in their order. Repeatable; who is in a tree without it has no statement.
    #[arg(long, value_name = "FILE")]
    leaves: Vec<PathBuf>,
    /// JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    node: NodeArgs,
}

/// # Errors
/// Arguments that cannot be used, a node that does not prove what it says, a directory that cannot be written to.
pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let period =
        |code: Option<u32>| code.map(Period::new).transpose().map_err(|error| Usage(error.to_string()));
    let (from, to) = (period(args.from)?, period(args.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(Usage(format!("--from {} is after --to {}", from.code(), to.code())).into());
    }
    let trees = args.leaves.iter().map(|file| royalty::read_tree(file)).collect::<Result<Vec<_>>>()?;
    let licences = args.licenses.as_deref().map(names).transpose()?.unwrap_or_default();
    let (store, lane) = args.data.lane()?;
    let chain = args.node.chain()?;
    let wanted = Wanted { token: args.token, from, to, trees: &trees, licences };
    let gathered = Gathered::gather(&store, &lane, &chain, &wanted)?;
    let payees: Vec<Address> =
        if args.payee.is_empty() { gathered.payees().collect() } else { args.payee.clone() };
    std::fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let mut written = Vec::with_capacity(payees.len());
    for payee in payees {
        let statement = gathered.statement(payee)?;
        let path = args.out.join(format!("{payee}.json"));
        let mut bytes = serde_json::to_vec_pretty(&statement).context("writing a statement")?;
        bytes.push(b'\n');
        verify::verify(&bytes, gathered.header().hash_slow()).context("a statement that was just made")?;
        replace(&path, &bytes)?;
        replace(&path.with_extension("csv"), csv::write(&statement).as_bytes())?;
        written.push((path, statement));
    }
    tell(args, &gathered, &written);
    Ok(())
}

fn tell(args: &ExportArgs, gathered: &Gathered<'_>, written: &[(PathBuf, Statement)]) {
    let header = gathered.header();
    let block = header.hash_slow();
    if args.json {
        let file = |(path, statement): &(PathBuf, Statement)| -> Value {
            json!({ "payee": statement.payee, "file": path, "lines": statement.lines.len(), "total": statement.total })
        };
        output::line(json!({
            "block": { "number": header.number, "hash": block },
            "statements": written.iter().map(file).collect::<Vec<_>>(),
            "treesWithoutLeaves": gathered.unknown_trees(),
        }));
        return;
    }
    let row = |(path, statement): &(PathBuf, Statement)| {
        let units = |units: chlom_statement::document::Units| csv::decimal(units.0, statement.decimals);
        let total = statement.total;
        let cells = [statement.payee.to_string(), statement.lines.len().to_string()];
        let amounts = [total.amount, total.taken, total.due].map(units);
        cells.into_iter().chain(amounts).chain([path.display().to_string()]).collect()
    };
    let rows: Vec<Vec<String>> = written.iter().map(row).collect();
    output::print(&table(&["payee", "lines", "amount", "taken", "due", "file"], &rows));
    output::line(format!("proven against block {}, {block}", header.number));
    for tree in gathered.unknown_trees() {
        output::line(format!("no statement for who is in sum tree {tree}: --leaves names them"));
    }
}

/// Names of licences by id.
fn names(path: &Path) -> Result<BTreeMap<B256, String>> {
    let entries = license::read(path).map_err(Usage)?;
    let names = entries.into_iter().filter_map(|entry| Some(entry.object.get("id")?.as_str()?.to_owned()));
    // An id in hex is nobody's name.
    Ok(names.map(|name| (id_of(&name), name)).filter(|(id, name)| id.to_string() != *name).collect())
}

/// The whole file, or the one before.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let write = || std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    write().with_context(|| format!("writing {}", path.display()))
}
