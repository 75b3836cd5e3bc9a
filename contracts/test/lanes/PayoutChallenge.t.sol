// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IPauseFlags} from "src/core/interfaces/IPauseFlags.sol";
import {IADEProofs} from "src/lanes/interfaces/IADEProofs.sol";
import {IDataAvailability} from "src/lanes/interfaces/IDataAvailability.sol";
import {IFraudJudge} from "src/lanes/interfaces/IFraudJudge.sol";
import {ILane} from "src/lanes/interfaces/ILane.sol";
import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {ILicenseRegistry} from "src/licensing/interfaces/ILicenseRegistry.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {LaneBase} from "test/lanes/LaneBase.t.sol";

/// @title How a wrong batch dies, and how a right one does not
contract PayoutChallengeTest is LaneBase {
    address private _rival = makeAddr("rival");

    function setUp() public override {
        super.setUp();
        fundPayers(10_000 ether);
    }

    function _open() private returns (Plan memory p) {
        p = plan(10_000);
        submitPlan(p);
        nextBlock();
    }

    function _commit(address who, bytes32 root, bytes memory proof) private returns (bytes32 id) {
        id = commitmentOf(root, proof, who, "salt");
        vm.prank(who);
        payouts.commitChallenge(id);
    }

    function _reveal(address who, bytes32 root, bytes memory proof) private {
        vm.prank(who);
        payouts.challenge(root, proof, "salt");
    }

    function _notConfirmed(Plan memory p, ILane.Verdict memory v) private {
        vm.expectRevert(abi.encodeWithSelector(IFraudJudge.NotConfirmed.selector, v.check));
        payouts.challenge(p.root, proofOf(p, v));
    }

    function _convicts(Plan memory p, ILane.Verdict memory v) private {
        uint256 snapshot = vm.snapshotState();
        payouts.challenge(p.root, proofOf(p, v));
        assertEq(uint8(statusOf(p.root)), uint8(IPayoutProofs.Status.Void));
        vm.revertToState(snapshot);
    }

    // ---------------------------------------------------------------- one transaction

    /// @dev Upholds [PAY-28], [PAY-31], [PAY-33].
    function test_one_proof_voids_and_ten_units_are_lost() public {
        Plan memory p = _open();
        vm.expectEmit(address(payouts));
        emit IADEProofs.Challenged(p.root, watcher);
        vm.expectEmit(address(payouts));
        emit IPayoutProofs.BatchVoided(p.root, submitter, 4, 10_000 ether);
        vm.prank(watcher);
        payouts.challenge(p.root, fraudProof(p));
        IPayoutProofs.Collateral memory c = payouts.collateralOf(submitter);
        assertEq(c.free, 90_000 ether);
        assertEq(c.locked, 0);
        assertEq(payouts.lastBatchOf(LANE), p.root, "the lane goes on from it");
        bytes memory dead =
            abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Void);
        vm.expectRevert(dead);
        payouts.challenge(p.root, fraudProof(p));
        passWindow();
        vm.expectRevert(dead);
        payouts.finalize(p.root);
        vm.expectRevert(dead);
        settlePlan(p, 0);
    }

    /// @dev Upholds [PAY-31]: until it is final, also after its window, and never after.
    function test_a_batch_can_be_challenged_until_it_is_final() public {
        Plan memory p = _open();
        passWindow();
        _convicts(p, wrongSum());
        payouts.finalize(p.root);
        vm.expectRevert(
            abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Finalized)
        );
        payouts.challenge(p.root, fraudProof(p));
        vm.expectRevert(
            abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, bytes32("x"), IPayoutProofs.Status.None)
        );
        payouts.challenge("x", fraudProof(p));
    }

    function test_no_pause_stops_a_challenge() public {
        Plan memory p = _open();
        vm.startPrank(authority);
        pauseFlags.flagFraud("fraud");
        pauseFlags.pause(IPauseFlags.Flag.LaneSubmit, uint64(block.number + 100), "fraud");
        pauseFlags.pause(IPauseFlags.Flag.Payouts, uint64(block.number + 100), "fraud");
        vm.stopPrank();
        payouts.challenge(p.root, fraudProof(p));
        payouts.release(p.root, p.claim, p.header);
    }

    // ---------------------------------------------------------------- what proves nothing

    /// @dev Upholds [PAY-28].
    function test_proofs_of_other_batches_blobs_and_lanes_prove_nothing() public {
        Plan memory p = _open();
        Plan memory other = planOf(20250903, 10_000, 6);
        vm.expectRevert(abi.encodeWithSelector(IFraudJudge.HeaderMismatch.selector, p.root, other.root));
        payouts.challenge(p.root, fraudProof(other));
        // This batch's header with a cell of another blob.
        IDataAvailability.Cell[] memory cells = new IDataAvailability.Cell[](1);
        cells[0] = cellOf(other, 0, 3);
        IFraudJudge.FraudProof memory f = IFraudJudge.FraudProof(p.header, 4, "", cells, abi.encode(wrongSum()));
        vm.expectPartialRevert(IFraudJudge.CellsNotOfBlob.selector);
        payouts.challenge(p.root, abi.encode(f));
        cells[0] = cellOf(p, 0, 3);
        cells[0].data[7] = 0x01;
        f.cells = cells;
        vm.expectPartialRevert(IFraudJudge.CellsNotOfBlob.selector);
        payouts.challenge(p.root, abi.encode(f));
        f.cells = new IDataAvailability.Cell[](4);
        vm.expectRevert(abi.encodeWithSelector(IFraudJudge.CellCount.selector, 4, 3));
        payouts.challenge(p.root, abi.encode(f));
        f.cells = new IDataAvailability.Cell[](0);
        f.evidence = "";
        vm.expectRevert(abi.encodeWithSelector(ILane.NoFraud.selector, 7));
        payouts.challenge(p.root, abi.encode(f));
        f.evidence = abi.encode(wrongSum());
        f.kind = 5;
        vm.expectRevert(abi.encodeWithSelector(ILane.NoFraud.selector, 8));
        payouts.challenge(p.root, abi.encode(f));
    }

    function testFuzz_bytes_that_are_no_proof_are_refused_as_such(bytes calldata junk) public {
        Plan memory p = _open();
        vm.expectRevert(IFraudJudge.ProofMalformed.selector);
        payouts.challenge(p.root, junk);
    }

    function testFuzz_a_cut_proof_is_refused(uint256 length) public {
        Plan memory p = _open();
        bytes memory whole = fraudProof(p);
        length = bound(length, 0, whole.length - 1);
        assembly {
            mstore(whole, length)
        }
        // What is cut off may be padding; then the evidence is short.
        vm.expectRevert();
        payouts.challenge(p.root, whole);
        assertEq(uint8(statusOf(p.root)), uint8(IPayoutProofs.Status.Open));
    }

    // ---------------------------------------------------------------- what contract state confirms

    /// @dev Upholds [PAY-29]: neither Active nor Suspended then, as known then.
    function test_a_licence_convicts_by_its_state_at_the_receipts_time_as_of_the_batch() public {
        skip(10 days);
        Plan memory p = _open();
        ILane.Verdict memory v;
        (v.kind, v.check, v.licence, v.time) = (7, ILane.Check.Licence, FILM, uint64(WEEK_START + 1));
        _notConfirmed(p, v);
        v.time = uint64(START - 1);
        _convicts(p, v);
        (v.licence, v.time) = (keccak256("nobody's"), uint64(WEEK_START + 1));
        _convicts(p, v);
        // Revoked, and its whole subtree marked, after the batch: that makes no honest batch wrong.
        v.licence = FILM;
        vm.prank(licensor);
        registry.revoke(FILM);
        vm.prank(licensor);
        splits.markSubtree(FILM, ISplitRegistry.Mark.Revoked, 1);
        _notConfirmed(p, v);
        // An id minted afterwards, effective in the past, was not known.
        v.licence = keccak256("LATE");
        mintRoot(v.licence, 2_000, singleSplit(address(1)));
        _convicts(p, v);
    }

    /// @dev Upholds [PAY-29].
    function test_a_suspended_licence_counts_and_a_revoked_one_does_not() public {
        vm.prank(authority);
        registry.suspend(FILM, 1);
        uint64 suspendedAt = uint64(block.timestamp);
        skip(10);
        vm.prank(licensor);
        registry.revoke(SONG);
        skip(10);
        Plan memory p = planOf(20251001, 10_000, 2);
        submitPlan(p);
        ILane.Verdict memory v;
        (v.kind, v.check, v.licence, v.time) = (7, ILane.Check.Licence, FILM, suspendedAt + 15);
        _notConfirmed(p, v);
        v.licence = SONG;
        _convicts(p, v);
        v.time = suspendedAt + 9;
        _notConfirmed(p, v);
    }

    /// @dev Upholds [PAY-29]: the rate at the period's start, or the licence's first.
    function test_terms_convict_when_the_rate_is_not_the_licences() public {
        Plan memory p = _open();
        ILane.Verdict memory v;
        (v.kind, v.check, v.licence, v.time) = (5, ILane.Check.Terms, FILM, uint64(WEEK_START));
        v.royaltyBps = 2_000;
        _notConfirmed(p, v);
        v.royaltyBps = 1_999;
        _convicts(p, v);
        v.royaltyBps = 2_000;
        ILicenseRegistry.LicenseData memory d = data(3_000, singleSplit(address(0xF11)));
        vm.prank(licensor);
        registry.modify(FILM, d);
        _notConfirmed(p, v);
        v.licence = keccak256("nobody's");
        _convicts(p, v);
        skip(1);
        mintRoot(v.licence, 2_000, singleSplit(address(1)));
        _convicts(p, v);
    }

    /// @dev Upholds [PAY-29]: the key as of the batch, whatever is registered later.
    function test_a_source_convicts_under_the_key_that_it_had_then() public {
        bytes memory first = abi.encodePacked(uint8(2), bytes32(uint256(1)));
        bytes memory second = abi.encodePacked(uint8(2), bytes32(uint256(2)));
        vm.prank(payers[0].addr);
        bytes32 source = lanes.registerSourceKey(LANE, "shop", first);
        skip(5);
        Plan memory p = _open();
        vm.prank(payers[0].addr);
        lanes.registerSourceKey(LANE, "shop", second);
        ILane.Verdict memory v;
        (v.kind, v.check, v.source, v.payer) = (9, ILane.Check.Source, source, payers[0].addr);
        v.key = keccak256(second);
        _notConfirmed(p, v);
        v.key = keccak256(first);
        _convicts(p, v);
        v.payer = payers[1].addr;
        _notConfirmed(p, v);
        // A record of a source, and no key: convicts nobody who signed.
        (v.payer, v.key) = (payers[0].addr, keccak256(""));
        _notConfirmed(p, v);
    }

    function _byAllowance(bool unsignedSources, bytes32[] memory sources) private returns (Plan memory p) {
        vm.prank(payers[0].addr);
        lanes.setAllowance(LANE, WEEK, submitter, 1_000 ether, unsignedSources, sources);
        p = plan(10_000);
        IPayoutProofs.PayerAuthorisation[] memory consents = signed(p);
        consents[0] = IPayoutProofs.PayerAuthorisation(true, "");
        submitPlan(p, consents);
    }

    /// @dev Upholds [PAY-29]: an allowance names sources, and admits those without a key or not.
    function test_a_source_that_the_allowance_does_not_admit_convicts() public {
        vm.prank(payers[0].addr);
        bytes32 keyed = lanes.registerSourceKey(LANE, "shop", abi.encodePacked(uint8(2), bytes32(uint256(1))));
        skip(5);
        bytes32[] memory sources = new bytes32[](2);
        (sources[0], sources[1]) = (keyed, "keyless");
        Plan memory p = _byAllowance(false, sources);
        ILane.Verdict memory v;
        (v.kind, v.check, v.source, v.payer) = (9, ILane.Check.Source, keyed, payers[0].addr);
        v.key = keccak256("");
        _notConfirmed(p, v);
        v.source = "keyless";
        _convicts(p, v);
        v.source = "unnamed";
        _convicts(p, v);
        // Payer 1 signed; a stranger is not in the batch.
        v.payer = payers[1].addr;
        _notConfirmed(p, v);
        v.payer = watcher;
        _notConfirmed(p, v);
        // What the payer admits later makes a wrong batch right, never the other way round.
        v.payer = payers[0].addr;
        vm.prank(payers[0].addr);
        lanes.setAllowance(LANE, WEEK, submitter, 0, true, sources);
        v.source = "keyless";
        _notConfirmed(p, v);
        v.source = "unnamed";
        _convicts(p, v);
    }

    /// @dev Upholds [PAY-29]: only the later batch, and only while the earlier is not void.
    function test_an_earlier_batch_convicts_the_later_one_while_it_is_not_void() public {
        Plan memory first = _open();
        Plan memory second = _open();
        ILane.Verdict memory v;
        (v.kind, v.check, v.earlier) = (3, ILane.Check.Earlier, second.root);
        _notConfirmed(first, v);
        v.earlier = first.root;
        _notConfirmed(first, v);
        _convicts(second, v);
        v.earlier = "never accepted";
        _notConfirmed(second, v);
        v.earlier = first.root;
        passWindow();
        uint256 snapshot = vm.snapshotState();
        payouts.finalize(first.root);
        _convicts(second, v);
        vm.revertToState(snapshot);
        payouts.challenge(first.root, fraudProof(first));
        _notConfirmed(second, v);
    }

    // ---------------------------------------------------------------- commitments and the reward

    /// @dev Upholds [PAY-30], [PAY-32], [PAY-35], [PAY-36].
    function test_the_earliest_commitment_has_forty_per_cent() public {
        Plan memory p = _open();
        bytes memory proof = fraudProof(p);
        _commit(watcher, p.root, proof);
        _commit(_rival, p.root, proof);
        nextBlock();
        // The later one voids; the earlier one still wins.
        _reveal(_rival, p.root, proof);
        assertEq(payouts.awardOf(p.root).winner, _rival);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.RevealOpen.selector, p.root));
        payouts.payAward(p.root, p.header);
        nextBlock();
        _reveal(watcher, p.root, proof);
        assertEq(payouts.awardOf(p.root).winner, watcher);
        passReveal();
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.HeaderMismatch.selector, p.root, keccak256("x")));
        payouts.payAward(p.root, "x");
        payouts.payAward(p.root, p.header);
        assertEq(payouts.collateralOf(watcher).free, 4_000 ether);
        assertEq(payouts.collateralOf(_rival).free, 0);
        assertEq(claimsPool.heldFor(p.root, CHM), 6_000 ether);
        address[5] memory excluded = [submitter, watcher, payers[0].addr, payers[1].addr, payers[2].addr];
        for (uint256 i; i < 5; ++i) {
            assertTrue(claimsPool.isExcluded(p.root, excluded[i]));
        }
        assertFalse(claimsPool.isExcluded(p.root, _rival));
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.AlreadyPaid.selector, p.root));
        payouts.payAward(p.root, p.header);
    }

    /// @dev Upholds [PAY-32].
    function test_a_later_commitment_does_not_displace_an_earlier_one() public {
        Plan memory p = _open();
        bytes memory proof = fraudProof(p);
        _commit(watcher, p.root, proof);
        _commit(_rival, p.root, proof);
        nextBlock();
        _reveal(watcher, p.root, proof);
        vm.prank(_rival);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.NotEarlier.selector, p.root, 2, 1));
        payouts.challenge(p.root, proof, "salt");
    }

    /// @dev Upholds [PAY-32]: made in a block before, by the one who reveals, of this batch and proof.
    function test_what_does_not_count_as_a_commitment() public {
        Plan memory p = _open();
        bytes memory proof = fraudProof(p);
        bytes32 id = commitmentOf(p.root, proof, watcher, "salt");
        vm.startPrank(watcher);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.CommitmentUnknown.selector, id));
        payouts.challenge(p.root, proof, "salt");
        payouts.commitChallenge(id);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.CommitmentTooNew.selector, id));
        payouts.challenge(p.root, proof, "salt");
        vm.stopPrank();
        // Another cannot use it, and its own comes in the block of the void one at the earliest.
        nextBlock();
        vm.startPrank(_rival);
        bytes32 copied = commitmentOf(p.root, proof, _rival, "salt");
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.CommitmentUnknown.selector, copied));
        payouts.challenge(p.root, proof, "salt");
        payouts.commitChallenge(copied);
        vm.stopPrank();
        payouts.challenge(p.root, proof);
        nextBlock();
        vm.prank(_rival);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.CommitmentTooNew.selector, copied));
        payouts.challenge(p.root, proof, "salt");
        _reveal(watcher, p.root, proof);
        vm.prank(watcher);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.CommitmentUnknown.selector, id));
        payouts.challenge(p.root, proof, "salt");
    }

    /// @dev Upholds [PAY-30]: seconds and heights must both have gone by.
    function test_a_commitment_lives_ten_minutes_and_250_heights() public {
        Plan memory p = _open();
        bytes memory proof = fraudProof(p);
        bytes32 id = _commit(watcher, p.root, proof);
        skip(1 days);
        vm.roll(block.number + 250);
        uint256 snapshot = vm.snapshotState();
        _reveal(watcher, p.root, proof);
        vm.revertToState(snapshot);
        _commit(watcher, p.root, proof);
        assertEq(payouts.commitmentOf(id).order, 1, "it lives: not renewed");
        vm.roll(block.number + 1);
        vm.prank(watcher);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.CommitmentExpired.selector, id));
        payouts.challenge(p.root, proof, "salt");
        _commit(watcher, p.root, proof);
        assertEq(payouts.commitmentOf(id).order, 2, "it is over: renewed, and later");
        nextBlock();
        _reveal(watcher, p.root, proof);
    }

    /// @dev Upholds [PAY-32]: a reveal must convict as well.
    function test_a_commitment_to_a_wrong_proof_wins_nothing() public {
        Plan memory p = _open();
        ILane.Verdict memory v = wrongSum();
        (v.check, v.licence, v.time) = (ILane.Check.Licence, FILM, uint64(WEEK_START));
        bytes memory wrong = proofOf(p, v);
        _commit(_rival, p.root, wrong);
        nextBlock();
        challengeBy(watcher, p.root, fraudProof(p));
        vm.prank(_rival);
        vm.expectRevert(abi.encodeWithSelector(IFraudJudge.NotConfirmed.selector, ILane.Check.Licence));
        payouts.challenge(p.root, wrong, "salt");
        assertEq(payouts.awardOf(p.root).winner, watcher);
    }

    /// @dev Upholds [PAY-36]: without a winner all of it.
    function test_without_a_commitment_all_is_the_claims_pools() public {
        Plan memory p = _open();
        vm.prank(watcher);
        payouts.challenge(p.root, fraudProof(p));
        passReveal();
        payouts.payAward(p.root, p.header);
        assertEq(claimsPool.heldFor(p.root, CHM), 10_000 ether);
        assertEq(payouts.collateralOf(watcher).free, 0);
        assertEq(address(payouts).balance, 90_000 ether);
    }

    function test_no_reveal_after_the_award_is_paid() public {
        Plan memory p = _open();
        bytes memory proof = fraudProof(p);
        payouts.challenge(p.root, proof);
        passReveal();
        payouts.payAward(p.root, p.header);
        bytes32 id = _commit(watcher, p.root, proof);
        assertEq(payouts.commitmentOf(id).order, 1);
        vm.prank(watcher);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.AlreadyPaid.selector, p.root));
        payouts.challenge(p.root, proof, "salt");
    }

    /// @dev Upholds [PAY-34].
    function test_a_void_batchs_reservations_are_free_and_a_right_one_may_follow() public {
        Plan memory p = _open();
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.BatchStatus.selector, p.root, IPayoutProofs.Status.Open));
        payouts.release(p.root, p.claim, p.header);
        payouts.challenge(p.root, fraudProof(p));
        IPayoutProofs.Claim memory other = p.claim;
        other.token = address(token);
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.ClaimMismatch.selector, p.root));
        payouts.release(p.root, other, p.header);
        other.token = CHM;
        vm.expectRevert(abi.encodeWithSelector(IPayoutProofs.HeaderMismatch.selector, p.root, keccak256("x")));
        payouts.release(p.root, p.claim, "x");
        payouts.release(p.root, p.claim, p.header);
        for (uint256 i; i < 3; ++i) {
            (uint256 free, uint256 reserved) = ledger.potOf(CHM, LANE, payers[i].addr);
            assertEq(free, 10_000 ether);
            assertEq(reserved, 0);
        }
        _open();
    }
}
