//! From a transaction's bytes to a transaction that carries its sender.
//!
//! Recovery is the dearest part of a transfer (about 40 µs, against 1 to 3 for its execution), so it happens once, here,
//! on arrival; [`Tx`] carries the sender from then on. The authorities of EIP-7702 are recovered in the same pass.

use alloy_consensus::{Transaction, TxEnvelope, Typed2718};
use alloy_eips::{
    Encodable2718,
    eip7702::{RecoveredAuthority, RecoveredAuthorization, SignedAuthorization},
};
use alloy_primitives::{Address, Bytes};
use chlom_primitives::{
    Tx,
    tx::{TxDecodeError, decode},
};
use rayon::prelude::*;

use crate::signature::{SignatureError, recover_signer};

/// Gas that a transaction has besides its authorizations, and for each of them (EIP-2, EIP-7702), at the least.
const LEAST_TX_GAS: u64 = 21_000;
const AUTHORIZATION_GAS: u64 = 25_000;

/// Why bytes give no transaction with a sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// The bytes are no transaction that CHLOM takes.
    #[error(transparent)]
    Decode(#[from] TxDecodeError),
    /// The bytes decode, and encode to something else: two byte strings would be one transaction.
    #[error("rlp: not the canonical encoding of the transaction")]
    NotCanonical,
    /// A type that CHLOM does not take (EIP-4844).
    #[error("transaction type not supported: {ty}")]
    UnsupportedType {
        /// EIP-2718 type byte.
        ty: u8,
    },
    /// The signature names no sender.
    #[error("invalid sender: {0}")]
    Signature(#[from] SignatureError),
}

/// The account that signed a transaction. The signed hash covers the chain id of every typed transaction and of a legacy
/// one whose `v` carries it (EIP-155); whether that is our chain is for the pool and the block to judge.
///
/// # Errors
/// For a blob transaction and for a signature that names nobody.
pub fn recover(envelope: &TxEnvelope) -> Result<Address, RecoverError> {
    if envelope.is_eip4844() {
        return Err(RecoverError::UnsupportedType { ty: envelope.ty() });
    }
    Ok(recover_signer(envelope.signature(), envelope.signature_hash())?)
}

/// Decodes a transaction in its network form, recovers its sender, and the authorities that it names (EIP-7702) where its
/// gas can pay for them: otherwise it is invalid, whoever they are. The hash is computed too, so that nobody needs to later
/// under a lock.
///
/// # Errors
/// See [`RecoverError`].
pub fn recover_tx(raw: Bytes) -> Result<Tx, RecoverError> {
    let envelope = decode(&raw)?;
    if envelope.encode_2718_len() != raw.len() || envelope.encoded_2718() != raw.as_ref() {
        return Err(RecoverError::NotCanonical);
    }
    let sender = recover(&envelope)?;
    let _computed_and_kept = envelope.tx_hash();
    Ok(with_authorities(Tx::with_raw(envelope, sender, raw)))
}

/// A transaction with the authorities that it names (EIP-7702), where its gas can pay for them.
pub fn with_authorities(tx: Tx) -> Tx {
    if !pays_for_authorizations(tx.envelope()) {
        return tx;
    }
    let recovered = recover_authorities(tx.envelope());
    tx.with_authorizations(recovered)
}

fn pays_for_authorizations(envelope: &TxEnvelope) -> bool {
    let Some(list) = envelope.authorization_list() else { return false };
    let count = u64::try_from(list.len()).unwrap_or(u64::MAX);
    AUTHORIZATION_GAS.saturating_mul(count).saturating_add(LEAST_TX_GAS) <= envelope.gas_limit()
}

/// [`recover_tx`] of many, on every core; the answers are in the order of the questions.
pub fn recover_batch(raw: Vec<Bytes>) -> Vec<Result<Tx, RecoverError>> {
    raw.into_par_iter().map(recover_tx).collect()
}

/// The account that delegates its code by this authorization (EIP-7702).
///
/// # Errors
/// For a parity above 1 and whatever [`recover_signer`] refuses. Such an authorization is skipped by execution, it does
/// not make its transaction invalid.
pub fn recover_authority(authorization: &SignedAuthorization) -> Result<Address, SignatureError> {
    let signature =
        authorization.signature().map_err(|_| SignatureError::Parity { parity: authorization.y_parity() })?;
    recover_signer(&signature, authorization.inner().signature_hash())
}

/// The authorizations of a transaction with their authorities, in order, as execution takes them; empty for a
/// transaction without any. Alloy would recover them too, with a library five times as slow.
pub fn recover_authorities(envelope: &TxEnvelope) -> Vec<RecoveredAuthorization> {
    let with_authority = |signed: &SignedAuthorization| {
        let authority = match recover_authority(signed) {
            Ok(address) => RecoveredAuthority::Valid(address),
            Err(_) => RecoveredAuthority::Invalid,
        };
        RecoveredAuthorization::new_unchecked(signed.inner().clone(), authority)
    };
    envelope.authorization_list().unwrap_or_default().iter().map(with_authority).collect()
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
