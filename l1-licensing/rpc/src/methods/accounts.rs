//! `eth_accounts` and what those accounts sign: the node holds the keys of no others, and none but on `chlom dev`.

use std::sync::Arc;

use alloy_dyn_abi::TypedData;
use alloy_primitives::{Address, B256, Bytes, eip191_hash_message};

use crate::{
    context::{Context, DevControl},
    dispatch::{Answer, Params, Reply, params::invalid},
    error::RpcError,
};

/// Who signs for `account`.
///
/// # Errors
/// geth's `unknown account`, where the node does not hold the key.
pub(super) fn signer<'a>(context: &'a Context, account: &Address) -> Result<&'a dyn DevControl, RpcError> {
    let control = context.dev.as_deref().filter(|dev| dev.accounts().contains(account));
    control.ok_or_else(|| RpcError::server("unknown account"))
}

/// `eth_accounts`.
pub(super) fn list(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Answer::of(&context.dev.as_ref().map(|dev| dev.accounts()).unwrap_or_default())
}

/// `eth_sign`: an EIP-191 signature over a message.
pub(super) fn sign(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    signed(context, &params.required(0)?, &eip191_hash_message(params.required::<Bytes>(1)?))
}

/// `personal_sign`: [`sign`] with its arguments the other way round; a third one, the password of a locked account, is not
/// looked at.
pub(super) fn personal_sign(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(3)?;
    signed(context, &params.required(1)?, &eip191_hash_message(params.required::<Bytes>(0)?))
}

/// `eth_signTypedData_v4`: an EIP-712 signature over typed data, which is an object or its text.
pub(super) fn sign_typed_data(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(2)?;
    let account: Address = params.required(0)?;
    let data: TypedData = params.required(1)?;
    let digest = data.eip712_signing_hash().map_err(|error| invalid(1, error))?;
    signed(context, &account, &digest)
}

fn signed(context: &Context, account: &Address, digest: &B256) -> Reply {
    let signature = signer(context, account)?.sign(account, digest)?;
    Answer::of(&Bytes::copy_from_slice(&signature))
}
