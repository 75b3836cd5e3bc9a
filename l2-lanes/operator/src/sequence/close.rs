//! What becomes of a batch after it was accepted: final, settled, or void.

use chlom_client::{
    Request,
    lanes::batches::{self, Claim, Status},
};
use chlom_lane::{Blob, Header, Row, merkle::Tree, page::TablePage};

use super::{Did, SequenceError, Sequencer, Turn, header_of};
use crate::store::{Batch, BatchState};

/// Rows that are asked about and settled together.
const AT_ONCE: usize = 256;
/// Data that comes back for finality is kept for so long at least, seconds: until the transaction is in a block.
const KEPT: u64 = 3_600;

impl Sequencer<'_> {
    /// Looks after a batch that the chain has accepted and that is not settled, whoever made it: anyone may. Upholds [OPR-35].
    pub(super) fn close_one(&mut self, batch: &Batch, turn: &mut Turn) {
        if let Err(error) = self.close(batch, &mut turn.did) {
            turn.faults.push(error);
        }
    }

    fn close(&mut self, batch: &Batch, did: &mut Vec<Did>) -> Result<(), SequenceError> {
        let mut on_chain = batches::batch(self.chain, batch.root)?;
        let mut state = batch.state;
        if Status::of(&on_chain) == Status::Void {
            did.push(self.voided(batch, on_chain.released)?);
            return Ok(());
        }
        if Status::of(&on_chain) == Status::Open {
            if !self.finalize(batch, &on_chain)? {
                return Ok(());
            }
            on_chain = batches::batch(self.chain, batch.root)?;
        }
        if state == BatchState::Submitted {
            tracing::info!(batch = batch.id, root = %batch.root, "final");
            self.store.advance(batch.id, BatchState::Submitted, BatchState::Final, &batch.note)?;
            state = BatchState::Final;
            did.push(Did::Finalized(batch.id));
        }
        // Which rows an adopted batch has that cannot be read is not known either.
        if Status::of(&on_chain) == Status::Finalized && !batch.unread {
            self.settle(batch)?;
            on_chain = batches::batch(self.chain, batch.root)?;
        }
        if Status::of(&on_chain) == Status::Done && state == BatchState::Final {
            if !on_chain.released {
                self.release_rest(batch)?;
            }
            tracing::info!(batch = batch.id, root = %batch.root, "settled");
            self.store.advance(batch.id, BatchState::Final, BatchState::Settled, &batch.note)?;
            did.push(Did::Settled(batch.id));
        }
        Ok(())
    }

    /// Whether the batch is final now. One whose data was kept less long than its window took, as when everything stood still for weeks, has
    /// its data published again first ([PAY-41]).
    fn finalize(&mut self, batch: &Batch, on_chain: &batches::Batch) -> Result<bool, SequenceError> {
        let (time, height) = (self.chain.time()?, self.chain.height()?);
        if time < on_chain.closesAt.to::<u64>() || height < on_chain.closesHeight.to::<u64>() {
            return Ok(false);
        }
        self.check_lead()?;
        tracing::info!(batch = batch.id, root = %batch.root, "finalising");
        let is_kept = time < on_chain.keptUntil.to::<u64>();
        let request = if is_kept {
            batches::finalize(batch.root)
        } else {
            self.make_available(batch, &header_of(batch)?, KEPT)?;
            batches::finalize_kept(batch.root, batch.header.clone().into())
        };
        let receipt = self.chain.send_one(self.signer, &request)?;
        self.store.record_sent(batch.id, "finalize", 0, receipt.hash, &[])?;
        Ok(true)
    }

    /// Its receipts wait again, and what its payers had reserved and their allowances had given is theirs again ([PAY-34]): the batch that puts it
    /// right needs both.
    fn voided(&mut self, batch: &Batch, released: bool) -> Result<Did, SequenceError> {
        if !released {
            self.release(batch, &self.claim(batch)?)?;
        }
        let why = "a fraud was proven of it; its bond is lost";
        self.store.void(batch.id, why)?;
        Ok(Did::Void { batch: batch.id, why: why.into() })
    }

    /// Rows reserve whole units of the lane, and owe the token's: what is left over is the payers' again once someone releases it ([PAY-45]).
    fn release_rest(&mut self, batch: &Batch) -> Result<(), SequenceError> {
        let (header, claim) = (header_of(batch)?, self.claim(batch)?);
        let lane = self.on_chain();
        let mut reserved = false;
        for total in &header.payers {
            reserved |= claim.scale > 0 && !lane.pot(claim.token, total.payer)?.reserved.is_zero();
        }
        if reserved { self.release(batch, &claim) } else { Ok(()) }
    }

    fn release(&mut self, batch: &Batch, claim: &Claim) -> Result<(), SequenceError> {
        let request = batches::release(batch.root, claim, batch.header.clone().into());
        self.check_lead()?;
        tracing::info!(batch = batch.id, root = %batch.root, "releasing");
        let receipt = self.chain.send_one(self.signer, &request)?;
        self.store.record_sent(batch.id, "release", 0, receipt.hash, &[])?;
        Ok(())
    }

    /// Settles every row that is not settled.
    fn settle(&mut self, batch: &Batch) -> Result<(), SequenceError> {
        let (header, claim) = (header_of(batch)?, self.claim(batch)?);
        let rows = self.rows(batch, &header)?;
        let damaged =
            || SequenceError::Damaged { batch: batch.id, why: "its rows are not the header's".into() };
        let tree = Tree::new(rows.iter().map(Row::leaf).collect()).ok_or_else(damaged)?;
        for (chunk, some) in rows.chunks(AT_ONCE).enumerate() {
            let first = chunk.saturating_mul(AT_ONCE);
            let mut requests: Vec<Request> = Vec::new();
            let settled = batches::are_settled(self.chain, batch.root, some)?;
            for (at, (row, settled)) in some.iter().zip(settled).enumerate() {
                let index = first.saturating_add(at);
                if !settled {
                    let path = tree.path(index).ok_or_else(damaged)?;
                    let index = u32::try_from(index).unwrap_or(u32::MAX);
                    requests.push(batches::settle(batch.root, &claim, row, index, path));
                }
            }
            if !requests.is_empty() {
                self.check_lead()?;
                tracing::info!(batch = batch.id, root = %batch.root, rows = requests.len(), "settling");
                self.chain.send_all(self.signer, &requests)?;
            }
        }
        Ok(())
    }

    /// The rows of the blob that is in the outbox.
    fn rows(&self, batch: &Batch, header: &Header) -> Result<Vec<Row>, SequenceError> {
        let damaged = |why: String| SequenceError::Damaged { batch: batch.id, why };
        let elements = self.store.blob(batch.id)?.ok_or_else(|| damaged("its blob is gone".into()))?;
        let blob = Blob::new(header, &elements).map_err(|error| damaged(error.to_string()))?;
        let mut rows = Vec::new();
        for page in header.record_pages..header.record_pages.saturating_add(header.table_pages) {
            let bytes = blob.page(page).ok_or_else(|| damaged(format!("page {page} is no payload")))?;
            let page = TablePage::decode(&bytes).map_err(|error| damaged(format!("{error:?}")))?;
            rows.extend(page.rows);
        }
        Ok(rows)
    }

    /// What settling and releasing need.
    fn claim(&self, batch: &Batch) -> Result<Claim, SequenceError> {
        let why = "the chain has another claim of it than its header and the lane's parameters give";
        let damaged = || SequenceError::Damaged { batch: batch.id, why: why.into() };
        batches::claim_of(self.chain, &header_of(batch)?)?.ok_or_else(damaged)
    }
}
