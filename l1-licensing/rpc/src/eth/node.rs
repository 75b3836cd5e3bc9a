//! What the node is and has: identity, head, capabilities (eth_capabilities), rules (eth_config, EIP-7910).

use std::sync::Arc;

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::{Address, address};
use chlom_store::History;

use super::{json::Json, point::head};
use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
};

/// eth_chainId.
pub(super) fn chain_id(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(Answer::quantity(ctx.params.chain.evm_chain_id))
}

/// eth_blockNumber.
pub(super) fn block_number(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(Answer::quantity(head(ctx)?.block.height()))
}

/// eth_syncing: a node that answers has executed all that it knows of.
pub(super) fn syncing(_: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(Answer::FALSE)
}

/// eth_coinbase: whoever proposed the head.
pub(super) fn coinbase(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    let mut json = Json::with_capacity(48);
    json.hex(head(ctx)?.block.header.beneficiary.as_slice());
    Ok(json.into())
}

/// eth_capabilities: what is kept, and for how long.
pub(super) fn capabilities(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    let head = head(ctx)?.block;
    let mut json = Json::with_capacity(768);
    json.open_object();
    json.key("head").open_object();
    json.key("number").quantity(head.height());
    json.key("hash").hex(head.hash.as_slice());
    json.close_object();
    let window = match ctx.store.history() {
        History::All => None,
        History::Heights(heights) => Some(heights),
    };
    write_resource(&mut json, "state", ctx.store.oldest_history(), window);
    for name in ["tx", "logs", "receipts", "blocks"] {
        write_resource(&mut json, name, 0, None);
    }
    let proofs = ctx.store.proof_history();
    write_resource(&mut json, "stateproofs", head.height().saturating_sub(proofs), Some(proofs));
    json.close_object();
    Ok(json.into())
}

fn write_resource(json: &mut Json, name: &str, oldest: u64, window: Option<u64>) {
    json.key(name).open_object();
    json.key("disabled").bool(false);
    json.key("oldestBlock").quantity(oldest);
    if let Some(blocks) = window {
        json.key("deleteStrategy").open_object();
        json.key("type").text("window");
        json.key("retentionBlocks").quantity(blocks);
        json.close_object();
    }
    json.close_object();
}

/// Ethereum's precompiles by the names of EIP-7910.
const PRECOMPILES: &[(&str, Address)] = &[
    ("ECREC", address!("0000000000000000000000000000000000000001")),
    ("SHA256", address!("0000000000000000000000000000000000000002")),
    ("RIPEMD160", address!("0000000000000000000000000000000000000003")),
    ("ID", address!("0000000000000000000000000000000000000004")),
    ("MODEXP", address!("0000000000000000000000000000000000000005")),
    ("BN254_ADD", address!("0000000000000000000000000000000000000006")),
    ("BN254_MUL", address!("0000000000000000000000000000000000000007")),
    ("BN254_PAIRING", address!("0000000000000000000000000000000000000008")),
    ("BLAKE2F", address!("0000000000000000000000000000000000000009")),
    ("KZG_POINT_EVALUATION", address!("000000000000000000000000000000000000000a")),
    ("BLS12_G1ADD", address!("000000000000000000000000000000000000000b")),
    ("BLS12_G1MSM", address!("000000000000000000000000000000000000000c")),
    ("BLS12_G2ADD", address!("000000000000000000000000000000000000000d")),
    ("BLS12_G2MSM", address!("000000000000000000000000000000000000000e")),
    ("BLS12_PAIRING_CHECK", address!("000000000000000000000000000000000000000f")),
    ("BLS12_MAP_FP_TO_G1", address!("0000000000000000000000000000000000000010")),
    ("BLS12_MAP_FP2_TO_G2", address!("0000000000000000000000000000000000000011")),
    ("P256VERIFY", address!("0000000000000000000000000000000000000100")),
];

/// eth_config (EIP-7910): Osaka's rules since genesis, nothing scheduled. The system modules stand beside the contracts.
pub(super) fn config(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    let mut json = Json::with_capacity(2048);
    json.open_object();
    json.key("current").open_object();
    json.key("activationTime").number(0);
    json.key("blobSchedule").raw(br#"{"baseFeeUpdateFraction":5007716,"max":0,"target":0}"#);
    json.key("chainId").quantity(ctx.params.chain.evm_chain_id);
    json.key("forkId").hex(&crc32(ctx.store.genesis_hash().unwrap_or_default().as_slice()).to_be_bytes());
    json.key("precompiles").open_object();
    for (name, address) in PRECOMPILES {
        json.key(name).hex(address.as_slice());
    }
    json.close_object();
    json.key("systemContracts").open_object();
    json.key("HISTORY_STORAGE_ADDRESS").hex(HISTORY_STORAGE_ADDRESS.as_slice());
    for module in ctx.modules.iter() {
        json.key(&format!("CHLOM_{}", module.name().to_uppercase())).hex(module.address().as_slice());
    }
    json.close_object();
    json.close_object();
    json.key("next").null();
    json.key("last").null();
    json.close_object();
    Ok(json.into())
}

/// CRC-32 (ISO-HDLC), EIP-6122's fork hash: every fork is active since genesis, so only the genesis hash goes in.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let feedback = if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            (crc >> 1) ^ feedback
        })
    })
}

/// Seconds between simulated blocks: the chain's pace in whole seconds.
pub(crate) fn block_seconds(ctx: &Context) -> u64 {
    (ctx.params.chain.block_time_ms / 1000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_eip_2124() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let mainnet =
            alloy_primitives::b256!("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");
        assert_eq!(crc32(mainnet.as_slice()), 0xfc64_ec04);
    }

    #[test]
    fn precompiles_are_the_ones_that_execute() {
        for (name, address) in PRECOMPILES {
            assert!(crate::eth::overrides::is_precompile(address), "{name}");
        }
        let known = revm::precompile::Precompiles::osaka().addresses().count();
        assert_eq!(PRECOMPILES.len(), known);
    }
}
