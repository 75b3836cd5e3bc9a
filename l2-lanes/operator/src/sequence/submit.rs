//! A built batch to the chain: its blob published, its header submitted.

use alloy_primitives::U256;
use chlom_client::{
    blobs::publish::{Publication, publish},
    lanes::{batches, money, registry::Parameters},
};
use chlom_crypto::kzg::DataRows;
use chlom_lane::{Header, PayerTotal};
use chlom_royalty::period::SUBMISSION_WINDOW;

use super::{Did, SequenceError, Sequencer, header_of};
use crate::store::{Batch, BatchState};

/// A blob is kept for so much longer than submitting needs, seconds: until the transaction is in a block.
const SLACK: u64 = 3_600;

impl Sequencer<'_> {
    /// Publishes the blob and waits until it is available. What the chain has already is not paid again.
    pub(super) fn publish_one(&mut self, batch: &Batch) -> Result<Did, SequenceError> {
        let header = header_of(batch)?;
        let (_, terms) = self.terms(header.period)?;
        if let Some(given_up) = self.give_up_if_hopeless(batch, &header, &terms)? {
            return Ok(given_up);
        }
        self.check_bond(&header, &terms)?;
        self.check_lead()?;
        tracing::info!(batch = batch.id, root = %batch.root, "publishing");
        self.make_available(batch, &header, kept(&terms).saturating_add(SLACK))?;
        tracing::info!(batch = batch.id, root = %batch.root, "published");
        self.store.advance(batch.id, BatchState::Built, BatchState::Published, "")?;
        Ok(Did::Published(batch.id))
    }

    /// Has the chain keep the batch's blob for so many seconds from now at least.
    pub(super) fn make_available(
        &self,
        batch: &Batch,
        header: &Header,
        seconds: u64,
    ) -> Result<(), SequenceError> {
        let damaged = |why: String| SequenceError::Damaged { batch: batch.id, why };
        let elements = self.store.blob(batch.id)?.ok_or_else(|| damaged("its blob is gone".into()))?;
        let data = DataRows::from_elements(&elements, header.blob.rows);
        let payload = data.and_then(|data| data.payload()).map_err(|error| damaged(error.to_string()))?;
        let blob = Publication {
            lane: self.id,
            period: header.period.code(),
            payload: &payload,
            extend: false,
            until: self.chain.time()?.saturating_add(seconds),
        };
        let (uploaded, _) = publish(self.chain, self.signer, &blob, &mut |_| {})?;
        if uploaded.header.as_ref() != header.blob.encode() {
            return Err(damaged("the node committed to another blob than the header names".into()));
        }
        Ok(())
    }

    /// Submits the header. One that the chain has accepted is recognised; one that it never will accept is given up.
    pub(super) fn submit_one(&mut self, batch: &Batch) -> Result<Did, SequenceError> {
        if self.status(batch)? != batches::Status::None {
            return self.submitted(batch, "found on the chain");
        }
        let header = header_of(batch)?;
        let (_, terms) = self.terms(header.period)?;
        if let Some(given_up) = self.give_up_if_hopeless(batch, &header, &terms)? {
            return Ok(given_up);
        }
        self.check_bond(&header, &terms)?;
        // Published long ago, as when the process stood still since.
        let blob = self.chain.rpc().blob_status(batches::blob_id(&header))?;
        let until = blob.chain.map_or(0, |on_chain| on_chain.expires_at.to::<u64>());
        if until < self.chain.time()?.saturating_add(kept(&terms)).saturating_add(SLACK / 2) {
            self.check_lead()?;
            self.make_available(batch, &header, kept(&terms).saturating_add(SLACK))?;
        }
        let unit = unit(&terms);
        let consent = |total: &PayerTotal| match self.payers.iter().find(|key| key.address() == total.payer) {
            Some(key) => batches::authorise(key, self.chain.id(), batch.root, U256::from(total.owed) * unit),
            None => batches::standing(),
        };
        let request = batches::submit(&header, header.payers.iter().map(consent).collect());
        self.check_lead()?;
        tracing::info!(batch = batch.id, root = %batch.root, "submitting");
        let receipt = self.chain.send_one(self.signer, &request)?;
        self.store.record_sent(batch.id, "submit", 0, receipt.hash, &[])?;
        self.submitted(batch, "")
    }

    fn submitted(&self, batch: &Batch, note: &str) -> Result<Did, SequenceError> {
        tracing::info!(batch = batch.id, root = %batch.root, "accepted");
        self.store.advance(batch.id, BatchState::Published, BatchState::Submitted, note)?;
        Ok(Did::Submitted(batch.id))
    }

    fn status(&self, batch: &Batch) -> Result<batches::Status, SequenceError> {
        Ok(batches::Status::of(&batches::batch(self.chain, batch.root)?))
    }

    /// The signer submits to the lane and has what stands behind the batch. Asked before the blob is paid for, too.
    fn check_bond(&self, header: &Header, terms: &Parameters) -> Result<(), SequenceError> {
        let (active, me) = (self.on_chain().active()?.submitter, self.signer.address());
        if active != me {
            return Err(SequenceError::NotActive { lane: self.lane.name.clone(), signer: me, active });
        }
        let owed = header.payers.iter().fold(0u128, |sum, payer| sum.saturating_add(payer.owed));
        let needed = batches::bond_for(self.chain, owed, terms)? * U256::from(10);
        let free = money::collateral(self.chain, me)?.free;
        if U256::from(free) < needed {
            return Err(SequenceError::Collateral { account: me, free, needed, number: header.number });
        }
        Ok(())
    }

    /// Gives up a batch that the chain will not take as it is: its place in the lane's sequence is another's, its period takes no batches any
    /// more, or a payer has less now than it can owe. Its receipts wait again, and nobody else's wait for that payer. Should a
    /// transaction of it that was sent before get into a block all the same, the batch is found and adopted like one of others. Upholds [OPR-34].
    fn give_up_if_hopeless(
        &self,
        batch: &Batch,
        header: &Header,
        terms: &Parameters,
    ) -> Result<Option<Did>, SequenceError> {
        if self.status(batch)? != batches::Status::None {
            return Ok(None);
        }
        let Some(why) = self.hopeless(header, terms)? else { return Ok(None) };
        // Between the two questions it may have been this very batch that was accepted.
        if self.status(batch)? != batches::Status::None {
            return Ok(None);
        }
        tracing::info!(batch = batch.id, root = %batch.root, %why, "given up");
        self.store.void(batch.id, &why)?;
        Ok(Some(Did::Void { batch: batch.id, why }))
    }

    fn hopeless(&self, header: &Header, terms: &Parameters) -> Result<Option<String>, SequenceError> {
        let last = self.on_chain().last_batch()?;
        if last != header.predecessor {
            return Ok(Some(format!("batch {last} came before it")));
        }
        if self.chain.time()? >= header.period.end().saturating_add(SUBMISSION_WINDOW) {
            return Ok(Some("its period takes no batches any more".into()));
        }
        let (lane, period, submitter) = (self.on_chain(), header.period.code(), self.signer.address());
        for PayerTotal { payer, owed, .. } in &header.payers {
            let owed = U256::from(*owed) * unit(terms);
            if lane.pot(terms.token, *payer)?.free < owed {
                return Ok(Some(format!("payer {payer} has less in its pot than it can owe by now")));
            }
            if !self.signs(*payer) {
                let allowance = lane.allowance(*payer, period, submitter)?;
                if U256::from(allowance.limit.saturating_sub(allowance.used)) < owed {
                    return Ok(Some(format!("payer {payer} allows less than it can owe by now")));
                }
            }
        }
        Ok(None)
    }
}

/// Seconds for which a blob must be kept from its submission on.
fn kept(terms: &Parameters) -> u64 {
    u64::from(terms.window).saturating_add(terms.margin.into())
}

/// Of the token's minor unit in one of the lane's.
fn unit(terms: &Parameters) -> U256 {
    U256::from(10).pow(U256::from(terms.tokenDecimals.saturating_sub(terms.decimals)))
}
