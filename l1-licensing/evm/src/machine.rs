//! An EVM for calls, estimates and traces, over any database and with any inspector.

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use chlom_chain::{blobs, votes::Attested};
use chlom_module::ModuleSet;
use chlom_primitives::{Params, address::DATA_AVAILABILITY};
use revm::{
    Context, Database, SystemCallEvm,
    context::{BlockEnv as EvmBlockEnv, CfgEnv, Evm, TxEnv, result::EVMError},
    handler::{EthFrame, instructions::EthInstructions},
    interpreter::interpreter::EthInterpreter,
    primitives::hardfork::SpecId,
};

use crate::{
    adapter::{ChlomPrecompiles, run_hook},
    env::{self, BlockEnv},
};

/// Environment, rules, journal and database of one EVM.
pub type ChlomContext<DB> = Context<EvmBlockEnv, TxEnv, CfgEnv, DB>;

/// revm with CHLOM's precompiles: Ethereum's and the system modules. Executes (`ExecuteEvm`), inspects (`InspectEvm`).
pub type ChlomEvm<DB, I = ()> = Evm<
    ChlomContext<DB>,
    I,
    EthInstructions<EthInterpreter, ChlomContext<DB>>,
    ChlomPrecompiles,
    EthFrame<EthInterpreter>,
>;

/// An EVM in the environment of a block. Its rules are in `evm.ctx.cfg`, to be loosened for calls (`eth_call` switches
/// the balance, nonce and base fee checks off).
pub fn build_evm<DB: Database, I>(
    db: DB,
    env: &BlockEnv,
    params: &Params,
    modules: &ModuleSet,
    inspector: I,
) -> ChlomEvm<DB, I> {
    build_evm_at(env::SPEC, db, env, params, modules, inspector)
}

/// [`build_evm`] for another fork, for tests against vectors of that fork.
pub(crate) fn build_evm_at<DB: Database, I>(
    spec: SpecId,
    db: DB,
    env: &BlockEnv,
    params: &Params,
    modules: &ModuleSet,
    inspector: I,
) -> ChlomEvm<DB, I> {
    let context = Context::<EvmBlockEnv, TxEnv, CfgEnv, DB>::new(db, spec)
        .with_cfg(env::cfg_env_at(spec, params))
        .with_block(env::block_env(env));
    Evm::new_with_inspector(
        context,
        inspector,
        EthInstructions::new_mainnet_with_spec(spec),
        ChlomPrecompiles::new(spec, modules.clone()),
    )
}

/// What happens in a block before its first transaction. Upholds [BLK-13] and [MOD-8]: the parent's hash goes into the history contract (EIP-2935,
/// nothing at height 0), then the modules' hooks run in the order of their addresses. The changes are left in the journal,
/// as those of a transaction are. For a simulation of a block that is not committed yet (`pending`, traces);
/// [`crate::BlockExecutor`] does it itself.
///
/// # Errors
/// Faults of the database; a hook that fails or a history contract that refuses is a broken invariant and reported as
/// [`EVMError::Custom`].
pub fn start_block<DB: Database, I>(
    evm: &mut ChlomEvm<DB, I>,
    env: &BlockEnv,
    modules: &ModuleSet,
) -> Result<(), EVMError<DB::Error>> {
    if env.height > 0 {
        let parent = alloy_primitives::Bytes::copy_from_slice(env.parent_hash.as_slice());
        let result = evm.system_call_one(HISTORY_STORAGE_ADDRESS, parent)?;
        if !result.is_success() {
            return Err(EVMError::Custom(format!("the history contract refused: {result:?}")));
        }
    }
    for module in modules.iter() {
        run_hook(&mut evm.ctx, module.as_ref(), |module, ctx| module.begin_block(ctx))?;
    }
    Ok(())
}

/// Tells the modules what validators attested with the commit below, after [`start_block`] and before the first transaction.
/// Upholds [BLK-14].
///
/// # Errors
/// As [`start_block`].
pub fn attest_block<DB: Database, I>(
    evm: &mut ChlomEvm<DB, I>,
    env: &BlockEnv,
    modules: &ModuleSet,
    attested: &Attested,
) -> Result<(), EVMError<DB::Error>> {
    let Attested { statements, total_power } = attested;
    if statements.iter().all(|statement| statement.blobs.is_empty()) {
        return Ok(());
    }
    let missing = || EVMError::Custom("blobs are attested on a chain without DataAvailability".into());
    let module = modules.get(&DATA_AVAILABILITY).ok_or_else(missing)?;
    run_hook(&mut evm.ctx, module.as_ref(), |_, ctx| {
        blobs::attest(ctx, env.height, env.timestamp, *total_power, statements)
    })
}

/// What happens in a block after its last transaction: the modules' hooks. See [`start_block`].
///
/// # Errors
/// As [`start_block`].
pub fn end_block<DB: Database, I>(
    evm: &mut ChlomEvm<DB, I>,
    modules: &ModuleSet,
) -> Result<(), EVMError<DB::Error>> {
    for module in modules.iter() {
        run_hook(&mut evm.ctx, module.as_ref(), |module, ctx| module.end_block(ctx))?;
    }
    Ok(())
}
