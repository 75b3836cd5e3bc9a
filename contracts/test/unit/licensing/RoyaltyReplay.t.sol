// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {RoyaltyLedger} from "src/licensing/RoyaltyLedger.sol";
import {IRoyaltyLedger} from "src/licensing/interfaces/IRoyaltyLedger.sol";
import {ISplitRegistry} from "src/licensing/interfaces/ISplitRegistry.sol";
import {RoyaltyBase} from "test/RoyaltyBase.t.sol";
import {TreeBuilder} from "test/mocks/TreeBuilder.sol";

/// @title Replays of what the ledger accepts once: rows, reservations, leaves; here, on another chain, in another ledger
/// @dev The ledger takes no signatures: those of intents are LicenseRegistry's (`LicenseIntent.t.sol`).
contract RoyaltyReplayTest is RoyaltyBase {
    using TreeBuilder for TreeBuilder.Tree;

    bytes32 private constant ROOT = "root";
    bytes32 private constant OTHER = "other";

    function _settled(IRoyaltyLedger.Row memory row) private {
        uint256 most = mostOf(row.licence, row.revenue);
        if (most != 0) fund(row.token, row.payer, most);
        reserveFor(row);
        settleRow(row);
    }

    function _refused(IRoyaltyLedger.Row memory row) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRoyaltyLedger.AlreadySettled.selector, row.batch, row.payer, row.licence)
        );
        vm.prank(settler);
        ledger.settle(row);
    }

    /// @dev [ROY-18], I8: whatever else a row says.
    function testFuzz_a_row_is_spent_whatever_its_lane_token_period_revenue_and_chain(
        uint64 revenue,
        bytes20 lane,
        uint64 chain,
        uint128 again
    ) public {
        mintRoot(ROOT, 1_000, rampSplit(2));
        IRoyaltyLedger.Row memory row = rowOf("batch", CHM, ROOT, revenue);
        _settled(row);
        row.lane = lane;
        row.revenue = again;
        _refused(row);
        row.token = address(token);
        _refused(row);
        row.period = PERIOD + 1;
        _refused(row);
        vm.chainId(bound(chain, 1, type(uint64).max - 1));
        _refused(row);
        assertTrue(ledger.isSettled("batch", payer, ROOT));
    }

    /// @dev The three that name a row are apart: none of them spends another's.
    function test_rows_of_another_batch_payer_or_licence_are_not_spent() public {
        mintRoot(ROOT, 1_000, rampSplit(2));
        mintRoot(OTHER, 1_000, rampSplit(2));
        _settled(rowOf("batch", CHM, ROOT, 1e6));
        _settled(rowOf("batch 2", CHM, ROOT, 1e6));
        _settled(rowOf("batch", CHM, OTHER, 1e6));
        IRoyaltyLedger.Row memory row = rowOf("batch", CHM, ROOT, 1e6);
        row.payer = address(0xabc);
        _settled(row);
        assertFalse(ledger.isSettled("batch 2", address(0xabc), ROOT));
    }

    /// @dev Within one batch call, too: then nothing of it is settled.
    function test_a_row_twice_in_one_call_undoes_the_call() public {
        mintRoot(ROOT, 1_000, rampSplit(2));
        IRoyaltyLedger.Row[] memory rows = new IRoyaltyLedger.Row[](2);
        rows[0] = rowOf("batch", CHM, ROOT, 1e6);
        rows[1] = rows[0];
        fund(CHM, 1e6);
        reserveFor(rows[0]);
        vm.prank(settler);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.AlreadySettled.selector, bytes32("batch"), payer, ROOT));
        ledger.settleBatch(rows);
        assertFalse(ledger.isSettled("batch", payer, ROOT));
        settleRow(rows[0]);
    }

    /// @dev [ROY-32]: a reservation is spent by its rows and released once.
    function test_a_reservation_is_used_or_released_once() public {
        mintRoot(ROOT, 10_000, rampSplit(2));
        IRoyaltyLedger.Row memory row = rowOf("batch", CHM, ROOT, 600);
        fund(CHM, 1_000);
        vm.startPrank(settler);
        ledger.reserve("batch", CHM, LANE, payer, 1_000);
        ledger.settle(row);
        assertEq(ledger.release("batch", CHM, LANE, payer), 400);
        assertEq(ledger.release("batch", CHM, LANE, payer), 0);
        row.payer = payer;
        row.licence = ROOT;
        row.batch = "batch 2";
        vm.expectRevert(
            abi.encodeWithSelector(IRoyaltyLedger.ReservationShort.selector, bytes32("batch 2"), payer, 0, 600)
        );
        ledger.settle(row);
        vm.stopPrank();
        (uint256 free, uint256 reserved) = ledger.potOf(CHM, LANE, payer);
        assertEq(free, 400);
        assertEq(reserved, 0);
    }

    /// @dev Another ledger knows neither rows nor pots of this one: what was settled here pays nothing there.
    function test_a_row_settled_here_pays_nothing_in_another_ledger() public {
        mintRoot(ROOT, 10_000, rampSplit(2));
        IRoyaltyLedger.Row memory row = rowOf("batch", CHM, ROOT, 1e6);
        _settled(row);
        RoyaltyLedger other = RoyaltyLedger(address(0x7777));
        bytes memory initialize =
            abi.encodeWithSignature("initialize(address,address,address)", address(timelock), authority, settler);
        deployCodeTo(
            "ERC1967Proxy.sol:ERC1967Proxy", abi.encode(implementationOf(address(ledger)), initialize), address(other)
        );
        assertFalse(other.isSettled("batch", payer, ROOT));
        vm.prank(settler);
        vm.expectRevert(
            abi.encodeWithSelector(IRoyaltyLedger.ReservationShort.selector, bytes32("batch"), payer, 0, 1e6)
        );
        other.settle(row);
        IRoyaltyLedger.Payout memory p = payoutOf(CHM, ROOT, 0);
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RouteUnknown.selector, _routeOf(p.key)));
        other.withdraw(p);
    }

    /// @dev [ROY-22]: a proof is of a tree, so it serves in every account of it, in each once for an amount kept.
    function test_a_leafs_proof_takes_once_from_each_account_of_its_tree() public {
        TreeBuilder.Tree memory tree = TreeBuilder.random(5, 4);
        bytes32 split = splits.registerTree(tree.root(), tree.denom, 4);
        mintRoot(ROOT, 10_000, split);
        mintRoot(OTHER, 10_000, split);
        pay(CHM, ROOT, 1e6);
        pay(CHM, OTHER, 3e6);
        IRoyaltyLedger.LeafPayout memory p;
        (p.leaf, p.path, p.siblings, p.sums) = tree.proof(1);
        p.token = CHM;
        bytes32[2] memory licences = [ROOT, OTHER];
        for (uint256 i; i < 2; ++i) {
            p.key = keyOf(licences[i]);
            uint256 before = p.leaf.payee.balance;
            ledger.withdrawLeaf(p);
            assertEq(p.leaf.payee.balance - before, keptOf(CHM, licences[i]) * p.leaf.weight / tree.denom);
            vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.NothingDue.selector, licences[i], p.leaf.payee));
            ledger.withdrawLeaf(p);
        }
        // Not from an account of another split, nor of a token that paid nothing.
        bytes32 another = splits.registerTree(TreeBuilder.random(6, 4).root(), tree.denom, 4);
        mintRoot("third", 10_000, another);
        pay(CHM, "third", 1e6);
        p.key = keyOf("third");
        vm.expectRevert(abi.encodeWithSelector(ISplitRegistry.LeafNotInTree.selector, another));
        ledger.withdrawLeaf(p);
        (p.key, p.token) = (keyOf(ROOT), address(token));
        vm.expectRevert(abi.encodeWithSelector(IRoyaltyLedger.RouteUnknown.selector, _routeOf(p.key)));
        ledger.withdrawLeaf(p);
    }

    function _routeOf(IRoyaltyLedger.RouteKey memory key) private pure returns (bytes32) {
        return keccak256(abi.encode(key.parentRoute, key.licence, key.splitVersion, true));
    }
}
