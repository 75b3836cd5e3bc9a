//! The logs of a block as JSON text, written once and kept for a while: what dApps ask for is mostly the same few blocks.
//! Blocks are final, so a text never changes; the key is the block's hash, so that any chain may share the shelf.

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock},
};

use alloy_primitives::B256;
use bytes::Bytes;
use chlom_primitives::{Block, Receipt};
use parking_lot::Mutex;

use super::{json::Json, receipt_json::write_log, transaction_json::Place};

/// Bytes of text kept, all blocks together.
const SHELF_BYTES: usize = 32 * 1024 * 1024;

/// Blocks with fewer logs are written anew each time: that is as quick as finding them.
const WORTH_KEEPING: usize = 32;

/// All logs of a block.
pub(crate) struct LogTexts {
    /// A JSON array.
    array: Bytes,
    /// Where each log starts in `array`, in order, and one past the closing bracket's position.
    starts: Vec<u32>,
}

impl LogTexts {
    /// Writes all logs of a block.
    pub(crate) fn write(block: &Block, receipts: &[Receipt]) -> Self {
        let count: usize = receipts.iter().map(|receipt| receipt.logs.len()).sum();
        let mut json = Json::with_capacity(2 + count * 640);
        let mut starts = Vec::with_capacity(count + 1);
        json.open_array();
        let mut index = 0;
        for (position, receipt) in receipts.iter().enumerate() {
            let (place, hash) = (Place::of(block, position), block.txs[position].hash());
            for log in &receipt.logs {
                json.item();
                starts.push(json.len() as u32);
                write_log(&mut json, log, &place, &hash, index);
                index += 1;
            }
        }
        starts.push(json.len() as u32 + 1);
        json.close_array();
        Self { array: json.into_bytes().into(), starts }
    }

    /// The array with every log.
    pub(crate) fn array(&self) -> &Bytes {
        &self.array
    }

    /// How many logs.
    pub(crate) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The elements without the brackets.
    pub(crate) fn elements(&self) -> &[u8] {
        &self.array[1..self.array.len() - 1]
    }

    /// Log `index`, counted over the block.
    pub(crate) fn log(&self, index: usize) -> &[u8] {
        // A comma or the bracket stands between one log's end and the next one's start.
        &self.array[self.starts[index] as usize..self.starts[index + 1] as usize - 1]
    }
}

#[derive(Default)]
struct Shelf {
    blocks: VecDeque<(B256, Arc<LogTexts>)>,
    bytes: usize,
}

static SHELF: LazyLock<Mutex<Shelf>> = LazyLock::new(Mutex::default);

/// The logs of a block, from the shelf where they are.
pub(crate) fn texts(block: &Block, receipts: &[Receipt]) -> Arc<LogTexts> {
    if let Some((_, found)) = SHELF.lock().blocks.iter().find(|(hash, _)| *hash == block.hash) {
        return found.clone();
    }
    let texts = Arc::new(LogTexts::write(block, receipts));
    if texts.count() >= WORTH_KEEPING && texts.array.len() <= SHELF_BYTES / 2 {
        keep(block.hash, &texts);
    }
    texts
}

fn keep(hash: B256, texts: &Arc<LogTexts>) {
    let mut shelf = SHELF.lock();
    if shelf.blocks.iter().any(|(kept, _)| *kept == hash) {
        return;
    }
    shelf.bytes += texts.array.len();
    shelf.blocks.push_back((hash, texts.clone()));
    while shelf.bytes > SHELF_BYTES {
        let Some((_, oldest)) = shelf.blocks.pop_front() else { break };
        shelf.bytes -= oldest.array.len();
    }
}
