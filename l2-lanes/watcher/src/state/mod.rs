//! What contract state says of one batch, as of its `asOf`: [`chlom_client::lanes::state`] asks for licences, rates, keys and
//! consents; what came before is in the watcher's own index ([`earlier`]).

pub mod earlier;

use alloy_primitives::{Address, B256};
use chlom_client::{
    Chain,
    lanes::{batches, state::ChainState},
};
use chlom_lane::{
    Blob, Header, LaneId, LaneState, page::TablePage, receipt::ReceiptId, state::EarlierRecord,
};

use crate::{WatchError, store::Store};
use earlier::Earlier;

/// State as one batch sees it.
pub struct BatchState<'a> {
    chain: ChainState<'a>,
    earlier: Earlier<'a>,
}

impl<'a> BatchState<'a> {
    /// State for an accepted batch of this order. Upholds [WAT-5].
    ///
    /// # Errors
    /// A node that does not answer.
    pub fn ask(chain: &'a Chain, store: &'a Store, blob: Blob<'_>, order: u64) -> Result<Self, WatchError> {
        let state = ChainState::of_batch(chain, blob.header())?;
        let header = blob.header();
        state.prepare(&licences_of(blob), header.period, header.as_of)?;
        let is_void = |root: &B256| Ok(batches::consent_of(chain, *root)?.isVoid);
        Ok(Self { chain: state, earlier: Earlier::new(store, order, is_void) })
    }

    /// Orders of later batches that have a record of this one: they were looked at before this one was here.
    pub fn later(&self) -> Vec<u64> {
        self.earlier.later()
    }
}

/// Licences that the rows of a batch name. Pages that do not decode are a fraud that needs no state.
fn licences_of(blob: Blob<'_>) -> Vec<B256> {
    let header = blob.header();
    let tables = header.record_pages..header.record_pages.saturating_add(header.table_pages);
    let pages = tables.filter_map(|page| TablePage::decode(&blob.page(page)?).ok());
    let mut licences: Vec<B256> =
        pages.flat_map(|table| table.rows.iter().map(|row| row.licence).collect::<Vec<_>>()).collect();
    licences.sort_unstable();
    licences.dedup();
    licences
}

impl LaneState for BatchState<'_> {
    type Error = WatchError;

    fn allows(&self, licence: &B256, time: u64, as_of: u64) -> Result<bool, WatchError> {
        Ok(self.chain.allows(licence, time, as_of)?)
    }

    fn royalty_bps(&self, licence: &B256, start: u64, as_of: u64) -> Result<Option<u16>, WatchError> {
        Ok(self.chain.royalty_bps(licence, start, as_of)?)
    }

    fn source_key(
        &self,
        lane: &LaneId,
        payer: &Address,
        source: &B256,
        as_of: u64,
    ) -> Result<Option<Vec<u8>>, WatchError> {
        Ok(self.chain.source_key(lane, payer, source, as_of)?)
    }

    fn admits(
        &self,
        batch: &Header,
        payer: &Address,
        source: &B256,
        has_key: bool,
    ) -> Result<bool, WatchError> {
        Ok(self.chain.admits(batch, payer, source, has_key)?)
    }

    fn earlier(
        &self,
        _: &Header,
        source: &B256,
        id: &ReceiptId,
    ) -> Result<Option<EarlierRecord>, WatchError> {
        self.earlier.find(source, id)
    }
}

#[cfg(test)]
mod tests;
