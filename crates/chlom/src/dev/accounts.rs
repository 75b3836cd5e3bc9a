//! The keys of the mnemonic that Foundry and Hardhat users know. They are public, and meant to be.

use alloy_primitives::{Address, B256, keccak256};
use anyhow::{Context, Result, anyhow};
use chlom_crypto::AccountKey;
use coins_bip32::{
    ecdsa::SigningKey,
    xkeys::{Parent, XPriv},
};
use coins_bip39::{English, Mnemonic};

/// The development mnemonic.
const MNEMONIC: &str = "test test test test test test test test test test test junk";

/// One account and its key.
pub(crate) struct DevAccount {
    /// The account.
    pub(crate) address: Address,
    key: AccountKey,
}

impl DevAccount {
    /// The key, for printing: these accounts are public.
    pub(crate) fn private_key(&self) -> B256 {
        self.key.expose_bytes()
    }

    /// r ‖ s ‖ v over a digest, v being 27 or 28.
    pub(crate) fn sign(&self, digest: &B256) -> [u8; 65] {
        self.key.sign_hash(*digest).as_bytes()
    }
}

/// The first `count` accounts at m/44'/60'/0'/0/i.
///
/// # Errors
/// Never for this mnemonic; derivation is fallible by type.
pub(crate) fn derive(count: u32) -> Result<Vec<DevAccount>> {
    // Stretching the mnemonic is the dear part, so that the key above all accounts is derived once.
    let parent = derived("m/44'/60'/0'/0")?;
    let child = |index| parent.derive_child(index).map_err(|e| anyhow!("deriving account {index}: {e}"));
    (0..count).map(|index| account(&child(index)?)).collect()
}

/// Who governs the system contracts of a dev chain: the first account, with or without `--accounts`.
///
/// # Errors
/// As [`derive`].
pub(crate) fn authority() -> Result<Address> {
    Ok(account(&derived("m/44'/60'/0'/0/0")?)?.address)
}

/// The validator's account, apart from the users' so that tips do not move their balances: m/44'/60'/1'/0/0.
///
/// # Errors
/// As [`derive`].
pub(crate) fn validator() -> Result<DevAccount> {
    account(&derived("m/44'/60'/1'/0/0")?)
}

/// Seed of the development validator's Ed25519 key: public like the accounts, so that every `chlom dev` has the same
/// genesis hash.
pub(crate) fn validator_seed() -> B256 {
    keccak256(b"chlom dev validator")
}

fn derived(path: &str) -> Result<XPriv> {
    let mnemonic: Mnemonic<English> =
        Mnemonic::new_from_phrase(MNEMONIC).map_err(|e| anyhow!("mnemonic: {e}"))?;
    mnemonic.derive_key(path, None).map_err(|e| anyhow!("deriving {path}: {e}"))
}

fn account(derived: &XPriv) -> Result<DevAccount> {
    let signing: &SigningKey = derived.as_ref();
    let key = AccountKey::from_bytes(signing.to_bytes().into()).context("derived key out of range")?;
    Ok(DevAccount { address: key.address(), key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::address;

    #[test]
    fn the_accounts_are_those_that_foundry_and_hardhat_print() {
        let accounts = derive(3).expect("derives");
        assert_eq!(accounts[2].address, address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"));
        assert_eq!(accounts[0].address, address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
        assert_eq!(accounts[1].address, address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"));
        assert_eq!(
            accounts[0].private_key().to_string(),
            "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
        );
    }
}
