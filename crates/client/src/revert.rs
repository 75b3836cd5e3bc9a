//! What a revert says: the contract's own error by name and values.

use std::fmt;

use alloy_primitives::Bytes;
use alloy_sol_types::{SolError, SolInterface};

use chlom_chain::blobs::interface::IDataAvailability::IDataAvailabilityErrors;
use chlom_lane::module::interface::ILane::ILaneErrors;

use crate::contracts::{
    claims_pool, fee_router, fraud_judge, lane_registry, license_registry, parameter_registry, pause_flags,
    payout_proofs, policy_registry, rights_registry, royalty_ledger, split_registry, treasury,
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
        lane_registry::ILaneRegistry::ILaneRegistryErrors,
        payout_proofs::IPayoutProofs::IPayoutProofsErrors,
        fraud_judge::IFraudJudge::IFraudJudgeErrors,
        IDataAvailabilityErrors,
        ILaneErrors,
        shared::Shared::SharedErrors,
    );
    None
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, bytes};
    use alloy_sol_types::Revert as Text;

    use super::*;
    use crate::contracts::split_registry::ISplitRegistry::EdgeRate;

    fn decoded(data: Vec<u8>) -> String {
        Revert::decode(data.into()).text
    }

    #[test]
    fn a_custom_error_is_told_by_its_name_and_values() {
        assert_eq!(decoded(EdgeRate { numer: 3, denom: 2 }.abi_encode()), "EdgeRate { numer: 3, denom: 2 }");
        let error =
            crate::contracts::policy_registry::IPolicyRegistry::PolicyKnown { policyHash: B256::ZERO };
        assert_eq!(decoded(error.abi_encode()), format!("PolicyKnown {{ policyHash: {} }}", B256::ZERO));
    }

    #[test]
    fn a_guard_of_the_source_is_its_text() {
        let guard = Revert::decode(Text::from("POLICY").abi_encode().into());
        assert!(guard.is("POLICY") && !guard.is("SPLIT"));
        assert_eq!(guard.to_string(), "the contract refuses: POLICY");
    }

    #[test]
    fn what_nobody_declared_is_shown_as_it_is() {
        assert_eq!(decoded(bytes!("deadbeef").to_vec()), "with 0xdeadbeef");
        assert_eq!(decoded(Vec::new()), "without a reason");
        let mut cut = EdgeRate { numer: 3, denom: 2 }.abi_encode();
        cut.truncate(40);
        assert!(decoded(cut).starts_with("with 0x"), "a known selector with broken values");
    }
}
