// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";

import {Governed} from "../../core/Governed.sol";
import {SystemAddresses} from "../../core/SystemAddresses.sol";
import {IClaimsPool} from "../../core/interfaces/IClaimsPool.sol";
import {IFeeRouter} from "../../core/interfaces/IFeeRouter.sol";
import {IPauseFlags} from "../../core/interfaces/IPauseFlags.sol";
import {IRoyaltyLedger} from "../../licensing/interfaces/IRoyaltyLedger.sol";
import {IDataAvailability} from "../interfaces/IDataAvailability.sol";
import {IFraudJudge} from "../interfaces/IFraudJudge.sol";
import {ILane} from "../interfaces/ILane.sol";
import {ILaneRegistry} from "../interfaces/ILaneRegistry.sol";
import {IPayoutProofs} from "../interfaces/IPayoutProofs.sol";

/// @title What PayoutProofs keeps, whom it asks, and how a header becomes known
abstract contract PayoutStorage is IPayoutProofs, Governed, ReentrancyGuardTransient {
    // ---------------------------------------------------------------- structs

    /// @dev A lane's last accepted batch, whatever became of it.
    struct LaneRecord {
        bytes32 last;
        uint40 submittedAt;
    }

    // ---------------------------------------------------------------- constants

    /// @notice Units of bond that are locked behind an open batch, and lost by a fraud (REF C4).
    uint256 public constant SLASH_UNITS = 10;

    ILane internal constant LANE = ILane(SystemAddresses.LANE);
    IDataAvailability internal constant DATA = IDataAvailability(SystemAddresses.DATA_AVAILABILITY);
    ILaneRegistry internal constant LANES = ILaneRegistry(SystemAddresses.LANE_REGISTRY);
    IRoyaltyLedger internal constant LEDGER = IRoyaltyLedger(SystemAddresses.ROYALTY_LEDGER);
    IFraudJudge internal constant JUDGE = IFraudJudge(SystemAddresses.FRAUD_JUDGE);
    IClaimsPool internal constant CLAIMS = IClaimsPool(SystemAddresses.CLAIMS_POOL);
    IFeeRouter internal constant FEES = IFeeRouter(SystemAddresses.FEE_ROUTER);
    IPauseFlags internal constant PAUSES = IPauseFlags(SystemAddresses.PAUSE_FLAGS);

    // ---------------------------------------------------------------- storage

    /// @dev Three slots each.
    mapping(bytes32 batchRoot => Batch) internal _batches;
    /// @dev Bit i: payer i consented by its allowance. Written only when there is such a payer.
    mapping(bytes32 batchRoot => uint256) internal _standing;
    mapping(bytes32 batchRoot => Award) internal _awards;
    mapping(bytes32 commitment => Commitment) internal _commitments;
    mapping(address account => Collateral) internal _collateral;
    mapping(bytes20 lane => LaneRecord) internal _lanes;
    mapping(bytes20 lane => mapping(uint32 period => uint32)) internal _numbers;
    /// @dev Batches of a period that are open, or finalised with rows to settle.
    mapping(uint32 period => uint32) internal _unsettled;
    mapping(address submitter => mapping(address token => uint256)) internal _rebates;
    uint40 internal _lastOrder;
    uint64 internal _lastCommitment;
    /// @dev Of no period before it can anything come any more.
    uint32 internal _firstPeriod;

    // ---------------------------------------------------------------- helpers

    /// @dev A header, by its hash.
    function _headerOf(bytes32 batchRoot, bytes calldata header) internal view returns (ILane.Header memory) {
        bytes32 given = keccak256(header);
        if (given != batchRoot) revert HeaderMismatch(batchRoot, given);
        return LANE.decodeHeader(header);
    }

    function _claimOf(bytes32 batchRoot, Claim calldata claim) internal view returns (Batch storage b) {
        b = _batches[batchRoot];
        if (keccak256(abi.encode(claim)) != b.claimHash) revert ClaimMismatch(batchRoot);
    }

    /// @dev The chain has transient storage.
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
