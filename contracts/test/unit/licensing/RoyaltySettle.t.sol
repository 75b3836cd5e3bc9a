// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {ParameterKeys} from "src/core/ParameterKeys.sol";
import {IPauseFlags} from "src/core/interfaces/IPauseFlags.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {RoyaltyMath} from "src/licensing/libraries/RoyaltyMath.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";

/// @title Pots, settlement and the flow up
contract RoyaltySettleTest is RoyaltyBase {
    bytes32 private constant ROOT = "root";
    bytes32 private constant MID = "mid";
    bytes32 private constant LEAF = "leaf";
    bytes32 private constant BATCH = "batch";

    function _line(uint256 bps, uint64 n1, uint64 d1, uint64 n2, uint64 d2) private {
        mintRoot(ROOT, bps, rampSplit(2));
        mintUnder(MID, bps, rampSplit(3), ROOT, n1, d1);
        mintUnder(LEAF, bps, rampSplit(4), MID, n2, d2);
    }

    // ---------------------------------------------------------------- pots

    /// @dev [ROY-30].
    function testFuzz_a_deposit_is_free_until_reserved_and_comes_back(uint112 amount, uint112 part, bool chm) public {
        vm.assume(amount != 0);
        address asset = chm ? CHM : address(token);
        part = uint112(bound(part, 0, amount));
        fund(asset, amount);
        vm.prank(settler);
        ledger.reserve(BATCH, asset, LANE, payer, part);
        (uint256 free, uint256 reserved) = ledger.potOf(asset, LANE, payer);
        assertEq(abi.encode(free, reserved), abi.encode(amount - part, part));
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.Unfunded.selector, payer, 1));
        ledger.reserve("other", asset, LANE, payer, uint256(amount) - part + 1);
        vm.prank(settler);
        assertEq(ledger.release(BATCH, asset, LANE, payer), part);
        vm.prank(settler);
        assertEq(ledger.release(BATCH, asset, LANE, payer), 0, "once");
        vm.prank(payer);
        ledger.withdrawPot(asset, LANE, amount, address(0xd00d));
        assertEq(balanceOf(asset, address(0xd00d)), amount);
        assertEq(ledger.accounted(asset), 0);
    }

    function test_deposits_are_refused_that_could_not_be_paid_back() public {
        vm.deal(address(this), 10);
        vm.expectRevert(IRoyaltyLedger.AmountZero.selector);
        ledger.deposit(CHM, LANE, payer, 0);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RecipientForbidden.selector, address(0)));
        ledger.deposit{value: 1}(CHM, LANE, address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.ValueMismatch.selector, 1, 2));
        ledger.deposit{value: 1}(CHM, LANE, payer, 2);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.ValueMismatch.selector, 1, 0));
        ledger.deposit{value: 1}(address(token), LANE, payer, 1);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.TokenNotEnabled.selector, address(7)));
        ledger.deposit(address(7), LANE, payer, 1);
        uint256 most = type(uint112).max;
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.AmountTooLarge.selector, most + 1, most));
        ledger.deposit(address(token), LANE, payer, most + 1);
        fund(address(token), most - 5);
        token.mint(address(this), 6);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.AmountTooLarge.selector, 6, 5));
        ledger.deposit(address(token), LANE, payer, 6);
    }

    function test_a_pot_pays_its_payer_alone_and_to_somebody() public {
        fund(CHM, 100);
        vm.startPrank(payer);
        vm.expectRevert(IRoyaltyLedger.AmountZero.selector);
        ledger.withdrawPot(CHM, LANE, 0, payer);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.Unfunded.selector, payer, 1));
        ledger.withdrawPot(CHM, LANE, 101, payer);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RecipientForbidden.selector, address(0)));
        ledger.withdrawPot(CHM, LANE, 1, address(0));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RecipientForbidden.selector, address(ledger)));
        ledger.withdrawPot(CHM, LANE, 1, address(ledger));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.Unfunded.selector, address(this), 1));
        ledger.withdrawPot(CHM, LANE, 1, address(this));
    }

    function testFuzz_only_settlers_reserve_release_and_settle(address caller) public {
        vm.assume(caller != settler);
        vm.startPrank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.reserve(BATCH, CHM, LANE, payer, 1);
        vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.release(BATCH, CHM, LANE, payer);
        vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.settle(rowOf(BATCH, CHM, LEAF, 1));
        vm.expectRevert(Ownable.Unauthorized.selector);
        ledger.settleBatch(new IRoyaltyLedger.Row[](1));
    }

    /// @dev [ROY-32].
    function testFuzz_a_row_uses_no_reservation_but_its_own(uint8 which, uint96 revenue) public {
        revenue = uint96(bound(revenue, 10, type(uint96).max));
        _line(1_000, 1, 2, 1, 3);
        IRoyaltyLedger.Row memory row = rowOf(BATCH, CHM, LEAF, revenue);
        uint256 most = mostOf(LEAF, revenue);
        fund(CHM, most);
        reserveFor(row);
        which %= 3;
        if (which == 0) row.batch = "other";
        else if (which == 1) row.lane = bytes20("other");
        else row.payer = address(0xbad);
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.ReservationShort.selector, row.batch, row.payer, 0, most));
        ledger.settle(row);
    }

    // ---------------------------------------------------------------- base and fee

    /// @dev [ROY-10], [ROY-11], [ROY-12]: in any parts, never more than reserved, the whole's base and fee.
    function testFuzz_base_and_fee_of_parts_sum_to_those_of_the_whole(uint64[6] memory parts, uint16 bps) public {
        bps %= 10_001;
        mintRoot(ROOT, bps, rampSplit(3));
        fund(address(token), 1e22);
        uint256 sum;
        uint256 bases;
        uint256 fees;
        for (uint256 i; i < 6; ++i) {
            IRoyaltyLedger.Row memory row = rowOf(bytes32(i), address(token), ROOT, parts[i]);
            reserveFor(row);
            (uint256 base, uint256 fee) = settleRow(row);
            assertLe(base, mostOf(ROOT, parts[i]));
            assertLe(fee, base);
            (sum, bases, fees) = (sum + parts[i], bases + base, fees + fee);
        }
        uint256 due = sum * bps / 10_000;
        assertEq(bases, due);
        assertEq(fees, due * 50 / 10_000 < 1_000e6 ? due * 50 / 10_000 : 1_000e6);
        (, uint256 reserved) = ledger.potOf(address(token), LANE, payer);
        assertEq(reserved, 0, "what a row did not need is free at once");
        _checkAccrual(sum, bases, fees, bps);
        assertEq(ledger.feesOwed(address(token)), fees);
    }

    function _checkAccrual(uint256 revenue, uint256 base, uint256 fee, uint16 bps) private view {
        IRoyaltyLedger.Accrual memory a = ledger.accrualOf(address(token), ROOT, LANE, PERIOD);
        assertEq(a.revenue, revenue);
        assertEq(a.base, base);
        assertEq(a.fee, fee);
        assertEq(a.feeCap, 1_000e6);
        assertEq(a.royaltyBps, bps);
        assertEq(a.feeBps, 50);
    }

    function testFuzz_the_most_that_a_row_owes_bounds_its_base(uint128 before, uint128 revenue, uint16 bps)
        public
        pure
    {
        bps %= 10_001;
        uint256 base = RoyaltyMath.base(uint256(before) + revenue, bps) - RoyaltyMath.base(before, bps);
        assertLe(base, RoyaltyMath.mostDue(revenue, bps));
        assertGe(base + 1, RoyaltyMath.mostDue(revenue, bps));
    }

    /// @dev [ROY-19]: the fee rate is the parameter's at the period's start, clamped, whatever it is later.
    function testFuzz_the_fee_rate_is_that_of_the_periods_start_clamped(uint16 early, uint16 late) public {
        (early, late) = (early % 10_001, late % 10_001);
        bytes32 key = ParameterKeys.FEE_DYNAMIC_BPS;
        vm.warp(START - 10);
        vm.prank(address(timelock));
        parameters.setParameter(key, early, uint64(START - 10));
        vm.warp(START + 1);
        vm.prank(address(timelock));
        parameters.setParameter(key, late, uint64(START + 1));
        vm.warp(START + 9 days);
        mintRoot(ROOT, 10_000, rampSplit(1));
        (, uint256 fee) = pay(address(token), ROOT, 1e8);
        assertEq(fee, 1e8 * uint256(early < 50 ? 50 : early > 100 ? 100 : early) / 10_000);
        (, fee) = payIn(PERIOD + 1, address(token), ROOT, 1e8);
        assertEq(fee, 1e8 * uint256(late < 50 ? 50 : late > 100 ? 100 : late) / 10_000);
    }

    function test_revenue_that_owes_nothing_stops_no_other() public {
        mintRoot(ROOT, 0, rampSplit(1));
        IRoyaltyLedger.Row memory row = rowOf("a", CHM, ROOT, type(uint128).max);
        settleRow(row);
        row.batch = "b";
        (uint256 base, uint256 fee) = settleRow(row);
        assertEq(base + fee, 0);
    }

    function test_revenue_beyond_128_bits_is_refused_where_it_owes() public {
        mintRoot(ROOT, 1, rampSplit(1));
        IRoyaltyLedger.Row memory row = rowOf("a", CHM, ROOT, 1e36);
        uint256 most = mostOf(ROOT, 1e36);
        fund(CHM, most);
        reserveFor(row);
        settleRow(row);
        row.batch = "b";
        row.revenue = type(uint128).max;
        vm.prank(settler);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRoyaltyLedger.AmountTooLarge.selector, type(uint128).max, type(uint128).max - uint256(1e36)
            )
        );
        ledger.settle(row);
    }

    // ---------------------------------------------------------------- once

    /// @dev [ROY-18]; invariant I8.
    function testFuzz_a_row_settles_once(uint64 revenue) public {
        mintRoot(ROOT, 5_000, rampSplit(2));
        IRoyaltyLedger.Row memory row = rowOf(BATCH, CHM, ROOT, revenue);
        fund(CHM, uint256(revenue) + 2);
        reserveFor(row);
        reserveFor(row);
        settleRow(row);
        assertTrue(ledger.isSettled(BATCH, payer, ROOT));
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.AlreadySettled.selector, BATCH, payer, ROOT));
        ledger.settle(row);
        // Not in another token, lane or period either.
        (row.token, row.lane, row.period) = (address(token), bytes20("x"), PERIOD + 1);
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.AlreadySettled.selector, BATCH, payer, ROOT));
        ledger.settle(row);
    }

    function test_a_batch_of_rows_is_all_or_nothing() public {
        _line(1_000, 1, 2, 1, 3);
        IRoyaltyLedger.Row[] memory rows = new IRoyaltyLedger.Row[](3);
        rows[0] = rowOf(BATCH, CHM, LEAF, 1e9);
        rows[1] = rowOf(BATCH, CHM, MID, 1e9);
        rows[2] = rows[0];
        fund(CHM, 1e9);
        reserveFor(rows[0]);
        reserveFor(rows[1]);
        vm.startPrank(settler);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.AlreadySettled.selector, BATCH, payer, LEAF));
        ledger.settleBatch(rows);
        rows[2] = rowOf(BATCH, CHM, ROOT, 0);
        ledger.settleBatch(rows);
        assertTrue(ledger.isSettled(BATCH, payer, LEAF) && ledger.isSettled(BATCH, payer, ROOT));
    }

    // ---------------------------------------------------------------- periods and licences

    function testFuzz_a_malformed_period_is_refused(uint32 period) public {
        mintRoot(ROOT, 1, rampSplit(1));
        (uint256 y, uint256 m, uint256 w) = (period / 10_000, period / 100 % 100, period % 100);
        bool short = m == 2 && w == 5 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0));
        bool known = y >= 1970 && y <= 9999 && m >= 1 && m <= 12 && w >= 1 && w <= 5 && !short;
        vm.prank(settler);
        if (!known) vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.PeriodMalformed.selector, period));
        else if (period >= 20251001) vm.expectPartialRevert(ISplitRegistry.PeriodNotBegun.selector);
        IRoyaltyLedger.Row memory row = rowOf(BATCH, CHM, ROOT, 0);
        row.period = period;
        ledger.settle(row);
    }

    function test_a_period_settles_once_it_has_begun() public {
        mintRoot(ROOT, 1, rampSplit(1));
        IRoyaltyLedger.Row memory row = rowOf(BATCH, CHM, ROOT, 0);
        row.period = 20251001;
        // 2025-10-01T00:00:00Z is START + 30 days: now.
        vm.prank(settler);
        vm.expectRevert(
            abi.encodeWithSelector(ISplitRegistry.PeriodNotBegun.selector, row.period, uint64(block.timestamp))
        );
        ledger.settle(row);
        skip(1);
        settleRow(row);
    }

    /// @dev [ROY-20], theorem T11.
    function test_T11_a_licence_revoked_at_the_periods_start_is_refused_also_through_a_mark() public {
        vm.warp(START);
        _line(1_000, 1, 2, 1, 3);
        skip(3 days);
        vm.prank(licensor);
        registry.revoke(LEAF);
        vm.prank(licensor);
        splits.markSubtree(MID, ISplitRegistry.Mark.Revoked, 0);
        skip(30 days);
        pay(CHM, LEAF, 1e9);
        pay(CHM, MID, 1e9);
        assertGt(keptOf(CHM, MID), 0, "the period had begun before");
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LicenceInactive.selector, LEAF));
        this.settleZero(LEAF, PERIOD + 1);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LicenceInactive.selector, MID));
        this.settleZero(MID, PERIOD + 1);
        this.settleZero(ROOT, PERIOD + 1);
        vm.expectRevert(abi.encodeWithSelector(ILicenseRegistry.LicenseUnknown.selector, bytes32("none")));
        this.settleZero("none", PERIOD);
    }

    function settleZero(bytes32 licence, uint32 period) external {
        IRoyaltyLedger.Row memory row = rowOf(keccak256(abi.encode(licence, period)), CHM, licence, 0);
        row.period = period;
        vm.prank(settler);
        ledger.settle(row);
    }

    function test_a_draft_settles_for_periods_in_which_it_woke_and_no_others() public {
        vm.warp(START);
        ILicenseRegistry.Terms memory t;
        t.draft = true;
        mintAs(ROOT, data(1_000, rampSplit(2)), t);
        vm.warp(START + 9 days);
        vm.prank(licensor);
        registry.activate(ROOT);
        vm.warp(START + 30 days);
        // Minted in the first period, and no more than a draft in it.
        _refusedIn(PERIOD);
        payIn(PERIOD + 1, CHM, ROOT, 1e9);
        payIn(PERIOD + 2, CHM, ROOT, 1e9);
        _refusedIn(20250804);
    }

    function _refusedIn(uint32 period) private {
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LicenceInactive.selector, ROOT));
        this.settleZero(ROOT, period);
    }

    /// @dev [ROY-20].
    function test_a_draft_that_was_changed_or_revoked_and_never_activated_sold_nothing() public {
        vm.warp(START);
        ILicenseRegistry.Terms memory t;
        t.draft = true;
        ILicenseRegistry.LicenseData memory d = data(1_000, rampSplit(2));
        mintAs(ROOT, d, t);
        for (uint256 i; i < 20; ++i) {
            skip(1 hours);
            d.royaltyBps = uint96(i);
            vm.prank(licensor);
            registry.modify(ROOT, d);
        }
        vm.prank(licensor);
        registry.revokeFrom(ROOT, 7, uint64(START + 5 days));
        vm.warp(START + 40 days);
        _refusedIn(PERIOD);
    }

    /// @dev [ROY-20]: no later act changes what was sold: neither a revocation nor changes that take effect after it.
    function test_what_was_active_for_a_while_stays_payable_whatever_followed_within_the_period() public {
        vm.warp(START);
        ILicenseRegistry.Terms memory t;
        t.draft = true;
        ILicenseRegistry.LicenseData memory d = data(1_000, rampSplit(2));
        mintAs(ROOT, d, t);
        skip(1 days);
        vm.startPrank(licensor);
        registry.activate(ROOT);
        skip(1 days);
        // Earlier and earlier: only that may follow a revocation.
        for (uint64 i; i < 4; ++i) {
            registry.revokeFrom(ROOT, 7, uint64(START + 6 days - i * 1 hours));
        }
        vm.stopPrank();
        vm.warp(START + 40 days);
        pay(CHM, ROOT, 1e9);
        _refusedIn(PERIOD + 1);
    }

    /// @dev [ROY-20].
    function test_a_renewal_that_a_revocation_overtook_sold_nothing() public {
        vm.warp(START);
        ILicenseRegistry.LicenseData memory d = data(1_000, rampSplit(2));
        d.endTs = uint64(START + 2 days);
        mintAs(ROOT, d, ILicenseRegistry.Terms(0, 0, 0, 0, 0, 0, false));
        d.endTs = uint64(START + 30 days);
        vm.startPrank(licensor);
        registry.modifyFrom(ROOT, d, uint64(START + 10 days));
        registry.revokeFrom(ROOT, 7, uint64(START + 9 days));
        vm.stopPrank();
        vm.warp(START + 40 days);
        pay(CHM, ROOT, 1e9);
        _refusedIn(PERIOD + 1);
    }

    /// @dev A row's gas is bounded: behind sixteen changes in one period the lane judges.
    function test_a_licence_changed_without_end_within_a_period_costs_a_row_no_more_than_sixteen_looks() public {
        vm.warp(START);
        ILicenseRegistry.LicenseData memory d = data(1_000, rampSplit(2));
        d.endTs = uint64(START + 2 days);
        mintAs(ROOT, d, ILicenseRegistry.Terms(0, 0, 0, 0, 0, 0, false));
        vm.warp(START + 8 days);
        uint256[2] memory used;
        for (uint256 i; i < 60; ++i) {
            skip(1);
            d.royaltyBps = uint96(i);
            vm.prank(licensor);
            registry.modify(ROOT, d);
            if (i == 14) _refusedIn(PERIOD + 1);
            if (i == 15 || i == 59) {
                uint256 before = gasleft();
                splits.payableRoute(ROOT, PERIOD + 1);
                used[i / 59] = before - gasleft();
            }
        }
        assertLe(used[1], used[0] + 20_000, "four more halvings");
    }

    function test_an_expired_licence_settles_for_periods_in_which_it_woke_and_no_others() public {
        vm.warp(START);
        ILicenseRegistry.LicenseData memory d = data(1_000, rampSplit(2));
        d.endTs = uint64(START + 2 days);
        mintAs(ROOT, d, ILicenseRegistry.Terms(0, 0, 0, 0, 0, 0, false));
        vm.warp(START + 16 days);
        d.endTs = uint64(START + 18 days);
        vm.prank(licensor);
        registry.modify(ROOT, d);
        vm.warp(START + 40 days);
        pay(CHM, ROOT, 1e9);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LicenceInactive.selector, ROOT));
        this.settleZero(ROOT, PERIOD + 1);
        payIn(PERIOD + 2, CHM, ROOT, 1e9);
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LicenceInactive.selector, ROOT));
        this.settleZero(ROOT, PERIOD + 3);
    }

    // ---------------------------------------------------------------- the flow

    /// @dev [ROY-14], theorem T2.
    function testFuzz_T2_every_unit_that_flows_in_is_kept_somewhere(
        uint64[4] memory revenues,
        uint64 n1,
        uint64 d1,
        uint64 n2,
        uint64 d2
    ) public {
        _boundedLine(n1, d1, n2, d2);
        uint256 net = _payThree(revenues);
        assertEq(keptOf(address(token), LEAF) + keptOf(address(token), MID) + keptOf(address(token), ROOT), net);
        _checkPassed(LEAF);
        _checkPassed(MID);
        assertEq(ledger.accountOf(address(token), keyOf(ROOT)).passedUp, 0);
    }

    function _boundedLine(uint64 n1, uint64 d1, uint64 n2, uint64 d2) private {
        (d1, d2) = (uint64(bound(d1, 1, type(uint64).max)), uint64(bound(d2, 1, type(uint64).max)));
        (n1, n2) = (uint64(bound(n1, 0, d1)), uint64(bound(n2, 0, d2)));
        _line(7_777, n1, d1, n2, d2);
    }

    function _payThree(uint64[4] memory revenues) private returns (uint256 net) {
        bytes32[3] memory ids = [LEAF, MID, ROOT];
        for (uint256 i; i < 4; ++i) {
            (uint256 base, uint256 fee) = pay(address(token), ids[i % 3], revenues[i]);
            net += base - fee;
        }
    }

    function _checkPassed(bytes32 licence) private view {
        IRoyaltyLedger.Account memory a = ledger.accountOf(address(token), keyOf(licence));
        ISplitRegistry.Edge memory e = splits.edgeOf(licence);
        assertEq(a.passedUp, uint256(a.inflow) * e.numer / e.denom);
    }

    /// @dev [ROY-15].
    function test_T11_a_revoked_ancestor_is_skipped_and_with_none_above_the_child_keeps_all() public {
        vm.warp(START);
        _line(10_000, 1, 2, 1, 4);
        vm.prank(licensor);
        registry.revoke(MID);
        skip(8 days);
        vm.prank(licensor);
        registry.revoke(ROOT);
        skip(30 days);
        // The second period: MID revoked, ROOT active.
        IRoyaltyLedger.RouteKey memory key = ledger.routeKeyOf(LEAF, PERIOD + 1);
        (uint256 base, uint256 fee) = payIn(PERIOD + 1, CHM, LEAF, 1_000_003);
        IRoyaltyLedger.Account memory a = ledger.accountOf(CHM, key);
        assertEq(a.inflow, base - fee);
        assertEq(a.passedUp, (base - fee) / 4);
        assertEq(ledger.accountOf(CHM, ledger.routeKeyOf(ROOT, PERIOD + 1)).inflow, a.passedUp, "undiminished");
        // The third: both revoked.
        (base, fee) = payIn(PERIOD + 2, CHM, LEAF, 1_000_003);
        a = ledger.accountOf(CHM, ledger.routeKeyOf(LEAF, PERIOD + 2));
        assertEq(a.inflow, base - fee);
        assertEq(a.passedUp, 0);
    }

    function test_each_step_says_who_kept_what() public {
        _line(10_000, 1, 2, 1, 4);
        IRoyaltyLedger.RouteKey memory leaf = keyOf(LEAF);
        IRoyaltyLedger.RouteKey memory mid = keyOf(MID);
        bytes32 midRoute = keccak256(abi.encode(mid.parentRoute, MID, uint32(1), true));
        bytes32 leafRoute = keccak256(abi.encode(leaf.parentRoute, LEAF, uint32(1), true));
        assertEq(leaf.parentRoute, midRoute);
        fund(CHM, 10_000);
        IRoyaltyLedger.Row memory row = rowOf(BATCH, CHM, LEAF, 10_000);
        reserveFor(row);
        vm.expectEmit(address(ledger));
        _emitSettled(leafRoute);
        vm.expectEmit(address(ledger));
        emit IRoyaltyLedger.RouteOpened(LEAF, leafRoute, midRoute, 1, 0);
        vm.expectEmit(address(ledger));
        emit IRoyaltyLedger.PayoutReceipt(LEAF, leafRoute, CHM, PERIOD, 9_950, 7_463, 2_487);
        vm.expectEmit(address(ledger));
        emit IRoyaltyLedger.RouteOpened(MID, midRoute, mid.parentRoute, 1, 0);
        vm.expectEmit(address(ledger));
        emit IRoyaltyLedger.PayoutReceipt(MID, midRoute, CHM, PERIOD, 2_487, 1_244, 1_243);
        settleRow(row);
    }

    function _emitSettled(bytes32 route) private {
        emit IRoyaltyLedger.Settled(LEAF, BATCH, payer, LANE, PERIOD, CHM, 10_000, 10_000, 50, route);
    }

    // ---------------------------------------------------------------- pauses

    /// @dev [ROY-33], [ROY-34].
    function test_a_pause_of_payouts_stops_settlement_and_withdrawals_and_no_pot() public {
        mintRoot(ROOT, 10_000, rampSplit(1));
        pay(CHM, ROOT, 1e9);
        IRoyaltyLedger.Payout memory p = payoutOf(CHM, ROOT, 0);
        fund(CHM, 1);
        vm.startPrank(authority);
        pauseFlags.flagFraud("fraud");
        uint64 until = uint64(block.number) + 10;
        pauseFlags.pause(IPauseFlags.Flag.Payouts, until, "fraud");
        vm.stopPrank();
        bytes memory paused = abi.encodeWithSelector(IRoyaltyLedger.PayoutsPaused.selector, until);
        vm.expectRevert(paused);
        ledger.withdraw(p);
        vm.expectRevert(paused);
        ledger.withdrawTo(p, address(1));
        vm.expectRevert(paused);
        ledger.withdrawReleased(1, payer);
        vm.expectRevert(paused);
        ledger.closeRoute(CHM, p.key);
        IRoyaltyLedger.LeafPayout memory leaf;
        vm.expectRevert(paused);
        ledger.withdrawLeaf(leaf);
        vm.expectRevert(paused);
        this.settleZero(ROOT, PERIOD);
        vm.prank(settler);
        vm.expectRevert(paused);
        ledger.settleBatch(new IRoyaltyLedger.Row[](0));
        vm.prank(payer);
        ledger.withdrawPot(CHM, LANE, 1, payer);
        vm.roll(until);
        ledger.withdraw(p);
    }
}
