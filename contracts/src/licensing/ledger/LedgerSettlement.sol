// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Roles} from "../../core/Roles.sol";
import {ParameterKeys} from "../../core/ParameterKeys.sol";
import {IRoyaltyLedger} from "../interfaces/IRoyaltyLedger.sol";
import {RoyaltyMath} from "../libraries/RoyaltyMath.sol";
import {LedgerPots} from "./LedgerPots.sol";

/// @title Settlement: a row's base and fee, and the flow of the rest up the override path
abstract contract LedgerSettlement is LedgerPots {
    uint256 private constant FEE_BPS_MIN = 50;
    uint256 private constant FEE_BPS_MAX = 100;

    // ---------------------------------------------------------------- actions

    /// @inheritdoc IRoyaltyLedger
    function settle(Row calldata row)
        external
        onlyRoles(Roles.SETTLER)
        nonReentrant
        whilePayoutsOpen
        returns (uint256 base, uint256 fee)
    {
        return _settle(row);
    }

    /// @inheritdoc IRoyaltyLedger
    function settleBatch(Row[] calldata rows) external onlyRoles(Roles.SETTLER) nonReentrant whilePayoutsOpen {
        for (uint256 i; i < rows.length; ++i) {
            _settle(rows[i]);
        }
    }

    // ---------------------------------------------------------------- reading

    /// @inheritdoc IRoyaltyLedger
    function isSettled(bytes32 batch, address payer, bytes32 licence) external view returns (bool) {
        return _settled[_key(batch, _word(payer), licence)];
    }

    /// @inheritdoc IRoyaltyLedger
    function accrualOf(address token, bytes32 licence, bytes20 lane, uint32 period)
        external
        view
        returns (Accrual memory accrual)
    {
        AccrualRecord memory a = _accruals[_key(_word(token), licence, lane, bytes32(uint256(period)))];
        uint256 base = RoyaltyMath.base(a.revenue, a.royaltyBps);
        (accrual.revenue, accrual.feeCap) = (a.revenue, a.feeCap);
        (accrual.royaltyBps, accrual.feeBps) = (a.royaltyBps, a.feeBps);
        // A rate is at most one, and a fee at most its cap.
        // forge-lint: disable-next-line(unsafe-typecast)
        (accrual.base, accrual.fee) = (uint128(base), uint96(RoyaltyMath.fee(base, a.feeBps, a.feeCap)));
    }

    /// @inheritdoc IRoyaltyLedger
    function routeKeyOf(bytes32 licence, uint32 period) external view returns (RouteKey memory) {
        (,, bytes32[] memory words) = SPLITS.payableRoute(licence, period);
        return RouteKey(licence, _versionIn(words[3]), words[2], 0);
    }

    // ---------------------------------------------------------------- a row

    /// @dev Upholds [ROY-18]: once for each (batch, payer, licence). Only system contracts are asked, none of them calls back.
    function _settle(Row calldata row) private returns (uint256 base, uint256 fee) {
        bytes32 rowKey = _key(row.batch, _word(row.payer), row.licence);
        if (_settled[rowKey]) revert AlreadySettled(row.batch, row.payer, row.licence);
        _settled[rowKey] = true;
        (uint64 start, uint16 royaltyBps, bytes32[] memory words) = SPLITS.payableRoute(row.licence, row.period);
        uint256 most;
        (base, fee, most) = _accrue(row, start, royaltyBps);
        _spend(row, most, base);
        // A fee is at most its cap, a uint96; the sum is checked.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (fee != 0) _tokens[row.token].fees += uint104(fee);
        _emitSettled(row, base, fee, words[1]);
        // Up the route, as long as something passes up.
        uint256 inflow = base - fee;
        for (uint256 i; i < words.length && inflow != 0; i += 4) {
            inflow = _credit(row.token, row.period, words, i, inflow);
        }
    }

    function _emitSettled(Row calldata row, uint256 base, uint256 fee, bytes32 route) private {
        emit Settled(row.licence, row.batch, row.payer, row.lane, row.period, row.token, row.revenue, base, fee, route);
    }

    /// @dev Upholds [ROY-10], [ROY-11], [ROY-12], [ROY-19]. Rates are fixed by the first row; they follow from the period's
    /// start, so any first row fixes the same.
    /// @return base Royalty due by this row. @return fee Fee by it. @return most What a lane reserves for such a row.
    function _accrue(Row calldata row, uint64 start, uint16 royaltyBps)
        private
        returns (uint256 base, uint256 fee, uint256 most)
    {
        bytes32 key = _key(_word(row.token), row.licence, row.lane, bytes32(uint256(row.period)));
        AccrualRecord memory a = _accruals[key];
        if (a.feeBps == 0) _fixRates(a, row.token, start, royaltyBps);
        uint256 before = RoyaltyMath.base(a.revenue, a.royaltyBps);
        uint256 revenue = uint256(a.revenue) + row.revenue;
        if (revenue > type(uint128).max) {
            // At a rate of zero nothing is due and nothing was reserved: then revenue that nobody paid for must not stop others.
            if (a.royaltyBps != 0) revert AmountTooLarge(row.revenue, type(uint128).max - a.revenue);
            revenue = type(uint128).max;
        }
        uint256 due = RoyaltyMath.base(revenue, a.royaltyBps);
        base = due - before;
        fee = RoyaltyMath.fee(due, a.feeBps, a.feeCap) - RoyaltyMath.fee(before, a.feeBps, a.feeCap);
        most = RoyaltyMath.mostDue(row.revenue, a.royaltyBps);
        // At most 2¹²⁸ − 1.
        // forge-lint: disable-next-line(unsafe-typecast)
        a.revenue = uint128(revenue);
        _accruals[key] = a;
    }

    function _fixRates(AccrualRecord memory a, address token, uint64 start, uint16 royaltyBps) private view {
        TokenRecord storage t = _tokens[token];
        if (t.status == UNKNOWN) revert TokenNotEnabled(token);
        a.royaltyBps = royaltyBps;
        uint256 bps = PARAMETERS.valueAt(ParameterKeys.FEE_DYNAMIC_BPS, start);
        if (bps < FEE_BPS_MIN) bps = FEE_BPS_MIN;
        if (bps > FEE_BPS_MAX) bps = FEE_BPS_MAX;
        // At most 100.
        // forge-lint: disable-next-line(unsafe-typecast)
        a.feeBps = uint16(bps);
        uint256 unit;
        // 10¹⁸ at most (MAX_DECIMALS).
        unchecked {
            unit = 10 ** uint256(t.decimals);
        }
        uint256 cap = PARAMETERS.valueAt(ParameterKeys.FEE_CAP_UNITS, start) * unit;
        // The parameter's bounds allow 10⁶ units and a token 18 decimals; a wider bound would only lift the cap to this.
        // forge-lint: disable-next-line(unsafe-typecast)
        a.feeCap = cap < type(uint96).max ? uint96(cap) : type(uint96).max;
    }

    // ---------------------------------------------------------------- the flow

    /// @dev Adds to the account of the route at `words[place]` (as `payableRoute` packs them). Upholds [ROY-14], [ROY-15],
    /// [ROY-16] and theorem T2: every unit that flows in is kept here or passes up.
    /// @return up The floor now less what passed before; nothing when no active licence is above.
    function _credit(address token, uint32 period, bytes32[] memory words, uint256 place, uint256 inflow)
        private
        returns (uint256 up)
    {
        bytes32 licence = words[place];
        bytes32 route = words[place + 1];
        (AccountRecord storage account, uint16 generation) = _receiving(token, route);
        AccountRecord memory a = account;
        if (a.lastPeriod == 0) {
            emit RouteOpened(licence, route, words[place + 2], _versionIn(words[place + 3]), generation);
        }
        uint256 total = a.inflow + inflow;
        if (total > type(uint112).max) revert AmountTooLarge(inflow, type(uint112).max - a.inflow);
        if (place + 4 < words.length) {
            // A rate is at most one, so this is at most `total`; the way up is the route's, so it never falls.
            uint256 rate = uint256(words[place + 3]);
            uint256 passed = RoyaltyMath.up(total, uint64(rate >> 64), uint64(rate));
            up = passed - a.passedUp;
            // forge-lint: disable-next-line(unsafe-typecast)
            a.passedUp = uint112(passed);
        }
        // At most 2¹¹² − 1.
        // forge-lint: disable-next-line(unsafe-typecast)
        (account.inflow, account.passedUp) = (uint112(total), a.passedUp);
        account.lastPeriod = a.lastPeriod > period ? a.lastPeriod : period;
        emit PayoutReceipt(licence, route, token, period, inflow, inflow - up, up);
    }

    function _versionIn(bytes32 word) private pure returns (uint32) {
        // The three numbers of a node are packed so.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(uint256(word) >> 128);
    }

    /// @dev The account of a route that is not closed.
    function _receiving(address token, bytes32 route)
        private
        view
        returns (AccountRecord storage account, uint16 generation)
    {
        account = _accounts[_accountKey(token, route, 0)];
        if (account.lastPeriod & CLOSED != 0) {
            generation = _generations[_key(_word(token), route)];
            account = _accounts[_accountKey(token, route, generation)];
        }
    }

    /// @dev An account is of a licence that counts as active.
    function _routeOf(bytes32 parentRoute, bytes32 licence, uint32 splitVersion) internal pure returns (bytes32) {
        return _key(parentRoute, licence, bytes32(uint256(splitVersion)), bytes32(uint256(1)));
    }

    function _accountKey(address token, bytes32 route, uint16 generation) internal pure returns (bytes32) {
        return _key(_word(token), route, bytes32(uint256(generation)));
    }
}
