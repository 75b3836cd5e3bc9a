// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IPauseFlags} from "src/core/interfaces/IPauseFlags.sol";
import {IFeeRouter} from "src/core/interfaces/IFeeRouter.sol";
import {IADEProofs} from "src/lanes/interfaces/IADEProofs.sol";
import {ILaneRegistry} from "src/lanes/interfaces/ILaneRegistry.sol";
import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {RowTree} from "src/lanes/libraries/RowTree.sol";
import {RowForest} from "test/mocks/RowForest.sol";
import {LaneBase} from "test/lanes/LaneBase.t.sol";

/// @title How a batch that stood is paid
contract PayoutSettleTest is LaneBase {
    // ---------------------------------------------------------------- finality

    /// @dev Upholds [PAY-40] (REF C22): seconds and heights, whichever takes longer.
    function test_a_batch_is_final_after_its_seconds_and_its_heights() public {
        Plan memory p = submitted(50_000);
        (uint256 at, uint256 height) = (block.timestamp + WINDOW, block.number + WINDOW_BLOCKS);
        bytes memory open = abi.encodeWithSelector(IPayoutProofs.WindowOpen.selector, at, height);
        vm.warp(at);
        vm.roll(height - 1);
        vm.expectRevert(open);
        payouts.finalize(p.root);
        vm.warp(at - 1);
        vm.roll(height);
        vm.expectRevert(open);
        payouts.finalize(p.root);
        vm.warp(at);
        vm.expectEmit(address(payouts));
        emit IADEProofs.Finalized(p.root);
        payouts.finalize(p.root);
        assertEq(payouts.collateralOf(submitter).locked, 0);
        assertEq(payouts.collateralOf(submitter).free, 100_000 ether);
        vm.expectRevert(
            abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Finalized)
        );
        payouts.finalize(p.root);
    }

    /// @dev Upholds [PAY-41]: an outage that outlasts the data makes nobody's batch final unseen.
    function test_nothing_is_final_without_available_data() public {
        Plan memory p = submitted(50_000);
        uint64 kept = uint64(block.timestamp + 30 days);
        passWindow();
        vm.warp(kept);
        bytes memory lost = abi.encodeWithSelector(IPayoutProofs.DataNotKept.selector, p.root, kept);
        vm.expectRevert(lost);
        payouts.finalize(p.root);
        vm.expectRevert(lost);
        payouts.finalizeKept(p.root, p.header);
        publish(p, uint64(block.timestamp + 30 days));
        vm.expectRevert(lost);
        payouts.finalize(p.root);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.HeaderMismatch.selector, p.root, keccak256("x")));
        payouts.finalizeKept(p.root, "x");
        payouts.finalizeKept(p.root, p.header);
        assertEq(uint8(statusOf(p.root)), uint8(IPayoutProofs.Status.Finalized));
    }

    /// @dev Upholds [PAY-40].
    function test_a_pause_of_payouts_stops_finality_and_settlement() public {
        Plan memory p = submitted(50_000);
        passWindow();
        uint64 until = uint64(block.number + 10);
        vm.startPrank(authority);
        pauseFlags.flagFraud("fraud");
        pauseFlags.pause(IPauseFlags.Flag.Payouts, until, "fraud");
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.PayoutsPaused.selector, until));
        payouts.finalize(p.root);
        vm.roll(until);
        payouts.finalize(p.root);
        vm.startPrank(authority);
        pauseFlags.pause(IPauseFlags.Flag.Payouts, until + 10, "fraud");
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.PayoutsPaused.selector, until + 10));
        settlePlan(p, 0);
    }

    // ---------------------------------------------------------------- settling

    /// @dev Upholds [PAY-42], [PAY-43], [PAY-44].
    function test_each_row_settles_once() public {
        Plan memory p = finalized(50_000);
        for (uint256 i; i < 5; ++i) {
            (uint256 base, uint256 fee) = settlePlan(p, i);
            assertEq(base, uint256(p.rows[i].owed) * UNIT);
            assertEq(fee, base / 200);
            assertEq(payouts.batchOf(p.root).unsettled, 5 - i);
            assertTrue(ledger.isSettled(p.root, p.rows[i].payer, p.rows[i].licence));
        }
        vm.expectRevert(
            abi.encodeWithSelector(IRoyaltyLedger.AlreadySettled.selector, p.root, p.rows[0].payer, p.rows[0].licence)
        );
        settlePlan(p, 0);
        vm.expectEmit(address(payouts));
        emit IPayoutProofs.BatchDone(p.root);
        settlePlan(p, 5);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Done));
        settlePlan(p, 5);
    }

    function test_an_open_batch_settles_nothing() public {
        Plan memory p = submitted(50_000);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Open));
        settlePlan(p, 0);
    }

    /// @dev Upholds [PAY-44]: every field of a row and of a claim is bound.
    function testFuzz_a_row_or_claim_changed_in_any_field_is_refused(uint8 field, uint128 by) public {
        Plan memory p = finalized(50_000);
        bytes32[] memory path = RowForest.path(p.leaves, 2);
        by = uint128(bound(by, 1, type(uint16).max));
        IPayoutProofs.TableRow memory r = p.rows[2];
        IPayoutProofs.Claim memory c = p.claim;
        field = uint8(bound(field, 0, 13));
        bool ofClaim = field < 7;
        if (field == 0) c.lane = bytes20(keccak256(abi.encode(by)));
        if (field == 1) c.period += uint32(by);
        if (field == 2) c.token = address(uint160(by));
        if (field == 3) c.scale ^= uint8(by % 255 + 1);
        if (field == 4) c.rebateBps ^= uint16(by);
        if (field == 5) c.rows += uint32(by);
        if (field == 6) c.licensesRoot = RowForest.leaf(r);
        if (field == 7) r.payer = address(uint160(by));
        if (field == 8) r.licence = bytes32(uint256(by));
        if (field == 9) r.firstRecord += uint32(by);
        if (field == 10) r.count += uint32(by);
        if (field == 11) r.revenue += by;
        if (field == 12) r.royaltyBps ^= uint16(by);
        if (field == 13) r.owed += by;
        vm.expectRevert(
            abi.encodeWithSelector(
                ofClaim ? IPayoutProofs.ClaimMismatch.selector : IPayoutProofs.RowNotInBatch.selector, p.root
            )
        );
        payouts.settle(p.root, c, r, 2, path);
    }

    /// @dev Upholds [PAY-44]: index and size fix the path.
    function testFuzz_a_path_is_its_rows_alone(uint256 rows, uint256 index, uint256 wrong) public {
        rows = bound(rows, 1, 6);
        index = bound(index, 0, rows - 1);
        wrong = bound(wrong, 0, 7);
        vm.assume(wrong != index);
        fundPayers(1_000 ether);
        Plan memory p = planOf(WEEK, 10_000, rows);
        submitPlan(p);
        passWindow();
        payouts.finalize(p.root);
        bytes32[] memory path = RowForest.path(p.leaves, index);
        bytes memory not = abi.encodeWithSelector(IPayoutProofs.RowNotInBatch.selector, p.root);
        vm.expectRevert(not);
        payouts.settle(p.root, p.claim, p.rows[index], wrong, path);
        bytes32[] memory longer = new bytes32[](path.length + 1);
        for (uint256 i; i < path.length; ++i) {
            longer[i] = path[i];
        }
        vm.expectRevert(not);
        payouts.settle(p.root, p.claim, p.rows[index], index, longer);
        if (path.length != 0) {
            path[path.length - 1] = ~path[path.length - 1];
            vm.expectRevert(not);
            payouts.settle(p.root, p.claim, p.rows[index], index, path);
        }
        settlePlan(p, index);
    }

    function test_revenue_past_the_ledgers_type_is_refused() public {
        Plan memory p = planOf(WEEK, 0, 1);
        p.rows[0].revenue = type(uint128).max;
        fill(p);
        submitPlan(p);
        passWindow();
        payouts.finalize(p.root);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPayoutProofs.AmountTooLarge.selector, uint256(type(uint128).max) * UNIT, type(uint128).max
            )
        );
        settlePlan(p, 0);
    }

    /// @dev The vectors of `spec/vectors/lanes/rows.json`, which `l2-lanes/lane` writes and checks. Upholds [PAY-44].
    function test_rows_and_paths_are_those_of_the_vectors() public {
        string memory json = vm.readFile(string.concat(vm.projectRoot(), "/../spec/vectors/lanes/rows.json"));
        uint256 count;
        for (uint256 c; vm.keyExistsJson(json, _case(c)); ++c) {
            bytes32 root = vm.parseJsonBytes32(json, string.concat(_case(c), ".root"));
            uint256 size;
            while (vm.keyExistsJson(json, _row(c, size))) ++size;
            for (uint256 i; i < size; ++i) {
                IPayoutProofs.TableRow memory r = _rowOf(json, _row(c, i));
                bytes32 leaf = vm.parseJsonBytes32(json, string.concat(_row(c, i), ".leaf"));
                assertEq(RowForest.leaf(r), leaf);
                bytes32[] memory path = vm.parseJsonBytes32Array(json, string.concat(_row(c, i), ".path"));
                assertTrue(this.verify(root, r, i, size, path), "in the tree");
                assertFalse(this.verify(root, r, i + 1, size, path), "elsewhere it is not");
                ++count;
            }
        }
        assertGt(count, 10);
    }

    function verify(bytes32 root, IPayoutProofs.TableRow calldata r, uint256 i, uint256 size, bytes32[] calldata path)
        external
        pure
        returns (bool)
    {
        return RowTree.verify(root, RowTree.leafOf(r), i, size, path);
    }

    function _case(uint256 c) private pure returns (string memory) {
        return string.concat(".cases[", vm.toString(c), "]");
    }

    function _row(uint256 c, uint256 i) private pure returns (string memory) {
        return string.concat(_case(c), ".rows[", vm.toString(i), "]");
    }

    function _rowOf(string memory json, string memory at) private pure returns (IPayoutProofs.TableRow memory r) {
        r.payer = vm.parseJsonAddress(json, string.concat(at, ".payer"));
        r.licence = vm.parseJsonBytes32(json, string.concat(at, ".licence"));
        r.firstRecord = uint32(vm.parseJsonUint(json, string.concat(at, ".firstRecord")));
        r.count = uint32(vm.parseJsonUint(json, string.concat(at, ".count")));
        r.revenue = uint128(vm.parseJsonUint(json, string.concat(at, ".revenue")));
        r.royaltyBps = uint16(vm.parseJsonUint(json, string.concat(at, ".royaltyBps")));
        r.owed = uint128(vm.parseJsonUint(json, string.concat(at, ".owed")));
    }

    // ---------------------------------------------------------------- what comes back

    /// @dev Upholds [PAY-45]: rounding up in the lane's unit leaves less than a cent a row, which comes back.
    function test_what_rounding_reserved_too_much_comes_back() public {
        Plan memory p = finalized(50_001);
        for (uint256 i; i < 6; ++i) {
            settlePlan(p, i);
        }
        (uint256 free, uint256 reserved) = ledger.potOf(CHM, LANE, payers[0].addr);
        assertGt(reserved, 0);
        assertLt(reserved, 2 * UNIT);
        payouts.release(p.root, p.claim, p.header);
        (uint256 now_,) = ledger.potOf(CHM, LANE, payers[0].addr);
        assertEq(now_, free + reserved);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.AlreadyReleased.selector, p.root));
        payouts.release(p.root, p.claim, p.header);
    }

    /// @dev Upholds [PAY-45].
    function test_after_a_year_what_nobody_settled_is_the_payers_again() public {
        Plan memory p = finalized(50_000);
        settlePlan(p, 0);
        uint64 until = uint64(block.timestamp + 365 days);
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.RowsUnsettled.selector, p.root, 5, until));
        payouts.release(p.root, p.claim, p.header);
        vm.warp(until);
        assertTrue(payouts.hasUnsettledRows(FILM, WEEK));
        payouts.release(p.root, p.claim, p.header);
        assertFalse(payouts.hasUnsettledRows(FILM, WEEK));
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Done));
        settlePlan(p, 1);
        (, uint256 reserved) = ledger.potOf(CHM, LANE, payers[2].addr);
        assertEq(reserved, 0);
    }

    /// @dev Upholds [PAY-50], [PAY-51], [PAY-52].
    function test_a_timely_batch_earns_a_share_of_its_fee_and_a_late_one_nothing() public {
        Plan memory p = finalized(50_000);
        (, uint256 fee) = settlePlan(p, 0);
        assertEq(payouts.rebateOf(submitter, CHM), fee / 10);
        vm.startPrank(submitter);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.NothingOwed.selector, submitter, CHM));
        payouts.claimRebate(CHM);
        ledger.collectFees(CHM);
        assertEq(payouts.claimRebate(CHM), fee / 10);
        vm.stopPrank();
        assertEq(submitter.balance, fee / 10);
        (uint256 validators, uint256 dla, uint256 treasury_) = feeRouter.accrued(CHM);
        assertEq(validators, fee / 2, "the others' shares are whole");
        assertEq(dla, fee / 4);
        assertEq(treasury_, fee - fee / 2 - fee / 4 - fee / 10);
        // The treasury goes first: the claim waits for the next fees.
        settlePlan(p, 1);
        ledger.collectFees(CHM);
        feeRouter.payTreasury(CHM);
        vm.startPrank(submitter);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.NothingOwed.selector, submitter, CHM));
        payouts.claimRebate(CHM);
        vm.stopPrank();
        vm.expectRevert(Ownable.Unauthorized.selector);
        feeRouter.payRebate(CHM, submitter, 1);
        vm.prank(address(payouts));
        vm.expectRevert(abi.encodeWithSelector(IFeeRouter.FeeRouterShort.selector, CHM, 1, 0));
        feeRouter.payRebate(CHM, submitter, 1);
        // More than seven days after the period's end.
        Plan memory late = finalized(50_000);
        uint256 before = payouts.rebateOf(submitter, CHM);
        settlePlan(late, 0);
        assertEq(payouts.rebateOf(submitter, CHM), before);
    }

    /// @dev Upholds [PAY-46], [PAY-47]: a route closes when nothing can come to it any more.
    function test_a_route_closes_only_once_no_row_can_come() public {
        Plan memory p = finalized(50_000);
        for (uint256 i; i < 5; ++i) {
            settlePlan(p, i);
        }
        IRoyaltyLedger.RouteKey memory key = ledger.routeKeyOf(FILM, WEEK);
        ILicenseRegistry.LicenseData memory d = data(2_000, singleSplit(address(0xF12)));
        vm.prank(licensor);
        registry.modify(FILM, d);
        skip(120 days);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RouteUnsettled.selector, FILM, address(payouts)));
        ledger.closeRoute(CHM, key);
        payouts.passPeriods(100);
        assertTrue(payouts.hasUnsettledRows(FILM, WEEK));
        assertFalse(payouts.hasUnsettledRows(FILM, WEEK - 1), "before it nothing is left");
        settlePlan(p, 5);
        assertFalse(payouts.hasUnsettledRows(FILM, WEEK));
        ledger.closeRoute(CHM, key);
    }

    /// @dev Upholds [PAY-46].
    function test_a_period_that_takes_batches_may_have_rows_to_come() public {
        assertTrue(payouts.hasUnsettledRows(FILM, WEEK), "even before any batch");
        vm.warp(WEEK_END + 60 days - 1);
        assertTrue(payouts.hasUnsettledRows(FILM, WEEK));
        vm.warp(WEEK_END + 60 days);
        assertFalse(payouts.hasUnsettledRows(FILM, WEEK));
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.PeriodMalformed.selector, 7));
        payouts.hasUnsettledRows(FILM, 7);
    }

    /// @dev Upholds [PAY-46]: a void batch's rows never come.
    function test_a_void_batch_keeps_no_route_open() public {
        Plan memory p = submitted(50_000);
        payouts.challenge(p.root, fraudProof(p));
        vm.warp(WEEK_END + 60 days);
        assertFalse(payouts.hasUnsettledRows(FILM, WEEK));
    }

    /// @dev Upholds [PAY-47]: passing changes no answer.
    function testFuzz_passing_periods_changes_no_answer(uint8 steps, uint16 days_, bool settled) public {
        Plan memory p = finalized(50_000);
        for (uint256 i; settled && i < 6; ++i) {
            settlePlan(p, i);
        }
        skip(uint256(days_) % 400 * 1 days);
        uint32[4] memory periods = [uint32(20250801), WEEK, 20251001, 20251204];
        bool[4] memory before;
        for (uint256 i; i < 4; ++i) {
            before[i] = payouts.hasUnsettledRows(FILM, periods[i]);
        }
        payouts.passPeriods(steps);
        for (uint256 i; i < 4; ++i) {
            assertEq(payouts.hasUnsettledRows(FILM, periods[i]), before[i]);
        }
    }

    /// @dev Upholds [PAY-48]: what nobody can finalise, because its data is gone, does not keep money for ever.
    function test_an_open_batch_whose_data_is_gone_is_given_up_after_a_year() public {
        Plan memory p = submitted(50_000);
        (uint256 free, uint256 reserved) = ledger.potOf(CHM, LANE, p.h.payers[0].payer);
        assertGt(reserved, 0);
        IPayoutProofs.Collateral memory before = payouts.collateralOf(submitter);
        IPayoutProofs.Batch memory b = payouts.batchOf(p.root);
        passWindow();
        vm.warp(uint256(b.keptUntil) + 365 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.DataNotKept.selector, p.root, b.keptUntil));
        payouts.finalize(p.root);
        vm.expectRevert(
            abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Open)
        );
        payouts.release(p.root, p.claim, p.header);
        skip(1);
        assertTrue(payouts.hasUnsettledRows(FILM, WEEK));
        payouts.release(p.root, p.claim, p.header);
        assertFalse(payouts.hasUnsettledRows(FILM, WEEK));
        assertEq(uint8(statusOf(p.root)), uint8(IPayoutProofs.Status.Done));
        IPayoutProofs.Collateral memory afterwards = payouts.collateralOf(submitter);
        assertEq(afterwards.locked, 0);
        assertEq(afterwards.free, before.free + before.locked);
        (uint256 freed, uint256 left) = ledger.potOf(CHM, LANE, p.h.payers[0].payer);
        assertEq(freed, free + reserved);
        assertEq(left, 0);
        // Nothing of it pays any more, nothing is lost twice.
        vm.expectRevert(
            abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Done)
        );
        settlePlan(p, 0);
        bytes memory proof = fraudProof(p);
        vm.expectRevert(
            abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Done)
        );
        payouts.challenge(p.root, proof);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.AlreadyReleased.selector, p.root));
        payouts.release(p.root, p.claim, p.header);
        vm.expectRevert(
            abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Done)
        );
        payouts.payAward(p.root, p.header);
    }

    /// @dev Upholds [PAY-48]: an allowance that was drawn is given back then, too.
    function test_what_is_given_up_returns_what_it_drew() public {
        // The first payer stands by an allowance, the others sign.
        Plan memory p = plan(50_000);
        for (uint256 i; i < p.h.payers.length; ++i) {
            if (p.h.payers[i].owed != 0) fund(CHM, p.h.payers[i].payer, p.h.payers[i].owed * UNIT);
        }
        address payer = p.h.payers[0].payer;
        vm.prank(payer);
        lanes.setAllowance(LANE, WEEK, submitter, uint120(p.h.payers[0].owed * UNIT), true, new bytes32[](0));
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(p);
        (consents[0].standing, consents[0].signature) = (true, "");
        submitPlan(p, consents);
        assertEq(lanes.allowanceOf(payer, LANE, WEEK, submitter).used, p.h.payers[0].owed * UNIT);
        vm.warp(uint256(payouts.batchOf(p.root).keptUntil) + 365 days);
        payouts.release(p.root, p.claim, p.header);
        assertEq(lanes.allowanceOf(payer, LANE, WEEK, submitter).used, 0);
    }

    // ---------------------------------------------------------------- another token

    /// @dev Upholds [PAY-43]: a lane in a token of six decimals, at one minor unit in ten thousand.
    function test_a_lane_settles_in_its_token() public {
        ILaneRegistry.Parameters memory own = lanes.parametersOf(LANE, 1);
        (own.token, own.tokenDecimals, own.chmPerUnit) = (address(token), 6, 2 ether);
        vm.prank(address(timelock));
        bytes20 euro = lanes.addLane("euro", own);
        vm.prank(authority);
        lanes.registerSubmitter(euro, submitter);
        Plan memory p = planOf(WEEK, 1_000_000, 1);
        p.h.lane = euro;
        (p.h.number, p.h.predecessor) = (1, 0);
        p.h.blobHeader = blobHeaderOf(euro, WEEK, 4, p.h.receiptsRoot);
        publish(p, uint64(block.timestamp + 30 days));
        p.header = laneModule.encode(p.h);
        p.root = keccak256(p.header);
        (p.claim.lane, p.claim.token, p.claim.scale) = (euro, address(token), 4);
        uint256 total = uint256(p.h.payers[0].owed) * 1e4;
        token.mint(address(this), total);
        token.approve(address(ledger), total);
        ledger.deposit(address(token), euro, p.h.payers[0].payer, total);
        IPayoutProofs.PayerAuthorisation[] memory consents = new IPayoutProofs.PayerAuthorisation[](1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(payers[0], payouts.authorisationDigest(p.root, total));
        consents[0].signature = abi.encodePacked(r, s, v);
        submitPlan(p, consents);
        assertEq(payouts.batchOf(p.root).bond, 1_000 ether);
        passWindow();
        payouts.finalize(p.root);
        (uint256 base,) = settlePlan(p, 0);
        assertEq(base, total);
        assertEq(ledger.accounted(address(token)), total);
    }
}
