//! Point reads of state: balances, nonces, code, storage, proofs.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Instant};

use alloy_primitives::{Address, B256, U256, hex};
use chlom_state::{Account, StateReader};
use chlom_store::AccountProof;

use super::{
    block_id::{BlockId, NumberOrTag},
    json::Json,
    point::{Point, head, point, state_error, store_error},
};
use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
    error::RpcError,
};

/// geth's code for too many slots in eth_getStorageValues.
const TOO_MANY_SLOTS: i64 = -38026;

/// Arguments (address, block): where they are, and the address.
fn address_at(ctx: &Context, params: &Params<'_>) -> Result<(Address, Point), RpcError> {
    params.at_most(2)?;
    let address = params.required(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or_default();
    Ok((address, point(ctx, id)?))
}

/// eth_getBalance.
pub(super) fn get_balance(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    let (address, point) = address_at(ctx, params)?;
    let mut json = Json::with_capacity(70);
    json.quantity256(&point.account(&address)?.balance);
    Ok(json.into())
}

/// eth_getTransactionCount; `pending` counts what waits in the pool, too.
pub(super) fn get_transaction_count(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let address: Address = params.required(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or_default();
    let committed = |id| Ok::<_, RpcError>(point(ctx, id)?.account(&address)?.nonce);
    let nonce = if id == BlockId::Number(NumberOrTag::Pending) {
        pending_nonce(ctx, &address)?
    } else {
        committed(id)?
    };
    let mut json = Json::with_capacity(20);
    json.quantity(nonce);
    Ok(json.into())
}

/// The nonce that the account's next transaction must have, after all that wait.
///
/// # Errors
/// Faults of the store.
pub(crate) fn pending_nonce(ctx: &Context, address: &Address) -> Result<u64, RpcError> {
    let account = head(ctx)?.state.account(address).map_err(state_error)?.unwrap_or_default();
    Ok(ctx.pool.next_nonce(address).unwrap_or_default().max(account.nonce))
}

/// eth_getCode.
pub(super) fn get_code(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    let (address, point) = address_at(ctx, params)?;
    let account = point.account(&address)?;
    let code = point.state.code(&account.code_hash).map_err(state_error)?;
    let mut json = Json::with_capacity(code.len() * 2 + 4);
    json.hex(&code);
    Ok(json.into())
}

/// eth_getStorageAt.
pub(super) fn get_storage_at(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(3)?;
    let address: Address = params.required(0)?;
    let key: Cow<'_, str> = params.required(1)?;
    let id: BlockId = params.optional(2)?.unwrap_or_default();
    let slot = StorageKey::parse(&key)?;
    let value = point(ctx, id)?.slot(&address, &slot.slot())?;
    let mut json = Json::with_capacity(70);
    json.hex(&value.to_be_bytes::<32>());
    Ok(json.into())
}

/// eth_getStorageValues: several slots of several accounts.
pub(super) fn get_storage_values(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let requests: BTreeMap<Address, Vec<String>> = params.required(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or_default();
    let slots: usize = requests.values().map(Vec::len).sum();
    if slots > ctx.limits.proof_slots {
        let message = format!("too many slots (max {})", ctx.limits.proof_slots);
        return Err(RpcError::new(TOO_MANY_SLOTS, message));
    }
    if slots == 0 {
        return Err(RpcError::invalid_params("empty request"));
    }
    let point = point(ctx, id)?;
    let mut json = Json::with_capacity(64 * requests.len() + 70 * slots);
    json.open_object();
    for (address, keys) in &requests {
        json.key(&format!("{address:#x}")).open_array();
        for key in keys {
            let value = point.slot(address, &StorageKey::parse(key)?.slot())?;
            json.item().hex(&value.to_be_bytes::<32>());
        }
        json.close_array();
    }
    json.close_object();
    Ok(json.into())
}

/// eth_getProof (EIP-1186), at the heights that the node keeps the trie of.
pub(super) fn get_proof(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(3)?;
    let address: Address = params.required(0)?;
    let texts: Vec<String> = params.required(1)?;
    let id: BlockId = params.optional(2)?.unwrap_or_default();
    if texts.len() > ctx.limits.proof_slots {
        return Err(RpcError::invalid_params(format!(
            "too many storage keys requested (max {}, got {})",
            ctx.limits.proof_slots,
            texts.len()
        )));
    }
    let keys: Vec<StorageKey> = texts.iter().map(|text| StorageKey::parse(text)).collect::<Result<_, _>>()?;
    let slots: Vec<U256> = keys.iter().map(StorageKey::slot).collect();
    let block = point_block(ctx, id)?;
    let deadline = Instant::now() + ctx.limits.call_time;
    let proof = ctx.store.proof_by(block, address, &slots, deadline).map_err(store_error)?;
    Ok(proof_json(&address, &keys, &proof))
}

fn point_block(ctx: &Context, id: BlockId) -> Result<u64, RpcError> {
    let found = super::point::block(ctx, id)?;
    found.map(|block| block.height()).ok_or_else(super::point::header_not_found)
}

fn proof_json(address: &Address, keys: &[StorageKey], proof: &AccountProof) -> Answer {
    let account: Account = proof.account.unwrap_or_default();
    let mut json = Json::with_capacity(8192);
    let write_nodes = |json: &mut Json, nodes: &[alloy_primitives::Bytes]| {
        json.open_array();
        for node in nodes {
            json.item().hex(node);
        }
        json.close_array();
    };
    json.open_object();
    json.key("address").hex(address.as_slice());
    write_nodes(json.key("accountProof"), &proof.account_proof);
    json.key("balance").quantity256(&account.balance);
    json.key("codeHash").hex(account.code_hash.as_slice());
    json.key("nonce").quantity(account.nonce);
    json.key("storageHash").hex(account.storage_root.as_slice());
    json.key("storageProof").open_array();
    for (key, slot) in keys.iter().zip(&proof.storage) {
        json.item().open_object();
        key.write(json.key("key"));
        json.key("value").quantity256(&slot.value);
        write_nodes(json.key("proof"), &slot.proof);
        json.close_object();
    }
    json.close_array();
    json.close_object();
    json.into()
}

/// A storage slot as callers write it: up to 32 bytes of hex, the prefix optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StorageKey {
    word: B256,
    /// All 32 bytes were given: the answer repeats them so, and as a quantity otherwise (geth's habit).
    full: bool,
}

impl StorageKey {
    fn parse(text: &str) -> Result<Self, RpcError> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let refuse = |why: &str| RpcError::invalid_params(format!("{why}: {text:?}"));
        if digits.len() > 64 {
            return Err(refuse("storage key too long (want at most 32 bytes)"));
        }
        let even =
            if digits.len() % 2 == 1 { Cow::Owned(format!("0{digits}")) } else { Cow::Borrowed(digits) };
        let bytes = hex::decode(even.as_ref()).map_err(|_| refuse("invalid hex in storage key"))?;
        Ok(Self { word: B256::left_padding_from(&bytes), full: bytes.len() == 32 })
    }

    fn slot(&self) -> U256 {
        U256::from_be_bytes(self.word.0)
    }

    fn write(&self, json: &mut Json) {
        if self.full { json.hex(self.word.as_slice()) } else { json.quantity256(&self.slot()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_keys_are_read_leniently_and_bounded() {
        let key = |text: &str| StorageKey::parse(text).map(|k| (k.slot(), k.full)).map_err(|e| e.message);
        assert_eq!(key("0x0"), Ok((U256::ZERO, false)));
        assert_eq!(key("0x"), Ok((U256::ZERO, false)));
        assert_eq!(key("1f"), Ok((U256::from(31), false)));
        assert_eq!(key(&format!("0x{:064x}", 7)), Ok((U256::from(7), true)));
        assert!(key(&format!("0x{:066x}", 7)).unwrap_err().contains("too long"));
        assert!(key("0xzz").unwrap_err().contains("invalid hex"));
        assert!(key("0x0x1").unwrap_err().contains("invalid hex"));
    }
}
