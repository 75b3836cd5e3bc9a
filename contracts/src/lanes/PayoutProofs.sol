// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {PeriodLib} from "../licensing/libraries/PeriodLib.sol";
import {IADEProofs} from "./interfaces/IADEProofs.sol";
import {PayoutSettlement} from "./payouts/PayoutSettlement.sol";

/// @title Payout proofs: a batch comes with a bond, stands for its window, is settled row by row, or dies by one proof
/// @notice In layers, each on the one before: `payouts/PayoutStorage`, `PayoutCollateral` (bonds), `PayoutConsent` (payers),
/// `PayoutSubmission`, `PayoutChallenges`, `PayoutSettlement`.
contract PayoutProofs is PayoutSettlement {
    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @param authority Gets no role here: batches are code's alone to judge (REF C42).
    function initialize(address owner, address authority) external initializer {
        _govern(owner, authority, 0);
        _firstPeriod = PeriodLib.containing(block.timestamp > OLDEST ? block.timestamp - OLDEST : 0);
    }

    /// @inheritdoc IADEProofs
    /// @dev Upholds [PAY-23].
    function submit(bytes32, uint256) external pure {
        revert HeaderRequired();
    }
}
