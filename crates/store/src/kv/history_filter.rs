//! Drops dead history while the engine compacts, so that pruning costs no deletions.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use fjall::compaction::filter::{
    CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict,
};

/// History keys end with their height; entries at or below the floor can never be asked for again, whatever version
/// of them the engine holds, which is the condition for [`Verdict::Destroy`].
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryFilter {
    /// 0 keeps everything: there is no history of height 0.
    pub(crate) floor: Arc<AtomicU64>,
}

struct Pass {
    floor: u64,
}

impl Factory for HistoryFilter {
    fn name(&self) -> &str {
        "chlom-history"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Pass { floor: self.floor.load(Ordering::Acquire) })
    }
}

impl CompactionFilter for Pass {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> CompactionFilterResult {
        let height = item.key().last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
        Ok(match height {
            Some(height) if height <= self.floor => Verdict::Destroy,
            _ => Verdict::Keep,
        })
    }
}
