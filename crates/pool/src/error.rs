//! Refusals and faults. The texts of [`AddError`] are geth's: wallets and libraries match on them.

use alloy_primitives::{Address, U256};
use chlom_state::StateError;

use crate::journal::{JournalError, JournalFailure};

/// Why a transaction is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// The pool holds this very transaction.
    #[error("already known")]
    AlreadyKnown,
    /// A type that CHLOM does not take.
    #[error("transaction type not supported: tx type {ty} not supported by this pool")]
    UnsupportedType {
        /// EIP-2718 type.
        ty: u8,
    },
    /// Longer than what anything in CHLOM decodes.
    #[error("oversized data: transaction size {size}, limit {limit}")]
    Oversized {
        /// Encoded bytes.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Creation code above the limit of EIP-3860.
    #[error("max initcode size exceeded: code size {size} limit {limit}")]
    InitcodeTooLarge {
        /// Bytes of creation code.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The gas limit is above the cap of EIP-7825.
    #[error("transaction gas limit too high (cap: {cap}, tx: {gas})")]
    GasLimitTooHigh {
        /// Most that a transaction may ask for.
        cap: u64,
        /// The transaction's gas limit.
        gas: u64,
    },
    /// The gas limit is above the block's.
    #[error("exceeds block gas limit")]
    ExceedsBlockGasLimit {
        /// The block's gas limit.
        limit: u64,
        /// The transaction's gas limit.
        gas: u64,
    },
    /// More for the proposer than in all.
    #[error(
        "max priority fee per gas higher than max fee per gas: address {sender}, maxPriorityFeePerGas: {tip_cap}, \
         maxFeePerGas: {fee_cap}"
    )]
    TipAboveFeeCap {
        /// Who signed.
        sender: Address,
        /// Priority fee cap, wei per gas.
        tip_cap: u128,
        /// Fee cap, wei per gas.
        fee_cap: u128,
    },
    /// Signed for another chain.
    #[error("invalid sender: invalid chain id for signer: have {have} want {want}")]
    ChainId {
        /// The transaction's chain id.
        have: u64,
        /// This chain's.
        want: u64,
    },
    /// No chain id, and the configuration asks for one.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// The nonce is 2^64 − 1, which EIP-2681 keeps from ever being used.
    #[error("nonce has max value")]
    NonceMax,
    /// Too little gas to begin.
    #[error("intrinsic gas too low: gas {gas}, minimum needed {needed}")]
    IntrinsicGas {
        /// The transaction's gas limit.
        gas: u64,
        /// Gas charged before execution.
        needed: u64,
    },
    /// Too little gas for the calldata (EIP-7623).
    #[error("insufficient gas for floor data gas cost: gas {gas}, minimum needed {needed}")]
    FloorGas {
        /// The transaction's gas limit.
        gas: u64,
        /// Least charge by calldata.
        needed: u64,
    },
    /// The fee cap is below what this node takes: no block could include it.
    #[error("transaction gas price below minimum: gas fee cap {fee_cap}, minimum needed {needed}")]
    FeeCapTooLow {
        /// Fee cap, wei per gas.
        fee_cap: u128,
        /// The node's least, wei per gas.
        needed: u128,
    },
    /// The priority fee is below what this node takes.
    #[error("transaction gas price below minimum: gas tip cap {tip_cap}, minimum needed {needed}")]
    TipTooLow {
        /// Priority fee cap, wei per gas.
        tip_cap: u128,
        /// The node's least, wei per gas.
        needed: u128,
    },
    /// A set-code transaction that sets nothing (EIP-7702).
    #[error("set code tx must have at least one authorization tuple")]
    NoAuthorizations,
    /// The account has code that is no delegation (EIP-3607).
    #[error("sender not an eoa: address {sender}, len(code): {code_size}")]
    SenderNotEoa {
        /// Who signed.
        sender: Address,
        /// Bytes of code.
        code_size: usize,
    },
    /// A transaction with this nonce is in a block.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// The account's nonce.
        next: u64,
        /// The transaction's.
        nonce: u64,
    },
    /// The account cannot pay.
    #[error("insufficient funds for gas * price + value: {0}")]
    InsufficientFunds(Box<Overdraft>),
    /// One with the same nonce waits and this one does not raise both fees enough.
    #[error("replacement transaction underpriced")]
    ReplacementUnderpriced,
    /// The account has as many transactions in the pool as it may.
    #[error("account limit exceeded: pooled {pooled} txs")]
    AccountLimit {
        /// How many.
        pooled: usize,
    },
    /// The pool is full and this one pays no more than the worst in it.
    #[error("transaction underpriced")]
    Underpriced,
    /// The pool is full of what cannot be displaced by this one.
    #[error("txpool is full")]
    Full,
    /// The journal could not make it durable; it was not taken.
    #[error("the transaction could not be made durable: {0}")]
    Journal(#[from] JournalFailure),
    /// The store failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// For what an account cannot pay. All numbers are wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overdraft {
    /// For this transaction.
    #[error("balance {balance}, tx cost {cost}, overshot {overshot}")]
    One {
        /// What the account has.
        balance: U256,
        /// What the transaction may cost.
        cost: U256,
        /// What is missing.
        overshot: U256,
    },
    /// For this transaction and those before it.
    #[error("balance {balance}, queued cost {queued}, tx cost {cost}, overshot {overshot}")]
    All {
        /// What the account has.
        balance: U256,
        /// What its pending transactions may cost.
        queued: U256,
        /// What this one may cost.
        cost: U256,
        /// What is missing.
        overshot: U256,
    },
    /// For its transactions with this one in the place of another.
    #[error("balance {balance}, queued cost {queued}, tx bumped {bump}, overshot {overshot}")]
    Bump {
        /// What the account has.
        balance: U256,
        /// What its pending transactions may cost.
        queued: U256,
        /// What this one may cost more than the one it replaces.
        bump: U256,
        /// What is missing.
        overshot: U256,
    },
}

impl From<Overdraft> for AddError {
    fn from(overdraft: Overdraft) -> Self {
        Self::InsufficientFunds(Box::new(overdraft))
    }
}

/// Why a pool does not open.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A limit that makes no sense.
    #[error("pool configuration: {name} is {value}, it must be at least {min}")]
    Config {
        /// Field of [`crate::PoolConfig`].
        name: &'static str,
        /// Value found.
        value: usize,
        /// Least value.
        min: usize,
    },
}
