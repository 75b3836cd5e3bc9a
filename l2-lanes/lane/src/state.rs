//! What contract state says that a batch depends on, asked by whoever builds or checks one.

use alloy_primitives::{Address, B256};

use crate::{Header, LaneId, receipt::ReceiptId};

/// State as of a time: whatever was recorded later does not count, so an answer never changes.
pub trait LaneState {
    /// What may go wrong in asking.
    type Error;

    /// Whether a licence allowed use at `time`: `stateAt(licence, time, as_of)` says Active or Suspended.
    ///
    /// # Errors
    /// When state cannot be read.
    fn allows(&self, licence: &B256, time: u64, as_of: u64) -> Result<bool, Self::Error>;

    /// A licence's royaltyBps at the period's start or, failing that, its first; `None` for one that is unknown.
    ///
    /// # Errors
    /// When state cannot be read.
    fn royalty_bps(&self, licence: &B256, start: u64, as_of: u64) -> Result<Option<u16>, Self::Error>;

    /// The key that a payer registered for a source.
    ///
    /// # Errors
    /// When state cannot be read.
    fn source_key(
        &self,
        lane: &LaneId,
        payer: &Address,
        source: &B256,
        as_of: u64,
    ) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Whether a payer's consent to a batch admits records of a source. A signature over the batch admits all; an allowance those
    /// that it names, and one without a key only when it admits such ([PAY-29]). A batch that is only being built has no consent
    /// yet: whoever builds it answers by what the payer will give.
    ///
    /// # Errors
    /// When state cannot be read.
    fn admits(
        &self,
        batch: &Header,
        payer: &Address,
        source: &B256,
        has_key: bool,
    ) -> Result<bool, Self::Error>;

    /// A record of this source and id in a batch of the lane that was accepted before this one and is not void. Numbers do not
    /// say what came before: each period has its own.
    ///
    /// # Errors
    /// When state cannot be read.
    fn earlier(
        &self,
        batch: &Header,
        source: &B256,
        id: &ReceiptId,
    ) -> Result<Option<EarlierRecord>, Self::Error>;
}

/// A record of another batch, shown through that batch's `receipts_root`: it needs no cell, so pruning is harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierRecord {
    /// That batch's header, encoded.
    pub header: Vec<u8>,
    /// The record page's index.
    pub page: u32,
    /// The page, 1,984 bytes.
    pub bytes: Box<crate::page::Page>,
    /// The record's place on it.
    pub at: u16,
    /// Siblings from the page's leaf up.
    pub path: Vec<B256>,
}
