//! The transaction pool: signed transactions that wait for a block.
//!
//! A transaction's way through it, in order:
//!
//! 1. [`Pool::add`] judges it. What needs no state comes first (chain id, size, gas, fees: `admission`), then what its
//!    sender's account says (nonce, funds), then the pool's own rules (replacement, limits). Refusals are [`AddError`],
//!    in the words that Ethereum's clients share, because wallets match on them.
//! 2. It is *pending* when every nonce from the account's on up to its own is in the pool and the account can pay for all
//!    of them together, *queued* otherwise. Only pending transactions go into blocks. Queued ones expire after
//!    [`PoolConfig::queued_lifetime`], and any transaction after [`PoolConfig::lifetime`]. None is taken whose fee cap is
//!    below the least base fee.
//! 3. With a journal, `add` returns once the transaction is on disk: whoever holds a hash may kill the node.
//!    Transactions that arrive together share one `fdatasync` (`journal`). When that fails they are refused,
//!    and what they had driven out comes back.
//! 4. [`Pool::best`] hands transactions to the block builder: highest effective tip first, then first come, nonces of
//!    one account in order.
//! 5. [`Pool::on_block`] drops what a block included or made impossible, and promotes what it unblocked.
//!
//! When the pool is full, the worst leaves first: queued before pending, then the lowest effective tip, then the latest
//! arrival. A newcomer that is no better than the worst is refused instead.
//!
//! The pool is never part of consensus: a block's validity does not depend on it.

// An edge: it has a disk, a clock for what expires, and maps whose order never matters.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod admission;
mod best;
mod config;
mod error;
mod gas;
mod ingest;
mod journal;
mod listener;
mod pool;
mod price;
mod table;
mod view;

#[cfg(test)]
mod tests;

pub use best::Best;
pub use config::{MAX_INITCODE_BYTES, PoolConfig, PoolEnv, TX_GAS_CAP};
pub use error::{AddError, Overdraft, PoolError};
pub use gas::{IntrinsicGas, intrinsic_gas};
pub use ingest::Restored;
pub use journal::{JournalError, JournalFailure};
pub use listener::{PendingReceiver, Subscription};
pub use pool::Pool;
pub use view::{Content, Stats, Status, TxsByNonce};
