//! A transaction as JSON.

use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{B256, U256};
use chlom_primitives::{Block, Tx};

use super::json::Json;

/// Where a transaction stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The block's hash.
    pub(crate) block_hash: B256,
    /// The block's height.
    pub(crate) height: u64,
    /// The block's timestamp, seconds.
    pub(crate) timestamp: u64,
    /// The block's base fee, wei.
    pub(crate) base_fee: u64,
    /// Position in the block.
    pub(crate) index: u64,
}

impl Place {
    /// The place of `block`'s transaction `index`.
    pub(crate) fn of(block: &Block, index: usize) -> Self {
        Self {
            block_hash: block.hash,
            height: block.header.number,
            timestamp: block.header.timestamp,
            base_fee: block.header.base_fee_per_gas.unwrap_or_default(),
            index: index as u64,
        }
    }
}

/// Writes a transaction object; without a place, the four members that tell it are null (a pooled transaction).
pub(crate) fn write_transaction(json: &mut Json, tx: &Tx, place: Option<&Place>) {
    let envelope = tx.envelope();
    json.open_object();
    write_place(json, place);
    json.key("from").hex(tx.sender().as_slice());
    json.key("hash").hex(tx.hash().as_slice());
    write_body(json, envelope, place.map(|place| place.base_fee));
    write_signature(json, envelope);
    json.close_object();
}

fn write_place(json: &mut Json, place: Option<&Place>) {
    let Some(place) = place else {
        for name in ["blockHash", "blockNumber", "blockTimestamp", "transactionIndex"] {
            json.key(name).null();
        }
        return;
    };
    json.key("blockHash").hex(place.block_hash.as_slice());
    json.key("blockNumber").quantity(place.height);
    json.key("blockTimestamp").quantity(place.timestamp);
    json.key("transactionIndex").quantity(place.index);
}

/// The members that the sender chose. `base_fee` gives the price that was paid; a transaction that waits shows the most
/// that it would pay.
pub(crate) fn write_body(json: &mut Json, tx: &impl Transaction, base_fee: Option<u64>) {
    json.key("type").quantity(tx.ty().into());
    json.key("nonce").quantity(tx.nonce());
    json.key("gas").quantity(tx.gas_limit());
    match tx.to() {
        Some(to) => json.key("to").hex(to.as_slice()),
        None => json.key("to").null(),
    }
    json.key("value").quantity256(&tx.value());
    json.key("input").hex(tx.input());
    let price = if base_fee.is_some() { tx.effective_gas_price(base_fee) } else { tx.max_fee_per_gas() };
    json.key("gasPrice").quantity128(price);
    if tx.is_dynamic_fee() {
        json.key("maxFeePerGas").quantity128(tx.max_fee_per_gas());
        json.key("maxPriorityFeePerGas").quantity128(tx.max_priority_fee_per_gas().unwrap_or_default());
    }
    if let Some(chain_id) = tx.chain_id() {
        json.key("chainId").quantity(chain_id);
    }
    if let Some(list) = tx.access_list() {
        json.key("accessList");
        write_access_list(json, list);
    }
    if let Some(list) = tx.authorization_list() {
        json.key("authorizationList");
        write_authorizations(json, list);
    }
}

/// Writes an EIP-2930 list.
pub(crate) fn write_access_list(json: &mut Json, list: &AccessList) {
    json.open_array();
    for entry in &list.0 {
        json.item().open_object();
        json.key("address").hex(entry.address.as_slice());
        json.key("storageKeys").open_array();
        for key in &entry.storage_keys {
            json.item().hex(key.as_slice());
        }
        json.close_array();
        json.close_object();
    }
    json.close_array();
}

fn write_authorizations(json: &mut Json, list: &[SignedAuthorization]) {
    json.open_array();
    for signed in list {
        json.item().open_object();
        json.key("chainId").quantity256(&signed.chain_id);
        json.key("address").hex(signed.address.as_slice());
        json.key("nonce").quantity(signed.nonce);
        json.key("yParity").quantity(signed.y_parity().into());
        json.key("r").quantity256(&signed.r());
        json.key("s").quantity256(&signed.s());
        json.close_object();
    }
    json.close_array();
}

fn write_signature(json: &mut Json, envelope: &TxEnvelope) {
    let signature = envelope.signature();
    let parity = u64::from(signature.v());
    if envelope.is_legacy() {
        // EIP-155 folds the chain id into v.
        let v = match envelope.chain_id() {
            Some(chain_id) => U256::from(chain_id) * U256::from(2) + U256::from(35 + parity),
            None => U256::from(27 + parity),
        };
        json.key("v").quantity256(&v);
    } else {
        json.key("yParity").quantity(parity);
        json.key("v").quantity(parity);
    }
    json.key("r").quantity256(&signature.r());
    json.key("s").quantity256(&signature.s());
}
