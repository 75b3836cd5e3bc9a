//! The filter methods.

use std::sync::Arc;

use alloy_primitives::{B256, U128};

use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply, service::Service},
    error::{LIMIT_EXCEEDED, RpcError},
    eth::{
        block_id::NumberOrTag,
        filter::{Filter, Scope},
        json::Json,
        logs::{logs as find_logs, logs_between},
    },
    filters::Kind,
};

/// Block hashes that one poll returns; the next poll goes on from there.
const HASHES: u64 = 100_000;

fn not_found() -> RpcError {
    RpcError::server("filter not found")
}

fn head(context: &Context) -> Result<u64, RpcError> {
    let head = context.store.head().ok_or_else(|| RpcError::internal("the chain has no genesis"))?;
    Ok(head.block.height())
}

/// `eth_newFilter`.
pub(crate) fn new_log_filter(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let filter: Filter = params.required(0)?;
    filter.check(&service.context.limits)?;
    install(service, Kind::Logs(Arc::new(filter)), head(&service.context)? + 1)
}

/// `eth_newBlockFilter`.
pub(crate) fn new_block_filter(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    install(service, Kind::Blocks, head(&service.context)? + 1)
}

/// `eth_newPendingTransactionFilter`.
pub(crate) fn new_pending_filter(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    install(service, Kind::Pending, service.filters.pending.next())
}

fn install(service: &Service, kind: Kind, next: u64) -> Reply {
    service.filters.install(kind, next).map(Answer::quantity)
}

/// `eth_uninstallFilter`.
pub(crate) fn uninstall(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    Ok(Answer::bool(service.filters.uninstall(&params.required(0)?)))
}

/// `eth_getFilterLogs`: everything that a log filter matches, from its first block to its last.
pub(crate) fn logs(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    match service.filters.poll(&params.required(0)?) {
        Some((Kind::Logs(filter), _)) => find_logs(&service.context, &filter, params),
        _ => Err(not_found()),
    }
}

/// `eth_getFilterChanges`: what is new since the last poll.
pub(crate) fn changes(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let id: U128 = params.required(0)?;
    let (kind, next) = service.filters.poll(&id).ok_or_else(not_found)?;
    match kind {
        Kind::Pending => new_pending(service, &id, next),
        Kind::Blocks => new_blocks(service, &id, next),
        Kind::Logs(filter) => new_logs(service, &id, &filter, next, params),
    }
}

fn new_pending(service: &Service, id: &U128, from: u64) -> Reply {
    let (hashes, next, lost) = service.filters.pending.since(from);
    service.filters.advance(id, from, next);
    if lost > 0 {
        return Err(RpcError::limit(format!(
            "the filter missed {lost} transactions that were not polled in time; it goes on from now"
        )));
    }
    Ok(hashes_json(&hashes))
}

fn new_blocks(service: &Service, id: &U128, from: u64) -> Reply {
    let head = head(&service.context)?;
    let last = head.min(from.saturating_add(HASHES - 1));
    let mut hashes = Vec::new();
    for height in from..=last {
        let block = service.context.store.block(height).map_err(RpcError::internal)?;
        hashes.extend(block.map(|block| block.hash));
    }
    service.filters.advance(id, from, from.max(last + 1));
    Ok(hashes_json(&hashes))
}

fn hashes_json(hashes: &[B256]) -> Answer {
    let mut json = Json::with_capacity(2 + hashes.len() * 69);
    json.open_array();
    for hash in hashes {
        json.item().hex(hash.as_slice());
    }
    json.close_array();
    json.into()
}

/// The part of `from` to `head` that the filter itself asks for; empty where the first is above the last.
fn within(filter: &Filter, from: u64, head: u64) -> (u64, u64) {
    let Scope::Range { from: least, to: most } = filter.scope else { return (1, 0) };
    let bound = |name, otherwise| if let NumberOrTag::Number(height) = name { height } else { otherwise };
    (from.max(bound(least, 0)), head.min(bound(most, head)))
}

fn new_logs(service: &Service, id: &U128, filter: &Filter, from: u64, params: &Params<'_>) -> Reply {
    let context = &service.context;
    let head = head(context)?;
    let (first, last) = within(filter, from, head);
    if first > last {
        service.filters.advance(id, from, from.max(head + 1));
        return Ok(Answer::Static("[]"));
    }
    let mut last = last.min(first.saturating_add(context.limits.log_range - 1));
    loop {
        params.check_time()?;
        match logs_between(context, filter, first, last, params) {
            // More than one answer may hold: the rest comes with the next polls.
            Err(error) if error.code == LIMIT_EXCEEDED && last > first => last = first + (last - first) / 2,
            reply => {
                // A single block beyond the limits is reported once, not for ever.
                service.filters.advance(id, from, last + 1);
                return reply;
            }
        }
    }
}
