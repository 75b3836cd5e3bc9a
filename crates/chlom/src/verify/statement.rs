//! `chlom verify statement`.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use alloy_primitives::{B256, Bytes, keccak256};
use anyhow::{Context as _, Result};
use chlom_client::Chain;
use chlom_statement::{
    Fault, Verified, csv,
    document::{MOST_BYTES, Units},
    verify,
};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    exit::{Refused, Usage},
    license::date,
    output,
    table::table,
};

/// A header has some 600 bytes; a block with its transactions' hashes fits.
const MOST_HEADER_BYTES: u64 = 4 << 20;

/// Arguments of `chlom verify statement`.
#[derive(Args, Debug)]
#[command(
    after_help = "Every number of the statement is reckoned anew from words of the chain's state that the file proves under the header's state
root; what the file says must be what comes out, to the digit. Of the file nothing else is believed, except its chainId: a header does
not say of which chain it is, its hash does.

What you trust is the block: its hash by --block-hash, its header by --header (JSON as eth_getBlockByNumber answers, or RLP in
hex), or with --rpc one node's word that such a block is on its chain. Ask a node of your own, or several.

Exit codes: 0 it holds, 1 fault, 2 no statement or an argument is wrong, 6 it does not hold."
)]
pub(crate) struct StatementArgs {
    /// The JSON file that `chlom lane export` wrote.
    file: PathBuf,
    #[command(flatten)]
    trusted: Trusted,
    /// JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Trusted {
    /// Hash of the block that you trust.
    #[arg(long, value_name = "HASH")]
    block_hash: Option<B256>,
    /// File with the header of the block that you trust.
    #[arg(long, value_name = "FILE")]
    header: Option<PathBuf>,
    /// Trust this node to say which block has the statement's height.
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
}

/// # Errors
/// What is wrong with the statement or with what is to be trusted.
pub(crate) fn run(args: &StatementArgs) -> Result<()> {
    let bytes = read(&args.file)?;
    let (trusted, why) = trusted(&args.trusted, &args.file, &bytes)?;
    let verified = verify::verify(&bytes, trusted).map_err(|fault| refusal(&args.file, &fault))?;
    if args.json {
        output::line(as_json(&verified));
    } else {
        print(&verified, &why);
    }
    Ok(())
}

fn refusal(file: &Path, fault: &Fault) -> anyhow::Error {
    let text = format!("{}: {fault}", file.display());
    if fault.is_unreadable() { Usage(text).into() } else { Refused(text).into() }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    read_at_most(path, MOST_BYTES as u64)
}

/// At most so many bytes and one, so that whoever looks at them sees that there are too many.
fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|error| Usage(format!("{}: {error}", path.display())))?;
    Ok(bytes)
}

/// The block's hash that is trusted, and why.
fn trusted(args: &Trusted, file: &Path, statement: &[u8]) -> Result<(B256, String)> {
    if let Some(hash) = args.block_hash {
        return Ok((hash, "its hash was given".into()));
    }
    if let Some(path) = &args.header {
        return Ok((header_hash(path)?, format!("its header is in {}", path.display())));
    }
    let url = args.rpc.as_deref().context("clap asks for one of them")?;
    let statement = verify::read(statement).map_err(|fault| refusal(file, &fault))?;
    let height = verify::header_of(&statement).map_err(|fault| refusal(file, &fault))?.number;
    let chain = Chain::connect(url)?;
    if chain.id() != statement.chain_id {
        let (of, asked) = (statement.chain_id, chain.id());
        let what = format!("{}: the statement is of chain {of}, the node's chain is {asked}", file.display());
        return Err(Refused(what).into());
    }
    if chain.height()? < height {
        let what = format!("{}: the node at {url} has no block {height} yet", file.display());
        return Err(Refused(what).into());
    }
    let why = format!("the node at {url} says that it is on its chain; this trusts that one node");
    Ok((chain.header(Some(height))?.hash_slow(), why))
}

/// Of JSON as a node answers, alone or within a response; or of RLP in hex.
fn header_hash(path: &Path) -> Result<B256> {
    let bytes = read_at_most(path, MOST_HEADER_BYTES)?;
    let wrong = |why: String| Usage(format!("{}: {why}", path.display()));
    if bytes.len() as u64 > MOST_HEADER_BYTES {
        return Err(wrong(format!("longer than {MOST_HEADER_BYTES} bytes; a header is not")).into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("neither JSON nor hex".into()))?.trim();
    if text.starts_with("0x") {
        let rlp: Bytes = text.parse().map_err(|_| wrong("0x, and then no hex".into()))?;
        return Ok(keccak256(rlp));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let block = value.get("result").unwrap_or(&value);
    let hash = chlom_client::proofs::hash_of_block(block)
        .map_err(|why| wrong(format!("no block's header: {why}")))?;
    Ok(hash)
}

fn as_json(verified: &Verified) -> Value {
    let Verified { statement, header, block, accruals, itemised, several_routes } = verified;
    json!({
        "holds": true,
        "block": { "number": header.number, "hash": block, "time": header.timestamp, "stateRoot": header.state_root },
        "chainId": statement.chain_id, "payee": statement.payee, "token": statement.token,
        "decimals": statement.decimals, "from": statement.from, "to": statement.to,
        "lines": statement.lines.len(), "accounts": statement.accounts, "total": statement.total,
        "accruals": accruals, "itemised": itemised, "severalRoutes": several_routes,
    })
}

fn print(verified: &Verified, why: &str) {
    let Verified { statement, header, block, accruals, itemised, several_routes } = verified;
    let units = |units: Units| csv::decimal(units.0, statement.decimals);
    let named = |id: &B256| statement.names.licences.get(id).cloned().unwrap_or_else(|| id.to_string());
    let row = |account: &chlom_statement::document::AccountLine| {
        let weight = format!("{} of {}", account.weight, account.denom);
        let amounts = [account.kept, account.amount, account.taken, account.due].map(units);
        let [kept, amount, taken, due] = amounts;
        vec![named(&account.licence), kept, weight, amount, taken, due]
    };
    let mut rows: Vec<Vec<String>> = statement.accounts.iter().map(row).collect();
    let [amount, taken, due] =
        [statement.total.amount, statement.total.taken, statement.total.due].map(units);
    rows.push(vec!["in all".into(), String::new(), String::new(), amount, taken, due]);
    let token = if statement.token.is_zero() { "CHM".into() } else { format!("token {}", statement.token) };
    output::line(format!(
        "the statement holds: {} in {token}, chain {}",
        statement.payee, statement.chain_id
    ));
    output::print(&table(&["licence", "kept", "weight", "amount", "taken", "due"], &rows));
    let time = date::shown_with_time(header.timestamp);
    output::line(format!("block {} of {time}, {block}; trusted because {why}", header.number));
    let lines = statement.lines.len();
    output::line(format!(
        "{lines} lines of {accruals} accruals; {itemised} of those show every row of every batch"
    ));
    for licence in several_routes {
        let licence = named(licence);
        output::line(format!(
            "{licence} was paid by several routes: which of them an accrual is of is proven by the sums alone"
        ));
    }
}
