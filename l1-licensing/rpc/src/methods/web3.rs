//! `web3_`.

use std::sync::Arc;

use alloy_primitives::{Bytes, keccak256};

use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
};

/// `web3_clientVersion`.
pub(super) fn client_version(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Answer::of(&context.client_version)
}

/// `web3_sha3`: keccak256 of the bytes.
pub(super) fn sha3(_: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    Answer::of(&keccak256(params.required::<Bytes>(0)?))
}
