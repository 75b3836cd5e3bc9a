// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {ParameterKeys} from "../../core/ParameterKeys.sol";
import {IRoyaltyLedger} from "../interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "../interfaces/ISplitRegistry.sol";
import {RoyaltyMath} from "../libraries/RoyaltyMath.sol";
import {LedgerPots} from "./LedgerPots.sol";

/// @title Settlement: a row's base and fee, and the flow of the rest up the override path
abstract contract LedgerSettlement is LedgerPots {
    uint256 private constant FEE_BPS_MIN = 50;
    uint256 private constant FEE_BPS_MAX = 100;
    /// @dev Bytes of a node of a route in memory, as `payableRoute` packs them: licence, route, route of the one above,
    /// splitVersion·2¹²⁸ + rate.
    uint256 private constant NODE = 0x80;

    // ---------------------------------------------------------------- actions

    /// @inheritdoc IRoyaltyLedger
    function settle(Row memory row) external returns (uint256 base, uint256 fee) {
        _checkSettlement();
        return _settle(row);
    }

    /// @inheritdoc IRoyaltyLedger
    function settleBatch(Row[] calldata rows) external {
        _checkSettlement();
        for (uint256 i; i < rows.length; ++i) {
            _settle(rows[i]);
        }
    }

    /// @dev Settlement calls nobody that could call back, only system contracts and those statically: so it need not keep others
    /// out, but it must not run within another function of the ledger.
    function _checkSettlement() private view {
        _checkSettler();
        _checkNotEntered();
        _checkPayoutsOpen();
    }

    // ---------------------------------------------------------------- reading

    /// @inheritdoc IRoyaltyLedger
    function isSettled(bytes32 batch, address payer, bytes32 licence) external view returns (bool) {
        return _settled[_key(batch, _word(payer), licence)] != 0;
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
        (,, bytes32[] memory words) = _payableRoute(licence, period);
        return RouteKey(licence, _versionIn(words[3]), words[2], 0);
    }

    // ---------------------------------------------------------------- a row

    /// @dev Upholds [ROY-18]: once for each (batch, payer, licence). Only system contracts are asked, none of them calls back.
    function _settle(Row memory row) private returns (uint256 base, uint256 fee) {
        bytes32 rowKey = _key(row.batch, _word(row.payer), row.licence);
        if (_settled[rowKey] != 0) revert AlreadySettled(row.batch, row.payer, row.licence);
        _settled[rowKey] = 1;
        (uint256 start, uint256 royaltyBps, bytes32[] memory words) = _payableRoute(row.licence, row.period);
        uint256 most;
        (base, fee, most) = _accrue(row, start, royaltyBps);
        _spend(row, most, base);
        // A fee is at most its cap, a uint96; the sum is checked.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (fee != 0) _tokens[row.token].fees += uint104(fee);
        _emitSettled(row, base, fee, words[1]);
        // Up the route, as long as something passes up.
        uint256 inflow = base - fee;
        (uint256 node, uint256 end) = _nodes(words);
        for (; node != end && inflow != 0; node += NODE) {
            inflow = _credit(row, node, node + NODE == end, inflow);
        }
    }

    /// @dev `ISplitRegistry.payableRoute`, its words left where they came: they are the system's own, four for each node.
    function _payableRoute(bytes32 licence, uint32 period)
        private
        view
        returns (uint256 start, uint256 royaltyBps, bytes32[] memory words)
    {
        address splits = address(SPLITS);
        bytes4 selector = ISplitRegistry.payableRoute.selector;
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, selector)
            mstore(add(at, 0x04), licence)
            mstore(add(at, 0x24), period)
            let ok := staticcall(gas(), splits, at, 0x44, 0, 0)
            returndatacopy(at, 0, returndatasize())
            if or(iszero(ok), lt(returndatasize(), 0x100)) { revert(at, returndatasize()) }
            start := mload(at)
            royaltyBps := mload(add(at, 0x20))
            words := add(at, 0x60)
            mstore(0x40, add(at, returndatasize()))
        }
    }

    function _emitSettled(Row memory row, uint256 base, uint256 fee, bytes32 route) private {
        emit Settled(row.licence, row.batch, row.payer, row.lane, row.period, row.token, row.revenue, base, fee, route);
    }

    /// @dev Upholds [ROY-10], [ROY-11], [ROY-12], [ROY-19]. Rates are fixed by the first row; they follow from the period's
    /// start, so any first row fixes the same.
    /// @return base Royalty due by this row. @return fee Fee by it. @return most What a lane reserves for such a row.
    function _accrue(Row memory row, uint256 start, uint256 royaltyBps)
        private
        returns (uint256 base, uint256 fee, uint256 most)
    {
        bytes32 key = _key(_word(row.token), row.licence, row.lane, bytes32(uint256(row.period)));
        AccrualRecord memory a = _accruals[key];
        if (a.feeBps == 0) _fixRates(a, row.token, uint64(start), royaltyBps);
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

    function _fixRates(AccrualRecord memory a, address token, uint64 start, uint256 royaltyBps) private view {
        TokenRecord storage t = _tokens[token];
        if (t.status == UNKNOWN) revert TokenNotEnabled(token);
        // At most 10⁴ (LicenseRegistry).
        // forge-lint: disable-next-line(unsafe-typecast)
        a.royaltyBps = uint16(royaltyBps);
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

    /// @dev Adds to the account of the route of the node at `node`. Upholds [ROY-14], [ROY-15], [ROY-16] and theorem T2: every
    /// unit that flows in is kept here or passes up.
    /// @param last No active licence is above. @return up The floor now less what passed before.
    function _credit(Row memory row, uint256 node, bool last, uint256 inflow) private returns (uint256 up) {
        bytes32 licence = _word(node);
        bytes32 route = _word(node + 0x20);
        (AccountRecord storage account, uint256 held) = _receiving(row, node);
        uint256 total = uint112(held) + inflow;
        if (total > type(uint112).max) revert AmountTooLarge(inflow, type(uint112).max - uint112(held));
        uint256 passed = uint112(held >> 112);
        if (!last) {
            // A rate is at most one, so this is at most `total`; the way up is the route's, so it never falls.
            uint256 rate = uint256(_word(node + 0x60));
            up = RoyaltyMath.up(total, uint64(rate >> 64), uint64(rate)) - passed;
            passed += up;
        }
        uint256 period = held >> 224;
        if (period < row.period) period = row.period;
        // At most 2¹¹² − 1, twice, and a period of 32 bits.
        assembly ("memory-safe") {
            sstore(account.slot, or(total, or(shl(112, passed), shl(224, period))))
        }
        emit PayoutReceipt(licence, route, row.token, row.period, inflow, inflow - up, up);
    }

    /// @dev Where a route's nodes begin and end in memory.
    function _nodes(bytes32[] memory words) private pure returns (uint256 node, uint256 end) {
        assembly ("memory-safe") {
            node := add(words, 0x20)
            end := add(node, shl(5, mload(words)))
        }
    }

    function _word(uint256 place) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    function _versionIn(bytes32 word) private pure returns (uint32) {
        // The three numbers of a node are packed so.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(uint256(word) >> 128);
    }

    /// @dev The account of a node's route that is not closed, and the word it holds: inflow, passed up, last period, from the
    /// lowest bit.
    function _receiving(Row memory row, uint256 node) private returns (AccountRecord storage account, uint256 held) {
        bytes32 route = _word(node + 0x20);
        uint16 generation;
        account = _accounts[_accountKey(row.token, route, 0)];
        held = _held(account);
        if (held >> 255 != 0) {
            generation = _generations[_key(_word(row.token), route)];
            account = _accounts[_accountKey(row.token, route, generation)];
            held = _held(account);
        }
        if (held == 0) {
            emit RouteOpened(_word(node), route, _word(node + 0x40), _versionIn(_word(node + 0x60)), generation);
        }
    }

    function _held(AccountRecord storage account) private view returns (uint256 held) {
        assembly ("memory-safe") {
            held := sload(account.slot)
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
