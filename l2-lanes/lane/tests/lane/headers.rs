//! Headers: one encoding, and every fault by its number.

use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::{SolCall, SolError};
use chlom_crypto::kzg::{BlobHeader, RowCount};
use chlom_lane::{
    Header, HeaderFault, PayerTotal,
    header::blob_rows,
    lane::{ADLUXE, lane_id},
    module::{ILane, Lane},
};
use chlom_module::{MemoryContext, ModuleError};
use chlom_primitives::address::LANE;
use chlom_royalty::Period;
use proptest::prelude::*;
use serde_json::json;

use crate::vectors::assert_vectors;

fn header(payers: u32) -> Header {
    let total = |i: u32| PayerTotal {
        payer: Address::from_word(B256::from(alloy_primitives::U256::from(u64::from(i + 1) << 40))),
        first_row: i * 2,
        owed: u128::from(i) << 80,
    };
    let (record_pages, table_pages, rows) = (300, 60, 2 * payers + 100);
    let mut header = Header {
        parameters: 7,
        lane: lane_id(ADLUXE),
        period: Period::new(20_250_901).unwrap(),
        number: 3,
        predecessor: keccak256("before"),
        as_of: 1_757_300_000,
        records: 50_000,
        rows,
        record_pages,
        table_pages,
        receipts_root: keccak256("receipts"),
        licenses_root: keccak256("rows"),
        blob: BlobHeader {
            lane_id: lane_id(ADLUXE),
            period: 20_250_901,
            rows: RowCount::new(1).unwrap(),
            kzg_commitment: [0xc0; 48],
            merkle_root: keccak256("blob"),
        },
        payers: (0..payers).map(total).collect(),
    };
    header.blob.rows = blob_rows(header.pages()).unwrap();
    header
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// A right header with one thing wrong, for every fault.
fn faulty() -> Vec<(HeaderFault, Vec<u8>)> {
    let good = header(3).encode();
    let with = |at: usize, value: &[u8]| {
        let mut bytes = good.clone();
        put(&mut bytes, at, value);
        bytes
    };
    let payers = 269;
    vec![
        (HeaderFault::Length, good[..good.len() - 1].to_vec()),
        (HeaderFault::Length, [&good[..], &[0]].concat()),
        (HeaderFault::Length, Vec::new()),
        (HeaderFault::Format, with(0, &2u16.to_be_bytes())),
        (HeaderFault::Period, with(26, &20_250_906u32.to_be_bytes())),
        (HeaderFault::Blob, with(158, &[2])),
        (HeaderFault::Blob, with(158 + 25, &3u16.to_be_bytes())),
        (HeaderFault::BlobLane, with(159, &[0])),
        (HeaderFault::BlobPeriod, with(158 + 21, &20_250_902u32.to_be_bytes())),
        (HeaderFault::Records, with(74, &299u32.to_be_bytes())),
        (HeaderFault::Records, with(74, &(300 * 496 + 1u32).to_be_bytes())),
        (HeaderFault::Records, with(82, &0u32.to_be_bytes())),
        (HeaderFault::Rows, with(78, &59u32.to_be_bytes())),
        (HeaderFault::Rows, with(78, &(60 * 56 + 1u32).to_be_bytes())),
        (HeaderFault::Rows, with(86, &0u32.to_be_bytes())),
        (HeaderFault::NodePages, with(90, &1u32.to_be_bytes())),
        (HeaderFault::BlobRows, with(158 + 25, &16u16.to_be_bytes())),
        (HeaderFault::BlobRows, with(158 + 25, &4u16.to_be_bytes())),
        (HeaderFault::Payers, with(267, &0u16.to_be_bytes())),
        (HeaderFault::Payers, with(267, &129u16.to_be_bytes())),
        (HeaderFault::PayerOrder, with(payers, &[0; 20])),
        (HeaderFault::PayerOrder, with(payers + 40, &good[payers..payers + 20])),
        (HeaderFault::PayerRows, with(payers + 20, &1u32.to_be_bytes())),
        (HeaderFault::PayerRows, with(payers + 60, &0u32.to_be_bytes())),
        (HeaderFault::PayerRows, with(payers + 100, &106u32.to_be_bytes())),
        (HeaderFault::PayerTotals, with(payers + 24, &u128::MAX.to_be_bytes())),
    ]
}

#[test]
fn lan_12_every_fault_of_a_header_has_its_number() {
    let mut numbers: Vec<u8> = Vec::new();
    for (fault, bytes) in faulty() {
        assert_eq!(Header::decode(&bytes), Err(fault));
        numbers.push(fault.number());
    }
    // `Pages` needs counts that agree with each other.
    let mut many = header(3);
    (many.records, many.record_pages) = (500_000, 2_000);
    many.blob.rows = RowCount::new(32).unwrap();
    assert_eq!(Header::decode(&many.encode()), Err(HeaderFault::Pages));
    numbers.push(HeaderFault::Pages.number());
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (1..=15).collect::<Vec<u8>>());
}

#[test]
fn lan_12_no_more_rows_than_records() {
    let mut header = header(3);
    (header.records, header.rows) = (300, 301);
    assert_eq!(Header::decode(&header.encode()), Err(HeaderFault::Rows));
}

#[test]
fn lan_10_a_header_of_128_payers_has_5389_bytes_and_reads_back() {
    for payers in [1, 2, 127, 128] {
        let header = header(payers);
        let bytes = header.encode();
        assert_eq!(bytes.len(), 269 + 40 * payers as usize);
        assert_eq!(Header::decode(&bytes), Ok(header));
    }
}

#[test]
fn lan_13_rows_belong_to_the_payer_whose_first_row_is_not_after_them() {
    let header = header(3);
    let [a, b, c] = [0, 1, 2].map(|i: usize| header.payers[i].payer);
    let of = |row| header.payer_of_row(row);
    assert_eq!([of(0), of(1), of(2), of(3), of(4)], [Some(a), Some(a), Some(b), Some(b), Some(c)]);
    assert_eq!((of(header.rows - 1), of(header.rows)), (Some(c), None));
    assert_eq!((header.end_row(0), header.end_row(2)), (2, header.rows));
}

fn call(bytes: Vec<u8>) -> Result<ILane::Header, ModuleError> {
    let call = ILane::decodeHeaderCall { header: bytes.into() };
    let output = MemoryContext::new(LANE).call(&Lane, &call.abi_encode())?;
    Ok(ILane::decodeHeaderCall::abi_decode_returns(&output).unwrap())
}

#[test]
fn the_module_decodes_headers_and_refuses_with_the_number() {
    let mut cases = Vec::new();
    for payers in [1, 3, 128] {
        let header = header(payers);
        let found = call(header.encode()).unwrap();
        assert_eq!(found.lane.0, lane_id(ADLUXE).into_array());
        assert_eq!((found.nodePages, found.rows), (header.node_pages(), header.rows));
        assert_eq!(found.payers.len(), header.payers.len());
        let payers: Vec<_> = found.payers.iter().map(|total| json!({
            "payer": total.payer.to_string().to_lowercase(), "firstRow": total.firstRow, "owed": total.owed.to_string(),
        })).collect();
        cases.push(json!({
            "header": format!("0x{}", hex::encode(header.encode())), "fault": 0, "batchRoot": header.batch_root(),
            "format": found.format, "parameters": found.parameters, "lane": format!("{:?}", found.lane),
            "period": found.period, "number": found.number, "predecessor": found.predecessor,
            "asOf": found.asOf.to_string(), "records": found.records, "rows": found.rows,
            "recordPages": found.recordPages, "tablePages": found.tablePages, "nodePages": found.nodePages,
            "receiptsRoot": found.receiptsRoot, "licensesRoot": found.licensesRoot,
            "blobHeader": found.blobHeader, "payers": payers,
        }));
    }
    for (fault, bytes) in faulty() {
        let refusal = ILane::HeaderInvalid { fault: fault.number() }.abi_encode();
        assert_eq!(call(bytes.clone()), Err(ModuleError::Revert(refusal.into())));
        cases.push(json!({ "header": format!("0x{}", hex::encode(bytes)), "fault": fault.number() }));
    }
    assert_vectors("headers.json", cases);
}

#[test]
fn the_interface_is_the_one_that_solidity_has() {
    // As solc gives them for contracts/src/lanes/interfaces/ILane.sol.
    assert_eq!(ILane::decodeHeaderCall::SELECTOR, [0x64, 0xda, 0xf9, 0xd6]);
    assert_eq!(ILane::judgeCall::SELECTOR, [0xeb, 0xef, 0x78, 0x05]);
}

#[test]
fn a_header_costs_gas_before_it_is_looked_at() {
    let call = ILane::decodeHeaderCall { header: vec![0; 5_000].into() };
    let mut ctx = MemoryContext { gas: 1_000, ..MemoryContext::new(LANE) };
    assert_eq!(ctx.call(&Lane, &call.abi_encode()), Err(ModuleError::OutOfGas));
}

proptest! {
    #[test]
    fn lan_10_whatever_decodes_encodes_to_the_same_bytes(at in 0usize..389, value: u8, payers in 1u32..4) {
        let mut bytes = header(payers).encode();
        let at = at % bytes.len();
        bytes[at] = value;
        if let Ok(header) = Header::decode(&bytes) {
            prop_assert_eq!(header.encode(), bytes);
        }
    }
}
