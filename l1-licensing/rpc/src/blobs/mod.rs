//! `chlom_` methods about blobs, on nodes that keep some (ARCHITECTURE §5). Bodies arrive by `POST /chlom_putBlob`
//! ([`crate::server`]); who pays for them and publishes them signs a transaction to `0x…1003` like any other.
//!
//! - [`status`]: what the chain and this node know of a blob.
//! - [`read`]: its payload, its cells; on `chlom dev`, losing some.

mod read;
mod status;

use std::sync::Arc;

use chlom_blobs::{BlobError, BlobService, ServiceError};

use crate::{
    context::Context,
    dispatch::{Class, Row},
    error::{RESOURCE_NOT_FOUND, RpcError},
};

/// The methods that a node with this context offers.
pub(crate) fn rows(context: &Context) -> Vec<Row> {
    if context.blobs.is_none() {
        return Vec::new();
    }
    let mut rows: Vec<Row> = vec![
        ("chlom_blobStatus", Class::Heavy, status::status),
        ("chlom_getBlob", Class::Heavy, read::blob),
        ("chlom_getCells", Class::Heavy, read::cells),
    ];
    if context.dev.is_some() {
        rows.push(("chlom_dropCells", Class::Heavy, read::drop_cells));
    }
    rows
}

fn service(context: &Context) -> Result<&BlobService, RpcError> {
    context.blobs.as_deref().ok_or_else(|| RpcError::server("this node keeps no blobs"))
}

/// What a caller is told when the service refuses.
pub(crate) fn refused(error: ServiceError) -> RpcError {
    let text = error.to_string();
    match error {
        ServiceError::Store(BlobError::Unknown { .. }) | ServiceError::Lost { .. } => {
            RpcError::new(RESOURCE_NOT_FOUND, text)
        }
        ServiceError::Empty
        | ServiceError::Store(BlobError::NoSuchCell { .. } | BlobError::Duplicate { .. }) => {
            RpcError::invalid_params(text)
        }
        ServiceError::TooLarge { .. }
        | ServiceError::Uploads { .. }
        | ServiceError::Unpublished { .. }
        | ServiceError::Rebuilding
        | ServiceError::Store(BlobError::Quota { .. } | BlobError::TooManyBlobs { .. }) => {
            RpcError::limit(text)
        }
        _ => RpcError::internal(text),
    }
}

/// The accepted upload as the answer to `POST /chlom_putBlob`.
pub(crate) fn accepted(accepted: &chlom_blobs::service::Accepted) -> serde_json::Value {
    let commitments: Vec<_> =
        accepted.commitments.iter().map(alloy_primitives::hex::encode_prefixed).collect();
    serde_json::json!({
        "id": accepted.id,
        "header": alloy_primitives::hex::encode_prefixed(accepted.header),
        "commitments": commitments,
    })
}

/// Where uploads go, where there is such a place.
pub(crate) fn uploads(context: &Context) -> Option<Arc<BlobService>> {
    context.blobs.clone()
}
