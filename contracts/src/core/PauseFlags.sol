// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Governed} from "./Governed.sol";
import {Roles} from "./Roles.sol";
import {SystemAddresses} from "./SystemAddresses.sol";
import {IRoyaltyLedger} from "../licensing/interfaces/IRoyaltyLedger.sol";
import {IPauseFlags} from "./interfaces/IPauseFlags.sol";

/// @title Pause flags (REF C23)
/// @dev Upholds [LIC-60], [LIC-61], [LIC-62], [LIC-63].
contract PauseFlags is IPauseFlags, Governed {
    // ---------------------------------------------------------------- constants

    /// @inheritdoc IPauseFlags
    uint64 public constant EPOCH_BLOCKS = 10_000;

    // ---------------------------------------------------------------- storage

    /// @inheritdoc IPauseFlags
    mapping(Flag flag => uint64) public pausedUntil;
    /// @notice Whether evidence of a fraud was flagged: only then may payouts be paused for it.
    mapping(bytes32 evidence => bool) public isFraudFlagged;

    // ---------------------------------------------------------------- constructor

    constructor() {
        _disableInitializers();
    }

    /// @notice Once, by the proxy's constructor. `authority` guards.
    function initialize(address owner_, address authority) external initializer {
        _govern(owner_, authority, Roles.GUARDIAN);
    }

    // ---------------------------------------------------------------- functions

    /// @inheritdoc IPauseFlags
    function isPaused(Flag flag) public view returns (bool) {
        return pausedUntil[flag] > block.number;
    }

    /// @inheritdoc IPauseFlags
    function pause(Flag flag, uint64 untilHeight, bytes32 reason) external onlyRoles(Roles.GUARDIAN) {
        if (isPaused(flag)) revert PauseActive(flag, pausedUntil[flag]);
        _raise(flag, untilHeight, reason);
        emit Paused(flag, untilHeight, reason);
    }

    /// @inheritdoc IPauseFlags
    function renew(Flag flag, uint64 untilHeight, bytes32 reason) external onlyRoles(Roles.GUARDIAN) {
        if (!isPaused(flag)) revert PauseNotActive(flag);
        _raise(flag, untilHeight, reason);
        emit Renewed(flag, untilHeight, reason);
    }

    /// @inheritdoc IPauseFlags
    function unpause(Flag flag) external onlyOwnerOrRoles(Roles.GUARDIAN) {
        if (!isPaused(flag)) revert PauseNotActive(flag);
        pausedUntil[flag] = uint64(block.number);
        _tellLedger(flag);
        emit Unpaused(flag);
    }

    /// @inheritdoc IPauseFlags
    function flagFraud(bytes32 evidence) external onlyRoles(Roles.GUARDIAN) {
        if (evidence == 0) revert ReasonZero();
        isFraudFlagged[evidence] = true;
        emit FraudFlagged(evidence, msg.sender);
    }

    function _raise(Flag flag, uint64 untilHeight, bytes32 reason) private {
        if (reason == 0) revert ReasonZero();
        if (flag == Flag.Payouts && !isFraudFlagged[reason]) revert FraudNotFlagged(reason);
        uint64 height = uint64(block.number);
        if (untilHeight <= height) revert PauseInPast(untilHeight, height);
        if (untilHeight > height + EPOCH_BLOCKS) revert PauseTooLong(untilHeight, height + EPOCH_BLOCKS);
        pausedUntil[flag] = untilHeight;
        _tellLedger(flag);
    }

    /// @dev The ledger keeps a copy. A ledger that fails to take it stops no flag, since others read it here; but it is said, and
    /// anyone may have the ledger look again. Upholds [LIC-68].
    function _tellLedger(Flag flag) private {
        if (flag != Flag.Payouts || SystemAddresses.ROYALTY_LEDGER.code.length == 0) return;
        try IRoyaltyLedger(SystemAddresses.ROYALTY_LEDGER).notePause() {}
        catch (bytes memory reason) {
            emit LedgerNotTold(reason);
        }
    }
}
