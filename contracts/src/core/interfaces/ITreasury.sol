// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title The treasury (REF §7, §11): receives fees and residuals, spends by decision of its owner
/// @dev Token `address(0)` is CHM.
interface ITreasury {
    event TreasuryReceived(address indexed token, address indexed from, uint256 amount);
    event TreasurySpent(address indexed token, address indexed to, uint256 amount, bytes32 ref);

    error TreasuryShort(address token, uint256 asked, uint256 held);
    error TreasuryRefZero();

    /// @param ref Hash of the decision that allows it.
    function spend(address token, address to, uint256 amount, bytes32 ref) external;
    function held(address token) external view returns (uint256);
}
