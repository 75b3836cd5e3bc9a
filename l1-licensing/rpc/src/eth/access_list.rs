//! eth_createAccessList: what a transaction would touch, as an EIP-2930 list.

use std::sync::Arc;

use alloy_eips::eip2930::AccessList;
use revm::context::result::ExecutionResult;
use revm_inspectors::access_list::AccessListInspector;

use super::{
    block_id::BlockId,
    call::gas_limit,
    deadline::Deadline,
    json::Json,
    message::tx_env,
    outcome::{halt_message, revert_message},
    overrides::StateOverride,
    request::CallRequest,
    stage::Stage,
    transaction_json::write_access_list,
};
use crate::{
    context::Context,
    dispatch::{Params, Reply},
    error::RpcError,
};

/// eth_createAccessList. The list changes what the transaction can do with its gas and so, rarely, what it touches:
/// executed again with its own list until that stays the same. Sender, receiver, precompiles and authorities are left out
/// unless their storage is touched: they are warm anyway.
pub(super) fn create_access_list(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(3)?;
    let mut request: CallRequest = params.required(0)?;
    let id: BlockId = params.optional(1)?.unwrap_or_default();
    let overrides: Option<StateOverride> = params.optional(2)?;
    request.check(ctx.params.chain.evm_chain_id)?;
    let mut stage = Stage::new(ctx, id, overrides.as_ref(), None)?;
    let deadline = Deadline::start(ctx);
    let mut list = request.access_list.take().unwrap_or_default();
    let result = loop {
        deadline.check()?;
        let (result, touched) = execute(&mut stage, &request, &list)?;
        if touched == list {
            break result;
        }
        list = touched;
    };
    let mut json = Json::with_capacity(256);
    json.open_object();
    json.key("accessList");
    write_access_list(&mut json, &list);
    if let Some(error) = failure(&result) {
        json.key("error").text(&error);
    }
    json.key("gasUsed").quantity(result.tx_gas_used());
    json.close_object();
    Ok(json.into())
}

fn execute(
    stage: &mut Stage<'_>,
    request: &CallRequest,
    list: &AccessList,
) -> Result<(ExecutionResult, AccessList), RpcError> {
    let request = CallRequest { access_list: Some(list.clone()), ..request.clone() };
    let tx = tx_env(&request, gas_limit(stage.ctx, &request), 0, stage.ctx.params.chain.evm_chain_id);
    let mut inspector = AccessListInspector::new(list.clone());
    let outcome = stage.inspect(tx, &mut inspector).map_err(|refused| refused.into_error())?;
    let mut touched = inspector.into_access_list();
    for entry in &mut touched.0 {
        entry.storage_keys.sort_unstable();
    }
    touched.0.sort_unstable_by_key(|entry| entry.address);
    Ok((outcome.result, touched))
}

fn failure(result: &ExecutionResult) -> Option<String> {
    match result {
        ExecutionResult::Success { .. } => None,
        ExecutionResult::Revert { output, .. } => Some(revert_message(output)),
        ExecutionResult::Halt { reason, .. } => Some(halt_message(reason)),
    }
}
