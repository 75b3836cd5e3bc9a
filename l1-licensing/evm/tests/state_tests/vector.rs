//! The format of Ethereum's general state tests.

use std::{collections::BTreeMap, path::Path};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;

/// One file: named tests.
pub(crate) type File = BTreeMap<String, Test>;

/// One test: a state, a block and some transactions, each with the state it leaves by fork.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    pub(crate) env: Env,
    pub(crate) pre: BTreeMap<Address, PreAccount>,
    /// What the transactions were made of; the cases carry them signed.
    #[serde(rename = "transaction")]
    _transaction: serde_json::Value,
    post: BTreeMap<String, Vec<Case>>,
}

impl Test {
    /// The cases. The collection has Cancun's only.
    pub(crate) fn cases(&self) -> &[Case] {
        assert_eq!(self.post.keys().collect::<Vec<_>>(), ["Cancun"]);
        &self.post["Cancun"]
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Env {
    pub(crate) current_base_fee: U256,
    pub(crate) current_coinbase: Address,
    #[serde(rename = "currentDifficulty")]
    _difficulty: U256,
    pub(crate) current_excess_blob_gas: U256,
    pub(crate) current_gas_limit: U256,
    pub(crate) current_number: U256,
    pub(crate) current_random: B256,
    pub(crate) current_timestamp: U256,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreAccount {
    pub(crate) balance: U256,
    pub(crate) nonce: U256,
    pub(crate) code: Bytes,
    pub(crate) storage: BTreeMap<U256, U256>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Why the transaction is invalid, where it is.
    #[serde(rename = "expectException")]
    pub(crate) exception: Option<String>,
    /// Post state root.
    pub(crate) hash: B256,
    pub(crate) indexes: BTreeMap<String, u32>,
    /// keccak256 of the RLP of the logs.
    pub(crate) logs: B256,
    pub(crate) txbytes: Bytes,
}

/// All files below a folder, sorted by path.
pub(crate) fn read_all(folder: &Path) -> BTreeMap<String, File> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(read_all(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read_to_string(&path).unwrap();
            let file = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            files.insert(path.display().to_string(), file);
        }
    }
    files
}
