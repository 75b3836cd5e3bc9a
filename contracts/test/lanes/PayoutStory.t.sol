// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {LaneBase} from "test/lanes/LaneBase.t.sol";

/// @title The story of issue 6 in one page: fund, submit right, submit wrong, challenge, finalise, settle, withdraw
/// @dev With doubles of the modules; the same story with the real ones is in Rust (l1-licensing/evm/tests/payouts).
contract PayoutStoryTest is LaneBase {
    uint256 private _funded;
    uint256 private _withdrawn;
    uint256 private _collateral;

    function test_a_right_batch_pays_and_a_wrong_one_costs_its_submitter() public {
        _collateral = 100_000 ether;
        // Fund: three payers, 1,000 CHM each.
        fundPayers(1_000 ether);
        _funded = 3_000 ether;
        _conserved("funded");

        // A right batch: 500.00 under each licence and payer; 2,000 bps and 500 bps: 125.00 a payer.
        Plan memory right = plan(50_000);
        submitPlan(right);
        (uint256 free, uint256 reserved) = ledger.potOf(CHM, LANE, payers[0].addr);
        assertEq(free, 875 ether);
        assertEq(reserved, 125 ether);
        _conserved("submitted");

        // A wrong one follows it; a watcher proves it wrong.
        nextBlock();
        Plan memory wrong = plan(80_000);
        submitPlan(wrong);
        assertEq(payouts.collateralOf(submitter).locked, 20_000 ether, "1,000 CHM ten times, twice");
        challengeBy(watcher, wrong.root, fraudProof(wrong));
        assertEq(uint8(statusOf(wrong.root)), uint8(IPayoutProofs.Status.Void));
        payouts.release(wrong.root, wrong.claim, wrong.header);
        (free, reserved) = ledger.potOf(CHM, LANE, payers[0].addr);
        assertEq(free, 875 ether, "free again");
        passReveal();
        payouts.payAward(wrong.root, wrong.header);
        assertEq(payouts.collateralOf(watcher).free, 4_000 ether, "40 per cent");
        assertEq(claimsPool.heldFor(wrong.root, CHM), 6_000 ether, "the rest");
        assertEq(payouts.collateralOf(submitter).free, 80_000 ether);
        assertEq(payouts.collateralOf(submitter).locked, 10_000 ether);
        _collateral -= 6_000 ether;
        _conserved("void");

        // The right one stands, becomes final and settles, row by row.
        passWindow();
        payouts.finalize(right.root);
        assertEq(payouts.collateralOf(submitter).locked, 0);
        uint256 paid;
        for (uint256 i; i < right.rows.length; ++i) {
            (uint256 base,) = settlePlan(right, i);
            paid += base;
            _conserved("settled");
        }
        assertEq(paid, 375 ether);
        assertEq(uint8(statusOf(right.root)), uint8(IPayoutProofs.Status.Done));

        // Payees and the watcher withdraw; fees and the rebate go their ways.
        uint256 film = ledger.withdraw(_payout(FILM));
        uint256 song = ledger.withdraw(_payout(SONG));
        _withdrawn += film + song;
        assertEq(film + song, 375 ether - 1.875 ether, "less half a per cent");
        ledger.collectFees(CHM);
        _withdrawn += 1.875 ether;
        vm.prank(submitter);
        assertEq(payouts.claimRebate(CHM), 0.1875 ether, "a tenth of the fee");
        vm.prank(watcher);
        payouts.withdrawCollateral(4_000 ether, watcher);
        _collateral -= 4_000 ether;
        _conserved("withdrawn");
        assertEq(watcher.balance, 4_000 ether);
        assertEq(ledger.accounted(CHM), 3_000 ether - 375 ether, "what payers did not owe is still theirs");
    }

    function _payout(bytes32 licence) private view returns (IRoyaltyLedger.Payout memory) {
        return IRoyaltyLedger.Payout(ledger.routeKeyOf(licence, WEEK), CHM, 0);
    }

    /// @dev Nothing appears, nothing is lost: in the ledger, and in PayoutProofs.
    function _conserved(string memory when) private view {
        assertEq(ledger.accounted(CHM), _funded - _withdrawn, when);
        assertEq(address(ledger).balance, _funded - _withdrawn, when);
        assertEq(address(payouts).balance, _collateral, when);
    }
}
