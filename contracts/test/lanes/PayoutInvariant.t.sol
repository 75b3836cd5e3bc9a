// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {SystemAddresses} from "src/core/SystemAddresses.sol";
import {LaneRegistry} from "src/lanes/LaneRegistry.sol";
import {PayoutProofs} from "src/lanes/PayoutProofs.sol";
import {IPayoutProofs} from "src/lanes/interfaces/IPayoutProofs.sol";
import {RoyaltyLedger} from "src/licensing/RoyaltyLedger.sol";
import {PayoutHandler} from "test/lanes/PayoutHandler.sol";

/// @title After any sequence of acts nothing has appeared and nothing is lost
/// forge-config: default.invariant.runs = 24
contract PayoutInvariantTest is Test {
    bytes20 private constant LANE = bytes20(keccak256("adluxe"));
    uint32 private constant WEEK = 20250904;
    PayoutHandler private _handler;
    PayoutProofs private _payouts = PayoutProofs(SystemAddresses.PAYOUT_PROOFS);
    RoyaltyLedger private _ledger = RoyaltyLedger(SystemAddresses.ROYALTY_LEDGER);

    function setUp() public {
        _handler = new PayoutHandler();
        _handler.begin();
        bytes4[] memory acts = new bytes4[](13);
        acts[0] = PayoutHandler.fundPot.selector;
        acts[1] = PayoutHandler.takePot.selector;
        acts[2] = PayoutHandler.addCollateral.selector;
        acts[3] = PayoutHandler.takeCollateral.selector;
        acts[4] = PayoutHandler.submit.selector;
        acts[5] = PayoutHandler.commit.selector;
        acts[6] = PayoutHandler.challenge.selector;
        acts[7] = PayoutHandler.payAward.selector;
        acts[8] = PayoutHandler.finalize.selector;
        acts[9] = PayoutHandler.settle.selector;
        acts[10] = PayoutHandler.release.selector;
        acts[11] = PayoutHandler.claimRebate.selector;
        acts[12] = PayoutHandler.wait.selector;
        targetContract(address(_handler));
        targetSelector(FuzzSelector(address(_handler), acts));
    }

    /// @dev Upholds [PAY-60].
    function invariant_the_chm_here_is_collateral_and_pending_awards() public view {
        uint256 sum = _handler.pendingAwards();
        for (uint256 i; i < _handler.accountsLength(); ++i) {
            IPayoutProofs.Collateral memory c = _payouts.collateralOf(_handler.accounts(i));
            sum += uint256(c.free) + c.locked;
        }
        assertEq(address(_payouts).balance, sum);
        uint256 left = _handler.collateralIn() - _handler.collateralOut() - _handler.forfeited();
        assertEq(address(_payouts).balance, left);
    }

    /// @dev Upholds [PAY-61].
    function invariant_ten_units_are_locked_for_every_open_batch() public view {
        assertEq(_payouts.collateralOf(_handler.accounts(0)).locked, _handler.openStakes());
        for (uint256 i = 1; i < _handler.accountsLength(); ++i) {
            assertEq(_payouts.collateralOf(_handler.accounts(i)).locked, 0);
        }
    }

    function invariant_every_batch_is_where_its_acts_brought_it() public view {
        for (uint256 i; i < _handler.count(); ++i) {
            bytes32 root = _handler.rootAt(i);
            assertEq(uint8(_payouts.batchOf(root).status), uint8(_handler.expected(root)));
        }
    }

    function invariant_pots_hold_what_batches_can_still_owe_and_no_more() public view {
        uint256 fees = _handler.deposited() - _handler.withdrawn();
        assertEq(_ledger.accounted(address(0)), fees, "what came in less what went out");
        for (uint256 i; i < 3; ++i) {
            (, uint256 reserved) = _ledger.potOf(address(0), LANE, _handler.payerAt(i));
            assertEq(reserved, _handler.heldOf(i));
        }
    }

    function invariant_allowances_are_drawn_by_what_is_not_void() public view {
        LaneRegistry lanes = LaneRegistry(SystemAddresses.LANE_REGISTRY);
        for (uint256 i; i < 3; ++i) {
            uint256 used = lanes.allowanceOf(_handler.payerAt(i), LANE, WEEK, _handler.accounts(0)).used;
            assertEq(used, _handler.drawnOf(i));
        }
    }

    function invariant_a_route_stays_open_while_rows_can_come() public view {
        bool taking = block.timestamp < 1_759_104_000 + 60 days;
        assertEq(_payouts.hasUnsettledRows(0, WEEK), taking || _handler.live() != 0);
    }

    function invariant_who_comes_back_while_paid_gains_nothing() public view {
        assertEq(_handler.returning().gained(), 0);
    }

    /// @dev The handler reaches every act; what it does is checked after each.
    function test_the_handler_reaches_every_act() public {
        for (uint256 i; i < 120; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            _handler.fundPot(seed, 5_000 ether);
            _handler.submit(seed, uint96(seed % 100));
            if (i % 3 == 0) _handler.commit(seed);
            _handler.wait(600, 1);
            if (i % 3 == 0) _handler.challenge(seed);
            if (i % 5 == 0) _handler.wait(40_000, 650);
            for (uint256 j; j < 6; ++j) {
                _handler.finalize(seed >> j);
                _handler.settle(seed >> 8 * j);
                _handler.payAward(seed >> j);
            }
            _handler.release(seed);
            _handler.takeCollateral(seed, 3 ether);
            _handler.addCollateral(0, 9_000 ether);
            if (i % 10 == 9) _handler.claimRebate();
            _checkAll();
        }
        string[8] memory acts = ["submit", "commit", "challenge", "reveal", "payAward", "finalize", "settle", "release"];
        for (uint256 i; i < acts.length; ++i) {
            assertGt(_handler.done(acts[i]), 0, acts[i]);
        }
        assertGt(_handler.done("claimRebate"), 0, "claimRebate");
    }

    function _checkAll() private view {
        invariant_the_chm_here_is_collateral_and_pending_awards();
        invariant_ten_units_are_locked_for_every_open_batch();
        invariant_every_batch_is_where_its_acts_brought_it();
        invariant_pots_hold_what_batches_can_still_owe_and_no_more();
        invariant_allowances_are_drawn_by_what_is_not_void();
        invariant_a_route_stays_open_while_rows_can_come();
        invariant_who_comes_back_while_paid_gains_nothing();
    }
}
