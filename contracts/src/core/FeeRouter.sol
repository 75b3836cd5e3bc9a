// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {Governed} from "./Governed.sol";
import {Roles} from "./Roles.sol";
import {SystemAddresses} from "./SystemAddresses.sol";
import {IFeeRouter} from "./interfaces/IFeeRouter.sol";

/// @title Where payout fees go
contract FeeRouter is IFeeRouter, Governed, ReentrancyGuardTransient {
    /// @dev What came in of a token and what went out of each share.
    struct Shares {
        uint128 received;
        uint128 validatorsPaid;
        uint128 dlaPaid;
        uint128 treasuryPaid;
    }

    /// @notice In hundredths; the treasury has the rest, 25.
    uint256 public constant VALIDATORS_PERCENT = 50;
    uint256 public constant DLA_PERCENT = 25;

    mapping(address token => Shares) private _shares;

    /// @dev An implementation is never initialised itself.
    constructor() {
        _disableInitializers();
    }

    /// @param authority Pays the validators' and the DLA pool's shares out.
    function initialize(address owner, address authority) external initializer {
        _govern(owner, authority, Roles.PAYMASTER);
    }

    /// @inheritdoc IFeeRouter
    /// @dev From the ledger alone, so that the totals are fees.
    function receiveFees(address token, uint256 amount) external payable nonReentrant {
        if (msg.sender != SystemAddresses.ROYALTY_LEDGER) revert FeeRouterCaller(msg.sender);
        if (msg.value != (token == address(0) ? amount : 0)) revert FeeRouterValue(msg.value, amount);
        Shares storage s = _shares[token];
        s.received = SafeCastLib.toUint128(s.received + amount);
        emit FeesReceived(token, amount, s.received);
        if (token != address(0)) {
            uint256 before = SafeTransferLib.balanceOf(token, address(this));
            SafeTransferLib.safeTransferFrom(token, msg.sender, address(this), amount);
            uint256 held = SafeTransferLib.balanceOf(token, address(this));
            uint256 moved = held > before ? held - before : 0;
            if (moved != amount) revert FeeRouterValue(moved, amount);
        }
    }

    /// @inheritdoc IFeeRouter
    /// @dev Upholds [ROY-37]. Validators and DLA have ⌊T/2⌋ and ⌊T/4⌋ of the total T. The treasury has what they can never
    /// claim: the least of t − ⌊t/2⌋ − ⌊t/4⌋ over t ≥ T, which is ⌈T/4⌉. (At T = 4k + 3 one unit is nobody's until the next
    /// comes, since it is the validators' or the DLA's at 4k + 4.) So no share ever shrinks, and their sum never exceeds T.
    function accrued(address token) public view returns (uint256 validators, uint256 dla, uint256 treasury) {
        Shares memory s = _shares[token];
        validators = s.received * VALIDATORS_PERCENT / 100 - s.validatorsPaid;
        dla = s.received * DLA_PERCENT / 100 - s.dlaPaid;
        treasury = (s.received * (100 - VALIDATORS_PERCENT - DLA_PERCENT) + 99) / 100 - s.treasuryPaid;
    }

    /// @inheritdoc IFeeRouter
    function totalReceived(address token) external view returns (uint256) {
        return _shares[token].received;
    }

    /// @inheritdoc IFeeRouter
    function payTreasury(address token) external nonReentrant returns (uint256 amount) {
        (,, amount) = accrued(token);
        _shares[token].treasuryPaid += SafeCastLib.toUint128(amount);
        _pay(token, SystemAddresses.TREASURY, amount);
    }

    /// @inheritdoc IFeeRouter
    function payDla(address token, address to)
        external
        onlyRoles(Roles.PAYMASTER)
        nonReentrant
        returns (uint256 amount)
    {
        (, amount,) = accrued(token);
        _shares[token].dlaPaid += SafeCastLib.toUint128(amount);
        _pay(token, to, amount);
    }

    /// @inheritdoc IFeeRouter
    function payValidators(address token, address to)
        external
        onlyRoles(Roles.PAYMASTER)
        nonReentrant
        returns (uint256 amount)
    {
        (amount,,) = accrued(token);
        _shares[token].validatorsPaid += SafeCastLib.toUint128(amount);
        _pay(token, to, amount);
    }

    /// @inheritdoc IFeeRouter
    /// @dev Upholds [PAY-52].
    function payRebate(address token, address to, uint256 amount) external onlyRoles(Roles.SETTLER) nonReentrant {
        (,, uint256 treasury) = accrued(token);
        if (amount > treasury) revert FeeRouterShort(token, amount, treasury);
        _shares[token].treasuryPaid += SafeCastLib.toUint128(amount);
        _pay(token, to, amount);
    }

    function _pay(address token, address to, uint256 amount) private {
        if (amount == 0) revert FeeRouterNothingDue(token);
        if (to == address(0)) revert ZeroAddress();
        emit FeesPaid(token, to, amount);
        if (token == address(0)) SafeTransferLib.safeTransferETH(to, amount);
        else SafeTransferLib.safeTransfer(token, to, amount);
    }

    /// @dev The chain has transient storage.
    function _useTransientReentrancyGuardOnlyOnMainnet() internal pure override returns (bool) {
        return false;
    }
}
