//! The system modules of this build.

use std::sync::Arc;

use chlom_chain::{blobs::DataAvailability, staking::Staking};
use chlom_lane::module::Lane;
use chlom_module::{ModuleSet, SystemModule};

/// All of them. The list is the protocol: a module is one line here.
pub fn system_modules() -> ModuleSet {
    let modules: [Arc<dyn SystemModule>; 3] = [Arc::new(DataAvailability), Arc::new(Staking), Arc::new(Lane)];
    ModuleSet::new(modules).expect("the addresses are constants, and a test builds this list")
}

#[cfg(test)]
mod tests {
    use chlom_primitives::address::is_reserved;

    use super::*;

    #[test]
    fn every_module_has_an_address_of_its_own_in_the_reserved_range() {
        assert!(system_modules().iter().all(|module| is_reserved(&module.address())));
    }
}
