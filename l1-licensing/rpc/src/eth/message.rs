//! From a transaction object to what the EVM executes.

use alloy_eips::eip7702::{RecoveredAuthority, RecoveredAuthorization, SignedAuthorization};
use chlom_crypto::recover_authority;
use revm::{
    context::{TxEnv, either::Either},
    primitives::TxKind,
};

use super::request::CallRequest;

const LEGACY: u8 = 0;
const EIP2930: u8 = 1;
const EIP1559: u8 = 2;
const EIP7702: u8 = 4;

/// What the EVM executes for a request. Without any fee the type is EIP-1559's with both fees zero; [`is_free`] is true
/// of it then.
pub(crate) fn tx_env(request: &CallRequest, gas_limit: u64, nonce: u64, chain_id: u64) -> TxEnv {
    let authorizations = request.authorization_list.as_deref();
    let (price, tip, plain) = match request.gas_price {
        Some(price) => (price, Some(price), true),
        None => {
            let tip = request.max_priority_fee_per_gas.unwrap_or_default();
            (request.max_fee_per_gas.unwrap_or_default(), Some(tip), false)
        }
    };
    let tx_type = match (authorizations, plain, &request.access_list) {
        (Some(_), ..) => EIP7702,
        (None, true, Some(_)) => EIP2930,
        (None, true, None) => LEGACY,
        (None, false, _) => EIP1559,
    };
    TxEnv {
        tx_type,
        caller: request.sender(),
        gas_limit,
        gas_price: price,
        kind: request.to.map_or(TxKind::Create, TxKind::Call),
        value: request.value.unwrap_or_default(),
        data: request.calldata(),
        nonce,
        chain_id: Some(chain_id),
        access_list: request.access_list.clone().unwrap_or_default(),
        gas_priority_fee: if matches!(tx_type, LEGACY | EIP2930) { None } else { tip },
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: recovered(authorizations.unwrap_or_default()),
    }
}

fn recovered(list: &[SignedAuthorization]) -> Vec<Either<SignedAuthorization, RecoveredAuthorization>> {
    let authority =
        |signed| recover_authority(signed).map_or(RecoveredAuthority::Invalid, RecoveredAuthority::Valid);
    list.iter()
        .map(|signed| {
            Either::Right(RecoveredAuthorization::new_unchecked(signed.inner().clone(), authority(signed)))
        })
        .collect()
}

/// True when a transaction offers nothing for gas: it executes at base fee zero then, so that nobody needs funds to ask.
pub(crate) fn is_free(tx: &TxEnv) -> bool {
    tx.gas_price == 0 && tx.gas_priority_fee.unwrap_or_default() == 0
}
