//! A module with one function for everything that a module can do.

use alloy_primitives::{Address, B256, Bytes, LogData, U256, address};
use alloy_sol_types::{SolCall, SolValue, sol};
use chlom_module::{Layout, ModuleContext, ModuleError, Slot, SystemModule, call};
use chlom_state::StateError;

/// Where the probe lives.
pub(crate) const PROBE: Address = address!("0000000000000000000000000000000000001fff");

sol! {
    #[derive(Debug, PartialEq, Eq)]
    interface IProbe {
        error Refused(uint256 code);

        function get(uint256 slot) external view returns (uint256);
        /// Answers the value before.
        function set(uint256 slot, uint256 value) external returns (uint256);
        /// Stores the caller plus the value that it sent, and keeps the value.
        function stamp(uint256 slot) external payable returns (uint256);
        function note(bytes32 topic) external;
        function pay(address to, uint256 amount) external;
        function held() external view returns (uint256);
        /// Stores, emits, pays, and then refuses.
        function refuse(uint256 slot, uint256 code) external;
        /// Stores and hides what came of it.
        function swallow(uint256 slot, uint256 value) external returns (uint256);
        /// Stores, and calls whatever came of it a refusal.
        function disguise(uint256 slot, uint256 value) external;
        function damage() external;
        /// Loads (even operation) and stores (odd): pairs of slot and operation, a store's value is its operation / 2.
        function run(uint256[] operations) external;
        function burn(uint256 gas) external;
        function block_() external view returns (uint256, uint256, bytes32, uint256, address);
    }
}

/// See [`IProbe`].
#[derive(Debug)]
pub(crate) struct Probe;

fn slot(at: U256) -> Slot<U256> {
    Slot::at(at)
}

/// What `stamp` stores.
pub(crate) fn stamp_of(caller: Address, value: U256) -> U256 {
    U256::from_be_bytes(caller.into_word().0).wrapping_add(value << 160)
}

/// One step of `run`: the slot, and the value to store or none to load.
pub(crate) fn decode_operation(operation: U256) -> (U256, Option<U256>) {
    let (slot, what) = (operation >> 128, operation & U256::from(u128::MAX));
    (slot, (what != U256::ZERO).then(|| what - U256::from(1)))
}

impl SystemModule for Probe {
    fn address(&self) -> Address {
        PROBE
    }
    fn name(&self) -> &'static str {
        "Probe"
    }
    fn is_payable(&self, selector: [u8; 4]) -> bool {
        selector == IProbe::stampCall::SELECTOR
    }
    fn call(&self, ctx: &mut dyn ModuleContext, input: &[u8]) -> Result<Bytes, ModuleError> {
        use IProbe::IProbeCalls as C;
        let output = match call::decode::<C>(input)? {
            C::get(call) => slot(call.slot).get(ctx)?.abi_encode(),
            C::set(call) => {
                let before = slot(call.slot).get(ctx)?;
                slot(call.slot).set(ctx, &call.value)?;
                before.abi_encode()
            }
            C::stamp(call) => {
                let stamp = stamp_of(ctx.caller(), ctx.value());
                slot(call.slot).set(ctx, &stamp)?;
                stamp.abi_encode()
            }
            C::note(call) => {
                ctx.emit_log(LogData::new_unchecked(vec![call.topic], Bytes::new()))?;
                Vec::new()
            }
            C::pay(call) => {
                ctx.transfer(call.to, call.amount)?;
                Vec::new()
            }
            C::held(_) => ctx.balance()?.abi_encode(),
            C::refuse(call) => {
                slot(call.slot).set(ctx, &call.code)?;
                ctx.emit_log(LogData::new_unchecked(vec![B256::from(call.code)], Bytes::new()))?;
                return Err(ModuleError::revert(&IProbe::Refused { code: call.code }));
            }
            C::swallow(call) => {
                let hidden = slot(call.slot).set(ctx, &call.value);
                U256::from(u8::from(hidden.is_ok())).abi_encode()
            }
            C::disguise(call) => {
                let refusal = ModuleError::revert(&IProbe::Refused { code: U256::ZERO });
                slot(call.slot).set(ctx, &call.value).map_err(|_| refusal)?;
                Vec::new()
            }
            C::damage(_) => return Err(StateError::Corrupt("the probe found damage".into()).into()),
            C::run(call) => {
                for operation in call.operations {
                    match decode_operation(operation) {
                        (at, None) => drop(slot(at).get(ctx)?),
                        (at, Some(value)) => slot(at).set(ctx, &value)?,
                    }
                }
                Vec::new()
            }
            C::burn(call) => {
                ctx.charge(call.gas.saturating_to())?;
                Vec::new()
            }
            C::block_(_) => {
                let block = *ctx.block();
                let (height, time) = (U256::from(block.height), U256::from(block.timestamp));
                (height, time, block.mix, U256::from(block.chain_id), block.beneficiary).abi_encode()
            }
        };
        Ok(output.into())
    }
}
