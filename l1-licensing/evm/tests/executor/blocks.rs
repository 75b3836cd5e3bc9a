//! Blocks, one rule at a time.

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256};
use alloy_sol_types::SolCall;
use chlom_chain::staking::IStaking;
use chlom_evm::{BlockExecutor, ExecuteError, TxInvalid, system_modules};
use chlom_module::error::NativeModule;
use chlom_primitives::{Tx, address::STAKING};
use chlom_state::{Account, AccountChange, SlotChange, StateDiff, StateReader};
use revm::context::result::InvalidTransaction;

use crate::chain::{Chain, PRICE, account, authorize, call, commit, delegating, transfer, with_gas};

const CONTRACT: Address = Address::repeat_byte(0xcc);

#[test]
fn blk_13_blockhash_and_the_history_contract_agree_at_every_depth() {
    // sstore(0, blockhash(calldataload(0)))
    let asks = Bytes::from(hex!("5f35405f5500").to_vec());
    let mut chain = Chain::new(&[(CONTRACT, asks)]);
    let mut hashes = vec![chain.parent_hash];
    for _ in 0..299 {
        chain.block(&[]);
        hashes.push(chain.parent_hash);
    }
    for (nonce, (asked, known)) in
        [(299, true), (298, true), (150, true), (44, true), (43, false), (300, false)].into_iter().enumerate()
    {
        let input = U256::from(asked).to_be_bytes_vec().into();
        let tx = call(1, nonce as u64, TxKind::Call(CONTRACT), 0, input);
        let next = chain.next();
        assert_eq!(next.height, 300);
        let modules = system_modules();
        let mut executor = BlockExecutor::new(&chain.state, &chain.params, &modules, next).unwrap();
        for earlier in 0..nonce {
            executor.execute(&transfer(1, earlier as u64, account(2), 1)).unwrap();
        }
        executor.execute(&tx).unwrap();
        let diff = executor.finish().unwrap().diff;
        let stored = diff.accounts.get(&CONTRACT).and_then(|change| change.storage.get(&U256::ZERO));
        let got = stored.map(|slot| B256::from(slot.after));
        assert_eq!(got, known.then(|| hashes[asked]), "{asked}");
        let slot = diff.accounts[&HISTORY_STORAGE_ADDRESS].storage[&U256::from(299)];
        assert_eq!(B256::from(slot.after), hashes[299], "this block stores its parent's");
    }
    assert_eq!(B256::from(chain.slot(HISTORY_STORAGE_ADDRESS, 150)), hashes[150]);
}

#[test]
fn evm_2_a_transaction_that_cannot_be_in_the_block_changes_nothing() {
    use InvalidTransaction as I;
    let chain = Chain::new(&[]);
    let modules = system_modules();
    let (a, b) = (account(1), account(2));
    let poor = transfer(7, 0, b, 1);
    let foreign = {
        let tx = alloy_consensus::TxEip1559 { chain_id: 1, ..Default::default() };
        let signed = alloy_consensus::SignableTransaction::into_signed(
            tx,
            alloy_primitives::Signature::test_signature(),
        );
        chlom_primitives::Tx::new(signed.into(), a)
    };
    type IsReason = fn(&TxInvalid) -> bool;
    let cases: [(_, IsReason); 6] = [
        (transfer(1, 5, b, 1), |r| matches!(r, TxInvalid::Evm(I::NonceTooHigh { tx: 5, state: 1 }))),
        (transfer(1, 0, b, 1), |r| matches!(r, TxInvalid::Evm(I::NonceTooLow { tx: 0, state: 1 }))),
        (poor, |r| matches!(r, TxInvalid::Evm(I::LackOfFundForMaxFee { .. }))),
        (foreign, |r| matches!(r, TxInvalid::Evm(I::InvalidChainId))),
        (with_gas(1, 1, TxKind::Call(b), 1, Bytes::new(), (1 << 24) + 1), |r| {
            matches!(r, TxInvalid::Evm(I::TxGasLimitGreaterThanCap { .. }))
        }),
        (with_gas(1, 1, TxKind::Call(b), 1, Bytes::new(), 40_000_000), |r| {
            matches!(r, TxInvalid::BlockGas { gas_limit: 40_000_000, gas_left: 29_979_000 })
        }),
    ];
    let mut plain = BlockExecutor::new(&chain.state, &chain.params, &modules, chain.next()).unwrap();
    let mut disturbed = BlockExecutor::new(&chain.state, &chain.params, &modules, chain.next()).unwrap();
    for executor in [&mut plain, &mut disturbed] {
        executor.execute(&transfer(1, 0, b, 10)).unwrap();
    }
    for (tx, is_reason) in &cases {
        match disturbed.execute(tx) {
            Err(ExecuteError::Invalid { hash, reason }) => {
                assert!(hash == tx.hash() && is_reason(&reason), "{reason:?}")
            }
            other => panic!("{other:?}"),
        }
    }
    for executor in [&mut plain, &mut disturbed] {
        assert_eq!(executor.gas_used(), 21_000);
        executor.execute(&transfer(1, 1, b, 10)).unwrap();
    }
    assert_eq!(plain.finish().unwrap(), disturbed.finish().unwrap());
}

#[test]
fn evm_2_a_block_holds_its_gas_limit_and_no_more() {
    let chain = Chain::new(&[]);
    let (modules, env) = (system_modules(), chlom_evm::BlockEnv { gas_limit: 50_000, ..chain.next() });
    let mut executor = BlockExecutor::new(&chain.state, &chain.params, &modules, env).unwrap();
    let send = |nonce| with_gas(1, nonce, TxKind::Call(account(2)), 1, Bytes::new(), 21_000);
    executor.execute(&send(0)).unwrap();
    executor.execute(&send(1)).unwrap();
    let refused = executor.execute(&send(2)).unwrap_err();
    let reason = TxInvalid::BlockGas { gas_limit: 21_000, gas_left: 8_000 };
    assert_eq!(refused, ExecuteError::Invalid { hash: send(2).hash(), reason });
    let outcome = executor.finish().unwrap();
    let cumulative: Vec<_> = outcome.receipts.iter().map(|receipt| receipt.cumulative_gas_used).collect();
    assert_eq!((cumulative, outcome.gas_used), (vec![21_000, 42_000], 42_000));
}

#[test]
fn evm_3_the_base_fee_is_burned_and_the_tip_goes_to_the_proposer() {
    let mut chain = Chain::new(&[]);
    let before = chain.balance(account(1));
    let beneficiary = chain.next().beneficiary;
    chain.block(&[transfer(1, 0, account(2), 5)]);
    assert_eq!(chain.balance(beneficiary), U256::from(21_000 * 7));
    assert_eq!(before - chain.balance(account(1)), U256::from(5 + 21_000 * (PRICE + 7)));
}

#[test]
fn evm_4_a_diff_has_only_what_changed() {
    // sstore(0, calldataload(0))
    let mut chain = Chain::new(&[(CONTRACT, Bytes::from(hex!("5f355f5500").to_vec()))]);
    let set = |nonce, value: u64| {
        call(1, nonce, TxKind::Call(CONTRACT), 0, U256::from(value).to_be_bytes_vec().into())
    };
    let outcome = chain.block(&[set(0, 7), set(1, 0)]);
    assert!(!outcome.diff.accounts.contains_key(&CONTRACT), "set and set back");
    assert!(!outcome.diff.accounts.contains_key(&STAKING), "the rotation of equal sets writes nothing");
    let changed: Vec<_> = outcome.diff.accounts.keys().copied().collect();
    let mut want = vec![account(1), chain.next().beneficiary, HISTORY_STORAGE_ADDRESS];
    want.sort();
    assert_eq!(changed, want);
    for change in outcome.diff.accounts.values() {
        assert!(change.before != change.after || !change.storage.is_empty());
        assert!(change.storage.values().all(|slot| slot.before != slot.after));
    }
    let outcome = chain.block(&[set(2, 7), set(3, 9)]);
    let slot = outcome.diff.accounts[&CONTRACT].storage[&U256::ZERO];
    assert_eq!(
        (slot.before, slot.after),
        (U256::ZERO, U256::from(9)),
        "against the parent, not the last transaction"
    );
}

#[test]
fn evm_4_a_contract_created_over_old_storage_begins_with_none_of_it() {
    // Genesis refuses such an account and nothing else makes one; the diff is right for it all the same.
    let mut chain = Chain::new(&[]);
    let address = account(1).create(0);
    let slot = |after: u64| SlotChange { before: U256::ZERO, after: U256::from(after) };
    let old = AccountChange {
        after: Some(Account { balance: U256::from(1), ..Account::default() }),
        storage: [(U256::ZERO, slot(5)), (U256::from(1), slot(6))].into(),
        ..AccountChange::default()
    };
    commit(&mut chain.state, &StateDiff { accounts: [(address, old)].into(), ..StateDiff::default() });
    // sstore(1, 6), sstore(2, 7), no code
    let outcome =
        chain.block(&[call(1, 0, TxKind::Create, 0, Bytes::from(hex!("60066001556007600255").to_vec()))]);
    let change = &outcome.diff.accounts[&address];
    assert!(change.wiped);
    let kept = SlotChange { before: U256::from(6), after: U256::from(6) };
    assert_eq!(change.storage, [(U256::from(1), kept), (U256::from(2), slot(7))].into());
    assert_eq!([0, 1, 2].map(|slot| chain.slot(address, slot)), [0, 6, 7].map(U256::from));
}

#[test]
fn evm_5_an_authorization_gives_an_account_code_and_takes_it_away() {
    let code = Bytes::from(hex!("60075f5500").to_vec()); // sstore(0, 7)
    let mut chain = Chain::new(&[(CONTRACT, code)]);
    let authority = account(3);
    let outcome = chain.block(&[delegating(1, 0, authority, vec![authorize(3, 0, CONTRACT)])]);
    assert!(outcome.receipts[0].success);
    let designator: Bytes = [&hex!("ef0100")[..], CONTRACT.as_slice()].concat().into();
    assert_eq!(outcome.diff.codes, [(keccak256(&designator), designator)].into());
    assert_eq!(chain.slot(authority, 0), U256::from(7), "its own storage");
    assert_eq!(chain.state.account(&authority).unwrap().unwrap().nonce, 1);
    // A signature for another nonce, and one of nobody, are skipped.
    let stale = authorize(3, 0, Address::ZERO);
    let outcome = chain.block(&[delegating(1, 1, account(2), vec![stale])]);
    assert!(outcome.receipts[0].success && !outcome.diff.accounts.contains_key(&authority));
    chain.block(&[delegating(1, 2, account(2), vec![authorize(3, 1, Address::ZERO)])]);
    let cleared = chain.state.account(&authority).unwrap().unwrap();
    assert_eq!((cleared.code_hash, cleared.nonce), (alloy_primitives::KECCAK256_EMPTY, 2));
}

#[test]
fn a_creation_says_what_it_created() {
    let chain = Chain::new(&[]);
    let modules = system_modules();
    let mut executor = BlockExecutor::new(&chain.state, &chain.params, &modules, chain.next()).unwrap();
    // Returns one byte of code: STOP.
    let created =
        executor.execute(&call(1, 0, TxKind::Create, 0, Bytes::from(hex!("60015ff3").to_vec()))).unwrap();
    assert_eq!(created.created, Some(account(1).create(0)));
    // Reverts.
    let failed =
        executor.execute(&call(1, 1, TxKind::Create, 0, Bytes::from(hex!("5f5ffd").to_vec()))).unwrap();
    assert_eq!((failed.success, failed.created), (false, None));
    let diff = executor.finish().unwrap().diff;
    assert_eq!(diff.accounts[&account(1).create(0)].after.unwrap().nonce, 1);
    assert!(!diff.accounts.contains_key(&account(1).create(1)));
}

#[test]
fn stk_2_solidity_reads_the_validator_set_from_the_module() {
    let chain = Chain::new(&[]);
    let modules = system_modules();
    let mut executor = BlockExecutor::new(&chain.state, &chain.params, &modules, chain.next()).unwrap();
    let input = IStaking::validatorsCall {}.abi_encode().into();
    let executed = executor.execute(&call(1, 0, TxKind::Call(STAKING), 0, input)).unwrap();
    let set = IStaking::validatorsCall::abi_decode_returns_validate(&executed.output).unwrap();
    assert_eq!((set.len(), set[0].account, set[0].power), (1, account(9), 1));
    let code = chain.state.account(&STAKING).unwrap().unwrap().code_hash;
    assert_eq!(chain.state.code(&code).unwrap(), chlom_module::stub::stub_code());
    let stub = chlom_module::stub::stub_code();
    assert_eq!(stub[1..5], <NativeModule as alloy_sol_types::SolError>::SELECTOR);
}

#[test]
fn evm_5_authorities_that_a_transaction_carries_are_not_recovered_again() {
    let chain = Chain::new(&[]);
    let modules = system_modules();
    let run = |tx: &Tx| {
        let mut executor = BlockExecutor::new(&chain.state, &chain.params, &modules, chain.next()).unwrap();
        executor.execute(tx).unwrap();
        executor.finish().unwrap()
    };
    let list = vec![authorize(8, 0, CONTRACT), authorize(9, 5, CONTRACT)];
    let bare = delegating(1, 0, account(2), list);
    assert!(bare.authorizations().is_none());
    let carried = chlom_crypto::with_authorities(bare.clone());
    assert_eq!(carried.authorizations().map(<[_]>::len), Some(2));
    assert_eq!(run(&carried), run(&bare));
    // Whoever made the transaction vouches for them: what it carries is what counts.
    let others = chlom_crypto::recover_authorities(
        delegating(1, 0, account(2), vec![authorize(7, 0, CONTRACT)]).envelope(),
    );
    let vouched = bare.with_authorizations(others);
    let changed = run(&vouched).diff.accounts;
    assert!(changed.contains_key(&account(7)) && !changed.contains_key(&account(8)));
}

#[test]
fn evm_2_a_refused_delegation_leaves_nobody_warm() {
    let (sender, authority) = (account(3), account(8));
    // BALANCE of both: 2,600 gas each where cold, 100 where warm.
    let looks =
        [&hex!("73")[..], sender.as_slice(), &hex!("315073"), authority.as_slice(), &hex!("315000")].concat();
    let chain = Chain::new(&[(CONTRACT, looks.into())]);
    let modules = system_modules();
    let gas = |refused: Option<Tx>| {
        let mut executor = BlockExecutor::new(&chain.state, &chain.params, &modules, chain.next()).unwrap();
        if let Some(tx) = refused {
            assert!(matches!(executor.execute(&tx), Err(ExecuteError::Invalid { .. })));
        }
        executor.execute(&call(1, 0, TxKind::Call(CONTRACT), 0, Bytes::new())).unwrap().gas_used
    };
    let list = || vec![authorize(8, 0, CONTRACT)];
    let alone = gas(None);
    assert_eq!(gas(Some(delegating(3, 9, account(2), list()))), alone, "a nonce too high");
    assert_eq!(gas(Some(delegating(77, 0, account(2), list()))), alone, "no funds");
}
