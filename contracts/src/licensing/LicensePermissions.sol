// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";

/// @title Who may act for a licensor: per selector, per licence or for all, until a time or for one transaction
/// @dev Upholds [LIC-40], [LIC-41], [LIC-42], [LIC-43].
abstract contract LicensePermissions is ILicenseRegistry {
    // ---------------------------------------------------------------- storage

    mapping(bytes32 key => uint256 until) private _permissions;

    // ---------------------------------------------------------------- functions

    /// @inheritdoc ILicenseRegistry
    function setPermission(address operator, bytes32 id, bytes4 selector, uint64 until) external {
        if (until != 0 && until <= block.timestamp) revert PermissionMalformed();
        _requireSomebody(operator, selector);
        _permissions[_permissionKey(msg.sender, operator, id, selector)] = until;
        emit PermissionSet(msg.sender, operator, id, selector, until);
    }

    /// @inheritdoc ILicenseRegistry
    function permitOnce(address operator, bytes32 id, bytes4 selector) external {
        _requireSomebody(operator, selector);
        bytes32 key = _permissionKey(msg.sender, operator, id, selector);
        assembly ("memory-safe") {
            tstore(key, 1)
        }
    }

    /// @dev Whether `owner` lets `operator` call `selector` for the licence, now.
    function _isPermitted(address owner, address operator, bytes32 id, bytes4 selector) internal view returns (bool) {
        return _holds(owner, operator, id, selector) || _holds(owner, operator, 0, selector);
    }

    function _holds(address owner, address operator, bytes32 id, bytes4 selector) private view returns (bool held) {
        bytes32 key = _permissionKey(owner, operator, id, selector);
        assembly ("memory-safe") {
            held := tload(key)
        }
        // From `until` on it is over.
        return held || _permissions[key] > block.timestamp;
    }

    function _requireSomebody(address operator, bytes4 selector) private pure {
        if (operator == address(0) || selector == 0) revert PermissionMalformed();
    }

    /// @dev Of `permitOnce` and `setPermission` alike: transient and lasting storage are apart.
    function _permissionKey(address owner, address operator, bytes32 id, bytes4 selector)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode("CHLOM_PERMISSION", owner, operator, id, selector));
    }
}
