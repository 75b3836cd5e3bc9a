//! Receipts in JSON: what is read, and what is refused with the exact reason.

use alloy_primitives::{Address, keccak256};
use chlom_lane::receipt::{Body, BookingStatus, Intake, MOST_JSON_BYTES, Name, ReceiptError, parse_receipt};

fn intake() -> Intake {
    Intake {
        currency: "USD".into(),
        decimals: 2,
        payer: Some(Address::repeat_byte(0x22)),
        source: Some(Name::new("shop").unwrap()),
    }
}

fn read(json: &str) -> Result<chlom_lane::Receipt, ReceiptError> {
    parse_receipt(json.as_bytes(), &intake())
}

const AD: &str = r#"{"event":"ad_conversion","ts":"2025-09-02T04:01:05Z","campaign":"CAMP-21","license_id":"AST-120","value":"84.05","currency":"USD","txid":"AD-7-0"}"#;
const ORDER: &str = r#"{"event":"order","ts":"2025-09-02T04:01:05Z","order_id":"O-1","license_id":"AST-120","gross":84.00,"discount":4.00,"net":80.00,"currency":"USD"}"#;
const BOOKING: &str = r#"{"event":"booking","ts":"2025-09-02T04:01:05Z","booking_id":"B-1","license_id":"AST-120","status":"no_show","price":"120","deposit":"30","kept":"30","currency":"USD"}"#;
const VIEW: &str = r#"{"event":"view","ts":"2025-09-02T04:01:05Z","view_id":"V-1","license_id":"AST-120","title":"Pilot","views":1000,"value":"2.50","currency":"USD"}"#;

#[test]
fn lan_30_each_event_is_read_to_the_unit() {
    let ad = read(AD).unwrap();
    assert_eq!(
        (ad.payer, ad.licence, ad.time),
        (Address::repeat_byte(0x22), keccak256("AST-120"), 1_756_785_665)
    );
    assert_eq!((ad.source.as_str(), ad.id.as_str(), ad.signature), ("shop", "AD-7-0", None));
    assert_eq!(ad.body, Body::AdConversion { campaign: Name::new("CAMP-21").unwrap(), value: 8_405 });
    assert_eq!(read(ORDER).unwrap().body, Body::Order { gross: 8_400, discount: 400 });
    assert_eq!(read(ORDER).unwrap().body.revenue(), 8_000);
    let status = BookingStatus::NoShow;
    let booking = Body::Booking { status, price: 12_000, deposit: 3_000, kept: 3_000 };
    assert_eq!(read(BOOKING).unwrap().body, booking);
    let view = Body::View { title: Name::new("Pilot").unwrap(), views: 1_000, value: 250 };
    assert_eq!(read(VIEW).unwrap().body, view);
}

#[test]
fn lan_30_payer_source_and_signature_may_be_said() {
    let payer = format!("0x{}", "22".repeat(20));
    let signature = format!("0x{}", "ab".repeat(64));
    let with = |extra: &str| read(&AD.replace("{\"event\"", &format!("{{{extra},\"event\"")));
    let said = with(&format!(r#""payer":"{payer}","source":"shop","signature":"{signature}""#)).unwrap();
    assert_eq!(said.signature, Some([0xab; 64]));
    let another = format!("0x{}", "23".repeat(20));
    assert_eq!(with(&format!(r#""payer":"{another}""#)), Err(ReceiptError::NotTheirs { field: "payer" }));
    assert_eq!(with(r#""source":"shop2""#), Err(ReceiptError::NotTheirs { field: "source" }));
    assert_eq!(with(r#""signature":"0xab""#), Err(ReceiptError::Signature));
    assert_eq!(with(r#""payer":"22""#), Err(ReceiptError::Address("22".into())));
    let open = Intake { payer: None, source: None, ..intake() };
    let missing = parse_receipt(AD.as_bytes(), &open);
    assert_eq!(missing, Err(ReceiptError::Missing { event: "ad_conversion", field: "payer" }));
}

#[test]
fn lan_31_what_a_lane_cannot_count_is_refused_with_the_reason() {
    let event = "ad_conversion";
    let cases: &[(&str, &str, ReceiptError)] = &[
        (
            r#""currency":"USD""#,
            r#""currency":"EUR""#,
            ReceiptError::Currency { lane: "USD".into(), receipt: "EUR".into() },
        ),
        (r#""value":"84.05""#, r#""value":"84.055""#, amount("\"84.055\"")),
        (r#""value":"84.05""#, r#""value":-1"#, amount("-1")),
        (r#""value":"84.05""#, r#""value":8.4e1"#, amount("8.4e1")),
        (r#""value":"84.05""#, r#""value":"1e3""#, amount("\"1e3\"")),
        (
            r#""value":"84.05""#,
            r#""value":792281625142643375935439503.36"#,
            amount("792281625142643375935439503.36"),
        ),
        (r#""value":"84.05""#, r#""value":null"#, ReceiptError::Missing { event, field: "value" }),
        (r#""value":"84.05","#, "", ReceiptError::Missing { event, field: "value" }),
        (
            r#""value":"84.05""#,
            r#""value":"1","gross":"1""#,
            ReceiptError::Unexpected { event, field: "gross" },
        ),
        (
            r#""value":"84.05""#,
            r#""value":"1","title":"x""#,
            ReceiptError::Unexpected { event, field: "title" },
        ),
        (r#""txid":"AD-7-0""#, r#""txid":"AD 7""#, ReceiptError::Id { field: "txid" }),
        (r#""txid":"AD-7-0""#, r#""txid":"""#, ReceiptError::Id { field: "txid" }),
        (r#""campaign":"CAMP-21""#, r#""campaign":"a\u0000b""#, ReceiptError::Name { field: "campaign" }),
        ("ad_conversion", "impression", ReceiptError::Event("impression".into())),
        ("2025-09-02T04:01:05Z", "2025-09-02", ReceiptError::Time("2025-09-02".into())),
    ];
    for (from, to, error) in cases {
        assert_eq!(read(&AD.replace(from, to)), Err(error.clone()), "{to}");
    }
    assert!(read(&AD.replace(r#""value":"84.05""#, r#""value":792281625142643375935439503.35"#)).is_ok());
}

fn amount(text: &str) -> ReceiptError {
    ReceiptError::Amount { field: "value", text: text.into(), decimals: 2 }
}

#[test]
fn lan_31_fields_twice_unknown_or_of_another_type_are_refused() {
    for json in [
        AD.replace("{\"event\"", "{\"event\":\"order\",\"event\""),
        AD.replace("txid", "tx"),
        AD.replace("\"CAMP-21\"", "7"),
        AD.replace('}', ""),
        format!("{AD}{AD}"),
        "[]".into(),
        String::new(),
        "{\"event\":\u{0}}".into(),
    ] {
        assert!(matches!(read(&json), Err(ReceiptError::Json(_))), "{json}");
    }
    assert!(parse_receipt(&[0xff; 8], &intake()).is_err());
    let long = AD.replace("CAMP-21", &"x".repeat(MOST_JSON_BYTES));
    assert_eq!(read(&long), Err(ReceiptError::Size(long.len())));
}

#[test]
fn lan_7_amounts_that_contradict_each_other_are_refused() {
    for (json, from, to) in [
        (ORDER, r#""net":80.00"#, r#""net":80.01"#),
        (ORDER, r#""discount":4.00"#, r#""discount":84.01"#),
        (BOOKING, r#""deposit":"30""#, r#""deposit":"120.01""#),
        (BOOKING, r#""kept":"30""#, r#""kept":"121""#),
        (BOOKING, "no_show", "completed"),
    ] {
        assert!(matches!(read(&json.replace(from, to)), Err(ReceiptError::Contradiction(_))), "{to}");
    }
    assert_eq!(read(&BOOKING.replace("no_show", "lost")), Err(ReceiptError::Status("lost".into())));
    for views in ["0", "-1", "1.5", "\"1\"", "18446744073709551616"] {
        let json = VIEW.replace("1000", views);
        assert_eq!(read(&json), Err(ReceiptError::Views(views.into())));
    }
}
