// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IPauseFlags} from "src/core/interfaces/IPauseFlags.sol";
import {Governed} from "src/core/Governed.sol";
import {IADEProofs} from "src/lanes/interfaces/IADEProofs.sol";
import {IDataAvailability} from "src/lanes/interfaces/IDataAvailability.sol";
import {ILane} from "src/lanes/interfaces/ILane.sol";
import {ILaneRegistry} from "src/lanes/interfaces/ILaneRegistry.sol";
import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {BlobIds} from "src/lanes/libraries/BlobIds.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {ContractPayer} from "test/mocks/ModuleDoubles.sol";
import {LaneBase} from "test/lanes/LaneBase.t.sol";

/// @title What a submission must show
contract PayoutSubmitTest is LaneBase {
    function setUp() public override {
        super.setUp();
        fundPayers(1_000 ether);
    }

    /// @dev Seals what the test changed, has everybody sign it, and expects the refusal.
    function _refused(Plan memory p, bytes memory why) private {
        seal(p);
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(p);
        vm.prank(submitter);
        vm.expectRevert(why);
        payouts.submit(p.header, consents);
    }

    // ---------------------------------------------------------------- what is accepted

    /// @dev Upholds [PAY-14], [PAY-21], [PAY-22].
    function test_an_accepted_batch_is_written_down_with_its_window() public {
        Plan memory p = plan(50_000);
        vm.expectEmit(address(payouts));
        emit IADEProofs.PayoutProofSubmitted(p.root, submitter, 1_000 ether);
        vm.expectEmit(address(payouts));
        emit IPayoutProofs.BatchAccepted(p.root, LANE, WEEK, 1, p.claim, p.header);
        assertEq(submitPlan(p), p.root);
        IPayoutProofs.Batch memory b = payouts.batchOf(p.root);
        assertEq(uint8(b.status), uint8(IPayoutProofs.Status.Open));
        assertEq(b.submitter, submitter);
        assertEq(b.closesAt, block.timestamp + WINDOW);
        assertEq(b.closesHeight, block.number + WINDOW_BLOCKS);
        assertEq(b.bond, 1_000 ether);
        assertEq(b.unsettled, 6);
        assertEq(b.order, 1);
        assertEq(b.keptUntil, block.timestamp + 30 days);
        assertEq(b.claimHash, keccak256(abi.encode(p.claim)));
        assertEq(payouts.lastBatchOf(LANE), p.root);
        assertEq(payouts.lastSubmissionAt(LANE), block.timestamp);
        assertEq(payouts.nextNumber(LANE, WEEK), 2);
        assertEq(payouts.collateralOf(submitter).locked, 10_000 ether);
    }

    /// @dev Upholds [PAY-23] (REF C19).
    function test_the_sources_submit_asks_for_the_header() public {
        vm.expectRevert(IPayoutProofs.HeaderRequired.selector);
        payouts.submit(bytes32("root"), 1_000 ether);
    }

    // ---------------------------------------------------------------- who and when

    /// @dev Upholds [PAY-24] (REF C23).
    function test_a_pause_of_submissions_stops_them_and_ends_by_itself() public {
        Plan memory p = plan(10_000);
        vm.prank(authority);
        pauseFlags.pause(IPauseFlags.Flag.LaneSubmit, uint64(block.number + 5), "why");
        _refused(p, abi.encodeWithSelector(IPayoutProofs.SubmitPaused.selector, block.number + 5));
        vm.roll(block.number + 5);
        submitPlan(p);
    }

    /// @dev Upholds [PAY-13].
    function test_only_the_active_submitter_submits() public {
        Plan memory p = plan(10_000);
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(p);
        vm.prank(watcher);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterNotActive.selector, LANE, watcher, submitter));
        payouts.submit(p.header, consents);
    }

    /// @dev Upholds [PAY-13].
    function test_the_version_in_force_for_the_period_is_named() public {
        Plan memory p = plan(10_000);
        p.h.parameters = 2;
        _refused(p, abi.encodeWithSelector(IPayoutProofs.ParametersVersion.selector, 2, 1));
        // A later version is not for periods begun before it.
        ILaneRegistry.Parameters memory next = lanes.parametersOf(LANE, 1);
        next.effectiveFrom = uint40(block.timestamp);
        vm.prank(address(timelock));
        lanes.addParameters(LANE, next);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.ParametersVersion.selector, 2, 1));
        p.h.parameters = 1;
        seal(p);
        submitPlan(p);
    }

    function test_a_lane_that_is_none_is_refused() public {
        Plan memory p = plan(10_000);
        p.h.lane = bytes20(keccak256("none"));
        _refused(p, abi.encodeWithSelector(ILaneRegistry.LaneUnknown.selector, p.h.lane));
    }

    /// @dev Upholds [PAY-11].
    function test_a_period_takes_batches_from_its_start_until_60_days_after_its_end() public {
        Plan memory p = plan(10_000);
        p.h.period = 20251002;
        _refused(p, abi.encodeWithSelector(IPayoutProofs.PeriodNotBegun.selector, 20251002, START + 37 days));
        p.h.period = 20251306;
        _refused(p, abi.encodeWithSelector(ISplitRegistry.PeriodMalformed.selector, 20251306));
        uint64 until = uint64(WEEK_END + 60 days);
        vm.warp(until);
        p = plan(10_000);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.PeriodOver.selector, WEEK, until));
        vm.warp(until - 1);
        submitPlan(plan(10_000));
    }

    /// @dev Upholds [PAY-12].
    function test_as_of_is_before_this_block() public {
        Plan memory p = plan(10_000);
        p.h.asOf = uint64(block.timestamp);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.AsOfNotPast.selector, p.h.asOf, p.h.asOf));
        p.h.asOf = type(uint64).max;
        _refused(p, abi.encodeWithSelector(IPayoutProofs.AsOfNotPast.selector, p.h.asOf, block.timestamp));
    }

    // ---------------------------------------------------------------- the lane's sequence

    /// @dev Upholds [PAY-14]: a stale predecessor reverts and costs nothing.
    function test_batches_follow_each_other_whatever_became_of_the_last() public {
        Plan memory first = plan(10_000);
        Plan memory rival = plan(20_000);
        submitPlan(first);
        _refused(rival, abi.encodeWithSelector(IPayoutProofs.PredecessorStale.selector, bytes32(0), first.root));
        assertEq(payouts.collateralOf(submitter).locked, 10_000 ether);
        vm.prank(submitter);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.BatchKnown.selector, first.root));
        payouts.submit(first.header, new IPayoutProofs.PayerAuthorisation[](0));
        payouts.challenge(first.root, fraudProof(first));
        // Void: dead for ever, and still the predecessor; its number is used up.
        vm.prank(submitter);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.BatchKnown.selector, first.root));
        payouts.submit(first.header, new IPayoutProofs.PayerAuthorisation[](0));
        Plan memory right = plan(10_000);
        assertEq(right.h.predecessor, first.root);
        assertEq(right.h.number, 2);
        right.h.number = 1;
        _refused(right, abi.encodeWithSelector(IPayoutProofs.NumberWrong.selector, 1, 2));
        right.h.number = 3;
        _refused(right, abi.encodeWithSelector(IPayoutProofs.NumberWrong.selector, 3, 2));
        right.h.number = 2;
        seal(right);
        submitPlan(right);
        assertEq(planOf(20250903, 10_000, 6).h.number, 1, "another period counts for itself");
    }

    // ---------------------------------------------------------------- the blob

    /// @dev Upholds [PAY-10].
    function test_the_blob_is_available_and_kept_until_t_and_the_margin() public {
        Plan memory p = plan(10_000);
        bytes32 id = BlobIds.idOf(p.h);
        uint64 needed = uint64(block.timestamp + WINDOW + 14 days);
        publish(p, needed - 1);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.BlobExpiresEarly.selector, id, needed - 1, needed));
        IDataAvailability.Blob memory blob = data_.blob(id);
        blob.status = IDataAvailability.Status.Announced;
        data_.set(id, blob);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.BlobUnavailable.selector, id, blob.status));
        p.h.blobHeader = blobHeaderOf(LANE, WEEK, 4, "never published");
        _refused(
            p,
            abi.encodeWithSelector(
                IPayoutProofs.BlobUnavailable.selector, BlobIds.idOf(p.h), IDataAvailability.Status.Unknown
            )
        );
    }

    function _mismatch(bytes32 what) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPayoutProofs.BlobMismatch.selector, what);
    }

    /// @dev Upholds [PAY-10]: a header with other counts than what was published could hide pages from challenges.
    function test_the_blob_header_is_what_was_published() public {
        Plan memory p = plan(10_000);
        bytes32 salt = p.h.receiptsRoot;
        p.h.blobHeader = blobHeaderOf(bytes20("other"), WEEK, 4, salt);
        _refused(p, _mismatch("LANE"));
        p.h.blobHeader = blobHeaderOf(LANE, WEEK - 1, 4, salt);
        _refused(p, _mismatch("PERIOD"));
        p.h.blobHeader = blobHeaderOf(LANE, WEEK, 8, salt);
        _refused(p, _mismatch("ROWS"));
        p.h.blobHeader = blobHeaderOf(LANE, WEEK, 64, salt);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.TooManyRows.selector, 64, 32));
        bytes32[5] memory faults = [bytes32("FORMAT"), "FORMAT", "FORMAT", "COMMITMENT", "COMMITMENT"];
        uint8[5] memory places = [0, 27, 28, 29, 76];
        for (uint256 i; i < 5; ++i) {
            p.h.blobHeader = blobHeaderOf(LANE, WEEK, 4, salt);
            p.h.blobHeader[places[i]] ^= 0x01;
            _refused(p, _mismatch(faults[i]));
        }
    }

    // ---------------------------------------------------------------- payers

    /// @dev Upholds [PAY-15].
    function test_payers_ascend_and_are_1_to_128_with_one_authorisation_each() public {
        Plan memory p = plan(10_000);
        ILane.PayerTotal[] memory good = p.h.payers;
        p.h.payers = new ILane.PayerTotal[](0);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.PayerCount.selector, 0, 128));
        p.h.payers = new ILane.PayerTotal[](129);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.PayerCount.selector, 129, 128));
        p.h.payers = new ILane.PayerTotal[](2);
        (p.h.payers[0], p.h.payers[1]) = (good[1], good[0]);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.PayersNotAscending.selector, 1));
        (p.h.payers[0], p.h.payers[1]) = (good[0], good[0]);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.PayersNotAscending.selector, 1));
        p.h.payers[0].payer = address(0);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.PayersNotAscending.selector, 0));
        p.h.payers = good;
        seal(p);
        vm.startPrank(submitter);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.AuthorisationCount.selector, 2, 3));
        payouts.submit(p.header, new IPayoutProofs.PayerAuthorisation[](2));
    }

    /// @dev Upholds [PAY-19].
    function test_what_a_pot_has_not_got_stops_the_batch() public {
        Plan memory p = plan(400_000);
        assertEq(uint256(p.h.payers[0].owed) * UNIT, 1_000 ether);
        vm.prank(payers[1].addr);
        ledger.withdrawPot(CHM, LANE, 1, payers[1].addr);
        _refused(p, abi.encodeWithSelector(IRoyaltyLedger.Unfunded.selector, payers[1].addr, 1));
        fund(CHM, payers[1].addr, 1);
        submitPlan(p);
        (uint256 free, uint256 reserved) = ledger.potOf(CHM, LANE, payers[1].addr);
        assertEq(free, 0);
        assertEq(reserved, 1_000 ether);
    }

    function test_amounts_at_their_types_edge_are_unfunded_not_wrapped() public {
        Plan memory p = plan(10_000);
        p.h.payers[2].owed = type(uint128).max;
        uint256 missing = uint256(type(uint128).max) * UNIT - 1_000 ether;
        _refused(p, abi.encodeWithSelector(IRoyaltyLedger.Unfunded.selector, p.h.payers[2].payer, missing));
    }

    /// @dev Upholds [PAY-16]: another header, total, payer, contract or chain is another digest.
    function test_a_signature_is_of_its_payer_over_this_batch_and_total_alone() public {
        Plan memory p = plan(10_000);
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(p);
        bytes memory why = abi.encodeWithSelector(IPayoutProofs.AuthorisationInvalid.selector, payers[0].addr);
        bytes memory good = consents[0].signature;
        bytes[5] memory bad;
        bad[0] = consents[1].signature;
        bad[1] = "";
        bad[2] = new bytes(65);
        bad[3] = abi.encodePacked(good, uint8(0));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(payers[0], payouts.authorisationDigest(p.root, 1));
        bad[4] = abi.encodePacked(r, s, v);
        for (uint256 i; i < bad.length; ++i) {
            consents[0].signature = bad[i];
            vm.prank(submitter);
            vm.expectRevert(why);
            payouts.submit(p.header, consents);
        }
        consents[0].signature = good;
        vm.chainId(7273);
        vm.prank(submitter);
        vm.expectRevert(why);
        payouts.submit(p.header, consents);
        vm.chainId(31_337);
        submitPlan(p, consents);
        // Reused for the next batch.
        Plan memory next = plan(10_000);
        vm.prank(submitter);
        vm.expectRevert(why);
        payouts.submit(next.header, consents);
    }

    /// @dev Upholds [PAY-16].
    function test_the_digest_is_eip_712s() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("CHLOM PayoutProofs"),
                keccak256("1"),
                block.chainid,
                address(payouts)
            )
        );
        bytes32 typeHash = keccak256("PayerAuthorisation(bytes32 batchRoot,uint256 total)");
        bytes32 body = keccak256(abi.encode(typeHash, bytes32("root"), uint256(7)));
        assertEq(payouts.authorisationDigest("root", 7), keccak256(abi.encodePacked(bytes2(0x1901), domain, body)));
    }

    /// @dev Upholds [PAY-16].
    function test_a_contract_consents_by_erc_1271_and_a_key_with_code_by_its_key() public {
        ContractPayer payer_ = new ContractPayer();
        Plan memory p = plan(10_000);
        ILane.PayerTotal[] memory one = new ILane.PayerTotal[](1);
        one[0] = ILane.PayerTotal(address(payer_), 0, 100);
        p.h.payers = one;
        fund(CHM, address(payer_), 1 ether);
        _refused(p, abi.encodeWithSelector(IPayoutProofs.AuthorisationInvalid.selector, address(payer_)));
        payer_.agree(payouts.authorisationDigest(p.root, 1 ether));
        submitPlan(p);
        // EIP-7702: the account has code that knows nothing of ERC-1271.
        vm.etch(payers[0].addr, hex"00");
        submitPlan(plan(10_000));
    }

    // ---------------------------------------------------------------- allowances

    function _allow(uint256 i, uint120 limit) private {
        vm.prank(payers[i].addr);
        lanes.setAllowance(LANE, WEEK, submitter, limit, false, new bytes32[](0));
    }

    /// @dev Upholds [PAY-17], [PAY-34].
    function test_an_allowance_is_drawn_and_a_void_batch_gives_it_back_once() public {
        Plan memory p = plan(10_000);
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(p);
        consents[1] = IPayoutProofs.PayerAuthorisation(true, "");
        uint256 total = 25 ether;
        bytes memory short =
            abi.encodeWithSelector(ILaneRegistry.AllowanceShort.selector, payers[1].addr, total, total - 1);
        _allow(1, uint120(total - 1));
        vm.prank(submitter);
        vm.expectRevert(short);
        payouts.submit(p.header, consents);
        _allow(1, uint120(total));
        submitPlan(p, consents);
        assertEq(lanes.allowanceOf(payers[1].addr, LANE, WEEK, submitter).used, total);
        (, uint256 standing,,) = payouts.consentOf(p.root);
        assertEq(standing, 2);
        // The payer has enough of it: a void batch does not bring the allowance back to life.
        _allow(1, 0);
        payouts.challenge(p.root, fraudProof(p));
        payouts.release(p.root, p.claim, p.header);
        assertEq(lanes.allowanceOf(payers[1].addr, LANE, WEEK, submitter).used, 0);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.AlreadyReleased.selector, p.root));
        payouts.release(p.root, p.claim, p.header);
        Plan memory next = plan(10_000);
        consents = signed(next);
        consents[1] = IPayoutProofs.PayerAuthorisation(true, "");
        vm.prank(submitter);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.AllowanceShort.selector, payers[1].addr, total, 0));
        payouts.submit(next.header, consents);
        _allow(1, uint120(total));
        submitPlan(next, consents);
    }

    function test_an_allowance_is_for_one_period_and_one_submitter() public {
        _allow(0, 1_000 ether);
        address other = makeAddr("other");
        assertEq(lanes.allowanceOf(payers[0].addr, LANE, WEEK, submitter).limit, 1_000 ether);
        assertEq(lanes.allowanceOf(payers[0].addr, LANE, WEEK - 1, submitter).limit, 0);
        assertEq(lanes.allowanceOf(payers[0].addr, LANE, WEEK, other).limit, 0);
        assertEq(lanes.allowanceOf(payers[1].addr, LANE, WEEK, submitter).limit, 0);
    }

    // ---------------------------------------------------------------- bonds

    /// @dev Upholds [PAY-20]: max(1,000 CHM, total · chm_per_unit / 10), rounded up.
    function test_the_bond_grows_with_what_a_batch_can_owe() public view {
        assertEq(payouts.bondFor(0, 2, 1 ether), 1_000 ether);
        assertEq(payouts.bondFor(1_000_000, 2, 1 ether), 1_000 ether, "10,000.00 are worth ten units");
        assertEq(payouts.bondFor(1_000_001, 2, 1 ether), 1_000.001 ether);
        assertEq(payouts.bondFor(1_000_001, 2, 3), 1_000 ether);
        assertEq(payouts.bondFor(10 ** 25, 0, 1), 1e24);
        assertEq(payouts.bondFor(10 ** 25 + 1, 0, 1), 1e24 + 1, "rounded up");
    }

    function testFuzz_ten_units_are_worth_the_batch(uint128 total, uint8 decimals, uint80 chmPerUnit) public view {
        decimals = uint8(bound(decimals, 0, 18));
        chmPerUnit = uint80(bound(chmPerUnit, 1, type(uint80).max));
        uint256 unit = payouts.bondFor(total, decimals, chmPerUnit);
        assertGe(unit, 1_000 ether);
        assertGe(unit * 10 * 10 ** uint256(decimals), uint256(total) * chmPerUnit);
    }

    /// @dev Upholds [PAY-21].
    function test_collateral_must_be_free_for_every_open_batch() public {
        vm.prank(submitter);
        payouts.withdrawCollateral(85_000 ether, submitter);
        submitPlan(plan(10_000));
        Plan memory p = plan(10_000);
        _refused(
            p, abi.encodeWithSelector(IPayoutProofs.CollateralShort.selector, submitter, 5_000 ether, 10_000 ether)
        );
        vm.startPrank(submitter);
        vm.expectRevert(
            abi.encodeWithSelector(IPayoutProofs.CollateralShort.selector, submitter, 5_000 ether, 5_000 ether + 1)
        );
        payouts.withdrawCollateral(5_000 ether + 1, submitter);
        vm.expectRevert(Governed.ZeroAddress.selector);
        payouts.withdrawCollateral(1, address(0));
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.NothingOwed.selector, submitter, CHM));
        payouts.addCollateral(submitter);
        vm.expectRevert(Governed.ZeroAddress.selector);
        payouts.addCollateral{value: 1}(address(0));
    }

    function test_a_header_that_the_module_refuses_is_refused_with_its_number() public {
        Plan memory p = plan(10_000);
        bytes memory cut = new bytes(p.header.length - 1);
        for (uint256 i; i < cut.length; ++i) {
            cut[i] = p.header[i];
        }
        vm.prank(submitter);
        vm.expectRevert(abi.encodeWithSelector(ILane.HeaderInvalid.selector, 1));
        payouts.submit(cut, new IPayoutProofs.PayerAuthorisation[](3));
    }
}
