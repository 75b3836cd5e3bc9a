//! `spec/vectors/lanes/*.json`: what this crate gives for fixed inputs, which Solidity's tests read too.
//! `UPDATE_SNAPSHOTS=1 cargo test -p chlom-lane` writes them anew, for a change that is meant. Numbers are decimal strings,
//! except those that fit 32 bits.

use serde_json::{Value, json};

#[allow(clippy::disallowed_methods, reason = "a test that writes its vectors when asked to")]
pub(crate) fn assert_vectors(file: &str, cases: Vec<Value>) {
    let got = serde_json::to_string_pretty(&json!({ "count": cases.len(), "cases": cases })).unwrap() + "\n";
    let path = format!("{}/../../spec/vectors/lanes/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, got).unwrap();
    } else {
        let want = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(got, want, "{file}; if that is meant: UPDATE_SNAPSHOTS=1 cargo test -p chlom-lane");
    }
}
