//! Methods that are about the node rather than about the chain's content.

mod accounts;
mod dev;
mod net;
pub(crate) mod quantity;
pub(crate) mod raw;
mod rpc;
mod send;
pub(crate) mod sync;
mod txpool;
mod web3;

use crate::{
    context::Context,
    dispatch::{Class, Row, table::ServiceMethod},
    filters,
};

/// Methods that use the chain only.
pub(crate) fn chain_rows(context: &Context) -> Vec<Row> {
    let mut rows: Vec<Row> = vec![
        ("net_version", Class::Light, net::version),
        ("net_listening", Class::Light, net::listening),
        ("net_peerCount", Class::Light, net::peer_count),
        ("web3_clientVersion", Class::Light, web3::client_version),
        ("web3_sha3", Class::Light, web3::sha3),
        ("txpool_status", Class::Light, txpool::status),
        ("txpool_content", Class::Heavy, txpool::content),
        ("txpool_contentFrom", Class::Heavy, txpool::content_from),
        ("txpool_inspect", Class::Heavy, txpool::inspect),
        ("eth_accounts", Class::Light, accounts::list),
        ("eth_sign", Class::Light, accounts::sign),
    ];
    if context.dev.is_some() {
        let dev: [Row; 6] = [
            ("personal_sign", Class::Light, accounts::personal_sign),
            ("eth_signTypedData_v4", Class::Heavy, accounts::sign_typed_data),
            ("evm_mine", Class::Heavy, dev::mine),
            ("evm_increaseTime", Class::Heavy, dev::increase_time),
            ("evm_setNextBlockTimestamp", Class::Heavy, dev::set_next_block_timestamp),
            ("evm_snapshot", Class::Heavy, dev::snapshot),
        ];
        rows.extend(dev);
    }
    rows
}

/// Methods that use the server's own state too.
pub(crate) fn server_rows(context: &Context) -> Vec<(&'static str, Class, ServiceMethod)> {
    let mut rows: Vec<(&'static str, Class, ServiceMethod)> = vec![
        ("rpc_modules", Class::Light, rpc::modules),
        ("eth_newFilter", Class::Light, filters::methods::new_log_filter),
        ("eth_newBlockFilter", Class::Light, filters::methods::new_block_filter),
        ("eth_newPendingTransactionFilter", Class::Light, filters::methods::new_pending_filter),
        ("eth_uninstallFilter", Class::Light, filters::methods::uninstall),
        ("eth_getFilterChanges", Class::Heavy, filters::methods::changes),
        ("eth_getFilterLogs", Class::Heavy, filters::methods::logs),
        ("eth_sendTransaction", Class::Heavy, send::send),
        ("eth_signTransaction", Class::Heavy, send::sign),
    ];
    if context.dev.is_some() {
        rows.push(("evm_revert", Class::Heavy, dev::revert));
    }
    rows
}
