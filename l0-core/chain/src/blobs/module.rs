//! The module: calls from Solidity.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use chlom_module::{ModuleContext, ModuleError, SystemModule, call};
use chlom_primitives::address::DATA_AVAILABILITY;

use super::{
    blob_id, fee,
    interface::IDataAvailability::{self, IDataAvailabilityCalls as Calls},
    publish,
    state_key::{MARKET, PRICE, TERMS},
    verify,
    view::{BlobRecord, BlobStatus, BlobsRead},
};

/// `0x…1003` DataAvailability.
#[derive(Clone, Copy, Debug, Default)]
pub struct DataAvailability;

impl SystemModule for DataAvailability {
    fn address(&self) -> Address {
        DATA_AVAILABILITY
    }

    fn name(&self) -> &'static str {
        "DataAvailability"
    }

    fn is_payable(&self, selector: [u8; 4]) -> bool {
        selector == IDataAvailability::publishCall::SELECTOR
    }

    fn call(&self, ctx: &mut dyn ModuleContext, input: &[u8]) -> Result<Bytes, ModuleError> {
        use IDataAvailability as I;
        let output = match call::decode::<Calls>(input)? {
            Calls::publish(call) => {
                let checked = publish::check(ctx, call.header, call.commitments)?;
                I::publishCall::abi_encode_returns(&publish::apply(ctx, checked)?)
            }
            Calls::fee(call) => I::feeCall::abi_encode_returns(&fee_of(ctx, call.rows)?),
            Calls::idOf(call) => {
                I::idOfCall::abi_encode_returns(&blob_id(&call.laneId, call.period, &call.merkleRoot))
            }
            Calls::blob(call) => {
                let time = ctx.block().timestamp;
                let known = ctx.blob(&call.id)?;
                I::blobCall::abi_encode_returns(&known.map_or_else(unknown, |blob| to_abi(&blob, time)))
            }
            Calls::isAvailableUntil(call) => {
                let times = ctx.blob_times(&call.id)?;
                let available = times.status(ctx.block().timestamp) == BlobStatus::Available;
                I::isAvailableUntilCall::abi_encode_returns(&(available && times.expires_at >= call.time))
            }
            Calls::verifyCells(call) => I::verifyCellsCall::abi_encode_returns(&verify::cells(
                ctx,
                &call.id,
                &call.commitments,
                call.cells,
            )?),
            Calls::verifyPoint(call) => I::verifyPointCall::abi_encode_returns(&verify::point(ctx, &call)?),
        };
        Ok(output.into())
    }
}

fn fee_of(ctx: &mut dyn ModuleContext, rows: U256) -> Result<U256, ModuleError> {
    let market = fee::at_height(MARKET.get(ctx)?, &TERMS.get(ctx)?, ctx.block().height);
    Ok(fee::per_row(&PRICE.get(ctx)?, market.excess).saturating_mul(rows))
}

fn unknown() -> IDataAvailability::Blob {
    IDataAvailability::Blob {
        status: IDataAvailability::Status::Unknown,
        laneId: Default::default(),
        period: 0,
        rows: 0,
        merkleRoot: Default::default(),
        kzgCommitment: Bytes::new(),
        announcedAt: 0,
        availableAt: 0,
        expiresAt: 0,
        pendingExpiry: 0,
    }
}

fn to_abi(blob: &BlobRecord, time: u64) -> IDataAvailability::Blob {
    use IDataAvailability::Status;
    IDataAvailability::Blob {
        status: match blob.times.status(time) {
            BlobStatus::Unknown => Status::Unknown,
            BlobStatus::Announced => Status::Announced,
            BlobStatus::Available => Status::Available,
            BlobStatus::Expired => Status::Expired,
        },
        laneId: blob.facts.lane_id,
        period: blob.facts.period,
        rows: blob.facts.rows,
        merkleRoot: blob.merkle_root,
        kzgCommitment: blob.kzg_commitment.to_vec().into(),
        announcedAt: blob.times.announced_at,
        availableAt: blob.times.available_at,
        expiresAt: blob.times.expires_at,
        pendingExpiry: blob.times.pending_expiry,
    }
}
