//! What a proposer brings: transactions and a budget.

use std::sync::Arc;

use chlom_evm::TxInvalid;
use chlom_primitives::Tx;

/// Where a proposer's transactions come from: best first, each sender's in nonce order.
pub trait TxSource {
    /// The next candidate.
    fn next(&mut self) -> Option<Arc<Tx>>;
    /// The candidate is not in the block, and so nothing later of its sender can be. `why` is `None` when it only did
    /// not fit.
    fn refuse(&mut self, tx: &Arc<Tx>, why: Option<&TxInvalid>);
}

/// How long a proposer goes on. Only the proposer asks; no verdict depends on it.
pub trait Budget {
    /// True once no further transaction should start.
    fn is_spent(&mut self) -> bool;
}

impl<F: FnMut() -> bool> Budget for F {
    fn is_spent(&mut self) -> bool {
        self()
    }
}
