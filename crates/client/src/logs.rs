//! Logs, as contracts leave them in blocks.

use alloy_primitives::{Address, B256, Bytes, U64};
use serde::Deserialize;
use serde_json::json;

use crate::{Chain, ClientError};

/// One log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Whose.
    pub address: Address,
    /// The event's signature hash, and what it indexes.
    pub topics: Vec<B256>,
    /// The rest.
    pub data: Bytes,
    /// Its block.
    pub height: u64,
    /// Its block's time, seconds.
    pub time: u64,
    /// Its transaction.
    pub transaction: B256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RpcLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: U64,
    #[serde(default)]
    block_timestamp: U64,
    transaction_hash: B256,
}

/// Logs of any of `addresses` whose first topic is any of `topics`, from a height to another, both included, in their order.
///
/// # Errors
/// [`ClientError`]; a node that finds that too many refuses.
pub fn between(
    chain: &Chain,
    addresses: &[Address],
    topics: &[B256],
    from: u64,
    to: u64,
) -> Result<Vec<Log>, ClientError> {
    let filter = json!({
        "address": addresses, "fromBlock": U64::from(from), "toBlock": U64::from(to), "topics": [topics],
    });
    let found: Vec<RpcLog> = chain.rpc().ask("eth_getLogs", json!([filter]))?;
    let log = |log: RpcLog| Log {
        address: log.address,
        topics: log.topics,
        data: log.data,
        height: log.block_number.to(),
        time: log.block_timestamp.to(),
        transaction: log.transaction_hash,
    };
    Ok(found.into_iter().map(log).collect())
}
