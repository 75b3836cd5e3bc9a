#![allow(clippy::unwrap_used)]

use alloy_primitives::{Address, address, fixed_bytes, keccak256};

use super::{
    document::{Division, Document, check_all, id_of, territory},
    file::{from_csv, from_json},
};

const ALICE: Address = address!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");

const SOUND: &str = r#"{
  "id": "AST-120", "owner": "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
  "licensee": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
  "rights_granted": ["use"], "channels": ["web", "ads"], "territories": ["US-VA", "CA"], "languages": ["EN"],
  "exclusivity": "Exclusive", "start": "2025-09-01", "end": "2026-08-31", "royalty": {"type": "percent", "value": 12.5},
  "audit_rights": true, "privacy_flags": {"rates_private": true},
  "splits": [{"to": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "weight": 1},
             {"to": "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc", "weight": 2}], "denom": 3,
  "parent": {"id": "AST-1", "rate": [1, 3]}
}"#;

fn read(text: &str) -> Result<Vec<Document>, Vec<String>> {
    check_all(&from_json("f.json", text).unwrap())
}

#[test]
fn a_license_object_becomes_what_registers_it() {
    let [document]: [Document; 1] = read(SOUND).unwrap().try_into().unwrap();
    assert_eq!(document.id(), keccak256("AST-120"));
    assert_eq!((document.owner, document.royalty_bps, document.flags), (ALICE, 1_250, 0x1 | 0x2 | 0x8));
    assert_eq!((document.start, document.end), (1_756_684_800, 1_788_220_800), "the last day is included");
    let Division::Vector(vector) = &document.division else { panic!("{:?}", document.division) };
    let payees: Vec<_> = vector.shares().iter().map(|share| (share.payee, share.weight)).collect();
    assert!(payees[0].0 < payees[1].0 && payees[0].1 == 2, "payees ascend: {payees:?}");
    assert_eq!(document.words.languages, Some(vec!["en".to_owned()]));
    assert_eq!(
        document.words.territories,
        Some(vec![fixed_bytes!("4341000000"), fixed_bytes!("5553564100")]),
        "CA, USVA"
    );
    let parent = document.parent.unwrap();
    assert_eq!((parent.name.as_str(), parent.numer, parent.denom), ("AST-1", 1, 3));
}

#[test]
fn every_mistake_of_a_file_is_told_with_its_place() {
    let mut bad: serde_json::Value = serde_json::from_str(SOUND).unwrap();
    bad["owner"] = "ENT-500".into();
    bad["end"] = "2025-02-29".into();
    bad["royalty"]["value"] = 12.345.into();
    bad["denom"] = 4.into();
    bad["surprise"] = 1.into();
    bad["parent"]["rate"] = serde_json::json!([4, 3]);
    let wrong = read(&format!("[{SOUND}, {bad}, {SOUND}]")).unwrap_err();
    let told = |start: &str| assert!(wrong.iter().any(|w| w.starts_with(start)), "{start}: {wrong:#?}");
    told("f.json[1].owner: \"ENT-500\" is no address");
    told("f.json[1].end: 2025-02-29 does not exist");
    told("f.json[1].royalty: 12.345 has more than two decimals");
    told("f.json[1].splits: ");
    told("f.json[1].surprise: unknown field");
    told("f.json[1].parent: rate: 4/3 is no share of at most 1");
    told("f.json[2].id: \"AST-120\" stands twice in the file");
    assert_eq!(wrong.len(), 7, "{wrong:#?}");
}

#[test]
fn each_field_is_refused_when_it_is_malformed() {
    for (path, value) in [
        ("/id", "\"\""),
        ("/id", "7"),
        ("/owner", "\"0x0000000000000000000000000000000000000000\""),
        ("/rights_granted", "[]"),
        ("/channels", "[\"web\",\"WEB\"]"),
        ("/territories", "[\"USA\"]"),
        ("/territories", "[\"US-\"]"),
        ("/languages", "\"en\""),
        ("/exclusivity", "\"Sole\""),
        ("/audit_rights", "\"yes\""),
        ("/privacy_flags", "{\"x\":true}"),
        ("/royalty/type", "\"flat\""),
        ("/royalty/value", "101"),
        ("/royalty/value", "1e1"),
        ("/splits", "[]"),
        ("/splits/0/weight", "0"),
        ("/splits/0/weight", "-1"),
        ("/splits/0/to", "\"0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc\""),
        ("/parent/rate", "[1]"),
        ("/parent/rate", "[1,0]"),
        ("/parent/id", "\"AST-120\""),
    ] {
        let mut object: serde_json::Value = serde_json::from_str(SOUND).unwrap();
        *object.pointer_mut(path).unwrap() = serde_json::from_str(value).unwrap();
        // The number as written: serde_json would write 1e1 as 10.0.
        let text = object.to_string().replace("10.0", "1e1");
        assert!(read(&text).is_err(), "{path} = {value}");
    }
    for (field, value) in
        [("cap", "0"), ("cap", "1.5"), ("asset", "7"), ("ace_policy_hash", "\"0x12\""), ("salt", "1")]
    {
        let mut object: serde_json::Value = serde_json::from_str(SOUND).unwrap();
        object[field] = serde_json::from_str(value).unwrap();
        assert!(read(&object.to_string()).is_err(), "{field} = {value}");
    }
}

#[test]
fn a_single_object_and_an_array_of_one_are_the_same_licence() {
    let [one]: [Document; 1] = read(SOUND).unwrap().try_into().unwrap();
    let [other]: [Document; 1] = read(&format!(" [{SOUND}]")).unwrap().try_into().unwrap();
    assert_eq!(other, Document { place: "f.json[0]".into(), ..one });
}

#[test]
fn a_csv_row_is_the_object_with_the_same_fields() {
    let csv = "id,owner,licensee,rights,channels,territories,languages,exclusivity,start,end,royalty_percent,audit_rights,\
rates_private,splits,denom,parent,parent_numer,parent_denom\n\
AST-120,0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266,0x70997970c51812dc3a010c7d01b50e0d17dc79c8,use,web; ads,US-VA;CA,en,\
Exclusive,2025-09-01,2026-08-31,12.5,true,true,0x70997970c51812dc3a010c7d01b50e0d17dc79c8:1;\
0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc:2,3,AST-1,1,3\n";
    let [row]: [Document; 1] = check_all(&from_csv("f.csv", csv).unwrap()).unwrap().try_into().unwrap();
    let [object]: [Document; 1] = read(SOUND).unwrap().try_into().unwrap();
    assert_eq!(row.place, "f.csv line 2");
    let same = Document { place: object.place.clone(), meta_hash: object.meta_hash, ..row };
    assert_eq!(same, object);
    for (from, to) in [
        ("id,", "idd,"),
        ("parent_denom\n", "id\n"),
        (",1,3\n", ",1,x\n"),
        (":1;", ";"),
        (",true,true", ",yes,true"),
    ] {
        assert!(from_csv("f.csv", &csv.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
}

#[test]
fn an_id_is_the_hash_of_its_text_or_itself() {
    assert_eq!(id_of("AST-120"), keccak256("AST-120"));
    let hash = keccak256("AST-120");
    assert_eq!(id_of(&hash.to_string()), hash);
    assert_eq!(id_of("0x12"), keccak256("0x12"));
}

#[test]
fn territories_are_codes_of_five_bytes() {
    assert_eq!(territory("us-va"), Ok(fixed_bytes!("5553564100")));
    assert_eq!(territory("GB-ENG"), Ok(fixed_bytes!("4742454e47")));
    for text in ["", "U", "USA", "U1", "US-", "US-ABCD", "US_VA", "US-V!"] {
        assert!(territory(text).is_err(), "{text}");
    }
}

proptest::proptest! {
    /// Damage anywhere in a file is told or read, never a panic.
    #[test]
    fn a_damaged_file_is_refused_or_read(at in 0..SOUND.len(), with in "[ -~]{0,3}") {
        if let Ok(entries) = from_json("f", &format!("{}{with}{}", &SOUND[..at], &SOUND[at + 1..])) {
            let _documents_or_mistakes = check_all(&entries);
        }
    }
}
