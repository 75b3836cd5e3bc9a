// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Governed} from "../core/Governed.sol";
import {Roles} from "../core/Roles.sol";
import {IPolicyRegistry} from "./interfaces/IPolicyRegistry.sol";

/// @title Which policy packs are in force (ARCHITECTURE §7)
/// @dev Upholds [LIC-64], [LIC-65], [LIC-66], [LIC-67].
contract PolicyRegistry is IPolicyRegistry, Governed {
    // ---------------------------------------------------------------- storage

    mapping(bytes32 policyHash => Policy) private _policies;

    // ---------------------------------------------------------------- constructor

    constructor() {
        _disableInitializers();
    }

    /// @notice Once, by the proxy's constructor. `authority` ratifies until the council exists.
    function initialize(address owner_, address authority) external initializer {
        _govern(owner_, authority, Roles.RATIFIER);
    }

    // ---------------------------------------------------------------- functions

    /// @inheritdoc IPolicyRegistry
    /// @dev Every use asks this: `wasActiveAt` now, its word read once.
    function isPolicyHashActive(bytes32 policyHash) external view returns (bool active) {
        Policy storage p = _policies[policyHash];
        assembly ("memory-safe") {
            let word := sload(p.slot)
            let from := and(word, 0xffffffffffffffff)
            let until := and(shr(64, word), 0xffffffffffffffff)
            active := and(lt(sub(from, 1), number()), lt(number(), until))
        }
    }

    /// @inheritdoc IPolicyRegistry
    function policyOf(bytes32 policyHash) external view returns (Policy memory) {
        return _policies[policyHash];
    }

    /// @inheritdoc IPolicyRegistry
    function wasActiveAt(bytes32 policyHash, uint64 height) public view returns (bool) {
        Policy storage p = _policies[policyHash];
        (uint64 from, uint64 until) = (p.activationHeight, p.retirementHeight);
        return from != 0 && from <= height && height < until;
    }

    /// @inheritdoc IPolicyRegistry
    function activate(bytes32 policyHash, uint64 activationHeight) external onlyRoles(Roles.RATIFIER) {
        if (policyHash == 0) revert PolicyZero();
        if (_policies[policyHash].activationHeight != 0) revert PolicyKnown(policyHash);
        // Height 0 stands for "never registered".
        uint64 earliest = block.number == 0 ? 1 : uint64(block.number);
        if (activationHeight < earliest) revert PolicyHeight(activationHeight, earliest);
        _policies[policyHash] = Policy(activationHeight, type(uint64).max, msg.sender);
        emit PolicyActivated(policyHash, activationHeight, msg.sender);
    }

    /// @inheritdoc IPolicyRegistry
    function retire(bytes32 policyHash, uint64 retirementHeight) external onlyRoles(Roles.RATIFIER) {
        Policy storage p = _policies[policyHash];
        uint64 activation = p.activationHeight;
        if (activation == 0) revert PolicyUnknown(policyHash);
        if (p.retirementHeight != type(uint64).max) revert PolicyRetiredAlready(policyHash, p.retirementHeight);
        uint64 earliest = activation < block.number ? uint64(block.number) : activation + 1;
        if (retirementHeight < earliest || retirementHeight == type(uint64).max) {
            revert PolicyHeight(retirementHeight, earliest);
        }
        p.retirementHeight = retirementHeight;
        emit PolicyRetired(policyHash, retirementHeight, msg.sender);
    }
}
