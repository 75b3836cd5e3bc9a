//! One ECDSA signature on secp256k1, checked as Ethereum checks it.

use alloy_primitives::{Address, B256, Signature, U256, keccak256, uint};
use secp256k1::{
    Message, SECP256K1,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// Order of the curve's group (SEC 2, section 2.4.1).
const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

/// Largest `s` that EIP-2 allows: half the order, rounded down. Above it lies the mirror image of a valid signature.
const HALF_ORDER: U256 = uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// Why a signature names no signer. The text before the colon is the one that Ethereum's clients share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `r` is zero or not below the order of the curve.
    #[error("invalid transaction v, r, s values: r {r:#x} is outside of the curve's order")]
    R {
        /// The value found.
        r: U256,
    },
    /// `s` is zero or above half the order of the curve (EIP-2).
    #[error("invalid transaction v, r, s values: s {s:#x} is zero or above half of the curve's order")]
    S {
        /// The value found.
        s: U256,
    },
    /// The parity of an authorization's `y` is neither 0 nor 1 (EIP-7702 lets any byte be encoded).
    #[error("invalid transaction v, r, s values: 'yParity' field must be 0 or 1, it is {parity}")]
    Parity {
        /// The value found.
        parity: u8,
    },
    /// The numbers are in range, and no public key makes them a signature of this message.
    #[error("invalid transaction v, r, s values: no public key fits")]
    NoKey,
}

/// The address whose key made `signature` over `hash`. Refuses what EIP-2 and the Yellow Paper (appendix F) refuse: `r`
/// outside of 1..n, `s` outside of 1..=n/2.
///
/// # Errors
/// See [`SignatureError`].
pub fn recover_signer(signature: &Signature, hash: B256) -> Result<Address, SignatureError> {
    let (r, s) = (signature.r(), signature.s());
    if r.is_zero() || r >= ORDER {
        return Err(SignatureError::R { r });
    }
    if s.is_zero() || s > HALF_ORDER {
        return Err(SignatureError::S { s });
    }
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(&r.to_be_bytes::<32>());
    compact[32..].copy_from_slice(&s.to_be_bytes::<32>());
    // Recovery ids 2 and 3 mean r + n, which Ethereum has no way to write: one bit of parity is all.
    let id = if signature.v() { RecoveryId::One } else { RecoveryId::Zero };
    let recoverable = RecoverableSignature::from_compact(&compact, id).map_err(|_| SignatureError::NoKey)?;
    let key = SECP256K1
        .recover_ecdsa(Message::from_digest(hash.0), &recoverable)
        .map_err(|_| SignatureError::NoKey)?;
    Ok(address_of(&key))
}

/// The last 20 bytes of keccak256 of the uncompressed point (Yellow Paper, appendix F).
pub(crate) fn address_of(key: &secp256k1::PublicKey) -> Address {
    Address::from_slice(&keccak256(&key.serialize_uncompressed()[1..])[12..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountKey;
    use proptest::prelude::*;

    fn signed() -> (Signature, B256, Address) {
        let key = AccountKey::from_bytes([7; 32]).unwrap();
        let hash = keccak256(b"a licence");
        (key.sign_hash(hash), hash, key.address())
    }

    #[test]
    fn eip_2_the_mirror_image_of_a_signature_is_refused() {
        let (good, hash, address) = signed();
        assert_eq!(recover_signer(&good, hash), Ok(address));
        let high = ORDER - good.s();
        let mirrored = Signature::new(good.r(), high, !good.v());
        assert_eq!(recover_signer(&mirrored, hash), Err(SignatureError::S { s: high }));
        for s in [HALF_ORDER + U256::from(1), ORDER - U256::from(1), ORDER, U256::MAX, U256::ZERO] {
            let bad = Signature::new(good.r(), s, good.v());
            assert_eq!(recover_signer(&bad, hash), Err(SignatureError::S { s }));
        }
        let edge = Signature::new(good.r(), HALF_ORDER, good.v());
        assert!(!matches!(recover_signer(&edge, hash), Err(SignatureError::S { .. })));
    }

    #[test]
    fn r_outside_of_the_order_is_refused() {
        let (good, hash, _) = signed();
        for r in [U256::ZERO, ORDER, ORDER + U256::from(1), U256::MAX] {
            let bad = Signature::new(r, good.s(), good.v());
            assert_eq!(recover_signer(&bad, hash), Err(SignatureError::R { r }));
        }
    }

    #[test]
    fn an_r_that_is_no_coordinate_of_the_curve_names_nobody() {
        // 5 is the smallest r for which r³ + 7 is not a square modulo the field's prime.
        let bad = Signature::new(U256::from(5), U256::from(1), false);
        assert_eq!(recover_signer(&bad, B256::repeat_byte(1)), Err(SignatureError::NoKey));
    }

    #[test]
    fn the_wrong_parity_names_somebody_else() {
        let (good, hash, address) = signed();
        let flipped = Signature::new(good.r(), good.s(), !good.v());
        assert_ne!(recover_signer(&flipped, hash), Ok(address));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_a_key_signs_recovers_to_its_address(seed in 1u128.., message in any::<[u8; 32]>()) {
            let mut bytes = [0; 32];
            bytes[16..].copy_from_slice(&seed.to_be_bytes());
            let key = AccountKey::from_bytes(bytes).unwrap();
            let hash = B256::from(message);
            prop_assert_eq!(recover_signer(&key.sign_hash(hash), hash), Ok(key.address()));
            let other = keccak256(message);
            prop_assert_ne!(recover_signer(&key.sign_hash(hash), other), Ok(key.address()));
        }

        #[test]
        fn arbitrary_numbers_never_panic(r in any::<[u8; 32]>(), s in any::<[u8; 32]>(), v: bool, hash: [u8; 32]) {
            let signature = Signature::new(U256::from_be_bytes(r), U256::from_be_bytes(s), v);
            let _ = recover_signer(&signature, B256::from(hash));
        }
    }
}
