//! A simulated block as JSON: a block object with its calls.

use std::sync::Arc;

use alloy_primitives::Log;
use chlom_primitives::{Block, Tx};
use revm::context::result::ExecutionResult;

use crate::{
    error::REVERTED,
    eth::{
        block_json::{Sealed, write_block_open},
        json::Json,
        outcome::{halt_message, revert_message},
        receipt_json::write_log,
        transaction_json::Place,
    },
};

/// The EVM stopped a call.
const VM_ERROR: i64 = -32015;

/// A call and what became of it.
pub(super) struct Called {
    pub(super) tx: Arc<Tx>,
    pub(super) result: ExecutionResult,
    /// With transfers, where asked for.
    pub(super) logs: Vec<Log>,
    /// The node's limit, not the caller's, bounded its gas.
    pub(super) capped: bool,
}

/// Writes a block with whole transactions or their hashes, and its calls.
pub(super) fn write_block(json: &mut Json, block: &Block, called: &[Called], full: bool) {
    write_block_open(json.item(), block, full, Sealed::Hash(block.hash));
    json.key("calls").open_array();
    let mut log_index = 0;
    for (position, call) in called.iter().enumerate() {
        write_call(json.item(), call, &Place::of(block, position), &mut log_index);
    }
    json.close_array();
    json.close_object();
}

fn write_call(json: &mut Json, call: &Called, place: &Place, log_index: &mut u64) {
    let (gas, hash) = (call.result.gas(), call.tx.hash());
    json.open_object();
    json.key("returnData").hex(call.result.output().map_or(&[][..], |data| data));
    json.key("logs").open_array();
    if call.result.is_success() {
        for log in &call.logs {
            write_log(json.item(), log, place, &hash, *log_index);
            *log_index += 1;
        }
    }
    json.close_array();
    json.key("gasUsed").quantity(gas.tx_gas_used());
    json.key("maxUsedGas").quantity(gas.total_gas_spent().max(gas.floor_gas()));
    json.key("status").quantity(call.result.is_success().into());
    write_failure(json, call);
    json.close_object();
}

fn write_failure(json: &mut Json, call: &Called) {
    let (code, message, data) = match &call.result {
        ExecutionResult::Success { .. } => return,
        ExecutionResult::Revert { output, .. } => (REVERTED, revert_message(output), Some(output)),
        ExecutionResult::Halt { reason, .. } => {
            let cap =
                if call.capped { " (gas limit was capped by the RPC server's global gas cap)" } else { "" };
            (VM_ERROR, format!("vm execution error: {}{cap}", halt_message(reason)), None)
        }
    };
    json.key("error").open_object();
    json.key("code").raw(code.to_string().as_bytes());
    json.key("message").text(&message);
    if let Some(data) = data {
        json.key("data").hex(data);
    }
    json.close_object();
}
