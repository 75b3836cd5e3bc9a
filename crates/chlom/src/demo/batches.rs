//! Receipts into batches: built, funded, published, sampled, submitted.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use anyhow::{Context as _, Result, anyhow};
use chlom_client::{
    Request,
    blobs::{
        publish::{self, Known, Publication},
        read,
    },
    lanes::{
        batches::{self, Claim},
        events::{self, Happening},
        money,
        state::ChainState,
    },
};
use chlom_crypto::kzg::{BlobHeader, DataRows};
use chlom_lane::{Draft, Frame, Header, Receipt, build};
use chlom_primitives::address::ROYALTY_LEDGER;
use chlom_royalty::Period;

use super::{input::Input, report::units, stage::Stage, steps::Steps};
use crate::blob::choose;

/// So many samples leave a chance below 2⁻³⁰ that a blob cannot be rebuilt.
const SAMPLES: usize = 73;

mod token {
    alloy_sol_types::sol! {
        /// ERC-20.
        function approve(address spender, uint256 amount) external returns (bool);
    }
}

/// A batch that the chain has accepted.
pub(super) struct Submitted {
    pub(super) root: B256,
    pub(super) header: Header,
    pub(super) claim: Claim,
    pub(super) draft: Draft,
}

/// All receipts, period by period, in as many batches as they need.
pub(super) fn submit_all(stage: &Stage, input: &Input, steps: &mut Steps) -> Result<Vec<Submitted>> {
    steps.part("A right batch");
    let approve = token::approveCall { spender: ROYALTY_LEDGER, amount: U256::MAX };
    stage.chain.send_one(&stage.payer, &Request::call("approving the ledger", stage.token, &approve))?;
    let mut waiting: BTreeMap<Period, Vec<Receipt>> = BTreeMap::new();
    for line in &input.receipts {
        let period = Period::containing(line.receipt.time).context("a receipt beyond all periods")?;
        waiting.entry(period).or_default().push(line.receipt.clone());
    }
    let state = ChainState::new(&stage.chain);
    let mut submitted = Vec::new();
    for (period, mut receipts) in waiting {
        while !receipts.is_empty() {
            let frame = frame(stage, period)?;
            let (draft, rest) = build(frame, receipts, &state).map_err(|error| anyhow!("{error}"))?;
            receipts = rest;
            let said = draft.header([0; 48], B256::ZERO);
            let elements = draft.elements();
            let (header, claim) = submit(stage, &said, &elements, steps)?;
            submitted.push(Submitted { root: header.batch_root(), header, claim, draft });
        }
    }
    Ok(submitted)
}

/// What the next batch of a period follows on.
pub(super) fn frame(stage: &Stage, period: Period) -> Result<Frame> {
    let lane = stage.lane();
    Ok(Frame {
        lane: stage.lane,
        parameters: lane.parameters_at(period.start())?.0,
        period,
        number: lane.next_number(period.code())?,
        predecessor: lane.last_batch()?,
        as_of: stage.chain.time()?,
    })
}

/// Publishes `elements` and submits them under a header that says what `said` says otherwise; with the payer's money and
/// signature, and the submitter's bond.
pub(super) fn submit(
    stage: &Stage,
    said: &Header,
    elements: &[u8],
    steps: &mut Steps,
) -> Result<(Header, Claim)> {
    let header = Header { blob: publish(stage, said, elements, steps)?, ..said.clone() };
    let lane = stage.lane();
    let (_, terms) = lane.parameters_at(header.period.start())?;
    let owed: u128 = header.payers.iter().map(|payer| payer.owed).sum();
    for payer in &header.payers {
        let deposit = money::deposit(stage.lane, stage.token, payer.payer, U256::from(payer.owed));
        if payer.owed > 0 {
            stage.chain.send_one(&stage.payer, &deposit)?;
        }
    }
    let stake = batches::bond_for(&stage.chain, owed, &terms)? * U256::from(10);
    let add = money::add_collateral(stage.submitter.address(), stake);
    stage.chain.send_one(&stage.submitter, &add)?;
    let root = header.batch_root();
    let sign = |total: u128| batches::authorise(&stage.payer_key, stage.chain.id(), root, U256::from(total));
    let authorisations = header.payers.iter().map(|payer| sign(payer.owed)).collect();
    let request = batches::submit(&header, authorisations);
    let receipt = stage.chain.send_one(&stage.submitter, &request)?;
    let accepted = events::logs(&stage.chain, receipt.height, receipt.height)?;
    let claim = accepted.into_iter().find_map(|event| match event.what {
        Happening::Accepted { claim, .. } if event.batch == root => Some(claim),
        _ => None,
    });
    steps.done(format!(
        "batch {} of {} submitted: {} records in {} rows, {} USD funded, {} CHM behind it",
        header.number,
        header.period.code(),
        header.records,
        header.rows,
        units(owed),
        stake / U256::from(10).pow(U256::from(18)),
    ));
    Ok((header, claim.context("the chain took the batch and says nothing of it")?))
}

/// Publishes the blob, and samples it as a light client would.
fn publish(stage: &Stage, said: &Header, elements: &[u8], steps: &mut Steps) -> Result<BlobHeader> {
    let payload = DataRows::from_elements(elements, said.blob.rows)?.payload()?;
    let blob = Publication {
        lane: stage.lane,
        period: said.period.code(),
        payload: &payload,
        extend: false,
        until: 0,
    };
    let (uploaded, on_chain) = publish::publish(&stage.chain, &stage.submitter, &blob, &mut |_| {})?;
    let known = Known::check(uploaded.id, &uploaded.header, &uploaded.commitments)?;
    let rows = known.header.rows;
    steps.done(format!(
        "blob {} of {} rows published, attested at height {}",
        uploaded.id,
        rows.data(),
        on_chain.available_at.to::<u64>()
    ));
    let chosen = choose(rows, SAMPLES.min(rows.cells()))?;
    let confidence = read::sample(&stage.chain, uploaded.id, &known, &chosen, &mut |_| {})?;
    let sure = match confidence.is_certain() {
        true => "it can be rebuilt".to_owned(),
        false => format!("the chance that it cannot be rebuilt is at most 2^-{}", confidence.bits()),
    };
    steps.done(format!("{} cells sampled and verified: {sure}", chosen.len()));
    Ok(known.header)
}
