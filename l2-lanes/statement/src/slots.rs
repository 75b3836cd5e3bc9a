//! Where the contracts keep what a statement asks for (`contracts/snapshots/*.storage`), and what those words say.
//!
//! A mapping's value is at keccak256(key ‖ place of the mapping).

use std::{cell::RefCell, collections::BTreeMap};

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::Decodable;
use chlom_lane::LaneId;
use chlom_primitives::address::{LICENSE_REGISTRY, PAYOUT_PROOFS, ROYALTY_LEDGER, SPLIT_REGISTRY};
use chlom_royalty::{Account, Accrual, Fee};
use chlom_state::Account as StateAccount;

use crate::{
    fault::{Fault, What},
    trie::Nodes,
};

/// A contract and one of its slots.
pub type Slot = (Address, U256);

/// Places of RoyaltyLedger's mappings.
mod ledger {
    pub(super) const TOKENS: u64 = 0;
    pub(super) const SETTLED: u64 = 3;
    pub(super) const ACCRUALS: u64 = 4;
    pub(super) const ACCOUNTS: u64 = 5;
    pub(super) const GENERATIONS: u64 = 6;
    pub(super) const TAKEN: u64 = 7;
    pub(super) const LEAVES: u64 = 8;
}
/// SplitRegistry's edges: the rate is in the second word.
const EDGES: u64 = 0;
/// LicenseRegistry's records, and within one the hashes of its splits.
const RECORDS: u64 = 0;
const SPLIT_HASHES: u64 = 7;
/// PayoutProofs' batches, and within one the hash of the claim.
const BATCHES: u64 = 0;
const CLAIM_HASH: u64 = 2;

fn words(parts: &[B256]) -> B256 {
    keccak256(parts.concat())
}

fn mapped(key: B256, place: U256) -> U256 {
    words(&[key, place.into()]).into()
}

fn of_ledger(key: B256, place: u64) -> Slot {
    (ROYALTY_LEDGER, mapped(key, U256::from(place)))
}

/// A lane's id as `bytes20` becomes a word: on the left.
pub(crate) fn lane_word(lane: &LaneId) -> B256 {
    B256::right_padding_from(lane.as_slice())
}

/// Decimals of a token, as the ledger has them.
pub fn token(token: Address) -> Slot {
    of_ledger(token.into_word(), ledger::TOKENS)
}

/// What a lane settled of a licence in a period.
pub fn accrual(token: Address, licence: B256, lane: &LaneId, period: u32) -> Slot {
    let key = [token.into_word(), licence, lane_word(lane), U256::from(period).into()];
    of_ledger(words(&key), ledger::ACCRUALS)
}

/// How often a route was closed.
pub fn generations(token: Address, route: B256) -> Slot {
    of_ledger(words(&[token.into_word(), route]), ledger::GENERATIONS)
}

/// A route's account. Upholds [ROY-16].
pub fn account(token: Address, route: B256, generation: u32) -> Slot {
    of_ledger(account_key(token, route, generation), ledger::ACCOUNTS)
}

fn account_key(token: Address, route: B256, generation: u32) -> B256 {
    words(&[token.into_word(), route, U256::from(generation).into()])
}

/// What a payee of a vector has taken of an account, by its place in the vector.
pub fn taken(token: Address, route: B256, generation: u32, index: usize) -> Slot {
    let key = [account_key(token, route, generation), U256::from(index).into()];
    of_ledger(words(&key), ledger::TAKEN)
}

/// What a leaf of a tree has taken of an account, by its first weight.
pub fn leaf(token: Address, route: B256, generation: u32, start: u128) -> Slot {
    let key = [account_key(token, route, generation), U256::from(start).into()];
    of_ledger(words(&key), ledger::LEAVES)
}

/// Whether a row settled.
pub fn settled(batch: B256, payer: Address, licence: B256) -> Slot {
    of_ledger(words(&[batch, payer.into_word(), licence]), ledger::SETTLED)
}

/// What passes up from a licence.
pub fn edge(licence: B256) -> Slot {
    let base = mapped(licence, U256::from(EDGES));
    (SPLIT_REGISTRY, base.wrapping_add(U256::ONE))
}

/// A version of a licence's split.
pub fn split(licence: B256, version: u32) -> Slot {
    let record = mapped(licence, U256::from(RECORDS));
    let hashes = record.wrapping_add(U256::from(SPLIT_HASHES));
    (LICENSE_REGISTRY, mapped(U256::from(version).into(), hashes))
}

/// The hash of a batch's claim.
pub fn claim(batch: B256) -> Slot {
    let record = mapped(batch, U256::from(BATCHES));
    (PAYOUT_PROOFS, record.wrapping_add(U256::from(CLAIM_HASH)))
}

/// The state under a root, as far as some nodes prove it.
pub(crate) struct State<'a> {
    root: B256,
    nodes: &'a Nodes,
    storage_roots: RefCell<BTreeMap<Address, B256>>,
}

fn bits(word: U256, from: usize, count: usize) -> u128 {
    let mask = if count == 128 { u128::MAX } else { (1u128 << count).wrapping_sub(1) };
    let low: U256 = word.wrapping_shr(from) & U256::from(mask);
    low.saturating_to()
}

impl<'a> State<'a> {
    pub(crate) fn new(root: B256, nodes: &'a Nodes) -> Self {
        Self { root, nodes, storage_roots: RefCell::default() }
    }

    /// The word in a slot. Upholds [STM-10].
    fn word(&self, (contract, slot): Slot) -> Result<U256, Fault> {
        let what = What::Slot(contract, slot);
        let root = self.storage_root(contract)?;
        let Some(value) = self.nodes.get(root, B256::from(slot).as_slice(), what)? else {
            return Ok(U256::ZERO);
        };
        whole(&value).ok_or(Fault::NodeMalformed { what, node: root })
    }

    fn storage_root(&self, contract: Address) -> Result<B256, Fault> {
        if let Some(root) = self.storage_roots.borrow().get(&contract) {
            return Ok(*root);
        }
        let what = What::Account(contract);
        let value = self.nodes.get(self.root, contract.as_slice(), what)?;
        let value = value.ok_or(Fault::NoContract(contract))?;
        let account: StateAccount = whole(&value).ok_or(Fault::NodeMalformed { what, node: self.root })?;
        self.storage_roots.borrow_mut().insert(contract, account.storage_root);
        Ok(account.storage_root)
    }

    pub(crate) fn decimals(&self, of: Address) -> Result<u8, Fault> {
        Ok(u8::try_from(bits(self.word(token(of))?, 216, 8)).unwrap_or(u8::MAX))
    }

    /// `None` where nothing was settled.
    pub(crate) fn accrual(
        &self,
        token: Address,
        licence: B256,
        lane: &LaneId,
        period: u32,
    ) -> Result<Option<Accrual>, Fault> {
        let word = self.word(accrual(token, licence, lane, period))?;
        let (revenue, cap, bps, fee_bps) =
            (bits(word, 0, 128), bits(word, 128, 96), bits(word, 224, 16), bits(word, 240, 16));
        if fee_bps == 0 {
            return Ok(None);
        }
        let impossible = |why: String| Fault::evidence(format!("the accrual of licence {licence}"), why);
        let fee = Fee::new(fee_bps, cap).map_err(|error| impossible(error.to_string()))?;
        if u128::from(fee.bps()) != fee_bps {
            return Err(impossible(format!("a fee of {fee_bps} basis points")));
        }
        let bps = u16::try_from(bps).unwrap_or(u16::MAX);
        let mut found = Accrual::new(bps, fee).map_err(|error| impossible(error.to_string()))?;
        found.add(revenue).map_err(|error| impossible(error.to_string()))?;
        Ok(Some(found))
    }

    pub(crate) fn generations(&self, token: Address, route: B256) -> Result<u32, Fault> {
        Ok(u32::try_from(bits(self.word(generations(token, route))?, 0, 16)).unwrap_or(u32::MAX))
    }

    pub(crate) fn account(&self, token: Address, route: B256, generation: u32) -> Result<Account, Fault> {
        let word = self.word(account(token, route, generation))?;
        // The highest bit says that the account is closed.
        let period = u32::try_from(bits(word, 224, 31)).unwrap_or(u32::MAX);
        Ok(Account::of(bits(word, 0, 112), bits(word, 112, 112), period))
    }

    /// What was taken under a slot of [`taken`] or [`leaf`].
    pub(crate) fn taken(&self, slot: Slot) -> Result<u128, Fault> {
        Ok(bits(self.word(slot)?, 0, 112))
    }

    pub(crate) fn is_settled(&self, batch: B256, payer: Address, licence: B256) -> Result<bool, Fault> {
        Ok(!self.word(settled(batch, payer, licence))?.is_zero())
    }

    /// Numerator and denominator; a licence without one above has no denominator.
    pub(crate) fn rate(&self, licence: B256) -> Result<(u64, u64), Fault> {
        let word = self.word(edge(licence))?;
        let part = |from| u64::try_from(bits(word, from, 64)).unwrap_or(u64::MAX);
        Ok((part(64), part(0)))
    }

    pub(crate) fn split(&self, licence: B256, version: u32) -> Result<B256, Fault> {
        Ok(self.word(split(licence, version))?.into())
    }

    pub(crate) fn claim(&self, batch: B256) -> Result<B256, Fault> {
        Ok(self.word(claim(batch))?.into())
    }
}

fn whole<T: Decodable>(bytes: &[u8]) -> Option<T> {
    let mut rest = bytes;
    let value = T::decode(&mut rest).ok()?;
    rest.is_empty().then_some(value)
}
