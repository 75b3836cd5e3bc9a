//! Gas that a transaction costs before its first instruction.

use alloy_consensus::{Transaction, TxEnvelope};

/// Base cost of any transaction (Yellow Paper, appendix G).
const BASE: u64 = 21_000;
/// Extra for creating a contract (EIP-2).
const CREATE: u64 = 32_000;
/// Per word of creation code (EIP-3860).
const INITCODE_WORD: u64 = 2;
/// Tokens that a non-zero byte counts as; a zero byte is one (EIP-7623).
const NON_ZERO_TOKENS: u64 = 4;
/// Per token, which makes 4 a zero byte and 16 another (EIP-2028).
const TOKEN: u64 = 4;
/// Per token when calldata is all that a transaction pays for (EIP-7623).
const FLOOR_TOKEN: u64 = 10;
/// Per address and per key of an access list (EIP-2930).
const ACCESS_ADDRESS: u64 = 2_400;
const ACCESS_KEY: u64 = 1_900;
/// Per authorization, as if its authority were a new account (EIP-7702).
const AUTHORIZATION: u64 = 25_000;

/// The two least gas limits of a transaction; it must reach both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntrinsicGas {
    /// Charged before execution.
    pub intrinsic: u64,
    /// Least charge after it, by calldata (EIP-7623).
    pub floor: u64,
}

/// Intrinsic gas by the rules of Osaka. The counts are bounded by the size limit of a transaction, so nothing overflows.
pub fn intrinsic_gas(tx: &TxEnvelope) -> IntrinsicGas {
    let input = tx.input();
    let zeros = input.iter().filter(|byte| **byte == 0).count() as u64;
    let length = input.len() as u64;
    let tokens = zeros + (length - zeros) * NON_ZERO_TOKENS;
    let mut intrinsic = BASE + tokens * TOKEN;
    if tx.is_create() {
        intrinsic += CREATE + length.div_ceil(32) * INITCODE_WORD;
    }
    for item in tx.access_list().into_iter().flat_map(|list| list.iter()) {
        intrinsic += ACCESS_ADDRESS + ACCESS_KEY * item.storage_keys.len() as u64;
    }
    intrinsic += AUTHORIZATION * tx.authorization_list().map_or(0, <[_]>::len) as u64;
    IntrinsicGas { intrinsic, floor: BASE + tokens * FLOOR_TOKEN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::{SignableTransaction, TxEip1559, TxEip7702};
    use alloy_eips::{
        eip2930::{AccessList, AccessListItem},
        eip7702::Authorization,
    };
    use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};

    fn gas(tx: TxEip1559) -> (u64, u64) {
        let gas = intrinsic_gas(&tx.into_signed(Signature::test_signature()).into());
        (gas.intrinsic, gas.floor)
    }

    fn call(input: Vec<u8>) -> TxEip1559 {
        TxEip1559 { to: TxKind::Call(Address::ZERO), input: Bytes::from(input), ..Default::default() }
    }

    #[test]
    fn a_transfer_costs_21000() {
        assert_eq!(gas(call(vec![])), (21_000, 21_000));
    }

    #[test]
    fn eip_2028_and_7623_price_calldata_by_byte() {
        assert_eq!(gas(call(vec![0, 0, 1])), (21_000 + 4 + 4 + 16, 21_000 + 10 + 10 + 40));
    }

    #[test]
    fn eip_3860_charges_creation_code_by_word() {
        let create = TxEip1559 { to: TxKind::Create, ..call(vec![1; 33]) };
        assert_eq!(gas(create).0, 21_000 + 33 * 16 + 32_000 + 2 * 2);
    }

    #[test]
    fn eip_2930_charges_addresses_and_keys() {
        let item = |keys| AccessListItem { address: Address::ZERO, storage_keys: vec![B256::ZERO; keys] };
        let tx = TxEip1559 { access_list: AccessList(vec![item(0), item(3)]), ..call(vec![]) };
        assert_eq!(gas(tx).0, 21_000 + 2 * 2_400 + 3 * 1_900);
    }

    #[test]
    fn eip_7702_charges_authorizations() {
        let inner = Authorization { chain_id: U256::ZERO, address: Address::ZERO, nonce: 0 };
        let signed = inner.into_signed(Signature::test_signature());
        let tx = TxEip7702 { authorization_list: vec![signed; 2], ..Default::default() };
        let tx: TxEnvelope = tx.into_signed(Signature::test_signature()).into();
        assert_eq!(intrinsic_gas(&tx).intrinsic, 21_000 + 2 * 25_000);
    }
}
