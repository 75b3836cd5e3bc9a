//! What recovery takes and refuses, by transaction type.

use alloy_consensus::{
    SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip4844Variant, TxEip7702, TxLegacy,
};
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip7702::Authorization,
};
use alloy_primitives::{B256, Signature, TxKind, U256, address, bytes, hex, keccak256};
use proptest::prelude::*;

use super::*;
use crate::AccountKey;

fn key(seed: u8) -> AccountKey {
    AccountKey::from_bytes([seed; 32]).unwrap()
}

fn sign<T: SignableTransaction<Signature>>(tx: T, key: &AccountKey) -> TxEnvelope
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signature = key.sign_hash(tx.signature_hash());
    tx.into_signed(signature).into()
}

fn access_list() -> AccessList {
    AccessList(vec![AccessListItem { address: Address::repeat_byte(3), storage_keys: vec![B256::ZERO] }])
}

fn authorization(key: &AccountKey) -> SignedAuthorization {
    let inner = Authorization { chain_id: U256::from(7272), address: Address::repeat_byte(9), nonce: 4 };
    let signature = key.sign_hash(inner.signature_hash());
    inner.into_signed(signature)
}

/// One of every type that CHLOM takes.
fn every_type(nonce: u64, input: Vec<u8>, key: &AccountKey) -> Vec<TxEnvelope> {
    let to = TxKind::Call(Address::repeat_byte(2));
    let input = Bytes::from(input);
    let legacy = TxLegacy { nonce, to, gas_limit: 21_000, input: input.clone(), ..Default::default() };
    vec![
        sign(legacy.clone(), key),
        sign(TxLegacy { chain_id: Some(7272), ..legacy }, key),
        sign(TxEip2930 { chain_id: 7272, nonce, to, access_list: access_list(), ..Default::default() }, key),
        sign(TxEip1559 { chain_id: 7272, nonce, to, input: input.clone(), ..Default::default() }, key),
        sign(
            TxEip7702 {
                chain_id: 7272,
                nonce,
                input,
                authorization_list: vec![authorization(key)],
                ..Default::default()
            },
            key,
        ),
    ]
}

#[test]
fn eip_155_its_own_example_recovers() {
    // The example of EIP-155: nonce 9, 20 gwei, 21,000 gas, to 0x3535…, 1 ether, chain id 1, key 0x4646….
    let raw = bytes!(
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0\
         28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b\
         3800ccf555c9f3dc64214b297fb1966a3b6d83"
    );
    let tx = recover_tx(raw.clone()).unwrap();
    assert_eq!(tx.sender(), address!("9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"));
    assert_eq!(tx.envelope().chain_id(), Some(1));
    assert_eq!(
        tx.envelope().signature_hash(),
        B256::from(hex!("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"))
    );
    let signed = key(0x46).sign_hash(tx.envelope().signature_hash());
    assert_eq!(&signed, tx.envelope().signature());
    assert_eq!(tx.hash(), keccak256(&raw));
    assert_eq!(tx.raw(), &raw);
}

#[test]
fn eip_155_another_chain_id_in_v_is_another_sender() {
    let good = &every_type(1, vec![], &key(1))[1];
    let TxEnvelope::Legacy(signed) = good else { panic!("the second is legacy") };
    let moved = TxLegacy { chain_id: Some(1), ..signed.tx().clone() };
    let moved: TxEnvelope = moved.into_signed(*signed.signature()).into();
    assert_ne!(recover(&moved), Ok(key(1).address()));
}

#[test]
fn every_type_recovers_from_its_bytes_and_keeps_them() {
    let key = key(5);
    for envelope in every_type(3, vec![0, 1, 2], &key) {
        let raw = Bytes::from(envelope.encoded_2718());
        let tx = recover_tx(raw.clone()).unwrap();
        assert_eq!((tx.sender(), tx.raw(), tx.hash()), (key.address(), &raw, keccak256(&raw)));
        assert_eq!(tx.envelope(), &envelope);
    }
}

#[test]
fn a_blob_transaction_is_refused() {
    let blob = TxEip4844 { chain_id: 7272, blob_versioned_hashes: vec![B256::ZERO], ..Default::default() };
    let signature = key(1).sign_hash(blob.signature_hash());
    let variant: TxEip4844Variant = blob.into();
    let envelope = TxEnvelope::Eip4844(variant.into_signed(signature));
    assert_eq!(recover(&envelope), Err(RecoverError::UnsupportedType { ty: 3 }));
    let raw = envelope.encoded_2718().into();
    assert_eq!(recover_tx(raw).unwrap_err(), RecoverError::Decode(TxDecodeError::UnsupportedType));
}

#[test]
fn a_signature_that_names_nobody_says_so_in_the_words_of_ethereum() {
    let tx = TxEip1559 { chain_id: 7272, ..Default::default() };
    let bad: TxEnvelope = tx.into_signed(Signature::new(U256::ZERO, U256::from(1), false)).into();
    let error = recover_tx(bad.encoded_2718().into()).unwrap_err();
    assert_eq!(error, RecoverError::Signature(SignatureError::R { r: U256::ZERO }));
    assert!(error.to_string().starts_with("invalid sender: invalid transaction v, r, s values"));
}

#[test]
fn a_batch_answers_in_order() {
    let mut raw = Vec::new();
    for nonce in 0..40 {
        raw.push(every_type(nonce, vec![], &key(1 + (nonce % 7) as u8))[3].encoded_2718().into());
    }
    raw[17] = bytes!("02c0");
    let answers = recover_batch(raw);
    assert_eq!(answers.len(), 40);
    for (nonce, answer) in answers.iter().enumerate() {
        match answer {
            Ok(tx) => {
                assert_eq!(tx.nonce(), nonce as u64);
                assert_eq!(tx.sender(), key(1 + (nonce % 7) as u8).address());
            }
            Err(error) => {
                assert_eq!(nonce, 17);
                assert!(matches!(error, RecoverError::Decode(TxDecodeError::Malformed(_))));
            }
        }
    }
    assert!(answers[17].is_err());
}

#[test]
fn eip_7702_authorities_recover_and_bad_ones_are_marked() {
    let owner = key(8);
    let good = authorization(&owner);
    assert_eq!(recover_authority(&good), Ok(owner.address()));
    let inner = good.inner().clone();
    let odd = SignedAuthorization::new_unchecked(inner.clone(), 2, good.r(), good.s());
    assert_eq!(recover_authority(&odd), Err(SignatureError::Parity { parity: 2 }));
    let high = U256::from_be_slice(&secp256k1::constants::CURVE_ORDER) - good.s();
    let high = SignedAuthorization::new_unchecked(inner, 1 - good.y_parity(), good.r(), high);
    assert_eq!(recover_authority(&high), Err(SignatureError::S { s: high.s() }));
    let tx = TxEip7702 { authorization_list: vec![good.clone(), odd, high], ..Default::default() };
    let recovered = recover_authorities(&sign(tx, &key(1)));
    let authorities: Vec<_> = recovered.iter().map(|a| a.authority()).collect();
    assert_eq!(authorities, [Some(owner.address()), None, None]);
    assert_eq!(recovered[0].nonce, good.nonce);
    assert!(recover_authorities(&every_type(0, vec![], &owner)[3]).is_empty());
}

#[test]
fn a_transaction_carries_its_authorities_where_its_gas_can_pay_for_them() {
    let owner = key(8);
    let list = vec![authorization(&owner), authorization(&key(9))];
    let with_gas = |gas_limit| {
        let tx = TxEip7702 { gas_limit, authorization_list: list.clone(), ..Default::default() };
        recover_tx(sign(tx, &key(1)).encoded_2718().into()).unwrap()
    };
    let carried = with_gas(71_000);
    let authorities: Vec<_> = carried.authorizations().unwrap().iter().map(|a| a.authority()).collect();
    assert_eq!(authorities, [Some(owner.address()), Some(key(9).address())]);
    assert_eq!(carried.authorizations().unwrap(), recover_authorities(carried.envelope()));
    assert!(with_gas(70_999).authorizations().is_none(), "invalid whoever they are");
    let transfer = recover_tx(every_type(0, vec![], &owner)[3].encoded_2718().into()).unwrap();
    assert_eq!(transfer.authorizations(), Some(&[][..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn signing_then_recovering_gives_the_signer(
        seed in 1u8..=0xfe, nonce: u64, input in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let key = key(seed);
        for envelope in every_type(nonce, input.clone(), &key) {
            prop_assert_eq!(recover(&envelope), Ok(key.address()));
        }
    }

    #[test]
    fn a_changed_byte_never_keeps_the_sender_and_never_panics(
        which in 0usize..5, at in any::<prop::sample::Index>(), flip in 1u8..,
    ) {
        let key = key(3);
        let mut raw = every_type(7, vec![1; 20], &key)[which].encoded_2718();
        let at = at.index(raw.len());
        raw[at] ^= flip;
        if let Ok(tx) = recover_tx(raw.clone().into()) {
            prop_assert_ne!(tx.sender(), key.address());
            prop_assert_eq!(tx.hash(), keccak256(&raw));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        ty in prop::option::of(0u8..6), body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let raw: Vec<u8> = ty.into_iter().chain(body).collect();
        let _ = recover_tx(raw.into());
    }

    #[test]
    fn truncated_bytes_are_refused(which in 0usize..5, keep in any::<prop::sample::Index>()) {
        let raw = every_type(7, vec![1; 20], &key(3))[which].encoded_2718();
        let keep = keep.index(raw.len());
        prop_assert!(recover_tx(raw[..keep].to_vec().into()).is_err());
    }
}
