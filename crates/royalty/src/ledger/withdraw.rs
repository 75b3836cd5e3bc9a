//! Withdrawals: payees pull what the floor of all that a route kept owes them, less what they took.

use alloy_primitives::{Address, B256};

use super::{Ledger, RouteKey, account_id};
use crate::{
    Leaf, LeafProof, LedgerError, Registry, Split, SplitVector, receipt::Receipt, split::entitlement,
    tree::verify_leaf,
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

/// What a hold captured of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Which hold.
    pub hold: u64,
    /// How much.
    pub amount: u128,
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

/// A payee's claim on an account, checked.
struct Claim {
    payee: Address,
    weight: u128,
    denom: u128,
    place: u128,
}

impl Ledger {
    /// Pays a payee of a vector what is due.
    ///
    /// # Errors
    /// [`LedgerError`]: no such split, entry or money.
    pub fn withdraw(&mut self, payout: &Payout, registry: &impl Registry) -> Result<Withdrawn, LedgerError> {
        let claim = claim(&payout.key, payout.index, registry)?;
        self.pay(payout.token, &payout.key, &claim)
    }

    /// Pays a leaf of a sum tree what is due.
    ///
    /// # Errors
    /// [`LedgerError`]: no such split, a leaf that does not verify, nothing due.
    pub fn withdraw_leaf(
        &mut self,
        token: Address,
        key: &RouteKey,
        leaf: &Leaf,
        proof: &LeafProof,
        registry: &impl Registry,
    ) -> Result<Withdrawn, LedgerError> {
        let Split::Tree { root, denom, .. } = split_of(key, registry)? else {
            return Err(LedgerError::SplitKind { licence: key.licence, version: key.split_version });
        };
        verify_leaf(*root, *denom, leaf, proof)?;
        let claim = Claim { payee: leaf.payee, weight: leaf.weight, denom: *denom, place: leaf.start };
        let withdrawn = self.pay(token, key, &claim)?;
        self.leaves.entry(account_id(token, key)).or_default().insert(leaf.start, leaf.weight);
        Ok(withdrawn)
    }

    /// What a payee of a vector would get now, and what holds would keep back.
    ///
    /// # Errors
    /// [`LedgerError`]: no such split or entry.
    pub fn withdrawable(
        &self,
        payout: &Payout,
        registry: &impl Registry,
    ) -> Result<(u128, u128), LedgerError> {
        let claim = claim(&payout.key, payout.index, registry)?;
        let due = self.due(payout.token, &payout.key, &claim);
        let covers = |(_, hold): &(usize, &crate::hold::Hold)| {
            hold.licence == payout.key.licence && hold.token == payout.token
        };
        let left = self.holds.iter().enumerate().filter(covers).fold(due, |left, (_, hold)| {
            left.saturating_sub(hold.would_capture(claim.payee, claim.weight, claim.denom, left))
        });
        Ok((left, due.saturating_sub(left)))
    }

    /// Who is owed what of a vector's route in all (REF §8.1 PayoutReceipt).
    ///
    /// # Errors
    /// [`LedgerError`]: no such split, or one that is a tree.
    pub fn payout_receipt(
        &self,
        token: Address,
        key: &RouteKey,
        registry: &impl Registry,
    ) -> Result<Receipt, LedgerError> {
        Ok(Receipt::new(vector_of(key, registry)?, self.account_of(token, key).kept()))
    }

    fn due(&self, token: Address, key: &RouteKey, claim: &Claim) -> u128 {
        let owed = entitlement(claim.weight, claim.denom, self.account_of(token, key).kept());
        owed.saturating_sub(self.taken_of(token, key, claim.place))
    }

    fn pay(&mut self, token: Address, key: &RouteKey, claim: &Claim) -> Result<Withdrawn, LedgerError> {
        let due = self.due(token, key, claim);
        if due == 0 {
            return Err(LedgerError::NothingDue { licence: key.licence, payee: claim.payee });
        }
        let captured = self.capture(token, key.licence, claim, due);
        let amount = captured.iter().fold(due, |left, c| left.saturating_sub(c.amount));
        let taken = self.taken.entry((account_id(token, key), claim.place)).or_default();
        *taken = taken.saturating_add(due);
        self.pay_out(token, amount);
        Ok(Withdrawn { payee: claim.payee, route: key.route(), amount, captured })
    }

    /// Holds take their part in the order they were placed.
    fn capture(&mut self, token: Address, licence: B256, claim: &Claim, due: u128) -> Vec<Captured> {
        let (mut left, mut out) = (due, Vec::new());
        for (hold, id) in self.holds.iter_mut().zip(0u64..) {
            if hold.licence == licence && hold.token == token {
                let amount = hold.capture(claim.payee, claim.weight, claim.denom, left);
                if amount > 0 {
                    left = left.saturating_sub(amount);
                    out.push(Captured { hold: id, amount });
                }
            }
        }
        out
    }
}

fn claim(key: &RouteKey, index: u32, registry: &impl Registry) -> Result<Claim, LedgerError> {
    let vector = vector_of(key, registry)?;
    let share = usize::try_from(index).ok().and_then(|i| vector.shares().get(i));
    let share = share.ok_or(LedgerError::SplitIndex { index, payees: vector.shares().len() })?;
    Ok(Claim { payee: share.payee, weight: share.weight, denom: vector.denom(), place: index.into() })
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
