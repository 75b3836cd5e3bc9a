use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use chlom_chain::staking::{StakingRead, Validator, ValidatorSetError, storage};
use chlom_crypto::ValidatorKey;
use chlom_module::stub::stub_code;
use chlom_primitives::address::STAKING;
use chlom_state::{MemoryState, StateDiff, StateReader, TrieUpdates};

use super::{contracts::SYSTEM_CONTRACTS, *};

const ALICE: Address = address!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");

pub(super) fn validator() -> Validator {
    let consensus_key = ValidatorKey::from_seed(&[7; 32]).consensus_key().to_bytes().into();
    Validator { consensus_key, account: ALICE, power: 10 }
}

fn refused(text: &str) -> String {
    GenesisSpec::parse(text).unwrap_err().to_string()
}

fn committed(diff: &StateDiff) -> MemoryState {
    let mut state = MemoryState::default();
    state.commit(diff, &TrieUpdates::default());
    state
}

/// A file as geth and its kin write them, with everything that CHLOM takes.
const FILE: &str = r#"{
  "config": {
    "chainId": 4242, "homesteadBlock": 0, "londonBlock": 0, "cancunTime": 0, "terminalTotalDifficulty": 0,
    "chlom": {
      "params": { "gas": { "min_base_fee_wei": "0x989680", "elasticity": 4 }, "staking": { "max_validators": 5 } },
      "validators": [
        { "consensusKey": "0xea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c",
          "account": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "power": 10 }
      ],
      "governance": { "authority": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "timelockDelay": 3600 }
    }
  },
  "nonce": "0x42", "timestamp": "0x65e0a000", "extraData": "0x1234", "gasLimit": "0x1c9c380", "difficulty": "0x1",
  "mixHash": "0x2222222222222222222222222222222222222222222222222222222222222222",
  "coinbase": "0x0000000000000000000000000000000000000000", "baseFeePerGas": "1000000000",
  "alloc": {
    "f39fd6e51aad88f6f4ce6ab8827279cfffb92266": { "balance": "10000000000000000000000" },
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8": { "balance": "0x64", "nonce": "0x5" },
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC": {
      "balance": "0", "nonce": 1, "code": "0x6001600055",
      "storage": { "0x0": "0x1", "0x0000000000000000000000000000000000000000000000000000000000000005": "0x07", "ff": "0x00" }
    },
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906": { "balance": "0" }
  }
}"#;

#[test]
fn a_common_genesis_file_is_read_in_full() {
    let spec = GenesisSpec::parse(FILE).unwrap();
    assert_eq!(spec.params.chain.evm_chain_id, 4242);
    assert_eq!(spec.params.gas.block_gas_limit, 30_000_000);
    assert_eq!((spec.params.gas.min_base_fee_wei, spec.params.gas.elasticity), (10_000_000, 4));
    assert_eq!((spec.params.staking.max_validators, spec.params.staking.min_stake_clom), (5, 100_000));
    assert_eq!((spec.timestamp, spec.mix_hash), (0x65e0_a000, B256::repeat_byte(0x22)));
    assert_eq!(spec.alloc[&ALICE].balance, U256::from(10_000) * U256::from(10).pow(U256::from(18)));
    assert_eq!(spec.validators, [validator()]);
    let ignored: Vec<_> = spec.ignored.iter().map(|ignored| ignored.path.as_str()).collect();
    let forks = [
        "config.homesteadBlock",
        "config.londonBlock",
        "config.cancunTime",
        "config.terminalTotalDifficulty",
    ];
    assert_eq!(ignored[..4], forks);
    assert_eq!(ignored[4..], ["nonce", "extraData", "difficulty", "coinbase"]);
}

#[test]
fn gen_4_the_state_is_the_allocation_and_the_protocols_accounts() {
    let diff = GenesisSpec::parse(FILE).unwrap().state().unwrap();
    let system = SYSTEM_CONTRACTS.iter().map(|contract| 1 + usize::from(contract.implementation.is_some()));
    let contracts: usize = system.sum();
    assert_eq!(
        diff.accounts.len(),
        7 + contracts,
        "three with something, DataAvailability, Staking, Lane, the history contract, the system's"
    );
    let state = committed(&diff);
    let contract = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    let account = state.account(&contract).unwrap().unwrap();
    assert_eq!(state.code(&account.code_hash).unwrap(), Bytes::from_static(&[0x60, 1, 0x60, 0, 0x55]));
    assert_eq!(state.storage(&contract, &U256::from(5)), Ok(U256::from(7)));
    assert_eq!(state.storage(&contract, &U256::from(0xff)), Ok(U256::ZERO));
    let staking = state.account(&STAKING).unwrap().unwrap();
    assert_eq!((staking.nonce, staking.code_hash), (1, keccak256(stub_code())));
    let history = state.account(&HISTORY_STORAGE_ADDRESS).unwrap().unwrap();
    assert_eq!((history.nonce, history.code_hash), (1, keccak256(&HISTORY_STORAGE_CODE)));
    let set = storage(&state).validator_set(0, 2).unwrap().unwrap();
    assert_eq!(set.iter().copied().collect::<Vec<_>>(), [validator()]);
}

/// Compares with a committed file of this folder; `UPDATE_SNAPSHOTS=1` writes it instead, for a change that is meant.
#[allow(clippy::disallowed_methods)] // Writes on request only, in a test.
pub(super) fn assert_snapshot(file: &str, got: &str, want: &str) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let path = format!("{}/src/genesis/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, got).unwrap();
    } else {
        assert_eq!(
            got, want,
            "another chain; if that is meant: UPDATE_SNAPSHOTS=1 cargo test -p chlom-evm genesis"
        );
    }
}

/// Every byte of a genesis state as text, so that no change of it goes unnoticed: it would be another chain.
fn text_of(diff: &StateDiff) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for (address, change) in &diff.accounts {
        let after = change.after.unwrap();
        writeln!(
            text,
            "{address:#x} nonce {} balance {} code {:#x}",
            after.nonce, after.balance, after.code_hash
        )
        .unwrap();
        for (slot, value) in &change.storage {
            writeln!(text, "  {slot:#066x} {:#066x}", value.after).unwrap();
        }
    }
    text
}

#[test]
fn gen_4_the_genesis_state_is_pinned() {
    let spec = GenesisSpec::dev([(ALICE, U256::from(1_000))], vec![validator()], 1);
    let diff = spec.state().unwrap();
    for (hash, code) in &diff.codes {
        assert_eq!(*hash, keccak256(code));
    }
    assert_snapshot("snapshots/dev.txt", &text_of(&diff), include_str!("snapshots/dev.txt"));
    assert_eq!(spec.state().unwrap(), diff, "the same again");
}

#[test]
fn what_a_genesis_file_cannot_say_is_refused_at_its_place() {
    let cases = [
        (r"[]", "the file: expected an object, got a list"),
        (r#"{"aloc":{}}"#, "aloc: unknown key"),
        (r#"{"alloc":{},"alloc":{}}"#, "alloc: given twice"),
        (
            r#"{"timestamp":-1}"#,
            "timestamp: expected a number below 2^256, decimal or 0x-prefixed hex, got -1",
        ),
        (
            r#"{"timestamp":1.5}"#,
            "timestamp: expected a number below 2^256, decimal or 0x-prefixed hex, got 1.5",
        ),
        (
            r#"{"timestamp":"0x10000000000000000"}"#,
            r#"timestamp: expected a number below 2^64, got "0x10000000000000000""#,
        ),
        (r#"{"alloc":{"0x12":{}}}"#, r#"alloc.0x12: expected an address of 40 hex digits, got "0x12""#),
        (
            r#"{"config":{"chlom":{"params":{"gas":{"block_gas":1}}}}}"#,
            "config.chlom.params.gas.block_gas: unknown key",
        ),
        (r#"{"config":{"chlom":{"surprise":{}}}}"#, "config.chlom.surprise: unknown key"),
        (r#"{"config":{"chlom":{"params":{"surprise":{}}}}}"#, "config.chlom.params.surprise: unknown key"),
        (
            r#"{"config":{"chlom":{"params":{"gas":{"elasticity":0}}}}}"#,
            "config.chlom.params: parameter gas.elasticity is 0, it must be at least 1",
        ),
        (
            r#"{"config":{"chlom":{"validators":[{"power":1}]}}}"#,
            "config.chlom.validators[0].consensusKey: missing",
        ),
        (
            r#"{"config":{"chlom":{"validators":[{"stake":1}]}}}"#,
            "config.chlom.validators[0].stake: unknown key",
        ),
        (
            r#"{"config":{"chainId":1,"chlom":{"params":{"chain":{"evm_chain_id":2}}}}}"#,
            "config.chainId is 1 and config.chlom.params.chain.evm_chain_id is 2; they mean the same",
        ),
    ];
    for (text, want) in cases {
        assert_eq!(refused(text), want, "{text}");
    }
    assert!(refused("{").starts_with("the genesis file is no JSON: EOF"));
    let too_wide = refused(r#"{"config":{"chlom":{"params":{"staking":{"max_validators":4294967296}}}}}"#);
    assert!(too_wide.contains("4294967296"), "{too_wide}");
}

#[test]
fn an_account_that_cannot_be_is_refused_at_its_place() {
    let alloc =
        |account: &str| format!(r#"{{"alloc":{{"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266":{account}}}}}"#);
    let at = "alloc.0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
    let cases = [
        (r#"{"balnce":1}"#, "balnce: unknown key"),
        (
            r#"{"balance":"ten"}"#,
            r#"balance: expected a number below 2^256, decimal or 0x-prefixed hex, got "ten""#,
        ),
        (
            r#"{"balance":"1_0"}"#,
            r#"balance: expected a number below 2^256, decimal or 0x-prefixed hex, got "1_0""#,
        ),
        (r#"{"code":"0xzz"}"#, r#"code: expected hex bytes, got "0xzz""#),
        (
            r#"{"code":"0xef00"}"#,
            "code: code that begins with 0xef is no contract and no EIP-7702 delegation",
        ),
        (r#"{"nonce":1,"storage":{"0x1":1,"1":2}}"#, "storage.1: given twice"),
    ];
    for (account, want) in cases {
        assert_eq!(refused(&alloc(account)), format!("{at}.{want}"), "{account}");
    }
    let storage = r#"{"balance":1,"storage":{"0x1":1}}"#;
    assert_eq!(refused(&alloc(storage)), format!("{at}: an account with storage needs code or a nonce"));
    let delegation = r#"{"nonce":1,"code":"0xef01000000000000000000000000000000000000000042"}"#;
    assert!(GenesisSpec::parse(&alloc(delegation)).is_ok());
}

#[test]
fn gen_1_reserved_addresses_are_refused() {
    let cases = [
        "0x0000000000000000000000000000000000000001",
        "0x0000000000000000000000000000000000000100",
        "0x0000000000000000000000000000000000001010",
        "0x0000000000000000000000000000000000002001",
        "0x000000000000000000000000000000000000210b",
        "0x0000000000000000000000000000000000002fff",
        "0x0000F90827F1C53a10cb7A02335B175320002935",
    ];
    for address in cases {
        let text = format!(r#"{{"alloc":{{"{address}":{{"balance":1}}}}}}"#);
        assert!(matches!(GenesisSpec::parse(&text), Err(GenesisError::Reserved { .. })), "{address}");
    }
}

#[test]
fn gen_3_one_address_in_two_spellings_is_given_twice() {
    let text = r#"{"alloc":{"f39fd6e51aad88f6f4ce6ab8827279cfffb92266":{"balance":1},
        "0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266":{"balance":1}}}"#;
    let path = "alloc.0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266".to_string();
    assert_eq!(GenesisSpec::parse(text), Err(GenesisError::Duplicate { path }));
}

#[test]
fn gen_3_the_supply_fits_256_bits() {
    let max = U256::MAX;
    let text = format!(
        r#"{{"alloc":{{"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266":{{"balance":"{max}"}},
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8":{{"balance":1}}}}}}"#
    );
    assert!(matches!(GenesisSpec::parse(&text), Err(GenesisError::SupplyOverflow { .. })));
}

#[test]
fn without_validators_there_is_no_state() {
    let spec = GenesisSpec::parse("{}").unwrap();
    assert_eq!(spec.state(), Err(GenesisError::Validators(ValidatorSetError::Empty)));
}

proptest::proptest! {
    /// Damage anywhere in a file is an error or a different genesis, never a panic.
    #[test]
    fn a_damaged_file_is_refused_or_read(at in 0..FILE.len(), with in "[ -~]{0,3}") {
        if let Ok(spec) = GenesisSpec::parse(&format!("{}{with}{}", &FILE[..at], &FILE[at + 1..])) {
            let _state_or_refusal = spec.state();
        }
    }
}
