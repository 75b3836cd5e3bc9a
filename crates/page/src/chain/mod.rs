//! What a chain says, read through a node's JSON-RPC: logs in their order into a bounded index, then the state after the newest
//! block, for the few things that are shown. Upholds [PAG-6], [PAG-7].
//!
//! - [`logs`]: which logs are read, and what each says. [`index`]: what is kept of them. [`newest`]: keeping the newest.
//! - [`blocks`], [`lanes`], [`batches`], [`licences`], [`payees`], [`money`]: what is shown of each, asked of one height.

mod batches;
mod blocks;
mod index;
mod lanes;
mod licences;
mod logs;
mod money;
mod newest;
mod payees;

use std::collections::BTreeMap;

use alloy_primitives::{B256, U64};
use chlom_client::{Chain, ClientError};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::{blocks::Blocks, index::Index, lanes::Lanes, money::Tokens};
use crate::Source;

/// Heights that are asked for at once; a node that finds that too many is asked for fewer.
const HEIGHTS_AT_ONCE: u64 = 2_000;
/// Times that a look asks for them, so that somebody who waits sees how far it is.
const ASKED_IN_A_LOOK: usize = 25;

/// Names of licences by id: the chain has their hashes only.
pub type Names = BTreeMap<B256, String>;

/// A chain behind a node.
pub struct ChainSource {
    url: String,
    names: Names,
    chain: Option<Chain>,
    known: Known,
}

/// All that was read of one chain, as long as that goes on from it.
#[derive(Default)]
struct Known {
    index: Index,
    /// The first height whose logs are not in the index.
    next: u64,
    step: u64,
    /// Hash of the block before `next`.
    last: Option<B256>,
    /// The head that was shown.
    shown: Option<B256>,
    blocks: Blocks,
    lanes: Lanes,
    tokens: Tokens,
}

/// A block's header.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    number: U64,
    hash: B256,
    timestamp: U64,
    base_fee_per_gas: U64,
    gas_used: U64,
    gas_limit: U64,
}

/// Where a look asks: one height of one chain.
#[derive(Clone, Copy)]
struct At<'a> {
    chain: &'a Chain,
    height: u64,
    time: u64,
}

impl ChainSource {
    /// The chain of the node at `url`, which need not be there yet.
    pub fn new(url: String, names: Names) -> Self {
        Self { url, names, chain: None, known: Known::default() }
    }

    fn try_look(&mut self) -> Result<Option<Map<String, Value>>, ClientError> {
        let chain = match self.chain.take() {
            Some(chain) => self.chain.insert(chain),
            None => self.chain.insert(Chain::connect(&self.url)?),
        };
        let head = block(chain, None)?.ok_or_else(|| missing("a head"))?;
        if self.known.shown == Some(head.hash) {
            return Ok(None);
        }
        self.known.go_on_from(chain, head.number.to())?;
        let known = &mut self.known;
        known.follow(chain, &head)?;
        let mut members = Map::new();
        let all = known.next > head.number.to();
        let shown = match all {
            true => known.show(chain, &head, &self.names)?,
            // A long history: whoever waits sees how far it is read.
            false => {
                json!({ "id": chain.id(), "height": head.number.to::<u64>(), "read": known.next.saturating_sub(1) })
            }
        };
        members.insert("chain".into(), shown);
        known.shown = all.then_some(head.hash);
        Ok(Some(members))
    }
}

impl Source for ChainSource {
    fn look(&mut self) -> Result<Option<Map<String, Value>>, String> {
        self.try_look().map_err(|error| {
            // Another chain may be there next time.
            if matches!(error, ClientError::Transport { .. } | ClientError::Status { .. }) {
                self.chain = None;
                self.known.shown = None;
            }
            error.to_string()
        })
    }
}

impl Known {
    /// Forgets everything when the chain does not go on from what was read: a development chain went back, or is another one.
    fn go_on_from(&mut self, chain: &Chain, head: u64) -> Result<(), ClientError> {
        let Some(last) = self.last else { return Ok(()) };
        let height = self.next.saturating_sub(1);
        let found = if height <= head { block(chain, Some(height))? } else { None };
        if found.is_none_or(|found| found.hash != last) {
            *self = Self::default();
        }
        Ok(())
    }

    /// Reads logs up to the head, or as far as one look goes.
    fn follow(&mut self, chain: &Chain, head: &Head) -> Result<(), ClientError> {
        let end = head.number.to::<u64>();
        if self.step == 0 {
            self.step = HEIGHTS_AT_ONCE;
        }
        for _ in 0..ASKED_IN_A_LOOK {
            if self.next > end {
                break;
            }
            let last = end.min(self.next.saturating_add(self.step - 1));
            match logs::between(chain, self.next, last) {
                Ok(events) => {
                    events.into_iter().for_each(|event| self.index.add(event));
                    self.next = last.saturating_add(1);
                    self.last = None;
                    self.step = self.step.saturating_mul(2).min(HEIGHTS_AT_ONCE);
                }
                Err(ClientError::Refused { .. } | ClientError::TooLong { .. }) if last > self.next => {
                    self.step = (last - self.next).div_ceil(2);
                }
                Err(other) => return Err(other),
            }
        }
        if self.last.is_none() {
            let height = self.next.saturating_sub(1);
            self.last = match height == end {
                true => Some(head.hash),
                false => block(chain, Some(height))?.map(|block| block.hash),
            };
        }
        Ok(())
    }

    fn show(&mut self, chain: &Chain, head: &Head, names: &Names) -> Result<Value, ClientError> {
        let at = At { chain, height: head.number.to(), time: head.timestamp.to() };
        let names = |id: &B256| names.get(id).map(|name| crate::text::shown(name));
        let lanes = self.lanes.show(at, &mut self.index, &mut self.tokens)?;
        let batches = batches::show(at, &mut self.index, &mut self.lanes)?;
        let licences = licences::show(at, &mut self.index, &names)?;
        let payees = payees::show(at, &mut self.index, &names)?;
        let money = money::show(at, &self.index, &mut self.tokens)?;
        Ok(json!({
            "id": chain.id(), "height": at.height, "read": at.height, "hash": head.hash, "time": at.time,
            "baseFee": head.base_fee_per_gas.to::<u64>().to_string(),
            "gasUsed": head.gas_used.to::<u64>(), "gasLimit": head.gas_limit.to::<u64>(),
            "blocks": self.blocks.show(at)?,
            "lanes": lanes, "batches": batches, "frauds": batches::frauds(&self.index),
            "licences": licences, "payees": payees, "money": money,
        }))
    }
}

/// A block's header; the head's without a height. `None`: there is none yet.
fn block(chain: &Chain, height: Option<u64>) -> Result<Option<Head>, ClientError> {
    let at = height.map_or_else(|| json!("latest"), |height| json!(U64::from(height)));
    chain.rpc().ask("eth_getBlockByNumber", json!([at, false]))
}

fn missing(what: &str) -> ClientError {
    ClientError::Answer { method: "eth_getBlockByNumber", why: format!("the node has no {what}") }
}

/// One of several answers to as many questions.
fn one<T>(answers: Result<Vec<Result<T, ClientError>>, ClientError>) -> Result<T, ClientError> {
    answers?.pop().unwrap_or_else(|| Err(missing("an answer")))
}
