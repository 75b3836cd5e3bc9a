//! The system contracts' types and calls, made from the ABI that forge gave of their interfaces (`contracts/artifacts`):
//! the ABI exists once. Addresses are in [`chlom_primitives::address`].
#![allow(missing_docs, clippy::too_many_arguments)]

macro_rules! binding {
    ($module:ident, $name:ident, $artifact:literal) => {
        /// One interface of `contracts/src`, or of OpenZeppelin's, documented there.
        pub mod $module {
            alloy_sol_types::sol!(
                #[derive(Debug, PartialEq, Eq)]
                $name,
                $artifact
            );
        }
    };
}

binding!(license_registry, ILicenseRegistry, "../../contracts/artifacts/ILicenseRegistry.json");
binding!(split_registry, ISplitRegistry, "../../contracts/artifacts/ISplitRegistry.json");
binding!(rights_registry, IRightsRegistry, "../../contracts/artifacts/IRightsRegistry.json");
binding!(royalty_ledger, IRoyaltyLedger, "../../contracts/artifacts/IRoyaltyLedger.json");
binding!(policy_registry, IPolicyRegistry, "../../contracts/artifacts/IPolicyRegistry.json");
binding!(pause_flags, IPauseFlags, "../../contracts/artifacts/IPauseFlags.json");
binding!(parameter_registry, IParameterRegistry, "../../contracts/artifacts/IParameterRegistry.json");
binding!(fee_router, IFeeRouter, "../../contracts/artifacts/IFeeRouter.json");
binding!(treasury, ITreasury, "../../contracts/artifacts/ITreasury.json");
binding!(claims_pool, IClaimsPool, "../../contracts/artifacts/IClaimsPool.json");
binding!(lane_registry, ILaneRegistry, "../../contracts/artifacts/ILaneRegistry.json");
binding!(payout_proofs, IPayoutProofs, "../../contracts/artifacts/IPayoutProofs.json");
binding!(fraud_judge, IFraudJudge, "../../contracts/artifacts/IFraudJudge.json");
binding!(timelock, TimelockController, "../../contracts/artifacts/TimelockController.json");
