//! Evidence as bytes: a case of its kind, then fixed numbers. Pages are told by the cells.

use alloy_primitives::B256;

use super::{Fraud, FraudKind, NoFraud};
use crate::{
    bytes::{BytesError, Reader},
    page::{PAGE_BYTES, Page, node::TreeKind},
    state::EarlierRecord,
};

/// Most siblings of a path: a batch has at most 2,048 pages.
const MOST_PATH: u8 = 11;
/// Most bytes of a source's key; whoever registers one is bound to fewer.
pub(super) const MOST_KEY_BYTES: usize = 128;

/// Evidence, read. Upholds [LAN-62].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    Page,
    Ends,
    Next,
    OrderWithin,
    OrderAcross,
    RowEnds,
    RowNext,
    Twice { a: u16, b: u16 },
    Earlier { at: u16, earlier: Box<EarlierRecord> },
    SumStart,
    SumNext,
    RowRecord { row: u16, record: u16 },
    RowRevenue { row: u16 },
    PayerRow { row: u16 },
    PayerTotal { payer: u16 },
    Terms { row: u16 },
    Node { tree: TreeKind, level: u8, index: u32 },
    Root { tree: TreeKind },
    Licence { at: u16 },
    Time { at: u16 },
    Source { at: u16, key: Vec<u8> },
}

impl From<BytesError> for NoFraud {
    fn from(_: BytesError) -> Self {
        Self::Evidence
    }
}

impl Statement {
    /// Reads evidence of a kind; nothing may be left over.
    pub(super) fn decode(kind: FraudKind, evidence: &[u8]) -> Result<Self, NoFraud> {
        let mut reader = Reader::new(evidence);
        let case = reader.byte()?;
        let statement = match (kind, case) {
            (FraudKind::Malformed, 0) => Self::Page,
            (FraudKind::Malformed, 1) => Self::Ends,
            (FraudKind::Malformed, 2) => Self::Next,
            (FraudKind::BadOrder, 0) => Self::OrderWithin,
            (FraudKind::BadOrder, 1) => Self::OrderAcross,
            (FraudKind::BadOrder, 2) => Self::RowEnds,
            (FraudKind::BadOrder, 3) => Self::RowNext,
            (FraudKind::DoubleCount, 0) => Self::Twice { a: reader.u16()?, b: reader.u16()? },
            (FraudKind::DoubleCount, 1) => {
                let at = reader.u16()?;
                Self::Earlier { at, earlier: Box::new(read_earlier(&mut reader)?) }
            }
            (FraudKind::WrongSum, 0) => Self::SumStart,
            (FraudKind::WrongSum, 1) => Self::SumNext,
            (FraudKind::WrongSum, 2) => Self::RowRecord { row: reader.u16()?, record: reader.u16()? },
            (FraudKind::WrongSum, 3) => Self::RowRevenue { row: reader.u16()? },
            (FraudKind::WrongSum, 4) => Self::PayerRow { row: reader.u16()? },
            (FraudKind::WrongSum, 5) => Self::PayerTotal { payer: reader.u16()? },
            (FraudKind::WrongTerms, 0) => Self::Terms { row: reader.u16()? },
            (FraudKind::BadRoot, 0) => {
                Self::Node { tree: tree(&mut reader)?, level: reader.byte()?, index: reader.u32()? }
            }
            (FraudKind::BadRoot, 1) => Self::Root { tree: tree(&mut reader)? },
            (FraudKind::InvalidLicense, 0) => Self::Licence { at: reader.u16()? },
            (FraudKind::OutOfPeriod, 0) => Self::Time { at: reader.u16()? },
            (FraudKind::ForgedSource, 0) => {
                let at = reader.u16()?;
                let length = reader.byte()?;
                let key = reader.slice(length.into())?.to_vec();
                if key.len() > MOST_KEY_BYTES {
                    return Err(NoFraud::Evidence);
                }
                Self::Source { at, key }
            }
            _ => return Err(NoFraud::Evidence),
        };
        if reader.rest().is_empty() { Ok(statement) } else { Err(NoFraud::Evidence) }
    }
}

fn tree(reader: &mut Reader<'_>) -> Result<TreeKind, NoFraud> {
    match reader.byte()? {
        0 => Ok(TreeKind::Receipts),
        1 => Ok(TreeKind::Rows),
        _ => Err(NoFraud::Evidence),
    }
}

fn read_earlier(reader: &mut Reader<'_>) -> Result<EarlierRecord, NoFraud> {
    let length = reader.u16()?;
    let header = reader.slice(length.into())?.to_vec();
    let page = reader.u32()?;
    let bytes: &Page = reader.array::<PAGE_BYTES>()?;
    let at = reader.u16()?;
    let siblings = reader.byte()?;
    if siblings > MOST_PATH {
        return Err(NoFraud::Evidence);
    }
    let mut path = Vec::with_capacity(siblings.into());
    for _ in 0..siblings {
        path.push(B256::from(*reader.array()?));
    }
    Ok(EarlierRecord { header, page, bytes: Box::new(*bytes), at, path })
}

/// Writes the evidence of a fraud.
pub(super) fn encode(fraud: &Fraud) -> Vec<u8> {
    let mut out = vec![case(fraud)];
    let mut short = |number: u16| out.extend_from_slice(&number.to_be_bytes());
    match fraud {
        Fraud::Page(_)
        | Fraud::Ends(_)
        | Fraud::Next(_)
        | Fraud::OrderWithin(_)
        | Fraud::OrderAcross(_)
        | Fraud::RowEnds(_)
        | Fraud::RowNext(_)
        | Fraud::SumStart(_)
        | Fraud::SumNext(_) => {}
        Fraud::Twice(a, b) => [a.at, b.at].into_iter().for_each(short),
        Fraud::RowRecord { row, record } => [row.at, record.at].into_iter().for_each(short),
        Fraud::RowRevenue { row, .. } | Fraud::PayerRow(row) | Fraud::Terms(row) => short(row.at),
        Fraud::PayerTotal { payer, .. } => short(*payer),
        Fraud::Licence(place) | Fraud::Time(place) => short(place.at),
        Fraud::Node { tree, level, index, .. } => {
            out.extend_from_slice(&[*tree as u8, *level]);
            out.extend_from_slice(&index.to_be_bytes());
        }
        Fraud::Root(tree) => out.push(*tree as u8),
        Fraud::Source(place, key) => {
            short(place.at);
            out.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(key);
        }
        Fraud::Earlier(place, earlier) => {
            short(place.at);
            write_earlier(&mut out, earlier);
        }
    }
    out
}

fn write_earlier(out: &mut Vec<u8>, earlier: &EarlierRecord) {
    out.extend_from_slice(&u16::try_from(earlier.header.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(&earlier.header);
    out.extend_from_slice(&earlier.page.to_be_bytes());
    out.extend_from_slice(&earlier.bytes[..]);
    out.extend_from_slice(&earlier.at.to_be_bytes());
    out.push(u8::try_from(earlier.path.len()).unwrap_or(u8::MAX));
    earlier.path.iter().for_each(|sibling| out.extend_from_slice(sibling.as_slice()));
}

const fn case(fraud: &Fraud) -> u8 {
    match fraud {
        Fraud::Page(_)
        | Fraud::OrderWithin(_)
        | Fraud::Twice(..)
        | Fraud::SumStart(_)
        | Fraud::Terms(_)
        | Fraud::Node { .. }
        | Fraud::Licence(_)
        | Fraud::Time(_)
        | Fraud::Source(..) => 0,
        Fraud::Ends(_) | Fraud::OrderAcross(_) | Fraud::Earlier(..) | Fraud::SumNext(_) | Fraud::Root(_) => 1,
        Fraud::Next(_) | Fraud::RowEnds(_) | Fraud::RowRecord { .. } => 2,
        Fraud::RowNext(_) | Fraud::RowRevenue { .. } => 3,
        Fraud::PayerRow(_) => 4,
        Fraud::PayerTotal { .. } => 5,
    }
}
