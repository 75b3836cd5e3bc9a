//! Bad input: what is wrong, where, and exit code 2; nothing is paid.

use std::fs;

use crate::{data, demo};

const COLUMNS: &str = "event,ts,campaign,license_id,value,currency,txid\n";
const GOOD: &str = "ad_conversion,2025-09-02T04:01:05Z,CAMP-1,AST-9000,10.50,USD,T-1\n";

fn refused(csv: impl AsRef<[u8]>, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("receipts.csv");
    fs::write(&file, csv).unwrap();
    told(&demo(&file, &data("licenses.json")), words);
}

fn told(output: &std::process::Output, words: &[&str]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(output.stdout.is_empty());
    assert!(!errors.contains("panicked"), "{errors}");
    for word in words {
        assert!(errors.contains(word), "no {word:?} in: {errors}");
    }
}

fn line(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from));
    format!("{COLUMNS}{GOOD}{}", GOOD.replace("T-1", "T-2").replace(from, to))
}

#[test]
fn a_receipt_that_is_none_is_told_by_its_line_and_field() {
    for (from, to, words) in [
        ("10.50", "10.1234567", ["line 3", "value"]),
        ("10.50", "-10.50", ["line 3", "value"]),
        ("10.50", "\"10,50\"", ["line 3", "value"]),
        ("10.50", "", ["line 3", "value"]),
        ("10.50", "99999999999999999999999999999999", ["line 3", "value"]),
        ("USD", "EUR", ["line 3", "EUR"]),
        ("AST-9000", "AST-1", ["line 3", "AST-1"]),
        ("ad_conversion", "gift", ["line 3", "gift"]),
        ("2025-09-02T04:01:05Z", "2025-02-30T04:01:05Z", ["line 3", "2025-02-30"]),
        ("2025-09-02T04:01:05Z", "2030-09-02T04:01:05Z", ["line 3", "AST-9000"]),
    ] {
        refused(line(from, to), &words);
    }
    // The first line says T-2 when the second's is set back to T-1: an id that is there twice.
    refused(format!("{COLUMNS}{GOOD}{GOOD}"), &["line 3", "T-1", "twice"]);
}

#[test]
fn a_file_that_is_none_is_told_with_what_to_do() {
    refused("", &["empty"]);
    refused(COLUMNS, &["no receipts"]);
    refused(format!("{COLUMNS}ad_conversion,2025-09-02T04:01:05Z\n"), &["line 2", "cells"]);
    refused(format!("{COLUMNS}\"{GOOD}"), &["line 2", "quote"]);
    refused(format!("{}{GOOD}", COLUMNS.replace("value", "price_paid")), &["price_paid"]);
    refused(COLUMNS.replace(',', ";"), &["semicolons"]);
    refused([COLUMNS.as_bytes(), b"\xff\xfe"].concat(), &["UTF-8"]);
    refused(format!("{COLUMNS}{}\n", "x".repeat(2_000_000)), &["line 2"]);
    let nowhere = data("no-such-file.csv");
    told(&demo(&nowhere, &data("licenses.json")), &["no-such-file.csv"]);
}

#[test]
fn licences_that_no_chain_takes_are_told_by_their_place() {
    let text = fs::read_to_string(data("licenses.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("licenses.json");
    for (from, to, words) in [
        ("\"weight\": 2472", "\"weight\": 2473", ["licenses.json[0]", "10000"]),
        ("\"value\": 20", "\"value\": 20.125", ["licenses.json[0]", "royalty"]),
        ("0x53f16947ccf25ec84d8dbc74254770f58904dba4", "nobody", ["licenses.json[0]", "nobody"]),
        ("\"2025-09-01\"", "\"2025-09-31\"", ["licenses.json[0]", "2025-09-31"]),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        told(&demo(&data("receipts.csv"), &file), &words);
    }
    fs::write(&file, "[{").unwrap();
    told(&demo(&data("receipts.csv"), &file), &["licenses.json"]);
}
