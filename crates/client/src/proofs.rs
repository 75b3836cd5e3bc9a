//! Proofs of contracts' slots (EIP-1186), as a node gives them: nodes of tries, which whoever has the header's state root checks.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde_json::json;

use crate::{Chain, ClientError};

/// Slots that are asked for at once: a proof of each has some eight nodes of half a kilobyte.
const SLOTS_AT_ONCE: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    account_proof: Vec<Bytes>,
    storage_proof: Vec<SlotProof>,
}

#[derive(Deserialize)]
struct SlotProof {
    proof: Vec<Bytes>,
}

#[derive(Deserialize)]
struct Block {
    hash: B256,
    #[serde(flatten)]
    header: Header,
}

impl Block {
    /// Its hash, when its header has it.
    fn checked(self) -> Result<Header, String> {
        let found = self.header.hash_slow();
        if found == self.hash {
            Ok(self.header)
        } else {
            Err(format!("block {} hashes to {found}", self.hash))
        }
    }
}

/// The hash of a block as `eth_getBlockByNumber` gives it, worked out from its header.
///
/// # Errors
/// Why it is no block, or not the one that it says.
pub fn hash_of_block(block: &serde_json::Value) -> Result<B256, String> {
    let block = Block::deserialize(block).map_err(|error| error.to_string())?;
    block.checked().map(|header| header.hash_slow())
}

impl Chain {
    /// A block's header: the newest without a height. Its bytes hash to what the node calls the block.
    ///
    /// # Errors
    /// [`ClientError`]; a header of another hash than the node says is an answer that cannot be read.
    pub fn header(&self, height: Option<u64>) -> Result<Header, ClientError> {
        let method = "eth_getBlockByNumber";
        let at = height.map_or_else(|| json!("latest"), |height| json!(U64::from(height)));
        let unreadable = |why: String| ClientError::Answer { method, why };
        let block: Option<Block> = self.rpc().ask(method, json!([at, false]))?;
        block.ok_or_else(|| unreadable(format!("it has no block {at}")))?.checked().map_err(unreadable)
    }

    /// Words in slots of a contract at a height.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn words(&self, contract: Address, slots: &[U256], height: u64) -> Result<Vec<U256>, ClientError> {
        let ask = |slot: &U256| json!([contract, B256::from(*slot), U64::from(height)]);
        let words: Vec<B256> = self.rpc().ask_all("eth_getStorageAt", slots.iter().map(ask).collect())?;
        Ok(words.into_iter().map(Into::into).collect())
    }

    /// Trie nodes that prove slots at a height, those shared by many as often as the node sends them. A node keeps the tries of its
    /// last heights only (`--proof-history`).
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn proofs(
        &self,
        slots: impl IntoIterator<Item = (Address, U256)>,
        height: u64,
    ) -> Result<Vec<Bytes>, ClientError> {
        let mut of: BTreeMap<Address, Vec<B256>> = BTreeMap::new();
        for (contract, slot) in slots {
            of.entry(contract).or_default().push(slot.into());
        }
        let mut nodes = Vec::new();
        for (contract, slots) in of {
            for some in slots.chunks(SLOTS_AT_ONCE) {
                let asked = json!([contract, some, U64::from(height)]);
                let proof: Proof = self.rpc().ask("eth_getProof", asked)?;
                nodes.extend(proof.account_proof);
                nodes.extend(proof.storage_proof.into_iter().flat_map(|slot| slot.proof));
            }
        }
        Ok(nodes)
    }
}
