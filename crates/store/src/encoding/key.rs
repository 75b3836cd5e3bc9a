//! Keys of the tables.

use alloy_primitives::B256;

/// Bytes of keccak(address) that name an account: two accounts that share them are as far away as two that share an
/// address, which is made the same way. Keys of this length cost the engine no allocation.
pub(crate) const OWNER_BYTES: usize = 20;

/// Key of an account.
pub(crate) fn owner(hashed_address: &B256) -> &[u8] {
    &hashed_address[..OWNER_BYTES]
}

/// Key of a transaction: as much of its hash as of an account's.
pub(crate) fn tx(hash: &B256) -> &[u8] {
    &hash[..OWNER_BYTES]
}

/// Key of a height: big-endian, so that key order is height order.
pub(crate) fn height(height: u64) -> [u8; 8] {
    height.to_be_bytes()
}

/// Key of a slot in the flat table.
pub(crate) fn slot(hashed_address: &B256, hashed_slot: &B256) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(hashed_address.as_slice());
    key[32..].copy_from_slice(hashed_slot.as_slice());
    key
}

/// Key of an account's value before a height.
pub(crate) fn account_history(hashed_address: &B256, height: u64) -> [u8; OWNER_BYTES + 8] {
    let mut key = [0; OWNER_BYTES + 8];
    key[..OWNER_BYTES].copy_from_slice(&hashed_address[..OWNER_BYTES]);
    key[OWNER_BYTES..].copy_from_slice(&height.to_be_bytes());
    key
}

/// Key of a slot's value before a height.
pub(crate) fn storage_history(
    hashed_address: &B256,
    hashed_slot: &B256,
    height: u64,
) -> [u8; OWNER_BYTES + 40] {
    let mut key = [0; OWNER_BYTES + 40];
    key[..OWNER_BYTES].copy_from_slice(&hashed_address[..OWNER_BYTES]);
    key[OWNER_BYTES..OWNER_BYTES + 32].copy_from_slice(hashed_slot.as_slice());
    key[OWNER_BYTES + 32..].copy_from_slice(&height.to_be_bytes());
    key
}

/// Slot and height of a key of the storage history.
pub(crate) fn split_storage_history(key: &[u8]) -> Option<(B256, u64)> {
    let rest = key.get(OWNER_BYTES..)?;
    let (slot, height) = rest.split_first_chunk::<32>()?;
    Some((B256::from(*slot), u64::from_be_bytes(height.try_into().ok()?)))
}

/// Hash of the genesis block.
pub(crate) const META_GENESIS: &[u8] = b"genesis";
/// Height and hash of the newest block.
pub(crate) const META_TIP: &[u8] = b"tip";
/// Height below which history was given up for ever.
pub(crate) const META_FLOOR: &[u8] = b"floor";

/// In the trie table, so that it changes together with the records: the height that they are of. It lags behind the tip.
/// No record's key begins so.
pub(crate) const TRIE_HEIGHT: &[u8] = &[0xff];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_owner_then_slot_then_height() {
        let (a, b) = (B256::repeat_byte(1), B256::repeat_byte(2));
        assert!(account_history(&a, u64::MAX) < account_history(&b, 0));
        assert!(account_history(&a, 255) < account_history(&a, 256));
        assert!(storage_history(&a, &a, u64::MAX) < storage_history(&a, &b, 0));
        assert!(storage_history(&a, &b, u64::MAX) < storage_history(&b, &a, 0));
        assert_eq!(split_storage_history(&storage_history(&a, &b, 77)), Some((b, 77)));
        assert_eq!(split_storage_history(&[0; 59]), None);
    }
}
