//! eth_getLogs, and the same search for filters and subscriptions.

use std::sync::Arc;

use alloy_primitives::Bloom;
use chlom_primitives::{Block, Receipt};

use super::{
    block_id::{BlockId, NumberOrTag},
    deadline::Deadline,
    filter::{Filter, Scope},
    json::Json,
    log_texts::{LogTexts, texts},
    point::{block, head, store_error},
};
use crate::{
    context::{Context, NewBlock},
    dispatch::{Answer, Params, Reply, budget::Room},
    error::RpcError,
};

/// eth_getLogs: what matches the filter, as an array.
pub(super) fn get_logs(ctx: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let filter: Filter = params.required(0)?;
    filter.check(&ctx.limits)?;
    logs(ctx, &filter, params)
}

/// All logs that match a filter, as a JSON array.
///
/// # Errors
/// An unknown block, a range that is no range or too wide, more results than the limits allow.
pub(crate) fn logs(ctx: &Context, filter: &Filter, params: &Params<'_>) -> Reply {
    match filter.scope {
        Scope::Block(hash) => {
            let found = block(ctx, BlockId::Hash(hash))?.ok_or_else(|| RpcError::server("unknown block"))?;
            logs_at(ctx, filter, &found, params)
        }
        Scope::Range { from, to } => {
            let (first, last) = range(ctx, from, to)?;
            logs_between(ctx, filter, first, last, params)
        }
    }
}

/// The heights of a range.
fn range(ctx: &Context, from: NumberOrTag, to: NumberOrTag) -> Result<(u64, u64), RpcError> {
    let head = head(ctx)?.block.height();
    let height = |name| match name {
        NumberOrTag::Number(height) => Ok(height),
        NumberOrTag::Latest => Ok(head),
        NumberOrTag::Pending => Err(RpcError::invalid_params("pending logs are not supported")),
    };
    let (first, last) = (height(from)?, height(to)?);
    if first > last {
        return Err(RpcError::invalid_params("invalid block range params"));
    }
    if last > head {
        return Err(RpcError::invalid_params("block range extends beyond current head block"));
    }
    Ok((first, last))
}

/// The logs that match a filter's terms at heights `first` to `last`, as a JSON array; the filter's own scope is not
/// looked at.
///
/// # Errors
/// A range wider, or more results, than the limits allow.
pub(crate) fn logs_between(
    ctx: &Context,
    filter: &Filter,
    first: u64,
    last: u64,
    params: &Params<'_>,
) -> Reply {
    if last.saturating_sub(first) >= ctx.limits.log_range {
        return Err(RpcError::invalid_params(format!("exceed maximum block range {}", ctx.limits.log_range)));
    }
    let deadline = Deadline::start(ctx);
    let head = head(ctx)?.block;
    let mut search = Search::new(ctx, filter, params);
    for height in first..=last.min(head.height()) {
        deadline.check()?;
        // Most blocks are left out by their bloom: only the header is read of those.
        let bloom =
            if height == head.height() { Some(head.header.logs_bloom) } else { bloom_at(ctx, height)? };
        if !bloom.is_some_and(|bloom| filter.may_match(&bloom)) {
            continue;
        }
        let Some(found) = block(ctx, BlockId::Number(NumberOrTag::Number(height)))? else { break };
        let (receipts, written) = load(ctx, &found)?;
        if first == last && takes_every(filter, &receipts) {
            return search.whole(&written);
        }
        search.add(&receipts, &written)?;
    }
    Ok(search.finish())
}

fn bloom_at(ctx: &Context, height: u64) -> Result<Option<Bloom>, RpcError> {
    let header = ctx.store.header(height).map_err(store_error)?;
    Ok(header.map(|header| header.logs_bloom))
}

fn logs_at(ctx: &Context, filter: &Filter, found: &Block, params: &Params<'_>) -> Reply {
    let mut search = Search::new(ctx, filter, params);
    if filter.may_match(&found.header.logs_bloom) {
        let (receipts, written) = load(ctx, found)?;
        if takes_every(filter, &receipts) {
            return search.whole(&written);
        }
        search.add(&receipts, &written)?;
    }
    Ok(search.finish())
}

/// True when no log of a block is left out: then its text is the answer, and is not copied.
fn takes_every(filter: &Filter, receipts: &[Receipt]) -> bool {
    filter.takes_all() || receipts.iter().flat_map(|receipt| &receipt.logs).all(|log| filter.matches(log))
}

fn load(ctx: &Context, block: &Block) -> Result<(Arc<Vec<Receipt>>, Arc<LogTexts>), RpcError> {
    let receipts = ctx.store.receipts(block.height()).map_err(store_error)?;
    let receipts = receipts.ok_or_else(|| RpcError::internal("a block without its receipts"))?;
    let written = texts(block, &receipts);
    Ok((receipts, written))
}

/// Gives the logs of a new block that match a filter's terms, each a JSON object, one by one; for subscriptions.
///
/// # Errors
/// That of `each`, at which it ends.
pub(crate) fn logs_of_block<E>(
    new: &NewBlock,
    filter: &Filter,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    if !filter.may_match(&new.block.header.logs_bloom) {
        return Ok(());
    }
    let written = texts(&new.block, &new.receipts);
    let logs = new.receipts.iter().flat_map(|receipt| &receipt.logs).enumerate();
    logs.filter(|(_, log)| filter.matches(log)).try_for_each(|(index, _)| each(written.log(index)))
}

/// A result in the making, and its bounds.
struct Search<'a> {
    ctx: &'a Context,
    filter: &'a Filter,
    json: Json,
    room: Room,
    found: usize,
}

impl<'a> Search<'a> {
    fn new(ctx: &'a Context, filter: &'a Filter, params: &Params<'_>) -> Self {
        let mut json = Json::default();
        json.open_array();
        Self { ctx, filter, json, room: params.room(), found: 0 }
    }

    fn add(&mut self, receipts: &[Receipt], written: &LogTexts) -> Result<(), RpcError> {
        if self.filter.takes_all() {
            self.found += written.count();
            self.json.item().raw(written.elements());
            return self.bounds();
        }
        for (index, log) in receipts.iter().flat_map(|receipt| &receipt.logs).enumerate() {
            if self.filter.matches(log) {
                self.found += 1;
                self.json.item().raw(written.log(index));
            }
        }
        self.bounds()
    }

    /// A block's logs are the whole answer: it is shared, not copied.
    fn whole(&mut self, written: &LogTexts) -> Reply {
        self.found = written.count();
        self.bounds()?;
        Ok(Answer::Shared(written.array().clone()))
    }

    fn bounds(&mut self) -> Result<(), RpcError> {
        let limits = &self.ctx.limits;
        if self.found > limits.log_results {
            return Err(RpcError::limit(format!(
                "query returned more than {} results; ask for fewer blocks or name addresses or topics",
                limits.log_results
            )));
        }
        if self.json.len() > limits.response_bytes {
            return Err(RpcError::limit(format!("response is larger than {} bytes", limits.response_bytes)));
        }
        self.room.cover(self.json.len())
    }

    fn finish(mut self) -> Answer {
        self.json.close_array();
        self.json.into()
    }
}
