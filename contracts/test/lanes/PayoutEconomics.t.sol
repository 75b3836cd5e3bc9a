// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IFraudJudge} from "src/lanes/interfaces/IFraudJudge.sol";
import {ILane} from "src/lanes/interfaces/ILane.sol";
import {ILaneRegistry} from "src/lanes/interfaces/ILaneRegistry.sol";
import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {IClaimsPool} from "src/core/interfaces/IClaimsPool.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {LaneBase} from "test/lanes/LaneBase.t.sol";

/// @title How one would cheat, and what is left of whoever tries
/// @dev Wealth is all that an actor has anywhere: CHM in hand, collateral, pots, rebates. Gas is not even counted.
contract PayoutEconomicsTest is LaneBase {
    address private _alias = makeAddr("the submitter's other name");
    address private _copier = makeAddr("copier");

    function setUp() public override {
        super.setUp();
        fundPayers(100_000 ether);
        bond(submitter, 200_000 ether);
    }

    function _wealth(address who) private view returns (uint256) {
        IPayoutProofs.Collateral memory c = payouts.collateralOf(who);
        (uint256 free, uint256 reserved) = ledger.potOf(CHM, LANE, who);
        return who.balance + c.free + c.locked + free + reserved + payouts.rebateOf(who, CHM);
    }

    function _wrong(uint256 cents) private returns (Plan memory p) {
        p = plan(cents);
        submitPlan(p);
    }

    function _close(Plan memory p) private {
        payouts.release(p.root, p.claim, p.header);
        passReveal();
        payouts.payAward(p.root, p.header);
    }

    // ---------------------------------------------------------------- self-challenge

    /// @dev Upholds [PAY-35], [PAY-36]: of 10,000 CHM four come back.
    function test_a_self_challenge_loses_six_units() public {
        uint256 before = _wealth(submitter) + _wealth(_alias);
        Plan memory p = _wrong(50_000);
        challengeBy(_alias, p.root, fraudProof(p));
        _close(p);
        assertEq(before - _wealth(submitter) - _wealth(_alias), 6_000 ether);
        address[2] memory own = [submitter, _alias];
        for (uint256 i; i < 2; ++i) {
            vm.prank(authority);
            vm.expectRevert(abi.encodeWithSelector(IClaimsPool.ClaimantExcluded.selector, p.root, own[i]));
            claimsPool.payClaim(p.root, CHM, own[i], 1, "ref");
        }
    }

    /// @dev Even when its alias committed long before, and an honest watcher voids: the six units are lost all the same.
    function testFuzz_no_order_of_commitments_makes_a_self_challenge_pay(uint8 order, uint128 cents) public {
        uint256 before = _wealth(submitter) + _wealth(_alias);
        Plan memory p = _wrong(bound(cents, 1, 35_000_000));
        uint256 slashed = 10 * payouts.batchOf(p.root).bond;
        bytes memory proof = fraudProof(p);
        address[2] memory who = order & 1 == 0 ? [_alias, watcher] : [watcher, _alias];
        for (uint256 i; i < 2; ++i) {
            vm.prank(who[i]);
            payouts.commitChallenge(commitmentOf(p.root, proof, who[i], "salt"));
        }
        nextBlock();
        if (order & 2 == 0) payouts.challenge(p.root, proof);
        for (uint256 i; i < 2; ++i) {
            address next = order & 4 == 0 ? who[i] : who[1 - i];
            vm.prank(next);
            try payouts.challenge(p.root, proof, "salt") {} catch {}
        }
        _close(p);
        assertEq(payouts.collateralOf(who[0]).free, slashed * 4 / 10, "the earliest, whoever came first");
        assertLe(_wealth(submitter) + _wealth(_alias) + slashed * 6 / 10, before);
    }

    // ---------------------------------------------------------------- collusion

    /// @dev What a submitter and a payee could gain by a batch, if nobody looked, is at most what they put at stake (C4).
    function testFuzz_a_batch_never_pays_more_than_it_stakes(uint128 cents) public {
        cents = uint128(bound(cents, 1, 35_000_000));
        Plan memory p = plan(cents);
        uint256 payable_;
        for (uint256 i; i < p.h.payers.length; ++i) {
            payable_ += p.h.payers[i].owed * UNIT;
        }
        submitPlan(p);
        assertGe(10 * uint256(payouts.batchOf(p.root).bond), payable_);
    }

    /// @dev A payee's licence is sold more than it was: the payers lose nothing, the colluders what they staked.
    function test_collusion_with_a_payee_is_paid_out_of_the_stake_to_nobody_of_the_batch() public {
        address payee = address(0xF11);
        uint256 before = _wealth(submitter) + _wealth(payee);
        uint256 payer0 = _wealth(payers[0].addr);
        Plan memory p = _wrong(35_000_000);
        challengeBy(watcher, p.root, fraudProof(p));
        _close(p);
        assertEq(before - _wealth(submitter) - _wealth(payee), 262_500 ether);
        assertEq(_wealth(payers[0].addr), payer0);
        assertEq(_wealth(watcher), 105_000 ether);
        assertEq(claimsPool.heldFor(p.root, CHM), 157_500 ether);
        passWindow();
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Void));
        settlePlan(p, 0);
    }

    /// @dev Submitter, payer and payee are one: they pay the fee, and a tenth of it comes back.
    function test_paying_oneself_for_the_rebate_loses_nine_tenths_of_the_fee() public {
        vm.warp(WEEK_END + 1 days);
        Plan memory p = planOf(WEEK, 1_000_000, 2);
        address[3] memory one = [submitter, payers[0].addr, address(0xF11)];
        uint256 before = _wealth(one[0]) + _wealth(one[1]) + _wealth(one[2]) + _wealth(address(0x5046));
        submitPlan(p);
        passWindow();
        payouts.finalize(p.root);
        (uint256 fees, uint256 fee) = (0, 0);
        for (uint256 i; i < 2; ++i) {
            (, fee) = settlePlan(p, i);
            fees += fee;
        }
        ledger.withdraw(_payout(FILM));
        ledger.withdraw(_payout(SONG));
        uint256 after_ = _wealth(one[0]) + _wealth(one[1]) + _wealth(one[2]) + _wealth(address(0x5046));
        assertEq(before - after_, fees - fees / 10);
    }

    function _payout(bytes32 licence) private view returns (IRoyaltyLedger.Payout memory) {
        return IRoyaltyLedger.Payout(ledger.routeKeyOf(licence, WEEK), CHM, 0);
    }

    // ---------------------------------------------------------------- duplicate submitters

    /// @dev A second submitter cannot repeat a batch: not while another is active, not with a stale predecessor, and once it has
    /// taken the lane over the earlier batch convicts it.
    function test_a_duplicate_submitter_gains_nothing() public {
        vm.prank(authority);
        lanes.registerSubmitter(LANE, _alias);
        bond(_alias, 20_000 ether);
        Plan memory first = _wrong(50_000);
        Plan memory copy = plan(50_000);
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(copy);
        vm.prank(_alias);
        vm.expectRevert(abi.encodeWithSelector(ILaneRegistry.SubmitterNotActive.selector, LANE, _alias, submitter));
        payouts.submit(copy.header, consents);
        vm.prank(authority);
        lanes.appoint(LANE, _alias);
        vm.prank(_alias);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.BatchKnown.selector, first.root));
        payouts.submit(first.header, consents);
        uint256 before = _wealth(_alias);
        vm.prank(_alias);
        payouts.submit(copy.header, consents);
        ILane.Verdict memory v;
        (v.kind, v.check, v.earlier) = (3, ILane.Check.Earlier, first.root);
        challengeBy(watcher, copy.root, proofOf(copy, v));
        _close(copy);
        assertEq(before - _wealth(_alias), 10_000 ether);
        assertEq(uint8(statusOf(first.root)), uint8(IPayoutProofs.Status.Open), "the first one stands");
    }

    // ---------------------------------------------------------------- copied and spam challenges

    /// @dev The copier sees the proof in the pool and comes first: it is the watcher who is paid.
    function test_a_copied_challenge_earns_nothing() public {
        Plan memory p = _wrong(50_000);
        bytes memory proof = fraudProof(p);
        vm.prank(watcher);
        payouts.commitChallenge(commitmentOf(p.root, proof, watcher, "salt"));
        nextBlock();
        // In the block of the watcher's reveal, before it.
        vm.startPrank(_copier);
        payouts.commitChallenge(commitmentOf(p.root, proof, _copier, "copy"));
        payouts.challenge(p.root, proof);
        vm.stopPrank();
        vm.prank(watcher);
        payouts.challenge(p.root, proof, "salt");
        nextBlock();
        vm.prank(_copier);
        vm.expectPartialRevert(IPayoutProofs.CommitmentTooNew.selector);
        payouts.challenge(p.root, proof, "copy");
        _close(p);
        assertEq(_wealth(_copier), 0);
        assertEq(_wealth(watcher), 4_000 ether);
    }

    /// @dev A copier that holds the watcher's reveal back by a block has a commitment, and it is the later one.
    function test_a_copier_that_delays_the_reveal_is_still_later() public {
        Plan memory p = _wrong(50_000);
        bytes memory proof = fraudProof(p);
        vm.prank(watcher);
        payouts.commitChallenge(commitmentOf(p.root, proof, watcher, "salt"));
        nextBlock();
        challengeBy(_copier, p.root, proof);
        vm.prank(watcher);
        payouts.challenge(p.root, proof, "salt");
        _close(p);
        assertEq(_wealth(_copier), 0);
        assertEq(_wealth(watcher), 4_000 ether);
    }

    /// @dev Challenges that prove nothing and commitments to nothing change nothing of a right batch.
    function testFuzz_spam_moves_no_money_and_no_window(bytes32 seed) public {
        Plan memory p = _wrong(50_000);
        bytes32 batch = keccak256(abi.encode(payouts.batchOf(p.root)));
        for (uint256 i; i < 8; ++i) {
            seed = keccak256(abi.encode(seed));
            vm.startPrank(_copier);
            payouts.commitChallenge(seed);
            vm.expectRevert();
            payouts.challenge(p.root, abi.encode(seed));
            ILane.Verdict memory v;
            (v.kind, v.check, v.licence, v.time) = (7, ILane.Check.Licence, FILM, uint64(WEEK_START + i));
            bytes memory proof = proofOf(p, v);
            vm.expectRevert(abi.encodeWithSelector(IFraudJudge.NotConfirmed.selector, v.check));
            payouts.challenge(p.root, proof);
            vm.stopPrank();
            nextBlock();
        }
        assertEq(keccak256(abi.encode(payouts.batchOf(p.root))), batch);
        assertEq(_wealth(_copier), 0);
        passWindow();
        payouts.finalize(p.root);
    }

    // ---------------------------------------------------------------- squatted sources

    /// @dev A key registered under a payer's source name by somebody else convicts none of that payer's batches.
    function test_a_squatted_source_name_convicts_nobody() public {
        bytes memory key = abi.encodePacked(uint8(2), bytes32(uint256(9)));
        vm.prank(_copier);
        bytes32 squatted = lanes.registerSourceKey(LANE, "shop", key);
        bytes32 own = lanes.sourceOf(LANE, payers[0].addr, "shop");
        skip(5);
        Plan memory p = _wrong(50_000);
        ILane.Verdict memory v;
        (v.kind, v.check, v.key) = (9, ILane.Check.Source, keccak256(key));
        bytes32[2] memory sources = [own, squatted];
        for (uint256 i; i < 2; ++i) {
            (v.source, v.payer) = (sources[i], payers[0].addr);
            bytes memory proof = proofOf(p, v);
            vm.expectRevert(abi.encodeWithSelector(IFraudJudge.NotConfirmed.selector, v.check));
            payouts.challenge(p.root, proof);
        }
        assertEq(_wealth(_copier), 0);
    }
}
