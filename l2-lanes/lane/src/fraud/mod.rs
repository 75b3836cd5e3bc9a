//! Frauds: found by whoever has the blob, proven by at most three of its cells, judged by the chain.
//!
//! - [`check`](check()): a batch against its header and state; the first [`Fraud`], if there is one.
//! - [`prove`](prove()): the cells and the evidence that show it.
//! - [`judge`](judge()): what the chain runs: from the header, the cells and the evidence alone to a [`Verdict`].

mod alone;
mod check;
mod check_state;
mod evidence;
mod judge;
mod judge_links;
mod judge_records;
mod prove;

use alloy_primitives::{Address, B256};

pub use check::check;
pub use judge::judge;
pub use prove::{OpenedCell, Proof, prove};

use crate::{page::node::TreeKind, state::EarlierRecord};

/// The kinds of fraud (C33), with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum FraudKind {
    /// A page is not what the header's counts say.
    Malformed = 1,
    /// Records or rows are not strictly sorted, or rows are not contiguous.
    BadOrder = 2,
    /// One (source, id) is there twice.
    DoubleCount = 3,
    /// A running sum, a row or a payer's total is wrong.
    WrongSum = 4,
    /// A row has another rate than its licence.
    WrongTerms = 5,
    /// A node or a root is wrong.
    BadRoot = 6,
    /// A licence did not allow a record.
    InvalidLicense = 7,
    /// A record's time is outside of the period or later than `as_of`.
    OutOfPeriod = 8,
    /// A record of a source with a key has no valid signature.
    ForgedSource = 9,
}

/// A record or a row by its page and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Page of the blob.
    pub page: u32,
    /// Place on the page.
    pub at: u16,
}

/// A statement that convicts a batch. The chapter lists them, with what each opens. Upholds [LAN-63].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fraud {
    /// A page in use does not decode, or what is left over is not zero.
    Page(u32),
    /// The first record or table page does not begin at 0, or the last one does not end at the header's count.
    Ends(u32),
    /// A record or table page does not begin where the one before ends.
    Next(u32),
    /// Entries of a page are not strictly ascending.
    OrderWithin(u32),
    /// The first entry of a page is not after the last one of the page before.
    OrderAcross(u32),
    /// The first row does not begin at record 0, or the last one does not end at the number of records.
    RowEnds(u32),
    /// The first row of a page does not begin where the last one of the page before ends.
    RowNext(u32),
    /// Two records of one source with one id.
    Twice(Place, Place),
    /// A record that an earlier batch has.
    Earlier(Place, Box<EarlierRecord>),
    /// The first record or table page has a running sum that is not 0.
    SumStart(u32),
    /// A page's running sum is not the one of the page before and its entries.
    SumNext(u32),
    /// A row covers a record of another payer or licence.
    RowRecord {
        /// The row.
        row: Place,
        /// The record.
        record: Place,
    },
    /// A row's revenue is not that of its records.
    RowRevenue {
        /// The row.
        row: Place,
        /// Page of its first record.
        first: u32,
        /// Page of its last.
        last: u32,
    },
    /// A row has another payer than the header's first rows say.
    PayerRow(Place),
    /// A payer's total is not what its rows can owe.
    PayerTotal {
        /// Place among the header's payers.
        payer: u16,
        /// Page of its first row.
        first: u32,
        /// Page of its last.
        last: u32,
    },
    /// A row's royaltyBps is not the licence's.
    Terms(Place),
    /// A node is not what its children or its leaf's content give.
    Node {
        /// Of which tree.
        tree: TreeKind,
        /// Levels above the leaves.
        level: u8,
        /// Place on the level.
        index: u32,
        /// For a row's leaf: the page that has the row.
        content: Option<u32>,
    },
    /// The top node is not the header's root.
    Root(TreeKind),
    /// A licence did not allow a record.
    Licence(Place),
    /// A record's time.
    Time(Place),
    /// A record without a valid signature under a key. With no key: a record of a source that its payer's consent does not admit.
    Source(Place, Vec<u8>),
}

/// What contract state still has to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing.
    None,
    /// That `stateAt(licence, time, asOf)` did not allow it.
    Licence {
        /// The licence.
        licence: B256,
        /// The record's time.
        time: u64,
    },
    /// That the licence's royaltyBps at the period's start, or its first, was another.
    Terms {
        /// The licence.
        licence: B256,
        /// The period's start.
        time: u64,
        /// What the row says.
        royalty_bps: u16,
    },
    /// That the key registered for a source hashes to this.
    Source {
        /// The source.
        source: B256,
        /// Whose it is.
        payer: Address,
        /// keccak256 of the key.
        key: B256,
    },
    /// That a batch was accepted before this one and is not void.
    Earlier {
        /// keccak256 of its header.
        batch: B256,
    },
}

/// A fraud that is proven, but for what contract state has to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its kind.
    pub kind: FraudKind,
    /// What is left to confirm.
    pub check: Check,
}

/// Why evidence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFraud {
    /// No such kind.
    #[error("there is no such kind of fraud")]
    Kind,
    /// The evidence is not that of a statement of this kind.
    #[error("the evidence is malformed")]
    Evidence,
    /// Not the cells that the statement is about.
    #[error("the cells are not those that the statement needs, each once, in the order of their pages")]
    Cells,
    /// A page that the statement relies on does not decode: that is a fraud of its own.
    #[error("a page that the statement relies on does not decode")]
    Undecodable,
    /// An entry that is not there.
    #[error("the statement is about an entry that is not there")]
    Place,
    /// What was shown is right.
    #[error("what was shown is right")]
    Right,
    /// The earlier batch is another lane's, or not before this one in the same period.
    #[error("the earlier batch is another lane's, or not before this one in the same period")]
    EarlierBatch,
    /// The page is not under the earlier batch's root.
    #[error("the page is not under the earlier batch's root")]
    EarlierPage,
}

impl NoFraud {
    /// Its number in consensus. Upholds [LAN-61].
    pub const fn number(self) -> u8 {
        match self {
            Self::Kind => 1,
            Self::Evidence => 2,
            Self::Cells => 3,
            Self::Undecodable => 4,
            Self::Place => 5,
            Self::Right => 6,
            Self::EarlierBatch => 7,
            Self::EarlierPage => 8,
        }
    }
}

impl FraudKind {
    /// The kind with a number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Malformed,
            2 => Self::BadOrder,
            3 => Self::DoubleCount,
            4 => Self::WrongSum,
            5 => Self::WrongTerms,
            6 => Self::BadRoot,
            7 => Self::InvalidLicense,
            8 => Self::OutOfPeriod,
            9 => Self::ForgedSource,
            _ => return None,
        })
    }
}

impl Fraud {
    /// Its kind.
    pub const fn kind(&self) -> FraudKind {
        match self {
            Self::Page(_) | Self::Ends(_) | Self::Next(_) => FraudKind::Malformed,
            Self::OrderWithin(_) | Self::OrderAcross(_) | Self::RowEnds(_) | Self::RowNext(_) => {
                FraudKind::BadOrder
            }
            Self::Twice(..) | Self::Earlier(..) => FraudKind::DoubleCount,
            Self::SumStart(_)
            | Self::SumNext(_)
            | Self::RowRecord { .. }
            | Self::RowRevenue { .. }
            | Self::PayerRow(_)
            | Self::PayerTotal { .. } => FraudKind::WrongSum,
            Self::Terms(_) => FraudKind::WrongTerms,
            Self::Node { .. } | Self::Root(_) => FraudKind::BadRoot,
            Self::Licence(_) => FraudKind::InvalidLicense,
            Self::Time(_) => FraudKind::OutOfPeriod,
            Self::Source(..) => FraudKind::ForgedSource,
        }
    }
}

#[cfg(test)]
mod tests;
