//! Ethereum's precompiles and the system modules, as one revm provider.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use chlom_module::{
    ModuleError, ModuleSet, SystemModule, call,
    error::{DelegateCall, NotPayable},
    gas,
};
use chlom_state::StateError;
use revm::{
    context::{Cfg, ContextTr},
    context_interface::context::ContextError,
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult},
    primitives::{AddressSet, hardfork::SpecId},
};

use super::context::AdapterContext;

/// Ethereum's precompiles and the system modules. All of their addresses are warm.
#[derive(Clone, Debug)]
pub struct ChlomPrecompiles {
    ethereum: EthPrecompiles,
    modules: ModuleSet,
    warm: Arc<AddressSet>,
    /// A fault that a module found by itself, with the type that revm's errors would lose.
    fault: Option<StateError>,
}

impl ChlomPrecompiles {
    /// The precompiles of a fork, and modules.
    pub fn new(spec: SpecId, modules: ModuleSet) -> Self {
        let ethereum = EthPrecompiles::new(spec);
        let warm = Arc::new(warm_addresses(&ethereum, &modules));
        Self { ethereum, modules, warm, fault: None }
    }

    /// The fault that made a module abort the execution, if it was one that the module found.
    pub(crate) fn take_fault(&mut self) -> Option<StateError> {
        self.fault.take()
    }
}

impl ChlomPrecompiles {
    /// Turns the end of a call into a frame's.
    fn frame_result<CTX: ContextTr>(
        &mut self,
        ctx: &mut CTX,
        answer: Result<Bytes, ModuleError>,
        mut gas: Gas,
    ) -> InterpreterResult {
        match answer {
            Ok(output) => InterpreterResult::new(InstructionResult::Return, output, gas),
            Err(ModuleError::Revert(output)) => {
                InterpreterResult::new(InstructionResult::Revert, output, gas)
            }
            Err(ModuleError::OutOfGas) => {
                gas.spend_all();
                InterpreterResult::new(InstructionResult::PrecompileOOG, Bytes::new(), gas)
            }
            Err(ModuleError::Fatal(fault)) => {
                // A fault of the database is in the context already, with its own type.
                if ctx.error().is_ok() {
                    *ctx.error() = Err(ContextError::Custom(fault.to_string()));
                    self.fault = Some(fault);
                }
                InterpreterResult::new(InstructionResult::FatalExternalError, Bytes::new(), gas)
            }
        }
    }
}

fn warm_addresses(ethereum: &EthPrecompiles, modules: &ModuleSet) -> AddressSet {
    let mut warm = ethereum.warm_addresses().clone();
    warm.extend(modules.iter().map(|module| module.address()));
    warm
}

impl<CTX: ContextTr<Cfg: Cfg<Spec = SpecId>>> PrecompileProvider<CTX> for ChlomPrecompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        let changed = PrecompileProvider::<CTX>::set_spec(&mut self.ethereum, spec);
        if changed {
            self.warm = Arc::new(warm_addresses(&self.ethereum, &self.modules));
        }
        changed
    }

    fn run(&mut self, ctx: &mut CTX, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        match self.modules.get(&inputs.bytecode_address) {
            Some(module) => {
                let (answer, gas) = run_module(module.as_ref(), ctx, inputs);
                Ok(Some(self.frame_result(ctx, answer, gas)))
            }
            None => self.ethereum.run(ctx, inputs),
        }
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.warm
    }

    fn contains(&self, address: &Address) -> bool {
        self.ethereum.contains(address) || self.modules.get(address).is_some()
    }
}

/// Runs one call of a module: its true end, and its gas.
fn run_module<CTX: ContextTr>(
    module: &dyn SystemModule,
    ctx: &mut CTX,
    inputs: &CallInputs,
) -> (Result<Bytes, ModuleError>, Gas) {
    let input = inputs.input.bytes(ctx);
    let mut context = AdapterContext::for_call(ctx, inputs);
    let answer = if inputs.bytecode_address == inputs.target_address {
        call_module(module, &mut context, &input)
    } else {
        Err(ModuleError::revert(&DelegateCall {}))
    };
    context.finish(answer)
}

fn call_module(
    module: &dyn SystemModule,
    ctx: &mut dyn chlom_module::ModuleContext,
    input: &[u8],
) -> Result<Bytes, ModuleError> {
    gas::charge_input(ctx, input.len())?;
    let selector = call::selector(input);
    let value = ctx.value();
    if !value.is_zero() && !module.is_payable(selector) {
        return Err(ModuleError::revert(&NotPayable { selector: selector.into(), value }));
    }
    let output = module.call(ctx, input)?;
    gas::charge_output(ctx, output.len())?;
    Ok(output)
}
