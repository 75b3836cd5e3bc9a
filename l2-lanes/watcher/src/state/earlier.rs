//! Records of earlier batches, from the index and the blobs that the watcher keeps.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use alloy_primitives::B256;
use chlom_lane::{
    Blob, Header,
    lane::source_id,
    merkle::Tree,
    page::{self, RecordPage},
    receipt::ReceiptId,
    state::EarlierRecord,
};

use crate::{
    WatchError,
    store::{
        Store,
        ids::{Location, key_of},
    },
};

/// Asks whether a batch is void.
type IsVoid<'a> = Box<dyn Fn(&B256) -> Result<bool, WatchError> + 'a>;

/// What a batch's records may have been before.
pub struct Earlier<'a> {
    store: &'a Store,
    order: u64,
    is_void: IsVoid<'a>,
    void: RefCell<BTreeMap<u64, bool>>,
    later: RefCell<BTreeSet<u64>>,
}

impl<'a> Earlier<'a> {
    /// Before the batch of this order.
    pub fn new(
        store: &'a Store,
        order: u64,
        is_void: impl Fn(&B256) -> Result<bool, WatchError> + 'a,
    ) -> Self {
        let (void, later) = Default::default();
        Self { store, order, is_void: Box::new(is_void), void, later }
    }

    /// Later batches that were found on the way.
    pub fn later(&self) -> Vec<u64> {
        self.later.borrow().iter().copied().collect()
    }

    /// A record of an earlier batch that counts. Upholds [WAT-4].
    ///
    /// # Errors
    /// Faults of the disk, a node that does not answer.
    pub fn find(&self, source: &B256, id: &ReceiptId) -> Result<Option<EarlierRecord>, WatchError> {
        let Some(at) = self.store.find_id(&key_of(source, id.as_str()))? else { return Ok(None) };
        if at.order == self.order {
            return Ok(None);
        }
        if at.order > self.order {
            self.later.borrow_mut().insert(at.order);
            return Ok(None);
        }
        if self.is_void(at.order)? {
            return Ok(None);
        }
        self.show(at, source, id)
    }

    fn is_void(&self, order: u64) -> Result<bool, WatchError> {
        if let Some(known) = self.void.borrow().get(&order) {
            return Ok(*known);
        }
        let Some(record) = self.store.batch(order)? else { return Ok(true) };
        let is_void = (self.is_void)(&record.root)?;
        self.void.borrow_mut().insert(order, is_void);
        Ok(is_void)
    }

    /// The record with what proves it, if it is this very one: two receipts may share a key of the index.
    fn show(&self, at: Location, source: &B256, id: &ReceiptId) -> Result<Option<EarlierRecord>, WatchError> {
        let Some(record) = self.store.batch(at.order)? else { return Ok(None) };
        let lost = |why: &str| WatchError::Blob {
            root: record.root,
            why: format!("{why}, and a later batch has a receipt of it: it cannot be convicted without"),
        };
        let header = Header::decode(&record.header).map_err(|_| lost("its header does not decode"))?;
        let kept = self.store.blob(&record.root, header.blob.rows.data())?;
        let kept = kept.ok_or_else(|| lost("it is not on disk"))?;
        let blob = Blob::new(&header, &kept.elements).map_err(|_| lost("it is too short"))?;
        let pages: Option<Vec<_>> = (0..header.record_pages).map(|index| blob.page(index)).collect();
        let pages = pages.ok_or_else(|| lost("its pages are none"))?;
        let index = at.page as usize;
        let Some(bytes) = pages.get(index) else { return Ok(None) };
        let Ok(page) = RecordPage::decode(bytes) else { return Ok(None) };
        let is_same = page.record(at.at.into()).is_some_and(|record| {
            source_id(&header.lane, &record.payer, record.source.as_str()) == *source
                && record.receipt_id().as_ref() == Some(id)
        });
        if !is_same {
            return Ok(None);
        }
        let tree = Tree::new(pages.iter().map(page::leaf).collect());
        let path = tree.and_then(|tree| tree.path(index)).ok_or_else(|| lost("it has no pages"))?;
        let bytes = Box::new(*bytes);
        Ok(Some(EarlierRecord { header: record.header.to_vec(), page: at.page, bytes, at: at.at, path }))
    }
}
