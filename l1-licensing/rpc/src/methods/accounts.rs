//! `eth_accounts` and `eth_sign`: the accounts whose keys the node holds, none but on `chlom dev`.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, eip191_hash_message};

use crate::{
    context::{Context, DevControl},
    dispatch::{Answer, Params, Reply},
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
    let (account, message): (Address, Bytes) = (params.required(0)?, params.required(1)?);
    let signature = signer(context, &account)?.sign(&account, &eip191_hash_message(&message))?;
    Answer::of(&Bytes::copy_from_slice(&signature))
}
