//! `0x…1014` Lane: headers decoded, frauds judged. It has no storage: its answers follow from its arguments alone.

pub mod gas;
pub mod interface;

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use chlom_module::{ModuleContext, ModuleError, SystemModule, call};
use chlom_primitives::address::LANE;

pub use interface::ILane;

use crate::{
    Header,
    fraud::{self, Check, OpenedCell, Verdict},
};
use interface::ILane::ILaneCalls as Calls;

/// `0x…1014` Lane.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lane;

impl SystemModule for Lane {
    fn address(&self) -> Address {
        LANE
    }

    fn name(&self) -> &'static str {
        "Lane"
    }

    fn call(&self, ctx: &mut dyn ModuleContext, input: &[u8]) -> Result<Bytes, ModuleError> {
        let output = match call::decode::<Calls>(input)? {
            Calls::decodeHeader(call) => {
                let header = decode(ctx, &call.header)?;
                ILane::decodeHeaderCall::abi_encode_returns(&to_abi(&header))
            }
            Calls::judge(call) => ILane::judgeCall::abi_encode_returns(&judge(ctx, call)?),
        };
        Ok(output.into())
    }
}

/// Decodes a header, paid for by its bytes. Upholds [LAN-12].
fn decode(ctx: &mut dyn ModuleContext, bytes: &[u8]) -> Result<Header, ModuleError> {
    ctx.charge(gas::header(bytes.len()))?;
    Header::decode(bytes)
        .map_err(|fault| ModuleError::revert(&ILane::HeaderInvalid { fault: fault.number() }))
}

/// Judges, paid for by what the worst input of this size costs. Upholds [LAN-60] and [LAN-65].
fn judge(ctx: &mut dyn ModuleContext, call: ILane::judgeCall) -> Result<ILane::Verdict, ModuleError> {
    ctx.charge(gas::judge(call.kind, call.cells.len(), call.evidence.len()))?;
    let header = decode(ctx, &call.header)?;
    let open = |cell: ILane::Cell| OpenedCell { row: cell.row, column: cell.column, data: cell.data.into() };
    let cells: Vec<OpenedCell> = call.cells.into_iter().map(open).collect();
    fraud::judge(&header, call.kind, &cells, &call.evidence)
        .map(verdict)
        .map_err(|reason| ModuleError::revert(&ILane::NoFraud { reason: reason.number() }))
}

fn verdict(verdict: Verdict) -> ILane::Verdict {
    let mut out = ILane::Verdict {
        kind: verdict.kind as u8,
        check: ILane::Check::None,
        licence: Default::default(),
        time: 0,
        royaltyBps: 0,
        source: Default::default(),
        payer: Address::ZERO,
        key: Default::default(),
        earlier: Default::default(),
    };
    match verdict.check {
        Check::None => {}
        Check::Licence { licence, time } => {
            (out.check, out.licence, out.time) = (ILane::Check::Licence, licence, time);
        }
        Check::Terms { licence, time, royalty_bps } => {
            (out.check, out.licence, out.time) = (ILane::Check::Terms, licence, time);
            out.royaltyBps = royalty_bps;
        }
        Check::Source { source, payer, key } => {
            (out.check, out.source, out.payer, out.key) = (ILane::Check::Source, source, payer, key);
        }
        Check::Earlier { batch } => (out.check, out.earlier) = (ILane::Check::Earlier, batch),
    }
    out
}

fn to_abi(header: &Header) -> ILane::Header {
    let payer = |total: &crate::PayerTotal| ILane::PayerTotal {
        payer: total.payer,
        firstRow: total.first_row,
        owed: total.owed,
    };
    ILane::Header {
        format: crate::header::FORMAT,
        parameters: header.parameters,
        lane: header.lane.into_array().into(),
        period: header.period.code(),
        number: header.number,
        predecessor: header.predecessor,
        asOf: header.as_of,
        records: header.records,
        rows: header.rows,
        recordPages: header.record_pages,
        tablePages: header.table_pages,
        nodePages: header.node_pages(),
        receiptsRoot: header.receipts_root,
        licensesRoot: header.licenses_root,
        blobHeader: header.blob.encode().to_vec().into(),
        payers: header.payers.iter().map(payer).collect(),
    }
}
