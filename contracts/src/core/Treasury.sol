// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {Governed} from "./Governed.sol";
import {ITreasury} from "./interfaces/ITreasury.sol";

/// @title The treasury: fees and residuals, spent by its owner's decision
contract Treasury is ITreasury, Governed, ReentrancyGuardTransient {
    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @param authority Gets no role here: spending is the owner's alone.
    function initialize(address owner, address authority) external initializer {
        _govern(owner, authority, 0);
    }

    receive() external payable {
        emit TreasuryReceived(address(0), msg.sender, msg.value);
    }

    /// @inheritdoc ITreasury
    /// @dev Upholds [ROY-38].
    function spend(address token, address to, uint256 amount, bytes32 ref) external onlyOwner nonReentrant {
        if (ref == 0) revert TreasuryRefZero();
        if (to == address(0)) revert ZeroAddress();
        uint256 have = held(token);
        if (amount > have) revert TreasuryShort(token, amount, have);
        emit TreasurySpent(token, to, amount, ref);
        if (token == address(0)) SafeTransferLib.safeTransferETH(to, amount);
        else SafeTransferLib.safeTransfer(token, to, amount);
    }

    /// @inheritdoc ITreasury
    function held(address token) public view returns (uint256) {
        return token == address(0) ? address(this).balance : SafeTransferLib.balanceOf(token, address(this));
    }

    /// @dev The chain has transient storage.
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
