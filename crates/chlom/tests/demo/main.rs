//! `chlom demo` as a newcomer runs it: the binary with files of theirs. What it pays is compared with the worked example and with a
//! recomputation from the CSV that shares no code with the chain; what it refuses, it refuses with a reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::disallowed_types)]

mod recompute;
mod refusals;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use recompute::{Licence, Lot, csv_of_conversions, csv_of_orders, expected, licences_json};
use serde_json::Value;

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../devnet/data/demo").join(name)
}

pub(crate) fn demo(receipts: &Path, licences: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chlom"))
        .args(["demo", "--json", "--receipts"])
        .arg(receipts)
        .arg("--licenses")
        .arg(licences)
        .output()
        .unwrap()
}

/// The one object that it prints.
fn paid(receipts: &Path, licences: &Path) -> Value {
    let output = demo(receipts, licences);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Everything but the fraud, which is told apart.
fn compare(found: &Value, expected: &Value) {
    let (found_all, expected_all) = (&found["licenses"], &expected["licenses"]);
    assert_eq!(found_all.as_array().unwrap().len(), expected_all.as_array().unwrap().len());
    for (found, expected) in found_all.as_array().unwrap().iter().zip(expected_all.as_array().unwrap()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found["totals"], expected["totals"]);
}

fn the_fraud_was_caught(found: &Value) {
    let fraud = &found["fraud"];
    assert_eq!(fraud["kind"], "WrongSum");
    let number = |name: &str| fraud[name].as_str().unwrap().parse::<u128>().unwrap();
    let (slashed, reward) = (number("slashed"), number("reward"));
    assert!(slashed >= 10_000 * 10u128.pow(18), "ten units of at least 1,000 CHM");
    assert_eq!(reward, slashed * 40 / 100);
    let gas = fraud["gas_used"].as_u64().unwrap();
    assert!((100_000..=1_000_000).contains(&gas), "{gas}");
}

#[test]
fn the_worked_example_is_paid_to_the_unit() {
    let found = paid(&data("receipts.csv"), &data("licenses.json"));
    compare(&found, &serde_json::from_slice(&std::fs::read(data("expected.json")).unwrap()).unwrap());
    the_fraud_was_caught(&found);
}

/// Licences with two override levels and more, receipts of one or two weeks, both kinds of file. `DEMO_SEED` plays a seed again.
#[test]
fn fresh_input_is_paid_as_an_independent_recomputation_says() {
    let seed = match std::env::var("DEMO_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).unwrap();
            u64::from_be_bytes(bytes)
        }
    };
    println!("DEMO_SEED={seed}");
    let mut lot = Lot::new(seed);
    let folder = tempfile::tempdir().unwrap();
    for orders in [false, true] {
        let licences = Licence::some(&mut lot);
        let text =
            if orders { csv_of_orders(&licences, &mut lot) } else { csv_of_conversions(&licences, &mut lot) };
        let (receipts, file) = (folder.path().join("receipts.csv"), folder.path().join("licenses.json"));
        std::fs::write(&receipts, &text).unwrap();
        std::fs::write(&file, licences_json(&licences)).unwrap();
        let found = paid(&receipts, &file);
        compare(&found, &expected(&licences, &text));
        the_fraud_was_caught(&found);
    }
}
