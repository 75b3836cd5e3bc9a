//! The last blocks: how much is in them.

use std::collections::BTreeMap;

use alloy_primitives::U64;
use chlom_client::ClientError;
use serde_json::{Value, json};

use super::At;

/// How many are shown.
const SHOWN: u64 = 40;

/// Numbers of transactions by height.
#[derive(Default)]
pub(super) struct Blocks(BTreeMap<u64, u64>);

impl Blocks {
    /// Numbers of transactions, the newest last.
    pub(super) fn show(&mut self, at: At<'_>) -> Result<Value, ClientError> {
        let first = at.height.saturating_sub(SHOWN - 1);
        self.0.retain(|height, _| *height >= first);
        let missing: Vec<u64> = (first..=at.height).filter(|height| !self.0.contains_key(height)).collect();
        let params = missing.iter().map(|height| json!([U64::from(*height)])).collect();
        let counts: Vec<Option<U64>> =
            at.chain.rpc().ask_all("eth_getBlockTransactionCountByNumber", params)?;
        let known = missing.into_iter().zip(counts);
        self.0.extend(known.filter_map(|(height, count)| Some((height, count?.to::<u64>()))));
        Ok(self.0.values().copied().collect())
    }
}
