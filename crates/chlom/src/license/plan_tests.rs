#![allow(clippy::unwrap_used)]

use alloy_primitives::{Address, B256, U256, aliases::U96};
use chlom_client::contracts::license_registry::ILicenseRegistry::{Status, Terms};

use super::*;
use crate::license::{document::check_all, file::from_json};

fn document(id: &str, parent: Option<&str>) -> Document {
    let mut object = serde_json::json!({
        "id": id, "owner": Address::repeat_byte(1), "licensee": Address::repeat_byte(2), "rights_granted": ["use"],
        "channels": ["web"], "territories": ["*"], "languages": ["*"], "exclusivity": "NonExclusive",
        "start": "2025-09-01", "end": "2026-08-31", "royalty": { "type": "percent", "value": 20 },
        "splits": [{ "to": Address::repeat_byte(3), "weight": 1 }], "denom": 1,
    });
    if let Some(parent) = parent {
        object["parent"] = serde_json::json!({ "id": parent, "rate": [1, 2] });
    }
    check_all(&from_json("f", &object.to_string()).unwrap()).unwrap().remove(0)
}

fn step(document: Document) -> Step {
    let rights =
        Rights { rights: 1, channels: 1, languages: U256::MAX, worldwide: true, territories: Vec::new() };
    let (data, rights_hash) = (data_of(&document, B256::repeat_byte(9)), rights_hash(&rights));
    Step { document, data, rights, rights_hash, verdict: Verdict::New, depth: 0 }
}

/// What the chain holds once the step was carried out.
fn held(step: &Step) -> Held {
    let terms = Terms {
        assetId: B256::ZERO,
        rightsHash: step.rights_hash,
        cap: U256::MAX,
        parent: B256::ZERO,
        numer: 0,
        denom: 0,
        draft: false,
    };
    let status = Status {
        state: 1,
        startTs: step.data.startTs,
        endTs: step.data.endTs,
        royaltyBps: 2_000,
        policyHash: step.data.acePolicyHash,
        splitVersion: 1,
        reason: 0,
    };
    Held { data: step.data.clone(), terms, status }
}

const OWNER: Sender = Sender { address: Address::repeat_byte(1), registrar: false };
const REGISTRAR: Sender = Sender { address: Address::repeat_byte(7), registrar: true };

fn refused(verdict: &Verdict, why: &str) -> bool {
    matches!(verdict, Verdict::Refused(said) if said.contains(why))
}

#[test]
fn what_the_chain_holds_already_is_unchanged_for_everybody() {
    let step = step(document("A", None));
    for sender in [None, Some(OWNER), Some(REGISTRAR)] {
        assert_eq!(judge(&step, Some(&held(&step)), sender), Verdict::Unchanged);
    }
}

#[test]
fn a_change_is_named_and_only_the_owner_makes_it() {
    let step = step(document("A", None));
    let mut before = held(&step);
    before.data.royaltyBps = U96::from(1_250);
    before.data.endTs -= 86_400;
    let changes = vec![
        Change { field: "royalty", from: "12.5 %".into(), to: "20 %".into() },
        Change { field: "end", from: "2026-08-31".into(), to: "2026-09-01".into() },
    ];
    assert_eq!(judge(&step, Some(&before), None), Verdict::Changed(changes));
    assert!(matches!(judge(&step, Some(&before), Some(OWNER)), Verdict::Changed(_)));
    assert!(refused(&judge(&step, Some(&before), Some(REGISTRAR)), "may change royalty, end"));
}

#[test]
fn what_was_fixed_at_the_mint_is_refused_by_name() {
    let step = step(document("A", None));
    type Case = (&'static str, fn(&mut Held));
    let cases: [Case; 5] = [
        ("owner", |held| held.data.owner = Address::repeat_byte(8)),
        ("rights", |held| held.terms.rightsHash = B256::ZERO),
        ("asset", |held| held.terms.assetId = B256::repeat_byte(1)),
        ("cap", |held| held.terms.cap = U256::ONE),
        ("parent", |held| held.terms.parent = B256::repeat_byte(1)),
    ];
    for (field, change) in cases {
        let mut before = held(&step);
        change(&mut before);
        assert!(refused(&judge(&step, Some(&before), Some(OWNER)), field), "{field}");
    }
    let mut revoked = held(&step);
    revoked.status.state = REVOKED;
    assert!(refused(&judge(&step, Some(&revoked), Some(OWNER)), "an id is used once"));
}

#[test]
fn a_mint_is_for_registrars_and_for_owners_with_a_salt() {
    let mut own = step(document("A", None));
    assert_eq!(judge(&own, None, Some(REGISTRAR)), Verdict::New);
    assert!(refused(&judge(&own, None, Some(OWNER)), "without a salt"));
    own.document.salted = true;
    assert_eq!(judge(&own, None, Some(OWNER)), Verdict::New);
    let stranger = Sender { address: Address::repeat_byte(7), registrar: false };
    assert!(refused(&judge(&own, None, Some(stranger)), "neither a registrar nor its owner"));
}

#[test]
fn parents_come_before_their_children_and_a_circle_is_found() {
    let documents = [
        document("C", Some("B")),
        document("A", None),
        document("B", Some("A")),
        document("D", Some("elsewhere")),
        document("X", Some("Y")),
        document("Y", Some("X")),
        document("Z", Some("Y")),
    ];
    assert_eq!(depths(&documents), [Some(2), Some(0), Some(1), Some(0), None, None, None]);
}
