//! Which keys a block changed. The values before it are in the history tables; this list finds them again to undo a
//! block, to prune it, and to bring the trie up to date after a crash.

use alloy_primitives::{Address, B256};
use alloy_rlp::{Decodable, Encodable, Header};
use chlom_state::StateError;

use super::damaged;

/// An account and the hashes of its changed slots, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangedAccount {
    pub(crate) address: Address,
    pub(crate) hashed_slots: Vec<B256>,
}

/// RLP list of (address, slots as one string) pairs, flattened.
pub(crate) fn encode(changes: &[ChangedAccount]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(changes.len() * 22);
    for change in changes {
        change.address.encode(&mut payload);
        change.hashed_slots.concat().as_slice().encode(&mut payload);
    }
    let mut out = Vec::with_capacity(payload.len() + 5);
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend_from_slice(&payload);
    out
}

fn parse(mut bytes: &[u8]) -> alloy_rlp::Result<Vec<ChangedAccount>> {
    let mut payload = super::list(&mut bytes)?;
    let mut changes = Vec::with_capacity(payload.len() / 22);
    while !payload.is_empty() {
        let address = Address::decode(&mut payload)?;
        let slots = Header::decode_bytes(&mut payload, false)?;
        let (slots, rest) = slots.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(alloy_rlp::Error::UnexpectedLength);
        }
        changes.push(ChangedAccount {
            address,
            hashed_slots: slots.iter().map(|slot| B256::from(*slot)).collect(),
        });
    }
    if bytes.is_empty() { Ok(changes) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

/// Undoes [`encode`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<ChangedAccount>, StateError> {
    parse(bytes).map_err(|error| damaged("a list of changes", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_back_and_broken_ones_are_refused() {
        let changes = vec![
            ChangedAccount { address: Address::repeat_byte(1), hashed_slots: vec![] },
            ChangedAccount {
                address: Address::repeat_byte(2),
                hashed_slots: vec![B256::repeat_byte(3), B256::repeat_byte(4)],
            },
        ];
        let bytes = encode(&changes);
        assert_eq!(decode(&bytes).unwrap(), changes);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
