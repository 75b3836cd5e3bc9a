//! `rpc_modules`.

use std::{collections::BTreeMap, sync::Arc};

use crate::dispatch::{Answer, Params, Reply, service::Service};

/// `rpc_modules`: every namespace that has a method here, with its version.
pub(super) fn modules(service: &Arc<Service>, params: &Params<'_>) -> Reply {
    params.at_most(0)?;
    let namespaces = service.table.names().filter_map(|name| name.split_once('_'));
    let versions: BTreeMap<_, _> = namespaces.map(|(namespace, _)| (namespace, "1.0")).collect();
    Answer::of(&versions)
}
