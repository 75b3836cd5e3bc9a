//! What the chain accepted of the lane that is not of this outbox: batches of a submitter before, or made with a database that is gone. Their
//! receipts must not be in a batch again, and their rows are settled here as anyone may: who made them may be gone. Upholds [OPR-8].

use std::collections::BTreeMap;

use alloy_primitives::B256;
use chlom_client::{
    Chain, ClientError,
    blobs::read::{self, ReadError},
    lanes::{
        batches::{self, Status},
        events::{Follower, Happening},
    },
};
use chlom_lane::{Blob, Header, lane::source_id, page::RecordPage};

use super::{Did, SequenceError, Sequencer, header_of};
use crate::{
    Store,
    store::{Adopted, Batch, BatchState, Lane, ReceiptKey},
};

/// Heights without a batch of others after which the place is written down: they are read again after a restart.
const SELDOM: u64 = 64;

/// Where to go on following: the store is one chain's for ever once a batch is in it. Upholds [OPR-36].
///
/// # Errors
/// [`SequenceError::Foreign`].
pub(super) fn begin(store: &Store, lane: &Lane, chain: &Chain) -> Result<u64, SequenceError> {
    let (name, here) = (format!("chain {}", lane.name), format!("{} {}", chain.id(), chain.genesis()?));
    match store.get_note(&name)? {
        Some(known) if known == here => {
            let height = store.get_note(&place(lane))?;
            return Ok(height.and_then(|height| height.parse().ok()).unwrap_or_default());
        }
        Some(known) if !store.last_batches(lane, 1)?.is_empty() => {
            return Err(SequenceError::Foreign { lane: lane.name.clone(), known, here });
        }
        _ => {}
    }
    store.set_note(&place(lane), "0")?;
    store.set_note(&name, &here)?;
    Ok(0)
}

fn place(lane: &Lane) -> String {
    format!("followed {}", lane.name)
}

impl Sequencer<'_> {
    /// Takes in what was accepted since the last look.
    pub(super) fn follow(&mut self) -> Result<Vec<Did>, SequenceError> {
        let mut follower = Follower::from(self.followed);
        loop {
            let (events, head) = follower.poll(self.chain)?;
            let mut adopted = false;
            for event in events {
                let Happening::Accepted { lane, header, .. } = event.what else { continue };
                if lane == self.id && !self.store.has_batch(&self.lane, event.batch)? {
                    adopted |= self.adopt(event.batch, &header)?;
                }
            }
            self.followed = follower.next();
            if adopted || self.followed >= self.kept.saturating_add(SELDOM) {
                self.store.set_note(&place(&self.lane), &self.followed.to_string())?;
                self.kept = self.followed;
            }
            if self.followed > head {
                break;
            }
        }
        let mut did = Vec::new();
        for batch in self.store.unread(&self.lane)? {
            did.extend(self.read(&batch)?);
        }
        Ok(did)
    }

    /// Whether there is anything to know of it: a batch that is void and released is as if it had never been.
    fn adopt(&self, root: B256, bytes: &[u8]) -> Result<bool, SequenceError> {
        let unreadable = |why: String| ClientError::Answer { method: "eth_getLogs", why };
        let header = Header::decode(bytes)
            .map_err(|fault| unreadable(format!("the header of batch {root} is none: {fault}")))?;
        let on_chain = batches::batch(self.chain, root)?;
        let state = match Status::of(&on_chain) {
            Status::Void if on_chain.released => return Ok(false),
            Status::Finalized => BatchState::Final,
            Status::Done => BatchState::Settled,
            _ => BatchState::Submitted,
        };
        let Header { period, number, records: receipts, .. } = header;
        self.store.adopt(&self.lane, &Adopted { period, number, header: bytes, root, receipts, state })?;
        Ok(true)
    }

    /// Which receipts an adopted batch has.
    fn read(&mut self, batch: &Batch) -> Result<Option<Did>, SequenceError> {
        let header = header_of(batch)?;
        let elements = match self.fetch(&header) {
            Ok(elements) => elements,
            Err(ReadError::Client(error @ ClientError::Transport { .. })) => return Err(error.into()),
            Err(error) => {
                let new = self.unreadable.insert(batch.root);
                let why = error.to_string();
                let did = Did::Unreadable { root: batch.root, period: header.period, why };
                return Ok(new.then_some(did));
            }
        };
        let damaged = |why: String| SequenceError::Damaged { batch: batch.id, why };
        let blob = Blob::new(&header, &elements).map_err(|error| damaged(error.to_string()))?;
        let keys = keys_of(blob);
        let wanted = (batch.state != BatchState::Settled).then_some(elements.as_slice());
        self.store.read_adopted(&self.lane, batch.id, wanted, &keys)?;
        self.unreadable.remove(&batch.root);
        tracing::info!(batch = batch.id, root = %batch.root, receipts = keys.len(), "adopted");
        Ok(Some(Did::Adopted { batch: batch.id, root: batch.root, receipts: keys.len() as u64 }))
    }

    fn fetch(&self, header: &Header) -> Result<Vec<u8>, ReadError> {
        let id = batches::blob_id(header);
        let found = read::data(self.chain, id)?;
        // The id binds lane, period and commitments; what is left are the rows, which those have.
        Ok(found.elements())
    }
}

/// The keys of a batch's receipts. Pages that do not decode are left out: they convict the batch.
fn keys_of(blob: Blob<'_>) -> Vec<ReceiptKey> {
    let header = blob.header();
    let mut keys = Vec::new();
    // Few names, many records.
    let mut sources = BTreeMap::new();
    for page in 0..header.record_pages {
        let Some(Ok(records)) = blob.page(page).map(|bytes| RecordPage::decode(&bytes)) else { continue };
        for record in records.records() {
            let source = sources
                .entry((record.payer, record.source.clone()))
                .or_insert_with(|| source_id(&header.lane, &record.payer, record.source.as_str()));
            keys.extend(record.receipt_id().map(|id| key_of(source, id.as_str())));
        }
    }
    keys
}

/// The key of a receipt: the first 16 bytes of keccak256(source ‖ id).
pub(super) fn key_of(source: &B256, id: &str) -> ReceiptKey {
    let hash = alloy_primitives::keccak256([source.as_slice(), id.as_bytes()].concat());
    hash.first_chunk().copied().unwrap_or_default()
}
