//! Every method by name.

use std::{collections::HashMap, sync::Arc};

use crate::{
    context::Context,
    dispatch::{Class, Method, Params, Reply, Row, service::Service},
    metrics::{MethodMeter, RpcMetrics},
};

/// A method that uses the server's own state (filters, the method table) besides the chain's.
pub(crate) type ServiceMethod = fn(&Arc<Service>, &Params<'_>) -> Reply;

/// How a method is run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handler {
    /// Uses the chain only.
    Chain(Class, Method),
    /// Uses the server too.
    Server(Class, ServiceMethod),
    /// `eth_sendRawTransaction`: neighbours in a batch are admitted together.
    SendRaw,
    /// `eth_sendRawTransactionSync`: waits for a block.
    SendRawSync,
    /// `eth_subscribe`: needs a connection that can be written to at any time.
    Subscribe,
    /// `eth_unsubscribe`.
    Unsubscribe,
}

/// One method.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: &'static str,
    /// How it is run.
    pub(crate) handler: Handler,
    /// What it cost so far.
    pub(crate) meter: MethodMeter,
}

/// All methods of a server.
#[derive(Debug)]
pub(crate) struct Table(HashMap<&'static str, Entry>);

impl Table {
    /// The methods that a node with this context offers: the `evm_` ones on `chlom dev` only.
    pub(crate) fn new(context: &Context, metrics: &RpcMetrics) -> Self {
        let mut table = Self(HashMap::new());
        for (name, class, method) in chain_rows(context) {
            table.insert(name, Handler::Chain(class, method), metrics);
        }
        for (name, class, method) in crate::methods::server_rows(context) {
            table.insert(name, Handler::Server(class, method), metrics);
        }
        table.insert("eth_sendRawTransaction", Handler::SendRaw, metrics);
        table.insert("eth_sendRawTransactionSync", Handler::SendRawSync, metrics);
        table.insert("eth_subscribe", Handler::Subscribe, metrics);
        table.insert("eth_unsubscribe", Handler::Unsubscribe, metrics);
        table
    }

    fn insert(&mut self, name: &'static str, handler: Handler, metrics: &RpcMetrics) {
        let entry = Entry { name, handler, meter: metrics.method(name) };
        let replaced = self.0.insert(name, entry);
        debug_assert!(replaced.is_none(), "{name} has two implementations");
    }

    /// The method with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    /// All names, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

fn chain_rows(context: &Context) -> Vec<Row> {
    let mut rows = crate::methods::chain_rows(context);
    rows.extend(crate::blobs::rows(context));
    rows.extend_from_slice(crate::eth::table());
    rows.extend_from_slice(crate::debug::table());
    rows
}
