// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title Where payout fees go (REF §2: 50 % validators, 25 % DLA pool, 25 % treasury)
/// @notice Shares are floors of cumulative totals per token, so that they do not depend on how fees arrived; what flooring
/// leaves is the treasury's. The validators' share accrues here until staking pays it out.
/// @dev Token `address(0)` is CHM.
interface IFeeRouter {
    event FeesReceived(address indexed token, uint256 amount, uint256 total);
    event FeesPaid(address indexed token, address indexed to, uint256 amount);

    error FeeRouterCaller(address caller);
    error FeeRouterValue(uint256 sent, uint256 stated);
    error FeeRouterNothingDue(address token);
    error FeeRouterShort(address token, uint256 asked, uint256 accrued);

    /// @notice Takes `amount` of `token` from the caller: value for CHM, an allowance for a token.
    function receiveFees(address token, uint256 amount) external payable;
    /// @return validators Accrued and not paid. @return dla Likewise. @return treasury Likewise.
    function accrued(address token) external view returns (uint256 validators, uint256 dla, uint256 treasury);
    function totalReceived(address token) external view returns (uint256);
    /// @notice Sends the treasury's share to Treasury; anyone may.
    function payTreasury(address token) external returns (uint256 amount);
    /// @notice Sends the DLA pool's share; the role that genesis names, until the council's pool exists.
    function payDla(address token, address to) external returns (uint256 amount);
    /// @notice Sends a rebate out of the treasury's share; the payout contract (role SETTLER), which earned it by a batch.
    function payRebate(address token, address to, uint256 amount) external;
    function payValidators(address token, address to) external returns (uint256 amount);
}
