//! A wrong batch, and the watcher who proves it: commitment, challenge, slash, reward.

use alloy_primitives::{Address, B256, U256};
use anyhow::{Context as _, Result, anyhow, bail};
use chlom_chain::blobs::blob_id;
use chlom_client::{
    blobs::{publish::Known, read},
    lanes::{
        batches::{self, Claim},
        challenges,
        events::{self, Follower, Happening},
        state::ChainState,
        word,
    },
};
use chlom_crypto::kzg::RowCount;
use chlom_lane::{
    Blob, Header, Receipt, blob, build,
    fraud::{self, Fraud},
    page::TablePage,
    receipt::{Name, ReceiptId},
};
use chlom_royalty::Period;

use super::{batches::frame, batches::submit, input::Input, stage::Stage, steps::Steps};

/// Sales of the wrong batch, and by how many of the lane's minor units its first row says more than they do: 10,000 USD.
const SALES: usize = 40;
const MORE: u128 = 10_000_000_000;
/// A commitment lives for so many heights and seconds (spec/payouts.md).
const REVEAL_BLOCKS: u64 = 250;
const REVEAL_SECONDS: u64 = 600;

/// What became of the wrong batch. Amounts in wei of CHM.
pub(super) struct Caught {
    pub(super) kind: fraud::FraudKind,
    pub(super) gas_used: u64,
    pub(super) slashed: U256,
    pub(super) reward: U256,
}

/// The operator submits a batch that says more than its receipts; the watcher, who follows the chain, has it voided.
pub(super) fn play(stage: &Stage, input: &Input, steps: &mut Steps) -> Result<Caught> {
    steps.part("A wrong batch");
    let (header, claim) = submit_wrong(stage, input, steps)?;
    let mut follower = Follower::from(0);
    let mut caught = None;
    loop {
        let (happened, head) = follower.poll(&stage.chain)?;
        for event in happened {
            let Happening::Accepted { header, .. } = event.what else { continue };
            let header = Header::decode(&header).map_err(|error| anyhow!("{error}"))?;
            if let Some(found) = look(stage, &header)? {
                caught = Some(challenge(stage, &header, found, steps)?);
            }
        }
        if follower.next() > head {
            break;
        }
    }
    let Some(mut caught) = caught else { bail!("the watcher found nothing wrong with the wrong batch") };
    caught.reward = award(stage, &header, &claim, steps)?;
    Ok(caught)
}

/// Forty sales of the first receipt's licence from a second source, and a table that says 10,000 USD more.
fn submit_wrong(stage: &Stage, input: &Input, steps: &mut Steps) -> Result<(Header, Claim)> {
    let first = &input.receipts.first().context("no receipts")?.receipt;
    let source = Name::new("demo-careless").map_err(|error| anyhow!("{error}"))?;
    let sale = |number: usize| -> Result<Receipt> {
        let id = ReceiptId::new(&format!("EXTRA-{number}")).map_err(|error| anyhow!("{error}"))?;
        Ok(Receipt { source: source.clone(), id, ..first.clone() })
    };
    let sales = (0..SALES).map(sale).collect::<Result<Vec<_>>>()?;
    let period = Period::containing(first.time).context("a receipt beyond all periods")?;
    let state = ChainState::new(&stage.chain);
    let (draft, _) = build(frame(stage, period)?, sales, &state).map_err(|error| anyhow!("{error}"))?;
    let mut said = draft.header([0; 48], B256::ZERO);
    let mut elements = draft.elements();
    let table = said.record_pages;
    let page = Blob::new(&said, &elements)?.page(table).context("the table's page")?;
    let mut rows = TablePage::decode(&page).map_err(|error| anyhow!("{error:?}"))?;
    let row = rows.rows.first_mut().context("the table's first row")?;
    let owed = row.owed;
    row.revenue += MORE;
    let page = rows.encode();
    // What the row can owe now follows from its revenue; the payer's total goes with it, or the lie would be seen at once.
    let again = TablePage::decode(&page).map_err(|error| anyhow!("{error:?}"))?;
    let more = again.rows.first().map_or(0, |row| row.owed).saturating_sub(owed);
    said.payers.iter_mut().for_each(|payer| payer.owed += more);
    let cell = blob::elements(&[page], RowCount::new(1)?);
    let size = chlom_crypto::kzg::BYTES_PER_CELL;
    let at = usize::try_from(table)? * size;
    let place = elements.get_mut(at..at + size).context("the table's cell")?;
    place.copy_from_slice(cell.get(..size).context("a cell")?);
    submit(stage, &said, &elements, steps)
}

/// What the watcher finds in a batch: the blob is fetched, checked against its commitments, and recomputed.
fn look(stage: &Stage, header: &Header) -> Result<Option<Fraud>> {
    let id = blob_id(&word(header.lane), header.period.code(), &header.blob.merkle_root);
    let data = read::data(&stage.chain, id)?.elements();
    let blob = Blob::new(header, &data)?;
    Ok(fraud::check(blob, &ChainState::of_batch(&stage.chain, header)?)?)
}

fn challenge(stage: &Stage, header: &Header, found: Fraud, steps: &mut Steps) -> Result<Caught> {
    let (chain, root) = (&stage.chain, header.batch_root());
    let id = blob_id(&word(header.lane), header.period.code(), &header.blob.merkle_root);
    let data = read::data(chain, id)?.elements();
    let proof = fraud::prove(Blob::new(header, &data)?, &found);
    steps.done(format!(
        "the watcher recomputes both batches: batch {} is wrong ({:?}), shown by {} cells",
        header.number,
        proof.kind,
        proof.cells.len()
    ));
    let (known, _) = Known::ask(chain, id)?;
    let places: Vec<_> = proof.cells.iter().map(|cell| (cell.row, cell.column)).collect();
    let cells = chain.rpc().get_cells(id, &places)?;
    let proofs =
        cells.iter().map(|cell| cell.as_ref().map(|cell| cell.proof.0).context("the node misses a cell"));
    let proofs = proofs.collect::<Result<Vec<_>>>()?;
    let bytes = challenges::encode_proof(header, &proof, known.commitments.as_slice(), &proofs);
    let mut salt = B256::ZERO;
    getrandom::fill(&mut salt.0).map_err(|error| anyhow!("the system gives no entropy: {error}"))?;
    let commitment = challenges::commitment(root, &bytes, stage.watcher.address(), salt);
    chain.send_one(&stage.watcher, &challenges::commit(commitment))?;
    let receipt = chain.send_one(&stage.watcher, &challenges::challenge(root, bytes, salt))?;
    let happened = events::logs(chain, receipt.height, receipt.height)?;
    let slashed = happened.into_iter().find_map(|event| match event.what {
        Happening::Voided { slashed, .. } if event.batch == root => Some(slashed),
        _ => None,
    });
    let slashed = slashed.context("the challenge succeeded and voided nothing")?;
    steps.done(format!(
        "the watcher commits, then challenges: the batch is void by {} gas, {} CHM of its bond are slashed",
        receipt.gas_used,
        chm(slashed)
    ));
    Ok(Caught { kind: proof.kind, gas_used: receipt.gas_used, slashed, reward: U256::ZERO })
}

/// Once nobody can reveal an earlier commitment any more, the reward is paid; the payers have what was reserved.
fn award(stage: &Stage, header: &Header, claim: &Claim, steps: &mut Steps) -> Result<U256> {
    let (root, bytes) = (header.batch_root(), header.encode());
    stage.warp(REVEAL_SECONDS)?;
    stage.clock.mine(REVEAL_BLOCKS, None)?;
    let requests =
        [challenges::pay_award(root, bytes.clone().into()), batches::release(root, claim, bytes.into())];
    let receipts = stage.chain.send_all(&stage.anyone, &requests)?;
    let height = receipts.first().context("no receipt")?.height;
    let awarded =
        events::logs(&stage.chain, height, height)?.into_iter().find_map(|event| match event.what {
            Happening::Awarded { winner, reward, .. } if event.batch == root => Some((winner, reward)),
            _ => None,
        });
    let (winner, reward): (Address, U256) = awarded.context("the award was paid and nothing says to whom")?;
    if winner != stage.watcher.address() {
        bail!("the reward went to {winner}, not to the watcher");
    }
    steps.done(format!(
        "the watcher has {} CHM, the Claims Pool the rest; reservations are released",
        chm(reward)
    ));
    Ok(reward)
}

fn chm(wei: U256) -> U256 {
    wei / U256::from(10).pow(U256::from(18))
}
