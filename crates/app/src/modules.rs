//! The system modules of the chain, written out. No registry: the list is the protocol.

use std::sync::Arc;

use chlom_chain::staking::Staking;
use chlom_module::ModuleSet;

/// Every module that this version of the protocol has, in the order of their addresses.
pub fn modules() -> ModuleSet {
    ModuleSet::new([Arc::new(Staking) as _]).expect("each module has an address of its own, see the test")
}

#[cfg(test)]
mod tests {
    use chlom_primitives::address::is_reserved;

    #[test]
    fn modules_live_at_reserved_addresses_of_their_own() {
        let set = super::modules();
        assert!(set.iter().count() > 0);
        assert!(set.iter().all(|module| is_reserved(&module.address())));
    }
}
