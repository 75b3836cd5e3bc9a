//! Who hears of new pending transactions.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicU64, Ordering},
    mpsc::{Receiver, RecvError, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel},
};
use std::time::Duration;

use chlom_primitives::Tx;
use parking_lot::RwLock;

type Callback = Arc<dyn Fn(&[Arc<Tx>]) + Send + Sync>;
type List = Arc<Vec<(u64, Callback)>>;

/// All listeners. A notification walks a copy of the list, so a callback may subscribe or unsubscribe.
#[derive(Default)]
pub(crate) struct Listeners {
    list: RwLock<List>,
    next: AtomicU64,
    lost: Arc<AtomicU64>,
}

/// A registered callback; dropping this ends it.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    id: u64,
    listeners: Weak<Listeners>,
}

/// A bounded channel of new pending transactions. Whoever reads too slowly loses some, and can see how many.
pub struct PendingReceiver {
    receiver: Receiver<Arc<Tx>>,
    lost: Arc<AtomicU64>,
    _subscription: Subscription,
}

impl Listeners {
    pub(crate) fn register(self: &Arc<Self>, callback: Callback) -> Subscription {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        Arc::make_mut(&mut *self.list.write()).push((id, callback));
        Subscription { id, listeners: Arc::downgrade(self) }
    }

    pub(crate) fn channel(self: &Arc<Self>, capacity: usize) -> PendingReceiver {
        let (sender, receiver) = sync_channel(capacity);
        let lost = Arc::new(AtomicU64::new(0));
        let (own, all) = (lost.clone(), self.lost.clone());
        let callback = move |txs: &[Arc<Tx>]| {
            let missed = txs.iter().filter(|tx| was_missed(&sender, tx)).count() as u64;
            if missed > 0 {
                own.fetch_add(missed, Ordering::Relaxed);
                all.fetch_add(missed, Ordering::Relaxed);
            }
        };
        PendingReceiver { receiver, lost, _subscription: self.register(Arc::new(callback)) }
    }

    pub(crate) fn notify(&self, txs: &[Arc<Tx>]) {
        if txs.is_empty() {
            return;
        }
        let list = self.list.read().clone();
        for (_, callback) in list.iter() {
            callback(txs);
        }
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// A receiver that is gone misses nothing.
fn was_missed(sender: &SyncSender<Arc<Tx>>, tx: &Arc<Tx>) -> bool {
    matches!(sender.try_send(tx.clone()), Err(TrySendError::Full(_)))
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(listeners) = self.listeners.upgrade() {
            let _dropped_after_the_lock = {
                let mut list = listeners.list.write();
                let left = list.iter().filter(|(id, _)| *id != self.id).cloned().collect();
                std::mem::replace(&mut *list, Arc::new(left))
            };
        }
    }
}

impl PendingReceiver {
    /// The next transaction; waits for it.
    ///
    /// # Errors
    /// When the pool is gone.
    pub fn recv(&self) -> Result<Arc<Tx>, RecvError> {
        self.receiver.recv()
    }

    /// The next transaction; waits for it, but not longer than `timeout`.
    ///
    /// # Errors
    /// When the time is over or the pool is gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Arc<Tx>, RecvTimeoutError> {
        self.receiver.recv_timeout(timeout)
    }

    /// The next transaction, if one waits.
    ///
    /// # Errors
    /// When none waits or the pool is gone.
    pub fn try_recv(&self) -> Result<Arc<Tx>, TryRecvError> {
        self.receiver.try_recv()
    }

    /// How many transactions this receiver lost by reading too slowly.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}
