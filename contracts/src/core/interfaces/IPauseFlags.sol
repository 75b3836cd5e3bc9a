// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title What an emergency stops, and for how long (REF C23, §6)
/// @notice A pause ends by itself after at most one epoch of heights; holding on needs a renewal, which is a decision of its
/// own. A pause of payouts must name a fraud that has been flagged. A licence's own pause is its suspension, in
/// LicenseRegistry.
interface IPauseFlags {
    enum Flag {
        MintModify,
        Listing,
        LaneSubmit,
        Payouts
    }

    event Paused(Flag indexed flag, uint64 untilHeight, bytes32 reason);
    event Renewed(Flag indexed flag, uint64 untilHeight, bytes32 reason);
    event Unpaused(Flag indexed flag);
    event FraudFlagged(bytes32 indexed evidence, address indexed by);
    /// @notice The ledger did not take over a pause of payouts: anyone may call its `notePause`. @param reason What it said.
    event LedgerNotTold(bytes reason);

    error PauseTooLong(uint64 untilHeight, uint64 latest);
    error PauseInPast(uint64 untilHeight, uint64 height);
    error PauseActive(Flag flag, uint64 untilHeight);
    error PauseNotActive(Flag flag);
    error FraudNotFlagged(bytes32 evidence);
    error ReasonZero();

    /// @notice Heights that a pause lasts at most: one L0 epoch (REF §2).
    function EPOCH_BLOCKS() external view returns (uint64);
    function isPaused(Flag flag) external view returns (bool);
    /// @return untilHeight First height at which the flag is down again; 0 when never raised.
    function pausedUntil(Flag flag) external view returns (uint64 untilHeight);
    /// @param reason Hash of the published reason; for `Payouts`, evidence that `flagFraud` recorded.
    function pause(Flag flag, uint64 untilHeight, bytes32 reason) external;
    function renew(Flag flag, uint64 untilHeight, bytes32 reason) external;
    function unpause(Flag flag) external;
    function flagFraud(bytes32 evidence) external;
}
