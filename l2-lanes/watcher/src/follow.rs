//! From the chain's events to batches in the store, block by block, and a node that contradicts itself found out.

use alloy_primitives::{B256, U64};
use chlom_client::{
    Chain,
    lanes::{
        batches,
        events::{Follower, Happening, LaneEvent},
    },
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    WatchError,
    store::{BatchRecord, Cursor, Stage, Store},
};

/// What to do where the chain is not to blame.
const ANEW: &str = "; ask another node, or give another --dir where a development chain began anew";

/// A block, as far as following needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: B256,
    /// Its parent's.
    pub parent: B256,
    /// Seconds.
    pub time: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RpcBlock {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
}

/// A block by its number or tag.
///
/// # Errors
/// A node that does not answer, or does not have it.
pub fn block(chain: &Chain, which: &str) -> Result<Block, WatchError> {
    let found: Option<RpcBlock> = chain.rpc().ask("eth_getBlockByNumber", json!([which, false]))?;
    let found = found.ok_or_else(|| lie(chain, format!("it has no block {which}")))?;
    Ok(Block {
        height: found.number.to(),
        hash: found.hash,
        parent: found.parent_hash,
        time: found.timestamp.to(),
    })
}

/// A block by its height.
///
/// # Errors
/// As [`block`].
pub fn at(chain: &Chain, height: u64) -> Result<Block, WatchError> {
    block(chain, &format!("{height:#x}"))
}

fn lie(chain: &Chain, why: String) -> WatchError {
    WatchError::Lie { url: chain.rpc().url().into(), why }
}

/// What a look at the chain brought. Nothing of it is in the store yet: it goes there together, with the place that was reached.
#[derive(Debug)]
pub struct News {
    /// The head.
    pub head: Block,
    /// Up to where this is all.
    pub reached: Cursor,
    /// Batches that were accepted.
    pub accepted: Vec<BatchRecord>,
    /// What happened to batches otherwise.
    pub events: Vec<LaneEvent>,
}

impl News {
    /// Whether all up to the head is known.
    pub const fn is_level(&self) -> bool {
        self.reached.height >= self.head.height
    }
}

/// Looks at the next blocks. Upholds [WAT-6].
///
/// # Errors
/// A node that does not answer; [`WatchError::Lie`] from one whose blocks do not continue those that were seen.
pub fn look(chain: &Chain, store: &Store, cursor: &Cursor) -> Result<News, WatchError> {
    let head = block(chain, "latest")?;
    check_continues(chain, cursor, &head)?;
    if head.height == cursor.height {
        return Ok(News { head, reached: *cursor, accepted: Vec::new(), events: Vec::new() });
    }
    let mut follower = Follower::from(cursor.height.saturating_add(1));
    let (found, _) = follower.poll(chain)?;
    let reached = follower.next().saturating_sub(1);
    let last = if reached == head.height { head } else { at(chain, reached)? };
    let (mut new, mut events) = (Vec::new(), Vec::new());
    for event in found {
        match &event.what {
            Happening::Accepted { .. } => new.extend(accepted(chain, store, &event)?),
            _ => events.push(event),
        }
    }
    let head = if reached > head.height { last } else { head };
    Ok(News { head, reached: Cursor { height: last.height, hash: last.hash }, accepted: new, events })
}

/// What is committed is final: a node that shows another block where one was seen is on another chain, or lies.
fn check_continues(chain: &Chain, cursor: &Cursor, head: &Block) -> Result<(), WatchError> {
    if head.height < cursor.height {
        let why = format!("its head is {}, block {} was there before{ANEW}", head.height, cursor.height);
        return Err(lie(chain, why));
    }
    let seen = match head.height - cursor.height {
        0 => head.hash,
        1 => head.parent,
        _ => at(chain, cursor.height)?.hash,
    };
    if seen == cursor.hash {
        return Ok(());
    }
    Err(lie(chain, format!("its block {} is {seen}, it was {}{ANEW}", cursor.height, cursor.hash)))
}

fn accepted(chain: &Chain, store: &Store, event: &LaneEvent) -> Result<Option<BatchRecord>, WatchError> {
    let Happening::Accepted { lane, period, number, header, .. } = &event.what else { return Ok(None) };
    let root = event.batch;
    if alloy_primitives::keccak256(header) != root {
        return Err(lie(chain, format!("the header that it gives for batch {root} is another's")));
    }
    if store.order_of(&root)?.is_some() {
        return Ok(None);
    }
    let order = batches::consent_of(chain, root)?.order.to::<u64>();
    let on_chain = batches::batch(chain, root)?;
    Ok(Some(BatchRecord {
        root,
        order,
        lane: *lane,
        period: *period,
        number: *number,
        header: header.clone(),
        height: event.height,
        accepted_at: event.time,
        closes_at: on_chain.closesAt.to(),
        stage: Stage::Seen,
    }))
}
