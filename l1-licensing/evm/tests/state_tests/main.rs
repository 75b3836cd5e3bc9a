//! Ethereum's general state tests, each case executed as a block of one transaction through the executor, and judged by
//! the root of the state and the hash of the logs that it leaves. The vectors are of Cancun, so the rules are Cancun's
//! here; everything else is what runs in production.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod state;
mod vector;

use std::{collections::BTreeMap, path::Path};

use alloy_primitives::{B256, Log, keccak256};
use chlom_crypto::{RecoverError, recover_tx};
use chlom_evm::{BlockEnv, BlockExecutor, ExecuteError, TxInvalid};
use chlom_module::ModuleSet;
use chlom_primitives::{Params, tx::TxDecodeError};
use revm::{context::result::InvalidTransaction, primitives::hardfork::SpecId};
use state::{TestState, block_hash};
use vector::{Case, Env, PreAccount, Test};

/// What a case came to.
enum Verdict {
    /// Executed, with the expected root and logs.
    Passed,
    /// Expected to be invalid, and refused for that reason.
    Refused,
    /// A blob transaction, which CHLOM's blocks do not carry: refused before execution, whatever Ethereum does with it.
    Blob,
    /// The state begins with an account that has storage and neither code nor nonce, and a creation hits it. Ethereum
    /// refuses that creation (EIP-7610), revm does not. No such account can come to be on CHLOM: genesis refuses it, and
    /// since EIP-161 nothing else makes one.
    Impossible,
}

fn env_of(env: &Env) -> BlockEnv {
    let height = env.current_number.to::<u64>();
    assert!(env.current_excess_blob_gas.is_zero(), "the environment has a blob price");
    BlockEnv {
        height,
        timestamp: env.current_timestamp.to(),
        beneficiary: env.current_coinbase,
        gas_limit: env.current_gas_limit.saturating_to(),
        base_fee: env.current_base_fee.to(),
        mix_hash: env.current_random,
        parent_hash: height.checked_sub(1).map_or(B256::ZERO, block_hash),
    }
}

fn logs_hash(logs: &[Log]) -> B256 {
    let mut out = Vec::new();
    alloy_rlp::encode_list(logs, &mut out);
    keccak256(out)
}

/// Whether a refusal is the one that the vector names.
fn is_expected(exception: &str, reason: &TxInvalid) -> bool {
    use InvalidTransaction as I;
    exception.split('|').any(|one| match one.trim_start_matches("TransactionException.") {
        "INSUFFICIENT_ACCOUNT_FUNDS" => matches!(reason, TxInvalid::Evm(I::LackOfFundForMaxFee { .. })),
        "GASLIMIT_PRICE_PRODUCT_OVERFLOW" => {
            matches!(reason, TxInvalid::Evm(I::OverflowPaymentInTransaction))
        }
        "INSUFFICIENT_MAX_FEE_PER_GAS" => matches!(reason, TxInvalid::Evm(I::GasPriceLessThanBasefee)),
        "GAS_ALLOWANCE_EXCEEDED" => matches!(reason, TxInvalid::BlockGas { .. }),
        "INTRINSIC_GAS_TOO_LOW" => matches!(reason, TxInvalid::Evm(I::CallGasCostMoreThanGasLimit { .. })),
        "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS" => {
            matches!(reason, TxInvalid::Evm(I::PriorityFeeGreaterThanMaxFee))
        }
        _ => false,
    })
}

fn run(test: &Test, case: &Case) -> Result<Verdict, String> {
    let tx = match recover_tx(case.txbytes.clone()) {
        Ok(tx) => tx,
        Err(RecoverError::Decode(_)) if case.txbytes.first() == Some(&3) => return Ok(Verdict::Blob),
        // A gas price of more than 128 bits is no transaction for us; Ethereum would refuse it for the overflow.
        Err(RecoverError::Decode(TxDecodeError::Malformed(_)))
            if case.exception.as_ref().is_some_and(|exception| exception.contains("PRODUCT_OVERFLOW")) =>
        {
            return Ok(Verdict::Refused);
        }
        Err(error) => return Err(format!("the transaction does not decode: {error}")),
    };
    let env = env_of(&test.env);
    let (params, modules) = (params(), ModuleSet::empty());
    let state = TestState::new(test, env.height);
    let mut executor = BlockExecutor::at_spec(SpecId::CANCUN, &state, &params, &modules, &env);
    let executed = executor.execute(&tx);
    match (&executed, &case.exception) {
        (Ok(_), None) => {}
        (Err(ExecuteError::Invalid { reason, .. }), Some(exception)) if is_expected(exception, reason) => {}
        (got, want) => return Err(format!("expected {want:?}, got {got:?}")),
    }
    let mut outcome = executor.finish().map_err(|e| e.to_string())?;
    let logs: Vec<Log> = outcome.receipts.into_iter().flat_map(|receipt| receipt.logs).collect();
    let (root, logs) = (state.root_after(&mut outcome.diff), logs_hash(&logs));
    if root != case.hash && has_storage_without_contract(test) {
        return Ok(Verdict::Impossible);
    }
    if root != case.hash || logs != case.logs {
        return Err(format!("root {root}, expected {}; logs {logs}, expected {}", case.hash, case.logs));
    }
    Ok(if executed.is_ok() { Verdict::Passed } else { Verdict::Refused })
}

fn has_storage_without_contract(test: &Test) -> bool {
    let storage = |account: &PreAccount| account.storage.values().any(|value| !value.is_zero());
    test.pre.values().any(|account| storage(account) && account.code.is_empty() && account.nonce.is_zero())
}

fn params() -> Params {
    let mut params = Params::default();
    params.chain.evm_chain_id = 1;
    params
}

/// What all cases of some folders came to.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    passed: u32,
    refused: u32,
    blobs: u32,
    impossible: BTreeMap<String, u32>,
}

fn judge_all(wanted: impl Fn(&str) -> bool) -> Tally {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/ethereum-tests");
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    for (path, file) in vector::read_all(&folder).iter().filter(|(path, _)| wanted(path)) {
        let cases =
            file.iter().flat_map(|(name, test)| test.cases().iter().map(move |case| (name, test, case)));
        for (name, test, case) in cases {
            match run(test, case) {
                Ok(Verdict::Passed) => tally.passed += 1,
                Ok(Verdict::Refused) => tally.refused += 1,
                Ok(Verdict::Blob) => tally.blobs += 1,
                Ok(Verdict::Impossible) => *tally.impossible.entry(name.clone()).or_default() += 1,
                Err(reason) => failures.push(format!("{path} {name} {:?}: {reason}", case.indexes)),
            }
        }
    }
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    tally
}

/// Loops of many seconds; the rest takes two.
const LONG: &str = "vmPerformance";
const LONG_CASES: u32 = 23;

#[test]
fn evm_1_every_cancun_state_test_leaves_ethereums_root_and_logs() {
    let impossible = [
        ("InitCollisionParis", 4),
        ("RevertInCreateInInitCreate2Paris", 1),
        ("RevertInCreateInInit_Paris", 1),
    ];
    let impossible = impossible.map(|(name, cases)| (name.to_string(), cases)).into();
    let want = Tally { passed: 1281 - LONG_CASES, refused: 23, blobs: 10, impossible };
    assert_eq!(judge_all(|path| !path.contains(LONG)), want, "1,320 cases, with the long ones");
}

#[test]
fn evm_1_the_long_loops_leave_ethereums_root_and_logs_slow() {
    assert_eq!(judge_all(|path| path.contains(LONG)), Tally { passed: LONG_CASES, ..Tally::default() });
}
