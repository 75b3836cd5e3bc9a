//! What a system module offers, and all of a chain's modules.

use std::{collections::BTreeMap, fmt, sync::Arc};

use alloy_primitives::{Address, Bytes};

use crate::{context::ModuleContext, error::ModuleError};

/// A system module. It holds no state of its own beside what genesis fixes: everything else is in its account's storage.
pub trait SystemModule: fmt::Debug + Send + Sync {
    /// Its reserved address.
    fn address(&self) -> Address;

    /// Its name, as in ARCHITECTURE §3.
    fn name(&self) -> &'static str;

    /// Whether the function with this selector takes value. The adapter refuses value for all others.
    fn is_payable(&self, selector: [u8; 4]) -> bool {
        let _ = selector;
        false
    }

    /// Answers a call from a transaction or a contract with ABI-encoded return data.
    ///
    /// # Errors
    /// See [`ModuleError`]; whatever was written is undone then.
    fn call(&self, ctx: &mut dyn ModuleContext, input: &[u8]) -> Result<Bytes, ModuleError>;

    /// What happens unasked before the first transaction of a block.
    ///
    /// # Errors
    /// Any error is a broken invariant here and halts the node.
    fn begin_block(&self, ctx: &mut dyn ModuleContext) -> Result<(), ModuleError> {
        let _ = ctx;
        Ok(())
    }

    /// What happens unasked after the last transaction of a block.
    ///
    /// # Errors
    /// Any error is a broken invariant here and halts the node.
    fn end_block(&self, ctx: &mut dyn ModuleContext) -> Result<(), ModuleError> {
        let _ = ctx;
        Ok(())
    }
}

/// Two modules at one address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("modules {first} and {second} are both at {address}")]
pub struct DuplicateModule {
    /// The address.
    pub address: Address,
    /// Name of the module that was there.
    pub first: &'static str,
    /// Name of the module that came second.
    pub second: &'static str,
}

/// All modules of a chain, ordered by address; block hooks run in this order. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ModuleSet(Arc<BTreeMap<Address, Arc<dyn SystemModule>>>);

impl ModuleSet {
    /// Takes modules in any order.
    ///
    /// # Errors
    /// When two have one address.
    pub fn new(modules: impl IntoIterator<Item = Arc<dyn SystemModule>>) -> Result<Self, DuplicateModule> {
        let mut set: BTreeMap<Address, Arc<dyn SystemModule>> = BTreeMap::new();
        for module in modules {
            let (address, second) = (module.address(), module.name());
            if let Some(first) = set.insert(address, module) {
                return Err(DuplicateModule { address, first: first.name(), second });
            }
        }
        Ok(Self(Arc::new(set)))
    }

    /// No modules: plain Ethereum.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The module at an address.
    pub fn get(&self, address: &Address) -> Option<&Arc<dyn SystemModule>> {
        self.0.get(address)
    }

    /// All modules, by address.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn SystemModule>> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct At(u8, &'static str);

    impl SystemModule for At {
        fn address(&self) -> Address {
            Address::with_last_byte(self.0)
        }
        fn name(&self) -> &'static str {
            self.1
        }
        fn call(&self, _: &mut dyn ModuleContext, _: &[u8]) -> Result<Bytes, ModuleError> {
            Ok(Bytes::new())
        }
    }

    #[test]
    fn modules_are_ordered_by_address_and_unique() {
        let set =
            ModuleSet::new([Arc::new(At(9, "b")) as Arc<dyn SystemModule>, Arc::new(At(3, "a"))]).unwrap();
        assert_eq!(set.iter().map(|m| m.name()).collect::<Vec<_>>(), ["a", "b"]);
        let twice = ModuleSet::new([Arc::new(At(9, "b")) as Arc<dyn SystemModule>, Arc::new(At(9, "c"))]);
        let address = Address::with_last_byte(9);
        assert_eq!(twice.unwrap_err(), DuplicateModule { address, first: "b", second: "c" });
    }
}
