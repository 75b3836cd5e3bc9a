//! `chlom blob put`: body to the node, cells stored there, then the publication, then availability.

use std::{io::Read, path::PathBuf};

use alloy_primitives::{Address, B256};
use anyhow::Result;
use chlom_client::blobs::{
    Stage,
    publish::{Publication, Step, publish},
};
use chlom_crypto::kzg::{MAX_ROWS, RowCount};
use clap::Args;
use serde::Serialize;

use super::container::{self, PREFIX};
use crate::{
    connection::{NodeArgs, SignerArgs},
    exit::Usage,
    output, place,
    progress::Progress,
};

/// Arguments of `chlom blob put`.
#[derive(Args, Debug)]
#[command(
    after_help = "The file goes to the node, which makes its cells and stores them; then the blob is published by a transaction to
0x…1003 that you sign, for a fee by rows; then validators attest it. Interrupted and run again, it goes on where it
stopped. Publishing the same file for the same lane and period costs nothing again, unless --extend asks for it.

Exit codes: 0 available, 1 fault, 2 the file or an argument is wrong, 6 the node or the chain refuses."
)]
pub(crate) struct PutArgs {
    /// The file: at most 4,063,216 bytes.
    file: PathBuf,
    /// The lane: its name, or its id of 20 bytes in hex.
    #[arg(long, value_parser = place::lane)]
    lane: Address,
    /// The period: a number, or a week of a month as 2025-09-W01.
    #[arg(long, value_parser = place::period)]
    period: u32,
    /// Publish again what is available already, for a later expiry.
    #[arg(long)]
    extend: bool,
    /// One line of JSON when it is available: {"id","height","status"}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Done {
    id: B256,
    /// Where it became available.
    height: u64,
    status: &'static str,
}

/// # Errors
/// What is wrong with the file; what node or chain refuse.
pub(crate) fn run(args: &PutArgs) -> Result<()> {
    let payload = container::wrap(&read(args)?);
    let signer = args.signer.signer()?;
    let chain = args.node.chain()?;
    let mut progress = Progress::new(args.json);
    let blob = Publication {
        lane: args.lane,
        period: args.period,
        payload: &payload,
        extend: args.extend,
        until: 0,
    };
    let mut said = |step: Step| match step {
        Step::Sending(sent, all) => progress.at("sending", sent, all),
        Step::Cells(percent) => progress.at("making cells", percent, 100),
        Step::Publishing => progress.waiting("publishing"),
        Step::Published => {
            progress.waiting("published; waiting for more than two thirds of power to attest it");
        }
    };
    let (uploaded, done) = publish(&chain, &signer, &blob, &mut said)?;
    drop(progress);
    if args.json {
        let done = Done { id: uploaded.id, height: done.available_at.to(), status: Stage::Available.word() };
        output::line(serde_json::to_string(&done)?);
    } else {
        let rows = uploaded.commitments.len();
        output::line(format!(
            "blob       {}\nrows       {rows}\navailable  from height {} until second {}",
            uploaded.id, done.available_at, done.expires_at
        ));
    }
    Ok(())
}

fn read(args: &PutArgs) -> Result<Vec<u8>> {
    let (path, shown) = (&args.file, args.file.display());
    let unreadable = |error: std::io::Error| Usage(format!("{shown}: {error}"));
    let most = RowCount::new(MAX_ROWS)?.capacity() - PREFIX;
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than allowed says that there are more.
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > most {
        return Err(Usage(format!(
            "{shown} has more than {most} bytes, which is what one blob holds; split it"
        ))
        .into());
    }
    Ok(bytes)
}
