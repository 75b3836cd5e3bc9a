// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title The arithmetic of royalties (REF §8.2, C5, C11, C12, C44)
/// @notice Every function is a floor of a cumulative amount; what a step pays is the floor after it less the floor before.
/// Hence totals depend on sums alone, not on how they arrived. Products fit: 128 + 14, 128 + 14, 112 + 64, 112 + 96 bits.
library RoyaltyMath {
    /// @notice Basis points in one.
    uint256 internal constant BPS = 10_000;

    /// @notice Royalty due of a cumulative revenue: ⌊revenue·bps/10⁴⌋. Upholds [ROY-10].
    function base(uint256 revenue, uint256 royaltyBps) internal pure returns (uint256) {
        return revenue * royaltyBps / BPS;
    }

    /// @notice The most that `revenue` can add to a cumulative base: ⌈revenue·bps/10⁴⌉. Upholds [ROY-11].
    /// @dev ⌊x + y⌋ − ⌊x⌋ ≤ ⌈y⌉ for every x ≥ 0: write x = i + f; then ⌊x + y⌋ = i + ⌊f + y⌋ ≤ i + ⌈y⌉ since f < 1.
    function mostDue(uint256 revenue, uint256 royaltyBps) internal pure returns (uint256) {
        return (revenue * royaltyBps + BPS - 1) / BPS;
    }

    /// @notice Fee of a cumulative base: min(cap, ⌊base·bps/10⁴⌋). Upholds [ROY-12].
    function fee(uint256 cumulativeBase, uint256 feeBps, uint256 cap) internal pure returns (uint256 due) {
        due = cumulativeBase * feeBps / BPS;
        if (due > cap) due = cap;
    }

    /// @notice What passes up of a cumulative inflow: ⌊inflow·n/d⌋. Upholds [ROY-14].
    function up(uint256 inflow, uint256 numer, uint256 denom) internal pure returns (uint256) {
        return inflow * numer / denom;
    }

    /// @notice A payee's part of what is kept: ⌊weight·kept/denom⌋. Upholds [ROY-17].
    function share(uint256 kept, uint256 weight, uint256 denom) internal pure returns (uint256) {
        return kept * weight / denom;
    }

    /// @notice A payee's part of a proportional hold: ⌈weight·amount/denom⌉.
    function quota(uint256 amount, uint256 weight, uint256 denom) internal pure returns (uint256) {
        return (amount * weight + denom - 1) / denom;
    }
}
