//! How many addresses and topics the filters and subscriptions of all connections may have together: each takes memory for
//! as long as it lives, and a look at every block.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::RpcError;

/// The terms that are left.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    left: Arc<Semaphore>,
    most: usize,
}

/// Terms of one filter; given back when dropped.
#[derive(Debug)]
pub(crate) struct TermShare {
    _permit: OwnedSemaphorePermit,
}

impl Terms {
    /// So many terms in all.
    pub(crate) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { left: Arc::new(Semaphore::new(most)), most }
    }

    /// Takes `count` of them; `None` where there are not as many left.
    pub(crate) fn take(&self, count: usize) -> Option<TermShare> {
        let count = u32::try_from(count).ok()?;
        self.left.clone().try_acquire_many_owned(count).ok().map(|permit| TermShare { _permit: permit })
    }

    /// What a caller is told for whom there are none.
    pub(crate) fn exhausted(&self) -> RpcError {
        RpcError::limit(format!(
            "too many addresses and topics: the filters and subscriptions of all connections may have {} together; \
             name fewer, or uninstall some",
            self.most
        ))
    }
}
