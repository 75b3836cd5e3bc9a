//! Acknowledged transactions on disk.
//!
//! The journal is one file. It begins with a header that names the chain and carries a random salt. Groups follow, each
//! written by one write and one `fdatasync`; a group begins with the salt, its number and a checksum ([`format`]).
//!
//! *What a crash leaves*: all groups whose `fdatasync` returned, because a group is written only after the one before it
//! is on disk; then at most a part of one more, which nobody was told of. So a broken group that nothing follows is cut
//! off. A broken group with another behind it cannot come from a crash: the disk or somebody damaged what was
//! acknowledged, and the pool refuses to open rather than lose it in silence. The salt, which is in no transaction, makes
//! the beginning of that other group recognisable.
//!
//! *How it stays small*: when it is much longer than what waits, whoever commits next writes what waits to a new file
//! and renames it over the old one. A journal whose write failed is mended in the same way, because nothing may follow a
//! part of a group ([`commit`]).
//!
//! Transactions that blocks included are not marked: on opening, the state tells them apart.

mod commit;
mod disk;
mod error;
mod format;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, hash_map::Entry};

use alloy_primitives::{B256, Bytes};
use chlom_primitives::Tx;

pub(crate) use commit::{Journal, Live, Ticket};
#[cfg(test)]
pub(crate) use disk::{Sink, Wrap};
pub use error::{JournalError, JournalFailure};

/// What a journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A transaction was acknowledged: its EIP-2718 bytes.
    Tx(Bytes),
    /// The transaction with this hash was removed on purpose.
    Removed(B256),
}

/// The transactions that a journal leaves, in order, each once, with their senders.
pub(crate) fn replay(records: Vec<Record>) -> Vec<Tx> {
    let raw = |record: &Record| match record {
        Record::Tx(raw) => Some(raw.clone()),
        Record::Removed(_) => None,
    };
    let mut recovered = chlom_crypto::recover_batch(records.iter().filter_map(raw).collect()).into_iter();
    let mut txs: Vec<Option<Tx>> = Vec::new();
    let mut places = HashMap::new();
    for record in &records {
        match record {
            Record::Removed(hash) => {
                if let Some(place) = places.remove(hash) {
                    txs[place] = None;
                }
            }
            Record::Tx(_) => match recovered.next() {
                Some(Ok(tx)) => {
                    if let Entry::Vacant(place) = places.entry(tx.hash()) {
                        place.insert(txs.len());
                        txs.push(Some(tx));
                    }
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "the journal holds a transaction that this version does not take; it is left out");
                }
                None => {}
            },
        }
    }
    txs.into_iter().flatten().collect()
}
