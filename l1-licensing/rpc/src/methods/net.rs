//! `net_`: `chlom dev` has no peers; a node's gossip network is not reached through JSON-RPC.

use std::sync::Arc;

use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
};

/// `net_version`: the chain id in decimal.
pub(super) fn version(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(format!("\"{}\"", context.params.chain.evm_chain_id).into())
}

/// `net_listening`.
pub(super) fn listening(_: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(Answer::TRUE)
}

/// `net_peerCount`.
pub(super) fn peer_count(_: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    Ok(Answer::quantity(0u64))
}
