// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Governed} from "./Governed.sol";
import {ParameterKeys} from "./ParameterKeys.sol";
import {IParameterRegistry} from "./interfaces/IParameterRegistry.sol";

/// @title Governance parameters with their history
/// @notice Upholds [ROY-40], [ROY-41].
contract ParameterRegistry is IParameterRegistry, Governed {
    /// @dev One value from its time on.
    struct Entry {
        uint64 effectiveFrom;
        uint192 value;
    }

    struct Parameter {
        uint256 min;
        uint256 max;
        Entry[] history;
    }

    mapping(bytes32 key => Parameter) private _parameters;

    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @param authority Gets no role here: parameters are the owner's alone.
    function initialize(address owner, address authority) external initializer {
        _govern(owner, authority, 0);
        _add(ParameterKeys.FEE_DYNAMIC_BPS, 0, 10_000, 50);
        _add(ParameterKeys.FEE_CAP_UNITS, 0, 1_000_000, 1_000);
    }

    /// @inheritdoc IParameterRegistry
    function addParameter(bytes32 key, uint256 min, uint256 max, uint256 value_) external onlyOwner {
        _add(key, min, max, value_);
    }

    /// @inheritdoc IParameterRegistry
    /// @dev A value for the time of the last one replaces it, unless that has come.
    function setParameter(bytes32 key, uint256 value_, uint64 effectiveFrom) external onlyOwner {
        Parameter storage p = _known(key);
        _checkBounds(key, p, value_);
        uint256 last = p.history.length - 1;
        uint64 before = p.history[last].effectiveFrom;
        uint64 earliest = before > block.timestamp ? before : uint64(block.timestamp);
        if (effectiveFrom < earliest) revert ParameterTime(key, effectiveFrom, earliest);
        // Within bounds, which `_add` keeps below 2¹⁹².
        // forge-lint: disable-next-line(unsafe-typecast)
        Entry memory given = Entry(effectiveFrom, uint192(value_));
        if (effectiveFrom == before) p.history[last] = given;
        else p.history.push(given);
        emit ParameterSet(key, value_, effectiveFrom);
    }

    /// @inheritdoc IParameterRegistry
    function value(bytes32 key) external view returns (uint256) {
        return valueAt(key, uint64(block.timestamp));
    }

    /// @inheritdoc IParameterRegistry
    function valueAt(bytes32 key, uint64 time) public view returns (uint256) {
        Entry[] storage history = _known(key).history;
        uint256 low;
        uint256 high = history.length;
        // Entry `low` is in force or is the first; entry `high` is not in force.
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            if (history[middle].effectiveFrom <= time) low = middle;
            else high = middle;
        }
        return history[low].value;
    }

    /// @inheritdoc IParameterRegistry
    function bounds(bytes32 key) external view returns (uint256 min, uint256 max) {
        Parameter storage p = _known(key);
        return (p.min, p.max);
    }

    function _add(bytes32 key, uint256 min, uint256 max, uint256 value_) private {
        Parameter storage p = _parameters[key];
        if (p.history.length != 0) revert ParameterKnown(key);
        if (max > type(uint192).max) revert ParameterOutOfBounds(key, max, min, type(uint192).max);
        (p.min, p.max) = (min, max);
        _checkBounds(key, p, value_);
        // Bounded just now.
        // forge-lint: disable-next-line(unsafe-typecast)
        p.history.push(Entry(0, uint192(value_)));
        emit ParameterDefined(key, min, max, value_);
    }

    function _checkBounds(bytes32 key, Parameter storage p, uint256 value_) private view {
        if (value_ < p.min || value_ > p.max) revert ParameterOutOfBounds(key, value_, p.min, p.max);
    }

    function _known(bytes32 key) private view returns (Parameter storage p) {
        p = _parameters[key];
        if (p.history.length == 0) revert ParameterUnknown(key);
    }
}
