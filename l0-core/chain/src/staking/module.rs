//! The module: calls from Solidity, and the hook of the host.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use chlom_module::{ModuleContext, ModuleError, SystemModule, call};
use chlom_primitives::address::STAKING;

use super::{
    block::rotate,
    interface::IStaking::{self, IStakingCalls},
    set::ValidatorSet,
    view::StakingRead,
};

/// `0x…1010` Staking.
#[derive(Clone, Copy, Debug, Default)]
pub struct Staking;

impl SystemModule for Staking {
    fn address(&self) -> Address {
        STAKING
    }

    fn name(&self) -> &'static str {
        "Staking"
    }

    fn call(&self, ctx: &mut dyn ModuleContext, input: &[u8]) -> Result<Bytes, ModuleError> {
        let output = match call::decode::<IStakingCalls>(input)? {
            IStakingCalls::validators(_) => {
                IStaking::validatorsCall::abi_encode_returns(&ctx.current_set()?.to_abi())
            }
            IStakingCalls::validatorSet(call) => {
                IStaking::validatorSetCall::abi_encode_returns(&set_at(ctx, call.height)?.to_abi())
            }
            IStakingCalls::validator(call) => {
                let found = ctx.validator(&call.account)?;
                let refusal = || ModuleError::revert(&IStaking::NotValidator { account: call.account });
                IStaking::validatorCall::abi_encode_returns(&found.ok_or_else(refusal)?.into())
            }
            IStakingCalls::totalPower(_) => {
                IStaking::totalPowerCall::abi_encode_returns(&U256::from(ctx.total_power()?))
            }
            IStakingCalls::setHash(call) => {
                IStaking::setHashCall::abi_encode_returns(&hash_at(ctx, call.height)?)
            }
        };
        Ok(output.into())
    }

    fn begin_block(&self, ctx: &mut dyn ModuleContext) -> Result<(), ModuleError> {
        rotate(ctx)
    }
}

fn set_at(ctx: &mut dyn ModuleContext, height: U256) -> Result<ValidatorSet, ModuleError> {
    let now = ctx.block().height;
    let set = match u64::try_from(height) {
        Ok(height) => ctx.validator_set(now, height)?,
        Err(_) => None,
    };
    set.ok_or_else(|| unknown_height(now, height))
}

fn hash_at(ctx: &mut dyn ModuleContext, height: U256) -> Result<B256, ModuleError> {
    let now = ctx.block().height;
    let hash = match u64::try_from(height) {
        Ok(height) => ctx.set_hash(now, height)?,
        Err(_) => None,
    };
    hash.ok_or_else(|| unknown_height(now, height))
}

fn unknown_height(now: u64, height: U256) -> ModuleError {
    let first = U256::from(now.saturating_sub(1));
    let last = U256::from(now).saturating_add(U256::from(2));
    ModuleError::revert(&IStaking::UnknownHeight { height, first, last })
}
