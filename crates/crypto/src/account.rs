//! Secret keys of accounts.

use std::fmt;

use alloy_primitives::{Address, B256, Signature};
use secp256k1::{Message, SECP256K1, SecretKey};

use crate::signature::address_of;

/// The secret key of an account. Never prints itself and is erased when dropped.
#[derive(Clone)]
pub struct AccountKey {
    secret: SecretKey,
    address: Address,
}

/// The bytes are zero or not below the order of the curve, so they are no secret key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these 32 bytes are no secp256k1 secret key: it must be at least 1 and below the curve's order")]
pub struct AccountKeyError;

impl AccountKey {
    /// Takes a key's 32 big-endian bytes.
    ///
    /// # Errors
    /// When they are zero or not below the order of the curve.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, AccountKeyError> {
        let secret = SecretKey::from_byte_array(bytes).map_err(|_| AccountKeyError)?;
        let address = address_of(&secret.public_key(SECP256K1));
        Ok(Self { secret, address })
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs a hash with the nonce of RFC 6979; `s` is low as EIP-2 asks.
    pub fn sign_hash(&self, hash: B256) -> Signature {
        let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.secret);
        let (id, compact) = signature.serialize_compact();
        // Ids 2 and 3 (r overflowed the order) have probability 2^-128 and no Ethereum encoding.
        Signature::from_bytes_and_parity(&compact, i32::from(id) & 1 == 1)
    }

    /// The key itself, for a caller that prints or stores it on purpose.
    pub fn expose_bytes(&self) -> B256 {
        B256::from(self.secret.secret_bytes())
    }
}

impl Drop for AccountKey {
    fn drop(&mut self) {
        self.secret.non_secure_erase();
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountKey").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, b256};

    /// The first key of the mnemonic that Foundry and Hardhat share.
    const KNOWN: B256 = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

    #[test]
    fn the_address_of_a_known_key_is_the_known_one() {
        let key = AccountKey::from_bytes(KNOWN.0).unwrap();
        assert_eq!(key.address(), address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
        assert_eq!(key.expose_bytes(), KNOWN);
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = AccountKey::from_bytes(KNOWN.0).unwrap();
        assert!(!format!("{key:?}").contains("ac0974"));
    }

    #[test]
    fn numbers_that_are_no_key_are_refused() {
        assert_eq!(AccountKey::from_bytes([0; 32]).err(), Some(AccountKeyError));
        assert_eq!(AccountKey::from_bytes([0xff; 32]).err(), Some(AccountKeyError));
    }
}
