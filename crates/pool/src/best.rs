//! The order in which a block builder takes transactions.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    sync::Arc,
};

use alloy_primitives::Address;
use chlom_primitives::Tx;

use crate::{pool::Pool, table::Table};

/// Pending transactions, highest effective tip first, then first come; those of one account in the order of its nonces.
/// An account whose first transaction does not pay the base fee is left out.
///
/// It begins from the accounts that had pending transactions when it was made, which is all that it copies, and yields
/// no more transactions than were pending then. It reads each one when it comes to it: a transaction that left the pool
/// meanwhile is not yielded, and neither are its successors.
pub struct Best {
    pool: Pool,
    base_fee: u64,
    ready: BinaryHeap<Candidate>,
    /// Transactions that may still be yielded.
    left: usize,
    /// The one yielded last, whose successor is not in `ready` yet.
    last: Option<(Address, u64)>,
    skipped: HashSet<Address>,
}

/// The next transaction of one account. The greatest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    tip: u128,
    arrival: Reverse<u64>,
    address: Address,
    nonce: u64,
}

impl Best {
    pub(crate) fn new(pool: Pool, base_fee: u64) -> Self {
        let (ready, left): (Vec<_>, _) = {
            let table = pool.table().read();
            let candidate = |head: &crate::table::Head| {
                let tip = head.price.tip(base_fee)?;
                Some(Candidate { tip, arrival: Reverse(head.id), address: head.address, nonce: head.nonce })
            };
            (table.heads().iter().filter_map(candidate).collect(), table.status().pending)
        };
        // The heap is built without the lock.
        Self { pool, base_fee, ready: ready.into(), left, last: None, skipped: HashSet::new() }
    }

    /// Leaves out what is left of an account, because its transaction did not fit or was not valid. The pool reads the
    /// account anew with the next block.
    pub fn skip_sender(&mut self, address: Address) {
        if self.skipped.insert(address) {
            self.pool.table().write().suspect(address);
        }
    }

    /// Offers the successor of the transaction yielded last.
    fn follow(&mut self, table: &Table) {
        let Some((address, nonce)) = self.last.take() else { return };
        let next = nonce + 1;
        let Some(entry) = table.pending(&address, next) else { return };
        if let Some(tip) = entry.price.tip(self.base_fee) {
            self.ready.push(Candidate { tip, arrival: Reverse(entry.id), address, nonce: next });
        }
    }
}

impl Iterator for Best {
    type Item = Arc<Tx>;

    fn next(&mut self) -> Option<Arc<Tx>> {
        self.left = self.left.checked_sub(1)?;
        let pool = self.pool.clone();
        let table = pool.table().read();
        self.follow(&table);
        while let Some(Candidate { address, nonce, .. }) = self.ready.pop() {
            if self.skipped.contains(&address) {
                continue;
            }
            if let Some(entry) = table.pending(&address, nonce) {
                self.last = Some((address, nonce));
                return Some(entry.tx.clone());
            }
        }
        None
    }
}
