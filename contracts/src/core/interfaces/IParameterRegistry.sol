// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title Governance parameters with their history (REF §2, C5, C43)
/// @notice A value is set for a time to come and stays what it was for times gone by, so that whoever recomputes a period
/// finds what held at its start. Only the owner (the timelock) sets, within bounds that the definition fixed.
interface IParameterRegistry {
    event ParameterDefined(bytes32 indexed key, uint256 min, uint256 max, uint256 value);
    event ParameterSet(bytes32 indexed key, uint256 value, uint64 effectiveFrom);

    error ParameterUnknown(bytes32 key);
    error ParameterKnown(bytes32 key);
    error ParameterOutOfBounds(bytes32 key, uint256 value, uint256 min, uint256 max);
    /// @notice Later values take effect no earlier than their block, and in order.
    error ParameterTime(bytes32 key, uint64 effectiveFrom, uint64 earliest);

    function addParameter(bytes32 key, uint256 min, uint256 max, uint256 value) external;
    function setParameter(bytes32 key, uint256 value, uint64 effectiveFrom) external;
    function value(bytes32 key) external view returns (uint256);
    /// @notice The value in force at `time` (seconds); the first one for times before it.
    function valueAt(bytes32 key, uint64 time) external view returns (uint256);
    function bounds(bytes32 key) external view returns (uint256 min, uint256 max);
}
