// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {Governed} from "./Governed.sol";
import {Roles} from "./Roles.sol";
import {IClaimsPool} from "./interfaces/IClaimsPool.sol";

/// @title The Claims Pool: what frauds forfeit, for those they harmed
contract ClaimsPool is IClaimsPool, Governed, ReentrancyGuardTransient {
    uint256 public constant MAX_EXCLUDED = 128;

    mapping(bytes32 batch => mapping(address token => uint256)) private _held;
    mapping(bytes32 batch => mapping(address account => bool)) private _excluded;

    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @param authority Decides claims.
    function initialize(address owner, address authority) external initializer {
        _govern(owner, authority, Roles.ADJUSTER);
    }

    /// @inheritdoc IClaimsPool
    /// @dev Upholds [ROY-39]. Not open to everyone, since a deposit excludes.
    function deposit(bytes32 batch, address token, uint256 amount, address[] calldata excluded)
        external
        payable
        onlyRoles(Roles.SETTLER)
        nonReentrant
    {
        if (amount == 0) revert ClaimsPoolAmountZero();
        _exclude(batch, excluded);
        if (msg.value != (token == address(0) ? amount : 0)) revert ClaimsPoolValue(msg.value, amount);
        _held[batch][token] += amount;
        emit Forfeited(batch, token, amount);
        if (token != address(0)) {
            uint256 before = SafeTransferLib.balanceOf(token, address(this));
            SafeTransferLib.safeTransferFrom(token, msg.sender, address(this), amount);
            uint256 now_ = SafeTransferLib.balanceOf(token, address(this));
            uint256 moved = now_ > before ? now_ - before : 0;
            if (moved != amount) revert ClaimsPoolValue(moved, amount);
        }
    }

    /// @inheritdoc IClaimsPool
    function exclude(bytes32 batch, address[] calldata excluded) external onlyRoles(Roles.SETTLER) {
        _exclude(batch, excluded);
    }

    function _exclude(bytes32 batch, address[] calldata excluded) private {
        if (excluded.length > MAX_EXCLUDED) revert ClaimsPoolExcluded(excluded.length, MAX_EXCLUDED);
        for (uint256 i; i < excluded.length; ++i) {
            _excluded[batch][excluded[i]] = true;
        }
    }

    /// @inheritdoc IClaimsPool
    function payClaim(bytes32 batch, address token, address to, uint256 amount, bytes32 ref)
        external
        onlyRoles(Roles.ADJUSTER)
        nonReentrant
    {
        if (ref == 0) revert ClaimRefZero();
        if (amount == 0) revert ClaimsPoolAmountZero();
        if (to == address(0)) revert ZeroAddress();
        if (_excluded[batch][to]) revert ClaimantExcluded(batch, to);
        uint256 have = _held[batch][token];
        if (amount > have) revert ClaimsPoolShort(batch, token, amount, have);
        _held[batch][token] = have - amount;
        emit ClaimPaid(batch, token, to, amount, ref);
        if (token == address(0)) SafeTransferLib.safeTransferETH(to, amount);
        else SafeTransferLib.safeTransfer(token, to, amount);
    }

    /// @inheritdoc IClaimsPool
    function heldFor(bytes32 batch, address token) external view returns (uint256) {
        return _held[batch][token];
    }

    /// @inheritdoc IClaimsPool
    function isExcluded(bytes32 batch, address account) external view returns (bool) {
        return _excluded[batch][account];
    }

    /// @dev The chain has transient storage.
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
