//! Ed25519 keys of validators, as CometBFT has them.

use std::fmt;

use alloy_primitives::{Address, B256};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A validator's public key: 32 bytes that are the canonical encoding of a point outside of the small subgroup. It
/// orders by its bytes and reads as 0x-prefixed hex in genesis files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "B256", into = "B256")]
pub struct ConsensusKey(B256);

/// Why 32 bytes are no consensus key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsensusKeyError {
    /// Not the encoding of a point of the curve, or not the canonical one (a second name for the same key).
    #[error("{0} does not canonically encode a point of edwards25519")]
    NotAPoint(B256),
    /// A point of small order: anybody can make signatures that verify under it.
    #[error("{0} is a point of small order")]
    SmallOrder(B256),
}

impl ConsensusKey {
    /// Checks 32 bytes and takes them.
    ///
    /// # Errors
    /// See [`ConsensusKeyError`].
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, ConsensusKeyError> {
        let named = B256::from(bytes);
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| ConsensusKeyError::NotAPoint(named))?;
        if key.to_edwards().compress().to_bytes() != bytes {
            return Err(ConsensusKeyError::NotAPoint(named));
        }
        if key.is_weak() {
            return Err(ConsensusKeyError::SmallOrder(named));
        }
        Ok(Self(named))
    }

    /// The key's bytes, as CometBFT writes them.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.0
    }

    /// CometBFT's address of the validator: the first 20 bytes of SHA-256 of the key. It is no account: nothing can be
    /// sent to it.
    pub fn address(&self) -> Address {
        Address::from_slice(&Sha256::digest(self.0)[..20])
    }

    /// True when `signature` is this key's over `message`, by the rules of ZIP-215 as CometBFT has them: every signature that
    /// CometBFT accepts is accepted here, or a few faulty validators could sign votes that count there and not in a block.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_consensus::Signature::from(*signature);
        ed25519_consensus::VerificationKey::try_from(self.0.0)
            .is_ok_and(|key| key.verify(&signature, message).is_ok())
    }
}

impl TryFrom<B256> for ConsensusKey {
    type Error = ConsensusKeyError;

    fn try_from(bytes: B256) -> Result<Self, ConsensusKeyError> {
        Self::from_bytes(bytes.0)
    }
}

impl From<ConsensusKey> for B256 {
    fn from(key: ConsensusKey) -> Self {
        key.0
    }
}

impl fmt::Display for ConsensusKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ConsensusKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConsensusKey({})", self.0)
    }
}

/// A validator's secret key. Never prints itself and is erased when dropped.
#[derive(Clone)]
pub struct ValidatorKey(SigningKey);

impl ValidatorKey {
    /// The key that RFC 8032 derives from a seed. Whoever makes a new key brings 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    pub fn consensus_key(&self) -> ConsensusKey {
        // A clamped scalar is a multiple of the cofactor and below the order, so its point is never of small order.
        ConsensusKey(B256::from(self.0.verifying_key().to_bytes()))
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// The seed itself, for a caller that stores the key on purpose.
    pub fn expose_seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for ValidatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValidatorKey").field(&self.consensus_key()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{b256, hex};
    use proptest::prelude::*;

    /// RFC 8032, section 7.1, test 2.
    const SEED: B256 = b256!("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    const PUBLIC: B256 = b256!("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    const SIGNATURE: [u8; 64] = hex!(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
         387b2eaeb4302aeeb00d291612bb0c00"
    );

    #[test]
    fn rfc_8032_test_2_signs_and_verifies() {
        let key = ValidatorKey::from_seed(&SEED.0);
        assert_eq!(B256::from(key.consensus_key()), PUBLIC);
        assert_eq!(key.sign(&[0x72]), SIGNATURE);
        assert!(key.consensus_key().verify(&[0x72], &SIGNATURE));
        assert!(!key.consensus_key().verify(&[0x73], &SIGNATURE));
    }

    #[test]
    fn the_address_is_the_head_of_the_keys_sha_256() {
        let address = ValidatorKey::from_seed(&SEED.0).consensus_key().address();
        // `printf … | xxd -r -p | sha256sum` of the public key above.
        assert_eq!(address.as_slice(), hex!("39f713d0a644253f04529421b9f51b9b08979d08"));
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let shown = format!("{:?}", ValidatorKey::from_seed(&SEED.0));
        assert!(!shown.contains("4ccd") && shown.contains("3d4017"), "{shown}");
    }

    #[test]
    fn points_of_small_order_and_second_encodings_are_no_keys() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(
            ConsensusKey::from_bytes(identity),
            Err(ConsensusKeyError::SmallOrder(B256::from(identity)))
        );
        // y = p + 3 encodes the same point as y = 3.
        let mut second = [0xff; 32];
        (second[0], second[31]) = (0xf0, 0x7f);
        assert!(matches!(ConsensusKey::from_bytes(second), Err(ConsensusKeyError::NotAPoint(_))));
        // y = 2 is on no point of the curve.
        let mut off = [0; 32];
        off[0] = 2;
        assert!(matches!(ConsensusKey::from_bytes(off), Err(ConsensusKeyError::NotAPoint(_))));
    }

    #[test]
    fn a_signature_with_its_scalar_plus_the_order_is_refused() {
        let order = hex!("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let (mut malleated, mut carry) = (SIGNATURE, 0u16);
        for (byte, add) in malleated[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert_ne!(malleated, SIGNATURE);
        assert!(!ConsensusKey::from_bytes(PUBLIC.0).unwrap().verify(&[0x72], &malleated));
    }

    #[test]
    fn genesis_reads_a_key_as_hex_and_refuses_a_bad_one() {
        let key = ValidatorKey::from_seed(&SEED.0).consensus_key();
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(text, format!("\"{PUBLIC}\""));
        assert_eq!(serde_json::from_str::<ConsensusKey>(&text).unwrap(), key);
        let weak = format!("\"0x01{}\"", "00".repeat(31));
        assert!(serde_json::from_str::<ConsensusKey>(&weak).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_seed_gives_a_key_that_checks_and_verifies(seed: [u8; 32], message: Vec<u8>, bit in 0usize..512) {
            let key = ValidatorKey::from_seed(&seed);
            let public = key.consensus_key();
            prop_assert_eq!(ConsensusKey::from_bytes(public.to_bytes()), Ok(public));
            let mut signature = key.sign(&message);
            prop_assert!(public.verify(&message, &signature));
            signature[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!public.verify(&message, &signature));
        }
    }
}
