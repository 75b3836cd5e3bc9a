use alloy_primitives::{Address, B256, Bytes};
use chlom_crypto::ValidatorKey;
use chlom_primitives::Params;
use proptest::prelude::*;

use super::{extension::MOST_BYTES, *};
use crate::{
    blobs::attest::MOST_BLOBS,
    staking::{Validator, ValidatorSet},
};

const CHAIN: &str = "chlom-core-100";

fn key(seed: u8) -> ValidatorKey {
    ValidatorKey::from_seed(&[seed; 32])
}

fn public(seed: u8) -> B256 {
    key(seed).consensus_key().into()
}

fn set(powers: &[(u8, u64)]) -> ValidatorSet {
    let member = |(seed, power): &(u8, u64)| Validator {
        consensus_key: public(*seed),
        account: Address::repeat_byte(*seed),
        power: *power,
    };
    ValidatorSet::new(powers.iter().map(member).collect(), &Params::default().staking).unwrap()
}

fn signed(seed: u8, height: u64, round: u32, blobs: &[u8]) -> SignedExtension {
    let extension = VoteExtension { blobs: blobs.iter().map(|b| B256::repeat_byte(*b)).collect() };
    sign_extension(&key(seed), CHAIN, height, round, &extension)
}

fn flags(round: u32, seeds: &[u8]) -> CommitFlags {
    CommitFlags { round, committed: seeds.iter().map(|seed| public(*seed)).collect() }
}

#[test]
fn vot_1_an_extension_has_one_encoding_and_bounds() {
    let ids: Vec<B256> = (1..=96).map(B256::repeat_byte).collect();
    let full = VoteExtension { blobs: ids.clone() };
    let bytes = full.encode();
    assert!(bytes.len() <= MOST_BYTES);
    assert_eq!(VoteExtension::decode(&bytes), Ok(full));
    assert_eq!(VoteExtension::decode(&[]), Ok(VoteExtension::default()));
    let decode = |blobs: Vec<B256>| VoteExtension::decode(&VoteExtension { blobs }.encode());
    assert_eq!(decode(ids.iter().rev().copied().collect()), Err(ExtensionError::Blobs));
    assert_eq!(decode(vec![ids[0], ids[0]]), Err(ExtensionError::Blobs));
    let more = (1..=97).map(B256::repeat_byte).collect::<Vec<_>>();
    assert_eq!(MOST_BLOBS + 1, more.len());
    assert_eq!(decode(more), Err(ExtensionError::Blobs));
    let mut tail = bytes.clone();
    tail.push(0);
    assert_eq!(VoteExtension::decode(&tail), Err(ExtensionError::Rlp));
    assert_eq!(VoteExtension::decode(&[0xc2, 1, 0xc0]), Err(ExtensionError::Rlp), "a list that says nothing");
    assert_eq!(VoteExtension::decode(&[0xc2, 2, 0xc0]), Err(ExtensionError::Version { got: 2, want: 1 }));
    assert_eq!(
        VoteExtension::decode(&[0; MOST_BYTES + 1]),
        Err(ExtensionError::TooLong { got: MOST_BYTES + 1, max: MOST_BYTES })
    );
}

#[test]
fn vot_2_a_signature_is_for_one_extension_height_round_and_chain() {
    let good = signed(1, 5, 2, &[3]);
    let verify = |chain: &str, height, round, signed: &SignedExtension| {
        let key = key(1).consensus_key();
        verify_extension(chain, height, round, &key, &signed.extension, &signed.signature).is_ok()
    };
    assert!(verify(CHAIN, 5, 2, &good));
    assert!(!verify("another-chain", 5, 2, &good));
    assert!(!verify(CHAIN, 6, 2, &good));
    assert!(!verify(CHAIN, 5, 3, &good));
    assert!(!verify(CHAIN, 5, 2, &SignedExtension { extension: Bytes::new(), ..good.clone() }));
    assert!(!verify(CHAIN, 5, 2, &signed(2, 5, 2, &[3])));
}

#[test]
fn vot_3_and_vot_4_evidence_is_judged_with_the_reason() {
    use EvidenceError as E;
    let set = set(&[(1, 4), (2, 3), (3, 3)]);
    let offered = || [1, 2, 3].map(|seed| signed(seed, 5, 1, &[9])).to_vec();
    let all = flags(1, &[1, 2, 3]);
    let good = collect_evidence(CHAIN, 5, &set, &all, offered());
    let attested = verify_evidence(&good, CHAIN, 5, &set, &all).unwrap();
    assert_eq!((attested.total_power, attested.statements.len()), (10, 3));
    assert_eq!(attested_by(&good, &set), Ok(attested.clone()), "replay reads what the verdict read");
    assert!(attested.statements.iter().all(|s| s.blobs == [B256::repeat_byte(9)]));
    let judge = |evidence: &Evidence, flags: &CommitFlags| verify_evidence(evidence, CHAIN, 5, &set, flags);
    assert_eq!(judge(&good, &flags(2, &[1, 2, 3])), Err(E::Round { got: 1, want: 2 }));
    let absent = public(2);
    assert_eq!(judge(&good, &flags(1, &[1, 3])), Err(E::NotCommitted { key: absent }));
    let mut swapped = good.clone();
    swapped.extensions.swap(0, 1);
    assert!(matches!(judge(&swapped, &all), Err(E::Order { .. })));
    let mut twice = good.clone();
    twice.extensions.insert(0, twice.extensions[0].clone());
    assert!(matches!(judge(&twice, &all), Err(E::Order { .. })));
    let stranger = Evidence { round: 1, extensions: vec![signed(7, 5, 1, &[])] };
    assert_eq!(judge(&stranger, &flags(1, &[7])), Err(E::Stranger { key: public(7) }));
    let few = collect_evidence(CHAIN, 5, &set, &flags(1, &[2, 3]), offered());
    assert_eq!(judge(&few, &flags(1, &[2, 3])), Err(E::Power { power: 6, total: 10 }));
    let mut forged = good.clone();
    forged.extensions[0].extension = Bytes::from_static(&[0xc0]);
    assert!(matches!(judge(&forged, &all), Err(E::Extension { why: ExtensionError::Rlp, .. })));
}

#[test]
fn vot_3_the_first_height_has_none() {
    let set = set(&[(1, 1)]);
    let none = Evidence::default();
    assert_eq!(verify_evidence(&none, CHAIN, 0, &set, &CommitFlags::default()), Ok(Attested::default()));
    let some = Evidence { round: 0, extensions: vec![signed(1, 0, 0, &[])] };
    assert_eq!(verify_evidence(&some, CHAIN, 0, &set, &flags(0, &[1])), Err(EvidenceError::FirstHeight));
}

#[test]
fn a_bad_extension_beside_a_good_one_of_the_same_validator_hides_nothing() {
    let set = set(&[(1, 1)]);
    let good = signed(1, 5, 0, &[9]);
    let bad = SignedExtension { extension: Bytes::from_static(&[0xff]), ..good.clone() };
    for offered in [vec![bad.clone(), good.clone()], vec![good.clone(), bad]] {
        let evidence = collect_evidence(CHAIN, 5, &set, &flags(0, &[1]), offered);
        assert_eq!(evidence.extensions, std::slice::from_ref(&good));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// [VOT-3] Whatever is offered, what a proposer collects is refused for lack of power at most.
    #[test]
    fn what_a_proposer_collects_passes_or_lacks_power(
        offered in proptest::collection::vec((1_u8..6, 4_u64..6, 0_u32..2, proptest::collection::vec(any::<u8>(), 0..3)), 0..8),
        committed in proptest::collection::vec(1_u8..6, 0..6),
    ) {
        let set = set(&[(1, 1), (2, 2), (3, 3), (4, 4)]);
        let flags = flags(1, &committed);
        let offered = offered.iter().map(|(seed, height, round, blobs)| signed(*seed, *height, *round, blobs)).collect();
        let evidence = collect_evidence(CHAIN, 5, &set, &flags, offered);
        match verify_evidence(&evidence, CHAIN, 5, &set, &flags) {
            Ok(_) | Err(EvidenceError::Power { .. }) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
