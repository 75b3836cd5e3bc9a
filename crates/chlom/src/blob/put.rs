//! `chlom blob put`: body to the node, cells stored there, then the publication, then availability.

use std::{
    io::Read,
    path::PathBuf,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, U64, U256};
use anyhow::Result;
use chlom_chain::blobs::IDataAvailability::{feeCall, publishCall};
use chlom_client::{
    Chain, Request,
    blobs::{BlobStatus, OnChain, Stage, Uploaded},
};
use chlom_crypto::kzg::{self, Cancel, DataRows, MAX_ROWS, RowCount};
use chlom_primitives::address::DATA_AVAILABILITY;
use clap::Args;
use serde::Serialize;

use super::{
    container::{self, PREFIX},
    known::Known,
    place,
    progress::Progress,
};
use crate::{
    connection::{NodeArgs, SignerArgs},
    exit::{Refused, Usage},
    output,
};

/// Between two looks at how far it is.
const PAUSE: Duration = Duration::from_millis(150);
/// Without a step forward for this long, waiting ends.
const PATIENCE: Duration = Duration::from_secs(120);

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
    let uploaded = upload(&chain, args, &payload, &mut progress)?;
    check(&uploaded, args, &payload)?;
    let before = held(&chain, uploaded.id, &mut progress)?;
    let settled = |status: &BlobStatus| status.status == Stage::Available && pending(status).is_zero();
    let published = match &before.chain {
        Some(_) if settled(&before) && !args.extend => None,
        Some(on_chain) if before.status == Stage::Announced || !on_chain.pending_expiry.is_zero() => None,
        _ => {
            progress.waiting("publishing");
            let value =
                chain.view(DATA_AVAILABILITY, &feeCall { rows: U256::from(uploaded.commitments.len()) })?;
            let call = publishCall {
                header: uploaded.header.clone(),
                commitments: uploaded.commitments.concat().into(),
            };
            // The price may rise by an eighth a block; what is sent beyond the fee comes back.
            let value = value.saturating_mul(U256::from(3)) / U256::from(2);
            let request = Request { value, ..Request::call("publishing the blob", DATA_AVAILABILITY, &call) };
            chain.send_all(&signer, &[request])?.pop()
        }
    };
    let done = available(&chain, uploaded.id, published.map(|receipt| receipt.height), &mut progress)?;
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

fn upload(chain: &Chain, args: &PutArgs, payload: &[u8], progress: &mut Progress) -> Result<Uploaded> {
    let all = payload.len();
    let body = Watched { left: payload, all, progress };
    Ok(chain.rpc().put_blob(args.lane, args.period, all as u64, body)?)
}

/// Shows how much has been read.
struct Watched<'a> {
    left: &'a [u8],
    all: usize,
    progress: &'a mut Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.left.read(buffer)?;
        self.progress.at("sending", self.all - self.left.len(), self.all);
        Ok(read)
    }
}

/// Whoever signs makes sure of what: the node's header must be of this lane and period, its commitments of this file.
fn check(uploaded: &Uploaded, args: &PutArgs, payload: &[u8]) -> Result<()> {
    let known = Known::check(uploaded.id, &uploaded.header, &uploaded.commitments)?;
    let wrong = |why: String| Refused(format!("the node committed to something else than the file: {why}"));
    if known.header.lane_id != args.lane || known.header.period != args.period {
        return Err(wrong("another lane or period".into()).into());
    }
    let data =
        DataRows::from_payload(payload, known.header.rows).map_err(|error| wrong(error.to_string()))?;
    kzg::check_data(&known.commitments, &data, &Cancel::new()).map_err(|error| wrong(error.to_string()))?;
    Ok(())
}

/// Waits until the node has every cell.
fn held(chain: &Chain, id: B256, progress: &mut Progress) -> Result<BlobStatus> {
    let mut patience = Patience::new();
    loop {
        let status = chain.rpc().blob_status(id)?;
        let node = status.node.as_ref();
        let node = node.ok_or_else(|| Refused("the node lost the body; put it again".into()))?;
        match node.state.as_str() {
            "held" => return Ok(status),
            "failed" | "partial" => {
                let reason = node.reason.as_deref().unwrap_or("cells are missing");
                return Err(Refused(format!("the node could not store the cells: {reason}")).into());
            }
            _ => {}
        }
        let percent = node.percent.unwrap_or_default().to::<usize>();
        progress.at("making cells", percent, 100);
        patience.wait((node.state.clone(), percent), "the node makes no progress with the cells")?;
    }
}

/// Waits until the publication is attested. `since` is its height, where it was made now.
fn available(chain: &Chain, id: B256, since: Option<u64>, progress: &mut Progress) -> Result<OnChain> {
    let mut patience = Patience::new();
    loop {
        let status = chain.rpc().blob_status(id)?;
        let new = |on_chain: &OnChain| since.is_none_or(|height| on_chain.available_at.to::<u64>() > height);
        if status.status == Stage::Available
            && pending(&status).is_zero()
            && let Some(on_chain) = status.chain.filter(new)
        {
            return Ok(on_chain);
        }
        progress.waiting("published; waiting for more than two thirds of power to attest it");
        patience.wait(status.status, "the blob is published and nobody attests it")?;
    }
}

fn pending(status: &BlobStatus) -> U64 {
    status.chain.as_ref().map(|on_chain| on_chain.pending_expiry).unwrap_or_default()
}

/// Waits between looks, until nothing has changed for long.
struct Patience<T> {
    last: Option<T>,
    end: Instant,
}

impl<T: PartialEq> Patience<T> {
    fn new() -> Self {
        Self { last: None, end: Instant::now() + PATIENCE }
    }

    fn wait(&mut self, now: T, what: &str) -> Result<()> {
        if self.last.as_ref() != Some(&now) {
            self.last = Some(now);
            self.end = Instant::now() + PATIENCE;
        }
        if Instant::now() >= self.end {
            let seconds = PATIENCE.as_secs();
            return Err(Refused(format!("{what} for {seconds} s; run the command again to go on")).into());
        }
        std::thread::sleep(PAUSE);
        Ok(())
    }
}
