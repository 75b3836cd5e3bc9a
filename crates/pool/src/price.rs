//! What a transaction offers per gas.

use alloy_primitives::U256;

/// The two caps of EIP-1559, wei per gas; a legacy gas price is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    /// Most that is paid in all.
    pub(crate) fee_cap: u128,
    /// Most that the proposer gets.
    pub(crate) tip_cap: u128,
}

impl Price {
    /// What the proposer gets at `base_fee`; `None` when the fee cap is below it.
    pub(crate) fn tip(&self, base_fee: u64) -> Option<u128> {
        self.fee_cap.checked_sub(u128::from(base_fee)).map(|room| room.min(self.tip_cap))
    }

    /// True when this may take the place of `old`: both caps are higher, by `percent` at least.
    pub(crate) fn outbids(&self, old: &Self, percent: u64) -> bool {
        let enough = |new: u128, old: u128| {
            let bumped = U256::from(old) * U256::from(100u128 + u128::from(percent)) / U256::from(100);
            new > old && U256::from(new) >= bumped
        };
        enough(self.fee_cap, old.fee_cap) && enough(self.tip_cap, old.tip_cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tip_is_what_the_base_fee_leaves() {
        let price = Price { fee_cap: 100, tip_cap: 7 };
        assert_eq!(price.tip(0), Some(7));
        assert_eq!(price.tip(93), Some(7));
        assert_eq!(price.tip(95), Some(5));
        assert_eq!(price.tip(100), Some(0));
        assert_eq!(price.tip(101), None);
    }

    #[test]
    fn a_replacement_raises_both_caps_by_the_percentage_and_by_a_wei_at_least() {
        let old = Price { fee_cap: 100, tip_cap: 10 };
        let outbids = |fee_cap, tip_cap| Price { fee_cap, tip_cap }.outbids(&old, 10);
        assert!(outbids(110, 11));
        assert!(!outbids(109, 11) && !outbids(110, 10) && !outbids(1_000, 10) && !outbids(100, 1_000));
        let free = Price { fee_cap: 0, tip_cap: 0 };
        assert!(!free.outbids(&free, 10) && Price { fee_cap: 1, tip_cap: 1 }.outbids(&free, 10));
        let most = Price { fee_cap: u128::MAX, tip_cap: u128::MAX };
        assert!(!most.outbids(&most, u64::MAX));
    }
}
