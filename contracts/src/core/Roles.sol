// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title Roles of the system contracts: one numbering for all of them
/// @dev Bits for Solady's OwnableRoles. A contract gives meaning only to those it names.
library Roles {
    /// @notice Allots licence ids: mints for any owner, without a commitment.
    uint256 internal constant REGISTRAR = 1 << 0;
    /// @notice Records usage.
    uint256 internal constant METER = 1 << 1;
    /// @notice Suspends, lifts, revokes, holds: the DLA, by the council once it exists (REF §7).
    uint256 internal constant ENFORCER = 1 << 2;
    /// @notice Reserves and settles: the payout contract.
    uint256 internal constant SETTLER = 1 << 3;
    /// @notice Activates and retires policy packs.
    uint256 internal constant RATIFIER = 1 << 4;
    /// @notice Raises and renews pause flags, flags frauds.
    uint256 internal constant GUARDIAN = 1 << 5;
    /// @notice Pays the validators' and the DLA pool's fee shares out.
    uint256 internal constant PAYMASTER = 1 << 6;
    /// @notice Decides claims on the Claims Pool.
    uint256 internal constant ADJUSTER = 1 << 7;
    /// @notice Adds words to the rights vocabulary.
    uint256 internal constant LEXICOGRAPHER = 1 << 8;
    /// @notice Registers and appoints lanes' submitters.
    uint256 internal constant LANE_KEEPER = 1 << 9;
}
