//! Bytecode, as far as the tests need it.

use alloy_primitives::{Address, Bytes, U256};

/// How code is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
}

/// Where a program keeps its running sum, its calls' input and their output.
const SUM: u64 = 0x200;
const INPUT: u64 = 0x300;
const OUTPUT: u64 = 0x500;

/// Code in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assembler(Vec<u8>);

impl Assembler {
    pub(crate) fn op(mut self, op: u8) -> Self {
        self.0.push(op);
        self
    }

    pub(crate) fn push(mut self, value: impl Into<U256>) -> Self {
        let bytes = value.into().to_be_bytes_trimmed_vec();
        self.0.push(0x5f + u8::try_from(bytes.len()).unwrap());
        self.0.extend(bytes);
        self
    }

    fn mstore(self, at: u64) -> Self {
        self.push(U256::from(at)).op(0x52)
    }

    fn mload(self, at: u64) -> Self {
        self.push(U256::from(at)).op(0x51)
    }

    pub(crate) fn sstore(self, slot: U256, value: U256) -> Self {
        self.push(value).push(slot).op(0x55)
    }

    pub(crate) fn sload(self, slot: U256) -> Self {
        self.push(slot).op(0x54).op(0x50)
    }

    /// Calls, leaving success on the stack and the first 32 bytes of what came back at OUTPUT, zero-padded.
    fn raw_call(self, scheme: Scheme, to: Address, gas: u64, value: U256, input: &[u8]) -> Self {
        let mut code = self.push(U256::ZERO).mstore(OUTPUT);
        for (index, chunk) in (0_u64..).zip(input.chunks(32)) {
            let mut word = [0; 32];
            word[..chunk.len()].copy_from_slice(chunk);
            code = code.push(U256::from_be_bytes(word)).mstore(INPUT + 32 * index);
        }
        code = code.push(U256::from(32)).push(U256::from(OUTPUT));
        code = code.push(U256::from(input.len())).push(U256::from(INPUT));
        if matches!(scheme, Scheme::Call | Scheme::CallCode) {
            code = code.push(value);
        }
        code = code.push(U256::from_be_slice(to.as_slice())).push(U256::from(gas));
        code.op(match scheme {
            Scheme::Call => 0xf1,
            Scheme::CallCode => 0xf2,
            Scheme::DelegateCall => 0xf4,
            Scheme::StaticCall => 0xfa,
        })
    }

    /// Calls, and sum := 31·sum + 2·success + word returned. With `must`, a failure reverts with the sum.
    pub(crate) fn call(
        self,
        scheme: Scheme,
        to: Address,
        gas: u64,
        value: U256,
        input: &[u8],
        must: bool,
    ) -> Self {
        let code = self.raw_call(scheme, to, gas, value, input);
        // success; success, sum·31 + out + 2·success
        let code = code.op(0x80).push(U256::from(2)).op(0x02).mload(OUTPUT).op(0x01);
        let code = code.mload(SUM).push(U256::from(31)).op(0x02).op(0x01).mstore(SUM);
        if must { code.revert_if_zero() } else { code.op(0x50) }
    }

    fn revert_if_zero(self) -> Self {
        // The jump is over PUSH2 dest(3) JUMPI(1) and the revert.
        let revert = Self::default().end_sum(0xfd).0;
        let target = self.0.len() + 4 + revert.len();
        let mut code = self.op(0x61);
        code.0.extend(u16::try_from(target).unwrap().to_be_bytes());
        let mut code = code.op(0x57);
        code.0.extend(revert);
        code.op(0x5b)
    }

    fn end_sum(self, op: u8) -> Self {
        self.push(U256::from(32)).push(U256::from(SUM)).op(op)
    }

    pub(crate) fn return_sum(self) -> Bytes {
        self.end_sum(0xf3).code()
    }

    pub(crate) fn revert_sum(self) -> Bytes {
        self.end_sum(0xfd).code()
    }

    pub(crate) fn invalid(self) -> Bytes {
        self.op(0xfe).code()
    }

    /// STOP follows any code.
    pub(crate) fn code(self) -> Bytes {
        self.0.into()
    }
}

/// One call, returning success in the first word and all that came back after it.
pub(crate) fn caller(scheme: Scheme, to: Address, gas: u64, value: U256, input: &[u8]) -> Bytes {
    let code = Assembler::default().raw_call(scheme, to, gas, value, input);
    // mem[0] := success; RETURNDATACOPY(32, 0, size); RETURN(0, 32 + size)
    let code = code.push(U256::ZERO).op(0x52);
    let code = code.op(0x3d).push(U256::ZERO).push(U256::from(32)).op(0x3e);
    code.op(0x3d).push(U256::from(32)).op(0x01).push(U256::ZERO).op(0xf3).code()
}
