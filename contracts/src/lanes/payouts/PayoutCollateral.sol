// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IPayoutProofs} from "../interfaces/IPayoutProofs.sol";
import {PayoutStorage} from "./PayoutStorage.sol";

/// @title CHM of submitters and watchers: free, or locked behind open batches
/// @dev The contract's balance is the sum of free and locked, and of what void batches lost that is not paid out yet.
/// Upholds [PAY-60].
abstract contract PayoutCollateral is PayoutStorage {
    /// @notice Unit b is never below this (REF §2).
    uint256 public constant MIN_BOND = 1_000 ether;

    /// @inheritdoc IPayoutProofs
    function addCollateral(address account) external payable {
        if (account == address(0)) revert ZeroAddress();
        if (msg.value == 0) revert NothingOwed(account, address(0));
        _credit(account, msg.value);
        emit CollateralAdded(account, msg.sender, msg.value);
    }

    /// @inheritdoc IPayoutProofs
    function withdrawCollateral(uint256 amount, address to) external nonReentrant {
        if (to == address(0)) revert ZeroAddress();
        Collateral storage c = _collateral[msg.sender];
        uint256 free = c.free;
        if (amount > free) revert CollateralShort(msg.sender, free, amount);
        // At most `free`.
        // forge-lint: disable-next-line(unsafe-typecast)
        c.free = uint128(free - amount);
        emit CollateralWithdrawn(msg.sender, to, amount);
        SafeTransferLib.safeTransferETH(to, amount);
    }

    /// @inheritdoc IPayoutProofs
    function collateralOf(address account) external view returns (Collateral memory) {
        return _collateral[account];
    }

    /// @inheritdoc IPayoutProofs
    /// @dev Upholds [PAY-20]. Products fit: 135 + 96 bits.
    function bondFor(uint256 total, uint8 decimals, uint80 chmPerUnit) public pure returns (uint256 bond) {
        uint256 most = type(uint256).max / chmPerUnit;
        if (total > most) revert AmountTooLarge(total, most);
        uint256 divisor = SLASH_UNITS * 10 ** uint256(decimals);
        bond = total * chmPerUnit / divisor;
        if (bond * divisor < total * chmPerUnit) ++bond;
        if (bond < MIN_BOND) bond = MIN_BOND;
    }

    function _credit(address account, uint256 amount) internal {
        _collateral[account].free = SafeCastLib.toUint128(_collateral[account].free + amount);
    }

    /// @dev Upholds [PAY-21].
    function _lock(address account, uint256 amount) internal {
        Collateral storage c = _collateral[account];
        uint256 free = c.free;
        if (amount > free) revert CollateralShort(account, free, amount);
        // At most `free`; both are parts of the CHM here.
        // forge-lint: disable-next-line(unsafe-typecast)
        (c.free, c.locked) = (uint128(free - amount), c.locked + uint128(amount));
    }

    /// @dev `amount` was locked.
    function _unlock(address account, uint256 amount) internal {
        Collateral storage c = _collateral[account];
        // forge-lint: disable-next-line(unsafe-typecast)
        (c.free, c.locked) = (c.free + uint128(amount), c.locked - uint128(amount));
    }

    /// @dev `amount` was locked and belongs to its batch's award from here on.
    function _slash(address account, uint256 amount) internal {
        // forge-lint: disable-next-line(unsafe-typecast)
        _collateral[account].locked -= uint128(amount);
    }
}
