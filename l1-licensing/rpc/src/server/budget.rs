//! How much memory large bodies and answers of all connections together may take.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Pieces up to this size are not counted; the number of connections bounds them.
pub(super) const FREE: usize = 64 * 1024;

const UNIT: usize = 1024;

/// A share of the memory; given back when dropped.
#[derive(Debug, Default)]
pub(super) struct Share {
    _permit: Option<OwnedSemaphorePermit>,
}

/// The memory that is left.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Semaphore>);

impl Budget {
    /// A budget of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT).min(Semaphore::MAX_PERMITS))))
    }

    /// Takes room for a piece of `bytes`; `None` where there is none. Nobody waits: waiting pieces take memory too.
    pub(super) fn take(&self, bytes: usize) -> Option<Share> {
        if bytes <= FREE {
            return Some(Share::default());
        }
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        self.0.clone().try_acquire_many_owned(units).ok().map(|permit| Share { _permit: Some(permit) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pieces_share_the_budget_and_small_ones_are_free() {
        let budget = Budget::new(10 * FREE);
        let first = budget.take(9 * FREE).expect("room");
        assert!(budget.take(2 * FREE).is_none());
        assert!(budget.take(FREE).is_some());
        drop(first);
        assert!(budget.take(10 * FREE).is_some());
        assert!(budget.take(usize::MAX).is_none());
    }
}
