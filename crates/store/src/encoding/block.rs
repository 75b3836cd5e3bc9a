//! Blocks: the header with its additions in one record, the transactions with their senders in another, so that a walk
//! over headers reads no bodies and a sender is never recovered twice.

use std::sync::Arc;

use alloy_consensus::Header as BlockHeader;
use alloy_primitives::{Address, Bytes};
use alloy_rlp::{Decodable, Encodable, Header, RlpDecodable, RlpEncodable};
use chlom_primitives::{Additions, Block, Tx};
use chlom_state::StateError;

use super::{damaged, whole};

#[derive(RlpEncodable, RlpDecodable)]
struct HeaderRecord {
    version: u8,
    body: Bytes,
    header: BlockHeader,
}

/// RLP list of the additions' version and body, and the header.
pub(crate) fn encode_header(block: &Block) -> Vec<u8> {
    let (version, body) = (block.additions.version, block.additions.body.clone());
    alloy_rlp::encode(HeaderRecord { version, body, header: block.header.clone() })
}

/// Undoes [`encode_header`].
pub(crate) fn decode_header(bytes: &[u8]) -> Result<(BlockHeader, Additions), StateError> {
    let record: HeaderRecord = whole(bytes).map_err(|error| damaged("a header", error))?;
    Ok((record.header, Additions { version: record.version, body: record.body }))
}

/// RLP list of the senders as one string, then each transaction's EIP-2718 bytes.
pub(crate) fn encode_body(txs: &[Arc<Tx>]) -> Vec<u8> {
    let senders: Vec<u8> = txs.iter().flat_map(|tx| tx.sender().0.0).collect();
    let payload_length =
        senders.as_slice().length() + txs.iter().map(|tx| tx.raw().as_ref().length()).sum::<usize>();
    let mut out = Vec::with_capacity(payload_length + 5);
    Header { list: true, payload_length }.encode(&mut out);
    senders.as_slice().encode(&mut out);
    for tx in txs {
        tx.raw().as_ref().encode(&mut out);
    }
    out
}

/// Undoes [`encode_body`].
pub(crate) fn decode_body(mut bytes: &[u8]) -> Result<Vec<Arc<Tx>>, StateError> {
    let rlp = |error: alloy_rlp::Error| damaged("a block's body", error);
    let mut payload = super::list(&mut bytes).map_err(rlp)?;
    let senders = Header::decode_bytes(&mut payload, false).map_err(rlp)?;
    let (senders, rest) = senders.as_chunks::<20>();
    if !rest.is_empty() || !bytes.is_empty() {
        return Err(rlp(alloy_rlp::Error::UnexpectedLength));
    }
    let mut txs = Vec::with_capacity(senders.len());
    for sender in senders {
        let raw = Bytes::decode(&mut payload).map_err(rlp)?;
        let envelope = chlom_primitives::tx::decode(&raw).map_err(|error| damaged("a transaction", error))?;
        txs.push(Arc::new(Tx::with_raw(envelope, Address::from(*sender), raw)));
    }
    if payload.is_empty() { Ok(txs) } else { Err(rlp(alloy_rlp::Error::UnexpectedLength)) }
}

/// Where a transaction is: height, then its position in the block.
pub(crate) fn encode_location(height: u64, index: u32) -> [u8; 12] {
    let mut out = [0; 12];
    out[..8].copy_from_slice(&height.to_be_bytes());
    out[8..].copy_from_slice(&index.to_be_bytes());
    out
}

/// Undoes [`encode_location`].
pub(crate) fn decode_location(bytes: &[u8]) -> Result<(u64, u32), StateError> {
    let short = || damaged("a transaction's location", format!("{} bytes instead of 12", bytes.len()));
    let (height, index) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    Ok((u64::from_be_bytes(*height), u32::from_be_bytes(index.try_into().map_err(|_| short())?)))
}

/// A height as a value.
pub(crate) fn decode_height(bytes: &[u8]) -> Result<u64, StateError> {
    let bytes: [u8; 8] =
        bytes.try_into().map_err(|_| damaged("a height", format!("{} bytes instead of 8", bytes.len())))?;
    Ok(u64::from_be_bytes(bytes))
}
