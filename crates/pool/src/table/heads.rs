//! The first pending transaction of every account, side by side in memory: the block builder copies the list, which
//! keeps the lock short with a hundred thousand accounts too.

use std::collections::HashMap;

use alloy_primitives::Address;

use crate::price::Price;

/// An account's first pending transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) address: Address,
    pub(crate) nonce: u64,
    /// Arrival of the transaction.
    pub(crate) id: u64,
    pub(crate) price: Price,
}

/// The list, in no order, and where each account is in it.
#[derive(Default)]
pub(crate) struct Heads {
    list: Vec<Head>,
    place: HashMap<Address, usize>,
}

impl Heads {
    pub(crate) fn all(&self) -> &[Head] {
        &self.list
    }

    pub(crate) fn set(&mut self, head: Head) {
        match self.place.get(&head.address) {
            Some(place) => self.list[*place] = head,
            None => {
                self.place.insert(head.address, self.list.len());
                self.list.push(head);
            }
        }
    }

    pub(crate) fn unset(&mut self, address: &Address) {
        let Some(place) = self.place.remove(address) else { return };
        self.list.swap_remove(place);
        if let Some(moved) = self.list.get(place) {
            self.place.insert(moved.address, place);
        }
    }
}
