// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IRoyaltyLedger} from "../interfaces/IRoyaltyLedger.sol";
import {LedgerBase} from "./LedgerBase.sol";

/// @title Payers' pots, and what batches have reserved of them
/// @dev A reservation is of one batch, token, lane and payer: no row of another batch, lane or payer can use it. It is not of
/// one settler, so that a settler's successor can settle or release what it left.
abstract contract LedgerPots is LedgerBase {
    /// @inheritdoc IRoyaltyLedger
    function deposit(address token, bytes20 lane, address payer, uint256 amount) external payable nonReentrant {
        if (amount == 0) revert AmountZero();
        if (amount > type(uint112).max) revert AmountTooLarge(amount, type(uint112).max);
        if (payer == address(0)) revert RecipientForbidden(payer);
        PotRecord storage pot = _pots[_potKey(token, lane, payer)];
        // Bounded above.
        // forge-lint: disable-next-line(unsafe-typecast)
        pot.free += uint128(amount);
        emit PotDeposited(payer, lane, token, msg.sender, amount);
        _receive(token, amount);
    }

    /// @inheritdoc IRoyaltyLedger
    /// @dev Upholds [ROY-33]: not stopped by a pause, since free money is nobody's but the payer's.
    function withdrawPot(address token, bytes20 lane, uint256 amount, address to) external nonReentrant {
        if (amount == 0) revert AmountZero();
        PotRecord storage pot = _pots[_potKey(token, lane, msg.sender)];
        uint256 free = pot.free;
        if (amount > free) revert Unfunded(msg.sender, amount - free);
        // At most `free`, which is a uint128.
        // forge-lint: disable-next-line(unsafe-typecast)
        pot.free = uint128(free - amount);
        emit PotWithdrawn(msg.sender, lane, token, to, amount);
        _send(token, to, amount);
    }

    /// @inheritdoc IRoyaltyLedger
    function potOf(address token, bytes20 lane, address payer) external view returns (uint256 free, uint256 reserved) {
        PotRecord storage pot = _pots[_potKey(token, lane, payer)];
        return (pot.free, pot.reserved);
    }

    /// @inheritdoc IRoyaltyLedger
    /// @dev Upholds [ROY-32]. Again for a batch adds to what it has.
    function reserve(bytes32 batch, address token, bytes20 lane, address payer, uint256 amount)
        external
        onlySettlers
        nonReentrant
    {
        if (_tokens[token].status != ENABLED) revert TokenNotEnabled(token);
        PotRecord storage pot = _pots[_potKey(token, lane, payer)];
        uint256 free = pot.free;
        if (amount > free) revert Unfunded(payer, amount - free);
        // At most `free`, a uint128; free + reserved ≤ accounted < 2¹¹².
        // forge-lint: disable-next-line(unsafe-typecast)
        (pot.free, pot.reserved) = (uint128(free - amount), pot.reserved + uint128(amount));
        _reservations[_reservationKey(batch, token, lane, payer)] += amount;
        emit PotReserved(batch, payer, lane, token, amount);
    }

    /// @inheritdoc IRoyaltyLedger
    function release(bytes32 batch, address token, bytes20 lane, address payer)
        external
        onlySettlers
        nonReentrant
        returns (uint256 amount)
    {
        bytes32 key = _reservationKey(batch, token, lane, payer);
        amount = _reservations[key];
        delete _reservations[key];
        PotRecord storage pot = _pots[_potKey(token, lane, payer)];
        // A reservation is part of what the pot has reserved.
        // forge-lint: disable-next-line(unsafe-typecast)
        (pot.free, pot.reserved) = (pot.free + uint128(amount), pot.reserved - uint128(amount));
        emit PotReleased(batch, payer, lane, token, amount);
    }

    /// @dev Takes a row's `most` out of its batch's reservation: `base` leaves the pot, the rest is free again.
    function _spend(Row memory row, uint256 most, uint256 base) internal {
        bytes32 key = _reservationKey(row.batch, row.token, row.lane, row.payer);
        uint256 reserved = _reservations[key];
        if (most > reserved) revert ReservationShort(row.batch, row.payer, reserved, most);
        if (most == 0) return;
        _reservations[key] = reserved - most;
        PotRecord storage pot = _pots[_potKey(row.token, row.lane, row.payer)];
        // base ≤ most ≤ the batch's reservation ≤ what the pot has reserved.
        // forge-lint: disable-next-line(unsafe-typecast)
        (pot.free, pot.reserved) = (pot.free + uint128(most - base), pot.reserved - uint128(most));
    }

    function _potKey(address token, bytes20 lane, address payer) private pure returns (bytes32) {
        return _key(_word(token), lane, _word(payer));
    }

    function _reservationKey(bytes32 batch, address token, bytes20 lane, address payer) private pure returns (bytes32) {
        return _key(batch, _word(token), lane, _word(payer));
    }
}
