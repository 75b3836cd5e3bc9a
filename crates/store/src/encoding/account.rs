//! Accounts and slot values: RLP that spells neither the empty storage root nor the hash of no code, 16 bytes for most
//! accounts instead of 80.

use alloy_primitives::{B256, KECCAK256_EMPTY, U256};
use alloy_rlp::{Decodable, Encodable, Header};
use chlom_state::{Account, StateError, account::EMPTY_ROOT};

use super::damaged;

fn encode_hash(hash: &B256, default: &B256, out: &mut Vec<u8>) {
    if hash == default { out.push(alloy_rlp::EMPTY_STRING_CODE) } else { hash.encode(out) }
}

fn decode_hash(bytes: &mut &[u8], default: B256) -> alloy_rlp::Result<B256> {
    let hash = Header::decode_bytes(bytes, false)?;
    if hash.is_empty() {
        return Ok(default);
    }
    B256::try_from(hash).map_err(|_| alloy_rlp::Error::UnexpectedLength)
}

/// RLP list of nonce, balance, storage root and code hash; the last two are empty strings for their defaults.
pub(crate) fn encode(account: &Account) -> Vec<u8> {
    let hash_length = |hash: &B256, default: &B256| if hash == default { 1 } else { 33 };
    let payload_length = account.nonce.length()
        + account.balance.length()
        + hash_length(&account.storage_root, &EMPTY_ROOT)
        + hash_length(&account.code_hash, &KECCAK256_EMPTY);
    let mut out = Vec::with_capacity(payload_length + 2);
    Header { list: true, payload_length }.encode(&mut out);
    account.nonce.encode(&mut out);
    account.balance.encode(&mut out);
    encode_hash(&account.storage_root, &EMPTY_ROOT, &mut out);
    encode_hash(&account.code_hash, &KECCAK256_EMPTY, &mut out);
    out
}

/// Like [`encode`]; no bytes for an account that is not in the state.
pub(crate) fn encode_maybe(account: &Option<Account>) -> Vec<u8> {
    account.as_ref().map(encode).unwrap_or_default()
}

fn parse(mut bytes: &[u8]) -> alloy_rlp::Result<Account> {
    let mut fields = super::list(&mut bytes)?;
    let account = Account {
        nonce: u64::decode(&mut fields)?,
        balance: U256::decode(&mut fields)?,
        storage_root: decode_hash(&mut fields, EMPTY_ROOT)?,
        code_hash: decode_hash(&mut fields, KECCAK256_EMPTY)?,
    };
    if bytes.is_empty() && fields.is_empty() { Ok(account) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

/// Undoes [`encode`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Account, StateError> {
    parse(bytes).map_err(|error| damaged("an account", error))
}

/// Undoes [`encode_maybe`].
pub(crate) fn decode_maybe(bytes: &[u8]) -> Result<Option<Account>, StateError> {
    if bytes.is_empty() { Ok(None) } else { decode(bytes).map(Some) }
}

/// A slot's value without leading zero bytes; zero is no bytes.
pub(crate) fn encode_slot(value: &U256) -> Vec<u8> {
    value.to_be_bytes_trimmed_vec()
}

/// Undoes [`encode_slot`].
pub(crate) fn decode_slot(bytes: &[u8]) -> Result<U256, StateError> {
    if bytes.len() > 32 || bytes.first() == Some(&0) {
        return Err(damaged("a slot's value", "not a number without leading zeros of at most 32 bytes"));
    }
    Ok(U256::from_be_slice(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_come_back_and_plain_ones_are_short() {
        let plain =
            Account { nonce: 1_000, balance: U256::from(10u64).pow(U256::from(22)), ..Account::default() };
        assert_eq!(decode(&encode(&plain)).unwrap(), plain);
        assert!(encode(&plain).len() <= 20, "inline in the engine");
        let full = Account {
            nonce: u64::MAX,
            balance: U256::MAX,
            storage_root: B256::repeat_byte(1),
            code_hash: B256::repeat_byte(2),
        };
        assert_eq!(decode(&encode(&full)).unwrap(), full);
        assert_eq!(decode_maybe(&encode_maybe(&None)).unwrap(), None);
        let bytes = encode(&full);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn slot_values_come_back_and_padding_is_refused() {
        for value in [U256::ZERO, U256::from(1), U256::from(256), U256::MAX] {
            assert_eq!(decode_slot(&encode_slot(&value)).unwrap(), value);
        }
        assert!(decode_slot(&[0, 1]).is_err());
        assert!(decode_slot(&[1; 33]).is_err());
    }
}
