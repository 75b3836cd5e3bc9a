//! Split vectors: up to 512 payees, whose weights sum to the denominator (I1).

use alloy_primitives::{Address, B256, keccak256};

use crate::{
    AmountTooLarge, SplitError,
    amount::{MAX_U96, mul_div, packed_u96},
};

/// The most payees of a vector; more need a sum tree.
pub const MAX_PAYEES: usize = 512;

/// A payee and its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Who is paid.
    pub payee: Address,
    /// Its part of the denominator.
    pub weight: u128,
}

/// A split in full, in its one canonical form: payees ascend strictly.
///
/// # Examples
/// ```
/// use alloy_primitives::Address;
/// use chlom_royalty::{Share, SplitVector};
///
/// let [a, b] = [1, 2].map(Address::with_last_byte);
/// let split = SplitVector::canonical([Share { payee: b, weight: 2 }, Share { payee: a, weight: 1 }], 3)?;
/// assert_eq!(split.entitlements(100).collect::<Vec<_>>(), [33, 66]);
/// assert_eq!(split.residual(100), 1);
/// # Ok::<(), chlom_royalty::SplitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitVector {
    shares: Vec<Share>,
    denom: u128,
}

impl SplitVector {
    /// Takes shares in canonical order.
    ///
    /// # Errors
    /// [`SplitError`]: the first rule broken, in the order of the payees.
    pub fn new(shares: Vec<Share>, denom: u128) -> Result<Self, SplitError> {
        if denom > MAX_U96 {
            return Err(AmountTooLarge { amount: denom, most: MAX_U96 }.into());
        }
        if shares.is_empty() {
            return Err(SplitError::SplitEmpty);
        }
        if shares.len() > MAX_PAYEES {
            return Err(SplitError::SplitTooLarge { payees: shares.len(), most: MAX_PAYEES });
        }
        let mut sum = 0u128;
        let mut before = Address::ZERO;
        for (index, share) in shares.iter().enumerate() {
            if share.payee.is_zero() {
                return Err(SplitError::SplitPayeeZero { index });
            }
            if share.weight == 0 {
                return Err(SplitError::SplitWeightZero { index });
            }
            if share.payee <= before {
                return Err(SplitError::SplitOrder { index, before, given: share.payee });
            }
            before = share.payee;
            sum = sum.saturating_add(share.weight);
        }
        if sum != denom {
            return Err(SplitError::SplitSum { sum, denom });
        }
        Ok(Self { shares, denom })
    }

    /// Sorts the shares first.
    ///
    /// # Errors
    /// As [`Self::new`]; somebody named twice is a [`SplitError::SplitOrder`].
    pub fn canonical(shares: impl IntoIterator<Item = Share>, denom: u128) -> Result<Self, SplitError> {
        let mut shares: Vec<_> = shares.into_iter().collect();
        shares.sort_unstable();
        Self::new(shares, denom)
    }

    /// The shares, payees ascending.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// What the weights sum to.
    pub const fn denom(&self) -> u128 {
        self.denom
    }

    /// keccak256 of `"CHLOM_SPLIT_V1" ‖ denom ‖ (payee ‖ weight)…`: uint96, then 20 and 12 bytes an entry.
    pub fn hash(&self) -> B256 {
        let mut bytes = b"CHLOM_SPLIT_V1".to_vec();
        bytes.extend(packed_u96(self.denom));
        for share in &self.shares {
            bytes.extend(share.payee);
            bytes.extend(packed_u96(share.weight));
        }
        keccak256(bytes)
    }

    /// What each payee is owed in all of `kept`, in order.
    pub fn entitlements(&self, kept: u128) -> impl Iterator<Item = u128> + '_ {
        self.shares.iter().map(move |share| entitlement(share.weight, self.denom, kept))
    }

    /// What flooring leaves of `kept`: at most one less than there are payees (T12).
    pub fn residual(&self, kept: u128) -> u128 {
        kept.saturating_sub(self.entitlements(kept).fold(0, u128::saturating_add))
    }
}

/// `⌊weight·kept/denom⌋`: what a weight is owed in all. Zero of a zero denominator, which no split has.
pub fn entitlement(weight: u128, denom: u128, kept: u128) -> u128 {
    mul_div(weight, kept, denom).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(payee: u8, weight: u128) -> Share {
        Share { payee: Address::with_last_byte(payee), weight }
    }

    #[test]
    fn i1_weights_sum_to_the_denominator_or_the_vector_is_refused() {
        let refused = |sum, denom| Err(SplitError::SplitSum { sum, denom });
        assert_eq!(SplitVector::new(vec![share(1, 1), share(2, 2)], 4), refused(3, 4));
        assert_eq!(SplitVector::new(vec![share(1, u128::MAX), share(2, 2)], 4), refused(u128::MAX, 4));
        assert!(SplitVector::new(vec![share(1, 1), share(2, 3)], 4).is_ok());
        assert!(SplitVector::new(vec![share(1, MAX_U96)], MAX_U96).is_ok());
    }

    #[test]
    fn zero_and_duplicate_payees_and_weights_of_nothing_are_refused_by_place() {
        let new = |shares: &[Share]| SplitVector::new(shares.to_vec(), 10);
        assert_eq!(new(&[]), Err(SplitError::SplitEmpty));
        assert_eq!(new(&[share(1, 4), share(0, 6)]), Err(SplitError::SplitPayeeZero { index: 1 }));
        assert_eq!(new(&[share(1, 0), share(2, 10)]), Err(SplitError::SplitWeightZero { index: 0 }));
        let [before, given] = [2, 1].map(Address::with_last_byte);
        assert_eq!(new(&[share(2, 4), share(1, 6)]), Err(SplitError::SplitOrder { index: 1, before, given }));
        assert_eq!(
            new(&[share(2, 4), share(2, 6)]),
            Err(SplitError::SplitOrder { index: 1, before, given: before })
        );
    }

    #[test]
    fn a_vector_of_513_payees_is_refused_and_one_of_512_is_not() {
        let shares = |n: u128| {
            let of = |i| Share {
                payee: Address::from_word(B256::left_padding_from(&u128::to_be_bytes(i))),
                weight: 1,
            };
            (1..=n).map(of).collect::<Vec<_>>()
        };
        assert!(SplitVector::new(shares(512), 512).is_ok());
        let refused = SplitError::SplitTooLarge { payees: 513, most: 512 };
        assert_eq!(SplitVector::new(shares(513), 513), Err(refused));
    }

    #[test]
    fn any_order_of_the_shares_has_one_canonical_form_and_hash() {
        let sorted = SplitVector::new(vec![share(1, 1), share(2, 2), share(3, 4)], 7).unwrap();
        let other = SplitVector::canonical([share(3, 4), share(1, 1), share(2, 2)], 7).unwrap();
        assert_eq!(sorted, other);
        assert_eq!(sorted.hash(), other.hash());
        let moved = SplitVector::new(vec![share(1, 2), share(2, 1), share(3, 4)], 7).unwrap();
        assert_ne!(sorted.hash(), moved.hash());
    }
}
