//! Withdrawals: payees pull what the floor of all that a route kept owes them, less what they took.

use alloy_primitives::{Address, B256};

use super::{AccountId, Captured, Ledger, RouteKey, account_id};
use crate::{
    Leaf, LeafProof, LedgerError, Registry, Split, SplitVector, hold::Part, receipt::Receipt,
    split::entitlement, tree::verify_leaf,
};

/// An entry of a vector's route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Which account.
    pub key: RouteKey,
    /// In which token.
    pub token: Address,
    /// Place in the vector.
    pub index: u32,
}

/// What a withdrawal did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Whose.
    pub payee: Address,
    /// The route.
    pub route: B256,
    /// What left the ledger.
    pub amount: u128,
    /// What holds kept back.
    pub captured: Vec<Captured>,
}

/// Of a tree's account: which weight and how many leaves have taken at `kept`, and what all have taken ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) kept: u128,
    pub(super) weight: u128,
    pub(super) leaves: u32,
    pub(super) taken: u128,
}

impl Ledger {
    /// Pays a payee of a vector what is due.
    ///
    /// # Errors
    /// [`LedgerError`]: a route that was never paid, no such split or entry, nothing due.
    pub fn withdraw(&mut self, payout: &Payout, registry: &impl Registry) -> Result<Withdrawn, LedgerError> {
        let Payout { key, token, .. } = payout;
        let (part, due) = self.due(payout, registry)?;
        let (payee, licence) = (part.payee, key.licence);
        if due == 0 {
            return Err(LedgerError::NothingDue { licence, payee });
        }
        self.take((account_id(*token, key), payout.index.into()), due);
        let (amount, captured) = self.pay(*token, licence, &part, due);
        Ok(Withdrawn { payee, route: key.route(), amount, captured })
    }

    /// Pays a leaf of a sum tree what is due: once for each amount kept, also when that brings nothing, since closing needs
    /// every leaf at the last one.
    ///
    /// # Errors
    /// [`LedgerError`]: a route that was never paid, no such split, a leaf that does not verify, one that claimed already.
    pub fn withdraw_leaf(
        &mut self,
        token: Address,
        key: &RouteKey,
        leaf: &Leaf,
        proof: &LeafProof,
        registry: &impl Registry,
    ) -> Result<Withdrawn, LedgerError> {
        let id = account_id(token, key);
        let kept = self.kept(&id)?;
        let split = split_of(key, registry)?;
        let Split::Tree { root, denom, .. } = split else {
            return Err(LedgerError::SplitKind { licence: key.licence, version: key.split_version });
        };
        verify_leaf(*root, *denom, leaf, proof)?;
        let Leaf { payee, start, weight } = *leaf;
        if self.claimed_at.get(&(id, start)).copied().unwrap_or(0) == kept {
            return Err(LedgerError::NothingDue { licence: key.licence, payee });
        }
        let all = entitlement(weight, *denom, kept);
        let due = all.saturating_sub(self.taken_of(token, key, start));
        self.claimed_at.insert((id, start), kept);
        self.take((id, start), due);
        self.tally(id, kept, weight, due);
        let held = due > 0 && self.is_held(key.licence, token);
        let weight = if held { self.weight_met(split.hash(), leaf) } else { weight };
        let part = Part { payee, weight, denom: *denom };
        let (amount, captured) = self.pay(token, key.licence, &part, due);
        Ok(Withdrawn { payee, route: key.route(), amount, captured })
    }

    /// What a payee of a vector would get now, and what holds would keep back.
    ///
    /// # Errors
    /// [`LedgerError`]: a route that was never paid, no such split or entry.
    pub fn withdrawable(
        &self,
        payout: &Payout,
        registry: &impl Registry,
    ) -> Result<(u128, u128), LedgerError> {
        let (part, due) = self.due(payout, registry)?;
        let left = self.would_pay(payout.token, payout.key.licence, &part, due);
        Ok((left, due.saturating_sub(left)))
    }

    /// Who is owed what of a vector's route in all (REF §8.1 PayoutReceipt).
    ///
    /// # Errors
    /// [`LedgerError`]: a route that was never paid, no such split, or one that is a tree.
    pub fn payout_receipt(
        &self,
        token: Address,
        key: &RouteKey,
        registry: &impl Registry,
    ) -> Result<Receipt, LedgerError> {
        let kept = self.kept(&account_id(token, key))?;
        Ok(Receipt::new(vector_of(key, registry)?, kept))
    }

    fn kept(&self, id: &AccountId) -> Result<u128, LedgerError> {
        Ok(self.accounts.get(id).ok_or(LedgerError::RouteUnknown(id.1))?.kept())
    }

    fn due(&self, payout: &Payout, registry: &impl Registry) -> Result<(Part, u128), LedgerError> {
        let Payout { key, token, index } = payout;
        let kept = self.kept(&account_id(*token, key))?;
        let vector = vector_of(key, registry)?;
        let share = usize::try_from(*index).ok().and_then(|i| vector.shares().get(i));
        let share = share.ok_or(LedgerError::SplitIndex { index: *index, payees: vector.shares().len() })?;
        let part = Part { payee: share.payee, weight: share.weight, denom: vector.denom() };
        let all = entitlement(part.weight, part.denom, kept);
        Ok((part, all.saturating_sub(self.taken_of(*token, key, (*index).into()))))
    }

    fn take(&mut self, place: (AccountId, u128), due: u128) {
        let taken = self.taken.entry(place).or_default();
        *taken = taken.saturating_add(due);
    }

    /// Leaves are disjoint and each counts once at one amount kept, so their weights reach the denominator exactly when all
    /// have claimed.
    fn tally(&mut self, id: AccountId, kept: u128, weight: u128, due: u128) {
        let tally = self.tallies.entry(id).or_default();
        if tally.kept != kept {
            *tally = Tally { kept, taken: tally.taken, ..Tally::default() };
        }
        tally.weight = tally.weight.saturating_add(weight);
        tally.leaves = tally.leaves.saturating_add(1);
        tally.taken = tally.taken.saturating_add(due);
    }
}

pub(super) fn split_of<'a>(key: &RouteKey, registry: &'a impl Registry) -> Result<&'a Split, LedgerError> {
    let RouteKey { licence, split_version: version, .. } = *key;
    registry.split_of(licence, version).ok_or(LedgerError::SplitUnknown { licence, version })
}

fn vector_of<'a>(key: &RouteKey, registry: &'a impl Registry) -> Result<&'a SplitVector, LedgerError> {
    match split_of(key, registry)? {
        Split::Vector(vector) => Ok(vector),
        Split::Tree { .. } => {
            Err(LedgerError::SplitKind { licence: key.licence, version: key.split_version })
        }
    }
}
