//! Who signs.

use alloy_primitives::Address;
use chlom_crypto::AccountKey;

/// Who signs a transaction.
#[derive(Debug)]
pub enum Signer {
    /// This process, with a key from a file.
    Key(AccountKey),
    /// The node, with an account that it holds (`chlom dev`).
    Unlocked(Address),
}

impl Signer {
    /// The account.
    pub fn address(&self) -> Address {
        match self {
            Self::Key(key) => key.address(),
            Self::Unlocked(address) => *address,
        }
    }
}
