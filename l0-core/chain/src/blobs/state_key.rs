//! Where everything lies in the storage of `0x…1003`, in Solidity's terms:
//!
//! ```solidity
//! struct Terms { uint64 retentionSeconds; uint64 targetRows; uint64 maxRowsPerBlock; uint64 maxRows; }
//! struct Price { uint128 minFeePerRow; uint64 updateFraction; }
//! struct Market { uint64 height; uint64 excess; uint64 used; }
//! Terms terms;                                 // slot 0
//! Price price;                                 // slot 1
//! Market market;                               // slot 2
//! mapping(bytes32 id => Blob) blobs;           // slot 3
//! struct Blob {
//!     bytes20 laneId; uint32 period; uint16 rows;                                      // right-aligned: lane lowest
//!     bytes32 merkleRoot;
//!     bytes32 commitmentHead; bytes16 commitmentTail;                                  // 48 bytes
//!     uint64 announcedAt; uint64 availableAt; uint64 expiresAt; uint64 pendingExpiry;
//!     uint64 round; uint64 power;                                                      // the attestation under way
//!     mapping(uint64 round => mapping(bytes32 consensusKey => bool)) attested;
//! }
//! ```

use alloy_primitives::{B256, FixedBytes, U256};
use chlom_module::{Layout, Mapping, Slot, Word};

/// What genesis fixes about blobs.
pub const TERMS: Slot<Terms> = Slot::new(0);

/// What genesis fixes about their price.
pub const PRICE: Slot<Price> = Slot::new(1);

/// The fee market.
pub const MARKET: Slot<Market> = Slot::new(2);

/// All blobs.
pub const BLOBS: Mapping<B256, BlobSlots> = Mapping::new(3);

/// Parameters of blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Seconds that a published blob is kept.
    pub retention_seconds: u64,
    /// Rows of data a height at which the price stands still.
    pub target_rows: u64,
    /// Most rows of data that one height publishes.
    pub max_rows_per_block: u64,
    /// Most rows of data of one blob; a power of two.
    pub max_rows: u64,
}

impl Word for Terms {
    fn to_word(&self) -> U256 {
        U256::from_limbs([self.retention_seconds, self.target_rows, self.max_rows_per_block, self.max_rows])
    }

    fn from_word(word: U256) -> Option<Self> {
        let [retention_seconds, target_rows, max_rows_per_block, max_rows] = word.into_limbs();
        Some(Self { retention_seconds, target_rows, max_rows_per_block, max_rows })
    }
}

/// Parameters of the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Wei a row when there is no excess.
    pub min_fee_per_row: u128,
    /// Rows of excess that multiply the price by e.
    pub update_fraction: u64,
}

impl Word for Price {
    fn to_word(&self) -> U256 {
        U256::from(self.min_fee_per_row) | (U256::from(self.update_fraction) << 128)
    }

    fn from_word(word: U256) -> Option<Self> {
        let [low, high, update_fraction, rest] = word.into_limbs();
        let min_fee_per_row = (u128::from(high) << 64) | u128::from(low);
        (rest == 0).then_some(Self { min_fee_per_row, update_fraction })
    }
}

/// The market as the last publication left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Market {
    /// Height of that publication.
    pub height: u64,
    /// Rows beyond the target, summed over the heights before it.
    pub excess: u64,
    /// Rows published at that height.
    pub used: u64,
}

impl Word for Market {
    fn to_word(&self) -> U256 {
        U256::from_limbs([self.height, self.excess, self.used, 0])
    }

    fn from_word(word: U256) -> Option<Self> {
        let [height, excess, used, rest] = word.into_limbs();
        (rest == 0).then_some(Self { height, excess, used })
    }
}

/// A blob's slots.
#[derive(Clone, Copy, Debug)]
pub struct BlobSlots {
    /// Lane, period, rows.
    pub facts: Slot<Facts>,
    /// Root over the rows' commitments.
    pub merkle_root: Slot<B256>,
    /// First 32 bytes of the folded commitment.
    pub commitment_head: Slot<B256>,
    /// Its last 16 bytes, big-endian.
    pub commitment_tail: Slot<u128>,
    /// Heights and expiries.
    pub times: Slot<Times>,
    /// The attestation under way.
    pub tally: Slot<Tally>,
    /// Who has attested, by round.
    pub attested: Mapping<u64, Mapping<B256, Slot<bool>>>,
}

impl Layout for BlobSlots {
    const SLOTS: u64 = 7;

    fn at(slot: U256) -> Self {
        let field = |index: u64| slot.wrapping_add(U256::from(index));
        Self {
            facts: Slot::at(field(0)),
            merkle_root: Slot::at(field(1)),
            commitment_head: Slot::at(field(2)),
            commitment_tail: Slot::at(field(3)),
            times: Slot::at(field(4)),
            tally: Slot::at(field(5)),
            attested: Mapping::at(field(6)),
        }
    }
}

/// What a blob is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// First 20 bytes of the keccak256 of the lane's name.
    pub lane_id: FixedBytes<20>,
    /// yyyy·10⁴ + mm·10² + w for lanes (C16); whatever the publisher says otherwise.
    pub period: u32,
    /// Rows of data.
    pub rows: u16,
}

impl Word for Facts {
    fn to_word(&self) -> U256 {
        U256::from_be_slice(self.lane_id.as_slice())
            | (U256::from(self.period) << 160)
            | (U256::from(self.rows) << 192)
    }

    fn from_word(word: U256) -> Option<Self> {
        let bytes = word.to_be_bytes::<32>();
        let lane_id = FixedBytes::from_slice(bytes.get(12..)?);
        let period = u32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
        let rows = u16::from_be_bytes(bytes.get(6..8)?.try_into().ok()?);
        (word >> 208_usize).is_zero().then_some(Self { lane_id, period, rows })
    }
}

/// Heights and expiries, 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Height of the last publication.
    pub announced_at: u64,
    /// Height at which it last became available.
    pub available_at: u64,
    /// Second until which it is kept, as attested.
    pub expires_at: u64,
    /// Second until which it is kept once the last publication is attested.
    pub pending_expiry: u64,
}

impl Word for Times {
    fn to_word(&self) -> U256 {
        U256::from_limbs([self.announced_at, self.available_at, self.expires_at, self.pending_expiry])
    }

    fn from_word(word: U256) -> Option<Self> {
        let [announced_at, available_at, expires_at, pending_expiry] = word.into_limbs();
        Some(Self { announced_at, available_at, expires_at, pending_expiry })
    }
}

/// The attestation under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// One more with every publication; statements of earlier rounds do not count.
    pub round: u64,
    /// Power of those who have attested in this round, each with its power then.
    pub power: u64,
}

impl Word for Tally {
    fn to_word(&self) -> U256 {
        U256::from_limbs([self.round, self.power, 0, 0])
    }

    fn from_word(word: U256) -> Option<Self> {
        let [round, power, a, b] = word.into_limbs();
        (a == 0 && b == 0).then_some(Self { round, power })
    }
}
