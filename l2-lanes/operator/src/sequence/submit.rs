//! A built batch to the chain: its blob published, its header submitted.

use alloy_primitives::U256;
use chlom_client::{
    blobs::publish::{Publication, publish},
    lanes::{batches, money},
};
use chlom_crypto::kzg::DataRows;

use super::{Did, SequenceError, Sequencer, header_of};
use crate::store::{Batch, BatchState};

/// A blob is kept for so much longer than submitting needs, seconds: until the transaction is in a block.
const SLACK: u64 = 3_600;

impl Sequencer<'_> {
    /// Publishes the blob and waits until it is available. What the chain has already is not paid again.
    pub(super) fn publish_one(&mut self, batch: &Batch) -> Result<Did, SequenceError> {
        if let Some(given_up) = self.give_up_if_stale(batch)? {
            return Ok(given_up);
        }
        let header = header_of(batch)?;
        let damaged = |why: String| SequenceError::Damaged { batch: batch.id, why };
        let elements = self.store.blob(batch.id)?.ok_or_else(|| damaged("its blob is gone".into()))?;
        let data = DataRows::from_elements(&elements, header.blob.rows);
        let payload = data.and_then(|data| data.payload()).map_err(|error| damaged(error.to_string()))?;
        let (_, terms) = self.terms(header.period)?;
        let kept = u64::from(terms.window) + u64::from(terms.margin) + SLACK;
        let blob = Publication {
            lane: self.id,
            period: header.period.code(),
            payload: &payload,
            extend: false,
            until: self.chain.time()? + kept,
        };
        self.check_lead()?;
        let (uploaded, _) = publish(self.chain, self.signer, &blob, &mut |_| {})?;
        if uploaded.header.as_ref() != header.blob.encode() {
            return Err(damaged("the node committed to another blob than the header names".into()));
        }
        self.store.advance(batch.id, BatchState::Built, BatchState::Published, "")?;
        Ok(Did::Published(batch.id))
    }

    /// Submits the header. One that the chain has accepted is recognised; one that it never will accept is given up.
    pub(super) fn submit_one(&mut self, batch: &Batch) -> Result<Did, SequenceError> {
        if self.status(batch)? != batches::Status::None {
            return self.submitted(batch, "found on the chain");
        }
        if let Some(given_up) = self.give_up_if_stale(batch)? {
            return Ok(given_up);
        }
        let header = header_of(batch)?;
        let (_, terms) = self.terms(header.period)?;
        let (active, me) = (self.on_chain().active()?.submitter, self.signer.address());
        if active != me {
            return Err(SequenceError::NotActive { lane: self.lane.name.clone(), signer: me, active });
        }
        let owed = header.payers.iter().fold(0u128, |sum, payer| sum.saturating_add(payer.owed));
        let needed = batches::bond_for(self.chain, owed, &terms)? * U256::from(10);
        let free = money::collateral(self.chain, me)?.free;
        if U256::from(free) < needed {
            return Err(SequenceError::Collateral { account: me, free, needed, number: header.number });
        }
        let unit = U256::from(10).pow(U256::from(terms.tokenDecimals - terms.decimals));
        let consent = |total: &chlom_lane::PayerTotal| match self
            .payers
            .iter()
            .find(|key| key.address() == total.payer)
        {
            Some(key) => batches::authorise(key, self.chain.id(), batch.root, U256::from(total.owed) * unit),
            None => batches::standing(),
        };
        let request = batches::submit(&header, header.payers.iter().map(consent).collect());
        self.check_lead()?;
        let receipt = self.chain.send_one(self.signer, &request)?;
        self.store.record_sent(batch.id, "submit", 0, receipt.hash, &[])?;
        self.submitted(batch, "")
    }

    fn submitted(&self, batch: &Batch, note: &str) -> Result<Did, SequenceError> {
        self.store.advance(batch.id, BatchState::Published, BatchState::Submitted, note)?;
        Ok(Did::Submitted(batch.id))
    }

    pub(super) fn status(&self, batch: &Batch) -> Result<batches::Status, SequenceError> {
        Ok(batches::Status::of(&batches::batch(self.chain, batch.root)?))
    }

    /// A header whose place in the lane's sequence is another's, or whose parameters are not in force any more, never becomes
    /// acceptable: whatever was sent of it reverts. Its receipts wait again.
    fn give_up_if_stale(&self, batch: &Batch) -> Result<Option<Did>, SequenceError> {
        if self.status(batch)? != batches::Status::None {
            return Ok(None);
        }
        let header = header_of(batch)?;
        let last = self.on_chain().last_batch()?;
        if last == header.predecessor {
            return Ok(None);
        }
        // Between the two questions it may have been this very batch that was accepted.
        if self.status(batch)? != batches::Status::None {
            return Ok(None);
        }
        let why = format!("batch {last} came before it");
        self.store.void(batch.id, &why)?;
        Ok(Some(Did::Void { batch: batch.id, why }))
    }
}
