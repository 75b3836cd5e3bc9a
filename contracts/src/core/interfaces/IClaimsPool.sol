// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title The Claims Pool (REF §2, §5; ARCHITECTURE §6 "Bonds"): what frauds forfeit, for those they harmed
/// @notice A deposit names the batch that was void; nobody of that batch (payers, payees' licensors, submitter) can claim
/// from it, which the claimant list of the depositor states. Claims are decided by the role that genesis names.
/// @dev Token `address(0)` is CHM.
interface IClaimsPool {
    event Forfeited(bytes32 indexed batch, address indexed token, uint256 amount);
    event ClaimPaid(bytes32 indexed batch, address indexed token, address indexed to, uint256 amount, bytes32 ref);

    error ClaimsPoolValue(uint256 sent, uint256 stated);
    error ClaimsPoolShort(bytes32 batch, address token, uint256 asked, uint256 held);
    error ClaimantExcluded(bytes32 batch, address claimant);
    error ClaimRefZero();
    error ClaimsPoolExcluded(uint256 given, uint256 most);
    error ClaimsPoolAmountZero();

    /// @notice By the role SETTLER: whoever deposits says who is excluded.
    /// @param excluded Who may never be paid from it; up to 128.
    function deposit(bytes32 batch, address token, uint256 amount, address[] calldata excluded) external payable;
    /// @notice Who else may never be paid from what a batch forfeited; likewise.
    function exclude(bytes32 batch, address[] calldata excluded) external;
    function payClaim(bytes32 batch, address token, address to, uint256 amount, bytes32 ref) external;
    function heldFor(bytes32 batch, address token) external view returns (uint256);
    function isExcluded(bytes32 batch, address account) external view returns (bool);
}
