//! Every refusal, in geth's words.

use alloy_consensus::{TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use chlom_state::StateError;
use chlom_state::StateReader;

use super::fixture::*;
use crate::{AddError, MAX_INITCODE_BYTES, PoolConfig, TX_GAS_CAP};

/// What the pool says to one transaction.
fn refusal(draft: Draft) -> String {
    pool().add(draft.tx(), &state()).unwrap_err().to_string()
}

#[test]
fn a_transaction_that_waits_is_already_known() {
    let (pool, state) = (pool(), state());
    let tx = draft(1, 0).tx();
    assert_eq!(pool.add(tx.clone(), &state), Ok(tx.hash()));
    assert_eq!(pool.add(tx, &state).unwrap_err().to_string(), "already known");
    assert_eq!(pool.stats().refused, 1);
}

#[test]
fn nonces_below_the_accounts_are_too_low_and_the_last_one_is_never_used() {
    let mut state = state();
    set(&mut state, account(1), 5, U256::from(RICH));
    let error = pool().add(draft(1, 4).tx(), &state).unwrap_err();
    assert_eq!(error.to_string(), "nonce too low: next nonce 5, tx nonce 4");
    assert_eq!(refusal(draft(1, u64::MAX)), "nonce has max value");
    assert!(pool().add(draft(1, u64::MAX - 1).tx(), &state).is_ok());
}

#[test]
fn an_account_must_be_able_to_pay() {
    let mut state = state();
    set(&mut state, account(1), 0, U256::ZERO);
    let error = pool().add(draft(1, 0).fees(1, 1).tx(), &state).unwrap_err();
    let words = "insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000";
    assert_eq!(error.to_string(), words);
    assert!(refusal(draft(99, 0)).starts_with("insufficient funds for gas * price + value: balance 0,"));
}

#[test]
fn an_account_must_be_able_to_pay_for_all_that_waits() {
    let (pool, mut state) = (pool(), state());
    set(&mut state, account(1), 0, U256::from(100_000));
    pool.add(draft(1, 0).fees(2, 1).tx(), &state).unwrap();
    let error = pool.add(draft(1, 1).fees(3, 1).tx(), &state).unwrap_err();
    let words = "insufficient funds for gas * price + value: balance 100000, queued cost 42000, tx cost 63000, \
                 overshot 5000";
    assert_eq!(error.to_string(), words);
    let error = pool.add(draft(1, 0).fees(4, 2).value(16_001).tx(), &state).unwrap_err();
    let words = "insufficient funds for gas * price + value: balance 100000, tx cost 100001, overshot 1";
    assert_eq!(error.to_string(), words);
    pool.add(draft(1, 1).fees(2, 1).value(16_000).tx(), &state).unwrap();
    let error = pool.add(draft(1, 0).fees(3, 2).tx(), &state).unwrap_err();
    let words = "insufficient funds for gas * price + value: balance 100000, queued cost 100000, tx bumped 21000, \
                 overshot 21000";
    assert_eq!(error.to_string(), words);
}

#[test]
fn a_cost_beyond_256_bits_is_insufficient_funds() {
    let mut draft = draft(1, 0);
    draft.tx.value = U256::MAX;
    assert!(refusal(draft).starts_with("insufficient funds for gas * price + value"));
}

#[test]
fn gas_must_reach_the_intrinsic_cost_and_the_calldata_floor() {
    assert_eq!(refusal(draft(1, 0).gas(20_000)), "intrinsic gas too low: gas 20000, minimum needed 21000");
    let calldata = draft(1, 0).input(vec![1; 100]).gas(24_000);
    assert_eq!(
        refusal(calldata),
        "insufficient gas for floor data gas cost: gas 24000, minimum needed 25000"
    );
}

#[test]
fn eip_7825_caps_the_gas_of_a_transaction() {
    assert!(pool().add(draft(1, 0).gas(TX_GAS_CAP).tx(), &state()).is_ok());
    let words = "transaction gas limit too high (cap: 16777216, tx: 16777217)";
    assert_eq!(refusal(draft(1, 0).gas(TX_GAS_CAP + 1)), words);
    assert!(refusal(draft(1, 0).gas(u64::MAX)).starts_with("transaction gas limit too high"));
}

#[test]
fn a_block_must_have_room() {
    let env = crate::PoolEnv { block_gas_limit: 30_000, ..ENV };
    let (pool, _) = crate::Pool::open(PoolConfig::default(), None, env).unwrap();
    assert!(pool.add(draft(1, 0).gas(30_000).tx(), &state()).is_ok());
    let error = pool.add(draft(1, 1).gas(30_001).tx(), &state()).unwrap_err();
    assert_eq!(error.to_string(), "exceeds block gas limit");
}

#[test]
fn eip_3860_limits_creation_code() {
    let create = |size: usize| {
        let mut create = draft(1, 0).input(vec![0; size]).gas(5_000_000);
        create.tx.to = TxKind::Create;
        create
    };
    assert!(pool().add(create(MAX_INITCODE_BYTES).tx(), &state()).is_ok());
    let words = "max initcode size exceeded: code size 49153 limit 49152";
    assert_eq!(refusal(create(MAX_INITCODE_BYTES + 1)), words);
    assert!(pool().add(draft(1, 0).input(vec![0; 60_000]).tx(), &state()).is_ok(), "a call may be longer");
}

#[test]
fn a_transaction_is_at_most_128_kib() {
    let error = pool().add(draft(1, 0).input(vec![0; 131_072]).tx(), &state()).unwrap_err();
    assert!(matches!(error, AddError::Oversized { size, limit: 131_072 } if size > 131_072), "{error}");
}

#[test]
fn fees_must_make_sense() {
    let words = refusal(draft(1, 0).fees(1, 2));
    assert!(words.starts_with("max priority fee per gas higher than max fee per gas"), "{words}");
    let config = PoolConfig { min_tip_wei: 5, ..Default::default() };
    let error = pool_with(config).add(draft(1, 0).fees(10, 4).tx(), &state()).unwrap_err();
    let words = "transaction gas price below minimum: gas tip cap 4, minimum needed 5";
    assert_eq!(error.to_string(), words);
}

#[test]
fn a_fee_cap_that_no_block_accepts_is_refused() {
    let env = crate::PoolEnv { min_base_fee: 70, ..ENV };
    let with = |min_fee_cap_wei| {
        crate::Pool::open(PoolConfig { min_fee_cap_wei, ..Default::default() }, None, env).unwrap().0
    };
    let refusal = |pool: &crate::Pool, fee_cap| {
        pool.add(draft(1, 0).fees(fee_cap, 0).tx(), &state()).map_err(|error| error.to_string())
    };
    let words = "transaction gas price below minimum: gas fee cap 69, minimum needed 70";
    assert_eq!(refusal(&with(None), 69).unwrap_err(), words);
    assert!(refusal(&with(None), 70).is_ok());
    assert!(refusal(&with(Some(0)), 0).is_ok(), "the operator's choice comes first");
    assert!(refusal(&with(Some(80)), 79).is_err());
}

#[test]
fn a_transaction_for_another_chain_is_refused() {
    let mut draft = draft(1, 0);
    draft.tx.chain_id = 1;
    assert_eq!(refusal(draft), "invalid sender: invalid chain id for signer: have 1 want 7272");
    let legacy = TxLegacy {
        chain_id: Some(1),
        gas_limit: 21_000,
        to: TxKind::Call(Address::ZERO),
        ..Default::default()
    };
    assert!(matches!(pool().add(sign(1, legacy), &state()), Err(AddError::ChainId { have: 1, want: 7272 })));
}

#[test]
fn transactions_from_before_eip_155_are_the_operators_choice() {
    let legacy =
        TxLegacy { gas_limit: 21_000, gas_price: 1, to: TxKind::Call(Address::ZERO), ..Default::default() };
    assert!(pool().add(sign(1, legacy.clone()), &state()).is_ok());
    let strict = pool_with(PoolConfig { allow_unprotected: false, ..Default::default() });
    let error = strict.add(sign(1, legacy), &state()).unwrap_err();
    assert_eq!(error.to_string(), "only replay-protected (EIP-155) transactions allowed over RPC");
}

#[test]
fn access_lists_and_authorizations_are_taken_at_their_cost() {
    let listed = TxEip2930 {
        chain_id: CHAIN,
        gas_limit: 21_000,
        to: TxKind::Call(Address::ZERO),
        ..Default::default()
    };
    assert!(pool().add(sign(1, listed), &state()).is_ok());
    let inner = Authorization { chain_id: U256::ZERO, address: Address::ZERO, nonce: 0 };
    let authorization = inner.into_signed(Signature::test_signature());
    let mut tx = TxEip7702 {
        chain_id: CHAIN,
        gas_limit: 46_000,
        authorization_list: vec![authorization],
        ..Default::default()
    };
    assert!(pool().add(sign(1, tx.clone()), &state()).is_ok());
    tx.gas_limit -= 1;
    assert!(matches!(pool().add(sign(1, tx.clone()), &state()), Err(AddError::IntrinsicGas { .. })));
    tx.authorization_list.clear();
    let error = pool().add(sign(1, tx), &state()).unwrap_err();
    assert_eq!(error.to_string(), "set code tx must have at least one authorization tuple");
}

#[test]
fn eip_3607_an_account_with_code_sends_nothing_unless_the_code_is_a_delegation() {
    let mut state = state();
    set_code(&mut state, account(1), &[0x60, 0x00]);
    let error = pool().add(draft(1, 0).tx(), &state).unwrap_err();
    assert_eq!(error.to_string(), format!("sender not an eoa: address {}, len(code): 2", account(1)));
    let mut delegation = vec![0xef, 0x01, 0x00];
    delegation.extend_from_slice(Address::repeat_byte(7).as_slice());
    set_code(&mut state, account(1), &delegation);
    assert!(pool().add(draft(1, 0).tx(), &state).is_ok());
    delegation.push(0);
    set_code(&mut state, account(1), &delegation);
    assert!(matches!(pool().add(draft(1, 0).tx(), &state), Err(AddError::SenderNotEoa { .. })));
}

#[test]
fn a_replacement_raises_both_fees_by_ten_percent() {
    let (pool, state) = (pool(), state());
    let first = draft(1, 0).fees(100, 10).tx();
    pool.add(first.clone(), &state).unwrap();
    for low in [(109, 11), (110, 10), (200, 10), (100, 11)] {
        let error = pool.add(draft(1, 0).fees(low.0, low.1).tx(), &state).unwrap_err();
        assert_eq!(error.to_string(), "replacement transaction underpriced", "{low:?}");
    }
    let better = draft(1, 0).fees(110, 11).tx();
    pool.add(better.clone(), &state).unwrap();
    assert!(!pool.contains(&first.hash()) && pool.contains(&better.hash()));
    assert_eq!((pool.status().pending, pool.stats().replaced), (1, 1));
    pool.add(draft(1, 5).fees(100, 10).tx(), &state).unwrap();
    assert_eq!(pool.add(draft(1, 5).fees(100, 11).tx(), &state), Err(AddError::ReplacementUnderpriced));
    pool.add(draft(1, 5).fees(110, 11).tx(), &state).unwrap();
    assert_eq!(pool.status().queued, 1);
    pool.table().read().check_invariants();
}

#[test]
fn many_in_one_call_build_on_each_other_and_are_answered_in_order() {
    let (pool, state) = (pool(), state());
    let txs =
        vec![draft(1, 0).tx(), draft(1, 0).tx(), draft(1, 1).tx(), draft(1, 1).gas(1).tx(), draft(2, 0).tx()];
    let hashes: Vec<_> = txs.iter().map(|tx| tx.hash()).collect();
    let answers = pool.add_many(txs, &state);
    assert_eq!(answers[0], Ok(hashes[0]));
    assert_eq!(answers[1], Err(AddError::AlreadyKnown));
    assert_eq!(answers[2], Ok(hashes[2]));
    assert!(matches!(answers[3], Err(AddError::IntrinsicGas { .. })));
    assert_eq!(answers[4], Ok(hashes[4]));
    assert_eq!(pool.next_nonce(&account(1)), Some(2));
    assert!(pool.add_many(vec![], &state).is_empty());
}

/// A store that fails.
struct Broken;

impl StateReader for Broken {
    fn account(&self, _: &Address) -> Result<Option<chlom_state::Account>, StateError> {
        Err(StateError::Backend("gone".into()))
    }
    fn storage(&self, _: &Address, _: &U256) -> Result<U256, StateError> {
        Err(StateError::Backend("gone".into()))
    }
    fn code(&self, _: &B256) -> Result<Bytes, StateError> {
        Err(StateError::Backend("gone".into()))
    }
    fn storage_entries(&self, _: &B256) -> Result<Vec<(B256, U256)>, StateError> {
        Err(StateError::Backend("gone".into()))
    }
}

#[test]
fn a_failing_store_is_said_and_changes_nothing() {
    let (pool, state) = (pool(), state());
    assert!(matches!(pool.add(draft(1, 0).tx(), &Broken), Err(AddError::State(_))));
    let tx = draft(1, 0).tx();
    pool.add(tx.clone(), &state).unwrap();
    assert!(pool.on_block(std::slice::from_ref(&tx), &Broken, 1, std::time::Instant::now()).is_err());
    assert!(pool.reset(&Broken, 1).is_err());
    assert!(pool.contains(&tx.hash()));
}

#[test]
fn limits_of_zero_are_refused() {
    let config = PoolConfig { max_txs: 0, ..Default::default() };
    assert!(matches!(
        crate::Pool::open(config, None, ENV),
        Err(crate::PoolError::Config { name: "max_txs", value: 0, min: 1 })
    ));
}
