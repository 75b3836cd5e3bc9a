//! Where everything lies in the storage of `0x…1010`, in Solidity's terms:
//!
//! ```solidity
//! uint64 previous; uint64 current; uint64 next; uint64 afterNext;  // slot 0: ids of the sets around the height
//! uint64 lastId;                                                   // slot 1: ids begin at 1 and are never used again
//! mapping(uint64 id => Set) sets;                                  // slot 2
//! struct Set {
//!     Validator[] validators;                    // { bytes32 consensusKey; address account; uint64 power }, by key
//!     mapping(address => uint64) positions;      // index in validators, plus one
//!     uint64 totalPower;
//!     bytes32 hash;
//! }
//! ```
//!
//! Sets are stored once and named by id, so a height whose sets equal the last one's writes nothing.

use alloy_primitives::{Address, B256, U256};
use chlom_module::{Array, Layout, Mapping, Slot, Word};

/// Ids of the sets around the current height, in one slot.
pub const WINDOW: Slot<Window> = Slot::new(0);

/// The newest set's id.
pub const LAST_ID: Slot<u64> = Slot::new(1);

/// All sets that the window names.
pub const SETS: Mapping<u64, SetSlots> = Mapping::new(2);

/// Ids of the sets of four consecutive heights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Of the height before.
    pub previous: u64,
    /// Of the height.
    pub current: u64,
    /// Of the next height.
    pub next: u64,
    /// Of the height after the next: what is decided now acts there.
    pub after_next: u64,
}

impl Window {
    /// The same set at all four heights.
    pub fn of(id: u64) -> Self {
        Self { previous: id, current: id, next: id, after_next: id }
    }

    /// One height later.
    pub fn rotated(self) -> Self {
        Self {
            previous: self.current,
            current: self.next,
            next: self.after_next,
            after_next: self.after_next,
        }
    }

    /// Whether a set is at any of the heights.
    pub fn names(&self, id: u64) -> bool {
        [self.previous, self.current, self.next, self.after_next].contains(&id)
    }

    /// The set's id of a height, when the current height is `now`; `None` outside of the window. Upholds [STK-2].
    pub fn at(&self, now: u64, height: u64) -> Option<u64> {
        match i128::from(height) - i128::from(now) {
            -1 => Some(self.previous),
            0 => Some(self.current),
            1 => Some(self.next),
            2 => Some(self.after_next),
            _ => None,
        }
    }
}

impl Word for Window {
    fn to_word(&self) -> U256 {
        U256::from_limbs([self.previous, self.current, self.next, self.after_next])
    }

    fn from_word(word: U256) -> Option<Self> {
        let [previous, current, next, after_next] = word.into_limbs();
        Some(Self { previous, current, next, after_next })
    }
}

/// A set's slots.
#[derive(Clone, Copy, Debug)]
pub struct SetSlots {
    /// The validators, by consensus key.
    pub validators: Array<ValidatorSlots>,
    /// Index plus one, by account.
    pub positions: Mapping<Address, Slot<u64>>,
    /// Sum of all power.
    pub total_power: Slot<u64>,
    /// [`super::ValidatorSet::hash`].
    pub hash: Slot<B256>,
}

impl Layout for SetSlots {
    const SLOTS: u64 = 4;

    fn at(slot: U256) -> Self {
        let field = |index: u64| slot.wrapping_add(U256::from(index));
        Self {
            validators: Array::at(field(0)),
            positions: Mapping::at(field(1)),
            total_power: Slot::at(field(2)),
            hash: Slot::at(field(3)),
        }
    }
}

/// A validator's slots.
#[derive(Clone, Copy, Debug)]
pub struct ValidatorSlots {
    /// Ed25519 public key.
    pub consensus_key: Slot<B256>,
    /// The rest, in one slot.
    pub account_power: Slot<AccountPower>,
}

impl Layout for ValidatorSlots {
    const SLOTS: u64 = 2;

    fn at(slot: U256) -> Self {
        let second = slot.wrapping_add(U256::from(1));
        Self { consensus_key: Slot::at(slot), account_power: Slot::at(second) }
    }
}

/// `address account; uint64 power`, packed from the low bits up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountPower {
    /// The validator's account.
    pub account: Address,
    /// Its power.
    pub power: u64,
}

impl Word for AccountPower {
    fn to_word(&self) -> U256 {
        self.account.to_word() | (U256::from(self.power) << 160)
    }

    fn from_word(word: U256) -> Option<Self> {
        let power = <u64 as Word>::from_word(word >> 160)?;
        let low = word & ((U256::from(1) << 160) - U256::from(1));
        Some(Self { account: <Address as Word>::from_word(low)?, power })
    }
}
