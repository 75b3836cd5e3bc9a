//! Receipts of a block: gas as differences, blooms left out because the logs give them.

use alloy_consensus::TxType;
use alloy_primitives::Log;
use alloy_rlp::{Decodable, Encodable, Header, RlpDecodable, RlpEncodable};
use chlom_primitives::Receipt;
use chlom_state::StateError;

use super::damaged;

#[derive(RlpEncodable, RlpDecodable)]
struct Record {
    tx_type: u8,
    success: bool,
    gas_used: u64,
    logs: Vec<Log>,
}

/// RLP list of (type, success, gas used by this transaction, logs).
pub(crate) fn encode(receipts: &[Receipt]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(receipts.len() * 8);
    let mut before = 0u64;
    for receipt in receipts {
        // Not monotone only in a block that consensus would refuse; wrapping brings it back all the same.
        let gas_used = receipt.cumulative_gas_used.wrapping_sub(before);
        before = receipt.cumulative_gas_used;
        let (tx_type, success, logs) = (receipt.tx_type as u8, receipt.success, receipt.logs.clone());
        Record { tx_type, success, gas_used, logs }.encode(&mut payload);
    }
    let mut out = Vec::with_capacity(payload.len() + 5);
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend_from_slice(&payload);
    out
}

fn parse(mut bytes: &[u8]) -> alloy_rlp::Result<Vec<Receipt>> {
    let mut payload = super::list(&mut bytes)?;
    let mut receipts = Vec::new();
    let mut cumulative_gas_used = 0u64;
    while !payload.is_empty() {
        let record = Record::decode(&mut payload)?;
        let tx_type = TxType::try_from(record.tx_type)
            .map_err(|_| alloy_rlp::Error::Custom("a receipt of an unknown transaction type"))?;
        cumulative_gas_used = cumulative_gas_used.wrapping_add(record.gas_used);
        receipts.push(Receipt { tx_type, success: record.success, cumulative_gas_used, logs: record.logs });
    }
    if bytes.is_empty() { Ok(receipts) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

/// Undoes [`encode`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Receipt>, StateError> {
    parse(bytes).map_err(|error| damaged("a block's receipts", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256, Bytes};

    #[test]
    fn receipts_come_back_and_truncation_is_refused() {
        let log = Log::new_unchecked(
            Address::repeat_byte(9),
            vec![B256::repeat_byte(1), B256::repeat_byte(2)],
            Bytes::from_static(b"data"),
        );
        let receipts = vec![
            Receipt { tx_type: TxType::Legacy, success: true, cumulative_gas_used: 21_000, logs: vec![] },
            Receipt {
                tx_type: TxType::Eip7702,
                success: false,
                cumulative_gas_used: 90_000,
                logs: vec![log],
            },
        ];
        let bytes = encode(&receipts);
        assert_eq!(decode(&bytes).unwrap(), receipts);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
