// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title Which policy packs are in force (REF §4.2, §6; ARCHITECTURE §7)
/// @notice A pack is known by the hash of its canonical bytes. It is active from its activation height until its retirement
/// height. Nothing is changed after the fact: a height that has come is history.
interface IPolicyRegistry {
    /// @param activationHeight First height at which the pack is active; 0: never registered.
    /// @param retirementHeight First height at which it no longer is; `type(uint64).max`: none set.
    /// @param ratifiedBy Who decided: the genesis authority until the council exists.
    struct Policy {
        uint64 activationHeight;
        uint64 retirementHeight;
        address ratifiedBy;
    }

    event PolicyActivated(bytes32 indexed policyHash, uint64 activationHeight, address indexed ratifiedBy);
    event PolicyRetired(bytes32 indexed policyHash, uint64 retirementHeight, address indexed ratifiedBy);

    error PolicyZero();
    error PolicyKnown(bytes32 policyHash);
    error PolicyUnknown(bytes32 policyHash);
    error PolicyRetiredAlready(bytes32 policyHash, uint64 retirementHeight);
    /// @notice A height may be the current one or later, and retirement must follow activation.
    error PolicyHeight(uint64 given, uint64 earliest);

    function isPolicyHashActive(bytes32 policyHash) external view returns (bool);
    function policyOf(bytes32 policyHash) external view returns (Policy memory);
    function wasActiveAt(bytes32 policyHash, uint64 height) external view returns (bool);
    function activate(bytes32 policyHash, uint64 activationHeight) external;
    function retire(bytes32 policyHash, uint64 retirementHeight) external;
}
