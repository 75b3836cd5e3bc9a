//! Keys of sources. A key is a scheme's byte and the scheme's public key; a signature is 64 bytes.

use alloy_primitives::B256;

/// secp256k1: a compressed point follows; the signature is r ‖ s with s at most half of the order.
pub const SECP256K1: u8 = 1;
/// Ed25519: 32 bytes follow; signatures are judged as ZIP-215 does.
pub const ED25519: u8 = 2;
/// P-256: a compressed point follows; the signature is r ‖ s, either s.
pub const P256: u8 = 3;

/// Whether `signature` over `digest` is the key's. Bytes that are no key have no signatures. Upholds [LAN-9].
pub fn is_signed_by(key: &[u8], digest: &B256, signature: &[u8; 64]) -> bool {
    match key.split_first() {
        Some((&SECP256K1, key)) => secp256k1(key, digest, signature),
        Some((&ED25519, key)) => ed25519(key, digest, signature),
        Some((&P256, key)) => p256(key, digest, signature),
        _ => false,
    }
}

fn secp256k1(key: &[u8], digest: &B256, signature: &[u8; 64]) -> bool {
    use secp256k1::{Message, PublicKey, SECP256K1, ecdsa::Signature};
    let key = <[u8; 33]>::try_from(key).ok().and_then(|key| PublicKey::from_byte_array_compressed(key).ok());
    let (Some(key), Ok(signature)) = (key, Signature::from_compact(signature)) else { return false };
    // The library refuses a high s.
    SECP256K1.verify_ecdsa(Message::from_digest(digest.0), &signature, &key).is_ok()
}

fn ed25519(key: &[u8], digest: &B256, signature: &[u8; 64]) -> bool {
    use ed25519_consensus::{Signature, VerificationKey};
    let key = <[u8; 32]>::try_from(key).ok().and_then(|key| VerificationKey::try_from(key).ok());
    key.is_some_and(|key| key.verify(&Signature::from(*signature), digest.as_slice()).is_ok())
}

fn p256(key: &[u8], digest: &B256, signature: &[u8; 64]) -> bool {
    use p256::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
    if key.len() != 33 {
        return false;
    }
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(key), Signature::from_slice(signature))
    else {
        return false;
    };
    key.verify_prehash(digest.as_slice(), &signature).is_ok()
}
