//! A refusal of the ledger in memory, as the bytes that the contract reverts with.

use alloy_primitives::{B256, U256, aliases::U96};
use alloy_sol_types::SolError;
use chlom_royalty::{LedgerError, TreeError};

use crate::{bindings::Royalties as R, twin::SOURCE};

fn wide(amount: impl TryInto<u128>) -> U256 {
    U256::from(amount.try_into().unwrap_or_else(|_| panic!("more than 128 bits")))
}

fn narrow(amount: u128) -> U96 {
    U96::from(amount)
}

/// `split` and `is_tree` say what the route's split is.
pub(crate) fn revert_of(error: &LedgerError, split: B256, is_tree: bool) -> Vec<u8> {
    use LedgerError as L;
    match *error {
        L::TokenNotEnabled(token) => R::TokenNotEnabled { token }.abi_encode(),
        L::AmountZero => R::AmountZero {}.abi_encode(),
        L::AmountTooLarge(e) => R::AmountTooLarge { amount: wide(e.amount), most: wide(e.most) }.abi_encode(),
        L::Unfunded { payer, missing } => R::Unfunded { payer, missing: wide(missing) }.abi_encode(),
        L::ReservationShort { batch, payer, reserved, needed } => {
            R::ReservationShort { batch, payer, reserved: wide(reserved), needed: wide(needed) }.abi_encode()
        }
        L::AlreadySettled { batch, payer, licence } => {
            R::AlreadySettled { batch, payer, licence }.abi_encode()
        }
        L::NothingDue { licence, payee } => R::NothingDue { licence, payee }.abi_encode(),
        L::RouteUnsettled(licence) => R::RouteUnsettled { licence, settler: SOURCE }.abi_encode(),
        L::RouteUnknown(route) => R::RouteUnknown { route }.abi_encode(),
        L::LeavesUnclaimed { claimed, leaves } => {
            R::LeavesUnclaimed { claimed: wide(claimed), leaves: wide(leaves) }.abi_encode()
        }
        L::HoldUnknown(id) => R::HoldUnknown { holdId: wide(id) }.abi_encode(),
        L::HoldReleasedAlready(id) => R::HoldReleasedAlready { holdId: wide(id) }.abi_encode(),
        L::HoldInForce(id) => R::HoldInForce { holdId: wide(id) }.abi_encode(),
        L::TooManyHolds { licence, most } => {
            R::TooManyHolds { licence, most: wide(most as u128) }.abi_encode()
        }
        L::LicenceInactive(licence) => R::LicenceInactive { licence }.abi_encode(),
        L::LicenseUnknown(id) => R::LicenseUnknown { id }.abi_encode(),
        L::PeriodMalformed(e) => R::PeriodMalformed { period: e.0 }.abi_encode(),
        L::PeriodNotBegun { period, start } => R::PeriodNotBegun { period, start }.abi_encode(),
        L::RouteInForce { licence, route } => R::RouteInForce { licence, route }.abi_encode(),
        L::RouteTooRecent { last_period, until } => {
            R::RouteTooRecent { lastPeriod: last_period, until }.abi_encode()
        }
        L::SplitIndex { index, payees } => {
            R::SplitIndex { splitHash: split, index: wide(index), payees: wide(payees as u128) }.abi_encode()
        }
        L::SplitKind { .. } => {
            R::SplitKind { splitHash: split, kind: if is_tree { 2 } else { 1 } }.abi_encode()
        }
        L::Leaf(e) => revert_of_leaf(&e, split),
        ref other => panic!("nothing here leads to {other}"),
    }
}

fn revert_of_leaf(error: &TreeError, split: B256) -> Vec<u8> {
    match *error {
        TreeError::LeafNotInTree => R::LeafNotInTree { splitHash: split }.abi_encode(),
        TreeError::LeafRange { start, weight, denom } => {
            R::LeafRange { start: narrow(start), weight: narrow(weight), denom: narrow(denom) }.abi_encode()
        }
        TreeError::ProofTooLong { given, most } => {
            R::ProofTooLong { given: wide(given as u128), most: wide(most as u128) }.abi_encode()
        }
        TreeError::SplitLengths { siblings, sums } => {
            R::SplitLengths { payees: wide(siblings as u128), weights: wide(sums as u128) }.abi_encode()
        }
        ref other => panic!("nothing here leads to {other}"),
    }
}
