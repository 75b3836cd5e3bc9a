//! `chlom_blobStatus`.

use std::sync::Arc;

use alloy_primitives::{B256, U64, hex};
use chlom_blobs::service::{Activity, Local};
use chlom_chain::blobs::{BlobRecord, BlobStatus, BlobsRead, storage};
use serde_json::{Value, json};

use crate::{
    context::Context,
    dispatch::{Answer, Params, Reply},
    error::RpcError,
};

/// `chlom_blobStatus(id)`: how a blob stands at the head, what the chain keeps of it, what this node has of it. Each of the
/// latter two is null where there is nothing.
pub(super) fn status(context: &Arc<Context>, params: &Params<'_>) -> Reply {
    params.at_most(1)?;
    let id: B256 = params.required(0)?;
    let head = context.store.head().ok_or_else(|| RpcError::server("the chain has no block yet"))?;
    let record = storage(&head.state).blob(&id).map_err(RpcError::internal)?;
    let time = head.block.header.timestamp;
    let status = record.as_ref().map_or(BlobStatus::Unknown, |record| record.times.status(time));
    let service = super::service(context)?;
    let local = service.status(&id).map_err(super::refused)?;
    let node = match (&local, service.failure(&id)) {
        (Some(local), _) => node(local),
        (None, Some(reason)) => json!({ "state": "failed", "reason": reason }),
        (None, None) => Value::Null,
    };
    Answer::of(&json!({
        "id": id,
        "status": word(status),
        "chain": record.map_or(Value::Null, |record| chain(&record)),
        "node": node,
    }))
}

fn word(status: BlobStatus) -> &'static str {
    match status {
        BlobStatus::Unknown => "unknown",
        BlobStatus::Announced => "announced",
        BlobStatus::Available => "available",
        BlobStatus::Expired => "expired",
    }
}

/// As `IDataAvailability.Blob` has it: heights and seconds are 0 where there is none.
fn chain(record: &BlobRecord) -> Value {
    let quantity = |n: u64| U64::from(n);
    json!({
        "laneId": record.facts.lane_id,
        "period": quantity(record.facts.period.into()),
        "rows": quantity(record.facts.rows.into()),
        "merkleRoot": record.merkle_root,
        "kzgCommitment": record.kzg_commitment,
        "announcedAt": quantity(record.times.announced_at),
        "availableAt": quantity(record.times.available_at),
        "expiresAt": quantity(record.times.expires_at),
        "pendingExpiry": quantity(record.times.pending_expiry),
    })
}

fn node(local: &Local) -> Value {
    let quantity = |n: usize| U64::from(n);
    let commitments: Vec<_> = local.meta.commitments.iter().map(hex::encode_prefixed).collect();
    let mut node = json!({
        "state": state(local),
        "cells": quantity(local.cells),
        "of": quantity(local.meta.geometry.cells()),
        "keptUntil": U64::from(local.meta.expires_at),
        "header": hex::encode_prefixed(local.meta.header),
        "commitments": commitments,
    });
    match &local.activity {
        Activity::Building(percent) => node["percent"] = json!(quantity(usize::from(*percent))),
        Activity::Failed(reason) => node["reason"] = json!(reason),
        Activity::Idle | Activity::Queued | Activity::Repairing | Activity::Archiving => {}
    }
    node
}

fn state(local: &Local) -> &'static str {
    match &local.activity {
        _ if local.is_held() => "held",
        Activity::Idle | Activity::Archiving => "partial",
        Activity::Queued => "queued",
        Activity::Building(_) => "building",
        Activity::Repairing => "repairing",
        Activity::Failed(_) => "failed",
    }
}
