//! What becomes of a batch after it was accepted: final, settled, or void.

use chlom_client::{
    Request,
    lanes::batches::{self, Claim, Status},
};
use chlom_lane::{Blob, Header, Row, merkle::Tree, page::TablePage};

use super::{Did, SequenceError, Sequencer, header_of};
use crate::store::{Batch, BatchState};

/// Rows that are asked about and settled together.
const AT_ONCE: usize = 256;

impl Sequencer<'_> {
    /// Looks after every batch that the chain has accepted and that is not settled.
    pub(super) fn close(&mut self) -> Result<Vec<Did>, SequenceError> {
        let mut did = Vec::new();
        for batch in self.store.batches(&self.lane, &[BatchState::Submitted, BatchState::Final])? {
            did.extend(self.close_one(&batch)?);
        }
        Ok(did)
    }

    fn close_one(&mut self, batch: &Batch) -> Result<Vec<Did>, SequenceError> {
        let mut did = Vec::new();
        let mut on_chain = batches::batch(self.chain, batch.root)?;
        let mut state = batch.state;
        if Status::of(&on_chain) == Status::Void {
            did.push(self.voided(batch, on_chain.released)?);
            return Ok(did);
        }
        if Status::of(&on_chain) == Status::Open {
            let (time, height) = (self.chain.time()?, self.chain.height()?);
            if time < on_chain.closesAt.to::<u64>() || height < on_chain.closesHeight.to::<u64>() {
                return Ok(did);
            }
            self.check_lead()?;
            let receipt = self.chain.send_one(self.signer, &batches::finalize(batch.root))?;
            self.store.record_sent(batch.id, "finalize", 0, receipt.hash, &[])?;
            on_chain = batches::batch(self.chain, batch.root)?;
        }
        if state == BatchState::Submitted {
            self.store.advance(batch.id, BatchState::Submitted, BatchState::Final, "")?;
            state = BatchState::Final;
            did.push(Did::Finalized(batch.id));
        }
        if Status::of(&on_chain) == Status::Finalized {
            self.settle(batch)?;
            on_chain = batches::batch(self.chain, batch.root)?;
        }
        if Status::of(&on_chain) == Status::Done && state == BatchState::Final {
            self.store.advance(batch.id, BatchState::Final, BatchState::Settled, "")?;
            did.push(Did::Settled(batch.id));
        }
        Ok(did)
    }

    /// Its receipts wait again, and what its payers had reserved is released.
    fn voided(&mut self, batch: &Batch, released: bool) -> Result<Did, SequenceError> {
        if !released {
            let request = batches::release(batch.root, &self.claim(batch)?, batch.header.clone().into());
            self.check_lead()?;
            self.chain.send_one(self.signer, &request)?;
        }
        let why = "a fraud was proven of it; its bond is lost";
        self.store.void(batch.id, why)?;
        Ok(Did::Void { batch: batch.id, why: why.into() })
    }

    /// Settles every row that is not settled.
    fn settle(&mut self, batch: &Batch) -> Result<(), SequenceError> {
        let (header, claim) = (header_of(batch)?, self.claim(batch)?);
        let rows = self.rows(batch, &header)?;
        let damaged =
            || SequenceError::Damaged { batch: batch.id, why: "its rows are not the header's".into() };
        let tree = Tree::new(rows.iter().map(Row::leaf).collect()).ok_or_else(damaged)?;
        let numbered: Vec<(u32, &Row)> = (0u32..).zip(&rows).collect();
        for some in numbered.chunks(AT_ONCE) {
            let mut requests: Vec<Request> = Vec::new();
            for (index, row) in some {
                if batches::is_settled(self.chain, batch.root, row.payer, row.licence)? {
                    continue;
                }
                let path = tree.path(usize::try_from(*index).unwrap_or(usize::MAX)).ok_or_else(damaged)?;
                requests.push(batches::settle(batch.root, &claim, row, *index, path));
            }
            self.check_lead()?;
            self.chain.send_all(self.signer, &requests)?;
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

    /// What settling needs: worked out from the header and the lane's parameters, checked against what the chain keeps.
    fn claim(&self, batch: &Batch) -> Result<Claim, SequenceError> {
        let header = header_of(batch)?;
        let (_, terms) = self.terms(header.period)?;
        let claim = |rebate: u16| Claim {
            lane: chlom_client::lanes::word(self.id),
            period: header.period.code(),
            token: terms.token,
            scale: terms.tokenDecimals.saturating_sub(terms.decimals),
            rebateBps: rebate,
            rows: header.rows,
            licensesRoot: header.licenses_root,
        };
        // The hash that the chain keeps says which of the two it is: in time for the rebate, or not.
        let kept = batches::batch(self.chain, batch.root)?.claimHash;
        let found =
            [terms.rebateBps, 0].map(claim).into_iter().find(|claim| batches::claim_hash(claim) == kept);
        if let Some(claim) = found {
            return Ok(claim);
        }
        let why = "the chain has another claim of it than its header and the lane's parameters give";
        Err(SequenceError::Damaged { batch: batch.id, why: why.into() })
    }
}
