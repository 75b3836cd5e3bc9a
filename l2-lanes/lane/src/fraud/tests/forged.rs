//! Sources with keys: a receipt of theirs counts as they signed it or not at all.

use alloy_primitives::B256;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use proptest::prelude::*;

use super::*;
use crate::{
    Receipt,
    receipt::{Body, ED25519, P256, ReceiptId, SECP256K1, is_signed_by},
};

/// A key of each scheme.
enum Signer {
    Secp256k1(secp256k1::SecretKey),
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl Signer {
    fn all() -> [Self; 3] {
        [
            Self::Secp256k1(secp256k1::SecretKey::from_byte_array([3; 32]).unwrap()),
            Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[4; 32])),
            Self::P256(p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap()),
        ]
    }

    fn key(&self) -> Vec<u8> {
        match self {
            Self::Secp256k1(secret) => {
                let key = secret.public_key(secp256k1::SECP256K1).serialize();
                [&[SECP256K1][..], &key].concat()
            }
            Self::Ed25519(secret) => [&[ED25519][..], secret.verifying_key().as_bytes()].concat(),
            Self::P256(secret) => {
                let point = secret.verifying_key().to_encoded_point(true);
                [&[P256][..], point.as_bytes()].concat()
            }
        }
    }

    fn sign(&self, digest: B256) -> [u8; 64] {
        match self {
            Self::Secp256k1(secret) => {
                let message = secp256k1::Message::from_digest(digest.0);
                secp256k1::SECP256K1.sign_ecdsa(message, secret).serialize_compact()
            }
            Self::Ed25519(secret) => ed25519_dalek::Signer::sign(secret, digest.as_slice()).to_bytes(),
            Self::P256(secret) => {
                let signature: p256::ecdsa::Signature = secret.sign_prehash(digest.as_slice()).unwrap();
                signature.to_bytes().into()
            }
        }
    }
}

fn signed(signer: &Signer, mut receipt: Receipt) -> Receipt {
    receipt.signature = Some(signer.sign(receipt.digest(&testing::LANE)));
    receipt
}

fn with_key(signer: &Signer) -> (Receipt, MemoryState) {
    let receipt = testing::receipt(0, 1, "AD-000001", 500);
    let mut state = MemoryState::open();
    state.keys.insert(testing::source_of(&receipt), signer.key());
    (receipt, state)
}

#[test]
fn lan_9_a_signature_is_its_keys_and_no_others() {
    for signer in Signer::all() {
        let (digest, other) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let (key, signature) = (signer.key(), signer.sign(digest));
        assert!(is_signed_by(&key, &digest, &signature));
        assert!(!is_signed_by(&key, &other, &signature));
        assert!(!is_signed_by(&key, &digest, &[0; 64]));
        assert!(!is_signed_by(&key, &digest, &[0xff; 64]));
        for bad in [&[][..], &key[..1], &key[1..], &[&key[..], &[0]].concat(), &[9; 34], &[1; 34], &[0; 33]] {
            assert!(!is_signed_by(bad, &digest, &signature));
        }
        for another in Signer::all() {
            let same = another.key() == key;
            assert_eq!(is_signed_by(&another.key(), &digest, &signature), same);
        }
    }
}

#[test]
fn lan_9_a_high_s_is_refused_on_secp256k1_and_accepted_on_p256() {
    let mirrored = |signature: &[u8; 64], order: alloy_primitives::U256| {
        let s = alloy_primitives::U256::from_be_slice(&signature[32..]);
        let mut out = *signature;
        out[32..].copy_from_slice(&(order - s).to_be_bytes::<32>());
        out
    };
    let orders = [
        alloy_primitives::uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256),
        alloy_primitives::uint!(0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551_U256),
    ];
    let [secp256k1, _, p256] = Signer::all();
    for (signer, order, accepted) in [(secp256k1, orders[0], false), (p256, orders[1], true)] {
        let digest = B256::repeat_byte(1);
        let signature = signer.sign(digest);
        assert!(is_signed_by(&signer.key(), &digest, &signature));
        assert_eq!(is_signed_by(&signer.key(), &digest, &mirrored(&signature, order)), accepted);
    }
}

#[test]
fn lan_75_an_unsigned_receipt_of_a_source_with_a_key_is_forged() {
    for signer in Signer::all() {
        let (receipt, state) = with_key(&signer);
        let unsigned = testing::batch(1, vec![receipt.clone()], &state);
        assert!(matches!(convicted(&unsigned, &state), Fraud::Source(..)));
        // Without a key nobody asks for a signature.
        assert_eq!(unsigned.check(&MemoryState::open()), None);
        let right = testing::batch(1, vec![signed(&signer, receipt)], &state);
        assert_eq!(right.check(&state), None);
        let place = Place { page: 0, at: 0 };
        assert_eq!(right.convict(&Fraud::Source(place, signer.key())), Err(NoFraud::Right));
    }
}

#[test]
fn lan_75_a_key_that_is_none_has_no_signatures() {
    let signer = &Signer::all()[0];
    let (receipt, mut state) = with_key(signer);
    state.keys.insert(testing::source_of(&receipt), vec![SECP256K1, 1, 2, 3]);
    let batch = testing::batch(1, vec![signed(signer, receipt)], &state);
    assert!(matches!(convicted(&batch, &state), Fraud::Source(..)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a submitter changes of a signed receipt, and however well the rest of the batch agrees.
    #[test]
    fn lan_8_a_signature_is_over_every_field(scheme in 0usize..3, field in 0u8..6) {
        let signer = &Signer::all()[scheme];
        let (receipt, mut state) = with_key(signer);
        let mut changed = signed(signer, receipt);
        match field {
            0 => changed.payer = testing::payer(1),
            1 => changed.licence = testing::licence(2),
            2 => changed.source = testing::name("shop2"),
            3 => changed.id = ReceiptId::new("AD-000002").unwrap(),
            4 => changed.time += 1,
            _ => changed.body = Body::AdConversion { campaign: testing::name("CAMP-1"), value: 501 },
        }
        state.keys.insert(testing::source_of(&changed), signer.key());
        let batch = testing::batch(1, vec![changed], &state);
        prop_assert!(matches!(convicted(&batch, &state), Fraud::Source(..)));
    }
}

#[test]
fn lan_8_each_way_of_laying_out_a_body_has_a_digest_of_its_own() {
    let mut digests: Vec<_> = testing::one_of_each()
        .into_iter()
        .map(|receipt| {
            let plain = Receipt { body: receipt.body, ..testing::receipt(0, 1, "AD-1", 0) };
            plain.digest(&testing::LANE)
        })
        .collect();
    let mut other = testing::receipt(0, 1, "AD-1", 1);
    other.body = Body::View { title: testing::name("CAMP-1"), views: 1, value: 1 };
    digests.extend([other.digest(&testing::LANE), testing::receipt(0, 1, "AD-1", 1).digest(&testing::LANE)]);
    digests.push(testing::receipt(0, 1, "AD-1", 1).digest(&testing::payer(0)));
    let all = digests.len();
    digests.sort_unstable();
    digests.dedup();
    // Each body is there twice, signed and not: the signature is no part of what is signed.
    assert_eq!(digests.len(), all - 7);
}
