//! Stores to test with, and receipts for them.

use alloy_primitives::{Address, B256, keccak256};
use chlom_lane::{
    Receipt,
    receipt::{Body, BookingStatus, Name, ReceiptId},
};
use chlom_operator::{Store, store::Lane};
use chlom_royalty::Period;

pub(crate) const WEEK: u32 = 20_250_901;

/// An empty store of each kind, with the lane `adluxe`.
pub(crate) fn each(test: impl Fn(&Store, &Lane)) {
    let folder = tempfile::tempdir().unwrap();
    for store in
        [Store::open_file(&folder.path().join("store.sqlite")), Store::open(&crate::postgres::database())]
    {
        let store = store.unwrap();
        let lane = store.make_lane("adluxe", "USD", 6).unwrap();
        eprintln!("on {}", store.kind());
        test(&store, &lane);
    }
}

pub(crate) fn week() -> Period {
    Period::new(WEEK).unwrap()
}

pub(crate) fn payer(number: u8) -> Address {
    Address::repeat_byte(number)
}

/// An order of the first week of September 2025.
pub(crate) fn order(id: &str, gross: u128) -> Receipt {
    Receipt {
        payer: payer(1),
        licence: keccak256("AST-1"),
        source: Name::new("shop").unwrap(),
        id: ReceiptId::new(id).unwrap(),
        time: week().start() + 60,
        body: Body::Order { gross, discount: 0 },
        signature: None,
    }
}

/// A receipt of every shape in turn, of several payers, sources and licences.
pub(crate) fn various(number: u32) -> Receipt {
    let amount = u128::from(number) * 1_000_003;
    let name = |text: String| Name::new(&text).unwrap();
    let body = match number % 6 {
        0 => Body::AdConversion { campaign: name(format!("Wörbung {}", number % 7)), value: amount },
        1 => Body::Order { gross: amount + 5, discount: 5 },
        2 => Body::Booking {
            status: BookingStatus::Completed,
            price: amount,
            deposit: amount / 2,
            kept: amount,
        },
        3 => Body::Booking { status: BookingStatus::NoShow, price: amount, deposit: 1, kept: amount / 3 },
        4 => Body::Booking { status: BookingStatus::Cancelled, price: amount, deposit: 0, kept: 0 },
        _ => {
            Body::View {
                title: name("Fílm".into()), views: u64::MAX, value: chlom_lane::receipt::MAX_AMOUNT
            }
        }
    };
    Receipt {
        payer: payer((number % 3) as u8 + 1),
        licence: keccak256(format!("AST-{}", number % 11)),
        source: name(format!("source {}", number % 4)),
        id: ReceiptId::new(&format!("R-{number}")).unwrap(),
        time: week().start() + u64::from(number % 600_000),
        body,
        signature: number.is_multiple_of(5).then_some([number as u8; 64]),
    }
}

pub(crate) fn root(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}
