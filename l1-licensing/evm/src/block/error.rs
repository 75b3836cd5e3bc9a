//! Why a transaction or a block does not execute.

use alloy_primitives::B256;
use chlom_state::StateError;
use revm::context::result::{EVMError, InvalidTransaction};

use crate::state_db::DbError;

/// Why a transaction cannot be in this block at this place. It may be able to later, or in another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TxInvalid {
    /// Ethereum's rules, with the values that broke them.
    #[error(transparent)]
    Evm(InvalidTransaction),
    /// The block has less gas left than the transaction may use.
    #[error("gas limit reached: transaction gas limit {gas_limit}, left in block {gas_left}")]
    BlockGas {
        /// The transaction's gas limit.
        gas_limit: u64,
        /// What earlier transactions left of the block's.
        gas_left: u64,
    },
    /// A type that CHLOM's blocks do not carry (EIP-4844).
    #[error("transaction type not supported: {ty}")]
    UnsupportedType {
        /// EIP-2718 type byte.
        ty: u8,
    },
}

impl TxInvalid {
    /// False when no later block can hold the transaction either, so that a pool should drop it: its nonce is used, or its
    /// own bytes break a rule.
    pub fn may_pass_later(&self) -> bool {
        match self {
            Self::BlockGas { .. } => true,
            Self::UnsupportedType { .. } => false,
            Self::Evm(reason) => matches!(
                reason,
                InvalidTransaction::NonceTooHigh { .. }
                    | InvalidTransaction::GasPriceLessThanBasefee
                    | InvalidTransaction::LackOfFundForMaxFee { .. }
            ),
        }
    }
}

/// Why a transaction was not executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// It cannot be in this block; nothing has changed and the block goes on without it.
    #[error("transaction {hash}: {reason}")]
    Invalid {
        /// Hash of the transaction.
        hash: B256,
        /// Why.
        reason: TxInvalid,
    },
    /// A fault below the state: the block's execution is void and the node halts.
    #[error(transparent)]
    Fatal(#[from] StateError),
}

/// What remains of revm's errors when the transaction is not to blame.
pub(super) fn fault(error: EVMError<DbError>) -> StateError {
    match error {
        EVMError::Database(DbError(error)) => error,
        EVMError::Custom(reason) => StateError::Corrupt(reason),
        other => StateError::Corrupt(format!("execution cannot fail so: {other:?}")),
    }
}
