//! What a revert says: the contract's own error by name and values.

use std::fmt;

use alloy_primitives::Bytes;
use alloy_sol_types::{SolError, SolInterface};

use crate::contracts::{
    claims_pool, fee_router, license_registry, parameter_registry, pause_flags, policy_registry,
    rights_registry, royalty_ledger, split_registry, treasury,
};

mod shared {
    alloy_sol_types::sol! {
        /// What the contracts' bases say (Solady, OpenZeppelin, Governed).
        #[derive(Debug, PartialEq, Eq)]
        interface Shared {
            error Unauthorized();
            error AlreadyInitialized();
            error InvalidInitialization();
            error NewOwnerIsZeroAddress();
            error UpgradeFailed();
            error Reentrancy();
            error ZeroAddress();
            error TokenDoesNotExist();
            error TokenAlreadyExists();
            error TransferToZeroAddress();
            error NativeModule();
            error AccessControlUnauthorizedAccount(address account, bytes32 neededRole);
            error TimelockInsufficientDelay(uint256 delay, uint256 minDelay);
            error TimelockUnexpectedOperationState(bytes32 operationId, bytes32 expectedStates);
            error TimelockUnexecutedPredecessor(bytes32 predecessorId);
        }
    }
}

/// What a contract answered when it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// The bytes.
    pub data: Bytes,
    /// As text: `POLICY`, or `EdgeRate { numer: 2, denom: 1 }`.
    pub text: String,
}

impl Revert {
    /// Reads the bytes by the ABI of every system contract.
    pub fn decode(data: Bytes) -> Self {
        let text = text_of(&data);
        Self { data, text }
    }

    /// The text of an `Error(string)`, as REF §4.2's guards give.
    pub fn is(&self, guard: &str) -> bool {
        alloy_sol_types::Revert::abi_decode(&self.data).is_ok_and(|error| error.reason == guard)
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the contract refuses: {}", self.text)
    }
}

fn text_of(data: &Bytes) -> String {
    if data.is_empty() {
        return "without a reason".into();
    }
    if let Ok(error) = alloy_sol_types::Revert::abi_decode(data) {
        return error.reason;
    }
    if let Ok(error) = alloy_sol_types::Panic::abi_decode(data) {
        return format!("Panic: {error}");
    }
    named(data).unwrap_or_else(|| format!("with {data}"))
}

/// `Name { field: value }`: the derived text of `Enum::Name(Name { … })` without the enum's part.
fn named(data: &[u8]) -> Option<String> {
    macro_rules! first {
        ($($errors:ty),* $(,)?) => {
            $(if let Ok(error) = <$errors>::abi_decode(data) {
                let text = format!("{error:?}");
                return Some(text.split_once('(').map_or(&*text, |(_, rest)| rest.strip_suffix(')').unwrap_or(rest)).into());
            })*
        };
    }
    first!(
        license_registry::ILicenseRegistry::ILicenseRegistryErrors,
        split_registry::ISplitRegistry::ISplitRegistryErrors,
        rights_registry::IRightsRegistry::IRightsRegistryErrors,
        royalty_ledger::IRoyaltyLedger::IRoyaltyLedgerErrors,
        policy_registry::IPolicyRegistry::IPolicyRegistryErrors,
        pause_flags::IPauseFlags::IPauseFlagsErrors,
        parameter_registry::IParameterRegistry::IParameterRegistryErrors,
        fee_router::IFeeRouter::IFeeRouterErrors,
        treasury::ITreasury::ITreasuryErrors,
        claims_pool::IClaimsPool::IClaimsPoolErrors,
        shared::Shared::SharedErrors,
    );
    None
}
