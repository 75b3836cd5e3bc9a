// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {OwnableRoles} from "solady/auth/OwnableRoles.sol";
import {Initializable} from "solady/utils/Initializable.sol";
import {UUPSUpgradeable} from "solady/utils/UUPSUpgradeable.sol";

/// @title What every system contract has: an owner that upgrades it, and roles that the owner gives
/// @notice The owner is the timelock; until the council exists, roles are held by the authority that genesis names.
/// @dev The bases keep their storage at hashed slots, so that a contract's own layout begins at slot 0.
abstract contract Governed is OwnableRoles, Initializable, UUPSUpgradeable {
    /// @notice An address that must be somebody is zero.
    error ZeroAddress();

    /// @dev Written once: the initialiser of a proxy, or the constructor of a contract that stands alone.
    function _guardInitializeOwner() internal pure override returns (bool) {
        return true;
    }

    /// @dev Only the owner upgrades.
    function _authorizeUpgrade(address) internal view override onlyOwner {}

    /// @dev The owner, and `roles` for `authority` unless that is nobody.
    function _govern(address owner_, address authority, uint256 roles) internal {
        if (owner_ == address(0)) revert ZeroAddress();
        _initializeOwner(owner_);
        if (authority != address(0) && roles != 0) _grantRoles(authority, roles);
    }
}
